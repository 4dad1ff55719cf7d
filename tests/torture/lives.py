"""Agents that live in forks of this process and are killed there, and what must be true of what they leave behind.

The parent has imported everything, so that a life begins within milliseconds; the venues are in the process, the ledger and
the portal's files are real. Every tick trades.
"""

import asyncio
import csv
import io
import json
import os
import select
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path

from adapters.market_map import MarketMap
from adapters.portal.manifest import read_manifest
from adapters.portal.schema import FILES, TRADES, Kind
from adapters.portal.writer import PortalFiles
from adapters.simulated_venues import BookSpec, SimMarket, Steady, market_map
from adapters.simulated_venues.in_process import ScriptTransport
from adapters.sqlite_ledger import LEDGER_NAME, SqliteLedger
from domain.ports import Portal
from domain.report import Report
from domain.state import State
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from tests.builders import NOON_MS
from tests.entrypoints.lived import BusyClock, settings_in
from tests.fakes import MemoryPortal
from tests.portal import portal_files

OPENING_CASH = Decimal(1_000_000)
STEP_MS = 15_000
SETTINGS = settings_in(
    {
        "INTERVAL_S": "5",
        "LEAD_LAG_LOOKBACK_POINTS": "2",
        "LEAD_LAG_EDGE_EXIT_PCT": "-100",
        "LEAD_LAG_MAX_HOLD_SECS": "15",
        "LEAD_LAG_ENABLE_ORDERBOOK_SIZING": "0",
    }
)
"""Buy what spot leads, sell it a tick later."""

RISES = 16
"""Ticks in a row in which spot rises by half a percent, before it falls back: a fall of less than a tenth is believed."""


class Finding(Exception):
    """The agent broke a promise."""


def _spot(pair: str, now_ms: int) -> Decimal:
    rises = (now_ms // STEP_MS) % RISES
    return round(Decimal(60_000) * Decimal("1.005") ** rises, 1)


def _book(token: str, now_ms: int) -> BookSpec:
    """A book of odd sizes, another one each tick, so that sums need rounding."""
    cents = 40 + (now_ms // STEP_MS + int(token) % 7) % 11
    sizes = ("3.141593", "5.271829", "400")
    return BookSpec(
        bids=tuple((f"0.{cents - step:02d}", size) for step, size in enumerate(sizes)),
        asks=tuple((f"0.{cents + 1 + step:02d}", size) for step, size in enumerate(sizes)),
    )


MARKETS = tuple(SimMarket(slug=f"btc-up-{name}") for name in ("today", "tomorrow"))
WORLD = Steady(spot=_spot, books=_book, markets=MARKETS)
ENTRIES = [entry for entry in MarketMap.model_validate(market_map(WORLD)).markets if entry.polymarket.outcome != "No"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where lives are lived: a STATE_DIR and an OUT_DIR."""

    state_dir: Path
    out_dir: Path

    @classmethod
    def under(cls, directory: Path) -> "Place":
        """Both in one directory, made."""
        place = cls(state_dir=directory / "state", out_dir=directory / "out")
        place.state_dir.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.state_dir / LEDGER_NAME


class Life:
    """An agent over a place. `published` False: without the portal's files, and so without a thread."""

    def __init__(self, place: Place, *, published: bool = True) -> None:
        self.store = SqliteLedger.open(place.ledger, opening_cash=OPENING_CASH, now_ms=NOON_MS)
        self.state: State = self.store.load()
        self._clock = BusyClock(NOON_MS + self.state.sequence * STEP_MS, NOON_MS)
        self._container = Container(
            settings=SETTINGS,
            clock=self._clock,
            entries=ENTRIES,
            transports=lambda source, base_url: ScriptTransport(WORLD, lambda: self._clock.at_ms),
            monotonic=count().__next__,
        )
        self._files = self._portal(place) if published else None

    def _portal(self, place: Place) -> PortalFiles:
        portal = portal_files(place.out_dir, ledger_id=self.store.ledger_id, sources=self._container.health().report)
        portal.rebuild(self.store.journal())
        return portal

    async def begin(self) -> None:
        """Look the markets up and make the agent."""
        await self._container.universe().resolve()
        portal: Portal = self._files or MemoryPortal()
        self._agent = Agent(
            rules=self._container.rules(),
            feed=self._container.feed(),
            broker=self._container.broker(),
            store=self.store,
            portal=portal,
        )

    async def tick(self) -> Report:
        """One tick, committed and published."""
        moment = self._clock.now()
        report = await tick(self._agent, self.state, moment)
        self.state, self._clock.at_ms = report.state, moment.at_ms + STEP_MS
        return report

    def end(self) -> None:
        """Write what is pending, and close."""
        if self._files:
            self._files.close()
        self.store.close()


def acknowledgement(report: Report) -> bytes:
    """What an agent says of a tick that is committed: its number, and each trade with the cash that it left."""
    trades = " ".join(f"{trade.id}={trade.cash_after:f}" for trade in report.trades)
    return f"{report.state.sequence} {trades}\n".encode()


@dataclass(kw_only=True)
class Heard:
    """All that the agents of one place have acknowledged."""

    sequence: int = 0
    trades: dict[str, Decimal] = field(default_factory=dict)

    def line(self, text: str) -> None:
        """Take one acknowledgement in."""
        number, *trades = text.split()
        self.sequence = int(number)
        for trade in trades:
            name, _, cash = trade.partition("=")
            self.trades[name] = Decimal(cash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A fork that lives, and the pipe through which it speaks."""

    pid: int
    ear: int

    def lines(self) -> Iterator[str]:
        """Its acknowledgements until it is dead; a torn last line was not acknowledged."""
        text = b""
        while piece := os.read(self.ear, 65_536):
            text += piece
            while b"\n" in text:
                line, _, text = text.partition(b"\n")
                yield line.decode()

    def quiet_for(self, seconds: float) -> bool:
        """Whether it says nothing for so long."""
        return not select.select([self.ear], [], [], seconds)[0]

    def kill(self) -> None:
        """kill -9. The dead stay dead."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> int:
        """How it ended: minus the signal, or the exit code."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


@contextmanager
def forked(live: Callable[[int], None]) -> Iterator[Child]:
    """A child that does this with the pipe to its parent's ear, and nothing else."""
    if threading.active_count() != 1:
        raise RuntimeError("a process with threads must not fork")
    ear, mouth = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ear)
        code = 70
        try:
            live(mouth)
            code = 0
        except BaseException:  # noqa: BLE001 - nobody above a fork may hear of it
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(mouth)
    try:
        yield Child(pid=pid, ear=ear)
    finally:
        os.close(ear)


def live_on(place: Place, mouth: int, ticks: int | None = None) -> None:
    """Tick so often, or without end, and acknowledge each tick."""

    async def living() -> None:
        life = Life(place)
        await life.begin()
        for _ in count() if ticks is None else range(ticks):
            os.write(mouth, acknowledgement(await life.tick()))
        life.end()

    asyncio.run(living())


def judged(place: Place, heard: Heard) -> int:
    """Raise `Finding` unless nothing that was acknowledged is lost, nothing doubled, all adds up and every file can be read.

    The ticks of the ledger. It is only read, as a check beside the agent would: the next agent finds it as it was left.
    """
    if not place.ledger.exists():
        if heard.sequence:
            raise Finding(f"tick {heard.sequence} was acknowledged, and there is no ledger")
        return 0
    store = SqliteLedger.open_to_read(place.ledger)
    try:
        kept = {trade.id: trade.cash_after for trade in store.trades()}
        _assert_kept(store, kept, heard)
        _assert_readable(place, store, kept)
        return store.sequence
    finally:
        store.close()


def _assert_kept(store: SqliteLedger, kept: Mapping[str, Decimal], heard: Heard) -> None:
    """Opening it has proved the chain, and that the trades add up to the state, to the micro-dollar."""
    if not heard.sequence <= store.sequence <= heard.sequence + 1:
        raise Finding(f"tick {heard.sequence} was acknowledged, the ledger ends with {store.sequence}")
    if lost := {name: cash for name, cash in heard.trades.items() if kept.get(name) != cash}:
        raise Finding(f"acknowledged trades are lost or others: {lost}")
    if len(kept) != len(store.rows()):
        raise Finding("a trade is there twice")


def _assert_readable(place: Place, store: SqliteLedger, kept: Mapping[str, Decimal]) -> None:
    for file in FILES:
        path = place.out_dir / file.name
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            raise Finding(f"{file.name} is cut off")
        if file.kind is Kind.CSV:
            rows = list(csv.reader(io.StringIO(text), strict=True))
            if {len(row) for row in rows} != {len(file.columns)}:
                raise Finding(f"{file.name} has torn rows")
        else:
            json.loads(text)
    shown = read_manifest(place.out_dir)
    if shown and (shown.ledger_id, shown.sequence) > (store.ledger_id, store.sequence):
        raise Finding(f"the files show tick {shown.sequence}, the ledger ends with {store.sequence}")
    if (trades := place.out_dir / TRADES.name).exists():
        with trades.open(encoding="utf-8", newline="") as lines:
            if unknown := {row["trade_id"] for row in csv.DictReader(lines)} - kept.keys():
                raise Finding(f"the files show trades that the ledger does not know: {unknown}")
