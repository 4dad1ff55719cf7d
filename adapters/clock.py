"""Clocks: the machine's own, and one that plays faster for the demo."""

import time

from domain.market import Moment


def _monotonic_s() -> float:
    """Seconds that never step; where the system can tell, seconds of suspension included."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class SystemClock:
    """The wall clock for timestamps, the monotonic clock for durations.

    `resumed` is the last moment of an earlier run: `elapsed_ms` goes on from there by the wall time in between, so a hold time
    survives a restart. A wall clock that stands before that moment counts as no time at all.
    """

    speed = 1.0

    def __init__(self, resumed: Moment | None = None) -> None:
        """Start counting now."""
        away_ms = max(0, _wall_ms() - resumed.at_ms) if resumed else 0
        self._zero_ms = (resumed.elapsed_ms if resumed else 0) + away_ms
        self._started_s = _monotonic_s()

    def now(self) -> Moment:
        """This moment."""
        return Moment(at_ms=_wall_ms(), elapsed_ms=self._zero_ms + round((_monotonic_s() - self._started_s) * 1000))


class PlayingClock:
    """A clock that starts at `start_ms` (UTC) and runs `speed` times as fast as the monotonic clock."""

    def __init__(self, *, start_ms: int, speed: float) -> None:
        """Start playing now."""
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self._start_ms = start_ms
        self._started_s = time.monotonic()

    def now_ms(self) -> int:
        """The playing time, ms since the epoch."""
        return self._start_ms + round((time.monotonic() - self._started_s) * 1000 * self.speed)

    def now(self) -> Moment:
        """This moment of the play."""
        at_ms = self.now_ms()
        return Moment(at_ms=at_ms, elapsed_ms=at_ms - self._start_ms)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
