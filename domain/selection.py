"""Choosing the best of many settings, and how much of its score is luck: plain statistics of what each period brought.

A setting's record is its change of equity in each of many equal periods of a tape. Its score is the Sharpe ratio of that
record, per period and not annualised: the mean change over its standard deviation.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import NormalDist, fmean, variance

from domain.value import value

EULER = 0.5772156649015329
NORMAL = NormalDist()

CLIFF = 0.5
"""Neighbours whose middle score is less than this part of the best one's stand below a cliff."""


def sharpe(changes: Sequence[float]) -> float:
    """Mean over sample standard deviation; 0 where nothing varies, or with fewer than two periods."""
    if len(changes) < 2:
        return 0.0
    spread = math.sqrt(variance(changes))
    return fmean(changes) / spread if spread > 0 else 0.0


def expected_best(scores: Sequence[float]) -> float:
    """The best score to expect of so many trials that have no skill at all and vary as these do.

    Bailey and López de Prado, "The Deflated Sharpe Ratio" (Journal of Portfolio Management 40(5), 2014), equation 1 and
    appendix A: `SR0 = sqrt(V) * ((1 - g) * Z(1 - 1/N) + g * Z(1 - 1/(N*e)))`, with V the variance of the trials' scores, N how
    many there are, g the Euler-Mascheroni constant and Z the inverse of the standard normal distribution. 0 for one trial.
    """
    trials = len(scores)
    if trials < 2:
        return 0.0
    highest = (1 - EULER) * NORMAL.inv_cdf(1 - 1 / trials) + EULER * NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance(scores)) * highest


def deflated_sharpe(changes: Sequence[float], scores: Sequence[float]) -> float | None:
    """The probability that a record's true Sharpe ratio exceeds what the best of all trials would show by luck.

    Bailey and López de Prado (2014), equation 2: `DSR = F((SR - SR0) * sqrt(T - 1) / sqrt(1 - s*SR + (k - 1)/4 * SR^2))`, with
    F the standard normal distribution, T the periods, s the skewness and k the kurtosis (3 for a normal distribution) of the
    record, SR0 as in `expected_best`. `scores` are those of all trials, this record's among them. The trials count as
    independent; those of a grid are alike, so the truth lies on the kinder side. None for a record that does not vary.
    """
    score = sharpe(changes)
    if score == 0:
        return None
    skewness, kurtosis = _shape(changes)
    return exceeds(score, expected_best(scores), periods=len(changes), skewness=skewness, kurtosis=kurtosis)


def exceeds(score: float, bound: float, *, periods: int, skewness: float, kurtosis: float) -> float | None:
    """The probability that a record's true Sharpe ratio lies above a bound: equation 2 above; None where it has no sense."""
    width = 1 - skewness * score + (kurtosis - 1) / 4 * score**2
    return NORMAL.cdf((score - bound) * math.sqrt(periods - 1) / math.sqrt(width)) if width > 0 else None


def _shape(values: Sequence[float]) -> tuple[float, float]:
    """Skewness and kurtosis of all values (moments over their number); those of a normal distribution when nothing varies."""
    middle = fmean(values) if values else 0.0
    second, third, fourth = (fmean([(value - middle) ** power for value in values]) if values else 0.0 for power in (2, 3, 4))
    return (third / second**1.5, fourth / second**2) if second > 0 else (0.0, 3.0)


@value
class Fold:
    """Periods `first` to before `end` are the test; those before `seen` are the past that a choice may look at."""

    seen: int
    first: int
    end: int


def folds_of(edges_s: Sequence[float], *, count: int, purge_s: float) -> tuple[Fold, ...]:
    """Walk-forward folds over the periods between these edges (seconds, rising).

    The periods are cut into `count` + 1 stretches of equal length; each but the first is the test of one fold, whose past is
    all that ends `purge_s` or more before it begins. A fold whose past would be shorter than two periods is left out.
    """
    periods = len(edges_s) - 1
    cuts = [round(periods * number / (count + 1)) for number in range(count + 2)]
    tests = tuple(pairwise(cuts))[1:]
    found = (
        Fold(seen=sum(edge <= edges_s[first] - purge_s for edge in edges_s[1 : first + 1]), first=first, end=end)
        for first, end in tests
        if first < end
    )
    return tuple(fold for fold in found if fold.seen >= 2)


def best_of(scores: Sequence[float]) -> int:
    """Which score is the highest; the first of equals."""
    return max(range(len(scores)), key=lambda number: (scores[number], -number))


Place = tuple[int, ...]
"""Where a setting stands: the number of its value, in the order of size, for each variable."""


def beside(places: Sequence[Place], centre: Place) -> tuple[int, ...]:
    """The places one step from this one in one variable; where none is known, as many nearest ones as would have been."""
    steps = [_steps(place, centre) for place in places]
    near = tuple(number for number, away in enumerate(steps) if sum(away) == 1)
    if near:
        return near
    others = sorted((sum(away), number) for number, away in enumerate(steps) if sum(away))
    return tuple(number for _, number in others[: 2 * len(centre)])


def _steps(place: Place, centre: Place) -> tuple[int, ...]:
    return tuple(abs(one - other) for one, other in zip(place, centre, strict=True))


def on_a_cliff(score: float, neighbours: Sequence[float]) -> bool:
    """Whether a best score stands alone: the middle one of its neighbours' is much worse."""
    if score <= 0 or not neighbours:
        return False
    return sorted(neighbours)[(len(neighbours) - 1) // 2] < CLIFF * score


def telling(values: Sequence[int], scores: Sequence[float]) -> float:
    """How much of the scores' variation this variable explains: between its values, over all (0 to 1)."""
    middle = fmean(scores)
    whole = sum((score - middle) ** 2 for score in scores)
    between = sum(len(group) * (fmean(group) - middle) ** 2 for group in _groups(values, scores))
    return between / whole if whole > 0 else 0.0


def _groups(values: Sequence[int], scores: Sequence[float]) -> Iterator[list[float]]:
    for one in dict.fromkeys(values):
        yield [score for each, score in zip(values, scores, strict=True) if each == one]
