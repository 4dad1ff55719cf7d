"""The pace: ticks on a fixed grid until a signal, the last tick asked for, or the end of the play."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from domain.market import Moment
from entrypoints.settings import Settings


class PacedClock(Protocol):
    """A clock, and how many of its seconds pass in a real one."""

    speed: float

    def now(self) -> Moment:
        """This moment."""
        ...


class Pace:
    """When ticks are due. `stop` is set by whoever wants the end after the tick."""

    def __init__(self, settings: Settings, clock: PacedClock, *, stop: asyncio.Event, until_ms: int | None = None) -> None:
        """As often as the settings say; `until_ms`: to when on the clock (UTC ms)."""
        self._clock, self._until_ms = clock, until_ms
        self._interval_ms = round(settings.interval_s * 1000)
        self._ticks_left = 1 if settings.run_once else settings.run_ticks
        self.stop = stop

    async def run(self, ticking: Callable[[Moment], Awaitable[None]]) -> None:
        """Tick until told to stop."""
        first_ms = self._clock.now().elapsed_ms
        while not self._over():
            await ticking(on_grid(self._clock.now(), first_ms, self._interval_ms))
            if self._ticks_left is not None:
                self._ticks_left -= 1
            if not self._over():
                await self._wait(first_ms)

    def _over(self) -> bool:
        played = self._until_ms is not None and self._clock.now().at_ms >= self._until_ms
        return self.stop.is_set() or self._ticks_left == 0 or played

    async def _wait(self, first_ms: int) -> None:
        """Sleep until the next point of the grid, or until told to stop."""
        since_ms = self._clock.now().elapsed_ms - first_ms
        pause_ms = self._interval_ms - since_ms % self._interval_ms
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), pause_ms / 1000 / self._clock.speed)


def on_grid(moment: Moment, first_ms: int, interval_ms: int) -> Moment:
    """A tick's time: the point of the grid that it was due at, unless it is late by more than a tenth of an interval.

    Without this a hold of exactly twelve intervals would last twelve or thirteen, as the scheduler's jitter falls.
    """
    late_ms = (moment.elapsed_ms - first_ms) % interval_ms
    if late_ms > interval_ms // 10:
        return moment
    return Moment(at_ms=moment.at_ms - late_ms, elapsed_ms=moment.elapsed_ms - late_ms)


@contextmanager
def told_to_stop() -> Iterator[asyncio.Event]:
    """What SIGTERM and SIGINT set: they ask for the end after the tick. SIGHUP, a closed terminal, is no reason."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPPING}
    for number in _STOPPING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOPPING = (signal.SIGTERM, signal.SIGINT)
