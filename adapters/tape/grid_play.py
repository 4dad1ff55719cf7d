"""Ticks out of a recording that has none: the real feed, asked on a grid of times as the daemon would have asked.

The feed is asked as if one share of every market were held (`adapters.tape.followed`).
"""

from asyncio import Runner
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.tape.followed import Followed
from adapters.tape.writing import Gap
from adapters.universe import REFRESH_S, MapUniverse
from domain.market import Moment, Snapshot
from domain.ports import Feed

QUIET_MS = 60_000
"""Without any answer for longer, recording was off: `adapters.simulated_venues.recording` takes books for gone then, too."""

LOOK_UP_INTERVALS = 2
"""Ticks between two look-ups of markets that are not known yet, as the daemon has it."""


class GridClock:
    """A clock that stands at the tick that is played."""

    speed = 1.0

    def __init__(self, start_ms: int) -> None:
        """Stand at the start (UTC ms)."""
        self._start_ms = start_ms
        self.at_ms = start_ms

    def now(self) -> Moment:
        """The tick's moment."""
        return Moment(at_ms=self.at_ms, elapsed_ms=self.at_ms - self._start_ms)

    def now_ms(self) -> int:
        """The same, UTC ms."""
        return self.at_ms

    def monotonic_s(self) -> float:
        """Seconds since the start: backoff passes with the ticks, too."""
        return (self.at_ms - self._start_ms) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A recording's times, UTC ms: of all its answers in order (`heard_ms`), and what is played of it."""

    start_ms: int
    end_ms: int
    heard_ms: Sequence[int]

    def next_heard(self, at_ms: int, quiet_ms: int) -> int | None:
        """None while something was heard within `quiet_ms` before `at_ms`, else when something was heard again."""
        number = bisect_right(self.heard_ms, at_ms)
        if number and at_ms - self.heard_ms[number - 1] <= quiet_ms:
            return None
        return self.heard_ms[number] if number < len(self.heard_ms) else self.end_ms

    def last_heard(self, at_ms: int) -> int:
        """When something was heard last."""
        return self.heard_ms[max(0, bisect_right(self.heard_ms, at_ms) - 1)]


def grid_times(span: Span, interval_ms: int) -> Iterator[int | Gap]:
    """The times of the ticks (UTC ms), and the gaps between them: the grid is left only where nothing was recorded.

    The last tick is the first one that sees all that was recorded.
    """
    quiet_ms = max(QUIET_MS, 3 * interval_ms)
    at_ms = span.start_ms
    while at_ms < span.end_ms + interval_ms:
        heard_ms = span.next_heard(at_ms, quiet_ms)
        if heard_ms is None:
            yield at_ms
            at_ms += interval_ms
            continue
        missed = -(-(heard_ms - at_ms) // interval_ms)
        yield Gap(from_ms=span.last_heard(at_ms), until_ms=heard_ms, why="nothing was recorded")
        at_ms += max(1, missed) * interval_ms


def played(span: Span, interval_ms: int, *, clock: GridClock, feed: Feed, universe: MapUniverse) -> Iterator[Snapshot | Gap]:
    """Every tick of the grid as the feed sees it, `clock` standing at it."""
    followed = Followed()
    looked_up_ms, refreshed_ms = span.start_ms - LOOK_UP_INTERVALS * interval_ms, span.start_ms
    with Runner() as runner:
        for at in grid_times(span, interval_ms):
            if isinstance(at, Gap):
                yield at
                continue
            clock.at_ms = at
            if at - looked_up_ms >= LOOK_UP_INTERVALS * interval_ms:
                due = at - refreshed_ms >= REFRESH_S * 1000
                looked_up_ms, refreshed_ms = at, at if due else refreshed_ms
                runner.run(universe.resolve(again=due))
            listed = universe.markets()
            seen = runner.run(feed.observe(clock.now(), followed.ledger(at)))
            # Those that left the map come last: they are nobody's but the pretended holder's.
            yield replace(seen, markets=seen.markets[: len(listed)])
            followed.note(listed, seen.payouts, clock.now())
