"""What can be wrong with a ledger, told apart by what a person must do: repair the disk, or bring back the right file."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKUPS = "backups"
"""The directory of the backups, beside the ledger."""

RETRY = "Make room or mend the disk and start again: every tick that was committed is still there"

LONGEST_WHY = 300
"""Characters of a reason: a parser's own may quote all that it read."""

CONTENT_ERRORS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""SQLite's codes for a file that is not what it should be. SQLITE_ERROR: constant SQL met tables of another shape."""


class LedgerInvalid(Exception):
    """What the file holds cannot be trusted; trying again changes nothing."""

    def __init__(self, path: Path, why: str, what_to_do: str | None = None) -> None:
        """Name the file, what is wrong with it, and the way out: by itself the newest backup, where there is one."""
        self.path = path
        self.why = why
        self.what_to_do = what_to_do or _restore(path)
        super().__init__(f"the ledger {path} is refused: {why}. {self.what_to_do}.")


class LedgerUnwritable(Exception):
    """The disk or the file system failed. What is on disk is unknown until the ledger is opened anew."""

    def __init__(self, path: Path, why: str) -> None:
        """Name the file and what the system said."""
        super().__init__(f"{path} cannot be read or written: {why}. {RETRY}.")
        self.path = path
        self.why = why


UNFINISHED = "a crash left a change that only the agent's next start can end, or the directory may not be written"
"""What it means when a connection that only reads would have to write."""


class LedgerForbidden(Exception):
    """The ledger's files belong to another user, or may not be written."""

    def __init__(self, path: Path, uid: int | None) -> None:
        """Name the file and the user that tried, None where users have no numbers."""
        who = "this user" if uid is None else f"uid {uid}"
        super().__init__(f"{path} may not be read and written by {who}: run as its owner, or give it to {who}")
        self.path = path
        self.uid = uid


def backups_of(path: Path) -> list[Path]:
    """The backups beside a ledger, the newest last."""
    return sorted((path.parent / BACKUPS).glob("*.sqlite3"), key=lambda backup: backup.stat().st_mtime_ns)


def _restore(path: Path) -> str:
    away = f"move {path.name} and its -wal and -shm away"
    try:
        newest = backups_of(path)[-1]
    except (OSError, IndexError):
        return f"There is no backup in {path.parent / BACKUPS}: bring one back from elsewhere, or {away} to start a new ledger"
    return f"To go back to the newest backup, {away} and copy {newest} to {path}; without the copy a new ledger starts"


@contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into `LedgerInvalid` or `LedgerUnwritable`."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in CONTENT_ERRORS:
            raise LedgerInvalid(path, f"SQLite says: {error}") from error
        raise LedgerUnwritable(path, UNFINISHED if code == sqlite3.SQLITE_READONLY else str(error)) from error
    except OSError as error:
        raise LedgerUnwritable(path, error.strerror or str(error)) from error


@contextmanager
def belief(path: Path) -> Iterator[None]:
    """Turn rows that make no ledger (a text that does not parse, books that do not add up) into `LedgerInvalid`."""
    try:
        yield
    except LookupError as error:
        raise LedgerInvalid(path, f"a row names {error}, which is not there") from error
    except (ValueError, TypeError, ArithmeticError, struct.error) as error:
        raise LedgerInvalid(path, " ".join(str(error).split())[:LONGEST_WHY]) from error
