"""resolvedkit's layout: full-depth rows of both outcomes, best level first, and markets with what they paid."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from adapters.simulated_venues.frames import Frame, RecordingInvalid
from adapters.tape.importers.lines import LineModel, rows_of
from adapters.tape.importers.wire import PastMarket, Source, book_frame
from adapters.wire_numbers import FIRST_MS, LAST_MS

BOOKS_FILE = "books.jsonl.gz"
MARKETS_FILE = "markets.jsonl"
SIDES = ("UP", "DOWN")

Millis = Annotated[int, Field(ge=FIRST_MS, le=LAST_MS)]


class BookRow(LineModel):
    """One book: when it was seen (UTC ms), the number of its market, and the levels."""

    ts: Millis
    m: Annotated[int, Field(ge=0)]
    side: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class MarketRow(LineModel):
    """One market and what a share of each outcome paid."""

    market_id: str
    slug: str
    question: str
    category: str = ""
    end_ts: Millis
    outcome_up: str
    outcome_down: str
    payout_up: Decimal | None = None
    payout_down: Decimal | None = None

    def to_market(self) -> PastMarket:
        """The market."""
        paid = self.payout_up, self.payout_down
        return PastMarket(
            slug=self.slug,
            question=self.question,
            condition=self.market_id,
            outcomes=(self.outcome_up, self.outcome_down),
            category=self.category,
            ends_at_ms=self.end_ts,
            pays=tuple(pays for pays in paid if pays is not None) if None not in paid else (),
        )


def read_resolvedkit(directory: Path) -> Source:
    """A directory of `books.jsonl.gz` and `markets.jsonl`. Raises `RecordingInvalid`."""
    warnings: list[str] = []
    markets = [row.to_market() for _, row in rows_of(MarketRow, directory / MARKETS_FILE, warnings)]
    listed_ms: dict[int, int] = {}
    frames: list[Frame] = []
    for number, row in rows_of(BookRow, directory / BOOKS_FILE, warnings):
        if row.m >= len(markets) or row.side not in SIDES:
            raise RecordingInvalid(directory / BOOKS_FILE, number, f"market {row.m} or side {row.side!r} is not known")
        market = markets[row.m]
        listed_ms.setdefault(row.m, row.ts)
        token = market.tokens[SIDES.index(row.side)]
        try:
            frames.append(book_frame(row.ts, token, market.condition, row.bids, row.asks))
        except (ArithmeticError, ValueError):
            raise RecordingInvalid(directory / BOOKS_FILE, number, "a number is none") from None
    for number, at_ms in listed_ms.items():
        frames += markets[number].frames(at_ms)
    return Source(frames=frames, warnings=tuple(warnings))
