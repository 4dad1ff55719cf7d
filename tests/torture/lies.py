"""Lies: venues that break and tell untruths for thousands of ticks, and what the agent makes of it.

`python -m tests.torture.lies [--full]` prints the figures as one JSON line, and ends with 1 on any finding.
"""

import asyncio
import ctypes
import gc
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from adapters.simulated_venues import Answer, Faults, Request, Scenario, SimMarket, Steady
from adapters.simulated_venues.default_world import CRYPTO
from adapters.simulated_venues.faults import DATA, KINDS
from adapters.simulated_venues.wire import Manner
from adapters.sqlite_ledger import SqliteLedger
from domain.ledger import Execution, OrderStatus
from domain.market import Side
from domain.report import Report
from tests.builders import NOON_MS
from tests.faulty import CALM_BOOK, Blind, Forgetful, Session
from tests.portal import portal_files

FLAT = (SimMarket(slug="flat-btc", pair="XBTUSD"), SimMarket(slug="flat-eth", pair="ETHUSD", direction="inverse"))
STILL = Steady(spot=lambda pair, ms: 60_000.0 if pair == "XBTUSD" else 3_000.0, books=lambda token, ms: CALM_BOOK, markets=FLAT)
AFTER_A_FIRST = (0.0, 0.0, 0.0, 0.0)
"""Rates of lies in the ticks after a first price that lied: long enough for the true one to be believed and traded on."""

EAGER = {
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.01",
    "LEAD_LAG_EDGE_MIN_PCT": "0.01",
    "LEAD_LAG_EDGE_EXIT_PCT": "0",
    "LEAD_LAG_LOOKBACK_POINTS": "2",
}
"""What would trade on the smallest lie that is believed."""

BUSY = {
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.01",
    "LEAD_LAG_EDGE_MIN_PCT": "-50",
    "LEAD_LAG_EDGE_EXIT_PCT": "-100",
    "LEAD_LAG_LOOKBACK_POINTS": "3",
    "LEAD_LAG_MAX_HOLD_SECS": "300",
    "FRESHNESS_MAX_AGE_SECS": "120",
}
"""What enters on any rise and holds for five minutes, so that the count of trades says how often the agent could decide.

Seldom signals would be counted instead: a broken answer costs the runbook's six samples in a row, and with them two of three.
"""

LIVING = tuple(replace(market, resolves_after_ms=None) for market in CRYPTO if market.pair == "XBTUSD")
SEED = 7
SETTLED_TICK = 500
DAY_TICKS = 5_760
MEGABYTE = 1_000_000


@dataclass(kw_only=True)
class Figures:
    """What was measured, and what was found that must not be."""

    measured: dict[str, object] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def demand(self, held: bool, otherwise: str) -> None:
        """A finding unless it held."""
        if not held:
            self.findings.append(otherwise)


def flat_market(ticks: int, *, rate: float = 0.4) -> Figures:
    """Nothing moves, and so many of the answers say otherwise: nothing may be traded.

    A fifth of the ticks are first ones and what follows them, in agents that begin with a price that lies.
    """
    faults = Faults(STILL, rate=rate, kinds=DATA, seed=SEED)
    trades = asyncio.run(_traded(faults, ticks * 4 // 5))
    starts = ticks // 5 // len(AFTER_A_FIRST)
    for seed in range(starts):
        lied = Faults(STILL, rate=1.0, kinds=["k_spike"], seed=seed)
        trades += asyncio.run(_traded(lied, 1, *AFTER_A_FIRST))
        faults.produced += lied.produced
    figures = Figures(
        measured={
            "ticks": ticks,
            "first_prices_that_lied": starts,
            "lies": faults.produced.total(),
            "kinds": len(faults.produced),
            "trades": len(trades),
        }
    )
    figures.demand(not trades, f"a lie was traded: {trades[:3]}")
    return figures


async def _traded(faults: Faults, ticks: int, *then: float) -> list[str]:
    """What a new agent trades in so many ticks, and in one more at each of these rates of lies."""
    session = Session(faults, STILL, EAGER)
    session.keep(Forgetful(), Blind())
    trades: list[str] = []
    for rate in (*[faults.rate] * ticks, *then):
        faults.rate = rate
        report = await session.tick()
        trades.extend(f"tick {report.state.sequence}: {trade.notes}" for trade in report.trades)
    await session.close()
    return trades


class Served:
    """What the CLOB truly offered in this tick: every side of a book that left the venues unspoiled or still true."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._sides: dict[tuple[str, Side], list[dict[Decimal, Decimal]]] = {}

    def begin(self) -> None:
        """Forget the tick before."""
        self._sides.clear()

    def watch(self, request: Request, kind: str | None, true: Answer, given: Answer) -> None:
        """Take in one answer; see `adapters.simulated_venues.faults.Watch`."""
        whole = given.manner is Manner.WHOLE and given.status == true.status == 200
        if request.path not in ("/book", "/books") or not whole:
            return
        trusted = kind is None or KINDS[kind].believable
        honest = list(_rows(true.content))
        for row in _rows(given.content):
            if trusted or row in honest:
                for name, side in (("asks", Side.BUY), ("bids", Side.SELL)):
                    self._sides.setdefault((str(row["asset_id"]), side), []).append(_sizes(row[name]))

    def offered(self, execution: Execution) -> bool:
        """Whether one of these books holds all that was filled, at these very prices."""
        sides = self._sides.get((execution.order.token, execution.order.side), [])
        return any(all(level.shares <= side.get(level.price, Decimal(0)) for level in execution.walk.levels) for side in sides)


def _rows(content: bytes) -> Iterator[dict[str, object]]:
    try:
        body = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return
    yield from (row for row in (body if isinstance(body, list) else [body]) if isinstance(row, dict) and "asset_id" in row)


def _sizes(levels: object) -> dict[Decimal, Decimal]:
    sizes: dict[Decimal, Decimal] = {}
    for level in levels if isinstance(levels, list) else ():
        if isinstance(level, dict):
            price = Decimal(str(level["price"]))
            sizes[price] = sizes.get(price, Decimal(0)) + Decimal(str(level["size"]))
    return sizes


@dataclass(kw_only=True)
class Played:
    """What came of one run: filled orders, settlements, ticks that raised, and fills that no true book explains."""

    filled: int = 0
    settled: int = 0
    deaths: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    produced: Counter[str] = field(default_factory=Counter)


def broken_answers(ticks: int, *, rate: float = 0.3) -> Figures:
    """A busy market, so many of all answers broken in every way, against the same market in good order."""
    clean, broken = _busy(ticks, 0.0), _busy(ticks, rate)
    share = broken.filled / max(1, clean.filled)
    figures = Figures(
        measured={
            "ticks": ticks,
            "faults": broken.produced.total(),
            "kinds": len(broken.produced),
            "deaths": len(broken.deaths),
            "fills_clean": clean.filled,
            "fills_broken": broken.filled,
            "share": round(share, 3),
            "settled": broken.settled,
            "fills_outside_served_books": len(broken.strange),
        }
    )
    figures.demand(not broken.deaths + clean.deaths, f"a tick raised: {(broken.deaths + clean.deaths)[:3]}")
    figures.demand(
        not broken.strange + clean.strange, f"fills that no true book explains: {(broken.strange + clean.strange)[:3]}"
    )
    figures.demand(clean.filled > 0 and share >= 0.5, f"only {share:.0%} of the clean run's fills")
    return figures


def _busy(ticks: int, rate: float) -> Played:
    world = Scenario(SEED, NOON_MS, LIVING, series=())
    served, played = Served(), Played()
    faults = Faults(world, rate=rate, seed=SEED, watch=served.watch)

    async def play() -> None:
        session = Session(faults, world, BUSY)
        session.keep(Forgetful(), Blind())
        for number in range(ticks):
            served.begin()
            try:
                report = await session.tick()
            except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
                played.deaths.append(f"tick {number}: {type(error).__name__}: {error}")
                continue
            _judge(report, served, played)
        await session.close()

    asyncio.run(play())
    played.produced = faults.produced
    return played


def _judge(report: Report, served: Served, played: Played) -> None:
    played.settled += sum(trade.id.startswith("settle:") for trade in report.trades)
    for event in report.orders:
        if event.execution.status is OrderStatus.FILLED:
            played.filled += 1
            if not served.offered(event.execution):
                order = event.execution.order
                played.strange.append(f"{order.id} {order.side} {order.market.name} {event.execution.walk.levels}")


def long_day(ticks: int, *, rate: float = 0.3, settled_tick: int = SETTLED_TICK) -> Figures:
    """A simulated day with a real ledger and the portal's files: what grows, and whether any file holds NaN or infinity."""
    with tempfile.TemporaryDirectory() as place:
        return asyncio.run(_long_day(Path(place), ticks, rate, settled_tick))


async def _long_day(place: Path, ticks: int, rate: float, settled_tick: int) -> Figures:
    world = Scenario(SEED, NOON_MS, series=())
    faults = Faults(world, rate=rate, seed=SEED)
    _played_through(world, NOON_MS + ticks * 15_000)
    session = Session(faults, world, {})
    (place / "state").mkdir()
    store = SqliteLedger.open(
        place / "state/ledger.sqlite3", opening_cash=session.settings.start_balance_usd, mode="paper", now_ms=NOON_MS
    )
    portal = portal_files(place / "out", ledger_id=store.ledger_id, sources=session.container.health().report)
    portal.rebuild(store.journal())
    session.keep(store, portal)
    for kind in ("huge_body", "gzip_bomb"):
        faults.arm(kind)  # What the venues keep of these must not count as the agent's.
    sizes: list[int] = []
    handles: list[int] = []
    for number in range(ticks):
        await session.tick()
        if number >= settled_tick and number % 20 == 0:
            sizes.append(_resident())
            handles.append(len(os.listdir("/proc/self/fd")))
    await session.close()
    portal.close()
    store.close()
    return _grown(place, ticks, sizes, handles)


def _played_through(world: Scenario, until_ms: int) -> None:
    """Let the venues know all of their future, so that what they keep of it does not count as the agent's."""
    for pair in world.pairs:
        world.spot(pair, until_ms)
    for market in world.markets:
        for token in market.token_ids:
            world.book(token, until_ms)


def _grown(place: Path, ticks: int, sizes: Sequence[int], handles: Sequence[int]) -> Figures:
    grown = (_median(sizes[-len(sizes) // 5 :]) - _median(sizes[: len(sizes) // 5 or 1])) / MEGABYTE
    out = sum(path.stat().st_size for path in (place / "out").iterdir()) / MEGABYTE
    ledger = sum(path.stat().st_size for path in (place / "state").iterdir()) / MEGABYTE
    unclean = [path.name for path in (place / "out").iterdir() if _holds_no_number(path)]
    figures = Figures(
        measured={
            "ticks": ticks,
            "rss_growth_mb": round(grown, 2),
            "rss_mb": round(sizes[-1] / MEGABYTE, 1),
            "handles": sorted(set(handles)),
            "out_mb": round(out, 2),
            "ledger_mb": round(ledger, 2),
        }
    )
    figures.demand(grown < 5, f"memory grew by {grown:.1f} MB")
    figures.demand(max(handles) - min(handles) <= 1, f"file handles vary: {sorted(set(handles))}")
    figures.demand(out < 20, f"OUT_DIR holds {out:.1f} MB")
    figures.demand(ledger < 50, f"the ledger holds {ledger:.1f} MB")
    figures.demand(not unclean, f"NaN or infinity in {unclean}")
    return figures


def _median(sizes: Sequence[int]) -> int:
    return sorted(sizes)[len(sizes) // 2]


def _resident() -> int:
    """Bytes of this process in memory, without what it only keeps for its next allocations."""
    gc.collect()
    with suppress(AttributeError):  # glibc alone has it.
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _holds_no_number(path: Path) -> bool:
    cells = path.read_text(encoding="utf-8").lower().replace('"', "").replace(":", ",").replace("\n", ",").split(",")
    return any(cell.strip() in {"nan", "inf", "-inf", "infinity", "-infinity"} for cell in cells)


def main(arguments: Sequence[str]) -> int:
    """All figures at their size; 1 on any finding."""
    size = 1 if "--full" in arguments else 10
    found = {
        "flat_market": flat_market(10_000 // size),
        "broken_answers": broken_answers(3_000 // size),
        "long_day": long_day(DAY_TICKS // size, settled_tick=SETTLED_TICK // size),
    }
    print(json.dumps({name: figures.measured for name, figures in found.items()}))
    findings = [f"{name}: {finding}" for name, figures in found.items() for finding in figures.findings]
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
