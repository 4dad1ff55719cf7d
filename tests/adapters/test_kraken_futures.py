"""Kraken Futures: the mark price of the asked symbol, from an answer that is of now."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from adapters.health import Health
from adapters.http import Body, VenueClient
from adapters.kraken_futures import KrakenFutures, parse_price, parse_tickers
from domain.market import Moment, Reference
from domain.ports import Clock, Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock, replayed

NOW_ISO = "2026-09-21T14:14:20.5Z"
ROW: dict[str, object] = {"symbol": "PF_XBTUSD", "markPrice": 101, "indexPrice": 100, "last": 99, "suspended": False}


def envelope(*rows: object, **changes: object) -> dict[str, object]:
    """A success envelope of now."""
    return {"result": "success", "serverTime": NOW_ISO, "tickers": list(rows)} | changes


def answer(body: object) -> Body:
    """An answer whose `Date` is now."""
    return Body(json=body, status=200, requested=StoppedClock().now(), server_ms=NOW_MS)


def priced(row: object, field: str | None = None) -> float:
    """The price of PF_XBTUSD in an answer with this row."""
    return parse_price(parse_tickers(answer(envelope(row))), "PF_XBTUSD", field)


class SteppingClock:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self._seconds = count()

    def now(self) -> Moment:
        """A second after the last time."""
        elapsed_ms = next(self._seconds) * 1000
        return Moment(at_ms=NOW_MS + elapsed_ms, elapsed_ms=elapsed_ms)


def adapter_of(bodies: Iterator[object], clock: Clock | None = None) -> tuple[KrakenFutures, list[str], VenueClient]:
    """An adapter whose host gives these bodies one after the other, and what was asked."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(next(bodies)).encode()))

    transport = httpx.MockTransport(respond)
    moments = clock or StoppedClock()
    client = VenueClient("kraken_futures", "http://f.example", clock=moments, health=Health(), transport=transport)
    return KrakenFutures(client), asked, client


def test_a_reference_is_the_mark_price() -> None:
    """From the cassette, asked in small letters."""
    assert replayed("futures_reference") == Reference(price=60006.430043, requested=StoppedClock().now())


def test_mark_goes_before_index_and_index_before_last() -> None:
    """A perpetual can lack some of them just after its listing; an index row has only `last`."""
    assert priced(ROW) == 101.0
    assert priced(ROW | {"markPrice": None}) == 100.0
    assert priced({"symbol": "pf_xbtusd", "last": 99}) == 99.0


def test_a_named_field_is_the_only_one() -> None:
    """Whoever asks for the index must not get the mark."""
    assert priced(ROW, "index") == 100.0
    with pytest.raises(Unavailable, match="no_price"):
        priced({"symbol": "PF_XBTUSD", "last": 99}, "index")


@pytest.mark.parametrize("price", [0, -1, "101", True, [101], 1e400, 10**13])
def test_a_price_that_is_none_is_not_passed_over(price: object) -> None:
    """A broken mark price is not replaced by the index."""
    with pytest.raises(Unavailable, match="invalid_body"):
        priced(ROW | {"markPrice": price})


def test_a_suspended_market_has_no_price() -> None:
    """Its quotes are not to be trusted; a word is no bool."""
    with pytest.raises(Unavailable, match="suspended"):
        priced(ROW | {"suspended": True})
    with pytest.raises(Unavailable, match="invalid_body"):
        priced(ROW | {"suspended": "false"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"result": "error", "error": "apiLimitExceeded", "serverTime": NOW_ISO}, "rate_limited"),
        ({"result": "error", "error": "Server Error"}, "unavailable"),
        ({"result": "error", "errors": [{"code": 11, "message": "x"}]}, "venue_error"),
        ({"errors": [{"code": 92, "message": "INSUFFICIENT_MARGIN"}]}, "venue_error"),
        ({"reason": "x", "status": "unauthorized"}, "invalid_body"),
        (envelope(tickers=None), "invalid_body"),
        (envelope(serverTime=None), "invalid_body"),
        (envelope(serverTime="2026-09-21"), "invalid_body"),
        (envelope(serverTime="2026-09-21T14:15:21Z"), "wrong_time"),
        (envelope(serverTime="2026-09-21T14:13:19.999Z"), "wrong_time"),
        ([], "invalid_body"),
        (None, "invalid_body"),
    ],
)
def test_an_answer_that_is_no_list_of_tickers_of_now_is_refused(body: object, kind: str) -> None:
    """Three shapes of errors, and a clock that must agree with the answer's date within a minute."""
    with pytest.raises(Unavailable) as caught:
        parse_tickers(answer(body))
    assert caught.value.kind == kind


@pytest.mark.parametrize("stamp", ["2026-09-21T14:14:20Z", "2026-09-21T14:14:20.1Z", "2026-09-21T14:14:20.08081Z"])
def test_any_number_of_fraction_digits_is_a_time(stamp: str) -> None:
    """The venue writes as many as it needs."""
    assert parse_tickers(answer(envelope(ROW, serverTime=stamp))).server_ms // 1000 == NOW_MS // 1000


@pytest.mark.parametrize(
    ("rows", "kind"), [([], "unknown_symbol"), ([ROW, ROW], "duplicate_symbol"), ([None], "unknown_symbol")]
)
def test_the_symbol_must_be_there_once(rows: list[object], kind: str) -> None:
    """No other symbol stands in for it."""
    with pytest.raises(Unavailable, match=kind):
        parse_price(parse_tickers(answer(envelope(*rows))), "PF_XBTUSD")


def test_one_request_serves_the_symbols_of_one_tick() -> None:
    """Two symbols at once, one question."""
    adapter, asked, _ = adapter_of(iter([envelope(ROW, {"symbol": "PF_ETHUSD", "markPrice": 3})]))

    async def both() -> tuple[Reference, Reference]:
        return await asyncio.gather(adapter.reference("PF_XBTUSD"), adapter.reference("PF_ETHUSD"))

    assert [reference.price for reference in asyncio.run(both())] == [101.0, 3.0]
    assert asked == ["/derivatives/api/v3/tickers"]


@pytest.mark.parametrize(("field", "price"), [("indexPrice", 100.0), ("index_price", 100.0), ("markPrice", 101.0), ("", 101.0)])
def test_a_named_field_is_taken_for_its_symbol(field: str, price: float) -> None:
    """The market map names it."""
    adapter, _, _ = adapter_of(iter([envelope(ROW)]))
    assert asyncio.run(adapter.reference("PF_XBTUSD", field)).price == price


def test_a_field_that_is_none_is_refused() -> None:
    """No other field stands in for it."""
    adapter, _, _ = adapter_of(iter([envelope(ROW)]))
    with pytest.raises(Unavailable, match="unknown_field"):
        asyncio.run(adapter.reference("PF_XBTUSD", "volume"))


def test_time_that_runs_backwards_is_refused_and_counted() -> None:
    """An answer older than one already seen comes from a stale cache; the next good one is taken again."""
    stamps = ("2026-09-21T14:14:20Z", "2026-09-21T14:14:19Z", "2026-09-21T14:14:20Z")
    adapter, _, client = adapter_of(iter([envelope(ROW, serverTime=stamp) for stamp in stamps]), SteppingClock())

    async def thrice() -> None:
        await adapter.reference("PF_XBTUSD")
        with pytest.raises(Unavailable, match="older_answer"):
            await adapter.reference("PF_XBTUSD")
        assert (await adapter.reference("PF_XBTUSD")).price == 101.0

    asyncio.run(thrice())
    assert client.health.report(NOW_MS)["kraken_futures"].errors == {"older_answer": 1}


def test_prices_are_as_old_as_the_venue_s_own_time_of_them() -> None:
    """A `serverTime` that lies behind the answer's date is an age, whatever the cache says."""
    behind = parse_tickers(answer(envelope(ROW, serverTime="2026-09-21T14:13:50Z")))
    assert behind.age_s == 30.0
    assert parse_tickers(answer(envelope(ROW))).age_s == 0.0
