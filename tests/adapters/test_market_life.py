"""The life of a market: what the venue says of it, as status and payouts, and what becomes of a position meanwhile."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from adapters.feed import Sources, VenueFeed
from adapters.gamma_wire import Life, parse_listing
from adapters.health import Health
from adapters.http import Body, VenueClient
from adapters.kill_switch import KillSwitch
from adapters.paper_broker import PaperBroker
from adapters.polymarket_clob import ClobOutcomes, parse_payouts
from adapters.polymarket_gamma import GammaOutcomes
from adapters.wire_numbers import strict_json
from domain.decision import Reason, Verdict
from domain.fair import Constant
from domain.ledger import Action
from domain.market import ConditionId, Market, OrderBook, Reference, TokenId
from domain.ports import Unavailable
from domain.report import Report, Trade, TradeAction
from domain.strategies.fair_model import FairModelThresholds, fair_model
from domain.view import Limits
from entrypoints.agent import Agent, tick
from tests.builders import CRYPTO, book, ledger, market, moment, position, rules, state
from tests.fakes import FakeClock, MemoryLedger, MemoryPortal

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared" / "payloads" / "polymarket"
YES, NO, THIRD = TokenId("111"), TokenId("222"), TokenId("333")
CONDITION = ConditionId("0x" + "ab" * 32)
PAST, FUTURE = "2026-03-01T12:00:00Z", "2026-12-31T12:00:00Z"
HALF = ("0.5", "0.5")
FORTY_DIGITS = '["0.00000004364303498046286702037228176483457", "0.9999999563569650195371329796277182351654"]'


def clob(
    *winners: bool, closed: bool = True, accepting: bool = False, void: bool = False, tokens: Sequence[str] = (YES, NO, THIRD)
) -> dict[str, object]:
    """`GET /markets/{condition_id}` in its documented shape: snake case, numbers, a winner flag for each token."""
    flags = winners or (False, False)
    return {
        "accepting_orders": accepting,
        "active": True,
        "archived": False,
        "closed": closed,
        "condition_id": CONDITION,
        "enable_order_book": not closed,
        "end_date_iso": FUTURE,
        "is_50_50_outcome": void,
        "market_slug": "will-it",
        "minimum_order_size": 5,
        "minimum_tick_size": 0.01,
        "neg_risk": False,
        "seconds_delay": 0,
        "tokens": [
            {"token_id": token, "outcome": f"O{number}", "price": int(won), "winner": won}
            for number, (token, won) in enumerate(zip(tokens, flags, strict=False))
        ],
    }


def gamma(
    prices: str = '["0.505", "0.495"]',
    *,
    closed: bool = False,
    accepting: bool = False,
    said: str | None = None,
    history: Sequence[str] = (),
    ends: str = FUTURE,
    outcomes: Sequence[str] = ("Yes", "No"),
) -> dict[str, object]:
    """A Gamma row in its documented shape: arrays inside strings, `umaResolutionStatus` absent until proposed."""
    row: dict[str, object] = {
        "id": "12",
        "slug": "will-it",
        "question": "Will it?",
        "conditionId": CONDITION,
        "outcomes": json.dumps(outcomes),
        "clobTokenIds": json.dumps((YES, NO, THIRD)[: len(outcomes)]),
        "outcomePrices": prices,
        "active": True,
        "closed": closed,
        "acceptingOrders": accepting,
        "enableOrderBook": True,
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "endDate": ends,
        "feesEnabled": False,
        "umaResolutionStatuses": json.dumps(history),
    }
    return row if said is None else row | {"umaResolutionStatus": said}


def resolved(prices: str, *, outcomes: Sequence[str] = ("Yes", "No")) -> dict[str, object]:
    """A Gamma row of a market that is closed and said to be resolved."""
    return gamma(prices, closed=True, said="resolved", outcomes=outcomes)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a market's life: both answers, and what they mean. `paid` is by the CLOB's word, then by Gamma's."""

    clob: Mapping[str, object]
    gamma: Mapping[str, object]
    status: Life
    paid: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


OPEN_ON_CLOB = clob(closed=False, accepting=True)
SHUT_ON_CLOB = clob(closed=False)
THREE = ("Home", "Draw", "Away")

STAGES = {
    "open": Stage(clob=OPEN_ON_CLOB, gamma=gamma(accepting=True), status=Life.OPEN),
    "untraded at one half": Stage(clob=OPEN_ON_CLOB, gamma=gamma('["0.5", "0.5"]', accepting=True), status=Life.OPEN),
    "postponed: its end has passed, orders go on": Stage(
        clob=OPEN_ON_CLOB, gamma=gamma(accepting=True, ends=PAST), status=Life.OPEN
    ),
    "not accepting": Stage(clob=SHUT_ON_CLOB, gamma=gamma(), status=Life.NOT_ACCEPTING),
    "not accepting at a price of one": Stage(clob=SHUT_ON_CLOB, gamma=gamma('["1", "0"]'), status=Life.NOT_ACCEPTING),
    "proposed": Stage(
        clob=SHUT_ON_CLOB, gamma=gamma('["1", "0"]', said="proposed", history=["proposed"]), status=Life.PROPOSED
    ),
    "proposed and closed": Stage(clob=clob(), gamma=gamma('["1", "0"]', closed=True, said="proposed"), status=Life.PROPOSED),
    "disputed": Stage(clob=SHUT_ON_CLOB, gamma=gamma(said="disputed", history=["proposed", "disputed"]), status=Life.DISPUTED),
    "disputed by its history alone": Stage(
        clob=SHUT_ON_CLOB, gamma=gamma('["1", "0"]', closed=True, history=["resolved", "disputed"]), status=Life.DISPUTED
    ),
    "proposed again after a dispute": Stage(
        clob=SHUT_ON_CLOB, gamma=gamma(said="proposed", history=["proposed", "disputed", "proposed"]), status=Life.PROPOSED
    ),
    "resolved Yes": Stage(
        clob=clob(True, False), gamma=resolved('["1", "0"]'), status=Life.RESOLVED, paid=(("1", "0"), ("1", "0"))
    ),
    "resolved No": Stage(
        clob=clob(False, True), gamma=resolved('["0", "1"]'), status=Life.RESOLVED, paid=(("0", "1"), ("0", "1"))
    ),
    "void": Stage(clob=clob(void=True), gamma=resolved('["0.5", "0.5"]'), status=Life.RESOLVED, paid=(HALF, HALF)),
    "void by a flag while it is open": Stage(
        clob=clob(void=True, closed=False), gamma=gamma('["0.5", "0.5"]', said="resolved"), status=Life.NOT_ACCEPTING
    ),
    "closed without a price": Stage(clob=clob(), gamma=resolved('["0", "0"]'), status=Life.CLOSED),
    "closed with forty digits": Stage(clob=clob(), gamma=resolved(FORTY_DIGITS), status=Life.CLOSED),
    "closed just before the settlement": Stage(clob=clob(), gamma=resolved('["0.0005", "0.9995"]'), status=Life.CLOSED),
    "closed at a price of one without a word": Stage(clob=clob(), gamma=gamma('["1", "0"]', closed=True), status=Life.CLOSED),
    "closed and accepting at once": Stage(
        clob=clob(accepting=True), gamma=gamma('["1", "0"]', closed=True, accepting=True), status=Life.CLOSED
    ),
    "three outcomes": Stage(
        clob=clob(False, True, False),
        gamma=resolved('["0", "1", "0"]', outcomes=THREE),
        status=Life.RESOLVED,
        paid=((), ("0", "1", "0")),
    ),
    "three outcomes, none of which has won": Stage(
        clob=clob(False, False, False),
        gamma=resolved('["0.3333", "0.3333", "0.3333"]', outcomes=THREE),
        status=Life.CLOSED,
    ),
    "two winners": Stage(clob=clob(True, True), gamma=resolved('["1", "1"]'), status=Life.CLOSED),
    "one token twice": Stage(clob=clob(True, False, tokens=(YES, YES)), gamma=resolved('["1", "1"]'), status=Life.CLOSED),
    "a winner, not closed yet": Stage(
        clob=clob(True, False, closed=False), gamma=gamma('["1", "0"]', said="resolved"), status=Life.NOT_ACCEPTING
    ),
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_stage_of_life_has_a_status_and_pays_only_what_is_beyond_doubt(stage: Stage) -> None:
    """By the CLOB's word and by Gamma's, each from its own answer."""
    listing = parse_listing(strict_json(json.dumps(stage.gamma).encode()))
    answered = Body(json=dict(stage.clob), status=200, requested=moment(0))
    by_clob = tuple(str(pays) for pays in (parse_payouts(answered, CONDITION) or {}).values())
    by_gamma = tuple(str(pays) for pays in listing.payouts.values())
    assert (listing.status, by_clob, by_gamma) == (stage.status, *stage.paid)
    assert listing.accepting == (stage.status is Life.OPEN)


CAPTURED = {
    "gamma_market__btc_updown_5m_open_2026-03.json": (Life.OPEN, ()),
    "gamma_market__btc5m_resolved_up_2026-07.json": (Life.RESOLVED, ("1", "0")),
    "gamma_market__btc5m_resolved_down_2026-07.json": (Life.RESOLVED, ("0", "1")),
    "gamma_market__closed_binary_accepting_false.json": (Life.RESOLVED, ("0", "1")),
    "gamma_market__closed_binary_accepting_true.json": (Life.CLOSED, ()),
    "gamma_market__closed_price_not_resolution_2020.json": (Life.CLOSED, ()),
    "gamma_market__closed_scalar_legacy_2020.json": (Life.CLOSED, ()),
    "gamma_market__sports_map_handicap.json": (Life.RESOLVED, ("1", "0")),
    "gamma_market__sports_moneyline_2way_esports.json": (Life.RESOLVED, ("1", "0")),
}


@pytest.mark.skipif(not PAYLOADS.exists(), reason="no ../shared/payloads: a user's clone has none")
@pytest.mark.parametrize("name", CAPTURED)
def test_a_captured_market_is_in_the_stage_that_it_was_in(name: str) -> None:
    """Real rows of Gamma's."""
    listing = parse_listing(strict_json((PAYLOADS / name).read_bytes()))
    assert (listing.status, tuple(str(pays) for pays in listing.payouts.values())) == CAPTURED[name]
    assert listing.accepting == (listing.status is Life.OPEN)


@pytest.mark.skipif(not PAYLOADS.exists(), reason="no ../shared/payloads: a user's clone has none")
def test_captured_markets_of_the_clob_pay_when_they_are_closed_with_a_winner() -> None:
    """And nothing while they are open."""

    def paid(name: str) -> list[str]:
        body = strict_json((PAYLOADS / name).read_bytes())
        assert isinstance(body, dict)
        answered = Body(json=body, status=200, requested=moment(0))
        return [str(pays) for pays in (parse_payouts(answered, ConditionId(str(body["condition_id"]))) or {}).values()]

    assert (paid("clob_market__open.json"), paid("clob_market__closed_winner.json")) == ([], ["0", "1"])


FOLLOWED = replace(market(token=YES, reference=None, fair=Constant(p=1.0), fees=CRYPTO), condition=CONDITION)


@dataclass
class Venue:
    """A market map of one market, its book, and what both of Polymarket's APIs answer about its end (None: HTTP 500)."""

    followed: tuple[Market, ...] = (FOLLOWED,)
    quote: str | None = "0.90/0.91"
    clob: Mapping[str, object] | None = field(default_factory=lambda: OPEN_ON_CLOB)
    gamma: Mapping[str, object] | None = field(default_factory=lambda: gamma(accepting=True))
    step: str = "0.01"
    least: int = 5
    clock: FakeClock = field(default_factory=lambda: FakeClock(moment(60)))
    asked: list[str] = field(default_factory=list)

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The map."""
        return self.followed

    async def books(self, tokens: Sequence[TokenId]) -> Mapping[TokenId, OrderBook]:
        """The order book."""
        if self.quote is None or YES not in tokens:
            raise Unavailable("polymarket_clob", "no_book")
        shown = book(self.quote, step=self.step, token=YES, requested=self.clock.now(), min_order_size=self.least)
        return {YES: shown}

    async def reference(self, symbol: str, field: str = "") -> Reference:
        """None."""
        raise Unavailable("kraken_futures", symbol)

    def client(self, source: str) -> VenueClient:
        """A client of one of the two APIs."""
        transport = httpx.MockTransport(lambda request: self._answer(source, request))
        return VenueClient(source, f"http://{source}.example", clock=self.clock, health=Health(), transport=transport)

    def _answer(self, source: str, request: httpx.Request) -> httpx.Response:
        self.asked.append(source)
        body: object = self.clob
        if source == "polymarket_gamma" and self.gamma is not None:
            closed = request.url.params.get("closed") == "true"
            body = [self.gamma] if bool(self.gamma["closed"]) is closed else []
        elif source == "polymarket_gamma":
            body = None
        return httpx.Response(500 if body is None else 200, stream=httpx.ByteStream(json.dumps(body).encode()))


class Ticks:
    """Ticks of the very agent, fifteen seconds apart, with a position of ten shares that were bought at 0.51."""

    def __init__(self, venue: Venue, *, max_hold_s: float | None = None) -> None:
        self.venue = venue
        sources = Sources(
            books=venue,
            references={"kraken_futures": venue},
            outcomes=(ClobOutcomes(venue.client("polymarket_clob")), GammaOutcomes(venue.client("polymarket_gamma"))),
        )
        strategy = fair_model(FairModelThresholds(max_hold_s=max_hold_s, edge_min=0.5))
        self.agent = Agent(
            rules=rules(strategy=strategy, limits=Limits()),
            feed=VenueFeed(clock=venue.clock, universe=venue, sources=sources, kill_switch=KillSwitch(None), deadline_s=5.0),
            broker=PaperBroker(),
            store=MemoryLedger(state(ledger(positions=[position(of=FOLLOWED, token=YES)]))),
            portal=MemoryPortal(),
        )

    async def tick(self, **changes: object) -> Report:
        """One more tick, after these changes at the venue."""
        for name, value in changes.items():
            setattr(self.venue, name, value)
        self.venue.clock.advance(15)
        self.venue.asked.clear()
        return await tick(self.agent, self.agent.store.load(), self.venue.clock.now())


def only(report: Report) -> Verdict:
    """The verdict of the one token."""
    (verdict,) = report.verdicts
    return verdict


def paid(*reports: Report) -> list[Trade]:
    """The payouts of these ticks."""
    return [trade for report in reports for trade in report.trades if trade.action is TradeAction.SETTLE]


SHUT = (replace(FOLLOWED, accepting=False),)
ENDED = (replace(FOLLOWED, ends_at_ms=moment(0).at_ms),)
NEARLY = {"clob": clob(), "gamma": gamma('["0.9995", "0.0005"]', closed=True, said="resolved")}


def held(reports: list[Report]) -> set[tuple[Action, Reason]]:
    """What these ticks did with the position, which is there after each of them."""
    assert all(list(report.state.ledger.positions) == [YES] for report in reports)
    return {(only(report).action, only(report).cause.reason) for report in reports}


def test_a_position_in_a_market_that_stopped_accepting_is_asked_for_and_held() -> None:
    """Even when it should leave by now: nobody takes orders. Its bids still price it."""

    async def story() -> None:
        life = Ticks(Venue(followed=SHUT), max_hold_s=1.0)
        reports = [await life.tick(**changes) for changes in ({}, NEARLY, {})]
        assert held(reports) == {(Action.HOLD, Reason.MARKET_CLOSED)}
        assert life.venue.asked[:2] == ["polymarket_clob", "polymarket_gamma"]
        mark = reports[-1].state.ledger.positions[YES].mark
        assert (mark.value, mark.stale) == (Decimal("9.00"), False)

    asyncio.run(story())


def test_gammas_word_alone_never_pays_a_market_that_the_clob_calls_open() -> None:
    """Of two sources that contradict each other the one that trades is believed."""

    async def story() -> None:
        life = Ticks(Venue(followed=SHUT, gamma=gamma('["1", "0"]', closed=True, said="resolved")))
        reports = [await life.tick() for _ in range(3)]
        assert held(reports) == {(Action.HOLD, Reason.MARKET_CLOSED)}
        assert paid(await life.tick(clob=None))

    asyncio.run(story())


def test_a_position_whose_book_vanished_too_is_asked_for_and_held_at_its_last_price() -> None:
    """`no_orderbook`, and the mark says that it is stale."""

    async def story() -> None:
        life = Ticks(Venue(), max_hold_s=None)
        await life.tick()
        assert life.venue.asked == []
        reports = [await life.tick(quote=None), await life.tick(**NEARLY)]
        assert held(reports) == {(Action.HOLD, Reason.NO_ORDERBOOK)}
        assert life.venue.asked[0] == "polymarket_clob"
        mark = reports[-1].state.ledger.positions[YES].mark
        assert (mark.value, mark.stale) == (Decimal("9.00"), True)

    asyncio.run(story())


def test_a_position_whose_market_left_the_map_as_well_is_asked_for_held_and_paid() -> None:
    """Its own market knows the way."""

    async def story() -> None:
        life = Ticks(Venue())
        reports = [await life.tick(followed=(), quote=None), await life.tick(**NEARLY)]
        assert held(reports) == {(Action.HOLD, Reason.NO_ORDERBOOK)}
        assert life.venue.asked[0] == "polymarket_clob"
        last = await life.tick(clob=clob(True, False))
        assert [trade.price for trade in paid(last)] == [1]
        assert (await life.tick()).verdicts == ()
        assert life.venue.asked == []

    asyncio.run(story())


@pytest.mark.parametrize(
    ("clob_says", "gamma_says", "pays"),
    [
        (clob(True, False), None, "1"),
        (clob(False, True), None, "0"),
        (clob(void=True), None, "0.5"),
        (clob(), resolved('["1", "0"]'), "1"),
        (clob(), resolved('["0", "1"]'), "0"),
        (None, resolved('["0.5", "0.5"]'), "0.5"),
    ],
)
@pytest.mark.parametrize("followed", [SHUT, ENDED, ()], ids=["shut", "ended", "left the map"])
def test_a_position_is_paid_exactly_once_when_either_says_how_it_ended(
    followed: tuple[Market, ...], clob_says: dict[str, object] | None, gamma_says: dict[str, object] | None, pays: str
) -> None:
    """The CLOB's word, or Gamma's alone; and it is never bought again, cheap as its last book may look."""

    async def story() -> None:
        life = Ticks(Venue(followed=followed, quote=None))
        before = await life.tick()
        after = [await life.tick(clob=clob_says, gamma=gamma_says)]
        after += [await life.tick(quote="0.10/0.11") for _ in range(3)]
        assert paid(before) == []
        (payout,) = paid(*after)
        assert (payout.price, payout.shares, payout.fee) == (Decimal(pays), Decimal(10), Decimal(0))
        assert after[-1].state.ledger.cash == 1000 + 10 * Decimal(pays)
        assert after[-1].state.ledger.positions == {}
        assert len([trade for report in after for trade in report.trades]) == 1

    asyncio.run(story())


DOUBTFUL = [name for name, stage in STAGES.items() if stage.paid == ((), ())]


@pytest.mark.parametrize("name", DOUBTFUL)
@pytest.mark.parametrize("quote", [None, "0.998/0.999"])
def test_a_position_is_never_paid_from_a_price(name: str, quote: str | None) -> None:
    """Whatever the prices are like: not while the venue has not said who has won."""

    async def story() -> None:
        life = Ticks(Venue(followed=SHUT, quote=quote, clob=STAGES[name].clob, gamma=STAGES[name].gamma))
        reports = [await life.tick() for _ in range(3)]
        reasons = {Reason.MARKET_CLOSED} if quote else {Reason.NO_ORDERBOOK}
        assert held(reports) == {(Action.HOLD, reason) for reason in reasons}
        doubtful = (STAGES[name].clob or {}).get("closed") is not False
        assert {*life.venue.asked} == {"polymarket_clob"} | ({"polymarket_gamma"} if doubtful else set())

    asyncio.run(story())


def test_a_market_that_was_postponed_goes_on_trading_after_its_end() -> None:
    """It is asked how it ended, has not, and its position may leave as ever."""

    async def story() -> None:
        life = Ticks(Venue(followed=ENDED, gamma=gamma(accepting=True, ends=PAST)), max_hold_s=85.0)
        first = await life.tick()
        assert (only(first).action, life.venue.asked) == (Action.HOLD, ["polymarket_clob"])
        last = await life.tick()
        assert (only(last).action, only(last).cause.reason, paid(first, last)) == (Action.EXIT, Reason.MAX_HOLD, [])

    asyncio.run(story())


def test_tick_and_minimum_come_from_the_newest_book() -> None:
    """Near its end the grid became finer, and ten shares fewer than the minimum: sold all the same, and flagged."""

    async def story() -> None:
        life = Ticks(Venue(), max_hold_s=85.0)
        await life.tick()
        report = await life.tick(quote="0.9705/0.9715", step="0.0005", least=15)
        (sold,) = [event.execution for event in report.orders]
        assert (sold.order.limit, sold.order.below_minimum, sold.walk.average_price) == (
            Decimal("0.9605"),
            True,
            Decimal("0.9705"),
        )
        assert "below_min_order_size" in report.trades[0].notes

    asyncio.run(story())


def test_an_entry_below_the_minimum_of_the_newest_book_is_not_sent() -> None:
    """The same book that would take the exit refuses the entry."""

    async def story() -> None:
        life = Ticks(Venue(quote="0.10/0.11", least=15))
        life.agent = replace(life.agent, store=MemoryLedger())
        assert only(await life.tick()).cause.reason is Reason.BELOW_MIN_ORDER_SIZE
        assert only(await life.tick(least=5)).action is Action.ENTER

    asyncio.run(story())
