"""A sweep over Dask: a real scheduler and two real workers that share nothing with this process but loopback."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.tape.writing import write_tape
from adapters.workers import CrewLost
from entrypoints.sweep import Asked, sweep
from tests.adapters.random_tape import RandomTape, random_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

GRIDS = ("LEAD_LAG_LOOKBACK_POINTS=2,3,4,6", "LEAD_LAG_EDGE_MIN_PCT=0.2,0.3,0.5,1", "LEAD_LAG_EDGE_EXIT_PCT=-2,-1,0")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A sweep of 48 settings, done here."""
    tape = tmp_path_factory.mktemp("tapes") / "random"
    write_tape(tape, RandomTape(7, "lead_lag", 3_000, calm=0.98).snapshots())
    asked = Asked(
        tape=tape, environment=random_environment(7, "lead_lag"), out_dir=tmp_path_factory.mktemp("out"), grids=GRIDS, jobs=1
    )
    sweep(asked)
    return asked


@contextmanager
def _running(command: list[str], said: str, hidden: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Dask process, once it has said this; ended with the context. It sees an empty directory in place of `hidden`."""
    full = [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]]
    if hidden is not None:
        full = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs none {hidden} && exec "$@"', "sh", *full]
    with subprocess.Popen(full, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}) as process:
        try:
            assert process.stderr is not None
            found = next(filter(None, (re.search(said, line) for line in process.stderr)), None)
            assert found is not None, f"{command[0]} ended before it said {said}"
            drain = threading.Thread(target=process.stderr.read, daemon=True)
            drain.start()
            yield process, found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
            drain.join(5)


def _scheduler(stack: ExitStack) -> str:
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    return stack.enter_context(_running(command, r"Scheduler at:\s+(tcp://\S+)"))[1]


def _worker(stack: ExitStack, address: str, place: Path, hidden: Path | None = None) -> subprocess.Popen[str]:
    """One process with one thread, which keeps its files here."""
    place.mkdir()
    command = ["worker", address, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    return stack.enter_context(_running([*command, "--local-directory", str(place)], r"Registered to:\s+(\S+)", hidden))[0]


def _table(asked: Asked) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(asked.directory / "trials.parquet").to_pylist()
    return rows


def test_a_cluster_makes_the_table_that_one_machine_makes(asked: Asked, tmp_path: Path) -> None:
    """The workers open the tape by its path."""
    with ExitStack() as stack:
        address = _scheduler(stack)
        for name in ("one", "two"):
            _worker(stack, address, tmp_path / name)
        far = replace(asked, out_dir=tmp_path / "out", scheduler=address)
        sweep(far)
    assert _table(far) == _table(asked)


def _can_hide(directory: Path) -> bool:
    """Whether a process of ours may have a file system of its own."""
    asked = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(directory)]
    return shutil.which("unshare") is not None and subprocess.run(asked, check=False, capture_output=True).returncode == 0


def test_workers_without_the_tape_are_sent_it_and_one_may_die(asked: Asked, tmp_path: Path) -> None:
    """They see no tape, and one of two is killed when the first trials are in: time is lost, no result."""
    if not _can_hide(asked.tape.parent):
        pytest.skip("no process may have a file system of its own here: nothing can be hidden from a worker")
    far = replace(asked, out_dir=tmp_path / "out")
    lines, pause = far.directory / "trials.jsonl", threading.Event()
    with ExitStack() as stack:
        address = _scheduler(stack)
        workers = [_worker(stack, address, tmp_path / name, asked.tape.parent) for name in ("one", "two")]

        def kill_one() -> None:
            while workers[0].poll() is None and not (lines.exists() and lines.stat().st_size):
                pause.wait(0.005)
            workers[0].kill()

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        sweep(replace(far, scheduler=address))
        killer.join(10)
        assert workers[0].poll() == -signal.SIGKILL
        assert workers[1].poll() is None
    assert _table(far) == _table(asked)


def test_a_scheduler_that_is_not_there_is_named(asked: Asked, tmp_path: Path) -> None:
    """With what to start."""
    with pytest.raises(CrewLost, match="dask scheduler"):
        sweep(replace(asked, out_dir=tmp_path, scheduler="tcp://127.0.0.1:9"))
