"""pm_draw: draws of football matches are cheap now and then. Buy one below its baseline, leave when the value is gone.

The venue builds a match as three binary markets of one neg-risk group; the Yes token of the draw's market backs the draw.
"""

import operator
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal

from domain.decision import Reason, Signal
from domain.edge import Unit, points_edge
from domain.market import Market
from domain.state_machine import Row, max_hold
from domain.strategies import Strategy
from domain.value import value
from domain.view import Reading

WAYS = 3


@value
class PmDraw:
    """Thresholds: edges in percentage points, prices and mids as exact decimals, seconds.

    `baseline` holds draw probabilities by the slug of a market or of its event; other matches get `baseline_p`.
    """

    baseline: Mapping[str, float] = field(default_factory=dict)
    baseline_p: float = 0.28
    prob_mult: float = 1.0
    edge_min_points: float = 2.0
    edge_exit_points: float = 0.5
    max_price: Decimal | None = Decimal("0.45")
    require_3way: bool = False
    favourite_min: Decimal | None = None
    favourite_max: Decimal | None = None
    max_hold_s: float | None = None

    def signal(self, reading: Reading) -> Signal:
        """How far the token lies below its baseline, and which three markets were seen."""
        mid = reading.history.back(0).mid
        fair_p = min(max(self._baseline_of(reading.market) * self.prob_mult, 0.0), 1.0)
        return Signal(edge=points_edge(fair_p=fair_p, mid=mid), fair_p=fair_p, details=reading.ways_seen)

    def _baseline_of(self, market: Market) -> float:
        named = (self.baseline[slug] for slug in (market.slug.lower(), market.event.lower()) if slug in self.baseline)
        return next(named, self.baseline_p)

    @property
    def ways_setting(self) -> str:
        """The variable that asks for all three books: for the set itself, or for the dearer team; "" when none does."""
        asking = (
            (self.require_3way, "PM_DRAW_REQUIRE_3WAY"),
            (self.favourite_min is not None, "PM_DRAW_FAV_MIN"),
            (self.favourite_max is not None, "PM_DRAW_FAV_MAX"),
        )
        return next((name for asks, name in asking if asks), "")


def _as_mid(limit: Decimal | None) -> float | None:
    """A limit as mids are: the float 0.6 lies below the decimal 0.6, and is that mid all the same."""
    return None if limit is None else float(limit)


def pm_draw(thresholds: PmDraw) -> Strategy:
    """The strategy."""
    return Strategy(
        name="pm_draw",
        unit=Unit.POINTS,
        edge_min=thresholds.edge_min_points,
        edge_setting="PM_DRAW_EDGE_MIN_PCT",
        draws=True,
        signal=thresholds.signal,
        enter=(
            Row(
                Reason.NOT_3WAY,
                "the market asks for the draw of a whole match, not of a half",
                lambda v: int(v.market.match_draw is not False),
                operator.ge,
                lambda v: 1,
            ),
            Row(
                Reason.NOT_3WAY,
                "home, draw and away of the match have usable books (how many)",
                lambda v: v.reading.legs_seen,
                operator.ge,
                lambda v: WAYS if thresholds.ways_setting else None,
                thresholds.ways_setting or "PM_DRAW_REQUIRE_3WAY",
            ),
            Row(
                Reason.DRAW_TOO_EXPENSIVE,
                "the ask is cheap enough",
                lambda v: v.known_quote.ask,
                operator.le,
                lambda v: thresholds.max_price,
                "PM_DRAW_MAX_PRICE",
            ),
            Row(
                Reason.FAVOURITE_OUT_OF_RANGE,
                "the dearer team is favourite enough (its mid)",
                lambda v: v.reading.favourite_mid,
                operator.ge,
                lambda v: _as_mid(thresholds.favourite_min),
                "PM_DRAW_FAV_MIN",
            ),
            Row(
                Reason.FAVOURITE_OUT_OF_RANGE,
                "the dearer team is not too much of a favourite (its mid)",
                lambda v: v.reading.favourite_mid,
                operator.le,
                lambda v: _as_mid(thresholds.favourite_max),
                "PM_DRAW_FAV_MAX",
            ),
            Row(
                Reason.DRAW_EDGE_TOO_SMALL,
                "the draw lies far enough below its baseline (percentage points)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.ge,
                lambda v: thresholds.edge_min_points,
                "PM_DRAW_EDGE_MIN_PCT",
            ),
        ),
        exit=(
            Row(
                Reason.VALUE_GONE,
                "the draw is no longer below its baseline (percentage points)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.le,
                lambda v: thresholds.edge_exit_points,
                "PM_DRAW_EDGE_EXIT_PCT",
            ),
            max_hold(thresholds.max_hold_s, "PM_DRAW_MAX_HOLD_SECS"),
        ),
    )
