"""A position held through resolution is paid once, whatever the venue says it is worth and whenever the process dies."""

import csv
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.simulated_venues import BookSpec, SimMarket, SimulatedVenues, Steady
from adapters.simulated_venues.market import VOID
from tests.entrypoints.processes import ROOT, environment, spelar, until, write_map

MARKET = SimMarket(slug="will-it", question="Will it?", fee_rate=Decimal(0))
NOW_MS = 1_790_000_000_000
BOOK = BookSpec(bids=(("0.40", "500"),), asks=(("0.41", "500"),))
MAP = {
    "version": 1,
    "markets": [{"name": "it", "polymarket": {"market_slug": MARKET.slug}, "fair_model": {"mode": "constant", "p": 0.9}}],
}


class World:
    """One market with a book until somebody says how it ended."""

    def __init__(self) -> None:
        """Still open."""
        self.winner: str | None = None

    def script(self) -> Steady:
        """The venues of this world."""
        return Steady(
            markets=(MARKET,),
            books=lambda token, ms: BOOK if token == MARKET.token_ids[0] else None,
            winners=lambda slug, ms: self.winner,
        )


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("winner", "pays"), [(VOID, "0.5"), ("Yes", "1"), ("No", "0")])
def test_a_payout_comes_exactly_once_when_the_process_dies_in_its_tick(
    tmp_path: Path, winner: str, pays: str, when: str
) -> None:
    """kill -9 before the commit: the tick never happened. After it: it is never repeated."""
    world = World()
    with SimulatedVenues(world.script(), lambda: NOW_MS) as venues:
        places = {"STRATEGY_MODE": "fair_model", "MARKET_MAP_PATH": write_map(tmp_path / "map.json", MAP)}
        env = environment(tmp_path, venues.environment(), **places)
        command = [sys.executable, "-m", "tests.entrypoints.dying_agent", when]
        with subprocess.Popen(command, env=env, cwd=ROOT) as process:
            until(lambda: _trades(tmp_path) == 1)
            world.winner = winner
            assert process.wait(timeout=30) == -9
        assert _trades(tmp_path) == {"before": 1, "after": 2}[when]
        for _ in range(2):
            done = spelar(["run"], {**env, "RUN_TICKS": "3"})
            assert done.returncode == 0, done.stderr
    bought, paid = _published(tmp_path)
    assert (bought["action"], bought["shares"], bought["notional"]) == ("BUY", "10", "4.1")
    assert (paid["action"], paid["price"], paid["shares"], paid["fee"]) == ("SETTLE", pays, "10", "0")
    assert Decimal(paid["cash_after"]) == Decimal(1000) - Decimal("4.1") + 10 * Decimal(pays)


def _trades(tmp_path: Path) -> int:
    """How many trades the ledger holds."""
    try:
        with closing(sqlite3.connect(f"file:{tmp_path / 'state/ledger.sqlite3'}?mode=ro", uri=True)) as ledger:
            return int(ledger.execute("SELECT count(*) FROM trades").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _published(tmp_path: Path) -> list[dict[str, str]]:
    with (tmp_path / "out/pm_paper_trades.csv").open(newline="") as file:
        return list(csv.DictReader(file))
