"""lead_lag: the reference moves first, the token follows. Buy what has yet to follow, leave when it has."""

import operator

from domain.decision import Reason, Signal
from domain.edge import Unit, directed, lead_lag_edge_pct, return_pct
from domain.figures import clamped
from domain.history import History
from domain.lag import CAPACITY as LAG_CAPACITY
from domain.state_machine import Row, max_hold
from domain.strategies import Strategy, always
from domain.value import value
from domain.view import Reading


@value
class LeadLag:
    """Thresholds in percent, samples, seconds. `noise_mult` None: the move needs only `spot_move_min_pct`."""

    lookback_points: int = 6
    spot_move_min_pct: float = 0.25
    edge_min_pct: float = 0.20
    edge_exit_pct: float = 0.05
    max_hold_s: float | None = 180.0
    noise_mult: float | None = None
    noise_window_points: int = 40

    def signal(self, reading: Reading) -> Signal:
        """The directed return of the reference, and how much of it the token's own mid has not followed yet."""
        newest, oldest = reading.history.back(0), reading.history.back(self.lookback_points - 1)
        move = directed(reading.market.direction, return_pct(newest.reference, oldest.reference))
        edge = lead_lag_edge_pct(directed_move_pct=move, mid_move_pct=return_pct(newest.mid, oldest.mid))
        fair = clamped(newest.mid * (1 + edge / 100))
        return Signal(edge=edge, move=move, move_min=self._move_min_pct(reading.history), fair_p=fair)

    def _move_min_pct(self, history: History) -> float:
        if self.noise_mult is None:
            return self.spot_move_min_pct
        noise = history.noise_pct(window=self.noise_window_points, lookback=self.lookback_points)
        return max(self.spot_move_min_pct, self.noise_mult * noise) if noise is not None else self.spot_move_min_pct


def lead_lag(thresholds: LeadLag, *, estimates_lag: bool = False) -> Strategy:
    """The strategy. `estimates_lag` keeps a history long enough for the lag gate."""
    noise = thresholds.noise_window_points if thresholds.noise_mult is not None else 0
    points = thresholds.lookback_points
    return Strategy(
        name="lead_lag",
        unit=Unit.PERCENT_OF_MID,
        points=points,
        capacity=max(points + noise, LAG_CAPACITY if estimates_lag else 0),
        edge_min=thresholds.edge_min_pct,
        edge_setting="LEAD_LAG_EDGE_MIN_PCT",
        points_setting="LEAD_LAG_LOOKBACK_POINTS",
        reference_source="kraken_spot",
        needs_reference=always,
        signal=thresholds.signal,
        enter=(
            Row(
                Reason.SPOT_MOVE_TOO_SMALL,
                "the reference moved far enough the token's way (percent)",
                lambda v: v.reading.signal.move if v.reading.signal else None,
                operator.ge,
                lambda v: v.reading.signal.move_min if v.reading.signal else None,
                "LEAD_LAG_SPOT_MOVE_MIN_PCT",
            ),
            Row(
                Reason.LOW_EDGE,
                "the token has not followed yet (percent)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.ge,
                lambda v: thresholds.edge_min_pct,
                "LEAD_LAG_EDGE_MIN_PCT",
            ),
        ),
        exit=(
            Row(
                Reason.EDGE_EXIT,
                "the edge is gone (percent)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.le,
                lambda v: thresholds.edge_exit_pct,
                "LEAD_LAG_EDGE_EXIT_PCT",
            ),
            max_hold(thresholds.max_hold_s, "LEAD_LAG_MAX_HOLD_SECS"),
        ),
    )
