"""Matches, Up/Down windows and the life of a market at the simulated venues, read by the agent's real adapters."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from adapters.clock import PlayingClock
from adapters.gamma_event import parse_event
from adapters.health import Health
from adapters.http import VenueClient
from adapters.kraken_futures import KrakenFutures
from adapters.market_map import LinearFair, MapEntry, load_market_map
from adapters.match_draw import is_match_draw
from adapters.polymarket_clob import ClobBooks, ClobOutcomes
from adapters.polymarket_gamma import GammaOutcomes
from adapters.simulated_venues import (
    SERIES,
    VOID,
    BookSpec,
    Request,
    Scenario,
    Script,
    SimEvent,
    SimMarket,
    SimulatedVenues,
    Steady,
    market_map,
    match,
)
from adapters.wire_numbers import strict_json
from domain.fees import FREE, FeeSchedule
from domain.market import ConditionId, Market, Reference, TokenId
from domain.ports import Unavailable

pytestmark = pytest.mark.slow

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
TICK_MS = 15_000
CAPTURE = Path(__file__).resolve().parents[2].parent / (
    "shared/payloads/polymarket/gamma_events__soccer_3way_bun-aug-koe-2026-02-27_live_in_play.json"
)
IN_PLAY, TONIGHT, LATER = "epl-bre-che-2026-11-28", "bun-aug-koe-2026-11-28", "bun-fre-sge-2026-11-28"
DECOY = "will-katie-boulter-withdraw-before-friday"
CUP = SimEvent(slug="cup-one-two-2026-11-28", title="One FC vs. Two FC", game_id=7, starts_at_ms=START_MS)
T = TypeVar("T")


class Session:
    """A started server at a time that a test sets."""

    def __init__(self, script: Script, now_ms: int) -> None:
        self.now_ms = now_ms
        self.venues = SimulatedVenues(script, lambda: self.now_ms)

    def get(self, path: str, **query: str) -> httpx.Response:
        """The answer to one GET; `path` begins with the venue's prefix."""
        return httpx.get(f"{self.venues.origin}{path}", params=query, trust_env=False)

    def asked(self, base: str, call: Callable[[VenueClient], Awaitable[T]]) -> T:
        """The result of one call of a real adapter, asked at the server's time; `base` is the setting of its base URL."""

        async def result() -> T:
            address = self.venues.environment()[base]
            client = VenueClient(base, address, clock=PlayingClock(start_ms=self.now_ms, speed=1), health=Health())
            try:
                return await call(client)
            finally:
                await client.aclose()

        return asyncio.run(result())

    def event(self, slug: str) -> object:
        """An event as the agent's adapters get it: JSON with exact decimals."""
        return strict_json(self.get(f"/gamma/events/slug/{slug}").content)

    def payouts(self, market: SimMarket) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """What each outcome of a market pays, by the CLOB's word and by Gamma's."""
        followed = Market(
            name=market.slug,
            ref=market.slug,
            token=TokenId(market.token_ids[0]),
            outcome=market.outcomes[0],
            fees=FREE,
            condition=ConditionId(market.condition_id),
        )
        clob = self.asked("POLYMARKET_CLOB_BASE_URL", lambda client: ClobOutcomes(client).payouts(followed))
        gamma = self.asked("POLYMARKET_GAMMA_BASE_URL", lambda client: GammaOutcomes(client).payouts(followed))
        first, second = ({market.outcome_of(token): paid for token, paid in found.items()} for found in (clob, gamma))
        return first, second


@contextmanager
def played(script: Script, now_ms: int = START_MS) -> Iterator[Session]:
    """`script` on a free port at `now_ms`."""
    session = Session(script, now_ms)
    with session.venues:
        yield session
        assert session.venues.failures == []


@pytest.fixture
def world() -> Scenario:
    """The default world, seed 7."""
    return Scenario(7, START_MS)


@pytest.fixture
def demo(world: Scenario) -> Iterator[Session]:
    """The default world on a port."""
    with played(world) as session:
        yield session


def named(world: Scenario, slug: str) -> SimMarket:
    """One of the scenario's markets."""
    return next(market for market in world.markets if market.slug == slug)


def mid(book: BookSpec | None) -> float:
    """The mid of a two-sided book."""
    assert book is not None
    return (float(book.bids[0][0]) + float(book.asks[0][0])) / 2


def legs(world: Scenario, event: str) -> dict[str, SimMarket]:
    """The markets of a match by their `groupItemThreshold`: 0 home, 1 draw, 2 away."""
    return {market.group_threshold: market for market in world.markets if market.event.slug == event}


def test_a_match_is_one_event_of_three_markets_in_the_venue_s_order(demo: Session) -> None:
    """Away, home, draw; one neg-risk group and three question ids in it; the game stands on the event only."""
    event = demo.get(f"/gamma/events/slug/{IN_PLAY}").json()
    rows = event["markets"]
    assert [row["slug"].rpartition("-")[2] for row in rows] == ["che", "bre", "draw"]
    assert [row["groupItemThreshold"] for row in rows] == ["2", "0", "1"]
    assert [row["groupItemTitle"] for row in rows] == ["Chelsea FC", "Brentford FC", "Draw (Brentford FC vs. Chelsea FC)"]
    assert {row["negRiskMarketID"] for row in rows} == {event["negRiskMarketID"]}
    assert [row["questionID"] for row in rows] == [f"{event['negRiskMarketID'][:-2]}0{number}" for number in (2, 0, 1)]
    assert (event["negRisk"], event["enableNegRisk"], event["gameId"]) == (True, True, 90104306)
    assert not any("gameId" in row or "events" in row for row in rows)
    assert {(row["sportsMarketType"], row["secondsDelay"], row["clearBookOnStart"]) for row in rows} == {("moneyline", 3, True)}
    assert {row["gameStartTime"] for row in rows} == {"2026-09-21 13:03:20+00"}
    assert (event["live"], event["ended"], event["score"], event["elapsed"], event["period"]) == (
        True,
        False,
        "0-0",
        "70",
        "2H",
    )
    assert rows[0]["feeSchedule"] == {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.15}
    assert rows[0]["feeType"] == "sports_fees_v3"


@pytest.mark.skipif(not CAPTURE.exists(), reason="no ../shared/payloads: a user's clone has none")
def test_a_match_has_no_field_that_the_captured_one_has_not(demo: Session) -> None:
    """The same names and the same JSON types, on the event and on its markets; only fees came later than the capture."""
    captured = json.loads(CAPTURE.read_text(encoding="utf-8"))[0]
    event = demo.get(f"/gamma/events/slug/{IN_PLAY}").json()
    assert {key: type(captured[key]) for key in event if key != "volume24hr"} == {
        key: float if key in ("volume", "liquidity") else type(value) for key, value in event.items() if key != "volume24hr"
    }
    row, other = event["markets"][0], captured["markets"][0]
    assert set(row) - set(other) == {"feeSchedule", "makerBaseFee", "takerBaseFee"}
    different = {key for key in set(row) & set(other) if type(row[key]) is not type(other[key])}
    assert different == {"feeType"}


def test_the_real_adapter_reads_three_usable_markets(demo: Session, world: Scenario) -> None:
    """With their tokens, the sports fee and the delay of matches; and a sister event is read as well."""
    event = parse_event(demo.event(TONIGHT))
    listings, refused = event.listings, event.refused
    assert event.three_way is not None
    assert [leg.slug.removeprefix(f"{TONIGHT}-") for leg in event.three_way.legs] == ["aug", "draw", "koe"]
    assert refused == ()
    expected = [market for market in world.markets if market.event.slug == TONIGHT]
    assert [(found.slug, tuple(token for _, token in found.tokens)) for found in listings] == [
        (market.slug, market.token_ids) for market in expected
    ]
    assert {(found.fees, found.taker_delay_ms, found.neg_risk, found.accepting) for found in listings} == {
        (FeeSchedule(rate=Decimal("0.05")), 3000, True, True)
    }
    sister = parse_event(demo.event(f"{TONIGHT}-halftime-result"))
    assert len(sister.listings) == 3
    assert sister.three_way is None
    assert not any(listing.match_draw for listing in sister.listings)


def test_a_sister_event_shares_the_game_and_not_the_group(demo: Session) -> None:
    """So that only the words, the type of the market and its event's slug tell a half-time draw from a match draw."""
    mine, sister = (demo.get(f"/gamma/events/slug/{slug}").json() for slug in (TONIGHT, f"{TONIGHT}-halftime-result"))
    assert sister["gameId"] == mine["gameId"]
    assert sister["negRiskMarketID"] != mine["negRiskMarketID"]
    assert {row["sportsMarketType"] for row in sister["markets"]} == {"soccer_halftime_result"}
    assert "FC Augsburg vs. 1. FC Köln: Draw at halftime?" in [row["question"] for row in sister["markets"]]


def test_only_three_markets_ask_for_the_draw_of_a_match(demo: Session) -> None:
    """By the agent's own judgement of their words: no half-time draw and no Katie who may withdraw."""
    rows = demo.get("/gamma/markets").json()
    draws = [row["slug"] for row in rows if is_match_draw(row["question"], row.get("groupItemTitle", ""))]
    assert draws == [f"{event}-draw" for event in (IN_PLAY, TONIGHT, LATER)]
    assert {f"{TONIGHT}-halftime-result-draw", DECOY} < {row["slug"] for row in rows}


def test_a_market_names_its_event_under_every_path(demo: Session) -> None:
    """The same event in a market's own `events`, by id, by slug and in the list."""
    row = demo.get(f"/gamma/markets/slug/{TONIGHT}-draw").json()
    (event,) = row["events"]
    assert (event["slug"], event["title"]) == (TONIGHT, "FC Augsburg vs. 1. FC Köln")
    assert "markets" not in event
    whole = demo.get(f"/gamma/events/{event['id']}").json()
    assert {key: value for key, value in whole.items() if key != "markets"} == event
    assert demo.get("/gamma/events", slug=TONIGHT).json() == [whole]
    assert demo.get(f"/gamma/markets/{row['id']}").json() == row


@pytest.mark.parametrize("seed", range(5))
def test_the_prices_of_a_match_add_up(seed: int) -> None:
    """At any time: bids 0.99, mids 1.005, asks 1.02, a favourite that stays one, Yes and No the same book from two sides."""
    world = Scenario(seed, START_MS)
    for event in (IN_PLAY, TONIGHT, LATER):
        three = legs(world, event)
        for at_ms in range(START_MS, START_MS + 50 * MINUTE_MS, 7 * TICK_MS):
            books = {leg: world.book(market.token_ids[0], at_ms) for leg, market in three.items()}
            assert sum(Decimal(book.bids[0][0]) for book in books.values() if book) == Decimal("0.99")
            assert sum(Decimal(book.asks[0][0]) for book in books.values() if book) == Decimal("1.02")
            assert mid(books["2" if event == IN_PLAY else "0"]) > max(0.35, mid(books["1"]))
            for leg, book in books.items():
                mirror = world.book(three[leg].token_ids[1], at_ms)
                assert book is not None
                assert mirror is not None
                assert min(len(book.bids), len(book.asks)) >= 10
                assert [(1 - Decimal(price), size) for price, size in mirror.asks] == [
                    (Decimal(price), size) for price, size in book.bids
                ]


@pytest.mark.parametrize("seed", range(10))
def test_a_draw_is_cheap_and_dear_several_times_within_two_hundred_ticks(seed: int) -> None:
    """Against a baseline of 0.28: two points too cheap, then half a point or less, again and again, and never in leaps."""
    world = Scenario(seed, START_MS)
    for event in (IN_PLAY, TONIGHT, LATER):
        token = legs(world, event)["1"].token_ids[0]
        mids = [mid(world.book(token, START_MS + tick * TICK_MS)) for tick in range(200)]
        assert 0.21 <= min(mids) < 0.24
        assert 0.3 < max(mids) <= 0.335
        assert max(abs(later - earlier) for earlier, later in pairwise(mids)) < 0.03
        zones = [edge >= 0.02 for edge in (0.28 - price for price in mids) if edge >= 0.02 or edge <= 0.005]
        assert sum(earlier and not later for earlier, later in pairwise(zones)) >= 3


def test_the_teams_move_against_the_draw(world: Scenario) -> None:
    """What the draw gains, both teams lose."""
    three = legs(world, TONIGHT)
    times = [START_MS + tick * TICK_MS for tick in range(200)]
    by_draw = sorted(times, key=lambda at_ms: mid(world.book(three["1"].token_ids[0], at_ms)))
    for team in ("0", "2"):
        cheap, dear = (mid(world.book(three[team].token_ids[0], at_ms)) for at_ms in (by_draw[0], by_draw[-1]))
        assert cheap > dear


def test_football_plays_the_same_in_any_order(world: Scenario) -> None:
    """A book is a function of seed and time, asked forwards or backwards."""
    token, times = named(world, f"{TONIGHT}-draw").token_ids[1], [START_MS + tick * 37_000 for tick in range(40)]
    forwards = {at_ms: world.book(token, at_ms) for at_ms in times}
    other = Scenario(7, START_MS)
    assert forwards == {at_ms: other.book(token, at_ms) for at_ms in reversed(times)}
    assert forwards != {at_ms: Scenario(8, START_MS).book(token, at_ms) for at_ms in times}


def test_a_match_stops_trading_and_then_one_of_its_three_markets_wins(demo: Session, world: Scenario) -> None:
    """A minute without books while the answer is only proposed; then the adapters agree on who is paid."""
    draw = named(world, f"{IN_PLAY}-draw")
    demo.now_ms = START_MS + 24 * MINUTE_MS
    assert demo.get("/clob/book", token_id=draw.token_ids[0]).status_code == 404
    waiting = demo.get(f"/gamma/markets/slug/{draw.slug}").json()
    assert (waiting["closed"], waiting["acceptingOrders"], waiting["umaResolutionStatus"]) == (False, False, "proposed")
    assert json.loads(waiting["umaResolutionStatuses"]) == ["proposed"]
    assert demo.payouts(draw) == ({}, {})
    event = demo.get(f"/gamma/events/slug/{IN_PLAY}").json()
    assert (event["closed"], event["live"], event["ended"]) == (False, False, True)
    demo.now_ms = START_MS + 25 * MINUTE_MS
    paid = [demo.payouts(market) for market in legs(world, IN_PLAY).values()]
    assert sorted(clob["Yes"] for clob, _ in paid) == [0, 0, 1]
    assert all(clob == gamma for clob, gamma in paid)
    assert demo.get(f"/gamma/markets/slug/{draw.slug}").json()["umaResolutionStatuses"] == '["proposed", "resolved"]'
    assert demo.get(f"/gamma/events/slug/{IN_PLAY}").json()["closed"] is True


def test_the_seed_decides_a_match_and_a_told_result_is_kept() -> None:
    """Over many seeds every leg wins about as often as it was worth; a result that is named wins at any seed."""
    after_ms = START_MS + 25 * MINUTE_MS
    worlds = [Scenario(seed, START_MS) for seed in range(150)]
    winners = [next(leg for leg, m in legs(w, IN_PLAY).items() if w.winner(m.slug, after_ms) == "Yes") for w in worlds]
    assert {leg: 20 <= winners.count(leg) <= 85 for leg in ("0", "1", "2")} == {"0": True, "1": True, "2": True}
    like = SimMarket(slug="x", pair="", resolves_after_ms=MINUTE_MS)
    for seed in range(5):
        told = Scenario(seed, START_MS, match(CUP, "One FC", "Two FC", like=like, result="draw"))
        assert {told.winner(f"{CUP.slug}-{leg}", after_ms) for leg in ("one", "two")} == {"No"}
        assert told.winner(f"{CUP.slug}-draw", after_ms) == "Yes"


def test_a_disputed_market_ends_void_and_pays_half(demo: Session, world: Scenario) -> None:
    """Proposed, disputed, resolved at last: 0.5 for each outcome, by both words."""
    decoy = named(world, DECOY)
    statuses = []
    for minute in (20, 31, 36, 40):
        demo.now_ms = START_MS + minute * MINUTE_MS
        row = demo.get(f"/gamma/markets/slug/{DECOY}").json()
        statuses.append((json.loads(row["umaResolutionStatuses"]), row.get("umaResolutionStatus"), row["closed"]))
    assert statuses == [
        ([], None, False),
        (["proposed"], "proposed", False),
        (["proposed", "disputed"], "disputed", False),
        (["proposed", "disputed", "proposed", "resolved"], "resolved", True),
    ]
    half = {"Yes": Decimal("0.5"), "No": Decimal("0.5")}
    assert demo.payouts(decoy) == (half, half)
    clob = demo.get(f"/clob/markets/{decoy.condition_id}").json()
    assert (clob["is_50_50_outcome"], [token["winner"] for token in clob["tokens"]]) == (True, [False, False])
    assert json.loads(demo.get(f"/gamma/markets/slug/{DECOY}").json()["outcomePrices"]) == ["0.5", "0.5"]


def test_a_market_is_listed_before_the_clob_knows_it(demo: Session, world: Scenario) -> None:
    """Gamma gives its tokens, `/book`, `/books` and `/markets/{condition}` do not have it; two minutes later they do."""
    decoy, known = named(world, DECOY), world.markets[0].token_ids[0]
    tokens = [TokenId(known), *map(TokenId, decoy.token_ids)]

    def answered() -> set[str]:
        return set(demo.asked("POLYMARKET_CLOB_BASE_URL", lambda client: ClobBooks(client).books(tokens)))

    assert json.loads(demo.get(f"/gamma/markets/slug/{DECOY}").json()["clobTokenIds"]) == list(decoy.token_ids)
    assert demo.get(f"/clob/markets/{decoy.condition_id}").status_code == 404
    assert demo.get("/clob/book", token_id=decoy.token_ids[0]).status_code == 404
    assert answered() == {known}
    demo.now_ms = START_MS + 2 * MINUTE_MS
    assert answered() == set(tokens)
    assert demo.get(f"/clob/markets/{decoy.condition_id}").json()["accepting_orders"] is True


def test_one_market_can_have_three_outcomes() -> None:
    """Three tokens with a book each, which do not mirror; the winner is one of them, and a void pays none of them."""
    three = SimMarket(slug="cup", outcomes=("Home", "Draw", "Away"), event=CUP, resolves_after_ms=MINUTE_MS)
    world = Scenario(7, START_MS, (three,))
    with played(world) as session:
        row = session.get("/gamma/markets/slug/cup").json()
        assert len(json.loads(row["clobTokenIds"])) == len(json.loads(row["outcomes"])) == 3
        assert sum(map(Decimal, json.loads(row["outcomePrices"]))) == Decimal("1.005")
        books = [session.get("/clob/book", token_id=token).json() for token in three.token_ids]
        assert sum(Decimal(book["bids"][-1]["price"]) for book in books) == Decimal("0.99")
        event = parse_event(session.event(CUP.slug))
        assert [name for name, _ in event.listings[0].tokens] == ["Home", "Draw", "Away"]
        session.now_ms = START_MS + MINUTE_MS
        tokens = session.get(f"/clob/markets/{three.condition_id}").json()["tokens"]
        assert sorted(token["winner"] for token in tokens) == [False, False, True]


def test_outcomes_and_winners_that_are_none_are_refused() -> None:
    """A market needs two or three different outcomes, and a winner among them."""
    for outcomes in (("Yes",), ("Yes", "Yes"), ("A", "B", "C", "D")):
        with pytest.raises(ValueError, match="outcomes"):
            SimMarket(slug="x", outcomes=outcomes)
    with pytest.raises(ValueError, match="winner"):
        SimMarket(slug="x", winner="Maybe")


def window_rows(session: Session) -> dict[int, dict[str, object]]:
    """The windows that Gamma lists, open and closed, by their start (unix seconds)."""
    rows = [row for closed in ("false", "true") for row in session.get("/gamma/markets", closed=closed).json()]
    return {int(row["slug"].rpartition("-")[2]): row for row in rows if row["slug"].startswith("btc-updown-5m-")}


def test_a_series_always_has_a_current_window_and_the_next_two(demo: Session) -> None:
    """At any time; those that have ended are closed and stay to be found, and the first ones leave after a day."""
    for minute in (0, 1, 7, 23):
        demo.now_ms = START_MS + minute * MINUTE_MS + 18_000
        current = demo.now_ms // 300_000 * 300
        rows = window_rows(demo)
        open_now = sorted(start for start, row in rows.items() if not row["closed"])
        assert open_now == [current, current + 300, current + 600]
        assert sorted(rows) == list(range(START_MS // 300_000 * 300, current + 900, 300))
        assert json.loads(str(rows[current]["outcomes"])) == ["Up", "Down"]
        listed = demo.get(f"/gamma/events/slug/btc-updown-5m-{current}").json()
        assert [row["slug"] for row in listed["markets"]] == [f"btc-updown-5m-{current}"]
    (series,) = SERIES
    assert len(series.windows(START_MS, START_MS + 10 * 86_400_000)) == 86_400 // 300 + 3


def test_a_window_is_even_until_spot_moves_and_resolves_by_spot(world: Scenario) -> None:
    """Up stands at one half before its window, follows a jump, and wins when spot ends where it began or higher."""
    (series,) = SERIES
    moved = 0
    for window in series.windows(START_MS, START_MS + 60 * MINUTE_MS)[1:-3]:
        began_ms, ended_ms = window.event.starts_at_ms or 0, window.ends_at_ms
        first, last = world.spot("XBTUSD", began_ms), world.spot("XBTUSD", ended_ms)
        assert first is not None
        assert last is not None
        assert mid(world.book(window.token_ids[0], began_ms - 1)) == pytest.approx(0.505)
        assert mid(world.book(window.token_ids[1], began_ms)) == pytest.approx(0.495)
        before_end = mid(world.book(window.token_ids[0], ended_ms - 1))
        moved += abs(before_end - 0.5) > 0.1
        assert world.winner(window.slug, ended_ms + 16_999) is None
        assert world.winner(window.slug, ended_ms + 17_000) == ("Up" if last >= first else "Down")
    assert moved >= 3


def test_a_window_is_paid_after_its_end(demo: Session, world: Scenario) -> None:
    """No book once it is over, then the same winner by both words."""
    demo.now_ms = START_MS + 10 * MINUTE_MS
    (series,) = SERIES
    current = next(w for w in series.windows(START_MS, demo.now_ms) if w.ends_at_ms > demo.now_ms)
    books = demo.asked(
        "POLYMARKET_CLOB_BASE_URL", lambda client: ClobBooks(client).books([TokenId(token) for token in current.token_ids])
    )
    assert len(books) == 2
    demo.now_ms = current.ends_at_ms
    assert demo.get("/clob/book", token_id=current.token_ids[0]).status_code == 404
    assert demo.payouts(current) == ({}, {})
    demo.now_ms += 17_000
    clob, gamma = demo.payouts(current)
    assert clob == gamma
    assert sorted(clob.values()) == [0, 1]


def test_keyset_pages_hold_every_open_market_once(demo: Session) -> None:
    """Twenty a page unless asked otherwise, the next page by `after_cursor`, no `next_cursor` on the last."""
    pages, query = [], {"limit": "7"}
    while True:
        page = demo.get("/gamma/markets/keyset", **query).json()
        pages.append([row["slug"] for row in page["markets"]])
        if "next_cursor" not in page:
            break
        query["after_cursor"] = page["next_cursor"]
    found = [slug for page in pages for slug in page]
    assert [len(page) for page in pages] == [7, 7, 6]
    assert found == [row["slug"] for row in demo.get("/gamma/markets").json()]
    assert len(set(found)) == 20
    assert len(demo.get("/gamma/events/keyset", limit="500").json()["events"]) == 12


def test_keyset_pages_refuse_offsets_and_ignore_other_names_of_a_cursor(demo: Session) -> None:
    """`offset` and a cursor that is none are 422; `next_cursor` as a parameter gives the first page again."""
    assert demo.get("/gamma/markets/keyset", offset="0").status_code == 422
    assert demo.get("/gamma/events/keyset", after_cursor="?").status_code == 422
    first = demo.get("/gamma/markets/keyset", limit="3").json()
    assert demo.get("/gamma/markets/keyset", limit="3", next_cursor=first["next_cursor"]).json() == first
    assert demo.get("/gamma/markets/keyset", limit="3", after_cursor=first["next_cursor"]).json() != first


def test_a_page_goes_on_behind_a_market_that_has_closed_meanwhile(demo: Session, world: Scenario) -> None:
    """The cursor's own market is no longer among the open ones; none is skipped and none comes twice."""
    second = world.markets[1]
    assert second.resolves_at_ms is not None
    page = demo.get("/gamma/markets/keyset", limit="2").json()
    assert page["markets"][-1]["slug"] == second.slug
    demo.now_ms = second.resolves_at_ms
    after = demo.get("/gamma/markets/keyset", limit="1", after_cursor=page["next_cursor"]).json()
    assert [row["slug"] for row in after["markets"]] == [world.markets[2].slug]
    closed = demo.get("/gamma/markets/keyset", closed="true").json()["markets"]
    assert second.slug in [row["slug"] for row in closed]
    assert all(row["closed"] for row in closed)


def test_lists_are_ordered_as_asked(demo: Session) -> None:
    """By a number, falling; the quietest market comes last. `active=false` finds nothing here."""
    rows = demo.get("/gamma/markets", order="volume24hr", ascending="false").json()
    volumes = [row["volume24hr"] for row in rows]
    assert volumes == sorted(volumes, reverse=True)
    assert rows[-1]["slug"] == DECOY
    assert demo.get("/gamma/markets", active="false").json() == []


def test_the_search_finds_events_by_their_words(demo: Session) -> None:
    """In titles, slugs and questions, all words, paged, with markets that lack their group titles."""
    page = demo.get("/gamma/public-search", q="Bitcoin", limit_per_type="2").json()
    assert page["pagination"] == {"hasMore": True, "totalResults": 6}
    assert len(page["events"]) == 2
    last = demo.get("/gamma/public-search", q="bitcoin", limit_per_type="2", page="3").json()
    assert (len(last["events"]), last["pagination"]["hasMore"]) == (2, False)
    found = demo.get("/gamma/public-search", q="augsburg draw").json()["events"]
    assert [event["slug"] for event in found] == [TONIGHT, f"{TONIGHT}-halftime-result"]
    assert not any("groupItemTitle" in row for event in found for row in event["markets"])
    assert demo.get("/gamma/public-search").status_code == 422
    demo.now_ms = START_MS + 25 * MINUTE_MS
    closed = demo.get("/gamma/public-search", q="chelsea", events_status="closed").json()["events"]
    assert [event["slug"] for event in closed] == [IN_PLAY]
    assert demo.get("/gamma/public-search", q="chelsea", events_status="active").json()["events"] == []


def ticker(symbol: str, now_ms: int) -> dict[str, object]:
    """Bitcoin's future is suspended, ether's has no mark price."""
    return {"suspended": True} if symbol == "PF_XBTUSD" else {"markPrice": None}


@pytest.mark.parametrize("script", [Scenario(7, START_MS, futures=ticker), Steady(spot=lambda *_: 3000.0, futures=ticker)])
def test_a_future_can_be_suspended_or_lack_a_price(script: Script) -> None:
    """What a script says otherwise replaces fields of the row, and None leaves one out."""
    with played(script) as session:
        for symbol, kind in (("PF_XBTUSD", "suspended"), ("PF_ETHUSD", "no_price")):
            with pytest.raises(Unavailable, match=kind):
                marked(session, symbol)


def marked(session: Session, symbol: str) -> Reference:
    """The mark price of a future, as the real adapter reads it."""
    return session.asked("KRAKEN_FUTURES_BASE_URL", lambda client: KrakenFutures(client).reference(symbol, "markPrice"))


def test_a_still_world_can_void_a_market() -> None:
    """A test that sets its own winners can say `VOID` too."""
    market = SimMarket(slug="toss", outcomes=("Heads", "Tails"))
    with played(Steady(markets=(market,), winners=lambda slug, ms: VOID)) as session:
        half = {"Heads": Decimal("0.5"), "Tails": Decimal("0.5")}
        assert session.payouts(market) == (half, half)


def loaded(path: Path, data: dict[str, object]) -> tuple[MapEntry, ...]:
    """A map as the agent reads it from a file."""
    path.write_text(json.dumps(data), encoding="utf-8")
    return load_market_map(path)


def test_the_map_knows_the_fair_price_of_a_led_market(world: Scenario, tmp_path: Path) -> None:
    """At the first price it is the market's first mid, and it moves with the reference as the market does."""
    entries = loaded(tmp_path / "map.json", market_map(world))
    assert len(entries) == 8
    for entry in entries:
        market = named(world, entry.polymarket.ref)
        first = 60_000.0 if market.pair == "XBTUSD" else 3_000.0
        assert entry.kraken_futures is not None
        assert entry.kraken_futures.symbol == f"PF_{market.pair}"
        assert entry.hedge is not None
        assert (entry.hedge.yes_side, entry.hedge.no_side) == ("sell", "buy")
        assert isinstance(entry.fair_model, LinearFair)
        low, high = entry.fair_model.min_ref, entry.fair_model.max_ref
        share = [(price - low) / (high - low) for price in (first, first * 1.001)]
        fair = share if entry.kraken_spot.direction == "normal" else [1 - part for part in share]
        sign = 1 if market.direction == "normal" else -1
        assert fair == pytest.approx([market.first_mid, market.first_mid + sign * market.elasticity * 0.001], abs=1e-4)


def test_the_map_of_draws_names_them_in_three_ways(world: Scenario, tmp_path: Path) -> None:
    """By market, by event, and a half-time draw that has to be refused; no token twice."""
    entries = loaded(tmp_path / "map.json", market_map(world, draws=True))
    assert [(entry.polymarket.ref, entry.polymarket.outcome) for entry in entries] == [
        (f"{IN_PLAY}-draw", "Yes"),
        (f"{TONIGHT}-draw", "Yes"),
        (f"https://polymarket.com/event/{LATER}", "Yes"),
        (f"{TONIGHT}-halftime-result-draw", "Yes"),
    ]


def test_a_world_without_football_has_an_empty_map_of_draws(tmp_path: Path) -> None:
    """A map may be empty, and a market that no pair leads is no part of the usual one."""
    script = Steady(markets=(SimMarket(slug="toss", pair=""),))
    assert loaded(tmp_path / "map.json", market_map(script, draws=True)) == ()
    assert loaded(tmp_path / "map.json", market_map(script)) == ()


@pytest.mark.slow
def test_a_whole_play_of_requests_is_answered(world: Scenario) -> None:
    """Two hundred ticks: every book that is asked for a market that trades, and Gamma's list, without a gap."""
    for at_ms in range(START_MS, START_MS + 200 * TICK_MS, TICK_MS):
        rows = world.answer("gamma", Request("GET", "/markets", {"closed": "false"}, b""), at_ms).body
        assert isinstance(rows, list)
        tokens = [token for row in rows if row["acceptingOrders"] for token in json.loads(row["clobTokenIds"])]
        asked = json.dumps([{"token_id": token} for token in tokens]).encode()
        books = world.answer("clob", Request("POST", "/books", {}, asked), at_ms).body
        assert isinstance(books, list)
        missing = set(tokens) - {book["asset_id"] for book in books}
        assert missing <= (set(named(world, DECOY).token_ids) if at_ms < START_MS + 2 * MINUTE_MS else set())
