"""The agent: one tick, the same for the daemon, the demo, replay and the tests. They differ in the ports handed in."""

from dataclasses import dataclass

from domain.engine import Rules, step
from domain.ledger import OrderStatus
from domain.market import Moment
from domain.ports import Broker, Feed, LedgerStore, Portal
from domain.report import Report
from domain.settle import found_out, settle
from domain.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The rules, and the ports that a tick goes through."""

    rules: Rules
    feed: Feed
    broker: Broker
    store: LedgerStore
    portal: Portal


async def tick(agent: Agent, state: State, moment: Moment) -> Report:
    """Feed -> Snapshot -> step -> Decision -> Broker -> Fill -> settle -> Ledger -> Portal.

    Saved before it is shown: a crash in between leaves a stale page, never lost money. Cancelled while it waits for the feed,
    a tick never began.
    """
    snapshot = await agent.feed.observe(moment, state.ledger)
    decision = step(agent.rules, snapshot, state)
    executions = await agent.broker.submit(agent.broker.intend(decision.orders), snapshot)
    report = settle(decision, executions)
    agent.store.save(report)
    agent.portal.publish(report)
    return report


async def reconciled(agent: Agent, state: State, moment: Moment) -> State:
    """The state with the ends of all earlier orders in it, as the broker found them out; on paper, the state as it is.

    Raises `Unavailable` while the venue does not tell, `LawBroken` when it contradicts the books.
    """
    ends = await agent.broker.reconcile(state)
    if not ends:
        return state
    report = found_out(state, ends, moment)
    agent.store.save(report)
    agent.portal.publish(report)
    return report.state


class Trader:
    """An agent that decides nothing before the ends of all its earlier orders are in the books.

    It asks the broker before its first tick, and again after a tick that was not finished or left an outcome unknown.
    """

    def __init__(self, agent: Agent) -> None:
        """Nothing is known yet."""
        self._agent = agent
        self._knows = False

    async def tick(self, state: State, moment: Moment) -> Report:
        """One tick. Raises `Unavailable` and `LawBroken` as `reconciled` does."""
        if not self._knows:
            state = await reconciled(self._agent, state, moment)
        self._knows = False
        report = await tick(self._agent, state, moment)
        self._knows = all(event.execution.status is not OrderStatus.UNKNOWN for event in report.orders)
        return report
