"""`settle`: one tick's bookings, pure, from a decision and what the broker answered."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from domain.decision import Reason
from domain.engine import Decision
from domain.fees import FREE
from domain.fill import walk, whole_micros
from domain.ledger import Action, Booking, Execution, Ledger, Mark, OrderStatus
from domain.market import Moment, OrderBook, Side, TokenId
from domain.report import OrderEvent, Report, Trade, TradeAction
from domain.state import State


def settle(decision: Decision, executions: Iterable[Execution]) -> Report:
    """Book what happened: payouts, then executions in the order of their orders; then mark the positions."""
    books = _Books(decision)
    for token, payout in decision.payouts.items():
        books.pay_out(token, payout)
    for order in decision.cancelled:
        books.book(Execution(order=order, status=OrderStatus.CANCELLED, note="no usable book came in time"))
    for execution in executions:
        books.book(execution)
    ledger = books.ledger.marked(_marks(books.ledger, decision.marks))
    return Report(
        state=State(sequence=decision.sequence, ledger=ledger, memory=books.memory),
        moment=decision.moment,
        verdicts=decision.verdicts,
        orders=tuple(OrderEvent(moment=decision.moment, execution=execution) for execution in books.executions),
        trades=tuple(books.trades),
        kill_switch=decision.kill_switch,
        books=decision.marks,
    )


def found_out(state: State, executions: Iterable[Execution], now: Moment) -> Report:
    """Book the ends of earlier orders, as a tick that decides nothing."""
    ends = tuple(executions)
    over = {execution.order.id for execution in ends}
    waiting = tuple(order for order in state.ledger.pending if order.id not in over)
    decision = Decision(
        sequence=state.sequence + 1,
        moment=now,
        strategy="reconciled",
        verdicts=(),
        orders=(),
        cancelled=(),
        payouts={},
        marks={},
        memory=state.memory,
        ledger=replace(state.ledger, pending=waiting),
    )
    return settle(decision, ends)


def _marks(ledger: Ledger, books: Mapping[TokenId, OrderBook]) -> dict[TokenId, Mark]:
    """Each position's shares walked down the bids of its book; shares that find no bid are worth nothing."""
    return {
        token: Mark(value=walk(books[token], Side.SELL, shares=position.shares, limit=None, fees=FREE).notional)
        for token, position in ledger.positions.items()
        if token in books
    }


class _Books:
    """The ledger while a tick is being booked."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.ledger = decision.ledger
        self.memory = decision.memory
        self.trades: list[Trade] = []
        self.executions: list[Execution] = []

    def pay_out(self, token: TokenId, payout: Decimal) -> None:
        """A resolved market pays its shares."""
        position = self.ledger.positions[token]
        booking = self.ledger.paid_out(token, payout, self.decision.moment)
        self._take_in(booking, token, Reason.SETTLED)
        self.trades.append(
            Trade(
                id=f"settle:{token}",
                moment=self.decision.moment,
                market=position.market,
                action=TradeAction.SETTLE,
                status=OrderStatus.FILLED,
                price=payout,
                shares=position.shares,
                notional=whole_micros(position.shares * payout),
                fee=Decimal(0),
                realised=booking.realised,
                cash_after=self.ledger.cash,
                notes=f"{self.decision.strategy} exit={Reason.SETTLED} fee=0",
            )
        )

    def book(self, execution: Execution) -> None:
        """An execution: shares that moved, an order that waits, or one that is over."""
        self.executions.append(execution)
        match execution.status:
            case OrderStatus.PENDING | OrderStatus.UNKNOWN:
                self.ledger = replace(self.ledger, pending=(*self.ledger.pending, execution.order))
            case OrderStatus.FILLED:
                booking = self.ledger.booked(execution, self.decision.moment)
                self._take_in(booking, execution.order.token, execution.order.reason)
                self.trades.append(self._trade(execution, booking.realised))
            case OrderStatus.REJECTED:
                self.trades.append(self._trade(execution, Decimal(0)))
            case OrderStatus.CANCELLED:  # pragma: no branch - there is no fifth status
                pass

    def _take_in(self, booking: Booking, token: TokenId, reason: str) -> None:
        """The ledger after a booking, and what the protections remember of it."""
        self.ledger = booking.ledger
        record = self.memory.record
        if record is None:
            return
        record = record.booked(token, booking.realised, flat=token not in self.ledger.positions)
        if reason == Reason.STOP:
            record = record.stopped(token, self.decision.moment)
        self.memory = replace(self.memory, record=record)

    def _trade(self, execution: Execution, realised: Decimal) -> Trade:
        order, walked = execution.order, execution.walk
        return Trade(
            id=order.id,
            moment=self.decision.moment,
            market=order.market,
            action=TradeAction(order.side),
            status=execution.status,
            price=walked.average_price or Decimal(0),
            shares=walked.shares,
            notional=walked.notional,
            fee=walked.fee,
            realised=realised,
            cash_after=self.ledger.cash,
            notes=_notes(self.decision.strategy, execution),
            digest=execution.digest,
        )


def _notes(strategy: str, execution: Execution) -> str:
    """`lead_lag exit=max_hold fee=0.1785 mid=0.515`, and what else is worth knowing about the fill."""
    order, walked = execution.order, execution.walk
    what = f"exit={order.reason}" if order.action is Action.EXIT else str(order.action)
    remarks = [strategy, what, f"fee={walked.fee.normalize():f}"]
    if execution.book_mid:
        remarks.append(f"mid={execution.book_mid:g}")
    if walked.shares != order.shares:
        remarks.append(f"filled {walked.shares.normalize():f} of {order.shares.normalize():f}")
    if order.below_minimum:
        remarks.append(Reason.BELOW_MIN_ORDER_SIZE)
    if order.market.fees.assumed:
        remarks.append("fee_assumed")
    if execution.note:
        remarks.append(execution.note)
    return " ".join(remarks)
