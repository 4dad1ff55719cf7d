"""`spelar check-keys`: whether each key that is set works, and what it may do beyond reading. One attempt each."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.clock import SystemClock
from adapters.health import Health
from adapters.http import VenueClient
from adapters.keys.kraken_futures import futures_rights
from adapters.keys.kraken_spot import spot_rights
from adapters.keys.polymarket import polymarket_rights
from adapters.keys.rights import KeyRights
from adapters.keys.values import Keys, KeysInvalid
from domain.ports import Unavailable
from entrypoints.keys import FILE_SHAPE, FILE_VARIABLE, VALUES
from entrypoints.settings import Settings

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))

HOW_TO_SET = (
    "No key is set, and trading on paper needs none. Keys are looked for in this order:",
    f"  1. {FILE_VARIABLE}, a file that only you may read (chmod 600):",
    f"     {FILE_SHAPE}",
    "  2. systemd's credentials: LoadCredential=kraken_api_key:PATH, and so on: the names below in small letters",
    f"  3. the environment: {', '.join(name for name, _ in VALUES.values())}",
)

SAYS_NOTHING = "this says nothing about the key"
SAYS = {
    ("kraken_spot", "invalid_key"): "wrong key: Kraken does not know it, and a futures key does not work here. "
    "Mend it before you try again: repeated tries end in a lockout",
    (
        "kraken_spot",
        "invalid_signature",
    ): "wrong secret: Kraken knows the key, and this secret is not the one that belongs to it",
    (
        "kraken_futures",
        "authentication",
    ): "refused: a wrong key, a wrong secret or a spot key; the venue's answer does not tell "
    "them apart. Spot and futures keys are different keys: a futures key is made on the futures site",
    ("polymarket_clob", "authentication"): "refused: a wrong key, secret, passphrase or address, or a clock that is off; the "
    "venue's answer does not tell them apart",
}
"""What a refusal means at one venue."""

SAYS_ANYWHERE = {
    "authentication": "refused: the key or its secret is wrong",
    "permission_denied": "the key is valid, but a permission is missing: it may not even read; give it the permission to query",
    "lockout": "locked out after too many wrong tries: stop, wait, and do not repeat this check meanwhile",
    "invalid_nonce": "the key is valid, but its nonce lies below one that was used before: another program uses the key, or "
    "used finer numbers. Make a key for this program alone, or widen the key's nonce window",
    "account_inactive": "the key is valid, but its account was never used for futures or is not active",
    "rate_limited": f"the venue was asked too often; {SAYS_NOTHING}. Wait a minute",
    "throttled": f"the venue was asked too often; {SAYS_NOTHING}. Wait a minute",
    "not_json": f"the answer is no JSON (maintenance, or a page that blocks); {SAYS_NOTHING}",
    "invalid_body": f"the answer has another shape than the venue documents; {SAYS_NOTHING}",
    "venue_error": f"the venue refused for a reason that this version does not know; {SAYS_NOTHING}",
}
"""What a refusal means at any venue that has no own text for it; all others are failures of the call."""

TWINS = {"kraken_spot": "kraken_futures", "kraken_futures": "kraken_spot"}
WORDS = {"kraken_spot": "spot", "kraken_futures": "futures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One line: a venue's key, and how it stands: `ok`, `warn` (works, and may do more than needed), `none` or `FAIL`."""

    venue: str
    word: str
    says: str

    @property
    def passed(self) -> bool:
        """Whether a script may go on."""
        return self.word != "FAIL"

    def __str__(self) -> str:
        """`ok    kraken_spot key: works, and may only read`."""
        return f"{self.word:<5} {self.venue} key: {self.says}"


async def verdicts_on(settings: Settings, keys: Keys) -> AsyncIterator[Verdict]:
    """Try each key that is set, once. Raises `KeysInvalid` before the first when a key would travel unencrypted."""
    _refuse_open_lines(settings, keys)
    for venue, (address_of, rights_of) in CHECKS.items():
        source = "polymarket_clob" if venue == "polymarket" else venue
        client = VenueClient(
            source, address_of(settings), clock=SystemClock(), health=Health(), timeout_s=settings.http_timeout_s
        )
        try:
            verdict = _granted(venue, await rights_of(client, keys))
        except Unavailable as refused:
            verdict = Verdict(venue=venue, word="FAIL", says=_refusal(refused, keys))
        finally:
            await client.aclose()
        yield Verdict(venue=venue, word=verdict.word, says=keys.redacted(verdict.says))


def spot_host(settings: Settings) -> str:
    """Where Kraken's private calls live: beside `/0/public`."""
    return settings.kraken_spot_base_url.rstrip("/").removesuffix("/0/public")


async def _spot(client: VenueClient, keys: Keys) -> KeyRights | None:
    return await spot_rights(client, keys.kraken_spot, time.time_ns()) if keys.kraken_spot else None


async def _futures(client: VenueClient, keys: Keys) -> KeyRights | None:
    return await futures_rights(client, keys.kraken_futures) if keys.kraken_futures else None


async def _polymarket(client: VenueClient, keys: Keys) -> KeyRights | None:
    return await polymarket_rights(client, keys.polymarket) if keys.polymarket else None


CHECKS: dict[str, tuple[Callable[[Settings], str], Callable[[VenueClient, Keys], Awaitable[KeyRights | None]]]] = {
    "kraken_spot": (spot_host, _spot),
    "kraken_futures": (lambda settings: settings.kraken_futures_base_url, _futures),
    "polymarket": (lambda settings: settings.clob_base_url, _polymarket),
}
"""Where each venue is asked, and how; None without a key."""


def _refuse_open_lines(settings: Settings, keys: Keys) -> None:
    for venue, (address_of, _) in CHECKS.items():
        parts = urlsplit(address_of(settings))
        if getattr(keys, venue) is not None and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise KeysInvalid(f"{venue}: its base URL is not https, so that the key would travel for everyone to read")


def _granted(venue: str, rights: KeyRights | None) -> Verdict:
    if rights is None:
        return Verdict(venue=venue, word="none", says="not set")
    note = f" ({rights.note})" if rights.note else ""
    if rights.beyond is None:
        return Verdict(venue=venue, word="ok", says=f"works; what it may do beyond reading, the venue does not tell{note}")
    if not rights.beyond:
        return Verdict(venue=venue, word="ok", says=f"works, and may only read{note}")
    may = ", ".join(rights.beyond)
    return Verdict(
        venue=venue, word="warn", says=f"works, and may do more than this version needs, which is to read: {may}{note}"
    )


def _refusal(refused: Unavailable, keys: Keys) -> str:
    """What went wrong in words that say what to do, and the venue's own word for it."""
    if refused.kind in ("authentication", "invalid_key") and _same_key(refused.source, keys):
        twin = TWINS[refused.source]
        return (
            f"refused: this is the key that is also set for {WORDS[twin]}. Spot and futures keys are different keys: "
            f"make one for {WORDS[refused.source]}"
        )
    text = SAYS.get((refused.source, refused.kind)) or SAYS_ANYWHERE.get(refused.kind)
    if text is None:
        return f"could not be checked: {refused}; {SAYS_NOTHING}"
    return f"{text} [{refused.kind}{f': {refused.detail}' if refused.detail else ''}]"


def _same_key(source: str, keys: Keys) -> bool:
    return (
        source in TWINS
        and keys.kraken_spot is not None
        and keys.kraken_futures is not None
        and (keys.kraken_spot.key == keys.kraken_futures.key)
    )
