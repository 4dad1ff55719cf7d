"""How a ledger file comes to be, and what must be true of one before a single row of it is read."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from adapters.sqlite_ledger.durable import clear, put_in_place
from adapters.sqlite_ledger.faults import LedgerForbidden, LedgerInvalid
from adapters.sqlite_ledger.micros import decimal, micros
from adapters.sqlite_ledger.schema import APPLICATION_ID, TABLES, VERSION
from adapters.sqlite_ledger.trades import first_link

BUSY_S = 5.0
"""Seconds to wait for a process that writes although it must not."""

PRAGMAS = (
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA journal_size_limit=16777216",
)

FIRST_META = "INSERT INTO meta (one, ledger_id, mode, opening_cash, created_at_ms) VALUES (1, ?, ?, ?, ?)"
FIRST_STATE = """
INSERT INTO state (one, sequence, cash, realised, fees, last_hash, reference_prices) VALUES (1, 0, ?, 0, 0, ?, '[]')
"""
READ_META = "SELECT ledger_id, mode, opening_cash, created_at_ms FROM meta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a ledger says of itself for ever. `opening_cash` in USDC, `created_at_ms` UTC."""

    ledger_id: str
    mode: str
    opening_cash: Decimal
    created_at_ms: int

    @property
    def first_link(self) -> str:
        """The hash before the first trade."""
        return first_link(self.ledger_id, self.mode, self.opening_cash, self.created_at_ms)


def is_new(path: Path) -> bool:
    """Whether a ledger must be made here. Raises `LedgerInvalid` for what is there and cannot be one."""
    if path.is_file():
        if path.stat().st_size == 0:
            raise LedgerInvalid(path, "it is an empty file")
        return False
    if os.path.lexists(path):
        raise LedgerInvalid(path, "it is no file")
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size > 0:
        # SQLite would play the old log into a new ledger of the same name.
        raise LedgerInvalid(path, f"it is gone, but {wal.name} is still there")
    return True


def create(path: Path, identity: Identity) -> None:
    """Make a ledger without ticks: whole under another name, then renamed, so that a crash leaves none or all of it.

    What lies under the name is replaced: it must be closed, and its log folded in.
    """
    draft = path.with_name(f"{path.name}.new")
    clear(draft)
    with closing(_connected(draft, "rwc")) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            connection.execute(table)
        cash = micros(identity.opening_cash)
        connection.execute(FIRST_META, (identity.ledger_id, identity.mode, cash, identity.created_at_ms))
        connection.execute(FIRST_STATE, (cash, identity.first_link))
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
        # Now, as switching over later would be a change that only a writer could end after a crash.
        _assert_answer(connection, draft, "PRAGMA journal_mode=WAL", "wal")
    put_in_place(draft, path)


def connect(path: Path) -> sqlite3.Connection:
    """The one connection that writes to an existing ledger, its shape and pragmas checked.

    Raises `LedgerInvalid`, `LedgerForbidden`, `sqlite3.Error`.
    """
    _refuse_if_forbidden(path)
    connection = _connected(path, "rw")
    try:
        _assert_ours(connection, path)
        _assert_answer(connection, path, "PRAGMA journal_mode=WAL", "wal")
        connection.execute("PRAGMA synchronous=FULL")
        _assert_answer(connection, path, "PRAGMA synchronous", 2)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        _assert_answer(connection, path, "PRAGMA quick_check", "ok")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, checked alike. Raises `LedgerInvalid`, `sqlite3.Error`."""
    if is_new(path):
        raise LedgerInvalid(path, "there is no such file", "Start the agent to have one made, or name another file")
    connection = _connected(path, "ro")
    try:
        _assert_ours(connection, path)
        connection.execute("PRAGMA trusted_schema=OFF")
        _assert_answer(connection, path, "PRAGMA quick_check", "ok")
    except BaseException:
        connection.close()
        raise
    return connection


def version_in(connection: sqlite3.Connection) -> int:
    """The version of the tables behind a connection."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def identity_in(connection: sqlite3.Connection, path: Path) -> Identity:
    """What the file says of itself. Raises `LedgerInvalid` when it says nothing."""
    row = connection.execute(READ_META).fetchone()
    if row is None:
        raise LedgerInvalid(path, "it has no identity")
    ledger_id, mode, opening_cash, created_at_ms = row
    return Identity(ledger_id=ledger_id, mode=mode, opening_cash=decimal(opening_cash), created_at_ms=created_at_ms)


def _connected(path: Path, access: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={access}", uri=True, isolation_level=None, timeout=BUSY_S)


def _refuse_if_forbidden(path: Path) -> None:
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise LedgerForbidden(file, os.getuid() if hasattr(os, "getuid") else None)


def _assert_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Before the first pragma that writes: another program's file must stay as it is."""
    _assert_answer(connection, path, "PRAGMA application_id", APPLICATION_ID)
    found = version_in(connection)
    if found > VERSION:
        raise LedgerInvalid(path, f"its tables have version {found}, this program knows {VERSION}", "Use the newer program")
    if found < 1:
        raise LedgerInvalid(path, f"its tables have version {found}, which never was")


def _assert_answer(connection: sqlite3.Connection, path: Path, question: str, expected: str | int) -> None:
    (answer,) = connection.execute(question).fetchone()
    if answer != expected:
        raise LedgerInvalid(path, f"{question} answers {answer}, not {expected}")
