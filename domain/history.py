"""What was seen before: samples of reference and mid, one per token and tick, without holes."""

from dataclasses import dataclass
from typing import NamedTuple

from domain.edge import SPIKE_PCT, noise_pct, return_pct


class Sample(NamedTuple):
    """One tick's pair: `elapsed_ms` of the tick, reference price (0.0 where the strategy uses none), the token's mid."""

    elapsed_ms: int
    reference: float
    mid: float


def denied(first: float, second: float) -> bool:
    """Whether the second reference price is too far from the first for both to be true; 0.0 is no price."""
    return first > 0 and abs(return_pct(second, first)) > SPIKE_PCT


@dataclass(frozen=True, slots=True)
class History:
    """Samples of one token, oldest first."""

    samples: tuple[Sample, ...] = ()

    def extended(self, sample: Sample, *, capacity: int, gap_ms: int) -> "History":
        """The history with one more sample, at most `capacity` of them.

        It starts again when more than `gap_ms` lies between the two newest: an old move must not look new. It also starts
        again when its first sample stands alone and the next denies it: then nothing tells a move from a first price that lied.
        """
        if self.samples and sample.elapsed_ms - self.samples[-1].elapsed_ms > gap_ms:
            return History((sample,))
        if len(self.samples) == 1 and denied(self.samples[0].reference, sample.reference):
            return History((sample,))
        return History((*self.samples, sample)[-capacity:])

    def back(self, ticks: int) -> Sample:
        """The sample so many before the newest; 0 is the newest."""
        return self.samples[-1 - ticks]

    def noise_pct(self, *, window: int, lookback: int) -> float | None:
        """How restless the reference was before the lookback window, in percent; None with too few samples."""
        return noise_pct([sample.reference for sample in self.samples], window=window, lookback=lookback)

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.samples)
