"""Clocks that step, stand still and sleep, through everything that asks for the time: restarts, the grid, the whole tick."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.simulated_venues import BookSpec, SimMarket, Steady
from adapters.sqlite_ledger import SqliteLedger
from adapters.wire_numbers import FIRST_MS, LAST_MS, EpochMs, Wire
from domain.decision import Reason
from domain.ledger import Action
from domain.market import Moment
from domain.report import Report
from domain.strategies.lead_lag import LeadLag
from domain.view import Limits, ScaleIn
from entrypoints.pace import Pace
from entrypoints.settings import read_settings
from tests.builders import INTERVAL_S, NOON_MS, book, moment, rules, seen, warming_up
from tests.domain.test_trading import reasons
from tests.fakes import FakeClock, Play
from tests.faulty import Session

DAY_S = 86_400
HOUR_MS = 3_600_000


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S])
def test_a_stepped_wall_clock_makes_no_book_older_or_younger(step_s: float) -> None:
    """Freshness counts from the request on the timeline that never steps."""
    assert book(requested=moment(0)).age_at(moment(10, wall_step_s=step_s)) == 10


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S])
def test_a_stepped_wall_clock_neither_ends_nor_prolongs_a_cooldown(step_s: float) -> None:
    """In at 75 s; the odds rise at once, and the add comes after twenty seconds: at 105 s, whatever the wall says."""
    growing = Limits(scale_in=ScaleIn(odds_change_pct=0.4, cooldown_s=20))
    play = Play(rules(thresholds=LeadLag(edge_exit_pct=-100), limits=growing))
    play.ticks([*warming_up(), seen(75, spot=60_300.0), seen(80, "0.52/0.53", spot=60_900.0, wall_step_s=step_s)])
    play.tick(seen(90, "0.52/0.53", spot=61_500.0, wall_step_s=step_s))
    play.tick(seen(105, "0.52/0.53", spot=62_100.0, wall_step_s=step_s))
    assert reasons(play.reports)[5:] == [Reason.ENTER, Reason.CLOCK_JUMP, Reason.COOLING_DOWN, Reason.SCALE_IN]


def test_a_restart_under_a_wall_clock_that_was_set_back_is_flagged_and_costs_one_tick() -> None:
    """The time away counts as none, and the first tick says `clock_jump`."""
    before = Play(rules())
    before.ticks([*warming_up(), seen(75, spot=60_300.0)])
    resumed = SystemClock(resumed=Moment(at_ms=SystemClock().now().at_ms + HOUR_MS, elapsed_ms=75_000)).now()
    assert resumed.elapsed_ms - 75_000 < 1_000
    after = Play(rules(), opening=before.state)
    after.ticks([seen(76, spot=60_300.0, wall_step_s=-3_600), seen(91, spot=60_300.0, wall_step_s=-3_600)])
    assert reasons(after.reports) == [Reason.CLOCK_JUMP, Reason.HOLD]
    assert after.ledger.positions.keys() == before.ledger.positions.keys()


def test_a_day_without_the_daemon_is_no_jump_but_a_hole() -> None:
    """Both timelines went on: the hold is over at once, and the history starts again."""
    resumed = SystemClock(resumed=Moment(at_ms=SystemClock().now().at_ms - DAY_S * 1_000, elapsed_ms=75_000)).now()
    assert 0 <= resumed.elapsed_ms - 75_000 - DAY_S * 1_000 < 1_000
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=60_300.0), seen(75 + DAY_S, spot=60_600.0), seen(90 + DAY_S, spot=60_900.0)])
    assert reasons(play.reports)[5:] == [Reason.ENTER, Reason.MAX_HOLD, Reason.WARMUP]


def test_after_a_suspension_the_missed_ticks_are_not_made_up_for() -> None:
    """An hour asleep within a tick: the next tick is the next one, not two hundred and forty of them."""
    clock = FakeClock(Moment(at_ms=NOON_MS, elapsed_ms=0))
    clock.speed = 1e9
    ticked: list[int] = []

    async def ticking(at: Moment) -> None:
        ticked.append(at.elapsed_ms)
        clock.advance(3_600 if len(ticked) == 2 else INTERVAL_S)

    asyncio.run(Pace(read_settings({"RUN_TICKS": "4"}), clock, stop=asyncio.Event()).run(ticking))
    assert ticked == [0, 15_000, 3_615_000, 3_630_000]


def test_a_move_during_a_suspension_is_not_taken_for_a_move_of_now() -> None:
    """The machine slept through a rise of one percent: everything warms up anew, through the whole agent."""
    market = SimMarket(slug="btc-up")
    woken_ms = NOON_MS + HOUR_MS
    world = Steady(
        spot=lambda pair, ms: 60_000.0 if ms < woken_ms else 60_600.0,
        books=lambda token, ms: BookSpec(bids=(("0.50", "500"),), asks=(("0.51", "500"),)),
        markets=(market,),
    )

    async def story() -> list[Report]:
        session = Session(world, world, {})
        awake = await session.ticks(6)
        session.clock.at_ms = woken_ms
        slept = await session.ticks(6)
        await session.close()
        return [*awake, *slept]

    reports = asyncio.run(story())
    said = [{verdict.cause.reason for verdict in report.verdicts} for report in reports]
    assert said == [*[{Reason.WARMUP}] * 5, {Reason.SPOT_MOVE_TOO_SMALL}, *[{Reason.WARMUP}] * 5, {Reason.SPOT_MOVE_TOO_SMALL}]
    assert {verdict.action for report in reports for verdict in report.verdicts} == {Action.SKIP}


def test_what_is_kept_is_in_the_order_of_ticks_although_the_clock_ran_backwards(tmp_path: Path) -> None:
    """A trade's place is its tick's number; its time says only what the wall clock showed."""
    store = SqliteLedger.open(tmp_path / "ledger.sqlite3", opening_cash=Decimal(1_000), now_ms=NOON_MS)
    play = Play(rules(), opening=store.load())
    for n in range(20):
        step_s = -DAY_S if n > 10 else 0
        store.save(play.tick(seen(INTERVAL_S * n, spot=60_000.0 * 1.0005**n, wall_step_s=step_s)))
    journal = store.journal()
    store.close()
    assert [point.sequence for point in journal.equity] == sorted(point.sequence for point in journal.equity)
    assert [trade.action for trade in journal.trades[:2]] == ["BUY", "SELL"]
    assert journal.trades[0].moment.at_ms > journal.trades[1].moment.at_ms


class Stamped(Wire):
    """What carries a venue's time."""

    at: EpochMs


@pytest.mark.parametrize("at_ms", [FIRST_MS, 1_483_228_800_000 + 4 * 31_536_000_000, 2_147_483_648_000, LAST_MS])
def test_times_of_this_century_are_times(at_ms: int) -> None:
    """Beyond the second in which 32 bits end, too."""
    assert Stamped(at=str(at_ms)).at == at_ms  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [str(FIRST_MS - 1), str(LAST_MS + 1), str(NOON_MS // 1_000), str(NOON_MS * 1_000), "0", "-1"])
def test_seconds_microseconds_and_other_centuries_are_none(text: str) -> None:
    """A mix-up of units must not become an age."""
    with pytest.raises(ValueError, match="at"):
        Stamped(at=text)  # type: ignore[arg-type]
