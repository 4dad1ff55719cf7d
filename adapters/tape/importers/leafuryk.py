"""leafuryk's layout: the best level of both outcomes with a price of the reference every 2.5 s, and candles that say who won.

The reference is not Kraken's price, but stands in for it. A candle's end decides when its market ends.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from adapters.simulated_venues.frames import Frame, RecordingInvalid
from adapters.tape.importers.lines import csv_rows
from adapters.tape.importers.wire import Levels, PastMarket, Source, book_frame, spot_frame, whole_ms

SNAPSHOTS_FILE = "snapshots.csv"
CANDLES_FILE = "candles.csv"
PAIR = "XBTUSD"
PAYS = {"up": (Decimal(1), Decimal(0)), "down": (Decimal(0), Decimal(1))}
LISTED_BEFORE_MS = 600_000
"""How long before its end a market of five minutes was listed at the latest."""

Row = Mapping[str, str]
T = TypeVar("T")
Key = tuple[str, str]


def read_leafuryk(directory: Path) -> Source:
    """A directory of `snapshots.csv` and `candles.csv`. Raises `RecordingInvalid`."""
    markets = dict(_each(directory / CANDLES_FILE, _candle))
    frames = [frame for market in markets.values() for frame in market.frames(market.ends_at_ms - LISTED_BEFORE_MS)]
    for seen in _each(directory / SNAPSHOTS_FILE, lambda row: _snapshot(row, markets)):
        frames += seen
    return Source(frames=frames)


def _each(path: Path, parse: Callable[[Row], T]) -> Iterator[T]:
    """What `parse` makes of every row. Raises `RecordingInvalid` with the line."""
    for number, row in csv_rows(path):
        try:
            yield parse(row)
        except KeyError as error:
            raise RecordingInvalid(path, number, f"{error.args[0]!r} is missing") from None
        except (ArithmeticError, ValueError, TypeError):
            raise RecordingInvalid(path, number, "a number is none") from None


def _candle(row: Row) -> tuple[Key, PastMarket]:
    market = PastMarket(
        slug=row["slug"],
        question=row["title"],
        condition=row["condition_id"],
        outcomes=("Up", "Down"),
        category="crypto",
        ends_at_ms=_ms(row["end_time"]),
        pays=PAYS.get(row["winner"].lower(), ()),
    )
    return (row["iter"], row["candle_id"]), market


def _snapshot(row: Row, markets: Mapping[Key, PastMarket]) -> list[Frame]:
    market = markets[row["iter"], row["candle_id"]]
    at_ms = _ms(row["timestamp"])
    books = (
        book_frame(at_ms, token, market.condition, _best(row, side, "bid"), _best(row, side, "ask"))
        for token, side in zip(market.tokens, ("up", "down"), strict=True)
    )
    return [spot_frame(at_ms, PAIR, row["btc_price"]), *books]


def _best(row: Row, side: str, end: str) -> Levels:
    price = row[f"{side}_best_{end}"]
    return [(price, row[f"{side}_{end}_depth"])] if price else []


def _ms(seconds: str) -> int:
    return whole_ms(Decimal(seconds))
