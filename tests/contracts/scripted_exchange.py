"""An exchange in the test's memory that does to the next order what the script says: it loses, repeats, delays, lies and kills.

It knows no network and no real venue. Its wire is what all of them have in common: an order is a payload whose hash is its id
(the same bytes are the same order, other bytes are another one), a filled order is gone from the open ones, and its fills are
in the account's trades, among those of others. A live adapter is examined by putting its venue's wire format around this.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum, auto
from hashlib import sha256

from domain.market import Moment
from tests.builders import moment
from tests.fakes import FakeClock

LATE_S = 5
"""Seconds after which a late thing has happened."""

FEE = Decimal("0.01")
"""USDC that every fill costs."""


class Act(StrEnum):
    """What the exchange does with an order."""

    FILLS = auto()
    FILLS_PARTLY = auto()
    MEETS_NOTHING = auto()
    REFUSES = auto()
    FILLS_LATE = auto()
    REPEATS_FILLS = auto()
    LOSES_THE_ORDER = auto()
    LOSES_THE_ANSWER = auto()
    LOSES_BOTH_FOR_A_WHILE = auto()
    LOSES_THE_ANSWER_AND_FILLS_IN_TWO = auto()
    KILLS_THE_SENDER = auto()
    KILLS_THE_SENDER_BEFORE = auto()
    FILLS_TOO_MUCH = auto()
    FILLS_TOO_DEAR = auto()
    FILLS_WHAT_IT_REFUSED = auto()


class AnswerLost(Exception):
    """Timeout, reset, 5xx or a body that is no answer: whether the order is there, nobody can tell."""


class Killed(BaseException):
    """The process is dead, as by kill -9: nothing of it runs any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTrade:
    """A fill in the account's trades. `order` is the venue's id of the order."""

    id: str
    order: str
    token: str
    price: Decimal
    shares: Decimal
    at_ms: int
    fee: Decimal = FEE


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to an order: `matched` with its fills, `delayed`, or `refused` with an `error`. `filled`: shares in all."""

    order: str
    status: str
    filled: Decimal = Decimal(0)
    trades: Sequence[VenueTrade] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A payload that reached the wire, and what stands in it."""

    payload: bytes
    client_id: str
    token: str
    buys: bool
    shares: Decimal
    limit: Decimal
    expires_ms: int

    @classmethod
    def read(cls, payload: bytes) -> "Sent":
        """A payload read."""
        wire = json.loads(payload)
        return cls(
            payload=payload,
            client_id=wire["client_id"],
            token=wire["token"],
            buys=wire["side"] == "buy",
            shares=Decimal(wire["shares"]),
            limit=Decimal(wire["limit"]),
            expires_ms=wire["expires_ms"],
        )

    @property
    def order(self) -> str:
        """The venue's id of this order."""
        return order_id(self.payload)


def order_id(payload: bytes) -> str:
    """What the venue calls an order: the hash of its bytes."""
    return f"0x{sha256(payload).hexdigest()}"


@dataclass(slots=True, kw_only=True)
class _Due:
    """Shares that an order will get, and when."""

    order: str
    shares: Decimal
    price: Decimal
    at_ms: int


@dataclass(slots=True)
class ScriptedExchange:
    """Fills at 0.51, or at the limit where that is worse. `script`: what happens to the next orders; then it fills them all.

    `down`: it answers nothing. `sent`: all payloads ever; `others`: it lists others' trades that look like ours.
    """

    clock: FakeClock = field(default_factory=lambda: FakeClock(moment(0)))
    script: list[Act] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    down: bool = False
    others: bool = False
    on_kill: Callable[[], None] = field(default=lambda: None)
    _orders: dict[str, Sent] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _travelling: set[str] = field(default_factory=set)
    _due: list[_Due] = field(default_factory=list)
    _trades: list[VenueTrade] = field(default_factory=list)
    _repeats: bool = False

    @property
    def now(self) -> Moment:
        """The time at the exchange and everywhere."""
        return self.clock.now()

    def filled(self, client_id: str) -> Decimal:
        """What the orders of one client id really got, shares: the truth."""
        self._happen()
        ids = {sent.order for sent in self.sent if sent.client_id == client_id}
        return sum((trade.shares for trade in self._trades if trade.order in ids), Decimal(0))

    async def place(self, payload: bytes) -> Receipt:
        """Send an order. Raises `AnswerLost`; may be the last that the sender did (`Killed`)."""
        await asyncio.sleep(0)
        sent = Sent.read(payload)
        self.sent.append(sent)
        if self.down:
            raise AnswerLost("connection refused")
        if sent.order in self._orders or sent.order in self._refused:
            return Receipt(order=sent.order, status="refused", error="order is a duplicate")
        return self._done(self.script.pop(0) if self.script else Act.FILLS, sent)

    async def order(self, order: str) -> Sent | None:
        """An open order; a filled, killed or unknown one is not there. Raises `AnswerLost`."""
        return next((sent for sent in await self.open_orders() if sent.order == order), None)

    async def open_orders(self) -> list[Sent]:
        """All open orders. Raises `AnswerLost`."""
        await self._asked()
        return [self._orders[due.order] for due in self._due if due.order not in self._travelling]

    async def trades(self) -> list[VenueTrade]:
        """All trades of the account, newest first. Raises `AnswerLost`."""
        await self._asked()
        listed = self._trades * 2 if self._repeats else list(self._trades)
        if self.others:
            listed += [replace(trade, id=f"other-{trade.id}", order="0xother") for trade in self._trades] + [
                VenueTrade(
                    id=f"other-{place}",
                    order="0xother",
                    token=sent.token,
                    price=sent.limit,
                    shares=sent.shares,
                    at_ms=self.now.at_ms,
                )
                for place, sent in enumerate(self.sent)
            ]
        return listed[::-1]

    async def _asked(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise AnswerLost("connection refused")
        self._happen()

    def _done(self, act: Act, sent: Sent) -> Receipt:
        match act:
            case Act.REFUSES:
                self._refused.add(sent.order)
                return Receipt(order=sent.order, status="refused", error="not enough balance")
            case Act.KILLS_THE_SENDER_BEFORE:
                self.on_kill()
                raise Killed
            case Act.LOSES_THE_ORDER:
                raise AnswerLost("timeout")
        return self._taken(act, sent)

    def _taken(self, act: Act, sent: Sent) -> Receipt:
        """The order is at the venue: what comes of it, and whether the sender hears of it."""
        self._orders[sent.order] = sent
        self._schedule(act, sent)
        if act is Act.LOSES_BOTH_FOR_A_WHILE:
            self._travelling.add(sent.order)
        self._happen()
        self._repeats = self._repeats or act is Act.REPEATS_FILLS
        if act is Act.KILLS_THE_SENDER:
            self.on_kill()
            raise Killed
        if act in (Act.LOSES_THE_ANSWER, Act.LOSES_BOTH_FOR_A_WHILE, Act.LOSES_THE_ANSWER_AND_FILLS_IN_TWO):
            raise AnswerLost("reset by peer")
        if act is Act.FILLS_WHAT_IT_REFUSED:
            return Receipt(order=sent.order, status="refused", error="order couldn't be filled")
        if act is Act.FILLS_LATE:
            return Receipt(order=sent.order, status="delayed")
        fills = [trade for trade in self._trades if trade.order == sent.order]
        listed = fills * 2 if act is Act.REPEATS_FILLS else fills
        filled = sum((trade.shares for trade in fills), Decimal(0))
        return Receipt(order=sent.order, status="matched", filled=filled, trades=listed)

    def _schedule(self, act: Act, sent: Sent) -> None:
        price = min(Decimal("0.51"), sent.limit) if sent.buys else max(Decimal("0.50"), sent.limit)
        now, later, half = self.now.at_ms, self.now.at_ms + LATE_S * 1000, sent.shares / 2
        worse = Decimal("0.01") if sent.buys else Decimal("-0.01")
        plans: dict[Act, list[tuple[Decimal, Decimal, int]]] = {
            Act.FILLS_PARTLY: [(half, price, now)],
            Act.MEETS_NOTHING: [],
            Act.FILLS_LATE: [(sent.shares, price, later)],
            Act.LOSES_BOTH_FOR_A_WHILE: [(sent.shares, price, later)],
            Act.LOSES_THE_ANSWER_AND_FILLS_IN_TWO: [(half, price, now), (half, price, later)],
            Act.FILLS_TOO_MUCH: [(sent.shares + 1, price, now)],
            Act.FILLS_TOO_DEAR: [(sent.shares, sent.limit + worse, now)],
        }
        for shares, at, when in plans.get(act, [(half, price, now), (half, price, now)]):
            self._due.append(_Due(order=sent.order, shares=shares, price=at, at_ms=when))

    def _happen(self) -> None:
        """Fill what is due by now."""
        due = [each for each in self._due if each.at_ms <= self.now.at_ms]
        self._due = [each for each in self._due if each.at_ms > self.now.at_ms]
        tokens = {sent.order: sent.token for sent in self.sent}
        for each in due:
            self._trades.append(
                VenueTrade(
                    id=f"trade-{len(self._trades)}",
                    order=each.order,
                    token=tokens[each.order],
                    price=each.price,
                    shares=each.shares,
                    at_ms=each.at_ms,
                )
            )
