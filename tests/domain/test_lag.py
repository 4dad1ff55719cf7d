"""The lag estimate: it finds what is there and stays silent about what is not."""

import random
from itertools import pairwise
from statistics import correlation

import pytest

from domain.edge import return_pct
from domain.history import History, Sample
from domain.lag import CAPACITY, FEWEST_RETURNS, lag_ms


def _series(seed: int, length: int) -> list[float]:
    dice = random.Random(seed)
    prices = [60_000.0]
    while len(prices) < length:
        prices.append(prices[-1] * (1 + dice.gauss(0, 0.001)))
    return prices


def following(seed: int, *, shift: int, length: int = CAPACITY, sign: int = 1, interval_ms: int = 15_000) -> History:
    """A history in which the mid does what the reference did `shift` samples before."""
    prices = _series(seed, length + shift)
    return History(
        tuple(Sample(n * interval_ms, prices[n + shift], 0.5 * (prices[n] / 60_000.0) ** sign) for n in range(length))
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shift", [0, 1, 4, 12])
def test_a_known_lag_is_found(seed: int, shift: int) -> None:
    """Shift times the sampling interval."""
    assert lag_ms(following(seed, shift=shift)) == pytest.approx(shift * 15_000)


@pytest.mark.parametrize("seed", range(5))
def test_the_lag_is_the_shift_at_which_the_returns_correlate_best(seed: int) -> None:
    """As the standard library's own correlation has it, with a mid that is rounded to cents and half noise."""
    dice, clean = random.Random(seed), following(seed, shift=seed)
    noisy = History(tuple(each._replace(mid=round(each.mid * (1 + dice.gauss(0, 0.0005)), 4)) for each in clean.samples))
    lead = [return_pct(new.reference, old.reference) for old, new in pairwise(noisy.samples)]
    follow = [return_pct(new.mid, old.mid) for old, new in pairwise(noisy.samples)]
    best = max(range(13), key=lambda shift: abs(correlation(lead[: len(lead) - shift], follow[shift:])))
    assert lag_ms(noisy) == pytest.approx(best * 15_000)


def test_a_token_that_moves_against_its_reference_lags_as_well() -> None:
    """No follows with the opposite sign."""
    assert lag_ms(following(1, shift=3, sign=-1)) == pytest.approx(45_000)


def test_noise_alone_gives_no_lag_nine_times_of_ten() -> None:
    """At 95 % confidence a few of forty unrelated series may pass by chance; most must not."""
    unrelated = [
        History(
            tuple(Sample(n * 15_000, a, b) for n, (a, b) in enumerate(zip(_series(k, 60), _series(k + 1000, 60), strict=True)))
        )
        for k in range(40)
    ]
    assert sum(lag_ms(history) is not None for history in unrelated) <= 4


def test_a_mid_that_does_not_move_has_no_lag() -> None:
    """Nothing correlates with a constant."""
    flat = History(tuple(Sample(n * 15_000, price, 0.5) for n, price in enumerate(_series(1, 60))))
    assert lag_ms(flat) is None


@pytest.mark.parametrize(("length", "known"), [(FEWEST_RETURNS, False), (FEWEST_RETURNS + 1, True)])
def test_too_few_samples_say_nothing(length: int, known: bool) -> None:
    """Thirty-six returns are the fewest."""
    assert (lag_ms(following(1, shift=1, length=length)) is not None) is known


def test_the_estimate_is_the_same_at_every_call() -> None:
    """A decision must not depend on a die."""
    history = following(5, shift=2)
    assert lag_ms(history) == lag_ms(history)
