"""What a Kraken futures key may do: the v3 key check, sent once, whatever comes back. This REST API ENDS ON 2027-03-01.

The check needs no permission. A key that may do nothing at all is refused in the words of Kraken's other calls:
`permission_denied`.
"""

from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError

from adapters.http import Body, Call, StatusRefused, VenueClient
from adapters.keys.rights import KeyRights, plain_name, plain_words, unreadable
from adapters.keys.signatures import futures_signature
from adapters.keys.values import ApiKey
from adapters.kraken_futures import KINDS, SOURCE
from adapters.wire_numbers import Wire
from domain.ports import Unavailable

CHECK_PATH = "/api/auth/v1/api-keys/v3/check"
ACCOUNTS_PATH = "/derivatives/api/v3/accounts"
NO_SUCH_ENDPOINT = frozenset((404, 405))
AUTHENTICATION = frozenset(("authenticationError", "insufficientPrivileges", "accountInactive"))

REFUSALS = {
    "authenticationError": "authentication",
    "insufficientPrivileges": "permission_denied",
    "accountInactive": "account_inactive",
    "nonceBelowThreshold": "invalid_nonce",
    "nonceDuplicate": "invalid_nonce",
    **KINDS,
}
"""What Kraken Futures' error codes mean; all others are `venue_error`."""

BEYOND = {"general": "trade", "transfer": "move money between wallets and out"}


class WireFuturesKey(Wire):
    """The answer of the v3 key check, which has no envelope; each permission is NO_ACCESS, READ_ONLY or FULL_ACCESS."""

    uid: Annotated[str, Field(validation_alias=AliasChoices("accountUid", "account_uid", "apiKey", "api_key"))]
    permissions: dict[str, str | None] | None = None

    def to_domain(self) -> KeyRights:
        """What goes beyond reading. Raises `Unavailable`: `permission_denied` for a key that may do nothing."""
        levels = {name: level for name, level in (self.permissions or {}).items() if level is not None}
        if levels and set(levels.values()) == {"NO_ACCESS"}:
            raise Unavailable(SOURCE, "permission_denied", "no permission at all")
        more = [name for name, level in levels.items() if level not in ("NO_ACCESS", "READ_ONLY")]
        named = (f"{BEYOND.get(name, 'unknown')} ({plain_name(name)}: {plain_name(levels[name])})" for name in more)
        return KeyRights(beyond=tuple(named) if levels else None)


class WireFuturesEnvelope(Wire):
    """What is around other answers; errors come as `error`, as a list `errors` with or without `result`, or as a `status`."""

    result: str | None = None
    error: str | None = None
    errors: list[object] | None = None
    accounts: dict[str, object] | None = None


async def futures_rights(client: VenueClient, key: ApiKey) -> KeyRights:
    """What a futures key may do: from the key check, or, only where that does not exist, whether it may read its accounts.

    Raises `Unavailable`.
    """
    rights: KeyRights | None = None
    try:
        rights = await client.read(_signed(key, CHECK_PATH), parse_check)
    except StatusRefused as refused:
        if refused.status not in NO_SUCH_ENDPOINT:
            raise
    return await client.read(_signed(key, ACCOUNTS_PATH), parse_accounts) if rights is None else rights


def _signed(key: ApiKey, path: str) -> Call:
    signature = futures_signature(key.secret.get_secret_value(), path)
    headers = {"APIKey": key.key.get_secret_value(), "Authent": signature}
    return Call(path=path, headers=headers, meanings={401: "authentication"}, once=True, reads_errors=True)


def parse_check(answer: Body) -> KeyRights | None:
    """The rights in an answer of the key check, None where it does not exist (404, 405).

    Raises `Unavailable`: a kind of `REFUSALS`, `venue_error`, `http_..`, `invalid_body`.
    """
    if answer.status in NO_SUCH_ENDPOINT and _code(answer) not in AUTHENTICATION:
        return None
    _refuse_futures(answer)
    try:
        return WireFuturesKey.model_validate(answer.json).to_domain()
    except ValidationError:
        raise unreadable(SOURCE, answer) from None


def parse_accounts(answer: Body) -> KeyRights:
    """That the key may read its accounts. Raises `Unavailable` like `parse_check`."""
    envelope = _refuse_futures(answer)
    if envelope.result != "success" or envelope.accounts is None:
        raise unreadable(SOURCE, answer)
    return KeyRights(beyond=None, note="it may read its accounts; the key check does not exist there")


def _refuse_futures(answer: Body) -> WireFuturesEnvelope:
    try:
        envelope = WireFuturesEnvelope.model_validate(answer.json)
    except ValidationError:
        raise unreadable(SOURCE, answer) from None
    code = envelope.error or ""
    if code in REFUSALS:
        raise Unavailable(SOURCE, REFUSALS[code], code)
    if answer.status >= 400:
        raise unreadable(SOURCE, answer)
    if envelope.result == "error" or code or envelope.errors:
        raise Unavailable(SOURCE, "venue_error", plain_words(code))
    return envelope


def _code(answer: Body) -> object:
    return answer.json.get("error") if isinstance(answer.json, dict) else None
