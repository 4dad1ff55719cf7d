"""pm_trend: what rises goes on rising, for a while. Buy the outcome that gains, leave when it no longer does."""

import math
import operator

from domain.decision import Reason, Signal
from domain.edge import Unit, return_pct
from domain.state_machine import Row, Table, max_hold
from domain.strategies import Strategy
from domain.value import value
from domain.view import Reading, View


@value
class PmTrend:
    """Thresholds in percent, samples, seconds. `auto_side`: watch both outcomes, enter the better one, never hold both."""

    lookback_points: int = 6
    move_min_pct: float = 0.10
    exit_move_pct: float = 0.0
    auto_side: bool = True
    max_hold_s: float | None = 180.0

    def signal(self, reading: Reading) -> Signal:
        """The return of the token's mid over the lookback. It claims no fair probability."""
        newest, earlier = reading.history.back(0), reading.history.back(self.lookback_points)
        return Signal(edge=return_pct(newest.mid, earlier.mid))


def pm_trend(thresholds: PmTrend) -> Strategy:
    """The strategy."""
    points = thresholds.lookback_points + 1
    return Strategy(
        name="pm_trend",
        unit=Unit.PERCENT_OF_MID,
        edge_min=thresholds.move_min_pct,
        edge_setting="PM_TREND_MOVE_MIN_PCT",
        points=points,
        capacity=points,
        points_setting="PM_TREND_LOOKBACK_POINTS",
        both_outcomes=thresholds.auto_side,
        signal=thresholds.signal,
        enter=(
            Row(
                Reason.TREND_MOVE_TOO_SMALL,
                "the token rose far enough (percent)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.ge,
                lambda v: thresholds.move_min_pct,
                "PM_TREND_MOVE_MIN_PCT",
            ),
            *(AUTO_SIDE if thresholds.auto_side else ()),
        ),
        exit=(
            Row(
                Reason.TREND_GONE,
                "the token rises no more (percent)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.le,
                lambda v: thresholds.exit_move_pct,
                "PM_TREND_EXIT_MOVE_MIN_PCT",
            ),
            max_hold(thresholds.max_hold_s, "LEAD_LAG_MAX_HOLD_SECS"),
        ),
    )


def _other_move(view: View) -> float | None:
    """The other outcome's return: endless while it cannot be known, because then this one is not known to be better."""
    if view.market.complement is None:
        return None
    other = view.other_side
    return other.signal.edge if other and other.signal else math.inf


OTHER_SIDE_OPEN = Row(
    Reason.OTHER_SIDE_OPEN,
    "the other outcome is neither held nor being bought",
    lambda v: int(v.market.complement in v.budget.engaged),
    operator.le,
    lambda v: 0,
    "PM_TREND_AUTO_SIDE",
)
AUTO_SIDE: Table = (
    Row(
        Reason.NOT_BEST_SIDE,
        "the token rose more than the other outcome (percent)",
        lambda v: v.reading.signal.edge if v.reading.signal else None,
        operator.gt,
        _other_move,
        "PM_TREND_AUTO_SIDE",
    ),
    OTHER_SIDE_OPEN,
)
"""The gates of a market whose two outcomes are both watched."""
