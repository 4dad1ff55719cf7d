"""Records the cassettes, one for each adapter call: `python -m tests.adapters.record_cassettes [--live]`.

Without `--live` the simulated venues answer, and their loopback address is replaced by the venue's documented base URL.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import vcr  # type: ignore[import-untyped]

from adapters.clock import SystemClock
from adapters.health import Health
from adapters.http import VenueClient
from adapters.kraken_futures import KrakenFutures
from adapters.kraken_spot import KrakenSpot
from adapters.polymarket_clob import ClobBooks, ClobOutcomes, server_time_ms
from adapters.polymarket_gamma import Gamma, GammaOutcomes
from adapters.simulated_venues import Scenario, SimEvent, SimMarket, SimulatedVenues, match
from domain.fees import FREE
from domain.market import ConditionId, Market, Moment, TokenId
from domain.ports import Clock

CASSETTES = Path(__file__).parent / "cassettes"
START_MS = 1_790_000_000_000
NOW_MS = START_MS + 60_000

OPEN = SimMarket(slug="bitcoin-up", question="Will Bitcoin rise?")
RESOLVED = SimMarket(slug="bitcoin-rose", question="Did Bitcoin rise?", winner="Yes", resolves_after_ms=1_000)
MATCH = SimEvent(slug="bun-aug-koe-2026-11-28", title="FC Augsburg vs. 1. FC Köln", game_id=90104311)
LEGS = match(MATCH, "FC Augsburg", "1. FC Köln")

BASE_URLS = {
    "polymarket_clob": "https://clob.polymarket.com",
    "polymarket_gamma": "https://gamma-api.polymarket.com",
    "kraken_spot": "https://api.kraken.com/0/public",
    "kraken_futures": "https://futures.kraken.com",
}
SETTINGS = {
    "polymarket_clob": "POLYMARKET_CLOB_BASE_URL",
    "polymarket_gamma": "POLYMARKET_GAMMA_BASE_URL",
    "kraken_spot": "KRAKEN_SPOT_BASE_URL",
    "kraken_futures": "KRAKEN_FUTURES_BASE_URL",
}


class StoppedClock:
    """A clock that stands at one moment (UTC ms)."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        """Stand still."""
        self._now = Moment(at_ms=now_ms, elapsed_ms=now_ms - START_MS)

    def now(self) -> Moment:
        """Always the same moment."""
        return self._now


def followed(market: SimMarket) -> Market:
    """A simulated market's first token, as the agent follows it."""
    return Market(
        name=market.slug,
        ref=market.slug,
        token=TokenId(market.token_ids[0]),
        outcome=market.outcomes[0],
        fees=FREE,
        condition=ConditionId(market.condition_id),
    )


async def _clob_books(client: VenueClient) -> object:
    return await ClobBooks(client).books([TokenId(token) for token in OPEN.token_ids])


async def _clob_payouts(client: VenueClient) -> object:
    return await ClobOutcomes(client).payouts(followed(RESOLVED))


async def _clob_payouts_open(client: VenueClient) -> object:
    return await ClobOutcomes(client).payouts(followed(OPEN))


async def _clob_time(client: VenueClient) -> object:
    return await server_time_ms(client)


async def _gamma_market(client: VenueClient) -> object:
    return await Gamma(client).market(OPEN.slug)


async def _gamma_event(client: VenueClient) -> object:
    return await Gamma(client).event(OPEN.slug)


async def _gamma_match(client: VenueClient) -> object:
    return await Gamma(client).event(MATCH.slug)


async def _gamma_busiest(client: VenueClient) -> object:
    return await Gamma(client).busiest(limit=1)


async def _gamma_searched(client: VenueClient) -> object:
    return await Gamma(client).searched("augsburg", limit=5)


async def _gamma_market_of_token(client: VenueClient) -> object:
    return await Gamma(client).market_of_token(TokenId(OPEN.token_ids[1]))


async def _gamma_payouts(client: VenueClient) -> object:
    return await GammaOutcomes(client).payouts(followed(RESOLVED))


async def _gamma_payouts_by_slug(client: VenueClient) -> object:
    return await GammaOutcomes(client).payouts(replace(followed(RESOLVED), token=None))


async def _spot(client: VenueClient) -> object:
    return await KrakenSpot(client).reference("BTC/USD")


async def _spot_unknown(client: VenueClient) -> object:
    return await KrakenSpot(client).reference("NOSUCHPAIR")


async def _futures(client: VenueClient) -> object:
    return await KrakenFutures(client).reference("pf_xbtusd")


CALLS: dict[str, tuple[str, Callable[[VenueClient], Awaitable[object]]]] = {
    "clob_books": ("polymarket_clob", _clob_books),
    "clob_payouts": ("polymarket_clob", _clob_payouts),
    "clob_payouts_open": ("polymarket_clob", _clob_payouts_open),
    "clob_time": ("polymarket_clob", _clob_time),
    "gamma_market": ("polymarket_gamma", _gamma_market),
    "gamma_event": ("polymarket_gamma", _gamma_event),
    "gamma_match": ("polymarket_gamma", _gamma_match),
    "gamma_busiest": ("polymarket_gamma", _gamma_busiest),
    "gamma_searched": ("polymarket_gamma", _gamma_searched),
    "gamma_market_of_token": ("polymarket_gamma", _gamma_market_of_token),
    "gamma_payouts": ("polymarket_gamma", _gamma_payouts),
    "gamma_payouts_by_slug": ("polymarket_gamma", _gamma_payouts_by_slug),
    "spot_reference": ("kraken_spot", _spot),
    "spot_unknown_pair": ("kraken_spot", _spot_unknown),
    "futures_reference": ("kraken_futures", _futures),
}
"""Every cassette by name: the source and the call."""


async def called(name: str, base_url: str, clock: Clock, health: Health) -> object:
    """The result of one call at `base_url`."""
    source, call = CALLS[name]
    client = VenueClient(source, base_url, clock=clock, health=health)
    try:
        return await call(client)
    finally:
        await client.aclose()


def replayed(name: str) -> object:
    """The result of one call, answered by its cassette; asking for anything else fails."""
    player = vcr.VCR(record_mode="none", match_on=["method", "scheme", "host", "port", "path", "query", "body"])
    with player.use_cassette(str(CASSETTES / f"{name}.yaml"), allow_playback_repeats=False) as tape:
        result: object = asyncio.run(called(name, BASE_URLS[CALLS[name][0]], StoppedClock(), Health()))
        assert tape.all_played
    return result


def _record(name: str, base_url: str, clock: Clock) -> None:
    documented = BASE_URLS[CALLS[name][0]]

    def documented_address(request: Any) -> Any:
        request.uri = request.uri.replace(base_url, documented)
        request.headers["host"] = urlsplit(documented).netloc
        return request

    path = CASSETTES / f"{name}.yaml"
    path.unlink(missing_ok=True)
    recorder = vcr.VCR(record_mode="all", before_record_request=documented_address)
    with recorder.use_cassette(str(path)):
        print(name, asyncio.run(called(name, base_url, clock, Health())))


def _record_all(base_urls: dict[str, str], clock: Clock, names: list[str]) -> None:
    for name in names:
        try:
            _record(name, base_urls[CALLS[name][0]], clock)
        except Exception as refused:  # noqa: BLE001  a recorded refusal is a recording too
            print(name, refused)


def main() -> None:
    """Record from the simulated venues, or the market-independent calls from the real ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", action="store_true", help="ask the real venues; only calls that name no market")
    if parser.parse_args().live:
        return _record_all(BASE_URLS, SystemClock(), ["clob_time", "spot_reference", "spot_unknown_pair", "futures_reference"])
    with SimulatedVenues(Scenario(7, START_MS, (OPEN, RESOLVED, *LEGS), series=()), lambda: NOW_MS) as venues:
        addresses = venues.environment()
        bases = {source: addresses[setting] for source, setting in SETTINGS.items()}
        return _record_all(bases, StoppedClock(), list(CALLS))


if __name__ == "__main__":
    main()
