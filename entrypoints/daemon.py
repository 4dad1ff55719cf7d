"""The daemon: ticks on a fixed grid until told to stop. The demo and `spelar run` are this, with other clocks."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from loguru import logger

from adapters.clock import SystemClock
from adapters.portal.manifest import read_manifest
from adapters.portal.writer import PortalFiles
from adapters.sqlite_ledger import LedgerInvalid, LedgerUnwritable, SqliteLedger
from adapters.state_lock import StateLock
from domain.ledger import LawBroken
from domain.market import Moment
from domain.report import Report
from domain.state import State
from entrypoints import VERSION
from entrypoints.agent import Agent, tick
from entrypoints.container import Container, map_entries
from entrypoints.settings import Settings

GRACE_S = 6.0
"""Seconds that a running tick gets to finish after SIGTERM; then it is abandoned, which it survives."""

FIRST_RESOLVE_S = 10.0
"""Seconds that the first look-up of the map's slugs may hold up the first tick."""


class PacedClock(Protocol):
    """A clock, and how many of its seconds pass in a real one."""

    speed: float

    def now(self) -> Moment:
        """This moment."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the daemon. `clock` None: the system's; `until_ms`: stop when the clock has passed it (UTC ms)."""

    settings: Settings
    clock: PacedClock | None = None
    until_ms: int | None = None
    watch: Callable[[Report], None] = lambda report: None


async def run(order: Run) -> State:
    """Run until a signal, the last tick asked for, or the end of the play; the state after the last committed tick."""
    settings = order.settings
    entries = map_entries(settings)
    with ExitStack() as stack:
        stack.enter_context(StateLock(settings.state_dir))
        store = _opened(settings)
        stack.callback(store.close)
        state = store.load()
        clock = order.clock or SystemClock(resumed=state.memory.moment)
        container = Container(settings=settings, clock=clock, entries=entries)
        portal = _portal(settings, store, container, clock)
        stack.callback(portal.close)
        agent = Agent(
            rules=container.rules(),
            feed=container.feed(),
            broker=container.broker(),
            store=store,
            portal=portal,
        )
        logger.info(
            "spelar {}: {} on {}, {} markets, tick {}, ledger in {}, files in {}",
            VERSION,
            settings.strategy_mode,
            settings.trading_mode,
            len(entries),
            state.sequence,
            settings.state_dir,
            settings.out_dir,
        )
        async with _venues(container, clock, settings):
            state = await _Loop(order, agent, portal, clock).run(state)
        logger.info("stopped after tick {}: equity {}", state.sequence, state.ledger.equity)
        return state


def _opened(settings: Settings) -> SqliteLedger:
    store = SqliteLedger.open(
        settings.state_dir / "ledger.sqlite3",
        opening_cash=settings.start_balance_usd,
        mode=settings.trading_mode,
        now_ms=SystemClock().now().at_ms,
    )
    files = read_manifest(settings.out_dir)
    store.refuse_if_behind(files.sequence if files else None, files.ledger_id if files else None)
    if store.opening_cash != settings.start_balance_usd:
        logger.warning(
            "PAPER_START_BALANCE_USD={} is ignored: the ledger opened with {}", settings.start_balance_usd, store.opening_cash
        )
    return store


def _portal(settings: Settings, store: SqliteLedger, container: Container, clock: PacedClock) -> PortalFiles:
    portal = PortalFiles(
        settings.out_dir,
        ledger_id=store.ledger_id,
        started_at_ms=clock.now().at_ms,
        strategy_mode=settings.strategy_mode,
        trading_mode=settings.trading_mode,
        settings=settings.in_force(),
        sources=container.health().report,
        found=lambda: container.discovery().candidates,
        version=VERSION,
    )
    portal.rebuild(store.journal())
    return portal


@asynccontextmanager
async def _venues(container: Container, clock: PacedClock, settings: Settings) -> AsyncIterator[None]:
    """The venues' connections, and the look-up of markets and discovery in the background."""
    async with AsyncExitStack() as stack:
        for client in container.clients():
            stack.push_async_callback(client.aclose)
        universe = container.universe()
        with suppress(TimeoutError):
            await asyncio.wait_for(universe.resolve(), FIRST_RESOLVE_S)
        background = [asyncio.create_task(universe.keep_resolved(speed=clock.speed))]
        if settings.scan_enable:
            scanning = container.discovery().keep_scanning(settings.scan_interval_s / clock.speed)
            background.append(asyncio.create_task(scanning))
        for task in background:
            task.add_done_callback(_tell_if_broken)
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)


def _tell_if_broken(looking_up: asyncio.Task[None]) -> None:
    """A defect in the background must not die in silence; the ticks go on with the markets that are known."""
    if not looking_up.cancelled() and (defect := looking_up.exception()):
        logger.opt(exception=defect).error("markets are no longer looked up: {}", type(defect).__name__)


class _Loop:
    """The ticks of one run."""

    def __init__(self, order: Run, agent: Agent, portal: PortalFiles, clock: PacedClock) -> None:
        self._order, self._agent, self._portal, self._clock = order, agent, portal, clock
        settings = order.settings
        self._interval_ms = round(settings.interval_s * 1000)
        self._ticks_left = 1 if settings.run_once else settings.run_ticks
        self._stop = asyncio.Event()

    async def run(self, state: State) -> State:
        """Tick until told to stop."""
        with _signals(self._stop):
            first_ms = self._clock.now().elapsed_ms
            while not self._over():
                started = perf_counter()
                state = await self._tick(state, on_grid(self._clock.now(), first_ms, self._interval_ms))
                self._portal.note(tick_ms=(perf_counter() - started) * 1000)
                if self._ticks_left is not None:
                    self._ticks_left -= 1
                if not self._over():
                    await self._wait(first_ms)
        return state

    def _over(self) -> bool:
        until = self._order.until_ms
        played = until is not None and self._clock.now().at_ms >= until
        return self._stop.is_set() or self._ticks_left == 0 or played

    async def _tick(self, state: State, moment: Moment) -> State:
        """One tick, committed; or the state as it was, with the reason in the log and in `live_status.json`."""
        try:
            report = await self._finished(tick(self._agent, state, moment))
        except (LedgerUnwritable, LedgerInvalid, LawBroken):
            raise
        except Exception as error:  # noqa: BLE001 - the daemon's one broad handler: a defect costs a tick, not the run
            logger.opt(exception=True).error("the tick failed: {}", type(error).__name__)
            self._portal.note(last_error=f"{type(error).__name__}: {error}")
            return self._agent.store.load()
        if report is None:
            return state
        self._portal.note(last_error="")
        for trade in report.trades:
            logger.info("{} {} {} at {}: {}", trade.action, trade.shares, trade.market.name, trade.price, trade.notes)
        self._order.watch(report)
        return report.state

    async def _finished(self, ticking: Coroutine[object, object, Report]) -> Report | None:
        """The tick's report; None when a signal came and the tick did not end within the grace."""
        task = asyncio.ensure_future(ticking)
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not task.done():
            await asyncio.wait({task}, timeout=GRACE_S)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        logger.warning("the tick was abandoned: the venues did not answer within {} s of the signal", GRACE_S)
        return None

    async def _wait(self, first_ms: int) -> None:
        """Sleep until the next point of the grid, or until told to stop."""
        since_ms = self._clock.now().elapsed_ms - first_ms
        pause_ms = self._interval_ms - since_ms % self._interval_ms
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), pause_ms / 1000 / self._clock.speed)


def on_grid(moment: Moment, first_ms: int, interval_ms: int) -> Moment:
    """A tick's time: the point of the grid that it was due at, unless it is late by more than a tenth of an interval.

    Without this a hold of exactly twelve intervals would last twelve or thirteen, as the scheduler's jitter falls.
    """
    late_ms = (moment.elapsed_ms - first_ms) % interval_ms
    if late_ms > interval_ms // 10:
        return moment
    return Moment(at_ms=moment.at_ms - late_ms, elapsed_ms=moment.elapsed_ms - late_ms)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT ask for the end after the tick; SIGHUP, a closed terminal, is no reason to stop."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPPING}
    for number in _STOPPING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOPPING = (signal.SIGTERM, signal.SIGINT)
