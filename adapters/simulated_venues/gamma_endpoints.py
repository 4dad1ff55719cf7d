"""Gamma's endpoints over a `Tape`, and over market rows from wherever: markets, events, keyset pages and the search."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

from adapters.simulated_venues.gamma_wire import (
    events_of,
    gamma_event,
    gamma_invalid,
    gamma_market,
    gamma_not_found,
    market_with_event,
)
from adapters.simulated_venues.polymarket_endpoints import books_of
from adapters.simulated_venues.tape import Row, Tape
from adapters.simulated_venues.wire import Answer, Request

LIMITS = {"markets": 100, "events": 500}
"""The most that one page holds."""

USUAL_LIMIT, USUAL_SEARCH_LIMIT = 20, 10


def gamma_answer(tape: Tape, request: Request, now_ms: int) -> Answer | None:
    """Gamma's answer, None for a path that it does not serve."""
    return answer_from(market_rows(tape, now_ms), request) if serves(request) else None


def serves(request: Request) -> bool:
    """Whether Gamma has anything under this path."""
    return request.method == "GET" and (request.path.split("/")[1] in LIMITS or request.path == "/public-search")


def market_rows(tape: Tape, now_ms: int) -> list[dict[str, object]]:
    """Every market that is listed, as `/markets` gives it."""
    listed = tape.listed(now_ms)
    rows = [gamma_market(m, books_of(tape, m, now_ms), tape.winner(m.slug, now_ms), now_ms) for m in listed]
    mine: dict[str, list[Row]] = {}
    for market, row in zip(listed, rows, strict=True):
        mine.setdefault(market.event.slug, []).append(row)
    events = {m.event.slug: gamma_event(m.event, mine[m.event.slug], now_ms) for m in listed}
    return [row | {"events": [events[market.event.slug]]} for market, row in zip(listed, rows, strict=True)]


def answer_from(rows: Sequence[Row], request: Request) -> Answer:
    """The answer to a request that Gamma serves, when these are all the markets there are."""
    kind, _, tail = request.path.strip("/").partition("/")
    if kind == "public-search":
        return _found(events_of(rows), request.query)
    shaped = _SHAPES[kind](rows)
    if tail == "keyset":
        return _keyset(kind, shaped, request.query)
    return _one(tail, shaped) if tail else _list(kind, shaped, request.query)


def _as_markets(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [market_with_event(row) for row in rows]


_SHAPES: dict[str, Callable[[Sequence[Row]], list[dict[str, object]]]] = {"markets": _as_markets, "events": events_of}


def _one(tail: str, rows: Sequence[Row]) -> Answer:
    """The answer to `/{kind}/slug/{slug}` and `/{kind}/{id}`, open or closed."""
    field = "slug" if tail.startswith("slug/") else "id"
    for row in rows:
        if row.get(field) == tail.removeprefix("slug/"):
            return Answer(200, row)
    return Answer(404, gamma_not_found(field))


def _list(kind: str, rows: Sequence[Row], query: Mapping[str, str]) -> Answer:
    """The answer to `/markets?..` and `/events?..`: an array, with `offset`.

    Like the venue, `/markets` leaves closed ones out unless `closed=true` is asked, even by slug.
    """
    usual = {"closed": "false"} if kind == "markets" else {}
    kept = _filtered(_ordered(rows, query), {**usual, **query})
    first, limit = _whole(query.get("offset"), 0), min(_whole(query.get("limit"), LIMITS[kind]), LIMITS[kind])
    return Answer(200, kept[first : first + limit])


def _keyset(kind: str, rows: Sequence[Row], query: Mapping[str, str]) -> Answer:
    """The answer to `/{kind}/keyset`: pages by `after_cursor`; any other name of a cursor is ignored, as by the venue."""
    if "offset" in query:
        return Answer(422, gamma_invalid("offset is not supported on keyset endpoints, use after_cursor"))
    ordered = _ordered(rows, query)
    first = _after(query["after_cursor"], ordered) if query.get("after_cursor") else 0
    if first is None:
        return Answer(422, gamma_invalid("invalid cursor"))
    limit = min(max(1, _whole(query.get("limit"), USUAL_LIMIT)), LIMITS[kind])
    kept = _filtered(ordered[first:], {"closed": "false", **query})
    more = {"next_cursor": _cursor(kept[limit - 1])} if len(kept) > limit else {}
    return Answer(200, {kind: kept[:limit], **more})


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(str(row["id"]).encode()).decode()


def _after(cursor: str, rows: Sequence[Row]) -> int | None:
    """The place behind the row that a cursor names, closed by now or not; None when it names none."""
    try:
        name = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, UnicodeError):
        return None
    return next((place + 1 for place, row in enumerate(rows) if str(row.get("id")) == name), None)


def _ordered(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """By the `order` field's own type, as the venue does: texts such as `volume` sort as texts. Rows without it come last."""
    name = query.get("order", "")
    known = [row for row in rows if isinstance(row.get(name), str | int | float)]
    ascending = query.get("ascending", "true").lower() == "true"
    known.sort(
        key=lambda row: (str(row[name]) if isinstance(row[name], str) else "", _number(row[name])), reverse=not ascending
    )
    return [*known, *(row for row in rows if not isinstance(row.get(name), str | int | float))]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _filtered(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """Those that the query means: slug, condition_ids, clob_token_ids, closed, active."""
    for name, key in (("condition_ids", "conditionId"), ("clob_token_ids", "clobTokenIds")):
        if name in query:
            rows = [row for row in rows if any(wanted in str(row.get(key)) for wanted in query[name].split(","))]
    if "slug" in query:
        rows = [row for row in rows if row.get("slug") in query["slug"].split(",")]
    for name in ("closed", "active"):
        if name in query:
            rows = [row for row in rows if bool(row.get(name)) == (query[name].lower() == "true")]
    return list(rows)


def _found(events: Sequence[Row], query: Mapping[str, str]) -> Answer:
    """The answer to `/public-search?q=..`: events in whose texts all words stand, their markets in a reduced form."""
    words = query.get("q", "").lower().split()
    if not words:
        return Answer(422, gamma_invalid("q is required"))
    wanted = {"active": "false", "closed": "true", "resolved": "true"}.get(query.get("events_status", ""))
    hits = [event for event in events if all(word in _text(event) for word in words)]
    hits = _filtered(hits, {} if wanted is None else {"closed": wanted})
    limit, page = max(1, _whole(query.get("limit_per_type"), USUAL_SEARCH_LIMIT)), max(1, _whole(query.get("page"), 1))
    shown = [
        {**event, "markets": [_reduced(row) for row in _markets(event)]} for event in hits[(page - 1) * limit : page * limit]
    ]
    return Answer(200, {"events": shown, "pagination": {"hasMore": len(hits) > page * limit, "totalResults": len(hits)}})


def _text(event: Row) -> str:
    told = [event.get("title"), event.get("slug"), *(row.get("question") for row in _markets(event))]
    return " ".join(map(str, told)).lower()


def _markets(event: Row) -> list[Row]:
    markets = event.get("markets")
    return markets if isinstance(markets, list) else []


def _reduced(row: Row) -> Row:
    return {key: value for key, value in row.items() if not key.startswith("groupItem")}


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise
