"""The tick: observe, decide, execute, book, save, show; in this order."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

import pytest

from adapters.paper_broker import PaperBroker
from domain.engine import Rules
from domain.fill import walk
from domain.ledger import Execution, Intent, Ledger, Order, OrderStatus
from domain.market import Moment, Snapshot
from domain.ports import Broker, Clock, Feed, LedgerStore, Portal, Unavailable
from domain.report import Journal, Report
from domain.settle import found_out
from domain.state import State
from entrypoints.agent import Agent, Trader, reconciled, tick
from tests.builders import INTERVAL_S, NO, YES, book, ledger, market, moment, order, rejected, rules, seen, state
from tests.fakes import FakeClock, MemoryLedger, MemoryPortal, ScriptedFeed

ENTRY_S = 75


def _observed(at: Moment, ledger: Ledger) -> Snapshot:
    """Spot makes a step of +0.5 % at 75 s."""
    seconds = at.elapsed_ms / 1000
    return seen(seconds, spot=60_300.0 if seconds >= ENTRY_S else 60_000.0)


class RefusingBroker:
    """A broker that fills nothing."""

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """Nothing waits."""
        return ()

    def intend(self, orders: Iterable[Order]) -> tuple[Intent, ...]:
        """Nothing is written down."""
        return tuple(Intent(order=order) for order in orders)

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        """Every order meets nothing."""
        return tuple(rejected(intent.order) for intent in intents)


class KnowingBroker(RefusingBroker):
    """A broker that knows the end of some orders."""

    def __init__(self, *ends: Execution) -> None:
        """It will tell these."""
        self._ends = ends

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """Those that are not in the books."""
        return tuple(end for end in self._ends if state.awaits(end.order))


class Diary:
    """A store and a portal that write into one list, and a store that may fail."""

    def __init__(self, *, full_disk: bool = False) -> None:
        """An empty diary."""
        self.lines: list[str] = []
        self._full_disk = full_disk

    def load(self) -> State:
        """A thousand dollars."""
        return state()

    def save(self, report: Report) -> None:
        """Note it, or fail."""
        if self._full_disk:
            raise OSError("no space left on device")
        self.lines.append(f"saved {report.state.sequence}")

    def journal(self) -> Journal:
        """Nothing is kept."""
        return MemoryLedger().journal()

    def rebuild(self, journal: Journal) -> None:
        """Nothing to rebuild."""

    def publish(self, report: Report) -> None:
        """Note it."""
        self.lines.append(f"shown {report.state.sequence}")


def _agent(
    *, by: Rules | None = None, broker: Broker | None = None, store: LedgerStore | None = None, portal: Portal | None = None
) -> Agent:
    return Agent(
        rules=by or rules(),
        feed=ScriptedFeed(_observed),
        broker=broker or PaperBroker(),
        store=store or MemoryLedger(),
        portal=portal or MemoryPortal(),
    )


async def _ticked(agent: Agent, ticks: int) -> State:
    current = agent.store.load()
    for n in range(ticks):
        current = (await tick(agent, current, moment(INTERVAL_S * n))).state
    return current


def test_a_tick_goes_from_the_feed_to_the_portal() -> None:
    """Six ticks: the last one buys; ledger and portal hold the same reports."""
    store, portal = MemoryLedger(), MemoryPortal()
    final = asyncio.run(_ticked(_agent(store=store, portal=portal), 6))
    assert final.sequence == 6
    assert final.ledger.positions[YES].shares == 10
    assert store.load() is final
    assert portal.reports == store.reports
    assert [trade.id for trade in store.journal().trades] == ["6-0"]


def test_a_wish_moves_no_shares() -> None:
    """Only what the broker filled changes a position."""
    store = MemoryLedger()
    final = asyncio.run(_ticked(_agent(broker=RefusingBroker(), store=store), 6))
    assert (final.ledger.positions, final.ledger.cash) == ({}, Decimal(1000))
    assert [trade.status for trade in store.journal().trades] == [OrderStatus.REJECTED]


def test_a_tick_is_saved_before_it_is_shown() -> None:
    """A crash in between leaves a stale page, never lost money."""
    diary = Diary()
    asyncio.run(_ticked(_agent(store=diary, portal=diary), 2))
    assert diary.lines == ["saved 1", "shown 1", "saved 2", "shown 2"]


def test_what_cannot_be_saved_is_not_shown() -> None:
    """The error ends the tick, and the caller decides."""
    diary = Diary(full_disk=True)
    with pytest.raises(OSError, match="no space left"):
        asyncio.run(_ticked(_agent(store=diary, portal=diary), 1))
    assert diary.lines == []


def test_a_tick_that_is_cancelled_while_it_waits_for_the_feed_never_began() -> None:
    """Nothing is saved, nothing is shown."""
    diary = Diary()

    async def cancelled() -> None:
        agent = Agent(rules=rules(), feed=_Hanging(), broker=PaperBroker(), store=diary, portal=diary)
        task = asyncio.create_task(tick(agent, state(), moment(0)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert diary.lines == []


class _Hanging:
    """A feed that never answers."""

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """Wait."""
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets was set")


def _bought(asked: Order) -> Execution:
    taken = walk(book(), asked.side, shares=asked.shares, limit=asked.limit, fees=asked.market.fees)
    return Execution(order=asked, status=OrderStatus.FILLED, walk=taken, book_mid=0.505)


def test_what_the_broker_found_out_is_booked_once_as_a_tick_of_its_own() -> None:
    """An order of a tick that was never committed, and one that waits in the books because nobody knew."""
    unknown, uncommitted = order(id="1-0"), order(id="2-0", of=market("eth", token=NO), token=NO)
    before = state(ledger(pending=(unknown,)), sequence=1)
    store = MemoryLedger(before)
    agent = _agent(broker=KnowingBroker(_bought(unknown), _bought(uncommitted)), store=store)
    after = asyncio.run(reconciled(agent, before, moment(1)))
    assert (after.sequence, after.ledger.pending) == (2, ())
    assert {token: held.shares for token, held in after.ledger.positions.items()} == {YES: 10, NO: 10}
    assert [trade.id for trade in store.journal().trades] == ["1-0", "2-0"]
    assert store.load() == after == asyncio.run(reconciled(agent, after, moment(2)))


def test_nothing_found_out_is_no_tick() -> None:
    """Paper is as it was."""
    store = MemoryLedger()
    assert asyncio.run(reconciled(_agent(store=store), store.load(), moment(0))) is store.load()
    assert store.reports == []


class ForgetfulBroker(RefusingBroker):
    """A broker that never knows what became of an order, and is not told at first when it asks."""

    def __init__(self) -> None:
        """Nobody asked yet."""
        self.diary: list[str] = []

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """At the first time the venue does not answer; then every order met nothing."""
        self.diary.append("reconcile")
        if len(self.diary) == 1:
            raise Unavailable("venue", "timeout")
        return tuple(rejected(order) for order in state.ledger.pending)

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        """Nobody knows."""
        self.diary.append("submit")
        return tuple(Execution(order=intent.order, status=OrderStatus.UNKNOWN) for intent in intents)


def test_a_trader_asks_before_it_trades_and_again_when_it_does_not_know() -> None:
    """Refused once, known, five quiet ticks and one of unknown outcome; then asked again, with its end as a tick between."""
    broker, store = ForgetfulBroker(), MemoryLedger()
    trader, state = Trader(_agent(broker=broker, store=store)), store.load()
    with pytest.raises(Unavailable, match="timeout"):
        asyncio.run(trader.tick(state, moment(0)))
    assert store.reports == []
    for n in range(7):
        state = asyncio.run(trader.tick(state, moment(INTERVAL_S * n))).state
    assert broker.diary == ["reconcile"] * 2 + ["submit"] * 6 + ["reconcile", "submit"]
    assert [len(report.trades) for report in store.reports] == [0] * 6 + [1, 0]
    assert (state.sequence, len(state.ledger.pending)) == (8, 1)


def test_an_order_whose_end_nobody_knows_waits_in_the_books() -> None:
    """Its cash stays reserved, its token blocked, and the state awaits its end."""
    unknown = Execution(order=order(id="1-0"), status=OrderStatus.UNKNOWN, note="timeout")
    report = found_out(state(), (unknown,), moment(0))
    assert (report.state.ledger.pending, report.trades) == ((unknown.order,), ())
    assert report.state.ledger.reserved_cash > 0
    assert report.state.awaits(unknown.order)
    assert not report.state.awaits(order(id="1-1"))
    assert report.state.awaits(order(id="2-0"))


def test_the_times_of_one_tick_are_the_same_everywhere() -> None:
    """Verdicts, orders, trades and equity stand at the tick's moment."""
    store = MemoryLedger()
    asyncio.run(_ticked(_agent(store=store), 6))
    report = store.reports[-1]
    assert {event.moment for event in report.orders} == {trade.moment for trade in report.trades} == {moment(ENTRY_S)}
    assert report.equity.moment == report.moment == report.state.memory.moment == moment(ENTRY_S)


def test_the_memory_ledger_refuses_a_tick_out_of_turn() -> None:
    """A repeated tick cannot double a trade."""
    store = MemoryLedger()
    asyncio.run(_ticked(_agent(store=store), 1))
    with pytest.raises(ValueError, match="tick 1 cannot follow tick 1"):
        store.save(store.reports[0])


def test_the_fakes_are_what_the_ports_ask_for() -> None:
    """The type checker holds each of them to its port; the clock stands until it is moved."""
    clock = FakeClock(moment(0))
    ports: tuple[Clock, Feed, LedgerStore, Portal, Broker] = (
        clock,
        ScriptedFeed(_observed),
        MemoryLedger(),
        MemoryPortal(),
        RefusingBroker(),
    )
    clock.advance(1.5)
    assert ports[0].now() == moment(1.5)
    assert ports[1:]
