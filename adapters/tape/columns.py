"""A tape in memory: one value a tick in numpy arrays, and exact books where somebody asks for one.

Prices are whole millionths (0.45 is 450000) and sizes whole millionths of a share, so nothing is rounded on the way to a
`Decimal`. All arrays of a tape have one element for each of its ticks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.market import Market, OrderBook, ReferenceId, TokenId

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MICROS = 1_000_000
"""Of a price unit, and of a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The ticks themselves: their moments and when their last answer was in, ms on both timelines.

    `gap` marks a tick before which recording was off: nothing fills across it, and history starts again.
    """

    at_ms: Ints
    elapsed_ms: Ints
    ready_at_ms: Ints
    ready_elapsed_ms: Ints
    kill_switch: Flags
    gap: Flags

    def __len__(self) -> int:
        """How many ticks."""
        return len(self.at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A market as the venue and the map described it from tick `first` on; None: not followed from then on."""

    first: int
    market: Market | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The markets of the snapshots from tick `first` on, in their order, those without a token too."""

    first: int
    markets: tuple[Market, ...]


class Depth(Protocol):
    """Where the levels of one token's books are."""

    def book(self, tick: int) -> OrderBook | None:
        """The exact book of a tick, as the live adapter would have given it; None where none came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenColumns:
    """One token over all ticks.

    `bid` and `ask` are the best prices in millionths, 0 where the side is empty; `present` says that a valid book came.
    `changed_at_ms` is -1 where the venue did not say. `editions` rise by `first`.
    """

    token: TokenId
    editions: tuple[Edition, ...]
    present: Flags
    bid: NDArray[np.int32]
    ask: NDArray[np.int32]
    requested_elapsed_ms: Ints
    age_s: Floats
    changed_at_ms: Ints
    depth: Depth


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceColumns:
    """One reference over all ticks: NaN where none came."""

    price: Floats
    requested_at_ms: Ints
    requested_elapsed_ms: Ints
    age_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What the venue said, at a tick, that one share of a token pays."""

    tick: int
    token: TokenId
    pays: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A whole tape, or a stretch of it: tokens in map order.

    `rosters` rise by `first`. A tape that has none follows what its tokens' editions say, in their order.
    """

    grid: Grid
    tokens: Sequence[TokenColumns]
    references: Mapping[ReferenceId, ReferenceColumns]
    payouts: tuple[Payout, ...] = ()
    rosters: tuple[Roster, ...] = ()
