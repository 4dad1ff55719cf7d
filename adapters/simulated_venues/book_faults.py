"""Lies in the CLOB's order books: in some rows, while the rest of the answer stays true."""

import copy
from collections.abc import Callable, Iterable
from decimal import Decimal

from adapters.simulated_venues import polymarket_wire as polymarket
from adapters.simulated_venues.spoiling import Asked, Fault, JsonObject, Raw, Spoil, loose_json
from adapters.simulated_venues.wire import Answer, Request, shortest

HOUR_MS = 3_600_000
OLDER_MS = 60_000
JUNK = ("0.5O1", "0.1_1", "٠.٥", " 0.5", "0x1", "５", "1e-1", "")
OUTSIDE = ("1.5", "0", "1", "1.0000001")

Row = JsonObject
Change = Callable[[Row, Asked], object]


def is_book(venue: str, request: Request) -> bool:
    """Whether books are asked for."""
    return venue == "clob" and request.path in ("/book", "/books")


def rows_of(answer: Answer) -> list[object]:
    """The rows of an answer: its list, or its one book."""
    return list(answer.body) if isinstance(answer.body, list) else [answer.body]


def _rows(change: Change) -> Spoil:
    """The spoiler that changes the chosen rows; one that becomes None is left out."""

    def spoil(true: Answer, asked: Asked) -> Answer:
        if true.status != 200:
            return true
        all_rows = rows_of(true)
        chosen = asked.chosen(all_rows)
        rows = [
            change(copy.deepcopy(row), asked) if isinstance(row, dict) and place in chosen else row
            for place, row in enumerate(all_rows)
        ]
        kept = [row for row in rows if row is not None]
        if isinstance(true.body, list):
            return Answer(200, loose_json(kept), true.headers)
        return Answer(200, loose_json(kept[0]), true.headers) if kept else Answer(404, polymarket.NO_BOOK)

    return spoil


def _fault(change: Change, *, believable: bool = False) -> Fault:
    return Fault(applies=is_book, spoil=_rows(change), believable=believable)


def _levels(row: Row, side: str) -> list[dict[str, object]]:
    """The levels of a side, best one last."""
    levels = row[side]
    return levels if isinstance(levels, list) else []


def _with(**fields: object) -> Change:
    return lambda row, asked: row | fields


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _best(field: str, value: Callable[[Asked], object]) -> Change:
    """The change of one field of one side's best level; of an empty side there is one level then."""

    def change(row: Row, asked: Asked) -> Row:
        side = asked.dice.choice(("bids", "asks"))
        levels = _levels(row, side) or [{"price": "0.5", "size": "10"}]
        return row | {side: [*levels[:-1], {**levels[-1], field: value(asked)}]}

    return change


def _always(value: object) -> Callable[[Asked], object]:
    return lambda asked: value


def _one_of(values: Iterable[str]) -> Callable[[Asked], object]:
    known = tuple(values)
    return lambda asked: asked.dice.choice(known)


def _bid_at(step: str) -> Change:
    """A bid so far above the best ask: 0 locks the book, more crosses it."""

    def change(row: Row, asked: Asked) -> Row:
        asks = _levels(row, "asks")
        price = shortest(Decimal(str(asks[-1]["price"])) + Decimal(step)) if asks else "0.5"
        kept = [*asks, *([] if asks else [{"price": price, "size": "10"}])]
        return row | {"asks": kept, "bids": [*_levels(row, "bids"), {"price": price, "size": "500"}]}

    return change


def _one_sided(row: Row, asked: Asked) -> Row:
    return row | {asked.dice.choice(("bids", "asks")): []}


def _missing_side(row: Row, asked: Asked) -> Row:
    return _without(row, asked.dice.choice(("bids", "asks")))


def _shuffled(row: Row, asked: Asked) -> Row:
    sides = {side: list(_levels(row, side)) for side in ("bids", "asks")}
    for levels in sides.values():
        asked.dice.shuffle(levels)
    return row | sides


def _doubled(row: Row, asked: Asked) -> Row:
    """Each level in two parts that together are as large as it was."""

    def parts(level: dict[str, object]) -> list[dict[str, object]]:
        size = Decimal(str(level["size"]))
        first = (size / 3).quantize(Decimal("0.01"))
        return [{**level, "size": shortest(part)} for part in (first, size - first) if part > 0]

    return row | {side: [part for level in _levels(row, side) for part in parts(level)] for side in ("bids", "asks")}


def _moved(by_ms: int) -> Change:
    return lambda row, asked: row | {"timestamp": str(int(str(row["timestamp"])) + by_ms)}


def _from_another_time(answer: Callable[[Asked], Answer]) -> Change:
    """The same token's row of another answer; the true one when that has none."""

    def change(row: Row, asked: Asked) -> Row:
        others = (other for other in rows_of(answer(asked)) if isinstance(other, dict))
        return next((other for other in others if other.get("asset_id") == row["asset_id"]), row)

    return change


def _another_token(row: Row, asked: Asked) -> Row:
    return row | {"asset_id": str(asked.dice.getrandbits(255) | 1 << 255)}


BOOKS: dict[str, Fault] = {
    "no_book": _fault(lambda row, asked: None),
    "crossed": _fault(_bid_at("0.01")),
    "locked": _fault(_bid_at("0")),
    "empty": _fault(_with(bids=[], asks=[])),
    "one_sided": _fault(_one_sided, believable=True),
    "missing_side": _fault(_missing_side),
    "unsorted": _fault(_shuffled, believable=True),
    "dup_levels": _fault(_doubled, believable=True),
    "nan": _fault(_best("price", _always(Raw("NaN")))),
    "inf": _fault(_best("price", _always(Raw("Infinity")))),
    "e400": _fault(_best("size", _always(Raw("1e400")))),
    "neg": _fault(_best("price", _always("-0.5"))),
    "huge": _fault(_best("size", _always("1e308"))),
    "price_oob": _fault(_best("price", _one_of(OUTSIDE))),
    "zero_size": _fault(_best("size", _one_of(("0", "0.0", "-5")))),
    "comma_num": _fault(_best("price", _always("0,5"))),
    "junk_num": _fault(_best("price", _one_of(JUNK))),
    "null_level": _fault(lambda row, asked: row | {"asks": [*_levels(row, "asks"), None]}),
    "levels_dict": _fault(_with(asks={"0.51": "500"})),
    "bool_price": _fault(_best("price", _always(True))),
    "stale_ts": _fault(_moved(-HOUR_MS), believable=True),
    "future_ts": _fault(_moved(HOUR_MS)),
    "old_snapshot": _fault(_from_another_time(lambda asked: asked.at(asked.now_ms - OLDER_MS))),
    "frozen": _fault(_from_another_time(lambda asked: asked.before), believable=True),
    "wrong_token": _fault(_another_token),
    "ghost": _fault(_with(bids=[{"price": "0.01", "size": "9000"}], asks=[{"price": "0.99", "size": "9000"}])),
    "tick_change": _fault(_with(tick_size="0.001", min_order_size="15"), believable=True),
}
"""By name, as in the catalogue of faults."""
