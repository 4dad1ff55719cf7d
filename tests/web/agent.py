"""A paper agent whose past is played in a moment by the real engine, and whose files the real portal writes."""

import math
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from adapters.health import Health
from adapters.portal import PortalFiles
from domain.market import Hedge, Market, Moment, OrderBook, Side, Snapshot, TokenId
from domain.report import Journal, Report, Verdicts
from domain.strategies.lead_lag import LeadLag
from domain.view import Limits, ScaleIn
from entrypoints.settings import read_settings
from tests.builders import INTERVAL_S, book, market, rules, snapshot, state
from tests.fakes import Play

TICKS = 300
COMING = 40
LAG_TICKS = 6
LEDGER_ID = "0f9d"
RISES, FALLS, THIN, EMPTY, UNKNOWN = (TokenId(str(digit) * 77) for digit in (1, 2, 3, 4, 5))
SETTINGS = {
    "LEAD_LAG_EDGE_MIN_PCT": "0.2",
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.25",
    "LEAD_LAG_MAX_SPREAD": "0.03",
    "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT": "0.4",
}
"""What the played rules say, for the page to show."""

HEDGE = Hedge(symbol="PF_XBTUSD", side=Side.SELL)
MARKETS: tuple[Market, ...] = (
    market("Will Bitcoin be above $70,000 on Friday?", token=RISES, complement=FALLS, hedge=HEDGE),
    market("Will Bitcoin fall below $60,000 this week?", token=FALLS, direction=-1, complement=RISES),
    market("Will Bitcoin close the year above $100,000?", token=THIN),
    market("Will Bitcoin rise today?", token=EMPTY),
    market("Will Bitcoin be mentioned in the speech?", token=None),
)
"""Two that trade, one whose spread is too wide, one without a book, one without a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was played, oldest first, and what comes next."""

    started_at_ms: int
    reports: tuple[Report, ...]
    coming: tuple[Report, ...]

    @property
    def newest_ms(self) -> int:
        """When the last tick was."""
        return self.reports[-1].moment.at_ms


@cache
def past(ticks: int = TICKS) -> Past:
    """So many ticks up to now; played in a thread of its own, because a browser's loop may run in this one."""
    started_at_ms = (int(time.time()) - ticks * INTERVAL_S) * 1000
    with ThreadPoolExecutor(max_workers=1) as alone:
        reports = alone.submit(_played, started_at_ms, ticks + COMING).result()
    return Past(started_at_ms=started_at_ms, reports=reports[:ticks], coming=reports[ticks:])


def _played(started_at_ms: int, ticks: int) -> tuple[Report, ...]:
    limits = Limits(spread=Decimal("0.03"), scale_in=ScaleIn(odds_change_pct=0.4))
    return tuple(Play(rules(thresholds=LeadLag(), limits=limits)).ticks(_ticks(started_at_ms, ticks)))


def stamped(report: Report, at_ms: int) -> Report:
    """The same tick at another time."""
    at = replace(report.moment, at_ms=at_ms)
    return replace(
        report,
        moment=at,
        orders=tuple(replace(event, moment=at) for event in report.orders),
        trades=tuple(replace(trade, moment=at) for trade in report.trades),
    )


def _ticks(started_at_ms: int, ticks: int) -> Iterator[Snapshot]:
    """A reference that swings, and books that follow it some ticks later."""
    dice = random.Random(7)
    spots = [60_000.0] * LAG_TICKS
    for n in range(1, ticks + 1):
        at = Moment(at_ms=started_at_ms + 1000 * INTERVAL_S * n, elapsed_ms=1000 * INTERVAL_S * n)
        spots.append(60_000 * (1 + 0.012 * math.sin(n / 6) + dice.gauss(0, 0.0004)))
        mid = 0.5 + (spots[-1 - LAG_TICKS] / 60_000 - 1) * 3
        yield snapshot(at, markets=MARKETS, books=_books(mid, at), spot=spots[-1])


def _books(mid: float, at: Moment) -> Sequence[OrderBook]:
    bid = round(mid, 2)
    return (
        book(f"{bid:.2f}/{bid + 0.01:.2f}", token=RISES, requested=at),
        book(f"{0.99 - bid:.2f}/{1 - bid:.2f}", token=FALLS, requested=at, size=80),
        book("0.20/0.29", token=THIN, requested=at, size=15),
    )


def _health(at_ms: int) -> Health:
    health = Health()
    for name, ms in (("polymarket_clob", 48.0), ("kraken_spot", 31.0)):
        health.ok(name, ms, at_ms)
    health.failed("polymarket_gamma", "timeout")
    return health


class Agent:
    """The writer of one directory of portal files."""

    def __init__(self, out_dir: Path, before: Past | None = None, *, strategy_mode: str = "lead_lag") -> None:
        """Write all that happened before; nothing when `before` is None."""
        self.out_dir = out_dir
        started_at_ms = before.started_at_ms if before else int(time.time()) * 1000
        self._portal = PortalFiles(
            out_dir,
            ledger_id=LEDGER_ID,
            started_at_ms=started_at_ms,
            strategy_mode=strategy_mode,
            trading_mode="paper",
            settings=read_settings(SETTINGS).in_force(),
            sources=_health(before.newest_ms if before else started_at_ms).report,
            version="0.1.0",
        )
        self._portal.note(tick_ms=71.5)
        self._portal.rebuild(_journal(started_at_ms, before.reports[:-1] if before else ()))
        if before:
            self.publish(before.reports[-1])

    def publish(self, report: Report) -> None:
        """Write one more tick, and wait for the disk."""
        self._portal.publish(report)
        self._portal.close()


def _journal(started_at_ms: int, reports: Sequence[Report]) -> Journal:
    return Journal(
        state=reports[-1].state if reports else state(),
        ledger_id=LEDGER_ID,
        started_at_ms=started_at_ms,
        verdicts=tuple(Verdicts(sequence=r.state.sequence, moment=r.moment, verdicts=r.verdicts) for r in reports),
        orders=tuple(event for r in reports for event in r.orders),
        trades=tuple(trade for r in reports for trade in r.trades),
        equity=tuple(r.equity for r in reports),
    )
