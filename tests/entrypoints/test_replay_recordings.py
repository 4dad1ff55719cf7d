"""Replays of real recordings: every number of their reports, computed a second time from the trades and the sources' rows.

Money must agree to the last millionth; ratios and prices to the eight decimals that the report has.
"""

import csv
import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from entrypoints.compile import Compile, compiled
from entrypoints.replay import Asked, replay
from entrypoints.settings import read_settings
from tests.entrypoints.source_rows import READERS, Row, Rows, Tick
from tests.entrypoints.test_compile import real

FAST_MARKETS = {
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.02",
    "LEAD_LAG_EDGE_MIN_PCT": "0.02",
    "LEAD_LAG_EDGE_EXIT_PCT": "-10",
}
TREND = {"STRATEGY_MODE": "pm_trend", "PM_TREND_MOVE_MIN_PCT": "2"}
CASES = (
    ("cronosvirus_btc5m_2026-04-16/full_btc-updown-5m-1776329100.jsonl.gz", "2", TREND),
    pytest.param("cronosvirus_btc5m_2026-04-16/full_btc-updown-5m-1776326400.jsonl.gz", "1", TREND, marks=pytest.mark.slow),
    pytest.param("frames_btc5m_l2_2026-04-16.jsonl.gz", "1", TREND, marks=pytest.mark.slow),
    pytest.param("frames_btc5m_2026-03-02.jsonl.gz", "2.5", FAST_MARKETS, marks=pytest.mark.slow),
    pytest.param("leafuryk_btc5m_2026-03-02", "2.5", FAST_MARKETS, marks=pytest.mark.slow),
    pytest.param("resolvedkit_btc15m_2026-09-28", "15", TREND, marks=pytest.mark.slow),
)
FULL_HALF = Decimal("0.5")
RATIO = 6e-9
"""Half of the report's last decimal, and a little for floats."""


@dataclass(frozen=True, slots=True)
class Fill:
    """A line of all trades, with the number of its tick."""

    tick: int
    market: str
    action: str
    shares: Decimal
    notional: Decimal
    fee: Decimal
    realised: Decimal
    cash_after: Decimal

    @property
    def moved(self) -> Decimal:
        """Shares that came, or went."""
        return self.shares if self.action == "BUY" else -self.shares

    @property
    def cash(self) -> Decimal:
        """USDC that came, or went."""
        return (-self.notional if self.action == "BUY" else self.notional) - self.fee


class Second:
    """The second opinion."""

    def __init__(self, rows: Rows, ticks: list[Tick], fills: list[Fill], opening: Decimal) -> None:
        self.rows, self.ticks, self.fills, self.opening = rows, ticks, fills, opening
        self.stretch = list(self._stretches())

    def _stretches(self) -> Iterator[int]:
        """Of each tick, the number of gaps before it."""
        gaps = 0
        for tick in self.ticks:
            gaps += tick.gap
            yield gaps

    def walked(self, fill: Fill) -> Decimal:
        """What the shares cost, or bring, level by level, in the book that the source has at the tick."""
        book = self.rows.book(fill.market, self.ticks[fill.tick].t_ms)
        assert book is not None
        left, notional = fill.shares, Decimal(0)
        for price, size in book.asks if fill.action == "BUY" else book.bids:
            taken = min(left, size)
            left, notional = left - taken, notional + taken * price
        assert left == 0
        return notional

    def equities(self) -> Iterator[tuple[Decimal, int]]:
        """After each tick: cash and positions at the newest best bid that can be believed, and how many there are."""
        cash, held, bids = self.opening, defaultdict[str, Decimal](Decimal), {}
        by_tick = defaultdict(list)
        for fill in self.fills:
            by_tick[fill.tick].append(fill)
        names = dict.fromkeys(fill.market for fill in self.fills)
        for number, tick in enumerate(self.ticks):
            for fill in by_tick[number]:
                cash += fill.cash
                held[fill.market] += fill.moved
                assert fill.cash_after == cash
            for name in names:
                book = self.rows.book(name, tick.t_ms)
                if book and _believed(book):
                    bids[name] = book.bids[0][0]
            value = sum((shares * bids[name] for name, shares in held.items() if shares), Decimal(0))
            yield cash + value, sum(shares > 0 for shares in held.values())

    def time_in_market_s(self, open_positions: list[int]) -> float:
        """Time between ticks without a gap, of those after which something was held."""
        spans = zip(self.ticks, self.ticks[1:], open_positions, strict=False)
        return sum(after.t_ms - before.t_ms for before, after, count in spans if count and not after.gap) / 1000

    def trips(self) -> list[Decimal]:
        """What each position realised from its first share to its last."""
        held, realised, done = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal), []
        for fill in self.fills:
            held[fill.market] += fill.moved
            realised[fill.market] += fill.realised
            if fill.action == "SETTLE" or not held[fill.market]:
                held[fill.market] = Decimal(0)
                done.append(realised.pop(fill.market))
        return done

    def markout(self, seconds: int) -> tuple[int, float | None]:
        """How many fills have a mid so much later, and how far on their side it lies, weighted by shares."""
        times = [tick.t_ms for tick in self.ticks]
        count, weight, moved = 0, Decimal(0), Decimal(0)
        for fill in self.fills:
            later = bisect_left(times, times[fill.tick] + seconds * 1000)
            if fill.action == "SETTLE" or later == len(times) or self.stretch[later] != self.stretch[fill.tick]:
                continue
            book = self.rows.book(fill.market, times[later])
            if book and book.bids and book.asks:
                move = (book.bids[0][0] + book.asks[0][0]) / 2 - fill.notional / fill.shares
                count, weight = count + 1, weight + fill.shares
                moved += fill.shares * (move if fill.action == "BUY" else -move)
        return count, float(moved / weight) if weight else None


def _believed(book: Row) -> bool:
    """A bid, below the ask, and not half of everything below it."""
    return bool(book.bids) and (not book.asks or Decimal(0) < book.asks[0][0] - book.bids[0][0] < FULL_HALF)


def _fills(path: Path, ticks: list[Tick]) -> list[Fill]:
    """All trades of a replay."""
    numbers = {tick.t_ms: number for number, tick in enumerate(ticks)}
    return [
        Fill(
            tick=numbers[round(datetime.fromisoformat(row["ts"]).timestamp() * 1000)],
            market=row["market"],
            action=row["action"],
            shares=row["shares"],
            notional=row["notional"],
            fee=row["fee"],
            realised=row["realized_pnl"],
            cash_after=row["cash_after"],
        )
        for row in pq.read_table(path).to_pylist()
        if row["status"] == "filled"
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "interval_s", "changes"), CASES)
def test_a_second_calculation_confirms_the_report(
    tmp_path: Path, name: str, interval_s: str, changes: Mapping[str, str]
) -> None:
    """PnL, fees, drawdown, hit rate, markouts, time in market, coverage and gaps; fills are those of the rows' own levels."""
    environment = {"INTERVAL_S": interval_s, **changes}
    order = Compile(sources=[real(name)], tape=tmp_path / "tape", settings=read_settings(environment))
    compiled(order, Console(quiet=True))
    replay(Asked(tape=tmp_path / "tape", out_dir=tmp_path / "out", environment=environment, console=Console(quiet=True)))
    report = json.loads((tmp_path / "out/report.json").read_bytes(), parse_float=Decimal)
    rows = READERS[name](real(name))
    ticks = rows.ticks(round(float(interval_s) * 1000))
    second = Second(rows, ticks, _fills(tmp_path / "out/trades.parquet", ticks), Decimal(report["start_balance_usd"]))

    equities, open_positions = zip(*second.equities(), strict=True)
    peak = second.opening
    falls = [(peak := max(peak, equity)) - equity for equity in equities]
    trips = second.trips()
    assert len(trips) >= 3
    assert report["trades"] == Counter(fill.action for fill in second.fills)
    assert report["equity_usd"] == equities[-1]
    assert report["pnl_usd"] == equities[-1] - second.opening
    assert report["realized_pnl_usd"] == sum(fill.realised for fill in second.fills)
    assert report["fees_usd"] == sum(fill.fee for fill in second.fills)
    assert report["max_drawdown_usd"] == max(falls)
    assert report["open_positions"] == open_positions[-1]
    assert report["round_trips"] == len(trips)
    assert float(report["hit_rate"]) == pytest.approx(sum(trip > 0 for trip in trips) / len(trips), abs=RATIO)
    assert float(report["time_in_market_s"]) == second.time_in_market_s(list(open_positions))
    for seconds in (5, 30, 60):
        count, price = second.markout(seconds)
        assert report["markout"][f"{seconds}s"]["trades"] == count
        assert float(report["markout"][f"{seconds}s"]["price"]) == pytest.approx(price, abs=RATIO)
    assert report["coverage"]["ticks"] == len(ticks)
    assert len(report["gaps"]) == sum(tick.gap for tick in ticks)
    for fill in second.fills:
        if fill.action != "SETTLE":
            assert fill.notional == second.walked(fill)
    with (tmp_path / "out/pm_paper_equity.csv").open(encoding="utf-8") as file:
        assert [Decimal(point["equity_usd"]) for point in csv.DictReader(file)] == list(equities)
