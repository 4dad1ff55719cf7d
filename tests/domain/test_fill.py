"""Walking a book: what an order takes, and what it leaves."""

from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fill import NOTHING_TAKEN, LevelFill, Walk, limit_price, walk
from domain.market import Level, OrderBook, Side
from tests.builders import CRYPTO, FREE, NO, YES, book, market, moment

CENTS = st.lists(st.integers(1, 99), unique=True, max_size=8)
SIZES = st.decimals("0.000001", "1000", places=6)
SIDES = st.sampled_from(Side)


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    """Any book, crossed and empty ones included."""
    bids = [Level(Decimal(cents) / 100, draw(SIZES)) for cents in sorted(draw(CENTS), reverse=True)]
    asks = [Level(Decimal(cents) / 100, draw(SIZES)) for cents in sorted(draw(CENTS))]
    return OrderBook(token=YES, bids=bids, asks=asks, requested=moment(0))


@given(book=books(), side=SIDES, shares=SIZES, cents=st.integers(0, 100))
def test_a_fill_is_a_subset_of_the_book_within_limit_and_wish(book: OrderBook, side: Side, shares: Decimal, cents: int) -> None:
    """Best price first, each level at most once and at most what it holds, never beyond the limit, never more than asked."""
    limit = Decimal(cents) / 100
    walked = walk(book, side, shares=shares, limit=limit, fees=CRYPTO)
    met = book.taken_by(side)[: len(walked.levels)]
    assert [fill.price for fill in walked.levels] == [level.price for level in met]
    assert all(0 < fill.shares <= level.size for fill, level in zip(walked.levels, met, strict=True))
    assert all(fill.shares == level.size for fill, level in zip(walked.levels[:-1], met, strict=False))
    assert all(fill.price <= limit if side is Side.BUY else fill.price >= limit for fill in walked.levels)
    assert walked.shares <= shares


@given(book=books(), side=SIDES, shares=SIZES)
def test_what_is_within_the_limit_is_taken_until_the_wish_is_met(book: OrderBook, side: Side, shares: Decimal) -> None:
    """Without a limit an order stops only when it is full or the side is empty."""
    walked = walk(book, side, shares=shares, limit=None, fees=FREE)
    assert walked.shares == min(shares, sum((level.size for level in book.taken_by(side)), Decimal(0)))


@given(book=books(), side=SIDES, shares=SIZES)
def test_the_notional_is_the_exact_sum_rounded_once(book: OrderBook, side: Side, shares: Decimal) -> None:
    """Half even, to whole micro-dollars; the fee is the sum of the levels' fees."""
    walked = walk(book, side, shares=shares, limit=None, fees=CRYPTO)
    exact = sum((fill.price * fill.shares for fill in walked.levels), Decimal(0))
    assert walked.notional == exact.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN)
    assert walked.fee == sum((CRYPTO.charged(shares=f.shares, price=f.price) for f in walked.levels), Decimal(0))


@pytest.mark.parametrize(
    ("shares", "notional"),
    [(["0.000005", "0.000005"], "0.000005"), (["0.000001"], "0.000000"), (["0.000003"], "0.000002")],
)
def test_rounding_is_half_even_and_once_for_all_levels(shares: list[str], notional: str) -> None:
    """Half a micro-dollar goes to the even one: 0.5 to 0, 1.5 to 2; two levels of 2.5 are 5, not 2 + 2."""
    walked = Walk(tuple(LevelFill(Decimal("0.5"), Decimal(size), Decimal(0)) for size in shares))
    assert walked.notional == Decimal(notional)


def test_a_walk_over_two_levels_by_hand() -> None:
    """600 shares from 500 at 0.51 and 500 at 0.52: 255 + 52; fees 500 x .07 x .2499 = 8.7465 and 100 x .07 x .2496 = 1.7472."""
    walked = walk(book(), Side.BUY, shares=Decimal(600), limit=Decimal("0.52"), fees=CRYPTO)
    assert walked.levels == (
        LevelFill(Decimal("0.51"), Decimal(500), Decimal("8.74650")),
        LevelFill(Decimal("0.52"), Decimal(100), Decimal("1.74720")),
    )
    assert (walked.notional, walked.fee, walked.average_price) == (Decimal(307), Decimal("10.4937"), Decimal("0.511667"))


def test_nothing_taken_has_no_price() -> None:
    """An average over nothing would be an error."""
    assert Walk().average_price is None
    assert Walk().notional == Walk().fee == Walk().shares == 0


@pytest.mark.parametrize(
    ("quote", "side", "limit"),
    [("0.50/0.51", Side.BUY, "0.52"), ("0.50/0.51", Side.SELL, "0.49"), ("0.50/", Side.BUY, None), ("/0.51", Side.SELL, None)],
)
def test_the_limit_lies_one_cap_beyond_the_best(quote: str, side: Side, limit: str | None) -> None:
    """And there is none without a level."""
    assert limit_price(book(quote), side, Decimal("0.01")) == (Decimal(limit) if limit else None)


@pytest.mark.parametrize(
    ("quote", "side", "cap", "tick", "limit"),
    [
        ("0.98/0.99", Side.BUY, "0.01", "0.01", "0.99"),
        ("0.01/0.02", Side.SELL, "0.01", "0.01", "0.01"),
        ("0.98/0.99", Side.BUY, "0.05", "0.001", "0.999"),
        ("0.50/0.51", Side.BUY, "0.015", "0.01", "0.52"),
        ("0.50/0.51", Side.SELL, "0.015", "0.01", "0.49"),
        ("0.50/0.51", Side.BUY, "0.013", "0.0025", "0.5225"),
        ("0.50/0.51", Side.SELL, "0.013", "0.0025", "0.4875"),
        ("0.50/0.51", Side.BUY, "0", "0.01", "0.51"),
        ("0.994/0.995", Side.BUY, "0.001", "0.01", "0.995"),
        ("0.005/0.006", Side.SELL, "0.001", "0.01", "0.005"),
        ("0.98/0.99", Side.BUY, "0.01", None, "1.00"),
    ],
)
def test_the_limit_lies_on_the_grid_of_the_book(quote: str, side: Side, cap: str, tick: str | None, limit: str) -> None:
    """Inside [tick, 1 - tick], rounded towards the best price and never short of it; a book without a tick has no grid."""
    met = replace(book(quote), tick_size=Decimal(tick) if tick else None)
    assert limit_price(met, side, Decimal(cap)) == Decimal(limit)


@given(book=books(), side=SIDES, shares=SIZES, cap=st.decimals("0", "1", places=4))
def test_the_grid_changes_no_fill_of_a_book_that_lies_on_it(book: OrderBook, side: Side, shares: Decimal, cap: Decimal) -> None:
    """Between the limit on the grid and the one off it there is no price."""
    on_grid = limit_price(replace(book, tick_size=Decimal("0.01")), side, cap)
    walks = [walk(book, side, shares=shares, limit=limit, fees=CRYPTO) for limit in (on_grid, limit_price(book, side, cap))]
    assert walks[0] == walks[1]
    assert on_grid is None or (on_grid % Decimal("0.01") == 0 and Decimal("0.01") <= on_grid <= Decimal("0.99"))


@given(book=books(), side=SIDES, first=SIZES, second=SIZES)
def test_shares_that_one_order_took_are_gone_for_the_next(book: OrderBook, side: Side, first: Decimal, second: Decimal) -> None:
    """Two orders in a row take what one order of both sizes takes."""
    one = walk(book, side, shares=first, limit=None, fees=FREE)
    taken = NOTHING_TAKEN.with_walk(market(), side, one)
    two = walk(book, side, shares=second, limit=None, fees=FREE, taken=taken)
    both = walk(book, side, shares=first + second, limit=None, fees=FREE)
    assert one.shares + two.shares == both.shares


def _mirror(book: OrderBook) -> OrderBook:
    """The other outcome's view of the same book."""
    return replace(
        book,
        token=NO,
        bids=tuple(Level(1 - level.price, level.size) for level in book.asks),
        asks=tuple(Level(1 - level.price, level.size) for level in book.bids),
    )


@given(book=books(), shares=SIZES, side=SIDES)
def test_what_is_taken_from_yes_is_gone_from_the_bids_of_no(book: OrderBook, shares: Decimal, side: Side) -> None:
    """An ask at p is the other token's bid at 1 - p: buying one and selling the other share one liquidity."""
    both_ways = market(token=YES, complement=NO)
    one = walk(book, side, shares=shares, limit=None, fees=FREE)
    taken = NOTHING_TAKEN.with_walk(both_ways, side, one)
    opposite = Side.SELL if side is Side.BUY else Side.BUY
    rest = walk(_mirror(book), opposite, shares=Decimal(10_000), limit=None, fees=FREE, taken=taken)
    assert one.shares + rest.shares == sum((level.size for level in book.taken_by(side)), Decimal(0))


def test_buying_both_outcomes_takes_two_liquidities() -> None:
    """The asks of No are the bids of Yes: nothing is counted twice, nothing is lost."""
    taken = NOTHING_TAKEN.with_walk(
        market(complement=NO), Side.BUY, walk(book(), Side.BUY, shares=Decimal(1500), limit=None, fees=FREE)
    )
    assert walk(_mirror(book()), Side.BUY, shares=Decimal(1500), limit=None, fees=FREE, taken=taken).shares == 1500
