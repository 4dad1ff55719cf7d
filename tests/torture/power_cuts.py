"""Power cuts: an agent's writes and syncs are recorded once, then a disk fails at any point of them, again and again."""

import asyncio
import os
import random
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from adapters.sqlite_ledger import LedgerInvalid, SqliteLedger
from adapters.sqlite_ledger.backups import back_up_daily
from adapters.sqlite_ledger.faults import backups_of
from tests.builders import NOON_MS
from tests.torture.disk_model import CHANGES, REFUSED, PowerlessDisk
from tests.torture.lives import OPENING_CASH, Finding, Heard, Life, Place, acknowledgement, forked, judged
from tests.torture.strace import attached

LIVES = 4
"""Each begins with an opening and ends with a closing, which folds the log into the file; the first one makes the ledger."""

TICKS_A_LIFE = 150
"""Enough for SQLite to fold the log in while the agent ticks (every 1,000 pages), and to begin it again."""

LONGEST_WRITE = 1 << 20


def power_cuts(directory: Path, *, cuts: int, ticks: int = TICKS_A_LIFE, seed: int = 7) -> Mapping[str, float]:
    """Record once, cut so many times, and judge what is left each time. Raises `Finding`."""
    begun_s, place = time.monotonic(), Place.under(directory / "recorded")
    lines = recorded(place, ticks)
    recorded_s = time.monotonic() - begun_s
    figures = survived(lines, place, cuts=cuts, seed=seed)
    if figures["ticks"] != LIVES * ticks:
        raise Finding(f"{figures['ticks']} of {LIVES * ticks} ticks were heard of in the recording")
    return {**figures, "recording_seconds": round(recorded_s, 1), "seconds": round(time.monotonic() - begun_s, 1)}


def survived(lines: Sequence[str], place: Place, *, cuts: int, seed: int = 7) -> Mapping[str, float]:
    """Cut a recording's power so many times. Raises `Finding`."""
    chance, heard = random.Random(seed), Heard()
    points = sorted(chance.choices(range(len(lines)), k=cuts))
    disk = PowerlessDisk(place.state_dir, lambda text: heard.line(text.decode()))
    found = Place.under(place.state_dir.with_name("cut"))
    changes = ahead = 0
    for number, line in enumerate(lines):
        changes += disk.feed(line)
        while points and points[0] == number:
            points.pop(0)
            _put(disk.after_a_cut(chance), place, found)
            ahead += _judged(found, heard, number) > heard.sequence
    return {
        "cuts": cuts,
        "changes": changes,
        "ticks": heard.sequence,
        "acknowledged_trades": len(heard.trades),
        "lost": 0,
        "committed_but_not_acknowledged": ahead,
    }


def recorded(place: Place, ticks: int) -> list[str]:
    """All changes of an agent's lives, its acknowledgements among them, in their order."""
    told, go = os.pipe()
    log = place.state_dir.with_name("strace")
    options = ["-e", f"trace={CHANGES},{REFUSED}", "-e", "signal=none", "-xx", "-s", str(LONGEST_WRITE)]
    with forked(partial(_live, place, told, ticks)) as child:
        with attached(child.pid, options, log):
            os.write(go, b"!")
            for _ in child.lines():
                pass
        os.close(told)
        os.close(go)
        if code := child.ended():
            raise Finding(f"the recorded agent ended with {code}")
    return log.read_text().splitlines()


def _live(place: Place, go: int, ticks: int, mouth: int) -> None:
    """A few lives with a backup in each, in one thread: without the portal's files, which nothing depends on."""

    async def living() -> None:
        for number in range(LIVES):
            life = Life(place, published=False)
            await life.begin()
            for _ in range(ticks):
                os.write(mouth, acknowledgement(await life.tick()))
            back_up_daily(place.ledger, f"{date(2026, 3, 2) + timedelta(days=number)}")
            life.end()

    os.read(go, 1)
    asyncio.run(living())


def _put(files: Mapping[Path, bytes], recorded: Place, found: Place) -> None:
    """Lay what a cut left under another place."""
    shutil.rmtree(found.state_dir)
    found.state_dir.mkdir()
    for path, content in files.items():
        target = found.state_dir / path.relative_to(recorded.state_dir)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


def _judged(found: Place, heard: Heard, number: int) -> int:
    """The agent opens it, nothing acknowledged is lost, and every backup that has its name is whole. Raises `Finding`."""
    try:
        SqliteLedger.open(found.ledger, opening_cash=OPENING_CASH, now_ms=NOON_MS).close()
        for backup in backups_of(found.ledger):
            SqliteLedger.open_to_read(backup).close()
        return judged(found, heard)
    except (LedgerInvalid, Finding) as error:
        raise Finding(f"power cut at change {number}, {heard.sequence} ticks acknowledged: {error}") from error
