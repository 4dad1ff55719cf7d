"""How the settings of a sweep stand: `sweep.json` for the portal, and the summary for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean

from rich.table import Table

from adapters.portal.cells import iso
from adapters.tape.columns import Grid
from adapters.tape.results import Document
from adapters.tape.trials import Trial, dollars, edges_s
from domain.selection import (
    Fold,
    Place,
    beside,
    best_of,
    deflated_sharpe,
    expected_best,
    on_a_cliff,
    sharpe,
    telling,
)
from entrypoints.space import places_of

BEST_SHOWN = 50
CELLS = 12
"""A side of the heat map has at most so many cells: more values are put together by size."""

LUCKY_BELOW = 0.95
"""A deflated Sharpe ratio below this is no evidence against luck (the usual 5 %)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """All trials of a sweep in the order of their settings, and the folds that they are judged by."""

    names: tuple[str, ...]
    trials: Sequence[Trial]
    grid: Grid
    folds: Sequence[Fold]
    purge_s: float


def standing_of(swept: Swept) -> Document:
    """The best settings, what they hang on, whether they hold on data that they were not chosen by, and how much is luck."""
    trials, scores = swept.trials, [trial.score for trial in swept.trials]
    places, values = places_of([trial.settings for trial in trials], swept.names)
    best = trials[best_of(scores)]
    ranking = sorted(range(len(trials)), key=lambda number: (-scores[number], number))
    neighbours = beside(places, places[best_of(scores)])
    near = [scores[number] for number in neighbours]
    deflated = deflated_sharpe(best.changes, scores)
    folds = [_fold(swept, fold) for fold in swept.folds]
    edges = edges_s(swept.grid)
    return {
        "names": swept.names,
        "trials": len(trials),
        "score": "mean change of equity per period over its standard deviation",
        "period_s": (edges[1] - edges[0]).item(),
        "best": [_row(trials[number]) for number in ranking[:BEST_SHOWN]],
        "telling": {name: telling([place[at] for place in places], scores) for at, name in enumerate(swept.names)},
        "heat": _heat(swept.names, places, values, scores),
        "neighbours": {"count": len(near), "middle": sorted(near)[(len(near) - 1) // 2] if near else None},
        "luck": {"trials": len(trials), "expected_best": expected_best(scores), "deflated_sharpe": deflated},
        "purge_s": swept.purge_s,
        "folds": folds,
        "walk_forward": _walk_forward(swept) if folds else None,
        "warnings": list(_warnings(swept, best, near, deflated)),
    }


def _row(trial: Trial) -> Document:
    return {**trial.settings, **trial.row()}


def _chosen(swept: Swept, fold: Fold) -> Trial:
    """The best setting of a fold's past."""
    return swept.trials[best_of([sharpe(trial.changes[: fold.seen]) for trial in swept.trials])]


def _fold(swept: Swept, fold: Fold) -> Document:
    chosen, edges = _chosen(swept, fold), edges_s(swept.grid).tolist()
    test = chosen.changes[fold.first : fold.end]
    return {
        "past_to": _at(swept.grid, edges[fold.seen]),
        "from": _at(swept.grid, edges[fold.first]),
        "to": _at(swept.grid, edges[fold.end]),
        "settings": chosen.settings,
        "in_sample": sharpe(chosen.changes[: fold.seen]),
        "out_of_sample": sharpe(test),
        "pnl_usd": dollars(test),
    }


def _at(grid: Grid, elapsed_s: float) -> str:
    """The wall time of a moment on the monotonic timeline: that of the last tick by then."""
    tick = int(grid.elapsed_ms.searchsorted(elapsed_s * 1000, side="right")) - 1
    return iso(grid.at_ms.item(max(tick, 0)))


def _walk_forward(swept: Swept) -> Document:
    """All tests end to end, each traded by the best setting of its past; beside it, the mean score that chose them."""
    chosen = [_chosen(swept, fold) for fold in swept.folds]
    pairs = list(zip(swept.folds, chosen, strict=True))
    tests = [change for fold, trial in pairs for change in trial.changes[fold.first : fold.end]]
    return {
        "in_sample": fmean(sharpe(trial.changes[: fold.seen]) for fold, trial in pairs),
        "out_of_sample": sharpe(tests),
        "pnl_usd": dollars(tests),
    }


def _heat(
    names: Sequence[str], places: Sequence[Place], values: Mapping[str, Sequence[str]], scores: Sequence[float]
) -> object:
    """The mean and the best score by the two variables that tell most; None where only one varies."""
    varied = [at for at, name in enumerate(names) if len(values[name]) > 1]
    if len(varied) < 2:
        return None
    x, y = sorted(sorted(varied, key=lambda at: -telling([place[at] for place in places], scores))[:2])
    cells: dict[tuple[int, int], list[float]] = {}
    for place, score in zip(places, scores, strict=True):
        cell = _cell(place[x], len(values[names[x]])), _cell(place[y], len(values[names[y]]))
        cells.setdefault(cell, []).append(score)
    columns, rows = _labels(values[names[x]]), _labels(values[names[y]])
    found = [[cells.get((column, row)) for column in range(len(columns))] for row in range(len(rows))]
    return {
        "x": names[x],
        "y": names[y],
        "xs": columns,
        "ys": rows,
        "mean": [[fmean(cell) if cell else None for cell in row] for row in found],
        "best": [[max(cell) if cell else None for cell in row] for row in found],
    }


def _cell(number: int, count: int) -> int:
    return number if count <= CELLS else number * CELLS // count


def _labels(values: Sequence[str]) -> list[str]:
    """What the cells of a side stand for: a value, or the first and the last of those put together."""
    cells: dict[int, list[str]] = {}
    for number, value in enumerate(values):
        cells.setdefault(_cell(number, len(values)), []).append(value)
    return [each[0] if len(each) == 1 else f"{each[0]} .. {each[-1]}" for each in cells.values()]


def _warnings(swept: Swept, best: Trial, near: Sequence[float], deflated: float | None) -> Iterator[str]:
    if best.score <= 0:
        yield "no setting earned anything: there is nothing to choose"
    if on_a_cliff(best.score, near):
        yield f"the best stands on a cliff: of its {len(near)} neighbours the middle one scores less than half of it"
    if best.score > 0 and deflated is not None and deflated < LUCKY_BELOW:
        yield f"the best of {len(swept.trials)} may be luck: probability {deflated:.2f} that it is not (deflated Sharpe ratio)"
    if 0 < best.round_trips < 30:
        yield f"the best made {best.round_trips} round trips: few to judge by"
    if not swept.folds:
        yield "nothing was tested on data that the choice has not seen: the tape is too short for the folds, or --folds is 0"


def as_table(standing: Document) -> Table:
    """The best settings, for people."""
    best = standing["best"]
    assert isinstance(best, list)  # noqa: S101 - as `standing_of` makes it
    names = standing["names"]
    assert isinstance(names, tuple)  # noqa: S101
    numbers = ("trades", "pnl_usd", "fees_usd", "max_drawdown_usd", "hit_rate", "markout_30s", "time_in_market_s", "score")
    table = Table(title=f"Sweep: the best of {standing['trials']} settings")
    for name in (*names, *numbers):
        table.add_column(name.removeprefix("LEAD_LAG_").removesuffix("_usd"), justify="right", overflow="fold")
    for row in best[:10]:
        table.add_row(*(row[name] for name in names), *(_short(row[name]) for name in numbers))
    return table


def as_lines(standing: Document) -> Iterator[str]:
    """What else is worth knowing, a line each."""
    luck, walk = standing["luck"], standing["walk_forward"]
    if isinstance(walk, Mapping):
        scores = f"in sample {walk['in_sample']:.4f}, out of sample {walk['out_of_sample']:.4f}"
        yield f"walk-forward: {scores}, {walk['pnl_usd']:.2f} USDC on data that the choice had not seen"
    if isinstance(luck, Mapping) and luck["deflated_sharpe"] is not None:
        by_luck, deflated = luck["expected_best"], luck["deflated_sharpe"]
        yield f"luck: {luck['trials']} trials without skill would show {by_luck:.4f}; deflated Sharpe ratio {deflated:.3f}"
    warnings = standing["warnings"]
    if isinstance(warnings, list):
        yield from (f"warning: {text}" for text in warnings)


def _short(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value}"
