"""`spelar demo`, as a user runs it."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.portal.schema import FILES
from tests.entrypoints.processes import ROOT, environment, spelar

RECORDING = ROOT.parent / "shared/recordings/frames_btc5m_2026-03-02.jsonl.gz"


def _demo(tmp_path: Path, *arguments: str, **settings: str) -> str:
    places = ["--out", str(tmp_path / "out"), "--state", str(tmp_path / "demo"), "--port", "0"]
    env = environment(tmp_path, {}, **settings)
    done = spelar(["demo", *places, *arguments], {k: v for k, v in env.items() if k != "INTERVAL_S"}, timeout_s=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _rows(tmp_path: Path, name: str) -> list[dict[str, str]]:
    with (tmp_path / "out" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_sixty_ticks_make_a_round_trip_whose_numbers_add_up(tmp_path: Path) -> None:
    """A BUY, then a SELL; cash, positions and equity agree to the last decimal; every file is there."""
    said = _demo(tmp_path, "--ticks", "60", "--speed", "180")
    trades = [row for row in _rows(tmp_path, "pm_paper_trades.csv") if row["status"] == "filled"]
    assert {"BUY", "SELL"} <= {row["action"] for row in trades}
    first_buy = next(index for index, row in enumerate(trades) if row["action"] == "BUY")
    assert "SELL" in [row["action"] for row in trades[first_buy + 1 :] if row["token"] == trades[first_buy]["token"]]
    cash = Decimal(1000)
    for row in trades:
        sign = -1 if row["action"] == "BUY" else 1
        cash += sign * Decimal(row["notional"]) - Decimal(row["fee"])
        assert Decimal(row["cash_after"]) == cash
    portfolio = json.loads((tmp_path / "out/pm_paper_portfolio.json").read_text(), parse_float=Decimal, parse_int=Decimal)
    value = sum((Decimal(row["value"]) for row in _rows(tmp_path, "pm_paper_positions.csv")), Decimal(0))
    assert portfolio["cash_usd"] == cash
    assert portfolio["equity_usd"] == cash + value
    assert Decimal(_rows(tmp_path, "pm_paper_equity.csv")[-1]["equity_usd"]) == portfolio["equity_usd"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(file.name for file in FILES)
    assert "Paper result" in said


@pytest.mark.slow
@pytest.mark.skipif(not RECORDING.exists(), reason="no ../shared/recordings: a user's clone has none")
def test_a_recording_of_real_markets_is_traded_and_settled(tmp_path: Path) -> None:
    """Positions that were left open are paid when the winner appears, never before."""
    said = _demo(tmp_path, "--recording", str(RECORDING), "--speed", "50")
    trades = _rows(tmp_path, "pm_paper_trades.csv")
    assert len({row["market"].split()[0] for row in trades}) >= 3
    assert {row["price"] for row in trades if row["action"] == "SETTLE"} <= {"0", "1"}
    assert "SETTLE" in {row["action"] for row in trades}
    assert "Paper result" in said


@pytest.mark.slow
def test_the_demo_starts_afresh_each_time(tmp_path: Path) -> None:
    """Its own ledger, and only that, is emptied."""
    _demo(tmp_path, "--ticks", "3", "--speed", "200")
    _demo(tmp_path, "--ticks", "2", "--speed", "200")
    assert json.loads((tmp_path / "out/manifest.json").read_text())["tick"] == 2


@pytest.mark.slow
def test_the_demo_refuses_a_place_that_another_ledger_publishes_to(tmp_path: Path) -> None:
    """A demo must not overwrite the files of a real run."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text('{"ledger_id": "somebody-else", "sequence": 5}')
    env = environment(tmp_path, {})
    refused = spelar(["demo", "--ticks", "1", "--out", str(out), "--state", str(tmp_path / "demo"), "--port", "0"], env)
    assert refused.returncode == 78
    assert "another ledger" in refused.stderr


@pytest.mark.slow
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    """With its name."""
    path = tmp_path / "x.jsonl"
    path.write_text("hello\n")
    env = environment(tmp_path, {})
    refused = spelar(["demo", "--recording", str(path), "--out", str(tmp_path / "o"), "--state", str(tmp_path / "s")], env)
    assert refused.returncode == 78
    assert "x.jsonl" in refused.stderr


@pytest.mark.slow
def test_a_demo_of_broken_venues_goes_on_and_says_what_they_did(tmp_path: Path) -> None:
    """The daemon ends by itself with all of its files, and the summary counts each kind."""
    said = _demo(tmp_path, "--ticks", "25", "--speed", "60", "--faults", "0.3", "--kinds", "s500,crossed,k_error,html200,reset")
    assert "Faults that the venues made:" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(file.name for file in FILES)
    assert json.loads((tmp_path / "out/live_status.json").read_text())["last_error"] in (None, "")


@pytest.mark.slow
def test_a_demo_refuses_a_fault_that_is_none(tmp_path: Path) -> None:
    """Before anything is removed or started."""
    env = environment(tmp_path, {})
    done = spelar(["demo", "--kinds", "hang,frobnicate", "--state", str(tmp_path / "demo")], env)
    assert done.returncode == 78
    assert "no kind of fault: frobnicate" in done.stderr
    assert not (tmp_path / "demo").exists()
