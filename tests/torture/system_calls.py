"""kill -9 at every system call on files that a deed makes, in each of its threads, and what must be true afterwards.

The deeds: a tick with a trade, which the files' thread publishes and after which all is closed; the making of a ledger; and
the migration of an older one.
"""

import asyncio
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.portal.manifest import read_manifest
from adapters.sqlite_ledger import SqliteLedger
from adapters.sqlite_ledger.faults import backups_of
from adapters.sqlite_ledger.opening import connect_to_read, version_in
from adapters.sqlite_ledger.schema import VERSION
from tests.adapters.old_ledgers import as_version_1
from tests.builders import NOON_MS
from tests.torture.lives import OPENING_CASH, Finding, Heard, Life, Place, acknowledgement, forked, judged, live_on
from tests.torture.strace import attached

CALLS = (
    "open,openat,creat,close,read,write,pread64,pwrite64,readv,writev,lseek,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "fcntl,flock,rename,renameat,renameat2,link,unlink,unlinkat,mkdir,rmdir,chmod,fchmod,fchmodat,fchown,stat,fstat,lstat,"
    "newfstatat,access,faccessat,faccessat2"
)
"""Everything that reads, writes, locks or names files. Those of them that the system does not have are left out."""

WARM_TICKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is done in a child that is told when (place, mouth, go), in how many threads, and a judge of what it left."""

    name: str
    do: Callable[[Place, int, int], None]
    threads: int
    judge: Callable[[Place, Heard], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """Kill a thread of a deed at its `number`-th call of this name."""

    thread: int
    call: str
    number: int


def calls_killed(directory: Path, *, every: int) -> Mapping[str, float]:
    """Count the calls of each deed, then do it again with a kill at every so many-th of them. Raises `Finding`."""
    begun_s, figures = time.monotonic(), dict[str, float]()
    grown = Place.under(directory / "grown")
    heard = _grown(grown)
    old = _copied(grown, directory / "old")
    as_version_1(old.ledger)
    starts = ((TICK, grown, heard), (MAKING, Place.under(directory / "nothing"), Heard()), (MIGRATION, old, heard))
    for deed, start, before in starts:
        found = _killed(deed, start, before, every)
        figures |= {f"{deed.name}_{name}": value for name, value in found.items()}
    return {**figures, "findings": 0, "seconds": round(time.monotonic() - begun_s, 1)}


def _killed(deed: Deed, start: Place, heard: Heard, every: int) -> Mapping[str, int]:
    place = start.state_dir.parent.with_name("work")
    blows = [
        Blow(thread=thread, call=call, number=number)
        for thread in range(deed.threads)
        for call, amount in sorted(_counted(deed, _copied(start, place), heard, thread).items())
        for number in range(1, amount + 1)
    ]
    tried = blows[::every]
    missed = [blow for blow in tried if not _survived(deed, _copied(start, place), heard, blow)]
    if missed:
        raise Finding(f"{deed.name}: not met again, as if it were another deed each time: {missed}")
    return {"calls": len(blows), "killed_at": len(tried)}


def _grown(place: Place) -> Heard:
    """A ledger of some ticks, killed, so that its log is not folded in."""
    heard = Heard()
    with forked(partial(live_on, place)) as child:
        lines = child.lines()
        while heard.sequence < WARM_TICKS:
            heard.line(next(lines))
        child.kill()
        for line in lines:
            heard.line(line)
        child.ended()
    heard.sequence = judged(place, heard)
    return heard


def _copied(start: Place, directory: Path) -> Place:
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(start.state_dir.parent, directory)
    return Place.under(directory)


def _tick(place: Place, mouth: int, go: int) -> None:
    """Tick until something is held, and its files are there; when told, live the tick that sells it, and end."""

    async def living() -> None:
        life = Life(place)
        await life.begin()
        held = False
        while not held:
            report = await life.tick()
            os.write(mouth, acknowledgement(report))
            held = bool(report.state.ledger.positions)
        while (shown := read_manifest(place.out_dir)) is None or shown.sequence < life.state.sequence:
            await asyncio.sleep(0.001)
        _wait(mouth, go)
        report = await life.tick()
        os.write(mouth, acknowledgement(report))
        life.end()
        if not report.trades:
            raise Finding("the tick did not trade")

    asyncio.run(living())


def _wait(mouth: int, go: int) -> None:
    """Say which threads there are, this one first, and wait for the word."""
    others = [thread.native_id for thread in threading.enumerate() if thread is not threading.current_thread()]
    os.write(mouth, f"ready {' '.join(map(str, (threading.get_native_id(), *others)))}\n".encode())
    os.read(go, 1)


def _open(place: Place, mouth: int, go: int) -> None:
    _wait(mouth, go)
    _opened(place)


def _judge_life(place: Place, heard: Heard) -> None:
    """Sound, and the next agent goes on from it."""
    heard.sequence = judged(place, heard)
    with forked(partial(live_on, place, ticks=2)) as child:
        for line in child.lines():
            heard.line(line)
        if child.ended():
            raise Finding("the next agent did not live")
    judged(place, heard)


def _judge_migration(place: Place, heard: Heard) -> None:
    """Old or new, never between; the backup is whole or not there; and the next opening ends the migration."""
    judged(place, heard)
    for backup in backups_of(place.ledger):
        SqliteLedger.open_to_read(backup).close()
    _opened(place)
    judged(place, heard)
    versions = [_version(path) for path in (place.ledger, *backups_of(place.ledger))]
    if versions != [VERSION, 1]:
        raise Finding(f"the ledger and its backups have versions {versions}")


def _opened(place: Place) -> None:
    SqliteLedger.open(place.ledger, opening_cash=OPENING_CASH, now_ms=NOON_MS).close()


def _version(path: Path) -> int:
    with closing(connect_to_read(path)) as connection:
        return version_in(connection)


TICK = Deed(name="tick", do=_tick, threads=2, judge=_judge_life)
MAKING = Deed(name="making", do=_open, threads=1, judge=_judge_life)
MIGRATION = Deed(name="migration", do=_open, threads=1, judge=_judge_migration)


def _lived(deed: Deed, place: Place, heard: Heard, thread: int, options: list[str]) -> int:
    """Do the deed with strace on one of its threads; how the child ended."""
    told, go = os.pipe()
    try:
        with forked(lambda mouth: deed.do(place, mouth, told)) as child:
            lines = child.lines()
            threads = _until_ready(lines, heard)
            with attached(threads[thread], options, _log(place)):
                os.write(go, b"!")
                for line in lines:
                    heard.line(line)
            return child.ended()
    finally:
        os.close(told)
        os.close(go)


def _until_ready(lines: Iterator[str], heard: Heard) -> list[int]:
    for line in lines:
        if line.startswith("ready"):
            return [int(thread) for thread in line.split()[1:]]
        heard.line(line)
    raise Finding("the agent died before its deed")


def _log(place: Place) -> Path:
    return place.state_dir.parent / "strace"


def _counted(deed: Deed, place: Place, heard: Heard, thread: int) -> Counter[str]:
    known = ",".join(f"?{call}" for call in CALLS.split(","))
    if code := _lived(deed, place, _same(heard), thread, ["-e", f"trace={known}", "-e", "signal=none"]):
        raise Finding(f"{deed.name} ended with {code}")
    return Counter(line.partition("(")[0] for line in _log(place).read_text().splitlines() if "(" in line)


def _survived(deed: Deed, place: Place, before: Heard, blow: Blow) -> bool:
    """Whether the kill came. Raises `Finding` for what it left."""
    heard = _same(before)
    options = ["-e", f"trace={blow.call}", "-e", f"inject={blow.call}:signal=KILL:when={blow.number}"]
    code = _lived(deed, place, heard, blow.thread, options)
    if code not in (0, -9):
        raise Finding(f"{blow} ended {deed.name} with {code}")
    try:
        deed.judge(place, heard)
    except Exception as error:
        raise Finding(f"{deed.name}, killed at {blow}: {error}") from error
    return code == -9


def _same(heard: Heard) -> Heard:
    return Heard(sequence=heard.sequence, trades=dict(heard.trades))
