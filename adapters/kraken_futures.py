"""Kraken Futures' mark price as a reference. This REST API ENDS ON 2027-03-01; nothing that must live longer may stand on it.

All tickers are asked at once and shared by the symbols of one tick, because the path for one symbol is the newer and less
travelled one, and one `serverTime` then holds for all. Its successor, the Unified WebSocket, is not spoken here.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field, ValidationError

from adapters.http import Body, Call, VenueClient
from adapters.wire_numbers import IsoMs, JsonNumber, Wire
from domain.market import Reference
from domain.ports import Unavailable

SOURCE = "kraken_futures"
CLOCK_TOLERANCE_MS = 60_000
SHARED_MS = 100

FIELDS = {
    "mark": "mark",
    "markprice": "mark",
    "index": "index",
    "indexprice": "index",
    "last": "last",
    "lastprice": "last",
}
"""The spellings of a price field in the market map, without case and underscores."""

KINDS = {
    "apiLimitExceeded": "rate_limited",
    "marketUnavailable": "unavailable",
    "Unavailable": "unavailable",
    "Server Error": "unavailable",
    "notFound": "unknown_symbol",
}
"""What Kraken's error codes mean; all others are `venue_error`."""

Positive = Annotated[JsonNumber, Field(ge=Decimal("0.000000001"))]


class WireRow(Wire):
    """One ticker; an index has only `symbol` and `last`, and a perpetual may lack a price just after its listing."""

    mark: Annotated[Positive | None, Field(alias="markPrice")] = None
    index: Annotated[Positive | None, Field(alias="indexPrice")] = None
    last: Positive | None = None
    suspended: bool = False

    def to_domain(self, field: str | None) -> float:
        """The price: the named field, else mark, index or last. Raises `Unavailable`: `suspended`, `no_price`."""
        if self.suspended:
            raise Unavailable(SOURCE, "suspended")
        prices = {"mark": self.mark, "index": self.index, "last": self.last}
        wanted = [prices[field]] if field else list(prices.values())
        for price in wanted:
            if price is not None:
                return float(price)
        raise Unavailable(SOURCE, "no_price", field or "")


class WireEnvelope(Wire):
    """What is around the tickers; errors come in three shapes, with any HTTP status."""

    result: str | None = None
    error: str | None = None
    errors: list[object] | None = None
    serverTime: IsoMs | None = None  # noqa: N815  the venue's name
    tickers: list[object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tickers:
    """All rows of one answer, and when the venue made it (UTC ms)."""

    rows: tuple[dict[str, object], ...]
    server_ms: int
    answer: Body

    @property
    def age_s(self) -> float:
        """What a cache added, or how far the venue's own time of the prices lies behind that of the answer."""
        return max(self.answer.age_s, (self.answer.latest_ms - self.server_ms) / 1000)


def parse_tickers(answer: Body) -> Tickers:
    """The rows, each still to be judged.

    Raises `Unavailable`: a kind of `KINDS`, `venue_error`, `invalid_body`, `wrong_time`.
    """
    try:
        envelope = WireEnvelope.model_validate(answer.json)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "no envelope") from None
    if envelope.result == "error" or envelope.error is not None or envelope.errors:
        raise Unavailable(SOURCE, KINDS.get(envelope.error or "", "venue_error"))
    if envelope.result != "success" or envelope.tickers is None or envelope.serverTime is None:
        raise Unavailable(SOURCE, "invalid_body", "no tickers")
    if abs(envelope.serverTime - answer.latest_ms) > CLOCK_TOLERANCE_MS:
        raise Unavailable(SOURCE, "wrong_time", "serverTime is more than 60 s off")
    rows = tuple(row for row in envelope.tickers if isinstance(row, dict))
    return Tickers(rows=rows, server_ms=envelope.serverTime, answer=answer)


def parse_price(tickers: Tickers, symbol: str, field: str | None = None) -> float:
    """The price of one symbol, whatever its case.

    Raises `Unavailable`: `unknown_symbol`, `duplicate_symbol`, `invalid_body`, `suspended`, `no_price`.
    """
    rows = [row for row in tickers.rows if str(row.get("symbol")).upper() == symbol.upper()]
    if len(rows) != 1:
        raise Unavailable(SOURCE, "duplicate_symbol" if rows else "unknown_symbol")
    try:
        wire = WireRow.model_validate(rows[0])
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "no ticker") from None
    return wire.to_domain(field)


def price_field(name: str) -> str | None:
    """The field of `WireRow` that the market map calls `name`, None for no choice. Raises `Unavailable`: `unknown_field`."""
    if not name:
        return None
    field = FIELDS.get(name.replace("_", "").lower())
    if field is None:
        raise Unavailable(SOURCE, "unknown_field", f"a price field is one of {', '.join(FIELDS)}")
    return field


class KrakenFutures:
    """Kraken Futures' prices, as a port `References`."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`."""
        self._client = client
        self._newest: Tickers | None = None
        self._newest_ms = 0
        self._turn = asyncio.Lock()

    async def reference(self, symbol: str, field: str = "") -> Reference:
        """The price of one symbol, quote currency per unit.

        `field` is `markPrice`, `indexPrice` or `last`; without one, the first of these that is there. Raises `Unavailable`.
        """
        began = self._client.now()
        async with self._turn:
            tickers = self._newest
            if tickers is None or tickers.answer.requested.elapsed_ms < began.elapsed_ms - SHARED_MS:
                tickers = await self._client.read(Call(path="/derivatives/api/v3/tickers"), self._advanced)
                self._newest = tickers
        try:
            price = parse_price(tickers, symbol, price_field(field))
        except Unavailable as refused:
            self._client.health.failed(self._client.source, refused.kind)
            raise
        return Reference(price=price, requested=tickers.answer.requested, age_s=tickers.age_s)

    def _advanced(self, answer: Body) -> Tickers:
        """The rows, unless the venue's time ran backwards (`older_answer`)."""
        tickers = parse_tickers(answer)
        if tickers.server_ms < self._newest_ms:
            raise Unavailable(SOURCE, "older_answer")
        self._newest_ms = tickers.server_ms
        return tickers
