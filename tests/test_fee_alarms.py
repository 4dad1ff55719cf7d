"""A market that charges what our table of the day does not say is shown in `sources_health.json`, and no longer than that."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.market_map import MapEntry, PolymarketPart
from adapters.simulated_venues import Recording, SimMarket, SimulatedVenues, Steady
from domain.fees import FeeSchedule, assumed_schedule
from domain.market import Moment
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from entrypoints.settings import read_settings
from tests.fakes import FakeClock, MemoryLedger
from tests.portal import portal_files

NOW_MS = 1_790_000_000_000
RECORDING = Path(__file__).resolve().parents[1].parent / "shared/recordings/frames_btc5m_2026-03-02.jsonl.gz"
USUAL = SimMarket(slug="btc-up", fee_rate=Decimal("0.07"))
DEARER = replace(USUAL, fee_rate=Decimal("0.08"))
OTHER = SimMarket(slug="eth-up", pair="ETHUSD", fee_rate=Decimal("0.08"))
REFRESH_S = 300


class Shop:
    """A running agent over simulated venues, and what it publishes of its sources."""

    def __init__(self, out_dir: Path, venues: SimulatedVenues, clock: FakeClock, slugs: tuple[str, ...]) -> None:
        entries = [MapEntry(name=slug, polymarket=PolymarketPart(market_slug=slug)) for slug in slugs]
        self._out_dir, self._clock = out_dir, clock
        self.container = Container(settings=read_settings(venues.environment()), clock=clock, entries=entries)
        self._store = MemoryLedger()
        self._portal = portal_files(out_dir, started_at_ms=clock.now().at_ms, sources=self.container.health().report)
        self._portal.rebuild(self._store.journal())
        self._agent = Agent(
            rules=self.container.rules(),
            feed=self.container.feed(),
            broker=self.container.broker(),
            store=self._store,
            portal=self._portal,
        )

    async def alarms(self, *, after_s: float = 0) -> Mapping[str, str]:
        """The alarms of Gamma in the file after so many more seconds, with the markets looked up as often as they are."""
        for _ in range(round(after_s / REFRESH_S)):
            self._clock.advance(REFRESH_S)
            await self.container.universe().resolve(again=True)
        if not after_s:
            await self.container.universe().resolve()
        await tick(self._agent, self._store.load(), self._clock.now())
        self._portal.close()
        shown = json.loads((self._out_dir / "sources_health.json").read_text())["polymarket_gamma"]["alarms"]
        assert isinstance(shown, dict)
        return shown

    async def close(self) -> None:
        """End it."""
        for client in self.container.clients():
            await client.aclose()


def test_a_fee_that_is_not_the_tables_raises_an_alarm_until_it_is_again(tmp_path: Path) -> None:
    """It stands for as long as a market shows it, and is gone within a quarter of an hour when none does any more."""

    async def story() -> None:
        clock = FakeClock(Moment(at_ms=NOW_MS, elapsed_ms=0))
        script = Steady(markets=(DEARER,))
        with SimulatedVenues(script, lambda: clock.now().at_ms) as venues:
            shop = Shop(tmp_path, venues, clock, (USUAL.slug,))
            for shown in (await shop.alarms(), await shop.alarms(after_s=1_800)):
                (text,) = shown.values()
                assert "crypto_fees_v2: the market charges 0.08 exponent 1, the table of 2026-07-10 says 0.07" in text
                assert text.endswith("(btc-up)")
            (followed,) = shop.container.universe().markets()
            assert followed.fees == FeeSchedule(rate=Decimal("0.08"))
            script.markets = (USUAL,)
            assert await shop.alarms(after_s=1_200) == {}
            (followed,) = shop.container.universe().markets()
            assert followed.fees == FeeSchedule(rate=Decimal("0.07"))
            await shop.close()

    asyncio.run(story())


@pytest.mark.slow
def test_an_alarm_stands_while_any_market_shows_the_difference(tmp_path: Path) -> None:
    """One line for all of them, whichever was looked up last."""

    async def story() -> None:
        clock = FakeClock(Moment(at_ms=NOW_MS, elapsed_ms=0))
        script = Steady(markets=(DEARER, OTHER))
        with SimulatedVenues(script, lambda: clock.now().at_ms) as venues:
            shop = Shop(tmp_path, venues, clock, (USUAL.slug, OTHER.slug))
            assert len(await shop.alarms()) == 1
            script.markets = (USUAL, OTHER)
            (text,) = (await shop.alarms(after_s=1_200)).values()
            assert text.endswith("(eth-up)")
            await shop.close()

    asyncio.run(story())


@pytest.mark.slow
@pytest.mark.skipif(not RECORDING.exists(), reason="no ../shared/recordings: a user's clone has none")
def test_the_recorded_markets_raise_none_on_their_own_day(tmp_path: Path) -> None:
    """They charge what the table says of 2 March 2026, not what it says of today."""

    async def story() -> None:
        script = Recording.open(RECORDING)
        clock = FakeClock(Moment(at_ms=script.start_ms + 60_000, elapsed_ms=0))
        with SimulatedVenues(script, lambda: clock.now().at_ms) as venues:
            shop = Shop(tmp_path, venues, clock, script.slugs)
            assert await shop.alarms() == {}
            assert await shop.alarms(after_s=1_200) == {}
            charged = {market.fees for market in shop.container.universe().markets() if market.token is not None}
            assert charged == {replace(assumed_schedule("crypto_fees", script.start_ms), assumed=False)}
            await shop.close()

    asyncio.run(story())
