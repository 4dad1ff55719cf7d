"""The universe: what the map's entries become, and what happens to those that cannot be resolved."""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from adapters.health import Health
from adapters.market_map import MapEntry, PolymarketPart, SpotPart
from adapters.polymarket_gamma import Listing
from adapters.universe import Defaults, MapUniverse, market_of
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import ConditionId, ReferenceId, TokenId
from domain.ports import Unavailable

YES, NO = TokenId("11"), TokenId("22")
FEES = FeeSchedule(rate=Decimal("0.07"))
LISTING = Listing(
    slug="m", question="?", condition=ConditionId("0xc"), tokens=(("Yes", YES), ("No", NO)), fees=FEES, accepting=True
)
DEFAULTS = Defaults(outcome="Yes", spot_pair="XBTUSD")


def entry(ref: str = "m", outcome: str | None = "Yes", **spot: str) -> MapEntry:
    """A map entry."""
    return MapEntry(
        name="a market", polymarket=PolymarketPart(market_slug=ref, outcome=outcome), kraken_spot=SpotPart.model_validate(spot)
    )


@dataclass
class Shelf:
    """Listings by slug; what is not there yet is unavailable."""

    markets: dict[str, Listing] = field(default_factory=dict)
    events: dict[str, tuple[Listing, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def market(self, slug: str) -> Listing:
        """One market."""
        self.asked.append(slug)
        if slug not in self.markets:
            raise Unavailable("polymarket_gamma", "unknown_market")
        return self.markets[slug]

    async def event(self, slug: str) -> tuple[Listing, ...]:
        """An event's markets."""
        return self.events[slug]

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market of a token."""
        return next(listing for listing in self.markets.values() if token in dict(listing.tokens).values())


def universe(shelf: Shelf, *entries: MapEntry, defaults: Defaults = DEFAULTS) -> MapUniverse:
    """A universe over a shelf."""
    return MapUniverse(entries, listings=shelf, health=Health(), defaults=defaults, retry_s=0.01)


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
    market = market_of(entry(outcome=wanted), listing, DEFAULTS)
    assert (market.token, market.direction) == (token, direction)


def test_an_inverse_market_gains_when_the_reference_falls() -> None:
    """Will it dip to 50k: Yes falls as spot rises."""
    assert market_of(entry(direction="inverse"), LISTING, DEFAULTS).direction == -1
    assert market_of(entry(outcome="No", direction="inverse"), LISTING, DEFAULTS).direction == 1


def test_the_default_side_and_pair_hold_only_where_the_entry_names_none() -> None:
    """LEAD_LAG_SIDE and KRAKEN_SPOT_PAIR."""
    defaults = Defaults(outcome="No", spot_pair="ETHUSD")
    unnamed = market_of(entry(outcome=None), LISTING, defaults)
    named = market_of(entry(outcome="Yes", pair="XBTUSD"), LISTING, defaults)
    assert (unnamed.token, unnamed.reference) == (NO, ReferenceId("kraken_spot", "ETHUSD"))
    assert (named.token, named.reference) == (YES, ReferenceId("kraken_spot", "XBTUSD"))


def test_the_market_s_own_fees_are_used_and_the_dearest_are_assumed_while_nothing_is_known() -> None:
    """And none at all with PM_FEES=none."""
    assert market_of(entry(), LISTING, DEFAULTS).fees == FEES
    assert market_of(entry(), None, DEFAULTS).fees == assumed_schedule("")
    assert market_of(entry(), LISTING, replace(DEFAULTS, charges_fees=False)).fees == FREE


def test_yes_and_no_know_each_other() -> None:
    """They are one book seen twice."""
    assert market_of(entry(outcome="Yes"), LISTING, DEFAULTS).complement == NO
    assert market_of(entry(outcome="No"), LISTING, DEFAULTS).complement == YES


def test_a_token_of_the_map_is_used_even_before_its_market_is_known() -> None:
    """`clob_token_id` wins."""
    wanted = MapEntry(name="t", polymarket=PolymarketPart(clob_token_id="22"))
    assert market_of(wanted, None, DEFAULTS).token == NO
    known = market_of(wanted, LISTING, DEFAULTS)
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
    shelf = Shelf(events={"one": (LISTING,), "many": (LISTING, replace(LISTING, slug="n"))})
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
