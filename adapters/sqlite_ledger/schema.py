"""The tables, defined once. Money, shares and prices are whole micro-units, so that SQLite adds and checks them exactly."""

APPLICATION_ID = 0x5350454C

VERSION = 3
"""What `user_version` says of these tables. A change of them needs a new number and a step in `migrations.STEPS`."""

META = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger_id TEXT NOT NULL UNIQUE CHECK (length(ledger_id) > 0),
    mode TEXT NOT NULL CHECK (length(mode) > 0),
    opening_cash INTEGER NOT NULL CHECK (opening_cash >= 0),
    created_at_ms INTEGER NOT NULL
) STRICT
"""

STATE = """
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    at_ms INTEGER,
    elapsed_ms INTEGER,
    cash INTEGER NOT NULL CHECK (cash >= 0),
    realised INTEGER NOT NULL,
    fees INTEGER NOT NULL CHECK (fees >= 0),
    last_hash TEXT NOT NULL,
    remembered_at_ms INTEGER,
    remembered_elapsed_ms INTEGER,
    reference_prices TEXT NOT NULL
) STRICT
"""
"""`at_ms` and `elapsed_ms`: the last tick; `remembered_*`: the moment in its memory. `last_hash` ends the trades' chain."""

MARKETS = """
CREATE TABLE markets (
    digest TEXT PRIMARY KEY,
    market TEXT NOT NULL
) STRICT
"""

POSITIONS = """
CREATE TABLE positions (
    token TEXT PRIMARY KEY,
    place INTEGER NOT NULL UNIQUE,
    market TEXT NOT NULL REFERENCES markets (digest),
    shares INTEGER NOT NULL CHECK (shares > 0),
    cost INTEGER NOT NULL CHECK (cost >= 0),
    entry_mid REAL NOT NULL,
    last_mid REAL NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    opened_elapsed_ms INTEGER NOT NULL,
    last_fill_at_ms INTEGER NOT NULL,
    last_fill_elapsed_ms INTEGER NOT NULL,
    last_scale_at_ms INTEGER,
    last_scale_elapsed_ms INTEGER,
    adds INTEGER NOT NULL CHECK (adds >= 0),
    mark_value INTEGER NOT NULL CHECK (mark_value >= 0),
    mark_stale INTEGER NOT NULL CHECK (mark_stale IN (0, 1))
) STRICT
"""

WAITING = """
CREATE TABLE waiting (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    wish TEXT NOT NULL
) STRICT
"""

TRADES = """
CREATE TABLE trades (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    id TEXT NOT NULL UNIQUE,
    tick INTEGER NOT NULL CHECK (tick > 0),
    at_ms INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    market TEXT NOT NULL REFERENCES markets (digest),
    token TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('BUY', 'SELL', 'SETTLE')),
    status TEXT NOT NULL CHECK (status IN ('filled', 'rejected')),
    price INTEGER NOT NULL CHECK (price BETWEEN 0 AND 1000000),
    shares INTEGER NOT NULL CHECK (shares >= 0),
    notional INTEGER NOT NULL CHECK (notional >= 0),
    fee INTEGER NOT NULL CHECK (fee >= 0),
    realised INTEGER NOT NULL,
    cash_after INTEGER NOT NULL CHECK (cash_after >= 0),
    notes TEXT NOT NULL,
    book_digest TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    CHECK ((status = 'filled' AND shares > 0) OR (status = 'rejected' AND shares = 0 AND notional = 0 AND fee = 0))
) STRICT
"""

TRADES_BY_MARKET = "CREATE INDEX trades_by_market ON trades (market)"
"""For the foreign key: forgetting a market must not read every trade."""

SETTLEMENTS = "CREATE UNIQUE INDEX settlements ON trades (token) WHERE action = 'SETTLE'"
"""A token is paid out once, and which ones were is asked at every opening."""

ORDER_EVENTS = """
CREATE TABLE order_events (
    seq INTEGER PRIMARY KEY,
    tick INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    execution TEXT NOT NULL
) STRICT
"""

EQUITY = """
CREATE TABLE equity (
    sequence INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    equity INTEGER NOT NULL CHECK (equity >= 0),
    cash INTEGER NOT NULL CHECK (cash >= 0),
    realised INTEGER NOT NULL,
    unrealised INTEGER NOT NULL,
    open_positions INTEGER NOT NULL CHECK (open_positions >= 0)
) STRICT
"""

VERDICTS = """
CREATE TABLE verdicts (
    sequence INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    markets TEXT NOT NULL,
    verdicts TEXT NOT NULL
) STRICT
"""

HISTORIES = """
CREATE TABLE histories (
    token TEXT PRIMARY KEY,
    samples BLOB NOT NULL
) STRICT
"""

PROTECTIONS = """
CREATE TABLE protections (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    record TEXT NOT NULL
) STRICT
"""
"""What the protections remember, from the first tick on."""

TABLES = (
    META,
    STATE,
    MARKETS,
    POSITIONS,
    WAITING,
    TRADES,
    TRADES_BY_MARKET,
    SETTLEMENTS,
    ORDER_EVENTS,
    EQUITY,
    VERDICTS,
    HISTORIES,
    PROTECTIONS,
)
