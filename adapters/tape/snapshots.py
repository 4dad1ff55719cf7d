"""The ticks of a tape as the feed would have delivered them, whole or only what a few tokens stand on."""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter

from adapters.feed import tokens_of
from adapters.tape.columns import Columns, Edition, Grid
from adapters.tape.tape import books_at, markets_at
from domain.fees import FeeSchedule
from domain.market import Market, Moment, Reference, ReferenceId, Snapshot, TokenId

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


class Snapshots:
    """Makes the snapshots of one tape; a payout is looked up once."""

    def __init__(self, columns: Columns) -> None:
        """Of this tape."""
        self._columns = columns
        self._tokens = {token.token: token for token in columns.tokens}
        self._payouts: dict[int, dict[TokenId, Decimal]] = {}
        for payout in columns.payouts:
            self._payouts.setdefault(payout.tick, {})[payout.token] = payout.pays

    def at(self, tick: int, only: Collection[TokenId] | None = None) -> Snapshot:
        """The exact inputs of a tick; with `only`, those of these tokens and of what their markets stand on."""
        columns, grid = self._columns, self._columns.grid
        markets = markets_at(columns, tick)
        wanted: Collection[TokenId] = self._tokens
        keys: Collection[ReferenceId | None] = columns.references
        if only is not None:
            markets = tuple(market for market in markets if market.token in only)
            wanted = dict.fromkeys((*only, *tokens_of(markets)))
            keys = dict.fromkeys(market.reference for market in markets)
        return Snapshot(
            moment=moment_of(grid, tick),
            ready=Moment(at_ms=grid.ready_at_ms.item(tick), elapsed_ms=grid.ready_elapsed_ms.item(tick)),
            markets=markets,
            books=books_at((self._tokens[token] for token in wanted if token in self._tokens), tick),
            references=dict(self._references(tick, keys)),
            payouts=self._payouts.get(tick, {}),
            kill_switch=grid.kill_switch.item(tick),
        )

    def _references(self, tick: int, keys: Collection[ReferenceId | None]) -> Iterator[tuple[ReferenceId, Reference]]:
        for key in keys:
            column = None if key is None else self._columns.references.get(key)
            if key is not None and column is not None and (price := column.price.item(tick)) > 0:
                at_ms, elapsed_ms = column.requested_at_ms.item(tick), column.requested_elapsed_ms.item(tick)
                requested = Moment(at_ms=at_ms, elapsed_ms=elapsed_ms)
                yield key, Reference(price=price, requested=requested, age_s=column.age_s.item(tick))
