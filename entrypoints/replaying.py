"""The agent's own tick over a tape, without files: what a replay is made of, and a sweep of many."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from adapters.paper_broker import PaperBroker
from adapters.tape.columns import Columns
from adapters.tape.replay_ledger import ReplayLedger
from adapters.tape.sharing import SharedTicks
from adapters.tape.snapshots import moment_of
from adapters.tape.turns import TapeFeed, Turns
from domain.engine import Rules
from domain.ledger import Ledger
from domain.report import Journal, Report
from entrypoints.agent import Agent, tick


class _Unseen:
    """Implements `domain.ports.Portal` for nobody: the files of a replay are made once, at its end."""

    def rebuild(self, journal: Journal) -> None:
        """Nothing."""

    def publish(self, report: Report) -> None:
        """Nothing."""


def unwatched(tick_done: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A tape, the rules to replay it by, and the books of account to begin with. From `shown_from` on verdicts are kept."""

    columns: Columns
    rules: Rules
    opening: Ledger
    shown_from: int = 0
    watch: Callable[[int], None] = unwatched


def replayed(wish: Replay, turns: Turns, shared: SharedTicks | None = None) -> ReplayLedger:
    """Decide the ticks that `turns` chooses, one after the other; what came of it.

    `shared`: what replays of rules that are kin have decided on this tape, to ask first and to add to.
    """
    return finished(_replayed(wish, turns, shared))


def finished(work: Coroutine[None, None, ReplayLedger]) -> ReplayLedger:
    """The result of a coroutine that never waits: a tape, a ledger in memory and the paper broker need no event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: ReplayLedger = done.value
        return result
    work.close()
    raise RuntimeError("a replay waited for something")


async def _replayed(wish: Replay, turns: Turns, shared: SharedTicks | None) -> ReplayLedger:
    store, grid = ReplayLedger(wish.opening, shown_from=wish.shown_from), wish.columns.grid
    feed = TapeFeed(wish.columns, shared.snapshots if shared else None)
    agent = Agent(rules=wish.rules, feed=feed, broker=PaperBroker(), store=store, portal=_Unseen())
    turn = turns.after(store.load())
    while turn is not None:
        report = shared.recall(wish.rules, turn) if shared else None
        if report is not None:
            store.save(report)
        else:
            moment = moment_of(grid, turn.tick)
            store.lose(turn.lost, moment)
            feed.turn_to(turn)
            report = await tick(agent, turn.state, moment)
            if shared:
                shared.learn(wish.rules, turn, report)
        wish.watch(turn.tick)
        turn = turns.after(report.state)
    return store
