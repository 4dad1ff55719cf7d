"""An edition: everything that should be on the disk after one tick, and the order in which it gets there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from adapters.portal.cells import json_bytes
from adapters.portal.disk import Disk
from adapters.portal.documents import Latest, Run, live_status, markets_index, order_books, portfolio
from adapters.portal.manifest import Content, manifest
from adapters.portal.schema import (
    BOOKS,
    FILES,
    LIVE_STATUS,
    MANIFEST,
    MARKETS_INDEX,
    PORTFOLIO,
    SOURCES_HEALTH,
    Kind,
    OutputFile,
)
from adapters.portal.tables import Table

NOTHING = Content(rows=0, newest_ms=None, bytes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One file's lines at one moment, and the time of its newest datum."""

    parts: tuple[bytes, ...]
    rows: int
    newest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One tick's files: the CSV sheets as they stand, and what the JSON files are made of; `sources` is made already."""

    latest: Latest
    sources: bytes
    sheets: Mapping[OutputFile, Sheet]

    @classmethod
    def of(cls, latest: Latest, sources: bytes, tables: Iterable[Table]) -> "Edition":
        """The edition of this moment; the tables may grow on."""
        sheets = {}
        for table in tables:
            parts = table.parts
            sheets[table.file] = Sheet(parts=parts, rows=len(parts) - 1, newest_ms=table.newest_ms)
        return cls(latest=latest, sources=sources, sheets=sheets)


def write(edition: Edition, run: Run, disk: Disk) -> None:
    """Bring the disk up to the edition: every file, and last the manifest, which says what really lies there."""
    latest = replace(edition.latest, failures=disk.failures)
    documents = {
        LIVE_STATUS: json_bytes(live_status(run, latest)),
        SOURCES_HEALTH: edition.sources,
        PORTFOLIO: json_bytes(portfolio(latest)),
        MARKETS_INDEX: json_bytes(markets_index(latest)),
        BOOKS: json_bytes(order_books(run, latest)),
    }
    sheets = {
        **edition.sheets,
        **{file: Sheet(parts=(text,), rows=1, newest_ms=latest.at_ms) for file, text in documents.items()},
    }
    others = [file for file in FILES if file is not MANIFEST]
    for file in others:
        sheet = sheets[file]
        disk.write(file.name, sheet.parts, rows=sheet.rows, newest_ms=sheet.newest_ms)
    contents = {file.name: disk.contents.get(file.name, NOTHING) for file in others}
    text = json_bytes(manifest(run, latest, contents))
    disk.write(MANIFEST.name, (text,), rows=1, newest_ms=latest.at_ms)


def csv_files() -> tuple[OutputFile, ...]:
    """The files that are tables."""
    return tuple(file for file in FILES if file.kind is Kind.CSV)
