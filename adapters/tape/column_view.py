"""A stretch of a tape under the names of `domain.view.View`, so that the tables' own rows can be asked of columns.

What a tick knows and columns do not (levels, cash, orders of the same tick) has no name here: who asks must leave those rows
out. NaN stands for None.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from adapters.tape.column_reading import ColumnQuote, ColumnReading, Micros
from adapters.tape.columns import Flags, Ints
from adapters.tape.figures import Column
from adapters.tape.scene import Scene, Stretch, Track
from domain.edge import Unit, return_pct, spread_cost_pct
from domain.figures import Figures
from domain.ledger import Position
from domain.market import Market
from domain.view import Limits, net_edge_pct, taking_costs


@dataclass(kw_only=True, eq=False)
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
