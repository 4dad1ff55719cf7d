"""Venues that know the markets of vps/market_map.example.json, and whose spot moves often enough to trade within seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.simulated_venues import BookSpec, SimEvent, SimMarket, SimulatedVenues, Steady
from adapters.simulated_venues.default_world import SERIES

FIRST_PRICE = 90_000.0
EVENT = SimEvent(slug="what-price-will-bitcoin-hit-in-2026", title="What price will Bitcoin hit in 2026?")
MARKETS = (
    SimMarket(slug="will-bitcoin-reach-100k-in-2026", question="Will Bitcoin reach $100,000 in 2026?", event=EVENT),
    SimMarket(
        slug="will-bitcoin-dip-to-50k-in-2026",
        question="Will Bitcoin dip to $50,000 in 2026?",
        direction="inverse",
        event=EVENT,
    ),
)
HELD_MS = 4_000
"""Spot stands on one of its two prices for so long: several ticks, and less than anybody's patience."""


def _spot(pair: str, now_ms: int) -> float:
    """Half a percent up, and half a percent down again."""
    return FIRST_PRICE * (1.005 if now_ms // HELD_MS % 2 else 1.0)


def _book(token: str, now_ms: int) -> BookSpec:
    """A flat book: 0.50/0.51, 500 shares a level."""
    return BookSpec(
        bids=tuple((f"0.{cents}", "500") for cents in range(50, 45, -1)),
        asks=tuple((f"0.{cents}", "500") for cents in range(51, 56)),
    )


def _futures(symbol: str, now_ms: int) -> dict[str, object]:
    return {"markPrice": _spot(symbol, now_ms)}


@contextmanager
def example_venues() -> Iterator[dict[str, str]]:
    """Both venues on loopback in real time; the four base URLs by their variables."""
    now_ms = time.time_ns() // 1_000_000
    windows = SERIES[0].windows(now_ms, now_ms)
    script = Steady(spot=_spot, books=_book, futures=_futures, markets=(*MARKETS, *windows))
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        yield venues.environment()
