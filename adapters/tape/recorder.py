"""The recorder: sits between the agent and its feed, its ledger and its clients, and writes down what passes.

A tick's answers, and that they are all in, are on the disk before the ledger is: what is committed can always be replayed.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from adapters.attempt import ATTEMPT, Attempt
from adapters.tape.frames import Exchange, line_of
from adapters.tape.record_disk import RecordDisk
from adapters.tape.recording_transport import RecordingTransport
from adapters.tape.session import (
    AWAY,
    Session,
    Ticked,
    failed_tick_line,
    gap_line,
    markets_line,
    session_line,
    tick_line,
)
from domain.ledger import Ledger
from domain.market import Market, Moment, Snapshot
from domain.ports import Clock, Feed, LedgerStore
from domain.report import Journal, Report
from domain.state import State


class Recorder:
    """Writes one session down. `failed` is told, once, when nothing can be written any more; the ticks are not."""

    def __init__(self, directory: Path, *, clock: Clock, failed: Callable[[str], None]) -> None:
        """Record into this directory; the first line is `begin`'s."""
        self._clock = clock
        self._disk = RecordDisk(directory, failed=failed)
        self._sequence = 0
        self._markets: tuple[Market, ...] | None = None
        self._ticked: Ticked | None = None

    @property
    def broken(self) -> bool:
        """Whether recording has ended early."""
        return self._disk.broken

    def begin(self, session: Session) -> None:
        """The session, and the gap since the tick before it, if there was one."""
        self._sequence = session.state.sequence
        last = session.state.memory.moment
        if last is not None:
            until_ms = max(last.at_ms, session.at_ms)
            self._disk.put(session.at_ms, gap_line(since_ms=last.at_ms, until_ms=until_ms, why=AWAY))
        self._disk.put(session.at_ms, session_line(session))

    def transport(self, source: str, base_url: str, inner: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncBaseTransport:
        """A transport for the client of `source`, whose answers are recorded; `inner` instead of connections of its own."""
        return RecordingTransport(source, base_url, clock=self._clock, tick=self._asking, note=self._note, inner=inner)

    def observed(self, snapshot: Snapshot, attempt: Attempt) -> None:
        """A tick's inputs are in, as they were gathered in this attempt."""
        at_ms = snapshot.ready.at_ms
        if snapshot.markets != self._markets:
            self._markets = markets = snapshot.markets
            self._disk.put(at_ms, markets_line(markets, at_ms))
        self._ticked = ticked = Ticked.of(snapshot, sequence=self._sequence + 1, began=attempt.began, cut=attempt.cut)
        self._disk.put(at_ms, tick_line(ticked))

    def failed_to_observe(self) -> None:
        """A tick came to nothing before its inputs were in."""
        sequence, at_ms = self._sequence + 1, self._clock.now().at_ms
        self._disk.put(at_ms, failed_tick_line(sequence, at_ms))

    def committed(self) -> None:
        """The tick that was observed last is committed."""
        if self._ticked is not None:
            ticked = replace(self._ticked, committed=True)
            self._sequence = ticked.sequence
            self._disk.put(ticked.ready.at_ms, tick_line(ticked))

    def close(self) -> None:
        """End the segment."""
        self._disk.close()

    def _asking(self) -> int | None:
        return self._sequence + 1 if ATTEMPT.get() else None

    def _note(self, exchange: Exchange) -> None:
        if not self.broken:
            self._disk.put(exchange.at.at_ms, line_of(exchange))


class RecordedFeed:
    """A feed that tells the recorder what it gave."""

    def __init__(self, feed: Feed, recorder: Recorder) -> None:
        """Ask `feed`."""
        self._feed, self._recorder = feed, recorder

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """What the feed gives."""
        try:
            snapshot = await self._feed.observe(moment, ledger)
        except BaseException:
            self._recorder.failed_to_observe()
            raise
        self._recorder.observed(snapshot, ATTEMPT.get() or Attempt(began=snapshot.ready))
        return snapshot


class RecordedLedger:
    """A ledger store that tells the recorder which ticks are committed."""

    def __init__(self, store: LedgerStore, recorder: Recorder) -> None:
        """Keep everything in `store`."""
        self._store, self._recorder = store, recorder

    def load(self) -> State:
        """The state after the last committed tick."""
        return self._store.load()

    def save(self, report: Report) -> None:
        """Commit one tick."""
        self._store.save(report)
        self._recorder.committed()

    def journal(self) -> Journal:
        """What is kept of the past."""
        return self._store.journal()
