"""Random tapes on which everything happens: books that vanish, cross, haunt and age; spikes, gaps, clock steps, payouts.

And random rules, of every strategy, with every gate that the environment knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

from adapters.tape.columns import Columns
from domain.engine import Rules
from domain.fair import Constant, LinearRange
from domain.fees import FeeSchedule
from domain.market import Leg, Market, Moment, OrderBook, Reference, ReferenceId, Snapshot, ThreeWay, TokenId
from entrypoints.rules import rules_of
from entrypoints.settings import read_settings
from tests.builders import NO, NOON_MS, SPOT, YES, book, market
from tests.columns import columns_of

ETH, HOME, DRAW, AWAY = (TokenId(name) for name in ("2001", "3001", "3002", "3003"))
FUTURE = ReferenceId("kraken_futures", "PF_XBTUSD")
MATCH = ThreeWay(
    event="aug-koe", home=Leg("aug", "Augsburg", HOME), draw=Leg("draw", "Draw", DRAW), away=Leg("koe", "Köln", AWAY)
)
MARKETS: Mapping[str, tuple[Market, ...]] = {
    "lead_lag": (
        market(complement=NO, event="crypto"),
        market(token=NO, outcome="No", direction=-1, complement=YES),
        market("eth", token=ETH, event="crypto"),
    ),
    "pm_trend": (market(complement=NO), market(token=NO, outcome="No", complement=YES), market("eth", token=ETH)),
    "pm_draw": (
        market("aug-koe", token=DRAW, reference=None, match_draw=True, three_way=MATCH, slug="draw", event="aug-koe"),
        market("half", token=ETH, reference=None, match_draw=False),
        market("other", token=YES, reference=None),
    ),
    "fair_model": (
        market(complement=NO, reference=FUTURE, fair=LinearRange(zero_at=59_000, one_at=61_000)),
        market(token=NO, outcome="No", complement=YES, reference=FUTURE, fair=LinearRange(zero_at=61_000, one_at=59_000)),
        market("half", token=ETH, fair=Constant(p=0.5), fees=FeeSchedule(rate=Decimal("0.25"), exponent=Decimal(2))),
        market("bare", token=HOME),
    ),
}
TOKENS = (YES, NO, ETH, HOME, DRAW, AWAY)
BEFORE_MIDNIGHT_MS = NOON_MS + 42_000_000
"""20 minutes before a UTC day ends, which half of the tapes see."""


class RandomTape:
    """A tape of one seed."""

    def __init__(self, seed: int, mode: str, ticks: int = 150, *, calm: float = 0.9) -> None:
        """With so many ticks; `calm` is how likely a tick is without an oddity of its kind."""
        self.dice = Random(seed)
        self.mode, self.ticks, self.calm = mode, ticks, calm
        self.bids = {token: self.dice.randint(20, 70) for token in TOKENS}
        self.markets = list(MARKETS[mode])
        self.spot = 60_000.0
        self.at = Moment(at_ms=BEFORE_MIDNIGHT_MS if seed % 2 else NOON_MS, elapsed_ms=self.dice.choice((0, 5_000_000)))
        self.over: set[TokenId] = set()
        self.gaps: set[int] = set()

    def snapshots(self) -> list[Snapshot]:
        """Roll the dice for every tick."""
        return [self._tick(number) for number in range(self.ticks)]

    def columns(self) -> Columns:
        """The ticks as a tape."""
        return columns_of(self.snapshots(), gaps=self.gaps)

    def _oddly(self, part: float = 1.0) -> bool:
        return self.dice.random() > 1 - (1 - self.calm) * part

    def _tick(self, number: int) -> Snapshot:
        self._pass_time(number)
        ready = self._later(self.at, self.dice.choice((0, 120, 900)))
        books = {token: self._book(token) for token in TOKENS}
        payouts = self._payouts() if number > self.ticks // 2 and self._oddly(0.2) else {}
        if self._oddly(0.3):
            at = self.dice.randrange(len(self.markets))
            self.markets[at] = replace(self.markets[at], accepting=not self.markets[at].accepting)
        left = self.dice.choice(self.markets) if self._oddly(0.5) else None
        snapshot = Snapshot(
            moment=self.at,
            ready=ready,
            markets=tuple(each for each in self.markets if each is not left),
            books={token: found for token, found in books.items() if found is not None},
            references=self._references(),
            payouts=payouts,
            kill_switch=self._oddly(0.5),
        )
        self.over |= payouts.keys()
        return snapshot

    def _pass_time(self, number: int) -> None:
        pause_ms = 15_000
        if number and self._oddly(0.3):
            self.gaps.add(number)
            pause_ms = self.dice.choice((15_000, 400_000))
        elif self._oddly(0.3):
            pause_ms = self.dice.choice((31_000, 60_001, 120_000))
        step_ms = self.dice.choice((0, 40_000, -3_600_000)) if self._oddly(0.3) else 0
        self.at = Moment(at_ms=self.at.at_ms + pause_ms + step_ms, elapsed_ms=self.at.elapsed_ms + pause_ms)

    def _later(self, moment: Moment, passed_ms: int) -> Moment:
        return Moment(at_ms=moment.at_ms + passed_ms, elapsed_ms=moment.elapsed_ms + passed_ms)

    def _payouts(self) -> dict[TokenId, Decimal]:
        left = [token for token in (YES, ETH, DRAW) if token not in self.over]
        return {token: self.dice.choice((Decimal(0), Decimal("0.5"), Decimal(1))) for token in left[:1]}

    def _references(self) -> dict[ReferenceId, Reference]:
        self.spot *= 1 + self.dice.choice((0.0, 0.0, 0.0025, 0.004, -0.004, -0.0025, 0.01, -0.01))
        if self._oddly(0.5):
            return {}
        spike = self.dice.choice((1.15, 1.16, 0.8)) if self._oddly() else 1.0
        age_s = 60.5 if self._oddly() else 0.0
        if self._oddly(0.1):
            self.spot *= spike
        seen = Reference(price=round(self.spot * spike, 1), requested=self._later(self.at, -10), age_s=age_s)
        return {SPOT: seen, FUTURE: seen} if self.dice.random() < 0.97 else {FUTURE: seen}

    def _book(self, token: TokenId) -> OrderBook | None:
        self.bids[token] = bid = min(max(self.bids[token] + self.dice.choice((0, 0, 0, 1, -1, 2, -2)), 3), 95)
        if self._oddly(0.5):
            return None
        kinds = (f"0.{bid:02}/", f"/0.{bid:02}", f"0.{bid:02}/0.{max(bid - 1, 1):02}", f"0.{bid:02}/0.{bid:02}", "0.01/0.99")
        usual = f"0.{bid:02}/0.{bid + self.dice.choice((1, 1, 1, 2, 4)):02}"
        return book(
            self.dice.choice(kinds) if self._oddly() else usual,
            size=self.dice.choice((500, 40, 3)),
            token=token,
            requested=self._later(self.at, self.dice.choice((0, -300))),
            min_order_size=self.dice.choice((0, 0, 5)),
            changed_at_ms=self.dice.choice((None, self.at.at_ms - self.dice.choice((0, 100_000)))),
            age_s=60.2 if self._oddly(0.5) else 0.0,
        )


GATES: Mapping[str, Callable[[Random], object]] = {
    "LEAD_LAG_MAX_BOOK_AGE_SECS": lambda dice: 50,
    "LEAD_LAG_AVOID_PRICE_BELOW": lambda dice: "0.25",
    "LEAD_LAG_AVOID_PRICE_ABOVE": lambda dice: "0.60",
    "LEAD_LAG_MAX_SPREAD": lambda dice: dice.choice(("0.01", "0.02")),
    "LEAD_LAG_SPREAD_COST_CAP_PCT": lambda dice: dice.choice((1, 2.5)),
    "LEAD_LAG_NET_EDGE_MIN_PCT": lambda dice: dice.choice((-4, 0.1)),
    "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC": lambda dice: 2,
    "LEAD_LAG_PM_STOP_PCT": lambda dice: dice.choice((1, 3)),
    "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT": lambda dice: dice.choice((0.2, 2)),
    "LEAD_LAG_SCALE_COOLDOWN_S": lambda dice: dice.choice((0, 31)),
    "PAPER_LATENCY_MS": lambda dice: dice.choice((100, 20_000)),
    "LEAD_LAG_ENABLE_ORDERBOOK_SIZING": lambda dice: 0,
    "PM_MAX_ORDERS_PER_TICK": lambda dice: 1,
    "PAPER_START_BALANCE_USD": lambda dice: dice.choice((12, 100_000)),
    "LEAD_LAG_SPOT_NOISE_MULT": lambda dice: 0.5,
    "LEAD_LAG_SPOT_NOISE_WINDOW_POINTS": lambda dice: 5,
    "PM_DRAW_REQUIRE_3WAY": lambda dice: 1,
    "PM_DRAW_FAV_MIN": lambda dice: "0.35",
    "PM_DRAW_FAV_MAX": lambda dice: "0.65",
    "PM_DRAW_MAX_HOLD_SECS": lambda dice: 200,
    "FAIR_MODEL_MAX_HOLD_SECS": lambda dice: 90,
    "FRESHNESS_MAX_AGE_SECS": lambda dice: 30,
    "LEAD_LAG_MIN_MARKET_LAG_MS": lambda dice: 2000,
}
PROTECTIONS: Mapping[str, Callable[[Random], object]] = {
    "PM_MAX_DAILY_LOSS_USDC": lambda dice: dice.choice(("0.50", "3")),
    "PM_MAX_DRAWDOWN_PCT": lambda dice: dice.choice((0.05, 1, 20)),
    "PM_MAX_LOSSES_IN_A_ROW": lambda dice: dice.choice((1, 2)),
    "PM_STOP_COOLDOWN_S": lambda dice: dice.choice((60, 600)),
    "PM_MAX_EXPOSURE_MARKET_USDC": lambda dice: dice.choice((4, 10)),
    "PM_MAX_EXPOSURE_EVENT_USDC": lambda dice: dice.choice((4, 10)),
    "PM_MAX_EXPOSURE_USDC": lambda dice: dice.choice((4, 10, 14)),
}
EAGER: Mapping[str, object] = {
    "LEAD_LAG_LOOKBACK_POINTS": 3,
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": 0.1,
    "LEAD_LAG_EDGE_MIN_PCT": 0.1,
    "LEAD_LAG_EDGE_EXIT_PCT": -2,
    "LEAD_LAG_MAX_HOLD_SECS": 90,
    "PM_TREND_LOOKBACK_POINTS": 2,
    "PM_DRAW_BASELINE_P": 0.45,
    "PM_DRAW_MAX_PRICE": "0.55",
    "EDGE_THRESHOLD": 0.01,
    "PM_ORDER_SIZE_SHARES": 10,
}
"""So that a short tape holds many trades."""


def random_environment(seed: int, mode: str, *, protected: bool = True) -> dict[str, str]:
    """Settings of one seed: a few gates of all that there are, and a few protections unless they are not wanted."""
    dice = Random(seed)
    chosen = {name: draw(dice) for name, draw in GATES.items() if dice.random() < 0.15}
    lookback = {"LEAD_LAG_LOOKBACK_POINTS": dice.choice((2, 3, 6)), "PM_TREND_AUTO_SIDE": dice.choice((0, 1))}
    shield = Random(~seed)
    protections = {name: draw(shield) for name, draw in PROTECTIONS.items() if protected and shield.random() < 0.15}
    values = {**EAGER, **lookback, **chosen, **protections, "STRATEGY_MODE": mode}
    return {name: str(value) for name, value in values.items()}


def random_rules(seed: int, mode: str) -> Rules:
    """The rules of these settings."""
    return rules_of(read_settings(random_environment(seed, mode)))
