"""Where one token may act: the ticks that its tables leave, whatever the account; and the first one for a given position."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.tape.column_view import ColumnView
from adapters.tape.columns import Edition, Flags
from adapters.tape.scene import Scene, Track
from adapters.tape.tables import columnar, fired, of_positions, opened
from domain.engine import Rules
from domain.ledger import Position
from domain.market import Market
from domain.state_machine import EXIT_INPUT, SAMPLE_INPUT, SCALE_IN, Table

CHUNK = 32_768
"""Ticks that are screened at once: their columns fit into a processor's cache."""

FIRST_LOOK = 256
"""Ticks that a position is looked ahead at first; twice as many each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """A stretch of ticks in which a market is described in one way."""

    start: int
    stop: int
    market: Market

    def chunks(self, start: int, stop: int, size: int, most: int) -> Iterator[slice]:
        """The part of this era in [start, stop), cut into pieces that double from `size` up to `most`."""
        start, stop = max(start, self.start), min(stop, self.stop)
        while start < stop:
            end = min(start + size, stop)
            yield slice(start, end)
            start, size = end, min(2 * size, most)


def eras_of(editions: Sequence[Edition], ticks: int) -> tuple[Era, ...]:
    """The stretches in which a token was followed."""
    ends = [*(edition.first for edition in editions[1:]), ticks]
    return tuple(
        Era(start=edition.first, stop=min(end, ticks), market=edition.market)
        for edition, end in zip(editions, ends, strict=False)
        if edition.market is not None and edition.first < ticks
    )


def listed_in(eras: Sequence[Era], ticks: int) -> Flags:
    """Where a token was followed."""
    flags = np.zeros(ticks, np.bool_)
    for era in eras:
        flags[era.start : era.stop] = True
    return flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rules' tables as far as columns can answer them."""

    enter: Table
    scale_in: Table
    exit: Table

    @classmethod
    def of(cls, rules: Rules) -> "Tables":
        """The tables of these rules; what a sample asks for is known by the samples."""
        inputs = tuple(row for row in rules.inputs if row not in SAMPLE_INPUT)
        grows = rules.limits.scale_in.odds_change_pct is not None
        return cls(
            enter=columnar((*inputs, *rules.enter)),
            scale_in=columnar((*inputs, *SCALE_IN)) if grows else (),
            exit=columnar(rules.exit),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The rows that need to know the position, in one era."""

    exit: Table
    scale_in: Table


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """One token's ticks. `exits` fire for any position; an exit or add may happen only where `may_exit` and `may_add` hold."""

    scene: Scene
    track: Track
    eras: tuple[Era, ...]
    held: tuple[Held, ...]
    entries: Sequence[int]
    exits: Sequence[int]
    may_exit: Flags
    may_add: Flags | None

    @cached_property
    def left_at(self) -> tuple[int, ...]:
        """The ticks at which the token leaves the map."""
        starts = {era.start for era in self.eras} | {len(self.may_exit)}
        return tuple(era.stop for era in self.eras if era.stop not in starts)

    def entry(self, start: int) -> int:
        """The first tick from `start` on at which a flat token may enter; the end of the tape when there is none."""
        return self._next(self.entries, start)

    def change(self, start: int, position: Position, *, before: int) -> int:
        """The first tick from `start` on at which this position may end or grow; `before` when there is none until then."""
        end = min(self._next(self.exits, start), before)
        for era, held in zip(self.eras, self.held, strict=True):
            for stretch in era.chunks(start, end, FIRST_LOOK, CHUNK):
                changes = self._changes(era.market, held, stretch, position)
                first = int(changes.argmax())
                if changes[first]:
                    return int(stretch.start + first)
        return end

    def _next(self, ticks: Sequence[int], start: int) -> int:
        number = bisect_left(ticks, start)
        return ticks[number] if number < len(ticks) else len(self.may_exit)

    def _changes(self, market: Market, held: Held, stretch: slice, position: Position) -> Flags:
        view = ColumnView.of(self.scene, self.track, market, stretch, position)
        flags = self.may_exit[stretch] & fired(held.exit, view)
        if self.may_add is not None:
            flags |= self.may_add[stretch] & opened(held.scale_in, view)
        return flags


def candidates_of(scene: Scene, track: Track, eras: tuple[Era, ...], tables: Tables) -> Candidates:
    """Screen a token's whole tape."""
    ticks = len(scene.grid)
    enters, leaves, may_exit, may_add = (np.zeros(ticks, np.bool_) for _ in range(4))
    for era in eras:
        for chunk in era.chunks(0, ticks, CHUNK, CHUNK):
            view = ColumnView.of(scene, track, era.market, chunk)
            sampled = view.reading.history.present
            enters[chunk] = sampled & opened(tables.enter, view)
            may_exit[chunk] = opened(EXIT_INPUT, view)
            leaves[chunk] = may_exit[chunk] & fired(tables.exit, view)
            if tables.scale_in:
                may_add[chunk] = sampled & opened(tables.scale_in, view)
    return Candidates(
        scene=scene,
        track=track,
        eras=eras,
        held=tuple(_held(scene, track, era, tables) for era in eras),
        entries=np.flatnonzero(enters).tolist(),
        exits=np.flatnonzero(leaves).tolist(),
        may_exit=may_exit,
        may_add=may_add if tables.scale_in else None,
    )


def _held(scene: Scene, track: Track, era: Era, tables: Tables) -> Held:
    nobody = ColumnView.of(scene, track, era.market, slice(era.start, min(era.start + 1, era.stop)))
    return Held(exit=of_positions(tables.exit, nobody), scale_in=of_positions(tables.scale_in, nobody))
