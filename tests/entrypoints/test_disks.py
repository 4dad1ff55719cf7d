"""Disks that fail under a running daemon: full, broken, read-only, or another user's. Real file systems, real errors."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sqlite_ledger import SqliteLedger
from tests.adapters.small_disks import fill, small_disk
from tests.entrypoints.processes import ROOT, daemon, published_tick, spelar, until
from tests.entrypoints.test_daemon import trading
from tests.torture.strace import usable

NOBODY = 65534
RUN = [sys.executable, "-m", "entrypoints.cli", "run"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="these are errors of other systems")]
traced = pytest.mark.skipif(not usable(), reason="no strace, or it may not trace")


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A daemon's environment, with venues that let it trade."""
    with trading(tmp_path) as environment:
        yield environment


def committed(state_dir: Path) -> int:
    """The tick with which the ledger ends; opening it has proved it."""
    with closing(SqliteLedger.open_to_read(state_dir / "ledger.sqlite3")) as store:
        return store.sequence


def one_line(stderr: str) -> str:
    """The last line of stderr, which is for a person; there must be no traceback above it."""
    assert "Traceback" not in stderr, stderr
    return stderr.rstrip("\n").rpartition("\n")[2]


# --- full --------------------------------------------------------------------------------------------------------------


def test_a_full_disk_under_the_ledger_ends_with_74_and_all_goes_on_when_there_is_room(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """Nothing that was published is lost, and the line says what to do."""
    with small_disk(tmp_path / "disk", 2_000) as disk:
        env["STATE_DIR"] = str(disk / "state")
        with daemon(env) as process:
            until(lambda: published_tick(tmp_path / "out") >= 2)
            fill(disk / "ballast")
            _, stderr = process.communicate(timeout=60)
        assert process.returncode == 74
        assert re.search(r"ledger\.sqlite3 cannot be read or written: .*full\. Make room", one_line(stderr))
        shown = published_tick(tmp_path / "out")
        assert shown >= 2
        assert committed(disk / "state") in (shown, shown + 1)
        (disk / "ballast").unlink()
        before = committed(disk / "state")
        done = spelar(["run"], {**env, "RUN_TICKS": "2"})
        assert done.returncode == 0, done.stderr
        assert committed(disk / "state") == published_tick(tmp_path / "out") == before + 2


def test_a_full_disk_under_the_files_leaves_them_old_and_trading_on(tmp_path: Path, env: dict[str, str]) -> None:
    """The log says so; with room they are new again, and count what failed."""
    with small_disk(tmp_path / "disk", 400) as disk:
        out = disk / "out"
        with daemon({**env, "OUT_DIR": str(out)}) as process:
            until(lambda: published_tick(out) >= 2)
            fill(disk / "ballast")
            sizes = {path.name: path.stat().st_size for path in out.iterdir() if not path.name.startswith(".")}
            before = committed(tmp_path / "state")

            def five_ticks_without_room() -> bool:
                fill(disk / "ballast")
                return committed(tmp_path / "state") >= before + 5

            until(five_ticks_without_room)
            for path in out.glob("[!.]*"):
                assert path.stat().st_size >= min(sizes[path.name], 1), path.name
            json.loads((out / "live_status.json").read_text())
            (disk / "ballast").unlink()
            until(lambda: published_tick(out) >= before + 5)
            until(lambda: "write_failures" in (out / "live_status.json").read_text())
            assert json.loads((out / "live_status.json").read_text())["disk"]["write_failures"]
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=20)
        assert process.returncode == 0
        assert f"files in {out} stay old" in stderr
        assert list(out.glob(".*.tmp")) == []


# --- broken ------------------------------------------------------------------------------------------------------------


@traced
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [("pwrite64", "EIO", "disk I/O error"), ("fdatasync", "EIO", "disk I/O error"), ("pwrite64", "ENOSPC", "full")],
)
def test_a_disk_that_fails_once_ends_with_74(tmp_path: Path, env: dict[str, str], call: str, error: str, says: str) -> None:
    """At the log of the ledger, in the middle of a run. The next start reads what there is, whatever that is."""
    log = tmp_path / "state/ledger.sqlite3-wal"
    assert spelar(["run"], {**env, "RUN_TICKS": "1"}).returncode == 0
    inject = f"{call}:error={error}:when=9" if call == "pwrite64" else f"{call}:error={error}:when=2"
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-P", str(log), "-e", f"trace={call}", "-e", f"inject={inject}", *RUN]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 74, done.stderr
    assert says in one_line(done.stderr)
    shown = published_tick(tmp_path / "out")
    assert committed(tmp_path / "state") in (shown, shown + 1)
    before = committed(tmp_path / "state")
    done = spelar(["run"], {**env, "RUN_TICKS": "2"})
    assert done.returncode == 0, done.stderr
    assert committed(tmp_path / "state") == published_tick(tmp_path / "out") == before + 2


# --- not ours ----------------------------------------------------------------------------------------------------------


def without_privileges(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`spelar run` by a root that may not pass over permissions: other users may not read every Python."""
    command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *RUN]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root, and setpriv to be less")
@pytest.mark.parametrize("name", ["state", "out", "state/ledger.sqlite3"])
def test_a_place_of_another_user_ends_the_start_with_78(tmp_path: Path, env: dict[str, str], name: str) -> None:
    """The line names the place and the user."""
    for _ in range(2):
        done = without_privileges({**env, "RUN_TICKS": "1"})
        assert done.returncode == 0, done.stderr
    os.chown(tmp_path / name, NOBODY, NOBODY)
    (tmp_path / name).chmod(0o755)
    refused = without_privileges({**env, "RUN_TICKS": "1"})
    assert refused.returncode == 78, refused.stderr
    assert str(tmp_path / name) in one_line(refused.stderr)
    assert f"by uid {os.getuid()}" in one_line(refused.stderr)


# --- and back ----------------------------------------------------------------------------------------------------------


def test_the_first_tick_after_a_kill_comes_within_five_seconds(tmp_path: Path, env: dict[str, str]) -> None:
    """From the start of the process to the published tick."""
    with daemon(env) as process:
        until(lambda: published_tick(tmp_path / "out") >= 3)
        process.kill()
    before, begun_s = published_tick(tmp_path / "out"), time.monotonic()
    with daemon(env):
        until(lambda: published_tick(tmp_path / "out") > before)
        assert time.monotonic() - begun_s < 5


def test_a_daemon_makes_a_backup_of_the_day(tmp_path: Path, env: dict[str, str]) -> None:
    """At its first start that finds ticks; the next one of the day makes none."""
    backups = tmp_path / "state/backups"
    assert spelar(["run"], {**env, "RUN_TICKS": "1"}).returncode == 0
    assert not backups.exists()
    for _ in range(2):
        assert spelar(["run"], {**env, "RUN_TICKS": "1"}).returncode == 0
        (backup,) = backups.iterdir()
        assert re.fullmatch(r"ledger-\d{4}-\d\d-\d\d\.sqlite3", backup.name)
        with closing(SqliteLedger.open_to_read(backup)) as store:
            assert store.sequence == 1
