"""The tables: every reason is produced by `step`, with its numbers, and the earlier row names it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

import pytest

from domain.decision import Number, Reason
from domain.edge import return_pct
from domain.engine import step
from domain.history import History, Sample
from domain.ledger import Action
from domain.state_machine import BUY_INPUT, EXIT_INPUT, SAMPLE_INPUT, SCALE_IN
from domain.strategies.lead_lag import LeadLag
from tests.builders import FREE, INTERVAL_S, SIZING, YES, market, rules
from tests.domain.scene import AT_S, KNOBS, Scene
from tests.domain.test_lag import following
from tests.domain.test_strategies import SAID


def _lagging_one_tick() -> History:
    """The mid follows one tick behind, and has caught up with a reference of 60000 and 0.505."""
    found = following(2, shift=1, length=100).samples[:-6]
    last = found[-1]
    scaled = [(s.reference / last.reference * 60_000, s.mid / last.mid * 0.505) for s in found]
    quiet = [*scaled, *[(60_000.0, 0.505)] * 6]
    first_s = AT_S - INTERVAL_S * len(quiet)
    return History(tuple(Sample(round(1000 * (first_s + INTERVAL_S * n)), a, b) for n, (a, b) in enumerate(quiet)))


@dataclass(frozen=True)
class Row:
    """Knobs that bring about a reason, and the numbers that stand beside it."""

    reason: Reason
    knobs: KNOBS = field(default_factory=dict)
    measured: Number | None = None
    limit: Number | None = None
    setting: str = ""

    def __str__(self) -> str:
        """For the test's name."""
        return str(self.reason)


STOPPED_BUYING = (
    Row(Reason.KILLSWITCH, {"kill_switch": True}, 1, 0, "KILLSWITCH_FILE"),
    Row(
        Reason.DAILY_LOSS,
        {"daily_loss": "10", "opened": "1010"},
        Decimal(10),
        Decimal(10),
        "PM_MAX_DAILY_LOSS_USDC",
    ),
    Row(Reason.DRAWDOWN, {"drawdown_pct": 20.0, "peak": "1250"}, 20.0, 20.0, "PM_MAX_DRAWDOWN_PCT"),
    Row(Reason.LOSSES_IN_A_ROW, {"losses_in_a_row": 3, "losses": 3}, 3, 3, "PM_MAX_LOSSES_IN_A_ROW"),
    Row(Reason.STOP_COOLDOWN, {"stop_cooldown_s": 60.0, "stopped_s_ago": 59.9}, 59.9, 60.0, "PM_STOP_COOLDOWN_S"),
)
"""What stops entries and adds alike: the kill switch, and what was lost."""

GATES = (
    Row(Reason.NO_TOKEN, {"token": None}, 0, 1),
    Row(Reason.NO_ORDERBOOK, {"has_book": False}, 0, 1),
    Row(Reason.ONE_SIDED_BOOK, {"quote": "0.50/"}, 1, 2),
    Row(Reason.ONE_SIDED_BOOK, {"quote": "/0.51"}, 1, 2),
    Row(Reason.CROSSED_BOOK, {"quote": "0.52/0.51"}, Decimal("-0.01"), 0),
    Row(Reason.CROSSED_BOOK, {"quote": "0.51/0.51"}, Decimal(0), 0),
    Row(Reason.GHOST_BOOK, {"quote": "0.25/0.75"}, Decimal("0.50"), Decimal("0.50")),
    Row(Reason.MISSING_REFERENCE, {"spot": None}, 0, 1),
    Row(Reason.REFERENCE_SPIKE, {"spot": 66_600.0}, 11.0, 10.0),
    Row(Reason.STALE_INPUT, {"book_age_s": 60.5}, 60.5, 60.0, "FRESHNESS_MAX_AGE_SECS"),
    Row(Reason.STALE_INPUT, {"reference_age_s": 61.0}, 61.0, 60.0, "FRESHNESS_MAX_AGE_SECS"),
    Row(Reason.CLOCK_JUMP, {"wall_step_s": 31.0}, 31.0, 30.0, "INTERVAL_S"),
    Row(Reason.WARMUP, {"samples": 4}, 5, 6, "LEAD_LAG_LOOKBACK_POINTS"),
    Row(Reason.MARKET_CLOSED, {"accepting": False}, 0, 1),
    *STOPPED_BUYING,
    Row(Reason.STALE_BOOK, {"changed_s_ago": 300.5, "book_unchanged_s": 300.0}, 300.5, 300.0, "LEAD_LAG_MAX_BOOK_AGE_SECS"),
    Row(Reason.AVOID_PRICE_ZONE, {"avoid_below": "0.52"}, Decimal("0.51"), Decimal("0.52"), "LEAD_LAG_AVOID_PRICE_BELOW"),
    Row(Reason.AVOID_PRICE_ZONE, {"avoid_above": "0.50"}, Decimal("0.51"), Decimal("0.50"), "LEAD_LAG_AVOID_PRICE_ABOVE"),
    Row(Reason.WIDE_SPREAD, {"max_spread": "0.009"}, Decimal("0.01"), Decimal("0.009"), "LEAD_LAG_MAX_SPREAD"),
    Row(Reason.SPOT_MOVE_TOO_SMALL, {"spot_move_min_pct": 0.51}, 0.5, 0.51, "LEAD_LAG_SPOT_MOVE_MIN_PCT"),
    Row(Reason.LOW_EDGE, {"edge_min_pct": 0.51}, 0.5, 0.51, "LEAD_LAG_EDGE_MIN_PCT"),
    Row(Reason.SPREAD_TOO_HIGH, {"spread_cost_pct": 0.9}, 0.5 / 0.505, 0.9, "LEAD_LAG_SPREAD_COST_CAP_PCT"),
    Row(
        Reason.NET_EDGE_TOO_LOW,
        {"net_edge_pct": 0.1},
        0.5 - (0.005 + 0.07 * 0.51 * 0.49) / 0.505 * 100,
        0.1,
        "LEAD_LAG_NET_EDGE_MIN_PCT",
    ),
    Row(
        Reason.LAG_TOO_SHORT,
        {"min_lag_ms": 15_001.0, "history": _lagging_one_tick()},
        15_000.0,
        15_001.0,
        "LEAD_LAG_MIN_MARKET_LAG_MS",
    ),
    Row(
        Reason.INSUFFICIENT_LIQUIDITY,
        {"sizing": replace(SIZING, hard_cap_usdc=Decimal("0.005"))},
        Decimal(0),
        0,
        "LEAD_LAG_MAX_FRACTION_OF_BAND_LIQUIDITY",
    ),
    Row(
        Reason.INSUFFICIENT_LIQUIDITY,
        {"min_notional": "6"},
        Decimal("5.10"),
        Decimal(6),
        "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC",
    ),
    Row(Reason.BELOW_MIN_ORDER_SIZE, {"min_order_size": 15}, Decimal(10), Decimal(15), "PM_ORDER_SIZE_SHARES"),
    Row(Reason.MARKET_EXPOSURE, {"market_exposure": "5.09"}, Decimal("5.10"), Decimal("5.09"), "PM_MAX_EXPOSURE_MARKET_USDC"),
    Row(Reason.EVENT_EXPOSURE, {"event_exposure": "5.09"}, Decimal("5.10"), Decimal("5.09"), "PM_MAX_EXPOSURE_EVENT_USDC"),
    Row(Reason.TOTAL_EXPOSURE, {"total_exposure": "5.09"}, Decimal("5.10"), Decimal("5.09"), "PM_MAX_EXPOSURE_USDC"),
    Row(Reason.INSUFFICIENT_CASH, {"cash": "5.27492"}, Decimal("5.27492"), Decimal("5.27493"), "PM_ORDER_SIZE_SHARES"),
    Row(Reason.THROTTLED, {"orders_per_tick": 0}, 0, 0, "PM_MAX_ORDERS_PER_TICK"),
)
"""What keeps a flat token from being bought, in the order of SPEC section 3."""

SPREADLESS = {"quote": "0.505/0.515", "odds_change_pct": 0.4, "spot": 61_800.0}
"""A held token that is added to: the mid rose from 0.505 to 0.51, spot by 3 %."""

ADD_GATES = (
    Row(Reason.ODDS_UNMOVED, {"entry_mid": 0.509}, return_pct(0.51, 0.509), 0.4, "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT"),
    Row(Reason.COOLING_DOWN, {"held_s": 19.0}, 19.0, 20.0, "LEAD_LAG_SCALE_COOLDOWN_S"),
    Row(Reason.MAX_ADDS, {"adds": 3}, 3, 3, "LEAD_LAG_SCALE_MAX_ADDS"),
    Row(Reason.MAX_POSITION, {"max_total": 10}, Decimal(10), Decimal(10), "LEAD_LAG_SCALE_MAX_TOTAL_SHARES"),
    Row(Reason.AVOID_PRICE_ZONE, {"avoid_below": "0.52"}, Decimal("0.515"), Decimal("0.52"), "LEAD_LAG_AVOID_PRICE_BELOW"),
    Row(Reason.WIDE_SPREAD, {"max_spread": "0.009"}, Decimal("0.01"), Decimal("0.009"), "LEAD_LAG_MAX_SPREAD"),
    Row(Reason.SPREAD_TOO_HIGH, {"spread_cost_pct": 0.9}, 0.5 / 0.51, 0.9, "LEAD_LAG_SPREAD_COST_CAP_PCT"),
    Row(
        Reason.NET_EDGE_TOO_LOW,
        {"net_edge_pct": 3.0},
        3.0 - return_pct(0.51, 0.505) - (0.005 + 0.07 * 0.515 * 0.485) / 0.51 * 100,
        3.0,
        "LEAD_LAG_NET_EDGE_MIN_PCT",
    ),
    Row(
        Reason.INSUFFICIENT_LIQUIDITY,
        {"min_notional": "6"},
        Decimal("2.575"),
        Decimal(6),
        "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC",
    ),
    Row(Reason.BELOW_MIN_ORDER_SIZE, {"min_order_size": 6}, Decimal(5), Decimal(6), "PM_ORDER_SIZE_SHARES"),
    Row(Reason.MARKET_EXPOSURE, {"market_exposure": "7.67"}, Decimal("7.675"), Decimal("7.67"), "PM_MAX_EXPOSURE_MARKET_USDC"),
    Row(Reason.EVENT_EXPOSURE, {"event_exposure": "7.67"}, Decimal("7.675"), Decimal("7.67"), "PM_MAX_EXPOSURE_EVENT_USDC"),
    Row(Reason.TOTAL_EXPOSURE, {"total_exposure": "7.67"}, Decimal("7.675"), Decimal("7.67"), "PM_MAX_EXPOSURE_USDC"),
    Row(Reason.INSUFFICIENT_CASH, {"cash": "2.66241"}, Decimal("2.66241"), Decimal("2.66242"), "PM_ORDER_SIZE_SHARES"),
    Row(Reason.THROTTLED, {"orders_per_tick": 0}, 0, 0, "PM_MAX_ORDERS_PER_TICK"),
    *STOPPED_BUYING,
)
"""What keeps a held token from being added to, in the order of SPEC section 3."""

EXIT_GATES = (
    Row(Reason.NO_ORDERBOOK, {"has_book": False}, 0, 1),
    Row(Reason.ONE_SIDED_BOOK, {"quote": "/0.51"}, 0, 1),
    Row(Reason.CROSSED_BOOK, {"quote": "0.52/0.51"}, Decimal("-0.01"), 0),
    Row(Reason.GHOST_BOOK, {"quote": "0.01/0.99"}, Decimal("0.98"), Decimal("0.50")),
    Row(Reason.STALE_INPUT, {"book_age_s": 60.5}, 60.5, 60.0, "FRESHNESS_MAX_AGE_SECS"),
    Row(Reason.CLOCK_JUMP, {"wall_step_s": -31.0}, 31.0, 30.0, "INTERVAL_S"),
    Row(Reason.MARKET_CLOSED, {"accepting": False}, 0, 1),
)
"""What holds an exit back."""

LEAVING = {"held": 10, "held_s": 500.0}

TRIGGERS = (
    Row(Reason.SETTLED, {"payout": "0.5"}, Decimal("0.5")),
    Row(Reason.EDGE_EXIT, {"spot": 60_030.0}, 0.05, 0.05, "LEAD_LAG_EDGE_EXIT_PCT"),
    Row(Reason.MAX_HOLD, {"held_s": 180.0}, 180.0, 180.0, "LEAD_LAG_MAX_HOLD_SECS"),
    Row(Reason.STOP, {"stop_pct": 5.0, "entry_mid": 0.54}, return_pct(0.505, 0.54), -5.0, "LEAD_LAG_PM_STOP_PCT"),
)
"""What ends a position, in the order in which it is asked."""

OUTCOMES = (
    (Action.ENTER, Row(Reason.ENTER)),
    (Action.HOLD, Row(Reason.HOLD, {"held": 10})),
    (Action.SCALE_IN, Row(Reason.SCALE_IN, {"held": 10, **SPREADLESS})),
    (Action.SKIP, Row(Reason.ORDER_PENDING, {"pending": True})),
    (Action.HOLD, Row(Reason.ORDER_PENDING, {"pending": True, "held": 10})),
)
"""What a token comes to when no row objects."""


def _assert_says(scene: Scene, action: Action, row: Row) -> None:
    verdict = scene.verdict()
    assert (verdict.action, verdict.cause.reason, verdict.cause.setting) == (action, row.reason, row.setting)
    assert _same(verdict.cause.measured, row.measured)
    assert _same(verdict.cause.limit, row.limit)


def _same(found: Number | None, expected: Number | None) -> bool:
    """Decimals are money and must be equal; floats are estimates."""
    if isinstance(found, float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-9)
    return found == expected


@pytest.mark.parametrize("row", GATES, ids=str)
def test_a_closed_gate_names_the_reason_of_a_skip(row: Row) -> None:
    """With what it measured, its limit, and the variable that sets the limit."""
    _assert_says(Scene().with_knobs(row.knobs), Action.SKIP, row)


@pytest.mark.parametrize("row", ADD_GATES, ids=str)
def test_a_closed_scale_in_gate_names_the_reason_of_a_hold(row: Row) -> None:
    """The position stays as it is."""
    _assert_says(Scene(held=10).with_knobs(SPREADLESS, row.knobs), Action.HOLD, row)


@pytest.mark.parametrize("row", EXIT_GATES, ids=str)
def test_what_holds_an_exit_back_says_so(row: Row) -> None:
    """The hold is long over, and yet nothing is sold into a book that cannot be trusted."""
    scene = Scene().with_knobs(LEAVING, row.knobs)
    _assert_says(scene, Action.HOLD, row)
    assert scene.decision().orders == ()


@pytest.mark.parametrize("row", TRIGGERS, ids=str)
def test_a_fired_trigger_names_the_reason_of_an_exit(row: Row) -> None:
    """With what it measured and its limit."""
    _assert_says(Scene(held=10).with_knobs(row.knobs), Action.EXIT, row)


@pytest.mark.parametrize(("action", "row"), OUTCOMES, ids=lambda value: str(value))
def test_without_objection_a_token_comes_to(action: Action, row: Row) -> None:
    """Enter, hold, scale in, or wait for the order that is under way."""
    _assert_says(Scene().with_knobs(row.knobs), action, row)


def test_every_reason_is_produced_by_a_test() -> None:
    """The cases above, played through `step`, give every member of Reason."""
    scenes = [
        *(Scene().with_knobs(row.knobs) for row in GATES),
        *(Scene(held=10).with_knobs(SPREADLESS, row.knobs) for row in ADD_GATES),
        *(Scene(held=10).with_knobs(row.knobs) for row in TRIGGERS),
        *(Scene().with_knobs(row.knobs) for _, row in OUTCOMES),
    ]
    said = {scene.verdict().cause.reason for scene in scenes}
    assert said | {says.case.verdict().cause.reason for says in SAID} == set(Reason)


def _compatible(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Each row with the next one that can be closed at the same time."""
    pairs = []
    for n, row in enumerate(rows):
        followers = (
            other for other in rows[n + 1 :] if other.reason is not row.reason and not row.knobs.keys() & other.knobs.keys()
        )
        pairs += [(row, other) for other in list(followers)[:1]]
    return pairs


@pytest.mark.parametrize(("earlier", "later"), _compatible(GATES), ids=str)
def test_of_two_closed_gates_the_earlier_one_names_the_reason(earlier: Row, later: Row) -> None:
    """Rows are tried in order."""
    assert Scene().with_knobs(later.knobs, earlier.knobs).verdict().cause.reason is earlier.reason


@pytest.mark.parametrize(("earlier", "later"), _compatible(ADD_GATES), ids=str)
def test_of_two_closed_scale_in_gates_the_earlier_one_names_the_reason(earlier: Row, later: Row) -> None:
    """Rows are tried in order."""
    scene = Scene(held=10).with_knobs(SPREADLESS, later.knobs, earlier.knobs)
    assert scene.verdict().cause.reason is earlier.reason


@pytest.mark.parametrize(("earlier", "later"), _compatible(EXIT_GATES), ids=str)
def test_of_two_reasons_that_hold_an_exit_back_the_earlier_one_is_named(earlier: Row, later: Row) -> None:
    """Rows are tried in order."""
    scene = Scene().with_knobs(LEAVING, later.knobs, earlier.knobs)
    assert scene.verdict().cause.reason is earlier.reason


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(TRIGGERS)), ids=str)
def test_of_two_fired_triggers_the_earlier_one_names_the_reason(earlier: Row, later: Row) -> None:
    """Settled, edge, hold, stop."""
    scene = Scene(held=10).with_knobs(later.knobs, earlier.knobs)
    assert scene.verdict().cause.reason is earlier.reason


def _reasons(rows: Sequence[Row]) -> list[Reason]:
    return list(dict.fromkeys(row.reason for row in rows))


def test_the_cases_stand_in_the_order_of_the_tables() -> None:
    """So that the pairs above are the tables' own neighbours, and no row of a table is without a case."""
    enter = [row.reason for row in (*rules().inputs, *rules().enter)]
    assert _reasons(GATES) == list(dict.fromkeys(enter))
    assert _reasons(ADD_GATES) == list(dict.fromkeys(row.reason for row in SCALE_IN))
    assert _reasons(EXIT_GATES) == [row.reason for row in EXIT_INPUT]
    assert _reasons(TRIGGERS)[1:] == [row.reason for row in rules().exit]


def test_a_sample_asks_for_less_than_an_entry_and_a_waiting_buy_for_no_reference() -> None:
    """A clock jump, a closed market or a warm-up do not make a hole in the history."""
    assert rules().inputs[: len(SAMPLE_INPUT)] == SAMPLE_INPUT
    assert {row.reason for row in BUY_INPUT} == {row.reason for row in EXIT_INPUT}


AT_THE_LIMIT: tuple[KNOBS, ...] = (
    {"book_age_s": 60.0},
    {"reference_age_s": 60.0},
    {"wall_step_s": 30.0},
    {"wall_step_s": -30.0},
    {"spot": 66_000.0},
    {"changed_s_ago": 300.0, "book_unchanged_s": 300.0},
    {"avoid_below": "0.51"},
    {"avoid_above": "0.51"},
    {"max_spread": "0.01"},
    {"spot_move_min_pct": 0.5},
    {"edge_min_pct": 0.5},
    {"min_lag_ms": 15_000.0, "history": _lagging_one_tick()},
    {"min_notional": "5.10"},
    {"min_order_size": 10},
    {"daily_loss": "10.000001", "opened": "1010"},
    {"drawdown_pct": 20.000001, "peak": "1250"},
    {"losses_in_a_row": 3, "losses": 2},
    {"stop_cooldown_s": 60.0, "stopped_s_ago": 60.0},
    {"market_exposure": "5.10"},
    {"event_exposure": "5.10"},
    {"total_exposure": "5.10"},
    {"cash": "5.27493"},
    {"orders_per_tick": 1},
)


@pytest.mark.parametrize("knobs", AT_THE_LIMIT, ids=lambda knobs: next(iter(knobs)))
def test_a_gate_is_open_at_its_limit(knobs: KNOBS) -> None:
    """Limits belong to what is allowed, but for those of losses, which are open until they are reached."""
    assert Scene().with_knobs(knobs).verdict().action is Action.ENTER


ABSENT: tuple[KNOBS, ...] = (
    {"changed_s_ago": 1e6},
    {"changed_s_ago": None, "book_unchanged_s": 1.0},
    {"changed_s_ago": -3600.0, "book_unchanged_s": 1.0},
    {"min_lag_ms": 60_000.0},
    {"net_edge_pct": -1000.0},
    {"opened": "2000", "peak": "2000", "losses": 9, "stopped_s_ago": 1.0},
    {"stop_cooldown_s": 60.0},
)


@pytest.mark.parametrize("knobs", ABSENT)
def test_an_absent_limit_or_an_unknown_measure_closes_no_gate(knobs: KNOBS) -> None:
    """No limit for the book's own age; no venue timestamp; a lag too weak to trust."""
    assert Scene().with_knobs(knobs).verdict().action is Action.ENTER


UNKNOWN: tuple[KNOBS, ...] = (
    {"quote": "0.30/", "stop_pct": 5.0},
    {"spot": None, "entry_mid": 0.505, "stop_pct": 5.0},
    {"samples": 2},
    {"entry_mid": 0.0, "stop_pct": 5.0},
)


@pytest.mark.parametrize("knobs", UNKNOWN)
def test_an_unknown_measure_fires_no_trigger(knobs: KNOBS) -> None:
    """No mid: no stop. No signal: no edge exit."""
    assert Scene(held=10).with_knobs(knobs).verdict().action is Action.HOLD


def test_without_a_maximum_hold_a_position_lives_on() -> None:
    """The trigger is there, its limit is not."""
    scene = Scene(held=10, held_s=1e6)
    ageless = replace(scene.rules, strategy=rules(thresholds=LeadLag(max_hold_s=None)).strategy)
    assert scene.verdict().cause.reason is Reason.MAX_HOLD
    assert step(ageless, scene.snapshot, scene.state).verdicts[0].cause.reason is Reason.HOLD


def test_the_fees_of_todays_map_count_and_not_those_that_the_position_remembers() -> None:
    """2.575 and no fee: what 2.66242 would have been too much for is enough."""
    scene = Scene(held=10, cash="2.58").with_knobs(SPREADLESS)
    free = replace(scene.snapshot, markets=(market(token=YES, fees=FREE),))
    assert scene.verdict().cause.reason is Reason.INSUFFICIENT_CASH
    assert step(scene.rules, free, scene.state).verdicts[0].action is Action.SCALE_IN
