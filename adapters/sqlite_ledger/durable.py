"""Files that are whole or not there, also after a power cut. Nothing here may meet a ledger that is open.

Opening and closing a file lets go of all locks that this process has on it (POSIX), SQLite's own included.
"""

import os
import sys
from pathlib import Path

MODE = 0o640
"""Of the ledger and its copies: the group may read along, strangers may not."""


def clear(draft: Path) -> None:
    """Remove a draft that is closed or was cut off, and what SQLite has put beside it. Raises `OSError`."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)


def put_in_place(draft: Path, path: Path) -> None:
    """Give a finished file its name: its bytes are on the disk before the name is. Raises `OSError`."""
    draft.chmod(MODE)
    _sync(draft, os.O_RDWR)
    draft.replace(path)
    if sys.platform != "win32":  # pragma: no branch - Windows has no such call
        _sync(path.parent, os.O_RDONLY)


def write_durably(path: Path, content: bytes) -> None:
    """Write a whole file. Raises `OSError`; the old one then stays."""
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_bytes(content)
        put_in_place(draft, path)
    finally:
        clear(draft)


def _sync(path: Path, access: int) -> None:
    descriptor = os.open(path, access)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
