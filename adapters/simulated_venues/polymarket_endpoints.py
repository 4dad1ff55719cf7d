"""The CLOB's endpoints over a `Tape`: books, markets and the clock."""

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
    markets = _trading(tape, now_ms)
    # Sorted, because the venue promises no order: a client that matches by position must fail here.
    for token in sorted(set(tokens)):
        book = tape.book(token, now_ms) if token in markets else None
        if book is not None:
            bodies.append(polymarket.clob_book(markets[token], token, book, now_ms))
    return Answer(200, bodies)


def _clob_market(tape: Tape, condition_id: str, now_ms: int) -> Answer:
    for market in tape.listed(now_ms):
        if market.condition_id == condition_id and market.hydrated(now_ms):
            winner = tape.winner(market.slug, now_ms)
            return Answer(200, polymarket.clob_market(market, books_of(tape, market, now_ms), winner, now_ms))
    return Answer(404, polymarket.NO_CLOB_MARKET)


def _clob_token(tape: Tape, request: Request, now_ms: int) -> Answer:
    token = request.query.get("token_id") or request.query.get("asset_id")
    if not token:
        return Answer(400, polymarket.NO_TOKEN)
    market = _trading(tape, now_ms).get(token)
    book = tape.book(token, now_ms) if market else None
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


def _trading(tape: Tape, now_ms: int) -> dict[str, SimMarket]:
    """The market of each token that the CLOB has a book for, as far as the market goes."""
    known = (market for market in tape.listed(now_ms) if trades(tape, market, now_ms))
    return {token: market for market in known for token in market.token_ids}


def trades(tape: Tape, market: SimMarket, now_ms: int) -> bool:
    """Whether the CLOB knows the market, and its trading has not ended."""
    return market.hydrated(now_ms) and market.accepting(now_ms) and tape.winner(market.slug, now_ms) is None


def books_of(tape: Tape, market: SimMarket, now_ms: int) -> list[BookSpec | None]:
    """The book of each token, None where there is none."""
    open_now = trades(tape, market, now_ms)
    return [tape.book(token, now_ms) if open_now else None for token in market.token_ids]
