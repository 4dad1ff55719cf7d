"""How each source is doing: what its calls cost and why they failed, and how long to leave its host alone."""

import math
import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

LATENCIES = 200
KINDS = 64
ALARMS = 64
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_WAIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One source since the start: whether its last call succeeded, and percentiles over its last 200 answered calls.

    `alarms` says by subject what a person should look at although calls succeed.
    """

    ok: bool
    last_ok_at_ms: int | None
    age_s: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    errors: Mapping[str, int]
    alarms: Mapping[str, str]


@dataclass(slots=True)
class _Source:
    ok: bool = False
    last_ok_at_ms: int | None = None
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))
    errors: Counter[str] = field(default_factory=Counter)


class _Alarm(NamedTuple):
    text: str
    until_ms: float


def unheard(source: str, latency_ms: float) -> None:
    """Nobody listens to every single answer."""


class Health:
    """Records every call of every source and what stands out, in bounded memory; any thread may read."""

    def __init__(self, answered: Callable[[str, float], None] = unheard) -> None:
        """Know nothing yet. `answered` hears the source and the latency (ms) of every call that succeeds."""
        self._answered = answered
        self._lock = threading.Lock()
        self._sources: dict[str, _Source] = {}
        self._alarms: dict[str, dict[str, _Alarm]] = {}

    def ok(self, source: str, latency_ms: float, at_ms: int) -> None:
        """A call gave a usable answer after `latency_ms`, at `at_ms` (UTC ms)."""
        self._answered(source, latency_ms)
        with self._lock:
            seen = self._sources.setdefault(source, _Source())
            seen.ok, seen.last_ok_at_ms = True, at_ms
            seen.latencies_ms.append(latency_ms)

    def failed(self, source: str, kind: str) -> None:
        """A call gave nothing usable."""
        self._count(source, kind).ok = False

    def counted(self, source: str, kind: str) -> None:
        """One part of an answer was refused, which does not make its call a failed one."""
        self._count(source, kind)

    def alarm(self, source: str, subject: str, text: str | None, *, until_ms: float = math.inf) -> None:
        """Set what is wrong with a subject of this source, or clear it (None). The newest 64 of a source are kept.

        It is shown until `until_ms` (UTC ms), unless it is set again by then.
        """
        with self._lock:
            standing = self._alarms.pop(source, {})
            standing.pop(subject, None)
            if text is not None:
                standing[subject] = _Alarm(text, until_ms)
            if standing:
                self._alarms[source] = dict(list(standing.items())[-ALARMS:])

    def report(self, now_ms: int) -> dict[str, SourceHealth]:
        """Every source that was ever called or has an alarm, as of `now_ms` (UTC ms)."""
        with self._lock:
            return {
                name: _summary(self._sources.get(name, _Source()), self._alarms.get(name, {}), now_ms)
                for name in (*self._sources, *self._alarms)
            }

    def _count(self, source: str, kind: str) -> _Source:
        with self._lock:
            seen = self._sources.setdefault(source, _Source())
            seen.errors[kind if kind in seen.errors or len(seen.errors) < KINDS else "other"] += 1
            return seen


def _summary(seen: _Source, alarms: Mapping[str, _Alarm], now_ms: int) -> SourceHealth:
    last = seen.last_ok_at_ms
    ordered = sorted(seen.latencies_ms)
    return SourceHealth(
        ok=seen.ok,
        last_ok_at_ms=last,
        age_s=None if last is None else max(0, now_ms - last) / 1000,
        latency_p50_ms=_percentile(ordered, 50),
        latency_p95_ms=_percentile(ordered, 95),
        errors=dict(seen.errors),
        alarms={subject: alarm.text for subject, alarm in alarms.items() if now_ms <= alarm.until_ms},
    )


def _percentile(ordered: list[float], percent: int) -> float | None:
    """The nearest-rank percentile."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


class Backoff:
    """How long one host is left alone: 0.5 s after a first failure, doubling to 60 s, with jitter; times in seconds.

    A host that plays `speed` times as fast as real time is left alone for as much shorter.
    """

    def __init__(self, dice: random.Random, *, speed: float = 1.0) -> None:
        """Start without a wait."""
        self._dice = dice
        self._speed = speed
        self._failures = 0
        self._set_at_s = float("-inf")
        self._until_s = float("-inf")

    def left_s(self, now_s: float) -> float:
        """How long the wait still lasts; 0 when calls may go out."""
        return max(0.0, self._until_s - now_s)

    def failed(self, *, began_s: float, now_s: float, asked_s: float | None) -> None:
        """A call that began at `began_s` failed; `asked_s` is the host's own `Retry-After`, believed up to 120 s."""
        # Calls that were already under way tell of the same trouble: eight at once must not make it eight times as long.
        if began_s >= self._set_at_s:
            self._failures = min(self._failures + 1, 32)
            self._set_at_s = now_s
        own_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (self._failures - 1)) * self._dice.uniform(0.5, 1.0)
        wait_s = own_s if asked_s is None else max(own_s, min(asked_s, LONGEST_ASKED_WAIT_S))
        self._until_s = max(self._until_s, now_s + wait_s / self._speed)

    def clear(self) -> None:
        """The host answered."""
        self._failures = 0
        self._until_s = float("-inf")
