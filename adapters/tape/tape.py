"""A tape: opened as columns of the stretch and the markets that are asked for, and any tick of them as an exact snapshot."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from adapters.feed import tokens_of
from adapters.tape.columns import Columns, ReferenceColumns, Roster, TokenColumns
from adapters.tape.levels import opener
from adapters.tape.manifest import Manifest, TapeInvalid, read_manifest
from adapters.tape.reading import Window, read_grid, read_payouts, read_references, read_rosters, read_token
from domain.market import Market, Moment, OrderBook, Reference, ReferenceId, Snapshot, TokenId


def open_tape(
    path: Path, from_ms: int | None = None, to_ms: int | None = None, markets: Collection[str] | None = None
) -> Columns:
    """The columns of a tape, from `from_ms` to before `to_ms` (UTC ms), of the markets that are called so.

    A market is called by its name, slug, event, condition or token; the legs of its match come along. Raises `TapeInvalid`.
    """
    manifest = read_manifest(path)
    window, grid = read_grid(path, from_ms, to_ms)
    if not len(window):
        raise TapeInvalid(f"{path}: no tick between the times that were asked for")
    rosters = read_rosters(path, window)
    if markets is not None:
        rosters = tuple(_called(roster, frozenset(markets)) for roster in rosters)
        if not any(roster.markets for roster in rosters):
            raise TapeInvalid(f"{path}: no market is called {' or '.join(sorted(markets))}")
    tokens = tuple(_tokens(rosters, manifest, alone=markets is not None))
    days, opened = _days(path, manifest, window), opener()
    return Columns(
        grid=grid,
        tokens=tuple(read_token(token, days, window, rosters, opened) for token in tokens),
        references=read_references(path, manifest, window),
        payouts=read_payouts(path, window, None if markets is None else frozenset(tokens)),
        rosters=rosters,
    )


def _called(roster: Roster, names: frozenset[str]) -> Roster:
    return replace(roster, markets=tuple(market for market in roster.markets if names & _names(market)))


def _names(market: Market) -> set[str]:
    return {market.name, market.slug, market.event, market.condition or "", market.token or ""} - {""}


def _tokens(rosters: Iterable[Roster], manifest: Manifest, *, alone: bool) -> Iterable[TokenId]:
    """The tokens in map order; unless they are wanted `alone`, then those that only had books."""
    followed = dict.fromkeys(token for roster in rosters for token in tokens_of(roster.markets))
    return followed if alone else followed | dict.fromkeys(entry.token for entry in manifest.tokens)


def _days(path: Path, manifest: Manifest, window: Window) -> Sequence[Path]:
    """The directories of the days that lie in the window."""
    ends = [*(day.first for day in manifest.days[1:]), manifest.ticks]
    days = zip(manifest.days, ends, strict=True)
    return [path / day.day for day, end in days if day.first < window.end and end > window.first]


def snapshot(columns: Columns, tick: int) -> Snapshot:
    """What one tick knew, exactly as it was."""
    grid = columns.grid
    first = bisect_left(columns.payouts, tick, key=attrgetter("tick"))
    end = bisect_right(columns.payouts, tick, key=attrgetter("tick"))
    return Snapshot(
        moment=Moment(at_ms=grid.at_ms.item(tick), elapsed_ms=grid.elapsed_ms.item(tick)),
        ready=Moment(at_ms=grid.ready_at_ms.item(tick), elapsed_ms=grid.ready_elapsed_ms.item(tick)),
        markets=markets_at(columns, tick),
        books=books_at(columns.tokens, tick),
        references=references_at(columns, tick),
        payouts={payout.token: payout.pays for payout in columns.payouts[first:end]},
        kill_switch=grid.kill_switch.item(tick),
    )


def markets_at(columns: Columns, tick: int) -> tuple[Market, ...]:
    """The markets that the snapshot of a tick names, in its order."""
    if columns.rosters:
        number = bisect_right(columns.rosters, tick, key=attrgetter("first"))
        return columns.rosters[number - 1].markets if number else ()
    editions = (
        token.editions[number - 1]
        for token in columns.tokens
        if (number := bisect_right(token.editions, tick, key=attrgetter("first")))
    )
    return tuple(edition.market for edition in editions if edition.market is not None)


def books_at(tokens: Iterable[TokenColumns], tick: int) -> dict[TokenId, OrderBook]:
    """The exact books of a tick."""
    books = ((token.token, token.depth.book(tick)) for token in tokens if token.present[tick])
    return {token: book for token, book in books if book is not None}


def references_at(columns: Columns, tick: int) -> dict[ReferenceId, Reference]:
    """The references of a tick."""
    return {key: _reference(reference, tick) for key, reference in columns.references.items() if reference.price.item(tick) > 0}


def _reference(columns: ReferenceColumns, tick: int) -> Reference:
    at_ms, elapsed_ms = columns.requested_at_ms.item(tick), columns.requested_elapsed_ms.item(tick)
    return Reference(
        price=columns.price.item(tick), requested=Moment(at_ms=at_ms, elapsed_ms=elapsed_ms), age_s=columns.age_s.item(tick)
    )
