"""`replay/index.json`: which replays and sweeps the portal can show, each in a directory of its own beside it."""

import json
from collections.abc import Mapping
from pathlib import Path

from adapters.portal.cells import json_bytes

INDEX = "index.json"
RUNS = "replay"
"""The directory of all runs, under the portal's data."""


def list_run(directory: Path, run: Mapping[str, object]) -> None:
    """Name a run first in the index beside its directory; a run of the same name, or whose directory is gone, drops out."""
    index = directory.parent / INDEX
    others = [each for each in _runs_in(index) if each.get("id") != directory.name and _is_there(index, each.get("id"))]
    part = index.with_name(f".{INDEX}.part")
    part.write_bytes(json_bytes({"runs": [{"id": directory.name, **run}, *others]}))
    part.replace(index)


def _runs_in(index: Path) -> list[dict[str, object]]:
    """The runs of an index; none when it is absent or no index."""
    try:
        runs = json.loads(index.read_bytes())["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []


def _is_there(index: Path, name: object) -> bool:
    return isinstance(name, str) and (index.parent / name).is_dir()
