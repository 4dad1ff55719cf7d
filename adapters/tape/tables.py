"""The tables' own rows, asked of columns: where all gates may be open, where a trigger may fire."""

from collections.abc import Iterable
from typing import cast

import numpy as np

from adapters.tape.column_view import ColumnView
from adapters.tape.columns import Flags
from adapters.tape.figures import CLOSED, FIRED, SLACK, Operand, operand
from domain.state_machine import (
    AFTER_LOSSES,
    EXPOSURE,
    INSUFFICIENT_CASH,
    LAG_TOO_SHORT,
    SIZE,
    THROTTLED,
    Row,
    Table,
)
from domain.strategies.pm_trend import OTHER_SIDE_OPEN
from domain.view import View

BEYOND_COLUMNS = frozenset((*AFTER_LOSSES, *SIZE, *EXPOSURE, INSUFFICIENT_CASH, THROTTLED, LAG_TOO_SHORT, OTHER_SIDE_OPEN))
"""Rows about levels, the account, other orders or long histories: `step` alone can ask them, so they count as open."""


def columnar(rows: Iterable[Row]) -> Table:
    """The rows that columns can answer."""
    return tuple(row for row in rows if row not in BEYOND_COLUMNS)


def opened(gates: Iterable[Row], view: ColumnView, slack: float = SLACK) -> Flags:
    """Where no gate is closed for certain; with slack 0 exactly where `first_closed` finds none."""
    flags = np.ones(view.count, np.bool_)
    for row in gates:
        if asked := _asked(row, view):
            flags &= ~CLOSED[row.holds](*asked, slack)
    return flags


def fired(triggers: Iterable[Row], view: ColumnView) -> Flags:
    """Where a trigger may fire."""
    flags = np.zeros(view.count, np.bool_)
    for row in triggers:
        if asked := _asked(row, view):
            flags |= FIRED[row.holds](*asked, SLACK)
    return flags


def of_positions(rows: Iterable[Row], view: ColumnView) -> Table:
    """The rows in force that a view without a position cannot answer."""
    seen = cast(View, view)
    return tuple(row for row in rows if row.limit(seen) is not None and row.measured(seen) is None)


def _asked(row: Row, view: ColumnView) -> tuple[Operand, Operand] | None:
    """What a row measures and its limit; None where it is absent or does not know.

    A row is written for `View`, whose names a `ColumnView` has: here, and only here, the one stands in for the other.
    """
    seen = cast(View, view)
    limit = row.limit(seen)
    if limit is None:
        return None
    measured = row.measured(seen)
    return None if measured is None else (operand(measured), operand(limit))
