"""Leaving: an exit needs only what it needs; settlements; what a position is worth meanwhile."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decision import Reason
from domain.ledger import Mark, OrderStatus
from domain.market import Reference, Snapshot
from domain.report import TradeAction
from domain.view import Limits
from tests.builders import NO, SPOT, YES, book, ledger, market, moment, position, rules, seen, snapshot, state, warming_up
from tests.domain.test_trading import entered, reasons, trades
from tests.fakes import Play

HELD = ledger(cash=1000, positions=[position()])
"""Ten shares since second 0, and no memory: as after a restart."""

OVERDUE_S = 180


@pytest.mark.parametrize(
    "inputs",
    [
        seen(OVERDUE_S, kill_switch=True),
        seen(OVERDUE_S),
        seen(OVERDUE_S, spot=None),
        replace(seen(OVERDUE_S), references={SPOT: Reference(price=60_000.0, requested=moment(OVERDUE_S - 61))}),
        seen(OVERDUE_S, "0.01/0.02"),
        seen(OVERDUE_S, "0.50/"),
        seen(OVERDUE_S, listed=False),
    ],
    ids=["kill switch", "warm-up after a restart", "no reference", "stale reference", "price zone", "no ask", "left the map"],
)
def test_max_hold_needs_nothing_but_a_bid(inputs: Snapshot) -> None:
    """What keeps an entry away does not keep an exit away."""
    play = Play(rules(limits=Limits(avoid_price_below=Decimal("0.05"))), state(HELD))
    play.tick(inputs)
    assert reasons(play.reports) == [Reason.MAX_HOLD]
    assert play.ledger.positions == {}


@pytest.mark.parametrize("inputs", [seen(15, spot=None), seen(15, kill_switch=True), seen(15)])
def test_a_stop_needs_the_mid_alone(inputs: Snapshot) -> None:
    """Mid 0.505 against 0.55 at entry is -8.2 %."""
    play = Play(rules(limits=Limits(stop_pct=5.0)), state(ledger(positions=[position(mid=0.55)])))
    play.tick(inputs)
    assert reasons(play.reports) == [Reason.STOP]
    assert play.ledger.positions == {}


def test_the_spread_alone_never_stops_out() -> None:
    """Bought at 0.60 in a 0.40/0.60 book: the bid lies 33 % below the price paid, the mid has not moved."""
    held = position(cost="6.00", mid=0.50)
    play = Play(rules(limits=Limits(stop_pct=1.0)), state(ledger(positions=[held])))
    play.tick(seen(15, "0.40/0.60"))
    assert YES in play.ledger.positions


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (seen(OVERDUE_S, None), Reason.NO_ORDERBOOK),
        (seen(OVERDUE_S, "/0.51"), Reason.ONE_SIDED_BOOK),
        (seen(OVERDUE_S, "0.01/0.99"), Reason.GHOST_BOOK),
        (seen(OVERDUE_S, "0.52/0.51"), Reason.CROSSED_BOOK),
        (snapshot(moment(OVERDUE_S), books=[book(requested=moment(OVERDUE_S - 61))]), Reason.STALE_INPUT),
    ],
)
def test_a_book_that_cannot_be_trusted_holds_an_exit_back_and_the_row_says_so(inputs: Snapshot, reason: Reason) -> None:
    """Then the next good book is used."""
    play = Play(rules(), state(HELD))
    play.tick(inputs)
    assert reasons(play.reports) == [reason]
    assert trades(play) == []
    play.tick(seen(OVERDUE_S + 15))
    assert reasons(play.reports)[-1] is Reason.MAX_HOLD


def test_an_exit_sells_no_deeper_than_its_cap_and_tries_the_rest_later() -> None:
    """Three shares at 0.50 and three at 0.49 lie within a cent: six go, cost leaves in proportion, four stay."""
    play = Play(rules(), state(HELD))
    play.tick(seen(OVERDUE_S, size=3))
    (sold,) = trades(play)
    assert (sold.shares, sold.notional) == (Decimal(6), Decimal("2.97"))
    assert play.ledger.positions[YES].cost == Decimal("2.04")
    assert sold.notes == "lead_lag exit=max_hold fee=0.10497 mid=0.505 filled 6 of 10"
    play.tick(seen(OVERDUE_S + 15))
    assert play.ledger.positions == {}


def test_an_exit_below_the_venues_minimum_is_allowed_and_flagged() -> None:
    """Two shares where the book asks for five."""
    small = ledger(positions=[position(shares=2, cost="1")])
    play = Play(rules(), state(small))
    play.tick(snapshot(moment(OVERDUE_S), books=[book(requested=moment(OVERDUE_S), min_order_size=5)]))
    assert trades(play)[0].notes == "lead_lag exit=max_hold fee=0.035 mid=0.505 below_min_order_size"


@pytest.mark.parametrize(("pays", "proceeds"), [("1", "10"), ("0", "0"), ("0.5", "5")])
def test_a_resolved_market_pays_its_shares_once(pays: str, proceeds: str) -> None:
    """10 x what the venue says, without a fee, whatever the book shows; the next tick has nothing left to pay."""
    play = Play(rules(), state(HELD))
    resolved = {YES: Decimal(pays)}
    play.ticks([seen(15, None, None, payouts=resolved), seen(30, None, None, payouts=resolved)])
    (settled,) = trades(play)
    assert (settled.action, settled.status, settled.id) == (TradeAction.SETTLE, OrderStatus.FILLED, f"settle:{YES}")
    assert (settled.notional, settled.fee, settled.cash_after) == (Decimal(proceeds), Decimal(0), 1000 + Decimal(proceeds))
    assert settled.realised == Decimal(proceeds) - Decimal("5.10")
    assert (settled.price, settled.notes) == (Decimal(pays), "lead_lag exit=settled fee=0")
    assert reasons(play.reports) == [Reason.SETTLED, Reason.NO_ORDERBOOK]


def test_settlements_come_before_every_trade_of_the_tick() -> None:
    """The second market of the map settles, the first one leaves: the settlement is booked first."""
    positions = [position(), position(of=market("eth", token=NO), token=NO)]
    play = Play(rules(), state(ledger(positions=positions)))
    at = moment(OVERDUE_S)
    both = (market(), market("eth", token=NO))
    report = play.tick(snapshot(at, markets=both, books=[book(requested=at)], payouts={NO: Decimal(1)}))
    assert [trade.action for trade in report.trades] == [TradeAction.SETTLE, TradeAction.SELL]
    assert [verdict.cause.reason for verdict in report.verdicts] == [Reason.MAX_HOLD, Reason.SETTLED]


def test_a_payout_of_a_token_that_nobody_holds_is_no_trade() -> None:
    """Nothing is held, nothing is paid."""
    play = Play(rules())
    report = play.tick(seen(0, None, payouts={YES: Decimal(1)}))
    assert (report.trades, play.ledger.cash) == ((), Decimal(1000))


def test_a_resolved_token_is_not_bought() -> None:
    """The venue says what it pays, and its last book still shows: every other gate is open."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=60_300.0, payouts={YES: Decimal(0)})])
    assert reasons(play.reports)[-1] is Reason.MARKET_CLOSED
    assert trades(play) == []


def test_a_position_stays_managed_when_its_market_leaves_the_map() -> None:
    """It is followed after those of the map, held, marked and left; then it is forgotten."""
    play = Play(rules(), state(HELD))
    other = market("eth", token=NO)
    held = [snapshot(moment(s), markets=(other,), books=[book(requested=moment(s))]) for s in (165, 180, 195)]
    reports = play.ticks(held)
    named = [[(verdict.market.name, verdict.cause.reason) for verdict in report.verdicts] for report in reports]
    assert named[0] == [("eth", Reason.NO_ORDERBOOK), ("btc", Reason.WARMUP)]
    assert named[1] == [("eth", Reason.NO_ORDERBOOK), ("btc", Reason.MAX_HOLD)]
    assert named[2] == [("eth", Reason.NO_ORDERBOOK)]


def test_equity_counts_a_position_at_the_bid_from_the_tick_of_its_entry() -> None:
    """Ten shares at 0.50 are 5.00: the spread and the fee are lost at once, the stake is not."""
    play = entered()
    assert play.ledger.positions[YES].mark == Mark(value=Decimal("5.00"))
    equity = play.reports[-1].equity
    assert (equity.equity, equity.cash, equity.realised) == (Decimal("999.72507"), Decimal("994.72507"), Decimal("-0.17493"))
    assert (equity.unrealised, equity.open_positions) == (Decimal("-0.10"), 1)


def test_a_mark_walks_down_the_bids() -> None:
    """Four at 0.50, four at 0.49, two at 0.48: 4.92; what finds no bid is worth nothing."""
    play = Play(rules(), state(HELD))
    play.tick(seen(15, size=4))
    assert play.ledger.positions[YES].mark == Mark(value=Decimal("4.92"))
    play.tick(seen(30, size=2))
    assert play.ledger.positions[YES].mark == Mark(value=Decimal("2.94"))


@pytest.mark.parametrize("quote", [None, "/0.51", "0.01/0.99", "0.52/0.51"])
def test_without_a_bid_to_trust_the_last_mark_stays_and_is_flagged(quote: str | None) -> None:
    """Never the ask, never a ghost."""
    play = Play(rules(), state(HELD))
    play.ticks([seen(15), seen(30, quote)])
    assert play.ledger.positions[YES].mark == Mark(value=Decimal("5.00"), stale=True)
    assert play.ledger.equity == Decimal(1005)


def test_a_position_that_never_had_a_bid_is_worth_nothing() -> None:
    """Zero, and stale."""
    play = Play(rules(), state(HELD))
    play.tick(seen(15, None))
    assert play.ledger.positions[YES].mark == Mark(value=Decimal(0), stale=True)
    assert play.reports[-1].equity.unrealised == Decimal("-5.10")


def test_a_closed_market_holds_its_position_until_it_is_resolved() -> None:
    """No order can be placed; the settlement needs none."""
    closed = replace(market(), accepting=False)
    play = Play(rules(), state(HELD))
    play.ticks([seen(OVERDUE_S, of=closed), seen(OVERDUE_S + 15, of=closed, payouts={YES: Decimal(1)})])
    assert reasons(play.reports) == [Reason.MARKET_CLOSED, Reason.SETTLED]
