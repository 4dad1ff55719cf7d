"""Domain values with defaults, so that a test says only what it is about."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from domain.engine import Rules
from domain.fair import FairModel
from domain.fees import FeeSchedule
from domain.history import History, Sample
from domain.ledger import Action, Execution, Ledger, Order, OrderStatus, Position
from domain.market import (
    ConditionId,
    Hedge,
    Level,
    Market,
    Moment,
    OrderBook,
    Reference,
    ReferenceId,
    Side,
    Snapshot,
    ThreeWay,
    TokenId,
)
from domain.sizing import Sizing
from domain.state import Memory, State
from domain.strategies import Strategy
from domain.strategies.lead_lag import LeadLag, lead_lag
from domain.view import Limits, Reading

YES = TokenId("1001")
NO = TokenId("1002")
SPOT = ReferenceId("kraken_spot", "XBTUSD")
CRYPTO = FeeSchedule(rate=Decimal("0.07"))
FREE = FeeSchedule(rate=Decimal(0))
SIZING = Sizing(
    order_shares=Decimal(10),
    banded=True,
    slippage_cap=Decimal("0.01"),
    max_fraction_of_band=Decimal("0.10"),
    hard_cap_usdc=Decimal(2000),
)
"""The runbook's sizes."""

NOON_MS = 1_772_452_800_000
INTERVAL_S = 15


def moment(seconds: float, *, wall_step_s: float = 0) -> Moment:
    """So many seconds after noon on 2026-03-02; `wall_step_s`: how far the wall clock was set off."""
    return Moment(at_ms=NOON_MS + round((seconds + wall_step_s) * 1000), elapsed_ms=round(seconds * 1000))


def levels(prices: Iterable[str], size: str | int = 500) -> tuple[Level, ...]:
    """Levels of one size."""
    return tuple(Level(Decimal(price), Decimal(size)) for price in prices)


def book(
    quote: str = "0.50/0.51",
    *,
    size: str | int = 500,
    levels: int = 3,
    step: str = "0.01",
    token: TokenId = YES,
    requested: Moment | None = None,
    min_order_size: str | int = 0,
    changed_at_ms: int | None = None,
    age_s: float = 0.0,
) -> OrderBook:
    """A flat book around `bid/ask`, either of which may be left out: `levels` prices a side, `size` shares at each."""
    bid, ask = quote.split("/")
    bids = [Decimal(bid) - n * Decimal(step) for n in range(levels)] if bid else []
    asks = [Decimal(ask) + n * Decimal(step) for n in range(levels)] if ask else []
    return OrderBook(
        token=token,
        bids=tuple(Level(price, Decimal(size)) for price in bids if price > 0),
        asks=tuple(Level(price, Decimal(size)) for price in asks if price < 1),
        requested=requested or moment(0),
        min_order_size=Decimal(min_order_size),
        tick_size=Decimal(step),
        changed_at_ms=changed_at_ms,
        digest=f"book of {token}",
        age_s=age_s,
    )


def market(
    name: str = "btc",
    *,
    token: TokenId | None = YES,
    outcome: str = "Yes",
    direction: int = 1,
    fees: FeeSchedule = CRYPTO,
    complement: TokenId | None = None,
    accepting: bool = True,
    taker_delay_ms: int = 0,
    reference: ReferenceId | None = SPOT,
    slug: str = "",
    event: str = "",
    match_draw: bool | None = None,
    three_way: ThreeWay | None = None,
    fair: FairModel | None = None,
    hedge: Hedge | None = None,
) -> Market:
    """A crypto market whose Yes gains with bitcoin."""
    return Market(
        name=name,
        ref=name,
        token=token,
        outcome=outcome,
        direction=direction,
        reference=reference,
        fees=fees,
        condition=ConditionId(f"0x{name}"),
        complement=complement,
        accepting=accepting,
        taker_delay_ms=taker_delay_ms,
        slug=slug,
        event=event,
        match_draw=match_draw,
        three_way=three_way,
        fair=fair,
        hedge=hedge,
    )


def rules(
    *,
    thresholds: LeadLag | None = None,
    strategy: Strategy | None = None,
    limits: Limits | None = None,
    sizing: Sizing = SIZING,
    latency_ms: int = 0,
    estimates_lag: bool = False,
) -> Rules:
    """The runbook's minimum configuration: lead_lag, unless another strategy is given."""
    return Rules(
        strategy=strategy or lead_lag(thresholds or LeadLag(), estimates_lag=estimates_lag),
        limits=limits or Limits(),
        sizing=sizing,
        latency_ms=latency_ms,
    )


def reading(
    samples: Iterable[tuple[float, float]],
    *,
    of: Market | None = None,
    legs: tuple[float | None, ...] = (),
) -> Reading:
    """A token's reading whose history is these pairs (reference, mid), fifteen seconds apart."""
    pairs = list(samples)
    return Reading(
        market=of or market(),
        book=None,
        quote=None,
        reference=None,
        jump_pct=0.0,
        history=History(tuple(Sample(15_000 * n, price, mid) for n, (price, mid) in enumerate(pairs))),
        signal=None,
        legs=legs,
    )


def snapshot(
    at: Moment,
    *,
    markets: tuple[Market, ...] | None = None,
    books: Iterable[OrderBook] = (),
    spot: float | None = 60_000.0,
    payouts: Mapping[TokenId, Decimal] | None = None,
    kill_switch: bool = False,
    ready: Moment | None = None,
) -> Snapshot:
    """One tick's inputs; books and reference keep the request times that they say."""
    return Snapshot(
        moment=at,
        ready=ready or at,
        markets=(market(),) if markets is None else markets,
        books={book.token: book for book in books},
        references={} if spot is None else {SPOT: Reference(price=spot, requested=at)},
        payouts=payouts or {},
        kill_switch=kill_switch,
    )


def position(
    *,
    of: Market | None = None,
    token: TokenId = YES,
    shares: str | int = 10,
    cost: str = "5.10",
    mid: float = 0.505,
    opened: Moment | None = None,
    adds: int = 0,
) -> Position:
    """Ten shares bought at 0.51."""
    return Position(
        market=of or market(token=token),
        token=token,
        shares=Decimal(shares),
        cost=Decimal(cost),
        entry_mid=mid,
        last_mid=mid,
        opened=opened or moment(0),
        last_fill=opened or moment(0),
        adds=adds,
    )


def ledger(*, cash: str | int = 1000, positions: Iterable[Position] = (), pending: tuple[Order, ...] = ()) -> Ledger:
    """Books of account in which the law holds: the opening cash is what cash and positions come to."""
    held = {held.token: held for held in positions}
    opening = Decimal(cash) + sum((held.cost for held in held.values()), Decimal(0))
    return Ledger(opening_cash=opening, cash=Decimal(cash), positions=held, pending=pending)


def state(books: Ledger | None = None, *, sequence: int = 0, memory: Memory | None = None) -> State:
    """A state with a thousand dollars."""
    return State(sequence=sequence, ledger=books or Ledger.opened_with(Decimal(1000)), memory=memory or Memory())


def order(
    side: Side = Side.BUY,
    *,
    of: Market | None = None,
    token: TokenId = YES,
    shares: str | int = 10,
    limit: str = "0.52",
    decided: Moment | None = None,
    delay_ms: int = 0,
    id: str = "1-0",  # noqa: A002 - the field's own name
) -> Order:
    """An order for ten shares."""
    action = Action.ENTER if side is Side.BUY else Action.EXIT
    return Order(
        id=id,
        market=of or market(token=token),
        token=token,
        side=side,
        action=action,
        reason=str(action),
        shares=Decimal(shares),
        limit=Decimal(limit),
        decided=decided or moment(0),
        delay_ms=delay_ms,
    )


def rejected(asked: Order) -> Execution:
    """An order that met nothing."""
    return Execution(order=asked, status=OrderStatus.REJECTED, note="met nothing")


def seen(
    seconds: float,
    quote: str | None = "0.50/0.51",
    spot: float | None = 60_000.0,
    *,
    size: str | int = 500,
    step: str = "0.01",
    of: Market | None = None,
    payouts: Mapping[TokenId, Decimal] | None = None,
    kill_switch: bool = False,
    wall_step_s: float = 0,
    listed: bool = True,
) -> Snapshot:
    """One tick of one market: its fresh book around `bid/ask` (None: no book) and the reference."""
    at = moment(seconds, wall_step_s=wall_step_s)
    followed = of or market()
    token = followed.token or YES
    return snapshot(
        at,
        markets=(followed,) if listed else (),
        books=[] if quote is None else [book(quote, size=size, step=step, token=token, requested=at)],
        spot=spot,
        payouts=payouts,
        kill_switch=kill_switch,
    )


def warming_up(*, of: Market | None = None, quote: str = "0.50/0.51", step: str = "0.01") -> list[Snapshot]:
    """The five ticks before the first signal, without a move: 0, 15, 30, 45 and 60 s."""
    return [seen(INTERVAL_S * n, quote, of=of, step=step) for n in range(5)]
