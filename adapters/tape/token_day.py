"""One token's books of one day while a tape is written: best prices tick by tick, levels only when they changed."""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from adapters.tape.manifest import FileEntry
from adapters.tape.schema import TOP, TOP_FILE
from adapters.tape.spool import BookParts, ParquetRows
from domain.market import Level, OrderBook


def micros(value: Decimal) -> int:
    """The value in whole millionths. ValueError when it has finer parts, or more of them than 63 bits hold."""
    whole = int(value.scaleb(6))
    if Decimal(whole).scaleb(-6) != value or whole >= 1 << 63:
        raise ValueError(f"{value} is not a whole number of millionths")
    return whole


@lru_cache(maxsize=32_768)
def level_micros(level: Level) -> tuple[int, int]:
    """Price and size in millionths: most levels of a book were in the book before it."""
    return micros(level.price), micros(level.size)


def _side(levels: Iterable[Level]) -> tuple[list[int], list[int]]:
    pairs = list(map(level_micros, levels))
    return [price for price, _ in pairs], [size for _, size in pairs]


class TokenDay:
    """One token's books of one day."""

    def __init__(self, directory: Path, first_row: int) -> None:
        """Begin its files; `first_row` levels were written on the days before."""
        self._top = ParquetRows(directory / TOP_FILE, TOP)
        self._parts = BookParts(directory, first_row)
        self._same: tuple[object, ...] = ()
        self._row = (0, 0, 0)

    def add(self, tick: int, book: OrderBook) -> None:
        """Take a tick's book. ValueError when it cannot be held exactly; nothing is kept of it then."""
        shown = (book.bids, book.asks, book.digest, book.min_order_size, book.tick_size)
        if shown != self._same:
            self._row = self._shown(book)
            self._same = shown
        bid, ask, row = self._row
        changed_ms = -1 if book.changed_at_ms is None else book.changed_at_ms
        at = book.requested
        self._top.add(tick, bid, ask, at.at_ms, at.elapsed_ms, book.age_s, changed_ms, row)

    def _shown(self, book: OrderBook) -> tuple[int, int, int]:
        bids, asks = _side(book.bids), _side(book.asks)
        step = None if book.tick_size is None else str(book.tick_size)
        levels = len(book.bids) + len(book.asks)
        row = self._parts.add(*bids, *asks, book.digest, str(book.min_order_size), step, levels=levels)
        return bids[0][0] if book.bids else 0, asks[0][0] if book.asks else 0, row

    @property
    def next_row(self) -> int:
        """The number of the next row of levels, over all days."""
        return self._parts.next_row

    def close(self) -> dict[Path, FileEntry]:
        """End its files; what the manifest says of each."""
        self._parts.flush()
        return {self._top.path: self._top.close(), **self._parts.files}
