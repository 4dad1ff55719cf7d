"""Books, quotes, moments, samples: what the values refuse and what they say."""

from decimal import Decimal

import pytest

from domain.history import History, Sample
from domain.market import Leg, Level, OrderBook, Quote, Reference, Side, ThreeWay, TokenId, tokens_of
from domain.view import Limits
from tests.builders import NO, YES, book, levels, market, moment


@pytest.mark.parametrize(
    ("price", "size"),
    [("0", "1"), ("1", "1"), ("-0.1", "1"), ("1.2", "1"), ("0.5", "0"), ("0.5", "-1"), ("Infinity", "1")],
)
def test_a_level_outside_zero_and_one_or_without_shares_is_refused(price: str, size: str) -> None:
    """A price is a probability and a level holds something."""
    with pytest.raises(ValueError, match="0 < price < 1 and size > 0"):
        OrderBook(token=YES, bids=(Level(Decimal(price), Decimal(size)),), asks=(), requested=moment(0))


@pytest.mark.parametrize("prices", [("0.49", "0.50"), ("0.50", "0.50")])
def test_bids_that_do_not_fall_are_refused(prices: tuple[str, str]) -> None:
    """The best bid stands first, and no price twice."""
    with pytest.raises(ValueError, match="bids must fall"):
        OrderBook(token=YES, bids=levels(prices), asks=(), requested=moment(0))


@pytest.mark.parametrize("prices", [("0.52", "0.51"), ("0.51", "0.51")])
def test_asks_that_do_not_rise_are_refused(prices: tuple[str, str]) -> None:
    """The best ask stands first, and no price twice."""
    with pytest.raises(ValueError, match="asks must rise"):
        OrderBook(token=YES, bids=(), asks=levels(prices), requested=moment(0))


def test_a_book_may_be_crossed_one_sided_or_empty() -> None:
    """A rule says so, with a reason; the value does not."""
    crossed, one_sided, empty = book("0.52/0.51"), book("0.50/"), book("/")
    assert (crossed.bid, crossed.ask) == (Decimal("0.52"), Decimal("0.51"))
    assert (one_sided.bid, one_sided.ask) == (Decimal("0.50"), None)
    assert (empty.bid, empty.ask) == (None, None)


def test_a_buy_takes_asks_and_a_sell_takes_bids() -> None:
    """The side of an order names the side of the book that it meets."""
    assert book().taken_by(Side.BUY)[0].price == Decimal("0.51")
    assert book().taken_by(Side.SELL)[0].price == Decimal("0.50")


def test_the_quote_is_the_best_of_both_sides() -> None:
    """Mid = (bid + ask) / 2, spread = ask - bid, exact."""
    quote = Quote.of(book("0.50/0.53"))
    assert quote is not None
    assert (quote.bid, quote.ask, quote.mid, quote.spread) == (Decimal("0.50"), Decimal("0.53"), 0.515, Decimal("0.03"))


@pytest.mark.parametrize("sides", ["0.50/", "/0.51", "/"])
def test_a_book_without_two_sides_has_no_quote(sides: str) -> None:
    """No mid is guessed from one side."""
    assert Quote.of(book(sides)) is None


def test_the_age_of_a_book_counts_from_its_request_and_adds_the_caches() -> None:
    """The venue's own timestamp plays no part: a quiet book is not a stale one."""
    old = book(requested=moment(10), age_s=4.0, changed_at_ms=0)
    assert old.age_at(moment(15)) == 9.0
    assert Reference(price=60_000.0, requested=moment(10), age_s=1.5).age_at(moment(15)) == 6.5


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_a_reference_that_is_no_price_is_refused(price: float) -> None:
    """A return against zero or against nothing would be an error in the middle of a tick."""
    with pytest.raises(ValueError, match="positive"):
        Reference(price=price, requested=moment(0))


def test_durations_never_run_backwards_and_ignore_the_wall_clock() -> None:
    """A clock set back an hour neither makes nor hides a second."""
    assert moment(15, wall_step_s=-3600).seconds_since(moment(0)) == 15.0
    assert moment(0).seconds_since(moment(15)) == 0.0


def test_a_direction_is_one_or_minus_one() -> None:
    """A token gains or loses with its reference."""
    with pytest.raises(ValueError, match="direction"):
        market(direction=0)


def _sample(seconds: float) -> Sample:
    return Sample(round(seconds * 1000), 60_000.0, 0.505)


def test_history_keeps_only_its_capacity() -> None:
    """The oldest samples go first."""
    history = History()
    for second in range(10):
        history = history.extended(_sample(second), capacity=4, gap_ms=60_000)
    assert [sample.elapsed_ms for sample in history.samples] == [6000, 7000, 8000, 9000]


@pytest.mark.parametrize(("wait_s", "samples"), [(60.0, 2), (60.001, 1)])
def test_history_starts_again_after_a_gap(wait_s: float, samples: int) -> None:
    """More than the gap between two samples makes an old move look new; the gap itself does not."""
    history = History((_sample(0),)).extended(_sample(wait_s), capacity=6, gap_ms=60_000)
    assert len(history) == samples


@pytest.mark.parametrize(("freshness_s", "interval_s", "gap_ms"), [(60.0, 15.0, 60_000), (60.0, 30.0, 90_000), (10, 1, 10_000)])
def test_a_gap_is_the_longer_of_freshness_and_three_intervals(freshness_s: float, interval_s: float, gap_ms: int) -> None:
    """SPEC section 2: max(FRESHNESS_MAX_AGE_SECS, 3 x INTERVAL_S)."""
    assert Limits(freshness_s=freshness_s, interval_s=interval_s).gap_ms == gap_ms


def test_a_tick_needs_the_books_of_all_three_ways_of_a_followed_draw() -> None:
    """And none of a market whose token is not known yet."""
    draw = TokenId("3001")
    ways = ThreeWay(event="a-b", home=Leg("a", "A", YES), draw=Leg("d", "Draw", draw), away=Leg("b", "B", NO))
    followed = (market(token=None), market(token=draw, three_way=ways))
    assert list(tokens_of(followed)) == [draw, YES, draw, NO]
