"""Replay: the same tick over a tape, and what it came to."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from adapters.draw_baseline import load_draw_baseline
from adapters.portal import PortalFiles, read_manifest
from adapters.portal.cells import iso, json_bytes
from adapters.portal.runs import RUNS, list_run
from adapters.portal.schema import PRICES
from adapters.tape.account import curve_of
from adapters.tape.columns import Columns
from adapters.tape.replay_ledger import LEDGER_ID, ReplayLedger
from adapters.tape.results import Document, Outcome, report_of, write_trades
from adapters.tape.schema import GRID_FILE
from adapters.tape.screen import Screen, scene_of
from adapters.tape.snapshots import with_fees
from adapters.tape.tape import open_tape
from adapters.tape.turns import EveryTick, Turns
from domain.fees import FREE
from domain.ledger import Ledger, OrderStatus
from entrypoints import VERSION
from entrypoints.replaying import Replay, replayed
from entrypoints.rules import rules_of
from entrypoints.settings import KNOWN, Settings, SettingsInvalid, read_settings

PROGRESS_EVERY = 1_000
BRIEF = ("tape", "strategy_mode", "pnl_usd", "fees_usd", "max_drawdown_usd")
"""What the list of runs says of each."""

REPORT, ALL_TRADES = "report.json", "trades.parquet"


class ReplayRefused(Exception):
    """The replay would overwrite what is not its own, or was asked for what cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to replay: a tape or a part of it, with which settings on top of the environment's, and where the files go."""

    tape: Path
    out_dir: Path
    environment: Mapping[str, str]
    changes: Sequence[str] = ()
    since: str | None = None
    until: str | None = None
    markets: Sequence[str] = ()
    every_tick: bool = False
    console: Console = field(default_factory=Console)


def replay(asked: Asked) -> Document:
    """Replay, write the portal's files, `report.json` and all trades; the report.

    Raises `SettingsInvalid`, `TapeInvalid`, and `ReplayRefused` before anything is written.
    """
    settings = settings_of(asked.environment, asked.changes)
    files = read_manifest(asked.out_dir)
    if files and files.ledger_id != LEDGER_ID:
        raise ReplayRefused(f"{asked.out_dir} holds the files of ledger {files.ledger_id}: give the replay another --out")
    if (asked.out_dir / GRID_FILE).is_file():
        raise ReplayRefused(f"{asked.out_dir} is a tape: give the replay another --out")
    columns = open_tape(asked.tape, ms_of(asked.since), ms_of(asked.until), asked.markets or None)
    if settings.fees == "none":
        columns = with_fees(columns, FREE)
    rules = rules_of(settings, load_draw_baseline(settings.draw_baseline_file))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,} ticks"),
        TimeRemainingColumn(),
        console=asked.console,
        disable=not asked.console.is_terminal,
    ) as shown:
        task = shown.add_task("replay", total=len(columns.grid))

        def watch(done: int) -> None:
            if done % PROGRESS_EVERY == 0 or not asked.every_tick:
                shown.update(task, completed=done)

        wish = Replay(
            columns=columns,
            rules=rules,
            opening=Ledger.opened_with(settings.start_balance_usd),
            shown_from=_shown_from(columns),
            watch=watch,
        )
        turns = EveryTick(columns) if asked.every_tick else Screen(columns, rules, full_from=wish.shown_from)
        store = replayed(wish, turns)
        shown.update(task, completed=len(columns.grid))
    return _written(asked, settings, wish, turns, store)


def usual_place(environment: Mapping[str, str], tape: Path) -> Path:
    """Where the portal looks for a replay of this tape. Raises `SettingsInvalid`."""
    return read_settings(environment).out_dir / RUNS / tape.resolve().name


def changed(environment: Mapping[str, str], changes: Sequence[str]) -> dict[str, str]:
    """The environment with these changes, each `NAME=VALUE`. Raises `SettingsInvalid`."""
    after = dict(environment)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign or name not in KNOWN:
            raise SettingsInvalid(f"--set {change}: NAME=VALUE, where NAME is one of this program's variables")
        after[name] = value
    return after


def settings_of(environment: Mapping[str, str], changes: Sequence[str]) -> Settings:
    """The environment's settings with these changes, each `NAME=VALUE`. Raises `SettingsInvalid`."""
    return read_settings(changed(environment, changes))


def ms_of(text: str | None) -> int | None:
    """A time as UTC milliseconds: ISO 8601, UTC where it names no zone."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayRefused(f"{text!r} is no time; write it like 2026-03-02 or 2026-03-02T12:30:00Z") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _shown_from(columns: Columns) -> int:
    """The first of the whole ticks that the portal's files show."""
    shown = (PRICES.kept or 0) // max(len(columns.tokens), 1)
    return max(len(columns.grid) - shown - 1, 0)


def _written(asked: Asked, settings: Settings, wish: Replay, turns: Turns, store: ReplayLedger) -> Document:
    columns = wish.columns
    scene = turns.scene if isinstance(turns, Screen) else scene_of(columns, wish.rules)
    curve = curve_of(scene, wish.opening.opening_cash, store.trades, store.ticks)
    outcome = Outcome(columns=columns, trades=store.trades, ticks=store.ticks, curve=curve)
    report = {
        "tape": asked.tape.resolve().name,
        "strategy_mode": settings.strategy_mode,
        "version": VERSION,
        **report_of(outcome),
        "settings": settings.in_force(),
    }
    started_ms, ended_ms = columns.grid.at_ms.item(0), columns.grid.at_ms.item(-1)
    portal = PortalFiles(
        asked.out_dir,
        ledger_id=LEDGER_ID,
        started_at_ms=started_ms,
        strategy_mode=settings.strategy_mode,
        trading_mode=settings.trading_mode,
        settings=settings.in_force(),
        sources=lambda at_ms: {"tape": {"ok": True, "last_ok_at": iso(ended_ms), "age_s": 0, "errors": {}, "alarms": {}}},
        version=VERSION,
    )
    portal.rebuild(store.journal(curve.points(columns)))
    (asked.out_dir / REPORT).write_bytes(json_bytes(report))
    write_trades(asked.out_dir / ALL_TRADES, store.trades)
    filled = sum(trade.status is OrderStatus.FILLED for trade in store.trades)
    brief = {name: report[name] for name in BRIEF}
    list_run(asked.out_dir, {"kind": "replay", "at": iso(time.time_ns() // 1_000_000), **brief, "trades": filled})
    return report


def as_table(report: Document) -> Table:
    """The numbers of a report, for people."""
    table = Table(title="Replay", show_header=False, min_width=60)
    for name, value in report.items():
        if name not in {"settings", "gaps"}:
            table.add_row(name, _words(value))
    return table


def _words(value: object) -> str:
    """Estimates with six decimals; what is money or text, as it is."""
    match value:
        case Mapping():
            return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
        case float():
            return f"{round(value, 6) + 0.0:.10g}"
        case None:
            return "none"
    return f"{value}"
