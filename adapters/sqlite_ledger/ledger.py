"""The ledger store: opens only what adds up, commits a tick whole, and never goes on after an error."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Self
from uuid import uuid4

from adapters.sqlite_ledger import reading, writing
from adapters.sqlite_ledger.books import Books
from adapters.sqlite_ledger.checking import proven
from adapters.sqlite_ledger.faults import LedgerInvalid, LedgerUnwritable, belief, disk_trouble
from adapters.sqlite_ledger.migrations import migrate
from adapters.sqlite_ledger.opening import Identity, connect, connect_to_read, create, is_new
from adapters.sqlite_ledger.proof import Tip
from adapters.sqlite_ledger.shelf import MarketShelf
from adapters.sqlite_ledger.trades import Sealed, entry_of
from domain.fill import whole_micros
from domain.ledger import LawBroken
from domain.report import Journal, Report, Trade
from domain.state import State

JOURNAL_TRADES = 500
ALL = -1
"""SQLite's word for no limit."""

JOURNAL_ORDERS = writing.KEPT_ORDER_EVENTS
"""All of them: a hedge signal needs the fill, which may be one of many events of its order."""

PRUNE_EVERY = 50
"""Ticks between two prunings of the verdicts."""

FORGET_EVERY = 1_000
"""Ticks between two removals of markets that nothing speaks of any more: it reads all kept verdicts."""

MISPLACED = (
    "Restore the ledger that the files were made from; or, to go on with this one, move manifest.json out of OUT_DIR, and the "
    "files are made again"
)


class SqliteLedger:
    """The state, the trades and the recent past in one file. For one thread of the one process that holds `StateLock`."""

    @classmethod
    def open(cls, path: Path, *, opening_cash: Decimal, mode: str = "paper", now_ms: int) -> Self:
        """Open the ledger, or make it with `opening_cash` USDC at `now_ms` (UTC) where there is none.

        An old ledger's own opening cash wins, and older tables are backed up and migrated. Raises `LedgerInvalid` when the file
        is no ledger, another mode's, newer than this program, or does not add up; `LedgerForbidden` when it is another user's;
        `LedgerUnwritable` when the disk fails.
        """
        with disk_trouble(path):
            created = is_new(path)
            if created:
                begin(path, opening_cash=opening_cash, mode=mode, now_ms=now_ms)
            connection = connect(path)
            try:
                migrate(connection, path)
                store = cls(path, connection, created=created)
                if store.mode != mode:
                    raise LedgerInvalid(path, f"it is a {store.mode} ledger, not {mode}", "Use another STATE_DIR")
            except BaseException:
                connection.close()
                raise
        return store

    @classmethod
    def open_to_read(cls, path: Path) -> Self:
        """Look into a ledger of any mode as it is at this moment, whoever writes to it meanwhile; saving is refused.

        Raises `LedgerInvalid`, `LedgerUnwritable`.
        """
        with disk_trouble(path):
            connection = connect_to_read(path)
            try:
                connection.execute("BEGIN")
                return cls(path, connection, writable=False)
            except BaseException:
                connection.close()
                raise

    def __init__(self, path: Path, connection: sqlite3.Connection, *, created: bool = False, writable: bool = True) -> None:
        """Prove the ledger behind a connection; `open` and `open_to_read` are the ways to get one."""
        self._path, self._connection, self._created, self._usable = path, connection, created, writable
        found = proven(connection, path)
        self._identity, self._state, self._tip = found.identity, found.state, found.tip
        self._shelf = MarketShelf(connection)

    @property
    def ledger_id(self) -> str:
        """A UUID, made with the ledger."""
        return self._identity.ledger_id

    @property
    def created_at_ms(self) -> int:
        """When the ledger was made, UTC milliseconds."""
        return self._identity.created_at_ms

    @property
    def opening_cash(self) -> Decimal:
        """USDC that the ledger began with."""
        return self._identity.opening_cash

    @property
    def mode(self) -> str:
        """Whose money it counts: `paper` or another mode's."""
        return self._identity.mode

    @property
    def sequence(self) -> int:
        """How many ticks are committed."""
        return self._state.sequence

    @property
    def last_hash(self) -> str:
        """The hash of the newest trade; it stands for all of them and for the identity."""
        return self._tip.last_hash

    def refuse_if_behind(self, sequence_seen: int | None, ledger_id_seen: str | None) -> None:
        """Compare with what the portal's manifest says; raise `LedgerInvalid` when the files know more than the ledger.

        None: there is no manifest, or it does not say.
        """
        if ledger_id_seen is None:
            return
        if ledger_id_seen != self.ledger_id:
            new = ", made just now because there was none" if self._created else ""
            raise LedgerInvalid(
                self._path, f"the files in OUT_DIR are of ledger {ledger_id_seen}, this one is {self.ledger_id}{new}", MISPLACED
            )
        if sequence_seen is not None and sequence_seen > self.sequence:
            raise LedgerInvalid(
                self._path, f"the files in OUT_DIR show tick {sequence_seen}, the ledger ends with {self.sequence}", MISPLACED
            )

    def load(self) -> State:
        """The state after the last committed tick. Raises `LedgerInvalid`, `LedgerUnwritable`."""
        with disk_trouble(self._path), belief(self._path):
            return reading.loaded(self._connection, self._shelf.all(), self.opening_cash).state

    def save(self, report: Report) -> None:
        """Commit one tick, all or nothing.

        Raises `LedgerUnwritable` when the disk fails or a trade is there already, `LawBroken` when the tick is not the next
        one or its trades do not make its state. After any error this object refuses to save: open the ledger anew.
        """
        with self._transaction():
            self._assert_next(report)
            trades, tip = self._sealed(report)
            tip.books.assert_equal(Books.of(report.state.ledger))
            self._write(report, trades, tip.last_hash)
        self._state, self._tip = report.state, tip

    def journal(self) -> Journal:
        """What is kept of the past, oldest first. Raises `LedgerInvalid`, `LedgerUnwritable`."""
        with disk_trouble(self._path), belief(self._path):
            markets = self._shelf.all()
            return Journal(
                state=reading.loaded(self._connection, markets, self.opening_cash).state,
                ledger_id=self.ledger_id,
                started_at_ms=self.created_at_ms,
                verdicts=reading.verdicts(self._connection, markets),
                orders=reading.newest_orders(self._connection, JOURNAL_ORDERS),
                trades=reading.newest_trades(self._connection, markets, JOURNAL_TRADES),
                equity=reading.equity(self._connection),
            )

    def rows(self) -> tuple[Sealed, ...]:
        """Every trade as it is kept, oldest first, with its links. Raises `LedgerInvalid`, `LedgerUnwritable`."""
        with disk_trouble(self._path):
            return tuple(reading.chain(self._connection))

    def trades(self) -> tuple[Trade, ...]:
        """Every trade, oldest first. Raises `LedgerInvalid`, `LedgerUnwritable`."""
        with disk_trouble(self._path), belief(self._path):
            return reading.newest_trades(self._connection, self._shelf.all(), ALL)

    def close(self) -> None:
        """Bring the log into the file and let go of it. Closing twice is fine."""
        if self._usable:
            # A checkpoint that fails loses nothing: the log stays and is read at the next opening.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._usable = False
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if not self._usable:
            raise LedgerUnwritable(self._path, "it is closed or only read, or an earlier tick could not be saved")
        self._usable = False
        try:
            with disk_trouble(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        self._usable = True

    def _assert_next(self, report: Report) -> None:
        (stored,) = self._connection.execute("SELECT sequence FROM state").fetchone()
        if not stored == self._state.sequence == report.state.sequence - 1:
            raise LawBroken(f"tick {report.state.sequence} does not follow tick {stored}")
        if report.state.ledger.opening_cash != self.opening_cash:
            raise LawBroken(f"the state began with {report.state.ledger.opening_cash}, the ledger with {self.opening_cash}")

    def _sealed(self, report: Report) -> tuple[list[Sealed], Tip]:
        rows, tip = [], self._tip
        for trade in report.trades:
            market = self._shelf.digest_of(trade.market)
            row, tip = tip.sealing(entry_of(trade, seq=tip.trades + 1, tick=report.state.sequence, market=market))
            rows.append(row)
        return rows, tip

    def _write(self, report: Report, trades: list[Sealed], last_hash: str) -> None:
        connection, before, after = self._connection, self._state, report.state
        writing.write_trades(connection, trades)
        writing.write_state(connection, report, last_hash)
        if list(before.ledger.positions.items()) != list(after.ledger.positions.items()):
            writing.write_positions(connection, after.ledger, self._shelf)
        if after.memory.record is not None and before.memory.record != after.memory.record:
            writing.write_record(connection, after.memory.record)
        if before.ledger.pending != after.ledger.pending:
            writing.write_waiting(connection, after.ledger.pending)
        writing.write_orders(connection, after.sequence, report.orders)
        writing.write_equity(connection, report.equity)
        writing.write_verdicts(connection, report, self._shelf)
        writing.write_histories(connection, before.memory, after.memory)
        if after.sequence % PRUNE_EVERY == 0:
            writing.prune_verdicts(connection)
        if after.sequence % FORGET_EVERY == 0:
            self._shelf.forget_unused()


def begin(path: Path, *, opening_cash: Decimal, mode: str, now_ms: int) -> str:
    """Make a ledger without ticks, in the place of a closed one where there is one; its new id."""
    identity = Identity(ledger_id=str(uuid4()), mode=mode, opening_cash=whole_micros(opening_cash), created_at_ms=now_ms)
    with disk_trouble(path):
        create(path, identity)
    return identity.ledger_id
