"""What a replay came to: `report.json`, and every trade as Parquet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.portal.cells import Cell, cell, iso
from adapters.portal.projections import trade_row
from adapters.portal.schema import TradeRow
from adapters.tape.account import Curve, usd
from adapters.tape.columns import MICROS, Columns, Floats, Grid
from domain.ledger import OrderStatus
from domain.market import TokenId
from domain.report import Trade, TradeAction

MARKOUTS_S = (5, 30, 60)
MONEY = pa.decimal128(24, 6)
MONEYS = frozenset({"price", "shares", "notional", "cash_after", "fee", "realized_pnl"})

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A tape, the trades made on it, each with its tick, and the account that they led to."""

    columns: Columns
    trades: Sequence[Trade]
    ticks: Sequence[int]
    curve: Curve


def report_of(outcome: Outcome) -> Document:
    """The numbers of a replay. USDC as decimals, prices in price units, times in seconds; null where nothing can be said."""
    curve, filled = outcome.curve, [trade for trade in outcome.trades if trade.status is OrderStatus.FILLED]
    opening, equity = usd(curve.opening), usd(curve.equity.item(-1))
    trips = _round_trips(filled)
    fees = sum((trade.fee for trade in filled), Decimal(0))
    return {
        "trades": dict(Counter(str(trade.action) for trade in filled)),
        "rejected": len(outcome.trades) - len(filled),
        "start_balance_usd": opening,
        "equity_usd": equity,
        "pnl_usd": equity - opening,
        "realized_pnl_usd": usd(curve.realised.item(-1)),
        "fees_usd": fees,
        "max_drawdown_usd": usd(curve.drawdown),
        "open_positions": curve.open_positions.item(-1),
        "round_trips": len(trips),
        "hit_rate": sum(trip > 0 for trip in trips) / len(trips) if trips else None,
        "markout": {f"{seconds}s": _markout(outcome, seconds) for seconds in MARKOUTS_S},
        "time_in_market_s": _time_in_market_s(outcome),
        "coverage": _coverage(outcome.columns.grid),
        "gaps": _gaps(outcome.columns.grid),
    }


def _round_trips(trades: Sequence[Trade]) -> list[Decimal]:
    """What every position that was closed realised from its entry to its end, fees included."""
    shares: dict[TokenId | None, Decimal] = {}
    realised: dict[TokenId | None, Decimal] = {}
    trips = []
    for trade in trades:
        token = trade.market.token
        moved = trade.shares if trade.action is TradeAction.BUY else -trade.shares
        shares[token] = shares.get(token, Decimal(0)) + moved
        realised[token] = realised.get(token, Decimal(0)) + trade.realised
        if not shares[token]:
            trips.append(realised.pop(token))
    return trips


def _markout(outcome: Outcome, seconds: int) -> Document:
    """How far the mid lies on the trades' side of their price so many seconds later, share-weighted; never over a gap."""
    moved = [
        (trade, tick)
        for trade, tick in zip(outcome.trades, outcome.ticks, strict=True)
        if trade.action is not TradeAction.SETTLE and trade.shares
    ]
    mids = _mids_later(outcome.columns, [(trade.market.token, tick) for trade, tick in moved], seconds)
    found = [
        (mid - float(trade.price) if trade.action is TradeAction.BUY else float(trade.price) - mid, float(trade.shares))
        for (trade, _), mid in zip(moved, mids.tolist(), strict=True)
        if mid > 0
    ]
    shares = sum(weight for _, weight in found)
    return {"trades": len(found), "price": sum(move * weight for move, weight in found) / shares if shares else None}


def _mids_later(columns: Columns, at: Sequence[tuple[TokenId | None, int]], seconds: int) -> Floats:
    """The tokens' mids on the first tick that long after; NaN where there is none, a gap in between, or a side empty."""
    grid, ticks = columns.grid, np.array([tick for _, tick in at], np.int64)
    gaps = np.cumsum(grid.gap)
    later = grid.elapsed_ms.searchsorted(grid.elapsed_ms[ticks] + seconds * 1000)
    reached = later < len(grid)
    later = np.minimum(later, len(grid) - 1)
    reached &= gaps[later] == gaps[ticks]
    mids = np.full(len(at), np.nan)
    for token in columns.tokens:
        mine = np.flatnonzero(reached & np.array([each == token.token for each, _ in at], np.bool_))
        bid, ask = token.bid[later[mine]], token.ask[later[mine]]
        both = token.present[later[mine]] & (bid > 0) & (ask > 0)
        mids[mine] = np.where(both, (bid + ask) / MICROS / 2, np.nan)
    return mids


def _steps_ms(grid: Grid) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """From each tick to the next; 0 where a gap lies between them, and after the last."""
    steps = np.diff(grid.elapsed_ms, append=grid.elapsed_ms[-1:])
    steps[:-1][grid.gap[1:]] = 0
    return steps


def _time_in_market_s(outcome: Outcome) -> float:
    steps = _steps_ms(outcome.columns.grid)
    return int(steps[outcome.curve.open_positions > 0].sum()) / 1000


def _coverage(grid: Grid) -> Document:
    """From when to when, how many ticks, and how much of that time was recorded."""
    span = int(grid.elapsed_ms[-1] - grid.elapsed_ms[0]) / 1000
    covered = int(_steps_ms(grid).sum()) / 1000
    return {
        "from": iso(grid.at_ms.item(0)),
        "to": iso(grid.at_ms.item(-1)),
        "ticks": len(grid),
        "seconds": span,
        "covered_s": covered,
        "share": covered / span if span else 1.0,
    }


def _gaps(grid: Grid) -> list[Document]:
    return [
        {
            "from": iso(grid.at_ms.item(tick - 1)) if tick else None,
            "to": iso(grid.at_ms.item(tick)),
            "seconds": (grid.elapsed_ms.item(tick) - grid.elapsed_ms.item(tick - 1)) / 1000 if tick else None,
        }
        for tick in np.flatnonzero(grid.gap).tolist()
    ]


def write_trades(path: Path, trades: Sequence[Trade]) -> None:
    """Every trade, with the columns of `pm_paper_trades.csv`; numbers as decimals of six places, the time as UTC text."""
    rows = [trade_row(trade) for trade in trades]
    columns = {name: _array(name, [getattr(row, name) for row in rows]) for name in TradeRow._fields}
    pq.write_table(pa.table(columns), path, compression="zstd")


def _array(name: str, values: Sequence[Cell]) -> pa.Array:
    return pa.array(values, MONEY) if name in MONEYS else pa.array([cell(value) for value in values], pa.string())
