"""What can happen to a payload on its way: fields vanish, change their type, nest, double, explode."""

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]
JUNK: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**19,
    Decimal("1e400"),
    Decimal("-0.5"),
    Decimal("0.123456789123456789"),
    "",
    "null",
    "NaN",
    "1e400",
    "0.5",
    "-1",
    "٠.٥",
    "[",
    "[]",
    '["1", null]',
    '["1", "1"]',
    "2026-13-45T00:00:00Z",
    "\ud800\x00\u202e",
    "x" * 20_000,
    [],
    {},
    [None],
    {"slug": None},
)


def _paths(json: object, at: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value but the root."""
    steps: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(json, dict):
        steps = iter(json.items())
    elif isinstance(json, list):
        steps = enumerate(json)
    for step, value in steps:
        yield (*at, step)
        yield from _paths(value, (*at, step))


def _drop(parent: Any, step: Any) -> None:
    del parent[step]


def _double(parent: Any, step: Any) -> None:
    if isinstance(parent, list):
        parent.append(copy.deepcopy(parent[step]))
    else:
        parent[step] = [parent[step], copy.deepcopy(parent[step])]


def _nest(parent: Any, step: Any) -> None:
    parent[step] = {"markets": parent[step]}


def _retype(parent: Any, step: Any) -> None:
    value = parent[step]
    parent[step] = str(value) if isinstance(value, bool | int | Decimal | dict | list) else [value]


CHANGES: tuple[Callable[[Any, Any], None], ...] = (_drop, _double, _nest, _retype)


@st.composite
def damages(draw: st.DrawFn, json: object) -> object:
    """`json` with one to three damages at places of its own."""
    damaged: Any = copy.deepcopy(json)
    for _ in range(draw(st.integers(1, 3))):
        paths = list(_paths(damaged))
        if not paths:
            return draw(st.sampled_from(JUNK))
        *way, step = draw(st.sampled_from(paths))
        parent = damaged
        for each in way:
            parent = parent[each]
        change = draw(st.sampled_from((*CHANGES, None)))
        if change is not None:
            change(parent, step)
        else:
            parent[step] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return damaged
