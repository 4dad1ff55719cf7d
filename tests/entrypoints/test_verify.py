"""Recording and verifying as a user does it: real processes, some of them killed, and a recording that was tampered with."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.simulated_venues import Scenario, SimulatedVenues, market_map
from adapters.tape.segments import segments
from entrypoints.playback import play, snapshots
from entrypoints.verify import Verification, compared, replayed
from entrypoints.written import published
from tests.entrypoints.processes import ROOT, daemon, environment, published_tick, spelar, until, write_map

pytestmark = pytest.mark.slow

SPEED = 100
KILLS = 5


def demo(tmp_path: Path, ticks: int) -> list[str]:
    """The arguments of a recorded demo."""
    places = ["--out", str(tmp_path / "out"), "--state", str(tmp_path / "state"), "--port", "0"]
    return ["demo", "--ticks", str(ticks), "--speed", "180", "--record", *places]


def verified(tmp_path: Path, tape: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """What `spelar verify` says of the session, ledger included."""
    recording = tape or tmp_path / "state/recording"
    state = ["--state", str(tmp_path / "state")]
    return spelar(["verify", str(tmp_path / "out"), "--tape", str(recording), *state], environment(tmp_path, {}))


def looked_at(tmp_path: Path) -> Verification:
    """The same of the published files alone, without a process."""
    written = published(tmp_path / "out")
    return compared(written, replayed(tmp_path / "state/recording", written))


@pytest.fixture(scope="module")
def recorded_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty recorded ticks with trades; a replay lay there before, which is none of the demo's business."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "out/replay/other").mkdir(parents=True)
    done = spelar(demo(folder, 60), environment(folder, {}), timeout_s=110)
    assert done.returncode == 0, done.stderr
    assert (folder / "out/replay/other").is_dir()
    return folder


@contextmanager
def changed(path: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    """A file that is different for a while."""
    before = path.read_bytes()
    path.write_bytes(change(before))
    try:
        yield
    finally:
        path.write_bytes(before)


def test_a_recorded_demo_verifies_byte_for_byte(recorded_demo: Path) -> None:
    """The published trades and the ledger's."""
    done = verified(recorded_demo)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("verified: ") == 2
    assert "verified: 0 trades" not in done.stdout
    assert "60 ticks in 1 session" in done.stdout


def test_every_snapshot_is_the_one_that_the_session_knew(recorded_demo: Path) -> None:
    """One for each tick, on its grid, with books that were asked for in it."""
    seen = list(snapshots(recorded_demo / "state/recording"))
    assert len(seen) == 60
    assert all(before.moment.elapsed_ms < after.moment.elapsed_ms for before, after in pairwise(seen))
    for snapshot in seen:
        assert all(
            snapshot.moment.elapsed_ms <= book.requested.elapsed_ms <= snapshot.ready.elapsed_ms
            for book in snapshot.books.values()
        )
    assert sum(len(snapshot.books) for snapshot in seen) > 60
    assert sum(len(snapshot.references) for snapshot in seen) > 60


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_one_changed_byte_of_the_recording_is_found_and_named(recorded_demo: Path, part: float) -> None:
    """The segment, and the line in it."""
    segment = segments(recorded_demo / "state/recording")[0]

    def flip(raw: bytes) -> bytes:
        at = int(len(raw) * part)
        return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]

    with changed(segment, flip):
        found = looked_at(recorded_demo)
    assert f"{segment.name}, line " in found.difference


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a price", lambda raw: raw.replace(b",BUY,0.", b",BUY,0.0", 1)),
        ("a row", lambda raw: b"".join([*raw.splitlines(keepends=True)[:3], *raw.splitlines(keepends=True)[4:]])),
        ("a row twice", lambda raw: raw + raw.splitlines(keepends=True)[-1]),
        ("the newest row", lambda raw: b"".join(raw.splitlines(keepends=True)[:-1])),
        ("the header", lambda raw: raw.replace(b"ts,", b"at,", 1)),
    ],
)
def test_a_trade_log_that_was_changed_differs_by_name(recorded_demo: Path, what: str, change: Callable[[bytes], bytes]) -> None:
    """A changed number, a trade that is gone, one too many, another header."""
    with changed(recorded_demo / "out/pm_paper_trades.csv", change):
        found = looked_at(recorded_demo)
    assert "pm_paper_trades.csv" in found.difference, what
    assert what == "the header" or "the recording gives " in found.difference


def test_a_decision_that_differs_is_named_with_tick_token_and_reason(recorded_demo: Path) -> None:
    """What was decided, what the recording gives, and why; the ledger knows better, and the command fails."""
    first = next(played for played in play(recorded_demo / "state/recording") if played.report and played.report.trades)
    assert first.report is not None
    trade = first.report.trades[0]
    with changed(recorded_demo / "out/pm_paper_trades.csv", lambda raw: raw.replace(b",BUY,", b",SELL,", 1)):
        done = verified(recorded_demo)
    assert done.returncode == 1
    assert f"NOT VERIFIED: tick {first.report.state.sequence}, token {trade.market.token}: " in done.stdout
    assert "it decided enter enter" in done.stdout
    assert "ledger.sqlite3: verified" in done.stdout


def test_a_recording_that_ends_too_early_proves_nothing(recorded_demo: Path) -> None:
    """Without its last part the newest trades are nobody's."""
    segment = segments(recorded_demo / "state/recording")[-1]
    with changed(segment, lambda raw: raw[: len(raw) // 2]):
        found = looked_at(recorded_demo)
    assert "the recording ends with tick" in found.difference


def test_the_recording_of_another_ledger_proves_nothing(recorded_demo: Path) -> None:
    """And it is said to be one."""
    written = replace(published(recorded_demo / "out"), ledger_id="mine")
    found = compared(written, replayed(recorded_demo / "state/recording", written))
    assert "holds no tick of the ledger that pm_paper_trades.csv is of (mine)" in found.difference


def test_a_place_without_a_session_is_refused(tmp_path: Path) -> None:
    """Neither files nor a recording."""
    done = verified(tmp_path)
    assert done.returncode == 1
    assert "not verified" in done.stderr


@pytest.mark.slow
def test_a_demo_that_was_killed_in_its_middle_verifies(tmp_path: Path) -> None:
    """kill -9 after some trades: what was published is in the recording."""
    command = [sys.executable, "-m", "entrypoints.cli", *demo(tmp_path, 10_000)]
    env = environment(tmp_path, {})
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: published_tick(tmp_path / "out") >= 40, timeout_s=60)
        finally:
            process.kill()
    done = verified(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verified: 0 trades" not in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_daemon_that_is_killed_again_and_again_verifies_over_all_its_lives(tmp_path: Path) -> None:
    """Every life goes on from the state to which the recording of the lives before it leads."""
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
            RECORD="1",
        )
        acknowledged = 0
        for _ in range(KILLS):
            with daemon(env) as process:
                until(partial(_moved_on, tmp_path, acknowledged))
                time.sleep(dice.uniform(0.3, 2.5))
                process.kill()
                process.wait()
            acknowledged = published_tick(tmp_path / "out")
            done = verified(tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
        unrecorded = spelar(["run"], {**env, "RECORD": "0", "RUN_TICKS": "40"})
        last = spelar(["run"], {**env, "RUN_TICKS": "5"})
    assert (unrecorded.returncode, last.returncode) == (0, 0), unrecorded.stderr + last.stderr
    done = verified(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"in {KILLS + 1} sessions" in done.stdout


def _moved_on(tmp_path: Path, acknowledged: int) -> bool:
    return published_tick(tmp_path / "out") > acknowledged + 2


def test_watching_alone_records_ticks_without_a_ledger(tmp_path: Path) -> None:
    """`spelar record`, three ticks: the same snapshots, no trade, no published file."""
    start_ms = time.time_ns() // 1_000_000
    script = Scenario(7, start_ms)
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        env = environment(
            tmp_path,
            venues.environment(),
            MARKET_MAP_PATH=write_map(tmp_path / "map.json", market_map(script)),
            RUN_TICKS="3",
        )
        done = spelar(["record"], env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 ticks in ")
    assert [len(snapshot.markets) > 0 for snapshot in snapshots(tmp_path / "state/recording")] == [True] * 3
    assert all(played.report is None for played in play(tmp_path / "state/recording"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "state/ledger.sqlite3").exists()


@pytest.mark.skipif(os.name == "nt", reason="the full device is Linux's")
def test_a_place_that_cannot_be_written_ends_the_recording_and_not_the_ticks(tmp_path: Path) -> None:
    """One clear line in the log, an alarm on the page; `spelar record`, which has nothing else to do, ends with 74."""
    start_ms = time.time_ns() // 1_000_000
    script = Scenario(7, start_ms)
    (tmp_path / "file").write_text("no directory")
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        env = environment(
            tmp_path,
            venues.environment(),
            MARKET_MAP_PATH=write_map(tmp_path / "map.json", market_map(script)),
            RUN_TICKS="3",
            RECORD="1",
            RECORD_DIR=str(tmp_path / "file/recording"),
        )
        ran = spelar(["run"], env)
        watched = spelar(["record"], env)
    assert ran.returncode == 0, ran.stderr
    assert published_tick(tmp_path / "out") == 3
    assert ran.stderr.count("nothing is recorded any more") == 1
    assert "nothing is recorded any more" in (tmp_path / "out/sources_health.json").read_text()
    assert watched.returncode == 74
