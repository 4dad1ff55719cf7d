"""The state of things, as JSON: pure functions from the latest tick to the portal's JSON files."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.candidates import Candidate
from adapters.health import SourceHealth
from adapters.portal.cells import NUMBER, iso
from domain.ledger import Ledger, Position
from domain.market import Market, OrderBook, TokenId

Document = Mapping[str, object]

LADDER_LEVELS = 20
"""Levels a side that a ladder shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What stays the same while the daemon runs. `settings` are those in force, free of secrets."""

    ledger_id: str
    started_at_ms: int
    strategy_mode: str
    trading_mode: str
    settings: Mapping[str, str]
    version: str

    @property
    def interval_s(self) -> float | None:
        """Seconds between ticks, when the settings say so."""
        text = self.settings.get("INTERVAL_S", "")
        return float(text) if NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the agent says of itself: the last tick's length in ms, the kill switch, the last error."""

    tick_ms: float | None = None
    killswitch: bool = False
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """What the JSON files tell of the latest tick. `failures` counts the writes that failed, by file."""

    sequence: int
    at_ms: int
    ledger_since_ms: int
    ledger: Ledger
    markets: tuple[Market, ...] = ()
    found: Sequence[Candidate] = ()
    books: Mapping[TokenId, OrderBook] = field(default_factory=dict)
    note: Note = field(default_factory=Note)
    failures: Mapping[str, int] = field(default_factory=dict)


def live_status(run: Run, latest: Latest) -> Document:
    """`live_status.json`: is it alive, and with which settings."""
    return {
        "ts": iso(latest.at_ms),
        "started_at": iso(run.started_at_ms),
        "strategy_mode": run.strategy_mode,
        "trading_mode": run.trading_mode,
        "killswitch": latest.note.killswitch,
        "tick": latest.sequence,
        "tick_ms": latest.note.tick_ms,
        "markets": len(latest.markets),
        "open_positions": len(latest.ledger.positions),
        "last_error": latest.note.last_error,
        "versions": {"python": platform.python_version(), "spelar": run.version},
        "settings": run.settings,
        "disk": {"write_failures": latest.failures},
    }


def sources_health(sources: Mapping[str, object]) -> Document:
    """`sources_health.json`: each source's last success, speed, errors and alarms; a report that is JSON stays as it is."""
    return {name: _source(report) if isinstance(report, SourceHealth) else report for name, report in sources.items()}


def _source(health: SourceHealth) -> Document:
    return {
        "ok": health.ok,
        "last_ok_at": None if health.last_ok_at_ms is None else iso(health.last_ok_at_ms),
        "age_s": health.age_s,
        "latency_ms": {"p50": health.latency_p50_ms, "p95": health.latency_p95_ms},
        "errors": health.errors,
        "alarms": health.alarms,
    }


def portfolio(latest: Latest) -> Document:
    """`pm_paper_portfolio.json`: the books of account."""
    ledger = latest.ledger
    return {
        "generated_at": iso(latest.at_ms),
        "started_at": iso(latest.ledger_since_ms),
        "start_balance_usd": ledger.opening_cash,
        "cash_usd": ledger.cash,
        "equity_usd": ledger.equity,
        "unrealized_pnl_usd": ledger.marked_value - ledger.cost,
        "realized_pnl_usd": ledger.realised,
        "fees_usd": ledger.fees,
        "open_positions": len(ledger.positions),
        "positions": {token: _position(position) for token, position in ledger.positions.items()},
    }


def _position(position: Position) -> Document:
    return {
        "market": position.market.name,
        "outcome": position.market.outcome,
        "shares": position.shares,
        "avg_entry": position.average_entry,
        "opened_at": iso(position.opened.at_ms),
        "adds": position.adds,
        "last_mid": position.last_mid,
        "last_scale_at": iso(position.last_scale.at_ms) if position.last_scale else None,
        "stale": position.mark.stale,
    }


def markets_index(latest: Latest) -> Document:
    """`pm_markets_index.json`: the followed markets, and what discovery found."""
    return {
        "generated_at": iso(latest.at_ms),
        "markets": [_market(market) for market in latest.markets],
        "found": [_found(candidate) for candidate in latest.found],
    }


def order_books(run: Run, latest: Latest) -> Document:
    """`pm_books.json`: the best levels of every book that this tick could believe, best first, and how far orders go."""
    markets = {market.token: market for market in latest.markets if market.token is not None}
    return {
        "generated_at": iso(latest.at_ms),
        "slippage_cap": run.settings.get("LEAD_LAG_SLIPPAGE_CAP") or None,
        "books": {token: _book(markets[token], book) for token, book in latest.books.items() if token in markets},
    }


def _book(market: Market, book: OrderBook) -> Document:
    return {
        "market": market.name,
        "outcome": market.outcome,
        "requested_at": iso(book.requested.at_ms),
        "changed_at": None if book.changed_at_ms is None else iso(book.changed_at_ms),
        "tick_size": book.tick_size,
        "min_order_size": book.min_order_size,
        "hash": book.digest,
        "bids": [list(level) for level in book.bids[:LADDER_LEVELS]],
        "asks": [list(level) for level in book.asks[:LADDER_LEVELS]],
    }


def _found(candidate: Candidate) -> Document:
    listing = candidate.listing
    return {
        "name": candidate.market,
        "slug": candidate.slug,
        "event": candidate.event.slug,
        "url": candidate.url,
        "kind": candidate.kind,
        "kept": candidate.kept,
        "reason": candidate.reason,
        "notes": candidate.notes,
        "tokens": dict(listing.tokens) if listing else {},
        "status": listing.status if listing else None,
        "seen_at": iso(candidate.at.at_ms),
    }


def _market(market: Market) -> Document:
    reference = market.reference
    return {
        "name": market.name,
        "ref": market.ref,
        "token": market.token,
        "outcome": market.outcome,
        "slug": market.slug,
        "event": market.event,
        "three_way": {leg.slug: leg.token for leg in market.three_way.legs} if market.three_way else None,
        "condition_id": market.condition,
        "direction": market.direction,
        "reference": {"source": reference.source, "symbol": reference.symbol, "field": reference.field} if reference else None,
        "accepting": market.accepting,
        "fee_rate": market.fees.rate,
        "fee_exponent": market.fees.exponent,
        "fee_assumed": market.fees.assumed,
    }
