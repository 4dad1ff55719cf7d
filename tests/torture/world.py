"""A flat world into which fuzzed values are put: nothing in it may trade, and nothing in its files may be no number."""

import asyncio
import csv
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from adapters.candidates import Candidate
from adapters.health import Health
from adapters.paper_broker import PaperBroker
from domain.engine import Rules, step
from domain.market import Market, Moment, OrderBook, Reference, Snapshot
from domain.report import Report
from domain.settle import settle
from domain.state import State
from domain.strategies.lead_lag import LeadLag
from tests.adapters.record_cassettes import NOW_MS
from tests.builders import INTERVAL_S, SPOT, book, market, rules, state
from tests.portal import portal_files

SPIKE_PCT = 10.0
"""The reference gate holds a jump of more than this for a tick; one of less is what a market may do."""

WORDS = frozenset(("nan", "inf", "-inf", "infinity", "-infinity", "snan"))

NAMES = frozenset(("market", "market_ref", "outcome", "slug", "url", "notes", "event"))
"""Columns in which a venue's own words stand: a market may be called NaN."""


class Flat:
    """An agent that has watched one market and its reference for some ticks, in which nothing moved.

    It enters when the reference moves by 10 %: one answer alone can then never make it trade, whatever it says, because the
    agent believes no greater jump before it is confirmed.
    """

    def __init__(self) -> None:
        """Watch for ten ticks."""
        self.rules: Rules = rules(thresholds=LeadLag(spot_move_min_pct=SPIKE_PCT, edge_min_pct=0.01, edge_exit_pct=0.0))
        self.state: State = state()
        self.broker = PaperBroker()
        for n in range(10):
            at = _at(n)
            self.state = self.ticked(_seen(at, market(), book(requested=at), None)).state

    def fed(self, value: object) -> Report | None:
        """One tick with this value in it, from the flat state; None for a value that no tick is made of."""
        at = _at(10)
        match value:
            case OrderBook():
                followed = market(token=value.token)
                return self.ticked(_seen(at, followed, value, None), known_as=value)
            case Reference():
                return self.ticked(_seen(at, market(), book(requested=at), value))
            case Market() if value.token is not None:
                return self.ticked(_seen(at, value, book(token=value.token, requested=at), None))
        return None

    def ticked(self, snapshot: Snapshot, known_as: OrderBook | None = None) -> Report:
        """The report of a tick; the history is that of the book's own token."""
        before = self.state
        if known_as is not None:
            (history,) = before.memory.histories.values()
            memory = _replaced(before.memory, histories={known_as.token: history})
            before = _replaced(before, memory=memory)
        decision = step(self.rules, snapshot, before)
        intents = self.broker.intend(decision.orders)
        return settle(decision, asyncio.run(self.broker.submit(intents, snapshot)) if intents else ())


def _replaced(value: Any, **changes: Any) -> Any:
    """`dataclasses.replace`, for values of any class."""
    return type(value)(**({field.name: getattr(value, field.name) for field in fields(value)} | changes))


def _at(n: int) -> Moment:
    return Moment(at_ms=NOW_MS - (10 - n) * INTERVAL_S * 1000, elapsed_ms=60_000 - (10 - n) * INTERVAL_S * 1000)


def _seen(at: Moment, followed: Market, its_book: OrderBook, spot: Reference | None) -> Snapshot:
    return Snapshot(
        moment=at,
        ready=at,
        markets=(followed,),
        books={its_book.token: its_book},
        references={followed.reference or SPOT: spot or Reference(price=60_000.0, requested=at)},
        payouts={},
    )


def flaw(value: object) -> str:
    """What is wrong with a value anywhere in it: a number that is none, or a text that no file can hold; "" if nothing."""
    match value:
        case None | bool() | int() | bytes() | Path() | SecretStr():
            return ""
        case float():
            return "" if math.isfinite(value) else f"the number {value}"
        case Decimal():
            return "" if value.is_finite() else f"the number {value}"
        case str():
            return (
                "" if value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value) else f"the text {value!r}"
            )
        case BaseModel():
            return _first_flaw(dict(value).values())
        case Mapping():
            return _first_flaw([*value, *value.values()])
        case tuple() | list() | set() | frozenset():
            return _first_flaw(value)
    return _first_flaw([getattr(value, field.name) for field in fields(value)]) if is_dataclass(value) else ""


def _first_flaw(values: Any) -> str:
    for each in values:
        if found := flaw(each):
            return found
    return ""


def unlawful(book: OrderBook) -> str:
    """What is wrong with a book, judged anew; "" if nothing."""
    for side, sign in ((book.bids, -1), (book.asks, 1)):
        prices = [level.price * sign for level in side]
        if prices != sorted(set(prices)) or not all(0 < level.price < 1 and 0 < level.size < 10**15 for level in side):
            return f"the levels {side[:3]}"
    if not (book.token.isascii() and book.token.isdecimal()) or book.min_order_size < 0:
        return f"the token {book.token!r} or the least size {book.min_order_size}"
    return ""


class Files:
    """The portal's real files over whatever was parsed."""

    def __init__(self, folder: Path) -> None:
        """Start empty."""
        self.folder = folder
        self._met: list[Candidate] = []
        self._portal = portal_files(
            folder, started_at_ms=NOW_MS, sources=lambda at_ms: Health().report(at_ms), found=lambda: tuple(self._met)
        )

    def show(self, reports: list[Report], met: list[Candidate]) -> str:
        """Publish these, and say what is wrong with a file; "" if nothing."""
        self._met = met
        self.folder.mkdir(parents=True, exist_ok=True)
        for report in reports:
            self._portal.publish(report)
        self._portal.close()
        return next((f"{path.name}: {found}" for path in sorted(self.folder.iterdir()) if (found := _wrong_in(path))), "")


def _wrong_in(path: Path) -> str:
    text = path.read_bytes().decode("utf-8")
    if path.suffix == ".json":
        return flaw(json.loads(text))
    rows = csv.DictReader(StringIO(text, newline=""))
    cells = (cell for row in rows for name, cell in row.items() if name not in NAMES and cell is not None)
    return next((f"the cell {cell!r}" for cell in cells if cell.strip().lower() in WORDS), "")
