"""What every `Broker` promises: the exam that paper passes, and that a live adapter must pass before it may be armed.

An examinee is a `Desk`: the scripted exchange, and a way to start a broker anew over what was committed. A test calls each
rule of `RULES` with a new desk. The rules look at what a broker answers, at what reached the exchange, and at what is in the
books in the end; they know nothing of how it works. `docs/live-broker.md` explains them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeVar

from domain.engine import Decision
from domain.ledger import Execution, Intent, LawBroken, Order, OrderStatus
from domain.market import Side, Snapshot
from domain.ports import Broker, Unavailable
from domain.settle import found_out, settle
from domain.state import State
from tests.builders import YES, book, ledger, order, position, snapshot
from tests.contracts.scripted_exchange import Act, Killed, ScriptedExchange, Sent

HELD = 100
PATIENCE = 30
"""How often an outcome is asked for, ten seconds apart, before it counts as never found out."""

LOSING = (
    Act.LOSES_THE_ORDER,
    Act.LOSES_THE_ANSWER,
    Act.LOSES_BOTH_FOR_A_WHILE,
    Act.LOSES_THE_ANSWER_AND_FILLS_IN_TWO,
    Act.FILLS_LATE,
)

Answer = TypeVar("Answer")


def _run(doing: Coroutine[object, object, Answer]) -> Answer:
    return asyncio.run(doing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a broker is examined. `start`: a new process over what was committed. `sends`: whether it sends orders at all."""

    exchange: ScriptedExchange
    start: Callable[[], Broker]
    sends: bool = True


class Rule(Protocol):
    """One promise, as a test of a new desk."""

    def __call__(self, desk: Desk) -> None:
        """Raise when the promise is broken."""
        ...


@dataclass(slots=True)
class Life:
    """The agent's part, played by the exam: a state that is saved after each tick, and a process that can die."""

    desk: Desk
    state: State = field(
        default_factory=lambda: State(sequence=0, ledger=ledger(positions=[position(token=YES, shares=HELD, cost="51")]))
    )
    broker: Broker = field(init=False)

    def __post_init__(self) -> None:
        """Be born."""
        self.broker = self.desk.start()

    @property
    def exchange(self) -> ScriptedExchange:
        """The other side."""
        return self.desk.exchange

    def wish(self, side: Side = Side.BUY, *, shares: str = "10", leg: int = 0) -> Order:
        """An order of the next tick."""
        limit = "0.52" if side is Side.BUY else "0.49"
        name = f"{self.state.sequence + 1}-{leg}"
        return order(side, shares=shares, limit=limit, decided=self.exchange.now, id=name)

    def seen(self, *, kill_switch: bool = False) -> Snapshot:
        """What the tick saw: the book that a paper order meets."""
        return snapshot(self.exchange.now, books=[book(requested=self.exchange.now)], kill_switch=kill_switch)

    def sent(self, intents: tuple[Intent, ...], *, kill_switch: bool = False) -> tuple[Execution, ...]:
        """What the broker answers."""
        return _run(self.broker.submit(intents, self.seen(kill_switch=kill_switch)))

    def tick(self, *orders: Order, kill_switch: bool = False, saved: bool = True) -> tuple[Execution, ...]:
        """One tick, saved; or nothing but a death. An `Unavailable` costs the tick, as in the daemon."""
        try:
            executions = self.sent(self.broker.intend(orders), kill_switch=kill_switch)
        except Killed:
            self.die()
            return ()
        except Unavailable:
            return ()
        if saved:
            self.state = settle(self._decided(orders), executions).state
        else:
            self.die()
        return executions

    def _decided(self, orders: tuple[Order, ...]) -> Decision:
        return Decision(
            sequence=self.state.sequence + 1,
            moment=self.exchange.now,
            strategy="exam",
            verdicts=(),
            orders=orders,
            cancelled=(),
            payouts={},
            marks={},
            memory=self.state.memory,
            ledger=self.state.ledger,
        )

    def die(self) -> None:
        """Begin again: whatever the broker kept in memory is gone."""
        self.broker = self.desk.start()

    def reconcile(self) -> tuple[Execution, ...]:
        """What the agent does before it trades."""
        ends = _run(self.broker.reconcile(self.state))
        if ends:
            self.state = found_out(self.state, ends, self.exchange.now).state
        return ends

    def wait(self) -> None:
        """Ask again and again until all is known."""
        for _ in range(PATIENCE):
            self.exchange.clock.advance(10)
            with suppress(Unavailable):
                self.reconcile()
                return
        raise AssertionError("what became of the orders was never found out")

    @property
    def moved(self) -> Decimal:
        """Shares that the books say were bought, less those sold."""
        held = self.state.ledger.positions.get(YES)
        return (held.shares if held else Decimal(0)) - HELD

    def told(self, name: str) -> Sent:
        """The one payload that was sent for an order."""
        (only,) = {sent.payload: sent for sent in self.exchange.sent if sent.client_id == name}.values()
        return only

    def agrees(self, *orders: Order) -> None:
        """Assert that the books hold what the exchange really did, and that nothing waits any more."""
        assert self.state.ledger.pending == ()
        if not self.desk.sends:
            assert self.exchange.sent == []
            return
        signed = [self.exchange.filled(each.id) * (1 if each.side is Side.BUY else -1) for each in orders]
        assert self.moved == sum(signed, Decimal(0))


def born(desk: Desk) -> Life:
    """A life that has reconciled, with nothing to find."""
    life = Life(desk)
    assert life.reconcile() == ()
    return life


def acted(desk: Desk, act: Act, side: Side = Side.BUY) -> tuple[Life, Order, tuple[Execution, ...]]:
    """A life in which one order met this act."""
    life = born(desk)
    life.exchange.script.append(act)
    wish = life.wish(side)
    return life, wish, life.tick(wish)


def each_order_has_its_answer(desk: Desk) -> None:
    """As many executions as orders, in the same order; filled, partly filled and unfilled ones at their real prices."""
    life = born(desk)
    life.exchange.script += [Act.FILLS, Act.FILLS_PARTLY, Act.MEETS_NOTHING]
    wishes = [life.wish(leg=0), life.wish(Side.SELL, shares="5", leg=1), life.wish(leg=2)]
    executions = life.tick(*wishes)
    assert [execution.order for execution in executions] == wishes
    life.agrees(*wishes)


def an_intent_is_committed_before_it_is_sent(desk: Desk) -> None:
    """Whoever dies while the exchange has the order finds it again."""
    life, wish, _ = acted(desk, Act.KILLS_THE_SENDER)
    life.wait()
    life.agrees(wish)


def an_order_that_never_left_is_not_sent_later(desk: Desk) -> None:
    """It is old by then. Once it cannot arrive any more, it has ended."""
    life, wish, _ = acted(desk, Act.KILLS_THE_SENDER_BEFORE)
    life.wait()
    assert len(life.exchange.sent) == desk.sends
    life.agrees(wish)


def what_was_filled_but_not_booked_is_found(desk: Desk) -> None:
    """The answer had come, and the process died before its tick was committed."""
    life = born(desk)
    wish = life.wish()
    life.tick(wish, saved=False)
    life.wait()
    life.agrees(wish)


def the_same_id_is_the_same_order(desk: Desk) -> None:
    """Its bytes are made once, the exchange gets it once, and its answer stays."""
    life = born(desk)
    wish = life.wish()
    intents = life.broker.intend([wish])
    first = life.sent(intents)
    assert life.broker.intend([wish]) == intents
    assert life.sent(intents) == first
    life.die()
    life.reconcile()
    assert life.broker.intend([wish]) == intents
    assert len(life.exchange.sent) == desk.sends


def an_unknown_outcome_is_a_value(desk: Desk) -> None:
    """Not an exception, and not a refusal: `UNKNOWN`, unless it was found out at once."""
    life = born(desk)
    for act in LOSING:
        life.exchange.script.append(act)
        (execution,) = life.sent(life.broker.intend([life.wish(shares="1", leg=LOSING.index(act))]))
        assert execution.status in (OrderStatus.UNKNOWN, OrderStatus.FILLED)
        with suppress(Unavailable):
            life.exchange.clock.advance(1_000)
            _run(life.broker.reconcile(life.state))


def an_unknown_order_is_not_sent_again_with_new_bytes(desk: Desk) -> None:
    """Neither at once nor when it is submitted again, nor after a restart: other bytes are another order."""
    life, wish, _ = acted(desk, Act.LOSES_THE_ORDER)
    life.sent(life.broker.intend([wish]))
    life.die()
    life.sent(life.broker.intend([wish]))
    life.wait()
    assert len({sent.payload for sent in life.exchange.sent}) == desk.sends


def an_order_that_never_arrived_ends_by_waiting(desk: Desk) -> None:
    """After its expiry it is certain that nothing came of it, and the agent goes on."""
    life, wish, _ = acted(desk, Act.LOSES_THE_ORDER)
    life.wait()
    life.agrees(wish)
    another = life.wish()
    (execution,) = life.tick(another)
    assert execution.status is OrderStatus.FILLED


def a_lost_answer_is_found_out(desk: Desk) -> None:
    """The order was filled, and is gone from the open ones: it is found in the trades."""
    life, wish, _ = acted(desk, Act.LOSES_THE_ANSWER)
    life.wait()
    life.agrees(wish)


def a_late_fill_is_found(desk: Desk) -> None:
    """The venue held the order for a while, and it stood among the open ones."""
    life, wish, _ = acted(desk, Act.FILLS_LATE)
    life.wait()
    life.agrees(wish)


def found_at_the_second_look(desk: Desk, act: Act) -> None:
    """A first look too early, which may say that nothing is certain, spoils nothing."""
    life, wish, _ = acted(desk, act)
    with suppress(Unavailable):
        life.reconcile()
    life.wait()
    life.agrees(wish)


def an_order_that_arrives_late_is_found(desk: Desk) -> None:
    """That nobody knows it yet does not mean that it will not come: it has an expiry for that."""
    found_at_the_second_look(desk, Act.LOSES_BOTH_FOR_A_WHILE)


def the_first_fill_need_not_be_the_last(desk: Desk) -> None:
    """Half of it is there at once, the other half comes later."""
    found_at_the_second_look(desk, Act.LOSES_THE_ANSWER_AND_FILLS_IN_TWO)


def nothing_is_sent_before_reconciliation(desk: Desk) -> None:
    """Not in a new process, and not while an outcome is unknown. What is held back is a refusal, and is never sent later."""
    life = Life(desk)
    first = life.wish()
    life.tick(first)
    assert life.exchange.sent == []
    life.reconcile()
    assert life.exchange.sent == []
    life.exchange.script.append(Act.LOSES_THE_ANSWER)
    second = life.wish(Side.SELL)
    life.tick(second)
    third = life.wish()
    life.tick(third)
    assert [sent.client_id for sent in life.exchange.sent] == [second.id] * desk.sends
    life.wait()
    life.agrees(first, second, third)


def a_venue_that_does_not_tell_leaves_the_books_alone(desk: Desk) -> None:
    """`Unavailable`, and nothing is booked; when it tells again, all is found."""
    life, wish, _ = acted(desk, Act.LOSES_THE_ANSWER)
    life.exchange.down = True
    before, told = life.state, ""
    try:
        life.reconcile()
    except Unavailable as refused:
        told = refused.kind
    assert life.state == before
    assert bool(told) == desk.sends
    life.exchange.down = False
    life.wait()
    life.agrees(wish)


def reconciling_again_finds_nothing_more(desk: Desk) -> None:
    """Every end is booked once, however often the process dies."""
    life, wish, _ = acted(desk, Act.LOSES_THE_ANSWER)
    life.wait()
    life.tick(later := life.wish())
    for _ in range(3):
        life.die()
        assert life.reconcile() == ()
    life.agrees(wish, later)


def a_fill_is_counted_once(desk: Desk) -> None:
    """By the venue's trade id, however often it is told."""
    life, wish, _ = acted(desk, Act.REPEATS_FILLS)
    if life.state.ledger.pending:
        life.wait()
    life.agrees(wish)


def fills_of_others_are_not_ours(desk: Desk) -> None:
    """Matched by id alone: the same token, price, size and second prove nothing."""
    desk.exchange.others = True
    life, wish, _ = acted(desk, Act.LOSES_THE_ORDER)
    life.wait()
    life.agrees(wish)


def never_more_than_was_asked(desk: Desk) -> None:
    """Sizes are cut, never rounded up."""
    life = born(desk)
    wish = life.wish(shares="9.99")
    (execution,) = life.tick(wish)
    assert execution.walk.shares <= wish.shares
    assert not desk.sends or life.told(wish.id).shares <= wish.shares


def never_beyond_the_limit(desk: Desk) -> None:
    """What is sent names the order's own limit or a better one, and so do the fills."""
    life = born(desk)
    for wish in (life.wish(leg=0), life.wish(Side.SELL, leg=1)):
        (execution,) = life.sent(life.broker.intend([wish]))
        prices = [level.price for level in execution.walk.levels] + ([life.told(wish.id).limit] if desk.sends else [])
        assert all(price <= wish.limit if wish.side is Side.BUY else price >= wish.limit for price in prices)


def a_fill_too_dear_stops_the_trading(desk: Desk) -> None:
    """The limit is the order's, whatever the venue says."""
    _assert_stopped(desk, Act.FILLS_TOO_DEAR)


def a_fill_too_large_stops_the_trading(desk: Desk) -> None:
    """So is the size."""
    _assert_stopped(desk, Act.FILLS_TOO_MUCH)


def another_story_of_an_ended_order_stops_the_trading(desk: Desk) -> None:
    """The venue refused an order and filled it all the same: books and venue differ, and nobody but a person may mend that."""
    _assert_stopped(desk, Act.FILLS_WHAT_IT_REFUSED)


def _assert_stopped(desk: Desk, act: Act) -> None:
    """Either the tick or the next reconciliation ends the process, with nothing of it in the books."""
    stopped = False
    try:
        life, _, _ = acted(desk, act)
        life.die()
        life.reconcile()
    except LawBroken:
        stopped = True
    assert stopped == desk.sends


def a_definite_refusal_is_rejected(desk: Desk) -> None:
    """At once, with the venue's words; there is nothing to find out, and trading goes on."""
    life, wish, (execution,) = acted(desk, Act.REFUSES)
    assert execution.status is (OrderStatus.REJECTED if desk.sends else OrderStatus.FILLED)
    assert not desk.sends or execution.note
    (next_one,) = life.tick(later := life.wish())
    assert next_one.status is OrderStatus.FILLED
    life.agrees(wish, later)


def the_kill_switch_stops_buying_alone(desk: Desk) -> None:
    """It was pulled between the decision and now."""
    life = born(desk)
    buy, sell = life.wish(leg=0), life.wish(Side.SELL, leg=1)
    executions = life.tick(buy, sell, kill_switch=True)
    ends = {execution.order.id: execution.status for execution in executions}
    assert ends == {buy.id: OrderStatus.REJECTED, sell.id: OrderStatus.FILLED}
    assert [sent.client_id for sent in life.exchange.sent] == [sell.id] * desk.sends


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        each_order_has_its_answer,
        an_intent_is_committed_before_it_is_sent,
        an_order_that_never_left_is_not_sent_later,
        what_was_filled_but_not_booked_is_found,
        the_same_id_is_the_same_order,
        an_unknown_outcome_is_a_value,
        an_unknown_order_is_not_sent_again_with_new_bytes,
        an_order_that_never_arrived_ends_by_waiting,
        a_lost_answer_is_found_out,
        a_late_fill_is_found,
        an_order_that_arrives_late_is_found,
        the_first_fill_need_not_be_the_last,
        nothing_is_sent_before_reconciliation,
        a_venue_that_does_not_tell_leaves_the_books_alone,
        reconciling_again_finds_nothing_more,
        a_fill_is_counted_once,
        fills_of_others_are_not_ours,
        never_more_than_was_asked,
        never_beyond_the_limit,
        a_fill_too_dear_stops_the_trading,
        a_fill_too_large_stops_the_trading,
        another_story_of_an_ended_order_stops_the_trading,
        a_definite_refusal_is_rejected,
        the_kill_switch_stops_buying_alone,
    )
}
"""The exam: every rule by its name."""
