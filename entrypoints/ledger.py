"""`spelar ledger`: look into the ledger, take copies out of it, and start a new one. Nothing here changes a row."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapters.clock import SystemClock
from adapters.portal.cells import iso
from adapters.portal.manifest import read_manifest
from adapters.portal.schema import MANIFEST
from adapters.sqlite_ledger import LEDGER_NAME, LedgerUnwritable, SqliteLedger
from adapters.sqlite_ledger.backups import back_up
from adapters.sqlite_ledger.export import export
from adapters.sqlite_ledger.faults import BACKUPS, backups_of
from adapters.sqlite_ledger.ledger import begin
from adapters.sqlite_ledger.opening import is_new
from adapters.state_lock import StateLock
from entrypoints.settings import Settings

LedgerFile = Annotated[Path | None, typer.Argument(help="A ledger or a backup; without: the one in STATE_DIR.")]


def ledger_app(settings_of: Callable[[], Settings], console_of: Callable[[], Console]) -> typer.Typer:
    """The commands, for the environment's settings and the terminal as they are when one is run."""
    app = typer.Typer(no_args_is_help=True, help="Check, export and back up the ledger, or start a new one.")

    @app.command()
    def check(file: LedgerFile = None) -> None:
        """Whether the chain of trades is whole and adds up to the state; exit 65 if not. Reads only, also beside the daemon."""
        settings = settings_of()
        path = file or path_in(settings)
        rows = list(findings(path, settings.out_dir if file is None else None))
        table = Table(title=f"{path}: sound", show_header=False)
        for row in rows:
            table.add_row(*row)
        console_of().print(table)

    @app.command("export")
    def export_trades(
        directory: Annotated[Path, typer.Argument(help="Where trades.csv and trades.json go.")], file: LedgerFile = None
    ) -> None:
        """All trades with every digit as CSV and JSON, synced to the disk. Works beside the daemon."""
        store = SqliteLedger.open_to_read(file or path_in(settings_of()))
        try:
            written = export(store, directory)
        finally:
            store.close()
        for path in written:
            typer.echo(path)

    @app.command()
    def backup(
        target: Annotated[Path | None, typer.Argument(help="The file to make; without: a dated one beside the ledger.")] = None,
    ) -> None:
        """A copy of the ledger, opened and proved after it was written. Works beside the daemon."""
        path = path_in(settings_of())
        target = target or _dated(path, "ledger")
        try:
            copied = back_up(path, target)
        except FileExistsError as error:
            typer.echo(f"no backup: {error}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{target}: tick {copied.state.sequence}, {copied.tip.trades} trades, proved")

    @app.command("reset-paper")
    def reset_paper(
        yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")] = False,
    ) -> None:
        """A new paper ledger with PAPER_START_BALANCE_USD. The old one becomes a backup; refused while a daemon runs."""
        settings = settings_of()
        with StateLock(settings.state_dir):
            for line in reset(settings) if yes else _announced(settings):
                typer.echo(line)
        if not yes:
            raise typer.Exit(1)

    return app


def path_in(settings: Settings) -> Path:
    """Where the agent's ledger is."""
    return settings.state_dir / LEDGER_NAME


def findings(path: Path, out_dir: Path | None = None) -> Iterator[tuple[str, str]]:
    """What a sound ledger says of itself, the journal read as well; and whether the agent would start with these files.

    Raises `LedgerInvalid`, `LedgerUnwritable`.
    """
    store = SqliteLedger.open_to_read(path)
    try:
        ledger, journal = store.load().ledger, store.journal()
        yield "ledger", f"{store.ledger_id} ({store.mode})"
        yield "made", f"{iso(store.created_at_ms)}"
        yield "ticks", f"{store.sequence}" + (f", the last {iso(journal.equity[-1].moment.at_ms)}" if journal.equity else "")
        yield "trades", f"{len(store.rows())}, every hash fits"
        yield "opening cash + realised", f"{ledger.opening_cash:f} + {ledger.realised:f} USDC"
        yield "cash + cost", f"{ledger.cash:f} + {ledger.cost:f} USDC, as the trades say"
        yield "fees", f"{ledger.fees:f} USDC"
        yield "open positions", f"{len(ledger.positions)}"
        yield "orders that wait", f"{len(ledger.pending)}"
        if out_dir is not None:
            yield "files", _compared(store, out_dir)
            yield "newest backup", str(next(reversed(backups_of(path)), "none"))
    finally:
        store.close()


def _compared(store: SqliteLedger, out_dir: Path) -> str:
    files = read_manifest(out_dir)
    if files is None:
        return f"none in {out_dir}"
    store.refuse_if_behind(files.sequence, files.ledger_id)
    return f"{out_dir} shows tick {files.sequence} of it"


def reset(settings: Settings) -> Iterator[str]:
    """Put a new paper ledger in the place of the old one, a line for each thing done. The caller holds the `StateLock`.

    Raises `LedgerInvalid` for a ledger that is not sound or not on paper, `LedgerUnwritable`.
    """
    path, old_id = path_in(settings), None
    if not is_new(path):
        kept = _dated(path, "before-reset")
        copied = back_up(path, kept)
        yield f"the old ledger ({copied.state.sequence} ticks, {copied.tip.trades} trades) is {kept}"
        old_id = _folded(path, settings)
    files = read_manifest(settings.out_dir)
    if files and files.ledger_id == old_id:
        # Before the new ledger is there: a crash in between leaves the old one, which needs no manifest.
        (settings.out_dir / MANIFEST.name).unlink()
        yield f"the files in {settings.out_dir} are made again at the next start"
    elif files:
        yield f"{settings.out_dir} holds the files of another ledger ({files.ledger_id}): the agent will refuse them"
    now_ms = SystemClock().now().at_ms
    new_id = begin(path, opening_cash=settings.start_balance_usd, mode="paper", now_ms=now_ms)
    yield f"the new ledger {new_id} begins with {settings.start_balance_usd} USDC"


def _folded(path: Path, settings: Settings) -> str:
    """The id of the old ledger, closed with its log folded in: what stayed of that would be played into the new one."""
    store = SqliteLedger.open(path, opening_cash=settings.start_balance_usd, mode="paper", now_ms=0)
    store.close()
    if path.with_name(f"{path.name}-wal").exists():
        raise LedgerUnwritable(path, "another program has it open")
    return store.ledger_id


def _announced(settings: Settings) -> Iterator[str]:
    path = path_in(settings)
    if not is_new(path):
        yield from (f"{name}: {value}" for name, value in findings(path))
        yield f"--yes would move this ledger to {path.parent / BACKUPS}"
    yield f"--yes would begin a new ledger with {settings.start_balance_usd} USDC"


def _dated(path: Path, word: str) -> Path:
    return path.parent / BACKUPS / f"{word}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.sqlite3"
