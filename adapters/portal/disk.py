"""Files replaced whole: a reader sees the old one or the new one, and a disk that fails costs that one file's freshness."""

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.portal.manifest import Content

ATTEMPTS = 5
PAUSE_S = 0.05
FILE_LIMIT = 20_000_000
"""Bytes of a file: more no page can show. The rows that are kept stay below it; it is for the day on which they do not."""

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A file as we left it: its lines, and the marks by which the system would show that someone else touched it."""

    parts: tuple[bytes, ...]
    stamp: Stamp
    content: Content


class Disk:
    """One directory of files that we alone write. Nothing is synced: every file can be made again from the ledger."""

    def __init__(self, directory: Path, *, replace: Callable[[Path, Path], object] = os.replace) -> None:
        """Nothing is touched before the first write. `replace` puts a file in another's place."""
        self.directory = directory
        self._put = replace
        self._written: dict[str, _Written] = {}
        self._failures: Counter[str] = Counter()

    @property
    def failures(self) -> Mapping[str, int]:
        """How many writes failed, by file."""
        return dict(self._failures)

    @property
    def contents(self) -> Mapping[str, Content]:
        """What the files that were written hold."""
        return {name: written.content for name, written in self._written.items()}

    def prepare(self, names: Iterable[str]) -> None:
        """Make the directory, and remove what a crash left half written. Raises `OSError` when there can be none."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise PermissionError(0, "no permission to write", str(self.directory))
        for name in names:
            with suppress(OSError):
                self._temporary(name).unlink()

    def write(self, name: str, parts: tuple[bytes, ...], *, rows: int, newest_ms: int | None) -> None:
        """Make the file be these parts, unless it is already. On any error the old file stays, and that is counted."""
        before = self._written.get(name)
        if before and before.parts == parts and before.stamp == self._stamp(name):
            content = Content(rows=rows, newest_ms=newest_ms, bytes=before.content.bytes)
            self._written[name] = _Written(parts=parts, stamp=before.stamp, content=content)
            return
        try:
            size = self._replace(name, b"".join(parts))
        except OSError:
            self._failures[name] += 1
            with suppress(OSError):
                self._temporary(name).unlink()
            return
        content = Content(rows=rows, newest_ms=newest_ms, bytes=size)
        self._written[name] = _Written(parts=parts, stamp=self._stamp(name), content=content)

    def _replace(self, name: str, whole: bytes) -> int:
        if len(whole) > FILE_LIMIT:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self._temporary(name)
        temporary.write_bytes(whole)
        # The daemon's umask hides the ledger; these files are for a web server of another user.
        temporary.chmod(0o644)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._put(temporary, self.directory / name)
                break
            except PermissionError:
                # Windows refuses while a reader holds the file open, which readers do briefly.
                if attempt == ATTEMPTS:
                    raise
                time.sleep(PAUSE_S)
        return len(whole)

    def _temporary(self, name: str) -> Path:
        return self.directory / f".{name}.tmp"

    def _stamp(self, name: str) -> Stamp:
        try:
            found = os.stat(self.directory / name)
        except OSError:
            return (0, 0, 0)
        return (found.st_ino, found.st_mtime_ns, found.st_size)
