"""Venues that lie and break, in short: what `python -m tests.torture.lies --full` does at length."""

import json
import signal
import time
from pathlib import Path

import pytest

from adapters.simulated_venues import BookSpec, Faults, SimMarket, SimulatedVenues, Steady, market_map
from tests.entrypoints.processes import daemon, environment, published_tick, until, write_map
from tests.torture.lies import broken_answers, flat_market, long_day

OUTAGE_S = 5.0


@pytest.mark.slow
def test_a_flat_market_is_not_traded_whatever_two_of_five_answers_say() -> None:
    """Nothing moves but the lies."""
    figures = flat_market(500)
    assert figures.findings == []
    assert int(str(figures.measured["kinds"])) > 40


@pytest.mark.slow
def test_a_market_whose_answers_break_is_traded_within_its_true_books() -> None:
    """No tick raises, and every fill lies in a book that the venues really offered. So short a run says little of shares."""
    figures = broken_answers(150)
    assert [finding for finding in figures.findings if "of the clean run" not in finding] == []
    assert int(str(figures.measured["fills_broken"])) > 5


@pytest.mark.slow
def test_hours_of_broken_answers_leave_no_handle_open_and_no_number_that_is_none() -> None:
    """Real ledger, real files. Memory is measured over a day, not here: so early it has not settled."""
    figures = long_day(120, settled_tick=40)
    assert [finding for finding in figures.findings if "memory" not in finding] == []


def _venues() -> tuple[Steady, SimMarket]:
    market = SimMarket(slug="btc-up-today")
    book = BookSpec(bids=(("0.50", "500"),), asks=(("0.51", "500"),))
    return Steady(spot=lambda pair, ms: 60_000.0, books=lambda token, ms: book, markets=(market,)), market


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tick_reasons(out: Path) -> dict[str, set[str]]:
    """The reasons of each tick, by its time, in order."""
    rows = (out / "pm_paper_candidates.csv").read_text(encoding="utf-8").splitlines()
    header = rows[0].split(",")
    found: dict[str, set[str]] = {}
    for row in rows[1:]:
        cells = dict(zip(header, row.split(","), strict=False))
        found.setdefault(cells["ts"], set()).add(cells["reason"])
    return found


@pytest.mark.slow
def test_after_an_outage_of_five_seconds_ticks_are_normal_again_within_two(tmp_path: Path) -> None:
    """Connections are refused for five seconds; of the ticks after the wait that then runs two may still show it."""
    script, _ = _venues()
    with SimulatedVenues(script, _now_ms) as venues:
        path = write_map(tmp_path / "map.json", market_map(script))
        settings = {"MARKET_MAP_PATH": path, "INTERVAL_S": "1", "LEAD_LAG_LOOKBACK_POINTS": "2"}
        with daemon(environment(tmp_path, venues.environment(), **settings)) as process:
            until(lambda: published_tick(tmp_path / "out") >= 3)
            venues.stop()
            time.sleep(OUTAGE_S)
            assert any("no_orderbook" in reasons for reasons in _tick_reasons(tmp_path / "out").values())
            venues.start()
            back = published_tick(tmp_path / "out")
            # 0.5, 1, 2 and 4 s: the last wait may have begun just before the venues came back.
            until(lambda: published_tick(tmp_path / "out") >= back + 7)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    reasons = list(_tick_reasons(tmp_path / "out").values())
    assert reasons[-1] == {"spot_move_too_small"}
    assert published_tick(tmp_path / "out") == len(reasons)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hang", "drip_header", "slow_body"])
def test_sigterm_ends_with_zero_within_ten_seconds_whatever_the_venues_keep_open(tmp_path: Path, kind: str) -> None:
    """The tick in the air is abandoned, and nothing waits for the connections."""
    script, _ = _venues()
    faults = Faults(script, rate=0.0, kinds=[kind])
    with SimulatedVenues(faults, _now_ms) as venues:
        path = write_map(tmp_path / "map.json", market_map(script))
        settings = {"MARKET_MAP_PATH": path, "HTTP_TIMEOUT_S": "30", "INTERVAL_S": "1"}
        with daemon(environment(tmp_path, venues.environment(), **settings)) as process:
            until(lambda: published_tick(tmp_path / "out") >= 2)
            faults.rate = 1.0
            until(lambda: faults.produced[kind] >= 1)
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - asked < 10
    assert json.loads((tmp_path / "out/live_status.json").read_text())["tick"] >= 2
