"""One daemon a directory: a lock on STATE_DIR that the kernel frees when its holder dies, however it dies."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

LOCK_NAME = "agent.lock"

PID_BYTES = 32
"""The most that is read of a lock file: a pid is shorter."""

if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 1 << 30
    """Windows bars others from reading the locked bytes: this one lies far behind the pid."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def own_uid() -> int | None:
        """The user of this process; None where users have no numbers."""
        return None

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def own_uid() -> int | None:
        """The user of this process; None where users have no numbers."""
        return os.getuid()


class AlreadyRunning(Exception):
    """Another process holds the lock. `pid` is None in the instant before the holder has written its own."""

    def __init__(self, pid: int | None, path: Path) -> None:
        """Name the holder and the lock file."""
        who = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{who} already runs with {path.parent} (it holds {path}): stop it, or give this one its own STATE_DIR"
        )
        self.pid = pid
        self.path = path


class StateDirUnusable(Exception):
    """The directory cannot be made or written. `uid` is the user that tried, None where users have no numbers."""

    def __init__(self, path: Path, uid: int | None, why: str) -> None:
        """Name the directory, the user and the reason."""
        who = "" if uid is None else f" by uid {uid}"
        super().__init__(f"STATE_DIR {path} cannot be used{who}: {why}")
        self.path = path
        self.uid = uid
        self.why = why


class StateLock:
    """Holds STATE_DIR for this process alone from entering to leaving the context; makes the directory (0750)."""

    def __init__(self, state_dir: Path) -> None:
        """Prepare for this directory; nothing is touched yet."""
        self._state_dir = state_dir
        self._path = state_dir / LOCK_NAME
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock without waiting. Raises `AlreadyRunning` and `StateDirUnusable`."""
        descriptor = self._opened()
        try:
            _lock(descriptor)
        except OSError as error:
            pid = _pid_in(descriptor)
            os.close(descriptor)
            raise AlreadyRunning(pid, self._path) from error
        self._descriptor = descriptor
        _write(descriptor, f"{os.getpid()}\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the lock back. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            _write(self._descriptor, "")
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        try:
            self._state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            raise StateDirUnusable(self._state_dir, own_uid(), error.strerror or str(error)) from error
        if not os.access(self._state_dir, os.W_OK | os.X_OK):
            os.close(descriptor)
            raise StateDirUnusable(self._state_dir, own_uid(), "no permission to write")
        return descriptor


def _write(descriptor: int, text: str) -> None:
    """Replace the file's text. A disk too full for a pid is no reason to stop: the lock is what counts."""
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode("ascii"))
    except OSError:
        return


def _pid_in(descriptor: int) -> int | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return int(os.read(descriptor, PID_BYTES))
    except (OSError, ValueError):
        return None
