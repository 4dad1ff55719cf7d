"""pm_trend, pm_draw and fair_model: every reason of their rows through `step`, and their arithmetic by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from domain.decision import Number, Reason, Verdict
from domain.edge import return_pct
from domain.engine import Decision, step
from domain.fair import Constant, FairModel, LinearRange
from domain.history import History, Sample
from domain.ledger import Action
from domain.market import Leg, Market, Moment, OrderBook, Reference, ReferenceId, Side, Snapshot, ThreeWay, TokenId
from domain.state import Memory, State
from domain.strategies import Strategy
from domain.strategies.fair_model import FairModelThresholds, fair_model
from domain.strategies.pm_draw import PmDraw, pm_draw
from domain.strategies.pm_trend import PmTrend, pm_trend
from domain.view import Limits
from tests.builders import FREE, INTERVAL_S, NO, YES, book, ledger, market, moment, order, position, reading, rules
from tests.fakes import Play

HOME, AWAY = TokenId("2001"), TokenId("2003")
MATCH = ThreeWay(
    event="bun-aug-koe-2026-02-27",
    home=Leg("bun-aug-koe-2026-02-27-aug", "FC Augsburg", HOME),
    draw=Leg("bun-aug-koe-2026-02-27-draw", "Draw", YES),
    away=Leg("bun-aug-koe-2026-02-27-koe", "1. FC Köln", AWAY),
)
FUTURE = ReferenceId("kraken_futures", "PF_XBTUSD", "markPrice")
AT_S = 1000
TREND, DRAW, FAIR = pm_trend(PmTrend()), pm_draw(PmDraw()), fair_model(FairModelThresholds())


def two_sides(**said: Any) -> tuple[Market, Market]:
    """Both outcomes of one market without fees."""
    said = {"fees": FREE, "reference": None, **said}
    yes = market(complement=NO, **said)
    return yes, replace(yes, token=NO, outcome="No", direction=-1, complement=YES)


def a_draw(**said: Any) -> Market:
    """The draw of the match, without fees."""
    about = {"match_draw": True, "three_way": MATCH, "slug": MATCH.draw.slug, "event": MATCH.event}
    return market("draw", fees=FREE, reference=None, **{**about, **said})


def valued(fair: FairModel | None, reference: ReferenceId | None = FUTURE) -> Market:
    """A token that a model values."""
    return market(fees=FREE, reference=reference, fair=fair)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One tick of the first of `markets`. `past` are its mids before, and `other_past` those of the other outcome."""

    strategy: Strategy
    markets: tuple[Market, ...]
    quotes: Mapping[TokenId, str]
    past: tuple[float, ...] = ()
    other_past: tuple[float, ...] = ()
    future: float | None = None
    held: TokenId | None = None
    held_s: float = 30.0
    buying: TokenId | None = None
    book_age_s: float = 0.0
    leg_age_s: float = 0.0
    reference_age_s: float = 0.0

    @property
    def at(self) -> Moment:
        """The tick's time."""
        return moment(AT_S)

    def decision(self) -> Decision:
        """What `step` makes of it."""
        return step(rules(strategy=self.strategy, limits=Limits()), self._snapshot(), self._state())

    def verdict(self) -> Verdict:
        """What it says about the first market."""
        return self.decision().verdicts[0]

    def _snapshot(self) -> Snapshot:
        references = {} if self.future is None else {FUTURE: self._reference(self.future)}
        books = {token: self._book(token, quote) for token, quote in self.quotes.items()}
        return Snapshot(moment=self.at, ready=self.at, markets=self.markets, books=books, references=references, payouts={})

    def _reference(self, price: float) -> Reference:
        return Reference(price=price, requested=moment(AT_S - self.reference_age_s))

    def _book(self, token: TokenId, quote: str) -> OrderBook:
        age_s = self.leg_age_s if token in (HOME, AWAY) else self.book_age_s
        return book(quote, token=token, step="0.001", requested=moment(AT_S - age_s))

    def _state(self) -> State:
        held = [
            position(of=m, token=m.token or YES, opened=moment(AT_S - self.held_s))
            for m in self.markets
            if m.token == self.held
        ]
        pending = (order(token=self.buying, decided=moment(AT_S - INTERVAL_S), delay_ms=60_000),) if self.buying else ()
        histories = {YES: _past(self.past), NO: _past(self.other_past)}
        memory = Memory(histories=histories, moment=moment(AT_S - INTERVAL_S))
        return State(sequence=9, ledger=ledger(positions=held, pending=pending), memory=memory)


def _past(mids: tuple[float, ...]) -> History:
    first_s = AT_S - INTERVAL_S * len(mids)
    return History(tuple(Sample(round((first_s + INTERVAL_S * n) * 1000), 0.0, mid) for n, mid in enumerate(mids)))


FLAT = (0.505,) * 6
RISING = Case(
    strategy=TREND,
    markets=two_sides(),
    quotes={YES: "0.51/0.52", NO: "0.48/0.49"},
    past=FLAT,
    other_past=(0.495,) * 6,
)
"""The token rose by 0.99 % over six samples, the other outcome fell."""

CHEAP = Case(strategy=DRAW, markets=(a_draw(),), quotes={YES: "0.25/0.26", HOME: "0.44/0.45", AWAY: "0.29/0.30"})
"""A draw at 0.255 against a baseline of 0.28: two and a half points."""

LINE = LinearRange(zero_at=50_000, one_at=70_000)
VALUED = Case(strategy=FAIR, markets=(valued(LINE),), quotes={YES: "0.50/0.51"}, future=60_600.0)
"""Fair 0.53 against a mid of 0.505."""


def strict(**said: Any) -> Strategy:
    """pm_draw that wants all three books."""
    return pm_draw(PmDraw(require_3way=True, **said))


@dataclass(frozen=True, kw_only=True)
class Says:
    """A case and what it must come to."""

    case: Case
    action: Action
    reason: Reason
    measured: Number | None = None
    limit: Number | None = None
    setting: str = ""
    said: str = field(default="")

    def __str__(self) -> str:
        """For the test's name."""
        return f"{self.case.strategy.name} {self.reason} {self.said}".strip()


RISE = return_pct(0.515, 0.505)

SAID = (
    Says(case=RISING, action=Action.ENTER, reason=Reason.ENTER),
    Says(
        case=replace(RISING, past=FLAT[1:]),
        action=Action.SKIP,
        reason=Reason.WARMUP,
        measured=6,
        limit=7,
        setting="PM_TREND_LOOKBACK_POINTS",
    ),
    Says(
        case=replace(RISING, past=(0.5146, *FLAT[1:])),
        action=Action.SKIP,
        reason=Reason.TREND_MOVE_TOO_SMALL,
        measured=return_pct(0.515, 0.5146),
        limit=0.10,
        setting="PM_TREND_MOVE_MIN_PCT",
    ),
    Says(
        case=replace(RISING, other_past=(0.40,) * 6),
        action=Action.SKIP,
        reason=Reason.NOT_BEST_SIDE,
        measured=RISE,
        limit=return_pct(0.485, 0.40),
        setting="PM_TREND_AUTO_SIDE",
    ),
    Says(
        case=replace(RISING, quotes={YES: "0.51/0.52"}),
        action=Action.SKIP,
        reason=Reason.NOT_BEST_SIDE,
        measured=RISE,
        limit=float("inf"),
        setting="PM_TREND_AUTO_SIDE",
        said="while the other side's book is missing",
    ),
    Says(
        case=replace(RISING, markets=(market(fees=FREE, reference=None),)),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="of a market whose other outcome is not known",
    ),
    Says(
        case=replace(RISING, held=NO),
        action=Action.SKIP,
        reason=Reason.OTHER_SIDE_OPEN,
        measured=1,
        limit=0,
        setting="PM_TREND_AUTO_SIDE",
    ),
    Says(
        case=replace(RISING, buying=NO),
        action=Action.SKIP,
        reason=Reason.OTHER_SIDE_OPEN,
        measured=1,
        limit=0,
        setting="PM_TREND_AUTO_SIDE",
        said="while its order waits",
    ),
    Says(
        case=replace(RISING, held=NO, strategy=pm_trend(PmTrend(auto_side=False))),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="without auto side",
    ),
    Says(case=replace(RISING, held=YES), action=Action.HOLD, reason=Reason.HOLD),
    Says(
        case=replace(RISING, held=YES, past=(0.515,) * 6),
        action=Action.EXIT,
        reason=Reason.TREND_GONE,
        measured=0.0,
        limit=0.0,
        setting="PM_TREND_EXIT_MOVE_MIN_PCT",
    ),
    Says(
        case=replace(RISING, held=YES, held_s=180.0),
        action=Action.EXIT,
        reason=Reason.MAX_HOLD,
        measured=180.0,
        limit=180.0,
        setting="LEAD_LAG_MAX_HOLD_SECS",
    ),
    Says(case=CHEAP, action=Action.ENTER, reason=Reason.ENTER),
    Says(case=replace(CHEAP, strategy=strict()), action=Action.ENTER, reason=Reason.ENTER, said="of a whole set"),
    Says(
        case=replace(CHEAP, markets=(a_draw(match_draw=False),)),
        action=Action.SKIP,
        reason=Reason.NOT_3WAY,
        measured=0,
        limit=1,
        said="for the draw of a half",
    ),
    Says(
        case=replace(CHEAP, markets=(a_draw(match_draw=None, three_way=None),)),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="of a token that nobody described",
    ),
    Says(
        case=replace(CHEAP, strategy=strict(), markets=(a_draw(three_way=None),)),
        action=Action.SKIP,
        reason=Reason.NOT_3WAY,
        measured=0,
        limit=3,
        setting="PM_DRAW_REQUIRE_3WAY",
    ),
    *(
        Says(
            case=replace(CHEAP, strategy=strict(), **turned),
            action=Action.SKIP,
            reason=Reason.NOT_3WAY,
            measured=seen,
            limit=3,
            setting="PM_DRAW_REQUIRE_3WAY",
            said=said,
        )
        for said, seen, turned in (
            ("without one team's book", 2, {"quotes": {YES: "0.25/0.26", HOME: "0.44/0.45"}}),
            ("with a ghost", 2, {"quotes": {YES: "0.25/0.26", HOME: "0.01/0.99", AWAY: "0.29/0.30"}}),
            ("with a crossed book", 2, {"quotes": {YES: "0.25/0.26", HOME: "0.46/0.45", AWAY: "0.29/0.30"}}),
            ("with one-sided teams", 1, {"quotes": {YES: "0.25/0.26", HOME: "0.44/", AWAY: "/0.30"}}),
            ("with stale teams", 1, {"leg_age_s": 61.0}),
        )
    ),
    Says(
        case=replace(CHEAP, strategy=pm_draw(PmDraw(max_price=Decimal("0.255")))),
        action=Action.SKIP,
        reason=Reason.DRAW_TOO_EXPENSIVE,
        measured=Decimal("0.26"),
        limit=Decimal("0.255"),
        setting="PM_DRAW_MAX_PRICE",
    ),
    Says(
        case=replace(CHEAP, strategy=pm_draw(PmDraw(favourite_min=Decimal("0.45")))),
        action=Action.SKIP,
        reason=Reason.FAVOURITE_OUT_OF_RANGE,
        measured=0.445,
        limit=0.45,
        setting="PM_DRAW_FAV_MIN",
    ),
    Says(
        case=replace(CHEAP, strategy=pm_draw(PmDraw(favourite_max=Decimal("0.44")))),
        action=Action.SKIP,
        reason=Reason.FAVOURITE_OUT_OF_RANGE,
        measured=0.445,
        limit=0.44,
        setting="PM_DRAW_FAV_MAX",
    ),
    *(
        Says(
            case=replace(
                CHEAP,
                quotes={YES: "0.25/0.26", HOME: f"{mid - Decimal('0.005')}/{mid + Decimal('0.005')}", AWAY: "0.10/0.11"},
                strategy=pm_draw(PmDraw(favourite_min=mid, favourite_max=mid)),
            ),
            action=Action.ENTER,
            reason=Reason.ENTER,
            said=f"with a favourite of exactly {mid}",
        )
        for mid in (Decimal("0.55"), Decimal("0.6"), Decimal("0.7"))
    ),
    Says(
        case=replace(CHEAP, quotes={YES: "0.25/0.26"}, strategy=pm_draw(PmDraw(favourite_max=Decimal("0.90")))),
        action=Action.SKIP,
        reason=Reason.NOT_3WAY,
        measured=1,
        limit=3,
        setting="PM_DRAW_FAV_MAX",
        said="when a favourite is asked for that nobody sees",
    ),
    Says(
        case=replace(CHEAP, quotes={YES: "0.26/0.261"}),
        action=Action.SKIP,
        reason=Reason.DRAW_EDGE_TOO_SMALL,
        measured=1.95,
        limit=2.0,
        setting="PM_DRAW_EDGE_MIN_PCT",
    ),
    Says(
        case=replace(CHEAP, held=YES, quotes={YES: "0.27/0.28"}),
        action=Action.EXIT,
        reason=Reason.VALUE_GONE,
        measured=0.5,
        limit=0.5,
        setting="PM_DRAW_EDGE_EXIT_PCT",
    ),
    Says(
        case=replace(CHEAP, held=YES, strategy=pm_draw(PmDraw(max_hold_s=30.0))),
        action=Action.EXIT,
        reason=Reason.MAX_HOLD,
        measured=30.0,
        limit=30.0,
        setting="PM_DRAW_MAX_HOLD_SECS",
    ),
    Says(case=replace(CHEAP, held=YES, held_s=86_400.0), action=Action.HOLD, reason=Reason.HOLD, said="without a limit"),
    Says(case=VALUED, action=Action.ENTER, reason=Reason.ENTER),
    Says(
        case=replace(VALUED, future=60_480.0),
        action=Action.SKIP,
        reason=Reason.BELOW_THRESHOLD,
        measured=0.019,
        limit=0.02,
        setting="EDGE_THRESHOLD",
    ),
    Says(
        case=replace(VALUED, future=60_500.0),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="at exactly the threshold",
    ),
    Says(case=replace(VALUED, future=None), action=Action.SKIP, reason=Reason.MISSING_REFERENCE, measured=0, limit=1),
    Says(
        case=replace(VALUED, reference_age_s=61.0),
        action=Action.SKIP,
        reason=Reason.STALE_INPUT,
        measured=61.0,
        limit=60.0,
        setting="FRESHNESS_MAX_AGE_SECS",
    ),
    Says(
        case=replace(VALUED, markets=(valued(Constant(p=0.6)),), future=None),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="of a constant, without a reference",
    ),
    Says(
        case=replace(VALUED, markets=(valued(Constant(p=0.6)),), reference_age_s=600.0),
        action=Action.ENTER,
        reason=Reason.ENTER,
        said="of a constant, beside a stale reference",
    ),
    Says(
        case=replace(VALUED, markets=(valued(None),)),
        action=Action.SKIP,
        reason=Reason.MISSING_FAIR_MODEL,
        measured=0,
        limit=1,
        setting="MARKET_MAP_PATH",
    ),
    Says(
        case=replace(VALUED, held=YES, future=60_100.0),
        action=Action.EXIT,
        reason=Reason.VALUE_GONE,
        measured=0.0,
        limit=0.0,
    ),
    Says(
        case=replace(VALUED, held=YES, strategy=fair_model(FairModelThresholds(max_hold_s=30.0))),
        action=Action.EXIT,
        reason=Reason.MAX_HOLD,
        measured=30.0,
        limit=30.0,
        setting="FAIR_MODEL_MAX_HOLD_SECS",
    ),
)


@pytest.mark.parametrize("says", SAID, ids=str)
def test_a_strategy_names_its_reason_with_its_numbers(says: Says) -> None:
    """What was measured, its limit, and the variable that sets it."""
    verdict = says.case.verdict()
    assert (verdict.action, verdict.cause.reason, verdict.cause.setting) == (says.action, says.reason, says.setting)
    assert (verdict.cause.measured, verdict.cause.limit) == (says.measured, says.limit)


def test_only_the_outcome_that_rises_more_enters_when_both_rise() -> None:
    """And never both in one tick, whichever stands first in the map."""
    both = replace(RISING, quotes={YES: "0.51/0.52", NO: "0.50/0.51"})
    first, second = both.decision().verdicts
    assert (first.cause.reason, second.cause.reason) == (Reason.ENTER, Reason.NOT_BEST_SIDE) or (
        first.cause.reason,
        second.cause.reason,
    ) == (Reason.NOT_BEST_SIDE, Reason.ENTER)
    other_way = replace(both, markets=tuple(reversed(both.markets))).decision()
    assert [order.token for order in other_way.orders] == [order.token for order in both.decision().orders]


def test_a_trend_is_measured_against_the_sample_so_many_points_earlier() -> None:
    """Six points back, seven samples in all; it claims no fair probability."""
    pairs = [(0.0, 0.40), (0.0, 0.50), *[(0.0, 0.45)] * 5, (0.0, 0.51)]
    signal = PmTrend().signal(reading(pairs))
    assert signal.edge == pytest.approx(2.0)
    assert signal.fair_p is None


@pytest.mark.parametrize(
    ("baseline", "fair"),
    [
        ({}, 0.28),
        ({"bun-aug-koe-2026-02-27": 0.30}, 0.30),
        ({"bun-aug-koe-2026-02-27-draw": 0.31, "bun-aug-koe-2026-02-27": 0.30}, 0.31),
        ({"another": 0.5}, 0.28),
    ],
)
def test_a_baseline_is_found_by_the_market_then_by_its_event(baseline: Mapping[str, float], fair: float) -> None:
    """Else the one baseline for all."""
    signal = PmDraw(baseline=baseline).signal(reading([(0.0, 0.25)], of=a_draw(), legs=(None, 0.25, None)))
    assert signal.fair_p == fair
    assert signal.edge == pytest.approx((fair - 0.25) * 100)


@pytest.mark.parametrize(("mult", "fair"), [(1.1, 0.308), (10.0, 1.0)])
def test_a_baseline_is_multiplied_and_stays_a_probability(mult: float, fair: float) -> None:
    """Clamped to 0..1."""
    draw = reading([(0.0, 0.25)], of=a_draw(), legs=(None, 0.25, None))
    assert PmDraw(prob_mult=mult).signal(draw).fair_p == pytest.approx(fair)


def test_a_draw_says_which_three_markets_were_seen_and_what_their_mids_sum_to() -> None:
    """The portal's row shows it."""
    signal = PmDraw().signal(reading([(0.0, 0.25)], of=a_draw(), legs=(0.445, 0.255, 0.295)))
    details = dict(signal.details)
    assert details["mids_sum"] == pytest.approx(0.995)
    assert details["legs"] == "bun-aug-koe-2026-02-27: aug 0.445, draw 0.255, koe 0.295"
    blind = dict(PmDraw().signal(reading([(0.0, 0.25)], of=a_draw(), legs=(None, 0.255, 0.295))).details)
    assert "mids_sum" not in blind
    assert "aug ?" in str(blind["legs"])


@pytest.mark.parametrize(
    ("price", "p"), [(40_000, 0.0), (50_000, 0.0), (55_000, 0.25), (60_000, 0.5), (70_000, 1.0), (80_000, 1.0)]
)
def test_a_linear_range_rises_from_zero_to_one_and_is_clamped(price: float, p: float) -> None:
    """And the other outcome's is the rest."""
    assert LINE.fair_p(price) == pytest.approx(p)
    assert LINE.complement().fair_p(price) == pytest.approx(1 - p)


def test_a_constant_needs_no_reference_and_its_other_side_is_the_rest() -> None:
    """0.3 and 0.7."""
    assert not Constant(p=0.3).asks_reference
    assert Constant(p=0.3).complement().fair_p(1.0) == pytest.approx(0.7)
    assert LINE.asks_reference


@pytest.mark.parametrize("p", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    """A model says between never and always."""
    with pytest.raises(ValueError, match="probability"):
        Constant(p=p)


def test_a_range_without_width_is_refused() -> None:
    """It would divide by nothing."""
    with pytest.raises(ValueError, match="two ends"):
        LinearRange(zero_at=60_000, one_at=60_000)


def test_of_two_valued_outcomes_only_the_cheap_one_is_bought() -> None:
    """Fair 0.53 for Yes is 0.47 for No, which stands at 0.495."""
    yes, no = two_sides(fair=LINE, reference=FUTURE)
    both = replace(VALUED, markets=(yes, replace(no, fair=LINE.complement())), quotes={YES: "0.50/0.51", NO: "0.49/0.50"})
    bought, left = both.decision().verdicts
    assert bought.cause.reason is Reason.ENTER
    assert (left.cause.reason, left.cause.measured) == (Reason.BELOW_THRESHOLD, -0.025)


def test_an_order_remembers_what_it_was_decided_on() -> None:
    """The hedge leg is written from it."""
    (sent,) = VALUED.decision().orders
    assert (sent.side, sent.edge, sent.fair_p, sent.reference) == (Side.BUY, 0.025, 0.53, 60_600.0)


def test_a_draw_is_bought_and_sold_again_at_its_baseline_with_books_that_balance() -> None:
    """0.26 in, 0.27 out: ten shares, ten cents."""
    play = Play(rules(strategy=DRAW))
    for seconds, quote in ((0, "0.25/0.26"), (15, "0.25/0.26"), (30, "0.27/0.28")):
        at = moment(seconds)
        books = {YES: book(quote, step="0.001", requested=at)}
        play.tick(Snapshot(moment=at, ready=at, markets=(a_draw(),), books=books, references={}, payouts={}))
    assert [trade.action for report in play.reports for trade in report.trades] == ["BUY", "SELL"]
    assert play.ledger.cash == Decimal("1000.10")
