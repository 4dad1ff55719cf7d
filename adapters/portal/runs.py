"""`replay/index.json`: which replays and sweeps the portal can show, each in a directory of its own beside it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from adapters.portal.cells import json_bytes
from adapters.portal.disk import Disk

RUNS = "replay"
"""The directory of all runs, under the portal's data."""

INDEX, RUN = "index.json", "run.json"
"""The file beside the runs, and in each of them its line there."""


def list_run(directory: Path, run: Mapping[str, object]) -> None:
    """Name a run, made at `run["at"]`, and write the index anew from all that lie beside it, the newest first.

    Runs that are elsewhere than in a directory called `replay` are nobody's to list. Raises `OSError`.
    """
    place = directory.resolve()
    if place.parent.name != RUNS:
        return
    _write(place / RUN, {"id": place.name, **run})
    listed = [found for path in place.parent.glob(f"*/{RUN}") if (found := _read(path)) is not None]
    listed.sort(key=lambda one: (str(one.get("at", "")), str(one["id"])), reverse=True)
    _write(place.parent / INDEX, {"runs": listed})


def _write(path: Path, document: Mapping[str, object]) -> None:
    """A reader sees the old file or the new one."""
    disk = Disk(path.parent)
    disk.write(path.name, (json_bytes(document),), rows=0, newest_ms=None)
    if disk.failures:
        raise OSError(f"{path} cannot be written")


def _read(path: Path) -> dict[str, object] | None:
    """A run's line, under the name that its directory has now; None for a file that is none."""
    with suppress(OSError, ValueError):
        run = json.loads(path.read_bytes())
        if isinstance(run, dict):
            return {**run, "id": path.parent.name}
    return None
