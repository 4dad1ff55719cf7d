"""The protections over many ticks: what they count, when they close, when they open again, and what they never touch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decision import Cause, Reason
from domain.engine import Rules
from domain.ledger import Ledger, Position
from domain.market import DAY_MS, ConditionId, Market, Moment, OrderBook, Side, Snapshot, TokenId
from domain.protections import STOPS_KEPT_S, Protections, Record
from domain.report import Report
from domain.state import Memory, State
from domain.view import Limits, ScaleIn
from tests.builders import (
    INTERVAL_S,
    NO,
    NOON_MS,
    SIZING,
    YES,
    book,
    ledger,
    market,
    moment,
    order,
    position,
    rules,
    seen,
    snapshot,
    state,
    warming_up,
)
from tests.domain.test_laws import DRAWS, EAGER, Draw, World, busy_draws
from tests.fakes import Play

TODAY = NOON_MS // DAY_MS
MIDNIGHT_S = 43_200
"""Seconds from noon to the end of the UTC day."""

ETH, SOL = TokenId("2001"), TokenId("3001")


def _record(day: int | None = TODAY, *, opened: str | int = 1000, peak: str | int = 1000, losses: int = 0) -> Record:
    return Record(day=day, opened=Decimal(opened), peak=Decimal(peak), losses=losses)


def _remembering(books: Ledger, record: Record) -> State:
    return state(books, memory=Memory(record=record))


def _by(
    limits: Mapping[str, object] | None = None,
    *,
    scale_in: ScaleIn | None = None,
    stop_pct: float | None = None,
    latency_ms: int = 0,
    **more: object,
) -> Rules:
    protections = replace(Protections(), **(limits or {}), **more)  # type: ignore[arg-type]
    return rules(
        limits=Limits(protections=protections, scale_in=scale_in or ScaleIn(), stop_pct=stop_pct), latency_ms=latency_ms
    )


# --- the record ---------------------------------------------------------------------------------------------------------


def test_a_new_day_begins_with_its_first_tick() -> None:
    """With the equity that this tick finds, and no losses; the peak is of all days."""
    after = _record(losses=2).begun(TODAY + 1, Decimal(950))
    assert after == _record(TODAY + 1, opened=950, peak=1000)
    assert (after.daily_loss(Decimal(940)), after.drawdown_pct(Decimal(940))) == (Decimal(10), 6.0)


def test_within_a_day_only_the_peak_moves() -> None:
    """And where it does not, the record stays the very same, so that nothing has to be written."""
    record = _record(losses=2)
    assert record.begun(TODAY, Decimal(1000)) is record
    assert record.begun(TODAY, Decimal(1010)) == _record(peak=1010, losses=2)


def test_a_clock_that_is_set_back_begins_no_day_and_blocks_none() -> None:
    """What a wrong future counted is taken over, and the next midnight ends it."""
    wrong = _record(TODAY + 9_000, losses=3)
    back = wrong.begun(TODAY, Decimal(900))
    assert back == _record(TODAY, losses=3)
    assert back.begun(TODAY + 1, Decimal(900)) == _record(TODAY + 1, opened=900)


def test_a_tick_that_knows_no_day_begins_none() -> None:
    """The clock jumped: the record goes on as it is, whatever the wall says."""
    assert _record(losses=2).begun(None, Decimal(1001)) == _record(peak=1001, losses=2)
    assert _record(None, losses=2).begun(None, Decimal(1000)) == _record(None, losses=2)
    assert _record(None).begun(TODAY, Decimal(990)) == _record(opened=990)


def _closed(*results: str) -> Record:
    record = _record()
    for result in results:
        record = record.booked(YES, Decimal(result), flat=True)
    return record


@pytest.mark.parametrize(
    ("results", "losses"),
    [((), 0), (("-1",), 1), (("-1", "-0.000001"), 2), (("-1", "0.000001"), 0), (("-1", "0"), 1), (("-1", "1", "-1"), 1)],
)
def test_losses_count_in_a_row(results: tuple[str, ...], losses: int) -> None:
    """A gain ends the row; what came out even neither adds to it nor ends it."""
    assert _closed(*results).losses == losses


def test_a_position_is_lost_or_won_as_a_whole() -> None:
    """Fees of its buys, a part sold at a gain, and the rest: only what closes it counts, and the sum decides."""
    record = _record().booked(YES, Decimal("-0.20"), flat=False).booked(ETH, Decimal("-0.10"), flat=False)
    record = record.booked(YES, Decimal("0.15"), flat=False)
    assert (record.losses, record.results) == (0, {YES: Decimal("-0.05"), ETH: Decimal("-0.10")})
    record = record.booked(YES, Decimal("0.04"), flat=True)
    assert (record.losses, record.results) == (1, {ETH: Decimal("-0.10")})
    assert record.booked(ETH, Decimal("0.11"), flat=True) == replace(record, losses=0, results={})


def test_a_stop_is_kept_for_as_long_as_a_cooldown_may_last() -> None:
    """Not longer: a year of stops would have to be written with every one."""
    record = _record().stopped(YES, moment(0)).stopped(ETH, moment(10))
    assert record.stops == {YES: moment(0), ETH: moment(10)}
    assert record.stopped(SOL, moment(STOPS_KEPT_S)).stops == {YES: moment(0), ETH: moment(10), SOL: moment(STOPS_KEPT_S)}
    assert record.stopped(SOL, moment(STOPS_KEPT_S + 1)).stops == {ETH: moment(10), SOL: moment(STOPS_KEPT_S + 1)}


def test_a_ledger_without_a_record_begins_with_what_is_known_of_it() -> None:
    """Its opening cash, what it is worth, and the highest equity that somebody remembers."""
    assert Record.of(ledger(cash=900)) == _record(None, opened=900, peak=900)
    lost = Ledger(opening_cash=Decimal(1000), cash=Decimal(900), realised=Decimal(-100))
    assert Record.of(lost) == _record(None, opened=900, peak=1000)
    assert Record.of(lost, peak=Decimal(1200)).peak == 1200
    assert Record.of(lost, peak=Decimal(10)).peak == 1000
    assert _record(peak=0).drawdown_pct(Decimal(0)) == 0.0


def test_nothing_is_remembered_where_nothing_asks() -> None:
    """A replay without protections carries no record; one with them begins it."""
    for by, kept in ((_by(), False), (_by(total_exposure_usdc=Decimal(5)), False), (_by(losses_in_a_row=1), True)):
        play = Play(by)
        play.tick(seen(0))
        assert (play.state.memory.record is not None) is kept


# --- equity -------------------------------------------------------------------------------------------------------------


def _runs(from_s: int, *, spot: float = 60_300.0) -> list[Snapshot]:
    """A warm-up and the tick, 75 s after its start, at which lead_lag wants to buy Yes at 0.51."""
    return [seen(from_s + INTERVAL_S * n) for n in range(5)] + [seen(from_s + 75, spot=spot)]


def _cause(report: Report, token: TokenId = YES) -> Cause:
    return next(verdict.cause for verdict in report.verdicts if verdict.market.token == token)


def _said(report: Report) -> list[Reason]:
    return [verdict.cause.reason for verdict in report.verdicts]


def test_the_daily_loss_is_that_of_the_equity_that_the_portal_shows() -> None:
    """Ten shares at 0.51 fetch 4.90 at a bid of 0.49, and the fee was 0.17493: the next tick finds a loss of 0.37493.

    What its own bid of 0.50 would make of it shows in the tick after that.
    """
    play = Play(_by(daily_loss_usdc=Decimal("0.37493"), scale_in=ScaleIn(odds_change_pct=2.0, cooldown_s=0)))
    play.ticks(_runs(0))
    marked = play.tick(seen(90, "0.49/0.53", spot=63_000.0))
    assert (_said(marked), marked.equity.equity) == ([Reason.ODDS_UNMOVED], 1000 - Decimal("0.37493"))
    closed = play.tick(seen(105, "0.50/0.54", spot=63_000.0))
    assert _cause(closed) == Cause(
        reason=Reason.DAILY_LOSS,
        measured=Decimal("0.37493"),
        limit=Decimal("0.37493"),
        setting="PM_MAX_DAILY_LOSS_USDC",
    )
    assert closed.equity.equity == 1000 - Decimal("0.27493")
    assert _said(play.tick(seen(120, "0.50/0.54", spot=63_000.0))) == [Reason.SCALE_IN]


@pytest.mark.parametrize(("limit", "enters"), [("9.999999", False), ("10", False), ("10.000001", True)])
def test_a_daily_loss_closes_at_its_limit(limit: str, enters: bool) -> None:
    """990 are left of the 1,000 with which the day began."""
    play = Play(_by(daily_loss_usdc=Decimal(limit)), _remembering(ledger(cash=990), _record()))
    *_, last = play.ticks(_runs(0))
    assert _cause(last).reason is (Reason.ENTER if enters else Reason.DAILY_LOSS)


@pytest.mark.parametrize(("limit", "enters"), [(4.999, False), (5.0, False), (5.001, True)])
def test_a_drawdown_closes_at_its_limit(limit: float, enters: bool) -> None:
    """950 lie five percent below a peak of 1,000, though the day began with 900."""
    play = Play(_by(drawdown_pct=limit), _remembering(ledger(cash=950), _record(opened=900)))
    *_, last = play.ticks(_runs(0))
    assert _cause(last).reason is (Reason.ENTER if enters else Reason.DRAWDOWN)
    assert enters or _cause(last).measured == 5.0


def _last_before(*, to_midnight_s: int) -> list[Snapshot]:
    return _runs(MIDNIGHT_S - 75 - to_midnight_s)


@pytest.mark.parametrize(("to_midnight_s", "reason"), [(1, Reason.DAILY_LOSS), (0, Reason.ENTER)])
def test_a_daily_loss_ends_with_the_utc_day(to_midnight_s: int, reason: Reason) -> None:
    """One second before midnight the gate is closed; at 00:00:00 the day begins with what is left."""
    play = Play(_by(daily_loss_usdc=Decimal(5)), _remembering(ledger(cash=990), _record()))
    *_, last = play.ticks(_last_before(to_midnight_s=to_midnight_s))
    assert _cause(last).reason is reason


@pytest.mark.parametrize(("to_midnight_s", "reason"), [(1, Reason.LOSSES_IN_A_ROW), (0, Reason.ENTER)])
def test_losses_in_a_row_end_with_the_utc_day(to_midnight_s: int, reason: Reason) -> None:
    """As the daily loss does."""
    play = Play(_by(losses_in_a_row=2), _remembering(ledger(), _record(losses=2)))
    *_, last = play.ticks(_last_before(to_midnight_s=to_midnight_s))
    assert _cause(last).reason is reason


def test_a_drawdown_ends_with_no_day() -> None:
    """Its peak is of the whole ledger."""
    play = Play(_by(drawdown_pct=5.0), _remembering(ledger(cash=940), _record()))
    *_, last = play.ticks(_last_before(to_midnight_s=0))
    assert _cause(last).reason is Reason.DRAWDOWN


def test_a_clock_that_jumps_over_midnight_and_back_opens_nothing() -> None:
    """One tick of a wrong tomorrow does not forgive today's losses."""
    play = Play(_by(losses_in_a_row=2), _remembering(ledger(), _record(losses=2)))
    play.tick(seen(-90))
    assert _said(play.tick(seen(-75, wall_step_s=DAY_MS / 1000))) == [Reason.CLOCK_JUMP]
    *_, last = play.ticks(_runs(-60))
    assert _cause(last).reason is Reason.LOSSES_IN_A_ROW


# --- losses and stops ---------------------------------------------------------------------------------------------------


def _holds(*held: Position) -> Ledger:
    return ledger(positions=held)


def test_a_position_that_is_sold_at_a_loss_counts_from_the_next_tick_on() -> None:
    """5.00 and its fee for what had cost 5.10: the second entry of the same tick is not yet held back by it."""
    markets = (market(), market("eth", token=ETH))
    play = Play(_by(losses_in_a_row=1), state(_holds(position(opened=moment(-1000)))))
    for n in range(5):
        play.tick(_two(moment(INTERVAL_S * n), markets))
    assert play.state.memory.record is not None
    assert play.state.memory.record.losses == 1
    again = play.tick(_two(moment(75), markets, spot=60_300.0))
    assert set(_said(again)) == {Reason.LOSSES_IN_A_ROW}


def _two(at: Moment, markets: tuple[Market, ...], *, spot: float = 60_000.0, quote: str = "0.50/0.51") -> Snapshot:
    books = [book(quote, token=each.token, requested=at) for each in markets if each.token is not None]
    return snapshot(at, markets=markets, books=books, spot=spot)


@pytest.mark.parametrize(("payout", "losses"), [("0", 3), ("0.5", 3), ("1", 0)])
def test_a_settlement_is_a_loss_or_a_gain_as_a_sale_is(payout: str, losses: int) -> None:
    """Ten shares that cost 5.10 pay 0, 5 or 10."""
    play = Play(_by(losses_in_a_row=9), _remembering(_holds(position()), _record(losses=2)))
    play.tick(seen(15, payouts={YES: Decimal(payout)}))
    assert play.state.memory.record is not None
    assert play.state.memory.record.losses == losses


def test_fees_make_a_loss_of_what_was_sold_at_its_price() -> None:
    """Bought and sold at 0.50 it costs two fees."""
    play = Play(_by(losses_in_a_row=9))
    play.ticks(_runs(0))
    sold = play.tick(seen(75 + 180, "0.51/0.52"))
    assert [trade.price for trade in sold.trades] == [Decimal("0.51")]
    assert play.state.memory.record is not None
    assert play.state.memory.record.losses == 1
    assert play.state.memory.record.results == {}


def _after_a_stop(cooldown_s: float) -> Play:
    """A token that a stop sells at 0 s, and a market that wants it back at 75 s."""
    play = Play(_by(stop_pct=5.0, stop_cooldown_s=cooldown_s), state(_holds(position(mid=0.54, opened=moment(-30)))))
    (stopped,) = play.tick(seen(0)).verdicts
    assert stopped.cause.reason is Reason.STOP
    return play


@pytest.mark.parametrize(("cooldown_s", "reason"), [(75.0, Reason.ENTER), (75.1, Reason.STOP_COOLDOWN)])
def test_a_stopped_token_is_not_bought_back_at_once(cooldown_s: float, reason: Reason) -> None:
    """The cooldown ends when that many seconds have passed, measured on the clock that never steps."""
    play = _after_a_stop(cooldown_s)
    play.ticks([seen(INTERVAL_S * n) for n in range(1, 5)])
    last = play.tick(seen(75, spot=60_300.0))
    assert _cause(last).reason is reason
    assert reason is Reason.ENTER or (_cause(last).measured, _cause(last).limit) == (75.0, 75.1)


def test_a_cooldown_is_of_one_token() -> None:
    """The other market is entered meanwhile."""
    play = _after_a_stop(3600.0)
    markets = (market(), market("eth", token=ETH))
    play.ticks([_two(moment(INTERVAL_S * n), markets) for n in range(1, 7)])
    assert _said(play.tick(_two(moment(105), markets, spot=60_300.0))) == [Reason.STOP_COOLDOWN, Reason.ENTER]


def test_a_position_that_left_otherwise_has_no_cooldown() -> None:
    """Only a stop is followed by one."""
    play = Play(_by(stop_cooldown_s=3600.0), state(_holds(position(opened=moment(-1000)))))
    assert _said(play.tick(seen(0))) == [Reason.MAX_HOLD]
    play.ticks([seen(INTERVAL_S * n) for n in range(1, 5)])
    assert _said(play.tick(seen(75, spot=60_300.0))) == [Reason.ENTER]


# --- exits --------------------------------------------------------------------------------------------------------------

CLOSED = {
    "daily_loss_usdc": Decimal("0.01"),
    "drawdown_pct": 0.01,
    "losses_in_a_row": 1,
    "stop_cooldown_s": 3600.0,
    "market_exposure_usdc": Decimal("0.01"),
    "event_exposure_usdc": Decimal("0.01"),
    "total_exposure_usdc": Decimal("0.01"),
}
"""Every gate as narrow as it can be."""


@pytest.mark.parametrize("latency_ms", [0, 10_000])
@pytest.mark.parametrize("payout", [None, "1"])
def test_no_protection_ever_holds_an_exit_back(latency_ms: int, payout: str | None) -> None:
    """All of them closed: what is held leaves as if there were none."""
    record = replace(_record(opened=2000, peak=2000, losses=5), stops={YES: moment(0)})
    books = _holds(position(opened=moment(-1000)))
    plays = [Play(_by(limits, latency_ms=latency_ms), _remembering(books, record)) for limits in (CLOSED, None)]
    payouts = {} if payout is None else {YES: Decimal(payout)}
    for play in plays:
        play.ticks([seen(0, payouts=payouts), seen(15), seen(30)])
    guarded, free = plays
    assert guarded.ledger == free.ledger
    assert guarded.ledger.positions == {}
    assert [report.trades for report in guarded.reports] == [report.trades for report in free.reports]


# --- exposure -----------------------------------------------------------------------------------------------------------

BTC = market(complement=NO, event="crypto")
BTC_NO = market(token=NO, outcome="No", direction=-1, complement=YES, event="crypto")
ETHER = market("eth", token=ETH, event="crypto")
SOLANA = market("sol", token=SOL, event="other")


def _wants(markets: tuple[Market, ...], by: Rules, opening: Ledger, *, quotes: dict[TokenId, str] | None = None) -> Report:
    """Five quiet ticks and one at which every one of these markets is wanted at 0.51, unless it is held."""
    play = Play(by, state(opening))
    for n in range(6):
        at = moment(100 + INTERVAL_S * n)
        books = [_quoted(each, quotes or {}, at) for each in markets]
        play.tick(snapshot(at, markets=markets, books=books, spot=60_300.0 if n == 5 else 60_000.0))
    return play.reports[-1]


def _quoted(of: Market, quotes: dict[TokenId, str], at: Moment) -> OrderBook:
    assert of.token is not None
    return book(quotes.get(of.token, "0.50/0.51"), token=of.token, requested=at)


def _held(of: Market, cost: str) -> Position:
    """Ten shares that cost this, bought so lately that nothing but a gate decides."""
    assert of.token is not None
    return position(of=of, token=of.token, cost=cost, opened=moment(100))


@pytest.mark.parametrize(
    ("limit", "held", "reason", "measured"),
    [
        ("market_exposure_usdc", BTC_NO, Reason.MARKET_EXPOSURE, "9.10"),
        ("market_exposure_usdc", ETHER, None, None),
        ("event_exposure_usdc", BTC_NO, Reason.EVENT_EXPOSURE, "9.10"),
        ("event_exposure_usdc", ETHER, Reason.EVENT_EXPOSURE, "9.10"),
        ("event_exposure_usdc", SOLANA, None, None),
        ("total_exposure_usdc", SOLANA, Reason.TOTAL_EXPOSURE, "9.10"),
    ],
)
def test_exposure_counts_the_market_its_event_or_everything(
    limit: str, held: Market, reason: Reason | None, measured: str | None
) -> None:
    """4.00 are held, an order of 5.10 is wanted, 9.09 are allowed: ten shares too many are refused, not cut."""
    by = _by({limit: Decimal("9.09")})
    report = _wants((BTC,), by, ledger(positions=[_held(held, "4.00")]))
    cause = report.verdicts[0].cause
    assert cause.reason is (reason or Reason.ENTER)
    assert measured is None or (cause.measured, cause.limit) == (Decimal(measured), Decimal("9.09"))
    assert [trade.shares for trade in report.trades if trade.action == "BUY"] == ([] if reason else [Decimal(10)])
    allowed = _wants((BTC,), _by({limit: Decimal("9.10")}), ledger(positions=[_held(held, "4.00")]))
    assert allowed.verdicts[0].cause.reason is Reason.ENTER


def test_a_market_without_a_known_event_is_its_own_event() -> None:
    """Two of them share nothing; Yes and No of one share their market."""
    one, other = market(complement=NO), market("eth", token=ETH)
    by = _by(event_exposure_usdc=Decimal("9.09"))
    assert _cause(_wants((one,), by, ledger(positions=[_held(other, "4.00")]))).reason is Reason.ENTER
    no = market(token=NO, outcome="No", direction=-1, complement=YES)
    assert _cause(_wants((one,), by, ledger(positions=[_held(no, "4.00")]))).reason is Reason.EVENT_EXPOSURE


def test_outcomes_of_one_market_know_each_other_by_token_or_condition() -> None:
    """Whatever of the two is known of them."""
    bare = replace(market(complement=NO), condition=None)
    no = replace(market(token=NO, complement=YES), condition=None)
    assert bare.is_one_with(no)
    assert bare.is_one_with(bare)
    assert bare.is_one_with(replace(no, complement=None))
    assert replace(no, complement=None).is_one_with(bare)
    assert not bare.is_one_with(replace(no, token=ETH, complement=None))
    nameless = market(token=None)
    assert nameless.is_one_with(market(token=ETH))
    assert not replace(nameless, condition=None).is_one_with(replace(nameless, condition=None))
    assert not market(token=YES).is_one_with(replace(market(token=ETH), condition=ConditionId("0xother")))


def test_orders_of_one_tick_share_one_exposure() -> None:
    """10.20 are allowed: two of three markets are entered, in map order."""
    report = _wants((BTC, ETHER, SOLANA), _by(total_exposure_usdc=Decimal("10.20")), ledger())
    assert _said(report) == [Reason.ENTER, Reason.ENTER, Reason.TOTAL_EXPOSURE]
    assert report.verdicts[2].cause.measured == Decimal("15.30")
    shared = _wants((BTC, ETHER, SOLANA), _by(event_exposure_usdc=Decimal("10.19")), ledger())
    assert _said(shared) == [Reason.ENTER, Reason.EVENT_EXPOSURE, Reason.ENTER]


def test_a_waiting_buy_counts_at_the_most_that_it_can_cost() -> None:
    """Ten shares up to 0.52 are 5.20; a waiting sale binds nothing. An order in question that has to wait counts like that."""
    waiting = order(of=ETHER, token=ETH, decided=moment(170), delay_ms=60_000)
    selling = order(Side.SELL, of=SOLANA, token=SOL, decided=moment(170), delay_ms=60_000, id="1-1")
    books = ledger(pending=(waiting, selling), positions=[_held(SOLANA, "1.00")])
    by = _by(total_exposure_usdc=Decimal("11.29"))
    cause = _cause(_wants((BTC,), by, books))
    assert (cause.reason, cause.measured) == (Reason.TOTAL_EXPOSURE, Decimal("11.30"))
    late = _by(total_exposure_usdc=Decimal("11.39"), latency_ms=10_000)
    assert _cause(_wants((BTC,), late, books)).measured == Decimal("11.40")


def test_what_an_exit_frees_counts_from_the_next_tick_on() -> None:
    """The sale might not fill: only what is sold makes room. Its cash can be spent at once all the same."""
    by = _by(total_exposure_usdc=Decimal("5.10"))
    leaving = position(of=SOLANA, token=SOL, opened=moment(-1000))
    play = Play(by, state(ledger(positions=[leaving])))
    for n in range(5):
        at = moment(100 + INTERVAL_S * n)
        play.tick(snapshot(at, markets=(BTC,), books=[book(requested=at)]))
    at = moment(175)
    sold = play.tick(snapshot(at, markets=(BTC,), books=[book(requested=at), book(token=SOL, requested=at)], spot=60_300.0))
    assert _said(sold) == [Reason.TOTAL_EXPOSURE, Reason.MAX_HOLD]
    at = moment(190)
    bought = play.tick(snapshot(at, markets=(BTC,), books=[book(requested=at)], spot=60_300.0))
    assert _said(bought) == [Reason.ENTER]


def test_a_settlement_makes_room_from_the_next_tick_on_as_well() -> None:
    """One rule for all that is freed."""
    by = _by(market_exposure_usdc=Decimal("5.10"), event_exposure_usdc=Decimal("5.10"))
    books = ledger(positions=[_held(BTC_NO, "4.00")])
    play = Play(by, state(books))
    play.ticks([replace(each, markets=(BTC,)) for each in warming_up(of=BTC)])
    paid = seen(75, spot=60_300.0, of=BTC, payouts={NO: Decimal(0)})
    assert _said(play.tick(paid)) == [Reason.MARKET_EXPOSURE, Reason.SETTLED]
    assert _said(play.tick(seen(90, spot=60_300.0, of=BTC))) == [Reason.ENTER]


# --- laws ---------------------------------------------------------------------------------------------------------------

MOST = Decimal("6.5")
LIMITED = tuple(
    rules(
        thresholds=EAGER,
        limits=Limits(protections=Protections(total_exposure_usdc=MOST), scale_in=ScaleIn(odds_change_pct=0.2, cooldown_s=0.0)),
        sizing=replace(SIZING, banded=False),
        latency_ms=latency_ms,
    )
    for latency_ms in (0, 20_000)
)


def _bound(books: Ledger) -> Decimal:
    return books.cost + sum((waiting.most_notional for waiting in books.pending), Decimal(0))


def _calm(draw: Draw) -> Draw:
    """The same with books that can be bought from, in markets that stay open: more is bought there."""
    one, two, three = (code - code % 10 for code in draw.books)
    return replace(draw, oddity=0, books=(one, two, three))


def _played(by: Rules, draws: Iterable[Draw]) -> Iterator[tuple[Play, Report]]:
    world, play = World(), Play(by)
    for n, draw in enumerate(draws):
        yield play, play.tick(world.snapshot(n, draw))


@pytest.mark.parametrize("by", LIMITED, ids=["at once", "with latency"])
def test_positions_and_waiting_buys_never_cost_more_than_the_limit(by: Rules) -> None:
    """At no tick of a busy world in which the gate closes often and lets much in."""
    said: list[Reason] = []
    for play, report in _played(by, map(_calm, busy_draws(80))):
        assert _bound(play.ledger) <= MOST
        said += _said(report)
    assert said.count(Reason.TOTAL_EXPOSURE) > 10
    assert said.count(Reason.ENTER) > 5


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(by=st.sampled_from(LIMITED), draws=st.one_of(DRAWS, DRAWS.map(lambda draws: list(map(_calm, draws)))))
def test_nor_do_they_in_any_other_world(by: Rules, draws: list[Draw]) -> None:
    """Whatever the books, with latency and without, entries and adds together."""
    for play, _ in _played(by, draws):
        assert _bound(play.ledger) <= MOST


def _lost(by: Rules) -> Play:
    """Whoever lost a position today."""
    return Play(by, _remembering(ledger(cash=990), _record(losses=1)))


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(draws=DRAWS, limits=st.sampled_from([{"losses_in_a_row": 1}, {"daily_loss_usdc": Decimal(10)}]))
def test_what_losses_closed_stays_closed_for_the_day(draws: list[Draw], limits: dict[str, object]) -> None:
    """Without a position that could gain, no input of the day makes the agent buy again."""
    loose = replace(Protections(), **limits)  # type: ignore[arg-type]
    play, world = _lost(rules(thresholds=EAGER, limits=Limits(protections=loose))), World()
    for n, draw in enumerate(draws):
        play.tick(world.snapshot(n, _calm(draw)))
        assert play.ledger.positions == {}
        assert play.ledger.cash == 990
