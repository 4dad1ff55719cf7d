"""What must be true of a ledger's rows: the chain is whole, and the trades add up to the state."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from adapters.sqlite_ledger import reading
from adapters.sqlite_ledger.books import Books
from adapters.sqlite_ledger.faults import belief
from adapters.sqlite_ledger.opening import Identity, identity_in
from adapters.sqlite_ledger.proof import Tip
from adapters.sqlite_ledger.shelf import MarketShelf
from domain.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A ledger that adds up: who it is, where it stands, and where its trades end."""

    identity: Identity
    state: State
    tip: Tip


def proven(connection: sqlite3.Connection, path: Path) -> Proven:
    """Read and prove all trades and the state. Raises `LedgerInvalid`, `sqlite3.Error`."""
    with belief(path):
        identity = identity_in(connection, path)
        found = reading.loaded(connection, MarketShelf(connection).all(), identity.opening_cash)
        tip = Tip.before_any(identity).proving(reading.chain(connection))
        tip.assert_ends(found.last_hash, Books.of(found.state.ledger))
        return Proven(identity=identity, state=found.state, tip=tip)
