"""`PortalFiles`: the portal's port over a directory. A tick only leaves its rows here; a thread of ours meets the disk."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from adapters.candidates import Candidate
from adapters.portal.cells import json_bytes
from adapters.portal.disk import Disk
from adapters.portal.documents import Latest, Note, Run, sources_health
from adapters.portal.edition import Edition, csv_files, write
from adapters.portal.projections import Rows, equity_row, journal_rows, tick_rows
from adapters.portal.scan import scan_rows
from adapters.portal.schema import EQUITY, FILES, SCAN, OutputFile
from adapters.portal.tables import Lines, Table, table
from adapters.portal.thinning import thinned
from domain.market import Moment
from domain.report import Journal, Report

CLOSING_S = 10.0


def nothing_found() -> Sequence[Candidate]:
    """What discovery has met when there is none."""
    return ()


class PortalFiles:
    """Implements `domain.ports.Portal`. Call `rebuild` before the first tick and `close` after the last."""

    def __init__(
        self,
        out_dir: Path,
        *,
        ledger_id: str,
        started_at_ms: int,
        strategy_mode: str,
        trading_mode: str,
        settings: Mapping[str, str],
        sources: Callable[[int], Mapping[str, object]],
        version: str,
        found: Callable[[], Sequence[Candidate]] = nothing_found,
    ) -> None:
        """`started_at_ms` is the daemon's start; `sources` reports on each source at a time (UTC ms): `Health.report`.

        `found` gives what discovery met last.
        """
        self._run = Run(
            ledger_id=ledger_id,
            started_at_ms=started_at_ms,
            strategy_mode=strategy_mode,
            trading_mode=trading_mode,
            settings=dict(settings),
            version=version,
        )
        self._sources = sources
        self._found = found
        self._scan_shown: Sequence[Candidate] = ()
        self._ledger_since_ms = started_at_ms
        self._note = Note()
        self._disk = Disk(out_dir)
        self._tables = _empty_tables()
        self._shown: tuple[Latest, bytes] | None = None
        self._changed = threading.Condition()
        self._pending = False
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def write_failures(self) -> Mapping[str, int]:
        """How many writes failed since the start, by file."""
        return self._disk.failures

    def note(self, *, tick_ms: float | None = None, last_error: str | None = None) -> None:
        """What the agent says of itself, shown from the next publish on. None leaves what was; an empty error clears it."""
        before = self._note
        self._note = replace(
            before,
            tick_ms=before.tick_ms if tick_ms is None else tick_ms,
            last_error=before.last_error if last_error is None else last_error or None,
        )

    def rebuild(self, journal: Journal) -> None:
        """Make all files again from the ledger's past, and wait for the disk. Raises `OSError` without a directory."""
        self.close()
        self._disk.prepare(file.name for file in FILES)
        self._tables = _empty_tables()
        self._scan_shown = ()
        self._ledger_since_ms = journal.started_at_ms
        moment = _last_moment(journal)
        latest = Latest(
            sequence=journal.state.sequence,
            at_ms=moment.at_ms,
            ledger_since_ms=journal.started_at_ms,
            ledger=journal.state.ledger,
            markets=tuple(verdict.market for tick in journal.verdicts[-1:] for verdict in tick.verdicts),
            note=self._note,
        )
        self._add(_encoded(journal_rows(journal, moment), latest))
        for point in thinned(journal.equity, EQUITY.kept or 2):
            self._tables[EQUITY].add(Lines.of([equity_row(point)], sequence=point.sequence, at_ms=point.moment.at_ms))
        self._shown = latest, json_bytes(sources_health(self._sources(moment.at_ms)))
        self._write_once()

    def publish(self, report: Report) -> None:
        """Show one more tick. The rows are encoded here; the disk is met elsewhere."""
        latest = Latest(
            sequence=report.state.sequence,
            at_ms=report.moment.at_ms,
            ledger_since_ms=self._ledger_since_ms,
            ledger=report.state.ledger,
            markets=tuple(verdict.market for verdict in report.verdicts),
            found=self._found(),
            books=report.books,
            note=replace(self._note, killswitch=report.kill_switch),
        )
        encoded = _encoded({**tick_rows(report), EQUITY: [equity_row(report.equity)]}, latest) | self._scanned(latest)
        # Encoded at once: the sources go on counting while the disk is busy.
        sources = json_bytes(sources_health(self._sources(latest.at_ms)))
        with self._changed:
            self._add(encoded)
            self._shown, self._pending = (latest, sources), True
            self._changed.notify()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._write_on, name="portal-files", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is pending and end the thread."""
        if self._thread is None:
            return
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSING_S)
        self._closing, self._thread = False, None

    def _scanned(self, latest: Latest) -> dict[OutputFile, Lines]:
        """The rows of a scan that was not shown yet; their time is the scan's own, that of the tick where it met nothing."""
        if latest.found is self._scan_shown:
            return {}
        self._scan_shown = latest.found
        at_ms = latest.found[0].at.at_ms if latest.found else latest.at_ms
        return {SCAN: Lines.of(scan_rows(latest.found), sequence=latest.sequence, at_ms=at_ms)}

    def _add(self, encoded: Mapping[OutputFile, Lines]) -> None:
        for file, lines in encoded.items():
            self._tables[file].add(lines)

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._closing)
                if not self._pending:
                    return
            self._write_once()

    def _write_once(self) -> None:
        """Write the latest state; ticks that came while the disk was busy are in it."""
        with self._changed:
            self._pending = False
            shown = self._shown
            edition = Edition.of(*shown, self._tables.values()) if shown else None
        if edition:
            write(edition, self._run, self._disk)


def _empty_tables() -> dict[OutputFile, Table]:
    return {file: table(file) for file in csv_files()}


def _encoded(rows: Rows, latest: Latest) -> dict[OutputFile, Lines]:
    return {file: Lines.of(some, sequence=latest.sequence, at_ms=latest.at_ms) for file, some in rows.items()}


def _last_moment(journal: Journal) -> Moment:
    """When the last tick was; the ledger's start before the first."""
    for past in (journal.equity, journal.verdicts):
        if past:
            return past[-1].moment
    return Moment(at_ms=journal.started_at_ms, elapsed_ms=0)
