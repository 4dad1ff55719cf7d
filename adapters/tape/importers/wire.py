"""What a recording says in the venues' own words: only what it does say, so that the adapters assume the rest as they would."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.simulated_venues.frames import Frame
from adapters.simulated_venues.wire import iso_seconds, json_bytes, shortest
from adapters.wire_numbers import FIRST_MS, LAST_MS, json_number

SETTLED_AFTER_MS = 60_000
"""From a market's end to the answer that says who won: recordings give the result without its time."""

SHARE_UNIT = Decimal("0.000001")
TOKEN_LENGTH = 77

Levels = Iterable[tuple[str, str]]
"""(price, size) as text, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read of one source: its frames, the tokens of which no market is known (with a name for each), and warnings."""

    frames: list[Frame]
    unlisted: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMarket:
    """A market that is over. `tokens` and `pays` (USDC a share, empty while unknown) are in the order of `outcomes`."""

    slug: str
    question: str
    condition: str
    outcomes: tuple[str, str]
    category: str
    ends_at_ms: int
    pays: tuple[Decimal, ...] = ()

    @property
    def tokens(self) -> tuple[str, str]:
        """Stand-ins where a recording does not name the tokens: always the same for the same outcome."""
        first, second = self.outcomes
        return stand_in_token(self.condition, first), stand_in_token(self.condition, second)

    def frames(self, listed_ms: int) -> list[Frame]:
        """Listed from `listed_ms` on (UTC), closed for orders at its end, and settled a minute later where it is known how."""
        path = f"/markets/slug/{self.slug}"
        found = [
            frame(listed_ms, "polymarket_gamma", path, self._gamma(accepting=True)),
            frame(self.ends_at_ms, "polymarket_gamma", path, self._gamma(accepting=False)),
        ]
        if self.pays:
            settled_ms = self.ends_at_ms + SETTLED_AFTER_MS
            found.append(frame(settled_ms, "polymarket_clob", f"/markets/{self.condition}", self._settled()))
        return found

    def _gamma(self, *, accepting: bool) -> dict[str, object]:
        return {
            "slug": self.slug,
            "question": self.question,
            "conditionId": self.condition,
            "outcomes": json.dumps(self.outcomes),
            "clobTokenIds": json.dumps(self.tokens),
            "active": True,
            "closed": False,
            "acceptingOrders": accepting,
            "enableOrderBook": True,
            "feesEnabled": True,
            "feeType": self.category,
            "endDate": iso_seconds(self.ends_at_ms),
        }

    def _settled(self) -> dict[str, object]:
        rows = zip(self.tokens, self.outcomes, self.pays, strict=True)
        return {
            "condition_id": self.condition,
            "closed": True,
            "is_50_50_outcome": self.pays[0] == self.pays[1],
            "tokens": [{"token_id": token, "outcome": outcome, "winner": paid == 1} for token, outcome, paid in rows],
        }


def stand_in_token(condition: str, outcome: str) -> str:
    """A token id for an outcome whose own is not recorded."""
    digest = hashlib.sha256(f"{condition}:{outcome}".encode()).digest()
    return str(int.from_bytes(digest))[:TOKEN_LENGTH]


def frame(t_ms: int, source: str, path: str, body: object) -> Frame:
    """One answer to a GET at `t_ms` (UTC)."""
    venue = {"polymarket_clob": "clob", "polymarket_gamma": "gamma"}.get(source, source)
    text = json_bytes({"t": t_ms, "source": source, "path": path, "body": body})
    return Frame(t_ms=t_ms, venue=venue, method="GET", path=path, status=200, text=text)


def book_frame(t_ms: int, token: str, condition: str, bids: Levels, asks: Levels) -> Frame:
    """One book, changed when it was seen. Raises `ValueError` or `ArithmeticError` for a number that is none."""
    body = {
        "market": condition,
        "asset_id": token,
        "timestamp": str(t_ms),
        "bids": [_level(*level) for level in bids],
        "asks": [_level(*level) for level in asks],
    }
    return frame(t_ms, "polymarket_clob", f"/book?token_id={token}", body)


def _level(price: str, size: str) -> dict[str, str]:
    """Sizes in whole units of the venue: 1.9300000000000002 was 1.93 before somebody computed with it."""
    return {"price": shortest(_number(price)), "size": shortest(_number(size).quantize(SHARE_UNIT))}


def _number(text: str) -> Decimal:
    """A number that can be written out; else `ValueError` or `ArithmeticError`."""
    return json_number(Decimal(text))


def whole_ms(seconds: Decimal) -> int:
    """UTC seconds as milliseconds. Raises `ValueError` for a time that no venue can have."""
    if not FIRST_MS // 1000 <= seconds <= LAST_MS // 1000:
        raise ValueError("a time must lie between 2020 and 2100")
    return int(seconds * 1000)


def spot_frame(t_ms: int, pair: str, price: str) -> Frame:
    """A price of the reference as Kraken's last trade, of which the adapter takes exactly this price."""
    last = [f"{_number(price):f}", "0"]
    return frame(t_ms, "kraken_spot", f"/0/public/Ticker?pair={pair}", {"error": [], "result": {pair: {"c": last}}})
