"""What a replay costs: the benchmark kit's data through this project's own rules, broker and ledger.

Run by `python -m tests.benchmarks.replay --data DIRECTORY` with a directory that the kit's `gen.py` has written; the last line
is JSON with `ticks_per_s`, `run_cpu_s`, `trades`, and the hashes `thash` and `shash` by which results are compared.
"""

import argparse
import hashlib
import json
import os
import resource
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from adapters.tape.columns import Columns, Edition, Grid, ReferenceColumns, TokenColumns
from adapters.tape.kept_books import KeptBook, KeptLevels
from adapters.tape.screen import Screen
from adapters.tape.turns import EveryTick, Turns
from domain.fees import FREE
from domain.ledger import Ledger
from domain.market import Level, Market, Moment, OrderBook, ReferenceId, TokenId
from domain.report import Trade, TradeAction
from entrypoints.replaying import Replay, replayed
from entrypoints.rules import rules_of
from entrypoints.settings import read_settings

SETTINGS = {
    "INTERVAL_S": "2",
    "PM_FEES": "none",
    "LEAD_LAG_ENABLE_ORDERBOOK_SIZING": "0",
    "PM_ORDER_SIZE_SHARES": "500",
    "LEAD_LAG_SLIPPAGE_CAP": "1",
    "PAPER_START_BALANCE_USD": "1000000",
    "PM_MAX_ORDERS_PER_TICK": "1000",
    "LEAD_LAG_LOOKBACK_POINTS": "6",
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.25",
    "LEAD_LAG_EDGE_MIN_PCT": "0.20",
    "LEAD_LAG_EDGE_EXIT_PCT": "0.05",
    "LEAD_LAG_MAX_HOLD_SECS": "182",
}
"""The kit's work: no fees, 500 shares, no other gate; it leaves after more than 180 s on a grid of 2 s."""

SPOT = ReferenceId("kraken_spot", "XBTUSD")
HUNDREDTHS = 10_000
"""Millionths in a hundredth: the kit's prices and sizes are whole hundredths."""

ROWS_AT_ONCE = 32

Prices = NDArray[np.int16]
PRICE = [Decimal(hundredths) / 100 for hundredths in range(101)]


class Rows:
    """The rows of one of the kit's arrays, read from the file some at a time: a map of it would count as our memory."""

    def __init__(self, path: Path) -> None:
        levels = np.load(path, mmap_mode="r")
        self._row = Struct(f"<{levels.shape[1]}{levels.dtype.char}")
        self._offset = levels.offset
        self._file = os.open(path, os.O_RDONLY)
        self._block, self._rows = -1, b""

    def at(self, tick: int) -> tuple[int, ...]:
        """A tick's row."""
        block, place = divmod(tick, ROWS_AT_ONCE)
        if block != self._block:
            size = self._row.size * ROWS_AT_ONCE
            self._block, self._rows = block, os.pread(self._file, size, self._offset + block * size)
        return self._row.unpack_from(self._rows, place * self._row.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class KitDepth:
    """The kit's levels: twenty a side, best first."""

    token: TokenId
    grid: Grid
    bid_px: Rows
    bid_sz: Rows
    ask_px: Rows
    ask_sz: Rows

    def book(self, tick: int) -> OrderBook | None:
        """The exact book of a tick."""
        return KeptBook(
            token=self.token,
            bids=_levels(self.bid_px.at(tick), self.bid_sz.at(tick)),
            asks=_levels(self.ask_px.at(tick), self.ask_sz.at(tick)),
            requested=Moment(at_ms=self.grid.at_ms.item(tick), elapsed_ms=self.grid.elapsed_ms.item(tick)),
        )


def _levels(prices: tuple[int, ...], sizes: tuple[int, ...]) -> KeptLevels:
    def level(place: int) -> Level:
        return Level(PRICE[prices[place]], Decimal(sizes[place]).scaleb(-2))

    return KeptLevels(len(prices), level)


def kit_columns(directory: Path, ticks: int | None = None) -> Columns:
    """The columns of a directory that `gen.py` has written; its markets are Yes tokens that gain with the spot price."""
    at_ms = np.load(directory / "ts.npy", mmap_mode="r")[:ticks] // 1_000_000
    elapsed_ms = at_ms - at_ms[0]
    never = np.zeros(len(at_ms), np.bool_)
    grid = Grid(
        at_ms=at_ms, elapsed_ms=elapsed_ms, ready_at_ms=at_ms, ready_elapsed_ms=elapsed_ms, kill_switch=never, gap=never
    )
    spot = ReferenceColumns(
        price=np.load(directory / "spot.npy")[:ticks],
        requested_at_ms=at_ms,
        requested_elapsed_ms=elapsed_ms,
        age_s=np.zeros(len(at_ms)),
    )
    folders = sorted(directory.glob("k*"))
    return Columns(grid=grid, tokens=tuple(_token(folder, grid, ticks) for folder in folders), references={SPOT: spot})


def _token(folder: Path, grid: Grid, ticks: int | None) -> TokenColumns:
    names = ("bid_px", "bid_sz", "ask_px", "ask_sz")
    rows = {name: Rows(folder / f"{name}.npy") for name in names}
    token = TokenId(folder.name)
    market = Market(name=folder.name, ref=folder.name, token=token, outcome="Yes", reference=SPOT, fees=FREE)
    count = len(grid)
    return TokenColumns(
        token=token,
        editions=(Edition(first=0, market=market),),
        present=np.ones(count, np.bool_),
        bid=_best(folder / "bid_px.npy", ticks),
        ask=_best(folder / "ask_px.npy", ticks),
        requested_elapsed_ms=grid.elapsed_ms,
        age_s=np.zeros(count),
        changed_at_ms=np.full(count, -1, np.int64),
        depth=KitDepth(token=token, grid=grid, **rows),
    )


def _best(path: Path, ticks: int | None) -> NDArray[np.int32]:
    """The best prices in millionths, through a map of its own: its pages are let go of at once."""
    levels: Prices = np.load(path, mmap_mode="r")[:ticks]
    return levels[:, 0].astype(np.int32) * HUNDREDTHS


def kit_rows(columns: Columns, trades: list[Trade]) -> NDArray[np.int64]:
    """The kit's rows: market, tick, side, shares in hundredths, notional in ten-thousandths of a dollar."""
    number = {token.token: index for index, token in enumerate(columns.tokens)}
    first, step = int(columns.grid.at_ms[0]), int(columns.grid.at_ms[1] - columns.grid.at_ms[0])
    rows = [
        (
            number[trade.market.token],
            (trade.moment.at_ms - first) // step,
            1 if trade.action is TradeAction.BUY else -1,
            int(trade.shares * 100),
            int(trade.notional * 10_000),
        )
        for trade in trades
        if trade.market.token is not None
    ]
    # The engine leaves before it enters; the kit goes through its markets in order.
    return np.array(sorted(rows, key=lambda row: (row[1], row[0])), np.int64).reshape(-1, 5)


def _hash(rows: NDArray[np.int64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()[:16]


def main() -> None:
    """Run the benchmark and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n", type=int, help="only the first so many ticks")
    parser.add_argument("--unscreened", action="store_true", help="decide every tick")
    asked = parser.parse_args()
    settings = read_settings(SETTINGS)
    cold = time.process_time()
    columns = kit_columns(asked.data, asked.n)
    opening, nowhere = Ledger.opened_with(settings.start_balance_usd), len(columns.grid)
    wish = Replay(columns=columns, rules=rules_of(settings), opening=opening, shown_from=nowhere)
    started, wall = time.process_time(), time.perf_counter()
    turns: Turns = EveryTick(columns) if asked.unscreened else Screen(columns, wish.rules)
    store = replayed(wish, turns)
    cpu = time.process_time() - started
    events = len(columns.grid) * len(columns.tokens)
    rows = kit_rows(columns, store.trades)
    line = {
        "bench": "replay",
        "peer": "spelar unscreened" if asked.unscreened else "spelar",
        "events": events,
        "load_cpu_s": round(started - cold, 3),
        "run_cpu_s": round(cpu, 3),
        "run_wall_s": round(time.perf_counter() - wall, 3),
        "cold_cpu_s": round(time.process_time(), 3),
        "ticks_per_s": round(events / cpu),
        "trades": len(rows),
        "thash": _hash(rows),
        "shash": _hash(rows[:, :3]),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "data": asked.data.name,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
