"""The agent's market map for what a script plays, so that a demo needs no file written by hand."""

from collections.abc import Iterator

from adapters.simulated_venues.courses import FIRST_PRICES
from adapters.simulated_venues.football import HALFTIME, MONEYLINE, THRESHOLDS
from adapters.simulated_venues.kraken_wire import FUTURES_PAIRS
from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.recording import Recording
from adapters.simulated_venues.scenario import Scenario
from adapters.simulated_venues.steady import Steady

HEDGE = {"yes_side": "sell", "no_side": "buy", "notes": "demo"}
FUTURES = {pair: {"symbol": symbol, "ref_price_field": "markPrice"} for symbol, pair in FUTURES_PAIRS.items()}


def market_map(script: Scenario | Recording | Steady, *, draws: bool = False, whole: bool = False) -> dict[str, object]:
    """The map as JSON data: both outcomes of every market that a pair leads, each an entry named "<slug> <outcome>".

    With `whole` a market is one entry, without an outcome, for strategies that follow both by themselves. With `draws` the
    matches instead: their draws by slug and the last one by its event's URL, then the half-time draws, which are none.
    """
    entries = _draw_entries(script) if draws else list(_led_entries(script, whole=whole))
    return {"version": 1, "markets": entries}


def _led_entries(script: Scenario | Recording | Steady, *, whole: bool) -> Iterator[dict[str, object]]:
    if isinstance(script, Recording):
        for slug in script.slugs:
            for outcome in ("",) if whole else script.outcomes(slug):
                yield _entry(slug, outcome, script.pair, "normal")
        return
    fair = isinstance(script, Scenario)
    for market in script.markets:
        for outcome in ("",) if whole else market.outcomes:
            if market.pair:
                yield _entry(market.slug, outcome, market.pair, market.direction) | _reference_parts(market, fair=fair)


def _entry(slug: str, outcome: str, pair: str, direction: str) -> dict[str, object]:
    return {
        "name": f"{slug} {outcome}".strip(),
        "polymarket": {"market_slug": slug} | ({"outcome": outcome} if outcome else {}),
        "kraken_spot": {"pair": pair, "direction": direction},
    }


def _reference_parts(market: SimMarket, *, fair: bool) -> dict[str, object]:
    """What else the map can say: the future of the pair, the market's own relation to it, and the other leg."""
    futures = {"kraken_futures": FUTURES[market.pair]} if market.pair in FUTURES else {}
    return {**futures, **({"fair_model": _fair_model(market)} if fair else {}), "hedge": HEDGE}


def _fair_model(market: SimMarket) -> dict[str, object]:
    """The tangent of `first_mid + elasticity * ln(reference / first)` at the first price.

    The smaller reference always comes first: that an inverse market is 1 there says its direction.
    """
    first = float(FIRST_PRICES[market.pair])
    below = market.first_mid if market.direction == "normal" else 1 - market.first_mid
    low, high = first * (1 - below / market.elasticity), first * (1 + (1 - below) / market.elasticity)
    return {"mode": "linear_range", "min_ref": round(low, 2), "max_ref": round(high, 2)}


def _draw_entries(script: Scenario | Recording | Steady) -> list[dict[str, object]]:
    known = () if isinstance(script, Recording) else script.markets
    draws = [market for market in known if market.group_threshold == THRESHOLDS["draw"]]
    matches = [market for market in draws if market.sports_type == MONEYLINE]
    places = [{"market_slug": market.slug} for market in matches[:-1]]
    places += [{"market_url": f"https://polymarket.com/event/{market.event.slug}"} for market in matches[-1:]]
    sisters = [market for market in draws if market.sports_type == HALFTIME]
    named = zip([*matches, *sisters], [*places, *({"market_slug": market.slug} for market in sisters)], strict=True)
    return [{"name": f"{market.event.title} draw", "polymarket": place | {"outcome": "Yes"}} for market, place in named]
