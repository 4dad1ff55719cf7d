"""Gamma's bodies: a market row, and the event that it stands in, each with the venue's quirks."""

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal

from adapters.simulated_venues.market import MINUTE_MS, SimEvent, SimMarket, numeric_id
from adapters.simulated_venues.polymarket_wire import best_price, outcome_prices
from adapters.simulated_venues.tape import Row
from adapters.simulated_venues.wire import BookSpec, iso_seconds, plain_number

LISTED_MS = 1_767_225_600_000  # 2026-01-01 UTC

_OF_AN_EVENT = frozenset(
    ("id", "slug", "description", "startDate", "endDate", "active", "closed", "archived", "enableOrderBook", "negRisk")
)


def gamma_not_found(what: str) -> dict[str, object]:
    """Gamma's 404 body; `what` is "slug", "id" or "path"."""
    return {"type": "not found error", "error": f"{what} not found"}


def gamma_invalid(what: str) -> dict[str, object]:
    """Gamma's 422 body."""
    return {"type": "validation error", "error": what}


def gamma_market(market: SimMarket, books: Sequence[BookSpec | None], winner: str | None, now_ms: int) -> dict[str, object]:
    """One Gamma market: `outcomes`, `outcomePrices` and `clobTokenIds` are JSON inside strings; `books` as the tokens."""
    resolved = winner is not None
    liquidity = 0 if resolved else market.liquidity
    row: dict[str, object] = {
        "id": numeric_id(market.slug),
        "question": market.question,
        "conditionId": market.condition_id,
        "slug": market.slug,
        "description": market.question,
        "startDate": iso_seconds(LISTED_MS),
        "endDate": iso_seconds(market.deadline_ms),
        "outcomes": json.dumps(market.outcomes),
        "outcomePrices": json.dumps(outcome_prices(market, books, winner)),
        "clobTokenIds": json.dumps(market.token_ids),
        "volume": "125000.5",
        "volumeNum": 125000.5,
        "volume24hr": market.volume_24h,
        "liquidity": str(liquidity),
        "liquidityNum": liquidity,
        "active": True,
        "closed": resolved,
        "archived": False,
        "restricted": True,
        "acceptingOrders": market.accepting(now_ms) and not resolved,
        "enableOrderBook": True,
        "orderPriceMinTickSize": plain_number(Decimal(market.tick)),
        "orderMinSize": plain_number(Decimal(market.min_order_size)),
        "negRisk": market.neg_risk,
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
    }
    told = _answer_fields(market, winner, now_ms)
    return row | told | _group_fields(market) | _begin_fields(market) | _fee_fields(market) | _quote_fields(books[0])


def _answer_fields(market: SimMarket, winner: str | None, now_ms: int) -> dict[str, object]:
    """How far the venue's answer is: what is automatic has no statuses, and the other key is absent until proposed."""
    proposed = ("proposed",) if market.resolution == "proposed" else ("proposed", "disputed", "proposed")
    if winner is not None:
        statuses = () if market.resolution == "automatic" else (*proposed, "resolved")
        return {"umaResolutionStatuses": json.dumps(statuses), "umaResolutionStatus": "resolved"}
    if market.resolution == "automatic" or market.accepting(now_ms) or market.closes_at_ms is None:
        return {"umaResolutionStatuses": "[]"}
    half_ms = (market.closes_at_ms + (market.resolves_at_ms or market.closes_at_ms)) / 2
    so_far = proposed[: 1 if now_ms < half_ms else 2]
    return {"umaResolutionStatuses": json.dumps(so_far), "umaResolutionStatus": so_far[-1]}


def _group_fields(market: SimMarket) -> dict[str, object]:
    """What only the markets of a neg-risk group and those of a match have."""
    event = market.event
    fields: dict[str, object] = {}
    if market.group_title:
        fields |= {"groupItemTitle": market.group_title, "groupItemThreshold": market.group_threshold}
    if market.neg_risk:
        number = f"{int(market.group_threshold or '0'):02x}"
        request = hashlib.sha256(f"request:{market.slug}".encode()).hexdigest()
        fields |= {"questionID": f"{event.group_id[:-2]}{number}", "negRiskMarketID": event.group_id}
        fields |= {"negRiskRequestID": f"0x{request}", "negRiskOther": False}
    if market.sports_type:
        fields |= {"sportsMarketType": market.sports_type, "secondsDelay": market.seconds_delay, "clearBookOnStart": True}
    return fields


def _begin_fields(market: SimMarket) -> dict[str, object]:
    began_ms = market.event.starts_at_ms
    if began_ms is None:
        return {}
    if market.event.game_id is None:
        return {"eventStartTime": iso_seconds(began_ms)}
    return {"gameStartTime": iso_seconds(began_ms).replace("T", " ").replace("Z", "+00")}


def _fee_fields(market: SimMarket) -> dict[str, object]:
    if not market.fee_rate:
        return {"feesEnabled": False, "feeType": None}
    rate = plain_number(market.fee_rate)
    rebate = 0.15 if market.fee_type.startswith("sports") else 0.2
    schedule = {"exponent": market.fee_exponent, "rate": rate, "takerOnly": True, "rebateRate": rebate}
    return {"feesEnabled": True, "feeType": market.fee_type, "feeSchedule": schedule}


def _quote_fields(book: BookSpec | None) -> dict[str, object]:
    """Gamma leaves a key out when there is nothing to say, and so does this."""
    if book is None:
        return {}
    bid, ask = best_price(book.bids), best_price(book.asks)
    known = {
        "bestBid": bid,
        "bestAsk": ask,
        "spread": None if bid is None or ask is None else ask - bid,
        "lastTradePrice": Decimal(book.last_trade_price) if book.last_trade_price else None,
    }
    return {name: plain_number(value) for name, value in known.items() if value is not None}


def gamma_event(event: SimEvent, rows: Sequence[Row], now_ms: int) -> dict[str, object]:
    """The event of these market rows, without its `markets`: the shape that stands in a market's own `events`."""
    neg_risk = any(row["negRisk"] for row in rows)
    fields: dict[str, object] = {
        "id": numeric_id(f"event:{event.slug}"),
        "ticker": event.slug,
        "slug": event.slug,
        "title": event.title,
        "description": event.title,
        "startDate": iso_seconds(LISTED_MS),
        "endDate": rows[0]["endDate"],
        "active": True,
        "closed": all(row["closed"] for row in rows),
        "archived": False,
        "restricted": True,
        "liquidity": _sum(rows, "liquidityNum"),
        "volume": _sum(rows, "volumeNum"),
        "volume24hr": _sum(rows, "volume24hr"),
        "enableOrderBook": True,
        "negRisk": neg_risk,
        "enableNegRisk": neg_risk,
    }
    if neg_risk:
        fields |= {"negRiskMarketID": event.group_id}
    if event.series:
        fields |= {"seriesSlug": event.series}
    ended = not any(row["acceptingOrders"] for row in rows)
    return fields | _match_fields(event, ended, now_ms)


def _sum(rows: Sequence[Row], key: str) -> float:
    return sum(float(str(row[key])) for row in rows)


def _match_fields(event: SimEvent, ended: bool, now_ms: int) -> dict[str, object]:
    """When the event begins; of a match also its game, and how it stands while it is played."""
    if event.starts_at_ms is None:
        return {}
    began = iso_seconds(event.starts_at_ms)
    if event.game_id is None:
        return {"startTime": began}
    minute = (now_ms - event.starts_at_ms) // MINUTE_MS
    live = minute >= 0 and not ended
    fields = {"startTime": began, "eventDate": began[:10], "gameId": event.game_id, "live": live, "ended": ended}
    period = "1H" if minute < 45 else "2H"
    return fields | ({"score": "0-0", "elapsed": str(minute), "period": period} if live else {})


def bare_event(row: Row) -> dict[str, object]:
    """The event around a market row: its own, or what can be known of one from a recorded row that came without."""
    events = row.get("events")
    if isinstance(events, list) and events and isinstance(events[0], dict):
        return {key: value for key, value in events[0].items() if key != "markets"}
    shared = {key: value for key, value in row.items() if key in _OF_AN_EVENT}
    return {"ticker": row["slug"], "title": row.get("question", row["slug"])} | shared


def market_with_event(row: Row) -> dict[str, object]:
    """A market as `/markets` gives it: with the event that it belongs to."""
    return {**row, "events": [bare_event(row)]}


def events_of(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The events of these market rows as `/events` gives them, each with its markets, in order of first appearance."""
    found: dict[object, dict[str, object]] = {}
    markets: dict[object, list[object]] = {}
    for row in rows:
        event = bare_event(row)
        found.setdefault(event.get("slug"), event)
        markets.setdefault(event.get("slug"), []).append({key: value for key, value in row.items() if key != "events"})
    return [event | {"markets": markets[slug]} for slug, event in found.items()]
