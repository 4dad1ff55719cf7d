"""Screening leaves ticks out, never trades: screened and unscreened replays are the same, whatever the tape and the rules."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.tape.columns import Columns
from adapters.tape.replay_ledger import ReplayLedger
from adapters.tape.screen import Screen
from adapters.tape.turns import EveryTick, Turn, Turns
from domain.engine import Rules
from domain.ledger import UNPRICED, Ledger
from domain.report import TradeAction
from domain.state import State
from entrypoints.replay import Replay, replayed
from tests.adapters.random_tape import MARKETS, RandomTape, random_rules

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


def _unmarked(ledger: Ledger) -> Ledger:
    return replace(ledger, positions={token: replace(held, mark=UNPRICED) for token, held in ledger.positions.items()})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mode=st.sampled_from(MODES), seed=st.integers(0, 2**32), calm=st.sampled_from([0.8, 0.95, 0.999]))
def test_screened_and_unscreened_replays_are_the_same(mode: str, seed: int, calm: float) -> None:
    """Trade by trade to the last field, order by order, and in what the last tick remembers."""
    columns, rules = RandomTape(seed, mode, calm=calm).columns(), random_rules(seed, mode)
    whole = _played(columns, rules, EveryTick(columns))
    kept = _played(columns, rules, Screen(columns, rules, full_from=len(columns.grid) - 1))
    assert kept.trades == whole.trades
    assert kept.journal().orders == whole.journal().orders
    assert kept.load().memory == whole.load().memory
    assert _unmarked(kept.load().ledger) == _unmarked(whole.load().ledger)


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
