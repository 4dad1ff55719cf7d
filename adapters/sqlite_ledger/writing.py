"""One tick's changes as rows. Everything here runs inside the transaction that `SqliteLedger.save` opened."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from adapters.portal.thinning import stride
from adapters.sqlite_ledger.codecs import (
    DIGESTS,
    execution_text,
    history_blob,
    judgements_text,
    order_text,
    record_text,
    references_text,
)
from adapters.sqlite_ledger.micros import micros
from adapters.sqlite_ledger.shelf import MarketShelf
from adapters.sqlite_ledger.trades import Sealed
from domain.ledger import Ledger, Order
from domain.market import TokenId
from domain.protections import Record
from domain.report import EquityPoint, OrderEvent, Report
from domain.state import Memory

KEPT_ORDER_EVENTS = 1_000
KEPT_VERDICTS = 10_000
KEPT_EQUITY_POINTS = 20_000

STATE = """
UPDATE state SET sequence = ?, at_ms = ?, elapsed_ms = ?, cash = ?, realised = ?, fees = ?, last_hash = ?,
    remembered_at_ms = ?, remembered_elapsed_ms = ?, reference_prices = ?
"""
PROTECTIONS = "INSERT INTO protections (one, record) VALUES (1, ?) ON CONFLICT DO UPDATE SET record = excluded.record"
TRADE = "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
NO_POSITIONS = "DELETE FROM positions"
POSITION = "INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
NONE_WAITING = "DELETE FROM waiting"
WAITING = "INSERT INTO waiting (place, id, wish) VALUES (?, ?, ?)"
ORDER_EVENT = "INSERT INTO order_events (tick, at_ms, elapsed_ms, execution) VALUES (?, ?, ?, ?)"
OLD_ORDER_EVENTS = "DELETE FROM order_events WHERE seq <= (SELECT max(seq) FROM order_events) - ?"
EQUITY = "INSERT INTO equity VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
EQUITY_BETWEEN = """
DELETE FROM equity WHERE sequence >= ? AND sequence < ? AND sequence % ? != 0
    AND sequence != (SELECT min(sequence) FROM equity)
"""
VERDICTS = "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?)"
OLD_VERDICTS = """
DELETE FROM verdicts WHERE sequence < (
    SELECT max(sequence) FROM (SELECT sequence, sum(amount) OVER (ORDER BY sequence DESC) AS newer FROM verdicts)
    WHERE newer >= ?
)
"""
HISTORY = "INSERT INTO histories (token, samples) VALUES (?, ?) ON CONFLICT DO UPDATE SET samples = excluded.samples"
HISTORY_GONE = "DELETE FROM histories WHERE token = ?"


def write_state(connection: sqlite3.Connection, report: Report, last_hash: str) -> None:
    """The one row that says where the ledger stands."""
    ledger, memory = report.state.ledger, report.state.memory
    row = (
        report.state.sequence,
        report.moment.at_ms,
        report.moment.elapsed_ms,
        micros(ledger.cash),
        micros(ledger.realised),
        micros(ledger.fees),
        last_hash,
        memory.moment.at_ms if memory.moment else None,
        memory.moment.elapsed_ms if memory.moment else None,
        references_text(memory.references),
    )
    connection.execute(STATE, row)


def write_record(connection: sqlite3.Connection, record: Record) -> None:
    """What the protections remember."""
    connection.execute(PROTECTIONS, (record_text(record),))


def write_trades(connection: sqlite3.Connection, trades: Iterable[Sealed]) -> None:
    """New trades. Raises `sqlite3.IntegrityError` for an id that is there."""
    connection.executemany(TRADE, ((*trade.entry, trade.prev_hash, trade.hash) for trade in trades))


def write_positions(connection: sqlite3.Connection, ledger: Ledger, shelf: MarketShelf) -> None:
    """All open positions, in the order of their entry."""
    connection.execute(NO_POSITIONS)
    connection.executemany(POSITION, list(_position_rows(ledger, shelf)))


def _position_rows(ledger: Ledger, shelf: MarketShelf) -> Iterator[tuple[str | int | float | None, ...]]:
    for place, (token, position) in enumerate(ledger.positions.items()):
        scaled = position.last_scale
        yield (
            token,
            place,
            shelf.digest_of(position.market),
            micros(position.shares),
            micros(position.cost),
            position.entry_mid,
            position.last_mid,
            position.opened.at_ms,
            position.opened.elapsed_ms,
            position.last_fill.at_ms,
            position.last_fill.elapsed_ms,
            scaled.at_ms if scaled else None,
            scaled.elapsed_ms if scaled else None,
            position.adds,
            micros(position.mark.value),
            position.mark.stale,
        )


def write_waiting(connection: sqlite3.Connection, orders: Sequence[Order]) -> None:
    """All orders that wait for a book, in their order."""
    connection.execute(NONE_WAITING)
    connection.executemany(WAITING, ((place, order.id, order_text(order)) for place, order in enumerate(orders)))


def write_orders(connection: sqlite3.Connection, sequence: int, events: Sequence[OrderEvent]) -> None:
    """What became of orders; the oldest beyond `KEPT_ORDER_EVENTS` go."""
    if not events:
        return
    connection.executemany(
        ORDER_EVENT,
        ((sequence, event.moment.at_ms, event.moment.elapsed_ms, execution_text(event.execution)) for event in events),
    )
    connection.execute(OLD_ORDER_EVENTS, (KEPT_ORDER_EVENTS,))


def write_equity(connection: sqlite3.Connection, point: EquityPoint, kept: int = KEPT_EQUITY_POINTS) -> None:
    """This tick's point; points between the first and this one go when the thinning passes over them."""
    step = stride(first=1, last=point.sequence, kept=kept)
    finer = point.sequence > 1 and stride(first=1, last=point.sequence - 1, kept=kept) != step
    connection.execute(EQUITY_BETWEEN, (0 if finer else point.sequence - 1, point.sequence, step))
    row = (
        point.sequence,
        point.moment.at_ms,
        point.moment.elapsed_ms,
        micros(point.equity),
        micros(point.cash),
        micros(point.realised),
        micros(point.unrealised),
        point.open_positions,
    )
    connection.execute(EQUITY, row)


def write_verdicts(connection: sqlite3.Connection, report: Report, shelf: MarketShelf) -> None:
    """What this tick decided about every token."""
    digests = tuple(shelf.digest_of(verdict.market) for verdict in report.verdicts)
    row = (
        report.state.sequence,
        report.moment.at_ms,
        report.moment.elapsed_ms,
        len(report.verdicts),
        DIGESTS.dump_json(digests).decode(),
        judgements_text(report.verdicts),
    )
    connection.execute(VERDICTS, row)


def prune_verdicts(connection: sqlite3.Connection) -> None:
    """Keep the newest ticks that hold `KEPT_VERDICTS` verdicts between them."""
    connection.execute(OLD_VERDICTS, (KEPT_VERDICTS,))


def write_histories(connection: sqlite3.Connection, before: Memory, after: Memory) -> None:
    """The histories that changed since the last tick; those that are gone go here too."""
    gone: list[tuple[TokenId]] = [(token,) for token in before.histories if token not in after.histories]
    changed = (
        (token, history_blob(history))
        for token, history in after.histories.items()
        if before.histories.get(token) is not history
    )
    connection.executemany(HISTORY_GONE, gone)
    connection.executemany(HISTORY, changed)
