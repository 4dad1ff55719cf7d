"""Rows back into values: the state, the chain of trades, and what the portal's files are made of."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.sqlite_ledger.codecs import DIGESTS, EXECUTION, ORDER, RECORD, history_in, references_in, verdicts_in
from adapters.sqlite_ledger.micros import decimal
from adapters.sqlite_ledger.opening import version_in
from adapters.sqlite_ledger.trades import Entry, Sealed, trade_of
from domain.history import History
from domain.ledger import Ledger, Mark, Order, Position
from domain.market import Market, Moment, TokenId
from domain.protections import Record
from domain.report import EquityPoint, OrderEvent, Trade, Verdicts
from domain.state import Memory, State

STATE = """
SELECT sequence, cash, realised, fees, last_hash, remembered_at_ms, remembered_elapsed_ms, reference_prices FROM state
"""
POSITIONS = """
SELECT token, market, shares, cost, entry_mid, last_mid, opened_at_ms, opened_elapsed_ms, last_fill_at_ms,
    last_fill_elapsed_ms, last_scale_at_ms, last_scale_elapsed_ms, adds, mark_value, mark_stale
FROM positions ORDER BY place
"""
SETTLED = "SELECT token FROM trades WHERE action = 'SETTLE'"
WAITING = "SELECT wish FROM waiting ORDER BY place"
HISTORIES = "SELECT token, samples FROM histories"
TRADES = "SELECT * FROM trades ORDER BY seq"
NEWEST_TRADES = "SELECT * FROM (SELECT * FROM trades ORDER BY seq DESC LIMIT ?) ORDER BY seq"
NEWEST_ORDERS = """
SELECT at_ms, elapsed_ms, execution FROM (SELECT * FROM order_events ORDER BY seq DESC LIMIT ?) ORDER BY seq
"""
EQUITY = "SELECT sequence, at_ms, elapsed_ms, equity, cash, realised, unrealised, open_positions FROM equity ORDER BY sequence"
RECORD_SINCE = 3
"""The version of the tables since which a record is kept."""

RECORDED = "SELECT record FROM protections"
HIGHEST = "SELECT max(equity) FROM equity"
VERDICTS = "SELECT sequence, at_ms, elapsed_ms, markets, verdicts FROM verdicts ORDER BY sequence"

Markets = Mapping[str, Market]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The state as it stands in the file, and the hash that must end the trades' chain."""

    state: State
    last_hash: str


def loaded(connection: sqlite3.Connection, markets: Markets, opening_cash: Decimal) -> Loaded:
    """The state after the last committed tick. Raises `LawBroken` and `ValueError` for rows that make none."""
    row = connection.execute(STATE).fetchone()
    if row is None:
        raise ValueError("it has no state")
    sequence, cash, realised, fees, last_hash, at_ms, elapsed_ms, references = row
    ledger = Ledger(
        opening_cash=opening_cash,
        cash=decimal(cash),
        realised=decimal(realised),
        fees=decimal(fees),
        positions=dict(_positions(connection, markets)),
        pending=_waiting(connection),
        settled=frozenset(token for (token,) in connection.execute(SETTLED)),
    )
    memory = Memory(
        histories=_histories(connection),
        references=references_in(references),
        moment=_moment(at_ms, elapsed_ms),
        record=_record(connection, ledger),
    )
    return Loaded(state=State(sequence=sequence, ledger=ledger, memory=memory), last_hash=last_hash)


def chain(connection: sqlite3.Connection) -> Iterator[Sealed]:
    """Every trade with its links, oldest first."""
    return (_sealed(row) for row in connection.execute(TRADES))


def newest_trades(connection: sqlite3.Connection, markets: Markets, amount: int) -> tuple[Trade, ...]:
    """The newest trades, oldest first."""
    entries = (_sealed(row).entry for row in connection.execute(NEWEST_TRADES, (amount,)))
    return tuple(trade_of(entry, markets[entry.market]) for entry in entries)


def newest_orders(connection: sqlite3.Connection, amount: int) -> tuple[OrderEvent, ...]:
    """The newest order events, oldest first."""
    return tuple(
        OrderEvent(moment=Moment(at_ms=at_ms, elapsed_ms=elapsed_ms), execution=EXECUTION.validate_json(text))
        for at_ms, elapsed_ms, text in connection.execute(NEWEST_ORDERS, (amount,))
    )


def equity(connection: sqlite3.Connection) -> tuple[EquityPoint, ...]:
    """The kept points, oldest first."""
    return tuple(
        EquityPoint(
            sequence=sequence,
            moment=Moment(at_ms=at_ms, elapsed_ms=elapsed_ms),
            equity=decimal(worth),
            cash=decimal(cash),
            realised=decimal(realised),
            unrealised=decimal(unrealised),
            open_positions=open_positions,
        )
        for sequence, at_ms, elapsed_ms, worth, cash, realised, unrealised, open_positions in connection.execute(EQUITY)
    )


def verdicts(connection: sqlite3.Connection, markets: Markets) -> tuple[Verdicts, ...]:
    """The kept ticks' verdicts, oldest first."""
    return tuple(
        Verdicts(
            sequence=sequence,
            moment=Moment(at_ms=at_ms, elapsed_ms=elapsed_ms),
            verdicts=verdicts_in(text, [markets[digest] for digest in DIGESTS.validate_json(digests)]),
        )
        for sequence, at_ms, elapsed_ms, digests, text in connection.execute(VERDICTS)
    )


def _sealed(row: tuple[int | str, ...]) -> Sealed:
    *columns, prev_hash, link = row
    return Sealed(Entry._make(columns), str(prev_hash), str(link))


def _positions(connection: sqlite3.Connection, markets: Markets) -> Iterator[tuple[TokenId, Position]]:
    for row in connection.execute(POSITIONS):
        token, market, shares, cost, entry_mid, last_mid, *moments, adds, mark_value, mark_stale = row
        opened_at, opened, filled_at, filled, scaled_at, scaled = moments
        yield (
            token,
            Position(
                market=markets[market],
                token=token,
                shares=decimal(shares),
                cost=decimal(cost),
                entry_mid=entry_mid,
                last_mid=last_mid,
                opened=Moment(at_ms=opened_at, elapsed_ms=opened),
                last_fill=Moment(at_ms=filled_at, elapsed_ms=filled),
                last_scale=_moment(scaled_at, scaled),
                adds=adds,
                mark=Mark(value=decimal(mark_value), stale=bool(mark_stale)),
            ),
        )


def _waiting(connection: sqlite3.Connection) -> tuple[Order, ...]:
    return tuple(ORDER.validate_json(wish) for (wish,) in connection.execute(WAITING))


def _histories(connection: sqlite3.Connection) -> dict[TokenId, History]:
    return {token: history_in(samples) for token, samples in connection.execute(HISTORIES)}


def _record(connection: sqlite3.Connection, ledger: Ledger) -> Record:
    """What the protections remember; of a ledger that did not keep it yet, the peak of the points that are kept of it."""
    kept = connection.execute(RECORDED).fetchone() if version_in(connection) >= RECORD_SINCE else None
    if kept is not None:
        return RECORD.validate_json(kept[0])
    (highest,) = connection.execute(HIGHEST).fetchone()
    return Record.of(ledger, peak=None if highest is None else decimal(highest))


def _moment(at_ms: int | None, elapsed_ms: int | None) -> Moment | None:
    return None if at_ms is None or elapsed_ms is None else Moment(at_ms=at_ms, elapsed_ms=elapsed_ms)
