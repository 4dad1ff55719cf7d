"""Real recordings read once more, as plainly as can be: the books of each outcome as they were seen, and the ticks of a grid.

Nothing of the adapters, the importers or the columns is used, so that what these say of a replay is a second opinion.
"""

import csv
import gzip
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

SETTLED_AFTER_MS = DEAD_BOOK_MS = QUIET_MS = 60_000
MILLIONTH = Decimal("0.000001")

Levels = list[tuple[Decimal, Decimal]]


class Row(NamedTuple):
    """A book as it was seen at `t_ms` (UTC): (price, size), best first."""

    t_ms: int
    bids: Levels
    asks: Levels


class Tick(NamedTuple):
    """A tick at `t_ms` (UTC); `gap`: nothing was recorded before it."""

    t_ms: int
    gap: bool


@dataclass(slots=True)
class Rows:
    """A recording: the books by the name that a replay gives their market, when anything was heard, when all was over."""

    books: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    heard_ms: list[int] = field(default_factory=list)
    end_ms: int = 0

    def saw(self, name: str, t_ms: int, bids: Iterable[object], asks: Iterable[object]) -> None:
        """Take in one book, whatever the order of its levels."""
        row = Row(t_ms, sorted(map(_level, bids), reverse=True), sorted(map(_level, asks)))
        self.books[name].append(row)
        self.heard(t_ms)

    def heard(self, t_ms: int) -> None:
        """Something came."""
        self.heard_ms.append(t_ms)
        self.end_ms = max(self.end_ms, t_ms)

    def ended(self, t_ms: int, *, paid: bool) -> None:
        """A market ended; who won is heard a minute later."""
        self.end_ms = max(self.end_ms, t_ms)
        if paid:
            self.heard(t_ms + SETTLED_AFTER_MS)

    def book(self, name: str, t_ms: int) -> Row | None:
        """The newest book of a market, unless it is a minute old."""
        rows = self.books[name]
        number = bisect_right(rows, t_ms, key=lambda row: row.t_ms)
        return rows[number - 1] if number and t_ms - rows[number - 1].t_ms <= DEAD_BOOK_MS else None

    def ticks(self, interval_ms: int) -> list[Tick]:
        """A grid from the first book or price on, but for the stretches in which nothing was heard for a minute."""
        return list(self._ticks(sorted(self.heard_ms), interval_ms))

    def _ticks(self, heard_ms: list[int], interval_ms: int) -> Iterator[Tick]:
        gap = False
        for t_ms in range(heard_ms[0], self.end_ms + interval_ms, interval_ms):
            if t_ms - heard_ms[bisect_right(heard_ms, t_ms) - 1] <= max(QUIET_MS, 3 * interval_ms):
                yield Tick(t_ms, gap)
                gap = False
            else:
                gap = True


def _level(level: object) -> tuple[Decimal, Decimal]:
    price, size = level.values() if isinstance(level, dict) else level if isinstance(level, list | tuple) else ()
    return Decimal(str(price)), Decimal(str(size)).quantize(MILLIONTH)


def _lines(path: Path) -> Iterator[dict[str, object]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from map(json.loads, file)


def leafuryk(directory: Path) -> Rows:
    """The best level of both outcomes."""
    rows, slugs = Rows(), {}
    with (directory / "candles.csv").open(encoding="utf-8") as file:
        for candle in csv.DictReader(file):
            slugs[candle["iter"], candle["candle_id"]] = candle["slug"]
            rows.ended(int(float(candle["end_time"]) * 1000), paid=candle["winner"] in ("up", "down"))
    with (directory / "snapshots.csv").open(encoding="utf-8") as file:
        for seen in csv.DictReader(file):
            for side in ("up", "down"):
                ends = [[(seen[f"{side}_best_{end}"], seen[f"{side}_{end}_depth"])] for end in ("bid", "ask")]
                bids, asks = ([level for level in levels if level[0]] for levels in ends)
                name = f"{slugs[seen['iter'], seen['candle_id']]} {side.title()}"
                rows.saw(name, int(Decimal(seen["timestamp"]) * 1000), bids, asks)
    return rows


def resolvedkit(directory: Path) -> Rows:
    """Books of both outcomes, and markets that end."""
    rows, markets = Rows(), list(_lines(directory / "markets.jsonl"))
    for market in markets:
        rows.ended(int(str(market["end_ts"])), paid=market["payout_up"] is not None)
    for seen in _lines(directory / "books.jsonl.gz"):
        name = f"{markets[int(str(seen['m']))]['slug']} {str(seen['side']).title()}"
        rows.saw(name, int(str(seen["ts"])), _list(seen["bids"]), _list(seen["asks"]))
    return rows


def cronosvirus(path: Path) -> Rows:
    """Events with whole books."""
    rows = Rows()
    for seen in _lines(path):
        raw = seen["raw"]
        if isinstance(raw, dict) and "bids" in raw:
            rows.saw(str(seen["slug"]), int(Decimal(str(seen["recv"])) * 1000), raw["bids"], raw["asks"])
    return rows


def frames(path: Path) -> Rows:
    """Answers of the venues; tokens that no market names are called by their first twelve digits."""
    rows: Rows = Rows()
    names: dict[str, str] = {}
    for seen in _lines(path):
        body, t_ms = seen["body"], int(str(seen["t"]))
        rows.end_ms = max(rows.end_ms, t_ms)
        if seen["source"] == "polymarket_gamma" and isinstance(body, dict):
            outcomes, tokens = json.loads(body["outcomes"]), json.loads(body["clobTokenIds"])
            names |= {token: f"{body['slug']} {outcome}" for token, outcome in zip(tokens, outcomes, strict=True)}
        elif str(seen["path"]).startswith("/book?") and isinstance(body, dict):
            token = body["asset_id"]
            rows.saw(names.get(token, f"token {token[:12]}"), t_ms, body["bids"], body["asks"])
        else:
            rows.heard(t_ms)
    return rows


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


READERS: Mapping[str, Callable[[Path], Rows]] = {
    "leafuryk_btc5m_2026-03-02": leafuryk,
    "resolvedkit_btc15m_2026-09-28": resolvedkit,
    "cronosvirus_btc5m_2026-04-16/full_btc-updown-5m-1776326400.jsonl.gz": cronosvirus,
    "cronosvirus_btc5m_2026-04-16/full_btc-updown-5m-1776329100.jsonl.gz": cronosvirus,
    "frames_btc5m_2026-03-02.jsonl.gz": frames,
    "frames_btc5m_l2_2026-04-16.jsonl.gz": frames,
}
"""How each recording of the shared folder is read."""
