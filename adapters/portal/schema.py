"""The register of the portal's files: every name, column and length once, so that nothing can disagree with it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from domain.decision import Number
from domain.market import Moment

Estimate = float | None
Money = Decimal | None


class SignalRow(NamedTuple):
    """`edge_signals_live.csv`: a token whose edge is known in the latest tick."""

    ts: Moment
    market: str
    fair_p: Estimate
    pm_price: Estimate
    edge: Estimate
    spread: Money
    cost_est: Estimate
    edge_net: Estimate
    sources: str
    notes: str


class HedgeSignalRow(NamedTuple):
    """`kraken_futures_signals.csv`: the hedge leg of a fill or payout; `confidence` is the token's fair probability."""

    ts: Moment
    symbol: str
    signal: str
    confidence: Estimate
    edge: Estimate
    ref_price: Estimate
    notes: str


class OrderRow(NamedTuple):
    """`pm_orders.csv`: what became of an order in one tick."""

    ts: Moment
    market: str
    side: str
    token: str
    price: Decimal
    size: Decimal
    status: str
    tx_id: str
    notes: str


class FuturesFillRow(NamedTuple):
    """`kraken_futures_fills.csv`: fills of a live account, none on paper."""

    ts: Moment
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    order_id: str
    position_id: str
    notes: str


class ExecutedTradeRow(NamedTuple):
    """`executed_trades.csv`: trades of a live account, none on paper."""

    ts: Moment
    venue: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    status: str
    notes: str


class PositionRow(NamedTuple):
    """`pm_paper_positions.csv`: an open position, marked at the bid."""

    ts: Moment
    market: str
    token: str
    outcome: str
    shares: Decimal
    avg_entry: Decimal
    last_price: Decimal
    value: Decimal
    unrealized_pnl: Decimal
    adds: int
    last_mid: float
    last_scale_at: Moment | None


class TradeRow(NamedTuple):
    """`pm_paper_trades.csv`: an order that met a book, or a settlement."""

    ts: Moment
    market: str
    token: str | None
    outcome: str
    action: str
    price: Decimal
    shares: Decimal
    notional: Decimal
    cash_after: Decimal
    status: str
    notes: str
    trade_id: str
    fee: Decimal
    realized_pnl: Decimal
    book_hash: str


class CandidateRow(NamedTuple):
    """`pm_paper_candidates.csv`: what one tick decided about one token, and why."""

    ts: Moment
    market: str
    market_ref: str
    token: str | None
    outcome: str
    pm_bid: Money
    pm_ask: Money
    pm_mid: Estimate
    odds: Estimate
    odds_allowed: int | None
    fair_p: Estimate
    ev: Estimate
    edge: Estimate
    spread: Money
    cost_est: Estimate
    edge_net: Estimate
    signal: str
    decision: str
    reason: str
    gate_value: Number | None
    gate_threshold: Number | None
    gate_setting: str


class EquityRow(NamedTuple):
    """`pm_paper_equity.csv`: the account after one tick."""

    ts: Moment
    equity_usd: Decimal
    cash_usd: Decimal
    realized_pnl_usd: Decimal
    unrealized_pnl_usd: Decimal
    open_positions: int


class PriceRow(NamedTuple):
    """`pm_prices.csv`: what a token and its reference cost in one tick."""

    ts: Moment
    market: str
    token: str | None
    reference: Estimate
    bid: Money
    ask: Money
    mid: Estimate
    edge: Estimate


class ScanRow(NamedTuple):
    """`pm_scan_candidates.csv`: a market that discovery found, and why it was kept or left."""

    ts: Moment
    market: str
    slug: str
    url: str
    kind: str
    liquidity_usdc: Money
    spread: Money
    kept: int
    reason: str
    notes: str


Row = (
    SignalRow
    | HedgeSignalRow
    | OrderRow
    | FuturesFillRow
    | ExecutedTradeRow
    | PositionRow
    | TradeRow
    | CandidateRow
    | EquityRow
    | PriceRow
    | ScanRow
)


class Kind(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON = "json"


class Log(StrEnum):
    """What a file keeps: the newest rows, only the latest tick, or a thinned series of all ticks."""

    APPEND = "append"
    LATEST = "latest"
    THINNED = "thinned"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file of the portal. `row` is None for JSON; `kept` is None where there is no limit to keep."""

    name: str
    kind: Kind
    row: type[Row] | None = None
    kept: int | None = None
    log: Log = Log.LATEST

    @property
    def columns(self) -> tuple[str, ...]:
        """The header of a CSV file; empty for JSON."""
        return self.row._fields if self.row is not None else ()


def _json(name: str) -> OutputFile:
    return OutputFile(name=name, kind=Kind.JSON)


def _csv(name: str, row: type[Row], *, log: Log = Log.LATEST, kept: int | None = None) -> OutputFile:
    return OutputFile(name=name, kind=Kind.CSV, row=row, kept=kept, log=log)


LIVE_STATUS = _json("live_status.json")
SOURCES_HEALTH = _json("sources_health.json")
EDGE_SIGNALS = _csv("edge_signals_live.csv", SignalRow)
HEDGE_SIGNALS = _csv("kraken_futures_signals.csv", HedgeSignalRow, log=Log.APPEND, kept=200)
ORDERS = _csv("pm_orders.csv", OrderRow, log=Log.APPEND, kept=200)
FUTURES_FILLS = _csv("kraken_futures_fills.csv", FuturesFillRow, log=Log.APPEND)
EXECUTED_TRADES = _csv("executed_trades.csv", ExecutedTradeRow, log=Log.APPEND)
PORTFOLIO = _json("pm_paper_portfolio.json")
POSITIONS = _csv("pm_paper_positions.csv", PositionRow)
TRADES = _csv("pm_paper_trades.csv", TradeRow, log=Log.APPEND, kept=500)
CANDIDATES = _csv("pm_paper_candidates.csv", CandidateRow, log=Log.APPEND, kept=5000)
EQUITY = _csv("pm_paper_equity.csv", EquityRow, log=Log.THINNED, kept=10_000)
PRICES = _csv("pm_prices.csv", PriceRow, log=Log.APPEND, kept=10_000)
SCAN = _csv("pm_scan_candidates.csv", ScanRow)
MARKETS_INDEX = _json("pm_markets_index.json")
BOOKS = _json("pm_books.json")
MANIFEST = _json("manifest.json")

FILES: tuple[OutputFile, ...] = (
    LIVE_STATUS,
    SOURCES_HEALTH,
    EDGE_SIGNALS,
    HEDGE_SIGNALS,
    ORDERS,
    FUTURES_FILLS,
    EXECUTED_TRADES,
    PORTFOLIO,
    POSITIONS,
    TRADES,
    CANDIDATES,
    EQUITY,
    PRICES,
    SCAN,
    MARKETS_INDEX,
    BOOKS,
    MANIFEST,
)
"""Every file, in the order in which they are written: the manifest last, because it speaks of the others."""
