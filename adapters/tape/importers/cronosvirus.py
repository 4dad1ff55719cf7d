"""cronosvirus's layout: the events of the venue's market channel, each a whole book in wire order, as they were received.

Which outcome the token is was not recorded, nor was any market's description: its books come without a listing.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from adapters.tape.importers.lines import LineModel, rows_of
from adapters.tape.importers.wire import Source, frame, whole_ms
from adapters.wire_numbers import FIRST_MS, LAST_MS

BOOK_KEYS = ("market", "asset_id", "timestamp", "hash", "bids", "asks", "min_order_size", "tick_size")


class EventRow(LineModel):
    """One event: when it was received (UTC seconds), the market's slug, and the event itself."""

    recv: Annotated[Decimal, Field(ge=FIRST_MS // 1000, le=LAST_MS // 1000)]
    slug: str
    raw: dict[str, object]

    @property
    def token(self) -> str:
        """Whose book it is."""
        return str(self.raw.get("asset_id", ""))


def read_cronosvirus(path: Path) -> Source:
    """One file of events. Raises `RecordingInvalid`."""
    warnings: list[str] = []
    unlisted: dict[str, str] = {}
    frames = []
    for _, row in rows_of(EventRow, path, warnings):
        if "bids" not in row.raw or "asks" not in row.raw:
            continue
        unlisted.setdefault(row.token, row.slug)
        body = {key: row.raw[key] for key in BOOK_KEYS if key in row.raw}
        frames.append(frame(whole_ms(row.recv), "polymarket_clob", f"/book?token_id={row.token}", body))
    return Source(frames=frames, unlisted=unlisted, warnings=tuple(warnings))
