"""Every mode for two hundred ticks over real HTTP against the simulated venues: entries, exits, every reason of its rows.

Football, futures, windows and resolution are the default world's; some books are withheld at times and a future is suspended,
so that the rows about missing inputs have something to say.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.market_map import MapEntry, load_market_map
from adapters.simulated_venues import Answer, Request, Scenario, SimulatedVenues, market_map
from domain.decision import Reason
from domain.ledger import Action, Ledger
from domain.market import Moment
from domain.report import Report, TradeAction
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from entrypoints.settings import read_settings
from tests.fakes import FakeClock, MemoryLedger, MemoryPortal

START_MS = 1_790_000_000_000
TICKS = 200
INTERVAL_S = 15
REFRESH_TICKS = 20
SUSPENDED_S = range(600, 700)
WITHHELD_S = range(900, 1500)


class Withholding:
    """A scenario that leaves the books of some tokens out for a while, as the venue does when it hiccups."""

    def __init__(self, script: Scenario, tokens: Iterable[str]) -> None:
        """Withhold these tokens' books during `WITHHELD_S`."""
        self.script, self._tokens = script, frozenset(tokens)

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The scenario's answer, without what is withheld."""
        if request.path == "/books" and (now_ms - START_MS) // 1000 in WITHHELD_S:
            wanted = [row for row in json.loads(request.body) if row["token_id"] not in self._tokens]
            request = replace(request, body=json.dumps(wanted).encode())
        return self.script.answer(venue, request, now_ms)


def world() -> Withholding:
    """The default world; bitcoin's future is suspended for a while, the No tokens of crypto markets have no books for one."""

    def futures(symbol: str, now_ms: int) -> Mapping[str, object] | None:
        return {"suspended": True} if (now_ms - START_MS) // 1000 in SUSPENDED_S else None

    scenario = Scenario(7, START_MS, futures=futures)
    return Withholding(scenario, (market.token_ids[1] for market in scenario.markets if market.pair))


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A mode's settings, and what else its map holds."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    draws: bool = False
    whole: bool = False
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For the test's name."""
        return self.name


MODES = (
    Mode(name="lead_lag"),
    Mode(name="pm_trend", settings={"LEAD_LAG_MAX_HOLD_SECS": "60"}, whole=True),
    Mode(
        name="pm_draw",
        settings={
            "PM_DRAW_REQUIRE_3WAY": "1",
            "PM_DRAW_MAX_PRICE": "0.30",
            "PM_DRAW_FAV_MAX": "0.45",
            "PM_DRAW_MAX_HOLD_SECS": "60",
        },
        draws=True,
    ),
    Mode(name="fair_model", settings={"FAIR_MODEL_MAX_HOLD_SECS": "120"}, whole=True, also=("epl-bre-che-2026-11-28-bre",)),
)

BASELINE = """slug,draw_odds
bun-aug-koe-2026-11-28-draw,3.60
https://polymarket.com/event/bun-fre-sge-2026-11-28,3.55
epl-bre-che-2026-11-28,3.65
"""


def entries_of(mode: Mode, script: Scenario, tmp_path: Path) -> tuple[MapEntry, ...]:
    """The map that the demo writes, and the mode's own entries."""
    written = market_map(script, draws=mode.draws, whole=mode.whole)
    markets = written["markets"]
    assert isinstance(markets, list)
    markets += [{"name": slug, "polymarket": {"market_slug": slug, "outcome": "Yes"}} for slug in mode.also]
    path = tmp_path / "map.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    return load_market_map(path)


async def live(mode: Mode, tmp_path: Path) -> tuple[Container, list[Report]]:
    """Two hundred ticks as fast as they go, fifteen seconds of the playing time apart."""
    script = world()
    baseline = tmp_path / "baseline.csv"
    baseline.write_text(BASELINE, encoding="utf-8")
    clock = FakeClock(Moment(at_ms=START_MS, elapsed_ms=0))
    with SimulatedVenues(script, lambda: clock.now().at_ms) as venues:
        chosen = {"STRATEGY_MODE": mode.name, "PM_DRAW_BASELINE_FILE": str(baseline), **mode.settings}
        settings = read_settings({**venues.environment(), **chosen})
        container = Container(settings=settings, clock=clock, entries=entries_of(mode, script.script, tmp_path))
        store = MemoryLedger()
        agent = Agent(
            rules=container.rules(),
            feed=container.feed(),
            broker=container.broker(),
            store=store,
            portal=MemoryPortal(),
        )
        for number in range(TICKS):
            if number % REFRESH_TICKS == 0:
                await container.universe().resolve(again=True)
            await tick(agent, store.load(), clock.now())
            clock.advance(INTERVAL_S)
        for client in container.clients():
            await client.aclose()
        assert venues.failures == []
    return container, store.reports


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_mode_enters_leaves_and_says_every_reason_of_its_rows(mode: Mode, tmp_path: Path) -> None:
    """And what it is left with adds up, to the last micro-dollar."""
    container, reports = asyncio.run(live(mode, tmp_path))
    strategy = container.rules().strategy
    said = {verdict.cause.reason for report in reports for verdict in report.verdicts}
    assert {row.reason for row in (*strategy.enter, *strategy.exit)} - said == set()
    acted = {verdict.action for report in reports for verdict in report.verdicts}
    assert acted >= {Action.ENTER, Action.EXIT, Action.SKIP, Action.HOLD}
    _assert_balanced(reports)


def _assert_balanced(reports: list[Report]) -> None:
    ledger: Ledger = reports[-1].state.ledger
    trades = [trade for report in reports for trade in report.trades]
    assert ledger.realised == sum(trade.realised for trade in trades)
    assert ledger.cash + ledger.cost == ledger.opening_cash + ledger.realised
    assert len({trade.id for trade in trades}) == len(trades)
    assert {trade.action for trade in trades} >= {TradeAction.BUY, TradeAction.SELL}


@pytest.mark.slow
def test_draws_are_bought_by_their_yes_token_and_never_those_of_a_half(tmp_path: Path) -> None:
    """With a baseline of odds by market slug, event slug and URL; the half-time draw beside the match is refused."""
    _, reports = asyncio.run(live(MODES[2], tmp_path))
    draws = {market.token_ids[0]: market.slug for market in world().script.markets if market.slug.endswith("-28-draw")}
    traded = {str(trade.market.token) for report in reports for trade in report.trades}
    assert traded
    assert traded <= draws.keys()
    halves = [v for report in reports for v in report.verdicts if "halftime" in v.market.slug]
    assert len(halves) == TICKS
    assert {verdict.cause.reason for verdict in halves} == {Reason.NOT_3WAY}
    fair = {v.market.event: v.signal.fair_p for report in reports for v in report.verdicts if v.signal and v.market.three_way}
    assert fair == {
        "bun-aug-koe-2026-11-28": 1 / 3.60,
        "bun-fre-sge-2026-11-28": 1 / 3.55,
        "epl-bre-che-2026-11-28": 1 / 3.65,
    }
    settled = [trade for report in reports for trade in report.trades if trade.action is TradeAction.SETTLE]
    assert all(trade.price in (0, 1) for trade in settled)


@pytest.mark.slow
def test_a_series_is_traded_window_after_window(tmp_path: Path) -> None:
    """One map entry; every window is a market of its own, and what is held to its end is paid out."""

    async def windows() -> list[Report]:
        script = Scenario(7, START_MS)
        clock = FakeClock(Moment(at_ms=START_MS, elapsed_ms=0))
        with SimulatedVenues(script, lambda: clock.now().at_ms) as venues:
            chosen = {"STRATEGY_MODE": "pm_trend", "LEAD_LAG_MAX_HOLD_SECS": "", "PM_TREND_EXIT_MOVE_MIN_PCT": "-500"}
            settings = read_settings({**venues.environment(), **chosen})
            entry = MapEntry.model_validate({"name": "5m", "polymarket": {"market_slug": "btc-updown-5m-*"}})
            container = Container(settings=settings, clock=clock, entries=(entry,))
            store = MemoryLedger()
            agent = Agent(
                rules=container.rules(), feed=container.feed(), broker=container.broker(), store=store, portal=MemoryPortal()
            )
            for _ in range(120):
                await container.universe().resolve()
                await tick(agent, store.load(), clock.now())
                clock.advance(INTERVAL_S)
            for client in container.clients():
                await client.aclose()
        return store.reports

    reports = asyncio.run(windows())
    followed = [report.verdicts[0].market.slug for report in reports]
    expected = [f"btc-updown-5m-{(START_MS // 1000 + INTERVAL_S * n) // 300 * 300}" for n in range(120)]
    assert followed == expected
    settled = [trade for report in reports for trade in report.trades if trade.action is TradeAction.SETTLE]
    assert settled
    assert {trade.price for trade in settled} <= {0, 1}
    assert len({trade.id for trade in settled}) == len(settled)
