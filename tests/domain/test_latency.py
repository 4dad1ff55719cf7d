"""Orders that wait: latency and taker delay, and what happens to the book meanwhile."""

from decimal import Decimal

import pytest

from domain.decision import Reason
from domain.engine import Rules
from domain.ledger import Action, OrderStatus
from domain.market import Market, Snapshot, TokenId
from domain.report import Report, TradeAction
from domain.view import Limits, ScaleIn
from tests.builders import (
    INTERVAL_S,
    YES,
    book,
    ledger,
    market,
    moment,
    order,
    position,
    rules,
    seen,
    snapshot,
    state,
    warming_up,
)
from tests.domain.test_trading import reasons, trades
from tests.fakes import Play

SLOW = rules(latency_ms=20_000)
STEP_UP = 60_300.0


def _decided(by: Rules = SLOW, *, of: Market | None = None) -> Play:
    """An entry was decided at 75 s."""
    play = Play(by)
    play.ticks([*warming_up(of=of), seen(75, spot=STEP_UP, of=of)])
    return play


def _statuses(report: Report) -> list[OrderStatus]:
    return [event.execution.status for event in report.orders]


def test_an_order_waits_for_the_first_book_requested_after_its_delay() -> None:
    """Decided at 75 s, 20 s under way: not the book of 90 s, the book of 105 s."""
    play = _decided()
    assert _statuses(play.reports[-1]) == [OrderStatus.PENDING]
    assert play.ledger.positions == {}
    waiting, met = play.ticks([seen(90, spot=STEP_UP), seen(105, spot=STEP_UP)])
    assert (_statuses(waiting), waiting.trades) == ([], ())
    assert _statuses(met) == [OrderStatus.FILLED]
    assert play.ledger.positions[YES].opened == moment(105)
    assert play.ledger.pending == ()


def test_a_token_with_an_order_under_way_decides_nothing() -> None:
    """Its row says `order_pending`, and no second order is sent."""
    play = _decided()
    play.ticks([seen(90, spot=STEP_UP), seen(105, spot=STEP_UP)])
    assert reasons(play.reports)[5:] == [Reason.ENTER, Reason.ORDER_PENDING, Reason.ORDER_PENDING]
    assert [trade.id for trade in trades(play)] == ["6-0"]
    assert play.reports[-1].verdicts[0].action is Action.SKIP


@pytest.mark.parametrize(
    ("latency_ms", "taker_delay_ms", "met_at"), [(15_000, 0, 90), (15_001, 0, 105), (0, 15_000, 90), (10_000, 6_000, 105)]
)
def test_latency_and_the_markets_own_delay_add_up(latency_ms: int, taker_delay_ms: int, met_at: float) -> None:
    """A book requested at the very end of the delay counts."""
    slow = market(taker_delay_ms=taker_delay_ms)
    play = _decided(rules(latency_ms=latency_ms), of=slow)
    play.ticks(seen(75 + INTERVAL_S * n, spot=STEP_UP, of=slow) for n in range(1, 4))
    assert [trade.moment for trade in trades(play)][:1] == [moment(met_at)]


def test_the_delay_counts_from_when_the_last_answer_was_in() -> None:
    """Decided at 75.4 s, 15 s under way: the book that was asked for at 90 s comes 0.4 s too early."""
    play = Play(rules(latency_ms=15_000))
    play.ticks(warming_up())
    play.tick(snapshot(moment(75), books=[book(requested=moment(75))], spot=STEP_UP, ready=moment(75.4)))
    play.ticks([seen(90, spot=STEP_UP), seen(105, spot=STEP_UP)])
    assert [trade.moment for trade in trades(play)] == [moment(105)]


def test_a_book_of_before_is_not_the_book_of_after() -> None:
    """A later tick may show a book that was requested early: it is waited past."""
    play = _decided()
    early = snapshot(moment(105), books=[book(requested=moment(94.999))], spot=STEP_UP)
    play.tick(early)
    assert trades(play) == []


def test_the_limit_of_the_decision_is_kept() -> None:
    """Ask 0.51, limit 0.52: at 0.52 it fills, at 0.53 it meets nothing."""
    dearer, too_dear = _decided(), _decided()
    dearer.tick(seen(105, "0.51/0.52", STEP_UP))
    too_dear.tick(seen(105, "0.52/0.53", STEP_UP))
    assert trades(dearer)[0].price == Decimal("0.52")
    (refused,) = trades(too_dear)
    assert (refused.status, refused.shares, refused.notional) == (OrderStatus.REJECTED, Decimal(0), Decimal(0))
    assert too_dear.ledger.cash == 1000


def test_cash_is_reserved_while_an_order_waits() -> None:
    """10 x 0.52 and the dearest fee of 0.175: of 10.74 USDC 5.365 are left for a second order that needs 5.375."""
    eth = market("eth", token=TokenId("2001"))
    play = Play(SLOW, state(ledger(cash="10.74")))
    for n in range(6):
        at = moment(INTERVAL_S * n)
        books = [book(requested=at), book(token=TokenId("2001"), requested=at)]
        play.tick(snapshot(at, markets=(market(), eth), books=books, spot=60_000.0 if n < 5 else STEP_UP))
    second = play.reports[-1].verdicts[1]
    assert (second.cause.reason, second.cause.measured) == (Reason.INSUFFICIENT_CASH, Decimal("5.365"))
    assert play.ledger.reserved_cash == Decimal("5.375")
    assert play.ledger.cash == Decimal("10.74")


def test_the_reservation_holds_in_the_ticks_that_follow() -> None:
    """A second market that warms up later finds only the rest."""
    waiting = order(decided=moment(70), delay_ms=60_000)
    eth = market("eth", token=TokenId("2001"))
    play = Play(rules(), state(ledger(cash="10", pending=(waiting,))))
    for n in range(6):
        at = moment(INTERVAL_S * n)
        fresh = [book(token=TokenId("2001"), requested=at)]
        play.tick(snapshot(at, markets=(eth,), books=fresh, spot=60_000.0 if n < 5 else STEP_UP))
    assert play.reports[-1].verdicts[0].cause.measured == Decimal("4.625")


UNUSABLE = [None, "0.50/", "0.25/0.75", "0.52/0.51"]


@pytest.mark.parametrize("quote", UNUSABLE)
def test_an_order_is_cancelled_when_no_usable_book_comes_in_time(quote: str | None) -> None:
    """The delay and the freshness after it, 80 s from 75 s: at 150 s it waits, at 165 s it is over."""
    play = _decided()
    reports = play.ticks(seen(75 + INTERVAL_S * n, quote, STEP_UP) for n in range(1, 7))
    assert [_statuses(report) for report in reports] == [[]] * 5 + [[OrderStatus.CANCELLED]]
    assert (trades(play), play.ledger.pending, play.ledger.cash) == ([], (), Decimal(1000))


@pytest.mark.parametrize(("at_s", "cancelled"), [(155, False), (155.001, True)])
def test_an_orders_patience_ends_with_the_delay_and_the_freshness_after_it(at_s: float, cancelled: bool) -> None:
    """20 s and 60 s from 75 s."""
    play = _decided()
    report = play.tick(seen(at_s, None, STEP_UP))
    assert _statuses(report) == ([OrderStatus.CANCELLED] if cancelled else [])
    assert len(play.ledger.pending) == (0 if cancelled else 1)


def test_without_delay_an_order_meets_the_book_of_its_decision() -> None:
    """Though that book was asked for 0.4 s before the last answer was in."""
    play = Play(rules())
    play.ticks(warming_up())
    play.tick(snapshot(moment(75), books=[book(requested=moment(75))], spot=STEP_UP, ready=moment(75.4)))
    assert [(trade.moment, trade.status) for trade in trades(play)] == [(moment(75), OrderStatus.FILLED)]


def test_an_order_of_a_token_that_nobody_follows_any_more_is_cancelled_too() -> None:
    """It left the map before its book came."""
    play = _decided()
    reports = play.ticks(seen(75 + INTERVAL_S * n, spot=STEP_UP, listed=False) for n in range(1, 7))
    assert _statuses(reports[-1]) == [OrderStatus.CANCELLED]


def test_an_exit_waits_as_well_and_its_cash_comes_when_it_is_filled() -> None:
    """Decided at 180 s, sold at 210 s at what the book pays then."""
    play = Play(SLOW, state(ledger(cash=1, positions=[position()])))
    play.ticks([seen(180), seen(195), seen(210, "0.49/0.50")])
    assert reasons(play.reports) == [Reason.MAX_HOLD, Reason.ORDER_PENDING, Reason.ORDER_PENDING]
    (sold,) = trades(play)
    assert (sold.action, sold.price, sold.id) == (TradeAction.SELL, Decimal("0.49"), "1-0")
    assert play.ledger.positions == {}


def test_a_waiting_exit_meets_a_book_without_asks() -> None:
    """A sale needs bids and nothing else, a waiting buy needs both sides."""
    play = Play(SLOW, state(ledger(positions=[position()])))
    play.ticks([seen(180), seen(210, "0.50/")])
    assert play.ledger.positions == {}


def test_a_settlement_cancels_the_orders_of_its_token() -> None:
    """What is resolved is not traded."""
    play = Play(SLOW, state(ledger(positions=[position()])))
    play.tick(seen(180))
    report = play.tick(seen(210, payouts={YES: Decimal(1)}))
    assert [trade.action for trade in report.trades] == [TradeAction.SETTLE]
    assert (_statuses(report), play.ledger.pending) == ([OrderStatus.CANCELLED], ())


def test_a_waiting_add_counts_when_it_is_filled() -> None:
    """Adds are fills: a wish changes nothing."""
    slow = rules(latency_ms=20_000, limits=Limits(scale_in=ScaleIn(odds_change_pct=0.4)))
    play = Play(slow, state(ledger(positions=[position(opened=moment(0))])))

    def rising(n: int) -> Snapshot:
        return seen(INTERVAL_S * n, f"0.{500 + 5 * n}/0.{510 + 5 * n}", 60_000 * 1.015**n, step="0.005")

    wished = [play.tick(rising(n)) for n in range(6)][-1]
    assert (wished.verdicts[0].action, play.ledger.positions[YES].adds) == (Action.SCALE_IN, 0)
    play.ticks([rising(6), rising(7)])
    assert (play.ledger.positions[YES].adds, play.ledger.positions[YES].shares) == (1, Decimal(15))


def test_two_waiting_orders_that_meet_one_book_share_its_liquidity() -> None:
    """Six shares lie at the ask: the second order finds what the first one left, and nobody trades on it as well."""
    waiting = tuple(order(id=f"1-{n}", shares=4, decided=moment(0), limit="0.51", delay_ms=15_000) for n in range(2))
    play = Play(rules(), state(ledger(pending=waiting), sequence=1))
    play.tick(seen(15, size=6))
    assert [trade.shares for trade in trades(play)] == [Decimal(4), Decimal(2)]


def test_a_waiting_order_buys_nothing_while_the_kill_switch_is_pulled() -> None:
    """It was decided before, and its book has come: nothing is bought while the file exists."""
    play = _decided()
    report = play.tick(seen(105, spot=STEP_UP, kill_switch=True))
    assert _statuses(report) == [OrderStatus.REJECTED]
    assert (play.ledger.positions, play.ledger.pending, play.ledger.cash) == ({}, (), Decimal(1000))
