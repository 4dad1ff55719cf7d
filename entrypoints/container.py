"""The container: chooses the adapters once. The only place that knows both the ports and who implements them."""

import time
from collections.abc import Callable, Sequence

import httpx
from dependency_injector import containers, providers

from adapters.candidates import Wishes
from adapters.discovery import Discovery
from adapters.draw_baseline import load_draw_baseline
from adapters.feed import Sources, VenueFeed
from adapters.health import Health
from adapters.http import VenueClient
from adapters.kill_switch import KillSwitch
from adapters.kraken_futures import KrakenFutures
from adapters.kraken_spot import KrakenSpot
from adapters.listed_markets import Listed, Wants
from adapters.market_map import MapEntry, PolymarketPart, load_market_map
from adapters.notifications import notifier_of
from adapters.paper_broker import PaperBroker
from adapters.polymarket_clob import ClobBooks, ClobOutcomes
from adapters.polymarket_gamma import Gamma, GammaOutcomes, SaidTwice
from adapters.universe import MapUniverse
from domain.engine import Rules
from domain.ports import Clock
from entrypoints.rules import rules_of
from entrypoints.settings import Settings
from entrypoints.wishes import wishes_of

FASTEST_TICK_DEADLINE_S = 5.0

PACE_S = {
    "polymarket_clob": 0.01,  # /book: 1,500 requests in 10 s
    "polymarket_gamma": 0.04,  # /markets: 300 in 10 s
    "kraken_spot": 0.02,  # by address and pair: one a second, which INTERVAL_S keeps
    "kraken_futures": 0.02,  # 500 in 10 s
}
"""Seconds between the starts of two requests to one venue, within the limits that each documents."""


def map_entries(settings: Settings) -> tuple[MapEntry, ...]:
    """The markets to follow: the map's, or the one token of the environment. Raises `MapInvalid`."""
    if settings.market_map_path is not None:
        return load_market_map(settings.market_map_path)
    if settings.clob_token_id is None:
        return ()
    token = PolymarketPart(clob_token_id=settings.clob_token_id)
    return (MapEntry(name=f"token {settings.clob_token_id[:12]}", polymarket=token),)


def tick_deadline_s(settings: Settings) -> float:
    """Seconds that a tick may wait for the venues."""
    return max(settings.interval_s, FASTEST_TICK_DEADLINE_S)


def _wants(settings: Settings, rules: Rules) -> Wants:
    strategy = rules.strategy
    return Wants(
        outcome="Yes" if strategy.draws else settings.side.title(),
        spot_pair=settings.kraken_spot_pair,
        reference_source=strategy.reference_source,
        charges_fees=settings.fees == "venue",
        both_outcomes=strategy.both_outcomes,
        draws=strategy.draws,
        hedges=strategy.hedges,
    )


def _wishes(settings: Settings, rules: Rules) -> Wishes:
    return wishes_of(settings, rules.strategy)


def _traded(settings: Settings, discovery: Discovery) -> Callable[[], Sequence[Listed]]:
    """What discovery has found for trading by the time that it is asked."""
    most = settings.scan_trade_max_markets if settings.scan_enable and settings.scan_use_for_trading else 0

    def found() -> Sequence[Listed]:
        kept = [candidate for candidate in discovery.candidates if candidate.kept][:most]
        return [Listed(listing=each.listing, event=each.event) for each in kept if each.listing is not None]

    return found


def speed_of(clock: Clock) -> float:
    """How many of the clock's seconds pass in a real one: a demo's venues play as much faster."""
    return float(getattr(clock, "speed", 1.0))


def _retry_s(settings: Settings, clock: Clock) -> float:
    return 2 * settings.interval_s / speed_of(clock)


Transports = Callable[[str, str], httpx.AsyncBaseTransport | None]
"""What carries the requests of a source to its base URL; None: httpx's own connections."""


def direct(source: str, base_url: str) -> None:
    """Nothing between a client and its venue."""


def _client(
    source: str,
    base_url: str,
    settings: Settings,
    clock: Clock,
    health: Health,
    transports: Transports,
    monotonic: Callable[[], float],
) -> VenueClient:
    return VenueClient(
        source,
        base_url,
        clock=clock,
        health=health,
        timeout_s=settings.http_timeout_s,
        min_interval_s=PACE_S[source],
        transport=transports(source, base_url),
        monotonic=monotonic,
        speed=speed_of(clock),
    )


class Container(containers.DeclarativeContainer):
    """Everything behind the ports, for the settings, the clock and the markets that are handed in."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    clock: providers.Dependency[Clock] = providers.Dependency()
    entries: providers.Dependency[Sequence[MapEntry]] = providers.Dependency()
    transports: providers.Object[Transports] = providers.Object(direct)
    monotonic: providers.Object[Callable[[], float]] = providers.Object(time.monotonic)

    baseline = providers.Singleton(load_draw_baseline, settings.provided.draw_baseline_file)
    rules = providers.Singleton(rules_of, settings, baseline)
    health = providers.Singleton(Health)
    kill_switch = providers.Singleton(KillSwitch, settings.provided.killswitch_file)
    client = providers.Factory(
        _client, settings=settings, clock=clock, health=health, transports=transports, monotonic=monotonic
    )
    clob_client = providers.Singleton(client, "polymarket_clob", settings.provided.clob_base_url)
    gamma_client = providers.Singleton(client, "polymarket_gamma", settings.provided.gamma_base_url)
    spot_client = providers.Singleton(client, "kraken_spot", settings.provided.kraken_spot_base_url)
    futures_client = providers.Singleton(client, "kraken_futures", settings.provided.kraken_futures_base_url)
    clients = providers.List(clob_client, gamma_client, spot_client, futures_client)

    gamma = providers.Singleton(Gamma, gamma_client)
    references = providers.Dict(
        kraken_spot=providers.Singleton(KrakenSpot, spot_client),
        kraken_futures=providers.Singleton(KrakenFutures, futures_client),
    )
    discovery = providers.Singleton(
        Discovery,
        gamma=gamma,
        # Its own adapter: what a scan accepted must not make a tick's answer look old.
        books=providers.Singleton(ClobBooks, clob_client),
        clock=clock,
        health=health,
        wishes=providers.Singleton(_wishes, settings, rules),
    )
    universe = providers.Singleton(
        MapUniverse,
        entries,
        listings=gamma,
        health=health,
        wants=providers.Singleton(_wants, settings, rules),
        clock=clock,
        retry_s=providers.Singleton(_retry_s, settings, clock),
        discovered=providers.Singleton(_traded, settings, discovery),
    )
    sources = providers.Singleton(
        Sources,
        books=providers.Singleton(ClobBooks, clob_client),
        references=references,
        outcomes=providers.Singleton(
            lambda *outcomes: outcomes,
            providers.Singleton(ClobOutcomes, clob_client),
            providers.Singleton(SaidTwice, providers.Singleton(GammaOutcomes, gamma_client)),
        ),
    )
    feed = providers.Singleton(
        VenueFeed,
        clock=clock,
        universe=universe,
        sources=sources,
        kill_switch=kill_switch,
        deadline_s=providers.Singleton(tick_deadline_s, settings),
    )
    broker = providers.Singleton(PaperBroker)
    notifier = providers.Singleton(notifier_of, settings.provided.notify_urls)
