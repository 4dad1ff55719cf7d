"""The arithmetic of signals: plain functions of numbers, each formula written once.

Edges are rounded to nine decimals: a move of exactly 0.4 % must not fail a limit of 0.4 by the last bit of a float.

Returns are in percent; prices, spreads and fees per share in price units (probability). Definitions: SPEC section 2.
"""

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise
from statistics import stdev

from domain.figures import Figure

PCT_DECIMALS = 9

SPIKE_PCT = 10.0
"""A price farther than this from the one before has to be seen twice (SPEC section 6)."""


def return_pct(newest: Figure, oldest: Figure) -> Figure:
    """The move from `oldest` to `newest` in percent of `oldest`: (newest / oldest - 1) * 100.

    A step from 60000 to 60150 is 0.25, not 0.24999999999999467, and passes its gate.
    """
    return round((newest - oldest) * 100 / oldest, PCT_DECIMALS)


def directed(direction: int, move_pct: Figure) -> Figure:
    """A move of the reference as this token feels it."""
    return move_pct * direction


def lead_lag_edge_pct(*, directed_move_pct: Figure, mid_move_pct: Figure) -> Figure:
    """How far the token has yet to follow: the reference's directed move minus the token's own."""
    return round(directed_move_pct - mid_move_pct, PCT_DECIMALS)


def points_edge(*, fair_p: float, mid: Figure) -> Figure:
    """How far a token lies below its fair probability, in percentage points: (fair - mid) * 100."""
    return round((fair_p - mid) * 100, PCT_DECIMALS)


def probability_edge(*, fair_p: Figure, mid: Figure) -> Figure:
    """How far a token lies below its fair probability, in probability: positive means cheap."""
    return round(fair_p - mid, PCT_DECIMALS)


def spread_cost_pct(*, spread: Figure, mid: Figure) -> Figure:
    """Half the spread in percent of the mid."""
    return round(spread / 2 / mid * 100, PCT_DECIMALS)


def noise_pct(series: Sequence[float], *, window: int, lookback: int) -> float | None:
    """Sample standard deviation (percent) of the one-step returns that lie before the lookback window.

    At most `window` returns are used; None when fewer than two are there.
    """
    before = series[: len(series) - lookback + 1]
    steps = [return_pct(new, old) for old, new in pairwise(before)][-window:]
    return stdev(steps) if len(steps) >= 2 else None


class Unit(Enum):
    """What one unit of a strategy's edge is."""

    PERCENT_OF_MID = "percent of mid"
    POINTS = "percentage points"
    PROBABILITY = "probability"

    def of_price(self, amount: Figure, mid: Figure) -> Figure:
        """An amount in price units, expressed in this unit."""
        match self:
            case Unit.PERCENT_OF_MID:
                return amount / mid * 100
            case Unit.POINTS:
                return amount * 100
            case Unit.PROBABILITY:  # pragma: no branch - there is no fourth unit
                return amount

    def to_price(self, amount: Figure, mid: Figure) -> Figure:
        """An amount in this unit, expressed in price units."""
        match self:
            case Unit.PERCENT_OF_MID:
                return amount * mid / 100
            case Unit.POINTS:
                return amount / 100
            case Unit.PROBABILITY:  # pragma: no branch - there is no fourth unit
                return amount
