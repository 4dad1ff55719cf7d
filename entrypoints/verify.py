"""Verifying: a paper session's trades are the replay of its own recording, byte for byte, or the first that is not is named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from adapters.portal.cells import iso, number
from adapters.simulated_venues.frames import RecordingInvalid
from domain.decision import Cause, Verdict
from domain.report import Report
from domain.state import State
from entrypoints.playback import Played, play
from entrypoints.written import Row, Written


class Stretch(NamedTuple):
    """Ticks without a hole: the times of the first and the last one."""

    first: str
    last: str


@dataclass(slots=True)
class Replayed:
    """What the recording of one ledger gives. `broken` says where it can no longer be believed, `torn` where it contradicts."""

    ticks: int = 0
    sessions: int = 0
    last: int = 0
    rows: list[Row] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    broken: str = ""
    torn: str = ""
    decided: dict[str, tuple[int, Sequence[Verdict]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came of it: `difference` is empty when all agrees; `outside` are trades at times that were not recorded."""

    ticks: int
    sessions: int
    trades: int
    outside: int
    difference: str

    def __str__(self) -> str:
        """For a person: all in one line."""
        if self.difference:
            return f"NOT VERIFIED: {self.difference}"
        beside = f"; {self.outside} trades at times that were not recorded" if self.outside else ""
        sessions = "1 session" if self.sessions == 1 else f"{self.sessions} sessions"
        return f"verified: {self.trades} trades are the replay of {self.ticks} ticks in {sessions}{beside}"


def replayed(recording: Path, written: Written, watch: Callable[[int], None] = lambda ticks: None) -> Replayed:
    """What the recording gives of the ledger that wrote this; `watch` is told how many ticks were played."""
    telling = _Telling(written)
    try:
        for played in play(recording):
            telling.tell(played)
            watch(telling.told.ticks)
    except RecordingInvalid as error:
        telling.told.broken = str(error)
    return telling.told


def compared(written: Written, replay: Replayed) -> Verification:
    """The first difference between what was written and what the recording gives, if there is any."""
    inside = [row for row in written.rows if any(first <= row.at <= last for first, last in replay.stretches)]
    wrong = next((row for row in written.rows if not row.at), None)
    difference = f"{written.name} begins with {_shown(wrong)}" if wrong else _difference(written, inside, replay)
    return Verification(
        ticks=replay.ticks,
        sessions=replay.sessions,
        trades=len(inside),
        outside=len(written.rows) - len(inside),
        difference=difference or replay.torn or _shortage(written, replay),
    )


def _shortage(written: Written, replay: Replayed) -> str:
    if replay.broken:
        agree = f" (the ticks before it agree, the last one is {replay.last})" if replay.ticks else ""
        return f"{replay.broken}{agree}"
    if not replay.ticks:
        return f"the recording holds no tick of the ledger that {written.name} is of ({written.ledger_id})"
    if replay.last < written.sequence:
        return f"the recording ends with tick {replay.last}, {written.name} goes on to tick {written.sequence}"
    return ""


def _difference(written: Written, inside: Sequence[Row], replay: Replayed) -> str:
    """The first row that differs, as text. Rows of ticks that are newer than what was surely shown may be missing."""
    lines = [row.line for row in inside]
    sure = sum(row.tick <= written.sequence for row in replay.rows)
    for shown in range(sure, len(replay.rows) + 1):
        expected = replay.rows[:shown]
        if written.cut:
            expected = expected[max(0, shown - len(inside)) :]
        if [row.line for row in expected] == lines:
            return ""
    expected = replay.rows[max(0, sure - len(inside)) if written.cut else 0 : sure]
    for gives, has in zip_longest(expected, inside):
        if gives is None or has is None or gives.line != has.line:
            return _named(written, gives, has, replay)
    return ""


def _named(written: Written, gives: Row | None, has: Row | None, replay: Replayed) -> str:
    """What was decided, what the recording gives instead, and why: the earlier of the two rows says of which tick."""
    first = min(filter(None, (gives, has)), key=lambda row: row.at)
    tick, verdicts = replay.decided.get(first.at, (0, ()))
    where = f"tick {tick}" if tick else f"no tick at {first.at}"
    token = (gives.token if gives else "") or (has.line.decode(errors="replace").split(",")[2] if has else "")
    why = next((f"; it decided {_said(verdict)}" for verdict in verdicts if verdict.market.token == token), "")
    return f"{where}, token {token}: {written.name} has {_shown(has)}; the recording gives {_shown(gives)}{why}"


def _shown(row: Row | None) -> str:
    return f"`{row.line.decode(errors='replace').strip()}`" if row else "no trade"


def _said(verdict: Verdict) -> str:
    cause: Cause = verdict.cause
    measured = "" if cause.measured is None else f" at {number(cause.measured)}"
    limit = "" if cause.limit is None else f", the limit being {number(cause.limit)}"
    return f"{verdict.action} {cause.reason}{measured}{limit}"


def _continues(before: State, after: State) -> bool:
    """Whether a session begins with what the one before it came to; older ones recorded nothing of the protections."""
    if before.memory.record is None:
        after = replace(after, memory=replace(after.memory, record=None))
    return before == after


class _Telling:
    """The replay of one ledger's ticks, told one by one."""

    def __init__(self, written: Written) -> None:
        self.told = Replayed()
        self._written = written
        self._times = {row.at for row in written.rows}
        self._state: State | None = None

    def tell(self, played: Played) -> None:
        report, ticked = played.report, played.attempted.ticked
        unsure = played.attempted.committed is None and ticked.sequence > self._written.sequence
        if report is None or unsure or played.session.ledger_id != self._written.ledger_id or self.told.torn:
            return
        if played.first:
            self._begin(played)
        if ticked.sequence != report.state.sequence:
            where = f"{played.attempted.where.segment.name}, line {played.attempted.where.number}"
            self.told.torn = f"{where}: tick {ticked.sequence} follows tick {report.state.sequence - 1}"
            return
        self._add(report)

    def _begin(self, played: Played) -> None:
        """Take up a session: it must begin with what the one before it came to, unless ticks in between were not recorded."""
        told, state = self.told, played.session.state
        told.sessions += 1
        if self._state is not None and state.sequence == told.last and not _continues(self._state, state):
            told.torn = f"the session after tick {told.last} begins with another state than the recording before it gives"
        told.rows = [row for row in told.rows if row.tick <= state.sequence]
        at = iso(played.attempted.ticked.moment.at_ms)
        # Where a session goes on with the next tick, no trade can hide in the time between.
        if told.stretches and state.sequence == told.last:
            told.stretches[-1] = Stretch(told.stretches[-1].first, at)
        else:
            told.stretches.append(Stretch(at, at))

    def _add(self, report: Report) -> None:
        told, at = self.told, iso(report.moment.at_ms)
        told.ticks += 1
        told.last, self._state = report.state.sequence, report.state
        told.rows += [Row.of(trade, told.last) for trade in report.trades]
        told.stretches[-1] = Stretch(told.stretches[-1].first, max(at, told.stretches[-1].last))
        if report.trades or at in self._times:
            told.decided[at] = told.last, report.verdicts
