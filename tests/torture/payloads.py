"""A million broken payloads for every parser of what comes from outside: `python -m tests.torture.payloads --full`.

Laws: a parser raises what it says and nothing else, no payload makes a trade, and no number that is none gets into a value or
a file. Each payload follows from (seed, number) alone: a finding names both, and `--first NUMBER --count 1` makes it again.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.candidates import Candidate
from domain.market import OrderBook
from domain.report import Report
from tests.torture.mutations import Whole, broken, whole
from tests.torture.parsers import PARSERS, NotJson, Parser
from tests.torture.seeds import collected, config_seeds, record_seeds, venue_seeds
from tests.torture.world import Files, Flat, flaw, unlawful

FULL, SHORT = 1_000_000, 20_000
BLOCK = 2_500
PATIENCE_S = 10.0
SHOWN = 2_000
"""Bytes of a payload that a finding shows."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A law that a payload broke."""

    seed: int
    number: int
    kind: str
    law: str
    payload: bytes

    def __str__(self) -> str:
        """The seed, the number and the payload, to be made again."""
        return f"--seed {self.seed} --first {self.number} --count 1 ({self.kind}): {self.law}\n  {self.payload[:SHOWN]!r}"


@dataclass(kw_only=True)
class Tally:
    """What became of payloads."""

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """These too."""
        self.accepted += other.accepted
        self.refused += other.refused
        self.findings += other.findings


class Broken(Exception):
    """A law is broken; the text says which."""


class Fuzzer:
    """Makes the payloads of a seed, and judges what becomes of them. One for a process."""

    def __init__(self, seed: int, folder: Path) -> None:
        """Make the whole payloads first."""
        self.seed, self.folder = seed, folder
        self.flat = Flat()
        self.files = Files(folder / "files")
        found = venue_seeds() | config_seeds() | record_seeds()
        self.wholes: dict[str, tuple[Whole, ...]] = {kind: tuple(map(whole, seeds)) for kind, seeds in found.items()}
        self.reports: list[Report] = []
        self.met: list[Candidate] = []

    @cached_property
    def weights(self) -> list[int]:
        """The parsers' shares, added up."""
        return list(accumulate(parser.weight for parser in PARSERS))

    def payload(self, number: int) -> tuple[Parser, bytes]:
        """The payload of a number, and who reads it. Now and then one of another kind, as a confused venue would send it."""
        dice = random.Random(f"{self.seed}:{number}")
        (parser,) = dice.choices(PARSERS, cum_weights=self.weights)
        kind = parser.kind if dice.random() < 0.97 else dice.choice(tuple(self.wholes))
        return parser, broken(dice.choice(self.wholes[kind]), dice)

    def run(self, first: int, count: int) -> Tally:
        """Judge so many payloads, and in the end what the files make of them."""
        tally = Tally()
        self.reports, self.met = [], []
        payload, number, parser = b"", first, PARSERS[0]
        for number in range(first, first + count):
            parser, payload = self.payload(number)
            try:
                accepted = self._judge(parser, payload)
            except Broken as broke:
                tally.findings.append(self._finding(number, parser, payload, str(broke)))
            else:
                (tally.accepted if accepted else tally.refused)[parser.kind] += 1
        if self.reports and (wrong := self._files()):
            tally.findings.append(self._finding(first, parser, b"", f"after {count} payloads, {wrong}"))
        return tally

    def _files(self) -> str:
        try:
            return self.files.show(self.reports, self.met)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the finding
            return f"the files raised {error!r}"

    def _judge(self, parser: Parser, payload: bytes) -> bool:
        """Whether the payload was accepted. Raises `Broken`."""
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        try:
            values = list(parser.read(payload, self.folder))
        except BaseException as error:
            if isinstance(error, (*parser.refusals, NotJson)):
                return False
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise Broken(f"{type(error).__name__} left the parser: {str(error)[:200]}") from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for value in values:
            self._check(value)
        return True

    def _check(self, value: object) -> None:
        if found := flaw(value):
            raise Broken(f"{found} in a {type(value).__name__}")
        if isinstance(value, OrderBook) and (found := unlawful(value)):
            raise Broken(f"a book with {found}")
        if isinstance(value, Candidate):
            self.met = [*self.met[-50:], value]
        try:
            report = self.flat.fed(value)
        except Exception as error:
            raise Broken(f"{type(error).__name__} left the tick: {str(error)[:200]}") from error
        if report is not None and report.trades:
            raise Broken(f"a trade: {report.trades[0].notes}")
        if report is not None:
            self.reports = [*self.reports[-50:], report]

    def _finding(self, number: int, parser: Parser, payload: bytes, law: str) -> Finding:
        return Finding(seed=self.seed, number=number, kind=parser.kind, law=law, payload=payload)


_FUZZER: list[Fuzzer] = []
"""This process's own."""


def _begin(seed: int, folder: str) -> None:
    """Make the process's fuzzer, in a directory of its own."""
    signal.signal(signal.SIGALRM, _out_of_patience)
    mine = Path(folder) / str(os.getpid())
    mine.mkdir()
    _FUZZER[:] = [Fuzzer(seed, mine)]


def _out_of_patience(number: int, frame: object) -> None:
    raise TimeoutError(f"no end after {PATIENCE_S:g} s")


def _block(span: tuple[int, int]) -> Tally:
    return _FUZZER[0].run(*span)


def tortured(*, seed: int, first: int, count: int, processes: int) -> Tally:
    """What became of `count` payloads from number `first` on."""
    shared = Path("/dev/shm")
    whole_run = Tally()
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        spans = [(at, min(BLOCK, first + count - at)) for at in range(first, first + count, BLOCK)]
        for tally in _tallies(spans, seed, folder, processes):
            whole_run.add(tally)
    return whole_run


def _tallies(spans: list[tuple[int, int]], seed: int, folder: str, processes: int) -> Iterator[Tally]:
    if processes == 1:
        _begin(seed, folder)
        yield from map(_block, spans)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin, initargs=(seed, folder)) as pool:
        yield from pool.map(_block, spans)


def main() -> int:
    """Print the figures as a line of JSON, and every finding; 1 with any."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--full", action="store_true", help=f"{FULL} payloads instead of {SHORT}")
    said.add_argument("--seed", type=int, default=7)
    said.add_argument("--first", type=int, default=0)
    said.add_argument("--count", type=int, default=None)
    said.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = said.parse_args()
    count = asked.count or (FULL if asked.full else SHORT)
    began = time.monotonic()
    tally = tortured(seed=asked.seed, first=asked.first, count=count, processes=min(asked.processes, -(-count // BLOCK)))
    for finding in _one_of_each(tally.findings):
        print(finding, file=sys.stderr)
    print(json.dumps({"payloads": count, **figures(tally), "seconds": round(time.monotonic() - began, 1)}))
    return 1 if tally.findings else 0


def _one_of_each(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Of findings of one kind and one beginning, the one with the smallest payload."""
    least: dict[tuple[str, str], Finding] = {}
    for finding in sorted(findings, key=lambda each: len(each.payload)):
        least.setdefault((finding.kind, finding.law[:40]), finding)
    yield from least.values()


def figures(tally: Tally) -> dict[str, object]:
    """The figures of a run."""
    return {
        "collected_seeds": sum(collected().values()),
        "accepted": tally.accepted.total(),
        "refused": tally.refused.total(),
        "findings": len(tally.findings),
        "uncaught": sum(" left the " in finding.law for finding in tally.findings),
        "trades": sum(finding.law.startswith("a trade") for finding in tally.findings),
        "no_numbers": sum("the number" in finding.law or "the cell" in finding.law for finding in tally.findings),
    }


if __name__ == "__main__":
    sys.exit(main())
