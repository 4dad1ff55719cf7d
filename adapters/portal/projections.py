"""What happened, as rows: pure functions from a report or a journal to the portal's CSV files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from adapters.portal.cells import number
from adapters.portal.schema import (
    CANDIDATES,
    EDGE_SIGNALS,
    HEDGE_SIGNALS,
    ORDERS,
    POSITIONS,
    PRICES,
    TRADES,
    CandidateRow,
    EquityRow,
    HedgeSignalRow,
    OrderRow,
    OutputFile,
    PositionRow,
    PriceRow,
    Row,
    SignalRow,
    TradeRow,
)
from domain.decision import Signal, Verdict
from domain.fill import whole_micros
from domain.ledger import Action, Ledger, OrderStatus, Position
from domain.market import Moment, Side
from domain.report import EquityPoint, Journal, OrderEvent, Report, Trade, TradeAction

Rows = Mapping[OutputFile, Sequence[Row]]
Item = TypeVar("Item")


def tick_rows(report: Report) -> Rows:
    """What one tick adds to every file but the equity curve."""
    moment = report.moment
    return {
        EDGE_SIGNALS: signal_rows(report.verdicts, moment),
        HEDGE_SIGNALS: hedge_rows(report.orders, report.trades),
        ORDERS: [order_row(event) for event in report.orders],
        POSITIONS: position_rows(report.state.ledger, moment),
        TRADES: [trade_row(trade) for trade in report.trades],
        CANDIDATES: [candidate_row(verdict, moment) for verdict in report.verdicts],
        PRICES: price_rows(report.verdicts, moment),
    }


def journal_rows(journal: Journal, moment: Moment) -> Rows:
    """The newest rows of every file but the equity curve; `moment` is the time of the last tick."""
    past = [(verdict, tick.moment) for tick in journal.verdicts for verdict in tick.verdicts]
    priced = [(verdict, at) for verdict, at in past if _has_price(verdict)]
    latest = journal.verdicts[-1].verdicts if journal.verdicts else ()
    return {
        EDGE_SIGNALS: signal_rows(latest, moment),
        HEDGE_SIGNALS: _newest(hedge_rows(journal.orders, journal.trades), HEDGE_SIGNALS),
        ORDERS: [order_row(event) for event in _newest(journal.orders, ORDERS)],
        POSITIONS: position_rows(journal.state.ledger, moment),
        TRADES: [trade_row(trade) for trade in _newest(journal.trades, TRADES)],
        CANDIDATES: [candidate_row(verdict, at) for verdict, at in _newest(past, CANDIDATES)],
        PRICES: [price_row(verdict, at) for verdict, at in _newest(priced, PRICES)],
    }


def _newest(items: Sequence[Item], file: OutputFile) -> Sequence[Item]:
    return items if file.kept is None else items[-file.kept :]


def candidate_row(verdict: Verdict, moment: Moment) -> CandidateRow:
    """One token in one tick, with the reason."""
    market, signal, costs, cause = verdict.market, verdict.signal, verdict.costs, verdict.cause
    return CandidateRow(
        ts=moment,
        market=market.name,
        market_ref=market.ref,
        token=market.token,
        outcome=market.outcome,
        pm_bid=verdict.bid,
        pm_ask=verdict.ask,
        pm_mid=verdict.quote.mid if verdict.quote else None,
        odds=1 / float(verdict.ask) if verdict.ask else None,
        odds_allowed=None if verdict.in_price_zone is None else int(verdict.in_price_zone),
        fair_p=signal.fair_p if signal else None,
        ev=_expected_value(verdict),
        edge=signal.edge if signal else None,
        spread=verdict.quote.spread if verdict.quote else None,
        cost_est=costs.total if costs else None,
        edge_net=costs.net_edge if costs else None,
        signal=verdict.wish,
        decision=verdict.action,
        reason=cause.reason,
        gate_value=cause.measured,
        gate_threshold=cause.limit,
        gate_setting=cause.setting,
    )


def _expected_value(verdict: Verdict) -> float | None:
    """What a share bought at the ask is worth after the fee, price units."""
    fair_p = verdict.signal.fair_p if verdict.signal else None
    if fair_p is None or verdict.ask is None:
        return None
    price = float(verdict.ask)
    return fair_p - price - verdict.market.fees.per_share(price)


def signal_rows(verdicts: Iterable[Verdict], moment: Moment) -> list[SignalRow]:
    """The tokens whose edge is known."""
    return [
        SignalRow(
            ts=moment,
            market=verdict.market.name,
            fair_p=signal.fair_p,
            pm_price=verdict.quote.mid if verdict.quote else None,
            edge=signal.edge,
            spread=verdict.quote.spread if verdict.quote else None,
            cost_est=verdict.costs.total if verdict.costs else None,
            edge_net=verdict.costs.net_edge if verdict.costs else None,
            sources=verdict.sources,
            notes=_signal_notes(signal, verdict),
        )
        for verdict in verdicts
        if (signal := verdict.signal)
    ]


def _signal_notes(signal: Signal, verdict: Verdict) -> str:
    """What else the strategy saw: `move=0.31 move_min=0.25 decision=enter`, and the legs of a match."""
    seen = (("move", signal.move), ("move_min", signal.move_min), ("decision", verdict.action), *signal.details)
    texts = ((name, value if isinstance(value, str) else number(value)) for name, value in seen if value is not None)
    return " ".join(f"{name}={text}" for name, text in texts)


def price_rows(verdicts: Iterable[Verdict], moment: Moment) -> list[PriceRow]:
    """The tokens that have a price on either side."""
    return [price_row(verdict, moment) for verdict in verdicts if _has_price(verdict)]


def _has_price(verdict: Verdict) -> bool:
    return verdict.bid is not None or verdict.ask is not None


def price_row(verdict: Verdict, moment: Moment) -> PriceRow:
    """What one token and its reference cost."""
    return PriceRow(
        ts=moment,
        market=verdict.market.name,
        token=verdict.market.token,
        reference=verdict.reference,
        bid=verdict.bid,
        ask=verdict.ask,
        mid=verdict.quote.mid if verdict.quote else None,
        edge=verdict.signal.edge if verdict.signal else None,
    )


def order_row(event: OrderEvent) -> OrderRow:
    """What became of an order: what it got where it filled, else what it asked for."""
    execution = event.execution
    order, walk = execution.order, execution.walk
    average = walk.average_price
    what = f"exit={order.reason}" if order.action is Action.EXIT else str(order.action)
    return OrderRow(
        ts=event.moment,
        market=order.market.name,
        side=order.side,
        token=order.token,
        price=order.limit if average is None else average,
        size=order.shares if average is None else walk.shares,
        status=execution.status,
        tx_id=order.id,
        notes=f"{what} {execution.note}".strip(),
    )


def trade_row(trade: Trade) -> TradeRow:
    """One row of the trade log."""
    return TradeRow(
        ts=trade.moment,
        market=trade.market.name,
        token=trade.market.token,
        outcome=trade.market.outcome,
        action=trade.action,
        price=trade.price,
        shares=trade.shares,
        notional=trade.notional,
        cash_after=trade.cash_after,
        status=trade.status,
        notes=trade.notes,
        trade_id=trade.id,
        fee=trade.fee,
        realized_pnl=trade.realised,
        book_hash=trade.digest,
    )


def hedge_rows(events: Iterable[OrderEvent], trades: Iterable[Trade]) -> list[HedgeSignalRow]:
    """The other leg of every fill and payout of a market that names one, oldest first; payouts come first in a tick."""
    rows = [row for trade in trades if (row := _hedge_of_payout(trade))]
    rows += [row for event in events if (row := _hedge_of_fill(event))]
    return sorted(rows, key=lambda row: row.ts.elapsed_ms)


def _hedge_of_fill(event: OrderEvent) -> HedgeSignalRow | None:
    execution, order = event.execution, event.execution.order
    hedge = order.market.hedge
    if hedge is None or execution.status is not OrderStatus.FILLED:
        return None
    opens = order.side is Side.BUY
    did = f"{'bought' if opens else 'sold'} {number(execution.walk.shares)} {order.market.outcome} of {order.market.name}"
    return HedgeSignalRow(
        ts=event.moment,
        symbol=hedge.symbol,
        signal=str(hedge.side if opens else hedge.side.opposite).lower(),
        confidence=order.fair_p,
        edge=order.edge,
        ref_price=order.reference,
        notes=" ".join(filter(None, (f"{'open' if opens else 'close'}: {did}; order {order.id}.", hedge.notes))),
    )


def _hedge_of_payout(trade: Trade) -> HedgeSignalRow | None:
    hedge = trade.market.hedge
    if hedge is None or trade.action is not TradeAction.SETTLE:
        return None
    paid = f"{number(trade.shares)} {trade.market.outcome} of {trade.market.name} paid {number(trade.price)} each"
    return HedgeSignalRow(
        ts=trade.moment,
        symbol=hedge.symbol,
        signal=str(hedge.side.opposite).lower(),
        confidence=None,
        edge=None,
        ref_price=None,
        notes=" ".join(filter(None, (f"close: {paid}.", hedge.notes))),
    )


def position_rows(ledger: Ledger, moment: Moment) -> list[PositionRow]:
    """The open positions, in the order of their entry."""
    return [_position_row(position, moment) for position in ledger.positions.values()]


def _position_row(position: Position, moment: Moment) -> PositionRow:
    value = position.mark.value
    return PositionRow(
        ts=moment,
        market=position.market.name,
        token=position.token,
        outcome=position.market.outcome,
        shares=position.shares,
        avg_entry=position.average_entry,
        last_price=whole_micros(value / position.shares),
        value=value,
        unrealized_pnl=value - position.cost,
        adds=position.adds,
        last_mid=position.last_mid,
        last_scale_at=position.last_scale,
    )


def equity_row(point: EquityPoint) -> EquityRow:
    """The account after one tick."""
    return EquityRow(
        ts=point.moment,
        equity_usd=point.equity,
        cash_usd=point.cash,
        realized_pnl_usd=point.realised,
        unrealized_pnl_usd=point.unrealised,
        open_positions=point.open_positions,
    )
