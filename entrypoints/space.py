"""What a sweep varies: `--grid NAME=a,b,c` and `--range NAME=low:high[:step]`, read and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from adapters.tape.axes import MOST_SETTINGS, Axes, Span
from adapters.tape.trials import SweepRefused
from domain.selection import Place
from entrypoints.settings import VARIABLES, SettingsInvalid
from entrypoints.trial import Base, Setting


def axes_of(grids: Sequence[str], spans: Sequence[str]) -> Axes:
    """The variables that vary, in the order in which they are named. Raises `SweepRefused`."""
    axes: dict[str, tuple[str, ...] | Span] = {}
    for text in grids:
        axes |= {_named(text, "--grid", axes): tuple(dict.fromkeys(each.strip() for each in text.partition("=")[2].split(",")))}
    for text in spans:
        axes |= {_named(text, "--range", axes): _span(text)}
    if not axes:
        raise SweepRefused("nothing varies: give --grid NAME=a,b,c, or --search tpe with --range NAME=low:high")
    return axes


def _named(text: str, option: str, axes: Axes) -> str:
    name, sign, values = text.partition("=")
    if not sign or not values.strip() or name not in VARIABLES:
        raise SweepRefused(f"{option} {text}: write NAME=VALUES, where NAME is one of this program's variables")
    if name in axes:
        raise SweepRefused(f"{option} {text}: {name} is given twice")
    return name


def _span(text: str) -> Span:
    parts = text.partition("=")[2].split(":")
    try:
        low, high, *step = map(float, parts)
    except ValueError:
        low, high, step = 0.0, 0.0, []
    if len(step) > 1 or not low < high or any(not 0 < each <= high - low for each in step):
        raise SweepRefused(f"--range {text}: write NAME=low:high or NAME=low:high:step, with low below high")
    return Span(low=low, high=high, step=step[0] if step else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinations:
    """The settings that can be, each with its values as they are in force; and why the others cannot."""

    possible: tuple[Setting, ...]
    impossible: tuple[str, ...]


def combinations_of(axes: Axes, base: Base) -> Combinations:
    """All combinations of a grid. Raises `SweepRefused` when there are too many or none can be."""
    values = [_values(name, axis) for name, axis in axes.items()]
    count = 1
    for each in values:
        count *= len(each)
    if count > MOST_SETTINGS:
        raise SweepRefused(f"{count:,} combinations are more than {MOST_SETTINGS:,}: name fewer values, or use --search tpe")
    found = [in_force(dict(zip(axes, chosen, strict=True)), base) for chosen in product(*values)]
    possible = {tuple(each.values()): each for each in found if not isinstance(each, str)}
    impossible = tuple(each for each in found if isinstance(each, str))
    if not possible:
        raise SweepRefused(f"no combination can be: {impossible[0]}")
    return Combinations(possible=tuple(possible.values()), impossible=impossible)


def _values(name: str, axis: tuple[str, ...] | Span) -> tuple[str, ...]:
    if isinstance(axis, Span) and axis.step is None:
        raise SweepRefused(f"--range {name}: without --search tpe a range needs a step, such as {name}=0.1:0.5:0.1")
    return axis.values() if isinstance(axis, Span) else axis


def in_force(setting: Setting, base: Base) -> Setting | str:
    """A setting with its values as the program writes them; or why it cannot be."""
    try:
        values = base.settings(setting).in_force()
    except SettingsInvalid as error:
        return str(error)
    return {name: values[name] for name in setting}


def places_of(settings: Sequence[Setting], names: Sequence[str]) -> tuple[list[Place], Mapping[str, tuple[str, ...]]]:
    """Where each setting stands among the values of each variable, and those values in the order of size."""
    values = {name: _in_order({setting[name] for setting in settings}) for name in names}
    numbers = {name: {value: number for number, value in enumerate(each)} for name, each in values.items()}
    return [tuple(numbers[name][setting[name]] for name in names) for setting in settings], values


def _in_order(values: set[str]) -> tuple[str, ...]:
    return tuple(sorted(values, key=lambda value: (*_size(value), value)))


def _size(value: str) -> Iterator[float]:
    """Numbers by size, an absent gate and words before them."""
    try:
        yield from (1.0, float(value))
    except ValueError:
        yield from (0.0, 0.0)
