"""What the agent sees: time, tokens, books, references, and one tick's snapshot of them.

Prices and sizes are `Decimal` because they become money; a mid or a reference is an estimate and a `float`.
`float(price)` in `Quote` is the one door between the two, and nothing comes back through it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, NewType

from domain.fair import FairModel
from domain.fees import FeeSchedule
from domain.value import value

TokenId = NewType("TokenId", str)
"""One outcome of one Polymarket market: a 76 to 78 digit decimal, kept as text because it fits no integer type."""

ConditionId = NewType("ConditionId", str)
"""One Polymarket market (`0x` and 64 hex digits): its outcomes share one book, seen from two sides."""


DAY_MS = 86_400_000


@value
class Moment:
    """One instant on two timelines.

    `at_ms` is UTC, milliseconds since the epoch: it goes into files. `elapsed_ms` never steps (monotonic, carried over
    restarts by the ledger): every duration is measured on it, so a corrected clock neither creates nor blocks a trade.
    """

    at_ms: int
    elapsed_ms: int

    @property
    def day(self) -> int:
        """The UTC day, counted from the epoch."""
        return self.at_ms // DAY_MS

    def seconds_since(self, earlier: "Moment") -> float:
        """Seconds from `earlier` to this moment, never negative."""
        return max(0, self.elapsed_ms - earlier.elapsed_ms) / 1000


class Side(StrEnum):
    """What an order does: a BUY takes asks, a SELL takes bids."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The side that undoes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Level(NamedTuple):
    """One price of a book: probability units in (0, 1), and shares."""

    price: Decimal
    size: Decimal


@value
class OrderBook:
    """One token's book, best level first on both sides. It may be empty, one-sided or crossed: a rule says so.

    `changed_at_ms` is the venue's own timestamp (UTC ms) of the last change; `requested` is when our request for this book
    began and `age_s` what a cache added (HTTP `Age`): the age of a book counts from there, never from the venue's stamp.
    """

    token: TokenId
    bids: Sequence[Level]
    asks: Sequence[Level]
    requested: Moment
    min_order_size: Decimal = Decimal(0)
    tick_size: Decimal | None = None
    changed_at_ms: int | None = None
    digest: str = ""
    age_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a level that is no level, and a side that is not strictly best first."""
        for level in (*self.bids, *self.asks):
            if not (0 < level.price < 1 and level.size > 0):
                raise ValueError(f"a level must have 0 < price < 1 and size > 0, not {level}")
        if any(worse.price >= better.price for better, worse in pairwise(self.bids)):
            raise ValueError("bids must fall strictly from the best one")
        if any(worse.price <= better.price for better, worse in pairwise(self.asks)):
            raise ValueError("asks must rise strictly from the best one")

    @property
    def bid(self) -> Decimal | None:
        """The best bid."""
        return self.bids[0].price if self.bids else None

    @property
    def ask(self) -> Decimal | None:
        """The best ask."""
        return self.asks[0].price if self.asks else None

    @property
    def mid(self) -> float | None:
        """Halfway between the best prices; None when a side is missing."""
        return float(self.bids[0].price + self.asks[0].price) / 2 if self.bids and self.asks else None

    def taken_by(self, side: Side) -> Sequence[Level]:
        """The levels that an order of this side takes, best first."""
        return self.asks if side is Side.BUY else self.bids

    def age_at(self, now: Moment) -> float:
        """Seconds since this book was certainly true: since its request began, and what a cache held it before."""
        return now.seconds_since(self.requested) + self.age_s


@value
class Quote:
    """The best prices of a two-sided book, and their estimates."""

    bid: Decimal
    ask: Decimal
    mid: float

    @classmethod
    def of(cls, book: OrderBook) -> "Quote | None":
        """The quote of a book, or None when a side is missing."""
        if not book.bids or not book.asks:
            return None
        bid, ask = book.bids[0].price, book.asks[0].price
        return cls(bid=bid, ask=ask, mid=float(bid + ask) / 2)

    @property
    def spread(self) -> Decimal:
        """Ask minus bid, price units; zero or negative when the book is locked or crossed."""
        return self.ask - self.bid


class ReferenceId(NamedTuple):
    """Where a reference price comes from: a source's name, the symbol there, and the field of its ticker ("": the usual)."""

    source: str
    symbol: str
    field: str = ""


@value
class Reference:
    """A reference price (quote currency per unit of the base), and when its request began."""

    price: float
    requested: Moment
    age_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        if not 0 < self.price < math.inf:
            raise ValueError(f"a reference must be a positive number, not {self.price}")

    def age_at(self, now: Moment) -> float:
        """Seconds since this price was certainly true."""
        return now.seconds_since(self.requested) + self.age_s


class Leg(NamedTuple):
    """One of the three ways a match can end: the market that asks for it, its name there, and the token that pays for it."""

    slug: str
    name: str
    token: TokenId


@value
class ThreeWay:
    """A match as the venue builds it: one event, three binary markets of one neg-risk group (their Yes tokens).

    `event` is the event's slug. One market of three outcomes is the same thing with one slug.
    """

    event: str
    home: Leg
    draw: Leg
    away: Leg

    @property
    def legs(self) -> tuple[Leg, Leg, Leg]:
        """Home, draw, away."""
        return (self.home, self.draw, self.away)


@value
class Hedge:
    """The other leg of a bet on a token: what to do with the future `symbol` when the token is bought."""

    symbol: str
    side: Side
    notes: str = ""


@value
class Market:
    """One token that the agent follows, as the market map and the venue describe it.

    `direction` is +1 when the token gains as the reference rises (Yes, Up) and -1 when it loses; `complement` is the token
    of the other outcome of the same binary market. `token` is None while a slug is not resolved yet; `slug` and `event` are
    the venue's names of the market and of its event, empty while unknown.

    `match_draw` says whether this token is the draw of a match over its full time, None while nothing is known; `three_way`
    is the set that it is the draw of. `fair` is this token's own fair probability, `hedge` its other leg.
    """

    name: str
    ref: str
    token: TokenId | None
    outcome: str
    direction: int = 1
    reference: ReferenceId | None = None
    fees: FeeSchedule
    condition: ConditionId | None = None
    complement: TokenId | None = None
    accepting: bool = True
    taker_delay_ms: int = 0
    ends_at_ms: int | None = None
    slug: str = ""
    event: str = ""
    match_draw: bool | None = None
    three_way: ThreeWay | None = None
    fair: FairModel | None = None
    hedge: Hedge | None = None

    def __post_init__(self) -> None:
        """Refuse a direction that is none."""
        if self.direction not in (-1, 1):
            raise ValueError(f"direction must be 1 or -1, not {self.direction}")

    @property
    def label(self) -> str:
        """Its name and its outcome, unless the name says it already."""
        return self.name if self.name.endswith(self.outcome) else f"{self.name} {self.outcome}"

    def is_one_with(self, other: "Market") -> bool:
        """Whether both are outcomes of one market: by their tokens, as far as they are known, or by their condition."""
        mine, theirs = ({each.token, each.complement} - {None} for each in (self, other))
        return not mine.isdisjoint(theirs) or (self.condition is not None and self.condition == other.condition)

    def shares_event_with(self, other: "Market") -> bool:
        """Whether both belong to one event; a market whose event is not known is an event of its own."""
        return (self.event != "" and self.event == other.event) or self.is_one_with(other)


def tokens_of(markets: Iterable[Market]) -> Iterator[TokenId]:
    """The tokens whose books a tick needs: those that are followed, and all three of a match whose draw is."""
    for market in markets:
        if market.token is not None:
            yield market.token
        if market.three_way is not None:
            yield from (leg.token for leg in market.three_way.legs)


@value
class Snapshot:
    """All that one tick knows of the world. What a source did not deliver is simply not there.

    `moment` is the time of the tick, the same in every file; `ready` is when the last answer was in: ages count to it.
    `payouts` holds what one share of a resolved token pays (0, 1 or 0.5), as the venue says.
    """

    moment: Moment
    ready: Moment
    markets: tuple[Market, ...]
    books: Mapping[TokenId, OrderBook]
    references: Mapping[ReferenceId, Reference]
    payouts: Mapping[TokenId, Decimal]
    kill_switch: bool = False
