"""A sweep over several machines by Dask distributed, and the only place that knows it.

Scheduler and workers may share nothing with this machine but the network (and this program): a worker opens the tape where it
has the same one under the same path, and is sent its files otherwise, once, whenever it joins.
"""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

import distributed
from distributed.diagnostics.plugin import WorkerPlugin

from adapters.tape import TapeInvalid
from adapters.tape.manifest import fingerprint
from adapters.workers import CrewLost

T = TypeVar("T")
R = TypeVar("R")

TOGETHER = 5
"""Tasks of one kind that a worker is given at once: it shares among them, and no more is lost when it dies."""

PATIENCE_S = 10
PLUGIN = "spelar-tape"

_WORKING = Lock()
"""A worker may have many threads, of which one works at a time."""

_SENT: dict[str, Path] = {}
"""On a worker: where the tapes are that were sent to it, by fingerprint."""


def place_of(tape: Path, mark: str) -> Path:
    """Where a worker has the tape of this fingerprint. Raises `TapeInvalid`."""
    if _has(tape, mark):
        return tape
    if mark in _SENT:
        return _SENT[mark]
    raise TapeInvalid(f"this worker has no tape {tape} of the same bytes; put it there, or start the sweep again to send it")


def _has(tape: Path, mark: str) -> bool:
    try:
        return fingerprint(tape) == mark
    except TapeInvalid:
        return False


class SentTape(WorkerPlugin):
    """Unpacks the files of a tape on every worker that has not got it."""

    def __init__(self, tape: Path, mark: str, packed: bytes) -> None:
        """This tape, packed."""
        self.name = f"{PLUGIN}-{mark[:12]}"
        self._tape, self._mark, self._packed = tape, mark, packed

    def setup(self, worker: distributed.Worker) -> None:
        """Unpack, unless the same tape is there."""
        if _has(self._tape, self._mark):
            return
        place = Path(tempfile.mkdtemp(prefix=f"{PLUGIN}-"))
        with tarfile.open(fileobj=io.BytesIO(self._packed)) as packed:
            packed.extractall(place, filter="data")
        _SENT[self._mark] = place

    def teardown(self, worker: distributed.Worker) -> None:
        """Remove what was unpacked."""
        place = _SENT.pop(self._mark, None)
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)


def _packed(tape: Path) -> bytes:
    """The files of a tape; they are compressed already."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as packed:
        for path in sorted(tape.rglob("*")):
            packed.add(path, path.relative_to(tape), recursive=False)
    return target.getvalue()


class Cluster(Generic[T, R]):
    """Implements `adapters.workers.Crew` by the workers of a scheduler."""

    def __init__(self, address: str, tape: Path, work: Callable[[T], R], kind: Callable[[T], Hashable]) -> None:
        """`work` travels to the workers: its module must be installed there. Nothing is connected yet."""
        self._address, self._tape, self._work, self._kind = address, tape, work, kind
        self._client: distributed.Client | None = None
        self._plugin: str | None = None

    def __enter__(self) -> Self:
        """Connect, and send the tape if a worker lacks it. Raises `CrewLost`."""
        try:
            self._client = client = distributed.Client(self._address, timeout=PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CrewLost(f"no scheduler answers at {self._address} ({error}); start one with `dask scheduler`") from None
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError:
            client.close()
            raise CrewLost(f"the scheduler at {self._address} has no workers; start some with `dask worker`") from None
        mark = fingerprint(self._tape)
        if not all(client.run(_has, self._tape, mark).values()):
            plugin = SentTape(self._tape, mark, _packed(self._tape))
            client.register_plugin(plugin)
            self._plugin = plugin.name
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of what is not done, clean the workers up, and disconnect."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if self._plugin is not None:
                client.unregister_worker_plugin(self._plugin)
        finally:
            client.close()

    def answers(self, tasks: Sequence[T]) -> Iterator[R]:
        """One answer for each task, as they come. Tasks of a worker that dies are done by another one. Raises `CrewLost`."""
        if self._client is None:
            raise CrewLost("the cluster is not connected")
        futures = [self._client.submit(_done, self._work, together, pure=False) for together in _together(tasks, self._kind)]
        try:
            for future in distributed.as_completed(futures, loop=self._client.loop):
                yield from future.result()
        except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
            raise CrewLost(f"the workers of {self._address} do not last: {error}") from None
        finally:
            self._client.cancel(futures)


def _done(work: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
    """On a worker."""
    with _WORKING:
        return [work(task) for task in tasks]


def _together(tasks: Sequence[T], kind: Callable[[T], Hashable]) -> Iterator[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for task in tasks:
        groups.setdefault(kind(task), []).append(task)
    for group in groups.values():
        yield from (group[start : start + TOGETHER] for start in range(0, len(group), TOGETHER))
