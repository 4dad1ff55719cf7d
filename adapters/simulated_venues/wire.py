"""One question and one answer as a venue sees them, so that whoever knows the quantities needs no socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal, Protocol

Venue = Literal["clob", "gamma", "kraken_spot", "kraken_futures"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request in the venue's own terms.

    `path` is the venue's ("/book", "/0/public/Ticker"), decoded and without the query; the values of a repeated query
    key are joined by commas. `headers` have lower-case names; they may hold keys and stay out of the repr.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Manner(Enum):
    """How an answer reaches its client: as it should, or what a broken host or line makes of it."""

    WHOLE = "whole"
    HANG = "nothing comes, and the connection stays open"
    DRIP_HEADER = "a byte at a time from the first one on"
    DRIP_BODY = "the headers at once, the body a byte at a time"
    CUT = "the connection ends in the middle of the body"
    CLOSE = "the connection ends before a first byte"
    RESET = "the connection is reset before a first byte"
    GARBAGE = "bytes that are no HTTP"
    DOWN = "the host leaves, and refuses connections for a while"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response: `body` is turned into JSON, unless it is `bytes`, which leave as they are."""

    status: int
    body: object | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE

    @property
    def content(self) -> bytes:
        """The body as it leaves."""
        return self.body if isinstance(self.body, bytes) else json_bytes(self.body)


class Script(Protocol):
    """Whoever plays the venues: says what each request is answered at a playing time (UTC, ms since the epoch)."""

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer; `venue` is "clob", "gamma", "kraken_spot" or "kraken_futures"."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSpec:
    """One token's book: (price, size) as decimal text, BEST level first on both sides, unlike the wire.

    `changed_at_ms` None means "just now"; `last_trade_price` "" means never traded.
    """

    bids: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()
    asks: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()
    changed_at_ms: int | None = None
    last_trade_price: str = ""


def json_bytes(body: object) -> bytes:
    """`body` as compact UTF-8 JSON; NaN and infinity are refused with ValueError."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def shortest(number: Decimal | str) -> str:
    """The shortest plain decimal text of a price or size: "0.1", "371.66", "500"."""
    text = f"{Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def padded(number: Decimal | float, places: int) -> str:
    """`number` with exactly `places` decimals, as Kraken writes them: "66163.29000"."""
    return f"{number:.{places}f}"


def plain_number(number: Decimal | float) -> int | float:
    """A JSON number: whole ones without a fraction, as the venues mix them (78285 and 78288.74)."""
    value = float(number)
    return int(value) if value.is_integer() else value


def iso(at_ms: int) -> str:
    """`at_ms` (UTC, ms) as ISO 8601 with milliseconds and Z."""
    return f"{_utc(at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def iso_seconds(at_ms: int) -> str:
    """`at_ms` (UTC, ms) as ISO 8601 in whole seconds and Z."""
    return f"{_utc(at_ms):%Y-%m-%dT%H:%M:%SZ}"


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)
