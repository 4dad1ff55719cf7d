"""The CSV files in memory: rows are encoded once and kept as lines, so that a file is no more than a join."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.portal.cells import csv_line
from adapters.portal.schema import Log, OutputFile, Row
from adapters.portal.thinning import stride


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Rows of one tick, ready to be added. `newest_ms` is the time of the last one, None without rows."""

    sequence: int
    at_ms: int
    encoded: tuple[bytes, ...]
    newest_ms: int | None

    @classmethod
    def of(cls, rows: Sequence[Row], *, sequence: int, at_ms: int) -> "Lines":
        """Encode the rows of one tick."""
        newest_ms = rows[-1].ts.at_ms if rows else None
        return cls(sequence=sequence, at_ms=at_ms, encoded=tuple(map(csv_line, rows)), newest_ms=newest_ms)


class Table:
    """A file that keeps the newest rows, oldest first; all of them where `kept` is None."""

    def __init__(self, file: OutputFile) -> None:
        """Start with the header alone."""
        self.file = file
        self.header = csv_line(file.columns)
        self.newest_ms: int | None = None
        self._lines: deque[bytes] = deque(maxlen=file.kept)

    @property
    def lines(self) -> Iterable[bytes]:
        """The rows, oldest first."""
        return self._lines

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The whole file, a line each."""
        return (self.header, *self.lines)

    def add(self, lines: Lines) -> None:
        """Take one tick's rows."""
        if lines.newest_ms is not None:
            self._lines.extend(lines.encoded)
            self.newest_ms = lines.newest_ms


class LatestTable(Table):
    """A file that shows the latest tick only: without rows, too, it speaks of that tick."""

    def add(self, lines: Lines) -> None:
        """Forget the tick before."""
        self._lines = deque(lines.encoded)
        self.newest_ms = lines.at_ms


class ThinnedTable(Table):
    """A file that shows all ticks, ever more sparsely: at most one row a tick."""

    def __init__(self, file: OutputFile) -> None:
        """Start with the header alone."""
        super().__init__(file)
        self._by_sequence: dict[int, bytes] = {}
        self._kept = file.kept or 2
        self._step = 1

    @property
    def lines(self) -> Iterable[bytes]:
        """The rows, oldest first."""
        return self._by_sequence.values()

    def add(self, lines: Lines) -> None:
        """Take one tick's row, and drop the rows between that are one too many now."""
        if lines.newest_ms is None:
            return
        held = self._by_sequence
        first = next(iter(held), lines.sequence)
        before = next(reversed(held), first)
        if before != first and before % self._step:
            del held[before]
        held[lines.sequence] = lines.encoded[-1]
        self.newest_ms = lines.newest_ms
        step = stride(first=first, last=lines.sequence, kept=self._kept)
        if step != self._step:
            self._step = step
            ends = (first, lines.sequence)
            self._by_sequence = {number: line for number, line in held.items() if number in ends or number % step == 0}


def table(file: OutputFile) -> Table:
    """An empty table of the file's kind of log."""
    kinds = {Log.APPEND: Table, Log.LATEST: LatestTable, Log.THINNED: ThinnedTable}
    return kinds[file.log](file)
