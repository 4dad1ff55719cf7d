"""Polymarket's endpoints over a `Tape`: the CLOB's books and markets, Gamma's markets and events."""

import json
from collections.abc import Callable
from decimal import Decimal

from adapters.simulated_venues import polymarket_wire as polymarket
from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.tape import Tape
from adapters.simulated_venues.wire import Answer, BookSpec, Request, plain_number, shortest


def asked_tokens(body: bytes) -> list[str] | Answer:
    """The token ids of a `POST /books` body, or the 400 that the CLOB answers to a bad one."""
    try:
        asked = json.loads(body)
    except ValueError:
        return Answer(400, polymarket.BAD_PAYLOAD)
    rows = asked if isinstance(asked, list) else [None]
    tokens = [row.get("token_id") if isinstance(row, dict) else None for row in rows]
    known = [token for token in tokens if isinstance(token, str)]
    if len(known) != len(tokens):
        return Answer(400, polymarket.BAD_PAYLOAD)
    return known if len(known) <= polymarket.BOOKS_LIMIT else Answer(400, polymarket.TOO_MANY)


def clob_answer(tape: Tape, request: Request, now_ms: int) -> Answer | None:
    """The CLOB's answer, None for a path that it does not serve."""
    head, _, tail = request.path.strip("/").partition("/")
    if request.method == "POST" and request.path == "/books":
        return _clob_books(tape, request, now_ms)
    if request.path == "/time":
        return Answer(200, now_ms // 1000)
    if head == "markets" and tail:
        return _clob_market(tape, tail, now_ms)
    if request.path in _TOKEN_ENDPOINTS and request.method == "GET":
        return _clob_token(tape, request, now_ms)
    return None


def _clob_books(tape: Tape, request: Request, now_ms: int) -> Answer:
    tokens = asked_tokens(request.body)
    if isinstance(tokens, Answer):
        return tokens
    bodies: list[dict[str, object]] = []
    # Sorted, because the venue promises no order: a client that matches by position must fail here.
    for token in sorted(set(tokens)):
        market, book = _book_of(tape, token, now_ms)
        if market is not None and book is not None:
            bodies.append(polymarket.clob_book(market, token, book, now_ms))
    return Answer(200, bodies)


def _clob_market(tape: Tape, condition_id: str, now_ms: int) -> Answer:
    for market in tape.markets:
        if market.condition_id == condition_id:
            winner = tape.winner(market.slug, now_ms)
            return Answer(200, polymarket.clob_market(market, _first_book(tape, market, now_ms), winner))
    return Answer(404, polymarket.NO_CLOB_MARKET)


def _clob_token(tape: Tape, request: Request, now_ms: int) -> Answer:
    token = request.query.get("token_id") or request.query.get("asset_id")
    if not token:
        return Answer(400, polymarket.NO_TOKEN)
    market, book = _book_of(tape, token, now_ms)
    if market is None or book is None:
        return Answer(404, polymarket.NO_CLOB_MARKET if request.path == "/tick-size" else polymarket.NO_BOOK)
    if request.path == "/price":
        return _clob_price(book, request.query.get("side", "").upper())
    return Answer(200, _TOKEN_ENDPOINTS[request.path](market, token, book, now_ms))


def _clob_price(book: BookSpec, side: str) -> Answer:
    # Measured, against part of the docs: BUY is the best bid, SELL the best ask.
    if side not in ("BUY", "SELL"):
        return Answer(400, polymarket.BAD_SIDE)
    levels = book.bids if side == "BUY" else book.asks
    return Answer(200, {"price": levels[0][0]}) if levels else Answer(404, polymarket.NO_BOOK)


def _midpoint(market: SimMarket, token: str, book: BookSpec, now_ms: int) -> object:
    return {"mid": shortest(polymarket.mid_of(book) or Decimal(0))}


def _spread(market: SimMarket, token: str, book: BookSpec, now_ms: int) -> object:
    two_sided = book.bids and book.asks
    return {"spread": shortest(Decimal(book.asks[0][0]) - Decimal(book.bids[0][0])) if two_sided else "0"}


def _tick_size(market: SimMarket, token: str, book: BookSpec, now_ms: int) -> object:
    return {"minimum_tick_size": plain_number(Decimal(market.tick))}


_TOKEN_ENDPOINTS: dict[str, Callable[[SimMarket, str, BookSpec, int], object]] = {
    "/book": polymarket.clob_book,
    "/midpoint": _midpoint,
    "/spread": _spread,
    "/tick-size": _tick_size,
    "/price": polymarket.clob_book,
}


def _book_of(tape: Tape, token_id: str, now_ms: int) -> tuple[SimMarket | None, BookSpec | None]:
    """The market of a token and, while it is not resolved, the token's book."""
    for market in tape.markets:
        if token_id in market.token_ids:
            return market, None if tape.winner(market.slug, now_ms) else tape.book(token_id, now_ms)
    return None, None


def _first_book(tape: Tape, market: SimMarket, now_ms: int) -> BookSpec | None:
    return _book_of(tape, market.token_ids[0], now_ms)[1]


def gamma_answer(tape: Tape, request: Request, now_ms: int) -> Answer | None:
    """Gamma's answer, None for a path that it does not serve."""
    kind, _, tail = request.path.strip("/").partition("/")
    if kind not in ("markets", "events") or request.method != "GET":
        return None
    rows = [polymarket.gamma_market(m, _first_book(tape, m, now_ms), tape.winner(m.slug, now_ms)) for m in tape.markets]
    if tail:
        return gamma_one(kind, tail, rows)
    return gamma_list(kind, request, rows)


def gamma_one(kind: str, tail: str, rows: list[dict[str, object]]) -> Answer:
    """The answer to `/markets/slug/{slug}`, `/events/slug/{slug}` or `/{kind}/{id}`, found among market `rows`."""
    field = "slug" if tail.startswith("slug/") else "id"
    for row in rows:
        if row.get(field) == tail.removeprefix("slug/"):
            return Answer(200, _SHAPES[kind](row))
    return Answer(404, polymarket.gamma_not_found(field))


def gamma_list(kind: str, request: Request, rows: list[dict[str, object]]) -> Answer:
    """The answer to `/markets?..` or `/events?..` (slug, condition_ids, clob_token_ids, closed, limit, offset).

    Like the venue, `/markets` leaves closed ones out unless `closed=true` is asked, even by slug.
    """
    query = request.query
    for name, key in (("condition_ids", "conditionId"), ("clob_token_ids", "clobTokenIds")):
        if name in query:
            rows = [row for row in rows if any(wanted in str(row.get(key)) for wanted in query[name].split(","))]
    if "slug" in query:
        rows = [row for row in rows if row.get("slug") in query["slug"].split(",")]
    if "closed" in query or kind == "markets":
        rows = [row for row in rows if bool(row.get("closed")) == (query.get("closed", "false").lower() == "true")]
    first, limit = _whole(query.get("offset"), 0), _whole(query.get("limit"), 100)
    return Answer(200, [_SHAPES[kind](row) for row in rows[first : first + limit]])


_SHAPES = {"markets": polymarket.market_with_event, "events": polymarket.event_with_markets}


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise
