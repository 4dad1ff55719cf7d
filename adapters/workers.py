"""Work on all cores: processes that are forked from this one, so that what it has read is theirs without a copy."""

import multiprocessing
import os
import signal
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")
T_in = TypeVar("T_in", contravariant=True)
R_out = TypeVar("R_out", covariant=True)


class CrewLost(Exception):
    """Who did the work is gone; the text says why and what to do."""


class Crew(Protocol[T_in, R_out]):
    """Who does the work."""

    def answers(self, tasks: Sequence[T_in]) -> Iterator[R_out]:
        """One answer for each task, in the order in which they are ready."""
        ...


class Here(Generic[T, R]):
    """Works in this process."""

    def __init__(self, work: Callable[[T], R], kind: Callable[[T], Hashable]) -> None:
        """By this function; tasks of one kind are done one after the other."""
        self._work, self._kind = work, kind

    def answers(self, tasks: Sequence[T]) -> Iterator[R]:
        """One answer after the other."""
        for queue in _by_kind(tasks, self._kind).values():
            yield from map(self._work, queue)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    """Whether this system can give a process what another one has read."""
    return "fork" in multiprocessing.get_all_start_methods()


def _by_kind(tasks: Sequence[T], kind: Callable[[T], Hashable]) -> dict[Hashable, deque[T]]:
    queues: dict[Hashable, deque[T]] = {}
    for task in tasks:
        queues.setdefault(kind(task), deque()).append(task)
    return queues


class Workers(Generic[T, R]):
    """Forked processes that live as long as the context; each goes on with the kind of task that it has begun with."""

    def __init__(self, work: Callable[[T], R], kind: Callable[[T], Hashable], jobs: int) -> None:
        """So many processes, each doing `work`; nothing is started yet."""
        self._work, self._kind, self._jobs = work, kind, jobs
        self._processes: dict[Connection, ForkProcess] = {}

    def __enter__(self) -> Self:
        """Start them. They leave Ctrl-C to this process, and end when it is gone."""
        fork = multiprocessing.get_context("fork")
        for _ in range(self._jobs):
            ours, theirs = fork.Pipe()
            foreign = (*self._processes, ours)
            process = fork.Process(target=_serve, args=(self._work, theirs, foreign), daemon=True)
            with warnings.catch_warnings():
                # Newer Pythons warn of threads, of which numpy keeps some that hold no lock while nothing is computed.
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            theirs.close()
            self._processes[ours] = process
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop them, whatever they are at."""
        for connection, process in self._processes.items():
            connection.close()
            process.terminate()
            process.join()
        self._processes.clear()

    def answers(self, tasks: Sequence[T]) -> Iterator[R]:
        """One answer for each task, in the order in which they are ready. Raises `CrewLost`."""
        queues = _by_kind(tasks, self._kind)
        busy: dict[Connection, Hashable] = {}
        for connection in self._processes:
            _hand_out(connection, queues, busy)
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)  # noqa: S101 - nothing else was waited for
                answer = self._received(ready)
                _hand_out(ready, queues, busy)
                yield answer

    def _received(self, connection: Connection) -> R:
        try:
            answer: R | Exception = connection.recv()
        except (EOFError, OSError):
            process = self._processes[connection]
            process.join(1)
            raise CrewLost(f"a worker process has died (exit code {process.exitcode}); was there too little memory?") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _hand_out(connection: Connection, queues: dict[Hashable, deque[T]], busy: dict[Connection, Hashable]) -> None:
    """Give an idle worker its next task: of its own kind, else of one that nobody is at, else of the one most is left of."""
    last = busy.pop(connection, None)
    if not queues:
        return
    taken = set(busy.values())
    kind = last if last in queues else max(queues, key=lambda each: (each not in taken, len(queues[each])))
    task = queues[kind].popleft()
    if not queues[kind]:
        del queues[kind]
    busy[connection] = kind
    connection.send(task)


def _serve(work: Callable[[T], R], connection: Connection, foreign: Sequence[Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in foreign:
        each.close()
    while True:
        try:
            task: T = connection.recv()
        except EOFError:
            return
        answer: R | Exception
        try:
            answer = work(task)
        except Exception as error:  # noqa: BLE001 - it is raised again by who asked
            error.add_note(traceback.format_exc())
            answer = error
        connection.send(answer)
