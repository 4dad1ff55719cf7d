"""Which layout a source has, told by what is there; a table, so that a new layout is a line."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from adapters.simulated_venues.frames import RecordingInvalid, read_frames
from adapters.tape.importers.cronosvirus import read_cronosvirus
from adapters.tape.importers.leafuryk import CANDLES_FILE, SNAPSHOTS_FILE, read_leafuryk
from adapters.tape.importers.lines import json_rows
from adapters.tape.importers.resolvedkit import BOOKS_FILE, MARKETS_FILE, read_resolvedkit
from adapters.tape.importers.wire import Source


class Layout(NamedTuple):
    """How a layout is recognised, and read."""

    name: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], Source]


def _holds(*names: str) -> Callable[[Path], bool]:
    return lambda path: all((path / name).is_file() for name in names)


def _begins_with(*keys: str) -> Callable[[Path], bool]:
    def fits(path: Path) -> bool:
        first = next(json_rows(path, []), None) if path.is_file() else None
        return first is not None and set(keys) <= first[1].keys()

    return fits


def _read_frames(path: Path) -> Source:
    """A frames file; tokens of which no market is described keep their books."""
    frames, warning = read_frames(path)
    return Source(frames=frames, warnings=(f"{path}: {warning}",) if warning else ())


LAYOUTS = (
    Layout("resolvedkit", _holds(BOOKS_FILE, MARKETS_FILE), read_resolvedkit),
    Layout("leafuryk", _holds(SNAPSHOTS_FILE, CANDLES_FILE), read_leafuryk),
    Layout("cronosvirus", _begins_with("recv", "raw"), read_cronosvirus),
    Layout("frames", _begins_with("t", "source"), _read_frames),
)


def read_source(path: Path) -> Source:
    """A source in any of the layouts. Raises `RecordingInvalid`."""
    if not path.exists():
        raise RecordingInvalid(path, 0, "is not there")
    layout = next((layout for layout in LAYOUTS if layout.fits(path)), None)
    if layout is None:
        raise RecordingInvalid(path, 0, f"is none of the layouts {', '.join(layout.name for layout in LAYOUTS)}")
    source = layout.read(path)
    if not source.frames:
        raise RecordingInvalid(path, 0, "; ".join(source.warnings) or "holds no book")
    return source
