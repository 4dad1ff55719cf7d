"""How long a token takes to follow its reference, or that nobody can tell.

The lag is the shift at which the one-step returns of reference and mid correlate best. Noise always correlates a little
somewhere, so the best correlation must beat what shuffled returns reach: a permutation bound over the same maximum.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import sqrt
from operator import itemgetter, mul

from domain.edge import return_pct
from domain.history import History

MAX_SHIFT = 12
SHUFFLES = 99
CONFIDENCE = 0.95
FEWEST_RETURNS = 3 * MAX_SHIFT
CAPACITY = 120
"""Samples that a lag estimate wants to see."""

STILL = 1e-12
"""A series whose variance is a smaller part of its mean square does not move: what is left is rounding."""

Shuffle = Callable[[Sequence[float]], tuple[float, ...]]


def lag_ms(history: History) -> float | None:
    """Milliseconds by which the mid follows the reference; None when that is too weak to trust."""
    samples = history.samples[-CAPACITY:]
    if len(samples) <= FEWEST_RETURNS or not all(sample.reference for sample in samples):
        return None
    lead = _steps([sample.reference for sample in samples])
    follow = _Follower(_steps([sample.mid for sample in samples]))
    strengths = list(follow.correlations(lead))
    strength = max(strengths)
    if _by_chance(lead, follow, strength):
        return None
    return strengths.index(strength) * (samples[-1].elapsed_ms - samples[0].elapsed_ms) / (len(samples) - 1)


def _by_chance(lead: Sequence[float], follow: "_Follower", strength: float) -> bool:
    """Whether more shuffled leads than the confidence allows follow as well somewhere; the last are not tried in vain."""
    allowed = SHUFFLES - 1 - int(CONFIDENCE * SHUFFLES)
    for shuffle in _shuffles(len(lead)):
        if any(rival >= strength for rival in follow.correlations(shuffle(lead))):
            allowed -= 1
            if allowed < 0:
                return True
    return False


def _steps(series: Sequence[float]) -> list[float]:
    return [return_pct(new, old) for old, new in pairwise(series)]


class _Follower:
    """The series that may follow, cut at every shift, with the sums that each correlation needs."""

    def __init__(self, series: Sequence[float]) -> None:
        self._cuts = [_Cut(series[shift:]) for shift in range(MAX_SHIFT + 1)]

    def correlations(self, lead: Sequence[float]) -> Iterator[float]:
        """Pearson's correlation with the lead at each shift, without its sign; 0 where one of the two does not move."""
        sums, squares = list(accumulate(lead)), list(accumulate(map(mul, lead, lead)))
        for cut in self._cuts:
            end = cut.count - 1
            spread = _spread(sums[end], squares[end], cut.count) * cut.spread
            along = sum(map(mul, lead, cut.series)) - sums[end] * cut.total / cut.count
            yield abs(along) / sqrt(spread) if spread > 0 else 0.0


class _Cut:
    """What is left of a series after a shift, its sum, and its sum of squares around the mean."""

    def __init__(self, series: Sequence[float]) -> None:
        self.series, self.count, self.total = series, len(series), sum(series)
        self.spread = _spread(self.total, sum(map(mul, series, series)), self.count)


def _spread(total: float, squares: float, count: int) -> float:
    spread = squares - total * total / count
    return spread if spread > STILL * squares else 0.0


@lru_cache(maxsize=CAPACITY)
def _shuffles(count: int) -> tuple[Shuffle, ...]:
    """The same permutations at every call: a decision must not depend on a die (Fisher-Yates over a Lehmer generator)."""
    state, shuffles = 20_260_302, []
    for _ in range(SHUFFLES):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            state = state * 48_271 % 2_147_483_647
            other = state % (last + 1)
            order[last], order[other] = order[other], order[last]
        shuffles.append(itemgetter(*order))
    return tuple(shuffles)
