"""Why: the reasons, and what one tick decides for one token."""

from decimal import Decimal
from enum import StrEnum

from domain.ledger import Action
from domain.market import Market, Quote
from domain.value import value

Number = int | float | Decimal


class Reason(StrEnum):
    """Everything that the `reason` column can say. The numbers stand in columns of their own."""

    NO_TOKEN = "no_token"
    NO_ORDERBOOK = "no_orderbook"
    ONE_SIDED_BOOK = "one_sided_book"
    CROSSED_BOOK = "crossed_book"
    GHOST_BOOK = "ghost_book"
    MISSING_REFERENCE = "missing_reference"
    REFERENCE_SPIKE = "reference_spike"
    STALE_INPUT = "stale_input"
    CLOCK_JUMP = "clock_jump"
    WARMUP = "warmup"
    MARKET_CLOSED = "market_closed"
    ORDER_PENDING = "order_pending"

    KILLSWITCH = "killswitch"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    LOSSES_IN_A_ROW = "losses_in_a_row"
    STOP_COOLDOWN = "stop_cooldown"
    STALE_BOOK = "stale_book"
    AVOID_PRICE_ZONE = "avoid_price_zone"
    WIDE_SPREAD = "wide_spread"
    SPOT_MOVE_TOO_SMALL = "spot_move_too_small"
    LOW_EDGE = "low_edge"
    TREND_MOVE_TOO_SMALL = "trend_move_too_small"
    NOT_BEST_SIDE = "not_best_side"
    OTHER_SIDE_OPEN = "other_side_open"
    NOT_3WAY = "not_3way"
    DRAW_TOO_EXPENSIVE = "draw_too_expensive"
    FAVOURITE_OUT_OF_RANGE = "favourite_out_of_range"
    DRAW_EDGE_TOO_SMALL = "draw_edge_too_small"
    MISSING_FAIR_MODEL = "missing_fair_model"
    BELOW_THRESHOLD = "below_threshold"
    SPREAD_TOO_HIGH = "spread_too_high"
    NET_EDGE_TOO_LOW = "net_edge_too_low"
    LAG_TOO_SHORT = "lag_too_short"
    INSUFFICIENT_LIQUIDITY = "insufficient_liquidity"
    BELOW_MIN_ORDER_SIZE = "below_min_order_size"
    MARKET_EXPOSURE = "market_exposure"
    EVENT_EXPOSURE = "event_exposure"
    TOTAL_EXPOSURE = "total_exposure"
    INSUFFICIENT_CASH = "insufficient_cash"
    THROTTLED = "throttled"

    ODDS_UNMOVED = "odds_unmoved"
    COOLING_DOWN = "cooling_down"
    MAX_ADDS = "max_adds"
    MAX_POSITION = "max_position"

    EDGE_EXIT = "edge_exit"
    TREND_GONE = "trend_gone"
    VALUE_GONE = "value_gone"
    MAX_HOLD = "max_hold"
    STOP = "stop"
    SETTLED = "settled"

    ENTER = "enter"
    SCALE_IN = "scale_in"
    HOLD = "hold"


@value
class Signal:
    """What a strategy makes of one token's inputs. `edge` and `move` are in the strategy's unit, `fair_p` a probability.

    `fair_p` is None where a strategy claims none. `move` is what must have happened for the edge to be worth a look
    (lead_lag: the directed return of the reference), and `move_min` how large it must be now. `details` are what else was
    seen, by name, for people.
    """

    edge: float
    fair_p: float | None = None
    move: float | None = None
    move_min: float | None = None
    details: tuple[tuple[str, float | str], ...] = ()


@value
class Costs:
    """What taking the ask costs, in the unit of the strategy's edge: half the spread, the fee, and the edge after both."""

    spread: float
    fee: float
    net_edge: float

    @property
    def total(self) -> float:
        """Spread cost and fee."""
        return self.spread + self.fee


@value
class Cause:
    """Why: the reason, what its rule measured, the limit, and the variable that sets the limit."""

    reason: Reason
    measured: Number | None = None
    limit: Number | None = None
    setting: str = ""


@value
class Verdict:
    """What one tick decided about one token, and all it knew: one row of the candidates file."""

    market: Market
    action: Action
    cause: Cause
    bid: Decimal | None = None
    ask: Decimal | None = None
    quote: Quote | None = None
    reference: float | None = None
    signal: Signal | None = None
    costs: Costs | None = None
    in_price_zone: bool | None = None
    wish: str = ""
    sources: str = ""
