"""One gathering of a tick's inputs, known to everything that is asked on its behalf, however deep in the adapters."""

from contextvars import ContextVar
from dataclasses import dataclass

from domain.market import Moment


@dataclass(slots=True, kw_only=True)
class Attempt:
    """When a gathering began, and whether its deadline has struck: what is cancelled from then on came too late.

    `cut` are the numbers of the parts that had not ended by then, in the feed's order.
    """

    began: Moment
    late: bool = False
    cut: tuple[int, ...] = ()


ATTEMPT: ContextVar[Attempt | None] = ContextVar("ATTEMPT", default=None)
"""None outside a tick: look-ups in the background, scans, checks."""
