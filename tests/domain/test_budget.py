"""The budget of a tick: cash, orders and liquidity are each spent once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decision import Reason
from domain.engine import Rules
from domain.ledger import Ledger, Order, Position
from domain.market import Market, OrderBook, Side, TokenId
from domain.report import Report, TradeAction
from domain.sizing import Sizing
from domain.view import Limits
from tests.builders import INTERVAL_S, NO, SIZING, YES, book, ledger, market, moment, order, position, rules, snapshot, state
from tests.fakes import Play

ETH = market("eth", token=TokenId("2001"))
BTC = market()
WHOLE_BAND = replace(SIZING, max_fraction_of_band=Decimal(1))


def _stepped(
    by: Rules,
    books_of_account: Ledger,
    markets: tuple[Market, ...],
    books: tuple[OrderBook, ...],
    payouts: dict[TokenId, Decimal],
) -> Report:
    """Five quiet ticks from 105 s on, then spot +0.5 % at 180 s."""
    play = Play(by, state(books_of_account))
    for n in range(5):
        at = moment(105 + INTERVAL_S * n)
        play.tick(snapshot(at, markets=markets, books=[replace(book, requested=at) for book in books]))
    at = moment(180)
    fresh = [replace(book, requested=at) for book in books]
    return play.tick(snapshot(at, markets=markets, books=fresh, spot=60_300.0, payouts=payouts))


def _both(
    by: Rules, *, cash: str, positions: tuple[Position, ...] = (), payouts: dict[TokenId, Decimal] | None = None
) -> Report:
    """Two markets, ETH first, with the same book."""
    books = (book(), book(token=TokenId("2001")))
    return _stepped(by, ledger(cash=cash, positions=positions), (ETH, BTC), books, payouts or {})


def _said(report: Report) -> list[tuple[str, Reason]]:
    return [(verdict.market.name, verdict.cause.reason) for verdict in report.verdicts]


def test_two_entries_of_a_tick_never_spend_the_same_cash() -> None:
    """8 USDC pay for one order of 5.27493; the second finds 2.72507."""
    report = _both(rules(), cash="8")
    assert _said(report) == [("eth", Reason.ENTER), ("btc", Reason.INSUFFICIENT_CASH)]
    cause = report.verdicts[1].cause
    assert (cause.measured, cause.limit) == (Decimal("2.72507"), Decimal("5.27493"))
    assert report.state.ledger.cash == Decimal("2.72507")


def test_the_throttle_counts_entries_of_a_tick() -> None:
    """PM_MAX_ORDERS_PER_TICK = 1: the first of the map enters."""
    report = _both(rules(limits=Limits(orders_per_tick=1)), cash="1000")
    assert _said(report) == [("eth", Reason.ENTER), ("btc", Reason.THROTTLED)]
    cause = report.verdicts[1].cause
    assert (cause.measured, cause.limit, cause.setting) == (1, 1, "PM_MAX_ORDERS_PER_TICK")


def test_exits_are_never_throttled() -> None:
    """Not by the limit, and they leave it to the entries."""
    held = (position(), position(of=ETH, token=TokenId("2001")))
    report = _both(rules(limits=Limits(orders_per_tick=0)), cash="0", positions=held)
    assert _said(report) == [("eth", Reason.MAX_HOLD), ("btc", Reason.MAX_HOLD)]
    report = _both(rules(limits=Limits(orders_per_tick=1)), cash="1000", positions=held[:1])
    assert _said(report) == [("eth", Reason.ENTER), ("btc", Reason.MAX_HOLD)]


def test_the_proceeds_of_an_exit_pay_for_an_entry_of_the_same_tick() -> None:
    """0.50 and the 4.825 that BTC brings pay 5.27493 for ETH, though ETH stands before it in the map."""
    report = _both(rules(), cash="0.50", positions=(position(),))
    assert _said(report) == [("eth", Reason.ENTER), ("btc", Reason.MAX_HOLD)]
    assert [trade.action for trade in report.trades] == [TradeAction.SELL, TradeAction.BUY]
    assert report.state.ledger.cash == Decimal("0.50") + Decimal("4.825") - Decimal("5.27493")


def test_a_payout_pays_for_an_entry_of_the_same_tick() -> None:
    """Settlements come first."""
    report = _both(rules(), cash="0", positions=(position(),), payouts={YES: Decimal(1)})
    assert _said(report) == [("eth", Reason.ENTER), ("btc", Reason.SETTLED)]
    assert report.state.ledger.cash == 10 - Decimal("5.27493")


def test_without_the_proceeds_there_is_not_enough() -> None:
    """4.825 alone do not pay 5.27493."""
    report = _both(rules(), cash="0", positions=(position(),))
    assert _said(report) == [("eth", Reason.INSUFFICIENT_CASH), ("btc", Reason.MAX_HOLD)]


ONLY_YES = market(complement=NO)
ONLY_NO = market(token=NO, outcome="No", direction=-1, complement=YES)


def _outcomes(sizing: Sizing, *, held: int, pending: tuple[Order, ...] = ()) -> Report:
    """Yes enters while No leaves; twelve shares lie at Yes' ask of 0.51, which are No's bids at 0.49."""
    yes, no = ONLY_YES, ONLY_NO
    books = (book(size=12, levels=1), book("0.49/0.50", size=12, levels=1, token=NO))
    positions = [position(of=no, token=NO, shares=held)]
    return _stepped(rules(sizing=sizing), ledger(positions=positions, pending=pending), (yes, no), books, {})


def test_an_exit_of_no_and_an_entry_of_yes_share_one_liquidity() -> None:
    """Ten are sold to the mirror of Yes' ask: two are left to buy."""
    report = _outcomes(WHOLE_BAND, held=10)
    assert [(trade.action, trade.shares) for trade in report.trades] == [
        (TradeAction.SELL, Decimal(10)),
        (TradeAction.BUY, Decimal(2)),
    ]
    assert [event.execution.order.shares for event in report.orders] == [Decimal(10), Decimal(2)]


def test_a_waiting_exit_that_meets_its_book_takes_liquidity_from_an_entry_as_well() -> None:
    """Its book has come in this tick: the entry is sized for what it leaves."""
    waiting = order(Side.SELL, of=ONLY_NO, token=NO, limit="0.48", decided=moment(170), delay_ms=5000)
    report = _outcomes(WHOLE_BAND, held=10, pending=(waiting,))
    assert _said(report) == [("btc", Reason.ENTER), ("btc", Reason.ORDER_PENDING)]
    assert [event.execution.order.shares for event in report.orders] == [Decimal(10), Decimal(2)]
    assert [trade.shares for trade in report.trades] == [Decimal(10), Decimal(2)]


def test_the_proceeds_of_an_exit_that_has_to_wait_pay_for_nothing_yet() -> None:
    """With latency the sale of BTC brings its cash only when it meets a book."""
    report = _both(rules(latency_ms=20_000), cash="0.60", positions=(position(),))
    assert _said(report) == [("eth", Reason.INSUFFICIENT_CASH), ("btc", Reason.MAX_HOLD)]
    assert report.verdicts[0].cause.measured == Decimal("0.60")


@pytest.mark.parametrize("sizing", [WHOLE_BAND, replace(SIZING, banded=False)])
def test_where_the_exit_took_everything_the_entry_finds_nothing_and_says_so(sizing: Sizing) -> None:
    """No order is sent that could only be rejected."""
    report = _outcomes(sizing, held=12)
    assert _said(report) == [("btc", Reason.INSUFFICIENT_LIQUIDITY), ("btc", Reason.EDGE_EXIT)]
    assert [trade.action for trade in report.trades] == [TradeAction.SELL]
