"""Forked workers: every task is answered once, errors and deaths are told, and nobody is left behind."""

import os
import signal
import time

import pytest

from adapters.workers import CrewLost, Here, Workers


def _square(number: int) -> tuple[int, int, int]:
    return number, number * number, os.getpid()


def _parity(number: int) -> int:
    return number % 2


def _refuses(number: int) -> int:
    raise ValueError(f"{number} is not to be had")


def _dies(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_task_is_answered_once() -> None:
    """By two processes, in this one, and again by the same two; then both are gone."""
    with Workers(_square, _parity, 2) as crew:
        first, second = list(crew.answers(range(20))), list(crew.answers([7]))
    pids = {pid for _, _, pid in first}
    assert sorted(answer[:2] for answer in first) == sorted(answer[:2] for answer in Here(_square, _parity).answers(range(20)))
    assert second[0][2] in pids
    assert os.getpid() not in pids
    assert not any(_alive(pid) for pid in pids)


def test_a_worker_goes_on_with_the_kind_that_it_began() -> None:
    """With as many kinds as workers, neither changes before its kind is done."""
    with Workers(_square, _parity, 2) as crew:
        answers = list(crew.answers(range(40)))
    first = {_parity(number): pid for number, _, pid in reversed(answers)}
    begun = answers[: len(answers) // 2]
    assert all(first[_parity(number)] == pid for number, _, pid in begun)


def test_an_error_of_a_worker_is_raised_here() -> None:
    """With its text, and where it was raised."""
    with Workers(_refuses, _parity, 2) as crew, pytest.raises(ValueError, match="not to be had") as raised:
        list(crew.answers([1, 2]))
    assert "_refuses" in raised.value.__notes__[0]


def test_a_worker_that_dies_is_noticed() -> None:
    """And the text guesses why."""
    with Workers(_dies, _parity, 2) as crew, pytest.raises(CrewLost, match="memory"):
        list(crew.answers(range(8)))
