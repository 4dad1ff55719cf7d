"""How long a token takes to follow its reference, or that nobody can tell.

The lag is the shift at which the one-step returns of reference and mid correlate best. Noise always correlates a little
somewhere, so the best correlation must beat what shuffled returns reach: a permutation bound over the same maximum.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from domain.edge import return_pct
from domain.history import History

MAX_SHIFT = 12
SHUFFLES = 99
CONFIDENCE = 0.95
FEWEST_RETURNS = 3 * MAX_SHIFT
CAPACITY = 120
"""Samples that a lag estimate wants to see."""


def lag_ms(history: History) -> float | None:
    """Milliseconds by which the mid follows the reference; None when that is too weak to trust."""
    samples = history.samples[-CAPACITY:]
    if len(samples) <= FEWEST_RETURNS or not all(sample.reference for sample in samples):
        return None
    lead = _steps([sample.reference for sample in samples])
    follow = _steps([sample.mid for sample in samples])
    shift, strength = _best_shift(lead, follow)
    rivals = sorted(_best_shift(shuffled, follow)[1] for shuffled in _shuffles(lead))
    if strength <= rivals[int(CONFIDENCE * SHUFFLES)]:
        return None
    return shift * (samples[-1].elapsed_ms - samples[0].elapsed_ms) / (len(samples) - 1)


def _steps(series: Sequence[float]) -> list[float]:
    return [return_pct(new, old) for old, new in pairwise(series)]


def _best_shift(lead: Sequence[float], follow: Sequence[float]) -> tuple[int, float]:
    """The shift with the largest absolute correlation, and that correlation's size."""
    return max(
        ((shift, abs(_correlation(lead[: len(lead) - shift], follow[shift:]))) for shift in range(MAX_SHIFT + 1)),
        key=lambda found: found[1],
    )


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson's correlation; 0 where one of the two does not move."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    along = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    spread = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
    return along / float(spread**0.5) if spread > 0 else 0.0


def _shuffles(series: Sequence[float]) -> Iterator[list[float]]:
    """The same permutations at every call: a decision must not depend on a die (Fisher-Yates over a Lehmer generator)."""
    state = 20_260_302
    for _ in range(SHUFFLES):
        shuffled = list(series)
        for last in range(len(shuffled) - 1, 0, -1):
            state = state * 48_271 % 2_147_483_647
            other = state % (last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        yield shuffled
