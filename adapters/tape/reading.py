"""The files of a tape as arrays with one element a tick, for the stretch that is asked for and no more."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from numpy.typing import NDArray
from pydantic import ValidationError

from adapters.tape import TapeInvalid
from adapters.tape.columns import Edition, Grid, Payout, ReferenceColumns, Roster, TokenColumns
from adapters.tape.levels import Levels, Opener, StoredDepth, parts_in
from adapters.tape.manifest import Manifest
from adapters.tape.schema import (
    GRID,
    GRID_FILE,
    MARKETS_FILE,
    PAYOUTS,
    PAYOUTS_FILE,
    REFERENCES,
    REFERENCES_FILE,
    TOP,
    TOP_FILE,
    Column,
    arrow_schema,
)
from adapters.tape.writing import MarketsFile
from domain.market import ReferenceId, TokenId

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The ticks of a tape from `first` to before `end`."""

    first: int
    end: int

    def __len__(self) -> int:
        """How many ticks."""
        return max(0, self.end - self.first)


def read_table(path: Path, columns: tuple[Column, ...]) -> pa.Table:
    """A Parquet file with these columns. Raises `TapeInvalid`."""
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        table = pa.parquet.ParquetFile(path).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise TapeInvalid(f"{path}: cannot be read ({error})") from error
    if table.schema.names != [column.name for column in columns]:
        raise TapeInvalid(f"{path}: has other columns than a tape's")
    return table


def give_back() -> None:
    """Hand freed memory back to the system: of a long tape it would be as much again as its columns."""
    pa.default_memory_pool().release_unused()


class Taken:
    """A table whose columns are taken out one by one, each forgotten when it is copied."""

    def __init__(self, table: pa.Table) -> None:
        """All columns are there."""
        self._columns = dict(zip(table.schema.names, table.columns, strict=True))

    def take(self, name: str) -> NDArray[Any]:
        """One column's values."""
        values: NDArray[Any] = self._columns.pop(name).to_numpy()
        return values


def read_grid(path: Path, from_ms: int | None, to_ms: int | None) -> tuple[Window, Grid]:
    """The grid from `from_ms` to before `to_ms` (UTC ms), and where it lies in the tape. A wall clock may have stepped back."""
    table = read_table(path / GRID_FILE, GRID)
    at_ms = table["at_ms"].to_numpy()
    inside = np.ones(len(at_ms), dtype=np.bool_)
    if from_ms is not None:
        inside &= at_ms >= from_ms
    if to_ms is not None:
        inside &= at_ms < to_ms
    kept = np.flatnonzero(inside)
    window = Window(first=int(kept[0]), end=int(kept[-1]) + 1) if len(kept) else Window(first=0, end=0)
    stretch = Taken(table.slice(window.first, len(window)))
    del table
    return window, Grid(**{column.name: stretch.take(column.name) for column in GRID})


def read_rosters(path: Path, window: Window) -> tuple[Roster, ...]:
    """What was followed, from the first tick of the window on. Raises `TapeInvalid`."""
    try:
        file = MarketsFile.model_validate_json((path / MARKETS_FILE).read_bytes())
        rosters = [Roster(first=first, markets=tuple(file.markets[n] for n in numbers)) for first, numbers in file.rosters]
    except (OSError, ValidationError, IndexError) as error:
        raise TapeInvalid(f"{path / MARKETS_FILE}: cannot be read ({type(error).__name__})") from error
    before = [roster for roster in rosters if roster.first <= window.first]
    within = [roster for roster in rosters if window.first < roster.first < window.end]
    return tuple(replace(roster, first=max(0, roster.first - window.first)) for roster in (*before[-1:], *within))


def editions_of(token: TokenId, rosters: Iterable[Roster]) -> tuple[Edition, ...]:
    """How one token was followed."""
    editions: list[Edition] = []
    for roster in rosters:
        market = next((market for market in roster.markets if market.token == token), None)
        if market != (editions[-1].market if editions else None):
            editions.append(Edition(first=roster.first, market=market))
    return tuple(editions)


def read_references(path: Path, manifest: Manifest, window: Window) -> Mapping[ReferenceId, ReferenceColumns]:
    """Every reference of the tape over the ticks of the window."""
    table = read_table(path / REFERENCES_FILE, REFERENCES)
    table = table.slice(*_span(_within(table["tick"].to_numpy(), window)))
    number = table["reference"]
    found = {key: _reference(table.filter(pc.equal(number, each)), window) for each, key in enumerate(manifest.references)}
    del table
    give_back()
    return found


def _reference(table: pa.Table, window: Window) -> ReferenceColumns:
    rows = Taken(table)
    ticks = rows.take("tick") - window.first

    def column(name: str, empty: float) -> NDArray[Any]:
        return spread(ticks, rows.take(name), len(window), empty)

    return ReferenceColumns(
        price=column("price", np.nan),
        requested_at_ms=column("requested_at_ms", 0),
        requested_elapsed_ms=column("requested_elapsed_ms", 0),
        age_s=column("age_s", 0.0),
    )


def spread(ticks: NDArray[np.int32], values: NDArray[S], size: int, empty: float) -> NDArray[S]:
    """The values at their ticks, `empty` at all others."""
    if len(ticks) == size:
        return values
    dense = np.full(size, empty, dtype=values.dtype)
    dense[ticks] = values
    return dense


def _within(ticks: NDArray[np.int32], window: Window) -> slice:
    """The rows of the window; ticks rise."""
    first, end = np.searchsorted(ticks, (window.first, window.end))
    return slice(int(first), int(end))


def read_payouts(path: Path, window: Window, tokens: Collection[TokenId] | None) -> tuple[Payout, ...]:
    """What these tokens paid (None: all that anything is known of), in the order of time."""
    table = read_table(path / PAYOUTS_FILE, PAYOUTS)
    rows = table.slice(*_span(_within(table["tick"].to_numpy(), window))).to_pylist()
    return tuple(
        Payout(tick=row["tick"] - window.first, token=TokenId(row["token"]), pays=Decimal(row["pays"]))
        for row in rows
        if tokens is None or row["token"] in tokens
    )


def _span(rows: slice) -> tuple[int, int]:
    """Offset and length, as pyarrow wants them."""
    return rows.start, rows.stop - rows.start


def read_token(token: TokenId, days: Iterable[Path], window: Window, rosters: Iterable[Roster], opened: Opener) -> TokenColumns:
    """One token's columns, out of the directories that it has on the days of the window."""
    directories = [day / token for day in days if (day / token).is_dir()]
    tables = [read_table(directory / TOP_FILE, TOP) for directory in directories]
    table = pa.concat_tables(tables) if tables else arrow_schema(TOP).empty_table()
    rows = Taken(table.slice(*_span(_within(table["tick"].to_numpy(), window))))
    del table, tables
    ticks = rows.take("tick") - window.first

    def column(name: str, empty: float) -> NDArray[Any]:
        return spread(ticks, rows.take(name), len(window), empty)

    row = column("level_row", -1)
    bid, ask = column("bid", 0), column("ask", 0)
    depth = StoredDepth(
        token=token,
        levels=Levels([part for directory in directories for part in parts_in(directory)], opened),
        row=row,
        requested_at_ms=column("requested_at_ms", 0),
        requested_elapsed_ms=column("requested_elapsed_ms", 0),
        age_s=column("age_s", 0.0),
        changed_at_ms=column("changed_at_ms", -1),
    )
    give_back()
    return TokenColumns(
        token=token,
        editions=editions_of(token, rosters),
        present=row >= 0,
        bid=bid,
        ask=ask,
        requested_elapsed_ms=depth.requested_elapsed_ms,
        age_s=depth.age_s,
        changed_at_ms=depth.changed_at_ms,
        depth=depth,
    )
