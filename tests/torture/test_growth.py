"""What grows with every tick, and where it ends: rows, files, the ledger's log, handles; and hours without any host."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.health import Health
from adapters.portal.cells import iso
from adapters.portal.schema import CANDIDATES, EQUITY, FILES, ORDERS, PRICES, TRADES
from adapters.simulated_venues import Faults, SimMarket, Steady
from adapters.sqlite_ledger import LEDGER_NAME, SqliteLedger
from adapters.sqlite_ledger.writing import KEPT_ORDER_EVENTS, KEPT_VERDICTS
from domain.decision import Reason
from domain.ledger import OrderStatus
from domain.market import TokenId
from domain.report import Report
from domain.state import State
from tests.builders import NOON_MS
from tests.contracts.ledger_ticks import Deed, opening, ticked, token
from tests.faulty import CALM_BOOK, Session
from tests.portal import portal_files

pytestmark = pytest.mark.slow

LOG_LIMIT = 16 * 1024 * 1024
"""Bytes that the ledger's log may keep (`journal_size_limit`)."""

LARGE = tuple(token(number) for number in range(300))
GIANT = tuple(token(number) for number in range(1_500))
REFUSED = Deed(token=token(0), status=OrderStatus.REJECTED)
TICKS, SETTLED = 50, 38
OUTAGE_TICKS = 480
"""Two hours."""


@contextmanager
def opened(directory: Path) -> Iterator[SqliteLedger]:
    """A ledger in this directory, closed at the end."""
    path = directory / LEDGER_NAME
    with closing(SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=NOON_MS)) as store:
        yield store


def log_size(directory: Path) -> int:
    """Bytes of the ledger's log."""
    return (directory / f"{LEDGER_NAME}-wal").stat().st_size


def saved(store: SqliteLedger, state: State, tokens: tuple[TokenId, ...] = LARGE, deeds: int = 30) -> Report:
    """One more tick, with a verdict for each token, and so many refused orders."""
    report = ticked(state, [REFUSED] * deeds, tokens)
    store.save(report)
    return report


def test_rows_files_and_handles_have_an_end(tmp_path: Path) -> None:
    """Three hundred markets for fifty ticks: every limit is reached before that, and kept."""
    state, logs, handles = opening(), list[int](), set[int]()
    with opened(tmp_path) as store:
        portal = portal_files(tmp_path / "out", ledger_id=store.ledger_id, sources=Health().report)
        portal.rebuild(store.journal())
        for number in range(TICKS):
            report = saved(store, state)
            portal.publish(report)
            portal.close()
            state = report.state
            logs.append(log_size(tmp_path))
            if number >= SETTLED:
                handles.add(len(os.listdir("/proc/self/fd")))
        journal = store.journal()
    assert sum(len(tick.verdicts) for tick in journal.verdicts) in range(KEPT_VERDICTS, KEPT_VERDICTS + len(LARGE))
    assert len(journal.orders) == KEPT_ORDER_EVENTS
    assert max(logs) <= LOG_LIMIT
    assert len(handles) == 1
    rows = {file: (tmp_path / "out" / file.name).read_bytes().count(b"\n") - 1 for file in FILES}
    assert {file.name: rows[file] for file in (CANDIDATES, PRICES, ORDERS, TRADES)} == {
        file.name: file.kept for file in (CANDIDATES, PRICES, ORDERS, TRADES)
    }
    assert rows[EQUITY] <= (EQUITY.kept or 0)
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 20_000_000


def test_a_log_that_a_reader_made_long_is_cut_when_the_reader_has_gone(tmp_path: Path) -> None:
    """Whoever looks at an old moment keeps the log from being folded in."""
    with opened(tmp_path) as store:
        report = saved(store, opening(), GIANT)
        with closing(sqlite3.connect(f"file:{tmp_path / LEDGER_NAME}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM state").fetchall()
            while log_size(tmp_path) <= LOG_LIMIT + 1_000_000:
                report = saved(store, report.state, GIANT)
        for _ in range(3):
            report = saved(store, report.state, GIANT)
        assert log_size(tmp_path) <= LOG_LIMIT
    with opened(tmp_path) as store:
        assert store.load() == report.state


MARKET = SimMarket(slug="btc-up")
GONE = {"missing_reference", "no_orderbook"}


def shown(out: Path, name: str) -> dict[str, object]:
    """A published document."""
    document: dict[str, object] = json.loads((out / name).read_text(encoding="utf-8"))
    return document


def test_hours_without_any_host_leave_fresh_files_and_little_on_the_disk(tmp_path: Path) -> None:
    """The status is of the last tick, the sources say when they last answered, and it heals as after a minute."""
    world = Steady(spot=lambda pair, ms: 60_000.0, books=lambda token, ms: CALM_BOOK, markets=(MARKET,))
    faults = Faults(world, rate=0.0, kinds=["down", "hang", "reset", "s503", "html200"])

    async def story() -> tuple[list[Report], list[Report]]:
        session = Session(faults, world, {})
        health = session.container.health().report
        portal = portal_files(tmp_path / "out", ledger_id=store.ledger_id, sources=health)
        portal.rebuild(store.journal())
        session.keep(store, portal)
        await session.ticks(8)
        broke_ms, faults.rate = session.clock.at_ms, 1.0
        out = await session.ticks(OUTAGE_TICKS)
        portal.close()
        assert shown(tmp_path / "out", "live_status.json")["ts"] == iso(out[-1].moment.at_ms)
        for source, told in shown(tmp_path / "out", "sources_health.json").items():
            assert isinstance(told, dict)
            assert iso(NOON_MS) <= told["last_ok_at"] <= iso(broke_ms), source
            assert told["age_s"] >= OUTAGE_TICKS * 15 - 1_000 or source == "polymarket_gamma"
        faults.rate = 0.0
        back = await session.ticks(7)
        portal.close()
        await session.close()
        return out, back

    with opened(tmp_path) as store:
        out, back = asyncio.run(story())
    said = [{verdict.cause.reason for verdict in report.verdicts} for report in (*out, *back)]
    assert all(reasons <= GONE for reasons in said[1:OUTAGE_TICKS])
    assert not any(report.trades for report in (*out, *back))
    assert all(reasons <= {Reason.WARMUP, Reason.SPOT_MOVE_TOO_SMALL} for reasons in said[-2:]), said[-7:]
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 2_000_000
    assert sum(path.stat().st_size for path in tmp_path.glob(f"{LEDGER_NAME}*")) < 5_000_000
