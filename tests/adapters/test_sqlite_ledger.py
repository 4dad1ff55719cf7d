"""The ledger on disk: what is saved is there, and what is there and wrong is refused. Real files, real kills."""

import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.portal.thinning import thinned
from adapters.sqlite_ledger import LedgerForbidden, LedgerInvalid, LedgerUnwritable, SqliteLedger
from adapters.sqlite_ledger.backups import back_up
from adapters.sqlite_ledger.books import half_even
from adapters.sqlite_ledger.codecs import Judgement
from adapters.sqlite_ledger.micros import decimal, micros
from adapters.sqlite_ledger.opening import Identity, connect, create
from adapters.sqlite_ledger.schema import EQUITY, VERSION
from adapters.sqlite_ledger.shelf import MarketShelf
from adapters.sqlite_ledger.trades import Entry
from adapters.sqlite_ledger.versions import sqlite_doubt
from adapters.sqlite_ledger.writing import KEPT_VERDICTS, write_equity
from domain.decision import Verdict
from domain.ledger import LawBroken, OrderStatus
from domain.market import Side
from domain.report import Report
from domain.state import State
from tests.adapters.other_user import NOBODY, can_become_another, told_nobody
from tests.adapters.small_disks import frozen, small_disk
from tests.contracts.ledger_store import ledger_store_contract, reports
from tests.contracts.ledger_ticks import Deed, market, moment, opening, ticked, token


@contextmanager
def opened(path: Path, cash: int = 1_000, mode: str = "paper") -> Iterator[SqliteLedger]:
    """The ledger of a path, closed at the end."""
    with closing(SqliteLedger.open(path, opening_cash=Decimal(cash), mode=mode, now_ms=1_790_000_000_000)) as store:
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of a test lies."""
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def worked(path: Path) -> Path:
    """A ledger in which something of every kind happened, closed cleanly."""
    with opened(path) as store:
        for report in reports():
            store.save(report)
    return path


def tampered(path: Path, sql: str) -> None:
    """Change a closed ledger as a stranger would, checks and keys off."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        changed = connection.execute(sql).rowcount
    assert changed != 0, "nothing was tampered with"


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    """What a closed ledger answers to a query."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


# --- what every store promises, and what is kept -----------------------------------------------------------------------


def test_it_is_a_ledger_store(tmp_path: Path) -> None:
    """The contract, each part with a file of its own."""
    stores: list[SqliteLedger] = []

    def make() -> SqliteLedger:
        place = tmp_path / f"{len(stores)}.sqlite3"
        stores.append(SqliteLedger.open(place, opening_cash=Decimal(1_000), now_ms=1))
        return stores[-1]

    try:
        ledger_store_contract(make)
    finally:
        for store in stores:
            store.close()


def test_what_the_protections_remember_is_committed_with_the_tick(path: Path) -> None:
    """Results of what is held, a row of losses and the last stops; and it is written only where it changes."""
    with opened(path) as store:
        report = ticked(store.load(), (Deed(token=token(0)),))
        record = report.state.memory.record
        assert record is not None
        assert record.results == {token(0): report.trades[0].realised}
        record = replace(record, losses=3).stopped(token(1), moment(1))
        store.save(replace(report, state=replace(report.state, memory=replace(report.state.memory, record=record))))
    before = asked(path, "SELECT record FROM protections")
    with opened(path) as store:
        assert store.load().memory.record == record
        store.save(ticked(store.load()))
    assert asked(path, "SELECT record FROM protections") == before
    tampered(path, "UPDATE protections SET record = '{}'")
    with pytest.raises(LedgerInvalid, match="Record"), opened(path):
        pass


def test_everything_is_there_after_reopening(worked: Path) -> None:
    """State, memory, the order of positions, waiting orders, the journal and the identity."""
    with opened(worked) as store:
        assert store.load() == reports()[-1].state
        assert len(store.load().ledger.pending) == 1
        assert store.journal().trades == tuple(trade for report in reports() for trade in report.trades)
        assert (store.created_at_ms, store.mode, store.sequence) == (1_790_000_000_000, "paper", 4)
        first = store.ledger_id
    with opened(worked) as store:
        assert store.ledger_id == first == store.journal().ledger_id


def test_the_file_is_made_as_the_rules_say(worked: Path) -> None:
    """Marked as ours, in WAL mode, strict tables, and the log folded in at the end."""
    assert asked(worked, "PRAGMA application_id") == [(0x5350454C,)]
    assert asked(worked, "PRAGMA user_version") == [(VERSION,)]
    assert asked(worked, "PRAGMA journal_mode") == [("wal",)]
    loose = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'"
    assert asked(worked, loose) == []
    assert [file.name for file in worked.parent.iterdir()] == ["ledger.sqlite3"]


def test_rows_have_the_fields_of_what_they_keep(worked: Path) -> None:
    """A new field of the domain must not be forgotten silently."""
    assert {*Judgement._fields, "market"} == {field.name for field in fields(Verdict)}
    columns = [name for (name,) in asked(worked, "SELECT name FROM pragma_table_info('trades') ORDER BY cid")]
    assert columns == [*Entry._fields, "prev_hash", "hash"]


def test_an_old_ledger_keeps_its_opening_cash(worked: Path) -> None:
    """The caller can see it and warn."""
    with opened(worked, cash=5_000) as store:
        assert store.opening_cash == 1_000
        assert store.load().ledger.opening_cash == 1_000


def test_an_account_without_a_cent_stays_without_one(path: Path) -> None:
    """Nothing left is not nothing known: no new opening cash comes of it."""
    with opened(path, cash=0) as store:
        assert store.load().ledger.cash == 0
    with opened(path, cash=1_000) as store:
        assert store.load().ledger.cash == store.opening_cash == 0


def test_histories_that_are_gone_are_forgotten(path: Path) -> None:
    """And those that stay are not written again, but there."""
    with opened(path) as store:
        first = ticked(opening(), tokens=[token(0), token(1)])
        store.save(first)
        second = ticked(first.state, tokens=[token(1), token(2)])
        store.save(second)
        third = replace(second, state=replace(second.state, sequence=3))
        store.save(third)
    with opened(path) as store:
        assert store.load() == third.state
        assert set(store.load().memory.histories) == {token(1), token(2)}


def test_positions_come_back_in_the_order_of_their_entry(path: Path) -> None:
    """A token that was sold and bought again stands last."""
    state = opening()
    rounds = [(0, Side.BUY), (1, Side.BUY), (0, Side.SELL), (0, Side.BUY)]
    with opened(path) as store:
        for number, side in rounds:
            report = ticked(state, [Deed(token=token(number), side=side)])
            store.save(report)
            state = report.state
    with opened(path) as store:
        assert list(store.load().ledger.positions) == [token(1), token(0)]


# --- what is forgotten -------------------------------------------------------------------------------------------------


def test_equity_points_are_thinned_as_the_portal_thins_them() -> None:
    """Tick by tick, with a small limit: the rows are always those that the rule would choose of all."""
    state, points = opening(), []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(EQUITY)
        for _ in range(150):
            report = ticked(state)
            state = report.state
            points.append(report.equity)
            write_equity(connection, report.equity, kept=16)
            kept = [sequence for (sequence,) in connection.execute("SELECT sequence FROM equity ORDER BY sequence")]
            assert kept == [point.sequence for point in thinned(points, 16)]


@pytest.mark.slow
def test_the_newest_ticks_of_ten_thousand_verdicts_stay(path: Path) -> None:
    """And markets that nothing speaks of any more can go, except those of a trade."""
    state, early, late = opening(), [token(n) for n in range(400)], [token(n) for n in range(1_000, 1_400)]
    with opened(path) as store:
        for sequence in range(1, 51):
            deeds = [Deed(token=token(7), side=Side.BUY if sequence == 1 else Side.SELL)] if sequence < 3 else []
            report = ticked(state, deeds, early if sequence < 20 else late)
            store.save(report)
            state = report.state
        assert [tick.sequence for tick in store.journal().verdicts] == list(range(26, 51))
        assert sum(len(tick.verdicts) for tick in store.journal().verdicts) == KEPT_VERDICTS
    with closing(connect(path)) as connection:
        MarketShelf(connection).forget_unused()
    assert asked(path, "SELECT count(*) FROM markets") == [(401,)]
    with opened(path) as store:
        assert len(store.journal().trades) == 2


def test_every_thousandth_tick_forgets_markets_that_nothing_speaks_of(worked: Path) -> None:
    """Those of trades, positions and kept verdicts stay."""
    tampered(worked, "UPDATE state SET sequence = 999")
    with closing(connect(worked)) as connection:
        MarketShelf(connection).digest_of(market(token(77)))
    spoken_of = "SELECT count(*) FROM markets"
    assert asked(worked, spoken_of) == [(4,)]
    with opened(worked) as store:
        store.save(ticked(store.load()))
    assert asked(worked, spoken_of) == [(3,)]


def test_the_journal_holds_the_newest_orders_and_trades(path: Path) -> None:
    """All of the 1,000 order events that are kept, 500 trades of all."""
    report = ticked(opening(), [Deed(token=token(0), status=OrderStatus.REJECTED)] * 1_200)
    with opened(path) as store:
        store.save(report)
        journal = store.journal()
    assert journal.orders == report.orders[-1_000:]
    assert journal.trades == report.trades[-500:]
    assert asked(path, "SELECT count(*) FROM order_events") == [(1_000,)]
    assert asked(path, "SELECT count(*) FROM trades") == [(1_200,)]


# --- random lives --------------------------------------------------------------------------------------------------------

LIVES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["buy", "sell", "settle", "refuse", "wait", "nothing"]),
        st.integers(1, 3_000),
        st.booleans(),
    ),
    max_size=25,
)


def deed(state: State, settled: set[str], number: int, kind: str, size: int) -> list[Deed]:
    """What is possible of a wish: nothing is sold or settled that is not held, and nothing twice."""
    name, shares = token(number), Decimal(size) / 100
    held = state.ledger.positions.get(name)
    if kind == "settle" and held:
        settled.add(name)
        return [Deed(token=name, payout=Decimal(size % 3) / 2)]
    if kind == "sell" and held:
        return [Deed(token=name, side=Side.SELL, shares=min(shares, held.shares))]
    if kind in ("buy", "refuse", "wait") and name not in settled:
        status = {"buy": OrderStatus.FILLED, "refuse": OrderStatus.REJECTED, "wait": OrderStatus.PENDING}[kind]
        return [Deed(token=name, shares=shares, status=status)]
    return []


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(life=LIVES)
def test_any_life_is_read_back_as_it_was(life: list[tuple[int, str, int, bool]]) -> None:
    """Buys, partial sales and payouts, with the process ending at any point: equal states, and the fold holds."""
    with TemporaryDirectory() as directory:
        path, state, settled, saved = Path(directory) / "ledger.sqlite3", opening(), set[str](), list[Report]()
        store = SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=1)
        try:
            for number, kind, size, reopen in life:
                saved.append(ticked(state, deed(state, settled, number, kind, size)))
                store.save(saved[-1])
                state = saved[-1].state
                if reopen:
                    store.close()
                    store = SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=1)
                assert store.load() == state
            assert store.journal().trades == tuple(trade for report in saved for trade in report.trades)
        finally:
            store.close()
        with opened(path) as again:
            assert again.load() == state


@given(dividend=st.integers(0, 10**24), divisor=st.integers(1, 10**12))
def test_whole_numbers_round_as_the_domain_does(dividend: int, divisor: int) -> None:
    """Half to even, exactly."""
    assert half_even(dividend, divisor) == round(Fraction(dividend, divisor))


@given(whole=st.integers(-(10**15), 10**15))
def test_micro_units_go_through_the_door_unchanged(whole: int) -> None:
    """Both ways."""
    assert micros(decimal(whole)) == whole


def test_nothing_is_rounded_at_the_door() -> None:
    """An amount of seven decimals is a defect of whoever made it."""
    with pytest.raises(LawBroken, match="micro"):
        micros(Decimal("0.1234567"))


# --- ticks that must not be saved ----------------------------------------------------------------------------------------


def test_a_tick_out_of_turn_is_refused(path: Path) -> None:
    """The same tick twice, or one too far."""
    first, second, third, *_ = reports()
    for wrong in (first, third):
        with opened(path) as store:
            if store.sequence == 0:
                store.save(first)
            with pytest.raises(LawBroken, match="does not follow"):
                store.save(wrong)
    with opened(path) as store:
        store.save(second)
        assert store.load() == second.state


def test_a_tick_whose_trades_do_not_make_its_state_is_refused(path: Path) -> None:
    """Before it reaches the disk; the object then refuses everything, and the file is as before."""
    first, second, *_ = reports()
    with opened(path) as store:
        store.save(first)
        with pytest.raises(LawBroken, match="add up"):
            store.save(replace(second, trades=()))
        with pytest.raises(LedgerUnwritable, match="earlier tick"):
            store.save(second)
    with opened(path) as store:
        assert store.load() == first.state


def test_a_state_with_another_opening_cash_is_refused(path: Path) -> None:
    """It is of another ledger."""
    with opened(path) as store, pytest.raises(LawBroken, match="began with 5"):
        store.save(ticked(opening(5)))


def test_a_trade_of_no_token_is_refused(path: Path) -> None:
    """Nobody could say what was bought."""
    first, *_ = reports()
    nameless = [replace(trade, market=replace(trade.market, token=None)) for trade in first.trades]
    with opened(path) as store, pytest.raises(LawBroken, match="of no token"):
        store.save(replace(first, trades=tuple(nameless)))


def test_a_sale_of_more_than_is_held_is_refused(path: Path) -> None:
    """Also of something never bought."""
    bought = ticked(opening(), [Deed(token=token(0))])
    sold = ticked(bought.state, [Deed(token=token(0), side=Side.SELL)])
    more = [replace(trade, shares=trade.shares + 1) for trade in sold.trades]
    with opened(path) as store:
        store.save(bought)
        with pytest.raises(LawBroken, match="from a position of 10000000"):
            store.save(replace(sold, trades=tuple(more)))


def test_a_trade_is_booked_once(path: Path) -> None:
    """An id that is there already stops the tick."""
    first, second, *_ = reports()
    twice = replace(second, trades=tuple(replace(trade, id=first.trades[0].id) for trade in second.trades))
    with opened(path) as store:
        store.save(first)
        with pytest.raises(LedgerUnwritable, match="UNIQUE"):
            store.save(twice)
    with opened(path) as store:
        assert store.load() == first.state
        assert store.journal().trades == first.trades


# --- files that must not be opened ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trades SET notional = notional + 1 WHERE seq = 2",
        "UPDATE trades SET notes = notes || ' ' WHERE seq = 1",
        "UPDATE trades SET hash = substr(hash, 2) || '0' WHERE seq = 2",
        "UPDATE trades SET prev_hash = substr(prev_hash, 2) || '0' WHERE seq = 1",
        "DELETE FROM trades WHERE seq = 1",
        "DELETE FROM trades WHERE status = 'rejected'",
        "DELETE FROM trades WHERE seq = (SELECT max(seq) FROM trades)",
        "DELETE FROM trades",
        "UPDATE state SET cash = cash - 1",
        "UPDATE state SET cash = cash + 1, realised = realised + 1",
        "UPDATE state SET fees = fees + 1",
        "UPDATE state SET last_hash = substr(last_hash, 2) || '0'",
        "UPDATE state SET reference_prices = '['",
        "DELETE FROM state",
        "DELETE FROM meta",
        "UPDATE meta SET opening_cash = opening_cash + 1000000",
        "UPDATE positions SET shares = shares + 1",
        "DELETE FROM positions",
        "UPDATE waiting SET wish = '{}'",
        "UPDATE markets SET market = replace(market, 'Bitcoin', 'Ether')",
        "DELETE FROM markets",
        "UPDATE histories SET samples = substr(samples, 1, 20)",
        "DROP TABLE trades",
    ],
)
def test_a_ledger_that_was_changed_is_refused(worked: Path, sql: str) -> None:
    """By its hashes, its fold, or because it no longer reads as a ledger."""
    tampered(worked, sql)
    with pytest.raises(LedgerInvalid, match=r"ledger\.sqlite3 is refused"), opened(worked):
        pass


def test_a_flipped_bit_in_a_page_is_found(worked: Path) -> None:
    """SQLite's own check says ok to it."""
    content = worked.read_bytes()
    assert content.count(b"lead_lag enter fee") > 0
    worked.write_bytes(content.replace(b"lead_lag enter fee", b"lead_lag ente2 fee", 1))
    assert asked(worked, "PRAGMA quick_check") == [("ok",)]
    with pytest.raises(LedgerInvalid, match="hash does not fit"), opened(worked):
        pass


def test_a_journal_that_does_not_read_is_refused(worked: Path) -> None:
    """Verdicts and orders are no part of the fold: they are read when the files are made."""
    tampered(worked, "UPDATE verdicts SET markets = '[]' WHERE sequence = 2")
    with opened(worked) as store, pytest.raises(LedgerInvalid):
        store.journal()


def _empty(path: Path) -> None:
    path.touch()


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(8_192))


def _directory(path: Path) -> None:
    path.mkdir()


def _log_alone(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(b"old log")


def _foreign(path: Path) -> None:
    tampered(path, "CREATE TABLE recipes (name TEXT)")


@pytest.mark.parametrize("put", [_empty, _garbage, _directory, _log_alone, _foreign])
def test_what_is_no_ledger_is_refused_and_left_alone(path: Path, put: Callable[[Path], None]) -> None:
    """Another program's file is not turned into ours, nor is anything written over."""
    put(path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    for _ in range(2):
        with pytest.raises(LedgerInvalid, match="move ledger"), opened(path):
            pass
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before


@pytest.mark.parametrize(("version", "why"), [(VERSION + 1, "newer program"), (0, "never was")])
def test_tables_of_another_version_are_refused(worked: Path, version: int, why: str) -> None:
    """A downgrade must not guess."""
    tampered(worked, f"PRAGMA user_version={version}")
    with pytest.raises(LedgerInvalid, match=why), opened(worked):
        pass


def test_a_paper_ledger_is_not_opened_for_real_money(worked: Path) -> None:
    """Nor the other way round."""
    with pytest.raises(LedgerInvalid, match="paper ledger, not live"), opened(worked, mode="live"):
        pass


def test_a_token_is_paid_out_once(path: Path) -> None:
    """The tables hold it, whatever the domain thinks."""
    bought = ticked(opening(), [Deed(token=token(0))])
    paid = ticked(bought.state, [Deed(token=token(0), payout=Decimal(1))])
    again = ticked(paid.state, [Deed(token=token(0))])
    twice = ticked(again.state, [Deed(token=token(0), payout=Decimal(1))])
    renamed = replace(twice, trades=tuple(replace(trade, id="another") for trade in twice.trades))
    with opened(path) as store:
        for report in (bought, paid, again):
            store.save(report)
        with pytest.raises(LedgerUnwritable, match=r"UNIQUE.*trades\.token"):
            store.save(renamed)


@pytest.mark.parametrize(
    ("version", "doubted"),
    [((3, 40, 1), True), ((3, 44, 6), False), ((3, 45, 0), True), ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 3), False)],
)
def test_a_version_of_sqlite_with_a_known_defect_is_doubted(version: tuple[int, int, int], doubted: bool) -> None:
    """The lines that have it mended are not."""
    assert bool(sqlite_doubt(version)) is doubted


# --- files that know more than the ledger -------------------------------------------------------------------------------


def test_files_of_this_ledger_and_not_ahead_are_fine(worked: Path) -> None:
    """So is no manifest, or one that does not say."""
    with opened(worked) as store:
        for sequence, identity in (
            (None, None),
            (9, None),
            (None, store.ledger_id),
            (3, store.ledger_id),
            (4, store.ledger_id),
        ):
            store.refuse_if_behind(sequence, identity)


def test_files_ahead_of_the_ledger_are_refused(worked: Path) -> None:
    """The message says how to go on."""
    with opened(worked) as store, pytest.raises(LedgerInvalid, match=r"show tick 5, the ledger ends with 4.*manifest\.json"):
        store.refuse_if_behind(5, store.ledger_id)


def test_files_of_another_ledger_are_refused(path: Path) -> None:
    """Above all by a ledger that was made this minute because the old one is gone."""
    with opened(path) as store, pytest.raises(LedgerInvalid, match="made just now"):
        store.refuse_if_behind(0, "another")
    with opened(path) as store, pytest.raises(LedgerInvalid, match="are of ledger another"):
        store.refuse_if_behind(0, "another")


# --- disks that fail ----------------------------------------------------------------------------------------------------


def test_a_full_disk_loses_nothing_that_was_acknowledged(path: Path) -> None:
    """The tick that found no room never was; with room, it goes on."""
    with opened(path):
        pass
    connection = connect(path)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 20}")
    state = opening()
    with closing(SqliteLedger(path, connection)) as store:
        room = True
        while room and state.sequence < 200:
            report = ticked(state, [Deed(token=token(0), status=OrderStatus.REJECTED)])
            try:
                store.save(report)
                state = report.state
            except LedgerUnwritable as refused:
                room = "full" not in refused.why
        with pytest.raises(LedgerUnwritable, match="earlier tick"):
            store.save(ticked(state))
    assert 5 < state.sequence < 200
    with opened(path) as store:
        assert store.load() == state
        assert len(store.journal().trades) == state.sequence
        store.save(ticked(state))


def test_a_disk_that_is_really_full_loses_nothing_and_is_used_again(tmp_path: Path) -> None:
    """Until there is room every start fails as well, and says that the disk is full."""
    state = opening()
    with small_disk(tmp_path / "disk", 1_000) as disk:
        ballast, path = disk / "ballast", disk / "ledger.sqlite3"
        with opened(path) as store:
            ballast.write_bytes(bytes(300_000))
            with pytest.raises(LedgerUnwritable, match="full"):  # noqa: PT012 - until it is full
                for _ in range(500):
                    report = ticked(state, [Deed(token=token(0), status=OrderStatus.REJECTED)])
                    store.save(report)
                    state = report.state
        with closing(SqliteLedger.open_to_read(path)) as store:
            assert store.load() == state
        with pytest.raises(LedgerUnwritable, match="full"):
            back_up(path, disk / "backups/copy.sqlite3")
        assert list((disk / "backups").iterdir()) == []
        ballast.unlink()
        with opened(path) as store:
            assert store.load() == state
            assert len(store.journal().trades) == state.sequence > 5
            store.save(ticked(state))


@can_become_another
@pytest.mark.parametrize("name", ["ledger.sqlite3", "ledger.sqlite3-wal"])
def test_a_ledger_of_another_user_is_refused_with_the_user(name: str) -> None:
    """Its directory may be written, the file may not: as after a start by root."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite3"
        with opened(path) as store:
            for report in reports():
                store.save(report)
            for place in (path.parent, *path.parent.iterdir()):
                os.chown(place, NOBODY, NOBODY)
            os.chown(path.with_name(name), 0, 0)
            said = told_nobody(lambda: SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=1), LedgerForbidden)
            assert said == f"{path.with_name(name)} may not be read and written by uid {NOBODY}: {OWNER}"


OWNER = f"run as its owner, or give it to uid {NOBODY}"


def test_a_ledger_on_a_disk_that_became_read_only_is_refused(tmp_path: Path) -> None:
    """Not even root can write it."""
    with small_disk(tmp_path / "disk", 1_000) as disk:
        path = disk / "ledger.sqlite3"
        with opened(path):
            pass
        frozen(disk)
        with pytest.raises(LedgerForbidden, match=r"ledger\.sqlite3 may not be"), opened(path):
            pass


@pytest.mark.parametrize(("uid", "who"), [(None, "this user"), (7, "uid 7")])
def test_who_may_not_open_the_ledger_is_named(uid: int | None, who: str) -> None:
    """By the number, where users have one."""
    assert (
        str(LedgerForbidden(Path("l"), uid)) == f"l may not be read and written by {who}: run as its owner, or give it to {who}"
    )


def test_a_ledger_that_is_busy_for_a_moment_is_waited_for(worked: Path) -> None:
    """Before the tick begins, so that nothing of it is done twice."""
    with opened(worked) as store, closing(sqlite3.connect(worked, isolation_level=None, check_same_thread=False)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.05, stranger.execute, ["ROLLBACK"])
        end.start()
        store.save(ticked(store.load()))
        end.join()
        assert store.sequence == 5


def test_a_ledger_that_another_process_writes_to_is_unwritable(worked: Path) -> None:
    """It waits for the other before it begins, then gives up."""
    connection = connect(worked)
    connection.execute("PRAGMA busy_timeout=50")
    with (
        closing(SqliteLedger(worked, connection)) as store,
        closing(sqlite3.connect(worked, isolation_level=None)) as stranger,
    ):
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnwritable, match="locked"):
            store.save(ticked(store.load()))


def test_a_directory_that_is_not_there_is_unwritable(tmp_path: Path) -> None:
    """The state lock makes the directory; the ledger does not."""
    with pytest.raises(LedgerUnwritable, match="unable to open"), opened(tmp_path / "gone" / "ledger.sqlite3"):
        pass


def test_a_closed_ledger_says_so(worked: Path) -> None:
    """Closing twice is fine, saving is not."""
    with opened(worked) as store:
        store.close()
        with pytest.raises(LedgerUnwritable, match="closed"):
            store.save(reports()[0])
        with pytest.raises(LedgerUnwritable):
            store.load()


# --- processes that die -------------------------------------------------------------------------------------------------

forks = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")


def busy_tick(state: State) -> Report:
    """A tick that follows from the state alone: any process that lives the same ticks has the same state."""
    chance = random.Random(state.sequence)
    kind = chance.choice(["buy", "sell", "sell", "refuse", "wait" if not state.ledger.pending else "sell"])
    return ticked(state, deed(state, set(), chance.randrange(3), kind, chance.randrange(1, 400)))


def replayed(state: State, sequence: int) -> State:
    """The state after ticking on to `sequence`, without a ledger."""
    while state.sequence < sequence:
        state = busy_tick(state).state
    return state


def live_on(path: Path, mouth: int) -> None:
    """Tick without end, and say each tick's number after it was saved."""
    store = SqliteLedger.open(path, opening_cash=Decimal(1_000), now_ms=1)
    state = store.load()
    for _ in count():
        report = busy_tick(state)
        store.save(report)
        state = report.state
        os.write(mouth, b"%d\n" % state.sequence)


def killed(path: Path, after_s: float, ticks: int = 0) -> int:
    """Let a process live on the ledger for so long and so many ticks, and kill it; the last tick it acknowledged or 0."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            live_on(path, mouth)
        finally:
            os._exit(1)
    os.close(mouth)
    with open(ear, "rb") as answers:
        heard = [int(answers.readline()) for _ in range(ticks)]
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        heard += [int(line) for line in answers]
    assert os.WIFSIGNALED(status), "the process ended by itself"
    return max(heard, default=0)


@forks
def test_kill_9_loses_nothing_and_doubles_nothing(path: Path) -> None:
    """At ten random moments, the making of the ledger included: the state is the one that the same ticks make."""
    chance, acknowledged, state = random.Random(), 0, opening()
    for life in range(10):
        early = life < 3
        acknowledged = max(acknowledged, killed(path, chance.uniform(0, 0.002 if early else 0.03), ticks=0 if early else 2))
        with opened(path) as store:
            assert store.sequence in (acknowledged, acknowledged + 1)
            state = replayed(state, store.sequence)
            assert store.load() == state
            assert len({trade.id for trade in store.journal().trades}) == len(store.journal().trades)
            acknowledged = store.sequence
    assert acknowledged >= 14, "the later lives ticked twice each, and nothing of it was lost"


@forks
def test_a_copy_without_its_log_is_behind_the_files(path: Path, tmp_path: Path) -> None:
    """The log of a killed process holds the newest ticks; the file alone adds up, but the manifest knows better."""
    with opened(path) as store:
        identity = store.ledger_id
    seen = killed(path, 0, ticks=5)
    copy = tmp_path / "copy.sqlite3"
    shutil.copy(path, copy)
    with opened(copy) as store:
        assert store.sequence < seen
        with pytest.raises(LedgerInvalid, match="show tick"):
            store.refuse_if_behind(seen, identity)
    with opened(path) as store:
        store.refuse_if_behind(seen, identity)


@forks
def test_a_flipped_bit_in_the_log_is_behind_the_files(path: Path) -> None:
    """SQLite drops the rows after it in silence and says that all is well; the manifest knows better."""
    with opened(path) as store:
        identity = store.ledger_id
    seen = killed(path, 0, ticks=6)
    log = path.with_name("ledger.sqlite3-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    assert asked(path, "PRAGMA integrity_check") == [("ok",)]
    with opened(path) as store:
        assert store.sequence < seen
        with pytest.raises(LedgerInvalid, match="show tick"):
            store.refuse_if_behind(seen, identity)


def test_a_draft_that_a_crash_left_is_no_ledger(path: Path) -> None:
    """The making starts again."""
    path.with_name("ledger.sqlite3.new").write_bytes(b"half a ledger")
    with opened(path) as store:
        assert store.load() == opening()
    assert [file.name for file in path.parent.iterdir()] == ["ledger.sqlite3"]


def test_making_a_ledger_syncs_and_renames(path: Path) -> None:
    """What `create` leaves is whole without being opened by us once."""
    create(path, Identity(ledger_id="mine", mode="paper", opening_cash=Decimal(1), created_at_ms=7))
    assert asked(path, "SELECT ledger_id, mode, opening_cash, created_at_ms FROM meta") == [("mine", "paper", 1_000_000, 7)]
