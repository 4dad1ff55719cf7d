"""Replay: the same tick over a tape."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from adapters.paper_broker import PaperBroker
from adapters.tape.columns import Columns
from adapters.tape.replay_ledger import ReplayLedger
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


def unwatched(done: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A tape, the rules to replay it by, and the books of account to begin with."""

    columns: Columns
    rules: Rules
    opening: Ledger
    watch: Callable[[int], None] = unwatched


def replayed(wish: Replay, turns: Turns) -> ReplayLedger:
    """Decide the ticks that `turns` chooses, one after the other; what came of it."""
    return asyncio.run(_replayed(wish, turns))


async def _replayed(wish: Replay, turns: Turns) -> ReplayLedger:
    store, feed = ReplayLedger(wish.opening), TapeFeed(wish.columns)
    agent = Agent(rules=wish.rules, feed=feed, broker=PaperBroker(), store=store, portal=_Unseen())
    turn = turns.after(store.load())
    while turn is not None:
        feed.turn_to(turn)
        report = await tick(agent, turn.state, moment_of(wish.columns.grid, turn.tick))
        wish.watch(turn.tick)
        turn = turns.after(report.state)
    return store
