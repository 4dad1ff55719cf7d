"""What people are told of: each kind of notice, and that whatever lasts is told once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.market import DAY_MS, Moment, Snapshot
from domain.notice import Notice, NoticeKind, Outcome, SourceState, Told
from domain.report import Journal, Report
from domain.state import State
from domain.telling import ended, patience_s, remembered, told
from tests.builders import (
    INTERVAL_S,
    NO,
    NOON_MS,
    YES,
    ledger,
    market,
    moment,
    position,
    rules,
    seen,
    snapshot,
    state,
)
from tests.domain.test_trading import entered
from tests.fakes import Play

PATIENCE_MS = 150_000
WELL = {"polymarket_clob": SourceState(ok=True), "kraken_spot": SourceState(ok=True)}
MIDNIGHT_S = 12 * 3600


def listened(outcomes: Iterable[Outcome], before: Told | None = None) -> list[Notice]:
    """All that is told of these ticks."""
    memory = before or Told()
    said: list[Notice] = []
    for outcome in outcomes:
        memory, notices = told(memory, outcome, patience_ms=PATIENCE_MS)
        said += notices
    return said


def outcome(report: Report, sources: Mapping[str, SourceState] | None = None) -> Outcome:
    """A committed tick; by itself, all sources are well."""
    return Outcome(moment=report.moment, report=report, sources=WELL if sources is None else sources)


def failed(seconds: float, error: str) -> Outcome:
    """A tick that was not committed."""
    return Outcome(moment=moment(seconds), report=None, sources=WELL, error=error)


def played(*snapshots: Snapshot, opening: State | None = None) -> list[Outcome]:
    """These ticks, one after the other, from a state of a thousand dollars or from this one."""
    return [outcome(report) for report in Play(rules(), opening).ticks(snapshots)]


def ticks(*seconds: float, spot: float | None = 60_000.0, kill_switch: bool = False) -> list[Snapshot]:
    """Quiet ticks at these times."""
    return [seen(at, spot=spot, kill_switch=kill_switch) for at in seconds]


def kinds(notices: Iterable[Notice]) -> list[NoticeKind]:
    """What each is about."""
    return [notice.kind for notice in notices]


def test_a_fill_and_an_exit_are_told_with_their_numbers() -> None:
    """In at 75 s, out at 255 s when the hold is over."""
    play = entered()
    play.ticks(ticks(*range(90, 270, INTERVAL_S), spot=60_300.0))
    first, second = listened(map(outcome, play.reports))
    assert (first.kind, second.kind) == (NoticeKind.FILL, NoticeKind.EXIT)
    assert first.text.startswith("BUY 10 btc Yes at 0.51: 5.1 USDC; lead_lag enter fee=0.17493 ")
    assert second.text.startswith("SELL 10 btc Yes at 0.5: 5 USDC, realised -0.275; lead_lag exit=")
    assert first.at_ms == moment(75).at_ms


def test_a_payout_is_an_exit() -> None:
    """The market pays one dollar a share."""
    held = state(ledger(positions=[position()]))
    (notice,) = listened(played(seen(15, None, payouts={YES: Decimal(1)}), opening=held))
    assert notice.kind is NoticeKind.EXIT
    assert notice.text.startswith("SETTLE 10 btc Yes at 1: 10 USDC, realised 4.9; lead_lag exit=settled ")


def test_an_order_that_met_nothing_is_not_told() -> None:
    """Nothing moved."""
    (report,) = Play(rules(), state(ledger(positions=[position()]))).ticks([seen(180)])
    (trade,) = report.trades
    rejected = replace(trade, status=type(trade.status).REJECTED)
    assert listened([outcome(replace(report, trades=(rejected,)))]) == []


def test_the_kill_switch_is_told_when_it_changes() -> None:
    """On for two ticks, then off."""
    snapshots = [*ticks(0), *ticks(15, 30, kill_switch=True), *ticks(45, 60)]
    on, off = listened(played(*snapshots))
    assert (on.kind, on.mended, off.mended) == (NoticeKind.KILL_SWITCH, False, True)
    assert "nothing is bought" in on.text


def test_a_needed_source_that_gives_nothing_for_too_long_is_told_once_and_once_when_it_is_back() -> None:
    """150 s of patience: not at 150, at 165, not at 180; back at 195."""
    reports = Play(rules()).ticks(ticks(*range(0, 225, INTERVAL_S)))
    down = {**WELL, "kraken_spot": SourceState(ok=False)}
    outcomes = [
        outcome(report, down if 15 <= at < 195 else None) for at, report in zip(range(0, 225, 15), reports, strict=True)
    ]
    gone, back = listened(outcomes)
    assert gone.kind is back.kind is NoticeKind.STALE
    assert gone.text == "nothing for 165 s from: kraken_spot"
    assert gone.at_ms == moment(165).at_ms
    assert (back.text, back.mended, back.at_ms) == ("there again: kraken_spot", True, moment(195).at_ms)


def test_a_source_that_comes_and_goes_is_not_stale() -> None:
    """It answers every other time."""
    reports = Play(rules()).ticks(ticks(*range(0, 600, INTERVAL_S)))
    flapping = [outcome(report, {"kraken_spot": SourceState(ok=n % 2 == 0)}) for n, report in enumerate(reports)]
    assert listened(flapping) == []


def test_a_source_that_no_market_needs_is_not_told() -> None:
    """Gamma is needed only while a market has no token."""
    for token, needed in ((YES, False), (None, True)):
        followed = market(token=token, reference=None)
        reports = Play(rules()).ticks(snapshot(moment(at), markets=(followed,)) for at in (0, 200))
        sources = {"polymarket_gamma": SourceState(ok=False), "kraken_spot": SourceState(ok=False)}
        said = [notice.text for notice in listened(outcome(report, sources) for report in reports)]
        assert said == ["nothing for 200 s from: " + ("polymarket_gamma" if needed else "all order books")]


def test_books_that_stay_away_are_told_and_those_of_positions_one_by_one() -> None:
    """One market has a book and the held one has none; then neither has."""
    held = market("eth", token=NO)
    opening = state(ledger(positions=[position(of=held, token=NO, opened=moment(-1))]))
    reports = Play(rules(), opening).ticks(seen(at, "0.50/0.51" if at < 300 else None) for at in range(0, 600, INTERVAL_S))
    one, all_of_them = listened(map(outcome, reports))
    assert one.text == "nothing for 165 s from: the book of eth Yes, which is held"
    assert all_of_them.text == "nothing for 165 s from: all order books"


def test_what_is_stale_is_forgotten_when_nobody_follows_it_any_more() -> None:
    """The map has lost its only market: that is no recovery."""
    reports = Play(rules()).ticks([*(seen(at, None) for at in range(0, 180, INTERVAL_S)), snapshot(moment(180), markets=())])
    assert kinds(listened(map(outcome, reports))) == [NoticeKind.STALE]


def test_an_error_is_told_once_while_it_lasts_whatever_its_numbers() -> None:
    """Three ticks fail alike, a fourth otherwise."""
    ticked = [failed(15 * n, f"ValueError: {n} is odd") for n in range(3)]
    first, second = listened([*ticked, failed(45, "KeyError: 'x'")])
    assert (first.kind, first.text) == (NoticeKind.ERROR, "a tick failed: ValueError: 0 is odd")
    assert second.text == "a tick failed: KeyError: 'x'"


@pytest.mark.parametrize(("pause_s", "times"), [(PATIENCE_MS // 1000, 1), (PATIENCE_MS // 1000 + 1, 2)])
def test_an_error_that_comes_back_after_a_while_is_told_again(pause_s: int, times: int) -> None:
    """Within the patience it is the same error."""
    assert len(listened([failed(0, "defect"), *played(seen(5)), failed(pause_s, "defect")])) == times


def test_files_that_cannot_be_written_and_alarms_are_errors() -> None:
    """Each once; what an alarm is about stands before it."""
    (report,) = Play(rules()).ticks(ticks(0))
    alarmed = {**WELL, "polymarket_gamma": SourceState(ok=True, alarms={"fees": "the table differs"})}
    trouble = replace(outcome(report, alarmed), unwritten=("manifest.json",))
    said = [notice.text for notice in listened([trouble, trouble])]
    assert said == [
        "files stay old, they cannot be written: manifest.json",
        "polymarket_gamma, fees: the table differs",
    ]


def test_the_day_is_summed_up_by_the_first_tick_of_the_next() -> None:
    """One trade in and one out on 2 March; the account as it stood at the last tick of that day."""
    play = entered()
    play.ticks([*ticks(*range(90, 270, INTERVAL_S), spot=60_300.0), *ticks(MIDNIGHT_S - 1, MIDNIGHT_S, MIDNIGHT_S + 15)])
    *_, summary = listened(map(outcome, play.reports))
    assert summary.kind is NoticeKind.DAILY_SUMMARY
    assert summary.text == "equity 999.55007 USD, realised -0.44993, fees 0.34993, 1 buys, 1 exits, 0 positions open"
    assert summary.at_ms == NOON_MS - NOON_MS % DAY_MS
    assert summary.at_ms == NOON_MS - MIDNIGHT_S * 1000


def test_a_new_day_counts_from_nothing() -> None:
    """The exit belongs to the second day, and the third has nothing."""
    play = entered()
    play.ticks(ticks(*(MIDNIGHT_S + DAY_MS // 1000 * days for days in range(3)), spot=None))
    said = [notice.text for notice in listened(map(outcome, play.reports)) if notice.kind is NoticeKind.DAILY_SUMMARY]
    assert said == [
        "equity 999.72507 USD, realised -0.17493, fees 0.17493, 1 buys, 0 exits, 1 positions open",
        "equity 999.55007 USD, realised -0.275, fees 0.175, 0 buys, 1 exits, 0 positions open",
        "equity 999.55007 USD, realised 0, fees 0, 0 buys, 0 exits, 0 positions open",
    ]


def test_a_wall_clock_that_is_set_back_begins_no_day() -> None:
    """Over midnight and back: one summary, by the first crossing."""
    at = [Moment(at_ms=NOON_MS + (MIDNIGHT_S + step) * 1000, elapsed_ms=n) for n, step in enumerate((-15, 15, -15, 15))]
    assert kinds(listened(played(*(snapshot(each) for each in at)))) == [NoticeKind.DAILY_SUMMARY]


def test_a_daemon_that_starts_again_knows_its_day_from_the_ledger() -> None:
    """The trades of today count, those of yesterday do not; an empty ledger has no day."""
    play = entered()
    play.ticks(ticks(*range(90, 270, INTERVAL_S), spot=60_300.0))
    trades = tuple(trade for report in play.reports for trade in report.trades)
    old = replace(trades[0], moment=Moment(at_ms=NOON_MS - DAY_MS, elapsed_ms=0))
    journal = Journal(
        state=play.state,
        ledger_id="x",
        started_at_ms=NOON_MS,
        verdicts=(),
        orders=(),
        trades=(old, *trades),
        equity=(play.reports[-1].equity,),
    )
    went_on, _ = told(Told(), outcome(play.reports[-1]), patience_ms=PATIENCE_MS)
    day = remembered(journal).day
    assert day is not None
    assert went_on.day is not None
    assert (day.number, day.buys, day.exits) == (went_on.day.number, 1, 1)
    assert (day.realised, day.fees) == (Decimal("-0.44993"), Decimal("0.34993"))
    assert (day.equity, day.open_positions) == (went_on.day.equity, 0)
    assert remembered(replace(journal, equity=())) == Told()


def test_an_end_that_nobody_asked_for_is_an_error() -> None:
    """The ledger's disk has failed."""
    notice = ended("LedgerUnwritable: no space", NOON_MS)
    assert (notice.kind, notice.text) == (NoticeKind.ERROR, "the agent ends: LedgerUnwritable: no space")


@pytest.mark.parametrize(("interval_s", "expected"), [(0.2, 30), (3, 30), (15, 150)])
def test_patience_is_ten_ticks_and_thirty_seconds_at_least(interval_s: float, expected: float) -> None:
    """As the portal's page has it."""
    assert patience_s(interval_s) == expected
