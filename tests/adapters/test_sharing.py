"""What settings share changes nothing: a trial after many others makes the trades of a replay of its own."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.tape.account import curve_of
from adapters.tape.columns import Columns
from adapters.tape.screen import Screen, scene_of
from adapters.tape.sharing import KeptSnapshots, SharedTicks
from adapters.tape.trials import changes_of, edges_s
from adapters.tape.turns import EveryTick
from domain.ledger import Ledger
from domain.report import Trade
from entrypoints.replaying import Replay, replayed
from entrypoints.trial import Base, Probe
from tests.adapters.random_tape import MARKETS, RandomTape, random_environment

pytestmark = pytest.mark.slow

THRESHOLDS: Mapping[str, tuple[str, ...]] = {
    "lead_lag": ("LEAD_LAG_EDGE_MIN_PCT", "0.05", "0.1", "0.4", "1"),
    "pm_trend": ("PM_TREND_MOVE_MIN_PCT", "0.1", "1", "3"),
    "pm_draw": ("PM_DRAW_EDGE_MIN_PCT", "1", "2", "5"),
    "fair_model": ("EDGE_THRESHOLD", "0.01", "0.02", "0.1"),
}
EXITS: Mapping[str, tuple[str, ...]] = {
    "lead_lag": ("LEAD_LAG_EDGE_EXIT_PCT", "-2", "-1", "0"),
    "pm_trend": ("PM_TREND_EXIT_MOVE_MIN_PCT", "0", "-1"),
    "pm_draw": ("PM_DRAW_EDGE_EXIT_PCT", "0.5", "-3"),
    "fair_model": ("PM_TREND_AUTO_SIDE", "1"),
}


def _alone(columns: Columns, base: Base, setting: Mapping[str, str]) -> tuple[list[Trade], tuple[int, ...]]:
    rules, read = base.rules(setting), base.settings(setting)
    opening = Ledger.opened_with(read.start_balance_usd)
    store = replayed(Replay(columns=columns, rules=rules, opening=opening), EveryTick(columns))
    curve = curve_of(scene_of(columns, rules), opening.opening_cash, store.trades, store.ticks)
    return store.trades, changes_of(curve, columns.grid)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mode=st.sampled_from(tuple(MARKETS)), seed=st.integers(0, 2**32), calm=st.sampled_from([0.9, 0.97, 0.999]))
def test_a_trial_among_others_comes_to_what_it_comes_to_alone(mode: str, seed: int, calm: float) -> None:
    """All numbers and the whole record, for every strategy, whatever the tape, the other gates and the cash."""
    columns = RandomTape(seed, mode, calm=calm).columns()
    (entry, *least), (leave, *gone) = THRESHOLDS[mode], EXITS[mode]
    environment = {name: text for name, text in random_environment(seed, mode).items() if name not in (entry, leave)}
    base = Base(environment=environment)
    probe = Probe(columns, base)
    for low in least:
        for high in gone:
            setting = {entry: low, leave: high}
            trial, (trades, changes) = probe.trial(setting), _alone(columns, base, setting)
            assert trial.changes == changes
            assert trial.trades == sum(trade.shares > 0 for trade in trades)
            assert trial.fees_usd == sum((trade.fee for trade in trades), Decimal(0))


def test_most_ticks_are_shared_and_give_the_same_rows() -> None:
    """Trade by trade to the last field; and it is no empty promise: the second setting decides almost nothing itself."""
    columns = RandomTape(5, "lead_lag", 600, calm=0.995).columns()
    base = Base(environment=random_environment(3, "lead_lag", protected=False) | {"PM_FEES": "venue"})
    rules = [base.rules({"LEAD_LAG_EDGE_MIN_PCT": text}) for text in ("0.1", "0.15")]
    shared = SharedTicks(KeptSnapshots(columns))
    opening = Ledger.opened_with(Decimal(1000))
    store = None
    for each in rules:
        store = replayed(Replay(columns=columns, rules=each, opening=opening), Screen(columns, each), shared)
    assert store is not None
    alone = replayed(Replay(columns=columns, rules=rules[1], opening=opening), EveryTick(columns))
    assert store.trades == alone.trades
    assert len(alone.trades) > 50
    assert shared.recalled > 40


def test_periods_add_up_to_the_whole_result() -> None:
    """No tick is left out between the edges."""
    columns = RandomTape(9, "lead_lag", 300).columns()
    trial = Probe(columns, Base(environment=random_environment(9, "lead_lag"))).trial({"LEAD_LAG_EDGE_MIN_PCT": "0.2"})
    assert sum(trial.changes) == trial.pnl_usd * 1_000_000
    assert len(trial.changes) == len(edges_s(columns.grid)) - 1 == pytest.approx(75)
