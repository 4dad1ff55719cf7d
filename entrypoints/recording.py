"""Recording: beside a run that trades, or of the venues alone (`spelar record`)."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from decimal import Decimal

from loguru import logger

from adapters.clock import SystemClock
from adapters.health import Health
from adapters.state_lock import StateLock
from adapters.tape.followed import Followed
from adapters.tape.recorder import RecordedFeed, Recorder
from adapters.tape.session import Session
from domain.ledger import Ledger
from domain.market import Market, Moment
from domain.ports import Clock, Feed, Universe
from domain.state import State
from entrypoints import VERSION
from entrypoints.background import venues
from entrypoints.container import Container, map_entries
from entrypoints.pace import Pace, told_to_stop
from entrypoints.settings import Settings

SOURCE = "recording"
WATCHING = Ledger.opened_with(Decimal(0))
"""The ledger of who only watches."""


class RecordingUnwritable(Exception):
    """The recording cannot be written, and there is nothing else to do."""


def recorder_of(settings: Settings, clock: Clock, health: Health) -> Recorder:
    """A recorder into RECORD_DIR. When it fails, the log says so once, and an alarm for as long as the run lasts."""

    def failed(why: str) -> None:
        logger.error("nothing is recorded any more, the ticks go on: {}", why)
        health.alarm(SOURCE, "disk", f"nothing is recorded any more: {why}")

    return Recorder(settings.recording, clock=clock, failed=failed)


def session_of(container: Container, state: State, *, ledger_id: str = "") -> Session:
    """The session that begins with this state; without a ledger, one that only watches."""
    return Session(
        at_ms=container.clock().now().at_ms,
        version=VERSION,
        state=state,
        settings=container.settings().exact(),
        ledger_id=ledger_id,
        trades=bool(ledger_id),
        map_entries=tuple(entry.model_dump(mode="json", exclude_none=True) for entry in container.entries()),
        baseline=container.baseline(),
    )


async def record(settings: Settings) -> int:
    """Watch the venues, and write down what they say, until told to stop; the ticks that were recorded.

    Raises `RecordingUnwritable`, `AlreadyRunning`, `StateDirUnusable`, `MapInvalid`.
    """
    clock, health = SystemClock(), Health()
    with ExitStack() as stack:
        stop = stack.enter_context(told_to_stop())
        stack.enter_context(StateLock(settings.state_dir))
        recorder = recorder_of(settings, clock, health)
        stack.callback(recorder.close)
        container = Container(
            settings=settings, clock=clock, entries=map_entries(settings), health=health, transports=recorder.transport
        )
        recorder.begin(session_of(container, State(sequence=0, ledger=WATCHING)))
        logger.info("spelar {}: recording {} markets into {}", VERSION, len(container.entries()), settings.recording)
        async with venues(container, stop):
            watch = Watch(container, recorder, stop=stop.set)
            await Pace(settings, clock, stop=stop).run(watch.look)
    if recorder.broken:
        raise RecordingUnwritable(f"{settings.recording} could not be written after {watch.ticks} ticks")
    return watch.ticks


class _Listed:
    """The universe of somebody who follows the map, whatever else the pretended holder has."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        return self._universe.markets()


class Watch:
    """Ticks that only look. `stop` is called when there is nowhere left to write them."""

    def __init__(self, container: Container, recorder: Recorder, *, stop: Callable[[], None]) -> None:
        """Look at the venues of this container."""
        feed: Feed = container.feed(universe=_Listed(container.universe()))
        self._feed, self._recorder, self._stop = RecordedFeed(feed, recorder), recorder, stop
        self._followed = Followed()
        self.ticks = 0

    async def look(self, moment: Moment) -> None:
        """One tick."""
        seen = await self._feed.observe(moment, self._followed.ledger(moment.at_ms))
        self._followed.note(seen.markets, seen.payouts, moment)
        self._recorder.committed()
        self.ticks += 1
        if self._recorder.broken:
            self._stop()
