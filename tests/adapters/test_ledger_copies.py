"""Copies of the ledger: backups, the migration of an older one, and the export. Each is held against what it was made of."""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.sqlite_ledger import LedgerInvalid, LedgerUnwritable, SqliteLedger
from adapters.sqlite_ledger.backups import KEPT_DAYS, back_up, back_up_daily
from adapters.sqlite_ledger.export import ExportedTrade, export
from adapters.sqlite_ledger.faults import backups_of
from adapters.sqlite_ledger.opening import connect, connect_to_read, version_in
from adapters.sqlite_ledger.schema import VERSION
from domain.protections import Record
from domain.report import Trade
from tests.adapters.old_ledgers import as_version_1, as_version_2, tables_digest
from tests.contracts.ledger_store import reports
from tests.contracts.ledger_ticks import ticked


@contextmanager
def opened(path: Path) -> Iterator[SqliteLedger]:
    """The ledger of a path, closed at the end."""
    with closing(SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=1_790_000_000_000)) as store:
        yield store


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    """A ledger in which something of every kind happened, closed cleanly."""
    path = tmp_path / "state/ledger.sqlite3"
    path.parent.mkdir()
    with opened(path) as store:
        for report in reports():
            store.save(report)
    return path


def trades() -> list[Trade]:
    """What it holds."""
    return [trade for report in reports() for trade in report.trades]


# --- backups -----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_what_is_still_in_the_log(worked: Path, tmp_path: Path) -> None:
    """Made while the agent ticks on: all that was committed by then, and nothing more."""
    target = tmp_path / "elsewhere/copy.sqlite3"
    with opened(worked) as store:
        store.save(ticked(store.load()))
        assert worked.with_name("ledger.sqlite3-wal").stat().st_size > 0
        copied = back_up(worked, target)
        assert copied.state == store.load()
        store.save(ticked(store.load()))
    assert [file.name for file in target.parent.iterdir()] == ["copy.sqlite3"]
    with opened(target) as copy:
        assert (copy.sequence, copy.journal().trades) == (5, tuple(trades()))


def test_a_backup_never_replaces_a_file(worked: Path) -> None:
    """Least of all the ledger."""
    with pytest.raises(FileExistsError, match="there already"):
        back_up(worked, worked)


def test_a_ledger_that_does_not_add_up_is_not_backed_up(worked: Path, tmp_path: Path) -> None:
    """A copy of nonsense would push a good one out."""
    with closing(sqlite3.connect(worked, isolation_level=None)) as connection:
        connection.execute("UPDATE state SET cash = cash + 1")
    with pytest.raises(LedgerInvalid, match=r"ledger\.sqlite3 is refused"):
        back_up(worked, tmp_path / "backups/copy.sqlite3")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_backup_that_finds_no_place_is_an_error_of_the_disk(worked: Path, tmp_path: Path) -> None:
    """The place is named."""
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnwritable, match="file/copy"):
        back_up(worked, tmp_path / "file/copy.sqlite3")


def test_what_a_crash_left_of_a_backup_is_no_hindrance(worked: Path, tmp_path: Path) -> None:
    """Neither the draft nor SQLite's journal of it."""
    target = tmp_path / "copy.sqlite3"
    for leftover in (".copy.sqlite3.tmp", ".copy.sqlite3.tmp-journal"):
        (tmp_path / leftover).write_bytes(b"half a page")
    assert back_up(worked, target).tip.trades == len(trades())
    assert {file.name for file in tmp_path.iterdir()} == {"copy.sqlite3", "state"}


def test_there_is_one_backup_a_day_and_fourteen_of_them(worked: Path) -> None:
    """Those that were asked for are not counted, and stay."""
    directory = worked.parent / "backups"
    directory.mkdir()
    asked_for = "ledger-2026-02-02T12-30-00Z.sqlite3"
    days = [f"ledger-{date(2026, 2, 20) + timedelta(days=number)}.sqlite3" for number in range(KEPT_DAYS + 3)]
    for name in (asked_for, *days[:-1]):
        (directory / name).touch()
    assert back_up_daily(worked, "2026-03-08") == directory / days[-1]
    assert back_up_daily(worked, "2026-03-08") is None
    assert {path.name for path in backups_of(worked)} == {asked_for, *days[3:]}


def test_a_ledger_without_ticks_needs_no_backup(tmp_path: Path) -> None:
    """It can be made again."""
    path = tmp_path / "ledger.sqlite3"
    with opened(path):
        assert back_up_daily(path, "2026-03-02") is None
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM state")
    with pytest.raises(LedgerInvalid, match="no state"):
        back_up_daily(path, "2026-03-02")


def test_a_refused_ledger_names_its_newest_backup(worked: Path) -> None:
    """And how to go back to it; following the advice works."""
    made = back_up_daily(worked, "2026-03-02")
    assert made is not None
    worked.write_bytes(b"garbage" * 1_000)
    with pytest.raises(LedgerInvalid, match=f"copy {made} to {worked}"), opened(worked):
        pass
    worked.unlink()
    worked.write_bytes(made.read_bytes())
    with opened(worked) as store:
        assert store.journal().trades == tuple(trades())


# --- older ledgers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("aged", "version"), [(as_version_1, 1), (as_version_2, 2)])
def test_an_older_ledger_is_backed_up_and_migrated(worked: Path, aged: Callable[[Path], None], version: int) -> None:
    """Its tables become those of a new one, its rows stay, and the copy is as it was before.

    What the protections remember begins with the highest equity that is kept.
    """
    aged(worked)
    last, highest = reports()[-1].state, max(report.equity.equity for report in reports())
    with opened(worked) as store:
        assert store.load() == replace(last, memory=replace(last.memory, record=Record.of(last.ledger, peak=highest)))
        store.save(ticked(store.load()))
    (backup,) = backups_of(worked)
    assert f"of-version-{version}" in backup.name
    assert backup.name.endswith("tick-4.sqlite3")
    new = worked.with_name("new.sqlite3")
    with opened(new):
        pass
    with (
        closing(connect_to_read(worked)) as migrated,
        closing(connect_to_read(new)) as made,
        closing(connect_to_read(backup)) as before,
    ):
        assert [version_in(connection) for connection in (migrated, made, before)] == [VERSION, VERSION, version]
        assert tables_digest(migrated) == tables_digest(made) != tables_digest(before)
    with closing(SqliteLedger.open_to_read(backup)) as copy:
        assert (copy.sequence, copy.trades()) == (4, tuple(trades()))


def test_a_migration_that_was_cut_off_after_its_backup_goes_on(worked: Path) -> None:
    """With the copy that there is."""
    as_version_1(worked)
    old = worked.read_bytes()
    with opened(worked):
        pass
    (backup,) = backups_of(worked)
    made_at = backup.stat().st_mtime_ns
    worked.write_bytes(old)
    with opened(worked) as store:
        assert store.sequence == 4
    assert [path.stat().st_mtime_ns for path in backups_of(worked)] == [made_at]


def test_an_older_ledger_that_does_not_add_up_is_left_as_it_is(worked: Path) -> None:
    """It is refused before anything of it is changed."""
    as_version_1(worked)
    with closing(sqlite3.connect(worked, isolation_level=None)) as connection:
        connection.execute("UPDATE state SET cash = cash + 1")
    with pytest.raises(LedgerInvalid, match="is not opening cash"), opened(worked):
        pass
    with closing(connect(worked)) as connection:
        assert version_in(connection) == 1
    assert backups_of(worked) == []


def test_a_reader_needs_no_migration(worked: Path) -> None:
    """What only looks changes nothing."""
    as_version_1(worked)
    with closing(SqliteLedger.open_to_read(worked)) as store:
        assert store.trades() == tuple(trades())
        with pytest.raises(LedgerUnwritable, match="only read"):
            store.save(ticked(store.load()))
    with closing(connect_to_read(worked)) as connection:
        assert version_in(connection) == 1


def test_a_reader_sees_one_moment(worked: Path) -> None:
    """Whatever the agent commits meanwhile."""
    with opened(worked) as store, closing(SqliteLedger.open_to_read(worked)) as reader:
        before = reader.load()
        store.save(ticked(store.load()))
        assert reader.load() == before != store.load()


def test_a_reader_makes_no_ledger(tmp_path: Path) -> None:
    """Where there is none it says so, and leaves none."""
    with pytest.raises(LedgerInvalid, match="no such file"):
        SqliteLedger.open_to_read(tmp_path / "ledger.sqlite3")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["PRAGMA application_id=7", "UPDATE state SET cash = cash + 1"])
def test_a_reader_believes_no_more_than_the_agent(worked: Path, damage: str) -> None:
    """Another program's file, or one that does not add up."""
    with closing(sqlite3.connect(worked, isolation_level=None)) as connection:
        connection.execute(damage)
    with pytest.raises(LedgerInvalid):
        SqliteLedger.open_to_read(worked)


# --- export ------------------------------------------------------------------------------------------------------------


def test_an_export_has_every_trade_with_every_digit(worked: Path, tmp_path: Path) -> None:
    """In both files; from either the ledger's hash can be reached."""
    with closing(SqliteLedger.open_to_read(worked)) as store:
        table, whole = export(store, tmp_path / "export")
        last_hash = store.last_hash
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    document = json.loads(whole.read_text(encoding="utf-8"))
    assert {name: document[name] for name in ("mode", "opening_cash", "sequence", "last_hash")} == {
        "mode": "paper",
        "opening_cash": "1000.000000",
        "sequence": 4,
        "last_hash": last_hash,
    }
    for found in (rows, document["trades"]):
        assert [tuple(row) for row in found] == [ExportedTrade._fields] * len(trades())
        assert [row["trade_id"] for row in found] == [trade.id for trade in trades()]
        for column, field in (("notional", "notional"), ("fee", "fee"), ("realized_pnl", "realised"), ("shares", "shares")):
            assert [Decimal(row[column]) for row in found] == [getattr(trade, field) for trade in trades()]
        assert found[-1]["hash"] == last_hash
        assert [row["prev_hash"] for row in found[1:]] == [row["hash"] for row in found[:-1]]
    assert {path.name for path in table.parent.iterdir()} == {"trades.csv", "trades.json"}


def test_an_export_that_finds_no_place_is_an_error_of_the_disk(worked: Path, tmp_path: Path) -> None:
    """The place is named."""
    (tmp_path / "file").touch()
    with closing(SqliteLedger.open_to_read(worked)) as store, pytest.raises(LedgerUnwritable, match="file"):
        export(store, tmp_path / "file")
