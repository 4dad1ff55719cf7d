"""Recording: beside a run that trades, or of the venues alone (`spelar record`)."""

from contextlib import ExitStack
from decimal import Decimal

from loguru import logger

from adapters.clock import SystemClock
from adapters.health import Health
from adapters.state_lock import StateLock
from adapters.tape.recorder import RecordedFeed, Recorder
from adapters.tape.session import Session
from domain.ledger import Ledger
from domain.market import Moment
from domain.ports import Clock, Feed
from domain.state import State
from entrypoints import VERSION
from entrypoints.background import venues
from entrypoints.container import Container, map_entries
from entrypoints.pace import Pace
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
        stack.enter_context(StateLock(settings.state_dir))
        recorder = recorder_of(settings, clock, health)
        stack.callback(recorder.close)
        container = Container(
            settings=settings, clock=clock, entries=map_entries(settings), health=health, transports=recorder.transport
        )
        recorder.begin(session_of(container, State(sequence=0, ledger=WATCHING)))
        logger.info("spelar {}: recording {} markets into {}", VERSION, len(container.entries()), settings.recording)
        async with venues(container):
            watch = _Watch(RecordedFeed(container.feed(), recorder), recorder, Pace(settings, clock))
            await watch.run()
    if recorder.broken:
        raise RecordingUnwritable(f"{settings.recording} could not be written after {watch.ticks} ticks")
    return watch.ticks


class _Watch:
    """Ticks that only look."""

    def __init__(self, feed: Feed, recorder: Recorder, pace: Pace) -> None:
        self._feed, self._recorder, self._pace = feed, recorder, pace
        self.ticks = 0

    async def run(self) -> None:
        await self._pace.run(self._look)

    async def _look(self, moment: Moment) -> None:
        await self._feed.observe(moment, WATCHING)
        self._recorder.committed()
        self.ticks += 1
        if self._recorder.broken:
            self._pace.stop.set()
