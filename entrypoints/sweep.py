"""Sweep: many settings over one tape, on all cores or many machines, and what is left of the best when luck is taken off."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Self

import rich.progress
from rich.console import Console

from adapters.portal.cells import iso, json_bytes
from adapters.portal.runs import RUNS, list_run
from adapters.state_lock import AlreadyRunning, StateLock
from adapters.tape.axes import Axes, Span
from adapters.tape.columns import Columns, Grid
from adapters.tape.manifest import fingerprint, read_manifest
from adapters.tape.results import Document
from adapters.tape.tape import open_tape
from adapters.tape.trials import TABLE_FILE, Plan, SweepRefused, Trial, Trials, edges_s, write_table, written_whole
from adapters.workers import Crew, Here, Workers, can_fork, cores
from domain.selection import Fold, folds_of, sharpe
from entrypoints import VERSION
from entrypoints.replay import changed, ms_of
from entrypoints.settings import HOLDS, VARIABLES
from entrypoints.space import axes_of, combinations_of, in_force
from entrypoints.standing import Swept, standing_of
from entrypoints.trial import Base, Probe, Setting

ROUND = 8
"""Settings that a search asks for before it looks at their scores: the same for any number of workers."""

SEED = 7
SWEEP_FILE = "sweep.json"
INDIFFERENT = (
    "RUN_",
    "OUT_DIR",
    "STATE_DIR",
    "MARKET_MAP_PATH",
    "KILLSWITCH_FILE",
    "LOG_LEVEL",
    "HTTP_",
    "PM_SCAN_",
    "KRAKEN_",
    "POLYMARKET_",
)
"""Variables that no replay asks: a sweep may go on when they change."""


class Interrupted(Exception):
    """Somebody stopped the sweep; the text says how to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A tape, or a part of it; `mark` is a hash of all its bytes. Opened anew by every machine that works on it."""

    tape: Path
    mark: str
    from_ms: int | None = None
    to_ms: int | None = None
    markets: tuple[str, ...] = ()

    @classmethod
    def of(cls, asked: "Asked") -> Self:
        """What was asked for. Raises `TapeInvalid` and `ReplayRefused`."""
        read_manifest(asked.tape)
        mark = fingerprint(asked.tape)
        since, until = ms_of(asked.since), ms_of(asked.until)
        return cls(tape=asked.tape.resolve(), mark=mark, from_ms=since, to_ms=until, markets=tuple(sorted(asked.markets)))

    def columns(self, at: Path | None = None) -> Columns:
        """Its columns, out of the tape at this place. Raises `TapeInvalid`."""
        return open_tape(at or self.tape, self.from_ms, self.to_ms, self.markets or None)

    def __str__(self) -> str:
        """Empty for a whole tape."""
        ends = [iso(ms) if ms is not None else "" for ms in (self.from_ms, self.to_ms)]
        return " ".join((*([f"{ends[0]}..{ends[1]}"] if any(ends) else ()), *self.markets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to sweep over which tape, by whom, and where it goes: `out_dir`/replay/`name`."""

    tape: Path
    environment: Mapping[str, str]
    out_dir: Path = Path("web/data")
    name: str | None = None
    changes: Sequence[str] = ()
    grids: Sequence[str] = ()
    spans: Sequence[str] = ()
    search: str | None = None
    count: int = 100
    jobs: int | None = None
    since: str | None = None
    until: str | None = None
    markets: Sequence[str] = ()
    folds: int = 5
    purge_s: float | None = None
    scheduler: str | None = None
    console: Console = field(default_factory=Console)

    @property
    def directory(self) -> Path:
        """Where all of it is kept."""
        return (self.out_dir / RUNS / (self.name or f"sweep-{self.tape.resolve().name}")).resolve()


@lru_cache(maxsize=1)
def _probe(stretch: Stretch, environment: tuple[tuple[str, str], ...]) -> Probe:
    """On a worker of a cluster: the tape is opened once."""
    from adapters.tape.cluster import place_of

    return Probe(stretch.columns(place_of(stretch.tape, stretch.mark)), Base(environment=dict(environment)))


def tried_far_away(stretch: Stretch, environment: tuple[tuple[str, str], ...], setting: Setting) -> Trial:
    """One setting, tried on another machine."""
    return _probe(stretch, environment).trial(setting)


def sweep(asked: Asked) -> Document:
    """Try what has not been tried yet, and write the table and `sweep.json`; what that holds.

    Raises `SweepRefused`, `SettingsInvalid`, `TapeInvalid`, `ReplayRefused` before anything is tried, `Interrupted`
    and `CrewLost` later: what was done by then is kept.
    """
    if asked.search not in (None, "tpe"):
        raise SweepRefused(f"--search {asked.search}: the one search is tpe")
    axes, stretch = axes_of(asked.grids, asked.spans), Stretch.of(asked)
    base = _base(asked, axes)
    trials = Trials(asked.directory)
    under_way = _Sweep(axes=axes, stretch=stretch, base=base, columns=stretch.columns(), trials=trials)
    plan = _plan(stretch, base, axes)
    trials.refuse_other(plan)
    asked.directory.mkdir(parents=True, exist_ok=True)
    # The workers begin before the lock is taken: what they inherit would hold it when this process is killed.
    with under_way.crew(asked) as crew:
        try:
            with StateLock(asked.directory):
                trials.begin(plan)
                return _written(asked, under_way, _tried(asked, under_way, crew))
        except AlreadyRunning as error:
            raise SweepRefused(
                f"another sweep writes to {asked.directory} (process {error.pid}): wait, or give --name"
            ) from None
        except KeyboardInterrupt:
            kept = f"{len(trials.done)} settings are kept in {asked.directory}"
            raise Interrupted(f"stopped: {kept}; the same command goes on from there") from None


def _base(asked: Asked, axes: Axes) -> Base:
    """What all settings stand on. Raises `SettingsInvalid` and `SweepRefused`."""
    environment = changed(asked.environment, asked.changes)
    for change in asked.changes:
        if change.partition("=")[0] in axes:
            raise SweepRefused(f"--set {change}: this variable is swept")
    return Base(environment={name: environment[name] for name in VARIABLES if name in environment and name not in axes})


def _plan(stretch: Stretch, base: Base, axes: Axes) -> Plan:
    return Plan(
        version=VERSION,
        tape=stretch.mark,
        stretch=str(stretch),
        names=tuple(axes),
        fixed=_fixed(base, axes),
    )


def _fixed(base: Base, axes: Axes) -> Mapping[str, str]:
    """What all trials have in common, as far as a replay asks for it."""
    values = base.settings(_some(base, axes)[0]).in_force()
    return {name: value for name, value in values.items() if name not in axes and not name.startswith(INDIFFERENT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    """A sweep under way."""

    axes: Axes
    stretch: Stretch
    base: Base
    columns: Columns
    trials: Trials

    def crew(self, asked: Asked) -> AbstractContextManager[Crew[Setting, Trial]]:
        """Who tries settings."""
        if asked.scheduler:
            from adapters.tape.cluster import Cluster

            environment = tuple(self.base.environment.items())
            far_away = partial(tried_far_away, self.stretch, environment)
            return Cluster(asked.scheduler, self.stretch.tape, far_away, self.base.kind)
        jobs = asked.jobs or cores()
        work = Probe(self.columns, self.base).trial
        return Workers(work, self.base.kind, jobs) if jobs > 1 and can_fork() else nullcontext(Here(work, self.base.kind))

    def try_all(self, crew: Crew[Setting, Trial], settings: Sequence[Setting], tell: Callable[[], None]) -> None:
        """Try those of these settings that have not been tried, and keep each as soon as it is."""
        for trial in crew.answers([each for each in settings if tuple(each.values()) not in self.trials.done]):
            self.trials.add(trial)
            tell()


def _tried(asked: Asked, sweep: _Sweep, crew: Crew[Setting, Trial]) -> list[Setting]:
    """Try all that was asked for; the settings in their order."""
    if asked.search is None:
        combinations = combinations_of(sweep.axes, sweep.base)
        if combinations.impossible:
            count = len(combinations.impossible)
            asked.console.print(f"{count} of the combinations cannot be and are left out: {combinations.impossible[0]}")
        settings = list(combinations.possible)
        left = sum(tuple(each.values()) not in sweep.trials.done for each in settings)
        with _progress(asked.console) as shown:
            task = shown.add_task("sweep", total=len(settings), completed=len(settings) - left)
            sweep.try_all(crew, settings, lambda: shown.advance(task))
        return settings
    with _progress(asked.console) as shown:
        task = shown.add_task("search", total=asked.count)
        return list(_searched(asked, sweep, crew, lambda done: shown.update(task, completed=done)))


def _searched(asked: Asked, sweep: _Sweep, crew: Crew[Setting, Trial], tell: Callable[[int], None]) -> Iterator[Setting]:
    """Ask and try in rounds. The score that is learnt from never sees the test of the last fold, which judges the search."""
    from adapters.tape.tpe import Search

    search, seen = Search(sweep.axes, seed=SEED), _seen(asked, sweep)
    for start in range(0, asked.count, ROUND):
        asked_for = search.ask(min(ROUND, asked.count - start))
        settings = [in_force(each, sweep.base) for each in asked_for]
        possible = {tuple(each.values()): each for each in settings if not isinstance(each, str)}
        sweep.try_all(crew, list(possible.values()), lambda: None)
        done = [None if isinstance(each, str) else sweep.trials.done[tuple(each.values())] for each in settings]
        search.tell([None if trial is None else sharpe(trial.changes[:seen]) for trial in done])
        tell(start + len(asked_for))
        yield from possible.values()


def _seen(asked: Asked, sweep: _Sweep) -> int | None:
    """How many periods a search may learn from; None: all."""
    folds, _ = _folds(asked, sweep.base, sweep.columns.grid, _some(sweep.base, sweep.axes))
    return folds[-1].seen if folds else None


def _some(base: Base, axes: Axes) -> Sequence[Setting]:
    """Possible settings, the utmost ones among them."""
    return combinations_of({name: _ends(axis) for name, axis in axes.items()}, base).possible


def _ends(axis: tuple[str, ...] | Span) -> tuple[str, ...]:
    """A grid's values, or the first and the last of a span."""
    values = axis.values() if isinstance(axis, Span) else axis
    return tuple(dict.fromkeys((values[0], values[-1]))) if isinstance(axis, Span) else values


def _folds(asked: Asked, base: Base, grid: Grid, settings: Sequence[Setting]) -> tuple[tuple[Fold, ...], float]:
    """The folds of a sweep, and by how many seconds past and test lie apart: the longest hold and lookback, unless told."""
    purge_s = asked.purge_s
    if purge_s is None:
        tick_s = float(grid.elapsed_ms[-1] - grid.elapsed_ms[0]) / 1000 / max(len(grid) - 1, 1)
        purge_s = max(_memory_s(base, setting, tick_s) for setting in settings)
    return folds_of(edges_s(grid).tolist(), count=asked.folds, purge_s=purge_s), purge_s


def _memory_s(base: Base, setting: Setting, tick_s: float) -> float:
    """How long a setting holds and looks back, seconds; a hold without a limit counts for nothing."""
    settings = base.settings(setting)
    _, hold_of = HOLDS[settings.strategy_mode]
    return (hold_of(settings) or 0.0) + base.rules(setting).strategy.capacity * tick_s


def _progress(console: Console) -> rich.progress.Progress:
    return rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.TextColumn("{task.completed:,} of {task.total:,} settings"),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _written(asked: Asked, sweep: _Sweep, order: Sequence[Setting]) -> Document:
    """The table of all trials, `sweep.json` and the index of runs."""
    done = dict(sweep.trials.done)
    keys = dict.fromkeys(tuple(each.values()) for each in order)
    trials = [done.pop(key) for key in keys] + [done[key] for key in sorted(done)]
    folds, purge_s = _folds(asked, sweep.base, sweep.columns.grid, [trial.settings for trial in trials])
    if asked.search is not None:
        folds = folds[-1:]
    names, grid, directory = tuple(sweep.axes), sweep.columns.grid, asked.directory
    write_table(directory / TABLE_FILE, names, trials)
    brief = {
        "tape": asked.tape.resolve().name,
        "strategy_mode": sweep.base.settings(trials[0].settings).strategy_mode,
        "search": asked.search or "grid",
        "coverage": {"from": iso(grid.at_ms.item(0)), "to": iso(grid.at_ms.item(-1)), "ticks": len(grid)},
    }
    standing = standing_of(Swept(names=names, trials=trials, grid=grid, folds=folds, purge_s=purge_s))
    document = {"kind": "sweep", "version": VERSION, **brief, **standing, "fixed": _fixed(sweep.base, sweep.axes)}
    written_whole(directory / SWEEP_FILE, json_bytes(document))
    list_run(directory, {"kind": "sweep", "at": iso(round(time.time() * 1000)), "trials": len(trials), **brief})
    return document
