"""Screening leaves ticks out, never trades: screened and unscreened replays are the same, whatever the tape and the rules."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.tape.columns import Columns
from adapters.tape.replay_ledger import ReplayLedger
from adapters.tape.screen import Screen, shares_samples
from adapters.tape.tables import columnar
from adapters.tape.turns import EveryTick, Turn, Turns
from domain.decision import Reason
from domain.engine import Rules
from domain.ledger import UNPRICED, Ledger, OrderStatus
from domain.market import Snapshot
from domain.report import TradeAction
from domain.state import State
from domain.state_machine import SCALE_IN
from domain.strategies.lead_lag import LeadLag
from domain.view import Limits
from entrypoints.replaying import Replay, replayed
from tests.adapters.random_tape import MARKETS, RandomTape, random_rules
from tests.builders import rules, seen, warming_up
from tests.columns import columns_of

MODES = tuple(MARKETS)


class Counted:
    """Turns that count themselves."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.count = 0

    def after(self, state: State) -> Turn | None:
        """The next turn."""
        turn = self._turns.after(state)
        self.count += turn is not None
        return turn


def _played(columns: Columns, rules: Rules, turns: Turns, cash: int = 1000) -> ReplayLedger:
    return replayed(Replay(columns=columns, rules=rules, opening=Ledger.opened_with(Decimal(cash))), turns)


def _as_far_as_asked(state: State, by: Rules) -> State:
    """Without the marks, and what was remembered of the equity that they make, unless a protection looks at them."""
    if by.limits.protections.watch_equity:
        return state
    ledger, memory = state.ledger, state.memory
    unmarked = {token: replace(held, mark=UNPRICED) for token, held in ledger.positions.items()}
    record = memory.record and replace(memory.record, opened=ledger.opening_cash, peak=ledger.opening_cash)
    return replace(state, ledger=replace(ledger, positions=unmarked), memory=replace(memory, record=record))


ANY_TAPE = given(mode=st.sampled_from(MODES), seed=st.integers(0, 2**32), calm=st.sampled_from([0.8, 0.95, 0.999]))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@ANY_TAPE
def test_screened_and_unscreened_replays_are_the_same(mode: str, seed: int, calm: float) -> None:
    """Trade by trade to the last field, order by order, and in what the last tick remembers."""
    _compare(mode, seed, calm)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@ANY_TAPE
def test_so_they_are_on_many_more_tapes(mode: str, seed: int, calm: float) -> None:
    """The same."""
    _compare(mode, seed, calm)


def _compare(mode: str, seed: int, calm: float) -> None:
    columns, rules = RandomTape(seed, mode, calm=calm).columns(), random_rules(seed, mode)
    whole = _played(columns, rules, EveryTick(columns))
    kept = _played(columns, rules, Screen(columns, rules, full_from=len(columns.grid) - 1))
    assert kept.trades == whole.trades
    assert kept.journal().orders == whole.journal().orders
    assert _as_far_as_asked(kept.load(), rules) == _as_far_as_asked(whole.load(), rules)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_random_tapes_hold_every_kind_of_trade(mode: str) -> None:
    """Else the test above would prove nothing; and many ticks are left out."""
    seen: Counter[str] = Counter()
    ticks = turns = 0
    for seed in range(40):
        columns, rules = RandomTape(seed, mode, calm=0.97).columns(), random_rules(seed, mode)
        counted = Counted(Screen(columns, rules))
        seen.update(trade.action for trade in _played(columns, rules, counted).trades)
        ticks, turns = ticks + len(columns.grid), turns + counted.count
    assert min(seen[action] for action in TradeAction) > 0
    assert seen[TradeAction.BUY] > 100
    assert turns < 0.7 * ticks


def _waits_for_its_book() -> list[Snapshot]:
    """Warm-up, a jump of the reference that enters at 75 s, and the book that an order of 10 s of latency meets."""
    return [*warming_up(), seen(75, spot=60_300.0), seen(90, spot=60_300.0), seen(105, spot=60_300.0)]


@pytest.mark.parametrize("screened", [False, True])
def test_nothing_fills_across_a_gap(screened: bool) -> None:
    """The order that waited is cancelled, and history starts again; without the gap it is filled."""
    by = rules(latency_ms=10_000)
    whole, torn = columns_of(_waits_for_its_book()), columns_of(_waits_for_its_book(), gaps={6})
    filled, lost = (_played(tape, by, Screen(tape, by) if screened else EveryTick(tape)) for tape in (whole, torn))
    assert [trade.id for trade in filled.trades] == ["6-0"]
    assert lost.trades == []
    assert [event.execution.status for event in lost.journal().orders] == [OrderStatus.PENDING, OrderStatus.CANCELLED]
    assert lost.journal().orders[-1].execution.note == "the tape has a gap"


def test_a_scene_serves_other_rules_that_take_the_same_samples() -> None:
    """A sweep looks at the tape once."""
    columns = RandomTape(5, "lead_lag", 300, calm=0.95).columns()
    one, other = rules(thresholds=LeadLag(lookback_points=3)), rules(thresholds=LeadLag(edge_min_pct=0.1))
    assert shares_samples(one, other)
    assert not shares_samples(one, rules(limits=Limits(freshness_s=30.0)))
    shared = Screen(columns, other, scene=Screen(columns, one).scene)
    assert _played(columns, other, shared).trades == _played(columns, other, Screen(columns, other)).trades != []


def test_tables_leave_open_only_what_columns_cannot_know() -> None:
    """A new rule is screened, or named as one that is not."""
    left = [row for row in (*rules().inputs, *rules().enter, *SCALE_IN) if row not in columnar((row,))]
    assert {row.reason for row in left} == {
        Reason.DAILY_LOSS,
        Reason.DRAWDOWN,
        Reason.LOSSES_IN_A_ROW,
        Reason.STOP_COOLDOWN,
        Reason.MARKET_EXPOSURE,
        Reason.EVENT_EXPOSURE,
        Reason.TOTAL_EXPOSURE,
        Reason.LAG_TOO_SHORT,
        Reason.INSUFFICIENT_LIQUIDITY,
        Reason.BELOW_MIN_ORDER_SIZE,
        Reason.INSUFFICIENT_CASH,
        Reason.THROTTLED,
    }
