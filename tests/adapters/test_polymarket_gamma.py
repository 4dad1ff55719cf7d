"""Gamma: a market is taken whole or not at all, and closed does not mean resolved."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gamma_event import Event, parse_event
from adapters.gamma_wire import Life
from adapters.health import Health
from adapters.http import VenueClient
from adapters.polymarket_gamma import Gamma, GammaOutcomes, Listing, parse_listing
from adapters.wire_numbers import clean_name, strict_json
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import ConditionId, Market, TokenId
from domain.ports import Unavailable
from tests.adapters.damages import damages
from tests.adapters.record_cassettes import NOW_MS, OPEN, RESOLVED, StoppedClock, followed, replayed

CONDITION = "0x" + "cd" * 32


def row(**changes: object) -> dict[str, object]:
    """A valid market row, parsed as from the wire, with some fields replaced (None takes one away)."""
    valid: dict[str, object] = {
        "slug": "will-it",
        "question": "Will it?",
        "conditionId": CONDITION,
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": '["111", "222"]',
        "outcomePrices": '["0.4", "0.6"]',
        "orderPriceMinTickSize": Decimal("0.001"),
        "orderMinSize": 5,
        "closed": False,
        "active": True,
        "acceptingOrders": True,
        "feesEnabled": False,
        "endDate": "2026-10-01T12:00:00.5Z",
        "umaResolutionStatuses": "[]",
    }
    return {key: value for key, value in (valid | changes).items() if value is not None}


def resolved(prices: str, **changes: object) -> dict[str, object]:
    """A closed and resolved row with these prices."""
    return row(**({"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": prices} | changes))


def gamma_of(routes: dict[str, object]) -> tuple[VenueClient, list[str]]:
    """A client whose host knows these targets and answers 404 to others, and what was asked."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        asked.append(target)
        body = json.dumps(routes.get(target, {"type": "not found error", "error": "slug not found"}), default=float)
        return httpx.Response(200 if target in routes else 404, stream=httpx.ByteStream(body.encode()))

    transport = httpx.MockTransport(respond)
    client = VenueClient("polymarket_gamma", "http://g.example", clock=StoppedClock(), health=Health(), transport=transport)
    return client, asked


class TestAListing:
    @pytest.mark.parametrize("name", ["gamma_market", "gamma_market_of_token"])
    def test_is_what_the_venue_says_of_a_market(self, name: str) -> None:
        """From the cassettes: by slug and by token."""
        listing = replayed(name)
        assert isinstance(listing, Listing)
        assert listing.slug == OPEN.slug
        assert dict(listing.tokens) == dict(zip(OPEN.outcomes, OPEN.token_ids, strict=True))
        assert (listing.tick_size, listing.min_order_size, listing.accepting) == (Decimal("0.01"), Decimal(5), True)
        assert listing.fees == FeeSchedule(rate=Decimal("0.07"))
        assert (listing.ends_at_ms, listing.payouts) == (OPEN.ends_at_ms, {})

    def test_says_where_it_belongs_and_what_lies_in_its_book(self) -> None:
        """Its event, its group, its place there, its kind of sport, USDC and spread."""
        belongs = {
            "negRiskMarketID": "0x9",
            "groupItemTitle": "Köln",
            "groupItemThreshold": "2",
            "sportsMarketType": "moneyline",
        }
        listing = parse_listing(row(events=[{"slug": "the-event"}], liquidity="12.5", spread=Decimal("0.01"), **belongs))
        assert (listing.event, listing.group, listing.sports_type) == ("the-event", "0x9", "moneyline")
        assert (listing.group_title, listing.group_threshold) == ("Köln", "2")
        assert (listing.liquidity_usdc, listing.spread) == (Decimal("12.5"), Decimal("0.01"))
        assert parse_listing(row(liquidity="12.5", liquidityNum=13)).liquidity_usdc == 13

    @pytest.mark.parametrize(
        "unreadable",
        [
            {"liquidity": "much"},
            {"liquidityNum": -1},
            {"liquidityNum": Decimal("1e-999999999999")},
            {"spread": True},
            {"groupItemTitle": [1]},
            {"events": [7]},
            {"events": {}},
        ],
        ids=str,
    )
    def test_stays_usable_when_what_only_informs_cannot_be_read(self, unreadable: dict[str, object]) -> None:
        """A held position must not lose its market because somebody wrote a liquidity in words."""
        assert parse_listing(row(**unreadable)) == parse_listing(row())

    @pytest.mark.parametrize("key", [key for key in row() if key not in ("slug", "conditionId", "outcomes", "clobTokenIds")])
    def test_takes_null_for_a_missing_key(self, key: str) -> None:
        """Gamma writes either."""
        nulled = row() | {key: None, "feeSchedule": {"rate": None}, "events": None}
        assert parse_listing(nulled) == parse_listing(row(**{key: None}, feeSchedule={}))

    def test_may_have_more_than_two_outcomes(self) -> None:
        """Each with a token; two names or two tokens of one kind are refused as ever."""
        three = row(outcomes='["A", "B", "C"]', clobTokenIds='["1", "2", "3"]', outcomePrices='["0.2", "0.3", "0.5"]')
        assert [name for name, _ in parse_listing(three).tokens] == ["A", "B", "C"]
        for broken in ({"clobTokenIds": '["1", "2", "1"]'}, {"outcomes": '["A", "B", "A"]'}):
            with pytest.raises(Unavailable, match="invalid_tokens"):
                parse_listing(three | broken)

    @pytest.mark.parametrize(
        ("changes", "life"),
        [
            ({}, Life.OPEN),
            ({"acceptingOrders": False}, Life.NOT_ACCEPTING),
            ({"umaResolutionStatus": "proposed"}, Life.PROPOSED),
            ({"umaResolutionStatuses": '["proposed", "disputed"]', "closed": True}, Life.DISPUTED),
            ({"closed": True}, Life.CLOSED),
            ({"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["0", "0"]'}, Life.CLOSED),
            ({"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["0", "1"]'}, Life.RESOLVED),
        ],
        ids=str,
    )
    def test_knows_where_its_market_stands_in_its_life(self, changes: dict[str, object], life: Life) -> None:
        """Resolved only with payouts: `closed` alone settles nothing."""
        assert parse_listing(row(**changes)).status is life

    def test_has_delay_and_deadline_in_milliseconds(self) -> None:
        """Both come in other units."""
        listing = parse_listing(row(secondsDelay=3))
        assert (listing.taker_delay_ms, listing.ends_at_ms) == (3_000, 1_790_856_000_500)
        assert parse_listing(row(endDate="2026-09-15 18:00:00+00")).ends_at_ms == 1_789_495_200_000

    @pytest.mark.parametrize(
        ("changes", "accepting"),
        [
            ({}, True),
            ({"acceptingOrders": False}, False),
            ({"closed": True}, False),
            ({"acceptingOrders": None}, False),
            ({"acceptingOrders": None, "enableOrderBook": True}, True),
            ({"acceptingOrders": None, "enableOrderBook": True, "active": False}, False),
        ],
        ids=str,
    )
    def test_accepts_orders_only_while_open(self, changes: dict[str, object], accepting: bool) -> None:
        """`closed` with `acceptingOrders` exists on the wire, and so does neither."""
        assert parse_listing(row(**changes)).accepting is accepting

    @pytest.mark.parametrize(
        ("changes", "fees"),
        [
            ({"feesEnabled": False, "feeType": "crypto_fees_v2"}, FREE),
            ({"feesEnabled": None}, FREE),
            (
                {"feesEnabled": True, "feeSchedule": {"rate": Decimal("0.05"), "exponent": 2}},
                FeeSchedule(rate=Decimal("0.05"), exponent=Decimal(2)),
            ),
            ({"feesEnabled": True, "feeType": "sports_fees_v3"}, assumed_schedule("sports")),
            ({"feesEnabled": True}, assumed_schedule("")),
            ({"feesEnabled": None, "feeType": "crypto_fees"}, assumed_schedule("crypto")),
        ],
        ids=str,
    )
    def test_charges_what_the_market_says_or_the_category_does(self, changes: dict[str, object], fees: FeeSchedule) -> None:
        """A fee that is charged but not stated is assumed, and marked so."""
        assert parse_listing(row(**changes)).fees == fees

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [
            ({"outcomes": '["A"]'}, "not_binary"),
            ({"outcomes": '["A", "B", "C"]'}, "lengths_differ"),
            ({"clobTokenIds": '["111"]'}, "lengths_differ"),
            ({"clobTokenIds": ""}, "no_tokens"),
            ({"clobTokenIds": "[]"}, "no_tokens"),
            ({"clobTokenIds": None}, "no_tokens"),
            ({"outcomePrices": '["1"]'}, "lengths_differ"),
            ({"clobTokenIds": '["", ""]'}, "no_tokens"),
            ({"clobTokenIds": '["111", ""]'}, "invalid_tokens"),
            ({"clobTokenIds": '["111", "111"]'}, "invalid_tokens"),
            ({"clobTokenIds": '["111", "0x2"]'}, "invalid_tokens"),
            ({"outcomes": '["Yes", "Yes"]'}, "invalid_tokens"),
            ({"clobTokenIds": '["111", 222]'}, "invalid_market"),
            ({"clobTokenIds": '["111", '}, "invalid_market"),
            ({"outcomes": "Yes,No"}, "invalid_market"),
            ({"conditionId": ""}, "invalid_market"),
            ({"slug": None}, "invalid_market"),
            ({"closed": "false"}, "invalid_market"),
            ({"endDate": "2026-13-01T00:00:00Z"}, "invalid_market"),
            ({"endDate": "1970-01-01T00:00:00Z"}, "invalid_market"),
            ({"endDate": "2100-01-01T00:00:00.001Z"}, "invalid_market"),
            ({"feeSchedule": {"rate": 7}}, "invalid_market"),
            ({"secondsDelay": 3_000_000}, "invalid_market"),
            ({"feeSchedule": {"rate": Decimal("1e-999999999999")}}, "invalid_market"),
            ({"orderPriceMinTickSize": Decimal("1e-999999999999")}, "invalid_market"),
        ],
        ids=str,
    )
    def test_that_contradicts_itself_is_refused(self, changes: dict[str, object], kind: str) -> None:
        """A guessed token would trade the wrong side."""
        with pytest.raises(Unavailable) as caught:
            parse_listing(row(**changes))
        assert caught.value.kind == kind

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda x: st.lists(x, max_size=3)))
    def test_of_arbitrary_json_is_a_listing_or_unavailable(self, junk: Any) -> None:
        """Nothing else ever leaves the parser."""
        fields = ("outcomes", "clobTokenIds", "outcomePrices", "endDate", "secondsDelay", "question", "feeSchedule")
        for candidate in (junk, *(row() | {name: junk} for name in fields)):
            try:
                assert len(parse_listing(candidate).tokens) >= 2
            except Unavailable as refused:
                assert refused.source == "polymarket_gamma"  # noqa: PT017  either is right

    @given(damages(row(events=[{"slug": "e"}], feeSchedule={"rate": Decimal("0.05"), "exponent": 1}, liquidityNum=5)))
    def test_that_was_damaged_is_a_listing_or_unavailable(self, damaged: object) -> None:
        """Whatever is left of it: two outcomes or more, each with its token, and a life."""
        with suppress(Unavailable):
            listing = parse_listing(damaged)
            assert len({token for _, token in listing.tokens}) == len({name for name, _ in listing.tokens}) >= 2
            assert listing.status in Life
            assert set(listing.payouts) <= set(dict(listing.tokens).values())


class TestFees:
    def looked_up(self, **changes: object) -> tuple[Listing, dict[str, str]]:
        """A market that charges fees, as of the cassettes' day (September 2026), and the alarms of its look-up."""
        client, _ = gamma_of({"/markets/slug/will-it": row(feesEnabled=True, **changes)})
        listing = asyncio.run(Gamma(client).market("will-it"))
        report = client.health.report(NOW_MS)
        return listing, dict(report["polymarket_gamma"].alarms)

    @pytest.mark.parametrize(
        "fee", [{"feeType": "crypto_fees_v2"}, {"feeType": None}, {"feeType": "crypto_fees_v2", "rate": 0.07}]
    )
    def test_that_the_table_knows_or_the_market_leaves_open_raise_no_alarm(self, fee: dict[str, object]) -> None:
        """An assumed schedule is the table's own."""
        stated = {"feeSchedule": {"rate": fee["rate"], "exponent": 1}} if "rate" in fee else {}
        assert self.looked_up(feeType=fee["feeType"], **stated)[1] == {}

    def test_that_the_table_does_not_know_raise_one_alarm(self) -> None:
        """The market's own numbers are charged all the same."""
        listing, alarms = self.looked_up(feeType="crypto_fees_v3", feeSchedule={"rate": 0.08, "exponent": 1})
        assert listing.fees == FeeSchedule(rate=Decimal("0.08"))
        (text,) = alarms.values()
        assert "crypto_fees_v3: the market charges 0.08 exponent 1, the table of 2026-07-10 says 0.07" in text
        assert "will-it" in text

    def test_have_the_formula_of_their_day(self) -> None:
        """In March 2026 the venue multiplied by the price once more."""
        charging = row(feesEnabled=True, feeType="crypto_fees", feeSchedule={"rate": Decimal("0.25"), "exponent": 2})
        march, today = parse_listing(charging, 1_772_452_800_000).fees, parse_listing(charging).fees
        assert (march.of_notional, today.of_notional) == (True, False)
        assert parse_listing(row(feesEnabled=True, feeType="crypto_fees"), 1_772_452_800_000).fees.rate == Decimal("0.25")


class TestPayouts:
    @pytest.mark.parametrize(
        ("prices", "paid"),
        [('["1", "0"]', ("1", "0")), ('["0", "1"]', ("0", "1")), ('["0.5", "0.5"]', ("0.5", "0.5"))],
    )
    def test_are_exact(self, prices: str, paid: tuple[str, str]) -> None:
        """One winner, or a void."""
        expected = {TokenId("111"): Decimal(paid[0]), TokenId("222"): Decimal(paid[1])}
        assert parse_listing(resolved(prices)).payouts == expected
        by_list = resolved(prices, umaResolutionStatus=None, umaResolutionStatuses='["disputed", "resolved"]')
        assert parse_listing(by_list).payouts == expected

    @pytest.mark.parametrize(
        "candidate",
        [
            resolved('["1", "0"]', closed=False),
            resolved('["1", "0"]', umaResolutionStatus="proposed"),
            resolved('["1", "0"]', umaResolutionStatus=None, umaResolutionStatuses='["resolved", "disputed"]'),
            resolved('["0", "0"]'),
            resolved('["1", "1"]'),
            resolved('["1", "0"]', umaResolutionStatus="disputed", umaResolutionStatuses='["proposed", "resolved"]'),
            resolved('["0.0005", "0.9995"]'),
            resolved('["0.00000004364303498046286702037228176483457", "0.9999999563569650195371329796277182"]'),
            resolved('["NaN", "1"]'),
            resolved("[]"),
        ],
        ids=lambda candidate: str(candidate.get("outcomePrices")),
    )
    def test_are_empty_while_anything_is_in_doubt(self, candidate: dict[str, object]) -> None:
        """All of these were recorded on closed markets, or stand just before the settlement."""
        assert parse_listing(candidate).payouts == {}

    def test_of_three_outcomes_have_one_winner_and_no_void(self) -> None:
        """A half each is a void of two."""
        three = {"outcomes": '["A", "B", "C"]', "clobTokenIds": '["1", "2", "3"]'}
        assert [*parse_listing(resolved('["0", "1", "0"]', **three)).payouts.values()] == [0, 1, 0]
        for prices in ('["0.5", "0.5", "0"]', '["1", "1", "0"]', '["0", "0", "0"]'):
            assert parse_listing(resolved(prices, **three)).payouts == {}

    @pytest.mark.parametrize("name", ["gamma_payouts", "gamma_payouts_by_slug"])
    def test_are_asked_for_by_token_or_else_by_slug(self, name: str) -> None:
        """From the cassettes of a resolved market."""
        first, second = RESOLVED.token_ids
        assert replayed(name) == {first: 1, second: 0}

    def test_are_not_asked_for_without_either(self) -> None:
        """A reference that is no slug asks nothing."""
        client, asked = gamma_of({})
        market = Market(name="x", ref="12345", token=None, outcome="Yes", fees=FREE, condition=ConditionId(CONDITION))
        assert asyncio.run(GammaOutcomes(client).payouts(market)) == {}
        assert asked == []

    def test_of_another_market_are_refused(self) -> None:
        """An answer without our token settles nothing."""
        client, _ = gamma_of({f"/markets?clob_token_ids={RESOLVED.token_ids[0]}": [resolved('["1", "0"]')]})
        with pytest.raises(Unavailable, match="wrong_market"):
            asyncio.run(GammaOutcomes(client).payouts(followed(RESOLVED)))


class TestLookingUp:
    def looked_up(self, routes: dict[str, object], slug: str = "will-it") -> tuple[Listing, list[str]]:
        """The market by slug, and what was asked for it."""
        client, asked = gamma_of(routes)
        return asyncio.run(Gamma(client).market(slug)), asked

    def refused(self, work: Callable[[Gamma], Any], routes: dict[str, object]) -> str:
        """The kind of failure."""
        client, _ = gamma_of(routes)
        with pytest.raises(Unavailable) as caught:
            asyncio.run(work(Gamma(client)))
        return caught.value.kind

    def test_falls_back_to_the_lists_open_and_closed(self) -> None:
        """The list leaves closed markets out unless it is told not to."""
        routes: dict[str, object] = {"/markets?slug=will-it": [], "/markets?slug=will-it&closed=true": [row(closed=True)]}
        listing, asked = self.looked_up(routes)
        assert listing.closed
        assert asked == ["/markets/slug/will-it", "/markets?slug=will-it", "/markets?slug=will-it&closed=true"]

    @pytest.mark.parametrize("body", [[row()], {"markets": [row()], "next_cursor": "x"}, {"data": [row()]}], ids=str)
    def test_takes_an_object_a_list_of_one_and_a_page_of_one(self, body: object) -> None:
        """Gamma has answered in all these ways."""
        assert self.looked_up({"/markets/slug/will-it": row()}) == self.looked_up({"/markets/slug/will-it": body})

    def test_goes_on_after_an_empty_page(self) -> None:
        """A page without rows knows nothing, as an empty list does."""
        empty: dict[str, object] = {"/markets/slug/will-it": {"markets": None}, "/markets?slug=will-it": {"data": []}}
        listing, asked = self.looked_up(empty | {"/markets?slug=will-it&closed=true": {"markets": [row()]}})
        assert (listing.slug, len(asked)) == ("will-it", 3)

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (row(slug="another"), "wrong_market"),
            ([row(), row()], "duplicate_market"),
            ({"error": "x"}, "invalid_market"),
            (None, "invalid_body"),
            ({"markets": "x"}, "invalid_body"),
            ({"data": [row(), row()]}, "duplicate_market"),
            (row(outcomes="[]"), "not_binary"),
        ],
        ids=str,
    )
    def test_never_takes_another_market(self, body: object, kind: str) -> None:
        """The slug must be the asked one, once."""
        assert self.refused(lambda gamma: gamma.market("will-it"), {"/markets/slug/will-it": body}) == kind

    def test_of_what_is_not_there_says_so(self) -> None:
        """By slug, by token, and of an event."""
        nowhere: dict[str, object] = {
            f"/{kind}?{query}{closed}": []
            for kind, query in (("markets", "slug=x"), ("events", "slug=x"), ("markets", "clob_token_ids=7"))
            for closed in ("", "&closed=true")
        }
        assert self.refused(lambda gamma: gamma.market("x"), nowhere) == "unknown_market"
        assert self.refused(lambda gamma: gamma.event("x"), nowhere) == "unknown_market"
        assert self.refused(lambda gamma: gamma.market_of_token(TokenId("7")), nowhere) == "unknown_market"

    @pytest.mark.parametrize("slug", ["", "..", "../trap", "a b", "a/b", "?x"])
    def test_asks_nothing_for_what_is_no_slug(self, slug: str) -> None:
        """A slug goes into a path."""
        assert self.refused(lambda gamma: gamma.market(slug), {}) == "invalid_slug"
        assert self.refused(lambda gamma: gamma.event(slug), {}) == "invalid_slug"


class TestAnEvent:
    def test_has_its_markets(self) -> None:
        """From the cassette."""
        event = replayed("gamma_event")
        assert isinstance(event, Event)
        assert (event.slug, event.title, event.three_way) == (OPEN.slug, OPEN.question, None)
        assert [(listing.slug, listing.event) for listing in event.listings] == [(OPEN.slug, OPEN.slug)]

    def test_loses_only_the_markets_that_cannot_be_used(self) -> None:
        """Each for its own reason; of two that claim one token, neither is believed."""
        other = row(slug="b", clobTokenIds='["333", "444"]')
        rows = [row(), row(slug="c", clobTokenIds='["222", "555"]'), other, row(outcomes="[]"), None]
        event = parse_event({"slug": "e", "markets": rows})
        assert [listing.slug for listing in event.listings] == ["b"]
        assert sorted(event.refused) == ["duplicate_market", "duplicate_market", "invalid_market", "not_binary"]

    def test_counts_what_it_lost(self) -> None:
        """A skipped market is visible in the health."""
        client, _ = gamma_of({"/events/slug/e": {"slug": "e", "markets": [row(), None]}})
        assert len(asyncio.run(Gamma(client).event("e")).listings) == 1
        assert client.health.report(NOW_MS)["polymarket_gamma"].errors == {"invalid_market": 1}

    @pytest.mark.parametrize(
        ("event", "kind"),
        [
            ({"slug": "e", "markets": [None]}, "invalid_market"),
            ({"slug": "e", "markets": []}, "no_market"),
            ({"slug": "e", "title": "E"}, "no_market"),
            ({"slug": "e"}, "invalid_event"),
            ({"slug": "e", "markets": {}}, "invalid_event"),
        ],
        ids=str,
    )
    def test_without_a_usable_market_is_refused(self, event: object, kind: str) -> None:
        """With the first reason."""
        client, _ = gamma_of({"/events/slug/e": event})
        with pytest.raises(Unavailable, match=kind):
            asyncio.run(Gamma(client).event("e"))

    @pytest.mark.parametrize("wrap", [lambda event: [event], lambda event: {"events": [event], "next_cursor": "x"}])
    def test_is_taken_from_a_list_or_a_page_too(self, wrap: Callable[[object], object]) -> None:
        """As markets are."""
        client, _ = gamma_of({"/events/slug/e": wrap({"slug": "e", "markets": [row()]})})
        assert asyncio.run(Gamma(client).event("e")).slug == "e"


@given(st.text(), st.text())
def test_a_clean_name_can_be_written_and_shown(text: str, more: str) -> None:
    """UTF-8, one line, no direction marks, at most 200 letters."""
    name = clean_name(f"{text}\ud800\u202e\x00\n{more}" * 50)
    assert len(name) <= 200
    assert name.encode().decode() == name
    assert not set(name) & {"\u202e", "\x00", "\n", "\r"}
    assert strict_json(json.dumps(name).encode()) == name
