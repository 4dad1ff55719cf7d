"""Events: a match is its three markets in whatever order, nothing that looks like it is one, and pages end."""

import json
import time
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gamma_event import Event, Page, parse_event, parse_page
from adapters.http import Body
from adapters.wire_numbers import strict_json
from domain.market import Moment
from domain.ports import Unavailable
from tests.adapters.damages import damages
from tests.adapters.record_cassettes import MATCH as RECORDED
from tests.adapters.record_cassettes import replayed

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared/payloads/polymarket"
CAPTURED = PAYLOADS / "gamma_events__soccer_3way_bun-aug-koe-2026-02-27_live_in_play.json"
MATCH = "bun-aug-koe-2026-02-27"
MOMENT = Moment(at_ms=1_790_000_000_000, elapsed_ms=0)


def way(code: str, number: int, **changes: object) -> dict[str, object]:
    """One of the three markets of the match, with some fields replaced (None takes one away)."""
    title = {"aug": "FC Augsburg", "koe": "1. FC Köln", "draw": "Draw (FC Augsburg vs. 1. FC Köln)"}.get(code, code)
    draw = "Will FC Augsburg vs. 1. FC Köln end in a draw?"
    valid: dict[str, object] = {
        "slug": f"{MATCH}-{code}",
        "question": draw if code == "draw" else f"Will {title} win on 2026-02-27?",
        "conditionId": f"0x{number:064x}",
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": json.dumps([f"{number}1", f"{number}2"]),
        "acceptingOrders": True,
        "sportsMarketType": "moneyline",
        "negRiskMarketID": "0xa1",
        "groupItemTitle": title,
        "groupItemThreshold": {"aug": "0", "draw": "1", "koe": "2"}.get(code, "9"),
    }
    return {key: value for key, value in (valid | changes).items() if value is not None}


def match(*rows: dict[str, object], slug: str = MATCH) -> Event:
    """An event of these markets."""
    return parse_event({"slug": slug, "title": "FC Augsburg vs. 1. FC Köln", "markets": list(rows)})


def ways(event: Event) -> tuple[str, ...] | None:
    """The codes of home, draw and away."""
    return tuple(leg.slug.removeprefix(f"{MATCH}-") for leg in event.three_way.legs) if event.three_way else None


KOE, AUG, DRAW = way("koe", 1), way("aug", 2), way("draw", 3)


class TestAMatch:
    @pytest.mark.parametrize("rows", tuple(permutations((KOE, AUG, DRAW))))
    def test_is_home_draw_and_away_in_any_order_of_its_rows(self, rows: tuple[dict[str, object], ...]) -> None:
        """The threshold says who is who."""
        found = match(*rows).three_way
        assert found is not None
        assert [(leg.name, leg.token) for leg in found.legs] == [
            ("FC Augsburg", "21"),
            ("Draw (FC Augsburg vs. 1. FC Köln)", "31"),
            ("1. FC Köln", "11"),
        ]
        assert found.event == MATCH

    @pytest.mark.parametrize("rows", tuple(permutations((KOE, AUG, DRAW))))
    def test_without_thresholds_takes_the_order_of_the_codes_in_its_slug(self, rows: tuple[dict[str, object], ...]) -> None:
        """`{league}-{home}-{away}-{date}`."""
        assert ways(match(*({**row, "groupItemThreshold": None} for row in rows))) == ("aug", "draw", "koe")

    @pytest.mark.parametrize(
        "draw",
        [
            way("draw", 3, groupItemTitle=None),
            way("draw", 3, slug="another-slug"),
            way("draw", 3, sportsMarketType=None),
            way("draw", 3, outcomes='["No", "Yes"]', clobTokenIds='["32", "31"]'),
        ],
        ids=str,
    )
    def test_knows_its_draw_by_slug_or_by_title(self, draw: dict[str, object]) -> None:
        """Either will do, and the Yes token is the one named Yes."""
        found = match(AUG, draw, KOE).three_way
        assert found is not None
        assert found.draw.token == "31"

    def test_may_stand_beside_other_markets(self) -> None:
        """A handicap in the same event is not a fourth way to end."""
        more = way("more", 4, sportsMarketType="spreads")
        other = way("other", 5, negRiskMarketID="0xb2")
        assert ways(match(more, KOE, AUG, DRAW, other)) == ("aug", "draw", "koe")

    @pytest.mark.parametrize(
        "rows",
        [
            (KOE, AUG),
            (KOE, AUG, DRAW, way("four", 4)),
            (KOE, AUG, way("draw", 3, negRiskMarketID="0xb2")),
            (way("koe", 1, negRiskMarketID=None), way("aug", 2, negRiskMarketID=None), way("draw", 3, negRiskMarketID=None)),
            (KOE, AUG, way("draw", 3, sportsMarketType="soccer_halftime_result")),
            (KOE, AUG, way("draw", 3, question="FC Augsburg vs. 1. FC Köln: Draw at halftime?")),
            (KOE, AUG, way("draw", 3, outcomes='["FC Augsburg", "1. FC Köln"]')),
            (KOE, AUG, way("three", 3)),
            (KOE, way("draw", 2), way("draw", 3)),
            (KOE, way("a", 2), DRAW),
            (KOE, AUG, {**DRAW, "clobTokenIds": ""}),
        ],
        ids=lambda rows: " ".join(str(row["slug"]) for row in rows),
    )
    def test_is_not_seen_in_anything_else(self, rows: tuple[dict[str, object], ...]) -> None:
        """Three markets, one group, one draw of the whole match, two teams that can be told apart."""
        assert match(*rows).three_way is None

    @pytest.mark.parametrize("sister", ["halftime-result", "second-half-result", "exact-score", "more-markets", "player-props"])
    def test_is_not_seen_in_its_sister_events(self, sister: str) -> None:
        """They share the match's id."""
        assert match(KOE, AUG, DRAW, slug=f"{MATCH}-{sister}").three_way is None

    def test_may_be_one_market_of_three_outcomes(self) -> None:
        """The same value, with the one slug."""
        outcomes = {"outcomes": '["FC Augsburg", "Draw", "1. FC Köln"]', "clobTokenIds": '["1", "2", "3"]'}
        found = match(way("winner", 1, **outcomes)).three_way
        assert found is not None
        assert [(leg.slug, leg.name, leg.token) for leg in found.legs] == [
            (f"{MATCH}-winner", "FC Augsburg", "1"),
            (f"{MATCH}-winner", "Draw", "2"),
            (f"{MATCH}-winner", "1. FC Köln", "3"),
        ]
        assert match(way("winner", 1, **outcomes, question="Half-time result")).three_way is None
        assert match(way("winner", 1, **(outcomes | {"outcomes": '["A", "Drawsko", "B"]'}))).three_way is None

    @pytest.mark.parametrize("outcomes", [("FaZe", "illwill"), ("Yes", "No")])
    def test_of_two_ways_is_no_set(self, outcomes: tuple[str, str]) -> None:
        """Tennis and esports have moneylines too."""
        assert match(way("winner", 1, outcomes=json.dumps(outcomes))).three_way is None

    @pytest.mark.skipif(not CAPTURED.exists(), reason="the collected payloads are not beside this checkout")
    def test_is_found_in_the_captured_event_in_any_order(self) -> None:
        """As Gamma gave it on 2026-02-27, away first."""
        rows = strict_json(CAPTURED.read_bytes())
        assert isinstance(rows, list)
        for order in permutations(rows[0]["markets"]):
            event = parse_event({**rows[0], "markets": list(order)})
            assert ways(event) == ("aug", "draw", "koe")
            assert [listing.slug for listing in event.listings if listing.match_draw] == [f"{MATCH}-draw"]


def page(json: object) -> Page:
    """An answer as a page."""
    return parse_page(Body(json=json, status=200, requested=MOMENT))


class TestAPage:
    def test_has_events_and_the_cursor_of_the_next(self) -> None:
        """Reduced rows have no markets; an unreadable one is told by its kind."""
        rows = [{"slug": "a", "title": "A"}, {"slug": "b", "markets": [KOE]}, None]
        found = page({"events": rows, "next_cursor": "abc"})
        assert [(event.slug, len(event.listings)) for event in found.events] == [("a", 0), ("b", 1)]
        assert (found.cursor, found.more, found.refused) == ("abc", False, ("invalid_event",))

    @pytest.mark.parametrize("cursor", [{}, {"next_cursor": None}, {"next_cursor": ""}, {"next_cursor": "LTE="}], ids=str)
    def test_is_the_last_without_a_cursor(self, cursor: dict[str, object]) -> None:
        """The key is absent, or says so."""
        assert page({"events": [], **cursor}).cursor == ""

    def test_of_a_search_says_whether_there_is_more(self) -> None:
        """No events at all is an answer."""
        assert page({"events": [{"slug": "a", "title": "A"}], "pagination": {"hasMore": True}}).more
        assert page({"events": None, "pagination": {"hasMore": False}}) == Page(events=())

    def test_of_as_many_markets_as_an_answer_can_hold_takes_no_ticks_time(self) -> None:
        """Nine thousand short rows, each its own group: ten seconds of the event loop when all are compared with all."""
        rows = [way(f"c{n}", n, negRiskMarketID=f"g{n}") for n in range(9_000)]
        began_s = time.process_time()
        (event,) = page({"events": [{"slug": MATCH, "markets": rows}]}).events
        assert time.process_time() - began_s < 4
        assert len(event.listings) == 9_000

    @pytest.mark.parametrize(
        ("body", "kind"), [("x", "invalid_body"), ({"events": 3}, "invalid_body"), ({"error": "x"}, "invalid_event")], ids=str
    )
    def test_that_is_none_is_refused(self, body: object, kind: str) -> None:
        """An error with HTTP 200 among them."""
        with pytest.raises(Unavailable, match=kind):
            page(body)

    @given(damages({"events": [{"slug": MATCH, "title": "A", "markets": [KOE, AUG, DRAW]}], "next_cursor": "a"}))
    def test_that_was_damaged_holds_a_whole_match_or_none(self, damaged: Any) -> None:
        """Three tokens of three markets of one event, or no set at all."""
        with suppress(Unavailable):
            for event in page(damaged).events:
                if event.three_way:
                    assert len({leg.token for leg in event.three_way.legs}) == 3
                    assert {leg.slug for leg in event.three_way.legs} <= {listing.slug for listing in event.listings}

    @given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
    def test_of_arbitrary_json_is_a_page_or_unavailable(self, junk: Any) -> None:
        """In each place where a page has something."""
        for body in (
            junk,
            {"events": junk},
            {"events": [{"slug": "a", "markets": junk}], "next_cursor": junk, "pagination": junk},
        ):
            try:
                page(body)
            except Unavailable as refused:
                assert refused.source == "polymarket_gamma"  # noqa: PT017  either is right


class TestACassette:
    def test_of_a_match_holds_its_three_ways(self) -> None:
        """Home, draw and away, in whatever order the venue's rows stand."""
        event = replayed("gamma_match")
        assert isinstance(event, Event)
        assert event.three_way is not None
        assert [leg.slug.removeprefix(f"{RECORDED.slug}-") for leg in event.three_way.legs] == ["aug", "draw", "koe"]

    def test_of_the_busiest_events_is_a_page_with_a_cursor(self) -> None:
        """One event, and where to go on."""
        page = replayed("gamma_busiest")
        assert isinstance(page, Page)
        assert len(page.events) == 1
        assert page.cursor

    def test_of_a_search_holds_what_the_word_finds(self) -> None:
        """Reduced rows: enough to know the markets, not their titles in the group."""
        page = replayed("gamma_searched")
        assert isinstance(page, Page)
        assert [event.slug for event in page.events] == [RECORDED.slug]
        assert not page.more
