"""The ticks of a tape as the feed would have delivered them, whole or only what a few tokens stand on."""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter

from adapters.tape.columns import Columns, Edition, Grid, ReferenceColumns, TokenColumns
from domain.fees import FeeSchedule
from domain.market import Market, Moment, Reference, ReferenceId, Snapshot, TokenId, tokens_of

CASTS = 4_096
"""Sets of tokens whose casts are remembered."""

_first = attrgetter("first")


def moment_of(grid: Grid, tick: int) -> Moment:
    """When a tick was."""
    return Moment(at_ms=grid.at_ms.item(tick), elapsed_ms=grid.elapsed_ms.item(tick))


def market_at(editions: tuple[Edition, ...], tick: int) -> Market | None:
    """A token's market as it was described at a tick; None where it was not followed."""
    number = bisect_right(editions, tick, key=_first)
    return editions[number - 1].market if number else None


def with_fees(columns: Columns, fees: FeeSchedule) -> Columns:
    """The tape of the same markets under one other fee schedule."""

    def charged(market: Market) -> Market:
        return replace(market, fees=fees)

    def edition(known: Edition) -> Edition:
        return replace(known, market=charged(known.market) if known.market else None)

    tokens = tuple(replace(token, editions=tuple(map(edition, token.editions))) for token in columns.tokens)
    rosters = tuple(replace(roster, markets=tuple(map(charged, roster.markets))) for roster in columns.rosters)
    return replace(columns, tokens=tokens, rosters=rosters)


def markets_at(columns: Columns, tick: int) -> tuple[Market, ...]:
    """The markets that the snapshot of a tick names, in its order."""
    if columns.rosters:
        number = bisect_right(columns.rosters, tick, key=_first)
        return columns.rosters[number - 1].markets if number else ()
    markets = (market_at(token.editions, tick) for token in columns.tokens)
    return tuple(market for market in markets if market is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part in a snapshot, the same for many ticks."""

    markets: tuple[Market, ...]
    tokens: tuple[TokenColumns, ...]
    references: tuple[tuple[ReferenceId, ReferenceColumns], ...]


class Snapshots:
    """Makes the snapshots of one tape; who takes part and what was paid out is looked up once."""

    def __init__(self, columns: Columns) -> None:
        """Of this tape."""
        self._columns = columns
        self._tokens = {token.token: token for token in columns.tokens}
        self._payouts: dict[int, dict[TokenId, Decimal]] = {}
        for payout in columns.payouts:
            self._payouts.setdefault(payout.tick, {})[payout.token] = payout.pays
        editions = (edition.first for token in columns.tokens for edition in token.editions)
        self._changes = sorted({*editions, *(roster.first for roster in columns.rosters)})
        self._cast = lru_cache(maxsize=CASTS)(self._cast_of)

    def at(self, tick: int, only: Collection[TokenId] | None = None) -> Snapshot:
        """The exact inputs of a tick; with `only`, those of these tokens and of what their markets stand on."""
        grid = self._columns.grid
        cast = self._cast(bisect_right(self._changes, tick), None if only is None else frozenset(only))
        books = {}
        for token in cast.tokens:
            if token.present.item(tick) and (book := token.depth.book(tick)) is not None:
                books[token.token] = book
        return Snapshot(
            moment=moment_of(grid, tick),
            ready=Moment(at_ms=grid.ready_at_ms.item(tick), elapsed_ms=grid.ready_elapsed_ms.item(tick)),
            markets=cast.markets,
            books=books,
            references={key: _reference(column, tick) for key, column in cast.references if column.price.item(tick) > 0},
            payouts=self._payouts.get(tick, {}),
            kill_switch=grid.kill_switch.item(tick),
        )

    def _cast_of(self, changes: int, only: frozenset[TokenId] | None) -> Cast:
        """Who takes part after so many changes of the map."""
        columns = self._columns
        markets = markets_at(columns, self._changes[changes - 1]) if changes else ()
        if only is None:
            return Cast(markets=markets, tokens=tuple(columns.tokens), references=tuple(columns.references.items()))
        mine = tuple(market for market in markets if market.token in only)
        keys = dict.fromkeys(market.reference for market in mine)
        return Cast(
            markets=mine,
            tokens=tuple(self._tokens[token] for token in dict.fromkeys((*only, *tokens_of(mine))) if token in self._tokens),
            references=tuple((key, column) for key, column in columns.references.items() if key in keys),
        )


def _reference(column: ReferenceColumns, tick: int) -> Reference:
    return Reference(
        price=column.price.item(tick),
        requested=Moment(at_ms=column.requested_at_ms.item(tick), elapsed_ms=column.requested_elapsed_ms.item(tick)),
        age_s=column.age_s.item(tick),
    )
