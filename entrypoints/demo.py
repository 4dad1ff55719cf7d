"""The demo: the same daemon over real HTTP against simulated venues on loopback, with the portal beside it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from adapters.clock import PlayingClock
from adapters.portal.manifest import read_manifest
from adapters.portal.schema import FILES
from adapters.portal_server import serve
from adapters.simulated_venues import Faults, Recording, Scenario, SimulatedVenues, kinds_named, market_map
from adapters.sqlite_ledger import LEDGER_NAME, LedgerInvalid, SqliteLedger
from adapters.state_lock import StateLock
from adapters.tape.segments import segments
from domain.ledger import Action, OrderStatus
from domain.report import Report, TradeAction
from domain.state import State
from entrypoints.daemon import Run, run
from entrypoints.rules import rules_of
from entrypoints.settings import Settings, read_settings

USUAL_PORT = 5173
_PACKAGED = Path(__file__).resolve().with_name("web")
WEB_ROOT = _PACKAGED if _PACKAGED.is_dir() else _PACKAGED.parents[1] / "web"
"""The portal's page: beside this module in a wheel, at the root in a checkout."""

FAST_MARKETS = {
    "INTERVAL_S": "2.5",
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.02",
    "LEAD_LAG_EDGE_MIN_PCT": "0.02",
    "LEAD_LAG_EDGE_EXIT_PCT": "-10",
    "LEAD_LAG_MAX_HOLD_SECS": "180",
}
"""What the demo sets for a recording unless the environment says otherwise: five-minute markets seen every 2.5 s.

Over six samples (12.5 s) the reference of those recordings moves 0.2 % at most, so the runbook's 0.25 % finds nothing.
"""


class DemoRefused(Exception):
    """The demo would overwrite what is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What to play, how fast, and where to. `ticks` None: until interrupted or the recording's end.

    `faults` is the share of answers (0 to 1) that the venues spoil, `kinds` in which ways: a comma list, or `all`.
    """

    ticks: int | None = None
    speed: float = 30.0
    recording: Path | None = None
    out_dir: Path = Path("web/data")
    state_dir: Path = Path("var/demo")
    port: int | None = None
    seed: int = 7
    faults: float = 0.0
    kinds: str = "all"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def map_path(self) -> Path:
        """Where the demo writes the market map that it plays by."""
        return self.state_dir / "market_map.json"


def play(wish: Play, console: Console) -> State:
    """Play from a fresh ledger to the end; prints where the portal is, progress, and a summary. Raises `UnknownKind`."""
    kinds = kinds_named(wish.kinds)
    _clear(wish)
    script = Recording.open(wish.recording) if wish.recording else Scenario(wish.seed, time.time_ns() // 1_000_000)
    if isinstance(script, Recording) and script.warning:
        console.print(f"[yellow]{wish.recording}: {script.warning}[/]")
    with ExitStack() as stack:
        clock = PlayingClock(start_ms=script.start_ms, speed=wish.speed)
        faults = Faults(script, rate=wish.faults, kinds=kinds, seed=wish.seed)
        venues = stack.enter_context(SimulatedVenues(faults, clock.now_ms))
        settings = _settings(wish, venues.environment())
        strategy = rules_of(settings).strategy
        markets = market_map(script, draws=strategy.draws, whole=strategy.both_outcomes)
        wish.map_path.write_text(json.dumps(markets, indent=1), encoding="utf-8")
        portal = stack.enter_context(_served(wish, clock))
        console.print(f"Portal: [bold]{portal}[/]  files: {wish.out_dir}  speed: {wish.speed:g}x")
        if wish.recording:
            console.print("Settings for this recording: " + "  ".join(f"{k}={v}" for k, v in _recording_settings(wish).items()))
        progress = Progress()
        with _shown(progress, console):
            order = Run(
                settings=settings,
                clock=clock,
                until_ms=script.end_ms if isinstance(script, Recording) else None,
                watch=progress.saw,
            )
            state = asyncio.run(run(order))
        console.print(progress.summary())
        if wish.faults:
            told = "  ".join(f"{kind} {count}" for kind, count in faults.produced.most_common())
            console.print(f"Faults that the venues made: {told or 'none'}")
        return state


def _clear(wish: Play) -> None:
    """Remove what an earlier demo left. Another ledger's files are not touched: that is refused."""
    ledger = wish.state_dir / LEDGER_NAME
    with StateLock(wish.state_dir):
        files = read_manifest(wish.out_dir)
        if files and files.ledger_id != _ledger_id(ledger):
            raise DemoRefused(
                f"{wish.out_dir} holds the files of another ledger ({files.ledger_id}). Give the demo another place with "
                f"--out, or remove {wish.out_dir / 'manifest.json'} if they are not needed."
            )
        for path in (*wish.state_dir.glob(f"{LEDGER_NAME}*"), *segments(wish.state_dir / "recording")):
            path.unlink()
        for file in FILES:
            (wish.out_dir / file.name).unlink(missing_ok=True)


def _ledger_id(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        store = SqliteLedger.open(path, opening_cash=Settings().start_balance_usd, now_ms=0)
    except LedgerInvalid:
        return None
    try:
        return store.ledger_id
    finally:
        store.close()


def _recording_settings(wish: Play) -> dict[str, str]:
    return {name: wish.environment.get(name, value) for name, value in FAST_MARKETS.items()}


def _settings(wish: Play, venues: Mapping[str, str]) -> Settings:
    """The environment's settings, with the demo's own places and venues in front."""
    ticks = {"RUN_TICKS": str(wish.ticks)} if wish.ticks else {}
    return read_settings(
        {
            **{name: value for name, value in wish.environment.items() if name not in {"RUN_ONCE", "RUN_TICKS"}},
            **(_recording_settings(wish) if wish.recording else {}),
            **venues,
            **ticks,
            "MARKET_MAP_PATH": str(wish.map_path),
            "STATE_DIR": str(wish.state_dir),
            "OUT_DIR": str(wish.out_dir),
        }
    )


@contextmanager
def _served(wish: Play, clock: PlayingClock) -> Iterator[str]:
    """The portal's address. The usual port, or a free one when it is taken and none was asked for."""
    with ExitStack() as stack:
        served = partial(serve, WEB_ROOT, data_dir=wish.out_dir, now_s=lambda: clock.now_ms() / 1000)
        try:
            portal = stack.enter_context(served(port=USUAL_PORT if wish.port is None else wish.port))
        except OSError:
            if wish.port is not None:
                raise
            portal = stack.enter_context(served(port=0))
        yield f"{portal.url}/#/start/overview"


class Progress:
    """What a person wants to see while it plays."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.last: Report | None = None
        self.news = "nothing yet"
        self.now = "warming up"
        self.trades: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def saw(self, report: Report) -> None:
        """Take in one tick."""
        self.last = report
        self.trades.update(trade.action for trade in report.trades if trade.status is OrderStatus.FILLED)
        self.exits.update(v.cause.reason for v in report.verdicts if v.action is Action.EXIT)
        self.reasons.update(v.cause.reason for v in report.verdicts if v.action is Action.SKIP)
        decided = Counter(f"{verdict.action} {verdict.cause.reason}" for verdict in report.verdicts)
        self.now = ", ".join(f"{count} {what}" for what, count in decided.most_common(2))
        for trade in report.trades:
            self.news = f"{trade.action} {trade.shares.normalize():f} {trade.market.name} at {trade.price.normalize():f}"

    def __rich__(self) -> Table:
        """One line of numbers."""
        table = Table.grid(padding=(0, 2))
        if self.last:
            point = self.last.equity
            table.add_row(
                f"tick [bold]{point.sequence}[/]",
                f"equity [bold]{point.equity:.2f}[/]",
                f"open {point.open_positions}",
                f"now: {self.now}",
                f"last: {self.news}",
            )
        return table

    def summary(self) -> Table:
        """What came of it, in numbers that add up."""
        table = Table(title="Paper result", show_header=False, min_width=60)
        if not self.last:
            table.add_row("ticks", "0")
            return table
        point, ledger = self.last.equity, self.last.state.ledger
        opened = ledger.opening_cash
        rows = {
            "ticks": f"{point.sequence}",
            "trades": ", ".join(f"{count} {action}" for action, count in sorted(self.trades.items())) or "none",
            "settled": f"{self.trades[TradeAction.SETTLE]}",
            "exits by reason": ", ".join(f"{count} {reason}" for reason, count in self.exits.most_common()) or "none",
            "equity": f"{point.equity:f} USDC ({point.equity - opened:+f} after fees)",
            "cash + cost": f"{point.cash:f} + {ledger.cost:f} = {point.cash + ledger.cost:f}",
            "opening cash + realised": f"{opened:f} + {point.realised:f} = {opened + point.realised:f}",
            "fees paid": f"{ledger.fees:f}",
            "still open": ", ".join(p.market.name for p in ledger.positions.values()) or "nothing",
            "why not (most often)": ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common(4)),
        }
        for name, value in rows.items():
            table.add_row(name, value)
        return table


@contextmanager
def _shown(progress: Progress, console: Console) -> Iterator[None]:
    """Live on a terminal; in a pipe, only the summary."""
    if not console.is_terminal:
        yield
        return
    with Live(console=console, refresh_per_second=4, get_renderable=progress.__rich__):
        yield
