"""The position state machine, as tables.

FLAT -> enter -> OPEN -> (scale in)* -> exit -> FLAT. Rows are tried in order; the first closed gate or fired trigger names
the `reason`. A row whose limit is None is absent; a row that measures None does not know, and what is unknown neither
closes a gate nor fires a trigger.

Rows read a `View` by its names alone and leave the arithmetic to it, so that the same row can be asked of a tape's columns.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from domain.decision import Cause, Number, Reason
from domain.view import View

GHOST_SPREAD = Decimal("0.50")
SPIKE_PCT = 10.0

Measure = Callable[[View], Number | None]
Relation = Callable[[Number, Number], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: what it says, what it measures, how that must compare with which limit, and the variable that sets it.

    In a table of gates the comparison must hold for the gate to be open; in a table of triggers it fires the trigger.
    """

    reason: Reason
    says: str
    measured: Measure
    holds: Relation
    limit: Measure
    setting: str = ""


Table = tuple[Row, ...]


def first_closed(gates: Iterable[Row], view: View) -> Cause | None:
    """The first gate that is closed, or None when all are open."""
    return _first(gates, view, when=False)


def first_fired(triggers: Iterable[Row], view: View) -> Cause | None:
    """The first trigger that fires, or None."""
    return _first(triggers, view, when=True)


def _first(rows: Iterable[Row], view: View, *, when: bool) -> Cause | None:
    """The cause that the first row gives whose comparison comes out as `when`. A tick spends its time here."""
    for row in rows:
        limit = row.limit(view)
        if limit is None:
            continue
        measured = row.measured(view)
        if measured is not None and row.holds(measured, limit) is when:
            return Cause(reason=row.reason, measured=measured, limit=limit, setting=row.setting)
    return None


def _one(_: View) -> int:
    return 1


def _nothing(_: View) -> int:
    return 0


NO_TOKEN = Row(Reason.NO_TOKEN, "the market's token is known", lambda v: int(v.market.token is not None), operator.ge, _one)
NO_ORDERBOOK = Row(Reason.NO_ORDERBOOK, "a valid book came in this tick", lambda v: v.has_book, operator.ge, _one)
TWO_SIDED = Row(
    Reason.ONE_SIDED_BOOK,
    "the book has bids and asks",
    lambda v: v.sides,
    operator.ge,
    lambda v: 2,
)
HAS_BIDS = Row(Reason.ONE_SIDED_BOOK, "the book has bids", lambda v: v.has_bids, operator.ge, _one)
CROSSED_BOOK = Row(
    Reason.CROSSED_BOOK,
    "the best bid lies below the best ask",
    lambda v: v.reading.quote.spread if v.reading.quote else None,
    operator.gt,
    _nothing,
)
GHOST_BOOK = Row(
    Reason.GHOST_BOOK,
    "the spread is below 0.50: the venue sometimes serves 0.01/0.99 for a liquid market",
    lambda v: v.reading.quote.spread if v.reading.quote else None,
    operator.lt,
    lambda v: GHOST_SPREAD,
)
MISSING_REFERENCE = Row(
    Reason.MISSING_REFERENCE,
    "a reference price came in this tick",
    lambda v: v.has_reference,
    operator.ge,
    lambda v: 1 if v.needs_reference else None,
)
REFERENCE_SPIKE = Row(
    Reason.REFERENCE_SPIKE,
    "the reference lies within 10 % of the last accepted one, or the tick before confirms it",
    lambda v: v.reading.jump_pct,
    operator.le,
    lambda v: SPIKE_PCT if v.needs_reference else None,
)
STALE_INPUT = Row(
    Reason.STALE_INPUT,
    "book and reference are fresh (seconds since their requests began)",
    lambda v: v.input_age_s,
    operator.le,
    lambda v: v.limits.freshness_s,
    "FRESHNESS_MAX_AGE_SECS",
)
STALE_BOOK_INPUT = Row(
    Reason.STALE_INPUT,
    "the book is fresh (seconds since its request began)",
    lambda v: v.book_age_s,
    operator.le,
    lambda v: v.limits.freshness_s,
    "FRESHNESS_MAX_AGE_SECS",
)
CLOCK_JUMP = Row(
    Reason.CLOCK_JUMP,
    "wall clock and monotonic clock agree since the last tick (seconds, at most two intervals)",
    lambda v: v.clock_jump_s,
    operator.le,
    lambda v: v.limits.clock_jump_s,
    "INTERVAL_S",
)
MARKET_CLOSED = Row(Reason.MARKET_CLOSED, "the market accepts orders", lambda v: int(v.market.accepting), operator.ge, _one)

SAMPLE_INPUT: Table = (
    NO_TOKEN,
    NO_ORDERBOOK,
    TWO_SIDED,
    CROSSED_BOOK,
    GHOST_BOOK,
    MISSING_REFERENCE,
    REFERENCE_SPIKE,
    STALE_INPUT,
)
"""What a sample for the history must have been given; a strategy without a reference asks for none."""


def input_table(points_setting: str) -> Table:
    """What an entry or an add must have been given; `points_setting` is the variable that sets how many samples."""
    warmup = Row(
        Reason.WARMUP,
        "there are enough samples without a gap",
        lambda v: v.samples,
        operator.ge,
        lambda v: v.points,
        points_setting,
    )
    return (*SAMPLE_INPUT, CLOCK_JUMP, warmup, MARKET_CLOSED)


MARK_INPUT: Table = (NO_ORDERBOOK, HAS_BIDS, CROSSED_BOOK, GHOST_BOOK, STALE_BOOK_INPUT)
"""What the book that prices a position must be. A tick that gave a sample has such a book: the sample asks for more."""

EXIT_INPUT: Table = (*MARK_INPUT, CLOCK_JUMP, MARKET_CLOSED)
"""What an exit must have been given: a fresh book with a bid, and nothing else."""

BUY_INPUT: Table = (NO_ORDERBOOK, TWO_SIDED, CROSSED_BOOK, GHOST_BOOK, STALE_BOOK_INPUT, CLOCK_JUMP, MARKET_CLOSED)
"""What a buy that waited for its book must find when the book comes."""

KILLSWITCH = Row(
    Reason.KILLSWITCH,
    "the kill switch file is absent",
    lambda v: v.killed,
    operator.le,
    _nothing,
    "KILLSWITCH_FILE",
)
AFTER_LOSSES: Table = (
    Row(
        Reason.DAILY_LOSS,
        "the loss since the equity of the UTC day's first tick stays below the limit (USDC, positions at the bid)",
        lambda v: v.daily_loss,
        operator.lt,
        lambda v: v.limits.protections.daily_loss_usdc,
        "PM_MAX_DAILY_LOSS_USDC",
    ),
    Row(
        Reason.DRAWDOWN,
        "the equity lies less than the limit below its peak since the ledger opened (percent of the peak)",
        lambda v: v.drawdown_pct,
        operator.lt,
        lambda v: v.limits.protections.drawdown_pct,
        "PM_MAX_DRAWDOWN_PCT",
    ),
    Row(
        Reason.LOSSES_IN_A_ROW,
        "fewer positions than the limit were closed at a loss in a row this UTC day (a gain or a new day starts again)",
        lambda v: v.losses_in_a_row,
        operator.lt,
        lambda v: v.limits.protections.losses_in_a_row,
        "PM_MAX_LOSSES_IN_A_ROW",
    ),
    Row(
        Reason.STOP_COOLDOWN,
        "a stop that sold this token lies back far enough (seconds)",
        lambda v: v.since_stop_s,
        operator.ge,
        lambda v: v.limits.protections.stop_cooldown_s,
        "PM_STOP_COOLDOWN_S",
    ),
)
"""What stops all buying, or that of one token, after losses."""

STALE_BOOK = Row(
    Reason.STALE_BOOK,
    "the book changed recently (seconds, the venue's own timestamp)",
    lambda v: v.book_unchanged_s,
    operator.le,
    lambda v: v.limits.book_unchanged_s,
    "LEAD_LAG_MAX_BOOK_AGE_SECS",
)
PRICE_NOT_BELOW = Row(
    Reason.AVOID_PRICE_ZONE,
    "the ask is not below the zone",
    lambda v: v.known_quote.ask,
    operator.ge,
    lambda v: v.limits.avoid_price_below,
    "LEAD_LAG_AVOID_PRICE_BELOW",
)
PRICE_NOT_ABOVE = Row(
    Reason.AVOID_PRICE_ZONE,
    "the ask is not above the zone",
    lambda v: v.known_quote.ask,
    operator.le,
    lambda v: v.limits.avoid_price_above,
    "LEAD_LAG_AVOID_PRICE_ABOVE",
)
PRICE_ZONE: Table = (PRICE_NOT_BELOW, PRICE_NOT_ABOVE)
WIDE_SPREAD = Row(
    Reason.WIDE_SPREAD,
    "the spread is narrow enough (price units)",
    lambda v: v.known_quote.spread,
    operator.le,
    lambda v: v.limits.spread,
    "LEAD_LAG_MAX_SPREAD",
)
SPREAD_TOO_HIGH = Row(
    Reason.SPREAD_TOO_HIGH,
    "half the spread costs little enough (percent of the mid)",
    lambda v: v.spread_cost_pct,
    operator.le,
    lambda v: v.limits.spread_cost_pct,
    "LEAD_LAG_SPREAD_COST_CAP_PCT",
)
NET_EDGE_TOO_LOW = Row(
    Reason.NET_EDGE_TOO_LOW,
    "the edge survives its costs (percent of the mid)",
    lambda v: v.net_edge_pct,
    operator.ge,
    lambda v: v.limits.net_edge_pct,
    "LEAD_LAG_NET_EDGE_MIN_PCT",
)
LAG_TOO_SHORT = Row(
    Reason.LAG_TOO_SHORT,
    "the token follows late enough (milliseconds; a lag too weak to trust passes)",
    lambda v: v.lag_ms,
    operator.ge,
    lambda v: v.limits.lag_ms,
    "LEAD_LAG_MIN_MARKET_LAG_MS",
)
SOME_LIQUIDITY = Row(
    Reason.INSUFFICIENT_LIQUIDITY,
    "the budget buys something (shares)",
    lambda v: v.purchase.walk.shares,
    operator.gt,
    _nothing,
    "LEAD_LAG_MAX_FRACTION_OF_BAND_LIQUIDITY",
)
ENOUGH_NOTIONAL = Row(
    Reason.INSUFFICIENT_LIQUIDITY,
    "the order is worth it (USDC without the fee)",
    lambda v: v.purchase.walk.notional,
    operator.ge,
    lambda v: v.limits.trade_notional_usdc,
    "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC",
)
BELOW_MIN_ORDER_SIZE = Row(
    Reason.BELOW_MIN_ORDER_SIZE,
    "the order reaches the book's own minimum (shares)",
    lambda v: v.purchase.shares,
    operator.ge,
    lambda v: v.known_book.min_order_size,
    "PM_ORDER_SIZE_SHARES",
)
SIZE: Table = (SOME_LIQUIDITY, ENOUGH_NOTIONAL, BELOW_MIN_ORDER_SIZE)
EXPOSURE: Table = (
    Row(
        Reason.MARKET_EXPOSURE,
        "with this order the market, Yes and No together, costs at most the limit (USDC; else the order is refused, not cut)",
        lambda v: v.market_exposure,
        operator.le,
        lambda v: v.limits.protections.market_exposure_usdc,
        "PM_MAX_EXPOSURE_MARKET_USDC",
    ),
    Row(
        Reason.EVENT_EXPOSURE,
        "with this order the markets of its event cost at most the limit (USDC; else the order is refused, not cut)",
        lambda v: v.event_exposure,
        operator.le,
        lambda v: v.limits.protections.event_exposure_usdc,
        "PM_MAX_EXPOSURE_EVENT_USDC",
    ),
    Row(
        Reason.TOTAL_EXPOSURE,
        "with this order all markets together cost at most the limit (USDC; else the order is refused, not cut)",
        lambda v: v.total_exposure,
        operator.le,
        lambda v: v.limits.protections.total_exposure_usdc,
        "PM_MAX_EXPOSURE_USDC",
    ),
)
"""What may be bought in all: positions at cost, waiting buys at the most they can cost, and this tick's buys, without fees."""

INSUFFICIENT_CASH = Row(
    Reason.INSUFFICIENT_CASH,
    "cash pays for the order and its fee (USDC)",
    lambda v: v.budget.cash,
    operator.ge,
    lambda v: v.cash_needed,
    "PM_ORDER_SIZE_SHARES",
)
THROTTLED = Row(
    Reason.THROTTLED,
    "the tick has an entry or add left",
    lambda v: v.budget.orders,
    operator.lt,
    lambda v: v.limits.orders_per_tick,
    "PM_MAX_ORDERS_PER_TICK",
)


def enter_table(strategy_gates: Table) -> Table:
    """The gates of an entry around a strategy's own."""
    return (
        KILLSWITCH,
        *AFTER_LOSSES,
        STALE_BOOK,
        *PRICE_ZONE,
        WIDE_SPREAD,
        *strategy_gates,
        SPREAD_TOO_HIGH,
        NET_EDGE_TOO_LOW,
        LAG_TOO_SHORT,
        *SIZE,
        *EXPOSURE,
        INSUFFICIENT_CASH,
        THROTTLED,
    )


SCALE_IN: Table = (
    Row(
        Reason.ODDS_UNMOVED,
        "the mid has risen since the last fill (percent)",
        lambda v: v.mid_since_fill_pct,
        operator.ge,
        lambda v: v.limits.scale_in.odds_change_pct,
        "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT",
    ),
    Row(
        Reason.COOLING_DOWN,
        "the last fill lies back far enough (seconds)",
        lambda v: v.since_fill_s,
        operator.ge,
        lambda v: v.limits.scale_in.cooldown_s,
        "LEAD_LAG_SCALE_COOLDOWN_S",
    ),
    Row(
        Reason.MAX_ADDS,
        "adds are left",
        lambda v: v.position.adds if v.position else None,
        operator.lt,
        lambda v: v.limits.scale_in.max_adds,
        "LEAD_LAG_SCALE_MAX_ADDS",
    ),
    Row(
        Reason.MAX_POSITION,
        "the position may grow (shares)",
        lambda v: v.position.shares if v.position else None,
        operator.lt,
        lambda v: v.limits.scale_in.max_total_shares,
        "LEAD_LAG_SCALE_MAX_TOTAL_SHARES",
    ),
    *PRICE_ZONE,
    WIDE_SPREAD,
    SPREAD_TOO_HIGH,
    NET_EDGE_TOO_LOW,
    *SIZE,
    *EXPOSURE,
    INSUFFICIENT_CASH,
    THROTTLED,
    KILLSWITCH,
    *AFTER_LOSSES,
)
"""The gates of an add."""


def max_hold(limit_s: float | None, setting: str) -> Row:
    """The trigger that ends a position after `limit_s` seconds from its first entry; None: never."""
    return Row(
        Reason.MAX_HOLD,
        "held long enough (seconds since the first entry; adds do not reset it)",
        lambda v: v.held_s,
        operator.ge,
        lambda v: limit_s,
        setting,
    )


STOP = Row(
    Reason.STOP,
    "the mid fell against the share-weighted mid at entry (percent, so the spread itself never stops out)",
    lambda v: v.mid_since_entry_pct,
    operator.le,
    lambda v: None if v.limits.stop_pct is None else -v.limits.stop_pct,
    "LEAD_LAG_PM_STOP_PCT",
)
