"""The arithmetic of signals, against numbers computed by hand."""

from statistics import stdev

import pytest

from domain.edge import Unit, directed, lead_lag_edge_pct, noise_pct, return_pct
from domain.strategies.lead_lag import LeadLag, lead_lag
from tests.builders import market, reading


@pytest.mark.parametrize(("newest", "oldest", "percent"), [(60_300, 60_000, 0.5), (0.50, 0.40, 25.0), (90.0, 120.0, -25.0)])
def test_a_return_is_in_percent_of_the_oldest(newest: float, oldest: float, percent: float) -> None:
    """(newest / oldest - 1) x 100."""
    assert return_pct(newest, oldest) == pytest.approx(percent)


@pytest.mark.parametrize("start", [100, 400, 2000, 3000, 52_000, 60_000, 100_000])
def test_a_move_of_exactly_the_threshold_counts_as_one(start: int) -> None:
    """0.25 % of a round price is 0.25, not 0.2499999999999947: the gate says >=."""
    assert return_pct(start + start / 400, start) == 0.25


def test_the_edge_is_what_the_token_has_yet_to_follow() -> None:
    """Spot +0.5 %, mid +0.2 %: 0.3 is left; for an inverse token spot -0.5 % counts the same."""
    assert lead_lag_edge_pct(directed_move_pct=directed(1, 0.5), mid_move_pct=0.2) == pytest.approx(0.3)
    assert lead_lag_edge_pct(directed_move_pct=directed(-1, -0.5), mid_move_pct=0.2) == pytest.approx(0.3)


def test_lead_lag_looks_back_over_its_lookback_points() -> None:
    """Six samples: newest against five samples earlier; what lies before does not count."""
    pairs = [(50_000, 0.30), *[(60_000, 0.500)] * 5, (60_300, 0.505)]
    signal = LeadLag().signal(reading(pairs))
    assert signal.move == pytest.approx(0.5)
    assert signal.edge == pytest.approx(0.5 - 1.0)
    assert signal.fair_p == pytest.approx(0.505 * (1 - 0.005))
    assert signal.move_min == 0.25


def test_lead_lag_of_an_inverse_token_follows_a_falling_reference() -> None:
    """Direction -1: spot -0.5 % over a mid that rose 0.1 % leaves 0.4 %."""
    pairs = [(60_000, 0.5000), *[(60_000, 0.5)] * 4, (59_700, 0.5005)]
    signal = LeadLag().signal(reading(pairs, of=market(direction=-1)))
    assert signal.move == pytest.approx(0.5)
    assert signal.edge == pytest.approx(0.4)


def test_a_fair_price_stays_a_probability() -> None:
    """An edge of 200 % over a mid of 0.505 would be 1.515."""
    pairs = [*[(60_000, 0.505)] * 5, (180_000, 0.505)]
    assert LeadLag().signal(reading(pairs)).fair_p == 1.0


def test_noise_is_the_sample_deviation_of_the_steps_before_the_window() -> None:
    """Eight samples, lookback three: the steps up to the window's first sample, so five, and never those inside it."""
    series = [100.0, 101.0, 100.0, 102.0, 102.0, 101.0, 150.0, 200.0]
    steps = [(101 / 100 - 1), (100 / 101 - 1), (102 / 100 - 1), 0.0, (101 / 102 - 1)]
    assert noise_pct(series, window=40, lookback=3) == pytest.approx(stdev(100 * step for step in steps))


def test_noise_uses_at_most_its_window() -> None:
    """Window two: only the last two steps before the lookback."""
    series = [100.0, 300.0, 102.0, 102.0, 101.0, 150.0, 200.0]
    assert noise_pct(series, window=2, lookback=3) == pytest.approx(stdev([0.0, 100 * (101 / 102 - 1)]))


@pytest.mark.parametrize("before", [0, 1])
def test_too_few_steps_are_no_noise(before: int) -> None:
    """One step has no deviation: the term is left out, not zero."""
    assert noise_pct([100.0] * before + [100.0, 101.0, 102.0], window=40, lookback=3) is None


def test_noise_raises_the_move_that_is_asked_for() -> None:
    """Three deviations when they exceed the fixed minimum, else the minimum."""
    calm = [(60_000.0, 0.5)] * 10
    wild = [(60_000.0 * (1.01 if n % 2 else 1.0), 0.5) for n in range(12)]
    adaptive = LeadLag(noise_mult=3.0)
    expected = noise_pct([reference for reference, _ in wild], window=40, lookback=6)
    assert expected is not None
    assert adaptive.signal(reading(calm)).move_min == 0.25
    assert adaptive.signal(reading(wild)).move_min == 3.0 * expected
    assert adaptive.signal(reading(calm[:6])).move_min == 0.25


@pytest.mark.parametrize(
    ("thresholds", "estimates_lag", "capacity"),
    [(LeadLag(), False, 6), (LeadLag(noise_mult=3.0), False, 46), (LeadLag(), True, 120)],
)
def test_history_is_kept_as_long_as_the_rules_need_it(thresholds: LeadLag, estimates_lag: bool, capacity: int) -> None:
    """Lookback; plus forty steps for the noise; or what a lag estimate wants."""
    strategy = lead_lag(thresholds, estimates_lag=estimates_lag)
    assert (strategy.points, strategy.capacity) == (6, capacity)


@pytest.mark.parametrize(("unit", "amount"), [(Unit.PERCENT_OF_MID, 2.5), (Unit.POINTS, 1.0), (Unit.PROBABILITY, 0.01)])
def test_a_price_in_a_unit_and_back(unit: Unit, amount: float) -> None:
    """One cent at a mid of 0.40."""
    assert unit.of_price(0.01, 0.40) == pytest.approx(amount)
    assert unit.to_price(amount, 0.40) == pytest.approx(0.01)
