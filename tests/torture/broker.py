"""What tries to break a broker's bookkeeping: thousands of orders at an exchange that loses, repeats, delays and kills.

`python -m tests.torture.broker [--full]` prints one JSON line and ends with 1 when books and exchange differ. Half of the lives
are played in memory, where a death forgets everything but what was committed; the others are processes that die by SIGKILL in
the middle of a request, with their intents in a file. The exchange lives in the parent, at the other end of a pipe.
"""

import asyncio
import json
import multiprocessing
import os
import pickle
import random
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from domain.ledger import LawBroken, OrderStatus
from domain.market import Side
from domain.ports import Unavailable
from tests.contracts.broker import Desk, Life
from tests.contracts.reference_broker import Intents, ReferenceBroker
from tests.contracts.scripted_exchange import Act, AnswerLost, Killed, Receipt, ScriptedExchange, Sent, VenueTrade

HONEST_ENOUGH = tuple(act for act in Act if act not in (Act.FILLS_TOO_MUCH, Act.FILLS_TOO_DEAR, Act.FILLS_WHAT_IT_REFUSED))
SMALL, FULL = (30, 12), (1_500, 300)
"""Lives in memory and real deaths."""

ORDERS_A_LIFE = 20


@dataclass(slots=True)
class Findings:
    """What happened, counted, and what should not have."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def check(self, life: Life, names: list[tuple[str, Side]], where: str) -> None:
        """Compare the books with the exchange."""
        really = sum((life.exchange.filled(name) * (1 if side is Side.BUY else -1) for name, side in names), start=Decimal(0))
        copies = Counter(sent.client_id for sent in {sent.payload: sent for sent in life.exchange.sent}.values())
        if life.moved != really:
            self.faults.append(f"{where}: the books moved {life.moved} shares, the exchange {really}")
        if life.state.ledger.pending:
            self.faults.append(f"{where}: {len(life.state.ledger.pending)} orders still wait")
        if copies and max(copies.values()) > 1:
            self.faults.append(f"{where}: an order was sent in two versions")


def lives(count: int, findings: Findings, kind: type[ReferenceBroker] = ReferenceBroker) -> None:
    """So many lives of twenty orders each, with deaths at every point where a process can die."""
    for number in range(count):
        dice = random.Random(findings.seed * 1_000_003 + number)
        exchange = ScriptedExchange(others=dice.random() < 0.5)
        kept = Intents(sqlite3.connect(":memory:", isolation_level=None))
        life = Life(Desk(exchange=exchange, start=partial(kind, exchange, kept)))
        names: list[tuple[str, Side]] = []
        try:
            for _ in range(ORDERS_A_LIFE):
                _one_tick(life, dice, names, findings)
            exchange.down = False
            life.wait()
        except (LawBroken, AssertionError) as error:
            findings.faults.append(f"life {number}: {error}")
            continue
        findings.check(life, names, f"life {number}")
        findings.counts["lives"] += 1


def _one_tick(life: Life, dice: random.Random, names: list[tuple[str, Side]], findings: Findings) -> None:
    """What the agent does in a tick: reconcile first, trade only then; and what the world does meanwhile."""
    life.exchange.down = dice.random() < 0.1
    life.exchange.clock.advance(dice.choice((1, 5, 15, 90)))
    try:
        life.reconcile()
    except Unavailable:
        findings.counts["ticks without knowing"] += 1
        return
    side = dice.choice((Side.BUY, Side.SELL))
    wish = life.wish(side, shares=dice.choice(("0.03", "1", "2.5")))
    names.append((wish.id, side))
    act = dice.choice(HONEST_ENOUGH)
    life.exchange.script[:] = [act]
    findings.counts[f"acts: {act}"] += 1
    saved = dice.random() < 0.8
    findings.counts["deaths before the commit"] += not saved
    executions = life.tick(wish, saved=saved)
    findings.counts.update(str(execution.status) for execution in executions)
    findings.counts["orders"] += 1


class _Wire:
    """The exchange as a child sees it: each call is a message; the parent kills the child instead of an answer."""

    def __init__(self, pipe: Connection, exchange: ScriptedExchange) -> None:
        self._pipe, self.now = pipe, exchange.now

    def _asked(self, call: str, *arguments: object) -> object:
        self._pipe.send((call, arguments))
        answer = self._pipe.recv()
        if isinstance(answer, AnswerLost):
            raise answer
        return answer

    async def place(self, payload: bytes) -> Receipt:
        """As the exchange."""
        answer = self._asked("place", payload)
        assert isinstance(answer, Receipt)
        return answer

    async def order(self, order: str) -> Sent | None:
        """As the exchange."""
        answer = self._asked("order", order)
        assert answer is None or isinstance(answer, Sent)
        return answer

    async def trades(self) -> list[VenueTrade]:
        """As the exchange."""
        answer = self._asked("trades")
        assert isinstance(answer, list)
        return answer


def deaths(count: int, findings: Findings, directory: Path) -> None:
    """So many processes that die in the middle of a request, or after it and before anything was booked, by SIGKILL."""
    dice = random.Random(findings.seed)
    for number in range(count):
        path = directory / f"{number}.sqlite3"
        exchange = ScriptedExchange()
        after = dice.random() < 0.3
        exchange.script[:] = [Act.FILLS if after else dice.choice((Act.KILLS_THE_SENDER, Act.KILLS_THE_SENDER_BEFORE))]
        life = Life(Desk(exchange=exchange, start=partial(_born, exchange, path)))
        wish = life.wish()
        _die(path, exchange, pickle.dumps(wish), findings)
        life.die()
        try:
            life.wait()
        except (LawBroken, AssertionError) as error:
            findings.faults.append(f"death {number}: {error}")
            continue
        findings.check(life, [(wish.id, Side.BUY)], f"death {number}")
        findings.counts["shares found after a death"] += int(life.moved)


def _born(exchange: ScriptedExchange, path: Path) -> ReferenceBroker:
    """A broker whose intents are in a file, as a ledger's are."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return ReferenceBroker(exchange, Intents(connection))


def _die(path: Path, exchange: ScriptedExchange, wish: bytes, findings: Findings) -> None:
    """Let a child send the order, answer it as the script says, and see that it died by SIGKILL."""
    ours, theirs = multiprocessing.Pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        _send_and_die(path, _Wire(theirs, exchange), wish)
    theirs.close()
    with suppress(EOFError, ConnectionError):
        while True:
            call, arguments = ours.recv()
            try:
                ours.send(asyncio.run(getattr(exchange, call)(*arguments)))
            except AnswerLost as lost:
                ours.send(lost)
            except Killed:
                os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    ours.close()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        findings.counts["deaths by SIGKILL"] += 1
    else:
        findings.faults.append(f"the child ended with {status}, not by SIGKILL")


def _send_and_die(path: Path, wire: _Wire, wish: bytes) -> None:
    """The child: a tick up to the broker's answer, and then the end, whatever happens."""
    try:
        life = Life(Desk(exchange=ScriptedExchange(), start=partial(_born, cast(ScriptedExchange, wire), path)))
        life.reconcile()
        life.sent(life.broker.intend([pickle.loads(wish)]))
        os.kill(os.getpid(), signal.SIGKILL)
    finally:
        os._exit(1)


def tortured(sizes: tuple[int, int], seed: int = 1) -> Findings:
    """Everything, at these sizes."""
    findings = Findings(seed=seed)
    lives(sizes[0], findings)
    with tempfile.TemporaryDirectory() as directory:
        deaths(sizes[1], findings, Path(directory))
    return findings


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when there is a finding."""
    findings = tortured(FULL if "--full" in arguments else SMALL)
    print(json.dumps({"torture": "broker", **dict(sorted(findings.counts.items())), "findings": len(findings.faults)}))
    for fault in findings.faults[:20]:
        print(fault, file=sys.stderr)
    return int(bool(findings.faults) or not findings.counts[str(OrderStatus.UNKNOWN)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
