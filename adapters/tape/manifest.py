"""`manifest.json` of a tape: what it covers, where nothing was recorded, what was in force, and the hash of every file."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.tape import TapeInvalid
from adapters.tape.schema import FORMAT, MANIFEST_FILE
from domain.market import ReferenceId, TokenId


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Entry):
    """One file: its size, its rows, and the SHA-256 of its bytes."""

    size: int
    rows: int
    sha256: str


class Stretch(_Entry):
    """Ticks without a gap between them: times of the first and the last, UTC ms."""

    first: int
    ticks: int
    from_ms: int
    until_ms: int


class GapEntry(_Entry):
    """Recording was off before tick `first`, from and until these times (UTC ms), and why."""

    first: int
    from_ms: int
    until_ms: int
    why: str


class TokenEntry(_Entry):
    """One token: how its market is called, what was in force (in the order of time), and how many of its books there are.

    `left_out` counts books that a tape cannot hold exactly: prices or sizes finer than a millionth.
    """

    token: TokenId
    market: str = ""
    slug: str = ""
    outcome: str = ""
    fees: tuple[str, ...] = ()
    tick_sizes: tuple[str, ...] = ()
    min_order_sizes: tuple[str, ...] = ()
    books: int = 0
    left_out: int = 0


class Day(_Entry):
    """A UTC day: the number of its first tick, and the tokens that had books, each a directory."""

    day: str
    first: int
    tokens: tuple[TokenId, ...]


class Manifest(_Entry):
    """The whole file. `version` is the program's, `sources` is what the tape was made of, `warnings` what was wrong there."""

    format: int = FORMAT
    version: str
    sources: tuple[str, ...]
    warnings: tuple[str, ...]
    ticks: int
    coverage: tuple[Stretch, ...]
    gaps: tuple[GapEntry, ...]
    tokens: tuple[TokenEntry, ...]
    references: tuple[ReferenceId, ...]
    days: tuple[Day, ...]
    files: Mapping[str, FileEntry]

    def write(self, directory: Path) -> None:
        """Write it, last of all files."""
        (directory / MANIFEST_FILE).write_text(self.model_dump_json(indent=1), encoding="utf-8")


def file_entry(path: Path, rows: int) -> FileEntry:
    """The entry of a finished file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(size=path.stat().st_size, rows=rows, sha256=digest)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a tape whose files are all there. Raises `TapeInvalid`."""
    path = directory / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TapeInvalid(f"{directory} is no tape: {path.name} cannot be read ({error.strerror})") from None
    except ValidationError as error:
        found = error.errors()[0]
        raise TapeInvalid(f"{path}: {'.'.join(map(str, found['loc']))}: {found['msg']}") from None
    if manifest.format != FORMAT:
        raise TapeInvalid(f"{path}: format {manifest.format}, this version reads {FORMAT}; compile the tape again")
    for name, entry in manifest.files.items():
        size = _size(directory / name)
        if size != entry.size:
            raise TapeInvalid(f"{directory / name}: {'missing' if size is None else f'{size} bytes'}, not {entry.size} bytes")
    return manifest


def _size(path: Path) -> int | None:
    """The bytes of a file; None where there is none, or can be none under such a name."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def fingerprint(directory: Path) -> str:
    """A hash of all of a tape's bytes: its manifest names the hash of every file. Raises `TapeInvalid`."""
    try:
        return hashlib.sha256((directory / MANIFEST_FILE).read_bytes()).hexdigest()
    except OSError as error:
        raise TapeInvalid(f"{directory} is no tape: {MANIFEST_FILE} cannot be read ({error.strerror})") from None


def damaged_files(directory: Path) -> tuple[str, ...]:
    """The files whose bytes are not those that were written. Reads all of them; raises `TapeInvalid`."""
    files = read_manifest(directory).files
    return tuple(name for name, entry in files.items() if file_entry(directory / name, entry.rows) != entry)
