"""Sessions lived through in a second: the daemon's container and recorder over simulated venues, without sockets."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import httpx

from adapters.market_map import MapEntry, MarketMap
from adapters.simulated_venues import Scenario, market_map
from adapters.simulated_venues.in_process import ORIGINS, ScriptTransport
from adapters.tape.recorder import RecordedFeed, RecordedLedger, Recorder
from domain.ledger import Ledger
from domain.market import Moment
from domain.report import Trade
from domain.state import State
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from entrypoints.recording import WATCHING, Watch, session_of
from entrypoints.rules import rules_of
from entrypoints.settings import Settings, read_settings
from tests.builders import NOON_MS
from tests.fakes import MemoryLedger, MemoryPortal

LEDGER_ID = "lived"
BASE_URLS = ("POLYMARKET_CLOB_BASE_URL", "POLYMARKET_GAMMA_BASE_URL", "KRAKEN_SPOT_BASE_URL", "KRAKEN_FUTURES_BASE_URL")


class BusyClock:
    """Stands where it is put; every look at it takes a millisecond. `zero_ms` is where its other timeline begins (UTC)."""

    speed = 1000.0

    def __init__(self, at_ms: int, zero_ms: int) -> None:
        self.at_ms, self._zero_ms = at_ms, zero_ms

    def now(self) -> Moment:
        """This moment."""
        self.at_ms += 1
        return Moment(at_ms=self.at_ms, elapsed_ms=self.at_ms - self._zero_ms)


class Life:
    """One agent's sessions, and what it traded in all of them."""

    def __init__(self, recording: Path, environment: Mapping[str, str], *, seed: int = 7, start_ms: int = NOON_MS) -> None:
        self.settings = settings_in(environment)
        self.store = MemoryLedger(State(sequence=0, ledger=Ledger.opened_with(self.settings.start_balance_usd)))
        self.at_ms = self._start_ms = start_ms
        self._recording = recording
        self._script = Scenario(seed, start_ms)
        self._troubles: list[str] = []

    @property
    def trades(self) -> list[Trade]:
        """All trades so far."""
        return [trade for report in self.store.reports for trade in report.trades]

    def live(self, ticks: int, *, lost: int = 0) -> "Life":
        """A session of so many ticks; the last `lost` of them die before their commit."""
        asyncio.run(self._live(ticks, lost))
        return self

    def watch(self, ticks: int, *entries: MapEntry) -> "Life":
        """A session of so many ticks that only looks at the markets of these entries."""
        asyncio.run(self._watch(ticks, entries))
        return self

    async def _watch(self, ticks: int, entries: Sequence[MapEntry]) -> None:
        clock, recorder = self._begin()
        container = self._container(clock, recorder, entries)
        recorder.begin(session_of(container, State(sequence=0, ledger=WATCHING)))
        watch = Watch(container, recorder, stop=self._troubles.clear)
        for _ in range(ticks):
            await container.universe().resolve()
            await self._next(clock, watch.look)
        recorder.close()
        assert not self._troubles

    async def _live(self, ticks: int, lost: int) -> None:
        clock, recorder = self._begin()
        strategy = rules_of(self.settings).strategy
        entries = market_map(self._script, draws=strategy.draws, whole=strategy.both_outcomes)
        container = self._container(clock, recorder, MarketMap.model_validate(entries).markets)
        state = self.store.load()
        recorder.begin(session_of(container, state, ledger_id=LEDGER_ID))
        await container.universe().resolve()
        agent = Agent(
            rules=container.rules(),
            feed=RecordedFeed(container.feed(), recorder),
            broker=container.broker(),
            store=RecordedLedger(self.store, recorder),
            portal=MemoryPortal(),
        )
        for number in range(ticks):
            if number == ticks - lost:
                agent = replace(agent, store=MemoryLedger(self.store.load()))
            await self._next(clock, partial(tick, agent, agent.store.load()))
        recorder.close()
        assert not self._troubles

    def _begin(self) -> tuple[BusyClock, Recorder]:
        clock = BusyClock(self.at_ms, self._start_ms)
        return clock, Recorder(self._recording, clock=clock, failed=self._troubles.append)

    def _container(self, clock: BusyClock, recorder: Recorder, entries: Sequence[MapEntry]) -> Container:
        def transport(source: str, base_url: str) -> httpx.AsyncBaseTransport:
            return recorder.transport(source, base_url, ScriptTransport(self._script, lambda: clock.at_ms))

        monotonic = count().__next__  # no pace between requests
        return Container(settings=self.settings, clock=clock, entries=entries, transports=transport, monotonic=monotonic)

    async def _next(self, clock: BusyClock, look: Callable[[Moment], Awaitable[object]]) -> None:
        moment = clock.now()
        await look(moment)
        clock.at_ms = self.at_ms = moment.at_ms + round(self.settings.interval_s * 1000)


def settings_in(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment, with venues in the process."""
    return read_settings({**dict(zip(BASE_URLS, ORIGINS.values(), strict=True)), **environment})
