"""What a sweep costs: the benchmark kit's 100 settings over its data, against one screened replay of the same process.

Run by `python -m tests.benchmarks.sweep --data DIRECTORY [--jobs N]` with a directory that the kit's `gen.py` has written; the
last line is JSON. `replays` is the sweep's CPU time in single replays, `wall_replays` its wall time in the same. The kit's grid
leaves at an edge of 0.15 where it enters at 0.15; that is no setting of ours, so the last exit is 0.14.
"""

import argparse
import json
import resource
import time
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from adapters.tape.columns import Columns
from adapters.tape.screen import Screen
from adapters.tape.trials import Trial
from adapters.workers import Here, Workers
from domain.ledger import Ledger
from entrypoints.replaying import Replay, replayed
from entrypoints.rules import rules_of
from entrypoints.settings import read_settings
from entrypoints.trial import Base, Probe, Setting
from tests.benchmarks.replay import SETTINGS, kit_columns

GRID = {
    "LEAD_LAG_LOOKBACK_POINTS": ("4", "6", "10", "120"),
    "LEAD_LAG_EDGE_MIN_PCT": ("0.15", "0.20", "0.25", "0.30", "0.40"),
    "LEAD_LAG_EDGE_EXIT_PCT": ("-0.10", "0", "0.05", "0.10", "0.14"),
}
SINGLES = 3
"""Single replays before the sweep and after it: their median is the unit."""


def _cpu_s() -> float:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime


def _single(columns: Columns) -> float:
    started = time.process_time()
    settings = read_settings(SETTINGS)
    wish = Replay(columns=columns, rules=rules_of(settings), opening=Ledger.opened_with(settings.start_balance_usd))
    replayed(wish, Screen(columns, wish.rules))
    return time.process_time() - started


def _swept(columns: Columns, settings: list[Setting], jobs: int) -> list[Trial]:
    base = Base(environment={name: value for name, value in SETTINGS.items() if name not in GRID})
    work = partial(Probe.trial, Probe(columns, base))
    if jobs == 1:
        return list(Here(work, base.kind).answers(settings))
    with Workers(work, base.kind, jobs) as crew:
        return list(crew.answers(settings))


def main() -> None:
    """Run the benchmark and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--n", type=int, help="only the first so many ticks")
    asked = parser.parse_args()
    columns = kit_columns(asked.data, asked.n)
    grid: list[Setting] = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    singles = [_single(columns) for _ in range(SINGLES)]
    cpu, wall = _cpu_s(), time.perf_counter()
    trials = _swept(columns, grid, asked.jobs)
    cpu, wall = _cpu_s() - cpu, time.perf_counter() - wall
    singles += [_single(columns) for _ in range(SINGLES)]
    unit = median(singles)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    line = {
        "bench": "sweep",
        "peer": "spelar",
        "settings": len(trials),
        "jobs": asked.jobs,
        "events": len(columns.grid) * len(columns.tokens) * len(trials),
        "run_cpu_s": round(cpu, 3),
        "run_wall_s": round(wall, 3),
        "single_cpu_s": round(unit, 3),
        "replays": round(cpu / unit, 1),
        "wall_replays": round(wall / unit, 1),
        "trades": sum(trial.trades for trial in trials),
        "best": dict(max(trials, key=lambda trial: trial.score).settings),
        "rss_mb": round(peak / 1024, 1),
        "data": asked.data.name,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
