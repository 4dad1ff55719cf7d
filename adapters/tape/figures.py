"""A column as a number: the operators that the domain's formulas are written with, over numpy.

NaN stands for what is not known. Comparisons allow for the slack of a view: formulas round to nine decimals on floats and not
here, so that with a slack a table of gates opens, and a trigger fires, at least where it does on floats.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from adapters.tape.columns import Flags, Floats

SLACK = 1e-6
"""Far more than nine decimals round away, far less than any limit means."""

Operand = Floats | float


@dataclass(slots=True, eq=False)
class Column:
    """Implements `domain.figures.Figures`."""

    values: Floats

    def __add__(self, other: Self | float, /) -> Self:
        """Each plus the other's."""
        return type(self)(self.values + _operand(other))

    __radd__ = __add__

    def __sub__(self, other: Self | float, /) -> Self:
        """Each minus the other's."""
        return type(self)(self.values - _operand(other))

    def __rsub__(self, other: float, /) -> Self:
        """A number minus each."""
        return type(self)(other - self.values)

    def __mul__(self, other: Self | float, /) -> Self:
        """Each times the other's."""
        return type(self)(self.values * _operand(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Self | float, /) -> Self:
        """Each over the other's."""
        return type(self)(self.values / _operand(other))

    def __round__(self, digits: int, /) -> Self:
        """The same: only floats are rounded."""
        return self

    def power(self, exponent: float) -> Self:
        """Each to this power."""
        return self if exponent == 1 else type(self)(self.values**exponent)

    def clamped(self) -> Self:
        """Each cut to [0, 1]."""
        return type(self)(np.clip(self.values, 0.0, 1.0))


def _operand(other: Column | float) -> Operand:
    return other.values if isinstance(other, Column) else other


def operand(value: object) -> Operand:
    """A column's values, or a number as a float. Raises `TypeError` for anything else."""
    if isinstance(value, Column):
        return value.values
    return float(value)  # type: ignore[arg-type]


Compared = Callable[[Operand, Operand, float], Flags]

CLOSED: Mapping[object, Compared] = {
    operator.ge: lambda measured, limit, slack: np.less(measured, limit - slack),
    operator.gt: lambda measured, limit, slack: np.less_equal(measured, limit - slack),
    operator.le: lambda measured, limit, slack: np.greater(measured, limit + slack),
    operator.lt: lambda measured, limit, slack: np.greater_equal(measured, limit + slack),
}
"""Where a relation certainly does not hold; what is not known is not closed."""

FIRED: Mapping[object, Compared] = {
    operator.ge: lambda measured, limit, slack: np.greater_equal(measured, limit - slack),
    operator.gt: lambda measured, limit, slack: np.greater(measured, limit - slack),
    operator.le: lambda measured, limit, slack: np.less_equal(measured, limit + slack),
    operator.lt: lambda measured, limit, slack: np.less(measured, limit + slack),
}
"""Where a relation may hold; what is not known does not fire."""
