"""A seeded market in playing time: spot leads, Polymarket lags, and every book follows from (seed, second) alone."""

import hashlib
import math
import threading
from dataclasses import replace
from decimal import Decimal

from adapters.simulated_venues import exchange
from adapters.simulated_venues.market import DEFAULT, SimMarket
from adapters.simulated_venues.seeded_path import TICKS, Quote, QuotePath, SpotPath
from adapters.simulated_venues.wire import Answer, BookSpec, Request

FIRST_PRICES = {"XBTUSD": Decimal("60000"), "ETHUSD": Decimal("3000"), "SOLUSD": Decimal("150")}
LEVELS = 14
LAST_SECOND = 14 * 86_400
"""Time stands still after two weeks, so that a wrong start cannot ask for a path of fifty years."""


class Scenario:
    """A `Script` of simulated markets that starts at `start_ms` (UTC); before it, everything is as at the start.

    Equal seeds and starts give equal answers at equal times, in whatever order and from whatever thread they are asked.
    """

    def __init__(self, seed: int, start_ms: int, markets: tuple[SimMarket, ...] = DEFAULT) -> None:
        """Every market's pair must be one of XBTUSD, ETHUSD, SOLUSD (KeyError)."""
        self.seed = seed
        self.start_ms = start_ms
        self.markets = tuple(_placed(market, start_ms) for market in markets)
        self.pairs = tuple(FIRST_PRICES)
        self._lock = threading.RLock()
        self._spots = {pair: SpotPath(f"{seed}:{pair}") for pair in self.pairs}
        self._quotes = {market.slug: self._quote_path(market) for market in self.markets}
        self._by_token = {token: market for market in self.markets for token in market.token_ids}
        self._by_slug = {market.slug: market for market in self.markets}

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer at `now_ms`."""
        return exchange.answer(self, venue, request, now_ms)

    def spot(self, pair: str, now_ms: int) -> Decimal | None:
        """The pair's mid in USD; it moves once a second."""
        with self._lock:
            move = self._spots[pair].move(self._second(now_ms))
        return (FIRST_PRICES[pair] * Decimal(math.exp(move))).quantize(Decimal("0.01"))

    def book(self, token_id: str, now_ms: int) -> BookSpec | None:
        """The token's book; the second token's is the exact mirror of the first's."""
        market = self._by_token.get(token_id)
        if market is None:
            return None
        first = self._first_book(market, now_ms)
        return first if token_id == market.token_ids[0] else _mirror(first)

    def winner(self, slug: str, now_ms: int) -> str | None:
        """The named winner, or the outcome that the book leant to in the market's last second."""
        market = self._by_slug.get(slug)
        if market is None or market.resolves_at_ms is None or now_ms < market.resolves_at_ms:
            return None
        if market.winner is not None:
            return market.winner
        last = self._quote(market, market.resolves_at_ms - 1)
        return market.outcomes[0 if last.bid + last.ask >= TICKS else 1]

    def _quote_path(self, market: SimMarket) -> QuotePath:
        sign = 1 if market.direction == "normal" else -1
        seed = f"{self.seed}:{market.slug}"
        return QuotePath(seed, self._spots[market.pair], market.first_mid, sign * market.elasticity)

    def _second(self, now_ms: int) -> int:
        return min(max(0, (now_ms - self.start_ms) // 1000), LAST_SECOND)

    def _quote(self, market: SimMarket, now_ms: int) -> Quote:
        with self._lock:
            return self._quotes[market.slug].quote(self._second(now_ms))

    def _first_book(self, market: SimMarket, now_ms: int) -> BookSpec:
        quote = self._quote(market, now_ms)
        name = f"{self.seed}:{market.slug}"
        return BookSpec(
            bids=tuple(_level(name, price, quote) for price in range(quote.bid, max(0, quote.bid - LEVELS), -1)),
            asks=tuple(_level(name, price, quote) for price in range(quote.ask, min(TICKS, quote.ask + LEVELS))),
            changed_at_ms=self.start_ms + quote.changed_s * 1000,
            last_trade_price=f"{quote.bid / TICKS:.3f}",
        )


def _placed(market: SimMarket, start_ms: int) -> SimMarket:
    if market.resolves_at_ms is not None or market.resolves_after_ms is None:
        return market
    return replace(market, resolves_at_ms=start_ms + market.resolves_after_ms)


def _level(name: str, price: int, quote: Quote) -> tuple[str, str]:
    """One level with 50 to 800 shares; a change of size touches about a fifth of the levels."""
    side = "bid" if price <= quote.bid else "ask"
    age = (quote.generation + price * 7) // 5
    drawn = int.from_bytes(hashlib.sha256(f"{name}:{side}:{price}:{age}".encode()).digest()[:8])
    whole, cents = 50 + drawn % 750, drawn // 750 % 100
    return _price_text(price), f"{whole}.{cents:02d}" if drawn % 6 == 0 else str(whole)


def _price_text(ticks: int) -> str:
    return f"{ticks / TICKS:.2f}".rstrip("0")


def _mirror(book: BookSpec) -> BookSpec:
    """The other token's view: a bid at p is an ask at 1 - p of the same size."""
    return BookSpec(
        bids=tuple((_complement(price), size) for price, size in book.asks),
        asks=tuple((_complement(price), size) for price, size in book.bids),
        changed_at_ms=book.changed_at_ms,
        last_trade_price=f"{1 - Decimal(book.last_trade_price):.3f}",
    )


def _complement(price: str) -> str:
    return str(1 - Decimal(price))
