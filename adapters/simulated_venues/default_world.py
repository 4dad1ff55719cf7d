"""What a `Scenario` plays when it is told nothing else: four crypto markets, three matches, a decoy and an Up/Down series."""

from dataclasses import replace
from decimal import Decimal

from adapters.simulated_venues.football import FOOTBALL, halftime, match
from adapters.simulated_venues.market import MINUTE_MS, VOID, SimEvent, SimMarket
from adapters.simulated_venues.updown import SimSeries

CRYPTO: tuple[SimMarket, ...] = (
    SimMarket(slug="bitcoin-above-60k-on-december-31", question="Will Bitcoin be above $60,000 on December 31?"),
    SimMarket(
        slug="bitcoin-up-this-quarter",
        question="Will Bitcoin finish the quarter higher?",
        first_mid=0.46,
        elasticity=12.0,
        resolves_after_ms=12 * MINUTE_MS,
    ),
    SimMarket(
        slug="ethereum-above-3000-on-december-31",
        question="Will Ethereum be above $3,000 on December 31?",
        pair="ETHUSD",
        first_mid=0.53,
        elasticity=14.0,
    ),
    SimMarket(
        slug="bitcoin-dip-to-50k-by-december-31",
        question="Will Bitcoin dip to $50,000 by December 31?",
        direction="inverse",
        first_mid=0.48,
    ),
)

DRAWS = (0.21, 0.33)
"""Where the draw of a match swings: around the agent's baseline of 0.28, far enough to be cheap and to be dear."""

IN_PLAY = SimEvent(
    slug="epl-bre-che-2026-11-28",
    title="Brentford FC vs. Chelsea FC",
    game_id=90104306,
    series="premier-league-2026",
    starts_after_ms=-70 * MINUTE_MS,
    swing=DRAWS,
    home_share=0.44,
)
TONIGHT = SimEvent(
    slug="bun-aug-koe-2026-11-28",
    title="FC Augsburg vs. 1. FC Köln",
    game_id=90104311,
    series="bundesliga-2026",
    starts_after_ms=90 * MINUTE_MS,
    swing=DRAWS,
    home_share=0.62,
)
LATER = replace(
    TONIGHT, slug="bun-fre-sge-2026-11-28", title="SC Freiburg vs. Eintracht Frankfurt", game_id=90104312, home_share=0.55
)

FINISHING = replace(FOOTBALL, closes_after_ms=24 * MINUTE_MS, resolves_after_ms=25 * MINUTE_MS)
"""The first match is decided within the play: a minute passes between its last order and the venue's answer."""

DECOY = SimMarket(
    slug="will-katie-boulter-withdraw-before-friday",
    question="Will Katie Boulter withdraw before Friday?",
    pair="",
    event=SimEvent(
        slug="will-katie-boulter-withdraw-before-friday", title="Will Katie Boulter withdraw before Friday?", swing=(0.06, 0.12)
    ),
    hydrates_after_ms=2 * MINUTE_MS,
    closes_after_ms=30 * MINUTE_MS,
    resolves_after_ms=40 * MINUTE_MS,
    resolution="disputed",
    winner=VOID,
    liquidity=640.5,
    volume_24h=55.25,
    fee_type="sports_fees_v3",
    fee_rate=Decimal("0.05"),
)
"""No draw and no tie, whatever its letters say; it is listed before the CLOB knows it, and disputed until it is void."""

DEFAULT: tuple[SimMarket, ...] = (
    *CRYPTO,
    *match(IN_PLAY, "Brentford FC", "Chelsea FC", like=FINISHING),
    *match(TONIGHT, "FC Augsburg", "1. FC Köln"),
    *halftime(TONIGHT, "FC Augsburg", "1. FC Köln"),
    *match(LATER, "SC Freiburg", "Eintracht Frankfurt"),
    DECOY,
)

SERIES: tuple[SimSeries, ...] = (SimSeries(slug="btc-updown-5m", title="Bitcoin Up or Down", pair="XBTUSD", seconds=300),)
