"""`spelar sweep`: the same table however it was made, what it refuses, and what the portal is given."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.tape.trials import SweepRefused, Trials
from adapters.tape.writing import write_tape
from entrypoints.cli import main
from entrypoints.replay import Asked as ReplayAsked
from entrypoints.replay import replay
from entrypoints.settings import SettingsInvalid
from entrypoints.sweep import Asked, sweep
from tests.adapters.random_tape import RandomTape, random_environment

pytestmark = pytest.mark.slow

SEED = 11
GRIDS = (
    "LEAD_LAG_LOOKBACK_POINTS=2,3,6",
    "LEAD_LAG_EDGE_MIN_PCT=0.1,0.3,1",
    "LEAD_LAG_EDGE_EXIT_PCT=-2,0.1",
)
POSSIBLE = 15
"""An edge of 0.1 cannot both enter and leave: three of the eighteen are left out."""


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tape of 600 ticks."""
    path = tmp_path_factory.mktemp("tapes") / "random"
    write_tape(path, RandomTape(SEED, "lead_lag", 600, calm=0.98).snapshots())
    return path


@pytest.fixture(scope="module")
def asked(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A sweep of a grid, in this process."""
    environment = random_environment(SEED, "lead_lag")
    return Asked(tape=tape, environment=environment, out_dir=tmp_path_factory.mktemp("out"), grids=GRIDS, jobs=1, folds=3)


@pytest.fixture(scope="module")
def table(asked: Asked) -> list[dict[str, object]]:
    """What it comes to."""
    sweep(asked)
    return _table(asked)


def _table(asked: Asked) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(asked.directory / "trials.parquet").to_pylist()
    return rows


def _sweep_file(asked: Asked) -> bytes:
    return (asked.directory / "sweep.json").read_bytes()


def test_the_table_has_a_row_for_each_setting_that_can_be(table: list[dict[str, object]]) -> None:
    """In the order of the grid, with the values as they are in force."""
    keys = [tuple(row.values())[:3] for row in table]
    assert len(keys) == len(set(keys)) == POSSIBLE
    assert keys[:3] == [("2", "0.1", "-2"), ("2", "0.3", "-2"), ("2", "0.3", "0.1")]


def test_a_row_is_what_a_replay_of_its_setting_reports(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """Result, fees, drawdown, hit rate, markout and time in market of one in the middle."""
    row = table[7]
    changes = [f"{name}={value}" for name, value in list(row.items())[:3]]
    report = replay(
        ReplayAsked(tape=asked.tape, out_dir=tmp_path / "out", environment=asked.environment, changes=changes, every_tick=True)
    )
    names = ("pnl_usd", "fees_usd", "max_drawdown_usd", "hit_rate", "round_trips", "time_in_market_s")
    assert {name: row[name] for name in names} == {name: report[name] for name in names}
    markout = report["markout"]
    assert isinstance(markout, dict)
    assert row["markout_30s"] == markout["30s"]["price"]
    assert row["trades"]


def test_two_processes_make_the_same_table(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """And the same `sweep.json`, byte for byte."""
    both = replace(asked, out_dir=tmp_path, jobs=2)
    sweep(both)
    assert _table(both) == table
    assert _sweep_file(both) == _sweep_file(asked)


def test_a_sweep_goes_on_where_it_was(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """From any number of whole lines, and half of one that a killed process left."""
    again = replace(asked, out_dir=tmp_path)
    again.directory.mkdir(parents=True)
    for name in ("plan.json", "trials.jsonl"):
        (again.directory / name).write_bytes((asked.directory / name).read_bytes())
    path = again.directory / "trials.jsonl"
    kept = b"\n".join(path.read_bytes().split(b"\n")[:6])[:-40]
    path.write_bytes(kept)
    sweep(again)
    assert path.read_bytes().startswith(kept[: kept.rindex(b"\n")])
    assert _table(again) == table


def _interrupted(asked: Asked, number: signal.Signals) -> tuple[int, str]:
    """A real sweep by two workers that is sent this signal, as a terminal sends it, after its first trial: exit code, text."""
    command = [sys.executable, "-m", "entrypoints.cli", "sweep", str(asked.tape), "--out", str(asked.out_dir), "--jobs", "2"]
    command += [part for grid in GRIDS for part in ("--grid", grid)]
    lines = asked.directory / "trials.jsonl"
    environment = {**os.environ, **asked.environment}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while process.poll() is None and not (lines.exists() and lines.stat().st_size):
            time.sleep(0.005)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, text = process.communicate(timeout=60)
    return process.returncode, text


def test_killed_in_the_middle_it_goes_on(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """A real process, kill -9 after its first trial; its workers end with it, and hold nothing that was its own."""
    killed = replace(asked, out_dir=tmp_path)
    assert _interrupted(killed, signal.SIGKILL)[0] == -signal.SIGKILL
    assert 0 < (killed.directory / "trials.jsonl").read_bytes().count(b"\n") <= POSSIBLE
    sweep(killed)
    assert _table(killed) == table


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """One line, exit 130, and the trials that were done are kept."""
    stopped = replace(asked, out_dir=tmp_path)
    code, text = _interrupted(stopped, signal.SIGINT)
    assert (code, text.count("\n")) == (130, 1)
    assert "the same command goes on" in text
    sweep(stopped)
    assert _table(stopped) == table


def test_another_sweep_in_the_same_place_is_refused(asked: Asked, table: list[dict[str, object]], tape: Path) -> None:
    """A changed tape, a changed setting, other variables: each is named, and nothing is touched."""
    before = (asked.directory / "trials.jsonl").read_bytes()
    with pytest.raises(SweepRefused, match=r"PM_ORDER_SIZE_SHARES was '10' and is '7'.*--name"):
        sweep(replace(asked, changes=("PM_ORDER_SIZE_SHARES=7",)))
    with pytest.raises(SweepRefused, match="it swept"):
        sweep(replace(asked, grids=GRIDS[:2]))
    with pytest.raises(SweepRefused, match="the stretch was all of it"):
        sweep(replace(asked, since="2026-03-02T13:00"))
    other = tape.with_name("other") / tape.name
    write_tape(other, RandomTape(SEED + 1, "lead_lag", 100).snapshots())
    with pytest.raises(SweepRefused, match="the tape has changed"):
        sweep(replace(asked, tape=other))
    assert (asked.directory / "trials.jsonl").read_bytes() == before


def test_a_grid_can_grow(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """What was tried counts as tried: the number of trials is the number of all."""
    small = replace(asked, out_dir=tmp_path, grids=(*GRIDS[:2], "LEAD_LAG_EDGE_EXIT_PCT=-2"))
    assert sweep(small)["trials"] == 9
    assert sweep(replace(asked, out_dir=tmp_path))["trials"] == POSSIBLE
    assert sweep(small)["trials"] == POSSIBLE


def test_the_portal_is_given_the_best_the_heat_and_the_folds(asked: Asked, table: list[dict[str, object]]) -> None:
    """And the index names the run."""
    document = json.loads(_sweep_file(asked))
    assert document["best"][0]["score"] == max(row["score"] for row in document["best"])
    assert len(document["heat"]["mean"]) == len(document["heat"]["ys"])
    assert {document["heat"]["x"], document["heat"]["y"]} < set(document["names"])
    assert document["luck"]["trials"] == POSSIBLE
    folds = document["folds"]
    assert len(folds) == 3
    assert all(one["to"] <= other["from"] for one, other in itertools.pairwise(folds))
    assert document["walk_forward"]["pnl_usd"] == pytest.approx(sum(fold["pnl_usd"] for fold in folds))
    (run,) = json.loads((asked.directory.parent / "index.json").read_bytes())["runs"]
    assert (run["id"], run["kind"], run["trials"]) == (asked.directory.name, "sweep", POSSIBLE)


def test_a_search_asks_the_same_however_it_is_done(asked: Asked, tmp_path: Path) -> None:
    """By one process or two, and again from what is kept; only the last fold tests it."""
    spans = ("LEAD_LAG_EDGE_MIN_PCT=0.1:1", "LEAD_LAG_LOOKBACK_POINTS=2:8")
    one = replace(asked, out_dir=tmp_path / "one", grids=("LEAD_LAG_EDGE_EXIT_PCT=-2,0",), spans=spans, search="tpe", count=12)
    two = replace(one, out_dir=tmp_path / "two", jobs=2)
    assert len(sweep(one)["folds"]) == 1  # type: ignore[arg-type]
    sweep(two)
    assert _sweep_file(one) == _sweep_file(two)
    tried = (one.directory / "trials.jsonl").read_bytes()
    sweep(one)
    assert (one.directory / "trials.jsonl").read_bytes() == tried
    assert 1 < len(_table(one)) <= 12


REFUSED = (
    ({"grids": ()}, "nothing varies"),
    ({"grids": ("LEAD_LAG_LOKBACK=1",)}, "NAME is one of"),
    ({"grids": ("PM_FEES=venue", "PM_FEES=none")}, "given twice"),
    ({"grids": ("LEAD_LAG_EDGE_MIN_PCT=many",)}, "no combination can be"),
    ({"grids": (), "spans": ("LEAD_LAG_EDGE_MIN_PCT=2:1",)}, "low below high"),
    ({"grids": (), "spans": ("LEAD_LAG_EDGE_MIN_PCT=1:2",)}, "needs a step"),
    ({"search": "grid"}, "tpe"),
    ({"changes": ("LEAD_LAG_EDGE_MIN_PCT=1",)}, "is swept"),
)


@pytest.mark.parametrize(("wrong", "text"), REFUSED)
def test_what_cannot_be_swept_is_refused(asked: Asked, tmp_path: Path, wrong: dict[str, tuple[str, ...]], text: str) -> None:
    """With a text that says what to write."""
    with pytest.raises(SweepRefused, match=text):
        sweep(replace(asked, out_dir=tmp_path, **wrong))  # type: ignore[arg-type]


def test_a_wrong_setting_is_named(asked: Asked, tmp_path: Path) -> None:
    """As everywhere."""
    with pytest.raises(SettingsInvalid, match="PM_ODER_SIZE"):
        sweep(replace(asked, out_dir=tmp_path, changes=("PM_ODER_SIZE_SHARES=7",)))


def test_a_damaged_line_is_named(asked: Asked, table: list[dict[str, object]], tmp_path: Path) -> None:
    """With the file and what to do."""
    (tmp_path / "trials.jsonl").write_bytes(
        (asked.directory / "trials.jsonl").read_bytes().replace(b'"trades":', b'"tardes":', 1)
    )
    (tmp_path / "plan.json").write_bytes((asked.directory / "plan.json").read_bytes())
    with pytest.raises(SweepRefused, match="line 1 is damaged"):
        sweep(replace(asked, out_dir=_linked(asked, tmp_path)))
    assert Trials(tmp_path).done == {}


def _linked(asked: Asked, directory: Path) -> Path:
    """An OUT whose sweep of this name is that directory."""
    out = directory / "out"
    (out / "replay").mkdir(parents=True)
    (out / "replay" / asked.directory.name).symlink_to(directory)
    return out


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit 78."""
    with pytest.raises(SystemExit) as ended:
        main(["sweep", str(tmp_path / "nothing"), "--grid", "LEAD_LAG_EDGE_MIN_PCT=1", "--out", str(tmp_path / "out")])
    assert ended.value.code == 78
    assert "no sweep" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
