"""What all of a tape is screened with: the grid, every token's track, the references that were accepted, the rules' parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.tape.columns import Floats, Grid, TokenColumns
from adapters.tape.samples import Samples
from adapters.tape.spikes import Accepted, age_s
from domain.market import DAY_MS, ReferenceId, TokenId
from domain.strategies import Strategy
from domain.view import Limits

Stretch = slice
"""Some ticks of a tape, one after the other."""


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

    @cached_property
    def dates(self) -> tuple[int, ...]:
        """The ticks at which the UTC date changes, as far as a clock that did not just jump tells it."""
        told = np.where(self.clock_jump_s <= self.limits.clock_jump_s, np.arange(len(self.grid)), 0)
        days = (self.grid.at_ms // DAY_MS)[np.maximum.accumulate(told)]
        return tuple((np.flatnonzero(np.diff(days)) + 1).tolist())


def track_of(columns: TokenColumns, grid: Grid) -> Track:
    """A token's track, without samples yet."""
    return Track(columns=columns, age_s=age_s(grid, columns.requested_elapsed_ms, columns.age_s))
