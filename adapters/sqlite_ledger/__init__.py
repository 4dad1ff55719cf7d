"""The ledger on disk: one SQLite file, one transaction a tick, and an opening that believes nothing unproved."""

from adapters.sqlite_ledger.faults import LedgerForbidden, LedgerInvalid, LedgerUnwritable
from adapters.sqlite_ledger.ledger import SqliteLedger

LEDGER_NAME = "ledger.sqlite3"

__all__ = ["LEDGER_NAME", "LedgerForbidden", "LedgerInvalid", "LedgerUnwritable", "SqliteLedger"]
