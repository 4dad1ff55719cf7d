"""What the settings and the strategy ask a scan to find."""

from adapters.candidates import Wishes
from adapters.kraken_spot import SOURCE as SPOT
from adapters.kraken_spot import asset_names
from domain.strategies import Strategy
from entrypoints.settings import Settings


def wishes_of(settings: Settings, strategy: Strategy) -> Wishes:
    """The wishes of a scan; whether sets and markets of many outcomes are left out is the strategy's choice where unset."""
    return Wishes(
        limit=settings.scan_limit,
        search=settings.scan_search or "",
        binary_only=not strategy.draws if settings.scan_binary_only is None else settings.scan_binary_only,
        draws_only=strategy.draws,
        min_liquidity_usdc=settings.scan_min_liquidity_usdc,
        max_spread=settings.scan_max_spread,
        falling_words_refused=bool(strategy.reference_source),
        led_by=asset_names(settings.kraken_spot_pair) if strategy.reference_source == SPOT else (),
    )
