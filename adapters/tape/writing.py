"""Writing a tape: snapshots go in one after the other, columns come out, whatever the length of the days.

Everything is written beside the tape's place and moved there when it is whole: half a tape is never opened.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.tape import TapeInvalid
from adapters.tape.manifest import Day, FileEntry, GapEntry, Manifest, Stretch, TokenEntry, file_entry
from adapters.tape.schema import (
    GRID,
    GRID_FILE,
    MARKETS_FILE,
    PAYOUTS,
    PAYOUTS_FILE,
    REFERENCES,
    REFERENCES_FILE,
)
from adapters.tape.spool import ParquetRows
from adapters.tape.token_day import TokenDay
from domain.fees import FeeSchedule, Rate
from domain.market import DAY_MS, Market, OrderBook, ReferenceId, Snapshot, TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Recording was off between two snapshots: from and until these times (UTC ms), and why."""

    from_ms: int
    until_ms: int
    why: str


class MarketsFile(BaseModel):
    """`markets.json`: every market as it was described, and from which tick on which of them made the snapshots' markets."""

    model_config = ConfigDict(frozen=True)

    markets: tuple[Market, ...]
    rosters: tuple[tuple[int, tuple[int, ...]], ...]


def write_tape(
    path: Path,
    items: Iterable[Snapshot | Gap],
    *,
    sources: Iterable[str] = (),
    warnings: Iterable[str] = (),
    version: str = "",
) -> Manifest:
    """Write a tape of these snapshots, in this order; `warnings` is read at the end. Raises `TapeInvalid`.

    A book with a price or a size finer than a millionth is left out and counted: the venue's steps are coarser by far.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise TapeInvalid(f"{path} is there already: remove it, or name another place")
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        tape = _Tape(partial)
        for item in items:
            tape.add(item)
        manifest = tape.finished(sources=tuple(sources), warnings=tuple(warnings), version=version)
        partial.replace(path)
    except OSError as error:
        raise TapeInvalid(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


@dataclass(slots=True)
class _Told:
    """What the manifest says of a token; the dictionaries are sets in the order of time. `rows` of levels are written."""

    market: Market | None = None
    fees: dict[str, None] = field(default_factory=dict)
    tick_sizes: dict[str, None] = field(default_factory=dict)
    min_order_sizes: dict[str, None] = field(default_factory=dict)
    books: int = 0
    left_out: int = 0
    rows: int = 0

    def entry(self, token: TokenId) -> TokenEntry:
        market = self.market
        return TokenEntry(
            token=token,
            market=market.name if market else "",
            slug=market.slug if market else "",
            outcome=market.outcome if market else "",
            fees=tuple(self.fees),
            tick_sizes=tuple(self.tick_sizes),
            min_order_sizes=tuple(self.min_order_sizes),
            books=self.books,
            left_out=self.left_out,
        )


class _Tape:
    """The files while they grow."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._grid = ParquetRows(directory / GRID_FILE, GRID)
        self._references = ParquetRows(directory / REFERENCES_FILE, REFERENCES)
        self._payouts = ParquetRows(directory / PAYOUTS_FILE, PAYOUTS)
        self._open: dict[TokenId, TokenDay] = {}
        self._files: dict[Path, FileEntry] = {}
        self._days: list[Day] = []
        self._day, self._day_first = -1, 0
        self._tick = 0
        self._known: dict[ReferenceId, int] = {}
        self._markets: dict[Market, int] = {}
        self._rosters: list[tuple[int, tuple[int, ...]]] = []
        self._roster: tuple[Market, ...] | None = None
        self._told: dict[TokenId, _Told] = {}
        self._stretches: list[Stretch] = []
        self._stretch, self._last_ms = (0, 0), 0
        self._gaps: list[GapEntry] = []
        self._gap: Gap | None = None

    def add(self, item: Snapshot | Gap) -> None:
        """Take the next tick, or note that recording was off before it."""
        if isinstance(item, Gap):
            first = self._gap or item
            self._gap = Gap(from_ms=first.from_ms, until_ms=item.until_ms, why=first.why)
            return
        self._turn_day(item)
        self._note_markets(item.markets)
        self._add_tick(item)
        for token, book in item.books.items():
            self._add_book(token, book)
        for key, reference in item.references.items():
            number = self._known.setdefault(key, len(self._known))
            at = reference.requested
            self._references.add(self._tick, number, reference.price, at.at_ms, at.elapsed_ms, reference.age_s)
        for token, pays in item.payouts.items():
            self._payouts.add(self._tick, token, str(pays))
        self._tick += 1

    def _add_tick(self, item: Snapshot) -> None:
        at, ready = item.moment, item.ready
        gap, self._gap = self._gap, None
        if gap is not None:
            self._gaps.append(GapEntry(first=self._tick, from_ms=gap.from_ms, until_ms=gap.until_ms, why=gap.why))
        self._grid.add(at.at_ms, at.elapsed_ms, ready.at_ms, ready.elapsed_ms, item.kill_switch, gap is not None)
        if gap is not None or not self._tick:
            self._end_stretch()
            self._stretch = (self._tick, at.at_ms)
        self._last_ms = at.at_ms

    def _end_stretch(self) -> None:
        first, from_ms = self._stretch
        if self._tick > first:
            ticks = self._tick - first
            self._stretches.append(Stretch(first=first, ticks=ticks, from_ms=from_ms, until_ms=self._last_ms))

    def _turn_day(self, item: Snapshot) -> None:
        """Finish the files of a day that is over; a clock that steps back over midnight stays in the later day."""
        day = item.moment.day
        if day > self._day:
            self._close_day()
            self._day, self._day_first = day, self._tick

    def _close_day(self) -> None:
        for token, series in self._open.items():
            self._files |= series.close()
            self._told[token].rows = series.next_row
        if self._day >= 0:
            self._days.append(Day(day=_day_name(self._day), first=self._day_first, tokens=tuple(self._open)))
        self._open = {}

    def _note_markets(self, markets: tuple[Market, ...]) -> None:
        if markets == self._roster:
            return
        self._roster = markets
        numbers = tuple(self._markets.setdefault(market, len(self._markets)) for market in markets)
        self._rosters.append((self._tick, numbers))
        for market in markets:
            if market.token is not None:
                told = self._told.setdefault(market.token, _Told())
                told.market = market
                told.fees[fee_text(market.fees)] = None

    def _add_book(self, token: TokenId, book: OrderBook) -> None:
        if not _is_directory_name(token):
            raise TapeInvalid(f"{token!r} is no token id")
        told = self._told.setdefault(token, _Told())
        series = self._open.get(token)
        if series is None:
            series = self._open[token] = TokenDay(self._directory / _day_name(self._day) / token, told.rows)
        try:
            series.add(self._tick, book)
        except ValueError:
            told.left_out += 1
            return
        told.books += 1
        told.min_order_sizes[str(book.min_order_size)] = None
        if book.tick_size is not None:
            told.tick_sizes[str(book.tick_size)] = None

    def finished(self, *, sources: tuple[str, ...], warnings: tuple[str, ...], version: str) -> Manifest:
        """Finish all files, the manifest last."""
        if not self._tick:
            raise TapeInvalid("there is not one tick to write" + "".join(f"; {warning}" for warning in warnings))
        self._close_day()
        self._end_stretch()
        for rows in (self._grid, self._references, self._payouts):
            self._files[rows.path] = rows.close()
        markets = MarketsFile(markets=tuple(self._markets), rosters=tuple(self._rosters))
        (self._directory / MARKETS_FILE).write_text(markets.model_dump_json(), encoding="utf-8")
        self._files[self._directory / MARKETS_FILE] = file_entry(self._directory / MARKETS_FILE, len(self._markets))
        manifest = Manifest(
            version=version,
            sources=sources,
            warnings=warnings,
            ticks=self._tick,
            coverage=tuple(self._stretches),
            gaps=tuple(self._gaps),
            tokens=tuple(told.entry(token) for token, told in self._told.items()),
            references=tuple(self._known),
            days=tuple(self._days),
            files={path.relative_to(self._directory).as_posix(): entry for path, entry in self._files.items()},
        )
        manifest.write(self._directory)
        return manifest


def _day_name(day: int) -> str:
    """The date of a day since the epoch: `2026-03-02`."""
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC).strftime("%Y-%m-%d")


def _is_directory_name(token: str) -> bool:
    return token.isascii() and token.isalnum() and len(token) <= 100


def fee_text(fees: FeeSchedule) -> str:
    """A schedule for people: `0.07 exponent 1, assumed`."""
    return f"{Rate(fees.rate, fees.exponent)}{' of notional' if fees.of_notional else ''}{', assumed' if fees.assumed else ''}"
