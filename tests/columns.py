"""Tapes in memory, made of snapshots."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from adapters.tape.columns import (
    MICROS,
    Columns,
    Edition,
    Grid,
    Payout,
    ReferenceColumns,
    TokenColumns,
)
from domain.market import Market, Moment, OrderBook, Reference, Snapshot, TokenId


@dataclass(frozen=True, slots=True)
class KeptBooks:
    """A depth that keeps the books as they are."""

    books: Sequence[OrderBook | None]

    def book(self, tick: int) -> OrderBook | None:
        """The book of a tick."""
        return self.books[tick]


def columns_of(snapshots: Sequence[Snapshot], *, gaps: Collection[int] = ()) -> Columns:
    """The tape of these ticks; before those in `gaps` nothing was recorded."""
    return Columns(
        grid=_grid(snapshots, gaps),
        tokens=tuple(_token(token, snapshots) for token in _tokens(snapshots)),
        references={
            key: _reference([snapshot.references.get(key) for snapshot in snapshots])
            for key in dict.fromkeys(key for snapshot in snapshots for key in snapshot.references)
        },
        payouts=tuple(
            Payout(tick=tick, token=token, pays=pays)
            for tick, snapshot in enumerate(snapshots)
            for token, pays in snapshot.payouts.items()
        ),
    )


def _grid(snapshots: Sequence[Snapshot], gaps: Collection[int]) -> Grid:
    return Grid(
        at_ms=np.array([snapshot.moment.at_ms for snapshot in snapshots], np.int64),
        elapsed_ms=np.array([snapshot.moment.elapsed_ms for snapshot in snapshots], np.int64),
        ready_at_ms=np.array([snapshot.ready.at_ms for snapshot in snapshots], np.int64),
        ready_elapsed_ms=np.array([snapshot.ready.elapsed_ms for snapshot in snapshots], np.int64),
        kill_switch=np.array([snapshot.kill_switch for snapshot in snapshots], np.bool_),
        gap=np.array([tick in gaps for tick in range(len(snapshots))], np.bool_),
    )


def _tokens(snapshots: Iterable[Snapshot]) -> Iterable[TokenId]:
    """Every token that has a market or a book somewhere: the longest map's order first."""
    longest = max(snapshots, key=lambda snapshot: len(snapshot.markets)).markets
    named = [market.token for market in longest]
    named += [market.token for snapshot in snapshots for market in snapshot.markets]
    named += [token for snapshot in snapshots for token in snapshot.books]
    return [token for token in dict.fromkeys(named) if token is not None]


def _token(token: TokenId, snapshots: Sequence[Snapshot]) -> TokenColumns:
    books = [snapshot.books.get(token) for snapshot in snapshots]
    return TokenColumns(
        token=token,
        editions=tuple(_editions(token, snapshots)),
        present=np.array([book is not None for book in books], np.bool_),
        bid=np.array([_micros(book.bid if book else None) for book in books], np.int32),
        ask=np.array([_micros(book.ask if book else None) for book in books], np.int32),
        requested_elapsed_ms=np.array([book.requested.elapsed_ms if book else 0 for book in books], np.int64),
        age_s=np.array([book.age_s if book else 0.0 for book in books]),
        changed_at_ms=np.array([_changed(book) for book in books], np.int64),
        depth=KeptBooks(books),
    )


def _micros(price: Decimal | None) -> int:
    return 0 if price is None else int(price * MICROS)


def _changed(book: OrderBook | None) -> int:
    return -1 if book is None or book.changed_at_ms is None else book.changed_at_ms


def _editions(token: TokenId, snapshots: Sequence[Snapshot]) -> Iterable[Edition]:
    before: Market | None = None
    for tick, snapshot in enumerate(snapshots):
        market = next((market for market in snapshot.markets if market.token == token), None)
        if market != before:
            yield Edition(first=tick, market=market)
        before = market


def _reference(found: Sequence[Reference | None]) -> ReferenceColumns:
    nowhen = Moment(at_ms=0, elapsed_ms=0)
    return ReferenceColumns(
        price=np.array([each.price if each else np.nan for each in found]),
        requested_at_ms=np.array([(each.requested if each else nowhen).at_ms for each in found], np.int64),
        requested_elapsed_ms=np.array([(each.requested if each else nowhen).elapsed_ms for each in found], np.int64),
        age_s=np.array([each.age_s if each else 0.0 for each in found]),
    )
