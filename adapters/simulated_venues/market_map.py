"""The agent's market map for what a script plays, so that a demo needs no file written by hand."""

from adapters.simulated_venues.recording import Recording
from adapters.simulated_venues.scenario import Scenario
from adapters.simulated_venues.steady import Steady


def market_map(script: Scenario | Recording | Steady) -> dict[str, object]:
    """The map as JSON data: both outcomes of every market, each an entry named "<slug> <outcome>"."""
    if isinstance(script, Recording):
        named = [(slug, script.outcomes(slug), script.pair, "normal") for slug in script.slugs]
    else:
        named = [(market.slug, market.outcomes, market.pair, market.direction) for market in script.markets]
    entries = [_entry(slug, outcome, pair, way) for slug, outcomes, pair, way in named for outcome in outcomes]
    return {"version": 1, "markets": entries}


def _entry(slug: str, outcome: str, pair: str, direction: str) -> dict[str, object]:
    return {
        "name": f"{slug} {outcome}",
        "polymarket": {"market_slug": slug, "outcome": outcome},
        "kraken_spot": {"pair": pair, "direction": direction},
    }
