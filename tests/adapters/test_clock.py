"""Clocks: durations go on over a restart and never run backwards."""

import time
from itertools import pairwise

import pytest

from adapters.clock import PlayingClock, SystemClock
from domain.market import Moment


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_resumed_clock_goes_on_by_the_time_that_passed_in_between() -> None:
    """A hold time survives a restart."""
    before = Moment(at_ms=_wall_ms() - 90_000, elapsed_ms=500_000)
    assert 590_000 <= SystemClock(resumed=before).now().elapsed_ms < 600_000


def test_a_wall_clock_that_was_set_back_counts_as_no_time() -> None:
    """Never as a negative one."""
    before = Moment(at_ms=_wall_ms() + 3_600_000, elapsed_ms=500_000)
    assert 500_000 <= SystemClock(resumed=before).now().elapsed_ms < 510_000


def test_both_timelines_move_together() -> None:
    """While nobody sets the wall clock. A reading may be torn in two by another process, ten are not."""
    clock = SystemClock()
    readings = []
    for _ in range(10):
        readings.append(clock.now())
        time.sleep(0.01)
    steps = [(b.at_ms - a.at_ms) - (b.elapsed_ms - a.elapsed_ms) for a, b in pairwise(readings)]
    assert min(map(abs, steps)) <= 1


def test_a_playing_clock_runs_as_many_times_faster_as_asked() -> None:
    """From the start that it was given."""
    clock = PlayingClock(start_ms=1_772_411_962_119, speed=1_000)
    time.sleep(0.02)
    now = clock.now()
    assert now.elapsed_ms >= 20_000
    assert now.at_ms - now.elapsed_ms == 1_772_411_962_119


def test_a_clock_that_stands_still_is_refused() -> None:
    """It would never reach the next tick."""
    with pytest.raises(ValueError, match="positive"):
        PlayingClock(start_ms=0, speed=0)
