"""`spelar run` with discovery, as a process: what is found is traded or only listed, and no tick ever waits for it."""

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.simulated_venues import Answer, BookSpec, Request, SimEvent, SimMarket, SimulatedVenues, Steady
from adapters.simulated_venues.football import match
from tests.entrypoints.processes import daemon, environment, published_tick, until, write_map

pytestmark = pytest.mark.slow

FIRST = SimEvent(slug="bun-aug-koe-2026-11-28", title="FC Augsburg vs. 1. FC Köln", game_id=1)
SECOND = SimEvent(slug="bun-fre-sge-2026-11-28", title="SC Freiburg vs. Eintracht Frankfurt", game_id=2)
LEGS = (*match(FIRST, "FC Augsburg", "1. FC Köln"), *match(SECOND, "SC Freiburg", "Eintracht Frankfurt"))
OTHER = SimMarket(slug="btc-up", question="Will Bitcoin rise?")
ASKS = {"home": "0.45", "draw": "0.22", "away": "0.35"}
"""Draws worth 0.28 at 0.22, and teams that leave no doubt about the favourite."""

CHOSEN = {
    "STRATEGY_MODE": "pm_draw",
    "PM_SCAN_ENABLE": "1",
    "PM_SCAN_USE_FOR_TRADING": "1",
    "PM_SCAN_INTERVAL_S": "1",
    "PM_DRAW_REQUIRE_3WAY": "1",
    "INTERVAL_S": "0.2",
}


def book(token: str, now_ms: int) -> BookSpec:
    """A cent wide; the draws are cheap, the second outcomes mirror the first."""
    market = next(market for market in (*LEGS, OTHER) if token in market.token_ids)
    parts = {"0": "home", "1": "draw", "2": "away"}
    cents = round(float(ASKS[parts.get(market.group_threshold, "home")]) * 100)
    cents = cents if token == market.token_ids[0] else 101 - cents
    return BookSpec(bids=((f"0.{cents - 1:02d}", "500"),), asks=((f"0.{cents:02d}", "500"),))


class Wayward:
    """Venues whose list of events can hang for a while, fail, or lose its matches; everything else answers as ever."""

    def __init__(self) -> None:
        """All is well."""
        self._all = Steady(markets=(*LEGS, OTHER), books=book)
        self._lists = self._all
        self.hang_s = 0.0
        self.fails = False
        self.listings = 0

    def forget_matches(self) -> None:
        """The list of events no longer holds them; their books and pages are there."""
        self._lists = Steady(markets=(OTHER,), books=book)

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer, when it comes."""
        if request.path != "/events/keyset":
            return self._all.answer(venue, request, now_ms)
        time.sleep(self.hang_s)
        self.listings += 1
        return Answer(500, {"error": "x"}) if self.fails else self._lists.answer(venue, request, now_ms)


class Running:
    """A running daemon, by its files."""

    def __init__(self, out_dir: Path, script: Wayward) -> None:
        self._out_dir, self.script = out_dir, script

    def rows(self, name: str) -> list[dict[str, str]]:
        """A CSV file's rows; none while it is not there."""
        path = self._out_dir / name
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def document(self, name: str) -> dict[str, object]:
        """A JSON file."""
        found = json.loads((self._out_dir / name).read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    def until(self, happened: Callable[[], bool], timeout_s: float = 30) -> None:
        """Wait for something to show in a file, then for the publication it shows in: files are replaced one by one."""
        until(happened, timeout_s)
        shown = self.tick
        until(lambda: self.tick > shown)

    @property
    def tick(self) -> int:
        """The newest published tick."""
        return published_tick(self._out_dir)

    @property
    def found(self) -> set[str]:
        """The slugs that the newest scan kept."""
        return {row["slug"] for row in self.rows("pm_scan_candidates.csv") if row["kept"] == "1"}

    @property
    def followed(self) -> set[object]:
        """The slugs of the markets that are followed."""
        markets = self.document("pm_markets_index.json")["markets"]
        assert isinstance(markets, list)
        return {market["slug"] for market in markets}

    @property
    def bought(self) -> set[str]:
        """The names of the markets that were bought."""
        return {row["market"] for row in self.rows("pm_paper_trades.csv") if row["action"] == "BUY"}

    @property
    def held(self) -> set[str]:
        """The names of the markets that are held."""
        return {row["market"] for row in self.rows("pm_paper_positions.csv")}

    def errors(self) -> Mapping[str, int]:
        """What `sources_health.json` counts for discovery."""
        report = self.document("sources_health.json").get("discovery", {"errors": {}})
        assert isinstance(report, dict)
        counted = report["errors"]
        assert isinstance(counted, dict)
        return counted


@contextmanager
def running(tmp_path: Path, script: Wayward | None = None, **chosen: str) -> Iterator[Running]:
    """A daemon without a map; it must live to the end, and end well when told."""
    wayward = script or Wayward()
    with SimulatedVenues(wayward, lambda: time.time_ns() // 1_000_000) as venues:
        env = environment(tmp_path, venues.environment(), **{**CHOSEN, **chosen})
        with daemon(env) as process:
            until(lambda: published_tick(tmp_path / "out") >= 1)
            yield Running(tmp_path / "out", wayward)
            assert process.poll() is None
            process.terminate()
            assert process.wait(timeout=15) == 0
        assert venues.failures == []


DRAWS = {f"{event.slug}-draw" for event in (FIRST, SECOND)}
NAMES = {market.question for market in LEGS if market.slug in DRAWS}


def test_what_was_found_is_traded_without_a_map(tmp_path: Path) -> None:
    """The draws of both matches, and nothing else; ticks did not wait for the first scan."""
    with running(tmp_path) as agent:
        agent.until(lambda: agent.bought == NAMES)
        assert agent.found == DRAWS
        assert agent.followed == DRAWS
        assert {row["reason"] for row in agent.rows("pm_scan_candidates.csv") if row["kept"] == "0"} == {"not_match_draw"}


def test_no_more_are_traded_than_was_said(tmp_path: Path) -> None:
    """`PM_SCAN_TRADE_MAX_MARKETS`; the other is listed."""
    with running(tmp_path, PM_SCAN_TRADE_MAX_MARKETS="1") as agent:
        agent.until(lambda: len(agent.bought) == 1)
        seen = agent.tick
        until(lambda: agent.tick >= seen + 10)
        assert agent.found == DRAWS
        assert len(agent.followed) == len(agent.bought) == 1


def test_what_was_found_is_only_listed_where_it_is_not_to_be_traded(tmp_path: Path) -> None:
    """`PM_SCAN_USE_FOR_TRADING=0`: what is followed is the map."""
    entry = {"name": "mapped", "polymarket": {"market_slug": OTHER.slug}}
    path = write_map(tmp_path / "map.json", {"version": 1, "markets": [entry]})
    with running(tmp_path, PM_SCAN_USE_FOR_TRADING="0", MARKET_MAP_PATH=path) as agent:
        agent.until(lambda: agent.found == DRAWS)
        seen = agent.tick
        until(lambda: agent.tick >= seen + 10)
        assert (agent.followed, agent.bought) == ({OTHER.slug}, set())
        assert {row["market"] for row in agent.rows("pm_paper_candidates.csv")} == {"mapped"}
        found = agent.document("pm_markets_index.json")["found"]
        assert isinstance(found, list)
        assert {entry["slug"] for entry in found if entry["kept"]} == DRAWS


def test_ticks_keep_their_pace_while_gamma_hangs(tmp_path: Path) -> None:
    """Before the first scan has ended, and in a later one: fifteen ticks of 0.2 s are three seconds."""
    script = Wayward()
    script.hang_s = 4.0
    with running(tmp_path, script) as agent:
        for _ in range(2):
            first, began = agent.tick, time.monotonic()
            until(lambda last=first + 15: agent.tick >= last)  # type: ignore[misc]
            assert time.monotonic() - began < 4.5
        agent.until(lambda: agent.bought == NAMES)
        times = [row["ts"] for row in agent.rows("pm_paper_equity.csv")]
        ticks_s = [float(ts[17:23]) for ts in times]
        gaps = [(late - early) % 60 for early, late in pairwise(ticks_s)]
        assert max(gaps) < 1.0
        assert sorted(gaps)[len(gaps) // 2] == pytest.approx(0.2, abs=0.02)


def test_a_scan_that_fails_keeps_what_the_last_one_found_and_is_counted(tmp_path: Path) -> None:
    """The files show how old it is, and its markets go on being followed."""
    with running(tmp_path) as agent:
        agent.until(lambda: agent.found == DRAWS and agent.bought == NAMES)
        agent.script.fails = True
        agent.until(lambda: bool(agent.errors()))
        shown, seen = agent.rows("pm_scan_candidates.csv"), agent.tick
        until(lambda: agent.tick >= seen + 15)
        assert set(agent.errors()) <= {"http_500", "backing_off"}
        assert agent.rows("pm_scan_candidates.csv") == shown
        assert agent.followed == DRAWS
        agent.script.fails = False
        agent.until(lambda: agent.rows("pm_scan_candidates.csv") != shown, timeout_s=60)
        assert agent.found == DRAWS


def test_a_position_in_a_market_that_is_no_longer_found_stays_managed(tmp_path: Path) -> None:
    """It is no longer followed for entries, keeps its row and its mark, and leaves when its time is up."""
    with running(tmp_path, PM_DRAW_MAX_HOLD_SECS="8") as agent:
        agent.until(lambda: agent.held == NAMES)
        agent.script.forget_matches()
        agent.until(lambda: agent.found == set() and bool(agent.rows("pm_scan_candidates.csv")))
        assert agent.held == NAMES
        seen = agent.tick
        until(lambda: agent.tick >= seen + 5)
        assert {row["market"] for row in agent.rows("pm_paper_candidates.csv")[-2:]} == NAMES
        agent.until(lambda: agent.held == set())
        sold = [row for row in agent.rows("pm_paper_trades.csv") if row["action"] == "SELL"]
        assert {row["market"] for row in sold} == NAMES
        assert all("exit=max_hold" in row["notes"] for row in sold)
        seen = agent.tick
        until(lambda: agent.tick >= seen + 5)
        assert (agent.followed, agent.held) == (set(), set())
