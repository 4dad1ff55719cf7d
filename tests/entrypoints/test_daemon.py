"""The daemon as a process: it starts, trades, stops when told, and goes on after any death."""

import csv
import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.portal import FILES
from adapters.simulated_venues import BookSpec, SimMarket, SimulatedVenues, Steady, market_map
from domain.market import Moment
from entrypoints.container import tick_deadline_s
from entrypoints.pace import on_grid
from entrypoints.settings import read_settings
from tests.entrypoints.processes import daemon, environment, published_tick, spelar, until, write_map

MARKET = SimMarket(slug="btc-up-today")


class SteppingSpot:
    """A spot price that jumps by half a percent every third second, so that something is bought soon."""

    def spot(self, pair: str, now_ms: int) -> float:
        """The price now."""
        return 60_000.0 * 1.005 ** (now_ms // 3_000 % 50)

    def book(self, token: str, now_ms: int) -> BookSpec:
        """A flat book: 0.50/0.51, 500 shares a level."""
        return BookSpec(
            bids=tuple((f"0.{cents:02d}", "500") for cents in range(50, 45, -1)),
            asks=tuple((f"0.{cents:02d}", "500") for cents in range(51, 56)),
        )


@contextmanager
def trading(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a daemon that buys and sells every few seconds, with both venues on loopback."""
    world = SteppingSpot()
    script = Steady(spot=world.spot, books=world.book, markets=(MARKET,))
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        path = write_map(tmp_path / "map.json", market_map(script))
        yield environment(tmp_path, venues.environment(), MARKET_MAP_PATH=path)


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A daemon's environment."""
    with trading(tmp_path) as environment:
        yield environment


def _law_holds(tmp_path: Path) -> None:
    """Cash and cost equal opening cash and realised, to the last micro-dollar, and the published trades agree."""
    portfolio = json.loads((tmp_path / "out/pm_paper_portfolio.json").read_text(), parse_float=Decimal, parse_int=Decimal)
    cost = sum(p["shares"] * p["avg_entry"] for p in portfolio["positions"].values())
    assert abs(portfolio["cash_usd"] + cost - portfolio["start_balance_usd"] - portfolio["realized_pnl_usd"]) < Decimal(
        "0.0001"
    )
    with (tmp_path / "out/pm_paper_trades.csv").open(newline="") as file:
        realised = sum((Decimal(row["realized_pnl"]) for row in csv.DictReader(file)), Decimal(0))
    assert realised == portfolio["realized_pnl_usd"]


def test_run_ticks_ends_by_itself_with_every_file_in_place(tmp_path: Path, env: dict[str, str]) -> None:
    """RUN_TICKS=N is N committed ticks and exit 0."""
    done = spelar(["run"], {**env, "RUN_TICKS": "7"})
    assert done.returncode == 0, done.stderr
    assert published_tick(tmp_path / "out") == 7
    assert {path.name for path in (tmp_path / "out").iterdir()} == {file.name for file in FILES}


def test_sigterm_ends_the_daemon_with_zero_after_its_tick(tmp_path: Path, env: dict[str, str]) -> None:
    """systemd stops it so."""
    with daemon(env) as process:
        until(lambda: published_tick(tmp_path / "out") >= 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    _law_holds(tmp_path)


@pytest.mark.slow
def test_a_killed_daemon_goes_on_where_its_last_committed_tick_ended(tmp_path: Path, env: dict[str, str]) -> None:
    """kill -9 in the middle: cash, position, hold clock and the log of trades are as they were, whatever a new balance says."""
    trades = tmp_path / "out/pm_paper_trades.csv"
    with daemon({**env, "LEAD_LAG_EDGE_EXIT_PCT": "-100"}) as process:
        until(lambda: trades.exists() and "BUY" in trades.read_text())
        process.kill()
    with closing(sqlite3.connect(f"file:{tmp_path / 'state/ledger.sqlite3'}?mode=ro", uri=True)) as ledger:
        (sequence,) = ledger.execute("SELECT sequence FROM state").fetchone()
    bought = trades.read_text()
    opened = json.loads((tmp_path / "out/pm_paper_portfolio.json").read_text())["positions"]
    (tmp_path / "out/pm_paper_trades.csv").unlink()
    done = spelar(["run"], {**env, "LEAD_LAG_EDGE_EXIT_PCT": "-100", "RUN_TICKS": "1", "PAPER_START_BALANCE_USD": "5"})
    assert done.returncode == 0, done.stderr
    assert "PAPER_START_BALANCE_USD=5 is ignored: the ledger opened with 1000" in done.stderr
    assert published_tick(tmp_path / "out") == sequence + 1
    assert trades.read_text().startswith(bought)
    after = json.loads((tmp_path / "out/pm_paper_portfolio.json").read_text())["positions"]
    for token, position in opened.items():
        assert after[token]["opened_at"] == position["opened_at"]
    _law_holds(tmp_path)


@pytest.mark.slow
def test_a_second_daemon_on_the_same_state_is_refused_with_the_pid_of_the_first(tmp_path: Path, env: dict[str, str]) -> None:
    """Two writers would break the books."""
    with daemon(env) as process:
        until(lambda: published_tick(tmp_path / "out") >= 1)
        second = spelar(["run"], {**env, "RUN_TICKS": "1"})
        assert second.returncode == 75
        assert str(process.pid) in second.stderr


@pytest.mark.slow
def test_a_ledger_that_is_gone_while_its_files_are_there_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    """Starting afresh would silently forget money."""
    assert spelar(["run"], {**env, "RUN_TICKS": "2"}).returncode == 0
    for path in (tmp_path / "state").glob("ledger*"):
        path.unlink()
    refused = spelar(["run"], {**env, "RUN_TICKS": "1"})
    assert refused.returncode == 65
    assert "manifest.json" in refused.stderr


@pytest.mark.slow
def test_bad_configuration_ends_with_78_before_the_first_tick(tmp_path: Path, env: dict[str, str]) -> None:
    """Naming what is wrong."""
    refused = spelar(["run"], {**env, "INTERVAL_S": "0,2", "LEAD_LAG_EGDE_MIN_PCT": "1"})
    assert refused.returncode == 78
    assert "INTERVAL_S='0,2'" in refused.stderr
    assert "did you mean LEAD_LAG_EDGE_MIN_PCT" in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_dead_source_does_not_stop_the_ticks(tmp_path: Path, env: dict[str, str]) -> None:
    """Without a reference nothing is bought, and the row says so."""
    done = spelar(["run"], {**env, "RUN_TICKS": "3", "KRAKEN_SPOT_BASE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 0, done.stderr
    assert "missing_reference" in (tmp_path / "out/pm_paper_candidates.csv").read_text()
    health = json.loads((tmp_path / "out/sources_health.json").read_text())
    assert '"connect_error"' in json.dumps(health)


@pytest.mark.parametrize(("late_ms", "moved_back_ms"), [(0, 0), (40, 40), (1_500, 1_500), (1_501, 0), (9_000, 0)])
def test_a_tick_has_the_time_it_was_due_unless_it_is_late_by_more_than_a_tenth(late_ms: int, moved_back_ms: int) -> None:
    """Twelve intervals are twelve intervals, whatever the scheduler's jitter."""
    moment = Moment(at_ms=1_000_000 + late_ms, elapsed_ms=45_000 + late_ms)
    placed = on_grid(moment, 0, 15_000)
    assert (placed.at_ms, placed.elapsed_ms) == (moment.at_ms - moved_back_ms, moment.elapsed_ms - moved_back_ms)


@pytest.mark.parametrize(("interval_s", "deadline_s"), [("0.2", 5), ("5", 5), ("15", 15)])
def test_a_tick_waits_for_the_venues_for_its_interval_and_at_least_five_seconds(interval_s: str, deadline_s: float) -> None:
    """What has not answered by then is missing."""
    settings = read_settings({"INTERVAL_S": interval_s, "LEAD_LAG_MAX_HOLD_SECS": "180"})
    assert tick_deadline_s(settings) == deadline_s
