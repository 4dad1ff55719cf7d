"""Up/Down windows that roll on for ever: each asks whether spot ends it at or above where it began it.

Which windows there are follows from the time alone, so that nothing grows while they are played.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from adapters.simulated_venues.market import SimEvent, SimMarket
from adapters.simulated_venues.seeded_path import TICKS, Quote, SpotPath

AHEAD = 2
"""Windows that are listed before they begin."""

KEPT_S = 86_400
"""How long a window can still be found after its end."""

SETTLED_AFTER_MS = 17_000
"""Between the end of a window and the venue's answer: 16 to 19 s in recorded rows."""

LAG_S, STEP_S = 40, 5
"""Polymarket sees spot so late, and moves so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimSeries:
    """Windows of `seconds`, each a market `{slug}-{unix start}` over `pair`; a start is divisible by `seconds`."""

    slug: str
    title: str
    pair: str
    seconds: int

    def windows(self, first_ms: int, now_ms: int) -> tuple[SimMarket, ...]:
        """The current window, the next two and those of the last day that ended after `first_ms` (UTC), oldest first."""
        current = now_ms // 1000 // self.seconds * self.seconds
        oldest = max(current - KEPT_S, first_ms // 1000 // self.seconds * self.seconds)
        starts = range(min(oldest, current), current + (AHEAD + 1) * self.seconds, self.seconds)
        return tuple(window(self, start) for start in starts)

    def named(self, slug: str) -> SimMarket | None:
        """The window of this slug, whether it is listed or not; None for a slug of anything else."""
        name, _, start = slug.rpartition("-")
        mine = name == self.slug and start.isdecimal() and int(start) % self.seconds == 0
        return window(self, int(start)) if mine else None


@lru_cache(maxsize=1024)
def window(series: SimSeries, start_s: int) -> SimMarket:
    """The window that begins at `start_s` (unix seconds): it trades until its end and resolves a little later."""
    end_s = start_s + series.seconds
    slug = f"{series.slug}-{start_s}"
    first, last = (datetime.fromtimestamp(at_s, UTC) for at_s in (start_s, end_s))
    question = f"{series.title} - {first:%B} {first.day}, {first:%H:%M}-{last:%H:%M} UTC"
    return SimMarket(
        slug=slug,
        question=question,
        pair=series.pair,
        outcomes=("Up", "Down"),
        event=SimEvent(slug=slug, title=question, series=series.slug, starts_at_ms=start_s * 1000),
        ends_at_ms=end_s * 1000,
        closes_at_ms=end_s * 1000,
        resolves_at_ms=end_s * 1000 + SETTLED_AFTER_MS,
    )


def window_quote(spot: SpotPath, opened_s: int, second: int) -> Quote:
    """Up's quotes at `second` of the play, for a window that opened at `opened_s`: even, then what spot has done since."""
    changed_s = second // STEP_S * STEP_S
    seen_s = max(0, changed_s - LAG_S)
    move = spot.move(seen_s) - spot.move(opened_s) if seen_s > opened_s else 0.0
    bid = math.floor((0.5 + 0.45 * math.tanh(100 * move)) * TICKS)
    return Quote(bid=bid, ask=bid + 1, generation=changed_s // STEP_S, changed_s=changed_s)
