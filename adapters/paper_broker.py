"""The paper broker: fills an order by walking the very book that the snapshot holds."""

from collections.abc import Iterable

from domain.fill import NOTHING_TAKEN, Taken, walk
from domain.ledger import Execution, Intent, Order, OrderStatus
from domain.market import OrderBook, Side, Snapshot
from domain.state import State


class PaperBroker:
    """Fill and kill against the visible book. What one order takes is gone for the next order of the same tick."""

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """Nothing happens on paper while nobody looks: waiting orders go on waiting."""
        return ()

    def intend(self, orders: Iterable[Order]) -> tuple[Intent, ...]:
        """Nothing is sent, so nothing has to be written down: a tick that dies before its commit never happened."""
        return tuple([Intent(order=order) for order in orders])

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        """One execution for each order: filled, rejected, or waiting for a later book."""
        executions = []
        taken = NOTHING_TAKEN
        for intent in intents:
            execution, taken = _executed(intent.order, snapshot, taken)
            executions.append(execution)
        return tuple(executions)


def _executed(order: Order, snapshot: Snapshot, taken: Taken) -> tuple[Execution, Taken]:
    if snapshot.kill_switch and order.side is Side.BUY:
        return Execution(order=order, status=OrderStatus.REJECTED, note="the kill switch is pulled"), taken
    book = snapshot.books.get(order.token)
    if book is None or _too_early(order, book):
        return Execution(order=order, status=OrderStatus.PENDING, note=f"waits {order.delay_ms} ms for its book"), taken
    walked = walk(book, order.side, shares=order.shares, limit=order.limit, fees=order.market.fees, taken=taken)
    if not walked.levels:
        return Execution(order=order, status=OrderStatus.REJECTED, digest=book.digest, note="met nothing"), taken
    mid = book.mid
    execution = Execution(
        order=order,
        status=OrderStatus.FILLED,
        walk=walked,
        book_mid=order.mid if mid is None else mid,
        digest=book.digest,
    )
    return execution, taken.with_walk(order.market, order.side, walked)


def _too_early(order: Order, book: OrderBook) -> bool:
    """Without delay an order meets the decision's own book, which was requested before the decision."""
    return order.delay_ms > 0 and book.requested.elapsed_ms < order.decided.elapsed_ms + order.delay_ms
