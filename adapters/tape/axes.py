"""What a sweep varies: values of a variable, or a span of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_SETTINGS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Numbers from `low` to `high`, both included, in steps where there is one."""

    low: float
    high: float
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether it asks for whole numbers."""
        return all(value == int(value) for value in (self.low, self.high, self.step or 1))

    def values(self) -> tuple[str, ...]:
        """All numbers of a span that has a step; without one its ends."""
        step = self.step or self.high - self.low
        count = int((self.high - self.low) / step + 1e-9) + 1
        return tuple(f"{self.low + number * step:.10g}" for number in range(min(count, MOST_SETTINGS + 1)))


Axes = Mapping[str, tuple[str, ...] | Span]
