"""The venues' private endpoints in front of any `Script`: which keys exist, what they may do, and signatures that must fit.

There is nothing here that an order could be sent to.
"""

import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from adapters.keys.signatures import futures_signature, polymarket_signature, spot_signature
from adapters.simulated_venues.kraken_wire import futures_error, spot_error, spot_result
from adapters.simulated_venues.wire import Answer, Request, Script, iso

SPOT_INFO = "/0/private/GetApiKeyInfo"
FUTURES_CHECK = "/api/auth/v1/api-keys/v3/check"
FUTURES_ACCOUNTS = "/derivatives/api/v3/accounts"
CLOB_KEYS = "/auth/api-keys"
CLOB_CLOSED_ONLY = "/auth/ban-status/closed-only"
CLOB_CLOCK_S = 60
"""How far a timestamp may lie from the venue's time."""

CREATED_MS = 1_750_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimKey:
    """A Kraken key. `refusal` is what the venue says to it instead of what was asked ("EGeneral:Temporary lockout")."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    permissions: tuple[str, ...] = ("query-funds",)
    general: str = "READ_ONLY"
    transfer: str = "NO_ACCESS"
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimL2Key:
    """A Polymarket L2 key and its account."""

    address: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
    closed_only: bool = False


class Accounts:
    """A `Script` that answers the private calls itself and leaves the others to the script behind it.

    `spot` keys have `permissions`, `futures` keys `general` and `transfer`.
    """

    def __init__(
        self,
        script: Script,
        *,
        spot: tuple[SimKey, ...] = (),
        futures: tuple[SimKey, ...] = (),
        clob: tuple[SimL2Key, ...] = (),
    ) -> None:
        """No nonce was used yet."""
        self._script = script
        self._spot = {key.key: key for key in spot}
        self._futures = {key.key: key for key in futures}
        self._clob = {key.key: key for key in clob}
        self._lock = threading.Lock()
        self._nonces: dict[str, int] = {}

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer at `now_ms`."""
        asked = (venue, request.method, request.path)
        if asked == ("kraken_spot", "POST", SPOT_INFO):
            return Answer(200, self._spot_info(request))
        if asked in (("kraken_futures", "GET", FUTURES_CHECK), ("kraken_futures", "GET", FUTURES_ACCOUNTS)):
            return self._futures_answer(request, now_ms)
        if asked in (("clob", "GET", CLOB_KEYS), ("clob", "GET", CLOB_CLOSED_ONLY)):
            return self._clob_answer(request, now_ms)
        return self._script.answer(venue, request, now_ms)

    def _spot_info(self, request: Request) -> dict[str, object]:
        known = self._spot.get(request.headers.get("api-key", ""))
        if known is None:
            return spot_error("EAPI:Invalid key")
        if known.refusal == "EGeneral:Temporary lockout":
            return spot_error(known.refusal)
        text = parse_qs(request.body.decode("latin-1")).get("nonce", [""])[0]
        nonce = int(text) if text.isdecimal() else 0
        signature = spot_signature(known.secret, request.path, nonce, request.body)
        if signature != request.headers.get("api-sign"):
            return spot_error("EAPI:Invalid signature")
        if not self._advances(known.key, nonce):
            return spot_error("EAPI:Invalid nonce")
        if known.refusal:
            return spot_error(known.refusal)
        return spot_result(
            {"apiKeyName": "simulated", "apiKey": known.key, "permissions": list(known.permissions), "validUntil": "0"}
        )

    def _advances(self, key: str, nonce: int) -> bool:
        """Whether the nonce exceeds every earlier one of its key."""
        with self._lock:
            advances = nonce > self._nonces.get(key, 0)
            self._nonces[key] = max(nonce, self._nonces.get(key, 0))
        return advances

    def _futures_answer(self, request: Request, now_ms: int) -> Answer:
        known = self._futures.get(request.headers.get("apikey", ""))
        expected = known and futures_signature(known.secret, request.path, nonce=request.headers.get("nonce", ""))
        if known is None or expected != request.headers.get("authent"):
            return self._futures_refusal(request.path, "authenticationError", now_ms)
        if known.refusal:
            return self._futures_refusal(request.path, known.refusal, now_ms)
        if request.path == FUTURES_ACCOUNTS:
            accounts = {"cash": {"type": "cashAccount", "balances": {"xbt": 0}}}
            return Answer(200, {"result": "success", "accounts": accounts, "serverTime": iso(now_ms)})
        permissions = {"general": known.general, "transfer": known.transfer}
        return Answer(
            200, {"apiKey": known.key, "accountUid": "0-0-0", "createdAt": iso(CREATED_MS), "permissions": permissions}
        )

    def _futures_refusal(self, path: str, code: str, now_ms: int) -> Answer:
        """The check answers with 401 and no envelope, the accounts with 200 and one."""
        if path == FUTURES_CHECK:
            return Answer(401, {"error": code, "message": "refused", "suberror": None})
        return Answer(200, futures_error(code, now_ms))

    def _clob_answer(self, request: Request, now_ms: int) -> Answer:
        known = self._clob.get(request.headers.get("poly_api_key", ""))
        if known is None or not _fits(known, request, now_ms):
            return Answer(401, {"error": "Unauthorized/Invalid api key"})
        if request.path == CLOB_KEYS:
            return Answer(200, {"apiKeys": [known.key]})
        return Answer(200, {"closed_only": known.closed_only})


def _fits(known: SimL2Key, request: Request, now_ms: int) -> bool:
    headers = request.headers
    at_s = int(headers["poly_timestamp"]) if headers.get("poly_timestamp", "").isdecimal() else 0
    signature = polymarket_signature(known.secret, at_s, request.method, request.path, request.body.decode("latin-1"))
    return (
        abs(now_ms / 1000 - at_s) <= CLOB_CLOCK_S
        and headers.get("poly_address", "").lower() == known.address.lower()
        and headers.get("poly_passphrase") == known.passphrase
        and headers.get("poly_signature") == signature
    )
