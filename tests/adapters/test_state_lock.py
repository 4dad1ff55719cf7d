"""One daemon a directory, tried with real processes and a user without rights."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.state_lock import AlreadyRunning, StateDirUnusable, StateLock
from tests.adapters.other_user import NOBODY, can_become_another, told_nobody

HOLD = """
import sys
from pathlib import Path
from adapters.state_lock import StateLock
with StateLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(state_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_lock_makes_the_directory_and_names_its_holder(tmp_path: Path) -> None:
    """Parents included; the file holds this process's number."""
    state_dir = tmp_path / "var" / "agent"
    with StateLock(state_dir):
        assert int((state_dir / "agent.lock").read_text()) == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_directory_is_closed_to_strangers(tmp_path: Path) -> None:
    """0750, so that only the group may read along."""
    with StateLock(tmp_path / "var"):
        assert (tmp_path / "var").stat().st_mode & 0o777 == 0o750


def test_a_second_process_is_refused_and_learns_who_was_first(tmp_path: Path) -> None:
    """The message names the pid, so that a person can look."""
    with holder(tmp_path) as process:
        with pytest.raises(AlreadyRunning, match=str(process.pid)) as refused, StateLock(tmp_path):
            pass
        assert refused.value.pid == process.pid


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    """The kernel frees it: a stale file with a stale pid stops nobody."""
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        assert (tmp_path / "agent.lock").read_text() == f"{process.pid}\n"
        with StateLock(tmp_path):
            assert int((tmp_path / "agent.lock").read_text()) == os.getpid()


def test_a_lock_given_back_can_be_taken_again(tmp_path: Path) -> None:
    """Within one process as well."""
    for _ in range(3):
        with StateLock(tmp_path):
            pass
    assert (tmp_path / "agent.lock").read_text() == ""


def test_two_locks_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    """A demo started from within a daemon would be one."""
    with StateLock(tmp_path), pytest.raises(AlreadyRunning), StateLock(tmp_path):
        pass


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """With the path and the reason."""
    (tmp_path / "var").write_text("")
    with pytest.raises(StateDirUnusable, match="var") as refused, StateLock(tmp_path / "var"):
        pass
    assert refused.value.why


@can_become_another
@pytest.mark.parametrize("mode", [0o555, 0o755], ids=["read-only", "of another owner"])
def test_a_directory_without_the_right_to_write_is_refused_with_the_user(tmp_path: Path, mode: int) -> None:
    """In a process of the user nobody, who finds a lock file that it may write in a directory that it may not."""
    state_dir = tmp_path / "var"
    state_dir.mkdir()
    (state_dir / "agent.lock").touch(0o666)
    (state_dir / "agent.lock").chmod(0o666)
    state_dir.chmod(mode)
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    said = told_nobody(StateLock(state_dir).__enter__, StateDirUnusable)
    assert said == f"STATE_DIR {state_dir} cannot be used by uid {NOBODY}: no permission to write"
