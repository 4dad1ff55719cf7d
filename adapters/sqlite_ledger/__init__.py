"""The ledger on disk: one SQLite file, one transaction a tick, and an opening that believes nothing unproved."""

from adapters.sqlite_ledger.faults import LedgerInvalid, LedgerUnwritable
from adapters.sqlite_ledger.ledger import SqliteLedger

__all__ = ["LedgerInvalid", "LedgerUnwritable", "SqliteLedger"]
