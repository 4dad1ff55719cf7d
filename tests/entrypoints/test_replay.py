"""`spelar replay`: a tape on disk becomes the portal's files, a report that adds up, and all trades."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from shutil import rmtree

import pyarrow.parquet as pq
import pytest

from adapters.portal import FILES
from adapters.tape.writing import write_tape
from domain.market import Quote, Snapshot, TokenId
from entrypoints.cli import main
from entrypoints.replay import Asked, ReplayRefused, replay, settings_of, usual_place
from entrypoints.settings import SettingsInvalid
from tests.adapters.random_tape import RandomTape, random_environment

SEED, MODE = 11, "pm_trend"


@pytest.fixture(scope="module")
def ticks() -> list[Snapshot]:
    """What the tape holds."""
    return RandomTape(SEED, MODE, 400, calm=0.97).snapshots()


@pytest.fixture(scope="module")
def tape(ticks: list[Snapshot], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tape."""
    path = tmp_path_factory.mktemp("tapes") / "random"
    write_tape(path, ticks)
    return path


def _asked(tape: Path, out: Path, *changes: str, every_tick: bool = False) -> Asked:
    return Asked(tape=tape, out_dir=out, environment=random_environment(SEED, MODE), changes=changes, every_tick=every_tick)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_replay_writes_every_file_of_the_portal_its_report_and_all_trades(tape: Path, tmp_path: Path) -> None:
    """And the Parquet file holds the same rows as the CSV file."""
    replay(_asked(tape, tmp_path / "out"))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {file.name for file in FILES} | {"report.json", "trades.parquet"}
    rows, table = _rows(tmp_path / "out/pm_paper_trades.csv"), pq.read_table(tmp_path / "out/trades.parquet").to_pylist()
    assert len(rows) == len(table) > 10
    assert [row["trade_id"] for row in rows] == [row["trade_id"] for row in table]
    assert [Decimal(row["notional"]) for row in rows] == [row["notional"] for row in table]


def test_the_reports_numbers_follow_from_the_trades(tape: Path, tmp_path: Path) -> None:
    """Cash, result, fees and round trips, added up once more from the trade log."""
    replay(_asked(tape, tmp_path / "out"))
    report = json.loads((tmp_path / "out/report.json").read_bytes(), parse_float=Decimal)
    rows = [row for row in _rows(tmp_path / "out/pm_paper_trades.csv") if row["status"] == "filled"]
    assert report["fees_usd"] == sum(Decimal(row["fee"]) for row in rows)
    assert report["realized_pnl_usd"] == sum(Decimal(row["realized_pnl"]) for row in rows)
    assert sum(report["trades"].values()) == len(rows)
    bought = sum(Decimal(row["notional"]) for row in rows if row["action"] == "BUY")
    earned = sum(Decimal(row["notional"]) for row in rows if row["action"] != "BUY")
    cash = report["start_balance_usd"] - bought + earned - report["fees_usd"]
    last = _rows(tmp_path / "out/pm_paper_equity.csv")[-1]
    assert Decimal(last["cash_usd"]) == cash
    assert Decimal(last["equity_usd"]) == report["equity_usd"]
    assert 0 <= report["hit_rate"] <= 1
    assert report["round_trips"] > 5


def test_markouts_are_what_the_ticks_say(ticks: list[Snapshot], tape: Path, tmp_path: Path) -> None:
    """From the snapshots themselves, one trade after the other."""
    replay(_asked(tape, tmp_path / "out", "PAPER_LATENCY_MS=0"))
    report = json.loads((tmp_path / "out/report.json").read_bytes())
    rows = [row for row in _rows(tmp_path / "out/pm_paper_trades.csv") if row["status"] == "filled"]
    moves, weights = [], []
    for row in rows:
        if row["action"] == "SETTLE":
            continue
        tick = int(row["trade_id"].partition("-")[0]) - 1
        after = [each for each in ticks if each.moment.elapsed_ms >= ticks[tick].moment.elapsed_ms + 30_000]
        book = after[0].books.get(TokenId(row["token"])) if after else None
        quote = Quote.of(book) if book else None
        if quote:
            sign = 1 if row["action"] == "BUY" else -1
            moves.append(sign * (quote.mid - float(row["price"])))
            weights.append(float(row["shares"]))
    assert len(moves) > 10
    assert report["markout"]["30s"]["trades"] == len(moves)
    expected = sum(move * weight for move, weight in zip(moves, weights, strict=True)) / sum(weights)
    assert report["markout"]["30s"]["price"] == pytest.approx(expected, abs=1e-7)


def test_screened_and_unscreened_replays_write_the_same_rows(tape: Path, tmp_path: Path) -> None:
    """Trades, equity and the report, byte for byte."""
    replay(_asked(tape, tmp_path / "screened"))
    replay(_asked(tape, tmp_path / "whole", every_tick=True))
    for name in ("pm_paper_trades.csv", "pm_paper_equity.csv", "pm_orders.csv", "report.json"):
        assert (tmp_path / "screened" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_setting_can_be_changed_and_fees_left_out(tape: Path, tmp_path: Path) -> None:
    """On top of the environment."""
    assert replay(_asked(tape, tmp_path / "out", "PM_FEES=none"))["fees_usd"] == 0
    assert settings_of({}, ["PM_ORDER_SIZE_SHARES=7"]).order_size_shares == 7
    with pytest.raises(SettingsInvalid, match="PM_ODER_SIZE"):
        settings_of({}, ["PM_ODER_SIZE_SHARES=7"])


def test_another_ledgers_files_are_not_written_over(tape: Path, tmp_path: Path) -> None:
    """A replay into the daemon's directory would show what never happened."""
    (tmp_path / "manifest.json").write_text('{"ledger_id": "mine", "sequence": 3}')
    with pytest.raises(ReplayRefused, match="mine"):
        replay(_asked(tape, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit 78."""
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")])
    assert ended.value.code == 78
    assert "no replay" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_portal_lists_the_replays_that_lie_beside_each_other(tape: Path, tmp_path: Path) -> None:
    """Newest first; made again, a run is listed once; one that is gone is listed no more, nor is a broken one."""
    place = tmp_path / "data/replay"
    for name in ("one", "gone", "one"):
        replay(_asked(tape, place / name))
    rmtree(place / "gone")
    (place / "broken").mkdir()
    (place / "broken/run.json").write_text("?")
    report = replay(_asked(tape, place / "three"))
    runs = json.loads((place / "index.json").read_bytes(), parse_float=Decimal)["runs"]
    assert [run["id"] for run in runs] == ["three", "one"]
    assert [run["at"] for run in runs] == sorted((run["at"] for run in runs), reverse=True)
    keys = ["id", "kind", "at", "tape", "strategy_mode", "pnl_usd", "fees_usd", "max_drawdown_usd", "trades"]
    assert list(runs[0]) == keys
    assert runs[0]["pnl_usd"] == report["pnl_usd"]
    filled = [row for row in pq.read_table(place / "three/trades.parquet").to_pylist() if row["status"] == "filled"]
    assert (runs[0]["kind"], runs[0]["tape"], runs[0]["trades"]) == ("replay", "random", len(filled))
    assert not list(place.glob(".*"))


def test_a_replay_goes_where_the_portal_looks_and_never_over_a_tape(tape: Path, tmp_path: Path) -> None:
    """OUT_DIR/replay/TAPE by itself."""
    assert usual_place({"OUT_DIR": str(tmp_path / "data")}, tape) == tmp_path / "data/replay/random"
    with pytest.raises(ReplayRefused, match="is a tape"):
        replay(_asked(tape, tape))
