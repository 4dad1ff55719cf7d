"""The books of account: orders, fills, positions, and the law that holds after every one of them.

Law, exact: cash + sum of cost == opening cash + realised, with fees inside realised. Positions store cost, not an average
price, so the law holds with `==`. A position changes only through a fill or a settlement.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal
from enum import StrEnum

from domain.fill import Walk, whole_micros
from domain.market import Market, Moment, Side, TokenId
from domain.value import value

NOTHING = Decimal(0)


class LawBroken(ArithmeticError):
    """The ledger does not add up: a defect, never bad luck."""


class Action(StrEnum):
    """What the agent does about a token in one tick."""

    ENTER = "enter"
    SCALE_IN = "scale_in"
    EXIT = "exit"
    HOLD = "hold"
    SKIP = "skip"


@value
class Order:
    """A wish for shares: fill and kill, never beyond `limit`.

    `id` is `<tick sequence>-<leg>`. `mid` is the mid at the decision (0.0 when the book had one side). The order meets the
    first book requested `delay_ms` or more after `decided`; without delay, the decision's own. `edge`, `fair_p` and `reference`
    are what it was decided on, as far as they were known.
    """

    id: str
    market: Market
    token: TokenId
    side: Side
    action: Action
    reason: str
    shares: Decimal
    limit: Decimal
    decided: Moment
    delay_ms: int = 0
    mid: float = 0.0
    below_minimum: bool = False
    edge: float | None = None
    fair_p: float | None = None
    reference: float | None = None

    def __post_init__(self) -> None:
        """Refuse an order for nothing."""
        if self.shares <= 0:
            raise ValueError(f"an order asks for a positive number of shares, not {self.shares}")

    @property
    def tick(self) -> int:
        """The sequence of the tick that made it, as its id says."""
        return int(self.id.partition("-")[0])

    @property
    def most_notional(self) -> Decimal:
        """The most that the shares of a buy can cost without the fee, in whole micro-dollars."""
        return whole_micros(self.shares * self.limit) if self.side is Side.BUY else Decimal(0)

    @property
    def reserved_cash(self) -> Decimal:
        """The most that this order can cost."""
        if self.side is Side.SELL:
            return Decimal(0)
        return self.shares * self.limit + self.market.fees.most(self.shares)


@value
class Intent:
    """An order that is written down: from now on it may be sent, and what became of it will be found out, whoever dies.

    `payload` is what is sent, byte by byte, its salt and its expiry included; `venue_id` is what the venue will call the order,
    known before it is sent. Both are empty on paper.
    """

    order: Order
    payload: bytes = b""
    venue_id: str = ""


class OrderStatus(StrEnum):
    """What became of an order. `UNKNOWN`: it may have been sent, and nobody knows; only `Broker.reconcile` finds out."""

    FILLED = "filled"
    REJECTED = "rejected"
    PENDING = "pending"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@value
class Execution:
    """A broker's answer to one order. `book_mid` is the mid of the book that filled, `digest` that book's hash."""

    order: Order
    status: OrderStatus
    walk: Walk = field(default_factory=Walk)
    book_mid: float = 0.0
    digest: str = ""
    note: str = ""


@value
class Mark:
    """What a position would fetch: USDC for all its shares at the bids. `stale` when the bids are not of this tick."""

    value: Decimal
    stale: bool = False


UNPRICED = Mark(value=Decimal(0), stale=True)


@value
class Position:
    """Shares of one token. `entry_mid` is share-weighted over the buys; `last_mid` is the mid of the last buy's book."""

    market: Market
    token: TokenId
    shares: Decimal
    cost: Decimal
    entry_mid: float
    last_mid: float
    opened: Moment
    last_fill: Moment
    last_scale: Moment | None = None
    adds: int = 0
    mark: Mark = UNPRICED

    def __post_init__(self) -> None:
        """Refuse a position of nothing."""
        if self.shares <= 0 or self.cost < 0:
            raise ValueError(f"a position has shares > 0 and cost >= 0, not {self.shares} and {self.cost}")

    @property
    def average_entry(self) -> Decimal:
        """Cost per share, to six decimals."""
        return whole_micros(self.cost / self.shares)


@value
class Booking:
    """One change of the books: the ledger after it, and what it realised."""

    ledger: "Ledger"
    realised: Decimal


@value
class Ledger:
    """Cash, positions in the order of their entry, and orders that wait for a book. USDC in whole micro-dollars.

    `settled` tokens have been paid out: that happens once, so they are never bought again.
    """

    opening_cash: Decimal
    cash: Decimal
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    positions: Mapping[TokenId, Position] = field(default_factory=dict)
    pending: tuple[Order, ...] = ()
    settled: frozenset[TokenId] = frozenset()

    @classmethod
    def opened_with(cls, cash: Decimal) -> "Ledger":
        """A new ledger."""
        return cls(opening_cash=whole_micros(cash), cash=whole_micros(cash))

    def __post_init__(self) -> None:
        """Assert the law."""
        cost = self.cost
        if self.cash + cost != self.opening_cash + self.realised:
            raise LawBroken(
                f"cash {self.cash} + cost {cost} is not opening cash {self.opening_cash} + realised {self.realised}"
            )
        if self.cash < 0:
            raise LawBroken(f"cash is {self.cash}: more was spent than there was")

    @property
    def reserved_cash(self) -> Decimal:
        """The most that the waiting orders can cost."""
        return sum([order.reserved_cash for order in self.pending], NOTHING)

    @property
    def engaged(self) -> frozenset[TokenId]:
        """The tokens that are held or being bought."""
        if not self.pending:
            return frozenset(self.positions)
        return frozenset((*self.positions, *(order.token for order in self.pending if order.side is Side.BUY)))

    @property
    def marked_value(self) -> Decimal:
        """What all positions would fetch at the bids."""
        return sum([position.mark.value for position in self.positions.values()], NOTHING)

    @property
    def cost(self) -> Decimal:
        """What all positions cost."""
        return sum([position.cost for position in self.positions.values()], NOTHING)

    @property
    def equity(self) -> Decimal:
        """Cash and the value of the positions at the bids."""
        return self.cash + self.marked_value

    def booked(self, execution: Execution, now: Moment) -> Booking:
        """The ledger after an execution that moved shares."""
        return self._bought(execution, now) if execution.order.side is Side.BUY else self._sold(execution, now)

    def _bought(self, execution: Execution, now: Moment) -> Booking:
        order, walk = execution.order, execution.walk
        held = self.positions.get(order.token)
        if held is None:
            position = Position(
                market=order.market,
                token=order.token,
                shares=walk.shares,
                cost=walk.notional,
                entry_mid=execution.book_mid,
                last_mid=execution.book_mid,
                opened=now,
                last_fill=now,
            )
        else:
            position = _added(held, execution, now)
        fee = walk.fee
        return Booking(
            ledger=self._moved(
                cash=-walk.notional - fee, realised=-fee, fee=fee, positions={**self.positions, order.token: position}
            ),
            realised=-fee,
        )

    def _sold(self, execution: Execution, now: Moment) -> Booking:
        walk = execution.walk
        return self._left(execution.order.token, shares=walk.shares, proceeds=walk.notional, fee=walk.fee, now=now)

    def paid_out(self, token: TokenId, payout: Decimal, now: Moment) -> Booking:
        """The ledger after the venue paid `payout` USDC for each share of a resolved token, without a fee."""
        shares = self.positions[token].shares
        booking = self._left(token, shares=shares, proceeds=whole_micros(shares * payout), fee=Decimal(0), now=now)
        return replace(booking, ledger=replace(booking.ledger, settled=self.settled | {token}))

    def _left(self, token: TokenId, *, shares: Decimal, proceeds: Decimal, fee: Decimal, now: Moment) -> Booking:
        """The ledger after `shares` of a position became money: cost leaves in proportion, the rest by subtraction."""
        held = self.positions[token]
        if shares > held.shares:
            raise LawBroken(f"{shares} shares cannot leave a position of {held.shares}")
        cost = held.cost if shares == held.shares else whole_micros(held.cost * shares / held.shares)
        positions = dict(self.positions)
        if shares == held.shares:
            del positions[token]
        else:
            positions[token] = replace(held, shares=held.shares - shares, cost=held.cost - cost, last_fill=now)
        realised = proceeds - fee - cost
        return Booking(
            ledger=self._moved(cash=proceeds - fee, realised=realised, fee=fee, positions=positions),
            realised=realised,
        )

    def _moved(self, *, cash: Decimal, realised: Decimal, fee: Decimal, positions: Mapping[TokenId, Position]) -> "Ledger":
        """The ledger after a change of its sums, with these positions."""
        return Ledger(
            opening_cash=self.opening_cash,
            cash=self.cash + cash,
            realised=self.realised + realised,
            fees=self.fees + fee,
            positions=positions,
            pending=self.pending,
            settled=self.settled,
        )

    def marked(self, marks: Mapping[TokenId, Mark]) -> "Ledger":
        """The ledger with the positions' marks renewed; a position without a new one keeps its last, as stale."""
        if not self.positions:
            return self
        return replace(
            self,
            positions={
                token: replace(position, mark=marks.get(token) or Mark(value=position.mark.value, stale=True))
                for token, position in self.positions.items()
            },
        )


def _added(held: Position, execution: Execution, now: Moment) -> Position:
    walk = execution.walk
    shares = held.shares + walk.shares
    weight = float(walk.shares / shares)
    return replace(
        held,
        shares=shares,
        cost=held.cost + walk.notional,
        entry_mid=held.entry_mid * (1 - weight) + execution.book_mid * weight,
        last_mid=execution.book_mid,
        last_fill=now,
        last_scale=now,
        adds=held.adds + 1,
    )
