"""A stretch of a tape under the names of `domain.view.View`, so that the tables' own rows can be asked of columns.

What a tick knows and columns do not (levels, cash, orders of the same tick) has no name here: who asks must leave those rows
out. NaN stands for None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from adapters.tape.columns import MICROS, Flags, Floats, Grid, Ints, TokenColumns
from adapters.tape.figures import Column
from adapters.tape.samples import Samples
from adapters.tape.spikes import Accepted, age_s
from domain.decision import Signal
from domain.edge import Unit, return_pct, spread_cost_pct
from domain.figures import Figures
from domain.ledger import Position
from domain.market import Market, ReferenceId, TokenId
from domain.state_machine import GHOST_SPREAD
from domain.strategies import Strategy
from domain.view import Limits, Reading, net_edge_pct, taking_costs

Stretch = slice
Micros = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One token over the tape, with what is computed once for all stretches: the age of its books, and its samples."""

    columns: TokenColumns
    age_s: Floats
    samples: Samples | None = None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What all tokens share: the grid, every token's track, every reference after the spike rule, and the rules' parts."""

    grid: Grid
    tracks: Mapping[TokenId, Track]
    references: Mapping[ReferenceId, Accepted]
    limits: Limits
    strategy: Strategy

    @cached_property
    def clock_jump_s(self) -> Floats:
        """By how many seconds the wall clock stepped against the monotonic one since the tick before."""
        steps = np.abs(np.diff(self.grid.at_ms) - np.diff(self.grid.elapsed_ms)) / 1000
        return np.concatenate(([0.0], steps))


def track_of(columns: TokenColumns, grid: Grid) -> Track:
    """A token's track, without samples yet."""
    return Track(columns=columns, age_s=age_s(grid, columns.requested_elapsed_ms, columns.age_s))


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class ColumnSample:
    """`domain.history.Sample` over a stretch."""

    reference: Column
    mid: Column


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """`domain.view.View` over a stretch."""

    scene: Scene
    reading: ColumnReading
    position: Position | None = None

    @classmethod
    def of(cls, scene: Scene, track: Track, market: Market, stretch: Stretch, position: Position | None = None) -> "ColumnView":
        """The view of one token's stretch."""
        reading = ColumnReading(scene=scene, market=market, track=track, stretch=stretch)
        return cls(scene=scene, reading=reading, position=position)

    @property
    def stretch(self) -> Stretch:
        """Which ticks."""
        return self.reading.stretch

    @property
    def count(self) -> int:
        """How many ticks."""
        return int(self.stretch.stop - self.stretch.start)

    @property
    def market(self) -> Market:
        """The token's market."""
        return self.reading.market

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self.scene.limits

    @property
    def unit(self) -> Unit:
        """The unit of the strategy's edge."""
        return self.scene.strategy.unit

    @property
    def points(self) -> int:
        """Samples that a signal needs."""
        return self.scene.strategy.points

    @cached_property
    def needs_reference(self) -> bool:
        """Whether the strategy has no signal of this market without a reference."""
        return self.scene.strategy.needs_reference(self.market)

    @property
    def known_quote(self) -> ColumnQuote:
        """Best prices."""
        return self.reading.quote

    @property
    def has_book(self) -> Column:
        """1 where a valid book came."""
        return self._count(self.reading.track.columns.present)

    @property
    def has_bids(self) -> Column:
        """1 where somebody bids."""
        return self._count(self.reading.track.columns.bid)

    @property
    def sides(self) -> Column:
        """How many sides of the book are not empty."""
        return self.has_bids + self._count(self.reading.track.columns.ask)

    def _count(self, values: Flags | Micros) -> Column:
        return Column((values[self.stretch] != 0).astype(np.float64))

    @property
    def has_reference(self) -> Column | int:
        """1 where a reference price came."""
        found = self.reading.accepted
        return 0 if found is None else Column((~np.isnan(found.price[self.stretch])).astype(np.float64))

    @property
    def samples(self) -> Column:
        """How many samples there are without a gap."""
        return self.reading.history.lengths

    @property
    def killed(self) -> Column:
        """1 where the kill switch is pulled."""
        return Column(self.scene.grid.kill_switch[self.stretch].astype(np.float64))

    @property
    def clock_jump_s(self) -> Column:
        """By how many seconds the wall clock stepped."""
        return Column(self.scene.clock_jump_s[self.stretch])

    @property
    def book_age_s(self) -> Column:
        """Seconds since the book was certainly true."""
        return Column(self.reading.track.age_s[self.stretch])

    @property
    def input_age_s(self) -> Column:
        """The age of the oldest input that the strategy uses."""
        found = self.reading.accepted if self.needs_reference else None
        book = self.book_age_s
        return book if found is None else Column(np.fmax(book.values, found.age_s[self.stretch]))

    @property
    def book_unchanged_s(self) -> Column:
        """Seconds since the venue last changed the book, by its own timestamp."""
        changed = self.reading.track.columns.changed_at_ms[self.stretch]
        since = np.maximum(self.scene.grid.at_ms[self.stretch] - changed, 0) / 1000
        return Column(np.where(changed < 0, np.nan, since))

    @property
    def spread_cost_pct(self) -> Figures:
        """Half the spread in percent of the mid."""
        quote = self.reading.quote
        return spread_cost_pct(spread=quote.spread, mid=quote.mid)

    @property
    def net_edge_pct(self) -> Figures | None:
        """Net edge in percent of the mid."""
        quote, signal = self.reading.quote, self.reading.signal
        if signal is None:
            return None
        edge = cast(Column, signal.edge)
        *_, net = taking_costs(
            edge=edge, spread=quote.spread, ask=quote.ask, mid=quote.mid, unit=self.unit, fees=self.market.fees
        )
        return net_edge_pct(net, unit=self.unit, mid=quote.mid)

    @property
    def other_side(self) -> ColumnReading | None:
        """The reading of the market's other outcome, when it is on the tape too."""
        token = self.market.complement
        track = None if token is None else self.scene.tracks.get(token)
        if track is None or track.samples is None:
            return None
        return ColumnReading(scene=self.scene, market=self.market, track=track, stretch=self.stretch)

    @property
    def held_s(self) -> Column | None:
        """Seconds since the first entry."""
        return self._since(self.position.opened.elapsed_ms) if self.position else None

    @property
    def since_fill_s(self) -> Column | None:
        """Seconds since the last fill."""
        return self._since(self.position.last_fill.elapsed_ms) if self.position else None

    def _since(self, elapsed_ms: int) -> Column:
        passed: Ints = self.scene.grid.elapsed_ms[self.stretch] - elapsed_ms
        return Column(np.maximum(passed, 0) / 1000)

    @property
    def mid_since_fill_pct(self) -> Figures | None:
        """The mid's move since the last buy, in percent."""
        if self.position is None or not self.position.last_mid:
            return None
        return return_pct(self.reading.quote.mid, cast(Column, self.position.last_mid))

    @property
    def mid_since_entry_pct(self) -> Figures | None:
        """The mid's move since the share-weighted mid at entry, in percent."""
        if self.position is None or not self.position.entry_mid:
            return None
        return return_pct(self.reading.quote.mid, cast(Column, self.position.entry_mid))
