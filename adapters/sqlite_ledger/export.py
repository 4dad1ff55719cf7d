"""All trades of a ledger as files for other programs: every digit, and the links by which they can be proved there too."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from adapters.portal.cells import csv_line, iso, json_bytes
from adapters.sqlite_ledger.durable import write_durably
from adapters.sqlite_ledger.faults import disk_trouble
from adapters.sqlite_ledger.ledger import SqliteLedger

CSV_NAME, JSON_NAME = "trades.csv", "trades.json"


class ExportedTrade(NamedTuple):
    """A trade in its columns. USDC, shares and price units, never rounded; `ts` UTC."""

    seq: int
    trade_id: str
    tick: int
    ts: str
    elapsed_ms: int
    market: str
    market_ref: str
    token: str
    outcome: str
    action: str
    status: str
    price: Decimal
    shares: Decimal
    notional: Decimal
    fee: Decimal
    realized_pnl: Decimal
    cash_after: Decimal
    notes: str
    book_hash: str
    prev_hash: str
    hash: str


def export(store: SqliteLedger, directory: Path) -> tuple[Path, Path]:
    """Write both files, synced to the disk. In JSON amounts are texts, since many readers make floats of numbers.

    Raises `LedgerInvalid`, `LedgerUnwritable`.
    """
    trades = list(_exported(store))
    document = {
        "ledger_id": store.ledger_id,
        "mode": store.mode,
        "created_at": iso(store.created_at_ms),
        "opening_cash": f"{store.opening_cash:f}",
        "sequence": store.sequence,
        "last_hash": store.last_hash,
        "trades": [_as_json(trade) for trade in trades],
    }
    table, whole = directory / CSV_NAME, directory / JSON_NAME
    with disk_trouble(directory):
        directory.mkdir(parents=True, exist_ok=True)
        write_durably(table, b"".join([csv_line(ExportedTrade._fields), *map(csv_line, trades)]))
        write_durably(whole, json_bytes(document))
    return table, whole


def _exported(store: SqliteLedger) -> Iterator[ExportedTrade]:
    for row, trade in zip(store.rows(), store.trades(), strict=True):
        yield ExportedTrade(
            seq=row.entry.seq,
            trade_id=trade.id,
            tick=row.entry.tick,
            ts=iso(trade.moment.at_ms),
            elapsed_ms=trade.moment.elapsed_ms,
            market=trade.market.name,
            market_ref=trade.market.ref,
            token=row.entry.token,
            outcome=trade.market.outcome,
            action=trade.action,
            status=trade.status,
            price=trade.price,
            shares=trade.shares,
            notional=trade.notional,
            fee=trade.fee,
            realized_pnl=trade.realised,
            cash_after=trade.cash_after,
            notes=trade.notes,
            book_hash=trade.digest,
            prev_hash=row.prev_hash,
            hash=row.hash,
        )


def _as_json(trade: ExportedTrade) -> dict[str, str | int]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in trade._asdict().items()}
