"""Ledgers as earlier versions of the program have left them."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

VERSION_1_TABLES = "d503a2bb5933d7895c4b1040e1206cb44ec2d480830a50e508e9fb0fcf3be072"
"""The digest of all that version 1 wrote into `sqlite_schema`, taken from a ledger of its own making."""


VERSION_2_TABLES = "7eb43646fe4fe8e7ff136b531177eff4f3dfd04ab846496702ac4729d3228130"
"""The same of version 2."""


def as_version_1(path: Path) -> None:
    """Make a closed ledger of today be one of version 1: its tables had no index of settlements."""
    as_version_2(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP INDEX settlements")
        connection.execute("PRAGMA user_version=1")
        assert tables_digest(connection) == VERSION_1_TABLES, "the fixture is no longer what version 1 was"


def as_version_2(path: Path) -> None:
    """Make a closed ledger of today be one of version 2, which kept nothing for the protections."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE protections")
        connection.execute("PRAGMA user_version=2")
        assert tables_digest(connection) == VERSION_2_TABLES, "the fixture is no longer what version 2 was"


def tables_digest(connection: sqlite3.Connection) -> str:
    """A digest of all tables and indexes as they are defined."""
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    return sha256("\n".join(sql for (sql,) in rows).encode()).hexdigest()
