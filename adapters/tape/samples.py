"""Histories over a whole tape: a token's accepted samples without the ticks between them, and where they start again."""

from dataclasses import dataclass

import numpy as np

from adapters.tape.columns import Flags, Floats, Ints
from adapters.tape.spikes import far_from_the_one_before
from domain.history import History, Sample, denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One token's samples, oldest first: their ticks, and what the domain's `Sample` holds of each.

    `whole` says that every tick gave one. `starts` are the numbers of the samples at which history starts again, 0 first; `era`
    counts, for every tick, what made a token's history end (None: nothing ever did).
    """

    ticks: Ints
    elapsed_ms: Ints
    reference: Floats
    mid: Floats
    starts: Ints
    era: Ints | None
    whole: bool

    def count_before(self, tick: int) -> int:
        """How many samples lie before a tick."""
        return tick if self.whole else int(self.ticks.searchsorted(tick))

    def history_before(self, tick: int, capacity: int) -> History | None:
        """What the tick before this one remembered; None when it had nothing to remember."""
        end = self.count_before(tick)
        if end == 0 or self._ended(end, tick):
            return None
        start = max(self.starts_of(end - 1), end - capacity)
        elapsed, reference, mid = self.elapsed_ms[start:end], self.reference[start:end], self.mid[start:end]
        return History(tuple(map(Sample, elapsed.tolist(), reference.tolist(), mid.tolist())))

    def _ended(self, end: int, tick: int) -> bool:
        return self.era is not None and bool(self.era[tick - 1] != self.era[self.ticks[end - 1]])

    def starts_of(self, number: int) -> int:
        """The number of the first sample of this one's history."""
        if len(self.starts) == 1:
            return 0
        return int(self.starts[self.starts.searchsorted(number, side="right") - 1])

    def lengths(self, start: int, end: int) -> Ints:
        """How long the history is at each of these samples, itself included."""
        numbers = np.arange(start, end)
        if len(self.starts) == 1:
            return numbers + 1
        return numbers + 1 - self.starts[self.starts.searchsorted(numbers, side="right") - 1]


def samples_of(valid: Flags, *, elapsed_ms: Ints, reference: Floats, mid: Floats, ended: Flags | None, gap_ms: int) -> Samples:
    """The samples of the valid ticks. `ended` marks the ticks that end a history; `reference` is 0 where none came."""
    whole = bool(valid.all())
    ticks = np.arange(len(valid)) if whole else np.flatnonzero(valid)
    era = None if ended is None else np.cumsum(ended, dtype=np.int64)
    times = elapsed_ms if whole else elapsed_ms[ticks]
    breaks = np.diff(times) > gap_ms
    if era is not None:
        breaks |= np.diff(era[ticks]) != 0
    prices = reference if whole else reference[ticks]
    _break_after_denied(breaks, prices)
    return Samples(
        ticks=ticks,
        elapsed_ms=times,
        reference=prices,
        mid=mid if whole else mid[ticks],
        starts=np.concatenate(([0], np.flatnonzero(breaks) + 1)),
        era=era,
        whole=whole,
    )


def _break_after_denied(breaks: Flags, prices: Floats) -> None:
    """Start again where the next denies a first sample, as `History.extended` does; break n lies before sample n + 1."""
    for number in far_from_the_one_before(prices).tolist():
        first = number == 1 or breaks[number - 2]
        breaks[number - 1] |= bool(first and denied(float(prices[number - 1]), float(prices[number])))
