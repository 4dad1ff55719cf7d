"""What Kraken's answers say about a key, spot and futures; each question is asked once, signed for the venue's own path."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from adapters.health import Health
from adapters.http import Body, VenueClient
from adapters.keys.kraken_futures import ACCOUNTS_PATH, CHECK_PATH, futures_rights, parse_accounts, parse_check
from adapters.keys.kraken_spot import parse_spot, spot_rights
from adapters.keys.rights import KeyRights
from adapters.keys.signatures import futures_signature, spot_signature
from adapters.keys.values import ApiKey
from adapters.wire_numbers import strict_json
from domain.market import Moment
from domain.ports import Unavailable
from tests.adapters.record_cassettes import StoppedClock

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared/payloads/kraken"
needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the collected payloads are not beside this checkout")

KEY = ApiKey(key=SecretStr("canary+key/0123456789abcdef"), secret=SecretStr("Y2FuYXJ5LXNlY3JldC1jYW5hcnktc2VjcmV0"))
NONCE = 1_790_000_000_000_000_000
ACCOUNTS = {"result": "success", "accounts": {"cash": {}}, "serverTime": "2026-09-21T14:14:20.1Z"}


def body(json: object, status: int = 200) -> Body:
    """An answer."""
    return Body(json=json, status=status, requested=Moment(at_ms=1, elapsed_ms=1))


def payload(name: str, status: int = 200) -> Body:
    """A collected answer."""
    return body(strict_json((PAYLOADS / name).read_bytes()), status)


class Venue:
    """Answers by path, and keeps what it was asked."""

    def __init__(self, answers: dict[str, httpx.Response | Exception]) -> None:
        """Nothing asked yet."""
        self.asked: list[httpx.Request] = []
        self._answers = answers

    def client(self, base_url: str) -> VenueClient:
        """A client of this venue."""
        return VenueClient(
            "venue", base_url, clock=StoppedClock(), health=Health(), transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        given = self._answers[request.url.path]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, stream=httpx.ByteStream(given.content))


def spot_call(answer: httpx.Response | Exception) -> tuple[Venue, KeyRights | Unavailable]:
    """One check of a spot key behind a host with a prefix of its own."""
    venue = Venue({"/kraken/0/private/GetApiKeyInfo": answer})
    try:
        return venue, asyncio.run(spot_rights(venue.client("http://venue.example/kraken"), KEY, NONCE))
    except Unavailable as refused:
        return venue, refused


def futures_call(check: httpx.Response | Exception) -> tuple[Venue, KeyRights | Unavailable]:
    """One check of a futures key whose accounts could be read."""
    accounts = httpx.Response(200, content=json.dumps(ACCOUNTS).encode())
    venue = Venue({f"/futures{CHECK_PATH}": check, f"/futures{ACCOUNTS_PATH}": accounts})
    try:
        return venue, asyncio.run(futures_rights(venue.client("http://venue.example/futures"), KEY))
    except Unavailable as refused:
        return venue, refused


def kind(result: object) -> str:
    """The kind of a refusal that shows nothing of the key."""
    assert isinstance(result, Unavailable)
    assert "canary" not in repr(result)
    return result.kind


def refused_spot(answer: Body) -> str:
    """The kind that a spot answer is refused with."""
    with pytest.raises(Unavailable) as refused:
        parse_spot(answer)
    return refused.value.kind


def refused_futures(answer: Body) -> str:
    """The kind that an answer of the key check is refused with."""
    with pytest.raises(Unavailable) as refused:
        parse_check(answer)
    return refused.value.kind


SPOT_ERRORS = (
    ("EAPI:Invalid key", "invalid_key"),
    ("EAPI:Invalid signature", "invalid_signature"),
    ("EAPI:Invalid nonce", "invalid_nonce"),
    ("EGeneral:Permission denied", "permission_denied"),
    ("EGeneral:Temporary lockout", "lockout"),
    ("EAPI:Rate limit exceeded", "rate_limited"),
    ("EGeneral:Too many requests", "rate_limited"),
    ("EService: Throttled: 1790000000", "throttled"),
    ("EService:Unavailable", "unavailable"),
    ("EService:Busy", "busy"),
    ("EGeneral:Internal error:7", "unavailable"),
    ("EOrder:Something new", "venue_error"),
    ("", "venue_error"),
)


@pytest.mark.parametrize(("text", "expected"), SPOT_ERRORS)
@pytest.mark.parametrize("rest", [{}, {"result": None}, {"result": {}}])
@pytest.mark.parametrize("status", [200, 401, 503])
def test_a_spot_error_is_read_from_the_body_whatever_the_status(
    text: str, expected: str, rest: dict[str, object], status: int
) -> None:
    """Kraken answers errors with 200; a gateway in front of it may not."""
    assert refused_spot(body({"error": [text], **rest}, status)) == expected


@needs_payloads
@pytest.mark.parametrize("name", ["invalid_key", "invalid_key_null_result", "invalid_nonce", "invalid_signature"])
def test_a_collected_spot_refusal_has_its_kind(name: str) -> None:
    """As they were captured."""
    assert refused_spot(payload(f"spot_error__{name}.json")) == name.removesuffix("_null_result")


@needs_payloads
def test_a_collected_spot_key_says_what_it_may_do_beyond_reading() -> None:
    """Four of its nine permissions move something."""
    rights = parse_spot(payload("spot_private_apikeyinfo__snake_case.json"))
    assert rights.beyond == (
        "deposit money (add-funds)",
        "withdraw money (withdraw-funds)",
        "place and change orders (modify-trades)",
        "cancel orders and close positions (close-trades)",
    )


def test_spot_fields_in_camel_case_are_read_too() -> None:
    """As the documents print them; a warning beside the result is no error."""
    result = {"apiKeyName": "daily", "permissions": ["query-funds", "query-ledger"], "nonceWindow": 0, "lastUsed": None}
    rights = parse_spot(body({"error": ["WGeneral:Something"], "result": result}))
    assert rights == KeyRights(beyond=())


def test_a_spot_permission_that_nobody_knows_counts_as_going_beyond() -> None:
    """Better one warning too many."""
    rights = parse_spot(body({"error": [], "result": {"permissions": ["query-funds", "rule-world", "\x1b[2Jx"]}}))
    assert rights.beyond == ("unknown (rule-world)", "unknown (a name that cannot be shown)")


def test_a_spot_key_of_which_no_permissions_are_told_works_nevertheless() -> None:
    """The venue requires neither field."""
    assert parse_spot(body({"error": [], "result": {}})) == KeyRights(beyond=None)


def test_a_key_without_any_permission_is_valid_but_lacks_it() -> None:
    """The real `GetApiKeyInfo` answers it with an empty list, the futures check with NO_ACCESS."""
    assert refused_spot(body({"error": [], "result": {"permissions": []}})) == "permission_denied"
    nothing = {"general": "NO_ACCESS", "transfer": "NO_ACCESS"}
    assert refused_futures(body({"accountUid": "1", "permissions": nothing})) == "permission_denied"


STRANGE: tuple[object, ...] = (
    [],
    "x",
    None,
    7,
    {},
    {"error": "EAPI:Invalid key"},
    {"error": []},
    {"error": [], "result": {"permissions": "all"}},
)


@pytest.mark.parametrize("json", STRANGE)
def test_a_spot_answer_of_another_shape_is_refused(json: object) -> None:
    """As a shape, or by its HTTP status if that is an error."""
    assert refused_spot(body(json)) == "invalid_body"
    assert refused_spot(body(json, 520)) == "http_520"
    assert refused_spot(body(json, 429)) == "rate_limited"


@pytest.mark.parametrize("json", [[], "x", None, 7, {}, {"permissions": {}}, {"accountUid": "1", "permissions": ["all"]}])
def test_a_futures_answer_of_another_shape_is_refused(json: object) -> None:
    """Likewise."""
    assert refused_futures(body(json)) == "invalid_body"
    assert refused_futures(body(json, 500)) == "http_500"
    assert refused_futures(body(json, 401)) == "authentication"


def test_a_spot_request_is_signed_for_the_venue_s_own_path_and_its_exact_bytes() -> None:
    """The host's prefix is no part of what is signed."""
    venue, rights = spot_call(httpx.Response(200, content=b'{"error":[],"result":{"permissions":["query-funds"]}}'))
    assert rights == KeyRights(beyond=())
    (request,) = venue.asked
    assert (request.method, request.content) == ("POST", f"nonce={NONCE}".encode())
    assert request.headers["API-Key"] == KEY.key.get_secret_value()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    signed = spot_signature(KEY.secret.get_secret_value(), "/0/private/GetApiKeyInfo", NONCE, request.content)
    assert request.headers["API-Sign"] == signed


def test_a_futures_request_is_signed_without_a_nonce() -> None:
    """And without the prefix."""
    check = {"accountUid": "1", "permissions": {"general": "FULL_ACCESS", "transfer": "FULL_ACCESS"}}
    venue, rights = futures_call(httpx.Response(200, content=json.dumps(check).encode()))
    assert rights == KeyRights(
        beyond=("trade (general: FULL_ACCESS)", "move money between wallets and out (transfer: FULL_ACCESS)")
    )
    (request,) = venue.asked
    assert request.headers["APIKey"] == KEY.key.get_secret_value()
    assert request.headers["Authent"] == futures_signature(KEY.secret.get_secret_value(), CHECK_PATH)
    assert "Nonce" not in request.headers


BROKEN: tuple[tuple[httpx.Response | Exception, str], ...] = (
    (httpx.ReadError("canary"), "connection_lost"),
    (httpx.RemoteProtocolError("Server disconnected without sending a response."), "connection_lost"),
    (httpx.ConnectError("canary"), "connect_error"),
    (httpx.ReadTimeout("canary"), "timeout"),
    (httpx.LocalProtocolError("Illegal header value b'canary'"), "protocol_error"),
    (httpx.Response(200, content=b"<html>canary</html>"), "not_json"),
    (httpx.Response(520, content=b"<html>canary</html>"), "http_520"),
    (httpx.Response(403, content=b"error code: 1010"), "http_403"),
    (httpx.Response(429, content=b"slow down"), "rate_limited"),
    (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), "redirect"),
)


@pytest.mark.parametrize(("answer", "expected"), BROKEN)
def test_whatever_breaks_a_key_is_sent_once(answer: httpx.Response | Exception, expected: str) -> None:
    """And nothing of it is in the refusal."""
    for venue, result in (spot_call(answer), futures_call(answer)):
        assert kind(result) == expected
        assert len(venue.asked) == 1


FUTURES_ERRORS = (
    ({"result": "error", "error": "authenticationError", "serverTime": "2024-11-15T10:06:57.631Z"}, "authentication"),
    ({"error": "authenticationError", "message": "no", "suberror": None}, "authentication"),
    ({"result": "error", "error": "insufficientPrivileges"}, "permission_denied"),
    ({"result": "error", "error": "accountInactive"}, "account_inactive"),
    ({"result": "error", "error": "apiLimitExceeded"}, "rate_limited"),
    ({"result": "error", "error": "nonceBelowThreshold"}, "invalid_nonce"),
    ({"result": "error", "error": "nonceDuplicate"}, "invalid_nonce"),
    ({"result": "error", "error": "somethingNew"}, "venue_error"),
    ({"result": "error", "errors": [{"code": 11, "message": "Invalid UUID string: canary"}]}, "venue_error"),
    ({"errors": [{"code": 92, "message": "canary"}]}, "venue_error"),
)


@pytest.mark.parametrize(("json", "expected"), FUTURES_ERRORS)
def test_a_futures_error_is_read_in_each_of_its_shapes(json: object, expected: str) -> None:
    """From the check and from the accounts."""
    assert refused_futures(body(json)) == expected
    with pytest.raises(Unavailable) as refused:
        parse_accounts(body(json))
    assert refused.value.kind == expected
    assert "canary" not in str(refused.value)


@needs_payloads
def test_collected_futures_answers_are_read() -> None:
    """The documents' key has an empty map of permissions; an unauthorized one has a shape of its own."""
    assert parse_check(payload("futures_keycheck__ok_doc.json")) == KeyRights(beyond=None)
    for name in ("doc", "jkorf_numbers"):
        assert parse_accounts(payload(f"futures_accounts__{name}.json")).beyond is None
    assert refused_futures(payload("futures_error__authenticationError_live_20241115.json")) == "authentication"
    assert refused_futures(payload("futures_history_401_unauthorized.json", 401)) == "authentication"


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("content", [b'{"result":"error","error":"notFound"}', b"<html>", b'{"errors":[]}', b"[]"])
def test_the_accounts_are_asked_where_the_check_does_not_exist(status: int, content: bytes) -> None:
    """Only there; each is asked once."""
    venue, rights = futures_call(httpx.Response(status, content=content))
    assert isinstance(rights, KeyRights)
    assert rights.beyond is None
    assert [request.url.path for request in venue.asked] == [f"/futures{CHECK_PATH}", f"/futures{ACCOUNTS_PATH}"]


@pytest.mark.parametrize("status", [200, 401, 403, 404])
@pytest.mark.parametrize("code", ["authenticationError", "insufficientPrivileges", "accountInactive"])
def test_the_accounts_are_not_asked_after_a_refusal(status: int, code: str) -> None:
    """A second wrong try brings a lockout nearer."""
    venue, result = futures_call(httpx.Response(status, content=json.dumps({"result": "error", "error": code}).encode()))
    assert isinstance(result, Unavailable)
    assert len(venue.asked) == 1
