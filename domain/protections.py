"""The protections: what stops all buying, or some of it, before a loss or an exposure grows. Absent unless they are set.

They never hold an exit back, and an order that would exceed a limit is refused, not cut. All of them count what is in the
ledger: the equity is that after the tick before (positions at the bid, as the portal shows it), and what a tick sells or loses
itself counts from the next one on, because a limit must not rely on a sale that may not fill. What it buys counts at once.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal

from domain.edge import PCT_DECIMALS
from domain.ledger import Ledger
from domain.market import Moment, TokenId
from domain.value import value

STOPS_KEPT_S = 604_800.0
"""Seconds after which a stop is forgotten: the longest cooldown that can be asked for."""


@value
class Protections:
    """The limits; None: the gate is absent. Units as in the names; a limit of losses closes its gate when it is reached.

    Exposure is what open positions cost, what waiting buys can cost at most and what this tick has bought, the order in
    question included and fees left out. What was bought counts for the market and the event that were known of it then.
    """

    daily_loss_usdc: Decimal | None = None
    drawdown_pct: float | None = None
    losses_in_a_row: int | None = None
    stop_cooldown_s: float | None = None
    market_exposure_usdc: Decimal | None = None
    event_exposure_usdc: Decimal | None = None
    total_exposure_usdc: Decimal | None = None

    @property
    def watch_equity(self) -> bool:
        """Whether a limit looks at what the account was worth after every tick."""
        return self.daily_loss_usdc is not None or self.drawdown_pct is not None

    @property
    def remember(self) -> bool:
        """Whether a limit looks back further than at the ledger."""
        return self.watch_equity or self.losses_in_a_row is not None or self.stop_cooldown_s is not None

    @property
    def limit_exposure(self) -> bool:
        """Whether what is bought is limited as a whole."""
        limits = self.market_exposure_usdc, self.event_exposure_usdc, self.total_exposure_usdc
        return any(limit is not None for limit in limits)


@value
class Record:
    """What the protections remember: committed with every tick, so that no restart lets the agent off.

    `day` counts UTC days since the epoch, None before the first tick. `opened` is the equity with which the first tick of that
    day began, `peak` the highest one since the ledger opened, USDC. `losses` are the positions in a row that this day closed at
    a loss. `results` is what was realised so far of each open position, fees included; `stops` is when a stop last sold a
    token.
    """

    day: int | None = None
    opened: Decimal
    peak: Decimal
    losses: int = 0
    results: Mapping[TokenId, Decimal] = field(default_factory=dict)
    stops: Mapping[TokenId, Moment] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, *, peak: Decimal | None = None) -> "Record":
        """What is known of a ledger that nobody kept a record of; `peak` is the highest equity that is known of it."""
        highest = max(ledger.opening_cash, ledger.equity)
        return cls(opened=ledger.equity, peak=highest if peak is None else max(highest, peak))

    def begun(self, day: int | None, equity: Decimal) -> "Record":
        """The record as a tick of this day begins with this equity; None: the clock jumped, so that no day can be told.

        A later day begins anew. An earlier one, to which a clock was set back, takes over what was counted: no day is long
        enough to block trades for ever, and none is begun twice by turning a clock.
        """
        if day is None:
            day = self.day
        if day == self.day and equity <= self.peak:
            return self
        new = day is not None and (self.day is None or day > self.day)
        return Record(
            day=day,
            opened=equity if new else self.opened,
            peak=max(self.peak, equity),
            losses=0 if new else self.losses,
            results=self.results,
            stops=self.stops,
        )

    def booked(self, token: TokenId, realised: Decimal, *, flat: bool) -> "Record":
        """The record after a trade in a token. The one that closes its position decides whether it was a loss or a gain.

        A position that came out even is neither.
        """
        result = self.results.get(token, Decimal(0)) + realised
        results = {other: known for other, known in self.results.items() if other != token}
        if not flat:
            return replace(self, results={**results, token: result})
        losses = self.losses + 1 if result < 0 else 0 if result > 0 else self.losses
        return replace(self, results=results, losses=losses)

    def stopped(self, token: TokenId, now: Moment) -> "Record":
        """The record after a stop sold shares of a token. Stops that no cooldown asks for any more are forgotten."""
        lately = {other: at for other, at in self.stops.items() if now.seconds_since(at) <= STOPS_KEPT_S}
        return replace(self, stops={**lately, token: now})

    def daily_loss(self, equity: Decimal) -> Decimal:
        """USDC by which the equity lies below that of the day's first tick; negative for a gain."""
        return self.opened - equity

    def drawdown_pct(self, equity: Decimal) -> float:
        """Percent by which the equity lies below its peak."""
        return round(float((self.peak - equity) * 100 / self.peak), PCT_DECIMALS) if self.peak else 0.0
