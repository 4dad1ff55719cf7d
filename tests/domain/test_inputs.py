"""What comes in wrong: a spike, a stepped clock, a hole in the history."""

import pytest

from domain.decision import Reason
from domain.market import ReferenceId, Snapshot
from domain.state import Seen
from domain.strategies.lead_lag import LeadLag
from tests.builders import INTERVAL_S, SPOT, YES, book, market, moment, rules, seen, snapshot, warming_up
from tests.domain.test_trading import reasons, trades
from tests.fakes import Play


def test_a_reference_that_jumps_waits_one_tick_and_counts_when_confirmed() -> None:
    """60000 to 70000 is 16.7 %: the first tick refuses it, the second one near it is taken as the new price."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=70_000.0), seen(90, spot=70_100.0)])
    assert reasons(play.reports)[5:] == [Reason.REFERENCE_SPIKE, Reason.ENTER]
    assert play.reports[5].verdicts[0].cause.measured == pytest.approx(16.6667, abs=1e-4)
    assert play.state.memory.references[SPOT] == Seen(accepted=70_100.0)


def test_a_spike_of_one_tick_leaves_no_trace() -> None:
    """Neither a sample nor a trade."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=70_000.0), seen(90)])
    assert reasons(play.reports)[5:] == [Reason.REFERENCE_SPIKE, Reason.SPOT_MOVE_TOO_SMALL]
    assert {sample.reference for sample in play.state.memory.histories[YES].samples} == {60_000.0}
    assert trades(play) == []


def test_another_spike_confirms_nothing() -> None:
    """70000 and 90000 are no two answers of one price."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=70_000.0), seen(90, spot=90_000.0), seen(105, spot=91_000.0)])
    assert reasons(play.reports)[5:] == [Reason.REFERENCE_SPIKE, Reason.REFERENCE_SPIKE, Reason.ENTER]


def test_the_last_accepted_price_is_remembered_over_a_tick_without_one() -> None:
    """A missing answer must not let the spike after it pass."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(75, spot=None), seen(90, spot=70_000.0)])
    assert reasons(play.reports)[5:] == [Reason.MISSING_REFERENCE, Reason.REFERENCE_SPIKE]


def test_a_first_price_that_lied_makes_no_move_of_the_true_one() -> None:
    """52000 is denied by 60000, twice: history starts with the second 60000, and the six samples of a signal are all true."""
    play = Play(rules())
    play.ticks([seen(0, spot=52_000.0), *(seen(INTERVAL_S * n) for n in range(1, 8))])
    expected = [Reason.WARMUP, Reason.REFERENCE_SPIKE, *[Reason.WARMUP] * 5, Reason.SPOT_MOVE_TOO_SMALL]
    assert reasons(play.reports) == expected
    assert {sample.reference for sample in play.state.memory.histories[YES].samples} == {60_000.0}


@pytest.mark.parametrize("lie", [50_000.0, 54_545.0, 67_000.0, 120_000.0])
def test_no_first_price_alone_brings_a_trade(lie: float) -> None:
    """With the shortest window, whatever side it lies on."""
    eager = rules(thresholds=LeadLag(spot_move_min_pct=0.01, edge_min_pct=0.01, edge_exit_pct=0.0, lookback_points=2))
    play = Play(eager)
    play.ticks([seen(0, spot=lie), *(seen(INTERVAL_S * n) for n in range(1, 6))])
    assert trades(play) == []


def _drift(n: int, wall_step_s: float = 0) -> Snapshot:
    return seen(INTERVAL_S * n, spot=60_000 * 1.0005**n, wall_step_s=wall_step_s)


@pytest.mark.parametrize("step_s", [3600, -3600, 86_400])
def test_a_stepped_clock_costs_one_tick_without_trades(step_s: float) -> None:
    """The entry that was due comes a tick later; the sample of the tick was taken all the same."""
    play = Play(rules())
    play.ticks([*map(_drift, range(5)), _drift(5, step_s), _drift(6, step_s)])
    assert reasons(play.reports)[5:] == [Reason.CLOCK_JUMP, Reason.ENTER]
    assert play.reports[5].verdicts[0].cause.measured == abs(step_s)


@pytest.mark.parametrize("step_s", [86_400, -86_400])
def test_a_stepped_clock_neither_shortens_nor_lengthens_a_hold(step_s: float) -> None:
    """In at 75 s, clock set off at 120 s, out at 255 s of elapsed time."""
    play = Play(rules())
    play.ticks([*map(_drift, range(8)), *(_drift(n, step_s) for n in range(8, 18))])
    assert reasons(play.reports)[6:] == [
        *[Reason.HOLD] * 2,
        Reason.CLOCK_JUMP,
        *[Reason.HOLD] * 8,
        Reason.MAX_HOLD,
    ]
    assert [trade.moment.elapsed_ms for trade in trades(play)] == [75_000, 255_000]


def test_an_exit_that_is_due_waits_for_the_tick_after_the_jump() -> None:
    """No mass exit on a clock that just moved."""
    play = Play(rules())
    play.ticks([*map(_drift, range(17)), _drift(17, 7200), _drift(18, 7200)])
    assert reasons(play.reports)[-2:] == [Reason.CLOCK_JUMP, Reason.MAX_HOLD]


@pytest.mark.parametrize(("wait_s", "reason"), [(60, Reason.ENTER), (61, Reason.WARMUP)])
def test_after_a_gap_the_warm_up_starts_again(wait_s: float, reason: Reason) -> None:
    """61 s without a sample: a move over the gap is not a move over the window."""
    play = Play(rules())
    play.ticks([*warming_up(), seen(60 + wait_s, spot=60_300.0)])
    assert reasons(play.reports)[-1] is reason
    assert play.reports[-1].verdicts[0].cause.measured == (1 if reason is Reason.WARMUP else None)


@pytest.mark.parametrize("quote", [None, "0.50/", "0.25/0.75", "0.51/0.50"])
def test_ticks_without_a_good_book_make_a_gap_as_well(quote: str | None) -> None:
    """Four ticks without a sample, then six samples are needed again."""
    play = Play(rules())
    play.ticks([*warming_up(), *(seen(75 + INTERVAL_S * n, quote) for n in range(4))])
    after = [play.tick(seen(135 + INTERVAL_S * n, spot=60_000 * 1.0005**n)) for n in range(6)]
    assert reasons(after) == [Reason.WARMUP] * 5 + [Reason.ENTER]


def test_one_failing_reference_costs_only_what_needs_it() -> None:
    """ETH has no price; BTC trades."""
    eth = market("eth", token=None, reference=ReferenceId("kraken_spot", "ETHUSD"))
    play = Play(rules())
    for n in range(6):
        at = moment(INTERVAL_S * n)
        play.tick(snapshot(at, markets=(eth, market()), books=[book(requested=at)], spot=60_000.0 if n < 5 else 60_300.0))
    assert [verdict.cause.reason for verdict in play.reports[-1].verdicts] == [Reason.NO_TOKEN, Reason.ENTER]


def test_a_market_without_a_reference_of_its_own_says_so() -> None:
    """No other market's price is taken for it."""
    play = Play(rules())
    play.tick(seen(0, of=market(reference=None)))
    assert reasons(play.reports) == [Reason.MISSING_REFERENCE]
