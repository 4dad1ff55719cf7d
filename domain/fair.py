"""Fair probabilities from a reference price: the models that a market map can name (SPEC section 4, fair_model)."""

from typing import Literal

from domain.figures import Figure, clamped
from domain.value import value


@value
class Constant:
    """A fair probability that never changes. It asks for no reference."""

    p: float
    mode: Literal["constant"] = "constant"

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 <= self.p <= 1:
            raise ValueError(f"a probability lies between 0 and 1, not at {self.p}")

    @property
    def asks_reference(self) -> bool:
        """Whether a reference is needed."""
        return False

    def fair_p(self, reference: float) -> float:
        """The probability, whatever the reference."""
        return self.p

    def complement(self) -> "Constant":
        """The model of the other outcome."""
        return Constant(p=1 - self.p)


@value
class LinearRange:
    """A probability linear in the reference between `zero_at` and `one_at`, clamped to [0, 1] outside them.

    Both are prices of the reference; it falls as the reference rises when `one_at` lies below `zero_at`.
    """

    zero_at: float
    one_at: float
    mode: Literal["linear_range"] = "linear_range"

    def __post_init__(self) -> None:
        """Refuse a range without a width."""
        if self.zero_at == self.one_at:
            raise ValueError(f"a range needs two ends, not {self.zero_at} twice")

    @property
    def asks_reference(self) -> bool:
        """Whether a reference is needed."""
        return True

    def fair_p(self, reference: Figure) -> Figure:
        """The probability at this price of the reference."""
        return clamped((reference - self.zero_at) / (self.one_at - self.zero_at))

    def complement(self) -> "LinearRange":
        """The model of the other outcome: 1 - p is the same line, from the other end."""
        return LinearRange(zero_at=self.one_at, one_at=self.zero_at)


FairModel = Constant | LinearRange
