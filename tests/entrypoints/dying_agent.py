"""An agent for crash tests, a process of its own: it kills itself in the tick that pays a position out.

`python -m tests.entrypoints.dying_agent before|after`: before or after the commit. It is the daemon's own parts, ticking
as fast as they can, with a ledger that can die.
"""

import asyncio
import os
import signal
import sys

from adapters.clock import SystemClock
from adapters.sqlite_ledger import SqliteLedger
from adapters.state_lock import StateLock
from domain.report import Journal, Report, TradeAction
from domain.state import State
from entrypoints.agent import Agent, tick
from entrypoints.container import Container, map_entries
from entrypoints.settings import read_settings
from tests.fakes import MemoryPortal

PAUSE_S = 0.02


class DyingLedger:
    """The real ledger, until a tick has a payout."""

    def __init__(self, store: SqliteLedger, when: str) -> None:
        """Die `before` the commit, or `after` it."""
        self._store, self._when = store, when

    def load(self) -> State:
        """The state after the last committed tick."""
        return self._store.load()

    def journal(self) -> Journal:
        """What is kept of the past."""
        return self._store.journal()

    def save(self, report: Report) -> None:
        """Commit one tick, or die of it."""
        pays = any(trade.action is TradeAction.SETTLE for trade in report.trades)
        if pays and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        self._store.save(report)
        if pays:
            os.kill(os.getpid(), signal.SIGKILL)


async def live(when: str) -> None:
    """Tick until death."""
    settings = read_settings(os.environ)
    with StateLock(settings.state_dir):
        store = SqliteLedger.open(settings.state_dir / "ledger.sqlite3", opening_cash=settings.start_balance_usd, now_ms=0)
        state = store.load()
        clock = SystemClock(resumed=state.memory.moment)
        container = Container(settings=settings, clock=clock, entries=map_entries(settings))
        await container.universe().resolve()
        agent = Agent(
            rules=container.rules(),
            feed=container.feed(),
            broker=container.broker(),
            store=DyingLedger(store, when),
            portal=MemoryPortal(),
        )
        while True:
            state = (await tick(agent, state, clock.now())).state
            await asyncio.sleep(PAUSE_S)


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1]))
