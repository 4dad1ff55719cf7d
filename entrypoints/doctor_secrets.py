"""What a report must not show: keys wherever they lie, who is told, and what people noted in the map for themselves."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from entrypoints.keys import FILE_VARIABLE, VALUES
from entrypoints.redaction import secrets_of_addresses

READ_AT_MOST = 1_000_000
"""Bytes of one file."""


def secrets_around(environment: Mapping[str, str], market_map: Path | None) -> Iterator[str]:
    """All of them."""
    yield from (environment.get(name, "") for name, _ in VALUES.values())
    yield from secrets_of_addresses(environment.get("NOTIFY_URLS", ""))
    if path := environment.get(FILE_VARIABLE, "").strip():
        yield from _strings(json_in(Path(path)))
    if directory := environment.get("CREDENTIALS_DIRECTORY", "").strip():
        yield from (text_in(Path(directory) / name.lower()).strip() for name, _ in VALUES.values())
    if market_map is not None:
        yield from _notes(json_in(market_map))


def text_in(path: Path, *, end: bool = False) -> str:
    """A file's beginning or end as text; empty when it cannot be read, or is a pipe that might never end."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            if end:
                file.seek(max(0, os.fstat(file.fileno()).st_size - READ_AT_MOST))
            return file.read(READ_AT_MOST).decode(errors="replace")
    except OSError:
        return ""


def json_in(path: Path) -> object:
    """What a file holds; None when that is no JSON."""
    try:
        found: object = json.loads(text_in(path))
    except (ValueError, RecursionError):
        return None
    return found


def _strings(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            yield from (text for item in value.values() for text in _strings(item))
        case list():
            yield from (text for item in value for text in _strings(item))


def _notes(value: object) -> Iterator[str]:
    """Every text under the name `notes`."""
    match value:
        case dict():
            for name, item in value.items():
                yield from _strings(item) if name == "notes" else _notes(item)
        case list():
            yield from (text for item in value for text in _notes(item))


def without_notes(value: object) -> object:
    """The same without what people noted in it."""
    match value:
        case dict():
            return {name: "***" if name == "notes" else without_notes(item) for name, item in value.items()}
        case list():
            return [without_notes(item) for item in value]
    return value
