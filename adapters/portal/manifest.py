"""`manifest.json`: one small file that says what the others hold, and whose ledger they come from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.portal.cells import iso
from adapters.portal.documents import Document, Latest, Run
from adapters.portal.schema import MANIFEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one file on the disk holds."""

    rows: int
    newest_ms: int | None
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestIdentity:
    """The ledger that the files in a directory were made from, and its last tick that they show."""

    ledger_id: str
    sequence: int


def manifest(run: Run, latest: Latest, files: Mapping[str, Content]) -> Document:
    """The document. `interval_s` is there when it is known."""
    return {
        "tick": latest.sequence,
        "ts": iso(latest.at_ms),
        "started_at": iso(run.started_at_ms),
        "ledger_id": run.ledger_id,
        "sequence": latest.sequence,
        **({} if run.interval_s is None else {"interval_s": run.interval_s}),
        "files": {name: _entry(content) for name, content in files.items()},
    }


def _entry(content: Content) -> Document:
    newest = None if content.newest_ms is None else iso(content.newest_ms)
    return {"rows": content.rows, "newest": newest, "bytes": content.bytes}


def read_manifest(out_dir: Path) -> ManifestIdentity | None:
    """Whose files lie in a directory; None when that cannot be known."""
    try:
        found = json.loads((out_dir / MANIFEST.name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    ledger_id, sequence = found.get("ledger_id"), found.get("sequence")
    if not isinstance(ledger_id, str) or not ledger_id.isprintable() or type(sequence) is not int:
        return None
    return ManifestIdentity(ledger_id=ledger_id, sequence=sequence)
