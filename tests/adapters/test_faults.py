"""Every kind of fault that the simulated venues can produce, and what must hold while it lasts and after it."""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from adapters.health import Health
from adapters.http import VenueClient
from adapters.polymarket_clob import ClobBooks
from adapters.portal.cells import json_bytes
from adapters.portal.documents import sources_health
from adapters.portal.projections import equity_row, tick_rows
from adapters.simulated_venues import (
    Answer,
    Faults,
    Request,
    Scenario,
    SimMarket,
    SimulatedVenues,
    Steady,
    UnknownKind,
    kinds_named,
)
from adapters.simulated_venues.book_faults import BOOKS
from adapters.simulated_venues.faults import DATA, KINDS, ONCE
from adapters.simulated_venues.in_process import ORIGINS, ScriptTransport
from adapters.simulated_venues.network_faults import TRAP
from domain.decision import Reason
from domain.ledger import OrderStatus
from domain.market import OrderBook, TokenId
from domain.ports import Unavailable
from domain.report import Report, TradeAction
from tests.builders import NOON_MS, moment
from tests.fakes import FakeClock
from tests.faulty import CALM_BOOK, Session

INTERVAL_MS = 15_000
HELD = SimMarket(slug="btc-held", pair="XBTUSD")
FRESH = SimMarket(slug="eth-fresh", pair="ETHUSD")
CONTROL = SimMarket(slug="eth-control", pair="ETHUSD")
SETTINGS = {
    "LEAD_LAG_LOOKBACK_POINTS": "2",
    "LEAD_LAG_EDGE_EXIT_PCT": "-100",
    "LEAD_LAG_MAX_HOLD_SECS": "60",
}

FIRST, LAST = 6, 8
"""The ticks from the first spoiled one to the last."""

ENTERS = frozenset(
    {"bom", "header_flood", "unsorted", "dup_levels", "frozen"} | {kind for kind in KINDS if kind[:2] in ("f_", "g_")}
)
"""Kinds that leave what is true, or that nothing here depends on: trading goes on."""

EXITS = ENTERS | {"tick_change"} | {kind for kind in KINDS if kind.startswith("k_")}
"""Kinds that an exit does not mind: it asks for a book with bids, and nothing else."""

NO_JSON = frozenset({"nan", "inf", "e400"})
"""Kinds that make the whole answer unreadable: the other books in it are lost with the spoiled ones."""

EITHER = frozenset({"one_sided"})
"""A side is gone, and which one says whether a position can be left."""

UNUSABLE = {
    Reason.NO_ORDERBOOK,
    Reason.ONE_SIDED_BOOK,
    Reason.CROSSED_BOOK,
    Reason.GHOST_BOOK,
    Reason.REFERENCE_SPIKE,
    Reason.MISSING_REFERENCE,
    Reason.BELOW_MIN_ORDER_SIZE,
}

PATIENCE = {"s429": 10}
"""Ticks until all is as before; 2 for the others. `Retry-After: 86400` is believed for two minutes."""


def _spot(pair: str, now_ms: int) -> float:
    """Bitcoin steps up once at the fourth tick; ether rises by half a percent a tick from the seventh on."""
    tick = (now_ms - NOON_MS) // INTERVAL_MS
    return 60_000.0 * (1.005 if tick >= 3 else 1.0) if pair == "XBTUSD" else 3_000.0 * 1.005 ** max(0, tick - FIRST + 1)


def _world(*markets: SimMarket) -> Steady:
    firsts = {market.token_ids[0] for market in markets}
    return Steady(spot=_spot, books=lambda token, ms: CALM_BOOK if token in firsts else None, markets=markets)


def _trades(reports: list[Report], market: SimMarket) -> Iterator[tuple[int, TradeAction]]:
    for report in reports:
        for trade in report.trades:
            if trade.market.slug == market.slug and trade.status is OrderStatus.FILLED:
                yield report.state.sequence - 1, trade.action


def _reasons(report: Report, market: SimMarket) -> set[Reason]:
    return {v.cause.reason for v in report.verdicts if v.market.slug == market.slug and v.market.outcome == "Yes"}


def _no_nan(session: Session, reports: list[Report]) -> None:
    """Neither in a row of a file nor in what is said of the sources."""
    for report in reports:
        rows = [row for some in tick_rows(report).values() for row in some] + [equity_row(report.equity)]
        cells = [str(cell).lower() for row in rows for cell in row]
        assert not {"nan", "inf", "-inf", "infinity", "-infinity"} & set(cells)
    health = json_bytes(sources_health(session.container.health().report(session.clock.at_ms)))
    assert all(math.isfinite(number) for number in _numbers(json.loads(health)))


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, float):
        yield value


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_traded_on_a_fault_and_all_is_as_before_two_ticks_after_it(kind: str) -> None:
    """A position is due to be left and another market to be entered while every answer is spoiled in one way."""
    world = _world(HELD, FRESH, CONTROL)
    spoiled = {HELD.token_ids[0], FRESH.token_ids[0]}
    faults = Faults(world, rate=0.0, kinds=[kind], tokens=spoiled)

    async def play() -> tuple[Session, list[Report], bool]:
        session = Session(faults, world, SETTINGS)
        reports = await session.ticks(FIRST)
        before = session.errors.total()
        faults.rate = 1.0
        reports += await session.ticks(LAST - FIRST + 1)
        noticed = session.errors.total() > before
        faults.rate = 0.0
        reports += await session.ticks(PATIENCE.get(kind, 2))
        await session.close()
        return session, reports, noticed

    session, reports, noticed = asyncio.run(play())
    during = range(FIRST, LAST + 1)
    held, fresh = list(_trades(reports, HELD)), list(_trades(reports, FRESH))
    assert held[0] == (3, TradeAction.BUY)
    entered = any(tick in (during[:1] if kind in ONCE else during) for tick, _ in fresh)
    left = any(tick in during for tick, action in held if action is TradeAction.SELL)
    assert entered == (kind in ENTERS)
    assert kind in EITHER or left == (kind in EXITS)
    assert noticed or kind in ENTERS or _reasons(reports[FIRST], FRESH) & UNUSABLE
    assert [action for _, action in held] == [TradeAction.BUY, TradeAction.SELL]
    assert fresh[0][1] is TradeAction.BUY
    assert session.state.sequence == len(reports)
    _no_nan(session, reports)
    if kind in BOOKS and kind not in NO_JSON:
        assert next(_trades(reports, CONTROL)) == (FIRST, TradeAction.BUY)


BEGINS = frozenset({"g_shape", "g_unwrapped", "g_name"})
"""Kinds under which a market is understood all the same."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[:2] in ("f_", "g_")])
def test_a_feature_waits_while_its_source_lies(kind: str) -> None:
    """A market that is cheap from the first tick on: fair value needs the future, and every market its listing."""
    world = Scenario(7, NOON_MS)
    faults = Faults(world, rate=1.0, kinds=[kind])

    async def play() -> tuple[list[Report], list[Report]]:
        session = Session(faults, world, {"STRATEGY_MODE": "fair_model", "EDGE_THRESHOLD": "0.0001"})
        lied = await session.ticks(3)
        faults.rate = 0.0
        after = await session.ticks(20)
        await session.close()
        _no_nan(session, lied + after)
        return lied, after

    lied, after = asyncio.run(play())
    assert any(report.trades for report in lied) == (kind in BEGINS)
    assert any(report.trades for report in after)
    assert all(verdict.cause.reason not in UNUSABLE for verdict in after[1].verdicts)


WIRE = {
    "reset": "connection_lost",
    "close": "connection_lost",
    "truncated": "truncated",
    "garbage": "protocol_error",
    "redirect": "redirect",
    "redirect_loop": "redirect",
    "gzip_bomb": "encoded",
    "huge_body": "too_large",
    "hang": "timeout",
    "drip_header": "timeout",
    "slow_body": "timeout",
    "down": "connection_lost",
}
"""What a client of the real server calls each way of failing."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", WIRE)
def test_a_line_that_fails_over_a_real_socket_has_its_own_name_and_heals(kind: str) -> None:
    """Within the call's deadline; nobody follows a redirect, and the next answers are as they should be."""
    faults = Faults(_world(HELD), rate=0.0, kinds=[kind])
    patience_s = 1.0 if WIRE[kind] == "timeout" else 5.0

    async def play(origin: str) -> tuple[str, float]:
        client = VenueClient("clob", f"{origin}/clob", clock=FakeClock(moment(0)), health=Health(), timeout_s=patience_s)
        assert (await client.get("/time")).status == 200
        faults.rate = 1.0
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await client.get("/time")
        took_s = time.monotonic() - began
        faults.rate = 0.0
        await asyncio.sleep(2.0 if kind == "down" else 0.6)
        assert (await client.get("/time")).status == 200
        await client.aclose()
        return refused.value.kind, took_s

    with SimulatedVenues(faults, lambda: NOON_MS) as venues:
        said, took_s = asyncio.run(play(venues.origin))
        assert venues.count("unknown", "GET", TRAP) == 0
    assert said == WIRE[kind] or (kind == "down" and said == "connect_error")
    assert took_s < patience_s + 0.5
    assert venues.failures == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s500", "s502_html", "s503", "s425", "s429", "s429_html", "s429_ra", "down"])
def test_a_storm_of_errors_is_answered_by_fewer_questions(kind: str) -> None:
    """For twenty ticks every host fails: nothing is asked twice in a tick, and soon each host is left alone for ticks."""
    world, asked, ticks = _world(HELD, FRESH), Counter[tuple[int, str, str]](), 20

    def watch(request: Request, spoiled: str | None, true: Answer, given: Answer) -> None:
        asked[session.state.sequence, request.path, str(sorted(request.query.items()))] += 1

    faults = Faults(world, rate=0.0, kinds=[kind], watch=watch)
    session = Session(faults, world, SETTINGS)

    async def play() -> None:
        await session.tick()
        asked.clear()
        faults.rate = 1.0
        await session.ticks(ticks)
        await session.close()

    asyncio.run(play())
    assert max(asked.values()) == 1
    for path in ("/books", "/0/public/Ticker"):
        busy = {tick for tick, asked_path, _ in asked if asked_path == path}
        assert 1 <= len(busy) <= ticks * 2 // 3


BOOKS_ASKED = Request("POST", "/books", {}, b"")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].applies("clob", BOOKS_ASKED)])
def test_a_spoiled_book_is_refused_or_still_the_true_one(kind: str) -> None:
    """By the adapter alone, after a true answer: what it lets through holds no level that the venue did not offer."""
    token = HELD.token_ids[0]
    faults = Faults(_world(HELD), rate=0.0, kinds=[kind])
    health, clock = Health(), FakeClock(moment(0))
    transport = ScriptTransport(faults, lambda: clock.now().at_ms)
    client = VenueClient("polymarket_clob", ORIGINS["polymarket_clob"], clock=clock, health=health, transport=transport)
    books = ClobBooks(client)

    async def play() -> OrderBook | None:
        true = (await books.books([TokenId(token)]))[TokenId(token)]
        clock.advance(15)
        faults.rate = 1.0
        try:
            found = (await books.books([TokenId(token)])).get(TokenId(token))
        except Unavailable:
            found = None
        if found is not None and kind not in ("crossed", "locked", "ghost", "empty"):
            assert {*found.bids} <= {*true.bids}
            assert {*found.asks} <= {*true.asks}
        return found

    found = asyncio.run(play())
    errors = health.report(clock.now().at_ms)["polymarket_clob"].errors
    assert found is not None or errors
    assert faults.produced[kind] >= 1


def test_faults_follow_from_the_seed() -> None:
    """The same questions get the same answers, spoiled ones too."""

    def answers(seed: int) -> list[Answer]:
        faults = Faults(_world(HELD), rate=0.5, seed=seed)
        return [
            faults.answer("clob", Request("GET", "/book", {"token_id": HELD.token_ids[0]}, b""), NOON_MS) for _ in range(40)
        ]

    assert answers(1) == answers(1)
    assert answers(1) != answers(2)


def test_a_fault_can_be_armed_so_many_times() -> None:
    """Whatever the rate."""
    faults = Faults(_world(HELD), rate=0.0)
    faults.arm("s503", 2)
    asked = Request("GET", "/time", {}, b"")
    assert [faults.answer("clob", asked, NOON_MS).status for _ in range(3)] == [503, 503, 200]
    assert faults.produced == {"s503": 2}


def test_a_spike_never_comes_twice_in_a_row() -> None:
    """A second answer that agreed would be the news."""
    faults = Faults(_world(HELD), rate=1.0, kinds=["k_spike"])
    asked = Request("GET", "/0/public/Ticker", {"pair": "XBTUSD"}, b"")
    answers = [faults.answer("kraken_spot", asked, NOON_MS) for _ in range(4)]
    assert answers[1] == answers[3]
    assert answers[0] != answers[1]
    assert faults.produced == {"k_spike": 2}


@pytest.mark.parametrize("names", ["hang,frobnicate", "", " , "])
def test_a_kind_that_is_none_is_refused_with_those_that_are(names: str) -> None:
    """A demo that quietly leaves a fault out would prove nothing."""
    with pytest.raises(UnknownKind, match=r"no kind of fault: (frobnicate|nothing)\. Known are all, hang, down, slow_body"):
        kinds_named(names)


def test_all_kinds_and_lists_of_them_are_understood() -> None:
    """Each once, in order."""
    assert kinds_named("all") == tuple(KINDS)
    assert kinds_named("s500, hang,s500") == ("s500", "hang")
    assert set(DATA) < set(KINDS)
