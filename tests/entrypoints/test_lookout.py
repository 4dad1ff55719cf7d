"""A real daemon that tells people and counts for Prometheus, whatever its receivers do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.clock import SystemClock
from adapters.health import Health
from domain.ledger import LawBroken
from domain.notice import Notice
from domain.report import Journal
from entrypoints.logging import PATTERNS_ONLY
from entrypoints.lookout import Lookout, Ticked, looking_out
from entrypoints.settings import read_settings
from tests.adapters.receivers import Receiver, dead, hanging, receiving
from tests.builders import moment, state
from tests.entrypoints.processes import ROOT, daemon, spelar, until
from tests.entrypoints.test_daemon import trading

JOURNAL = Journal(state=state(), ledger_id="x", started_at_ms=0, verdicts=(), orders=(), trades=(), equity=())


class Told:
    """A notifier that keeps what it is told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.notices: list[Notice] = []
        self.closed = False

    def tell(self, notices: Sequence[Notice]) -> None:
        """Keep them."""
        self.notices += notices

    def close(self) -> None:
        """Remember it."""
        self.closed = True


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A daemon's environment, where something is bought and sold every few seconds."""
    with trading(tmp_path) as environment:
        yield environment


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


def metrics(port: int) -> dict[str, float]:
    """What Prometheus reads, by its own parser: the name and the labels' values in their order -> value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation for family in families)
    return {_key(sample.name, sample.labels): sample.value for family in families for sample in family.samples}


def _key(name: str, labels: Mapping[str, str]) -> str:
    return name + ("{" + ",".join(labels[label] for label in sorted(labels)) + "}" if labels else "")


def _arrived(receiver: Receiver, kind: str) -> bool:
    """Whether a message about this has come."""
    return any(kind in message["title"] for message in receiver.messages)


@pytest.mark.slow
def test_people_are_told_and_metrics_count_while_one_receiver_is_dead_and_one_hangs(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """Fill, exit and kill switch arrive; no tick is late; SIGTERM ends it within ten seconds with zero."""
    port, kill_switch = free_port(), tmp_path / "kill"
    with receiving() as receiver, hanging() as stuck:
        env |= {"NOTIFY_URLS": f"{dead()} {stuck} {receiver.url}", "METRICS_PORT": str(port)}
        with daemon({**env, "KILLSWITCH_FILE": str(kill_switch)}) as process:
            for kind in ("fill", "exit"):
                until(partial(_arrived, receiver, kind))
            kill_switch.touch()
            until(partial(_arrived, receiver, "kill switch"))
            counted = metrics(port)
            process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - told < 10
    ticks = counted["spelar_tick_duration_seconds_count"]
    assert ticks == counted["spelar_ticks_total{committed}"] > 5
    assert counted["spelar_tick_duration_seconds_bucket{2.5}"] == ticks
    assert counted["spelar_kill_switch"] == 1
    assert counted["spelar_trades_total{BUY,filled}"] >= 1
    assert counted["spelar_trades_total{SELL,filled}"] >= 1
    decided = {name: value for name, value in counted.items() if name.startswith("spelar_decisions_total{")}
    assert sum(decided.values()) == 2 * ticks  # both outcomes of the market
    assert {"spelar_decisions_total{enter,enter}", "spelar_decisions_total{skip,warmup}"} <= decided.keys()
    for source in ("polymarket_clob", "polymarket_gamma", "kraken_spot"):
        assert counted[f"spelar_source_up{{{source}}}"] == 1
        assert counted[f"spelar_source_latency_seconds_count{{{source}}}"] >= 1
    assert 990 < counted["spelar_equity_usd"] < 1000
    assert counted["spelar_cash_usd"] <= counted["spelar_equity_usd"]
    assert 0 <= time.time() - counted["spelar_last_tick_timestamp_seconds"] < 60
    assert "spelar_open_positions" in counted
    assert "process_resident_memory_bytes" in counted


@pytest.mark.slow
def test_a_dead_source_shows_in_the_metrics_by_its_kind(env: dict[str, str]) -> None:
    """And the account stands there before the first tick is done."""
    port = free_port()
    with daemon({**env, "METRICS_PORT": str(port), "KRAKEN_SPOT_BASE_URL": "http://127.0.0.1:9"}):
        until(lambda: _answers(port))
        assert metrics(port)["spelar_equity_usd"] == 1000
        until(lambda: metrics(port).get("spelar_source_errors_total{connect_error,kraken_spot}", 0) >= 1)
        assert metrics(port)["spelar_source_up{kraken_spot}"] == 0


def _answers(port: int) -> bool:
    try:
        return bool(metrics(port))
    except OSError:
        return False


@pytest.mark.slow
def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path, env: dict[str, str]) -> None:
    """78, with the variable; no tick is made."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        refused = spelar(["run"], {**env, "METRICS_PORT": str(port)})
    assert refused.returncode == 78
    assert f"METRICS_PORT={port} cannot be listened on: Address already in use" in refused.stderr
    assert json.loads((tmp_path / "out/manifest.json").read_text())["tick"] == 0


@pytest.mark.slow
def test_a_daemon_in_the_journal_begins_every_line_with_a_priority(env: dict[str, str]) -> None:
    """Its stderr is the stream that systemd names."""
    reading, writing = os.pipe()
    found = os.fstat(writing)
    named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}", "RUN_TICKS": "1"}
    command = [sys.executable, "-m", "vps.vps_agent"]
    done = subprocess.run(command, env={**env, **named}, cwd=ROOT, stderr=writing, timeout=60, check=False)
    os.close(writing)
    with os.fdopen(reading) as journal:
        lines = journal.read().splitlines()
    assert done.returncode == 0, lines
    assert any(line.startswith("<6>stopped after tick 1: ") for line in lines)
    assert {line[:3] for line in lines} <= {"<4>", "<6>"}


def test_an_end_that_nobody_asked_for_is_told() -> None:
    """A law is broken: the last words go out before the notifier is closed, without what looks like a secret."""
    told = Told()
    with (
        pytest.raises(LawBroken),
        looking_out(
            told,
            None,
            Health(),
            settings=read_settings({}),
            clock=SystemClock(),
            journal=JOURNAL,
            redacted=PATTERNS_ONLY,
        ),
    ):
        raise LawBroken("cash is negative, secret=hunter2")
    (notice,) = told.notices
    assert notice.text == "the agent ends: LawBroken: cash is negative, secret=***"
    assert told.closed


def test_files_that_stay_old_are_told_when_a_write_fails_and_not_while_none_does() -> None:
    """The counts are since the start."""
    told = Told()
    lookout = Lookout(told, None, Health(), interval_s=15, journal=JOURNAL)
    counts: tuple[dict[str, int], ...] = ({}, {"a.csv": 1}, {"a.csv": 1}, {"a.csv": 1, "b.csv": 3})
    for n, failures in enumerate(counts):
        lookout.ticked(Ticked(moment=moment(n), report=None, took_s=0.1, error="", failures=failures))
    assert [notice.text.partition(": ")[2] for notice in told.notices] == ["a.csv", "b.csv"]


def test_a_defect_of_whoever_watches_costs_a_notice_and_not_the_run() -> None:
    """A notifier that raises."""
    lookout = Lookout(Broken(), None, Health(), interval_s=15, journal=JOURNAL)
    lookout.ticked(Ticked(moment=moment(0), report=None, took_s=0.1, error="", failures={}))


class Broken(Told):
    """A notifier with a defect."""

    def tell(self, notices: Sequence[Notice]) -> None:
        """Fail."""
        raise ValueError("defect")


def test_a_replay_has_nothing_that_could_tell() -> None:
    """Who tells is made for the daemon, and looked at by `check`."""
    users = [path.name for path in (ROOT / "entrypoints").glob("*.py") if "notifier" in path.read_text(encoding="utf-8")]
    assert sorted(users) == ["check.py", "container.py", "daemon.py", "lookout.py"]
