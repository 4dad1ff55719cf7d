"""One tick of one token, with a knob for everything that a rule may ask about.

Every knob stands so that a flat token enters (spot +0.5 % over a flat 0.50/0.51 book) and a held one is held.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from domain.decision import Verdict
from domain.engine import Decision, Rules, step
from domain.history import History, Sample
from domain.ledger import Ledger
from domain.market import Moment, OrderBook, Reference, Snapshot, TokenId
from domain.protections import Protections, Record
from domain.sizing import Sizing
from domain.state import Memory, Seen, State
from domain.strategies.lead_lag import LeadLag
from domain.view import Limits, ScaleIn
from tests.builders import INTERVAL_S, SIZING, SPOT, YES, book, ledger, market, moment, order, position, rules

AT_S = 1000
KNOBS = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The knobs. Seconds, percent, price units and shares, as in the rules that read them."""

    token: TokenId | None = YES
    has_book: bool = True
    quote: str = "0.50/0.51"
    size: str | int = 500
    min_order_size: int = 0
    changed_s_ago: float | None = None
    book_age_s: float = 0.0
    spot: float | None = 60_300.0
    reference_age_s: float = 0.0
    wall_step_s: float = 0.0
    samples: int = 5
    history: History | None = None
    accepting: bool = True
    kill_switch: bool = False
    delay_ms: int = 0
    cash: str | int = 1000
    payout: str | None = None
    pending: bool = False

    opened: str = "0"
    peak: str = "1"
    losses: int = 0
    stopped_s_ago: float | None = None

    held: str | int | None = None
    entry_mid: float = 0.505
    held_s: float = 30.0
    adds: int = 0

    book_unchanged_s: float | None = None
    avoid_below: str | None = None
    avoid_above: str | None = None
    max_spread: str | None = None
    spot_move_min_pct: float = 0.25
    edge_min_pct: float = 0.20
    spread_cost_pct: float | None = None
    net_edge_pct: float | None = None
    min_lag_ms: float | None = None
    min_notional: str | None = None
    stop_pct: float | None = None
    orders_per_tick: int = 10
    odds_change_pct: float | None = None
    max_total: int = 50
    daily_loss: str | None = None
    drawdown_pct: float | None = None
    losses_in_a_row: int | None = None
    stop_cooldown_s: float | None = None
    market_exposure: str | None = None
    event_exposure: str | None = None
    total_exposure: str | None = None
    sizing: Sizing = field(default=SIZING)

    def with_knobs(self, *turned: KNOBS) -> "Scene":
        """The scene with these knobs turned."""
        return replace(self, **{name: value for knobs in turned for name, value in knobs.items()})

    @property
    def rules(self) -> Rules:
        """The rules as the knobs say."""
        return rules(
            thresholds=LeadLag(spot_move_min_pct=self.spot_move_min_pct, edge_min_pct=self.edge_min_pct),
            limits=Limits(
                book_unchanged_s=self.book_unchanged_s,
                avoid_price_below=_decimal(self.avoid_below),
                avoid_price_above=_decimal(self.avoid_above),
                spread=_decimal(self.max_spread),
                spread_cost_pct=self.spread_cost_pct,
                net_edge_pct=self.net_edge_pct,
                lag_ms=self.min_lag_ms,
                trade_notional_usdc=_decimal(self.min_notional),
                stop_pct=self.stop_pct,
                orders_per_tick=self.orders_per_tick,
                scale_in=ScaleIn(odds_change_pct=self.odds_change_pct, max_total_shares=Decimal(self.max_total)),
                protections=self._protections,
            ),
            sizing=self.sizing,
            latency_ms=self.delay_ms,
            estimates_lag=self.min_lag_ms is not None,
        )

    @property
    def _protections(self) -> Protections:
        return Protections(
            daily_loss_usdc=_decimal(self.daily_loss),
            drawdown_pct=self.drawdown_pct,
            losses_in_a_row=self.losses_in_a_row,
            stop_cooldown_s=self.stop_cooldown_s,
            market_exposure_usdc=_decimal(self.market_exposure),
            event_exposure_usdc=_decimal(self.event_exposure),
            total_exposure_usdc=_decimal(self.total_exposure),
        )

    @property
    def snapshot(self) -> Snapshot:
        """The inputs as the knobs say."""
        at = moment(AT_S, wall_step_s=self.wall_step_s)
        return Snapshot(
            moment=at,
            ready=at,
            markets=(market(token=self.token, accepting=self.accepting),),
            books={YES: self._book(at)} if self.has_book else {},
            references={} if self.spot is None else {SPOT: self._reference(self.spot)},
            payouts={} if self.payout is None else {YES: Decimal(self.payout)},
            kill_switch=self.kill_switch,
        )

    def _book(self, at: Moment) -> OrderBook:
        changed = None if self.changed_s_ago is None else at.at_ms - round(self.changed_s_ago * 1000)
        return book(
            self.quote,
            size=self.size,
            requested=moment(AT_S - self.book_age_s),
            min_order_size=self.min_order_size,
            changed_at_ms=changed,
        )

    def _reference(self, price: float) -> Reference:
        return Reference(price=price, requested=moment(AT_S - self.reference_age_s))

    @property
    def state(self) -> State:
        """The state as the knobs say; the tick before was one interval ago."""
        return State(
            sequence=6,
            ledger=self._ledger,
            memory=Memory(
                histories={YES: self.history or steady(self.samples)},
                references={SPOT: Seen(accepted=60_000.0)},
                moment=moment(AT_S - INTERVAL_S),
                record=Record(
                    day=moment(AT_S).day,
                    opened=Decimal(self.opened),
                    peak=Decimal(self.peak),
                    losses=self.losses,
                    stops={} if self.stopped_s_ago is None else {YES: moment(AT_S - self.stopped_s_ago)},
                ),
            ),
        )

    @property
    def _ledger(self) -> Ledger:
        opened = moment(AT_S - self.held_s)
        held = () if self.held is None else (position(shares=self.held, mid=self.entry_mid, opened=opened, adds=self.adds),)
        waiting = (order(decided=moment(AT_S - INTERVAL_S), delay_ms=60_000),) if self.pending else ()
        return ledger(cash=self.cash, positions=held, pending=waiting)

    def decision(self) -> Decision:
        """What `step` makes of it."""
        return step(self.rules, self.snapshot, self.state)

    def verdict(self) -> Verdict:
        """What `step` says about the token."""
        (verdict,) = self.decision().verdicts
        return verdict


def steady(samples: int, *, spot: float = 60_000.0, mid: float = 0.505) -> History:
    """So many ticks without a move, up to the tick before."""
    return History(tuple(Sample(round((AT_S - INTERVAL_S * n) * 1000), spot, mid) for n in range(samples, 0, -1)))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
