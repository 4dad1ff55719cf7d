"""Real daemons for tests: `spelar run` as a process of its own against venues on loopback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(tmp_path: Path, venues: Mapping[str, str], **settings: str) -> dict[str, str]:
    """A clean environment for a daemon that keeps everything under `tmp_path`."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    places = {"STATE_DIR": str(tmp_path / "state"), "OUT_DIR": str(tmp_path / "out")}
    return {**inherited, "PYTHONPATH": str(ROOT), "INTERVAL_S": "0.2", **places, **venues, **settings}


def write_map(path: Path, market_map: Mapping[str, object]) -> str:
    """Write a market map; its path as a variable's value."""
    path.write_text(json.dumps(market_map), encoding="utf-8")
    return str(path)


def spelar(arguments: list[str], env: Mapping[str, str], timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    command = [sys.executable, "-m", "entrypoints.cli", *arguments]
    return subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)


def daemon(env: Mapping[str, str]) -> AbstractContextManager["subprocess.Popen[str]"]:
    """A running `python -m vps.vps_agent`; killed at the end if it still runs."""
    return started((sys.executable, "-m", "vps.vps_agent"), ROOT, env)


@contextmanager
def started(command: Sequence[str], place: Path, env: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A process at work in a directory, whose words come at once; killed at the end if it still runs."""
    at_once, pipe = {**env, "PYTHONUNBUFFERED": "1"}, subprocess.PIPE
    with subprocess.Popen(command, cwd=place, env=at_once, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=10)


def until(happened: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait for something to happen; fail when it does not."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {timeout_s} s")
        time.sleep(0.02)


def published_tick(out_dir: Path) -> int:
    """The newest tick that the published files show; 0 without files."""
    try:
        return int(json.loads((out_dir / "manifest.json").read_text(encoding="utf-8"))["tick"])
    except FileNotFoundError:
        return 0
