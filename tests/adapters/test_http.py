"""The HTTP door: whatever a host does, a call ends in time, in bounded memory, and as a value or as `Unavailable`."""

import asyncio
import gzip
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

import httpx
import pytest

from adapters.health import Backoff, Health
from adapters.http import BODY_LIMIT, Body, Call, StatusRefused, VenueClient
from adapters.wire_numbers import strict_json
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock
from tests.builders import moment
from tests.fakes import FakeClock

T = TypeVar("T")
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Time:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine."""
    return asyncio.run(work)


def answering(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that gives these answers one after the other, the last one for ever, and what it was asked."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, stream=httpx.ByteStream(given.content))

    return httpx.MockTransport(answer), asked


def client_of(transport: httpx.AsyncBaseTransport | None, **options: Any) -> VenueClient:
    """A client named "venue"; without a transport it speaks real HTTP."""
    base_url = options.pop("base_url", "http://venue.example/base")
    dice = random.Random(1)
    return VenueClient("venue", base_url, clock=StoppedClock(), health=Health(), dice=dice, transport=transport, **options)


def kind_of(response: httpx.Response | Exception, **options: Any) -> str:
    """The kind of failure that one GET ends in."""
    client = client_of(answering(response)[0], **options)
    with pytest.raises(Unavailable) as caught:
        run(client.get("/x"))
    assert client.health.report(NOW_MS)["venue"].errors == {caught.value.kind: 1}
    assert "secret" not in str(caught.value)
    return caught.value.kind


@asynccontextmanager
async def serving(conversation: Conversation) -> AsyncIterator[str]:
    """A raw server on a free loopback port, as its base URL."""

    async def attended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await conversation(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(attended, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def kind_from(conversation: Conversation, **options: Any) -> str:
    """The kind of failure that one GET to a raw server ends in."""
    async with serving(conversation) as base_url:
        client = client_of(None, base_url=base_url, **options)
        try:
            with pytest.raises(Unavailable) as caught:
                await client.get("/x")
        finally:
            await client.aclose()
        return caught.value.kind


class TestAnAnswer:
    def test_carries_when_it_was_asked_and_how_old_a_cache_made_it(self) -> None:
        """`Age` and `Date` are read; the JSON keeps decimals exactly."""
        headers = {"Age": "3", "Date": "Mon, 21 Sep 2026 14:14:20 GMT"}
        body = run(client_of(answering(httpx.Response(200, headers=headers, content=b'{"rate":0.07}'))[0]).get("/x"))
        assert body.json == {"rate": Decimal("0.07")}
        assert (body.status, body.age_s, body.server_ms) == (200, 3.0, 1_790_000_060_000)
        assert body.requested == StoppedClock().now()

    def test_of_a_host_that_lets_us_wait_is_as_old_as_its_question(self) -> None:
        """A venue that queues instead of refusing: the wait counts as age, and of two tries that of the second."""
        clock = FakeClock(moment(0))
        answers = iter((httpx.ReadError("reset"), httpx.Response(200, stream=httpx.ByteStream(b"[]"))))

        def answer(request: httpx.Request) -> httpx.Response:
            clock.advance(20)
            given = next(answers)
            if isinstance(given, Exception):
                raise given
            return given

        client = VenueClient(
            "venue", "http://venue.example", clock=clock, health=Health(), transport=httpx.MockTransport(answer)
        )
        body = run(client.get("/x"))
        assert (body.requested, clock.now()) == (moment(20), moment(40))

    @pytest.mark.parametrize("headers", [{}, {"Age": "-1", "Date": "soon"}, {"Age": "1e9", "Date": "Mon, 99 Foo 2026 1"}])
    def test_tolerates_absent_and_garbled_age_and_date(self, headers: dict[str, str]) -> None:
        """Neither header can fail a call; our own clock takes the place of `Date`."""
        body = run(client_of(answering(httpx.Response(200, headers=headers, content=b"1"))[0]).get("/x"))
        assert (body.age_s, body.server_ms, body.latest_ms) == (0.0, None, NOW_MS)

    def test_is_asked_for_under_the_base_url_as_ourselves_and_unencoded(self) -> None:
        """The base URL's path stays, and Cloudflare sees a name that it does not refuse."""
        transport, asked = answering(httpx.Response(200, content=b"[]"))
        run(client_of(transport).get("/Ticker", {"pair": "XBTUSD"}))
        assert str(asked[0].url) == "http://venue.example/base/Ticker?pair=XBTUSD"
        assert asked[0].headers["user-agent"].startswith("spelar/")
        assert asked[0].headers["accept-encoding"] == "identity"

    def test_is_asked_for_with_the_call_s_own_headers_and_bytes(self) -> None:
        """What was signed is what is sent; neither is in the call's repr."""
        transport, asked = answering(httpx.Response(200, content=b"{}"))
        call = Call(path="/x", method="POST", headers={"API-Key": "canary"}, content=b"nonce=1&x=%20")
        run(client_of(transport).read(call, lambda body: body))
        assert (asked[0].headers["API-Key"], asked[0].content) == ("canary", b"nonce=1&x=%20")
        assert "canary" not in repr(call)
        assert "nonce" not in repr(call)

    def test_with_an_http_error_is_handed_on_to_a_call_that_reads_errors(self) -> None:
        """With its status; a page that is no JSON stays the HTTP error that it is."""
        transport, _ = answering(httpx.Response(401, content=b'{"error":"no"}'), httpx.Response(404, content=b"<html>"))
        client = client_of(transport)
        body = run(client.read(Call(path="/x", reads_errors=True), lambda body: body))
        assert (body.status, body.json) == (401, {"error": "no"})
        with pytest.raises(StatusRefused, match="http_404"):
            run(client.read(Call(path="/x", reads_errors=True), lambda body: body))

    def test_of_a_post_carries_the_question_as_json(self) -> None:
        """A POST sends its JSON."""
        transport, asked = answering(httpx.Response(200, content=b"[]"))
        run(client_of(transport).post("/books", [{"token_id": "1"}]))
        assert (asked[0].method, strict_json(asked[0].content)) == ("POST", [{"token_id": "1"}])


class TestRefusedAnswers:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>secret</html>",
            b'{"a":1',
            b'{"a":NaN}',
            b'{"a":-Infinity}',
            b'{"a":1,"a":1}',
            b'{"a":' + b"9" * 21 + b"}",
            b'{"a":1e99999999999999999999999}',
            b'{"a":0.' + b"1" * 6000 + b"}",
            b'{"a":"\xff"}',
            b"[" * 100_000,
            gzip.compress(b"{}", mtime=0),
        ],
        ids=lambda content: repr(content[:12]),
    )
    def test_that_are_no_strict_json_are_called_so(self, content: bytes) -> None:
        """HTML, NaN, duplicate keys, endless numbers, bad UTF-8 and deep nesting are all the same to us."""
        assert kind_of(httpx.Response(200, content=content)) == "not_json"

    def test_but_not_those_with_a_byte_order_mark(self) -> None:
        """A BOM does no harm."""
        assert strict_json(b"\xef\xbb\xbf[1]") == [1]

    @pytest.mark.parametrize(
        ("response", "kind"),
        [
            (httpx.Response(302, headers={"Location": "http://127.0.0.1/trap"}), "redirect"),
            (httpx.Response(404, content=b"secret"), "http_404"),
            (httpx.Response(400), "http_400"),
            (httpx.Response(429), "rate_limited"),
            (httpx.Response(425), "http_425"),
            (httpx.Response(503), "http_503"),
            (httpx.Response(200, headers={"Content-Length": "9"}, content=b"[1]"), "truncated"),
            (httpx.Response(200, content=b" " * (BODY_LIMIT + 1)), "too_large"),
            (httpx.ConnectError("secret"), "connect_error"),
            (httpx.ReadTimeout("secret"), "timeout"),
            (httpx.UnsupportedProtocol("secret"), "protocol_error"),
            (httpx.RemoteProtocolError("illegal status line"), "protocol_error"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_have_one_stable_kind_and_quote_nothing(self, response: httpx.Response | Exception, kind: str) -> None:
        """Every failure has its word and is counted once."""
        assert kind_of(response) == kind

    def test_include_every_content_encoding(self) -> None:
        """A gzip bomb is refused by its header, before a byte of it is inflated."""

        async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            content = gzip.compress(b"0" * 1_000_000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()

        assert run(kind_from(bomb)) == "encoded"

    def test_of_the_parser_count_as_the_calls_failure(self) -> None:
        """A body that the parser refuses makes the call a failed one, under the parser's kind."""

        def refusing(body: Body) -> None:
            raise Unavailable("venue", "wrong_pair")

        client = client_of(answering(httpx.Response(200, content=b"1"))[0])
        with pytest.raises(Unavailable, match="wrong_pair"):
            run(client.read(Call(path="/x"), refusing))
        seen = client.health.report(NOW_MS)["venue"]
        assert (seen.ok, seen.errors, seen.last_ok_at_ms) == (False, {"wrong_pair": 1}, None)

    def test_that_are_expected_are_counted_without_making_the_host_a_failing_one(self) -> None:
        """A 404 that means "no book" leaves the source healthy."""
        client = client_of(answering(httpx.Response(404))[0])
        with pytest.raises(StatusRefused) as caught:
            run(client.read(Call(path="/book", meanings={404: "no_book"}), lambda body: body))
        seen = client.health.report(NOW_MS)["venue"]
        assert (caught.value.kind, caught.value.status) == ("no_book", 404)
        assert (seen.ok, seen.errors) == (True, {"no_book": 1})


class TestTheDeadline:
    @pytest.mark.parametrize("opening", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"], ids=["headers", "body"])
    def test_covers_a_host_that_drips(self, opening: bytes) -> None:
        """A byte every 20 ms never trips a timeout that counts for each chunk; the whole call ends in time."""

        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(opening or b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(100):
                writer.write(b"1")
                await writer.drain()
                await asyncio.sleep(0.02)

        began = time.monotonic()
        assert run(kind_from(drip, timeout_s=0.2)) == "timeout"
        assert time.monotonic() - began < 1.0

    def test_lets_a_cancellation_through(self) -> None:
        """The tick's own deadline cancels; that must not turn into a failure to be swallowed."""

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(5)

        async def cancelled() -> bool:
            async with serving(hang) as base_url:
                client = client_of(None, base_url=base_url)
                task = asyncio.create_task(client.get("/x"))
                await asyncio.sleep(0.05)
                task.cancel()
                done, _ = await asyncio.wait([task])
                await client.aclose()
                return done.pop().cancelled()

        assert run(cancelled())


class TestALostConnection:
    def test_is_tried_once_more_for_a_get(self) -> None:
        """A keep-alive connection that the host closed in between costs nothing."""
        transport, asked = answering(httpx.ReadError("reset"), httpx.Response(200, content=b"[]"))
        assert run(client_of(transport).get("/x")).json == []
        assert len(asked) == 2

    def test_is_given_up_after_the_second_time(self) -> None:
        """Never a third request."""
        transport, asked = answering(httpx.RemoteProtocolError("Server disconnected without sending a response."))
        with pytest.raises(Unavailable, match="connection_lost"):
            run(client_of(transport).get("/x"))
        assert len(asked) == 2

    @pytest.mark.parametrize(("method", "error"), [("POST", httpx.ReadError("")), ("GET", httpx.RemoteProtocolError("junk"))])
    def test_is_not_tried_again_for_a_post_or_after_garbage(self, method: str, error: Exception) -> None:
        """Only what was certainly not answered, and may be asked twice."""
        transport, asked = answering(error)
        with pytest.raises(Unavailable):
            run(client_of(transport).read(Call(path="/x", method=method), lambda body: body))
        assert len(asked) == 1

    def test_is_not_tried_again_for_a_get_that_may_be_sent_only_once(self) -> None:
        """A key check."""
        transport, asked = answering(httpx.ReadError("reset"))
        with pytest.raises(Unavailable, match="connection_lost"):
            run(client_of(transport).read(Call(path="/x", once=True), lambda body: body))
        assert len(asked) == 1

    def test_in_the_middle_of_a_body_is_a_truncated_one(self) -> None:
        """Half a body is no answer, and is not asked for again."""

        async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
            await writer.drain()

        assert run(kind_from(half)) == "truncated"

    def test_and_garbage_instead_of_http_have_their_own_kinds(self) -> None:
        """A real socket that closes, or speaks no HTTP."""

        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")

        async def garbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x00\xff no http\r\n\r\n")
            await writer.drain()

        assert run(kind_from(closing)) == "connection_lost"
        assert run(kind_from(garbling)) == "protocol_error"


class TestTheBackoff:
    def test_refuses_calls_at_once_until_it_is_over(self) -> None:
        """After a 503 the host is left alone for at most half a second, and then asked again."""
        clock = Time()
        transport, asked = answering(httpx.Response(503), httpx.Response(200, content=b"[]"))
        client = client_of(transport, monotonic=clock)
        for kind in ("http_503", "backing_off"):
            with pytest.raises(Unavailable, match=kind):
                run(client.get("/x"))
        clock.now_s += 0.5
        assert run(client.get("/x")).json == []
        assert len(asked) == 2
        assert run(client.get("/x")).json == []

    @pytest.mark.parametrize(("asked_for", "waited"), [("10", 10.0), ("86400", 120.0), ("soon", 0.5), ("0", 0.5)])
    def test_waits_as_long_as_the_host_asks_up_to_two_minutes(self, asked_for: str, waited: float) -> None:
        """`Retry-After` in seconds counts, within reason."""
        clock = Time()
        transport, asked = answering(httpx.Response(429, headers={"Retry-After": asked_for}))
        client = client_of(transport, monotonic=clock)
        with pytest.raises(Unavailable, match="rate_limited"):
            run(client.get("/x"))
        clock.now_s += waited * 0.49
        with pytest.raises(Unavailable, match="backing_off"):
            run(client.get("/x"))
        clock.now_s += waited * 0.52
        with pytest.raises(Unavailable, match="rate_limited"):
            run(client.get("/x"))
        assert len(asked) == 2

    @pytest.mark.parametrize("response", [httpx.Response(404), httpx.Response(400), httpx.Response(200, content=b"<html>")])
    def test_is_not_for_answers_that_say_nothing_of_the_hosts_health(self, response: httpx.Response) -> None:
        """A 404 must not cost the next call."""
        transport, asked = answering(response)
        client = client_of(transport, monotonic=Time())
        for _ in range(2):
            with pytest.raises(Unavailable):
                run(client.get("/x"))
        assert len(asked) == 2

    def test_doubles_up_to_a_minute(self) -> None:
        """Twenty failures in a row never make it longer than 60 s, nor shorter than half of what it should be."""
        backoff, now_s = Backoff(random.Random(3)), 0.0
        for failure in range(20):
            backoff.failed(began_s=now_s, now_s=now_s, asked_s=None)
            whole_s = min(60.0, 0.5 * 2**failure)
            assert whole_s / 2 <= backoff.left_s(now_s) <= whole_s
            now_s += 61

    def test_is_as_much_shorter_as_the_host_plays_faster(self) -> None:
        """Ten seconds of a venue that plays thirty times as fast are a third of one of ours."""
        backoff = Backoff(random.Random(3), speed=30.0)
        backoff.failed(began_s=0.0, now_s=0.0, asked_s=10.0)
        assert backoff.left_s(0.0) == pytest.approx(1 / 3)

    def test_counts_calls_that_failed_together_as_one_failure(self) -> None:
        """Eight parallel calls into the same outage are one piece of news."""
        backoff = Backoff(random.Random(3))
        for _ in range(8):
            backoff.failed(began_s=1.0, now_s=1.2, asked_s=None)
        assert 0 < backoff.left_s(1.2) <= 0.5


def test_requests_start_no_closer_together_than_the_venue_allows() -> None:
    """Three calls at once with a pace of 50 ms take at least 100 ms."""
    starts: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        starts.append(time.monotonic())
        return httpx.Response(200, stream=httpx.ByteStream(b"[]"))

    async def thrice() -> None:
        client = client_of(httpx.MockTransport(answer), min_interval_s=0.05)
        await asyncio.gather(*(client.get("/x") for _ in range(3)))

    run(thrice())
    assert [later - earlier >= 0.045 for earlier, later in pairwise(starts)] == [True, True]


class TestHealth:
    def test_tells_percentiles_and_ages(self) -> None:
        """Nearest rank over the newest 200 calls."""
        health = Health()
        for latency_ms in range(1, 401):
            health.ok("venue", latency_ms, 1_000)
        seen = health.report(3_500)["venue"]
        assert (seen.latency_p50_ms, seen.latency_p95_ms, seen.age_s) == (300, 390, 2.5)

    def test_counts_no_more_kinds_than_it_has_room_for(self) -> None:
        """A host that invents status codes fills no memory."""
        health = Health()
        for number in range(1_000):
            health.failed("venue", f"http_{number}")
        errors = health.report(0)["venue"].errors
        assert (len(errors), sum(errors.values())) == (65, 1_000)

    def test_knows_nothing_of_a_source_that_only_failed(self) -> None:
        """No latency and no age are invented."""
        health = Health()
        health.failed("venue", "timeout")
        seen = health.report(0)["venue"]
        assert (seen.ok, seen.age_s, seen.latency_p50_ms, seen.last_ok_at_ms) == (False, None, None, None)

    def test_keeps_an_alarm_until_it_is_cleared(self) -> None:
        """A source that answers can still have one; the last text of a subject counts."""
        health = Health()
        health.ok("venue", 1.0, 0)
        assert health.report(0)["venue"].alarms == {}
        health.alarm("venue", "m", "charges 0.08")
        health.alarm("venue", "n", "charges 0.10")
        health.alarm("venue", "m", "charges 0.09")
        seen = health.report(0)["venue"]
        assert (seen.ok, seen.alarms) == (True, {"n": "charges 0.10", "m": "charges 0.09"})
        health.alarm("venue", "m", None)
        health.alarm("venue", "n", None)
        assert health.report(0)["venue"].alarms == {}

    def test_shows_a_source_that_was_never_called_while_it_has_an_alarm(self) -> None:
        """Clearing what was never set invents no source."""
        health = Health()
        health.alarm("venue", "m", None)
        assert health.report(0) == {}
        health.alarm("venue", "m", "charges 0.08")
        assert health.report(0)["venue"].alarms == {"m": "charges 0.08"}
        assert not health.report(0)["venue"].ok
        health.alarm("venue", "m", None)
        assert health.report(0) == {}

    def test_keeps_no_more_alarms_than_the_newest(self) -> None:
        """One that is set again is new again."""
        health = Health()
        for number in range(65):
            health.alarm("venue", f"m{number}", "x")
            health.alarm("venue", "m0", "again")
        alarms = health.report(0)["venue"].alarms
        assert len(alarms) == 64
        assert alarms["m0"] == "again"
        assert {"m1", "m2"} - alarms.keys() == {"m1"}

    def test_gives_away_no_report_that_changes_afterwards(self) -> None:
        """Another thread writes it into a file."""
        health = Health()
        health.alarm("venue", "m", "charges 0.08")
        seen = health.report(0)["venue"]
        health.alarm("venue", "m", "charges 0.09")
        assert seen.alarms == {"m": "charges 0.08"}
