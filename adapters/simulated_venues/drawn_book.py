"""The depth behind a quote: seeded sizes, and the other token's view of the same book."""

import hashlib
from decimal import Decimal

from adapters.simulated_venues.seeded_path import TICKS, Quote
from adapters.simulated_venues.wire import BookSpec

LEVELS = 14


def drawn_book(name: str, quote: Quote, start_ms: int) -> BookSpec:
    """Fourteen levels a side around `quote`, as far as prices go; `name` seeds the sizes, `start_ms` (UTC) is second 0."""
    return BookSpec(
        bids=tuple(_level(name, price, quote) for price in range(quote.bid, max(0, quote.bid - LEVELS), -1)),
        asks=tuple(_level(name, price, quote) for price in range(quote.ask, min(TICKS, quote.ask + LEVELS))),
        changed_at_ms=start_ms + quote.changed_s * 1000,
        last_trade_price=f"{quote.bid / TICKS:.3f}",
    )


def _level(name: str, price: int, quote: Quote) -> tuple[str, str]:
    """One level with 50 to 800 shares; a change of size touches about a fifth of the levels."""
    side = "bid" if price <= quote.bid else "ask"
    age = (quote.generation + price * 7) // 5
    drawn = int.from_bytes(hashlib.sha256(f"{name}:{side}:{price}:{age}".encode()).digest()[:8])
    whole, cents = 50 + drawn % 750, drawn // 750 % 100
    return _price_text(price), f"{whole}.{cents:02d}" if drawn % 6 == 0 else str(whole)


def _price_text(ticks: int) -> str:
    return f"{ticks / TICKS:.2f}".rstrip("0")


def mirrored(book: BookSpec) -> BookSpec:
    """The other token's view: a bid at p is an ask at 1 - p of the same size."""
    return BookSpec(
        bids=tuple((_complement(price), size) for price, size in book.asks),
        asks=tuple((_complement(price), size) for price, size in book.bids),
        changed_at_ms=book.changed_at_ms,
        last_trade_price=f"{1 - Decimal(book.last_trade_price):.3f}",
    )


def _complement(price: str) -> str:
    return str(1 - Decimal(price))
