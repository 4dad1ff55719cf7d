"""Walking a book: what an order takes, level by level, and what it costs. The same walk previews, plans and fills."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import NamedTuple

from domain.fees import FeeSchedule
from domain.market import Level, Market, OrderBook, Side, TokenId

MICRO = Decimal("0.000001")
"""The venue's and the ledger's smallest unit, of shares and of USDC alike."""

SHARE_STEP = Decimal("0.01")
"""Order sizes are multiples of this."""


def whole_micros(amount: Decimal) -> Decimal:
    """An amount rounded, half to even, to whole micro-units."""
    return amount.quantize(MICRO, rounding=ROUND_HALF_EVEN)


def whole_steps(shares: Decimal) -> Decimal:
    """A size cut down to a multiple of 0.01 share."""
    return shares.quantize(SHARE_STEP, rounding=ROUND_DOWN)


class LevelFill(NamedTuple):
    """What one level gave: its price, the shares taken there, the taker fee in USDC."""

    price: Decimal
    shares: Decimal
    fee: Decimal


@dataclass(frozen=True)
class Walk:
    """What an order takes from a book. Its sums are asked for many times, and made once."""

    levels: tuple[LevelFill, ...] = ()

    @cached_property
    def _sums(self) -> tuple[Decimal, Decimal, Decimal]:
        """Shares, notional and fee, exact."""
        shares = notional = fees = Decimal(0)
        for price, here, fee in self.levels:
            shares += here
            notional += price * here
            fees += fee
        return shares, whole_micros(notional), fees

    @property
    def shares(self) -> Decimal:
        """Shares taken."""
        return self._sums[0]

    @property
    def notional(self) -> Decimal:
        """USDC without the fee: the exact sum over the levels, rounded once to whole micro-dollars."""
        return self._sums[1]

    @property
    def fee(self) -> Decimal:
        """USDC of taker fees, each level's cut off to its schedule's step."""
        return self._sums[2]

    @property
    def average_price(self) -> Decimal | None:
        """Notional per share, to six decimals; None when nothing was taken."""
        return whole_micros(self.notional / self.shares) if self.levels else None


@dataclass(frozen=True, slots=True)
class Taken:
    """What earlier orders of this tick took.

    Yes and No of a market are one book seen twice (an ask at p is the other token's bid at 1 - p), so what is taken from
    one is gone from the other.
    """

    walks: tuple[tuple[Market, Side, Walk], ...] = ()

    def left(self, book: OrderBook, side: Side) -> Iterable[Level]:
        """The levels that an order of this side still meets, best first."""
        return self._left(book, side) if self.walks else book.taken_by(side)

    def _left(self, book: OrderBook, side: Side) -> Iterator[Level]:
        gone = self._gone(book.token, side)
        for level in book.taken_by(side):
            size = level.size - gone.get(level.price, Decimal(0))
            if size > 0:
                yield Level(level.price, size)

    def _gone(self, token: TokenId, side: Side) -> Mapping[Decimal, Decimal]:
        """Shares that an order of this side no longer meets, by price."""
        gone: dict[Decimal, Decimal] = {}
        for market, other, walked in self.walks:
            if (market.token, other) == (token, side):
                prices = [level.price for level in walked.levels]
            elif (market.complement, other.opposite) == (token, side):
                prices = [1 - level.price for level in walked.levels]
            else:
                continue
            for price, level in zip(prices, walked.levels, strict=True):
                gone[price] = gone.get(price, Decimal(0)) + level.shares
        return gone

    def with_walk(self, market: Market, side: Side, walked: Walk) -> "Taken":
        """This, and what one more order took."""
        return Taken((*self.walks, (market, side, walked)))


def limit_price(book: OrderBook, side: Side, slippage_cap: Decimal) -> Decimal | None:
    """The worst price that an order of this side accepts: the best one and the cap beyond it; None without a level.

    Where the book states its tick, the limit lies on that grid between one tick and one minus a tick, as the venue demands; but
    never short of the best price, which may lie off a grid that has just become coarser.
    """
    levels = book.taken_by(side)
    if not levels:
        return None
    best = levels[0].price
    if side is Side.BUY:
        return max(best, _on_grid(best + slippage_cap, book.tick_size, ROUND_FLOOR))
    return min(best, _on_grid(best - slippage_cap, book.tick_size, ROUND_CEILING))


def _on_grid(price: Decimal, tick: Decimal | None, rounding: str) -> Decimal:
    if not tick:
        return price
    ticks = (price / tick).to_integral_value(rounding=rounding)
    return min(max(ticks * tick, tick), 1 - tick)


NOTHING_TAKEN = Taken()


def walk(
    book: OrderBook,
    side: Side,
    *,
    shares: Decimal,
    limit: Decimal | None,
    fees: FeeSchedule,
    taken: Taken = NOTHING_TAKEN,
) -> Walk:
    """What an order for `shares` takes from the book, never beyond `limit` (None: any price). The rest is cancelled."""
    beyond = operator.gt if side is Side.BUY else operator.lt
    fills: list[LevelFill] = []
    wanted = shares
    for price, size in taken.left(book, side) if wanted > 0 else ():
        if limit is not None and beyond(price, limit):
            break
        here = size if size < wanted else wanted
        fills.append(LevelFill(price, here, fees.charged(shares=here, price=price)))
        wanted -= here
        if not wanted:
            break
    return Walk(tuple(fills))
