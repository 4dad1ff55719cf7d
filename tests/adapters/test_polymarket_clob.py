"""The CLOB adapter: every book is judged alone, and only what the venue says without doubt settles a market."""

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.health import Health
from adapters.http import BODY_LIMIT, Body, VenueClient
from adapters.polymarket_clob import ClobBooks, ClobOutcomes, parse_book, parse_payouts, server_time_ms
from domain.fees import FREE
from domain.market import ConditionId, Level, Market, Moment, OrderBook, TokenId
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, OPEN, StoppedClock, replayed

YES, NO = TokenId("111"), TokenId("222")
CONDITION = ConditionId("0x" + "ab" * 32)
MOMENT = Moment(at_ms=NOW_MS, elapsed_ms=0)
Answer = Callable[[httpx.Request], httpx.Response]


def book(token: str = YES, **changes: object) -> dict[str, object]:
    """A valid book in the wire's order (best last), with some fields replaced."""
    valid: dict[str, object] = {
        "market": CONDITION,
        "asset_id": token,
        "timestamp": str(NOW_MS - 1_000),
        "hash": "ab12",
        "bids": [{"price": "0.01", "size": "500"}, {"price": "0.4", "size": "10"}],
        "asks": [{"price": "0.99", "size": "500"}, {"price": "0.42", "size": "7.5"}],
        "min_order_size": "5",
        "tick_size": "0.01",
    }
    return valid | changes


def levels(*pairs: tuple[object, object]) -> list[dict[str, object]]:
    """Wire levels."""
    return [{"price": price, "size": size} for price, size in pairs]


def json_answer(body: object, status: int = 200) -> httpx.Response:
    """An HTTP answer with a JSON body."""
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(body).encode()))


def client_of(answer: Answer) -> VenueClient:
    """A CLOB client that `answer` answers."""
    transport = httpx.MockTransport(answer)
    return VenueClient("polymarket_clob", "http://clob.example", clock=StoppedClock(), health=Health(), transport=transport)


def errors_of(client: VenueClient) -> Mapping[str, int]:
    """What the client's health counted."""
    return client.health.report(NOW_MS)["polymarket_clob"].errors


def asked_books(answer: Answer, *tokens: TokenId) -> tuple[Mapping[TokenId, OrderBook], Mapping[str, int]]:
    """The books of these tokens, and what was counted."""
    client = client_of(answer)
    return asyncio.run(ClobBooks(client).books(tokens)), errors_of(client)


class TestABook:
    def test_is_sorted_best_first_whatever_order_it_came_in(self) -> None:
        """The wire's last level is the best one."""
        parsed = parse_book(book(), requested=MOMENT, age_s=2.0)
        assert (parsed.bid, parsed.ask) == (Decimal("0.4"), Decimal("0.42"))
        assert (parsed.tick_size, parsed.min_order_size, parsed.digest) == (Decimal("0.01"), Decimal(5), "ab12")
        assert (parsed.requested, parsed.age_s, parsed.changed_at_ms) == (MOMENT, 2.0, NOW_MS - 1_000)

    def test_has_equal_prices_merged(self) -> None:
        """0.4 and 0.40 are one level."""
        parsed = parse_book(book(bids=levels(("0.4", "1"), ("0.40", "2"))), requested=MOMENT)
        assert parsed.bids == (Level(Decimal("0.4"), Decimal(3)),)

    def test_may_have_empty_sides_and_lack_the_newer_fields(self) -> None:
        """One-sided books and the older shape are books."""
        row = book(bids=[], asks=[])
        del row["min_order_size"], row["tick_size"]
        parsed = parse_book(row, requested=MOMENT)
        assert [*parsed.bids, *parsed.asks, parsed.tick_size, parsed.min_order_size] == [None, Decimal(0)]

    @pytest.mark.parametrize(
        "number", ["NaN", "1e-1", "-0.4", "+0.4", " 0.4", "0,4", "0.1_1", "٠.٤", "", "0", "1", "1.2", True, 0.4]
    )
    def test_with_a_price_that_is_no_plain_probability_is_refused(self, number: object) -> None:
        """`Decimal` would read most of these."""
        with pytest.raises(Unavailable, match="invalid_book"):
            parse_book(book(bids=levels((number, "5"))), requested=MOMENT)

    @pytest.mark.parametrize("size", ["0", "-1", "1e308", "Infinity", None, True, 7])
    def test_with_a_size_that_is_none_is_refused(self, size: object) -> None:
        """Zero, negative and endless sizes are no shares."""
        with pytest.raises(Unavailable, match="invalid_book"):
            parse_book(book(asks=levels(("0.5", size))), requested=MOMENT)

    @pytest.mark.parametrize(
        "changes",
        [
            {"bids": None},
            {"bids": {}},
            {"asks": [None]},
            {"asks": [["0.5", "1"]]},
            {"asset_id": 111},
            {"asset_id": "0x1"},
            {"timestamp": NOW_MS},
            {"timestamp": str(NOW_MS // 1000)},
            {"timestamp": "9999999999999"},
            {"tick_size": "x"},
        ],
        ids=str,
    )
    def test_of_another_shape_is_refused_without_quoting_it(self, changes: dict[str, object]) -> None:
        """A missing side is not an empty one."""
        with pytest.raises(Unavailable) as caught:
            parse_book(book() | changes, requested=MOMENT)
        assert str(caught.value) == "polymarket_clob: invalid_book"

    def test_from_the_future_is_refused_beyond_five_seconds(self) -> None:
        """A clock may be off by a little."""
        assert parse_book(book(timestamp=str(NOW_MS + 5_000)), requested=MOMENT, venue_ms=NOW_MS).token == YES
        with pytest.raises(Unavailable, match="future_book"):
            parse_book(book(timestamp=str(NOW_MS + 5_001)), requested=MOMENT, venue_ms=NOW_MS)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3)))
    def test_of_arbitrary_json_is_a_book_or_unavailable(self, junk: Any) -> None:
        """Nothing else ever leaves the parser."""
        for row in (junk, book(bids=junk), book(asks=[{"price": junk, "size": "1"}]), book(timestamp=junk)):
            try:
                assert parse_book(row, requested=MOMENT).token == YES
            except Unavailable as refused:
                assert refused.kind == "invalid_book"  # noqa: PT017  an empty list is a side, most other junk is not


class TestManyBooks:
    def test_come_from_one_request(self) -> None:
        """Both tokens of a market, from the cassette, matched by their ids."""
        books = replayed("clob_books")
        assert isinstance(books, dict)
        first, second = (books[TokenId(token)] for token in OPEN.token_ids)
        assert first.bid + second.ask == 1
        assert first.requested == StoppedClock().now()

    def test_are_matched_by_token_and_each_judged_alone(self) -> None:
        """A bad book costs itself only, and is counted."""
        rows = [book(NO), book("333"), {"asset_id": YES, "bids": None}]
        books, errors = asked_books(lambda _: json_answer(rows), YES, NO)
        assert set(books) == {NO}
        assert errors == {"wrong_token": 1, "invalid_book": 1}

    def test_are_refused_when_two_are_of_one_token(self) -> None:
        """Which of the two is true cannot be known."""
        books, errors = asked_books(lambda _: json_answer([book(YES), book(YES, bids=[]), book(NO)]), YES, NO)
        assert set(books) == {NO}
        assert errors == {"duplicate_book": 2}

    def test_that_were_not_sent_are_counted_as_missing(self) -> None:
        """The venue does not say what it does about unknown tokens."""
        books, errors = asked_books(lambda _: json_answer([book(YES)]), YES, NO)
        assert (set(books), errors) == ({YES}, {"no_book": 1})

    def test_older_than_the_last_accepted_are_refused(self) -> None:
        """A replayed snapshot must not undo what was seen; an unchanged book is fine."""
        stamps = iter((NOW_MS - 1_000, NOW_MS - 1_000, NOW_MS - 2_000))

        async def thrice() -> None:
            client = client_of(lambda _: json_answer([book(YES, timestamp=str(next(stamps)))]))
            books = ClobBooks(client)
            assert set(await books.books([YES])) == set(await books.books([YES])) == {YES}
            with pytest.raises(Unavailable, match="older_book"):
                await books.books([YES])
            assert errors_of(client) == {"older_book": 1}

        asyncio.run(thrice())

    @pytest.mark.parametrize("body", [{"error": "x"}, None, 7, "text"])
    def test_in_a_body_that_is_no_list_fail_as_a_whole(self, body: object) -> None:
        """HTTP 200 with an error in it is a failure."""
        with pytest.raises(Unavailable, match="invalid_body"):
            asked_books(lambda _: json_answer(body), YES)

    def test_of_an_empty_answer_are_unavailable(self) -> None:
        """No book at all is the port's failure."""
        with pytest.raises(Unavailable, match="no_book"):
            asked_books(lambda _: json_answer([]), YES)

    def test_beyond_five_hundred_are_asked_in_parts(self) -> None:
        """The venue's limit for one request."""
        sizes: list[int] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked = [row["token_id"] for row in json.loads(request.content)]
            sizes.append(len(asked))
            return json_answer([book(token) for token in asked])

        books, _ = asked_books(answer, *(TokenId(str(number)) for number in range(1, 602)))
        assert (len(books), sorted(sizes)) == (601, [101, 500])


class TestARefusedRequest:
    def test_is_repeated_token_by_token(self) -> None:
        """One unknown token may spoil the whole POST; alone it only spoils itself, and stays out of the next POST."""
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            wanted = request.url.params.get("token_id") or [row["token_id"] for row in json.loads(request.content)]
            asked.append(f"{request.method} {wanted}")
            if NO in wanted:
                return json_answer({"error": "x"}, 404 if request.method == "GET" else 400)
            return json_answer(book(YES) if request.method == "GET" else [book(YES)])

        async def twice() -> None:
            client = client_of(answer)
            books = ClobBooks(client)
            assert set(await books.books([YES, NO])) == {YES}
            assert asked == ["POST ['111', '222']", "GET 111", "GET 222"]
            assert set(await books.books([YES, NO])) == {YES}
            assert sorted(asked[3:]) == ["GET 222", "POST ['111']"]
            assert errors_of(client) == {"http_400": 1, "no_book": 2}

        asyncio.run(twice())

    def test_asks_a_token_together_with_the_others_again_once_it_answers(self) -> None:
        """A market that was not hydrated yet comes back by itself."""
        hydrated = False
        posts: list[int] = []

        def answer(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                posts.append(len(json.loads(request.content)))
                return json_answer([book(YES)], 200 if hydrated else 404)
            return json_answer(book(YES), 200 if hydrated else 404)

        async def thrice() -> None:
            nonlocal hydrated
            books = ClobBooks(client_of(answer))
            with pytest.raises(Unavailable, match="no_book"):
                await books.books([YES])
            hydrated = True
            for _ in range(2):
                assert set(await books.books([YES])) == {YES}
            assert posts == [1, 1]

        asyncio.run(thrice())

    def test_is_not_repeated_when_the_host_is_overloaded(self) -> None:
        """A 503 would only be answered by more load."""
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.method)
            return json_answer({}, 503)

        with pytest.raises(Unavailable, match="http_503"):
            asked_books(answer, YES, NO)
        assert asked == ["POST"]


class TestOutcomes:
    def market(self, **changes: object) -> Body:
        """An answer with a closed market that Yes won, with some fields replaced."""
        tokens = [{"token_id": YES, "outcome": "Yes", "winner": True}, {"token_id": NO, "outcome": "No", "winner": False}]
        valid = {"condition_id": CONDITION, "closed": True, "is_50_50_outcome": False, "tokens": tokens}
        return Body(json=valid | changes, status=200, requested=MOMENT)

    def tokens(self, *winners: bool) -> list[dict[str, object]]:
        """Two tokens."""
        return [{"token_id": token, "winner": won} for token, won in zip((YES, NO), winners, strict=True)]

    def test_pay_one_to_the_winner(self) -> None:
        """From the cassette of a resolved market, and none from that of an open one."""
        assert sorted(replayed("clob_payouts").values()) == [0, 1]  # type: ignore[attr-defined]
        assert replayed("clob_payouts_open") == {}

    def test_are_empty_while_it_is_open_and_none_while_anything_is_in_doubt(self) -> None:
        """No winner, or two."""
        assert parse_payouts(self.market(), CONDITION) == {YES: Decimal(1), NO: Decimal(0)}
        assert parse_payouts(self.market(closed=False), CONDITION) == {}
        assert parse_payouts(self.market(tokens=self.tokens(False, False)), CONDITION) is None
        assert parse_payouts(self.market(tokens=self.tokens(True, True)), CONDITION) is None

    def test_pay_half_each_only_when_the_venue_says_so(self) -> None:
        """A void."""
        void = self.market(tokens=self.tokens(False, False), is_50_50_outcome=True)
        assert parse_payouts(void, CONDITION) == {YES: Decimal("0.5"), NO: Decimal("0.5")}
        still_open = self.market(tokens=self.tokens(False, False), is_50_50_outcome=True, closed=False)
        assert parse_payouts(still_open, CONDITION) == {}

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [({"condition_id": "0x00"}, "wrong_market"), ({"tokens": None}, "invalid_body"), ({"closed": "true"}, "invalid_body")],
    )
    def test_of_something_else_are_refused(self, changes: dict[str, object], kind: str) -> None:
        """Another market's outcome must never settle this one."""
        with pytest.raises(Unavailable, match=kind):
            parse_payouts(self.market(**changes), CONDITION)

    def test_are_not_asked_for_without_a_condition_id(self) -> None:
        """No request goes out for a market that the venue could not know."""
        market = Market(name="x", ref="x", token=YES, outcome="Yes", fees=FREE, condition=ConditionId("../trap"))
        client = client_of(lambda _: json_answer({}))
        with pytest.raises(Unavailable, match="no_condition"):
            asyncio.run(ClobOutcomes(client).payouts(market))
        assert client.health.report(NOW_MS) == {}


def test_the_venues_clock_is_read_and_its_absence_tolerated() -> None:
    """Whole seconds become milliseconds; an error is no time."""
    assert replayed("clob_time") == NOW_MS
    for answer in (json_answer({}, 404), json_answer(True), json_answer("x"), json_answer(5)):
        assert asyncio.run(server_time_ms(client_of(lambda _, given=answer: given))) is None  # type: ignore[misc]


def test_an_answer_that_is_too_large_is_asked_for_in_halves_which_grow_again() -> None:
    """Five hundred deep books are more than one answer may hold, and one answer may have lied: a token more a tick."""
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = [row["token_id"] for row in json.loads(request.content)]
        asked.append(len(wanted))
        filling = "x" * (BODY_LIMIT // 2) if len(wanted) > 2 else ""
        return json_answer([book(asset_id=token, filling=filling) for token in wanted])

    books = ClobBooks(client_of(answer))
    tokens = [TokenId(str(number)) for number in range(1, 5)]

    async def thrice() -> list[set[TokenId]]:
        return [set(await books.books(tokens)) for _ in range(3)]

    assert asyncio.run(thrice()) == [set(tokens)] * 3
    assert asked == [4, 2, 2, 2, 2, 3, 1, 1, 2]
