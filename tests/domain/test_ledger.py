"""The books of account: the law holds with `==` after every booking, or there is no booking."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fees import FeeSchedule
from domain.fill import walk
from domain.ledger import Execution, LawBroken, Ledger, Mark, OrderStatus, Position
from domain.market import Side, TokenId
from tests.builders import CRYPTO, FREE, NO, YES, book, ledger, market, moment, order, position

AWAY = Decimal("0.52")


def _bought(books: Ledger, token: TokenId, shares: Decimal, cents: int, fees: FeeSchedule) -> Ledger:
    """A buy of up to `shares` at `cents`, if cash allows."""
    offer = book(f"/{Decimal(cents) / 100}", token=token, levels=2, size=300)
    taken = walk(offer, Side.BUY, shares=shares, limit=None, fees=fees)
    if taken.notional + taken.fee > books.cash:
        return books
    asked = order(Side.BUY, token=token, shares=str(shares))
    return books.booked(Execution(order=asked, status=OrderStatus.FILLED, walk=taken, book_mid=cents / 100), moment(1)).ledger


def _sold(books: Ledger, token: TokenId, part: Decimal, cents: int, fees: FeeSchedule) -> Ledger:
    """A sale of a part of the position."""
    if token not in books.positions:
        return books
    shares = max((books.positions[token].shares * part).quantize(Decimal("0.000001")), Decimal("0.000001"))
    taken = walk(
        book(f"{Decimal(cents) / 100}/", token=token, levels=1, size=100_000), Side.SELL, shares=shares, limit=None, fees=fees
    )
    asked = order(Side.SELL, token=token, shares=str(shares))
    booking = books.booked(Execution(order=asked, status=OrderStatus.FILLED, walk=taken), moment(2))
    assert booking.ledger.realised - books.realised == booking.realised
    return booking.ledger


def _paid(books: Ledger, token: TokenId, payout: Decimal) -> Ledger:
    if token not in books.positions:
        return books
    booking = books.paid_out(token, payout, moment(3))
    assert token not in booking.ledger.positions
    assert booking.ledger.realised - books.realised == booking.realised
    return booking.ledger


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "close", "pay"]),
        st.sampled_from([YES, NO]),
        st.decimals("0.01", "400", places=2),
        st.decimals("0", "1", places=6),
        st.integers(2, 98),
        st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]),
    ),
    max_size=25,
)


@given(steps=STEPS, fees=st.sampled_from([FREE, CRYPTO, FeeSchedule(rate=Decimal("0.25"), exponent=Decimal(2))]))
def test_the_law_holds_after_any_buys_partial_sales_and_payouts(
    steps: list[tuple[str, TokenId, Decimal, Decimal, int, Decimal]], fees: FeeSchedule
) -> None:
    """cash + sum of cost == opening cash + realised, exactly; whole micro-dollars; cash is never negative."""
    books = Ledger.opened_with(Decimal(1000))
    for what, token, shares, part, cents, payout in steps:
        match what:
            case "buy":
                books = _bought(books, token, shares, cents, fees)
            case "sell":
                books = _sold(books, token, part, cents, fees)
            case "close":
                books = _sold(books, token, Decimal(1), cents, fees)
            case _:
                books = _paid(books, token, payout)
        assert books.cash + books.cost == books.opening_cash + books.realised
        assert books.cash >= 0
        assert books.cash == books.cash.quantize(Decimal("0.000001"))


@pytest.mark.parametrize(("shares", "cost_left", "realised"), [("1", "3.333333", "-1.166667"), ("2", "1.666667", "-2.333333")])
def test_a_partial_exit_sells_cost_in_proportion(shares: str, cost_left: str, realised: str) -> None:
    """5 USDC for three shares: a third is 1.666667, the rest is what subtraction leaves; sold at 0.50."""
    books = ledger(cash=10, positions=[position(shares=3, cost="5")])
    sale = walk(book("0.50/"), Side.SELL, shares=Decimal(shares), limit=None, fees=FREE)
    asked = order(Side.SELL, shares=shares)
    booking = books.booked(Execution(order=asked, status=OrderStatus.FILLED, walk=sale), moment(9))
    left = booking.ledger.positions[YES]
    assert (left.cost, booking.realised) == (Decimal(cost_left), Decimal(realised))
    assert (left.shares, left.last_fill, left.opened) == (3 - Decimal(shares), moment(9), moment(0))


def test_a_buy_realises_minus_its_fee() -> None:
    """10 at 0.51 under rate 0.07: 5.10 and 0.17493."""
    taken = walk(book(), Side.BUY, shares=Decimal(10), limit=AWAY, fees=CRYPTO)
    booking = ledger().booked(Execution(order=order(), status=OrderStatus.FILLED, walk=taken, book_mid=0.505), moment(1))
    assert (booking.realised, booking.ledger.fees) == (Decimal("-0.17493"), Decimal("0.17493"))
    assert (booking.ledger.cash, booking.ledger.cost) == (Decimal("994.72507"), Decimal("5.10"))
    assert booking.ledger.positions[YES].average_entry == Decimal("0.51")


def test_an_add_weighs_the_mid_at_entry_by_shares_and_counts_as_one() -> None:
    """Ten at a mid of 0.505, five at 0.535: (10 x 0.505 + 5 x 0.535) / 15 = 0.515; the hold time goes on."""
    taken = walk(book("0.53/0.54"), Side.BUY, shares=Decimal(5), limit=None, fees=FREE)
    books = ledger(positions=[position()])
    execution = Execution(order=order(shares=5), status=OrderStatus.FILLED, walk=taken, book_mid=0.535)
    held = books.booked(execution, moment(30)).ledger.positions[YES]
    assert held.entry_mid == pytest.approx(0.515)
    assert (held.last_mid, held.adds, held.shares, held.cost) == (0.535, 1, Decimal(15), Decimal("7.80"))
    assert (held.opened, held.last_fill, held.last_scale) == (moment(0), moment(30), moment(30))


@pytest.mark.parametrize(
    ("opening", "cash", "realised"), [("1000", "999.999999", "0"), ("1000", "1000", "0.000001"), ("1", "2", "0")]
)
def test_a_ledger_that_does_not_add_up_cannot_be_made(opening: str, cash: str, realised: str) -> None:
    """One micro-dollar is enough."""
    with pytest.raises(LawBroken, match="is not opening cash"):
        Ledger(opening_cash=Decimal(opening), cash=Decimal(cash), realised=Decimal(realised))


def test_cash_below_zero_breaks_the_law() -> None:
    """More was spent than there was."""
    with pytest.raises(LawBroken, match="more was spent"):
        ledger(cash=-1)


def test_more_shares_than_are_held_cannot_leave() -> None:
    """A short position is a defect."""
    sale = walk(book("0.50/"), Side.SELL, shares=Decimal(11), limit=None, fees=FREE)
    execution = Execution(order=order(Side.SELL, shares=11), status=OrderStatus.FILLED, walk=sale)
    with pytest.raises(LawBroken, match="cannot leave a position of 10"):
        ledger(positions=[position()]).booked(execution, moment(1))


def test_an_order_for_nothing_and_a_position_of_nothing_are_refused() -> None:
    """Zero shares are no order and no position."""
    with pytest.raises(ValueError, match="positive number of shares"):
        order(shares=0)
    with pytest.raises(ValueError, match="shares > 0"):
        position(shares=0)


def test_a_waiting_buy_reserves_its_limit_and_the_dearest_fee() -> None:
    """10 x 0.52 + 10 x 0.07 x 0.25; a waiting sale reserves nothing."""
    assert order().reserved_cash == Decimal("5.37500")
    assert order(Side.SELL).reserved_cash == 0
    assert order(of=market(fees=FREE)).reserved_cash == Decimal("5.20")
    waiting = replace(ledger(), pending=(order(), order(Side.SELL)))
    assert waiting.reserved_cash == Decimal("5.37500")


def test_equity_is_cash_and_what_the_bids_would_pay() -> None:
    """A mark that is not of this tick stays, as stale; a new one takes its place."""
    held: Position = position()
    books = ledger(positions=[held]).marked({YES: Mark(value=Decimal("4.90"))})
    assert (books.equity, books.positions[YES].mark.stale) == (Decimal("1004.90"), False)
    assert books.marked({}).positions[YES].mark == Mark(value=Decimal("4.90"), stale=True)
    assert ledger(positions=[held]).marked({}).positions[YES].mark == Mark(value=Decimal(0), stale=True)
