"""Segments: a recording is a directory of gzip files named by time, each of which survives the death of its writer.

Every line is compressed and handed to the system whole, so that kill -9 costs at most the line that was being written. A line
begins with a checksum that runs on from the line before, and the first line of a segment with the size and the checksum of
the file before it: a changed byte, a line or a file that is gone is found, and told from a writer's death.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from adapters.simulated_venues.frames import RecordingInvalid

SUFFIX = ".jsonl.gz"
NAME = "%Y%m%dT%H%M%S.%fZ"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
SEGMENT_BYTES = 64 * 1024 * 1024
CHUNK = 1 << 16
LEVEL = 1
"""Of zlib: level 6 makes books a fifth smaller and takes three times as long."""

HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Gzip's first ten bytes, the same on every system, so that a reader can hold them to it."""

OPENINGS = ("session", "gap")
"""The kinds of line with which a new writer begins; one that only goes on has ended the segment before."""

_CRC = b'{"crc":"%08x",'
_CRC_LENGTH = len(_CRC % 0)


class Line(NamedTuple):
    """One line of a recording as JSON: of which segment, and which one there (1 is the first)."""

    segment: Path
    number: int
    text: bytes


class File(NamedTuple):
    """A segment as it lies on the disk: its name, its size, the checksum (CRC-32) of its bytes."""

    name: str
    size: int
    crc: int


def segments(directory: Path) -> list[Path]:
    """The segments of a recording, oldest first."""
    return sorted(path for path in directory.glob(f"*{SUFFIX}") if _named_ms(path) is not None)


def is_recording(path: Path) -> bool:
    """Whether it is a directory of segments, or one of them."""
    return bool(segments(path)) if path.is_dir() else path.is_file() and _named_ms(path) is not None


class SegmentWriter:
    """Appends lines to the newest segment of a directory; a new one for every hour and for every `most_bytes`.

    It never goes on in a file that another writer left. Every method raises `OSError` when the disk fails.
    """

    def __init__(self, directory: Path, *, most_bytes: int = SEGMENT_BYTES) -> None:
        """Make the directory, and look at what was recorded there before; nothing is written yet."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._most_bytes = most_bytes
        before = segments(directory)
        self._before = _file(before[-1]) if before else None
        self._newest_ms = (_named_ms(before[-1]) or 0) if before else 0
        self._open: _Segment | None = None
        self._hour = 0

    def write(self, line: bytes, at_ms: int) -> None:
        """Append one object of JSON, recorded at `at_ms` (UTC), and hand it to the system."""
        hour = at_ms // HOUR_MS
        if self._open is not None and (hour != self._hour or self._open.size >= self._most_bytes):
            self.close()
        if self._open is None:
            self._hour = hour
            self._newest_ms = max(at_ms, self._newest_ms + 1)
            self._open = _Segment(self._directory / f"{_name(self._newest_ms)}{SUFFIX}")
            line = b'{"before":%s,%s' % (json.dumps(self._before).encode(), line[1:])
        self._open.write(line)

    def close(self) -> None:
        """End the open segment."""
        if self._open is not None:
            self._before = self._open.close()
            self._open = None


class _Segment:
    """An open file. `size` is what was written so far, in bytes."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._file = path.open("xb", buffering=0)
        self._deflate = zlib.compressobj(LEVEL, wbits=-15)
        self._line_crc = self._crc = self._text_crc = self._text_size = self.size = 0
        self._put(HEADER)

    def write(self, line: bytes) -> None:
        self._line_crc = zlib.crc32(line[1:], self._line_crc)
        text = _CRC % self._line_crc + line[1:] + b"\n"
        self._text_crc = zlib.crc32(text, self._text_crc)
        self._text_size += len(text)
        self._put(self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> File:
        with self._file:
            self._put(self._deflate.flush() + struct.pack("<II", self._text_crc, self._text_size & 0xFFFFFFFF))
        return File(self._name, self.size, self._crc)

    def _put(self, raw: bytes) -> None:
        left = memoryview(raw)
        while left:
            left = left[self._file.write(left) :]
        self.size += len(raw)
        self._crc = zlib.crc32(raw, self._crc)


def read_lines(recording: Path) -> Iterator[Line]:
    """Every whole line of a recording (a directory, or one segment), oldest first.

    A segment that breaks off is the work of a writer that was killed: reading goes on with the next one. Raises
    `RecordingInvalid`, with segment and line, for bytes that were not written so and for a segment that is missing.
    """
    paths = segments(recording) if recording.is_dir() else [recording]
    if not paths:
        raise RecordingInvalid(recording, 0, "no segment of a recording in it")
    before: _Reading | None = None
    for path in paths:
        reading = _Reading(path)
        for line in reading.lines():
            yield _checked(line, before) if line.number == 1 else line
        before = reading


def _checked(first: Line, before: "_Reading | None") -> Line:
    """The first line of a segment, after it was compared with the file that was read before it."""
    if before is None:
        return first
    try:
        row = json.loads(first.text)
        named = File(*row["before"]) if row.get("before") else None
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordingInvalid(first.segment, 1, f"no line of a recording ({error!r})") from error
    if named is None or named.name != before.path.name:
        why = f"the segment before it is {named.name}, not {before.path.name}" if named else "no segment lay before it"
        raise RecordingInvalid(first.segment, 1, f"when it was begun, {why}")
    if (named.size, named.crc) != (before.size, before.crc):
        raise RecordingInvalid(before.path, before.read, "its bytes are not those that the next segment found")
    if not before.whole and row.get("kind") not in OPENINGS:
        raise RecordingInvalid(before.path, before.read, "it breaks off, and yet its writer went on in the next segment")
    return first


@dataclass(slots=True)
class _Reading:
    """One segment while it is read: how many lines, bytes and which checksum so far; `whole` once it ended as it should."""

    path: Path
    read: int = 0
    size: int = 0
    crc: int = 0
    whole: bool = False
    _line_crc: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def lines(self) -> Iterator[Line]:
        unpack = zlib.decompressobj(wbits=31)
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    if self.size == 0 and not HEADER.startswith(chunk[: len(HEADER)]):
                        raise RecordingInvalid(self.path, 0, "it does not begin as a segment does")
                    self.size += len(chunk)
                    self.crc = zlib.crc32(chunk, self.crc)
                    for text in _inflated(unpack, chunk):
                        yield from self._lines_in(text)
                    if unpack.unused_data:
                        raise RecordingInvalid(self.path, self.read, "something follows its end")
        except OSError as error:
            raise RecordingInvalid(self.path, self.read, f"cannot be read ({error.strerror})") from error
        except zlib.error as error:
            raise RecordingInvalid(self.path, self.read + 1, f"the gzip data is damaged ({error})") from error
        self.whole = unpack.eof
        if self.whole and self._rest:
            raise RecordingInvalid(self.path, self.read + 1, "the last line has no end")

    def _lines_in(self, text: bytes) -> Iterator[Line]:
        *whole, self._rest = (self._rest + text).split(b"\n")
        for line in whole:
            number = self.read + 1
            self._line_crc = zlib.crc32(line[_CRC_LENGTH:], self._line_crc)
            if line[:_CRC_LENGTH] != _CRC % self._line_crc:
                raise RecordingInvalid(self.path, number, "its checksum does not fit: a byte of it was changed")
            self.read = number
            yield Line(self.path, number, b"{" + line[_CRC_LENGTH:])


def _inflated(unpack: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """What a chunk unpacks to; all that comes before a damage is given before `zlib.error` is raised."""
    before = unpack.copy()
    try:
        yield unpack.decompress(chunk)
    except zlib.error:
        for at in range(len(chunk)):
            yield before.decompress(chunk[at : at + 1])


def _file(path: Path) -> File:
    """A segment that another writer left, whole or not."""
    size = crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return File(path.name, size, crc)


def _name(at_ms: int) -> str:
    """`20260302T120000.123000Z`: names in the order of time."""
    return (EPOCH + timedelta(milliseconds=at_ms)).strftime(NAME)


def _named_ms(path: Path) -> int | None:
    """The time in a segment's name, UTC ms; None for a foreign file."""
    with suppress(ValueError):
        named = datetime.strptime(path.name.removesuffix(SUFFIX), NAME).replace(tzinfo=UTC)
        return (named - EPOCH) // timedelta(milliseconds=1)
    return None
