"""A defect in a thread beside the ticks: the log says it without secrets, the portal shows it, and the ticks go on."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from loguru import logger

from adapters.health import Health
from adapters.portal_server import serve
from adapters.simulated_venues import SimMarket, SimulatedVenues, Steady, market_map
from domain.market import OrderBook
from domain.report import Report
from entrypoints.background import thread_defects
from entrypoints.daemon import Run, run
from entrypoints.logging import configure_logging, defects_of_threads
from entrypoints.redaction import Redaction
from entrypoints.settings import read_settings
from tests.adapters.test_portal_files import TOKEN, document, entered, journal_of, market, report
from tests.entrypoints.processes import environment, write_map
from tests.portal import portal_files

CANARY = "CaNaRy-0123456789"


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was said on stderr since the last look, by a log that knows the canary and hears of threads."""
    configure_logging("DEBUG", Redaction.of([CANARY]))
    with defects_of_threads():
        yield lambda: capsys.readouterr().err
    logger.remove()
    logger.add(sys.stderr)


def dies() -> None:
    """Of an exception that holds a secret."""
    raise ValueError(f"key {CANARY}")


def dead(name: str) -> None:
    """A thread of this name has lived and died."""
    thread = threading.Thread(target=dies, name=name)
    thread.start()
    thread.join()


def test_a_thread_that_dies_is_in_the_log_without_its_secrets(log: Callable[[], str]) -> None:
    """With the traceback, and in its one place."""
    dead("backups")
    said = log()
    assert "ERROR a defect ended the thread backups: ValueError" in said
    assert "Traceback" in said
    assert CANARY not in said
    assert all(line.startswith("    | ") for line in said.splitlines()[1:])


def test_what_ends_a_thread_waits_to_be_shown(log: Callable[[], str]) -> None:
    """The newest eight; afterwards all is as before."""
    before = threading.excepthook
    with thread_defects() as defects:
        for number in range(10):
            dead(f"t{number}")
    assert list(defects) == [f"thread t{number}: ValueError: key {CANARY}" for number in range(2, 10)]
    assert log().count("a defect ended the thread") == 10
    assert threading.excepthook is before


class NoBook(OrderBook):
    """A book that cannot be shown."""

    @property
    def tick_size(self) -> None:
        """None."""
        raise ValueError(CANARY)


def test_the_thread_of_the_files_is_begun_anew_by_the_next_tick(tmp_path: Path, log: Callable[[], str]) -> None:
    """One tick's files are missing, and all that follow are there."""
    portal = portal_files(tmp_path, ledger_id="x", sources=Health().report)
    portal.rebuild(journal_of())
    unshowable = replace(report(1, entered(market())), books={TOKEN: object.__new__(NoBook)})
    with thread_defects() as defects:
        portal.publish(unshowable)
        portal.close()
    assert [text.split(":")[0] for text in defects] == ["thread portal-files"]
    assert CANARY not in log()
    portal.publish(report(2))
    portal.close()
    assert document(tmp_path, "manifest.json")["tick"] == 2


def test_a_defect_of_the_portals_server_is_in_the_log_too(tmp_path: Path, log: Callable[[], str]) -> None:
    """Only its reader notices; the next one is served."""
    (tmp_path / "index.html").write_text("page")
    broken = [True]

    def now_s() -> float:
        if broken:
            broken.clear()
            dies()
        return time.time()

    with serve(tmp_path, now_s=now_s) as portal:
        with pytest.raises(httpx.HTTPError):
            httpx.get(portal.url, trust_env=False)
        assert httpx.get(portal.url, trust_env=False).text == "page"
    said = log()
    assert "a defect ended the thread" in said
    assert CANARY not in said


@pytest.mark.slow
def test_the_daemon_goes_on_and_shows_it(tmp_path: Path, log: Callable[[], str]) -> None:
    """For a tick, in `live_status.json`; every tick is made all the same."""
    script = Steady(markets=(SimMarket(slug="btc-up-today"),))
    shown: list[object] = []

    def watch(report: Report) -> None:
        shown.append(json.loads((tmp_path / "out/live_status.json").read_text())["last_error"])
        if report.state.sequence == 1:
            dead("backups")

    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        path = write_map(tmp_path / "map.json", market_map(script))
        env = environment(tmp_path, venues.environment(), MARKET_MAP_PATH=path, RUN_TICKS="6", INTERVAL_S="0.4")
        state = asyncio.run(run(Run(settings=read_settings(env), watch=watch, redacted=Redaction.of([CANARY]))))
    assert state.sequence == 6
    assert "thread backups: ValueError: key ***" in shown
    assert shown[-1] is None
    assert CANARY not in log()
