"""What happens once stays once, what is gone vouches for nothing, and a limit means the number that it says."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decision import Reason
from domain.edge import lead_lag_edge_pct, return_pct
from domain.market import Reference, Snapshot
from domain.view import Limits, ScaleIn
from tests.builders import INTERVAL_S, SPOT, YES, ledger, moment, position, rules, seen, state, warming_up
from tests.domain.test_trading import reasons
from tests.fakes import Play


def test_a_settled_token_is_a_closed_market() -> None:
    """Even when its listing still says that it accepts orders."""
    opening = state(replace(ledger(), settled=frozenset({YES})))
    play = Play(rules(), opening)
    play.ticks([*warming_up(), seen(75, spot=60_300.0)])
    assert reasons(play.reports)[-1] == Reason.MARKET_CLOSED


def test_a_payout_is_remembered_in_the_ledger() -> None:
    """With the position gone, nothing else would know."""
    play = Play(rules(), state(ledger(positions=[position()])))
    play.tick(seen(0, payouts={YES: Decimal("0.5")}))
    assert play.ledger.settled == frozenset({YES})
    assert not play.ledger.positions


def _with_stale_reference(seconds: float, price: float) -> Snapshot:
    fresh = seen(seconds)
    return replace(fresh, references={SPOT: Reference(price=price, requested=moment(seconds), age_s=61)})


def test_a_stale_reference_is_not_remembered_and_confirms_no_spike() -> None:
    """It is refused as stale, and the spike after it is still the first."""
    play = Play(rules())
    play.ticks([*warming_up(), _with_stale_reference(75, 70_000.0), seen(90, spot=70_000.0)])
    assert reasons(play.reports)[5:] == [Reason.STALE_INPUT, Reason.REFERENCE_SPIKE]


def test_a_spike_is_confirmed_only_by_the_very_next_tick() -> None:
    """After a tick without a reference it must be seen twice anew."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=70_000.0), seen(90, spot=None), seen(105, spot=70_000.0)])
    assert reasons(play.reports)[5:] == [Reason.REFERENCE_SPIKE, Reason.MISSING_REFERENCE, Reason.REFERENCE_SPIKE]


def test_without_a_throttle_any_number_of_orders_is_sent() -> None:
    """PM_MAX_ORDERS_PER_TICK=0 means that the gate is absent."""
    play = Play(rules(limits=Limits(orders_per_tick=None)))
    play.ticks([*warming_up(), seen(75, spot=60_300.0)])
    assert reasons(play.reports)[-1] == Reason.ENTER


def test_a_clock_jump_does_not_make_the_price_of_a_position_old() -> None:
    """Its bids came in this tick."""
    play = Play(rules(), state(ledger(positions=[position()])))
    play.ticks([seen(0), seen(INTERVAL_S, wall_step_s=3_600)])
    assert play.reports[-1].verdicts[0].cause.reason == Reason.CLOCK_JUMP
    assert not play.ledger.positions[YES].mark.stale


@pytest.mark.parametrize("mid", [n / 1000 for n in range(20, 1000, 20)])
def test_a_fall_of_exactly_five_percent_is_five_percent(mid: float) -> None:
    """Whatever the last bit of the floats says."""
    assert return_pct(mid * 95 / 100, mid) == -5.0


def test_an_edge_of_exactly_the_limit_passes() -> None:
    """0.3 - 0.1 is 0.2."""
    assert lead_lag_edge_pct(directed_move_pct=0.3, mid_move_pct=0.1) == 0.2


def test_a_rise_of_exactly_the_scale_in_limit_counts() -> None:
    """0.625 to 0.6275 is 0.40 %."""
    assert return_pct(0.6275, 0.625) >= (ScaleIn(odds_change_pct=0.40).odds_change_pct or 0)
