"""The agent: one tick, the same for the daemon, the demo, replay and the tests. They differ in the ports handed in."""

from dataclasses import dataclass

from domain.engine import Rules, step
from domain.market import Moment
from domain.ports import Broker, Feed, LedgerStore, Portal
from domain.report import Report
from domain.settle import settle
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
    executions = await agent.broker.submit(decision.orders, snapshot)
    report = settle(decision, executions)
    agent.store.save(report)
    agent.portal.publish(report)
    return report
