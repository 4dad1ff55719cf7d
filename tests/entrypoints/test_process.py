"""The daemon as systemd and a shell see it: readiness, the watchdog, every signal, closed streams, little memory."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.entrypoints.processes import ROOT, daemon, published_tick, spelar, until
from tests.entrypoints.test_daemon import trading

pytestmark = pytest.mark.slow

AGENT = ("-m", "vps.vps_agent")
MEMORY = 320 * 1024 * 1024
"""Bytes of address space: less than the 512 MB that the unit allows in all."""


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A daemon's environment, with venues on loopback."""
    with trading(tmp_path) as environment:
        yield environment


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a server that takes every connection and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def notified(tmp_path: Path, env: dict[str, str]) -> Iterator[socket.socket]:
    """The socket that systemd would listen on."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        listener.bind(env["NOTIFY_SOCKET"])
        yield listener


def heard(listener: socket.socket, within_s: float) -> str:
    """The next thing that is said; empty when nothing is."""
    listener.settimeout(within_s)
    try:
        return listener.recv(4096).decode()
    except TimeoutError:
        return ""


@contextmanager
def spawned(env: dict[str, str], *arguments: str, stderr: int = subprocess.PIPE) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python of our own; killed at the end if it still runs."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_systemd_hears_ready_a_ping_after_each_tick_and_stopping(
    tmp_path: Path, env: dict[str, str], notified: socket.socket
) -> None:
    """`Type=notify`: ready before the first tick is shown, alive after commits, stopping at the end, exit 0."""
    with daemon(env) as process:
        assert heard(notified, 20) == "READY=1"
        assert [heard(notified, 10) for _ in range(3)] == ["WATCHDOG=1"] * 3
        assert published_tick(tmp_path / "out") >= 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    said = []
    while what := heard(notified, 0.2):
        said.append(what)
    assert said[-1] == "STOPPING=1"
    assert set(said[:-1]) <= {"WATCHDOG=1"}


EAGER = {"LEAD_LAG_LOOKBACK_POINTS": "2", "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0", "LEAD_LAG_EDGE_MIN_PCT": "-1"}
PATIENT = {"LEAD_LAG_EDGE_EXIT_PCT": "-100", "LEAD_LAG_MAX_HOLD_SECS": "0"}
"""Settings that buy at once, and never sell."""


def watched(listener: socket.socket, process: "subprocess.Popen[bytes]", silence_s: float) -> int:
    """What systemd's watchdog does: when nothing is heard for so long, SIGABRT; and SIGKILL where that ends nothing."""
    while heard(listener, silence_s):
        continue
    process.send_signal(signal.SIGABRT)
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(timeout=5)


def test_a_hang_leaves_the_watchdog_unfed_and_the_next_daemon_goes_on_with_nothing_lost(
    tmp_path: Path, env: dict[str, str], notified: socket.socket
) -> None:
    """No thread pings for a loop that hangs. What was bought before is held after, since the same moment and in the log."""
    trades, portfolio = tmp_path / "out/pm_paper_trades.csv", tmp_path / "out/pm_paper_portfolio.json"
    with spawned({**env, **EAGER, **PATIENT}, "-m", "tests.entrypoints.hanging_agent") as process:
        assert heard(notified, 20) == "READY=1"
        assert [heard(notified, 10) for _ in range(2)] == ["WATCHDOG=1"] * 2
        until(lambda: published_tick(tmp_path / "out") == 3)
        assert watched(notified, process, 2) == -signal.SIGABRT
    bought, held = trades.read_text(), json.loads(portfolio.read_text())
    assert "BUY" in bought
    with daemon({**env, **EAGER, **PATIENT, "RUN_TICKS": "1"}) as process:
        assert process.wait(timeout=20) == 0
    assert published_tick(tmp_path / "out") == 4
    assert trades.read_text().startswith(bought)
    after = json.loads(portfolio.read_text())
    assert {token: position["opened_at"] for token, position in held["positions"].items()}.items() <= {
        token: position["opened_at"] for token, position in after["positions"].items()
    }.items()
    assert spelar(["ledger", "check"], env).returncode == 0


@pytest.mark.parametrize("stopping", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_first_tick_ends_with_zero(
    tmp_path: Path, env: dict[str, str], notified: socket.socket, silence: str, stopping: signal.Signals
) -> None:
    """The venue that says what the markets are does not answer: the first look-up is given up at once."""
    with daemon({**env, "POLYMARKET_GAMMA_BASE_URL": silence, "HTTP_TIMEOUT_S": "30"}) as process:
        assert heard(notified, 20) == "READY=1"
        process.send_signal(stopping)
        assert process.wait(timeout=5) == 0
    assert published_tick(tmp_path / "out") == 0


def test_sigterm_while_the_venues_hang_ends_with_zero_and_a_whole_ledger(
    tmp_path: Path, env: dict[str, str], silence: str
) -> None:
    """Mid-tick and mid-HTTP: the tick never began, and the next daemon begins it."""
    names = ("POLYMARKET_CLOB_BASE_URL", "KRAKEN_SPOT_BASE_URL")
    with daemon({**env, **dict.fromkeys(names, silence), "HTTP_TIMEOUT_S": "30", "INTERVAL_S": "30"}) as process:
        until(lambda: (tmp_path / "out/manifest.json").exists())
        time.sleep(1)
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - told < 10
    with daemon({**env, "RUN_TICKS": "1"}) as process:
        assert process.wait(timeout=20) == 0
    assert published_tick(tmp_path / "out") == 1


def test_an_interrupt_ends_with_zero_after_its_tick(tmp_path: Path, env: dict[str, str]) -> None:
    """Ctrl-C in a terminal is SIGTERM by systemd: the books are closed, and no traceback is shown."""
    with daemon(env) as process:
        until(lambda: published_tick(tmp_path / "out") >= 2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 0
    assert "Traceback" not in said
    assert not (tmp_path / "state/ledger.sqlite3-wal").exists()


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGPIPE])
def test_other_signals_stop_nothing(tmp_path: Path, env: dict[str, str], ignored: signal.Signals) -> None:
    """A closed terminal, a reader that has gone."""
    with daemon(env) as process:
        until(lambda: published_tick(tmp_path / "out") >= 1)
        process.send_signal(ignored)
        seen = published_tick(tmp_path / "out")
        until(lambda: published_tick(tmp_path / "out") >= seen + 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_nobody_need_read_what_it_says(tmp_path: Path, env: dict[str, str]) -> None:
    """Both pipes are closed at the other end: it goes on trading, and its end is as clean."""
    with spawned({**env, "LOG_LEVEL": "DEBUG"}, *AGENT) as process:
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
        until(lambda: published_tick(tmp_path / "out") >= 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_it_need_not_be_given_any_streams(tmp_path: Path, env: dict[str, str]) -> None:
    """Started with 0, 1 and 2 closed: no file of ours gets their numbers."""
    with spawned(
        {**env, "RUN_TICKS": "3"},
        "-c",
        "import os, sys; os.closerange(0, 3); os.execv(sys.executable, [sys.executable, '-m', 'vps.vps_agent'])",
    ) as process:
        assert process.wait(timeout=20) == 0
    assert published_tick(tmp_path / "out") == 3
    assert (tmp_path / "state/agent.lock").read_bytes() == b""


def test_a_second_daemon_says_who_holds_the_lock_even_to_nobody(tmp_path: Path, env: dict[str, str]) -> None:
    """75 and the pid of the first; 75 too where stderr is closed."""
    with daemon(env) as first:
        until(lambda: published_tick(tmp_path / "out") >= 1)
        with spawned(env, *AGENT) as second:
            _, said = second.communicate(timeout=20)
            assert second.returncode == 75
            assert f"process {first.pid} already runs" in said.decode()
        with spawned(env, *AGENT) as unheard:
            assert unheard.stderr is not None
            unheard.stderr.close()
            assert unheard.wait(timeout=20) == 75
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=10) == 0


def test_it_runs_in_little_memory(tmp_path: Path, env: dict[str, str]) -> None:
    """`ulimit -v`: forty ticks in 320 MB of address space."""
    limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY})); "
    run = "os.execv(sys.executable, [sys.executable, '-m', 'vps.vps_agent'])"
    with spawned({**env, "RUN_TICKS": "40", "INTERVAL_S": "0.1"}, "-c", limit + run) as process:
        _, said = process.communicate(timeout=40)
        assert process.returncode == 0, said.decode()
        assert b"MemoryError" not in said
    assert published_tick(tmp_path / "out") == 40
