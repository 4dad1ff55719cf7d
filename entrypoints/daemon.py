"""The daemon: ticks on a fixed grid until told to stop. The demo and `spelar run` are this, with other clocks."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from loguru import logger

from adapters.clock import SystemClock
from adapters.health import Health
from adapters.portal.manifest import read_manifest
from adapters.portal.writer import PortalFiles
from adapters.sqlite_ledger import LEDGER_NAME, LedgerInvalid, LedgerUnwritable, SqliteLedger
from adapters.sqlite_ledger.versions import sqlite_doubt
from adapters.state_lock import StateLock, own_uid
from adapters.supervisor import Supervisor
from adapters.tape.recorder import RecordedFeed, RecordedLedger
from domain.ledger import LawBroken
from domain.market import Moment
from domain.ports import Unavailable
from domain.report import Journal, Report
from domain.state import State
from entrypoints import VERSION
from entrypoints.agent import Agent, Trader
from entrypoints.background import daily_backups, thread_defects, venues
from entrypoints.container import Container, direct, map_entries, tick_deadline_s
from entrypoints.logging import PATTERNS_ONLY
from entrypoints.lookout import Lookout, Ticked, looking_out, metrics_of
from entrypoints.pace import Pace, PacedClock, told_to_stop
from entrypoints.recording import recorder_of, session_of
from entrypoints.settings import Settings

GRACE_S = 6.0
"""Seconds that a running tick gets to finish after SIGTERM; then it is abandoned, which it survives."""


class OutDirUnusable(Exception):
    """The published files cannot be written at all. `uid` is the user that tried, None where users have no numbers."""

    def __init__(self, path: Path, uid: int | None, why: str) -> None:
        """Name the directory, the user and the reason."""
        who = "" if uid is None else f" by uid {uid}"
        super().__init__(f"OUT_DIR {path} cannot be used{who}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the daemon. `clock` None: the system's; `until_ms`: stop when the clock has passed it (UTC ms).

    `redacted` takes secrets out of what is published of an error.
    """

    settings: Settings
    clock: PacedClock | None = None
    until_ms: int | None = None
    watch: Callable[[Report], None] = lambda report: None
    redacted: Callable[[str], str] = PATTERNS_ONLY


async def run(order: Run) -> State:
    """Run until a signal, the last tick asked for, or the end of the play; the state after the last committed tick."""
    settings = order.settings
    entries = map_entries(settings)
    with ExitStack() as stack:
        stop = stack.enter_context(told_to_stop())
        defects = stack.enter_context(thread_defects())
        stack.enter_context(StateLock(settings.state_dir))
        store = _opened(settings)
        stack.callback(store.close)
        state = store.load()
        clock = order.clock or SystemClock(resumed=state.memory.moment)
        metrics = metrics_of(settings)
        health = Health(metrics.answered) if metrics else Health()
        recorder = recorder_of(settings, clock, health) if settings.record else None
        container = Container(
            settings=settings,
            clock=clock,
            entries=entries,
            health=health,
            transports=recorder.transport if recorder else direct,
        )
        notifier, journal = container.notifier(), store.journal()
        portal = _portal(settings, journal, container, clock)
        stack.callback(portal.close)
        lookout = stack.enter_context(
            looking_out(notifier, metrics, health, settings=settings, clock=clock, journal=journal, redacted=order.redacted)
        )
        agent = _agent(container, store, portal)
        if recorder:
            stack.callback(recorder.close)
            recorder.begin(session_of(container, state, ledger_id=store.ledger_id))
            agent = replace(agent, feed=RecordedFeed(agent.feed, recorder), store=RecordedLedger(store, recorder))
        _tell_what_runs(settings, markets=len(entries), tick=state.sequence)
        supervisor = stack.enter_context(_supervised(settings))
        pace = Pace(settings, clock, stop=stop, until_ms=order.until_ms)
        async with venues(container, stop):
            stack.enter_context(daily_backups(settings.state_dir / LEDGER_NAME))
            state = await _Loop(order, agent, portal, pace, supervisor, lookout, defects).run(state)
        logger.info("stopped after tick {}: equity {}", state.sequence, state.ledger.equity)
        return state


def _opened(settings: Settings) -> SqliteLedger:
    if doubt := sqlite_doubt():
        logger.warning("{}", doubt)
    store = SqliteLedger.open(
        settings.state_dir / LEDGER_NAME,
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


def _portal(settings: Settings, journal: Journal, container: Container, clock: PacedClock) -> PortalFiles:
    portal = PortalFiles(
        settings.out_dir,
        ledger_id=journal.ledger_id,
        started_at_ms=clock.now().at_ms,
        strategy_mode=settings.strategy_mode,
        trading_mode=settings.trading_mode,
        settings=settings.in_force(),
        sources=container.health().report,
        found=lambda: container.discovery().candidates,
        version=VERSION,
    )
    try:
        portal.rebuild(journal)
    except OSError as error:
        raise OutDirUnusable(settings.out_dir, own_uid(), error.strerror or str(error)) from error
    return portal


def _agent(container: Container, store: SqliteLedger, portal: PortalFiles) -> Agent:
    return Agent(rules=container.rules(), feed=container.feed(), broker=container.broker(), store=store, portal=portal)


def _tell_what_runs(settings: Settings, *, markets: int, tick: int) -> None:
    logger.info(
        "spelar {}: {} on {}, {} markets, tick {}, ledger in {}, files in {}",
        VERSION,
        settings.strategy_mode,
        settings.trading_mode,
        markets,
        tick,
        settings.state_dir,
        settings.out_dir,
    )


@contextmanager
def _supervised(settings: Settings) -> Iterator[Supervisor]:
    """Whoever started this is told that it is ready, and at the end that it is stopping."""
    supervisor = Supervisor.of(os.environ)
    supervisor.ready(pings_s=settings.interval_s + tick_deadline_s(settings))
    try:
        yield supervisor
    finally:
        supervisor.stopping()
        supervisor.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How a tick ended: with a report when it was committed, else with the reason, which people may read; it may be empty."""

    state: State
    report: Report | None = None
    error: str = ""


class _Loop:
    """The ticks of one run."""

    def __init__(
        self,
        order: Run,
        agent: Agent,
        portal: PortalFiles,
        pace: Pace,
        supervisor: Supervisor,
        lookout: Lookout,
        defects: deque[str],
    ) -> None:
        self._order, self._agent, self._portal, self._pace = order, agent, portal, pace
        self._supervisor, self._lookout, self._defects, self._trader = supervisor, lookout, defects, Trader(agent)
        self._unwritten = 0

    async def run(self, state: State) -> State:
        """Tick until told to stop."""
        self._state = state
        await self._pace.run(self._timed)
        return self._state

    async def _timed(self, moment: Moment) -> None:
        started = perf_counter()
        ended = await self._tick(self._state, moment)
        took_s = perf_counter() - started
        self._state = ended.state
        error = self._order.redacted(self._defects.popleft()) if self._defects else ended.error
        if error or ended.report is not None:
            self._portal.note(last_error=error)
        self._portal.note(tick_ms=took_s * 1000)
        self._tell_of_files()
        self._lookout.ticked(
            Ticked(moment=moment, report=ended.report, took_s=took_s, error=error, failures=self._portal.write_failures)
        )

    def _tell_of_files(self) -> None:
        """A full disk leaves the old files standing, so that the log has to say it."""
        failures = self._portal.write_failures
        if sum(failures.values()) > self._unwritten:
            self._unwritten = sum(failures.values())
            logger.warning(
                "files in {} stay old, they cannot be written: {}", self._order.settings.out_dir, ", ".join(failures)
            )

    async def _tick(self, state: State, moment: Moment) -> _Ended:
        """One tick, committed; or the state as it was, with the reason in the log."""
        try:
            report = await self._finished(self._trader.tick(state, moment))
        except (LedgerUnwritable, LedgerInvalid, LawBroken):
            raise
        except Unavailable as error:
            logger.warning("nothing is traded before the ends of earlier orders are known: {}", error)
            self._supervisor.alive()
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - the daemon's one broad handler: a defect costs a tick, not the run
            logger.opt(exception=True).error("the tick failed: {}", type(error).__name__)
            return self._failed(f"{type(error).__name__}: {error}")
        if report is None:
            return self._failed("")
        for trade in report.trades:
            logger.info("{} {} {} at {}: {}", trade.action, trade.shares, trade.market.name, trade.price, trade.notes)
        self._order.watch(report)
        self._supervisor.alive()
        return _Ended(state=report.state, report=report)

    def _failed(self, why: str) -> _Ended:
        """The state as it was before a tick that was not committed."""
        return _Ended(state=self._agent.store.load(), error=self._order.redacted(why))

    async def _finished(self, ticking: Coroutine[object, object, Report]) -> Report | None:
        """The tick's report; None when a signal came and the tick did not end within the grace."""
        task = asyncio.ensure_future(ticking)
        stopping = asyncio.ensure_future(self._pace.stop.wait())
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
