"""Discovery: what a scan asks, when it ends, and why each market was kept or left."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import httpx
import pytest

from adapters.discovery import EVENTS_A_PAGE, Candidate, Discovery, ScanReason, Wishes
from adapters.health import Health
from adapters.http import VenueClient
from adapters.polymarket_gamma import Gamma
from adapters.portal.cells import csv_line
from adapters.portal.scan import scan_rows
from domain.market import OrderBook, TokenId
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock
from tests.builders import book

WISHES = Wishes(
    limit=50,
    binary_only=True,
    draws_only=False,
    min_liquidity_usdc=Decimal(1000),
    max_spread=Decimal("0.10"),
    falling_words_refused=True,
)
LED = replace(WISHES, led_by=("bitcoin", "btc"))
DRAWS = replace(WISHES, binary_only=False, draws_only=True, falling_words_refused=False)
FIRST = f"/events/keyset?closed=false&active=true&limit={EVENTS_A_PAGE}&order=volume24hr&ascending=false"


def found(text: str, page: int) -> str:
    """The target of one page of a search."""
    return f"/public-search?q={text}&events_status=active&limit_per_type={EVENTS_A_PAGE}&page={page}"


def market(number: int, **changes: object) -> dict[str, object]:
    """An open Yes/No market whose tokens are `<number>1` and `<number>2`, with some fields replaced."""
    return {
        "slug": f"m{number}",
        "question": f"Will it rise {number}?",
        "conditionId": f"0x{number:064x}",
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": json.dumps([f"{number}1", f"{number}2"]),
        "acceptingOrders": True,
        "liquidityNum": 5000,
        "spread": 0.03,
    } | changes


def event(slug: str, *markets: object, **changes: object) -> dict[str, object]:
    """An event of these markets."""
    return {"slug": slug, "title": f"Event {slug}", "markets": list(markets)} | changes


def match(slug: str = "bun-aug-koe-2026-02-27", group: str = "0xa1", first: int = 91) -> dict[str, object]:
    """A football match: away, home, draw."""
    ways = (("koe", "Köln"), ("aug", "Augsburg"), ("draw", "Draw (Augsburg vs. Köln)"))
    rows = [
        market(
            first + n,
            slug=f"{slug}-{code}",
            question="Will Augsburg vs. Köln end in a draw?" if code == "draw" else f"Will {title} win?",
            negRiskMarketID=group,
            groupItemTitle=title,
            sportsMarketType="moneyline",
        )
        for n, (code, title) in enumerate(ways)
    ]
    return event(slug, *rows)


@dataclass
class Shelf:
    """Books by token, as a port; what was asked."""

    on_it: Mapping[TokenId, OrderBook] = field(default_factory=dict)
    failure: Unavailable | None = None
    asked: list[list[TokenId]] = field(default_factory=list)

    async def books(self, tokens: Sequence[TokenId]) -> Mapping[TokenId, OrderBook]:
        """Those that are there."""
        self.asked.append(list(tokens))
        if self.failure is not None:
            raise self.failure
        return {token: self.on_it.get(token, book(token=token)) for token in tokens if token != "301"}


@dataclass
class Scene:
    """Gamma's answers by target (another target is a 404), and a discovery over them."""

    answers: dict[str, object]
    wishes: Wishes = WISHES
    shelf: Shelf = field(default_factory=Shelf)
    asked: list[str] = field(default_factory=list)
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        """Answer over HTTP."""
        transport = httpx.MockTransport(self._respond)
        client = VenueClient(
            "polymarket_gamma", "http://g.example", clock=StoppedClock(), health=self.health, transport=transport
        )
        self.discovery = Discovery(
            gamma=Gamma(client), books=self.shelf, clock=StoppedClock(), health=self.health, wishes=self.wishes
        )

    def _respond(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        self.asked.append(target)
        answer = self.answers.get(target)
        content = answer if isinstance(answer, bytes) else json.dumps({"error": "x"} if answer is None else answer).encode()
        return httpx.Response(404 if answer is None else 200, stream=httpx.ByteStream(content))

    def scanned(self) -> dict[str, str]:
        """One scan: the reason of each market by its slug, or by that of its event."""
        return {candidate.slug or candidate.event.slug: candidate.reason for candidate in asyncio.run(self.discovery.scan())}

    def only(self) -> Candidate:
        """The one candidate of one scan."""
        (candidate,) = asyncio.run(self.discovery.scan())
        return candidate


def listed(*events: object, wishes: Wishes = WISHES, shelf: Shelf | None = None) -> Scene:
    """One page of the busiest events."""
    return Scene({FIRST: {"events": list(events)}}, wishes=wishes, shelf=shelf or Shelf())


class TestAScan:
    def test_reads_the_busiest_events_page_by_page_and_asks_for_all_books_at_once(self) -> None:
        """Until a page has no cursor."""
        second = f"{FIRST}&after_cursor=abc"
        scene = Scene(
            {FIRST: {"events": [event("a", market(1))], "next_cursor": "abc"}, second: {"events": [event("b", market(2))]}}
        )
        assert scene.scanned() == {"m1": "kept", "m2": "kept"}
        assert scene.asked == [FIRST, second]
        assert scene.shelf.asked == [["11", "21"]]

    def test_asks_for_no_book_when_nothing_passed(self) -> None:
        """An empty request would be a malformed one."""
        assert listed().scanned() == {}
        assert listed(event("a", market(1, closed=True))).scanned() == {"m1": "closed"}

    @pytest.mark.parametrize("cursor", ["abc", "", None, "LTE="])
    def test_ends_where_pages_repeat(self, cursor: str | None) -> None:
        """A cursor met before, or a page without anything new: a venue that ignores the cursor sends page 1 for ever."""
        page = {"events": [event("a", market(1))], "next_cursor": cursor}
        scene = Scene({FIRST: page, f"{FIRST}&after_cursor=abc": page})
        assert scene.scanned() == {"m1": "kept"}
        assert len(scene.asked) <= 2

    def test_ends_where_a_cursor_leads_back(self) -> None:
        """Even when each page brings something new."""
        second = f"{FIRST}&after_cursor=abc"
        scene = Scene(
            {
                FIRST: {"events": [event("a", market(1))], "next_cursor": "abc"},
                second: {"events": [event("b", market(2))], "next_cursor": "abc"},
            }
        )
        assert len(scene.scanned()) == 2
        assert scene.asked == [FIRST, second]

    def test_looks_at_so_many_markets_and_no_page_more(self) -> None:
        """What lies beyond the limit in an event that was read is said to."""
        page = {
            "events": [event("a", market(1)), event("b", market(2), market(3)), event("c", market(4))],
            "next_cursor": "abc",
        }
        scene = Scene({FIRST: page}, wishes=replace(WISHES, limit=2))
        assert scene.scanned() == {"m1": "kept", "m2": "kept", "m3": "beyond_limit"}
        assert scene.asked == [FIRST]
        assert "2 (PM_SCAN_LIMIT)" in [candidate.notes for candidate in scene.discovery.candidates]

    def test_goes_event_by_event_where_a_page_is_too_large(self) -> None:
        """Busy events hold a hundred markets, and an answer is read up to four megabytes."""
        one = FIRST.replace(f"limit={EVENTS_A_PAGE}", "limit=1")
        scene = Scene({FIRST: b" " * (5 * 1024 * 1024), one: {"events": [event("a", market(1))]}})
        assert scene.scanned() == {"m1": "kept"}

    def test_that_searches_follows_the_pages_of_the_search(self) -> None:
        """While there is more."""
        answers: dict[str, object] = {
            found("bitcoin+price", 1): {"events": [event("a", market(1))], "pagination": {"hasMore": True}},
            found("bitcoin+price", 2): {"events": [event("b", market(2))], "pagination": {"hasMore": False}},
        }
        scene = Scene(answers, wishes=replace(WISHES, search="bitcoin price"))
        assert scene.scanned() == {"m1": "kept", "m2": "kept"}
        assert scene.asked == list(answers)

    def test_that_searches_ends_where_pages_repeat_and_where_there_is_nothing(self) -> None:
        """`hasMore` is only a word."""
        page = {"events": [event("a", market(1))], "pagination": {"hasMore": True}}
        scene = Scene({found("x", n): page for n in (1, 2, 3)}, wishes=replace(WISHES, search="x"))
        assert scene.scanned() == {"m1": "kept"}
        assert len(scene.asked) == 2
        nothing = {"events": None, "pagination": {"hasMore": True}}
        assert Scene({found("x", 1): nothing}, wishes=replace(WISHES, search="x")).scanned() == {}

    def test_asks_for_an_event_where_its_row_is_too_short(self) -> None:
        """Without markets, and with a draw whose group is missing; not where everything is there."""
        whole = match()
        reduced = [{key: value for key, value in row.items() if key != "negRiskMarketID"} for row in whole["markets"]]  # type: ignore[attr-defined]
        rows = [event("a", market(1)), {"slug": "b", "title": "B"}, {**whole, "markets": reduced}]
        slug = "bun-aug-koe-2026-02-27"
        answers: dict[str, object] = {
            found("x", 1): {"events": rows},
            "/events/slug/b": event("b", market(2)),
            f"/events/slug/{slug}": whole,
        }
        scene = Scene(answers, wishes=replace(DRAWS, search="x"))
        assert scene.scanned() == {"m1": "not_match_draw", "m2": "not_match_draw", f"{slug}-draw": "kept"}
        assert scene.asked == [found("x", 1), "/events/slug/b", f"/events/slug/{slug}"]

    def test_says_when_an_event_cannot_be_read(self) -> None:
        """The scan goes on without it."""
        scene = listed({"slug": "b", "title": "B"}, event("a", market(1)), event("c", None, market(2)))
        scene.answers |= {"/events?slug=b": [], "/events?slug=b&closed=true": []}
        assert scene.scanned() == {"b": "unknown_market", "m1": "kept", "c": "invalid_market", "m2": "kept"}

    def test_that_fails_keeps_what_the_one_before_found_and_says_so(self) -> None:
        """In health, as the source `discovery`."""
        scene = listed(event("a", market(1)))
        scene.scanned()
        assert scene.health.report(NOW_MS)["discovery"].ok
        for broken in ({"events": 7}, b"<html>"):
            scene.answers[FIRST] = broken
            with pytest.raises(Unavailable):
                asyncio.run(scene.discovery.scan())
        assert [candidate.slug for candidate in scene.discovery.candidates] == ["m1"]
        report = scene.health.report(NOW_MS)["discovery"]
        assert (report.ok, report.errors) == (False, {"invalid_body": 1, "not_json": 1})

    def test_fails_when_books_cannot_be_asked_for_but_not_when_there_are_none(self) -> None:
        """None at all is what new markets look like."""
        scene = listed(event("a", market(1)), shelf=Shelf(failure=Unavailable("polymarket_clob", "timeout")))
        with pytest.raises(Unavailable, match="timeout"):
            asyncio.run(scene.discovery.scan())
        scene = listed(event("a", market(1)), shelf=Shelf(failure=Unavailable("polymarket_clob", "no_book")))
        assert scene.scanned() == {"m1": "no_orderbook"}

    def test_in_the_background_goes_on_after_a_failure(self) -> None:
        """The next scan finds what the first could not."""
        scene = Scene({})

        async def kept_scanning() -> tuple[Candidate, ...]:
            scanning = asyncio.create_task(scene.discovery.keep_scanning(0.01))
            async with asyncio.timeout(5):
                while not scene.asked:
                    await asyncio.sleep(0.001)
                scene.answers[FIRST] = {"events": [event("a", market(1))]}
                while not scene.discovery.candidates:
                    await asyncio.sleep(0.001)
            scanning.cancel()
            return scene.discovery.candidates

        assert [candidate.slug for candidate in asyncio.run(kept_scanning())] == ["m1"]


UP_DOWN: dict[str, object] = {"outcomes": '["Up", "Down"]'}
THREE: dict[str, object] = {"outcomes": '["A", "B", "C"]', "clobTokenIds": '["1", "2", "3"]'}

LEFT: tuple[tuple[dict[str, object], Wishes, ScanReason, str], ...] = (
    ({"liquidityNum": 999}, WISHES, ScanReason.LOW_LIQUIDITY, "999 < 1000 USDC (PM_SCAN_MIN_LIQUIDITY_USDC)"),
    ({"liquidityNum": None}, WISHES, ScanReason.LOW_LIQUIDITY, "unknown < 1000 USDC (PM_SCAN_MIN_LIQUIDITY_USDC)"),
    ({"closed": True}, WISHES, ScanReason.CLOSED, "closed"),
    ({"acceptingOrders": False}, WISHES, ScanReason.NOT_ACCEPTING, "the venue takes no orders (not_accepting)"),
    ({"acceptingOrders": False, "umaResolutionStatus": "proposed"}, WISHES, ScanReason.NOT_ACCEPTING, "(proposed)"),
    ({"slug": "12345"}, WISHES, ScanReason.INVALID_SLUG, "nothing can be asked by this slug"),
    ({"slug": "two words"}, WISHES, ScanReason.INVALID_SLUG, "nothing can be asked by this slug"),
    (THREE, WISHES, ScanReason.NOT_BINARY, "3 outcomes (PM_SCAN_BINARY_ONLY=1)"),
    ({}, DRAWS, ScanReason.NOT_MATCH_DRAW, "only draws"),
    ({"question": "A vs. B: Draw at halftime?"}, DRAWS, ScanReason.NOT_MATCH_DRAW, "only draws"),
    ({"question": "Will Katie win the match?"}, DRAWS, ScanReason.NOT_MATCH_DRAW, "only draws"),
    ({"sportsMarketType": "totals"}, WISHES, ScanReason.DIRECTION_UNCLEAR, "a match (totals): spot does not lead it"),
    ({"question": "Will Katie win?"}, LED, ScanReason.OTHER_ASSET, "names none of bitcoin, btc"),
    ({"groupItemTitle": "↓ 50,000"}, WISHES, ScanReason.DIRECTION_UNCLEAR, "must be said in the map"),
)

KEPT: tuple[tuple[dict[str, object], Wishes], ...] = (
    ({"question": "Will BTC rise?"}, LED),
    ({}, WISHES),
    ({"liquidityNum": None}, replace(WISHES, min_liquidity_usdc=None)),
    ({"question": "Will bitcoin dip to $50k?"}, replace(WISHES, falling_words_refused=False)),
    ({"question": "Bitcoin up or down, below 5 minutes", **UP_DOWN}, WISHES),
    ({"question": "Will the underdog win the crashing waterfall contest?"}, WISHES),
    (THREE, replace(WISHES, binary_only=False)),
    ({"question": "Will A vs. B end in a draw?"}, DRAWS),
)


class TestAMarket:
    @pytest.mark.parametrize(("changes", "wishes", "reason", "notes"), LEFT, ids=str)
    def test_is_left_for_its_reason(self, changes: dict[str, object], wishes: Wishes, reason: ScanReason, notes: str) -> None:
        """With the number, the limit and the variable that would let it in; no book is asked for."""
        scene = listed(event("a", market(1, **changes)), wishes=wishes)
        candidate = scene.only()
        assert (candidate.kept, candidate.reason) == (False, reason)
        assert notes in candidate.notes
        assert scene.shelf.asked == []

    @pytest.mark.parametrize(
        "words", ["dip to", "be below", "close under", "be less than", "fall to", "drop to", "crash to", "go lower than"]
    )
    def test_whose_words_fall_needs_a_person_to_say_its_direction(self, words: str) -> None:
        """A mode that is led by spot would buy it when it should sell."""
        assert listed(event("a", market(1, question=f"Will bitcoin {words} $50k?"))).only().reason == "direction_unclear"

    @pytest.mark.parametrize(("changes", "wishes"), KEPT, ids=str)
    def test_is_kept_when_every_wish_is_met(self, changes: dict[str, object], wishes: Wishes) -> None:
        """With its real quote."""
        candidate = listed(event("a", market(1, **changes)), wishes=wishes).only()
        assert (candidate.kept, candidate.reason, candidate.notes) == (True, "kept", "bid 0.50 ask 0.51")
        assert candidate.spread == Decimal("0.01")

    @pytest.mark.parametrize(
        ("quote", "reason", "spread"),
        [
            ("0.40/0.51", ScanReason.WIDE_SPREAD, "0.11"),
            ("0.01/0.99", ScanReason.WIDE_SPREAD, "0.98"),
            ("0.52/0.51", ScanReason.CROSSED_BOOK, "-0.01"),
            ("0.50/", ScanReason.ONE_SIDED_BOOK, "0.03"),
            ("/0.51", ScanReason.ONE_SIDED_BOOK, "0.03"),
            ("/", ScanReason.ONE_SIDED_BOOK, "0.03"),
        ],
    )
    def test_is_left_when_its_book_is_no_good(self, quote: str, reason: ScanReason, spread: str) -> None:
        """Gamma's own spread is shown only where the book has none."""
        token = TokenId("11")
        candidate = listed(event("a", market(1)), shelf=Shelf({token: book(quote, token=token)})).only()
        assert (candidate.reason, candidate.spread) == (reason, Decimal(spread))

    def test_with_a_wide_spread_says_which_and_how_to_let_it_in(self) -> None:
        """The number, the limit, the variable."""
        shelf = Shelf({TokenId("11"): book("0.40/0.51", token=TokenId("11"))})
        assert listed(event("a", market(1)), shelf=shelf).only().notes == "0.11 > 0.10 (PM_SCAN_MAX_SPREAD)"
        assert listed(event("a", market(1)), shelf=shelf, wishes=replace(WISHES, max_spread=None)).only().kept

    def test_without_a_book_or_tokens_yet_is_tried_again(self) -> None:
        """Markets are listed minutes before the exchange knows them."""
        scene = listed(event("a", market(30)), event("b", market(2, clobTokenIds='["", ""]')))
        first = asyncio.run(scene.discovery.scan())
        assert [candidate.reason for candidate in first] == ["no_orderbook", "no_tokens"]
        assert {candidate.notes for candidate in first} == {"listed, not hydrated yet (or gone): tried again by the next scan"}
        scene.answers[FIRST] = {"events": [event("b", market(2))]}
        assert scene.scanned() == {"m2": "kept"}

    def test_that_stands_in_two_events_is_one(self) -> None:
        """The second is a duplicate."""
        (first, second) = asyncio.run(listed(event("a", market(1)), event("b", market(1))).discovery.scan())
        assert (first.reason, second.reason) == ("kept", "duplicate")


class TestAMatch:
    def test_is_one_row_that_stands_for_three_markets(self) -> None:
        """The draw is what is kept, and its event holds the set: nobody must ask again."""
        scene = listed(match(), wishes=DRAWS)
        candidate = scene.only()
        assert (candidate.kept, candidate.kind, candidate.slug) == (True, "three_way", "bun-aug-koe-2026-02-27-draw")
        assert candidate.event.three_way is not None
        assert candidate.token == candidate.event.three_way.draw.token == "931"
        assert candidate.url == "https://polymarket.com/event/bun-aug-koe-2026-02-27/bun-aug-koe-2026-02-27-draw"

    def test_is_left_out_where_only_binaries_are_wanted(self) -> None:
        """All three of it: its teams are no markets of their own."""
        candidate = listed(match()).only()
        assert (candidate.reason, candidate.notes) == ("not_binary", "a three-way set (PM_SCAN_BINARY_ONLY=1)")

    def test_of_three_outcomes_is_one_too(self) -> None:
        """The token is the draw's."""
        one = market(1, outcomes='["A", "Draw", "B"]', clobTokenIds='["1", "2", "3"]', question="A vs. B")
        candidate = listed(event("a-b", one), wishes=DRAWS).only()
        assert (candidate.kept, candidate.kind, candidate.token) == (True, "three_way", "2")

    def test_s_half_beside_it_is_left(self) -> None:
        """Sister events share its id and its words."""
        slug = "bun-aug-koe-2026-02-27-halftime-result"
        reasons = listed(match(), match(slug, "0xb2", 71), wishes=DRAWS).scanned()
        assert reasons.pop("bun-aug-koe-2026-02-27-draw") == "kept"
        assert set(reasons.values()) == {"not_match_draw"}
        assert len(reasons) == 3


def test_candidates_are_rows_of_the_portal() -> None:
    """One each, in their order, and the file can be written."""
    scene = listed(match(), event("a", market(1, liquidityNum=7)), event("c", None), wishes=replace(DRAWS, draws_only=False))
    rows = scan_rows(asyncio.run(scene.discovery.scan()))
    assert [(row.slug, row.kind, row.kept, row.reason) for row in rows] == [
        ("bun-aug-koe-2026-02-27-draw", "three_way", 1, "kept"),
        ("m1", "binary", 0, "low_liquidity"),
        ("", "", 0, "invalid_market"),
    ]
    assert (rows[1].market, rows[1].liquidity_usdc) == ("Will it rise 1?", Decimal(7))
    assert rows[2].url == "https://polymarket.com/event/c"
    assert b"low_liquidity" in csv_line(rows[1])
