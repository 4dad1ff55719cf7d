"""The command line `spelar`, and the exit codes that systemd and scripts rely on."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from loguru import logger
from rich.console import Console

from adapters.clock import SystemClock
from adapters.draw_baseline import BaselineInvalid
from adapters.keys.values import Keys, KeysInvalid
from adapters.market_map import MapInvalid
from adapters.notifications import AddressesInvalid
from adapters.portal.cells import json_bytes
from adapters.portal_server import serve
from adapters.simulated_venues import RecordingInvalid, UnknownKind
from adapters.sqlite_ledger import LedgerForbidden, LedgerInvalid, LedgerUnwritable
from adapters.state_lock import AlreadyRunning, StateDirUnusable
from adapters.tape import TapeInvalid
from domain.ledger import LawBroken
from domain.ports import Unavailable
from entrypoints import VERSION
from entrypoints import discover as discovering
from entrypoints import doctor as doctors
from entrypoints import resolve as resolving
from entrypoints.check import Scope
from entrypoints.check import check as findings_of
from entrypoints.check_keys import HOW_TO_SET, verdicts_on
from entrypoints.container import Container, map_entries
from entrypoints.daemon import OutDirUnusable, Run
from entrypoints.daemon import run as run_daemon
from entrypoints.demo import WEB_ROOT, DemoRefused, Play, play
from entrypoints.env_file import read_env_file
from entrypoints.keys import VALUES, read_keys
from entrypoints.ledger import ledger_app
from entrypoints.logging import ERROR, configure_logging, defects_of_threads, is_journal, prioritised, tell
from entrypoints.lookout import MetricsUnservable
from entrypoints.preview import PreviewRefused, batch, case_of, json_of, previewed
from entrypoints.recording import RecordingUnwritable
from entrypoints.recording import record as recording
from entrypoints.redaction import Redaction, secrets_of_addresses
from entrypoints.settings import KNOWN, Settings, SettingsInvalid, doubts, read_settings
from entrypoints.status import as_document, as_lines, standing
from entrypoints.verify import compared, replayed
from entrypoints.written import VerifyRefused, kept, published, refuse_tape

CONFIGURATION, ALREADY_RUNNING, LEDGER_UNWRITABLE, LEDGER_INVALID = 78, 75, 74, 65
INTERRUPTED = 130
DEFECT = 1
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (SettingsInvalid, CONFIGURATION),
    (KeysInvalid, CONFIGURATION),
    (MapInvalid, CONFIGURATION),
    (BaselineInvalid, CONFIGURATION),
    (RecordingInvalid, CONFIGURATION),
    (TapeInvalid, CONFIGURATION),
    (DemoRefused, CONFIGURATION),
    (UnknownKind, CONFIGURATION),
    (StateDirUnusable, CONFIGURATION),
    (OutDirUnusable, CONFIGURATION),
    (AddressesInvalid, CONFIGURATION),
    (MetricsUnservable, CONFIGURATION),
    (LedgerForbidden, CONFIGURATION),
    (AlreadyRunning, ALREADY_RUNNING),
    (LedgerUnwritable, LEDGER_UNWRITABLE),
    (RecordingUnwritable, LEDGER_UNWRITABLE),
    (LedgerInvalid, LEDGER_INVALID),
    (LawBroken, LEDGER_INVALID),
)
"""What ends a command with which code (sysexits.h): configuration, lock, ledger I/O, ledger data."""

AFTER_A_LAW = (
    "The tick was not written, and the ledger is as it was before; start again, `spelar ledger check` proves it. "
    "If it comes back, it is a defect of the program"
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"spelar {VERSION}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code; what a person can mend is one clear text, no traceback."""
    _open_standard_streams()
    _log_from("WARNING")
    try:
        with defects_of_threads():
            app(args=list(arguments) if arguments is not None else None)
    except Exception as error:  # noqa: BLE001 - Python's own traceback would show what the log's sink takes out
        sys.exit(exit_code_for(error))


def exit_code_for(error: Exception) -> int:
    """Say what ended the command, without the secrets of this process; the code that it ends with, 1 for a defect."""
    code = next((code for kind, code in EXIT_CODES if isinstance(error, kind)), DEFECT)
    if code == DEFECT:
        logger.opt(exception=error).critical("a defect ended the command: {}", type(error).__name__)
    else:
        advice = f". {AFTER_A_LAW}." if isinstance(error, LawBroken) else ""
        text = f"{_redaction().known(str(error))}{advice}"
        tell(prioritised(text, ERROR) if is_journal(_journal_stream()) else text)
    return code


def _open_standard_streams() -> None:
    """Started without them, a process gives their numbers to the next files, and what is written there goes into these."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _redaction(keys: Keys | None = None) -> Redaction:
    """What knows the secrets of this process: those of the environment, and the keys that were read."""
    named = (os.environ.get(name, "") for name, _ in VALUES.values())
    addresses = secrets_of_addresses(os.environ.get("NOTIFY_URLS", ""))
    return Redaction.of([*named, *addresses, *(keys.secrets() if keys else ())])


def _log_from(level: str, keys: Keys | None = None) -> None:
    configure_logging(level, _redaction(keys), journal_stream=_journal_stream())


def _journal_stream() -> str:
    return os.environ.get("JOURNAL_STREAM", "")


def _settings() -> Settings:
    settings = read_settings(os.environ)
    _log_from(settings.log_level)
    for doubt in doubts(os.environ, settings):
        logger.warning("{}", doubt)
    return settings


def _refuse_nothing(settings: Settings) -> None:
    if not map_entries(settings) and not (settings.scan_enable and settings.scan_use_for_trading):
        raise SettingsInvalid(
            "no market to follow: set MARKET_MAP_PATH (or POLYMARKET_CLOB_TOKEN_ID), "
            "or PM_SCAN_ENABLE=1 and PM_SCAN_USE_FOR_TRADING=1"
        )


@app.callback()
def spelar(
    env_file: Annotated[
        Path | None, typer.Option(help="Take the settings from this file, as the unit does, and none from the environment.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Paper trading on Polymarket, led by Kraken."""
    if env_file is None:
        return
    found = read_env_file(env_file)
    for name in KNOWN:
        os.environ.pop(name, None)
    os.environ.update(found)


@app.command()
def run() -> None:
    """The daemon, configured by the environment. RUN_ONCE=1 or RUN_TICKS=N end it; SIGTERM ends it after the tick."""
    settings = _settings()
    _refuse_nothing(settings)
    asyncio.run(run_daemon(Run(settings=settings, redacted=_redaction())))


@app.command()
def record() -> None:
    """Watch the markets of the map and write every answer into RECORD_DIR, without trading; SIGTERM or RUN_TICKS=N end it."""
    settings = _settings()
    _refuse_nothing(settings)
    ticks = asyncio.run(recording(settings))
    typer.echo(f"{ticks} ticks in {settings.recording}")


@app.command()
def demo(
    ticks: Annotated[int | None, typer.Option(min=1, help="Stop after so many ticks.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Times faster than real time.")] = 30.0,
    recording: Annotated[Path | None, typer.Option(help="Play this recording instead of a seeded market.")] = None,
    out: Annotated[Path, typer.Option(help="Where the portal's files go.")] = Path("web/data"),
    state: Annotated[Path, typer.Option(help="Where the demo's ledger goes; emptied at each start.")] = Path("var/demo"),
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The portal's port; 0: any free one.")] = None,
    seed: Annotated[int, typer.Option(help="Which seeded market.")] = 7,
    record: Annotated[bool, typer.Option("--record", help="Record the session too, as RECORD=1 does.")] = False,
    faults: Annotated[float, typer.Option(min=0, max=1, help="The share of answers that the venues spoil.")] = 0.0,
    kinds: Annotated[str, typer.Option(help="How they spoil them: names with commas between them, or all.")] = "all",
) -> None:
    """The same daemon against simulated venues on loopback, with the portal. Starts from a fresh ledger each time."""
    _log_from(os.environ.get("LOG_LEVEL", "WARNING").upper())
    wish = Play(
        ticks=ticks,
        speed=speed,
        recording=recording,
        out_dir=out,
        state_dir=state,
        port=port,
        seed=seed,
        faults=faults,
        kinds=kinds,
        environment=dict(os.environ) | ({"RECORD": "1"} if record else {}),
    )
    play(wish, Console())


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(help="The published files of the session.")],
    tape: Annotated[Path, typer.Option(help="The session's recording: the directory of its segments.")],
    state: Annotated[Path | None, typer.Option(help="The session's STATE_DIR, to compare its ledger too.")] = None,
) -> None:
    """Whether the published trades are the replay of the recording, byte for byte; exit 1, and the first difference, if not."""
    try:
        refuse_tape(tape)
        written = [published(out), *([kept(state)] if state else [])]
        with Console(stderr=True).status("playing") as status:
            found = [compared(each, replayed(tape, each, lambda n: status.update(f"tick {n}"))) for each in written]
    except (VerifyRefused, RecordingInvalid) as error:
        typer.echo(f"not verified: {error}", err=True)
        raise typer.Exit(1) from None
    for each, what in zip(written, found, strict=True):
        typer.echo(f"{each.name}: {what}")
    if any(what.difference for what in found):
        raise typer.Exit(1)


@app.command()
def portal(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 5173,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    data: Annotated[Path, typer.Option(envvar="OUT_DIR", help="The files to show: where the agent writes them.")] = Path(
        "web/data"
    ),
) -> None:
    """Serve the portal until interrupted."""
    try:
        with serve(WEB_ROOT, host, port, data_dir=data) as served:
            typer.echo(f"Portal: {served.url}/#/start/overview   (Ctrl-C ends it)")
            Event().wait()
    except KeyboardInterrupt:
        typer.echo("")
    except OSError as error:
        typer.echo(f"no portal: {error.strerror or error}; another --port may be free", err=True)
        raise typer.Exit(1) from None


@app.command()
def check(
    scope: Annotated[
        Scope, typer.Option(help="How far to look: settings; files: map and baseline too; network: sources too.")
    ] = Scope.NETWORK,
) -> None:
    """Configuration, map, clock and each source, a line each; exit 1 when something needed fails."""
    settings = _settings()

    async def look() -> bool:
        passed = True
        async for finding in findings_of(settings, scope):
            typer.echo(str(finding))
            passed = passed and (finding.passed or finding.warning)
        return passed

    if not asyncio.run(look()):
        raise typer.Exit(1)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Is the agent alive: last tick, account, sources, errors, from its files; exit 1 when something is wrong."""
    settings = _settings()
    found = standing(settings, SystemClock().now().at_ms)
    if as_json:
        typer.echo(json_bytes(as_document(found)), nl=False)
    else:
        for line in as_lines(found, settings):
            typer.echo(line)
    if found.wrong:
        raise typer.Exit(1)


@app.command()
def doctor(
    out: Annotated[Path | None, typer.Option(help="The file to write; a .zip gets a text for each part.")] = None,
    log: Annotated[Path | None, typer.Option(help="A log file whose last lines go in.")] = None,
    online: Annotated[bool, typer.Option("--online", help="Ask the venues too, as `spelar check` does.")] = False,
) -> None:
    """All that a report of a defect needs, without secrets: versions, settings, map, ledger, files, log, unit."""
    settings, problem = None, ""
    try:
        settings = read_settings(os.environ)
    except SettingsInvalid as error:
        problem = str(error)
    check = partial(_checked, settings) if online and settings is not None else None
    sections = doctors.report(
        doctors.Asked(environment=dict(os.environ), settings=settings, problem=problem, log=log, check=check)
    )
    if out is None:
        typer.echo(doctors.as_text(sections))
        return
    try:
        doctors.write(sections, out)
    except OSError as error:
        typer.echo(f"no report: {out}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{out}: read it before you pass it on")


def _checked(settings: Settings) -> list[str]:
    """What `spelar check` finds, a line each."""

    async def look() -> list[str]:
        return [str(finding) async for finding in findings_of(settings)]

    return asyncio.run(look())


@app.command("check-keys")
def check_keys() -> None:
    """Whether each API key that is set works, and what it may do beyond reading; exit 1 when one does not. Sends no order."""
    settings, keys = _settings(), read_keys(os.environ)
    _log_from(settings.log_level, keys)

    async def look() -> bool:
        passed = True
        async for verdict in verdicts_on(settings, keys):
            typer.echo(str(verdict))
            passed = passed and verdict.passed
        return passed

    passed = asyncio.run(look())
    for line in HOW_TO_SET if keys == Keys() else ():
        typer.echo(line)
    if not passed:
        raise typer.Exit(1)


@app.command()
def preview(
    token: Annotated[str | None, typer.Option(help="A token whose book is fetched.")] = None,
    book: Annotated[Path | None, typer.Option(help="A file with a venue /book body.")] = None,
    side: Annotated[str, typer.Option(help="BUY or SELL.")] = "BUY",
    shares: Annotated[str, typer.Option(help="Shares of the order.")] = "10",
    limit: Annotated[str | None, typer.Option(help="The worst price.")] = None,
    fee_rate: Annotated[str, typer.Option(help="The market's taker rate.")] = "0",
    fee_exponent: Annotated[str, typer.Option(help="The exponent of its schedule.")] = "1",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    batch_file: Annotated[Path | None, typer.Option("--batch", help="A JSON line per case.")] = None,
) -> None:
    """What an order would do to a book now: level by level, with fees. Sends nothing."""
    try:
        if batch_file is not None:
            for result in batch(batch_file):
                typer.echo(json.dumps(result))
            return
        body = asyncio.run(_book_body(token)) if token else _file_body(book)
        order = {"book": body, "side": side, "shares": shares, "limit": limit}
        result = previewed(case_of({**order, "fee_rate": fee_rate, "fee_exponent": fee_exponent}))
    except (PreviewRefused, OSError, Unavailable) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(json.dumps(result, indent=2) if as_json else _as_text(result))


@app.command()
def discover(
    search: Annotated[str | None, typer.Option(help="Words to search for; without: the busiest events.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=10_000, help="Markets to look at.")] = None,
    binary: Annotated[
        bool | None, typer.Option("--binary/--three-way", help="Binary markets, or the draws of matches.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for markets once: what would be kept, and why each other one is left. The PM_SCAN_ variables are the defaults."""
    asked = discovering.Asked(search=search, limit=limit, binary=binary)
    try:
        candidates = asyncio.run(discovering.discovered(_settings(), asked))
    except Unavailable as error:
        typer.echo(f"no scan: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(discovering.as_json(candidates), indent=2))
    else:
        discovering.show(candidates, _wide_console())


@app.command()
def resolve(
    ref: Annotated[str, typer.Argument(help="A slug, a Polymarket address, a series (btc-updown-5m-*) or a token id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What a reference means at the venue now, with its books, and what to write into the map."""
    try:
        resolution = asyncio.run(resolving.resolved(_settings(), ref))
    except (resolving.ResolveRefused, Unavailable) as error:
        typer.echo(f"not resolved: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(resolving.as_json(resolution), indent=2))
    else:
        resolving.show(resolution, _wide_console())


@app.command("compile")
def compile_tape(
    sources: Annotated[list[Path], typer.Argument(help="Recordings: own ones, or files and directories in any known layout.")],
    tape: Annotated[Path, typer.Option(help="The directory to write.")],
    interval: Annotated[float | None, typer.Option(min=0.1, help="Seconds between ticks; without: INTERVAL_S.")] = None,
    map_path: Annotated[Path | None, typer.Option("--map", help="The market map; without: all that was recorded.")] = None,
) -> None:
    """Turn recordings into a tape: columns that a replay reads a thousand times faster."""
    asked = {"INTERVAL_S": interval, "MARKET_MAP_PATH": map_path or ""}
    given = {name: str(value) for name, value in asked.items() if value is not None}
    settings = read_settings({**os.environ, **given})
    _log_from(settings.log_level)
    from entrypoints.compile import Compile, compiled  # numpy and pyarrow cost half a second, which no other command pays

    told = [option for option, value in (("--interval", interval), ("--map", map_path)) if value is not None]
    compiled(Compile(sources=sources, tape=tape, settings=settings, told=told), _wide_console())


@app.command()
def replay(
    tape: Annotated[Path, typer.Argument(help="A directory that `spelar compile` has written.")],
    out: Annotated[
        Path | None, typer.Option(help="Where all its files go; without: where the portal shows it, OUT_DIR/replay/TAPE.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE: a setting on top of the environment's; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="The first moment, such as 2026-03-02T12:30 (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The moment before which to stop (UTC).")] = None,
    markets: Annotated[list[str] | None, typer.Option(help="A market by name, slug, event or token; may be repeated.")] = None,
    unscreened: Annotated[bool, typer.Option("--unscreened", help="Decide every tick: slower, and the same trades.")] = False,
) -> None:
    """The same tick over a tape: what these settings would have traded, and what came of it."""
    from entrypoints import replay as replaying  # as above

    asked = replaying.Asked(
        tape=tape,
        out_dir=out or replaying.usual_place(os.environ, tape),
        environment=dict(os.environ),
        changes=changes or (),
        since=since,
        until=until,
        markets=markets or (),
        every_tick=unscreened,
        console=_wide_console(),
    )
    try:
        asked.console.print(replaying.as_table(replaying.replay(asked)))
        asked.console.print(f"files: {asked.out_dir}")
    except (replaying.ReplayRefused, TapeInvalid) as error:
        typer.echo(f"no replay: {error}", err=True)
        raise typer.Exit(CONFIGURATION) from None


@app.command()
def sweep(
    tape: Annotated[Path, typer.Argument(help="A directory that `spelar compile` has written.")],
    grids: Annotated[list[str] | None, typer.Option("--grid", help="NAME=a,b,c: values to try; may be repeated.")] = None,
    spans: Annotated[
        list[str] | None, typer.Option("--range", help="NAME=low:high[:step]: numbers to try; may be repeated.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="tpe: learn where to look instead of trying all combinations.")] = None,
    count: Annotated[int, typer.Option("--trials", min=1, help="How many settings a search tries.")] = 100,
    out: Annotated[Path, typer.Option(help="The portal's data: the sweep goes to replay/NAME in it.")] = Path("web/data"),
    name: Annotated[str | None, typer.Option(help="The sweep's name; by itself after the tape.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Worker processes; by itself one a core.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE: a setting on top of the environment's; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="The first moment, such as 2026-03-02T12:30 (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The moment before which to stop (UTC).")] = None,
    markets: Annotated[list[str] | None, typer.Option(help="A market by name, slug, event or token; may be repeated.")] = None,
    folds: Annotated[int, typer.Option(min=0, help="Walk-forward folds by time.")] = 5,
    purge: Annotated[
        float | None, typer.Option(min=0, help="Seconds between past and test; by itself the longest hold and lookback.")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="The address of a Dask scheduler whose workers do the work.")] = None,
) -> None:
    """Many settings over one tape: which is best, on what data it was not chosen by, and how much of that is luck."""
    # numpy, pyarrow, optuna and distributed are extras, and the daemon starts without them.
    from adapters.tape.trials import SweepRefused
    from adapters.workers import CrewLost
    from entrypoints import standing
    from entrypoints import sweep as sweeping
    from entrypoints.replay import ReplayRefused

    console = _wide_console()
    asked = sweeping.Asked(
        tape=tape,
        environment=dict(os.environ),
        out_dir=out,
        name=name,
        changes=changes or (),
        grids=grids or (),
        spans=spans or (),
        search=search,
        count=count,
        jobs=jobs,
        since=since,
        until=until,
        markets=markets or (),
        folds=folds,
        purge_s=purge,
        scheduler=scheduler,
        console=console,
    )
    try:
        found = sweeping.sweep(asked)
    except (SweepRefused, ReplayRefused, TapeInvalid) as error:
        typer.echo(f"no sweep: {error}", err=True)
        raise typer.Exit(CONFIGURATION) from None
    except CrewLost as error:
        typer.echo(f"the sweep stopped: {error}; what is done is kept, and the same command goes on", err=True)
        raise typer.Exit(1) from None
    except sweeping.Interrupted as error:
        typer.echo(error, err=True)
        raise typer.Exit(INTERRUPTED) from None
    console.print(standing.as_table(found))
    for line in standing.as_lines(found):
        console.print(line)
    console.print(f"all trials: {asked.directory}")


def _wide_console() -> Console:
    """The terminal as it is, a pipe wide enough for a table; names from outside are text, whatever they look like."""
    width = None if sys.stdout.isatty() else 160
    return Console(width=width, markup=False, emoji=False, highlight=False)


app.add_typer(ledger_app(_settings, _wide_console), name="ledger")


def _file_body(path: Path | None) -> object:
    if path is None:
        raise PreviewRefused("give --token, --book or --batch")
    return json_of(path.read_bytes())


async def _book_body(token: str) -> object:
    settings = read_settings(os.environ)
    client = Container(settings=settings, clock=SystemClock(), entries=()).clob_client()
    try:
        return (await client.get("/book", {"token_id": token})).json
    finally:
        await client.aclose()


def _as_text(result: dict[str, object]) -> str:
    levels = result["levels"]
    lines = (
        [f"  {level['shares']} at {level['price']}, fee {level['fee']}" for level in levels] if isinstance(levels, list) else []
    )
    plain = [f"{name}: {value}" for name, value in result.items() if name not in {"levels", "warnings"}]
    warnings = result["warnings"]
    return "\n".join([*plain, *lines, *(f"warning: {w}" for w in (warnings if isinstance(warnings, list) else []))])


if __name__ == "__main__":
    main()
