"""The recording's way to the disk: lines are encoded, compressed and written by a thread of ours, in order."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from adapters.tape.segments import SEGMENT_BYTES, SegmentWriter

MOST_WAITING = 20_000
"""Lines that may wait for the disk: beyond that it does not keep up."""

PATIENCE_S = 2.0
"""Seconds that a tick waits for its frames to be written before its commit; ordinarily they are already."""

CLOSING_S = 10.0


class Waiting(NamedTuple):
    """A line to come: its time (UTC ms), and what makes it."""

    at_ms: int
    line: Callable[[], bytes]


class RecordDisk:
    """Writes lines to segments. Whatever goes wrong ends the recording, once, and `failed` is told; nobody else is.

    `failed` is called by whichever thread meets the trouble.
    """

    def __init__(self, directory: Path, *, failed: Callable[[str], None], most_bytes: int = SEGMENT_BYTES) -> None:
        """Touch nothing before the first line."""
        self._directory = directory
        self._failed = failed
        self._most_bytes = most_bytes
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._busy = self._closing = False
        self.broken = False
        self._thread = threading.Thread(target=self._write_on, name="recording", daemon=True)

    def start(self) -> None:
        """Begin to write what was put and what will be."""
        self._thread.start()

    def put(self, at_ms: int, line: Callable[[], bytes]) -> None:
        """Take one line; never waits. After a failure it is dropped."""
        with self._changed:
            if self.broken:
                return
            self._waiting.append(Waiting(at_ms, line))
            full = len(self._waiting) > MOST_WAITING
            self._changed.notify_all()
        if full:
            self._give_up("the disk does not keep up")

    def flush(self) -> None:
        """Wait until everything that was put is in the system's hands; a disk that takes longer than 2 s is given up."""
        with self._changed:
            written = self._changed.wait_for(lambda: self.broken or not (self._waiting or self._busy), PATIENCE_S)
        if not written:
            self._give_up(f"nothing was written for {PATIENCE_S:g} s")

    def close(self) -> None:
        """Write what waits, end the segment and the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSING_S)

    def _give_up(self, why: str) -> None:
        with self._changed:
            first, self.broken = not self.broken, True
            self._waiting.clear()
            self._changed.notify_all()
        if first:
            self._failed(f"{self._directory}: {why}")

    def _write_on(self) -> None:
        try:
            segments = SegmentWriter(self._directory, most_bytes=self._most_bytes)
            while due := self._due():
                for waiting in due:
                    segments.write(waiting.line(), waiting.at_ms)
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
            segments.close()
        except OSError as error:
            self._give_up(error.strerror or type(error).__name__)
        finally:
            if not self._closing:
                self._give_up("its thread has ended")

    def _due(self) -> list[Waiting]:
        """The lines that wait, once there are any; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing or self.broken)
            due = list(self._waiting)
            self._waiting.clear()
            self._busy = bool(due)
            return due
