"""What Polymarket's answers say about an L2 key."""

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from adapters.health import Health
from adapters.http import VenueClient
from adapters.keys.polymarket import BEYOND, CLOSED_ONLY_PATH, KEYS_PATH, polymarket_rights
from adapters.keys.rights import KeyRights
from adapters.keys.signatures import polymarket_signature
from adapters.keys.values import L2Key
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock

SECRET = "Y2FuYXJ5LXNlY3JldC1jYW5hcnktc2VjcmV0"
KEY = L2Key(
    address=SecretStr("0x" + "c" * 40),
    key=SecretStr("canary-key"),
    secret=SecretStr(SECRET),
    passphrase=SecretStr("canary-pass"),
)
LISTED = httpx.Response(200, content=b'{"apiKeys":["canary-key"]}')


def check(*answers: httpx.Response | Exception) -> tuple[list[httpx.Request], KeyRights | Unavailable]:
    """What was asked, and what came out."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = answers[len(asked) - 1]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, stream=httpx.ByteStream(given.content))

    client = VenueClient(
        "polymarket_clob",
        "http://venue.example/clob",
        clock=StoppedClock(),
        health=Health(),
        transport=httpx.MockTransport(answer),
    )
    try:
        return asked, asyncio.run(polymarket_rights(client, KEY))
    except Unavailable as refused:
        return asked, refused


@pytest.mark.parametrize(
    ("closed_only", "note"), [(b'{"closed_only":false}', ""), (b'{"closed_only":true}', "its account may only close positions")]
)
def test_a_key_that_works_and_whether_its_account_may_open_positions(closed_only: bytes, note: str) -> None:
    """Two calls, each signed for its own path without the host's prefix."""
    asked, rights = check(LISTED, httpx.Response(200, content=closed_only))
    assert rights == KeyRights(beyond=BEYOND, note=note)
    assert [request.url.path for request in asked] == [f"/clob{KEYS_PATH}", f"/clob{CLOSED_ONLY_PATH}"]
    for request, path in zip(asked, (KEYS_PATH, CLOSED_ONLY_PATH), strict=True):
        assert request.headers["POLY_SIGNATURE"] == polymarket_signature(SECRET, NOW_MS // 1000, "GET", path)
        assert request.headers["POLY_TIMESTAMP"] == str(NOW_MS // 1000)
        assert (request.headers["POLY_API_KEY"], request.headers["POLY_PASSPHRASE"]) == ("canary-key", "canary-pass")


@pytest.mark.parametrize(
    "second", [httpx.Response(404, content=b"{}"), httpx.Response(200, content=b"[]"), httpx.ReadError("canary")]
)
def test_a_key_works_although_the_second_question_fails(second: httpx.Response | Exception) -> None:
    """It is a note, and is not asked again."""
    asked, rights = check(LISTED, second)
    assert isinstance(rights, KeyRights)
    assert "is not told" in rights.note
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401, content=b'{"error":"Unauthorized/Invalid api key"}'), "authentication"),
        (httpx.Response(401, content=b"<html>"), "authentication"),
        (httpx.Response(403, content=b"error code: 1010"), "http_403"),
        (httpx.Response(429, content=b'{"error":"Too Many Requests"}'), "rate_limited"),
        (httpx.Response(200, content=b"<html>canary"), "not_json"),
        (httpx.Response(200, content=b'{"error":"canary"}'), "invalid_body"),
        (httpx.Response(200, content=b"[]"), "invalid_body"),
        (httpx.ReadError("canary"), "connection_lost"),
    ],
)
def test_a_key_that_is_refused_is_sent_once(answer: httpx.Response | Exception, expected: str) -> None:
    """No second question, no second try."""
    asked, refused = check(answer)
    assert isinstance(refused, Unavailable)
    assert refused.kind == expected
    assert "canary" not in repr(refused)
    assert len(asked) == 1
