"""The ledger of a replay: in memory, all trades, and of the rest as much as the portal's files show."""

from collections import deque
from collections.abc import Iterable

from domain.ledger import Execution, Ledger, Order, OrderStatus
from domain.market import Moment
from domain.report import EquityPoint, Journal, OrderEvent, Report, Trade, Verdicts
from domain.state import State

KEPT_ORDERS = 1_000
KEPT_VERDICTS = 10_000
"""Of each as many as the longest of the portal's files has rows."""

LEDGER_ID = "replay"
"""Whose files they are: a replay's, which the next replay may write over."""


class ReplayLedger:
    """Implements `domain.ports.LedgerStore`. Screening leaves ticks out, so that a later tick may follow an earlier one."""

    def __init__(self, opening: Ledger, *, shown_from: int = 0) -> None:
        """Before the first tick. The verdicts of ticks before `shown_from` are not kept."""
        self._shown_from = shown_from
        self._state = State(sequence=0, ledger=opening)
        self.trades: list[Trade] = []
        self.ticks: list[int] = []
        """The tick of the tape at which each trade was made."""
        self._orders: deque[OrderEvent] = deque(maxlen=KEPT_ORDERS)
        self._verdicts: deque[Verdicts] = deque()
        self._rows = 0

    def load(self) -> State:
        """The state after the last tick that was decided."""
        return self._state

    def save(self, report: Report) -> None:
        """Keep one tick."""
        self._state = report.state
        self.trades += report.trades
        self.ticks += [report.state.sequence - 1] * len(report.trades)
        self._orders += report.orders
        if report.state.sequence > self._shown_from:
            self._keep(Verdicts(sequence=report.state.sequence, moment=report.moment, verdicts=tuple(report.verdicts)))

    def _keep(self, tick: Verdicts) -> None:
        self._verdicts.append(tick)
        self._rows += len(tick.verdicts)
        while self._rows - len(self._verdicts[0].verdicts) >= KEPT_VERDICTS:
            self._rows -= len(self._verdicts.popleft().verdicts)

    def lose(self, orders: Iterable[Order], moment: Moment) -> None:
        """Note that these orders met a gap instead of a book."""
        for order in orders:
            lost = Execution(order=order, status=OrderStatus.CANCELLED, note="the tape has a gap")
            self._orders.append(OrderEvent(moment=moment, execution=lost))

    def journal(self, equity: tuple[EquityPoint, ...] = ()) -> Journal:
        """What the portal's files are made of."""
        return Journal(
            state=self._state,
            ledger_id=LEDGER_ID,
            started_at_ms=equity[0].moment.at_ms if equity else 0,
            verdicts=tuple(self._verdicts),
            orders=tuple(self._orders),
            trades=tuple(self.trades),
            equity=equity,
        )
