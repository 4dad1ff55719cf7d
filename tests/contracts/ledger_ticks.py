"""Ticks for ledger tests: real books walked, real bookings, nothing decided by a strategy."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from domain.decision import Cause, Costs, Reason, Signal, Verdict
from domain.engine import Decision
from domain.fees import FeeSchedule
from domain.fill import walk
from domain.history import History, Sample
from domain.ledger import Action, Execution, Ledger, Order, OrderStatus
from domain.market import Level, Market, Moment, OrderBook, Quote, ReferenceId, Side, TokenId
from domain.protections import Record
from domain.report import Report
from domain.settle import settle
from domain.state import Memory, Seen, State

TICK_MS = 15_000
REFERENCE = ReferenceId("kraken_spot", "XBT/USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a tick does with one token: an order that fills, fails or waits, or a payout."""

    token: TokenId
    side: Side = Side.BUY
    shares: Decimal = Decimal(10)
    status: OrderStatus = OrderStatus.FILLED
    payout: Decimal | None = None


def opening(cash: int = 1_000) -> State:
    """A state without ticks."""
    ledger = Ledger.opened_with(Decimal(cash))
    return State(sequence=0, ledger=ledger, memory=Memory(record=Record.of(ledger)))


def token(number: int) -> TokenId:
    """A token of the usual length."""
    return TokenId(str(10**76 + number))


def market(name: TokenId) -> Market:
    """A market with everything set."""
    return Market(
        name=f"Bitcoin above {name[-4:]}?",
        ref="bitcoin-up-or-down",
        token=name,
        outcome="Up",
        reference=REFERENCE,
        fees=FeeSchedule(rate=Decimal("0.07")),
        ends_at_ms=1_800_000_000_000,
    )


def moment(sequence: int) -> Moment:
    """When a tick was."""
    return Moment(at_ms=1_790_000_000_000 + sequence * TICK_MS, elapsed_ms=sequence * TICK_MS)


def book(name: TokenId, sequence: int) -> OrderBook:
    """A book whose sizes and prices make sums that need rounding, another one each tick."""
    ask = Decimal("0.401") + Decimal(sequence % 97) / 1000
    sizes = Decimal("3.141593"), Decimal("0.271829"), Decimal(5_000)
    return OrderBook(
        token=name,
        bids=[Level(ask - Decimal(step) / 1000, size) for step, size in zip((1, 3, 7), sizes, strict=True)],
        asks=[Level(ask + Decimal(step) / 1000, size) for step, size in zip((0, 2, 5), sizes, strict=True)],
        requested=moment(sequence),
        digest=f"0x{sequence:040x}",
    )


def ticked(state: State, deeds: Iterable[Deed] = (), tokens: Iterable[TokenId] = ()) -> Report:
    """The report of the next tick: these deeds, and a verdict and a sample for each of the tokens."""
    deeds, names = tuple(deeds), tuple(tokens) or tuple(token(number) for number in range(3))
    sequence = state.sequence + 1
    decision = Decision(
        sequence=sequence,
        moment=moment(sequence),
        strategy="lead_lag",
        verdicts=tuple(verdict(name, sequence) for name in names),
        orders=(),
        cancelled=(),
        payouts={deed.token: deed.payout for deed in deeds if deed.payout is not None},
        marks={name: book(name, sequence) for name in names if name in state.ledger.positions},
        memory=_memory(state, names, sequence),
        ledger=state.ledger,
    )
    orders = (deed for deed in deeds if deed.payout is None)
    return settle(decision, [_execution(deed, f"{sequence}-{leg}", sequence) for leg, deed in enumerate(orders)])


def verdict(name: TokenId, sequence: int) -> Verdict:
    """A verdict in which every part is there, a decimal measure and an endless limit among them."""
    seen = Quote.of(book(name, sequence))
    return Verdict(
        market=market(name),
        action=Action.SKIP,
        cause=Cause(reason=Reason.WIDE_SPREAD, measured=Decimal("0.10"), limit=float("inf"), setting="MAX_SPREAD"),
        bid=seen.bid if seen else None,
        ask=seen.ask if seen else None,
        quote=seen,
        reference=97_123.45 + sequence / 3,
        signal=Signal(edge=0.1 + sequence / 7, move=0.2, move_min=1e-12, fair_p=0.51),
        costs=Costs(spread=0.123456789, fee=0.1, net_edge=-0.3),
        in_price_zone=True,
        wish="buy",
        sources="polymarket_clob+kraken_spot",
    )


def _memory(state: State, names: Iterable[TokenId], sequence: int) -> Memory:
    histories, record = state.memory.histories, state.memory.record
    sample = Sample(sequence * TICK_MS, 97_000 + sequence / 3, 0.4 + sequence % 7 / 100)
    return Memory(
        histories={name: histories.get(name, History()).extended(sample, capacity=120, gap_ms=3 * TICK_MS) for name in names},
        references={REFERENCE: Seen(accepted=97_000 + sequence / 3, waiting=None if sequence % 2 else 1e5)},
        moment=moment(sequence),
        record=record.begun(moment(sequence).day, state.ledger.equity) if record else None,
    )


def _execution(deed: Deed, identity: str, sequence: int) -> Execution:
    met = book(deed.token, sequence)
    order = Order(
        id=identity,
        market=market(deed.token),
        token=deed.token,
        side=deed.side,
        action=Action.ENTER if deed.side is Side.BUY else Action.EXIT,
        reason=Reason.ENTER if deed.side is Side.BUY else Reason.MAX_HOLD,
        shares=deed.shares,
        limit=Decimal("0.99") if deed.side is Side.BUY else Decimal("0.01"),
        decided=moment(sequence),
        delay_ms=250 if deed.status is OrderStatus.PENDING else 0,
        mid=0.5,
    )
    if deed.status is not OrderStatus.FILLED:
        return Execution(order=order, status=deed.status, note="met nothing")
    taken = walk(met, deed.side, shares=deed.shares, limit=order.limit, fees=order.market.fees)
    return Execution(order=order, status=deed.status, walk=taken, book_mid=0.4375, digest=met.digest)
