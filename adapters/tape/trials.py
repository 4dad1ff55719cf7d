"""The directory of a sweep: what it is about, and one line for each setting that was tried, so that a killed sweep goes on."""

import os
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.tape.account import Curve
from adapters.tape.columns import MICROS, Floats, Grid
from adapters.tape.results import MONEY, Document

PLAN_FILE, TRIALS_FILE, TABLE_FILE = "plan.json", "trials.jsonl", "trials.parquet"
MOST_PERIODS = 240
"""Into how many equal periods a tape is cut: enough for the statistics of a record, few enough to keep."""


class SweepRefused(Exception):
    """A sweep that cannot be made, or not here; the text says why and what to do."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Plan(_Kept):
    """What all trials of one directory have in common. `tape` is a hash of its bytes, `stretch` the part of it."""

    version: str
    tape: str
    stretch: str
    names: tuple[str, ...]
    fixed: Mapping[str, str]

    def differences(self, other: "Plan") -> Iterator[str]:
        """In what another plan differs, in words."""
        if self.tape != other.tape:
            yield "the tape has changed"
        if self.stretch != other.stretch:
            yield f"the stretch was {self.stretch or 'all of it'} and is {other.stretch or 'all of it'}"
        if self.names != other.names:
            yield f"it swept {', '.join(self.names)} and not {', '.join(other.names)}"
        if self.version != other.version:
            yield f"it was made by version {self.version} and not {other.version}"
        for name in sorted((self.fixed.keys() | other.fixed.keys()) - {*self.names, *other.names}):
            before, now = self.fixed.get(name), other.fixed.get(name)
            if before != now:
                yield f"{name} was {before!r} and is {now!r}"


class Trial(_Kept):
    """One setting and what it came to: USDC, price units, seconds; `changes` of equity by period, micro-dollars."""

    settings: Mapping[str, str]
    trades: int
    round_trips: int
    pnl_usd: Decimal
    fees_usd: Decimal
    max_drawdown_usd: Decimal
    hit_rate: float | None
    markout_5s: float | None
    markout_30s: float | None
    markout_60s: float | None
    time_in_market_s: float
    score: float
    changes: tuple[int, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from the other trials of its sweep."""
        return tuple(self.settings.values())

    def row(self) -> Document:
        """The numbers, without the record."""
        return {name: getattr(self, name) for name in NUMBERS}


NUMBERS = tuple(name for name in Trial.model_fields if name not in {"settings", "changes"})


def edges_s(grid: Grid) -> Floats:
    """The edges of the equal periods that a tape is cut into, seconds on its monotonic timeline."""
    ends = grid.elapsed_ms[[0, -1]] / 1000
    return np.linspace(ends[0], ends[1] + 0.001, max(1, min(MOST_PERIODS, len(grid) // 4)) + 1)


def changes_of(curve: Curve, grid: Grid) -> tuple[int, ...]:
    """The change of equity in each period, micro-dollars; their sum is the whole result."""
    ends = grid.elapsed_ms.searchsorted(np.ceil(edges_s(grid)[1:] * 1000))
    levels = np.where(ends > 0, curve.equity[ends - 1], curve.opening)
    return tuple(np.diff(levels, prepend=curve.opening).tolist())


class Trials:
    """The trials of one directory; who adds one must be the only one to do so."""

    def __init__(self, directory: Path) -> None:
        """Nothing is read yet."""
        self.directory = directory
        self.done: dict[tuple[str, ...], Trial] = {}

    def refuse_other(self, plan: Plan) -> None:
        """Raises `SweepRefused` when the directory holds another sweep."""
        path = self.directory / PLAN_FILE
        differences = list(_plan_in(path).differences(plan)) if path.exists() else []
        if differences:
            raise SweepRefused(
                f"{self.directory} holds another sweep: {'; '.join(differences)}. "
                "Give this one another --name, or delete that directory"
            )

    def begin(self, plan: Plan) -> None:
        """Start, or go on where an earlier run stopped. Raises `SweepRefused`."""
        self.refuse_other(plan)
        if not (self.directory / PLAN_FILE).exists():
            written_whole(self.directory / PLAN_FILE, plan.model_dump_json(indent=1).encode())
        self._read(self.directory / TRIALS_FILE)

    def _read(self, path: Path) -> None:
        """Take the whole lines; what a killed run left half written is cut off."""
        if not path.exists():
            return
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                trial = Trial.model_validate_json(line)
            except ValidationError:
                raise SweepRefused(f"{path}: line {number} is damaged; delete that line or the directory") from None
            self.done[trial.key] = trial
        if lines[-1]:
            os.truncate(path, path.stat().st_size - len(lines[-1]))

    def add(self, trial: Trial) -> None:
        """Keep a trial: one write, on the disk when this returns."""
        descriptor = os.open(self.directory / TRIALS_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, trial.model_dump_json().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.done[trial.key] = trial


def _plan_in(path: Path) -> Plan:
    try:
        return Plan.model_validate_json(path.read_bytes())
    except ValidationError:
        raise SweepRefused(f"{path} is damaged: delete the directory and start again") from None


def written_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def write_table(path: Path, names: Sequence[str], trials: Sequence[Trial]) -> None:
    """All trials as Parquet: a column of text for each variable that varied, then the numbers, dollars as decimals."""
    columns = {name: pa.array([trial.settings[name] for trial in trials], pa.string()) for name in names}
    columns |= {name: pa.array([getattr(trial, name) for trial in trials], _kind(name)) for name in NUMBERS}
    columns["changes_micro_usd"] = pa.array([trial.changes for trial in trials], pa.list_(pa.int64()))
    part = path.with_name(f".{path.name}.part")
    pq.write_table(pa.table(columns), part, compression="zstd")
    part.replace(path)


def _kind(name: str) -> pa.DataType:
    if name.endswith("_usd"):
        return MONEY
    return pa.int64() if name in {"trades", "round_trips"} else pa.float64()


def dollars(changes: Sequence[int]) -> float:
    """What some periods brought, USDC."""
    return sum(changes) / MICROS
