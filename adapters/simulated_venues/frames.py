"""Reading a frames file (`shared/recordings/FRAMES.md`): what can be read of it, and why the reading ended early."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.wire_numbers import FIRST_MS, LAST_MS

SOURCES = {
    "polymarket_clob": "clob",
    "polymarket_gamma": "gamma",
    "kraken_spot": "kraken_spot",
    "kraken_futures": "kraken_futures",
}
CHUNK = 1 << 16


class RecordingInvalid(Exception):
    """A file that is no recording: `path`, `line` (1 is the first, 0 the file itself) and `why`."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        """All of it is in the message too."""
        super().__init__(f"{path}, line {line}: {why}" if line else f"{path}: {why}")
        self.path, self.line, self.why = path, line, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line: `venue` answered `path` (as recorded, with its query) with `status` and a body at `t_ms` (UTC).

    `text` is the line itself, known to be good: kept instead of the parsed body, which takes ten times the memory.
    """

    t_ms: int
    venue: str
    method: str
    path: str
    status: int
    text: bytes

    def body(self) -> object:
        """The recorded body, parsed anew at each call."""
        body: object = json.loads(self.text)["body"]
        return body


def read_frames(path: Path) -> tuple[list[Frame], str | None]:
    """Every good frame in the file's order, and a warning when the file breaks off before its end.

    Plain or gzip is told by the first bytes. RecordingInvalid when nothing usable comes before the break, and for a frame of
    a time that is none: what was written in another unit did not break off.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecordingInvalid(path, 0, f"cannot be read ({error.strerror})") from error
    content, warning = _gunzipped(raw) if raw[:2] == b"\x1f\x8b" else (raw, None)
    frames: list[Frame] = []
    number = 0
    for number, text in enumerate(content.splitlines(), 1):
        try:
            found = _frames_of(text)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            warning = f"line {number} is broken ({_said(error)}); the recording ends at line {number - 1}"
            break
        if any(not FIRST_MS <= frame.t_ms <= LAST_MS for frame in found):
            raise RecordingInvalid(path, number, "t must be milliseconds between 2020 and 2100")
        frames += found
    if not frames:
        raise RecordingInvalid(path, number, warning or "no frame in it")
    return frames, warning


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _gunzipped(raw: bytes) -> tuple[bytes, str | None]:
    """All that can be unpacked of `raw` (one or more gzip members), and a warning unless that is all of it."""
    whole: list[bytes] = []
    unpack = zlib.decompressobj(wbits=31)
    pending = _chunks(raw)
    for chunk in pending:
        rest = chunk
        while rest:
            try:
                whole.append(unpack.decompress(rest))
            except zlib.error as error:
                return b"".join(whole), f"the gzip data is damaged ({error})"
            rest = unpack.unused_data
            unpack = zlib.decompressobj(wbits=31) if unpack.eof and rest else unpack
    return b"".join(whole), None if unpack.eof else "the gzip data breaks off before its end"


def _chunks(raw: bytes) -> Iterator[bytes]:
    for start in range(0, len(raw), CHUNK):
        yield raw[start : start + CHUNK]


def _frames_of(text: bytes) -> list[Frame]:
    """The frame of one line, or none: other kinds of line, failed requests and foreign sources have nothing to play."""
    row = json.loads(text.decode())
    if not isinstance(row, dict):
        raise ValueError("not an object")
    if "kind" in row:
        return []
    t_ms, source, path = row["t"], row["source"], row["path"]
    status = row.get("status", 200)
    if not (isinstance(t_ms, int) and isinstance(source, str) and isinstance(path, str) and isinstance(status, int)):
        raise ValueError("t, source, path or status is of the wrong type")
    path.encode()  # half of a surrogate pair is no part of an address
    if "body" not in row and "error" not in row:
        raise KeyError("body")
    if source not in SOURCES or "body" not in row:
        return []
    method = str(row.get("method", "GET"))
    return [Frame(t_ms=t_ms, venue=SOURCES[source], method=method, path=path, status=status, text=text)]
