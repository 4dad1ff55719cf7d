"""Whole books out of a tape: the one that is asked for, and few others decoded with it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from adapters.tape import TapeInvalid
from adapters.tape.columns import Floats, Ints
from adapters.tape.schema import BATCH_ROWS, BOOKS, LEVELS_PREFIX
from domain.market import Level, Moment, OrderBook, TokenId

OPEN_PARTS = 32
KEPT_BATCHES = 16

Opener = Callable[[Path], pa.RecordBatchFileReader]


def opener() -> Opener:
    """Opens parts and keeps a few of them open: one for all tokens of a tape."""
    return lru_cache(maxsize=OPEN_PARTS)(_opened)


def _opened(path: Path) -> pa.RecordBatchFileReader:
    reader = pa.ipc.open_file(pa.OSFile(str(path)), options=pa.ipc.IpcReadOptions(use_threads=False))
    if reader.schema.names != [column.name for column in BOOKS]:
        raise pa.ArrowInvalid("other columns than a tape's")
    return reader


class Part(NamedTuple):
    """One file of books, and the number of its first row among all rows of its token."""

    first_row: int
    path: Path


def parts_in(directory: Path) -> list[Part]:
    """The parts of one token and day, in their order."""
    return sorted(Part(int(path.stem.removeprefix(LEVELS_PREFIX)), path) for path in directory.glob(f"{LEVELS_PREFIX}*.arrow"))


class Side(NamedTuple):
    """One side of many books: where each one's levels begin, and their prices and sizes in millionths."""

    starts: NDArray[np.int32]
    prices: NDArray[np.int32]
    sizes: Ints

    def levels(self, place: int) -> tuple[Level, ...]:
        """The levels of one book, best first."""
        start, end = self.starts.item(place), self.starts.item(place + 1)
        return tuple(map(level_of, self.prices[start:end].tolist(), self.sizes[start:end].tolist()))


class Batch(NamedTuple):
    """Books that were decoded together. The texts stay pyarrow's until somebody asks for one."""

    bids: Side
    asks: Side
    digests: pa.StringArray
    min_order_sizes: pa.StringArray
    tick_sizes: pa.StringArray


@lru_cache(maxsize=32_768)
def level_of(price_micros: int, size_micros: int) -> Level:
    """A level of so many millionths. Most levels of a book were in the book before it: remembering is twice as fast."""
    return Level(Decimal(price_micros).scaleb(-6), Decimal(size_micros).scaleb(-6))


@lru_cache(maxsize=256)
def _decimal(text: str) -> Decimal:
    return Decimal(text)


class Levels:
    """The books of one token by row, over all its parts."""

    def __init__(self, parts: Sequence[Part], opened: Opener) -> None:
        """Read from these parts, which rise by their first row."""
        self._parts = tuple(parts)
        self._first_rows = [part.first_row for part in parts]
        self._opened = opened
        self._batch = lru_cache(maxsize=KEPT_BATCHES)(self._decoded)

    def at(self, row: int) -> tuple[Batch, int]:
        """The batch that a row is in, and its place there. Raises `TapeInvalid`."""
        number = bisect_right(self._first_rows, row) - 1
        batch, place = divmod(row - self._first_rows[number], BATCH_ROWS)
        return self._batch(number, batch), place

    def _decoded(self, number: int, batch: int) -> Batch:
        path = self._parts[number].path
        try:
            columns = self._opened(path).get_batch(batch).columns
        except (OSError, pa.ArrowException) as error:
            raise TapeInvalid(f"{path}: its books cannot be read ({error})") from error
        return Batch(_side(*columns[0:2]), _side(*columns[2:4]), *columns[4:7])


def _side(prices: pa.ListArray, sizes: pa.ListArray) -> Side:
    return Side(prices.offsets.to_numpy(), prices.values.to_numpy(), sizes.values.to_numpy())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDepth:
    """The books of one token by tick. `row` is -1 where none came; `changed_at_ms` is -1 where the venue did not say."""

    token: TokenId
    levels: Levels
    row: NDArray[np.int32]
    requested_at_ms: Ints
    requested_elapsed_ms: Ints
    age_s: Floats
    changed_at_ms: Ints

    def book(self, tick: int) -> OrderBook | None:
        """The exact book of a tick. Raises `TapeInvalid` when the tape is damaged."""
        row = self.row.item(tick)
        if row < 0:
            return None
        batch, place = self.levels.at(row)
        changed_ms, step = self.changed_at_ms.item(tick), batch.tick_sizes[place].as_py()
        return OrderBook(
            token=self.token,
            bids=batch.bids.levels(place),
            asks=batch.asks.levels(place),
            requested=Moment(at_ms=self.requested_at_ms.item(tick), elapsed_ms=self.requested_elapsed_ms.item(tick)),
            min_order_size=_decimal(batch.min_order_sizes[place].as_py()),
            tick_size=None if step is None else _decimal(step),
            changed_at_ms=None if changed_ms < 0 else changed_ms,
            digest=batch.digests[place].as_py(),
            age_s=self.age_s.item(tick),
        )
