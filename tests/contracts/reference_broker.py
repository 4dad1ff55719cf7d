"""A broker that passes the exam, for whoever builds a live one: intents written ahead, ends found out, nothing sent twice.

It trades with `ScriptedExchange` alone. Each of its steps is a method, so that a test can break one and see the exam find it.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.sqlite_ledger.codecs import EXECUTION, ORDER, execution_text, order_text
from domain.fill import LevelFill, Walk
from domain.ledger import Execution, Intent, LawBroken, Order, OrderStatus
from domain.market import Side, Snapshot
from domain.ports import Unavailable
from domain.state import State
from tests.contracts.scripted_exchange import AnswerLost, Receipt, ScriptedExchange, VenueTrade, order_id

EXPIRY_S = 60
"""Seconds that an order lives: after them, and the margin, what is not at the venue never will be."""

MARGIN_S = 10
"""Seconds that the venue's clock and ours may differ."""

TABLES = """
CREATE TABLE IF NOT EXISTS intents (
    id TEXT PRIMARY KEY, wish TEXT NOT NULL, payload BLOB NOT NULL, venue_id TEXT NOT NULL UNIQUE, end TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS fills (
    id TEXT PRIMARY KEY, venue_id TEXT NOT NULL REFERENCES intents (venue_id),
    price TEXT NOT NULL, shares TEXT NOT NULL, fee TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An intent that was committed, and its end once that is known."""

    intent: Intent
    end: Execution | None


class Intents:
    """What outlives the process: intents, fills by the venue's trade id, ends. Every change is committed at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Keep them behind this connection, which commits by itself."""
        connection.executescript(TABLES)
        self._connection = connection

    def add(self, intent: Intent) -> None:
        """Commit an intent. Raises `sqlite3.Error`: then nothing may be sent, and the process must end."""
        row = (intent.order.id, order_text(intent.order), intent.payload, intent.venue_id)
        self._connection.execute("INSERT INTO intents (id, wish, payload, venue_id) VALUES (?, ?, ?, ?)", row)

    def add_fills(self, trades: Iterable[VenueTrade]) -> None:
        """Commit fills; one that is there already is the same one, told again."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO fills VALUES (?, ?, ?, ?, ?)",
            [(each.id, each.order, str(each.price), str(each.shares), str(each.fee)) for each in trades],
        )

    def end(self, execution: Execution) -> None:
        """Commit what became of an order."""
        self._connection.execute("UPDATE intents SET end = ? WHERE id = ?", (execution_text(execution), execution.order.id))

    def fills(self, venue_id: str) -> tuple[LevelFill, ...]:
        """All fills of an order, in the order that they were told."""
        rows = self._connection.execute("SELECT price, shares, fee FROM fills WHERE venue_id = ? ORDER BY rowid", (venue_id,))
        return tuple(LevelFill(Decimal(price), Decimal(shares), Decimal(fee)) for price, shares, fee in rows)

    def entry(self, name: str) -> Entry | None:
        """One intent by the order's id."""
        return next(iter(self._read("WHERE id = ?", name)), None)

    def entries(self) -> list[Entry]:
        """All of them, oldest first."""
        return self._read("ORDER BY rowid")

    def _read(self, which: str, *values: str) -> list[Entry]:
        rows = self._connection.execute(f"SELECT wish, payload, venue_id, end FROM intents {which}", values)
        return [
            Entry(
                intent=Intent(order=ORDER.validate_json(wish), payload=payload, venue_id=venue_id),
                end=EXECUTION.validate_json(end) if end else None,
            )
            for wish, payload, venue_id, end in rows
        ]


class ReferenceBroker:
    """Fill and kill at the scripted exchange. One a process: a new one begins by reconciling."""

    def __init__(self, exchange: ScriptedExchange, intents: Intents) -> None:
        """Trade at this exchange; what may have been sent before is in `intents`."""
        self._exchange, self._intents = exchange, intents
        self._fresh: set[str] = set()
        self._reconciled = False

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """The ends of the orders that the state awaits. Raises `Unavailable`, `LawBroken`."""
        self._reconciled = False
        try:
            trades = await self._exchange.trades()
            for entry in self._intents.entries():
                self._compare(entry, trades)
            ends = [await self._end(entry) for entry in self._intents.entries() if self._owed(entry, state)]
        except AnswerLost as lost:
            raise Unavailable("exchange", "outcome_unknown", str(lost)) from None
        for end in ends:
            if end.status is OrderStatus.UNKNOWN:
                raise Unavailable("exchange", "outcome_unknown", f"order {end.order.id}: {end.note}")
        self._reconciled = True
        return tuple(ends)

    def intend(self, orders: Iterable[Order]) -> tuple[Intent, ...]:
        """Committed, each, before this returns."""
        return tuple([self._intended(order) for order in orders])

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        """One after the other, as the venue takes them."""
        return tuple([await self._executed(intent, snapshot) for intent in intents])

    def _intended(self, order: Order) -> Intent:
        known = self._intents.entry(order.id)
        if known is not None:
            return known.intent
        intent = self._signed(order)
        self._intents.add(intent)
        self._fresh.add(order.id)
        return intent

    def _signed(self, order: Order) -> Intent:
        """The bytes of an order. They hold chance (a salt) and time (an expiry): made again, they would be another order."""
        wire = {
            "client_id": order.id,
            "token": order.token,
            "side": "buy" if order.side is Side.BUY else "sell",
            "shares": str(order.shares),
            "limit": str(order.limit),
            "salt": secrets.token_hex(8),
            "expires_ms": self._exchange.now.at_ms + EXPIRY_S * 1000,
        }
        payload = json.dumps(wire).encode()
        return Intent(order=order, payload=payload, venue_id=order_id(payload))

    async def _executed(self, intent: Intent, snapshot: Snapshot) -> Execution:
        known = self._intents.entry(intent.order.id)
        if known is not None and known.end is not None:
            return known.end
        if intent.order.id not in self._fresh:
            return await self._asked(intent)
        self._fresh.discard(intent.order.id)
        if held_back := self._held_back(intent.order, snapshot):
            return self._ended(Execution(order=intent.order, status=OrderStatus.REJECTED, note=held_back))
        try:
            receipt = await self._exchange.place(intent.payload)
        except AnswerLost as lost:
            return await self._lost(intent, lost)
        return await self._read(intent, receipt)

    def _held_back(self, order: Order, snapshot: Snapshot) -> str:
        """Why nothing may be sent now; empty when it may."""
        if not self._reconciled:
            return "earlier orders are not reconciled"
        if snapshot.kill_switch and order.side is Side.BUY:
            return "the kill switch is pulled"
        return ""

    async def _lost(self, intent: Intent, lost: AnswerLost) -> Execution:
        """Nobody knows: nothing more is sent before this is found out."""
        return self._unknown(intent, str(lost))

    async def _read(self, intent: Intent, receipt: Receipt) -> Execution:
        if receipt.status == "refused":
            return self._ended(Execution(order=intent.order, status=OrderStatus.REJECTED, note=receipt.error))
        self._take(intent, receipt.trades)
        if receipt.status == "matched" and self._sum(intent) == receipt.filled:
            return self._ended(self._execution(intent, "met nothing"))
        return self._unknown(intent, receipt.status)

    def _unknown(self, intent: Intent, note: str) -> Execution:
        self._reconciled = False
        return Execution(order=intent.order, status=OrderStatus.UNKNOWN, note=note)

    async def _end(self, entry: Entry) -> Execution:
        """The end of an order that the books await: as it was kept, or as the venue tells it now. Raises `AnswerLost`."""
        return entry.end or await self._found(entry.intent)

    async def _asked(self, intent: Intent) -> Execution:
        """As `_found`; unknown when the venue does not answer."""
        try:
            return await self._found(intent)
        except AnswerLost as lost:
            return self._unknown(intent, str(lost))

    async def _found(self, intent: Intent) -> Execution:
        """By id among the open orders, then among the trades, never by time. Certain when all is filled, or by waiting."""
        is_open = await self._exchange.order(intent.venue_id) is not None
        self._take(intent, [trade for trade in await self._exchange.trades() if self._ours(intent, trade)])
        if self._is_over(intent, is_open=is_open):
            return self._ended(self._execution(intent, "it never arrived, or met nothing"))
        return self._unknown(intent, "open" if is_open else "not to be found")

    def _is_over(self, intent: Intent, *, is_open: bool) -> bool:
        """Nothing can come any more."""
        expires_ms: int = json.loads(intent.payload)["expires_ms"]
        expired = self._exchange.now.at_ms > expires_ms + MARGIN_S * 1000
        return self._sum(intent) == intent.order.shares or (expired and not is_open)

    def _ours(self, intent: Intent, trade: VenueTrade) -> bool:
        return trade.order == intent.venue_id

    def _owed(self, entry: Entry, state: State) -> bool:
        return state.awaits(entry.intent.order)

    def _take(self, intent: Intent, trades: Sequence[VenueTrade]) -> None:
        """Keep these fills. Raises `LawBroken` for what cannot be: it is told, never put right."""
        self._intents.add_fills(trades)
        order, fills = intent.order, self._intents.fills(intent.venue_id)
        beyond = [fill for fill in fills if (fill.price > order.limit if order.side is Side.BUY else fill.price < order.limit)]
        if beyond or self._sum(intent) > order.shares:
            raise LawBroken(f"order {order.id} asked for {order.shares} at {order.limit}, the venue says {fills}")

    def _compare(self, entry: Entry, trades: Sequence[VenueTrade]) -> None:
        """Raise `LawBroken` when the venue tells another story of an order that is over."""
        if entry.end is None:
            return
        told = {trade.id: trade.shares for trade in trades if trade.order == entry.intent.venue_id}
        if sum(told.values(), Decimal(0)) != entry.end.walk.shares:
            raise LawBroken(f"order {entry.intent.order.id} ended with {entry.end.walk.shares} shares, the venue says {told}")

    def _sum(self, intent: Intent) -> Decimal:
        return sum((fill.shares for fill in self._intents.fills(intent.venue_id)), Decimal(0))

    def _execution(self, intent: Intent, otherwise: str) -> Execution:
        fills, order = self._intents.fills(intent.venue_id), intent.order
        if not fills:
            return Execution(order=order, status=OrderStatus.REJECTED, note=otherwise)
        return Execution(order=order, status=OrderStatus.FILLED, walk=Walk(fills), book_mid=order.mid, digest=intent.venue_id)

    def _ended(self, execution: Execution) -> Execution:
        self._intents.end(execution)
        return execution
