"""The ticks of a tape as the feed would have delivered them."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from operator import attrgetter

from adapters.tape.columns import Columns, Edition, Grid, TokenColumns
from domain.market import Market, Moment, Reference, ReferenceId, Snapshot, TokenId

_first = attrgetter("first")


def moment_of(grid: Grid, tick: int) -> Moment:
    """When a tick was."""
    return Moment(at_ms=int(grid.at_ms[tick]), elapsed_ms=int(grid.elapsed_ms[tick]))


def market_at(editions: tuple[Edition, ...], tick: int) -> Market | None:
    """A token's market as it was described at a tick; None where it was not followed."""
    number = bisect_right(editions, tick, key=_first)
    return editions[number - 1].market if number else None


def snapshot(columns: Columns, tick: int) -> Snapshot:
    """The exact inputs of one tick. Who wants many asks one `Snapshots`."""
    return Snapshots(columns).at(tick)


class Snapshots:
    """Makes the snapshots of one tape."""

    def __init__(self, columns: Columns) -> None:
        """Of this tape."""
        self._columns = columns
        self._payouts: dict[int, dict[TokenId, Decimal]] = {}
        for payout in columns.payouts:
            self._payouts.setdefault(payout.tick, {})[payout.token] = payout.pays

    def at(self, tick: int, only: Collection[TokenId] | None = None) -> Snapshot:
        """The exact inputs of a tick; with `only`, those of these tokens and of what their markets stand on."""
        columns, grid = self._columns, self._columns.grid
        tokens: Iterable[TokenColumns] = columns.tokens
        if only is not None:
            tokens = [token for token in tokens if token.token in only]
        markets = tuple(market for token in tokens if (market := market_at(token.editions, tick)) is not None)
        if only is not None:
            legs = {leg.token for market in markets if market.three_way for leg in market.three_way.legs}
            tokens = [token for token in columns.tokens if token.token in only or token.token in legs] if legs else tokens
        wanted = columns.references if only is None else dict.fromkeys(market.reference for market in markets)
        return Snapshot(
            moment=moment_of(grid, tick),
            ready=Moment(at_ms=int(grid.ready_at_ms[tick]), elapsed_ms=int(grid.ready_elapsed_ms[tick])),
            markets=markets,
            books={token.token: book for token in tokens if (book := token.depth.book(tick)) is not None},
            references=dict(self._references(tick, wanted)),
            payouts=self._payouts.get(tick, {}),
            kill_switch=bool(grid.kill_switch[tick]),
        )

    def _references(self, tick: int, wanted: Iterable[ReferenceId | None]) -> Iterator[tuple[ReferenceId, Reference]]:
        for key in wanted:
            column = None if key is None else self._columns.references.get(key)
            if key is None or column is None:
                continue
            price = float(column.price[tick])
            # NaN is the one price that does not equal itself: nothing came.
            if price == price:
                requested = Moment(at_ms=int(column.requested_at_ms[tick]), elapsed_ms=int(column.requested_elapsed_ms[tick]))
                yield key, Reference(price=price, requested=requested, age_s=float(column.age_s[tick]))
