"""Kraken's bodies: spot answers errors with 200 and renames the pair, futures speaks in numbers and 404s."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime

from adapters.simulated_venues.wire import iso, iso_seconds, padded, plain_number

SPOT_KEYS = {"XBTUSD": "XXBTZUSD", "ETHUSD": "XETHZUSD", "SOLUSD": "SOLUSD"}
"""What the result is keyed by, for each pair that can be asked."""

FUTURES_PAIRS = {"PF_XBTUSD": "XBTUSD", "PF_ETHUSD": "ETHUSD"}
"""The spot pair behind each perpetual."""

HALF_SPREAD = Decimal("0.05")

UNKNOWN_PAIR = "EQuery:Unknown asset pair"
UNAVAILABLE = "EService:Unavailable"
UNKNOWN_METHOD = "EGeneral:Unknown method"


def pair_named(name: str) -> str:
    """The pair that Kraken understands under `name`: "BTC/USD", "XXBTZUSD" and "xbtusd" are all XBTUSD."""
    bare = name.strip().upper().replace("/", "").replace("BTC", "XBT")
    for pair, key in SPOT_KEYS.items():
        if name.strip().upper() == key:
            return pair
    return bare


def spot_error(message: str) -> dict[str, object]:
    """An error envelope; Kraken sends it with HTTP 200."""
    return {"error": [message]}


def spot_result(result: object) -> dict[str, object]:
    """A success envelope."""
    return {"error": [], "result": result}


def spot_ticker(mid: Decimal) -> dict[str, object]:
    """One ticker entry around `mid` (USD): padded text, no timestamp of any kind."""
    ask, bid, low, high = mid + HALF_SPREAD, mid - HALF_SPREAD, mid * Decimal("0.99"), mid * Decimal("1.01")
    return {
        "a": [padded(ask, 5), "1", "1.000"],
        "b": [padded(bid, 5), "2", "2.000"],
        "c": [padded(bid, 5), "0.00603612"],
        "v": ["268.40588255", "2862.86180275"],
        "p": [padded(mid, 5), padded(mid, 5)],
        "t": [18192, 153218],
        "l": [padded(low, 5), padded(low, 5)],
        "h": [padded(high, 5), padded(high, 5)],
        "o": padded(mid, 5),
    }


def spot_time(now_ms: int) -> dict[str, object]:
    """The result of `Time`: whole seconds, and RFC 1123 with a two-digit year."""
    rfc1123 = f"{format_datetime(datetime.fromtimestamp(now_ms // 1000, UTC))}"
    day, year, rest = rfc1123[:12], rfc1123[12:16], rfc1123[16:]
    return {"unixtime": now_ms // 1000, "rfc1123": f"{day}{year[2:]}{rest}"}


def spot_status(now_ms: int) -> dict[str, object]:
    """The result of `SystemStatus`."""
    return {"status": "online", "timestamp": iso_seconds(now_ms)}


def futures_row(symbol: str, mid: Decimal, now_ms: int, otherwise: Mapping[str, object]) -> dict[str, object]:
    """One perpetual's ticker row (all numbers, USD); mark stands 0.01 % above the index, which is the spot mid.

    `otherwise` replaces fields, and leaves out those that it says to be None.
    """
    usual = {
        "symbol": symbol,
        "last": plain_number(round(mid)),
        "lastTime": iso(now_ms - 1_500),
        "tag": "perpetual",
        "pair": f"{FUTURES_PAIRS[symbol][:-3]}:USD",
        "markPrice": plain_number(round(mid * Decimal("1.0001"), 6)),
        "bid": plain_number(mid - Decimal("0.5")),
        "bidSize": 0.0312,
        "ask": plain_number(mid + Decimal("0.5")),
        "askSize": 0.2219,
        "vol24h": 6338.5123,
        "openInterest": 2105.9165,
        "fundingRate": 1.444418177964,
        "fundingRatePrediction": 1.37670583456525,
        "suspended": False,
        "indexPrice": plain_number(mid),
        "postOnly": False,
        "change24h": -1.1,
    }
    return {name: value for name, value in {**usual, **otherwise}.items() if value is not None}


def futures_envelope(key: str, value: object, now_ms: int) -> dict[str, object]:
    """A success envelope; `serverTime` is its only clock."""
    return {"result": "success", "serverTime": iso(now_ms), key: value}


def futures_error(code: str, now_ms: int) -> dict[str, object]:
    """An error envelope ("notFound" comes with 404)."""
    return {"result": "error", "error": code, "serverTime": iso(now_ms)}
