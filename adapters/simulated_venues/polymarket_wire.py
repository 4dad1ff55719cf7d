"""The CLOB's bodies: a book and a market, with the venue's quirks."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal

from adapters.simulated_venues.market import VOID, SimMarket
from adapters.simulated_venues.wire import BookSpec, iso_seconds, json_bytes, plain_number, shortest

NO_BOOK = {"error": "No orderbook exists for the requested token id"}
NO_TOKEN = {"error": "Invalid token id"}
NO_CLOB_MARKET = {"error": "market not found"}
BAD_PAYLOAD = {"error": "Invalid payload"}
TOO_MANY = {"error": "Payload exceeds the limit"}
BAD_SIDE = {"error": "Invalid side"}
NO_CLOB_PATH = {"error": "404 page not found"}
BOOKS_LIMIT = 500


def clob_book(market: SimMarket, token_id: str, book: BookSpec, now_ms: int) -> dict[str, object]:
    """The body of `GET /book`: bids ascending and asks descending, so the BEST level is the last of both."""
    changed_at_ms = now_ms if book.changed_at_ms is None else book.changed_at_ms
    body: dict[str, object] = {
        "market": market.condition_id,
        "asset_id": token_id,
        "timestamp": str(changed_at_ms),
        "bids": [_level(*level) for level in sorted(book.bids, key=_price)],
        "asks": [_level(*level) for level in sorted(book.asks, key=_price, reverse=True)],
        "min_order_size": market.min_order_size,
        "tick_size": market.tick,
        "neg_risk": market.neg_risk,
        "last_trade_price": book.last_trade_price,
    }
    digest = hashlib.sha1(json_bytes(body), usedforsecurity=False).hexdigest()
    return body | {"hash": digest}


def _price(level: tuple[str, str]) -> Decimal:
    return Decimal(level[0])


def _level(price: str, size: str) -> dict[str, str]:
    return {"price": shortest(price), "size": shortest(size)}


def best_price(levels: Sequence[tuple[str, str]]) -> Decimal | None:
    """The price of the first level, which is the best one; None for an empty side."""
    return _price(levels[0]) if levels else None


def mid_of(book: BookSpec | None) -> Decimal | None:
    """The mid of a book, None unless both sides are there."""
    if book is None or not book.bids or not book.asks:
        return None
    return (_price(book.bids[0]) + _price(book.asks[0])) / 2


def outcome_prices(market: SimMarket, books: Sequence[BookSpec | None], winner: str | None) -> tuple[str, ...]:
    """One price per outcome, as text: 1 for the winner, equal shares of a void market, else the mid of each book.

    Of two outcomes the second's price is the complement of the first's.
    """
    even = round(Decimal(1) / len(market.outcomes), 4)
    if winner is not None:
        return tuple(shortest(even) if winner == VOID else str(int(outcome == winner)) for outcome in market.outcomes)
    mids = [mid_of(book) or even for book in books]
    return tuple(map(shortest, (mids[0], 1 - mids[0]) if len(mids) == 2 else mids))


def clob_market(market: SimMarket, books: Sequence[BookSpec | None], winner: str | None, now_ms: int) -> dict[str, object]:
    """The body of the CLOB's `GET /markets/{condition_id}`: snake case, numbers; `winner` is the settlement truth."""
    prices = outcome_prices(market, books, winner)
    resolved = winner is not None
    event = market.event
    kick_off = event.starts_at_ms if event.game_id is not None else None
    return {
        "accepting_orders": market.accepting(now_ms) and not resolved,
        "active": True,
        "archived": False,
        "closed": resolved,
        "condition_id": market.condition_id,
        "description": market.question,
        "enable_order_book": not resolved,
        "end_date_iso": iso_seconds(market.deadline_ms),
        "fpmm": "",
        "game_start_time": None if kick_off is None else iso_seconds(kick_off),
        "is_50_50_outcome": winner == VOID,
        "maker_base_fee": 1000,
        "market_slug": market.slug,
        "minimum_order_size": plain_number(Decimal(market.min_order_size)),
        "minimum_tick_size": plain_number(Decimal(market.tick)),
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": event.group_id if market.neg_risk else "",
        "neg_risk_request_id": "",
        "notifications_enabled": True,
        "question": market.question,
        "question_id": f"0x{hashlib.sha256(market.condition_id.encode()).hexdigest()}",
        "rewards": {"max_spread": 4.5, "min_size": 50, "rates": None},
        "seconds_delay": market.seconds_delay,
        "tags": ["Sports", "Soccer"] if market.sports_type else ["Crypto"],
        "taker_base_fee": 1000,
        "tokens": [
            {"outcome": outcome, "price": plain_number(Decimal(price)), "token_id": token, "winner": outcome == winner}
            for outcome, token, price in zip(market.outcomes, market.token_ids, prices, strict=True)
        ],
    }
