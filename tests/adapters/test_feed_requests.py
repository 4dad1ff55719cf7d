"""What one tick asks of the venues: the books of a whole match in one request, each field of a future by its name."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httpx

from adapters.feed import Sources, VenueFeed
from adapters.health import Health
from adapters.http import VenueClient
from adapters.kill_switch import KillSwitch
from adapters.kraken_futures import KrakenFutures
from adapters.polymarket_clob import ClobBooks
from domain.ledger import Ledger
from domain.market import Leg, Market, Moment, ReferenceId, Side, Snapshot, ThreeWay, TokenId
from tests.adapters.record_cassettes import NOW_MS, StoppedClock
from tests.builders import ledger, market, order, position

HOME, DRAW, AWAY, OTHER = (TokenId(str(number)) for number in (11, 12, 13, 21))
MATCH = ThreeWay(event="m", home=Leg("m-h", "Home", HOME), draw=Leg("m-draw", "Draw", DRAW), away=Leg("m-a", "Away", AWAY))
NOW = Moment(at_ms=NOW_MS, elapsed_ms=0)
TICKER = {"symbol": "PF_XBTUSD", "markPrice": 101.5, "indexPrice": 100.25, "last": 99.75, "suspended": False}


def draw() -> Market:
    """The followed draw of a match."""
    return market("draw", token=DRAW, reference=None, match_draw=True, three_way=MATCH)


def valued(name: str, token: str, ticker_field: str, symbol: str = "PF_XBTUSD") -> Market:
    """A market that follows one field of a future's ticker."""
    return market(name, token=TokenId(token), reference=ReferenceId("kraken_futures", symbol, ticker_field))


@dataclass
class Venues:
    """Both venues, which know every token and one future, and all that was asked of them."""

    followed: tuple[Market, ...]
    asked: list[tuple[str, Sequence[str]]] = field(default_factory=list)

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The map."""
        return self.followed

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Books and tickers."""
        tokens = [row["token_id"] for row in json.loads(request.content)] if request.content else []
        self.asked.append((f"{request.method} {request.url.path}", tokens))
        body: object = {"result": "success", "serverTime": "2026-09-21T14:14:20Z", "tickers": [TICKER]}
        if tokens:
            levels = [{"price": "0.3", "size": "10"}], [{"price": "0.4", "size": "10"}]
            body = [
                {"asset_id": token, "timestamp": str(NOW_MS), "bids": levels[0], "asks": levels[1], "hash": ""}
                for token in tokens
            ]
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))

    def observed(self, books: Ledger) -> Snapshot:
        """One tick's snapshot."""

        def client(source: str) -> VenueClient:
            transport = httpx.MockTransport(self.answer)
            return VenueClient(source, f"http://{source}.example", clock=StoppedClock(), health=Health(), transport=transport)

        sources = Sources(
            books=ClobBooks(client("polymarket_clob")),
            references={"kraken_futures": KrakenFutures(client("kraken_futures"))},
            outcomes=(),
        )
        feed = VenueFeed(clock=StoppedClock(), universe=self, sources=sources, kill_switch=KillSwitch(None), deadline_s=5.0)
        return asyncio.run(feed.observe(NOW, books))


def test_all_three_books_of_a_followed_draw_come_in_the_one_request_with_the_others() -> None:
    """The teams are not followed, but the sum of the three mids needs them."""
    venues = Venues((draw(), market("other", token=OTHER, reference=None)))
    snapshot = venues.observed(ledger())
    ((what, tokens),) = venues.asked
    assert what == "POST /books"
    assert sorted(tokens) == sorted([HOME, DRAW, AWAY, OTHER])
    assert set(snapshot.books) == {HOME, DRAW, AWAY, OTHER}


def test_the_legs_of_a_draw_that_is_held_or_waited_for_are_asked_for_although_it_left_the_map() -> None:
    """By the market that the position or the order remembers, each token once."""
    for books in (
        ledger(positions=[position(of=draw(), token=DRAW)]),
        ledger(pending=(order(Side.BUY, of=draw(), token=DRAW, delay_ms=3_000),)),
        ledger(positions=[position(of=draw(), token=DRAW)], pending=(order(Side.SELL, of=draw(), token=DRAW),)),
    ):
        venues = Venues(())
        venues.observed(books)
        ((what, tokens),) = venues.asked
        assert (what, sorted(tokens)) == ("POST /books", [HOME, DRAW, AWAY])


def test_two_markets_of_one_future_get_the_fields_that_they_name_from_one_answer() -> None:
    """Mark and index are two references; the usual one is the mark."""
    venues = Venues((valued("a", "1", "markPrice"), valued("b", "2", "indexPrice"), valued("c", "3", "")))
    references = venues.observed(ledger()).references
    prices = {key.field: reference.price for key, reference in references.items()}
    assert prices == {"markPrice": 101.5, "indexPrice": 100.25, "": 101.5}
    assert [what for what, _ in venues.asked if what.startswith("GET")] == ["GET /derivatives/api/v3/tickers"]


def test_a_future_that_is_not_listed_costs_only_the_markets_that_follow_it() -> None:
    """The answer has no row of that symbol."""
    venues = Venues((valued("a", "1", "last"), valued("b", "2", "last", "PF_ETHUSD")))
    references = venues.observed(ledger()).references
    assert {key.symbol: reference.price for key, reference in references.items()} == {"PF_XBTUSD": 99.75}


def test_a_position_whose_reference_left_the_map_still_gets_the_field_of_its_entry() -> None:
    """Its exit may need it."""
    held = valued("a", "1", "indexPrice")
    references = Venues((valued("b", "2", "markPrice"),)).observed(ledger(positions=[position(of=held, token=TokenId("1"))]))
    assert {key.field: reference.price for key, reference in references.references.items()} == {
        "markPrice": 101.5,
        "indexPrice": 100.25,
    }
