"""Polymarket's bodies: the CLOB's book and market, Gamma's market and event, each with the venue's quirks."""

import hashlib
import json
from decimal import Decimal

from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.wire import BookSpec, iso_seconds, json_bytes, plain_number, shortest

NO_BOOK = {"error": "No orderbook exists for the requested token id"}
NO_TOKEN = {"error": "Invalid token id"}
NO_CLOB_MARKET = {"error": "market not found"}
BAD_PAYLOAD = {"error": "Invalid payload"}
TOO_MANY = {"error": "Payload exceeds the limit"}
BAD_SIDE = {"error": "Invalid side"}
NO_CLOB_PATH = {"error": "404 page not found"}
BOOKS_LIMIT = 500
LISTED_MS = 1_767_225_600_000  # 2026-01-01 UTC

_SHARED_WITH_EVENT = frozenset(
    ("id", "slug", "description", "startDate", "endDate", "active", "closed", "archived", "enableOrderBook", "negRisk")
)


def gamma_not_found(what: str) -> dict[str, object]:
    """Gamma's 404 body; `what` is "slug", "id" or "path"."""
    return {"type": "not found error", "error": f"{what} not found"}


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


def mid_of(book: BookSpec | None) -> Decimal | None:
    """The mid of a book, None unless both sides are there."""
    if book is None or not book.bids or not book.asks:
        return None
    return (_price(book.bids[0]) + _price(book.asks[0])) / 2


def outcome_prices(market: SimMarket, book: BookSpec | None, winner: str | None) -> tuple[str, str]:
    """One price per outcome, as text: 1 and 0 once there is a winner, else the first token's mid and its complement."""
    if winner is not None:
        first, second = ("1" if outcome == winner else "0" for outcome in market.outcomes)
        return first, second
    mid = mid_of(book) or Decimal("0.5")
    return shortest(mid), shortest(1 - mid)


def clob_market(market: SimMarket, book: BookSpec | None, winner: str | None) -> dict[str, object]:
    """The body of the CLOB's `GET /markets/{condition_id}`: snake case, numbers; `winner` is the settlement truth."""
    prices = outcome_prices(market, book, winner)
    resolved = winner is not None
    return {
        "accepting_orders": not resolved,
        "active": True,
        "archived": False,
        "closed": resolved,
        "condition_id": market.condition_id,
        "description": market.question,
        "enable_order_book": not resolved,
        "end_date_iso": iso_seconds(market.ends_at_ms),
        "fpmm": "",
        "game_start_time": None,
        "is_50_50_outcome": False,
        "maker_base_fee": 1000,
        "market_slug": market.slug,
        "minimum_order_size": plain_number(Decimal(market.min_order_size)),
        "minimum_tick_size": plain_number(Decimal(market.tick)),
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": "",
        "neg_risk_request_id": "",
        "notifications_enabled": True,
        "question": market.question,
        "question_id": f"0x{hashlib.sha256(market.condition_id.encode()).hexdigest()}",
        "rewards": {"max_spread": 4.5, "min_size": 50, "rates": None},
        "seconds_delay": 0,
        "tags": ["Crypto"],
        "taker_base_fee": 1000,
        "tokens": [
            {"outcome": outcome, "price": plain_number(Decimal(price)), "token_id": token, "winner": outcome == winner}
            for outcome, token, price in zip(market.outcomes, market.token_ids, prices, strict=True)
        ],
    }


def gamma_market(market: SimMarket, book: BookSpec | None, winner: str | None) -> dict[str, object]:
    """One Gamma market: `outcomes`, `outcomePrices` and `clobTokenIds` are JSON inside strings."""
    resolved = winner is not None
    row: dict[str, object] = {
        "id": gamma_id(market),
        "question": market.question,
        "conditionId": market.condition_id,
        "slug": market.slug,
        "description": market.question,
        "startDate": iso_seconds(LISTED_MS),
        "endDate": iso_seconds(market.ends_at_ms),
        "outcomes": json.dumps(market.outcomes),
        "outcomePrices": json.dumps(outcome_prices(market, book, winner)),
        "clobTokenIds": json.dumps(market.token_ids),
        "volume": "125000.5",
        "volumeNum": 125000.5,
        "volume24hr": 8200.25,
        "liquidity": "0" if resolved else "42000.75",
        "liquidityNum": 0 if resolved else 42000.75,
        "active": True,
        "closed": resolved,
        "archived": False,
        "restricted": True,
        "acceptingOrders": not resolved,
        "enableOrderBook": True,
        "orderPriceMinTickSize": plain_number(Decimal(market.tick)),
        "orderMinSize": plain_number(Decimal(market.min_order_size)),
        "negRisk": market.neg_risk,
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
        "umaResolutionStatuses": "[]",
    }
    return row | _fee_fields(market) | _quote_fields(book) | ({"umaResolutionStatus": "resolved"} if resolved else {})


def gamma_id(market: SimMarket) -> str:
    """A numeric id as text, from the condition id."""
    return str(int(market.condition_id[2:8] or "0", 16))


def _fee_fields(market: SimMarket) -> dict[str, object]:
    if not market.fee_rate:
        return {"feesEnabled": False, "feeType": None}
    rate = plain_number(market.fee_rate)
    schedule = {"exponent": market.fee_exponent, "rate": rate, "takerOnly": True, "rebateRate": 0.2}
    return {"feesEnabled": True, "feeType": market.fee_type, "feeSchedule": schedule}


def _quote_fields(book: BookSpec | None) -> dict[str, object]:
    """Gamma leaves a key out when there is nothing to say, and so does this."""
    fields: dict[str, object] = {}
    if book and book.bids:
        fields["bestBid"] = plain_number(_price(book.bids[0]))
    if book and book.asks:
        fields["bestAsk"] = plain_number(_price(book.asks[0]))
    if book and book.bids and book.asks:
        fields["spread"] = plain_number(_price(book.asks[0]) - _price(book.bids[0]))
    if book and book.last_trade_price:
        fields["lastTradePrice"] = plain_number(Decimal(book.last_trade_price))
    return fields


def bare_event(row: dict[str, object]) -> dict[str, object]:
    """The event around one market row, without its `markets`: the shape that stands in a market's own `events`."""
    shared = {key: value for key, value in row.items() if key in _SHARED_WITH_EVENT}
    return {"ticker": row["slug"], "title": row.get("question", row["slug"])} | shared


def market_with_event(row: dict[str, object]) -> dict[str, object]:
    """A market as `/markets` gives it: with the event that it belongs to."""
    return row if "events" in row else row | {"events": [bare_event(row)]}


def event_with_markets(row: dict[str, object]) -> dict[str, object]:
    """An event as `/events` gives it: with its one market."""
    return bare_event(row) | {"markets": [{key: value for key, value in row.items() if key != "events"}]}
