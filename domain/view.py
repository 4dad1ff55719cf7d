"""All that a rule may look at: one token in one tick, its position, and what the tick has left to spend."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from domain.decision import Cause, Costs, Signal
from domain.edge import PCT_DECIMALS, Unit, return_pct, spread_cost_pct
from domain.fees import FeeSchedule
from domain.figures import Figure
from domain.fill import NOTHING_TAKEN, Taken, Walk, limit_price, walk, whole_micros
from domain.history import History
from domain.lag import lag_ms
from domain.ledger import NOTHING, Ledger, Position
from domain.market import Market, Moment, OrderBook, Quote, Reference, Side, TokenId
from domain.protections import Protections, Record
from domain.sizing import Sizing
from domain.value import value


@value
class ScaleIn:
    """When a position grows. Percent, seconds, shares; `odds_change_pct` None means never."""

    odds_change_pct: float | None = None
    cooldown_s: float = 20.0
    max_adds: int = 3
    max_total_shares: Decimal = Decimal(50)
    size_multiple: Decimal = Decimal("0.5")


@value
class Limits:
    """The limits that every strategy shares; None: the gate is absent. Units as in the names, prices as exact decimals."""

    freshness_s: float = 60.0
    interval_s: float = 15.0
    book_unchanged_s: float | None = None
    avoid_price_below: Decimal | None = None
    avoid_price_above: Decimal | None = None
    spread: Decimal | None = None
    spread_cost_pct: float | None = None
    net_edge_pct: float | None = None
    lag_ms: float | None = None
    trade_notional_usdc: Decimal | None = None
    stop_pct: float | None = None
    orders_per_tick: int | None = 10
    scale_in: ScaleIn = field(default_factory=ScaleIn)
    protections: Protections = field(default_factory=Protections)

    @property
    def clock_jump_s(self) -> float:
        """By how many seconds the wall clock may step against the monotonic one from tick to tick."""
        return 2 * self.interval_s

    @property
    def gap_ms(self) -> int:
        """The hole between two samples after which history starts again."""
        return round(max(self.freshness_s, 3 * self.interval_s) * 1000)


@value
class Budget:
    """What the tick has spent: USDC that is neither spent nor reserved, entries and adds so far, shares that orders took.

    `engaged` are the tokens that are held, or that an order of this tick or an earlier one is buying. `bought` is what this
    tick's buys cost without fees, each with its market.
    """

    cash: Decimal
    orders: int
    taken: Taken = NOTHING_TAKEN
    engaged: frozenset[TokenId] = frozenset()
    bought: tuple[tuple[Market, Decimal], ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Reading:
    """One token's inputs of this tick, as far as they were accepted; each is equal to itself alone.

    It is made in two looks (`first_look` and `sampled` of `domain.reading`); nobody changes it after that.

    `quote` is there when the book has two sides; `signal` only when every input of the strategy was fresh and warm.
    `jump_pct` is how far an unconfirmed reference lies from the last accepted one. `legs` are the mids of the market's
    three-way set (home, draw, away), each None unless its own book can be believed; empty without a set. `refused` is why this
    tick gave no sample.
    """

    market: Market
    book: OrderBook | None
    quote: Quote | None
    reference: Reference | None
    jump_pct: float
    history: History
    signal: Signal | None
    legs: tuple[float | None, ...] = ()
    refused: Cause | None = None

    @property
    def legs_seen(self) -> int:
        """How many of the three ways have a mid."""
        return sum(mid is not None for mid in self.legs)

    @property
    def favourite_mid(self) -> float | None:
        """The mid of the dearer team; None unless both teams' are known."""
        teams = (self.legs[0], self.legs[2]) if self.legs else ()
        known = [mid for mid in teams if mid is not None]
        return max(known) if len(known) == 2 else None

    @property
    def ways_seen(self) -> tuple[tuple[str, float | str], ...]:
        """What the mids of the set sum to when all are known, and its legs: `EVENT: aug 0.365, draw 0.385, koe 0.255`."""
        three = self.market.three_way
        if three is None:
            return ()
        known = [mid for mid in self.legs if mid is not None]
        names = (leg.slug.removeprefix(f"{three.event}-") for leg in three.legs)
        legs = (f"{name} {'?' if mid is None else f'{mid:g}'}" for name, mid in zip(names, self.legs, strict=True))
        sums = (("mids_sum", round(sum(known), 6)),) if len(known) == len(three.legs) else ()
        return *sums, ("legs", f"{three.event}: {', '.join(legs)}")


@value
class Plan:
    """An order that could be sent now: its size, its limit, and what the book would give for it."""

    shares: Decimal
    limit: Decimal
    walk: Walk


def taking_costs(
    *, edge: Figure, spread: Figure, ask: Figure, mid: Figure, unit: Unit, fees: FeeSchedule
) -> tuple[Figure, Figure, Figure]:
    """What taking the ask costs in `unit`: half the spread, the fee of a share, and the edge after both."""
    half, fee = unit.of_price(spread / 2, mid), unit.of_price(fees.per_share(ask), mid)
    return half, fee, round(edge - half - fee, PCT_DECIMALS)


def net_edge_pct(net: Figure, *, unit: Unit, mid: Figure) -> Figure:
    """A net edge of any unit in percent of the mid."""
    return round(Unit.PERCENT_OF_MID.of_price(unit.to_price(net, mid), mid), PCT_DECIMALS)


@dataclass(kw_only=True, eq=False)
class View:
    """One token in one tick, for the rules. What is costly is computed when a rule first asks for it.

    Nobody changes a view. It is not frozen because a frozen one takes three times as long to make, and a tick makes many.

    `peers` are the tick's readings by token, for rules that compare a token with the other outcome of its market. `ledger` is
    the one that the tick began with, `record` what is remembered of it; None where no protection asks.
    """

    now: Moment
    at: Moment
    reading: Reading
    position: Position | None
    ledger: Ledger
    record: Record | None
    budget: Budget
    limits: Limits
    sizing: Sizing
    unit: Unit
    points: int
    needs_reference: bool
    peers: Mapping[TokenId, Reading]
    delay_ms: int
    kill_switch: bool
    clock_jump_s: float

    @property
    def market(self) -> Market:
        """The token's market."""
        return self.reading.market

    @property
    def known_book(self) -> OrderBook:
        """The book, for rules that stand after the one that asks whether it is there."""
        if self.reading.book is None:
            raise LookupError(f"{self.market.name} has no book, and a rule before this one should have said so")
        return self.reading.book

    @property
    def known_quote(self) -> Quote:
        """The quote, for rules that stand after the one that asks for two sides."""
        if self.reading.quote is None:
            raise LookupError(f"{self.market.name} has no quote, and a rule before this one should have said so")
        return self.reading.quote

    @property
    def has_book(self) -> int:
        """1 when a valid book came in this tick, else 0."""
        return int(self.reading.book is not None)

    @property
    def has_bids(self) -> int:
        """1 when somebody bids, else 0."""
        return int(bool(self.known_book.bids))

    @property
    def sides(self) -> int:
        """How many sides of the book are not empty."""
        return bool(self.known_book.bids) + bool(self.known_book.asks)

    @property
    def has_reference(self) -> int:
        """1 when a reference price came in this tick, else 0."""
        return int(self.reading.reference is not None)

    @property
    def samples(self) -> int:
        """How many samples there are without a gap."""
        return len(self.reading.history)

    @property
    def killed(self) -> int:
        """1 while the kill switch is pulled, else 0."""
        return int(self.kill_switch)

    @property
    def book_age_s(self) -> float:
        """Seconds since the book was certainly true."""
        return self.known_book.age_at(self.now)

    @property
    def input_age_s(self) -> float:
        """The age of the oldest input that the strategy uses."""
        reference = self.reading.reference if self.needs_reference else None
        return max(self.book_age_s, reference.age_at(self.now)) if reference else self.book_age_s

    @property
    def other_side(self) -> Reading | None:
        """The reading of the market's other outcome, when it is followed too."""
        return self.peers.get(self.market.complement) if self.market.complement is not None else None

    @property
    def book_unchanged_s(self) -> float | None:
        """Seconds since the venue last changed the book, by its own timestamp."""
        changed = self.known_book.changed_at_ms
        return None if changed is None else max(0, self.at.at_ms - changed) / 1000

    @property
    def spread_cost_pct(self) -> float:
        """Half the spread in percent of the mid."""
        return spread_cost_pct(spread=float(self.known_quote.spread), mid=self.known_quote.mid)

    @cached_property
    def costs(self) -> Costs | None:
        """What taking the ask costs in the unit of the edge; None without a signal."""
        quote, signal = self.reading.quote, self.reading.signal
        if quote is None or signal is None:
            return None
        spread, fee, net = taking_costs(
            edge=signal.edge,
            spread=float(quote.spread),
            ask=float(quote.ask),
            mid=quote.mid,
            unit=self.unit,
            fees=self.market.fees,
        )
        return Costs(spread=spread, fee=fee, net_edge=net)

    @property
    def net_edge_pct(self) -> float | None:
        """Net edge in percent of the mid, whatever the strategy's unit."""
        if self.costs is None:
            return None
        return net_edge_pct(self.costs.net_edge, unit=self.unit, mid=self.known_quote.mid)

    @cached_property
    def lag_ms(self) -> float | None:
        """How long this token follows its reference; None when that is too weak to trust."""
        return lag_ms(self.reading.history)

    @cached_property
    def entry(self) -> Plan:
        """The entry that could be sent now."""
        return self._plan(Side.BUY, self.sizing.entry_shares(self.budget.taken.left(self.known_book, Side.BUY)))

    @cached_property
    def addition(self) -> Plan:
        """The add that could be sent now."""
        held = self.position.shares if self.position else Decimal(0)
        scale = self.limits.scale_in
        asks = self.budget.taken.left(self.known_book, Side.BUY)
        room = max(scale.max_total_shares - held, Decimal(0))
        return self._plan(Side.BUY, self.sizing.add_shares(asks, multiple=scale.size_multiple, room=room))

    @property
    def purchase(self) -> Plan:
        """What a buy would be now: an entry when flat, an add when open."""
        return self.addition if self.position else self.entry

    @property
    def notional_needed(self) -> Decimal:
        """USDC without the fee of the buy: what it costs at once, or the most it can cost when it has to wait for a book."""
        plan = self.purchase
        return whole_micros(plan.shares * plan.limit) if self.delay_ms else plan.walk.notional

    @property
    def cash_needed(self) -> Decimal:
        """USDC to have for the buy: what it costs at once, or the most it can cost when it has to wait for a book."""
        plan = self.purchase
        if self.delay_ms:
            return plan.shares * plan.limit + self.market.fees.most(plan.shares)
        return plan.walk.notional + plan.walk.fee

    @property
    def daily_loss(self) -> Decimal | None:
        """USDC lost since the day's first tick."""
        return self.record.daily_loss(self.ledger.equity) if self.record else None

    @property
    def drawdown_pct(self) -> float | None:
        """Percent that the equity lies below its peak."""
        return self.record.drawdown_pct(self.ledger.equity) if self.record else None

    @property
    def losses_in_a_row(self) -> int | None:
        """Positions that the day closed at a loss, since the last gain."""
        return self.record.losses if self.record else None

    @property
    def since_stop_s(self) -> float | None:
        """Seconds since a stop sold this token."""
        stopped = self.record.stops.get(self.known_book.token) if self.record else None
        return self.at.seconds_since(stopped) if stopped else None

    @property
    def market_exposure(self) -> Decimal:
        """What this market would have cost after the buy, USDC."""
        return self._exposure(self.market.is_one_with)

    @property
    def event_exposure(self) -> Decimal:
        """What this market's event would have cost after the buy, USDC."""
        return self._exposure(self.market.shares_event_with)

    @property
    def total_exposure(self) -> Decimal:
        """What all markets would have cost after the buy, USDC."""
        return self._exposure(lambda market: True)

    def _exposure(self, counts: Callable[[Market], bool]) -> Decimal:
        held = [position.cost for position in self.ledger.positions.values() if counts(position.market)]
        waiting = [order.most_notional for order in self.ledger.pending if counts(order.market)]
        bought = [cost for market, cost in self.budget.bought if counts(market)]
        return sum((*held, *waiting, *bought), NOTHING) + self.notional_needed

    @cached_property
    def sale(self) -> Plan:
        """The order that would close the position now."""
        return self._plan(Side.SELL, self.position.shares if self.position else Decimal(0))

    def _plan(self, side: Side, shares: Decimal) -> Plan:
        limit = limit_price(self.known_book, side, self.sizing.slippage_cap)
        if limit is None:
            return Plan(shares=Decimal(0), limit=Decimal(0), walk=Walk())
        walked = walk(self.known_book, side, shares=shares, limit=limit, fees=self.market.fees, taken=self.budget.taken)
        return Plan(shares=shares, limit=limit, walk=walked)

    @property
    def held_s(self) -> float | None:
        """Seconds since the first entry."""
        return self.at.seconds_since(self.position.opened) if self.position else None

    @property
    def since_fill_s(self) -> float | None:
        """Seconds since the last fill."""
        return self.at.seconds_since(self.position.last_fill) if self.position else None

    @property
    def mid_since_fill_pct(self) -> float | None:
        """The mid's move since the last buy, in percent."""
        if self.position is None or self.reading.quote is None or not self.position.last_mid:
            return None
        return return_pct(self.reading.quote.mid, self.position.last_mid)

    @property
    def mid_since_entry_pct(self) -> float | None:
        """The mid's move since the share-weighted mid at entry, in percent."""
        if self.position is None or self.reading.quote is None or not self.position.entry_mid:
            return None
        return return_pct(self.reading.quote.mid, self.position.entry_mid)
