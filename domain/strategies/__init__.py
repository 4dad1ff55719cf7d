"""Strategies: a signal and its rows, as a value."""

from collections.abc import Callable

from domain.decision import Signal
from domain.edge import Unit
from domain.market import Market
from domain.state_machine import Table
from domain.value import value
from domain.view import Reading


def always(market: Market) -> bool:
    """For every market."""
    return True


def never(market: Market) -> bool:
    """For no market."""
    return False


@value
class Strategy:
    """What makes one mode differ from another. It sees a token's reading; never cash, broker or clock.

    `points` samples are needed for a signal, set by the variable `points_setting`, and `capacity` are kept. `signal` is called
    with a full history whose newest sample is this tick's; it gives None where the market lacks what the strategy stands on.
    `enter` are the strategy's own gates and `exit` its triggers before the shared ones.

    What it wants to be given: `reference_source` names the source of the reference ("" for none), `needs_reference` says for
    which markets there is no signal without it; `both_outcomes` follows both tokens of a binary market; `draws` follows the
    draw of a match; `hedges` writes the other leg of its trades as signals.

    `edge_min` is the smallest edge that enters, in `unit`, set by the variable `edge_setting`: what a round trip may cost.
    """

    name: str
    unit: Unit
    signal: Callable[[Reading], Signal | None]
    enter: Table
    exit: Table
    points: int = 1
    capacity: int = 1
    points_setting: str = ""
    reference_source: str = ""
    needs_reference: Callable[[Market], bool] = never
    both_outcomes: bool = False
    draws: bool = False
    hedges: bool = False
    edge_min: float
    edge_setting: str
