"""Matches, Up/Down windows and the life of a market at the simulated venues, read by the agent's real adapters."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from adapters.clock import PlayingClock
from adapters.health import Health
from adapters.http import VenueClient
from adapters.kraken_futures import KrakenFutures
from adapters.market_map import MapEntry, load_market_map
from adapters.match_draw import is_match_draw
from adapters.polymarket_clob import ClobBooks, ClobOutcomes
from adapters.polymarket_gamma import Gamma, GammaOutcomes, Listing, parse_event
from adapters.simulated_venues import (
    VOID,
    BookSpec,
    Request,
    Scenario,
    Script,
    SimEvent,
    SimMarket,
    SimSeries,
    SimulatedVenues,
    Steady,
    market_map,
    match,
)
from domain.fees import FREE
from domain.market import ConditionId, Market, TokenId
from domain.ports import Unavailable

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
TICK_MS = 15_000
CAPTURE = Path(__file__).resolve().parents[2].parent / (
    "shared/payloads/polymarket/gamma_events__soccer_3way_bun-aug-koe-2026-02-27_live_in_play.json"
)

IN_PLAY, TONIGHT = "epl-bre-che-2026-11-28", "bun-aug-koe-2026-11-28"
BASES = {
    "polymarket_clob": "POLYMARKET_CLOB_BASE_URL",
    "polymarket_gamma": "POLYMARKET_GAMMA_BASE_URL",
    "kraken_futures": "KRAKEN_FUTURES_BASE_URL",
}


class Session:
    """A started server at a time that a test sets, a plain client, and the agent's own."""

    def __init__(self, script: Script, now_ms: int) -> None:
        self.now_ms = now_ms
        self.health = Health()
        self.venues = SimulatedVenues(script, lambda: self.now_ms)

    def get(self, path: str, **query: str) -> httpx.Response:
        """The answer to one GET; `path` begins with the venue's prefix."""
        return httpx.get(f"{self.venues.origin}{path}", params=query, trust_env=False)

    def gamma(self, path: str, **query: str) -> object:
        """The body of one good answer of Gamma."""
        answer = self.get(f"/gamma{path}", **query)
        assert answer.status_code == 200
        return answer.json()

    def client(self, source: str, http: httpx.AsyncClient) -> VenueClient:
        """The agent's client of one venue, at the server's time."""
        clock = PlayingClock(start_ms=self.now_ms, speed=1)
        base = self.venues.environment()[BASES[source]]
        return VenueClient(http=http, source=source, base_url=base, clock=clock, health=self.health)


@contextmanager
def played(script: Script, now_ms: int = START_MS) -> Iterator[Session]:
    """`script` on a free port at `now_ms`."""
    session = Session(script, now_ms)
    with session.venues:
        yield session
        assert session.venues.failures == []


@pytest.fixture
def scenario() -> Scenario:
    """The default world, seed 7."""
    return Scenario(7, START_MS)
