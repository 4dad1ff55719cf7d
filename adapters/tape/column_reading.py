"""A stretch of a tape under the names of `domain.view.Reading`: quotes, history and signal, element by element.

NaN stands for None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from adapters.tape.columns import MICROS, Flags, Floats
from adapters.tape.figures import Column
from adapters.tape.samples import Samples
from adapters.tape.scene import Scene, Stretch, Track
from adapters.tape.spikes import Accepted
from domain.decision import Signal
from domain.market import Market
from domain.state_machine import GHOST_SPREAD
from domain.view import Reading

Micros = NDArray[np.int32]


@dataclass(kw_only=True, eq=False)
class ColumnQuote:
    """`domain.market.Quote` over a stretch: the floats nearest to the decimals; NaN unless both sides are there."""

    bid_micros: Micros
    ask_micros: Micros
    both: Flags

    @classmethod
    def of(cls, track: Track, stretch: Stretch) -> "ColumnQuote":
        """The quotes of a stretch."""
        columns = track.columns
        bid, ask = columns.bid[stretch], columns.ask[stretch]
        return cls(bid_micros=bid, ask_micros=ask, both=columns.present[stretch] & (bid > 0) & (ask > 0))

    @cached_property
    def ask(self) -> Column:
        """The best ask."""
        return Column(self._where_both(self.ask_micros / MICROS))

    @cached_property
    def spread(self) -> Column:
        """Ask minus bid."""
        return Column(self._where_both((self.ask_micros - self.bid_micros) / MICROS))

    @cached_property
    def mid(self) -> Column:
        """Halfway, as `Quote.of` rounds it."""
        return Column(self._where_both((self.bid_micros + self.ask_micros) / MICROS / 2))

    def _where_both(self, values: Floats) -> Floats:
        return values if self.both.all() else np.where(self.both, values, np.nan)


@dataclass(kw_only=True, eq=False)
class ColumnSample:
    """`domain.history.Sample` over a stretch."""

    reference: Column
    mid: Column


@dataclass(kw_only=True, eq=False)
class ColumnHistory:
    """`domain.history.History` at each tick of a stretch; NaN where there is no sample, or none so far back."""

    samples: Samples
    stretch: Stretch

    @cached_property
    def _numbers(self) -> tuple[int, int]:
        return self.samples.count_before(self.stretch.start), self.samples.count_before(self.stretch.stop)

    @cached_property
    def present(self) -> Flags:
        """Where this tick gave a sample."""
        return ~np.isnan(self.lengths.values)

    @cached_property
    def lengths(self) -> Column:
        """How many samples there are without a gap."""
        return self._spread(self.samples.lengths(*self._numbers).astype(np.float64))

    def back(self, ticks: int) -> ColumnSample:
        """The sample so many before the newest."""
        return ColumnSample(
            reference=self._spread(self._back(self.samples.reference, ticks)),
            mid=self._spread(self._back(self.samples.mid, ticks)),
        )

    def noise_pct(self, *, window: int, lookback: int) -> None:
        """Not known: noise only ever raises the move that is asked for."""

    def _back(self, values: Floats, ticks: int) -> Floats:
        start, end = self._numbers
        moved: Floats = values[max(start - ticks, 0) : max(end - ticks, 0)]
        if start < ticks:
            moved = np.concatenate((np.full(end - start - len(moved), np.nan), moved))
        if len(self.samples.starts) > 1:
            moved = np.where(self.samples.lengths(start, end) > ticks, moved, np.nan)
        return moved

    def _spread(self, values: Floats) -> Column:
        """Values of the samples at the ticks that gave them."""
        start, end = self._numbers
        count = self.stretch.stop - self.stretch.start
        if end - start == count:
            return Column(values)
        spread = np.full(count, np.nan)
        spread[self.samples.ticks[start:end] - self.stretch.start] = values
        return Column(spread)


@dataclass(kw_only=True, eq=False)
class ColumnReading:
    """`domain.view.Reading` over a stretch in which the market is described in one way."""

    scene: Scene
    market: Market
    track: Track
    stretch: Stretch
    ways_seen: tuple[tuple[str, float | str], ...] = ()

    @cached_property
    def quote(self) -> ColumnQuote:
        """Best prices."""
        return ColumnQuote.of(self.track, self.stretch)

    @cached_property
    def history(self) -> ColumnHistory:
        """The samples. Raises `LookupError` while they are still being found."""
        if self.track.samples is None:
            raise LookupError(f"the samples of {self.market.name} are not found yet")
        return ColumnHistory(samples=self.track.samples, stretch=self.stretch)

    @cached_property
    def signal(self) -> Signal | None:
        """What the strategy makes of it; its numbers are columns."""
        return self.scene.strategy.signal(cast(Reading, self))

    @property
    def accepted(self) -> Accepted | None:
        """The market's reference over the whole tape."""
        return None if self.market.reference is None else self.scene.references.get(self.market.reference)

    @cached_property
    def jump_pct(self) -> Column | float:
        """How far an unconfirmed reference jumped, percent."""
        found = self.accepted
        return 0.0 if found is None or found.jump_pct is None else Column(found.jump_pct[self.stretch])

    @cached_property
    def _legs(self) -> Sequence[Floats]:
        legs = self.market.three_way.legs if self.market.three_way else ()
        return [self._believed_mid(self.scene.tracks.get(leg.token)) for leg in legs]

    def _believed_mid(self, track: Track | None) -> Floats:
        if track is None:
            return np.full(self.stretch.stop - self.stretch.start, np.nan)
        quote = ColumnQuote.of(track, self.stretch)
        spread, fresh = quote.spread.values, track.age_s[self.stretch] <= self.scene.limits.freshness_s
        return np.where((spread > 0) & (spread < float(GHOST_SPREAD)) & fresh, quote.mid.values, np.nan)

    @cached_property
    def legs_seen(self) -> Column | int:
        """How many of the three ways have a mid."""
        return Column(np.sum([~np.isnan(mid) for mid in self._legs], axis=0, dtype=np.float64)) if self._legs else 0

    @cached_property
    def favourite_mid(self) -> Column | None:
        """The mid of the dearer team; NaN unless both teams' are known."""
        return Column(np.maximum(self._legs[0], self._legs[2])) if self._legs else None
