"""The statistics of a choice, against values worked out by hand, and folds that neither overlap nor leak."""

import itertools
import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.selection import beside, best_of, deflated_sharpe, exceeds, expected_best, folds_of, on_a_cliff, sharpe, telling

STEPS = st.lists(st.floats(0.1, 100), min_size=2, max_size=200)


def test_the_score_is_mean_over_sample_deviation() -> None:
    """1, 2, 3: mean 2, variance 1."""
    assert sharpe([1, 2, 3]) == 2
    assert sharpe([0, 0, 6]) == pytest.approx(2 / math.sqrt(12))
    assert sharpe([5, 5, 5]) == sharpe([5]) == sharpe([]) == 0


def test_the_best_of_trials_without_skill_is_the_papers_formula() -> None:
    """N = 10 with variance 0.625: Z(0.9) = 1.281552 and Z(1 - 1/(10 e)) = 1.789242, weighed with 0.577216."""
    factor = (1 - 0.577216) * 1.281552 + 0.577216 * 1.789242
    assert expected_best([0.0, 1.5] * 5) == pytest.approx(math.sqrt(0.625) * factor, abs=1e-5)
    assert expected_best([0.3]) == 0


def test_the_example_of_the_paper_comes_out() -> None:
    """Bailey and López de Prado (2014): N = 100, V = 1/2 and SR = 2.5 a year, T = 1250 days, skewness -3, kurtosis 10.

    By the day, 250 a year: the best by luck is 0.1132, and the deflated Sharpe ratio 0.9004.
    """
    spread = math.sqrt(0.5 / 250 * 99 / 100)
    luck = expected_best([-spread, spread] * 50)
    assert luck == pytest.approx(0.1132, abs=1e-4)
    score = 2.5 / math.sqrt(250)
    assert exceeds(score, luck, periods=1250, skewness=-3, kurtosis=10) == pytest.approx(0.9004, abs=1e-4)


def test_a_record_alone_is_judged_against_zero() -> None:
    """2, 0, 2, 0, ...: skewness 0, kurtosis 1, so the width is 1 and the rest is a normal distribution."""
    record = [2.0, 0.0] * 8
    score = 1 / math.sqrt(16 / 15)
    assert sharpe(record) == pytest.approx(score)
    assert deflated_sharpe(record, [score]) == pytest.approx(NormalDist().cdf(score * math.sqrt(15)))


def test_more_trials_make_luck_likelier() -> None:
    """The same record, among ever more trials that vary alike."""
    record = [1.0, -0.5, 0.8, -0.6, 0.9, 0.1, -0.2, 0.7] * 6
    judged = [deflated_sharpe(record, [0.1, 0.3] * count) for count in (1, 4, 16, 64)]
    assert all(one is not None and other is not None and one > other for one, other in itertools.pairwise(judged))
    assert deflated_sharpe([0.0] * 10, [0.0, 0.1]) is None


@given(steps=STEPS, count=st.integers(0, 8), purge_s=st.floats(0, 500))
def test_folds_never_overlap_and_their_past_ends_before_the_purge(steps: list[float], count: int, purge_s: float) -> None:
    """Whatever the edges: tests follow one another, and nothing of a past lies within the purge of its test."""
    edges = [0.0]
    for step in steps:
        edges.append(edges[-1] + step)
    folds = folds_of(edges, count=count, purge_s=purge_s)
    assert len(folds) <= count
    assert all(fold.first < fold.end <= len(steps) for fold in folds)
    assert all(fold.seen >= 2 and edges[fold.seen] <= edges[fold.first] - purge_s for fold in folds)
    assert all(one.end <= other.first for one, other in itertools.pairwise(folds))
    for fold in folds:
        later = fold.seen + 1
        assert later > fold.first or edges[later] > edges[fold.first] - purge_s


def test_folds_without_purge_use_all_of_the_past() -> None:
    """Twelve periods, three folds: a quarter is past alone."""
    folds = folds_of(list(range(13)), count=3, purge_s=0)
    assert [(fold.seen, fold.first, fold.end) for fold in folds] == [(3, 3, 6), (6, 6, 9), (9, 9, 12)]
    assert [fold.seen for fold in folds_of(list(range(13)), count=3, purge_s=2.5)] == [3, 6]


def test_neighbours_are_one_step_away() -> None:
    """In one variable; without any, as many nearest ones as a grid would have."""
    grid = [(x, y) for x in range(3) for y in range(3)]
    assert [grid[number] for number in beside(grid, (1, 1))] == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert [grid[number] for number in beside(grid, (0, 0))] == [(0, 1), (1, 0)]
    scattered = [(0, 0), (2, 2), (5, 5), (9, 9), (1, 3), (7, 0)]
    assert len(beside(scattered, (0, 0))) == 4


def test_a_cliff_is_a_best_whose_neighbours_are_much_worse() -> None:
    """The middle one of them counts."""
    assert on_a_cliff(1.0, [0.1, 0.2, 0.9])
    assert not on_a_cliff(1.0, [0.1, 0.8, 0.9])
    assert not on_a_cliff(-1.0, [-5.0])
    assert not on_a_cliff(1.0, [])


def test_the_most_telling_variable_explains_the_scores() -> None:
    """One that decides all, and one that decides nothing."""
    assert telling([0, 0, 1, 1], [1.0, 1.0, 3.0, 3.0]) == 1
    assert telling([0, 1, 0, 1], [1.0, 1.0, 3.0, 3.0]) == 0
    assert telling([0, 1], [2.0, 2.0]) == 0
    assert best_of([1.0, 3.0, 3.0]) == 1
