"""What people are told of while nobody looks: one notice for each thing that happened, and what it is made from."""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from enum import StrEnum

from domain.market import Moment
from domain.report import Report
from domain.value import value


class NoticeKind(StrEnum):
    """What a notice is about."""

    FILL = "fill"
    EXIT = "exit"
    KILL_SWITCH = "kill switch"
    STALE = "stale"
    ERROR = "error"
    DAILY_SUMMARY = "daily summary"


@value
class Notice:
    """One thing to tell, of `at_ms` (UTC ms). `mended`: something that was told before is well again."""

    kind: NoticeKind
    text: str
    at_ms: int
    mended: bool = False


@value
class SourceState:
    """One source after a tick: whether its last call succeeded, and by subject what stands out although calls succeed."""

    ok: bool
    alarms: Mapping[str, str] = field(default_factory=dict)


@value
class Outcome:
    """How one tick went. `report` is None when it was not committed, and `error` says why; `unwritten` are the published files
    that could not be written since the tick before.
    """

    moment: Moment
    report: Report | None
    sources: Mapping[str, SourceState]
    error: str = ""
    unwritten: tuple[str, ...] = ()


@value
class Day:
    """What was traded in one day (UTC), and how the account stood at its last tick. `number` counts days since 1970."""

    number: int
    buys: int = 0
    exits: int = 0
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    equity: Decimal = Decimal(0)
    open_positions: int = 0


@value
class Told:
    """What was told already, so that it is told once.

    `good` says of each thing that can go stale when it was last good, `troubles` of each error when it was last met (both
    `elapsed_ms`).
    """

    day: Day | None = None
    kill_switch: bool = False
    good: Mapping[str, int] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    troubles: Mapping[str, int] = field(default_factory=dict)
