"""API keys as checked values: none of them shows itself in a repr, an error or a text that went through `redacted`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from adapters.keys.signatures import decoded, decoded_urlsafe

LONGEST = 1024
SHORTEST_REDACTED = 4


class KeysInvalid(Exception):
    """The keys cannot be used; the text says which and why, one mistake a line, and quotes none of them."""


def _key_text(value: SecretStr) -> SecretStr:
    """What an HTTP header can carry as it is."""
    text = value.get_secret_value()
    if not text:
        raise ValueError("is empty")
    if len(text) > LONGEST or not all("!" <= letter <= "~" for letter in text):
        raise ValueError("is no key: it must be one line of printable ASCII without blanks")
    return value


def _kraken_secret(value: SecretStr) -> SecretStr:
    decoded(value.get_secret_value())
    return value


def _polymarket_secret(value: SecretStr) -> SecretStr:
    decoded_urlsafe(value.get_secret_value())
    return value


KeyText = Annotated[SecretStr, AfterValidator(_key_text)]
KrakenSecret = Annotated[KeyText, AfterValidator(_kraken_secret)]
PolymarketSecret = Annotated[KeyText, AfterValidator(_polymarket_secret)]


class _Secret(BaseModel):
    """What is read from outside: unknown names are refused, and a refusal never quotes a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def secrets(self) -> Iterator[str]:
        """Every value in clear."""
        for _, value in self:
            if isinstance(value, SecretStr):
                yield value.get_secret_value()
            elif isinstance(value, _Secret):
                yield from value.secrets()


class ApiKey(_Secret):
    """A key of Kraken, spot or futures: they are different keys."""

    key: KeyText
    secret: KrakenSecret


class L2Key(_Secret):
    """A key of Polymarket's CLOB, and the wallet's address that it belongs to."""

    address: KeyText
    key: KeyText
    secret: PolymarketSecret
    passphrase: KeyText


class Keys(_Secret):
    """The keys that are set."""

    kraken_spot: ApiKey | None = None
    kraken_futures: ApiKey | None = None
    polymarket: L2Key | None = None

    def redacted(self, text: str) -> str:
        """`text` without any of these values, for whatever a venue may have sent back."""
        for secret in sorted(self.secrets(), key=len, reverse=True):
            if len(secret) >= SHORTEST_REDACTED:
                text = text.replace(secret, "***")
        return text
