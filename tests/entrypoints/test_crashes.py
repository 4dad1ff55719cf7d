"""kill -9, again and again: nothing that was acknowledged is lost, nothing is doubled, and the books balance."""

import csv
import random
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from adapters.simulated_venues import Scenario, SimulatedVenues, market_map
from tests.entrypoints.processes import daemon, environment, published_tick, spelar, until, write_map

KILLS = 12
SPEED = 100


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_daemon_that_is_killed_at_random_moments_keeps_its_books(tmp_path: Path) -> None:
    """The venues play a hundred times faster than the wall clock, so that every life of the daemon trades."""
    start_ms = time.time_ns() // 1_000_000
    script = Scenario(7, start_ms)
    dice = random.Random(7)
    with SimulatedVenues(script, lambda: start_ms + (time.time_ns() // 1_000_000 - start_ms) * SPEED) as venues:
        env = environment(
            tmp_path,
            venues.environment(),
            MARKET_MAP_PATH=write_map(tmp_path / "map.json", market_map(script)),
            INTERVAL_S="0.15",
            LEAD_LAG_MAX_HOLD_SECS="3",
        )
        acknowledged = 0
        for _ in range(KILLS):
            with daemon(env) as process:
                until(partial(_moved_on, tmp_path, acknowledged))
                time.sleep(dice.uniform(0.3, 2.5))
                process.kill()
                process.wait()
            seen = published_tick(tmp_path / "out")
            assert seen > acknowledged
            acknowledged = seen
            assert _stored_sequence(tmp_path) >= acknowledged
        done = spelar(["run"], {**env, "RUN_TICKS": "1"})
    assert done.returncode == 0, done.stderr
    _assert_balanced(tmp_path)


def _moved_on(tmp_path: Path, acknowledged: int) -> bool:
    return published_tick(tmp_path / "out") > acknowledged


def _stored_sequence(tmp_path: Path) -> int:
    with closing(sqlite3.connect(f"file:{tmp_path / 'state/ledger.sqlite3'}?mode=ro", uri=True)) as ledger:
        return int(ledger.execute("SELECT sequence FROM state").fetchone()[0])


def _assert_balanced(tmp_path: Path) -> None:
    """Every trade once, and a chain of cash without a break from the opening balance to the portfolio's."""
    with (tmp_path / "out/pm_paper_trades.csv").open(newline="") as file:
        trades = list(csv.DictReader(file))
    assert len(trades) >= KILLS
    assert len({row["trade_id"] for row in trades}) == len(trades)
    cash = Decimal(1000)
    for row in trades:
        cash += (-1 if row["action"] == "BUY" else 1) * Decimal(row["notional"]) - Decimal(row["fee"])
        assert Decimal(row["cash_after"]) == cash
