"""Which ticks a long series keeps: every 2^k-th, the first and the last, k as small as the limit allows.

The choice hangs on the first and the last sequence number alone, so a series built tick by tick keeps the same points as
one that is thinned at once, and thinning twice is thinning once.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Numbered(Protocol):
    """A point of a series."""

    @property
    def sequence(self) -> int:
        """The number of the tick."""
        ...


Point = TypeVar("Point", bound=Numbered)


def stride(*, first: int, last: int, kept: int) -> int:
    """The smallest power of two whose multiples between `first` and `last`, with both ends, are at most `kept` ticks."""
    if kept < 2:
        raise ValueError(f"a series keeps its first and its last point, so at least 2, not {kept}")
    step = 1
    while _count(first, last, step) > kept:
        step *= 2
    return step


def _count(first: int, last: int, step: int) -> int:
    ends = len({end for end in (first, last) if end % step})
    return last // step - (first - 1) // step + ends


def thinned(points: Sequence[Point], kept: int) -> tuple[Point, ...]:
    """The points to keep of a series whose sequence numbers rise."""
    if not points:
        return ()
    first, last = points[0].sequence, points[-1].sequence
    step = stride(first=first, last=last, kept=kept)
    return tuple(point for point in points if point.sequence in (first, last) or point.sequence % step == 0)
