"""What a directory of portal files can look like: functions that spoil a whole one, and files of ten thousand rows."""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.portal import FILES, MANIFEST
from adapters.portal.schema import CANDIDATES, EQUITY, PRICES, SCAN, SOURCES_HEALTH, TRADES, Kind, OutputFile

Row = dict[str, str]
Change = Callable[[Path], None]

RUNBOOK = tuple(
    file
    for file in FILES
    if file not in (SOURCES_HEALTH, EQUITY, PRICES, SCAN) and file.name not in ("pm_markets_index.json", MANIFEST.name)
)
"""The ten files of the runbook."""

GATE_COLUMNS = ("gate_value", "gate_threshold", "gate_setting")
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "\u202eevil\u202c \u2066right to left\u2069 \u05e9\u05dc\u05d5\u05dd",
    "=HYPERLINK(1);'\"`,\n{{7*7}}${7*7}",
    "A" * 10_000,
    "__proto__",
)
"""Names of markets that a stranger may have chosen, one of them of ten kilobytes."""


def rows_of(path: Path) -> list[Row]:
    """A CSV file's rows."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterator[Row] | list[Row]) -> None:
    """Replace a CSV file in one go, and its entry in the manifest."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(path, text.getvalue().encode())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one go, and its entry in the manifest when there is one."""
    _put(path, content)
    manifest = path.parent / MANIFEST.name
    if path == manifest or not manifest.exists():
        return
    document = json.loads(manifest.read_bytes())
    entry = document["files"].get(path.name)
    if entry is not None:
        entry |= {"bytes": len(content), "rows": max(content.count(b"\n") - 1, 0)}
        _put(manifest, json.dumps(document).encode())


def _put(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def without(name: str) -> Change:
    """One file is missing."""
    return lambda data: (data / name).unlink()


def nothing(data: Path) -> None:
    """No file is there."""
    for file in FILES:
        (data / file.name).unlink()


def emptied(file: OutputFile) -> Change:
    """One file holds nothing but its header, or an empty document."""
    header = ",".join(file.columns) + "\n" if file.kind is Kind.CSV else "{}\n"
    return lambda data: replace_file(data / file.name, header.encode())


def all_emptied(data: Path) -> None:
    """Every file but the manifest and the status holds nothing."""
    for file in FILES:
        if file.name not in (MANIFEST.name, "live_status.json"):
            emptied(file)(data)


def broken(file: OutputFile) -> Change:
    """One file is no CSV and no JSON: its first half, then bytes that are no text."""

    def change(data: Path) -> None:
        content = (data / file.name).read_bytes()
        replace_file(data / file.name, content[: len(content) // 2] + b'"\xff\xfe\x00\x80{[,')

    return change


def all_broken(data: Path) -> None:
    """Every file is."""
    for file in FILES:
        broken(file)(data)


def hostile(data: Path) -> None:
    """The markets have other names, in every file, written by someone who does not clean them; fifty rows of each."""
    names = {row["market"]: HOSTILE[n % len(HOSTILE)] for n, row in enumerate(_first_rows(rows_of(data / CANDIDATES.name)))}
    for file in FILES:
        path = data / file.name
        if file.kind is Kind.CSV:
            write_rows(
                path, file.columns, [{**row, "market": names.get(row.get("market", ""), "")} for row in rows_of(path)[-50:]]
            )
        else:
            replace_file(path, json.dumps(_renamed(json.loads(path.read_bytes()), names)).encode())


def _first_rows(rows: list[Row]) -> list[Row]:
    """One row for each market."""
    return list({row["market"]: row for row in reversed(rows)}.values())


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def runbook_only(data: Path) -> None:
    """An unknown agent: the ten files, no manifest, no gate columns."""
    for file in FILES:
        if file not in RUNBOOK:
            (data / file.name).unlink()
    columns = tuple(column for column in CANDIDATES.columns if column not in GATE_COLUMNS)
    write_rows(data / CANDIDATES.name, columns, rows_of(data / CANDIDATES.name))


def foreign(data: Path) -> None:
    """The same rows as another program would write them: BOM, CRLF, columns turned round, one more, no newline at the end."""
    for file in FILES:
        if file.kind is Kind.CSV:
            path = data / file.name
            columns = ("extra", *reversed(file.columns))
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, columns, lineterminator="\r\n", restval="?")
            writer.writeheader()
            writer.writerows(rows_of(path))
            replace_file(path, b"\xef\xbb\xbf" + text.getvalue().rstrip("\r\n").encode())


BIG = (CANDIDATES, EQUITY, PRICES, TRADES)


def big(data: Path, rows: int = 10_000) -> None:
    """Ten thousand rows in each big file: those that are there, again and again, farther back in time."""
    for file in BIG:
        path = data / file.name
        write_rows(path, file.columns, repeated(rows_of(path), rows))


def repeated(rows: list[Row], count: int) -> list[Row]:
    """So many rows, of which the last are `rows`; each earlier round lies as far back as `rows` reach."""
    first, last = (datetime.fromisoformat(rows[n]["ts"]) for n in (0, -1))
    round_ = last - first + timedelta(seconds=15)
    rounds = -(-count // len(rows))
    return [_earlier(row, round_ * back) for back in reversed(range(rounds)) for row in rows][-count:]


def _earlier(row: Row, by: timedelta) -> Row:
    return {**row, "ts": earlier(row["ts"], by.total_seconds())}


def earlier(ts: str, seconds: float) -> str:
    """A row's time so many seconds earlier."""
    at = datetime.fromisoformat(ts) - timedelta(seconds=seconds)
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def appended(data: Path, at: datetime) -> None:
    """One more row in each big file, the oldest gone, and a tick more in the manifest: what a live agent does."""
    for file in BIG:
        path = data / file.name
        lines = path.read_bytes().splitlines(keepends=True)
        last = lines[-1].split(b",", 1)[1]
        newest = at.isoformat(timespec="milliseconds").encode() + b"," + last
        replace_file(path, b"".join([lines[0], *lines[2:], newest]))
    ticked(data, at)


def ticked(data: Path, at: datetime) -> None:
    """A tick more in the manifest, when there is one."""
    manifest = data / MANIFEST.name
    if not manifest.exists():
        return
    document = json.loads(manifest.read_bytes())
    ts, tick = at.isoformat(timespec="milliseconds"), document["tick"] + 1
    files = {name: {**entry, "newest": ts} for name, entry in document["files"].items()}
    _put(manifest, json.dumps(document | {"tick": tick, "sequence": tick, "ts": ts, "files": files}).encode())


REPLAY, SWEEP = "yesterday", "sweep-march"


def with_replay(data: Path) -> None:
    """A replay of a tape beside the agent's files (the same equity and trades, a report with a gap), and a sweep."""
    run = data / "replay" / REPLAY
    run.mkdir(parents=True)
    for file in (EQUITY, TRADES):
        shutil.copy(data / file.name, run / file.name)
    rows = rows_of(data / EQUITY.name)
    first, last = rows[0]["ts"], rows[-1]["ts"]
    report = {
        "tape": "march",
        "strategy_mode": "lead_lag",
        "trades": {"BUY": 22, "SELL": 21},
        "pnl_usd": -8.6,
        "fees_usd": 7.5,
        "max_drawdown_usd": 8.61,
        "hit_rate": 0.25,
        "open_positions": 1,
        "time_in_market_s": 1800,
        "markout": {"5s": {"trades": 0, "price": None}, "30s": {"trades": 43, "price": -0.0012}},
        "coverage": {"from": first, "to": last, "ticks": len(rows), "seconds": 4485, "covered_s": 4425, "share": 0.9866},
        "gaps": [{"from": first, "to": last, "seconds": 60}],
        "settings": {"LEAD_LAG_EDGE_MIN_PCT": "0.2"},
    }
    listed = {"id": REPLAY, "kind": "replay", "at": last, "trades": 43}
    listed |= {name: report[name] for name in ("tape", "strategy_mode", "pnl_usd", "fees_usd", "max_drawdown_usd")}
    (run / "report.json").write_text(json.dumps(report), encoding="utf-8")
    best = {"LEAD_LAG_EDGE_MIN_PCT": "0.2", "LEAD_LAG_LOOKBACK_POINTS": "6", "score": 0.041, "trades": 43, "pnl_usd": 1.5}
    fold = {"settings": {"LEAD_LAG_EDGE_MIN_PCT": "0.2"}, "in_sample": 0.05, "out_of_sample": -0.01, "pnl_usd": -0.4}
    sweep = {
        "names": ["LEAD_LAG_EDGE_MIN_PCT", "LEAD_LAG_LOOKBACK_POINTS"],
        "trials": 4,
        "period_s": 300,
        "best": [best | {"fees_usd": 7.5, "max_drawdown_usd": 2, "hit_rate": None}],
        "heat": {
            "x": "LEAD_LAG_EDGE_MIN_PCT",
            "y": "LEAD_LAG_LOOKBACK_POINTS",
            "xs": ["0.2", "0.3"],
            "ys": ["6", "10"],
            "mean": [[0.041, -0.02], [0.01, None]],
        },
        "neighbours": {"count": 2, "middle": -0.005},
        "luck": {"trials": 4, "expected_best": 0.03, "deflated_sharpe": 0.61},
        "purge_s": 270,
        "folds": [fold | {"past_to": first, "from": first, "to": last}],
        "walk_forward": {"in_sample": 0.05, "out_of_sample": -0.01, "pnl_usd": -0.4},
        "warnings": ["the best stands on a cliff: of its 2 neighbours the middle one scores less than half of it"],
    }
    (data / "replay" / SWEEP).mkdir()
    (data / "replay" / SWEEP / "sweep.json").write_text(json.dumps(sweep), encoding="utf-8")
    runs = [listed, listed | {"id": SWEEP, "kind": "sweep"}]
    (data / "replay/index.json").write_text(json.dumps({"runs": runs}), encoding="utf-8")
