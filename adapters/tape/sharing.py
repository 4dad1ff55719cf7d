"""What the settings of a sweep share: a tick that one setting decided answers the next one, too, where it must say the same.

Settings that differ in the thresholds of their strategy alone meet the same ticks with the same position over and over. Such
a tick is not decided again: what the first setting read of it is kept, the rows that may differ are asked of that reading, and
where they give the same answer, what happened is entered into the books again. Any doubt goes to the whole `tick`, and so does
every tick of rules whose protections remember the account: no two settings have the same past.
"""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from adapters.tape.columns import Columns
from adapters.tape.snapshots import Snapshots
from adapters.tape.turns import Turn
from domain.decision import Reason
from domain.engine import Rules
from domain.judgement import Judged, Judgement
from domain.ledger import Action, Ledger, Position
from domain.market import Snapshot, TokenId
from domain.report import Report
from domain.state import State
from domain.state_machine import EXPOSURE, first_closed, first_fired
from domain.view import View

KEPT_SNAPSHOTS = 8_192
OF_THE_ACCOUNT = frozenset(
    (*(row.reason for row in EXPOSURE), Reason.INSUFFICIENT_CASH, Reason.THROTTLED, Reason.ORDER_PENDING)
)
"""Reasons to skip that hang on the books of account."""


def kin(rules: Rules) -> Hashable:
    """What must be equal in two sets of rules that share their ticks: all but the strategy's own thresholds."""
    strategy = rules.strategy
    return strategy.name, strategy.points, strategy.capacity, rules.limits, rules.sizing, rules.latency_ms


class KeptSnapshots(Snapshots):
    """The snapshots of one tape, of which the latest are kept with all that was decoded of them."""

    def __init__(self, columns: Columns) -> None:
        """Of this tape."""
        super().__init__(columns)
        self._kept: OrderedDict[tuple[int, frozenset[TokenId]], Snapshot] = OrderedDict()

    def at(self, tick: int, only: Collection[TokenId] | None = None) -> Snapshot:
        """The inputs of a tick."""
        if only is None:
            return super().at(tick)
        key = tick, frozenset(only)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = super().at(tick, only)
            if len(self._kept) > KEPT_SNAPSHOTS:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, kw_only=True)
class Known:
    """A tick that was decided: from which turn, about which token, and what came of it."""

    turn: Turn
    token: TokenId
    report: Report

    @property
    def position(self) -> Position | None:
        """What was held before."""
        return self.turn.state.ledger.positions.get(self.token)

    @cached_property
    def judgement(self) -> Judgement:
        """What was decided about the token, and what the rules saw of it."""
        judged = self.report.verdicts
        if not isinstance(judged, Judged):
            raise TypeError("a tick that was decided here tells what it was decided on")
        return next(each for each in judged.judgements if each.view.market.token == self.token)

    @cached_property
    def shut(self) -> bool:
        """Whether a row closed that neither the strategy nor the account has a part in: nobody enters here."""
        _, action, cause, strategy = self.judgement
        its_own = {row.reason for row in strategy.enter} | OF_THE_ACCOUNT
        return self.position is None and action is Action.SKIP and cause.reason not in its_own

    def holds_for(self, rules: Rules, turn: Turn) -> bool:
        """Whether these rules, which are kin, decide the same in this turn, which meets the same position."""
        if self.shut:
            return True
        if len(self.report.orders) != 1 or self.report.orders[0].execution.order.token != self.token:
            return False
        order, view = self.report.orders[0].execution.order, self.judgement.view
        seen = view.reading.signal
        if seen is not None and rules.strategy.signal(view.reading) != seen:
            return False
        if order.action is Action.EXIT:
            fired = first_fired(rules.exit, view)
            return fired is not None and fired.reason == order.reason
        enters = order.action is Action.ENTER and first_closed(rules.strategy.enter, view) is None
        return enters and turn.state.ledger.cash >= view.cash_needed and _has_room(rules, view, turn.state.ledger)

    def again(self, turn: Turn) -> Report:
        """What comes of it in the books of this turn: the same change of cash, result, fees and this one position."""
        before, after, ledger = self.turn.state.ledger, self.report.state.ledger, turn.state.ledger
        cash = ledger.cash + (after.cash - before.cash)
        return Report(
            state=State(
                sequence=self.report.state.sequence,
                ledger=Ledger(
                    opening_cash=ledger.opening_cash,
                    cash=cash,
                    realised=ledger.realised + (after.realised - before.realised),
                    fees=ledger.fees + (after.fees - before.fees),
                    positions=self._positions(ledger, after),
                    settled=ledger.settled,
                ),
                memory=self.report.state.memory,
            ),
            moment=self.report.moment,
            verdicts=self.report.verdicts,
            orders=self.report.orders,
            trades=tuple(replace(trade, cash_after=cash) for trade in self.report.trades),
            kill_switch=self.report.kill_switch,
            books=self.report.books,
        )

    def _positions(self, ledger: Ledger, after: Ledger) -> Mapping[TokenId, Position]:
        """All positions in the order of their entry, those that this tick has no book of marked as it would."""
        mine = after.positions.get(self.token)
        others = ledger if ledger.positions.keys() <= {self.token} else ledger.marked({})
        positions = dict(others.positions)
        if mine is not None:
            positions[self.token] = mine
        else:
            positions.pop(self.token, None)
        return positions


class SharedTicks:
    """The ticks that the settings of one kin have decided so far."""

    def __init__(self, snapshots: Snapshots) -> None:
        """Over these snapshots."""
        self.snapshots = snapshots
        self.recalled = 0
        """How many ticks were not decided again."""
        self._known: dict[tuple[int, TokenId], list[Known]] = {}

    def recall(self, rules: Rules, turn: Turn) -> Report | None:
        """What comes of a turn, if a setting before has met it."""
        token = _only_token(turn)
        if token is None:
            return None
        position = turn.state.ledger.positions.get(token)
        for known in self._known.get((turn.tick, token), ()):
            if known.position == position and known.holds_for(rules, turn):
                self.recalled += 1
                return known.again(turn)
        return None

    def learn(self, rules: Rules, turn: Turn, report: Report) -> None:
        """Keep what came of a turn for the settings that follow."""
        token = _only_token(turn)
        if token is None or rules.strategy.both_outcomes or report.state.memory.record is not None:
            return
        if not self.snapshots.at(turn.tick, turn.tokens).payouts and not report.state.ledger.pending:
            known = Known(turn=turn, token=token, report=report)
            self._known.setdefault((turn.tick, token), []).append(known)


def _has_room(rules: Rules, view: View, ledger: Ledger) -> bool:
    """Whether these books leave room for the exposure that this view's order would add."""
    limited = rules.limits.protections.limit_exposure
    return not limited or first_closed(EXPOSURE, replace(view, ledger=ledger)) is None


def _only_token(turn: Turn) -> TokenId | None:
    """The one token that a turn is about; None where more may happen than to it alone."""
    ledger = turn.state.ledger
    if turn.tokens is None or len(turn.tokens) != 1 or turn.lost or ledger.pending or turn.state.memory.record is not None:
        return None
    (token,) = turn.tokens
    return None if token in ledger.settled else token
