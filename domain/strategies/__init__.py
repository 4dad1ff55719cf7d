"""Strategies: a signal and its rows, as a value."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.decision import Signal
from domain.edge import Unit
from domain.history import History
from domain.market import Market, Quote
from domain.state_machine import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """What makes one mode differ from another. It sees markets, quotes and history; never cash, broker or clock.

    `points` samples are needed for a signal and `capacity` are kept. `signal` is called with a full history whose newest
    sample is this tick's. `reference_source` names the source of the reference, `enter` the strategy's own gates and `exit`
    its triggers before the shared ones.
    """

    name: str
    unit: Unit
    points: int
    capacity: int
    reference_source: str
    signal: Callable[[Market, History, Quote], Signal]
    enter: Table
    exit: Table
