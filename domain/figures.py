"""Numbers, or whole columns of them: what a formula may use so that it is written once for both.

A tick works on floats. A tape works on columns, whose adapter offers the operators below, element by element; a formula that
keeps to them runs on either. Rounding is left to the floats: a column returns itself, and who compares one allows for that.
"""

import math
from typing import Protocol, Self, TypeVar


class Figures(Protocol):
    """Many floats with the operators of one; NaN stands for what is not known."""

    def __add__(self, other: Self | float, /) -> Self:
        """Each plus the other's."""
        ...

    def __radd__(self, other: float, /) -> Self:
        """A number plus each."""
        ...

    def __sub__(self, other: Self | float, /) -> Self:
        """Each minus the other's."""
        ...

    def __rsub__(self, other: float, /) -> Self:
        """A number minus each."""
        ...

    def __mul__(self, other: Self | float, /) -> Self:
        """Each times the other's."""
        ...

    def __rmul__(self, other: float, /) -> Self:
        """A number times each."""
        ...

    def __truediv__(self, other: Self | float, /) -> Self:
        """Each over the other's."""
        ...

    def __round__(self, digits: int, /) -> Self:
        """The same: only floats are rounded."""
        ...

    def power(self, exponent: float) -> Self:
        """Each to this power."""
        ...

    def clamped(self) -> Self:
        """Each cut to [0, 1]."""
        ...


Figure = TypeVar("Figure", float, Figures)


def power(base: Figure, exponent: float) -> Figure:
    """A number, or each of a column, to this power."""
    return math.pow(base, exponent) if isinstance(base, float) else base.power(exponent)


def clamped(p: Figure) -> Figure:
    """A probability, or each of a column, cut to [0, 1]."""
    return min(max(p, 0.0), 1.0) if isinstance(p, float) else p.clamped()
