"""A recorded session lived through again: the same container, rules and `tick`, over the recording instead of the venues."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from adapters.tape.followed import Followed
from adapters.tape.playback import Attempted, Playback, recorded
from adapters.tape.session import Session
from domain.ledger import Ledger
from domain.market import Moment, Snapshot
from domain.ports import Feed
from domain.report import Journal, Report
from domain.state import State
from entrypoints.agent import Agent, tick
from entrypoints.container import Container
from entrypoints.settings import settings_of

RESTED_S = 1_000_000.0
"""Seconds between two looks at the playback's monotonic clock: no backoff and no pace lasts so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A committed tick, again: what it knew, and what came of it (None where a session only watched).

    `first` marks the first tick of a session, before which nothing was recorded for a while.
    """

    session: Session
    attempted: Attempted
    snapshot: Snapshot
    report: Report | None
    first: bool


def snapshots(recording: Path) -> Iterator[Snapshot]:
    """What each committed tick of a recording knew, exactly. Raises `RecordingInvalid`, `SettingsInvalid`."""
    return (played.snapshot for played in play(recording) if played.attempted.committed)


def play(recording: Path) -> Iterator[Played]:
    """Every committed tick of a recording, and at its end one of which that is not known.

    Ticks that were not committed are looked at, because adapters remember, and did not happen. Not to be used inside an event
    loop: it runs its own. Raises `RecordingInvalid`, `SettingsInvalid`.
    """
    with asyncio.Runner() as runner, closing(recorded(recording)) as events:
        stage: _Stage | None = None
        for event in events:
            if isinstance(event, Session):
                stage = _Stage(event)
            elif stage is not None:
                # Not `runner.run`, which installs a signal handler each time: that costs more than the tick.
                played = runner.get_loop().run_until_complete(stage.play(event))
                if played is not None:
                    yield played


@dataclass(slots=True)
class _Seen:
    """A feed that remembers what it gave last."""

    feed: Feed
    snapshot: Snapshot | None = None

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        self.snapshot = await self.feed.observe(moment, ledger)
        return self.snapshot


@dataclass(slots=True)
class _Nowhere:
    """A ledger's store and a portal for ticks that were kept and shown long ago."""

    state: State
    shown: list[Report] = field(default_factory=list)

    def load(self) -> State:
        return self.state

    def save(self, report: Report) -> None:
        self.state = report.state

    def journal(self) -> Journal:
        raise NotImplementedError

    def rebuild(self, journal: Journal) -> None:
        raise NotImplementedError

    def publish(self, report: Report) -> None:
        pass


class _Stage:
    """One session, in the making."""

    def __init__(self, session: Session) -> None:
        self._session, self._first = session, True
        self._playback, self._followed = Playback(), Followed()
        container = Container(
            settings=settings_of(session.settings),
            clock=self._playback,
            entries=(),
            transports=self._playback.transport,
            monotonic=count(0.0, RESTED_S).__next__,
            baseline=dict(session.baseline),
            universe=self._playback,
            kill_switch=self._playback,
        )
        self._feed = _Seen(container.feed(cut=self._playback.cut))
        self._kept = _Nowhere(session.state)
        self._agent = Agent(
            rules=container.rules(),
            feed=self._feed,
            broker=container.broker(),
            store=self._kept,
            portal=self._kept,
        )

    async def play(self, attempted: Attempted) -> Played | None:
        """The tick again; None when it was not committed."""
        self._playback.show(attempted)
        moment, report = attempted.ticked.moment, None
        if not self._session.trades:
            seen = await self._feed.observe(moment, self._followed.ledger(moment.at_ms))
            self._followed.note(seen.markets, seen.payouts, moment)
        elif attempted.committed is False:
            await self._feed.observe(moment, self._kept.state.ledger)
        else:
            report = await tick(self._agent, self._kept.state, moment)
        if attempted.committed is False or self._feed.snapshot is None:
            return None
        first, self._first = self._first, False
        return Played(session=self._session, attempted=attempted, snapshot=self._feed.snapshot, report=report, first=first)
