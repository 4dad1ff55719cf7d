"""Older tables brought to today's: a backup first, then all steps in one transaction, so that a crash leaves old or new."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.sqlite_ledger.backups import back_up
from adapters.sqlite_ledger.faults import BACKUPS
from adapters.sqlite_ledger.opening import identity_in, version_in
from adapters.sqlite_ledger.schema import PROTECTIONS, SETTLEMENTS, VERSION

STEPS: Mapping[int, Sequence[str]] = {1: (SETTLEMENTS,), 2: (PROTECTIONS,)}
"""What leads from a version to the next. Rows of all of them can be read as today's."""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to `VERSION`, unless they are there. Raises `LedgerInvalid`, `LedgerUnwritable`, `sqlite3.Error`."""
    found = version_in(connection)
    if found == VERSION:
        return
    backup = path.parent / BACKUPS / f"{path.stem}-of-version-{found}-{_state_of(connection, path)}.sqlite3"
    if not backup.exists():  # else a crash came between this copy and the change
        back_up(path, backup)
    connection.execute("BEGIN IMMEDIATE")
    for version in range(found, VERSION):
        for statement in STEPS[version]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _state_of(connection: sqlite3.Connection, path: Path) -> str:
    """Which ledger it is, and at which tick: a backup of this name holds the same."""
    (sequence,) = connection.execute("SELECT sequence FROM state").fetchone() or ("none",)
    return f"{identity_in(connection, path).ledger_id[:8]}-tick-{sequence}"
