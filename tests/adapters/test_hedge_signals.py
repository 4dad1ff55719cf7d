"""`kraken_futures_signals.csv`: the other leg of every fill and payout, decided, settled, kept and made again for real."""

import csv
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.portal import FILES
from adapters.portal.projections import hedge_rows, journal_rows
from adapters.portal.schema import HEDGE_SIGNALS, HedgeSignalRow
from adapters.sqlite_ledger import SqliteLedger
from domain.fair import Constant
from domain.fill import LevelFill, Walk
from domain.ledger import Execution, OrderStatus
from domain.market import Hedge, Market, Side, Snapshot
from domain.report import Journal, OrderEvent, Report
from domain.strategies.fair_model import FairModelThresholds, fair_model
from tests.adapters.test_portal_files import assert_complete, moment, portal_of, rows
from tests.builders import YES, book, market, order, rules
from tests.builders import moment as noon
from tests.fakes import Play

HEDGE = Hedge(symbol="PF_XBTUSD", side=Side.SELL, notes="half a contract")
FAIR = fair_model(FairModelThresholds(max_hold_s=30.0))


def hedged(name: str = "btc", hedge: Hedge | None = HEDGE) -> Market:
    """A market whose Yes is worth 0.9, with its other leg."""
    return market(name, reference=None, fair=Constant(p=0.9), hedge=hedge)


def tick(
    seconds: float,
    of: Market,
    *,
    quote: str = "0.50/0.51",
    size: int = 500,
    pays: str | None = None,
    wall_step_s: float = 0,
) -> Snapshot:
    """One tick of one market, with its book and perhaps its payout."""
    at = noon(seconds, wall_step_s=wall_step_s)
    paid = {} if pays is None else {YES: Decimal(pays)}
    books = {YES: book(quote, size=size, requested=at)}
    return Snapshot(moment=at, ready=at, markets=(of,), books=books, references={}, payouts=paid)


def played(*ticks: Snapshot) -> list[Report]:
    """Reports of fair_model over these ticks."""
    return Play(rules(strategy=FAIR)).ticks(ticks)


def signals(reports: Iterable[Report]) -> list[HedgeSignalRow]:
    """The rows of these ticks, tick by tick."""
    return [row for report in reports for row in hedge_rows(report.orders, report.trades)]


def event(status: OrderStatus, of: Market, *, side: Side = Side.BUY, number: int = 1) -> OrderEvent:
    """An order for ten shares that came to this, of which four were there."""
    asked = replace(order(side, of=of, id=f"{number}-0"), edge=0.025, fair_p=0.53, reference=60_600.5)
    walk = Walk((LevelFill(Decimal("0.5"), Decimal(4), Decimal("0.07")),)) if status is OrderStatus.FILLED else Walk()
    return OrderEvent(moment=noon(15 * number), execution=Execution(order=asked, status=status, walk=walk))


class TestRows:
    def test_an_entry_opens_the_other_leg_and_an_exit_closes_it(self) -> None:
        """The same future, the other way round."""
        opened, closed = signals(played(tick(0, hedged()), tick(30, hedged())))
        assert (opened.symbol, opened.signal, closed.symbol, closed.signal) == ("PF_XBTUSD", "sell", "PF_XBTUSD", "buy")
        assert opened.notes == "open: bought 10 Yes of btc; order 1-0. half a contract"
        assert closed.notes == "close: sold 10 Yes of btc; order 2-0. half a contract"
        assert (opened.ts, closed.ts) == (noon(0), noon(30))
        assert (opened.confidence, opened.ref_price) == (0.9, None)
        assert opened.edge == pytest.approx(0.395)

    @pytest.mark.parametrize("pays", ["1", "0", "0.5"])
    def test_a_payout_closes_it_whatever_it_pays(self, pays: str) -> None:
        """Nothing was decided, so nothing is known of edge and fair probability."""
        _, closed = signals(played(tick(0, hedged()), tick(15, hedged(), pays=pays)))
        assert closed == HedgeSignalRow(
            ts=noon(15),
            symbol="PF_XBTUSD",
            signal="buy",
            confidence=None,
            edge=None,
            ref_price=None,
            notes=f"close: 10 Yes of btc paid {pays} each. half a contract",
        )

    def test_a_token_that_is_hedged_by_buying_is_closed_by_selling(self) -> None:
        """As the map says of the No side."""
        buying = hedged(hedge=Hedge(symbol="PF_ETHUSD", side=Side.BUY))
        assert [(row.signal, row.notes) for row in signals(played(tick(0, buying), tick(30, buying)))] == [
            ("buy", "open: bought 10 Yes of btc; order 1-0."),
            ("sell", "close: sold 10 Yes of btc; order 2-0."),
        ]

    @pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.PENDING, OrderStatus.CANCELLED])
    @pytest.mark.parametrize("side", Side)
    def test_an_order_that_moved_nothing_hedges_nothing(self, status: OrderStatus, side: Side) -> None:
        """Whatever became of it."""
        assert hedge_rows([event(status, hedged(), side=side)], []) == []

    def test_a_market_without_another_leg_has_no_rows(self) -> None:
        """Neither for fills nor for payouts, although it traded."""
        plain = hedged(hedge=None)
        reports = played(tick(0, plain), tick(15, plain, pays="1"))
        assert [trade.action for report in reports for trade in report.trades] == ["BUY", "SETTLE"]
        assert signals(reports) == []

    def test_a_partial_fill_says_the_shares_that_it_got(self) -> None:
        """Of ten shares four were there; the other leg is for four."""
        (row,) = hedge_rows([event(OrderStatus.FILLED, hedged())], [])
        assert row.notes == "open: bought 4 Yes of btc; order 1-0. half a contract"
        assert (row.confidence, row.edge, row.ref_price) == (0.53, 0.025, 60_600.5)

    def test_a_position_that_leaves_in_parts_closes_in_parts(self) -> None:
        """Ten in; six at the bids, then the other four."""
        thin = (tick(30, hedged(), size=2), tick(45, hedged(), size=2), tick(60, hedged()))
        rows_ = signals(played(tick(0, hedged()), *thin))
        assert [(row.signal, row.notes.split(" Yes")[0]) for row in rows_][:3] == [
            ("sell", "open: bought 10"),
            ("buy", "close: sold 4"),
            ("buy", "close: sold 4"),
        ]
        assert rows_[3].notes.startswith("close: sold 2 ")

    def test_the_other_leg_is_that_of_the_entry_although_the_map_has_changed_since(self) -> None:
        """A payout closes what was opened: the position remembers its market."""
        _, closed = signals(
            played(tick(0, hedged()), tick(15, hedged(hedge=Hedge(symbol="PF_ETHUSD", side=Side.BUY)), pays="1"))
        )
        assert (closed.symbol, closed.signal) == ("PF_XBTUSD", "buy")


class TestTheFile:
    def test_has_the_columns_of_the_contract_and_plain_cells(self, tmp_path: Path) -> None:
        """Times in UTC, numbers as plain decimals, what is unknown empty."""
        portal = portal_of(tmp_path)
        portal.rebuild(_empty())
        for report in played(tick(0, hedged()), tick(15, hedged(), pays="0.5")):
            portal.publish(report)
        portal.close()
        assert (tmp_path / HEDGE_SIGNALS.name).read_text().splitlines() == [
            "ts,symbol,signal,confidence,edge,ref_price,notes",
            "2026-03-02T12:00:00.000+00:00,PF_XBTUSD,sell,0.9,0.395,,open: bought 10 Yes of btc; order 1-0. half a contract",
            "2026-03-02T12:00:15.000+00:00,PF_XBTUSD,buy,,,,close: 10 Yes of btc paid 0.5 each. half a contract",
        ]

    def test_keeps_the_newest_two_hundred_tick_by_tick_and_all_at_once(self, tmp_path: Path) -> None:
        """Oldest first."""
        events = tuple(event(OrderStatus.FILLED, hedged(), number=number) for number in range(1, 211))
        journal = replace(_empty(), orders=events)
        shown = journal_rows(journal, moment(0))[HEDGE_SIGNALS]
        assert [str(row).split("order ")[1].split("-")[0] for row in shown] == [str(n) for n in range(11, 211)]
        grown, rebuilt = portal_of(tmp_path / "grown"), portal_of(tmp_path / "rebuilt")
        grown.rebuild(_empty())
        (blank,) = played(tick(0, hedged(hedge=None)))
        for number, happened in enumerate(events, start=1):
            state = replace(blank.state, sequence=number)
            grown.publish(replace(blank, state=state, moment=happened.moment, orders=(happened,), trades=()))
        grown.close()
        rebuilt.rebuild(journal)
        name = HEDGE_SIGNALS.name
        assert (tmp_path / "grown" / name).read_bytes() == (tmp_path / "rebuilt" / name).read_bytes()
        assert len(rows(tmp_path / "grown", HEDGE_SIGNALS)) == 200

    def test_is_made_again_whole_where_every_order_waited_for_its_book_first(self, tmp_path: Path) -> None:
        """A taker delay makes two events of each fill: two hundred rows stand on four hundred events."""
        statuses = (OrderStatus.PENDING, OrderStatus.FILLED)
        events = tuple(event(status, hedged(), number=number) for number in range(1, 201) for status in statuses)
        (blank,) = played(tick(0, hedged(hedge=None), quote="0.98/0.99"))
        with closing(_ledger(tmp_path)) as store:
            store.save(replace(blank, orders=events))
        with closing(_ledger(tmp_path)) as store:
            assert len(journal_rows(store.journal(), noon(0))[HEDGE_SIGNALS]) == 200

    @pytest.mark.parametrize("wall_step_s", [0, -3600, 3600])
    def test_is_made_again_from_the_ledger_byte_for_byte(self, tmp_path: Path, wall_step_s: float) -> None:
        """Entry, partial exit, exit, entry of another and its payout, with a real ledger that was closed and opened again.

        The wall clock may have been corrected in between, by an hour to either side: rows stay in the order of their ticks.
        """
        other = replace(hedged("eth"), token=YES)
        ticks = (
            tick(0, hedged()),
            tick(30, hedged(), size=2),
            tick(45, hedged(), wall_step_s=wall_step_s),
            tick(60, hedged(), wall_step_s=wall_step_s),
            tick(75, other, wall_step_s=wall_step_s),
            tick(90, other, pays="1", wall_step_s=wall_step_s),
        )
        grown, rebuilt = portal_of(tmp_path / "grown"), portal_of(tmp_path / "rebuilt")
        with closing(_ledger(tmp_path)) as store:
            grown.rebuild(store.journal())
            for report in played(*ticks):
                store.save(report)
                grown.publish(replace(report, books={}))  # the ledger keeps no books: they are of one tick
            grown.close()
        with closing(_ledger(tmp_path)) as store:
            rebuilt.rebuild(store.journal())
        assert len(rows(tmp_path / "grown", HEDGE_SIGNALS)) >= 4
        for file in FILES:
            assert (tmp_path / "grown" / file.name).read_bytes() == (tmp_path / "rebuilt" / file.name).read_bytes(), file.name

    @pytest.mark.parametrize(
        "name",
        ['=cmd|"/C calc"!A0', "line\nbreak\r\n", 'say "hi", ok', "\u202egnp.exe", "\ud800", "x" * 10_000, ",,,", "@SUM(1)"],
    )
    def test_stays_whole_whatever_a_market_a_symbol_or_a_note_is_called(self, tmp_path: Path, name: str) -> None:
        """No cell becomes a formula, no row becomes two, and a ledger can keep and give back the names that JSON can."""
        named = replace(hedged(name, Hedge(symbol=name, side=Side.SELL, notes=name)), outcome=name)
        portal = portal_of(tmp_path)
        portal.rebuild(_empty())
        for report in played(tick(0, named), tick(15, named, pays="1")):
            portal.publish(report)
        portal.close()
        assert_complete(tmp_path)
        found = rows(tmp_path, HEDGE_SIGNALS)
        assert [row["signal"] for row in found] == ["sell", "buy"]
        for row in found:
            assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) and len(cell) <= 201 for cell in row.values())
        with (tmp_path / HEDGE_SIGNALS.name).open(newline="", encoding="utf-8") as file:
            assert [len(cells) for cells in csv.reader(file, strict=True)] == [7, 7, 7]


def _empty() -> Journal:
    store = Play(rules(strategy=FAIR))
    return Journal(
        state=store.state, ledger_id="0f9d", started_at_ms=noon(0).at_ms, verdicts=(), orders=(), trades=(), equity=()
    )


def _ledger(tmp_path: Path) -> SqliteLedger:
    return SqliteLedger.open(tmp_path / "ledger.sqlite3", opening_cash=Decimal(1000), now_ms=noon(0).at_ms)
