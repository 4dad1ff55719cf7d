"""The universe: what the map's entries become, and what happens to those that cannot be resolved."""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from adapters.gamma_event import Event
from adapters.gamma_wire import Listing
from adapters.health import Health
from adapters.listed_markets import Listed, Wants, markets_of
from adapters.market_map import ConstantFair, MapEntry, PolymarketPart, SpotPart
from adapters.universe import AT_ONCE, MapUniverse
from domain.fair import Constant, LinearRange
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import ConditionId, Hedge, Leg, Market, ReferenceId, Side, ThreeWay, TokenId
from domain.ports import Unavailable
from tests.builders import moment
from tests.fakes import FakeClock

YES, NO = TokenId("11"), TokenId("22")
FEES = FeeSchedule(rate=Decimal("0.07"))
LISTING = Listing(
    slug="m", question="?", condition=ConditionId("0xc"), tokens=(("Yes", YES), ("No", NO)), fees=FEES, accepting=True
)
WANTS = Wants()


def entry(ref: str = "m", outcome: str | None = "Yes", **spot: str) -> MapEntry:
    """A map entry."""
    return MapEntry(
        name="a market", polymarket=PolymarketPart(market_slug=ref, outcome=outcome), kraken_spot=SpotPart.model_validate(spot)
    )


@dataclass
class Shelf:
    """Listings by slug; what is not there yet is unavailable."""

    markets: dict[str, Listing] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def market(self, slug: str) -> Listing:
        """One market."""
        self.asked.append(slug)
        if slug not in self.markets:
            raise Unavailable("polymarket_gamma", "unknown_market")
        return self.markets[slug]

    async def event(self, slug: str) -> Event:
        """An event's markets."""
        self.asked.append(slug)
        if slug not in self.events:
            raise Unavailable("polymarket_gamma", "unknown_market")
        return self.events[slug]

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market of a token."""
        return next(listing for listing in self.markets.values() if token in dict(listing.tokens).values())


def universe(
    shelf: Shelf, *entries: MapEntry, wants: Wants = WANTS, clock: FakeClock | None = None, discovered: tuple[Listed, ...] = ()
) -> MapUniverse:
    """A universe over a shelf."""
    return MapUniverse(
        entries,
        listings=shelf,
        health=Health(),
        wants=wants,
        clock=clock or FakeClock(moment(0)),
        retry_s=0.01,
        discovered=lambda: discovered,
    )


def market_of(said: MapEntry, listing: Listing | None, wants: Wants = WANTS) -> Market:
    """The one market that an entry means."""
    (only,) = markets_of(said, Listed(listing=listing) if listing else None, wants, ref=said.polymarket.ref)
    return only


def event_of(slug: str, *listings: Listing, three_way: ThreeWay | None = None) -> Event:
    """An event."""
    return Event(slug=slug, title=slug, listings=listings, three_way=three_way, refused=())


@pytest.mark.parametrize(
    ("outcomes", "wanted", "token", "direction"),
    [
        (("Yes", "No"), "Yes", YES, 1),
        (("Yes", "No"), "no", NO, -1),
        (("Up", "Down"), "Yes", YES, 1),
        (("Up", "Down"), "No", NO, -1),
        (("Up", "Down"), "Down", NO, -1),
        (("Spirit", "Natus"), "Spirit", YES, 1),
        (("Spirit", "Natus"), "Natus", NO, -1),
        (("Spirit", "Natus"), "Yes", None, 1),
    ],
)
def test_an_outcome_becomes_its_token_and_its_direction(
    outcomes: tuple[str, str], wanted: str, token: TokenId | None, direction: int
) -> None:
    """Yes is Up, No is Down; a name that is not there is no token, never a guess."""
    listing = replace(LISTING, tokens=tuple(zip(outcomes, (YES, NO), strict=True)))
    market = market_of(entry(outcome=wanted), listing)
    assert (market.token, market.direction) == (token, direction)


def test_an_inverse_market_gains_when_the_reference_falls() -> None:
    """Will it dip to 50k: Yes falls as spot rises."""
    assert market_of(entry(direction="inverse"), LISTING).direction == -1
    assert market_of(entry(outcome="No", direction="inverse"), LISTING).direction == 1


def test_the_default_side_and_pair_hold_only_where_the_entry_names_none() -> None:
    """LEAD_LAG_SIDE and KRAKEN_SPOT_PAIR."""
    wants = Wants(outcome="No", spot_pair="ETHUSD")
    unnamed = market_of(entry(outcome=None), LISTING, wants)
    named = market_of(entry(outcome="Yes", pair="XBTUSD"), LISTING, wants)
    assert (unnamed.token, unnamed.reference) == (NO, ReferenceId("kraken_spot", "ETHUSD"))
    assert (named.token, named.reference) == (YES, ReferenceId("kraken_spot", "XBTUSD"))


def test_the_market_s_own_fees_are_used_and_the_dearest_are_assumed_while_nothing_is_known() -> None:
    """And none at all with PM_FEES=none."""
    assert market_of(entry(), LISTING).fees == FEES
    assert market_of(entry(), None).fees == assumed_schedule("")
    assert market_of(entry(), LISTING, replace(WANTS, charges_fees=False)).fees == FREE


def test_yes_and_no_know_each_other() -> None:
    """They are one book seen twice."""
    assert market_of(entry(outcome="Yes"), LISTING).complement == NO
    assert market_of(entry(outcome="No"), LISTING).complement == YES


def test_a_token_of_the_map_is_used_even_before_its_market_is_known() -> None:
    """`clob_token_id` wins."""
    wanted = MapEntry(name="t", polymarket=PolymarketPart(clob_token_id="22"))
    assert market_of(wanted, None).token == NO
    known = market_of(wanted, LISTING)
    assert (known.outcome, known.direction, known.complement) == ("No", -1, YES)


def test_a_slug_that_cannot_be_resolved_costs_only_its_market_and_is_tried_again() -> None:
    """It may be listed later."""
    shelf = Shelf(markets={"there": LISTING})
    followed = universe(shelf, entry("there"), entry("later"))

    async def scenario() -> list[list[TokenId | None]]:
        seen = []
        for _ in range(2):
            await followed.resolve()
            seen.append([market.token for market in followed.markets()])
            shelf.markets["later"] = replace(LISTING, tokens=(("Yes", TokenId("33")), ("No", TokenId("44"))))
        return seen

    assert asyncio.run(scenario()) == [[YES, None], [YES, TokenId("33")]]
    assert shelf.asked == ["there", "later", "later"]


def test_before_the_first_look_up_every_market_is_there_without_a_token() -> None:
    """The candidates say `no_token`; nothing waits."""
    assert [market.token for market in universe(Shelf(), entry("a"), entry("b")).markets()] == [None, None]


def test_an_event_with_one_market_is_that_market_and_one_with_several_is_no_guess() -> None:
    """The URL of an event names a market only when there is one."""
    shelf = Shelf(events={"one": event_of("one", LISTING), "many": event_of("many", LISTING, replace(LISTING, slug="n"))})
    urls = [f"https://polymarket.com/event/{slug}" for slug in ("one", "many")]
    followed = universe(shelf, *(MapEntry(name=url, polymarket=PolymarketPart(market_url=url, outcome="Yes")) for url in urls))
    asyncio.run(followed.resolve())
    assert [market.token for market in followed.markets()] == [YES, None]


def test_the_background_look_up_finds_what_appears_later() -> None:
    """Without a tick waiting for it."""
    shelf = Shelf()
    followed = universe(shelf, entry("later"))

    async def scenario() -> TokenId | None:
        keeping = asyncio.create_task(followed.keep_resolved(speed=1))
        await asyncio.sleep(0.03)
        shelf.markets["later"] = LISTING
        async with asyncio.timeout(5):
            while followed.markets()[0].token is None:
                await asyncio.sleep(0.01)
        keeping.cancel()
        return followed.markets()[0].token

    assert asyncio.run(scenario()) == YES


def test_both_outcomes_are_followed_where_the_strategy_wants_them() -> None:
    """Whatever the entry names; without a listing there is one market without a token."""
    wants = Wants(both_outcomes=True, reference_source="")
    yes, no = markets_of(entry(outcome="No"), Listed(listing=LISTING), wants, ref="m")
    assert [(m.token, m.outcome, m.direction, m.complement) for m in (yes, no)] == [(YES, "Yes", 1, NO), (NO, "No", -1, YES)]
    assert [m.reference for m in (yes, no)] == [None, None]
    assert [m.token for m in markets_of(entry(), None, wants, ref="m")] == [None]
    assert [m.token for m in markets_of(entry(outcome="Maybe"), Listed(listing=LISTING), wants, ref="m")] == [None]


VALUED = MapEntry.model_validate(
    {
        "name": "valued",
        "polymarket": {"market_slug": "m"},
        "kraken_futures": {"symbol": "PF_XBTUSD", "ref_price_field": "indexPrice"},
        "fair_model": {"mode": "linear_range", "min_ref": 50_000, "max_ref": 70_000},
        "hedge": {"yes_side": "sell", "no_side": "buy", "notes": "half"},
    }
)
FUTURES = Wants(reference_source="kraken_futures", both_outcomes=True, hedges=True)


def test_each_outcome_has_its_own_fair_model_and_its_own_hedge() -> None:
    """The map speaks of the event; No is the rest, and is hedged the other way."""
    yes, no = markets_of(VALUED, Listed(listing=LISTING), FUTURES, ref="m")
    assert (yes.fair, no.fair) == (LinearRange(zero_at=50_000, one_at=70_000), LinearRange(zero_at=70_000, one_at=50_000))
    assert yes.hedge == Hedge(symbol="PF_XBTUSD", side=Side.SELL, notes="half")
    assert no.hedge == Hedge(symbol="PF_XBTUSD", side=Side.BUY, notes="half")
    assert yes.reference == no.reference == ReferenceId("kraken_futures", "PF_XBTUSD", "indexPrice")


@pytest.mark.parametrize("wants", [FUTURES, Wants(reference_source="", both_outcomes=True), Wants(draws=True)])
def test_a_token_of_which_nothing_is_known_waits_for_its_listing(wants: Wants) -> None:
    """The No token would be valued like Yes, bought beside a held Yes, or taken for a draw without its own baseline."""
    said = VALUED.model_copy(update={"polymarket": PolymarketPart(clob_token_id=NO)})
    (unknown,) = markets_of(said, None, wants, ref=NO)
    assert (unknown.token, unknown.complement) == (None, None)
    known = markets_of(said, Listed(listing=LISTING), wants, ref=NO)
    assert NO in [market.token for market in known]
    assert market_of(said, None).token == NO


def test_a_line_falls_in_an_inverse_market_and_a_constant_stays() -> None:
    """Will it dip to 50k: Yes is worth less the higher the reference stands; 0.3 is 0.3."""
    dip = VALUED.model_copy(update={"kraken_spot": SpotPart(direction="inverse")})
    yes, _ = markets_of(dip, Listed(listing=LISTING), FUTURES, ref="m")
    assert yes.fair == LinearRange(zero_at=70_000, one_at=50_000)
    constant = dip.model_copy(update={"fair_model": ConstantFair(mode="constant", p=0.3)})
    yes, no = markets_of(constant, Listed(listing=LISTING), FUTURES, ref="m")
    assert (yes.fair, no.fair) == (Constant(p=0.3), Constant(p=0.7))


def test_other_strategies_neither_hedge_nor_ask_for_futures() -> None:
    """The same map serves them all."""
    market = market_of(VALUED, LISTING)
    assert (market.hedge, market.reference) == (None, ReferenceId("kraken_spot", "XBTUSD"))


HOME, DRAW, AWAY = (TokenId(str(n)) for n in (31, 32, 33))
MATCH = ThreeWay(
    event="bun-aug-koe",
    home=Leg("bun-aug-koe-aug", "A", HOME),
    draw=Leg("bun-aug-koe-draw", "Draw", DRAW),
    away=Leg("x", "K", AWAY),
)


def leg(slug: str, token: TokenId, question: str) -> Listing:
    """One binary market of the match."""
    return replace(
        LISTING, slug=slug, event="bun-aug-koe", question=question, tokens=(("Yes", token), ("No", TokenId(f"9{token}")))
    )


THE_DRAW = leg("bun-aug-koe-draw", DRAW, "Will Augsburg vs. Köln end in a draw?")
THE_MATCH = event_of(
    "bun-aug-koe",
    leg("x", AWAY, "Will Köln win?"),
    leg("bun-aug-koe-aug", HOME, "Will Augsburg win?"),
    THE_DRAW,
    three_way=MATCH,
)
DRAWS = Wants(reference_source="", draws=True)


@pytest.mark.parametrize("named", ["bun-aug-koe-draw", "https://polymarket.com/event/bun-aug-koe"])
def test_the_draw_of_a_match_is_found_by_its_market_and_by_its_event(named: str) -> None:
    """With the set that it is the draw of; the Yes token backs it."""
    shelf = Shelf(markets={"bun-aug-koe-draw": THE_DRAW}, events={"bun-aug-koe": THE_MATCH})
    followed = universe(shelf, MapEntry(name="d", polymarket=PolymarketPart(market_url=named)), wants=DRAWS)
    asyncio.run(followed.resolve())
    (market,) = followed.markets()
    assert (market.token, market.match_draw, market.three_way) == (DRAW, True, MATCH)
    assert (market.slug, market.event) == ("bun-aug-koe-draw", "bun-aug-koe")


@pytest.mark.parametrize(
    ("slug", "question", "outcome"),
    [
        ("bun-aug-koe-aug", "Will Augsburg win?", "Yes"),
        ("bun-aug-koe-draw", "Will Augsburg vs. Köln end in a draw?", "No"),
        ("h", "Augsburg vs. Köln: Draw at halftime?", "Yes"),
    ],
)
def test_what_is_not_the_draw_of_the_match_is_known_not_to_be(slug: str, question: str, outcome: str) -> None:
    """A team, the other side of the draw, a half."""
    listing = leg(slug, HOME if slug != "bun-aug-koe-draw" else DRAW, question)
    listed = Listed(listing=listing, event=THE_MATCH)
    (market,) = markets_of(entry(outcome=outcome), listed, DRAWS, ref=slug)
    assert (market.match_draw, market.three_way) == (False, None)


def test_an_event_that_could_not_be_read_is_asked_for_again() -> None:
    """Without it nobody knows the other two books; the market is followed all the same."""
    shelf = Shelf(markets={"bun-aug-koe-draw": THE_DRAW})
    followed = universe(shelf, entry("bun-aug-koe-draw", outcome=None), wants=DRAWS)

    async def scenario() -> list[ThreeWay | None]:
        seen = []
        for _ in range(2):
            await followed.resolve()
            seen += [market.three_way for market in followed.markets()]
            shelf.events["bun-aug-koe"] = THE_MATCH
        return seen

    assert asyncio.run(scenario()) == [None, MATCH]
    assert [market.token for market in followed.markets()] == [DRAW]


def test_a_long_map_is_looked_up_a_few_at_a_time() -> None:
    """A payout that a tick asks for meanwhile waits behind eight of them, not behind two hundred."""
    shelf = Shelf(markets={f"m{n}": replace(LISTING, slug=f"m{n}") for n in range(20)})
    waiting, most = 0, 0

    class Slow(Shelf):
        async def market(self, slug: str) -> Listing:
            nonlocal waiting, most
            waiting += 1
            most = max(most, waiting)
            await asyncio.sleep(0)
            waiting -= 1
            return shelf.markets[slug]

    followed = universe(Slow(), *(entry(slug) for slug in shelf.markets))
    asyncio.run(followed.resolve())
    assert most == AT_ONCE
    assert len(followed.markets()) == 1  # twenty names of one token


def window(slug: str, number: int) -> Listing:
    """One window of a series."""
    return replace(LISTING, slug=slug, tokens=(("Up", TokenId(f"{number}1")), ("Down", TokenId(f"{number}2"))))


def test_a_series_is_always_the_market_of_the_current_window() -> None:
    """And the next one is known before it begins; what is over is forgotten."""
    start_s = moment(0).at_ms // 1000 // 300 * 300
    slugs = [f"btc-updown-5m-{start_s + 300 * n}" for n in range(3)]
    shelf = Shelf(markets=dict(zip(slugs, map(window, slugs, range(1, 4)), strict=True)))
    clock = FakeClock(moment(0))
    followed = universe(shelf, entry("btc-updown-5m-*", outcome="Up"), clock=clock)
    asyncio.run(followed.resolve())
    assert shelf.asked == slugs[:2]
    seen = []
    for _ in range(2):
        seen += [(market.ref, market.token) for market in followed.markets()]
        clock.advance(300)
    assert seen == [(slugs[0], TokenId("11")), (slugs[1], TokenId("21"))]
    asyncio.run(followed.resolve())
    assert [market.token for market in followed.markets()] == [TokenId("31")]


def test_what_discovery_found_comes_after_the_map_and_never_twice() -> None:
    """The map says how a market is followed."""
    other = replace(LISTING, slug="found", question="Will it?", tokens=(("Yes", TokenId("55")), ("No", TokenId("66"))))
    shelf = Shelf(markets={"m": LISTING})
    followed = universe(shelf, entry(), discovered=(Listed(listing=LISTING), Listed(listing=other)))
    asyncio.run(followed.resolve())
    assert [(market.name, market.token) for market in followed.markets()] == [("a market", YES), ("Will it?", TokenId("55"))]


def test_a_held_market_that_left_the_map_is_known_as_the_venue_lists_it_now() -> None:
    """It comes after the map's, is looked up in the background, and its closing for orders is seen."""
    gone = replace(LISTING, slug="gone", tokens=(("Yes", TokenId("71")), ("No", TokenId("72"))))
    shelf = Shelf(markets={"m": LISTING, "gone": gone})
    held = replace(market_of(entry("gone"), gone), name="gone")
    followed = universe(shelf, entry())

    async def scenario() -> list[list[tuple[str, bool]]]:
        seen = []
        for accepting in (True, False):
            shelf.markets["gone"] = replace(gone, accepting=accepting)
            followed.markets([held])
            await followed.resolve(again=True)
            seen.append([(market.name, market.accepting) for market in followed.markets([held])])
        return seen

    assert asyncio.run(scenario()) == [[("a market", True), ("gone", True)], [("a market", True), ("gone", False)]]
    assert [market.name for market in followed.markets()] == ["a market"]
