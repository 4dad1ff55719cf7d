"""Which SQLite is at work, and whether a defect of it concerns us."""

import sqlite3
from collections.abc import Sequence

SOUND_FROM = (3, 51, 3)
MENDED = ((3, 44, 6), (3, 50, 7))
"""Older lines that got the mend too, each from this patch on."""


def sqlite_doubt(version: Sequence[int] = sqlite3.sqlite_version_info) -> str | None:
    """A warning where a reset of the write-ahead log can lose commits; None for a version that has it mended.

    It takes two connections that write. This program has one, so that a warning is enough.
    """
    found = tuple(version)
    if found >= SOUND_FROM or any(found[:2] == line[:2] and found >= line for line in MENDED):
        return None
    text = ".".join(map(str, found))
    return (
        f"SQLite {text} can lose commits when two programs write to one ledger (mended in {'.'.join(map(str, SOUND_FROM))}): "
        "let nothing but the agent write to it"
    )
