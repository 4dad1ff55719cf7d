"""All that a rule may look at: what is not there is unknown, or a defect of the table's order."""

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.decision import Costs, Signal
from domain.edge import Unit
from domain.history import History
from domain.ledger import Ledger
from domain.market import Quote
from domain.ports import Unavailable
from domain.view import Budget, Limits, Reading, View
from tests.builders import FREE, SIZING, book, market, moment, position

BARE = View(
    now=moment(0),
    at=moment(0),
    reading=Reading(market=market(), book=None, quote=None, reference=None, jump_pct=0.0, history=History(), signal=None),
    position=None,
    ledger=Ledger.opened_with(Decimal(1000)),
    record=None,
    budget=Budget(cash=Decimal(1000), orders=10),
    limits=Limits(),
    sizing=SIZING,
    unit=Unit.PERCENT_OF_MID,
    points=6,
    needs_reference=True,
    peers={},
    delay_ms=0,
    kill_switch=False,
    clock_jump_s=0.0,
)


def test_a_rule_that_asks_for_a_book_before_it_is_known_is_a_defect() -> None:
    """The table's order is wrong then, and no number is made up."""
    with pytest.raises(LookupError, match="has no book"):
        _ = BARE.known_book
    with pytest.raises(LookupError, match="has no quote"):
        _ = BARE.known_quote


def test_what_nobody_knows_is_unknown() -> None:
    """No signal, no costs; no position, no hold; no quote, no move of the mid."""
    held = replace(BARE, position=position())
    assert [BARE.costs, BARE.net_edge_pct, BARE.held_s, BARE.since_fill_s, BARE.lag_ms] == [None] * 5
    assert [view.mid_since_fill_pct for view in (BARE, held)] == [None, None]
    assert [view.mid_since_entry_pct for view in (BARE, held)] == [None, None]


def test_costs_of_exactly_a_limit_are_that_limit() -> None:
    """Half of 0.021 is 28 percent of 0.0375, and 0.03 less half of 0.02 is 0.02: not the last bit of a float beside it."""
    dear = book("0.027/0.048")
    view = replace(BARE, reading=replace(BARE.reading, book=dear, quote=Quote.of(dear)))
    assert view.spread_cost_pct == 28.0
    half = book("0.49/0.51")
    cheap = replace(BARE.reading, market=market(fees=FREE), book=half, quote=Quote.of(half), signal=Signal(edge=0.03))
    seen = replace(BARE, unit=Unit.PROBABILITY, reading=cheap)
    assert seen.costs == Costs(spread=0.01, fee=0.0, net_edge=0.02)
    assert seen.net_edge_pct == 4.0


def test_a_book_without_asks_offers_no_plan() -> None:
    """Neither shares nor a limit."""
    bids_only = book("0.50/")
    view = replace(BARE, reading=replace(BARE.reading, book=bids_only, quote=Quote.of(bids_only)))
    assert (view.entry.shares, view.entry.limit, view.entry.walk.levels) == (Decimal(0), Decimal(0), ())


def test_a_source_that_did_not_deliver_says_which_and_why() -> None:
    """`kind` is for counting, `detail` for people."""
    failed = Unavailable("kraken_spot", "timeout", "5 s")
    assert (str(failed), failed.source, failed.kind) == ("kraken_spot: timeout (5 s)", "kraken_spot", "timeout")
    assert str(Unavailable("polymarket_clob", "http")) == "polymarket_clob: http"
