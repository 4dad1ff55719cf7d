"""Whole trades, tick by tick, with exact numbers: step, the paper broker, settle."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decision import Reason
from domain.ledger import Action, OrderStatus
from domain.market import Snapshot, TokenId
from domain.report import Report, Trade, TradeAction
from domain.sizing import Sizing
from domain.view import Limits, ScaleIn
from tests.builders import CRYPTO, INTERVAL_S, NO, SIZING, YES, book, market, moment, rules, seen, snapshot, warming_up
from tests.fakes import Play

STEP_UP = 60_300.0
"""Spot after +0.5 %."""


def reasons(reports: list[Report]) -> list[Reason]:
    """What each tick said about its first token."""
    return [report.verdicts[0].cause.reason for report in reports]


def trades(play: Play) -> list[Trade]:
    """All trades so far."""
    return [trade for report in play.reports for trade in report.trades]


def entered() -> Play:
    """The runbook's minimum, in at 75 s: ten shares at 0.51 after a step of +0.5 %."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=STEP_UP)])
    return play


def test_the_runbook_minimum_buys_ten_shares_at_the_ask_with_the_fee() -> None:
    """Five ticks of warm-up, then spot +0.5 % over a flat 0.50/0.51 book: 5.10 and 10 x 0.07 x 0.2499 = 0.17493."""
    play = entered()
    (bought,) = trades(play)
    assert reasons(play.reports) == [Reason.WARMUP] * 5 + [Reason.ENTER]
    assert (bought.action, bought.status, bought.shares, bought.price) == (
        TradeAction.BUY,
        OrderStatus.FILLED,
        Decimal(10),
        Decimal("0.51"),
    )
    assert (bought.notional, bought.fee, bought.realised) == (Decimal("5.10"), Decimal("0.17493"), Decimal("-0.17493"))
    assert (bought.cash_after, bought.id) == (Decimal("994.72507"), "6-0")
    assert bought.notes == "lead_lag enter fee=0.17493 mid=0.505"
    signal = play.reports[-1].verdicts[0].signal
    assert signal is not None
    assert (signal.edge, signal.move) == (0.5, 0.5)
    costs = play.reports[-1].verdicts[0].costs
    assert costs is not None
    assert (costs.spread, costs.fee) == pytest.approx((0.005 / 0.505 * 100, 0.017493 / 0.505 * 100))
    assert costs.net_edge == pytest.approx(0.5 - costs.total)


def test_a_trade_whose_fee_the_market_did_not_state_says_so() -> None:
    """The rate of a table is a guess, and the row must not look like a receipt."""
    play = Play(rules())
    guessed = market(fees=replace(CRYPTO, assumed=True))
    play.ticks([*warming_up(of=guessed), seen(75, spot=STEP_UP, of=guessed)])
    assert trades(play)[0].notes == "lead_lag enter fee=0.17493 mid=0.505 fee_assumed"


def test_the_verdicts_of_a_tick_are_as_good_as_a_tuple_of_them() -> None:
    """They are made late, and yet equal and hashed as what they stand for."""
    verdicts = entered().decisions[-1].verdicts
    assert verdicts == tuple(verdicts)
    assert hash(verdicts) == hash(tuple(verdicts))


def test_it_leaves_by_edge_exit_when_polymarket_has_followed() -> None:
    """Mid 0.505 to 0.515 is +1.98 %: the edge is gone; sold at 0.51 with the same fee."""
    play = entered()
    play.tick(seen(90, "0.51/0.52", STEP_UP))
    sold = trades(play)[-1]
    assert reasons(play.reports)[-1] is Reason.EDGE_EXIT
    assert (sold.notional, sold.fee, sold.realised) == (Decimal("5.10"), Decimal("0.17493"), Decimal("-0.17493"))
    assert (sold.notes, play.ledger.cash) == ("lead_lag exit=edge_exit fee=0.17493 mid=0.515", Decimal("999.65014"))
    assert play.ledger.positions == {}


def test_it_leaves_by_edge_exit_when_the_step_has_left_the_window() -> None:
    """Five ticks later all six samples stand after the step; sold at 0.50: 5 - 0.175 - 5.10."""
    play = entered()
    play.ticks([seen(75 + INTERVAL_S * n, spot=STEP_UP) for n in range(1, 6)])
    sold = trades(play)[-1]
    assert reasons(play.reports)[6:] == [Reason.HOLD] * 4 + [Reason.EDGE_EXIT]
    assert (sold.moment, sold.realised) == (moment(150), Decimal("-0.275"))
    assert (play.ledger.cash, play.ledger.realised) == (Decimal("999.55007"), Decimal("-0.44993"))


def _drifting(first: int, last: int) -> list[Snapshot]:
    return [seen(INTERVAL_S * n, spot=60_000 * 1.0005**n) for n in range(first, last)]


def test_a_drifting_reference_over_a_flat_book_leaves_by_max_hold_at_180_seconds() -> None:
    """0.05 % a tick is 0.25025 % over the window: the edge never goes, the hold time does."""
    play = Play(rules())
    play.ticks(_drifting(0, 18))
    bought, sold = trades(play)
    assert (bought.moment, sold.moment) == (moment(75), moment(255))
    assert sold.notes == "lead_lag exit=max_hold fee=0.175 mid=0.505"
    assert reasons(play.reports)[6:] == [Reason.HOLD] * 11 + [Reason.MAX_HOLD]
    cause = play.reports[-1].verdicts[0].cause
    assert (cause.measured, cause.limit, cause.setting) == (180.0, 180.0, "LEAD_LAG_MAX_HOLD_SECS")


def test_a_token_that_was_left_is_not_bought_back_in_the_same_tick_but_in_the_next() -> None:
    """The gates for an entry are open all the while."""
    play = Play(rules())
    play.ticks(_drifting(0, 19))
    assert [trade.action for report in play.reports[-2:] for trade in report.trades] == [TradeAction.SELL, TradeAction.BUY]
    assert reasons(play.reports)[-2:] == [Reason.MAX_HOLD, Reason.ENTER]


SCALING = ScaleIn(odds_change_pct=0.40)


def _rising(n: int) -> Snapshot:
    """The mid rises by 0.005 a tick (about 1 %), spot by 1.5 %."""
    bid = Decimal("0.500") + Decimal("0.005") * n
    return seen(60 + INTERVAL_S * n, f"{bid}/{bid + Decimal('0.01')}", 60_000 * 1.015**n)


def _scaled(sizing: Sizing = SIZING) -> Play:
    play = Play(rules(limits=Limits(scale_in=SCALING), sizing=sizing))
    play.ticks([*warming_up(), *map(_rising, range(1, 12))])
    return play


def test_a_winner_is_added_to_three_times_half_a_size_each() -> None:
    """Entry at 75 s, adds of 5 shares at 105, 135 and 165 s: the 20 s cool-down skips every other tick of 15 s."""
    play = _scaled()
    bought = trades(play)
    assert [trade.shares for trade in bought] == [Decimal(10), Decimal(5), Decimal(5), Decimal(5)]
    assert [trade.moment for trade in bought] == [moment(75), moment(105), moment(135), moment(165)]
    assert [trade.notes.split(" fee")[0] for trade in bought] == ["lead_lag enter", *["lead_lag scale_in"] * 3]
    held = play.ledger.positions[YES]
    assert (held.adds, held.shares, held.opened, held.last_scale) == (3, Decimal(25), moment(75), moment(165))
    assert held.cost == Decimal("5.15") + 5 * (Decimal("0.525") + Decimal("0.535") + Decimal("0.545"))
    assert held.last_mid == pytest.approx(0.540)


def test_between_adds_the_row_says_what_they_wait_for() -> None:
    """Cooling down, then adds are used up; the edge is still there, so nothing is sold."""
    assert reasons(_scaled().reports)[5:] == [
        Reason.ENTER,
        *[Reason.COOLING_DOWN, Reason.SCALE_IN] * 3,
        Reason.COOLING_DOWN,
        *[Reason.MAX_ADDS] * 3,
    ]


def test_adds_stop_at_the_total_of_fifty_shares() -> None:
    """Order size 30: adds of 15, the last one cut to the 5 that are left."""
    play = _scaled(replace(SIZING, order_shares=Decimal(30)))
    assert [trade.shares for trade in trades(play)] == [Decimal(30), Decimal(15), Decimal(5)]
    assert play.ledger.positions[YES].shares == 50
    assert reasons(play.reports)[-1] is Reason.MAX_POSITION


def test_adds_wait_until_the_mid_has_risen_since_the_last_fill() -> None:
    """Spot runs, the token stands: nothing confirms the edge."""
    play = Play(rules(limits=Limits(scale_in=SCALING)))
    play.ticks([*warming_up(), *(seen(60 + INTERVAL_S * n, spot=60_000 * 1.01**n) for n in range(1, 5))])
    assert reasons(play.reports)[5:] == [Reason.ENTER, *[Reason.ODDS_UNMOVED] * 3]


def test_scale_in_is_absent_by_default() -> None:
    """The minimum configuration never adds."""
    play = Play(rules())
    play.ticks([*warming_up(), *map(_rising, range(1, 12))])
    assert [trade.shares for trade in trades(play)] == [Decimal(10)]
    assert set(reasons(play.reports)[6:]) == {Reason.HOLD}


@pytest.mark.parametrize(("spot", "reason"), [(59_700.0, Reason.ENTER), (60_300.0, Reason.SPOT_MOVE_TOO_SMALL)])
def test_the_direction_belongs_to_the_market(spot: float, reason: Reason) -> None:
    """A No token, or a "will it dip" market, is bought when the reference falls and not when it rises."""
    inverse = market(token=NO, outcome="No", direction=-1)
    play = Play(rules())
    play.ticks([*warming_up(of=inverse), seen(75, spot=spot, of=inverse)])
    assert reasons(play.reports)[-1] is reason
    assert set(play.ledger.positions) == ({NO} if reason is Reason.ENTER else set())


def test_yes_and_no_of_one_market_answer_one_step_in_opposite_ways() -> None:
    """One process follows both; a rise buys Yes only."""
    both = (market(complement=NO), market(token=NO, outcome="No", direction=-1, complement=YES))
    play = Play(rules())
    for n in range(6):
        at = moment(INTERVAL_S * n)
        books = [book(requested=at), book("0.49/0.50", token=NO, requested=at)]
        play.tick(snapshot(at, markets=both, books=books, spot=60_000.0 if n < 5 else STEP_UP))
    assert {v.market.outcome: v.action for v in play.reports[-1].verdicts} == {"Yes": Action.ENTER, "No": Action.SKIP}


def test_verdicts_come_in_map_order_one_for_each_followed_token() -> None:
    """Also for a token that nobody knows yet."""
    names = ["c", "a", "b"]
    markets = (*(market(name, token=TokenId(name)) for name in names), market("later", token=None))
    report = Play(rules()).tick(snapshot(moment(0), markets=markets))
    assert [verdict.market.name for verdict in report.verdicts] == [*names, "later"]


def test_an_entry_that_finds_less_than_it_asked_for_holds_exactly_that() -> None:
    """Order size 10 without orderbook sizing, 6 shares within a cent of the ask: 3 + 3, the rest is cancelled."""
    plain = rules(sizing=replace(SIZING, banded=False))
    play = Play(plain)
    play.ticks([*warming_up(), seen(75, spot=STEP_UP, size=3)])
    (bought,) = trades(play)
    assert (bought.shares, bought.notional) == (Decimal(6), Decimal("3.09"))
    assert bought.notes == "lead_lag enter fee=0.10488 mid=0.505 filled 6 of 10"
