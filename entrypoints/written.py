"""What a session left to be verified: its published trades, its ledger's, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.portal.cells import csv_line, iso
from adapters.portal.manifest import read_manifest
from adapters.portal.projections import trade_row
from adapters.portal.schema import MANIFEST, TRADES
from adapters.sqlite_ledger import LEDGER_NAME, SqliteLedger
from adapters.tape import TapeInvalid
from domain.report import Trade


class VerifyRefused(Exception):
    """There is nothing to verify: no published trades, no ledger, or no recording to hold them against."""


class Row(NamedTuple):
    """A trade as the trade log has it: its time, as there, and its line; of which tick and token the replay knows it to be."""

    at: str
    line: bytes
    tick: int = 0
    token: str = ""

    @classmethod
    def of(cls, trade: Trade, tick: int = 0) -> "Row":
        """The row of a trade."""
        return cls(iso(trade.moment.at_ms), csv_line(trade_row(trade)), tick, trade.market.token or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a session left: the rows of `name`, the last tick that they surely show, and whether older ones were cut off."""

    name: str
    ledger_id: str
    rows: Sequence[Row]
    sequence: int
    cut: bool = False


def published(out_dir: Path) -> Written:
    """The published trade log of a directory. Raises `VerifyRefused`."""
    manifest = read_manifest(out_dir)
    try:
        header, *lines = (out_dir / TRADES.name).read_bytes().splitlines(keepends=True)
    except (OSError, ValueError) as error:
        raise VerifyRefused(f"{out_dir} holds no {TRADES.name}") from error
    if manifest is None:
        raise VerifyRefused(f"{out_dir} does not say whose files it holds: no manifest.json")
    rows = [Row(line.partition(b",")[0].decode(errors="replace"), line) for line in lines]
    return Written(
        name=TRADES.name,
        ledger_id=manifest.ledger_id,
        rows=rows if header == csv_line(TRADES.columns) else [Row("", header), *rows],
        sequence=manifest.sequence,
        cut=len(rows) >= (TRADES.kept or 0),
    )


def kept(state_dir: Path) -> Written:
    """All trades of a ledger. Raises `VerifyRefused`, `LedgerInvalid`."""
    path = state_dir / LEDGER_NAME
    if not path.exists():
        raise VerifyRefused(f"{state_dir} holds no ledger")
    store = SqliteLedger.open_to_read(path)
    try:
        rows = [Row.of(trade) for trade in store.trades()]
        return Written(name=path.name, ledger_id=store.ledger_id, rows=rows, sequence=store.sequence)
    finally:
        store.close()


def refuse_tape(path: Path) -> None:
    """Say what a compiled tape proves, where one is given instead of a recording. Raises `VerifyRefused`."""
    if not (path / MANIFEST.name).is_file():
        return
    from adapters.tape.manifest import damaged_files  # pyarrow costs half a second, which verifying does not need
    from adapters.tape.schema import GRID_FILE

    if not (path / GRID_FILE).is_file():
        return
    try:
        damaged = ", ".join(damaged_files(path))
    except TapeInvalid as error:
        damaged = str(error)
    whole = f"its files are not as they were written ({damaged})" if damaged else "its files are as they were written"
    raise VerifyRefused(
        f"{path} is a compiled tape: {whole}, and by itself it proves no more. It keeps neither the venues' answers nor the "
        "state and the settings that a session began with. Give the recording that it was compiled from; "
        f"`spelar replay {path}` shows what a session without a position would have traded on it"
    )
