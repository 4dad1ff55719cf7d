"""fair_model: a model says what a token is worth at this reference. Buy the cheap outcome, leave when it is no longer cheap.

The reference is a future, because that is where the other leg of the bet can be placed; the hedge is a signal, never an order.
"""

import operator

from domain.decision import Reason, Signal
from domain.edge import Unit, probability_edge
from domain.market import Market
from domain.state_machine import Row, max_hold
from domain.strategies import Strategy
from domain.value import value
from domain.view import Reading

GONE = 0.0


@value
class FairModelThresholds:
    """Thresholds in probability, seconds."""

    edge_min: float = 0.02
    max_hold_s: float | None = None


def signal(reading: Reading) -> Signal | None:
    """The token's fair probability less its mid; None without a model of the market."""
    if reading.market.fair is None:
        return None
    newest = reading.history.back(0)
    fair_p = reading.market.fair.fair_p(newest.reference)
    return Signal(edge=probability_edge(fair_p=fair_p, mid=newest.mid), fair_p=fair_p)


def _needs_reference(market: Market) -> bool:
    return market.fair is not None and market.fair.asks_reference


def fair_model(thresholds: FairModelThresholds) -> Strategy:
    """The strategy."""
    return Strategy(
        name="fair_model",
        unit=Unit.PROBABILITY,
        reference_source="kraken_futures",
        needs_reference=_needs_reference,
        edge_min=thresholds.edge_min,
        edge_setting="EDGE_THRESHOLD",
        both_outcomes=True,
        hedges=True,
        signal=signal,
        enter=(
            Row(
                Reason.MISSING_FAIR_MODEL,
                "the market map says how to value the market",
                lambda v: int(v.market.fair is not None),
                operator.ge,
                lambda v: 1,
                "MARKET_MAP_PATH",
            ),
            Row(
                Reason.BELOW_THRESHOLD,
                "the token is cheap enough against its fair probability",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.ge,
                lambda v: thresholds.edge_min,
                "EDGE_THRESHOLD",
            ),
        ),
        exit=(
            Row(
                Reason.VALUE_GONE,
                "the token is no longer cheap (probability)",
                lambda v: v.reading.signal.edge if v.reading.signal else None,
                operator.le,
                lambda v: GONE,
            ),
            max_hold(thresholds.max_hold_s, "FAIR_MODEL_MAX_HOLD_SECS"),
        ),
    )
