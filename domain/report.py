"""What a tick did, for the ledger to keep and the portal to show."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from enum import StrEnum

from domain.decision import Verdict
from domain.ledger import Execution, OrderStatus
from domain.market import Market, Moment, OrderBook, TokenId
from domain.state import State
from domain.value import value


class TradeAction(StrEnum):
    """What a trade did with shares."""

    BUY = "BUY"
    SELL = "SELL"
    SETTLE = "SETTLE"


@value
class Trade:
    """One row of the trade log: an order that met a book, or a settlement. USDC, shares, price units.

    `notional` is without the fee, `price` is notional per share, `cash_after` has both taken. A rejected order moved
    nothing. `id` is the order's, `<tick sequence>-<leg>`, or `settle:<token>`.
    """

    id: str
    moment: Moment
    market: Market
    action: TradeAction
    status: OrderStatus
    price: Decimal
    shares: Decimal
    notional: Decimal
    fee: Decimal
    realised: Decimal
    cash_after: Decimal
    notes: str
    digest: str = ""


@value
class EquityPoint:
    """The account after one tick, USDC: positions at the bid."""

    sequence: int
    moment: Moment
    equity: Decimal
    cash: Decimal
    realised: Decimal
    unrealised: Decimal
    open_positions: int


@value
class OrderEvent:
    """What became of an order in one tick."""

    moment: Moment
    execution: Execution


@value
class Verdicts:
    """What one tick decided about every token, in map order."""

    sequence: int
    moment: Moment
    verdicts: Sequence[Verdict]


@value
class Report:
    """One tick, done: `state` is what the next one starts from; `books` are the books that could be believed, by token."""

    state: State
    moment: Moment
    verdicts: Sequence[Verdict]
    orders: tuple[OrderEvent, ...]
    trades: tuple[Trade, ...]
    kill_switch: bool = False
    books: Mapping[TokenId, OrderBook] = field(default_factory=dict)

    @property
    def equity(self) -> EquityPoint:
        """The account after this tick."""
        ledger = self.state.ledger
        return EquityPoint(
            sequence=self.state.sequence,
            moment=self.moment,
            equity=ledger.equity,
            cash=ledger.cash,
            realised=ledger.realised,
            unrealised=ledger.marked_value - ledger.cost,
            open_positions=len(ledger.positions),
        )


@value
class Journal:
    """What the ledger keeps of the ticks before, oldest first, so that the portal's files can be made again."""

    state: State
    ledger_id: str
    started_at_ms: int
    verdicts: tuple[Verdicts, ...]
    orders: tuple[OrderEvent, ...]
    trades: tuple[Trade, ...]
    equity: tuple[EquityPoint, ...]
