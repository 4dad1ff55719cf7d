"""`step`: one tick's decision, pure, from a snapshot and the state.

Order within a tick: settlements, exits, adds, entries, each in map order. A budget (cash, orders so far, shares already taken
from the books) is folded through, so two orders never spend the same cash or the same liquidity.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from domain.decision import Cause, Reason, Verdict
from domain.fees import FREE
from domain.fill import walk, whole_micros
from domain.judgement import Judged, Judgement
from domain.ledger import Action, Ledger, Order
from domain.market import Market, Moment, OrderBook, ReferenceId, Side, Snapshot, TokenId
from domain.protections import Record
from domain.reading import Accepted, accepted_references, first_look, followed, remembered, sampled
from domain.sizing import Sizing
from domain.state import Memory, State
from domain.state_machine import (
    AFTER_LOSSES,
    BUY_INPUT,
    EXIT_INPUT,
    EXPOSURE,
    MARK_INPUT,
    SAMPLE_INPUT,
    SCALE_IN,
    STOP,
    Table,
    enter_table,
    first_closed,
    first_fired,
    input_table,
)
from domain.strategies import Strategy
from domain.value import value
from domain.view import Budget, Limits, Plan, Reading, View

SAMPLED_EXIT_INPUT = EXIT_INPUT[len(MARK_INPUT) :]
"""What is left to ask before an exit when the tick gave a sample, which is only taken of a book that can be believed."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How decisions are made: chosen once, never changed. `latency_ms` comes on top of a market's own taker delay."""

    strategy: Strategy
    limits: Limits
    sizing: Sizing
    latency_ms: int = 0

    @cached_property
    def inputs(self) -> Table:
        """What an entry or an add of this strategy must have been given."""
        return input_table(self.strategy.points_setting)

    @cached_property
    def enter(self) -> Table:
        """The ENTER table of this strategy."""
        return enter_table(self.strategy.enter)

    @cached_property
    def enter_in_force(self) -> Table:
        """The same without the protections that nobody has set: a tick asks this table of every token."""
        protections = self.limits.protections
        absent = (() if protections.remember else AFTER_LOSSES) + (() if protections.limit_exposure else EXPOSURE)
        return tuple(row for row in self.enter if row not in absent)

    @cached_property
    def exit(self) -> Table:
        """The EXIT table of this strategy."""
        return (*self.strategy.exit, STOP)


@value
class Decision:
    """What `step` wants: orders for the broker, and why, for every token.

    `ledger` holds the orders that go on waiting; `cancelled` are those whose book never came. `payouts` are due to open
    positions; `marks` are the books that price positions now.
    """

    sequence: int
    moment: Moment
    strategy: str
    verdicts: Sequence[Verdict]
    orders: tuple[Order, ...]
    cancelled: tuple[Order, ...]
    payouts: Mapping[TokenId, Decimal]
    marks: Mapping[TokenId, OrderBook]
    memory: Memory
    ledger: Ledger
    kill_switch: bool = False


def step(rules: Rules, snapshot: Snapshot, state: State) -> Decision:
    """Decide one tick."""
    references = accepted_references(snapshot, state.memory, freshness_s=rules.limits.freshness_s)
    turn = _Turn(rules, snapshot, state)
    readings = turn.readings(followed(snapshot, state.ledger), references)
    waiting = turn.meet_waiting(readings)
    held = [reading for reading in readings if reading.market.token in state.ledger.positions]
    for reading in held:
        turn.exit(reading)
    for reading in held:
        if reading not in turn.judged:
            turn.add(reading)
    for reading in readings:
        if reading.market.token not in state.ledger.positions:
            turn.enter(reading)
    return Decision(
        sequence=turn.sequence,
        moment=snapshot.moment,
        strategy=rules.strategy.name,
        verdicts=Judged([turn.judged[reading] for reading in readings]),
        orders=tuple(turn.orders),
        cancelled=tuple(turn.cancelled),
        payouts={token: pays for token, pays in snapshot.payouts.items() if token in state.ledger.positions},
        marks=turn.marking_books(readings),
        memory=Memory(
            histories={reading.market.token: reading.history for reading in readings if reading.market.token is not None},
            references=remembered(state.memory, references),
            moment=snapshot.moment,
            record=turn.record,
        ),
        ledger=state.ledger if waiting == state.ledger.pending else replace(state.ledger, pending=waiting),
        kill_switch=snapshot.kill_switch,
    )


class _Turn:
    """One tick in the making: the budget and the verdicts, folded over the tokens."""

    def __init__(self, rules: Rules, snapshot: Snapshot, state: State) -> None:
        self.rules, self.snapshot, self.state = rules, snapshot, state
        self.sequence = state.sequence + 1
        self.enter_rows, self.exit_rows = rules.enter_in_force, rules.exit
        # The rows before these were asked when the sample was taken: `refused` is their answer.
        self.input_rows = rules.inputs[len(SAMPLE_INPUT) :]
        self.clock_jump_s = _clock_jump_s(snapshot.moment, state.memory.moment)
        self.record = _record(rules.limits, snapshot.moment, state, self.clock_jump_s)
        ledger = state.ledger
        self.budget = Budget(cash=ledger.cash - ledger.reserved_cash, orders=0, engaged=ledger.engaged)
        self.peers: dict[TokenId, Reading] = {}
        self.blocked = {order.token for order in ledger.pending}
        self.judged: dict[Reading, Judgement] = {}
        self.orders: list[Order] = []
        self.cancelled: list[Order] = []
        self.legs = 0
        self.views: dict[Reading, View] = {}

    def view(self, reading: Reading) -> View:
        """What the rules may see of one token now: the same view until the budget changes, with all that it found out."""
        known = self.views.get(reading)
        if known is None or known.budget is not self.budget:
            known = self.views[reading] = self._view(reading)
        return known

    def _view(self, reading: Reading) -> View:
        token = reading.market.token
        return View(
            now=self.snapshot.ready,
            at=self.snapshot.moment,
            reading=reading,
            position=self.state.ledger.positions.get(token) if token is not None else None,
            ledger=self.state.ledger,
            record=self.record,
            budget=self.budget,
            limits=self.rules.limits,
            sizing=self.rules.sizing,
            unit=self.rules.strategy.unit,
            points=self.rules.strategy.points,
            needs_reference=self.rules.strategy.needs_reference(reading.market),
            peers=self.peers,
            delay_ms=self.rules.latency_ms + reading.market.taker_delay_ms,
            kill_switch=self.snapshot.kill_switch,
            clock_jump_s=self.clock_jump_s,
        )

    def readings(self, markets: Iterable[Market], references: Mapping[ReferenceId, Accepted]) -> tuple[Reading, ...]:
        """Every token's inputs with this tick's sample and signal."""
        rules, memory = self.rules, self.state.memory
        looks = tuple([first_look(each, self.snapshot, references, memory, rules.strategy, rules.limits) for each in markets])
        for reading in looks:
            sampled(self.view(reading), memory, rules.strategy)
            if reading.market.token is not None:
                self.peers[reading.market.token] = reading
        return looks

    def exit(self, reading: Reading) -> None:
        """Settle, leave, or say what holds an exit back."""
        view = self.view(reading)
        if view.position is None:  # pragma: no cover - only what is held is asked, which the type of a view does not say
            return
        if view.position.token in self.snapshot.payouts:
            pays = self.snapshot.payouts[view.position.token]
            self._decide(view, Action.EXIT, Cause(reason=Reason.SETTLED, measured=pays))
            self.budget = replace(self.budget, cash=self.budget.cash + whole_micros(view.position.shares * pays))
        elif view.position.token in self.blocked:
            self._decide(view, Action.HOLD, Cause(reason=Reason.ORDER_PENDING))
        elif held_back := first_closed(EXIT_INPUT if reading.refused else SAMPLED_EXIT_INPUT, view):
            self._decide(view, Action.HOLD, held_back)
        elif fired := first_fired(self.exit_rows, view):
            self._send(view, Action.EXIT, fired, Side.SELL, view.sale)

    def add(self, reading: Reading) -> None:
        """Scale in, or say which gate keeps the position as it is."""
        view = self.view(reading)
        closed = reading.refused or first_closed(self.input_rows, view)
        if closed is None and self.rules.limits.scale_in.odds_change_pct is None:
            closed = Cause(reason=Reason.HOLD)
        closed = closed or first_closed(SCALE_IN, view)
        if closed:
            self._decide(view, Action.HOLD, closed)
        else:
            self._send(view, Action.SCALE_IN, Cause(reason=Reason.SCALE_IN), Side.BUY, view.addition)

    def enter(self, reading: Reading) -> None:
        """Enter, or say which gate is closed."""
        view = self.view(reading)
        if reading.market.token in self.blocked:
            self._decide(view, Action.SKIP, Cause(reason=Reason.ORDER_PENDING))
        elif closed := reading.refused or first_closed(self.input_rows, view) or first_closed(self.enter_rows, view):
            self._decide(view, Action.SKIP, closed)
        else:
            self._send(view, Action.ENTER, Cause(reason=Reason.ENTER), Side.BUY, view.entry)

    def _send(self, view: View, action: Action, cause: Cause, side: Side, plan: Plan) -> None:
        """Make the order, and take what it will use out of the budget."""
        signal, reference = view.reading.signal, view.reading.reference
        order = Order(
            id=f"{self.sequence}-{self.legs}",
            market=view.market,
            token=view.known_book.token,
            side=side,
            action=action,
            reason=cause.reason,
            shares=plan.shares,
            limit=plan.limit,
            decided=self.snapshot.ready,
            delay_ms=view.delay_ms,
            mid=view.reading.quote.mid if view.reading.quote else 0.0,
            below_minimum=plan.shares < view.known_book.min_order_size,
            edge=signal.edge if signal else None,
            fair_p=signal.fair_p if signal else None,
            reference=reference.price if reference else None,
        )
        self._decide(view, action, cause)
        self.legs += 1
        self.orders.append(order)
        self.budget = _spent(self.budget, view, side, plan)

    def _decide(self, view: View, action: Action, cause: Cause) -> None:
        self.judged[view.reading] = Judgement(view, action, cause, self.rules.strategy)

    def meet_waiting(self, readings: Iterable[Reading]) -> tuple[Order, ...]:
        """Send the waiting orders whose book has come, cancel those that waited too long, return the others."""
        by_token = {reading.market.token: reading for reading in readings}
        waiting = []
        for order in self.state.ledger.pending:
            view = self.view(by_token[order.token]) if order.token in by_token else None
            patience_s = order.delay_ms / 1000 + self.rules.limits.freshness_s
            if order.token in self.snapshot.payouts:
                self.cancelled.append(order)
            elif view and _meets_its_book(order, view):
                self.orders.append(order)
                levels = walk(
                    view.known_book,
                    order.side,
                    shares=order.shares,
                    limit=order.limit,
                    fees=FREE,
                    taken=self.budget.taken,
                )
                self.budget = replace(self.budget, taken=self.budget.taken.with_walk(order.market, order.side, levels))
            elif self.snapshot.moment.seconds_since(order.decided) > patience_s:
                self.cancelled.append(order)
            else:
                waiting.append(order)
        return tuple(waiting)

    def marking_books(self, readings: Iterable[Reading]) -> dict[TokenId, OrderBook]:
        """The books that price positions, those opened by this tick included."""
        believed = (each for each in readings if each.refused is None or first_closed(MARK_INPUT, self.view(each)) is None)
        return {reading.book.token: reading.book for reading in believed if reading.book is not None}


def _clock_jump_s(now: Moment, before: Moment | None) -> float:
    """By how many seconds the wall clock stepped against the monotonic one since the last tick."""
    if before is None:
        return 0.0
    return abs((now.at_ms - before.at_ms) - (now.elapsed_ms - before.elapsed_ms)) / 1000


def _record(limits: Limits, now: Moment, state: State, clock_jump_s: float) -> Record | None:
    """What is remembered of the account as this tick begins; None where nobody keeps it and no protection asks."""
    known = state.memory.record
    if known is None:
        if not limits.protections.remember:
            return None
        known = Record.of(state.ledger)
    day = now.day if clock_jump_s <= limits.clock_jump_s else None
    return known.begun(day, state.ledger.equity)


def _meets_its_book(order: Order, view: View) -> bool:
    if first_closed(BUY_INPUT if order.side is Side.BUY else EXIT_INPUT, view):
        return False
    return view.known_book.requested.elapsed_ms >= order.decided.elapsed_ms + order.delay_ms


def _spent(budget: Budget, view: View, side: Side, plan: Plan) -> Budget:
    """The budget after an order. Proceeds count only when the order fills at once; exits use up no order."""
    if side is Side.BUY:
        return Budget(
            cash=budget.cash - view.cash_needed,
            orders=budget.orders + 1,
            taken=budget.taken.with_walk(view.market, side, plan.walk),
            engaged=budget.engaged | {view.known_book.token},
            bought=(*budget.bought, (view.market, view.notional_needed)),
        )
    proceeds = Decimal(0) if view.delay_ms else plan.walk.notional - plan.walk.fee
    return replace(budget, cash=budget.cash + proceeds, taken=budget.taken.with_walk(view.market, side, plan.walk))
