"""Own recordings for a tape: the committed ticks as they were, on one timeline, and the gaps between their sessions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from adapters.simulated_venues.frames import RecordingInvalid
from adapters.tape import TapeInvalid
from adapters.tape.segments import segments
from adapters.tape.session import AWAY, Session
from adapters.tape.writing import Gap
from domain.market import Moment, Snapshot
from entrypoints.playback import Played, play


def ticks_of(recordings: Iterable[Path], warnings: list[str]) -> Iterator[Snapshot | Gap]:
    """Every tick that was surely committed, the oldest recording first, and a gap before every session but the first.

    Where a recording is broken its reading ends, with a line in `warnings`. Raises `RecordingInvalid` for one that is broken
    before its first tick, and `TapeInvalid` for one that begins before the one before it ends.
    """
    timeline = _Timeline()
    for recording in sorted(recordings, key=_oldest):
        try:
            for played in play(recording):
                if played.attempted.committed:
                    yield from timeline.items(played, recording)
        except RecordingInvalid as error:
            if timeline.of is not recording:
                raise
            warnings.append(f"{error}; it is read up to there")


def _oldest(recording: Path) -> str:
    """The name of its first segment, which is its time."""
    return segments(recording)[0].name if recording.is_dir() else recording.name


class _Timeline:
    """Where the ticks stand so far. Sessions of one ledger share a timeline; any other begins anew, and is moved behind."""

    def __init__(self) -> None:
        self.of: Path | None = None
        """The recording of the last tick."""
        self._before: Snapshot | None = None
        self._session: Session | None = None
        self._ahead_ms = 0

    def items(self, played: Played, recording: Path) -> Iterator[Snapshot | Gap]:
        seen, before = played.snapshot, self._before
        if before is not None and played.first:
            if recording is not self.of and seen.moment.at_ms <= before.moment.at_ms:
                raise TapeInvalid(f"{recording} begins before {self.of} ends: compile them into two tapes")
            self._ahead_ms = self._ahead_of(played, before)
            yield Gap(from_ms=before.ready.at_ms, until_ms=max(before.ready.at_ms, seen.moment.at_ms), why=AWAY)
        self.of, self._session = recording, played.session
        self._before = _moved(seen, self._ahead_ms)
        yield self._before

    def _ahead_of(self, played: Played, before: Snapshot) -> int:
        """How far the session's timeline is moved, ms: not at all where it goes on with the one before it."""
        session, at = played.session, played.snapshot.moment
        same = self._session is not None and session.ledger_id == self._session.ledger_id != ""
        if same and at.elapsed_ms + self._ahead_ms > before.moment.elapsed_ms:
            return self._ahead_ms
        return before.moment.elapsed_ms + max(at.at_ms - before.moment.at_ms, 1) - at.elapsed_ms


def _moved(seen: Snapshot, ahead_ms: int) -> Snapshot:
    """The same tick, so much later on the timeline that never steps."""
    if not ahead_ms:
        return seen

    def later(moment: Moment) -> Moment:
        return replace(moment, elapsed_ms=moment.elapsed_ms + ahead_ms)

    return replace(
        seen,
        moment=later(seen.moment),
        ready=later(seen.ready),
        books={token: replace(book, requested=later(book.requested)) for token, book in seen.books.items()},
        references={key: replace(price, requested=later(price.requested)) for key, price in seen.references.items()},
    )
