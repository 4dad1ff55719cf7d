"""An agent over spoiled venues: the daemon's container and tick, without sockets and on a clock that ticks set on."""

from collections import Counter
from collections.abc import Mapping

from adapters.market_map import MarketMap
from adapters.simulated_venues import BookSpec, Scenario, Script, Steady, market_map
from adapters.simulated_venues.in_process import ScriptTransport
from domain.market import Moment
from domain.ports import Broker, LedgerStore, Portal
from domain.report import Journal, Report
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from entrypoints.rules import rules_of
from tests.builders import NOON_MS
from tests.entrypoints.lived import settings_in
from tests.fakes import MemoryLedger, MemoryPortal

CALM_BOOK = BookSpec(
    bids=tuple((f"0.{cents}", "500") for cents in range(50, 45, -1)),
    asks=tuple((f"0.{cents}", "500") for cents in range(51, 56)),
)
"""Five levels a side around a spread of one cent."""

LOOK_MS = 1
CALL_S = 0.05
REFRESH_TICKS = 20
"""Every market is looked up again every five minutes of fifteen-second ticks, as by the daemon."""


class LookedAtClock:
    """Stands where it was set; every look at it takes a millisecond, so that an answer is later than its question."""

    speed = 1.0

    def __init__(self, at_ms: int) -> None:
        """Begin at this time (UTC ms)."""
        self._start_ms = self.at_ms = at_ms

    def now(self) -> Moment:
        """This moment."""
        self.at_ms += LOOK_MS
        return Moment(at_ms=self.at_ms, elapsed_ms=self.at_ms - self._start_ms)


class Stopwatch:
    """Seconds for backoff and pace: those of the clock, and a little at every look, so that no call waits for its turn."""

    def __init__(self, clock: LookedAtClock) -> None:
        """Follow this clock."""
        self._clock, self._last_s = clock, 0.0

    def __call__(self) -> float:
        """This moment, seconds."""
        self._last_s = max(self._last_s + CALL_S, self._clock.at_ms / 1000)
        return self._last_s


class Session:
    """One agent over `script`, following the markets of `known`; `tick` plays the next interval."""

    def __init__(
        self,
        script: Script,
        known: Scenario | Steady,
        environment: Mapping[str, str],
        *,
        start_ms: int = NOON_MS,
        broker: Broker | None = None,
    ) -> None:
        """Begin at `start_ms` (UTC); nothing is looked up yet."""
        self.settings = settings_in(environment)
        self.clock = LookedAtClock(start_ms)
        self._next_ms, self._played = start_ms, 0
        transport = ScriptTransport(script, lambda: self.clock.at_ms)
        whole = rules_of(self.settings).strategy.both_outcomes
        self.container = Container(
            settings=self.settings,
            clock=self.clock,
            entries=MarketMap.model_validate(market_map(known, whole=whole)).markets,
            transports=lambda source, base_url: transport,
            monotonic=Stopwatch(self.clock),
        )
        self._store, self._portal, self._broker = MemoryLedger(), MemoryPortal(), broker
        self.keep(self._store, self._portal)

    def keep(self, store: LedgerStore, portal: Portal) -> None:
        """Keep results here from now on, and begin with what the store holds."""
        self.agent = Agent(
            rules=self.container.rules(),
            feed=self.container.feed(),
            broker=self._broker or self.container.broker(),
            store=store,
            portal=portal,
        )
        self.state = store.load()

    @property
    def errors(self) -> Counter[str]:
        """What the sources were refused for since the start, by kind."""
        report = self.container.health().report(self.clock.at_ms)
        return sum((Counter(source.errors) for source in report.values()), Counter[str]())

    async def tick(self) -> Report:
        """The next tick, `INTERVAL_S` after the one before. Markets are looked up first: the unknown ones, now and then all."""
        self.clock.at_ms = max(self.clock.at_ms, self._next_ms)
        self._next_ms += round(self.settings.interval_s * 1000)
        await self.container.universe().resolve(again=self._played % REFRESH_TICKS == REFRESH_TICKS - 1)
        self._played += 1
        report = await tick(self.agent, self.state, self.clock.now())
        self.state = report.state
        return report

    async def ticks(self, count: int) -> list[Report]:
        """So many ticks."""
        return [await self.tick() for _ in range(count)]

    async def close(self) -> None:
        """Close the clients."""
        for client in self.container.clients():
            await client.aclose()


class Forgetful(MemoryLedger):
    """A store that keeps the state and nothing else, for very many ticks."""

    def save(self, report: Report) -> None:
        """Keep the state."""
        super().save(report)
        self.reports.clear()


class Blind:
    """A portal that shows nothing."""

    def rebuild(self, journal: Journal) -> None:
        """Nothing."""

    def publish(self, report: Report) -> None:
        """Nothing."""
