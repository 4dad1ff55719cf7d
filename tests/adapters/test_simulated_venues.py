"""The simulated venues over real HTTP: what an adapter would trip over at the venues, it must trip over here."""

import gzip
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from adapters.simulated_venues import (
    Answer,
    BookSpec,
    Recording,
    RecordingInvalid,
    Request,
    Scenario,
    Script,
    SimMarket,
    SimulatedVenues,
    Steady,
    market_map,
)
from adapters.wire_numbers import FIRST_MS, LAST_MS

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
MARKET = SimMarket(slug="bitcoin-up", question="Will Bitcoin rise?")


class Clock:
    """A playing time that a test sets."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


class Session:
    """A started server, its clock and one client."""

    def __init__(self, venues: SimulatedVenues, clock: Clock, client: httpx.Client) -> None:
        self.venues, self.clock, self.client = venues, clock, client

    def books(self, tokens: list[str]) -> dict[str, dict[str, object]]:
        """The answer to `POST /books` by token."""
        response = self.client.post("/clob/books", json=[{"token_id": token} for token in tokens])
        return {book["asset_id"]: book for book in response.json()}


@contextmanager
def played(script: Script, now_ms: int = START_MS) -> Iterator[Session]:
    """`script` on a free port at `now_ms`."""
    clock = Clock(now_ms)
    with SimulatedVenues(script, clock) as venues, httpx.Client(base_url=venues.origin, trust_env=False) as client:
        yield Session(venues, clock, client)
        assert venues.failures == []


@pytest.fixture
def demo() -> Iterator[Session]:
    """The default scenario, seed 7."""
    with played(Scenario(7, START_MS)) as session:
        yield session


def led(scenario: Scenario) -> list[SimMarket]:
    """The markets that a pair leads."""
    return [market for market in scenario.markets if market.pair]


def scenario_tokens(session: Session) -> list[str]:
    """Both tokens of every market of the session's scenario that a pair leads."""
    script = session.venues.script
    assert isinstance(script, Scenario)
    return [token for market in led(script) for token in market.token_ids]


def by_hand(**changes: object) -> Steady:
    """One market at .41/.44 and bitcoin at 60,000."""
    book = BookSpec(bids=[("0.41", "100"), ("0.4", "20.50")], asks=[("0.44", "30"), ("0.50", "7")])
    return Steady(
        spot=lambda pair, ms: 60_000.0,
        books=lambda token, ms: book if token in MARKET.token_ids else None,
        markets=(MARKET,),
        winners=lambda slug, ms: "Yes" if ms >= START_MS + MINUTE_MS else None,
        **changes,  # type: ignore[arg-type]
    )


def test_a_book_has_its_best_level_last_and_only_text(demo: Session) -> None:
    """Bids ascend, asks descend, every number of a book is a string, at least ten levels a side."""
    books = demo.books(scenario_tokens(demo))
    assert len(books) == 8
    for book in books.values():
        bids, asks = book["bids"], book["asks"]
        assert isinstance(bids, list)
        assert isinstance(asks, list)
        prices = [Decimal(level["price"]) for level in bids], [Decimal(level["price"]) for level in asks]
        assert prices[0] == sorted(prices[0])
        assert prices[1] == sorted(prices[1], reverse=True)
        assert prices[0][-1] < prices[1][-1]
        assert min(len(bids), len(asks)) >= 10
        assert all(isinstance(value, str) for level in bids + asks for value in level.values())
        assert not any(level["price"].endswith("0") or level["price"] == "0" for level in bids + asks)
        assert all(50 <= Decimal(level["size"]) <= 800 for level in bids + asks)
        assert (book["tick_size"], book["min_order_size"], book["neg_risk"]) == ("0.01", "5", False)
        assert str(book["timestamp"]).isdecimal()
        assert len(str(book["hash"])) == 40


def test_yes_and_no_are_one_book_seen_from_two_sides(demo: Session) -> None:
    """A bid at p on Yes is an ask at 1 - p on No of the same size, at any time."""
    for minute in range(11):
        demo.clock.now_ms = START_MS + minute * MINUTE_MS
        tokens = scenario_tokens(demo)
        books = demo.books(tokens)
        for yes, no in zip(tokens[::2], tokens[1::2], strict=True):
            for side, other in (("bids", "asks"), ("asks", "bids")):
                ours, theirs = books[yes][side], books[no][other]
                assert isinstance(ours, list)
                assert isinstance(theirs, list)
                mirrored = [(1 - Decimal(level["price"]), level["size"]) for level in theirs]
                assert [(Decimal(level["price"]), level["size"]) for level in ours] == mirrored


def test_the_book_of_a_token_is_the_same_from_both_endpoints(demo: Session) -> None:
    """`GET /book` and `POST /books` agree byte for byte, and the hash follows the content."""
    token = scenario_tokens(demo)[0]
    first = demo.client.get("/clob/book", params={"token_id": token}).json()
    assert demo.books([token])[token] == first
    demo.clock.now_ms += 20_000
    later = demo.client.get("/clob/book", params={"token_id": token}).json()
    assert later["hash"] != first["hash"]
    assert START_MS < int(later["timestamp"]) <= demo.clock.now_ms


def test_equal_seeds_play_equal_worlds_in_any_order() -> None:
    """The state is a function of seed and time: asked forwards, backwards or by another instance, it is the same."""
    times = [START_MS + second * 1000 for second in range(0, 1200, 37)]
    forwards, backwards, other = Scenario(5, START_MS), Scenario(5, START_MS), Scenario(6, START_MS)
    token = forwards.markets[0].token_ids[0]
    seen = {at: (forwards.spot("XBTUSD", at), forwards.book(token, at)) for at in times}
    assert seen == {at: (backwards.spot("XBTUSD", at), backwards.book(token, at)) for at in reversed(times)}
    assert seen != {at: (other.spot("XBTUSD", at), other.book(token, at)) for at in times}


def test_many_clients_at_once_see_the_same_world(demo: Session) -> None:
    """Threads that ask for different times at once get what one thread gets."""
    token = scenario_tokens(demo)[0]
    script, alone = demo.venues.script, Scenario(7, START_MS)
    assert isinstance(script, Scenario)
    found: dict[int, BookSpec | None] = {}
    threads = [
        threading.Thread(target=lambda at=at: found.update({at: script.book(token, at)}))
        for at in range(START_MS, START_MS + 600_000, 30_000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {at: alone.book(token, at) for at in found}
    assert len(found) == 20


@pytest.mark.slow
def test_the_polymarket_mid_stays_inside_and_spot_near_its_first_price() -> None:
    """Two days of minutes: mids within .13 and .87, bitcoin within 5 % of 60,000."""
    scenario = Scenario(1, START_MS)
    for at in range(START_MS, START_MS + 2 * 86_400_000, 10 * MINUTE_MS):
        spot = scenario.spot("XBTUSD", at)
        assert spot is not None
        assert 57_000 < spot < 63_000
        for market in led(scenario):
            book = scenario.book(market.token_ids[0], at)
            assert book is not None
            assert Decimal("0.13") <= Decimal(book.bids[0][0]) < Decimal(book.asks[0][0]) <= Decimal("0.87")


@pytest.mark.parametrize("seed", range(10))
def test_a_lead_is_followed_by_polymarket(seed: int) -> None:
    """Every seed offers a lead-lag entry within ten minutes, and the mid mostly follows within 90 s."""
    scenario = Scenario(seed, START_MS)
    outcomes = [followed for market in led(scenario) for followed in leads(scenario, market)]
    assert any(at_s <= 600 for at_s, _ in outcomes)
    assert sum(rose for _, rose in outcomes) > 0.6 * len(outcomes)


def leads(scenario: Scenario, market: SimMarket) -> list[tuple[int, bool]]:
    """(second, whether the mid was higher 90 s later) of each sample where spot led a token of `market`."""
    seconds = range(0, 991, 15)
    found = []
    for sign, token in zip((1, -1), market.token_ids, strict=True):
        direction = sign * (1 if market.direction == "normal" else -1)
        spots = [float(scenario.spot(market.pair, START_MS + s * 1000) or 0) for s in seconds]
        mids = [mid(scenario.book(token, START_MS + s * 1000)) for s in seconds]
        for k in range(5, len(seconds) - 6):
            lead = direction * (spots[k] / spots[k - 5] - 1) * 100
            if lead >= 0.25 and lead - (mids[k] / mids[k - 5] - 1) * 100 >= 0.2:
                found.append((seconds[k], mids[k + 6] > mids[k]))
    return found


def mid(book: BookSpec | None) -> float:
    """The mid of a two-sided book."""
    assert book is not None
    return (float(book.bids[0][0]) + float(book.asks[0][0])) / 2


def test_a_resolved_market_has_no_book_and_one_winner(demo: Session) -> None:
    """After twelve minutes one default market is settled: no book, `winner` at the CLOB, resolved at Gamma."""
    market = next(m for m in Scenario(7, START_MS).markets if m.resolves_at_ms)
    path = f"/clob/markets/{market.condition_id}"
    assert [token["winner"] for token in demo.client.get(path).json()["tokens"]] == [False, False]
    demo.clock.now_ms = START_MS + 12 * MINUTE_MS
    response = demo.client.get("/clob/book", params={"token_id": market.token_ids[0]})
    assert (response.status_code, response.json()) == (
        404,
        {"error": "No orderbook exists for the requested token id"},
    )
    assert len(demo.books(scenario_tokens(demo))) == 6
    settled = demo.client.get(path).json()
    assert (settled["closed"], settled["accepting_orders"], settled["minimum_tick_size"]) == (True, False, 0.01)
    assert sorted((token["price"], token["winner"]) for token in settled["tokens"]) == [(0, False), (1, True)]
    row = demo.client.get(f"/gamma/markets/slug/{market.slug}").json()
    assert (row["closed"], row["umaResolutionStatus"]) == (True, "resolved")
    assert sorted(json.loads(row["outcomePrices"])) == ["0", "1"]
    assert demo.client.get("/gamma/markets", params={"slug": market.slug}).json() == []
    assert len(demo.client.get("/gamma/markets", params={"slug": market.slug, "closed": "true"}).json()) == 1


def test_unknown_tokens_and_bad_bodies_get_the_venues_own_errors(demo: Session) -> None:
    """Unknown ids are left out of `POST /books`; 404 and 400 carry the CLOB's texts."""
    assert demo.books(["1", "2"]) == {}
    get, post = demo.client.get, demo.client.post
    assert get("/clob/book", params={"token_id": "1"}).status_code == 404
    missing = get("/clob/book")
    assert (missing.status_code, missing.json()) == (400, {"error": "Invalid token id"})
    for body in ("no json", "{}", "[1]", '[{"token_id":1}]'):
        refused = post("/clob/books", content=body)
        assert (refused.status_code, refused.json()) == (400, {"error": "Invalid payload"})
    refused = post("/clob/books", json=[{"token_id": "1"}] * 501)
    assert (refused.status_code, refused.json()) == (400, {"error": "Payload exceeds the limit"})
    assert get("/clob/markets/0x00").json() == {"error": "market not found"}


def test_the_small_clob_endpoints_agree_with_the_book() -> None:
    """Mid, spread, tick and price come from the same book; BUY is the best bid."""
    with played(by_hand()) as session:
        ask = {"token_id": MARKET.token_ids[0]}
        answers = {name: session.client.get(f"/clob/{name}", params=ask).json() for name in ("midpoint", "spread")}
        assert answers == {"midpoint": {"mid": "0.425"}, "spread": {"spread": "0.03"}}
        assert session.client.get("/clob/tick-size", params=ask).json() == {"minimum_tick_size": 0.01}
        assert session.client.get("/clob/price", params=ask | {"side": "BUY"}).json() == {"price": "0.41"}
        assert session.client.get("/clob/price", params=ask | {"side": "SELL"}).json() == {"price": "0.44"}
        assert session.client.get("/clob/price", params=ask).json() == {"error": "Invalid side"}
        assert session.client.get("/clob/time").json() == START_MS // 1000


def test_a_hand_set_book_comes_out_in_wire_order() -> None:
    """Best first goes in, best last comes out, numbers as shortest text."""
    with played(by_hand()) as session:
        book = session.books(list(MARKET.token_ids))[MARKET.token_ids[0]]
        assert book["bids"] == [{"price": "0.4", "size": "20.5"}, {"price": "0.41", "size": "100"}]
        assert book["asks"] == [{"price": "0.5", "size": "7"}, {"price": "0.44", "size": "30"}]
        assert (book["market"], book["timestamp"]) == (MARKET.condition_id, str(START_MS))
        session.clock.now_ms += MINUTE_MS
        assert session.books(list(MARKET.token_ids)) == {}


def test_gamma_hides_its_lists_in_strings_and_names_the_fee(demo: Session) -> None:
    """Outcomes, prices and token ids are JSON inside strings; numbers and booleans are real; events wrap markets."""
    market = Scenario(7, START_MS).markets[0]
    row = demo.client.get(f"/gamma/markets/slug/{market.slug}").json()
    assert json.loads(row["outcomes"]) == ["Yes", "No"]
    assert json.loads(row["clobTokenIds"]) == list(market.token_ids)
    assert sum(Decimal(price) for price in json.loads(row["outcomePrices"])) == 1
    assert row["conditionId"] == f"0x{hashlib.sha256(market.slug.encode()).hexdigest()}"
    assert row["feeSchedule"] == {"exponent": 1, "rate": 0.07, "takerOnly": True, "rebateRate": 0.2}
    assert (row["feesEnabled"], row["feeType"], row["orderPriceMinTickSize"]) == (True, "crypto_fees_v2", 0.01)
    assert row["events"][0]["slug"] == market.slug
    listed = demo.client.get("/gamma/markets", params={"slug": market.slug}).json()
    assert [entry["slug"] for entry in listed] == [market.slug]
    event = demo.client.get(f"/gamma/events/slug/{market.slug}").json()
    assert [entry["clobTokenIds"] for entry in event["markets"]] == [row["clobTokenIds"]]
    assert demo.client.get("/gamma/events", params={"slug": market.slug}).json() == [event]
    assert demo.client.get("/gamma/markets", params={"offset": "400"}).json() == []
    missing = demo.client.get("/gamma/markets/slug/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "not found error")


def test_token_ids_are_as_long_as_the_venues() -> None:
    """76 to 78 digits, different for every outcome of every market."""
    ids = [token for n in range(200) for token in SimMarket(slug=f"market-{n}").token_ids]
    assert {len(token) for token in ids} <= {76, 77, 78}
    assert len(set(ids)) == 400


def test_kraken_renames_the_pair_and_pads_its_numbers() -> None:
    """XBTUSD is answered under XXBTZUSD, with bid and ask 0.05 around the spot as padded text."""
    with played(by_hand()) as session:
        body = session.client.get("/kraken/0/public/Ticker", params={"pair": "XBTUSD"}).json()
        assert body["error"] == []
        ticker = body["result"]["XXBTZUSD"]
        assert set(ticker) == set("abcvptlho")
        assert (ticker["a"][0], ticker["b"][0]) == ("60000.05000", "59999.95000")
        several = session.client.get("/kraken/0/public/Ticker", params={"pair": "SOLUSD,ETHUSD"}).json()
        assert set(several["result"]) == {"SOLUSD", "XETHZUSD"}


def test_kraken_spot_says_no_with_200() -> None:
    """An unknown pair, an unavailable exchange: HTTP 200, and the text in `error`; an unknown path is a 404."""
    with played(Steady(markets=(MARKET,))) as session:
        refused = session.client.get("/kraken/0/public/Ticker", params={"pair": "NOPE"})
        assert (refused.status_code, refused.json()["error"]) == (200, ["EQuery:Unknown asset pair"])
        away = session.client.get("/kraken/0/public/Ticker", params={"pair": "XBTUSD"})
        assert (away.status_code, away.json()["error"]) == (200, ["EService:Unavailable"])
        assert session.client.get("/kraken/0/public/Nope").status_code == 404
        status = session.client.get("/kraken/0/public/SystemStatus").json()
        assert status["result"]["status"] == "online"
        clock = session.client.get("/kraken/0/public/Time").json()["result"]
        assert (clock["unixtime"], clock["rfc1123"]) == (1_790_000_000, "Mon, 21 Sep 26 14:13:20 +0000")


def test_kraken_futures_speaks_in_numbers_and_stamps_the_envelope(demo: Session) -> None:
    """The list and the single ticker agree; an unknown symbol is a 404 with `notFound`."""
    listed = demo.client.get("/futures/derivatives/api/v3/tickers").json()
    assert (listed["result"], listed["serverTime"]) == ("success", "2026-09-21T14:13:20.000Z")
    rows = {row["symbol"]: row for row in listed["tickers"]}
    assert set(rows) == {"PF_XBTUSD", "PF_ETHUSD"}
    row = rows["PF_XBTUSD"]
    assert row["suspended"] is False
    assert all(isinstance(row[key], int | float) for key in ("markPrice", "indexPrice", "bid", "ask", "last"))
    assert demo.client.get("/futures/derivatives/api/v3/tickers/pf_xbtusd").json()["ticker"] == row
    missing = demo.client.get("/futures/derivatives/api/v3/tickers/PF_NOPE")
    assert (missing.status_code, missing.json()["error"]) == (404, "notFound")


def test_each_venue_has_its_own_404(demo: Session) -> None:
    """An unknown path is refused in the style of the venue that it was asked of; a foreign prefix plainly."""
    bodies = [demo.client.get(f"/{prefix}/nothing") for prefix in ("clob", "gamma", "kraken", "futures", "else")]
    assert {response.status_code for response in bodies} == {404}
    assert len({response.text for response in bodies}) == 5


def test_a_response_is_one_write_on_a_connection_that_stays(demo: Session) -> None:
    """Two requests on one socket; each answer arrives whole with one receive."""
    host, port = demo.venues.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(b"GET /clob/time HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert {b"Content-Type: application/json", b"Content-Length: 10"} <= set(head.split(b"\r\n"))
            assert b"Date: Mon, 21 Sep 2026 14:13:20 GMT" in head
            assert body == b"1790000000"


def test_what_was_asked_can_be_counted(demo: Session) -> None:
    """Requests are kept in order without prefix and query, and counted."""
    demo.client.get("/clob/book", params={"token_id": "1"})
    demo.client.get("/kraken/0/public/Time")
    demo.books(["1"])
    assert demo.venues.requests == [
        ("clob", "GET", "/book"),
        ("kraken_spot", "GET", "/0/public/Time"),
        ("clob", "POST", "/books"),
    ]
    assert demo.venues.count("clob", "GET", "/book") == 1
    assert demo.venues.count("clob", "GET", "/never") == 0


def test_stopping_leaves_no_thread_and_no_open_port(capfd: pytest.CaptureFixture[str]) -> None:
    """With a client still connected, stop ends every thread of ours, twice is as good as once, and stderr is empty."""
    venues = SimulatedVenues(by_hand(), lambda: START_MS)
    venues.start()
    address = venues.origin.removeprefix("http://").split(":")
    idle = socket.create_connection((address[0], int(address[1])))
    rude = socket.create_connection((address[0], int(address[1])))
    rude.sendall(b"GET /clob/time HTTP/1.1\r\n\r\n")
    rude.close()
    httpx.get(f"{venues.origin}/clob/time", trust_env=False)
    venues.stop()
    venues.stop()
    assert [thread.name for thread in threading.enumerate() if "simulated-venues" in thread.name] == []
    with pytest.raises(OSError):  # noqa: PT011  refused or reset, by platform
        socket.create_connection((address[0], int(address[1])), timeout=1)
    idle.close()
    assert venues.failures == []
    assert capfd.readouterr().err == ""


def test_a_script_that_fails_costs_one_connection_and_is_remembered() -> None:
    """The client sees a hang-up, the failure is kept for the test to look at, the next request is answered."""

    class Broken:
        def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
            if request.path == "/time":
                raise ValueError("broken")
            return Answer(200, b"plain", {"Age": "3"})

    with SimulatedVenues(Broken(), lambda: START_MS) as venues:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{venues.origin}/clob/time", trust_env=False)
        response = httpx.get(f"{venues.origin}/clob/other", trust_env=False)
        assert (response.content, response.headers["Age"]) == (b"plain", "3")
        assert [str(failure) for failure in venues.failures] == ["broken"]


def test_the_environment_names_the_four_bases(demo: Session) -> None:
    """One port, told apart by prefix; Kraken's spot base ends as the real one does."""
    bases = demo.venues.environment()
    assert {name: base.removeprefix(demo.venues.origin) for name, base in bases.items()} == {
        "POLYMARKET_CLOB_BASE_URL": "/clob",
        "POLYMARKET_GAMMA_BASE_URL": "/gamma",
        "KRAKEN_SPOT_BASE_URL": "/kraken/0/public",
        "KRAKEN_FUTURES_BASE_URL": "/futures",
    }


def test_the_map_of_a_scenario_lists_both_outcomes_and_the_inverse_market() -> None:
    """Eight entries for four markets; the dip market is inverse for both of its outcomes."""
    entries = market_map(Scenario(1, START_MS))["markets"]
    assert isinstance(entries, list)
    assert len(entries) == 8
    inverse = [entry["name"] for entry in entries if entry["kraken_spot"]["direction"] == "inverse"]
    assert inverse == ["bitcoin-dip-to-50k-by-december-31 Yes", "bitcoin-dip-to-50k-by-december-31 No"]
    assert entries[0]["polymarket"] == {"market_slug": "bitcoin-above-60k-on-december-31", "outcome": "Yes"}
    assert {entry["kraken_spot"]["pair"] for entry in entries} == {"XBTUSD", "ETHUSD"}


def frame(at_s: int, source: str, path: str, **rest: object) -> dict[str, object]:
    """One line of a recording, `at_s` seconds after the start."""
    return {"t": START_MS + at_s * 1000, "source": source, "path": path} | rest


def small_recording() -> list[dict[str, object]]:
    """One market of an agent's own recording: listed early, then two ticks of ticker and books."""
    row = {"id": "1", "slug": "up", "conditionId": "0xab", "outcomes": '["Up", "Down"]', "closed": False}
    asked = json.dumps([{"token_id": "11"}, {"token_id": "22"}])
    return [
        {"t": START_MS, "kind": "session", "settings": {}},
        frame(-600, "polymarket_gamma", "/markets?slug=up", body=[row]),
        frame(0, "kraken_spot", "/0/public/Ticker?pair=ETHUSD", body={"error": [], "result": {"XETHZUSD": {"o": "1"}}}),
        frame(1, "polymarket_clob", "/books", method="POST", request=asked, body=[{"asset_id": "11"}]),
        {"t": START_MS + 2000, "kind": "tick", "sequence": 1, "committed": True},
        frame(10, "polymarket_clob", "/book?token_id=22", body={"asset_id": "22"}),
        frame(11, "kraken_spot", "/0/public/Ticker?pair=ETHUSD", error="timeout"),
        frame(12, "polymarket_clob", "/x?a=1&b=2", status=429, body={"error": "slow down"}),
    ]


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    """`rows` as a plain frames file."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_a_recording_answers_with_the_newest_body_and_its_age(tmp_path: Path) -> None:
    """Nothing from the future, `Age` in whole seconds; failed requests and the query's order do not matter."""
    recording = Recording.open(written(tmp_path / "r.jsonl", small_recording()))
    assert (recording.start_ms, recording.end_ms) == (START_MS, START_MS + 12_000)
    assert (recording.slugs, recording.pair, recording.warning) == (("up",), "ETHUSD", None)
    with played(recording, START_MS + 11_900) as session:
        ticker = session.client.get("/kraken/0/public/Ticker", params={"pair": "ETHUSD"})
        assert (ticker.json()["result"], ticker.headers["Age"]) == ({"XETHZUSD": {"o": "1"}}, "11")
        assert session.client.get("/clob/x?b=2&a=1").status_code == 404
        session.clock.now_ms = START_MS + 12_000
        assert session.client.get("/clob/x?b=2&a=1").status_code == 429
        session.clock.now_ms = START_MS - 1
        early = session.client.get("/kraken/0/public/Ticker", params={"pair": "ETHUSD"})
        assert early.json()["error"] == ["EService:Unavailable"]


def test_recorded_books_are_put_together_until_they_are_a_minute_old(tmp_path: Path) -> None:
    """`POST /books` takes the newest of both recorded forms; older ones are left out but still there one by one."""
    with played(Recording.open(written(tmp_path / "r.jsonl", small_recording())), START_MS + 5_000) as session:
        assert list(session.books(["11", "22", "33"])) == ["11"]
        single = session.client.get("/clob/book", params={"token_id": "22"})
        assert (single.status_code, single.json()["error"][:12]) == (404, "No orderbook")
        session.clock.now_ms = START_MS + 30_999
        response = session.client.post("/clob/books", json=[{"token_id": "22"}, {"token_id": "11"}])
        assert ([book["asset_id"] for book in response.json()], response.headers["Age"]) == (["11", "22"], "29")
        session.clock.now_ms = START_MS + 61_001
        response = session.client.post("/clob/books", json=[{"token_id": "22"}, {"token_id": "11"}])
        assert ([book["asset_id"] for book in response.json()], response.headers["Age"]) == (["22"], "51")
        old = session.client.get("/clob/book", params={"token_id": "11"})
        assert (old.status_code, old.headers["Age"]) == (200, "60")


def test_a_recorded_market_is_found_under_all_of_gammas_paths(tmp_path: Path) -> None:
    """Recorded as a list, asked as an object or an event."""
    with played(Recording.open(written(tmp_path / "r.jsonl", small_recording()))) as session:
        assert session.client.get("/gamma/markets?slug=up").json()[0]["conditionId"] == "0xab"
        alone = session.client.get("/gamma/markets/slug/up")
        assert (alone.json()["conditionId"], alone.headers["Age"]) == ("0xab", "600")
        assert session.client.get("/gamma/events/slug/up").json()["markets"][0]["conditionId"] == "0xab"
        assert session.client.get("/gamma/events?slug=up").json()[0]["markets"][0]["conditionId"] == "0xab"
        assert session.client.get("/gamma/events?slug=down").json() == []
        assert session.client.get("/gamma/markets/slug/down").status_code == 404


def test_a_recorded_market_is_found_by_discovery_too(tmp_path: Path) -> None:
    """By keyset page and by search, inside the event that it was recorded with; not before it was recorded."""
    row = {"slug": "up-1", "conditionId": "0xab", "question": "Up?", "events": [{"slug": "up", "title": "Bitcoin"}]}
    frames = [frame(0, "polymarket_gamma", "/markets?slug=up-1", body=[row]), frame(9, "polymarket_clob", "/x", body={})]
    with played(Recording.open(written(tmp_path / "r.jsonl", frames))) as session:
        get = session.client.get
        assert get("/gamma/markets/keyset").json() == {"markets": [row]}
        (event,) = get("/gamma/public-search?q=bitcoin").json()["events"]
        assert (event["slug"], [market["slug"] for market in event["markets"]]) == ("up", ["up-1"])
        session.clock.now_ms = START_MS - 1
        assert get("/gamma/markets/keyset").json() == {"markets": []}


def test_a_broken_line_ends_the_recording_there(tmp_path: Path) -> None:
    """Bad JSON in the middle: the frames before it play, and the warning names the line."""
    path = written(tmp_path / "r.jsonl", small_recording())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], '{"t": 17', *lines[5:]]))
    recording = Recording.open(path)
    assert recording.end_ms == START_MS + 1000
    assert recording.warning is not None
    assert "line 5" in recording.warning


@pytest.mark.parametrize("t", [START_MS // 1000, START_MS * 1000, FIRST_MS - 1, LAST_MS + 1, 0, -START_MS, True])
def test_a_frame_of_a_time_that_is_none_is_refused_with_its_line(tmp_path: Path, t: int) -> None:
    """Seconds, microseconds, another century: the whole file was written in another unit, or by nobody's clock."""
    rows = small_recording()
    path = written(tmp_path / "r.jsonl", [*rows[:5], rows[5] | {"t": t}, *rows[6:]])
    with pytest.raises(RecordingInvalid, match=r"r\.jsonl, line 6: t must be milliseconds between 2020 and 2100"):
        Recording.open(path)
    written(path, [rows[1] | {"t": FIRST_MS}, rows[2] | {"t": LAST_MS}])
    assert Recording.open(path).end_ms == LAST_MS


def test_a_cut_gzip_plays_what_is_left(tmp_path: Path) -> None:
    """A truncated tail costs the last frames, not the recording; several gzip members in a row are one file."""
    rows = [frame(n, "polymarket_clob", f"/x?n={n}", body={"n": str(hash(n))}) for n in range(500)]
    lines = [f"{json.dumps(row)}\n".encode() for row in rows]
    whole = gzip.compress(b"".join(lines[:250])) + gzip.compress(b"".join(lines[250:]))
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(whole)
    complete = Recording.open(path)
    assert (complete.end_ms, complete.warning) == (START_MS + 499_000, None)
    path.write_bytes(whole[:-200])
    cut = Recording.open(path)
    assert START_MS + 250_000 < cut.end_ms < START_MS + 499_000
    assert cut.warning is not None


HALF = b'{"t":1,"source":"polymarket_clob","path":"/book?token_id=\\ud800","body":{}}\n'
"""A frame with half of a surrogate pair in its address."""


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"t,price\n1,2\n", b"[]\n", b'{"t":1}\n', b"\x1f\x8b\x00", b'{"kind":"tick"}\n'),
        *(HALF, HALF.replace(b"\\ud800", b"\xed\xa0\x80"), HALF.replace(b"{}", b"[" * 100_000)),
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    """The error names the file, a line and why."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingInvalid) as refused:
        Recording.open(path)
    assert (refused.value.path, bool(refused.value.why)) == (path, True)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file is told like any other that cannot be played."""
    with pytest.raises(RecordingInvalid, match="cannot be read"):
        Recording.open(tmp_path / "nothing.jsonl")


def test_the_real_recording_plays() -> None:
    """Ten markets of 2026-03-02: loaded within a second, books with their age, the winner once it was known."""
    path = RECORDINGS / "frames_btc5m_2026-03-02.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the shared recording is not there: {path}")
    began = time.perf_counter()
    recording = Recording.open(path)
    assert time.perf_counter() - began < 1
    assert (recording.start_ms, recording.end_ms, len(recording.slugs)) == (1_772_411_962_119, 1_772_415_660_000, 10)
    entries = market_map(recording)["markets"]
    assert isinstance(entries, list)
    assert [entry["name"] for entry in entries[:2]] == [f"{recording.slugs[0]} Up", f"{recording.slugs[0]} Down"]
    assert entries[0]["kraken_spot"] == {"pair": "XBTUSD", "direction": "normal"}
    with played(recording, 1_772_411_963_500) as session:
        row = session.client.get("/gamma/markets", params={"slug": recording.slugs[0]}).json()[0]
        tokens = json.loads(row["clobTokenIds"])
        books = session.books(tokens)
        assert set(books) == set(tokens)
        assert books[tokens[0]]["bids"] == [{"price": "0.99", "size": "63247.3182"}]
        ticker = session.client.get("/kraken/0/public/Ticker", params={"pair": "XBTUSD"})
        assert (ticker.json()["result"]["XXBTZUSD"]["a"][0], ticker.headers["Age"]) == ("66163.29000", "1")
        settled = f"/clob/markets/{row['conditionId']}"
        assert session.client.get(settled).status_code == 404
        session.clock.now_ms = 1_772_412_060_000
        assert [token["winner"] for token in session.client.get(settled).json()["tokens"]] == [True, False]
        assert session.books(tokens) == {}
