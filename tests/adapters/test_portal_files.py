"""The portal's files: complete, whole, as long as they should be, and never in the way of a tick."""

import csv
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.health import Health
from adapters.portal import FILES, MANIFEST, ManifestIdentity, OutputFile, PortalFiles, read_manifest
from adapters.portal.disk import FILE_LIMIT, Disk
from adapters.portal.schema import CANDIDATES, EDGE_SIGNALS, EQUITY, ORDERS, POSITIONS, PRICES, TRADES, Kind, Log
from adapters.portal.tables import Lines, table
from domain.decision import Cause, Costs, Reason, Signal, Verdict
from domain.fees import FeeSchedule
from domain.fill import LevelFill, Walk
from domain.ledger import Action, Execution, Ledger, Mark, Order, OrderStatus
from domain.market import Market, Moment, Quote, ReferenceId, Side, TokenId
from domain.ports import Portal
from domain.report import Journal, OrderEvent, Report, Trade, TradeAction, Verdicts
from domain.state import State
from tests.builders import book

START_MS = 1_772_411_962_119
TOKEN = TokenId("7" * 77)
LEDGER_ID = "0f9d"

CONTRACT = """
live_status.json |
sources_health.json |
edge_signals_live.csv | ts,market,fair_p,pm_price,edge,spread,cost_est,edge_net,sources,notes
kraken_futures_signals.csv | ts,symbol,signal,confidence,edge,ref_price,notes | 200
pm_orders.csv | ts,market,side,token,price,size,status,tx_id,notes | 200
kraken_futures_fills.csv | ts,symbol,side,qty,price,fee,order_id,position_id,notes
executed_trades.csv | ts,venue,symbol,side,qty,price,status,notes
pm_paper_portfolio.json |
pm_paper_positions.csv | ts,market,token,outcome,shares,avg_entry,last_price,value,unrealized_pnl,adds,last_mid,last_scale_at
pm_paper_trades.csv | ts,market,token,outcome,action,price,shares,notional,cash_after,status,notes,trade_id,fee,realized_pnl,book_hash | 500
pm_paper_candidates.csv | ts,market,market_ref,token,outcome,pm_bid,pm_ask,pm_mid,odds,odds_allowed,fair_p,ev,edge,spread,cost_est,edge_net,signal,decision,reason,gate_value,gate_threshold,gate_setting | 5000
pm_paper_equity.csv | ts,equity_usd,cash_usd,realized_pnl_usd,unrealized_pnl_usd,open_positions | 10000
pm_prices.csv | ts,market,token,reference,bid,ask,mid,edge | 10000
pm_scan_candidates.csv | ts,market,slug,url,kind,liquidity_usdc,spread,kept,reason,notes
pm_markets_index.json |
pm_books.json |
manifest.json |
"""  # noqa: E501
"""Section 7 of the specification, copied by hand."""


def moment(tick: int) -> Moment:
    """The time of a tick, 15 seconds apart."""
    return Moment(at_ms=START_MS + 15_000 * tick, elapsed_ms=15_000 * tick)


def market(name: str = "Will Bitcoin rise?", token: TokenId | None = TOKEN) -> Market:
    """A followed token."""
    return Market(
        name=name,
        ref="bitcoin-up",
        token=token,
        outcome="Yes",
        reference=ReferenceId("kraken_spot", "XBTUSD"),
        fees=FeeSchedule(rate=Decimal("0.07")),
    )


def entered(of: Market) -> Verdict:
    """A token that the agent buys, with everything known."""
    return Verdict(
        market=of,
        action=Action.ENTER,
        cause=Cause(reason=Reason.ENTER),
        bid=Decimal("0.48"),
        ask=Decimal("0.5"),
        quote=Quote(bid=Decimal("0.48"), ask=Decimal("0.5"), mid=0.49),
        reference=67_000.1,
        signal=Signal(edge=0.1 + 0.2, move=0.31, move_min=0.25, fair_p=0.52),
        costs=Costs(spread=0.01, fee=0.0175, net_edge=0.2725),
        in_price_zone=True,
        wish="buy",
        sources="polymarket_clob+kraken_spot",
    )


def skipped(of: Market, reason: Reason = Reason.NO_ORDERBOOK) -> Verdict:
    """A token of which nothing is known."""
    return Verdict(market=of, action=Action.SKIP, cause=Cause(reason=reason, measured=0, limit=1, setting="X"))


def bought(of: Market) -> Execution:
    """Ten shares at one half."""
    order = Order(
        id="1-0",
        market=of,
        token=TOKEN,
        side=Side.BUY,
        action=Action.ENTER,
        reason="enter",
        shares=Decimal(10),
        limit=Decimal("0.51"),
        decided=moment(1),
    )
    walk = Walk((LevelFill(Decimal("0.5"), Decimal(10), Decimal("0.175")),))
    return Execution(order=order, status=OrderStatus.FILLED, walk=walk, book_mid=0.49, digest="b0b")


def state(tick: int, *, holding: bool = False, of: Market | None = None) -> State:
    """The state after a tick, with or without the ten shares."""
    ledger = Ledger.opened_with(Decimal(1000))
    if holding:
        ledger = ledger.booked(bought(of or market()), moment(1)).ledger.marked({TOKEN: Mark(value=Decimal("4.8"))})
    return State(sequence=tick, ledger=ledger)


def report(tick: int, *verdicts: Verdict) -> Report:
    """A tick without trades."""
    return Report(state=state(tick), moment=moment(tick), verdicts=verdicts, orders=(), trades=())


def buying(tick: int, of: Market | None = None) -> Report:
    """A tick that buys."""
    followed = of or market()
    execution = bought(followed)
    trade = Trade(
        id="1-0",
        moment=moment(tick),
        market=followed,
        action=TradeAction.BUY,
        status=OrderStatus.FILLED,
        price=Decimal("0.500000"),
        shares=Decimal(10),
        notional=Decimal("5.000000"),
        fee=Decimal("0.17500"),
        realised=Decimal("-0.17500"),
        cash_after=Decimal("994.825000"),
        notes="lead_lag enter fee=0.175",
        digest="b0b",
    )
    return Report(
        state=state(tick, holding=True, of=followed),
        moment=moment(tick),
        verdicts=(entered(followed), skipped(market("Other", None))),
        orders=(OrderEvent(moment=moment(tick), execution=execution),),
        trades=(trade,),
    )


def journal_of(*reports: Report) -> Journal:
    """The past as the ledger keeps it."""
    return Journal(
        state=reports[-1].state if reports else state(0),
        ledger_id=LEDGER_ID,
        started_at_ms=START_MS,
        verdicts=tuple(Verdicts(sequence=r.state.sequence, moment=r.moment, verdicts=r.verdicts) for r in reports),
        orders=tuple(event for r in reports for event in r.orders),
        trades=tuple(trade for r in reports for trade in r.trades),
        equity=tuple(r.equity for r in reports),
    )


def plain_sources(now_ms: int) -> Mapping[str, object]:
    """A report per source."""
    return {"kraken_spot": {"ok": True, "age_s": 0.1 + 0.2, "latency_ms": {"p50": 41.5, "p95": float("nan")}, "errors": {}}}


def portal_of(out_dir: Path, sources: Callable[[int], Mapping[str, object]] = plain_sources) -> PortalFiles:
    """The portal as the container builds it."""
    return PortalFiles(
        out_dir,
        ledger_id=LEDGER_ID,
        started_at_ms=START_MS,
        strategy_mode="lead_lag",
        trading_mode="paper",
        settings={"INTERVAL_S": "15", "STRATEGY_MODE": "lead_lag"},
        sources=sources,
        version="0.1.0",
    )


@contextmanager
def opened(out_dir: Path, *past: Report) -> Iterator[PortalFiles]:
    """A portal that was rebuilt, and is closed in the end."""
    portal = portal_of(out_dir)
    portal.rebuild(journal_of(*past))
    try:
        yield portal
    finally:
        portal.close()


def rows(out_dir: Path, file: OutputFile) -> list[dict[str, str]]:
    """A CSV file as a reader sees it."""
    with (out_dir / file.name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def document(out_dir: Path, name: str) -> dict[str, object]:
    """A JSON file as a strict reader sees it."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{name} says {word}")

    found = json.loads((out_dir / name).read_text(encoding="utf-8"), parse_constant=refuse)
    assert isinstance(found, dict)
    return found


def assert_complete(out_dir: Path) -> None:
    """Every file is there and well-formed, and nothing else is."""
    assert sorted(path.name for path in out_dir.iterdir()) == sorted(file.name for file in FILES)
    for file in FILES:
        text = (out_dir / file.name).read_bytes()
        assert text.endswith(b"\n")
        if file.kind is Kind.JSON:
            document(out_dir, file.name)
            continue
        with (out_dir / file.name).open(encoding="utf-8", newline="") as lines:
            table_ = list(csv.reader(lines, strict=True))
        assert tuple(table_[0]) == file.columns
        assert all(len(row) == len(file.columns) for row in table_)


def test_the_register_is_the_specification() -> None:
    """Names, order, columns and lengths are the contract's."""
    lines = [[part.strip() for part in line.split("|")] for line in CONTRACT.strip().splitlines()]
    assert [file.name for file in FILES] == [line[0] for line in lines]
    assert [",".join(file.columns) for file in FILES] == [line[1] for line in lines]
    assert [file.kept for file in FILES] == [int(line[2]) if len(line) > 2 else None for line in lines]
    assert [file for file in FILES if file.log is Log.THINNED] == [EQUITY]
    assert all(file.name.endswith(f".{file.kind}") for file in FILES)
    assert FILES[-1] is MANIFEST


def test_all_files_exist_before_the_first_tick(tmp_path: Path) -> None:
    """An empty ledger makes a complete portal, in a directory that did not exist."""
    out_dir = tmp_path / "deep" / "data"
    with opened(out_dir) as portal:
        assert_complete(out_dir)
        assert portal.write_failures == {}
    assert document(out_dir, "pm_paper_portfolio.json")["cash_usd"] == 1000
    assert read_manifest(out_dir) == ManifestIdentity(ledger_id=LEDGER_ID, sequence=0)


def test_it_is_the_port_that_the_core_asks_for(tmp_path: Path) -> None:
    """The adapter is a `Portal`."""
    with opened(tmp_path) as portal:
        port: Portal = portal
        port.publish(report(1))
    assert document(tmp_path, MANIFEST.name)["tick"] == 1


def test_a_tick_that_buys_is_in_every_file(tmp_path: Path) -> None:
    """One tick, and all that it did, to the letter."""
    with opened(tmp_path) as portal:
        portal.note(tick_ms=12.25, last_error="polymarket_clob: timeout")
        portal.publish(buying(1))
    assert_complete(tmp_path)
    ts = "2026-03-02T00:39:37.119+00:00"
    assert (tmp_path / TRADES.name).read_text().splitlines()[1] == (
        f"{ts},Will Bitcoin rise?,{TOKEN},Yes,BUY,0.5,10,5,994.825,filled,lead_lag enter fee=0.175,1-0,0.175,-0.175,b0b"
    )
    assert (tmp_path / CANDIDATES.name).read_text().splitlines()[1:] == [
        f"{ts},Will Bitcoin rise?,bitcoin-up,{TOKEN},Yes,0.48,0.5,0.49,2,1,0.52,0.0025,0.3,0.02,0.0275,0.2725,"
        "buy,enter,enter,,,",
        f"{ts},Other,bitcoin-up,,Yes,,,,,,,,,,,,,skip,no_orderbook,0,1,X",
    ]
    assert (tmp_path / EDGE_SIGNALS.name).read_text().splitlines()[1:] == [
        f"{ts},Will Bitcoin rise?,0.52,0.49,0.3,0.02,0.0275,0.2725,polymarket_clob+kraken_spot,"
        "move=0.31 move_min=0.25 decision=enter"
    ]
    assert (tmp_path / PRICES.name).read_text().splitlines()[1:] == [
        f"{ts},Will Bitcoin rise?,{TOKEN},67000.1,0.48,0.5,0.49,0.3"
    ]
    assert (tmp_path / ORDERS.name).read_text().splitlines()[1] == (
        f"{ts},Will Bitcoin rise?,BUY,{TOKEN},0.5,10,filled,1-0,enter"
    )
    assert (tmp_path / POSITIONS.name).read_text().splitlines()[1] == (
        f"{ts},Will Bitcoin rise?,{TOKEN},Yes,10,0.5,0.48,4.8,-0.2,0,0.49,"
    )
    assert (tmp_path / EQUITY.name).read_text().splitlines()[1:] == [f"{ts},999.625,994.825,-0.175,-0.2,1"]


def test_the_documents_have_the_keys_of_the_contract(tmp_path: Path) -> None:
    """Status, portfolio, sources and markets, after a tick."""
    with opened(tmp_path) as portal:
        portal.note(tick_ms=12.25, last_error="polymarket_clob: timeout")
        portal.publish(replace(buying(1), kill_switch=True))
    live = document(tmp_path, "live_status.json")
    assert {"ts", "started_at", "strategy_mode", "trading_mode", "versions", "settings"} < set(live)
    assert (live["tick"], live["tick_ms"], live["killswitch"], live["markets"], live["open_positions"]) == (
        1,
        12.25,
        True,
        2,
        1,
    )
    assert live["last_error"] == "polymarket_clob: timeout"
    book = document(tmp_path, "pm_paper_portfolio.json")
    assert (book["equity_usd"], book["unrealized_pnl_usd"], book["fees_usd"]) == (999.625, -0.2, 0.175)
    assert book["positions"] == {
        TOKEN: {
            "market": "Will Bitcoin rise?",
            "outcome": "Yes",
            "shares": 10,
            "avg_entry": 0.5,
            "opened_at": "2026-03-02T00:39:37.119+00:00",
            "adds": 0,
            "last_mid": 0.49,
            "last_scale_at": None,
            "stale": False,
        }
    }
    assert document(tmp_path, "sources_health.json")["kraken_spot"] == {
        "ok": True,
        "age_s": 0.3,
        "latency_ms": {"p50": 41.5, "p95": None},
        "errors": {},
    }
    markets = document(tmp_path, "pm_markets_index.json")["markets"]
    assert isinstance(markets, list)
    assert [entry["token"] for entry in markets] == [TOKEN, None]


def test_the_health_of_the_sources_is_told_in_words_of_the_contract(tmp_path: Path) -> None:
    """What `Health` counts, with the time of the last success as a time and a source that never answered as not ok."""
    health = Health()
    health.alarm("polymarket_gamma", "btc-up", "the market charges 0.08")
    health.ok("kraken_spot", 40.0, START_MS)
    health.failed("polymarket_clob", "timeout")
    portal = portal_of(tmp_path, sources=health.report)
    portal.rebuild(journal_of())
    portal.publish(report(1))
    portal.close()
    assert document(tmp_path, "sources_health.json") == {
        "kraken_spot": {
            "ok": True,
            "last_ok_at": "2026-03-02T00:39:22.119+00:00",
            "age_s": 15,
            "latency_ms": {"p50": 40, "p95": 40},
            "errors": {},
            "alarms": {},
        },
        "polymarket_clob": {
            "ok": False,
            "last_ok_at": None,
            "age_s": None,
            "latency_ms": {"p50": None, "p95": None},
            "errors": {"timeout": 1},
            "alarms": {},
        },
        "polymarket_gamma": {
            "ok": False,
            "last_ok_at": None,
            "age_s": None,
            "latency_ms": {"p50": None, "p95": None},
            "errors": {},
            "alarms": {"btc-up": "the market charges 0.08"},
        },
    }


def test_a_note_stays_until_it_is_cleared(tmp_path: Path) -> None:
    """Nothing said leaves what was said; an empty error says that all is well again."""
    with opened(tmp_path) as portal:
        portal.note(last_error="disk")
        portal.note(tick_ms=3.0)
        portal.publish(report(1))
        portal.close()
        assert document(tmp_path, "live_status.json")["last_error"] == "disk"
        portal.note(last_error="")
        portal.publish(report(2))
    assert document(tmp_path, "live_status.json")["last_error"] is None
    assert document(tmp_path, "live_status.json")["killswitch"] is False


def test_the_manifest_tells_what_the_files_hold(tmp_path: Path) -> None:
    """Rows, size and newest datum of every other file."""
    with opened(tmp_path) as portal:
        portal.publish(buying(1))
        portal.publish(report(2))
    found = document(tmp_path, MANIFEST.name)
    files = found["files"]
    assert isinstance(files, dict)
    assert list(files) == [file.name for file in FILES[:-1]]
    assert all(entry["bytes"] == (tmp_path / name).stat().st_size for name, entry in files.items())
    assert files[TRADES.name] | {"bytes": 0} == {"rows": 1, "newest": "2026-03-02T00:39:37.119+00:00", "bytes": 0}
    assert files[POSITIONS.name] | {"bytes": 0} == {"rows": 0, "newest": "2026-03-02T00:39:52.119+00:00", "bytes": 0}
    assert files["kraken_futures_fills.csv"] | {"bytes": 0} == {"rows": 0, "newest": None, "bytes": 0}
    assert (found["tick"], found["sequence"], found["interval_s"]) == (2, 2, 15)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"ledger_id": 1, "sequence": 1}', '{"ledger_id": "a", "sequence": true}']
)
def test_a_broken_manifest_says_nothing(tmp_path: Path, text: str) -> None:
    """The guard at the start can live with any file, or none."""
    assert read_manifest(tmp_path) is None
    (tmp_path / MANIFEST.name).write_text(text)
    assert read_manifest(tmp_path) is None


def test_a_rebuilt_portal_equals_one_that_grew(tmp_path: Path) -> None:
    """The files hang on the ledger alone: tick by tick or all at once, they are the same, byte by byte."""
    ticks = [buying(1), report(2, skipped(market())), report(3, entered(market()), skipped(market("B"), Reason.WARMUP))]
    grown, rebuilt = tmp_path / "grown", tmp_path / "rebuilt"
    with opened(grown) as portal:
        for tick in ticks:
            portal.publish(tick)
    with opened(rebuilt, *ticks):
        pass
    for file in FILES:
        assert (grown / file.name).read_bytes() == (rebuilt / file.name).read_bytes(), file.name


@pytest.mark.parametrize(
    "name", ['=cmd|"/C calc"!A0', "line\nbreak", 'say "hi", ok', "\u202egnp.exe", "\ud800", "x" * 10_000, ",,,"]
)
def test_a_hostile_name_breaks_no_file(tmp_path: Path, name: str) -> None:
    """Every file stays well-formed and no cell becomes a formula, whatever a market is called."""
    with opened(tmp_path) as portal:
        portal.note(last_error=name)
        portal.publish(buying(1, market(name)))
    assert_complete(tmp_path)
    for file in (CANDIDATES, TRADES, ORDERS, POSITIONS, PRICES, EDGE_SIGNALS):
        shown = rows(tmp_path, file)[0]["market"]
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert len(shown) <= 201


def test_no_cell_is_a_float_with_noise(tmp_path: Path) -> None:
    """No number in any CSV file has an exponent or more than eight decimals."""
    wild = replace(
        entered(market()), reference=1e-7, signal=Signal(edge=1 / 3, move=-1e-12, move_min=float("inf"), fair_p=2 / 3)
    )
    with opened(tmp_path) as portal:
        portal.publish(report(1, wild))
    for file in (CANDIDATES, PRICES, EDGE_SIGNALS):
        cells = [text for row in rows(tmp_path, file) for text in row.values()]
        numbers = [text for text in cells if re.fullmatch(r"[-+0-9.eEinfa]+", text) and text != TOKEN]
        assert all(re.fullmatch(r"-?[0-9]+(\.[0-9]{0,7}[1-9])?", text) for text in numbers), numbers


@pytest.mark.parametrize("file", [TRADES, ORDERS])
def test_a_log_keeps_exactly_the_newest_rows(tmp_path: Path, file: OutputFile) -> None:
    """Oldest first, as many as the contract says, after a rebuild and after more ticks."""
    kept = file.kept or 0
    past = [buying(tick) for tick in range(1, kept + 20)]
    with opened(tmp_path, *past) as portal:
        assert [row["ts"] for row in rows(tmp_path, file)] == sorted(row["ts"] for row in rows(tmp_path, file))
        assert len(rows(tmp_path, file)) == kept
        portal.publish(buying(kept + 20))
    found = rows(tmp_path, file)
    assert len(found) == kept
    assert found[-1]["ts"] > found[-2]["ts"]
    with opened(tmp_path / "again", *past, buying(kept + 20)):
        assert rows(tmp_path / "again", file) == found


def test_many_candidates_of_one_tick_are_cut_to_the_newest() -> None:
    """The limit counts rows, not ticks."""
    short = table(replace(ORDERS, kept=3))
    with_rows = Lines(sequence=1, at_ms=1, encoded=(b"1\n", b"2\n", b"3\n", b"4\n"), newest_ms=1)
    short.add(with_rows)
    assert list(short.lines) == [b"2\n", b"3\n", b"4\n"]


def test_the_last_state_is_on_the_disk_after_close(tmp_path: Path) -> None:
    """Two hundred ticks in a burst: some never reach the disk by themselves, the last one does, and no row is lost."""
    before = threading.active_count()
    with opened(tmp_path) as portal:
        for tick in range(1, 201):
            portal.publish(report(tick, entered(market())))
    assert document(tmp_path, MANIFEST.name)["tick"] == 200
    assert len(rows(tmp_path, CANDIDATES)) == 200
    assert len(rows(tmp_path, EDGE_SIGNALS)) == 1
    assert threading.active_count() == before


def test_a_portal_can_be_closed_twice_and_publish_again(tmp_path: Path) -> None:
    """Closing is not the end of the object, only of its thread."""
    with opened(tmp_path) as portal:
        portal.publish(report(1))
        portal.close()
        portal.close()
        portal.publish(report(2))
    assert document(tmp_path, MANIFEST.name)["tick"] == 2


@pytest.mark.slow
def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """A reader in a tight loop finds complete files only, in every one of many writes."""
    done = threading.Event()
    seen: list[int] = []
    torn: list[str] = []
    columns = len(CANDIDATES.columns)

    def read() -> None:
        while not done.is_set():
            text = (tmp_path / CANDIDATES.name).read_text()
            lines = text.split("\n")
            whole = lines[-1] == "" and all(line.count(",") == columns - 1 for line in lines[:-1])
            status = (tmp_path / "live_status.json").read_text()
            if not whole or not status.endswith("}\n"):
                torn.append(text[-200:])
            seen.append(len(lines))

    verdicts = [entered(market()) for _ in range(50)]
    with opened(tmp_path) as portal:
        reader = threading.Thread(target=read)
        reader.start()
        for tick in range(1, 80):
            portal.publish(report(tick, *verdicts))
            portal.close()
        done.set()
        reader.join()
    assert torn == []
    assert len(set(seen)) > 3


def test_a_file_that_cannot_be_written_leaves_the_others_alone(tmp_path: Path) -> None:
    """One name is blocked: that file is counted and shown, the others go on, nothing temporary stays, and it heals."""
    blocked = tmp_path / TRADES.name
    (blocked / "something").mkdir(parents=True)
    with opened(tmp_path) as portal:
        portal.publish(buying(1))
        portal.close()
        failures = portal.write_failures
        assert set(failures) == {TRADES.name}
        assert document(tmp_path, MANIFEST.name)["tick"] == 1
        assert len(rows(tmp_path, CANDIDATES)) == 2
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []
        status = document(tmp_path, "live_status.json")["disk"]
        assert isinstance(status, dict)
        assert status["write_failures"][TRADES.name] >= 1
        (blocked / "something").rmdir()
        blocked.rmdir()
        portal.publish(report(2))
    assert len(rows(tmp_path, TRADES)) == 1
    assert_complete(tmp_path)


def held_open(times: int) -> Callable[[Path, Path], None]:
    """A file system that refuses to replace a file so many times, as Windows does while a reader has it open."""
    left = [times]

    def replace_unless_held(source: Path, target: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "used by another process", str(target))
        source.replace(target)

    return replace_unless_held


@pytest.mark.parametrize("times", [1, 4])
def test_a_file_that_a_reader_holds_open_is_replaced_when_it_lets_go(tmp_path: Path, times: int) -> None:
    """Up to four times 50 ms are waited for."""
    disk = Disk(tmp_path, replace=held_open(times))
    disk.write("a.csv", (b"new\n",), rows=0, newest_ms=None)
    assert (tmp_path / "a.csv").read_bytes() == b"new\n"
    assert disk.failures == {}


def test_a_file_that_a_reader_does_not_let_go_stays_old_and_is_counted(tmp_path: Path) -> None:
    """Nothing temporary is left, the next file is written, and the next time so is this one."""
    (tmp_path / "a.csv").write_bytes(b"old\n")
    disk = Disk(tmp_path, replace=held_open(5))
    for name in ("a.csv", "b.csv"):
        disk.write(name, (b"new\n",), rows=0, newest_ms=None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.csv": b"old\n", "b.csv": b"new\n"}
    assert disk.failures == {"a.csv": 1}
    disk.write("a.csv", (b"new\n",), rows=0, newest_ms=None)
    assert (tmp_path / "a.csv").read_bytes() == b"new\n"


def test_a_file_that_no_page_could_show_is_not_written(tmp_path: Path) -> None:
    """Twenty megabytes and a byte: the old one stays, and that is counted."""
    disk = Disk(tmp_path)
    disk.write("a.csv", (b"old\n",), rows=0, newest_ms=None)
    disk.write("a.csv", (b"x" * FILE_LIMIT, b"\n"), rows=0, newest_ms=None)
    assert (tmp_path / "a.csv").read_bytes() == b"old\n"
    assert disk.failures == {"a.csv": 1}


def test_a_directory_that_cannot_be_is_said_at_the_start(tmp_path: Path) -> None:
    """A file where the directory should be stops the start; later it would only be counted."""
    (tmp_path / "data").write_text("")
    with pytest.raises(OSError, match="data"):
        portal_of(tmp_path / "data").rebuild(journal_of())


def test_deleted_and_damaged_files_are_back_at_the_next_tick(tmp_path: Path) -> None:
    """Files are projections: what happens to them is undone, even where their content did not change."""
    with opened(tmp_path, buying(1)) as portal:
        (tmp_path / TRADES.name).unlink()
        (tmp_path / "executed_trades.csv").write_text("ts,vandalised\n")
        portal.publish(report(2))
        portal.close()
        assert_complete(tmp_path)
        assert len(rows(tmp_path, TRADES)) == 1
        for path in tmp_path.iterdir():
            path.unlink()
        tmp_path.rmdir()
        portal.publish(report(3))
    assert_complete(tmp_path)


def test_a_file_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    """A reader's copy of a quiet log stays fresh."""
    with opened(tmp_path, buying(1)) as portal:
        before = (tmp_path / TRADES.name).stat()
        portal.publish(report(2))
        portal.close()
        after = (tmp_path / TRADES.name).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert document(tmp_path, "live_status.json")["tick"] == 2


def test_what_a_crash_left_behind_is_removed(tmp_path: Path) -> None:
    """Half-written files of an earlier run go at the start; files of others stay."""
    (tmp_path / f".{TRADES.name}.tmp").write_text("half")
    (tmp_path / "somebody.csv").write_text("else")
    with opened(tmp_path):
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {file.name for file in FILES} | {"somebody.csv"}


def test_the_books_that_a_tick_believed_are_shown_best_first(tmp_path: Path) -> None:
    """Twenty levels a side at most, for the ladder; a token that nobody follows is left out."""
    deep = book("0.50/0.51", levels=30, step="0.01", token=TOKEN, changed_at_ms=1_772_452_800_000)
    seen = replace(report(1, entered(market())), books={TOKEN: deep, TokenId("77"): book("0.2/0.3", token=TokenId("77"))})
    with opened(tmp_path) as portal:
        portal.publish(seen)
    shown = document(tmp_path, "pm_books.json")
    assert isinstance(shown["books"], dict)
    assert list(shown["books"]) == [TOKEN]
    ladder = shown["books"][TOKEN]
    assert (ladder["bids"][0], ladder["asks"][0]) == ([0.5, 500], [0.51, 500])
    assert (len(ladder["bids"]), len(ladder["asks"])) == (20, 20)
    assert (ladder["market"], ladder["tick_size"], ladder["changed_at"]) == (
        market().name,
        0.01,
        "2026-03-02T12:00:00.000+00:00",
    )


@pytest.mark.parametrize(
    "said", ['{"ledger_id": "\\ud800", "sequence": 7}', '{"ledger_id": "a\\n", "sequence": 7}', "[" * 100_000]
)
def test_a_manifest_whose_ledger_cannot_be_named_names_none(tmp_path: Path, said: str) -> None:
    """Half of a surrogate pair can be written nowhere."""
    (tmp_path / MANIFEST.name).write_text(said)
    assert read_manifest(tmp_path) is None
