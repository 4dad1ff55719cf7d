"""The lookout: after each tick it tells people what they asked to be told, and counts for whoever monitors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loguru import logger

from adapters.health import Health, SourceHealth
from domain.market import Moment
from domain.notice import Outcome, SourceState
from domain.ports import Clock, Notifier
from domain.report import Journal, Report
from domain.state import State
from domain.telling import ended, patience_s, remembered, told
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from adapters.metrics import Metrics


class MetricsUnservable(Exception):
    """Metrics cannot be served on METRICS_PORT."""


def metrics_of(settings: Settings) -> "Metrics | None":
    """What counts for Prometheus, when somebody wants it."""
    if settings.metrics_port is None:
        return None
    from adapters.metrics import Metrics  # prometheus_client costs a fifth of a second, which only who uses it pays

    return Metrics()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """How one tick went: what it did (None: it was not committed, and `error` says why), and how long it took.

    `failures` counts the writes of published files that failed since the start, by file.
    """

    moment: Moment
    report: Report | None
    took_s: float
    error: str
    failures: Mapping[str, int]


class Lookout:
    """Watches one run of the daemon."""

    def __init__(self, notifier: Notifier, metrics: "Metrics | None", health: Health, *, interval_s: float, journal: Journal):
        """Go on where the journal ends."""
        self._notifier, self._metrics, self._health = notifier, metrics, health
        self._patience_ms = round(patience_s(interval_s) * 1000)
        self._told = remembered(journal)
        self._failures: Mapping[str, int] = {}

    def ticked(self, tick: Ticked) -> None:
        """Count a tick, and tell what it changed. Never waits; a defect in here costs a notice, not the run."""
        try:
            if self._metrics is not None:
                self._metrics.ticked(tick.report, tick.took_s)
            self._told, notices = told(self._told, self._outcome(tick), patience_ms=self._patience_ms)
            self._notifier.tell(notices)
        except Exception as error:  # noqa: BLE001 - whoever watches must not stop what is watched
            logger.opt(exception=True).error("nobody was told of a tick: {}", type(error).__name__)

    def _outcome(self, tick: Ticked) -> Outcome:
        before, self._failures = self._failures, tick.failures
        return Outcome(
            moment=tick.moment,
            report=tick.report,
            sources={
                name: SourceState(ok=source.ok, alarms=source.alarms)
                for name, source in self._health.report(tick.moment.at_ms).items()
            },
            error=tick.error,
            unwritten=tuple(name for name, count in tick.failures.items() if count > before.get(name, 0)),
        )


@contextmanager
def looking_out(
    notifier: Notifier,
    metrics: "Metrics | None",
    health: Health,
    *,
    settings: Settings,
    clock: Clock,
    journal: Journal,
    redacted: Callable[[str], str],
) -> Iterator[Lookout]:
    """Metrics are served and people are told until the end, and of an end that nobody asked for. Raises `MetricsUnservable`."""
    close = _served(metrics, settings.metrics_port, lambda: health.report(clock.now().at_ms), journal.state)
    try:
        yield Lookout(notifier, metrics, health, interval_s=settings.interval_s, journal=journal)
    except Exception as error:
        notifier.tell([ended(redacted(f"{type(error).__name__}: {error}"), clock.now().at_ms)])
        raise
    finally:
        notifier.close()
        close()


def _served(
    metrics: "Metrics | None", port: int | None, sources: Callable[[], Mapping[str, SourceHealth]], state: State
) -> Callable[[], None]:
    if metrics is None or port is None:
        return lambda: None
    try:
        return metrics.serve(port, sources, state)
    except OSError as error:
        raise MetricsUnservable(f"METRICS_PORT={port} cannot be listened on: {error.strerror or error}") from None
