"""The ledger's torture at a small size, and proof that it finds what it looks for."""

import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.sqlite_ledger import SqliteLedger
from tests.torture import power_cuts
from tests.torture.disk_model import PowerlessDisk
from tests.torture.ledger import killed_at_random
from tests.torture.lives import OPENING_CASH, Finding, Heard, Place, judged
from tests.torture.strace import usable
from tests.torture.system_calls import calls_killed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
traced = pytest.mark.skipif(not usable(), reason="no strace, or it may not trace")


Found = TypeVar("Found")


def alone(work: Callable[[], Found]) -> Found:
    """What comes of this in a process of its own: one that forks may have no threads, and other tests may have left some."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work).result()


def test_agents_that_are_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    """Before the first tick, between commit and acknowledgement, and anywhere else."""
    figures = alone(partial(killed_at_random, tmp_path, kills=40))
    assert figures["acknowledged_trades"] > 5


@traced
def test_a_kill_at_any_system_call_leaves_a_sound_ledger(tmp_path: Path) -> None:
    """A sample of those of a tick with a trade, of the making, and of a migration."""
    figures = alone(partial(calls_killed, tmp_path, every=60))
    assert figures["tick_calls"] > 100


@traced
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Anywhere in four short lives."""
    figures = alone(partial(power_cuts.power_cuts, tmp_path, cuts=60, ticks=12))
    assert figures["acknowledged_trades"] > 5


@traced
def test_a_disk_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The same recording without its syncs: trades are lost, so the judge would see it."""
    place = Place.under(tmp_path)
    lines = [line for line in alone(partial(power_cuts.recorded, place, 6)) if not line.startswith("fdatasync(")]
    with pytest.raises(Finding, match="power cut"):
        power_cuts.survived(lines, place, cuts=200)


def test_a_ledger_that_forgot_is_found_out(tmp_path: Path) -> None:
    """A tick, or a trade, that was acknowledged and is not there."""
    place = Place.under(tmp_path)
    with pytest.raises(Finding, match="no ledger"):
        judged(place, Heard(sequence=1))
    alone(partial(killed_at_random, tmp_path, kills=3))
    place = Place.under(tmp_path / "0")
    with closing(SqliteLedger.open_to_read(place.ledger)) as store:
        kept = store.sequence
    with pytest.raises(Finding, match="was acknowledged"):
        judged(place, Heard(sequence=kept + 1))
    with pytest.raises(Finding, match="lost"):
        judged(place, Heard(sequence=kept, trades={"1-9": OPENING_CASH}))


@pytest.mark.parametrize(("synced", "found"), [(True, {b"new"}), (False, {b"", b"new"})])
def test_a_powerless_disk_keeps_what_was_synced(synced: bool, found: set[bytes]) -> None:
    """A file whose name is certain, and whose bytes are certain or not."""
    disk = PowerlessDisk(Path("/s"), lambda said: None)
    calls = [
        'openat(AT_FDCWD, "\\x2f\\x73\\x2f\\x61\\x2e\\x62", O_RDWR|O_CREAT, 0644) = 3',
        'openat(AT_FDCWD, "\\x2f\\x73", O_RDONLY) = 4',
        "fsync(4) = 0",
        'pwrite64(3, "\\x6e\\x65\\x77", 3, 0) = 3',
        *(["fdatasync(3) = 0"] if synced else []),
    ]
    for call in calls:
        assert disk.feed(call)
    chance = random.Random(7)
    cuts = [disk.after_a_cut(chance) for _ in range(50)]
    assert {Path("/s/a.b")} == {path for cut in cuts for path in cut}
    assert {content for cut in cuts for content in cut.values()} == found


@pytest.mark.parametrize("line", ["pwritev(3, ) = 1", 'pwrite64(3, "\\x6e"..., 9, 0) = 9'])
def test_a_powerless_disk_refuses_what_it_does_not_understand(line: str) -> None:
    """Else it would judge a disk that never was."""
    disk = PowerlessDisk(Path("/s"), lambda said: None)
    disk.feed('openat(AT_FDCWD, "\\x2f\\x73\\x2f\\x61\\x2e\\x62", O_RDWR|O_CREAT, 0644) = 3')
    with pytest.raises(ValueError, match=r"not know|has cut"):
        disk.feed(line)
