"""Whether a Polymarket L2 key works, by two calls that only read; the keys that the first one lists are not looked at."""

from pydantic import ValidationError

from adapters.http import Body, Call, VenueClient
from adapters.keys.rights import KeyRights
from adapters.keys.signatures import polymarket_signature
from adapters.keys.values import L2Key
from adapters.wire_numbers import Wire
from domain.ports import Unavailable

SOURCE = "polymarket_clob"
KEYS_PATH = "/auth/api-keys"
CLOSED_ONLY_PATH = "/auth/ban-status/closed-only"
BEYOND = ("send orders that the wallet has signed", "cancel orders")
"""What every L2 key may do; the venue does not tell them apart."""


class WireKeys(Wire):
    """The answer to `/auth/api-keys`."""

    apiKeys: list[object]  # noqa: N815  the venue's name


class WireClosedOnly(Wire):
    """The answer to `/auth/ban-status/closed-only`."""

    closed_only: bool


async def polymarket_rights(client: VenueClient, key: L2Key) -> KeyRights:
    """What an L2 key may do, and whether its account may open positions. Raises `Unavailable` (401: `authentication`)."""
    await client.read(_signed(client, key, KEYS_PATH), parse_keys)
    try:
        closed_only = await client.read(_signed(client, key, CLOSED_ONLY_PATH), parse_closed_only)
    except Unavailable as refused:
        return KeyRights(beyond=BEYOND, note=f"whether its account may open positions is not told ({refused.kind})")
    return KeyRights(beyond=BEYOND, note="its account may only close positions" if closed_only else "")


def parse_keys(answer: Body) -> None:
    """That the key was accepted. Raises `Unavailable`: `invalid_body`."""
    try:
        WireKeys.model_validate(answer.json)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "not the documented shape") from None


def parse_closed_only(answer: Body) -> bool:
    """Whether the account may only close positions. Raises `Unavailable`: `invalid_body`."""
    try:
        return WireClosedOnly.model_validate(answer.json).closed_only
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "not the documented shape") from None


def _signed(client: VenueClient, key: L2Key, path: str) -> Call:
    at_s = client.now().at_ms // 1000
    headers = {
        "POLY_ADDRESS": key.address.get_secret_value(),
        "POLY_SIGNATURE": polymarket_signature(key.secret.get_secret_value(), at_s, "GET", path),
        "POLY_TIMESTAMP": str(at_s),
        "POLY_API_KEY": key.key.get_secret_value(),
        "POLY_PASSPHRASE": key.passphrase.get_secret_value(),
    }
    return Call(path=path, headers=headers, meanings={401: "authentication"}, once=True)
