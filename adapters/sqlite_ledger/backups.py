"""Copies of a ledger, each opened and proved before it gets its name. The ledger may be in use meanwhile.

They are made by SQLite itself (`VACUUM INTO`, over a connection that only reads): a copied file lacks what is in the log.
"""

from contextlib import closing
from pathlib import Path

from adapters.sqlite_ledger.checking import Proven, proven
from adapters.sqlite_ledger.durable import clear, put_in_place
from adapters.sqlite_ledger.faults import BACKUPS, LedgerInvalid, disk_trouble
from adapters.sqlite_ledger.opening import connect_to_read

KEPT_DAYS = 14
DAILY = "ledger-????-??-??.sqlite3"
"""Which backups go when newer ones come. Those with other names were asked for, or made before a change: they stay."""

SEQUENCE = "SELECT sequence FROM state"


def back_up(path: Path, target: Path) -> Proven:
    """Copy a ledger to `target`, whole or not at all; what the copy holds.

    Raises `LedgerInvalid` when the copy does not add up, `LedgerUnwritable` when the disk fails, `FileExistsError`.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    draft = target.with_name(f".{target.name}.tmp")
    with disk_trouble(target):
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            clear(draft)
            with disk_trouble(path), closing(connect_to_read(path)) as connection:
                connection.execute("VACUUM INTO ?", (str(draft),))
            with closing(connect_to_read(draft)) as copy:
                copied = proven(copy, path)
            put_in_place(draft, target)
        finally:
            clear(draft)
    return copied


def back_up_daily(path: Path, day: str) -> Path | None:
    """The backup of a day (`2026-03-02`), and the oldest gone; None where it is there, or the ledger has no tick yet.

    Raises as `back_up` does.
    """
    directory = path.parent / BACKUPS
    target = directory / f"ledger-{day}.sqlite3"
    if target.exists() or _is_unused(path):
        return None
    back_up(path, target)
    with disk_trouble(directory):
        for old in sorted(directory.glob(DAILY))[:-KEPT_DAYS]:
            old.unlink()
    return target


def _is_unused(path: Path) -> bool:
    with disk_trouble(path), closing(connect_to_read(path)) as connection:
        row = connection.execute(SEQUENCE).fetchone()
    if row is None:
        raise LedgerInvalid(path, "it has no state")
    return bool(row[0] == 0)
