"""What a Kraken spot key may do: `GetApiKeyInfo` (since 2026-03-11), sent once, whatever comes back.

That call needs no permission. A key that may do nothing at all is refused in the words of Kraken's other calls:
`permission_denied`.
"""

import re

from pydantic import ValidationError

from adapters.http import Body, Call, VenueClient
from adapters.keys.rights import KeyRights, plain_name, plain_words, unreadable
from adapters.keys.signatures import spot_signature
from adapters.keys.values import ApiKey
from adapters.kraken_spot import KINDS, SOURCE, WireEnvelope
from adapters.wire_numbers import Wire
from domain.ports import Unavailable

PATH = "/0/private/GetApiKeyInfo"

REFUSALS = (
    ("EAPI:Invalid key", "invalid_key"),
    ("EAPI:Invalid signature", "invalid_signature"),
    ("EAPI:Invalid nonce", "invalid_nonce"),
    ("EGeneral:Permission denied", "permission_denied"),
    ("EGeneral:Temporary lockout", "lockout"),
    *KINDS,
)
"""What Kraken Spot's error texts mean, by how they begin; all others are `venue_error`."""

READING = frozenset(
    ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data", "create-ws-token")
)
"""Permissions that move nothing."""

BEYOND = {
    "withdraw-funds": "withdraw money",
    "add-withdraw-address": "add withdrawal addresses",
    "update-withdraw-address": "change withdrawal addresses",
    "add-funds": "deposit money",
    "earn-funds": "lock money up to earn",
    "modify-trades": "place and change orders",
    "close-trades": "cancel orders and close positions",
}
"""Permissions that go beyond, in plain words; one that is not named here is taken to go beyond too."""


class WireSpotKey(Wire):
    """The result of `GetApiKeyInfo`; its other fields, in camel or snake case by the source, are not needed."""

    permissions: list[str] | None = None

    def to_domain(self) -> KeyRights:
        """What goes beyond reading. Raises `Unavailable`: `permission_denied` for a key that may do nothing."""
        if self.permissions is None:
            return KeyRights(beyond=None)
        if not self.permissions:
            raise Unavailable(SOURCE, "permission_denied", "no permission at all")
        more = [name for name in self.permissions if name not in READING]
        return KeyRights(beyond=tuple(f"{BEYOND.get(name, 'unknown')} ({plain_name(name)})" for name in more))


async def spot_rights(client: VenueClient, key: ApiKey, nonce: int) -> KeyRights:
    """What a spot key may do; `nonce` must exceed every one used with it (nanoseconds). Raises `Unavailable`.

    The base URL of `client` is the host, without `/0/public`.
    """
    body = f"nonce={nonce}".encode()
    signature = spot_signature(key.secret.get_secret_value(), PATH, nonce, body)
    call = Call(
        path=PATH,
        method="POST",
        headers={
            "API-Key": key.key.get_secret_value(),
            "API-Sign": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        },
        content=body,
        once=True,
        reads_errors=True,
    )
    return await client.read(call, parse_spot)


def parse_spot(answer: Body) -> KeyRights:
    """The rights in an answer of `GetApiKeyInfo`.

    Raises `Unavailable`: a kind of `REFUSALS`, `venue_error`, `http_..`, `invalid_body`.
    """
    try:
        envelope = WireEnvelope.model_validate(answer.json)
    except ValidationError:
        raise unreadable(SOURCE, answer) from None
    for error in envelope.error:
        if not error.startswith("W"):
            text = re.sub(r":\s+", ":", error)
            kind = next((kind for start, kind in REFUSALS if text.startswith(start)), "venue_error")
            raise Unavailable(SOURCE, kind, plain_words(text))
    if answer.status >= 400 or envelope.result is None:
        raise unreadable(SOURCE, answer)
    try:
        return WireSpotKey.model_validate(envelope.result).to_domain()
    except ValidationError:
        raise unreadable(SOURCE, answer) from None
