"""The proof that a ledger adds up: every trade sealed after the one before, and booked after the one before."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.sqlite_ledger.books import Books
from adapters.sqlite_ledger.micros import micros
from adapters.sqlite_ledger.opening import Identity
from adapters.sqlite_ledger.trades import Entry, Sealed, sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where the trades end: how many there are, the hash of the newest, and the books that they make."""

    trades: int = 0
    last_hash: str
    books: Books

    @classmethod
    def before_any(cls, identity: Identity) -> "Tip":
        """A new ledger's."""
        return cls(last_hash=identity.first_link, books=Books(cash=micros(identity.opening_cash)))

    def sealing(self, entry: Entry) -> tuple[Sealed, "Tip"]:
        """A new trade with its links, and the tip after it. Raises `LawBroken` when it cannot be booked."""
        trade = sealed(entry, self.last_hash)
        return trade, replace(self, trades=self.trades + 1, last_hash=trade.hash, books=self.books.after(entry))

    def proving(self, rows: Iterable[Sealed]) -> "Tip":
        """The tip after all of these rows. Raises `ValueError` and `LawBroken` when one is not what was written here."""
        tip = self
        for row in rows:
            trade, after = tip.sealing(row.entry)
            if trade != row or row.entry.seq != after.trades:
                raise ValueError(f"trade {row.entry.id} was changed, or one before it is missing: its hash does not fit")
            tip = after
        return tip

    def assert_ends(self, last_hash: str, stated: Books) -> None:
        """Raise `ValueError` or `LawBroken` unless the state says the same of hash and books."""
        if self.last_hash != last_hash:
            raise ValueError("the newest trades are missing: the hash in the state is of another one")
        self.books.assert_equal(stated)
