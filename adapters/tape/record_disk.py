"""The recording's way to the disk: line by line, at once, until the disk fails for the first time.

There is no thread in between. A line of twenty books takes half a millisecond to compress and hand to the system, which is
less than a second thread takes from the first one; and what was handed over survives whatever happens to the process.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.tape.segments import SEGMENT_BYTES, SegmentWriter


class RecordDisk:
    """Appends lines. A disk that fails ends the recording: `failed` is told once, nobody else ever."""

    def __init__(self, directory: Path, *, failed: Callable[[str], None], most_bytes: int = SEGMENT_BYTES) -> None:
        """Touch nothing before the first line."""
        self._directory = directory
        self._failed = failed
        self._most_bytes = most_bytes
        self._segments: SegmentWriter | None = None
        self.broken = False

    def put(self, at_ms: int, line: bytes) -> None:
        """Append one line, recorded at `at_ms` (UTC); after a failure it is dropped."""
        if self.broken:
            return
        try:
            if self._segments is None:
                self._segments = SegmentWriter(self._directory, most_bytes=self._most_bytes)
            self._segments.write(line, at_ms)
        except OSError as error:
            self.broken = True
            self.close()
            self._failed(f"{self._directory}: {error.strerror or type(error).__name__}")

    def close(self) -> None:
        """End the segment."""
        if self._segments is not None:
            with suppress(OSError):
                self._segments.close()
            self._segments = None
