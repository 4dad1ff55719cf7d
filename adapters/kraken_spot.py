"""Kraken Spot's ticker as a reference price: the answer must be for the asked pair, although Kraken renames pairs.

Errors come with HTTP 200, in a list whose entries begin with E (fatal, even beside a result) or W (a warning). The ticker has
no timestamp: a price is as old as our request and what a cache added.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from adapters.http import Body, Call, VenueClient
from adapters.wire_numbers import KrakenText, Wire
from domain.market import Reference
from domain.ports import Unavailable

SOURCE = "kraken_spot"

CRYPTO_WITH_X = frozenset(("XBT", "ETH", "LTC", "XRP", "XLM", "XMR", "ETC", "ZEC", "REP", "MLN", "XDG"))
FIAT_WITH_Z = frozenset(("USD", "EUR", "GBP", "CAD", "JPY", "AUD"))
OWN_NAMES = {"BTC": "XBT", "DOGE": "XDG"}

ASSETS = {
    "XBT": ("bitcoin", "btc"),
    "ETH": ("ethereum", "ether", "eth"),
    "SOL": ("solana", "sol"),
    "XRP": ("xrp", "ripple"),
    "XDG": ("dogecoin", "doge"),
    "ADA": ("cardano", "ada"),
    "LTC": ("litecoin", "ltc"),
}
"""What people call the base of a pair; any other base is called by its own letters."""

KINDS = (
    ("EQuery:Unknown asset pair", "unknown_pair"),
    ("EQuery:Invalid asset pair", "unknown_pair"),
    ("EGeneral:Too many requests", "rate_limited"),
    ("EAPI:Rate limit exceeded", "rate_limited"),
    ("EService:Throttled", "throttled"),
    ("EService:Busy", "busy"),
    ("EService:Unavailable", "unavailable"),
    ("EGeneral:Internal error", "unavailable"),
    ("EDatabase:Internal error", "unavailable"),
    ("EService:Market in", "market_paused"),
)
"""What Kraken's error texts mean, by how they begin; all others are `venue_error`."""

_PAIR = re.compile(r"[A-Z0-9.]{4,24}")
_PRICE: TypeAdapter[Decimal] = TypeAdapter(KrakenText)


def _first_price(value: Any) -> Decimal:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list that begins with a price")
    price = _PRICE.validate_python(value[0])
    if not price:
        raise ValueError("must be positive")
    return price


FirstPrice = Annotated[Decimal, BeforeValidator(_first_price)]


class WireTicker(Wire):
    """One pair: ask, bid and last trade, of which the first element is the price."""

    a: FirstPrice | None = None
    b: FirstPrice | None = None
    c: FirstPrice | None = None

    def to_domain(self) -> float:
        """The mid when there are two sides that do not cross, else the last trade. ValueError without either."""
        if self.a is not None and self.b is not None and self.b < self.a:
            return float((self.a + self.b) / 2)
        if self.c is None:
            raise ValueError("neither a two-sided quote nor a last trade")
        return float(self.c)


class WireEnvelope(Wire):
    """What is around every answer; on failure `result` may be absent, null or empty."""

    error: list[str]
    result: dict[str, object] | None = None


def pair_asked(symbol: str) -> str:
    """Kraken's name of a pair: "BTC/USD" and "btcusd" are XBTUSD. Raises `Unavailable`: `unknown_pair`."""
    pair = symbol.strip().upper()
    base, slash, quote = pair.partition("/")
    if slash:
        pair = OWN_NAMES.get(base, base) + OWN_NAMES.get(quote, quote)
    for theirs, kraken in OWN_NAMES.items():
        if pair.startswith(theirs):
            pair = kraken + pair.removeprefix(theirs)
        if pair.endswith(theirs):
            pair = pair.removesuffix(theirs) + kraken
    if not _PAIR.fullmatch(pair):
        raise Unavailable(SOURCE, "unknown_pair", "no name of a pair")
    return pair


def asset_names(symbol: str) -> tuple[str, ...]:
    """What titles call the asset that a pair prices: bitcoin and btc for XBTUSD. Raises `Unavailable`: `unknown_pair`."""
    pair = pair_asked(symbol)
    base = next((asset for asset in ASSETS if pair.startswith(asset)), pair[:-3])
    return ASSETS.get(base, (base.lower(),))


def answer_keys(pair: str) -> frozenset[str]:
    """The keys under which Kraken may answer for `pair`: its name, and its old name (XBTUSD as XXBTZUSD)."""
    base, quote = pair[:-3], pair[-3:]
    old_base = f"X{base}" if base in CRYPTO_WITH_X else f"Z{base}" if base in FIAT_WITH_Z else None
    old_quote = f"X{quote}" if quote in CRYPTO_WITH_X else f"Z{quote}" if quote in FIAT_WITH_Z else None
    if pair == "USDTUSD":
        old_base = base
    return frozenset((pair, old_base + old_quote) if old_base and old_quote else (pair,))


def parse_price(answer: Body, pair: str) -> float:
    """The price of `pair`. Raises `Unavailable`: a kind of `KINDS`, `venue_error`, `wrong_pair`, `invalid_body`."""
    try:
        envelope = WireEnvelope.model_validate(answer.json)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "no envelope") from None
    _refuse_errors(envelope.error)
    result = envelope.result or {}
    if len(result) != 1 or not set(result) <= answer_keys(pair):
        raise Unavailable(SOURCE, "wrong_pair", f"asked for {pair}, got {len(result)} pairs")
    try:
        return WireTicker.model_validate(*result.values()).to_domain()
    except ValueError:  # pydantic's ValidationError is one.
        raise Unavailable(SOURCE, "invalid_body", "no ticker") from None


def _refuse_errors(errors: Iterable[str]) -> None:
    for error in errors:
        if error.startswith("W"):
            continue
        text = re.sub(r":\s+", ":", error)
        kind = next((kind for start, kind in KINDS if text.startswith(start)), "venue_error")
        raise Unavailable(SOURCE, kind)


class KrakenSpot:
    """Kraken Spot's prices, as a port `References`."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`, whose base URL ends in /0/public."""
        self._client = client

    async def reference(self, symbol: str, field: str = "") -> Reference:
        """The price of one pair, quote currency per unit: there is no choice of a field. Raises `Unavailable`."""
        try:
            pair = pair_asked(symbol)
        except Unavailable as refused:
            self._client.health.failed(self._client.source, refused.kind)
            raise

        def parsed(answer: Body) -> Reference:
            return Reference(price=parse_price(answer, pair), requested=answer.requested, age_s=answer.age_s)

        return await self._client.read(Call(path="/Ticker", params={"pair": pair}), parsed)
