"""Trades as rows, each sealed with the hash of the one before, so that no row can change, go or come in between unseen."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from adapters.sqlite_ledger.micros import decimal, micros
from domain.ledger import LawBroken, OrderStatus
from domain.market import Market, Moment
from domain.report import Trade, TradeAction


class Entry(NamedTuple):
    """What a row of `trades` says, in the order of its columns. Money, shares and price in micro-units."""

    seq: int
    id: str
    tick: int
    at_ms: int
    elapsed_ms: int
    market: str
    token: str
    action: str
    status: str
    price: int
    shares: int
    notional: int
    fee: int
    realised: int
    cash_after: int
    notes: str
    book_digest: str


class Sealed(NamedTuple):
    """An entry and its links in the chain."""

    entry: Entry
    prev_hash: str
    hash: str


def entry_of(trade: Trade, *, seq: int, tick: int, market: str) -> Entry:
    """The row of a trade. Raises `LawBroken` when it is of no token or not in whole micro-units."""
    if trade.market.token is None:
        raise LawBroken(f"trade {trade.id} is of no token")
    return Entry(
        seq=seq,
        id=trade.id,
        tick=tick,
        at_ms=trade.moment.at_ms,
        elapsed_ms=trade.moment.elapsed_ms,
        market=market,
        token=trade.market.token,
        action=trade.action.value,
        status=trade.status.value,
        price=micros(trade.price),
        shares=micros(trade.shares),
        notional=micros(trade.notional),
        fee=micros(trade.fee),
        realised=micros(trade.realised),
        cash_after=micros(trade.cash_after),
        notes=trade.notes,
        book_digest=trade.digest,
    )


def trade_of(entry: Entry, market: Market) -> Trade:
    """The trade that a row tells of."""
    return Trade(
        id=entry.id,
        moment=Moment(at_ms=entry.at_ms, elapsed_ms=entry.elapsed_ms),
        market=market,
        action=TradeAction(entry.action),
        status=OrderStatus(entry.status),
        price=decimal(entry.price),
        shares=decimal(entry.shares),
        notional=decimal(entry.notional),
        fee=decimal(entry.fee),
        realised=decimal(entry.realised),
        cash_after=decimal(entry.cash_after),
        notes=entry.notes,
        digest=entry.book_digest,
    )


def first_link(ledger_id: str, mode: str, opening_cash: Decimal, created_at_ms: int) -> str:
    """The hash before the first trade: it binds the chain to what the ledger said of itself when it was made."""
    return _hashed([ledger_id, mode, micros(opening_cash), created_at_ms])


def sealed(entry: Entry, last_hash: str) -> Sealed:
    """An entry with its links, after the trade of `last_hash`."""
    return Sealed(entry, last_hash, _hashed([last_hash, *entry]))


def _hashed(values: list[str | int]) -> str:
    canonical = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return sha256(canonical.encode("ascii")).hexdigest()
