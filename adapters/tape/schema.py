"""The files of a tape directory, column by column. ARCHITECTURE.md's table is generated from here.

A tape has one grid for all its markets. What a token's books showed stands in a directory of each UTC day and token,
`2026-03-02/<token>/`: `top.parquet` has what a screen looks at, one row a book; `levels-<row>.arrow` has whole books, in parts,
each named after its first row (of all rows that the token has in the tape). A book that was the same as the one before is not
kept twice: `top.parquet` says which row it was.

Levels are Arrow files of small compressed batches, because one book must cost microseconds: of a Parquet file a whole row
group would be decoded for it, and pages of an uncompressed file that is mapped into memory count as the process's own.
"""

from typing import NamedTuple

import pyarrow as pa

FORMAT = 1
"""Of the whole directory; another number is not opened."""

GRID_FILE = "grid.parquet"
REFERENCES_FILE = "references.parquet"
PAYOUTS_FILE = "payouts.parquet"
MARKETS_FILE = "markets.json"
MANIFEST_FILE = "manifest.json"
TOP_FILE = "top.parquet"
LEVELS_PREFIX = "levels-"

BATCH_ROWS = 256
"""Books that are decoded together: finding one costs some 60 us, all of them in turn less than one each."""


class Column(NamedTuple):
    """One column: its name, its Arrow type, and what it holds."""

    name: str
    type: pa.DataType
    says: str


PRICES = pa.list_(pa.field("element", pa.int32(), nullable=False))
SIZES = pa.list_(pa.field("element", pa.int64(), nullable=False))

GRID = (
    Column("at_ms", pa.int64(), "the tick's time, UTC ms"),
    Column("elapsed_ms", pa.int64(), "the same on the timeline that never steps"),
    Column("ready_at_ms", pa.int64(), "when the last answer was in, UTC ms"),
    Column("ready_elapsed_ms", pa.int64(), "the same on the timeline that never steps"),
    Column("kill_switch", pa.bool_(), "whether it was pulled"),
    Column("gap", pa.bool_(), "whether recording was off before this tick"),
)
REFERENCES = (
    Column("tick", pa.int32(), "row of the grid"),
    Column("reference", pa.int16(), "number in the manifest's `references`"),
    Column("price", pa.float64(), "quote currency per unit"),
    Column("requested_at_ms", pa.int64(), "when its request left, UTC ms"),
    Column("requested_elapsed_ms", pa.int64(), "the same on the timeline that never steps"),
    Column("age_s", pa.float64(), "seconds that a cache held it before"),
)
PAYOUTS = (
    Column("tick", pa.int32(), "row of the grid"),
    Column("token", pa.string(), "the token that the venue said it of"),
    Column("pays", pa.string(), "USDC for one share, a decimal"),
)
TOP = (
    Column("tick", pa.int32(), "row of the grid; ticks without a valid book have no row"),
    Column("bid", pa.int32(), "best bid in millionths, 0 for none"),
    Column("ask", pa.int32(), "best ask in millionths, 0 for none"),
    Column("requested_at_ms", pa.int64(), "when its request left, UTC ms"),
    Column("requested_elapsed_ms", pa.int64(), "the same on the timeline that never steps"),
    Column("age_s", pa.float64(), "seconds that a cache held it before"),
    Column("changed_at_ms", pa.int64(), "the venue's time of the last change, UTC ms, -1 for none"),
    Column("level_row", pa.int32(), "the whole book: row of the token's levels, counted over all their parts"),
)
BOOKS = (
    Column("bid_price", PRICES, "prices of the bids in millionths, best first"),
    Column("bid_size", SIZES, "their sizes in millionths of a share"),
    Column("ask_price", PRICES, "prices of the asks in millionths, best first"),
    Column("ask_size", SIZES, "their sizes in millionths of a share"),
    Column("digest", pa.string(), "the venue's hash of the book"),
    Column("min_order_size", pa.string(), "shares, a decimal"),
    Column("tick_size", pa.string(), "price units, a decimal, or null"),
)

FILES = {
    GRID_FILE: GRID,
    REFERENCES_FILE: REFERENCES,
    PAYOUTS_FILE: PAYOUTS,
    f"<day>/<token>/{TOP_FILE}": TOP,
    f"<day>/<token>/{LEVELS_PREFIX}<row>.arrow": BOOKS,
}
"""Every columnar file and its columns."""


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The columns as pyarrow takes them."""
    return pa.schema([pa.field(name, kind, nullable=name == "tick_size") for name, kind, _ in columns])
