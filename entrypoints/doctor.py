"""`spelar doctor`: what a report of a defect needs, in sections of text, without the secrets of whoever runs it."""

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from adapters.draw_baseline import load_draw_baseline
from adapters.kill_switch import KillSwitch
from adapters.portal.schema import FILES, HEDGE_SIGNALS, Kind, OutputFile
from adapters.sqlite_ledger import LEDGER_NAME
from entrypoints import VERSION
from entrypoints.container import map_entries
from entrypoints.keys import FILE_VARIABLE, VALUES
from entrypoints.ledger import findings
from entrypoints.redaction import Redaction, secrets_of_addresses
from entrypoints.settings import KNOWN, Settings, doubts

UNIT = "spelar-agent.service"
UNIT_PROPERTIES = (
    "ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainStartTimestamp,WatchdogUSec,MemoryCurrent,FragmentPath"
)
COMMAND_S = 10.0
LOG_LINES = 200
LINE_LENGTH = 400
FIRST, LAST = 4, 3
"""Lines of a published table that are shown: its head with the newest rows."""

JSON_LENGTH = 4000
READ_AT_MOST = 1_000_000

Lines = Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look at. `settings` is None when they are invalid, and `problem` then says why.

    `check` gives what `spelar check` found, a line each, when the venues are to be asked; `log` is a log file.
    """

    environment: Mapping[str, str]
    settings: Settings | None
    problem: str = ""
    log: Path | None = None
    check: Callable[[], Lines] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report, clean of secrets."""

    name: str
    lines: tuple[str, ...]


def report(asked: Asked) -> tuple[Section, ...]:
    """Everything that can be found out; a part that fails says so and stops no other."""
    redacted = Redaction.of(_secrets(asked))
    parts: list[tuple[str, Callable[[], Lines]]] = [("versions", _versions), ("settings", lambda: _settings(asked))]
    if (settings := asked.settings) is not None:
        parts += [
            ("map", lambda: _map(settings)),
            ("places", lambda: _places(settings)),
            ("ledger", lambda: _ledger(settings)),
            ("files", lambda: _files(settings.out_dir)),
        ]
    if asked.check is not None:
        parts.append(("check", asked.check))
    if (log := asked.log) is not None:
        parts.append(("log", lambda: _tail(log)))
    parts.append(("systemd", lambda: _systemd(asked.environment)))
    return tuple(Section(name=name, lines=tuple(map(redacted, _all_of(collect)))) for name, collect in parts)


def as_text(sections: Iterable[Section]) -> str:
    """The whole report."""
    return "\n".join("\n".join((f"== {section.name} ==", *section.lines, "")) for section in sections)


def write(sections: Iterable[Section], target: Path) -> None:
    """Into one file that only its owner may read: a zip with a text for each section, or one text. Raises `OSError`."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if target.suffix != ".zip":
            file.write(as_text(sections).encode())
            return
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for section in sections:
                archive.writestr(f"{section.name}.txt", "\n".join((*section.lines, "")))


def _all_of(collect: Callable[[], Lines]) -> Iterator[str]:
    try:
        yield from collect()
    except Exception as error:  # noqa: BLE001 - a report of what is broken must come out whatever is broken
        yield from f"this part ended early: {type(error).__name__}: {error}".splitlines()


def _secrets(asked: Asked) -> Iterator[str]:
    """All that must not be seen: keys wherever they lie, who is told, and what people noted in the map for themselves."""
    environment = asked.environment
    yield from (environment.get(name, "") for name, _ in VALUES.values())
    yield from secrets_of_addresses(environment.get("NOTIFY_URLS", ""))
    if path := environment.get(FILE_VARIABLE, "").strip():
        yield from _strings(_json(Path(path)))
    if directory := environment.get("CREDENTIALS_DIRECTORY", "").strip():
        yield from (_text(Path(directory) / name.lower()).strip() for name, _ in VALUES.values())
    if asked.settings is not None and asked.settings.market_map_path is not None:
        yield from _notes(_json(asked.settings.market_map_path))


def _versions() -> Lines:
    yield f"spelar {VERSION}, Python {platform.python_version()} ({sys.executable})"
    yield f"{platform.platform()}, SQLite {sqlite3.sqlite_version}"
    for package in (requires("spelar") or ()) if _installed("spelar") else ():
        if "extra ==" not in package:
            name = package.split(";")[0].strip()
            yield f"{name} {_installed(name) or 'is not installed'}"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _settings(asked: Asked) -> Lines:
    named = [name for name in KNOWN if asked.environment.get(name, "").strip()]
    yield f"set in the environment: {', '.join(named) or 'none'}"
    yield from asked.problem.splitlines()
    if asked.settings is None:
        return
    yield from (f"warning: {doubt}" for doubt in doubts(asked.environment, asked.settings))
    yield from (f"{name}={value}" for name, value in asked.settings.in_force().items())


def _map(settings: Settings) -> Lines:
    yield f"{len(map_entries(settings))} markets are followed"
    if settings.draw_baseline_file is not None:
        yield f"{len(load_draw_baseline(settings.draw_baseline_file))} baselines"
    if settings.market_map_path is not None:
        yield from json.dumps(_without_notes(_json(settings.market_map_path)), indent=1, ensure_ascii=False).splitlines()


def _places(settings: Settings) -> Lines:
    for name, path in (("OUT_DIR", settings.out_dir), ("STATE_DIR", settings.state_dir), ("RECORD_DIR", settings.recording)):
        usage = shutil.disk_usage(path) if path.exists() else None
        free = f", {usage.free // 1_000_000} MB of {usage.total // 1_000_000} MB free" if usage else ""
        writable = "writable" if os.access(path, os.W_OK | os.X_OK) else "not writable by this user"
        yield f"{name} {path}: {writable if path.exists() else 'is not there'}{free}"
    yield f"kill switch: {'on' if KillSwitch(settings.killswitch_file).pulled() else 'off'}"


def _ledger(settings: Settings) -> Lines:
    path = settings.state_dir / LEDGER_NAME
    for file in sorted(settings.state_dir.rglob(f"{LEDGER_NAME.partition('.')[0]}*")):
        yield f"{file.relative_to(settings.state_dir)}: {file.stat().st_size} bytes"
    if path.exists():
        yield from (f"{name}: {value}" for name, value in findings(path, settings.out_dir))
    else:
        yield f"there is no ledger in {settings.state_dir}"


def _files(out_dir: Path) -> Lines:
    for file in FILES:
        path = out_dir / file.name
        if not path.exists():
            yield f"{file.name}: is not there"
            continue
        found = path.stat()
        yield f"{file.name}: {found.st_size} bytes, {datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec='seconds')}"
        yield from (f"  {line[:LINE_LENGTH]}" for line in _head(file, _text(path)))


def _head(file: OutputFile, text: str) -> Lines:
    """The beginning, and the newest rows of a table. Rows of hedges carry the map's notes, and stay out."""
    if file.kind is not Kind.CSV:
        return text[:JSON_LENGTH].splitlines()
    lines = text.splitlines()
    if file is HEDGE_SIGNALS:
        return lines[:1]
    return (
        lines if len(lines) <= FIRST + LAST else [*lines[:FIRST], f"... {len(lines) - FIRST - LAST} more ...", *lines[-LAST:]]
    )


def _tail(log: Path) -> Lines:
    return _text(log, end=True).splitlines()[-LOG_LINES:]


def _systemd(environment: Mapping[str, str]) -> Lines:
    if shutil.which("systemctl", path=environment.get("PATH")) is None:
        return ("there is no systemctl here",)
    return (
        *_said("systemctl", "show", UNIT, f"--property={UNIT_PROPERTIES}"),
        *_said("journalctl", "--unit", UNIT, "--no-pager", "--output", "short-iso", "--lines", str(LOG_LINES)),
    )


def _said(*command: str) -> Lines:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)  # noqa: S603 - ours alone
    except (OSError, subprocess.TimeoutExpired) as error:
        return (f"{command[0]}: {type(error).__name__}",)
    return (done.stdout + done.stderr).splitlines()


def _text(path: Path, *, end: bool = False) -> str:
    """A file's beginning or end as text; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            if end:
                file.seek(max(0, os.fstat(file.fileno()).st_size - READ_AT_MOST))
            return file.read(READ_AT_MOST).decode(errors="replace")
    except OSError:
        return ""


def _json(path: Path) -> object:
    try:
        found: object = json.loads(_text(path))
    except (ValueError, RecursionError):
        return None
    return found


def _strings(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            yield from (text for item in value.values() for text in _strings(item))
        case list():
            yield from (text for item in value for text in _strings(item))


def _notes(value: object) -> Iterator[str]:
    """Every text under the name `notes`."""
    match value:
        case dict():
            for name, item in value.items():
                yield from _strings(item) if name == "notes" else _notes(item)
        case list():
            yield from (text for item in value for text in _notes(item))


def _without_notes(value: object) -> object:
    match value:
        case dict():
            return {name: "***" if name == "notes" else _without_notes(item) for name, item in value.items()}
        case list():
            return [_without_notes(item) for item in value]
    return value
