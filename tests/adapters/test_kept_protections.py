"""A restart lets nobody off: what the protections remember is in the ledger with the tick that it happened in."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.paper_broker import PaperBroker
from adapters.sqlite_ledger import SqliteLedger
from domain.decision import Cause, Reason
from domain.engine import Rules, step
from domain.market import Snapshot
from domain.protections import Protections
from domain.settle import settle
from domain.view import Limits
from tests.builders import INTERVAL_S, NOON_MS, rules, seen

CASH = Decimal(1000)


@contextmanager
def _opened(path: Path) -> Iterator[SqliteLedger]:
    with closing(SqliteLedger.open(path, opening_cash=CASH, now_ms=NOON_MS)) as store:
        yield store


def _by(protections: Protections) -> Rules:
    return rules(limits=Limits(stop_pct=5.0, protections=protections))


def _ticked(store: SqliteLedger, by: Rules, snapshot: Snapshot) -> Cause:
    """One tick, committed; why its one market was left or taken."""
    decision = step(by, snapshot, store.load())
    report = settle(decision, asyncio.run(PaperBroker().submit(PaperBroker().intend(decision.orders), snapshot)))
    store.save(report)
    (verdict,) = report.verdicts
    return verdict.cause


@pytest.fixture(scope="module")
def stopped_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shares bought at 0.51 at 75 s and stopped out at 0.40 at 90 s, and a process that died right after that commit."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    died = path.parent / "died"
    died.mkdir()
    with _opened(path) as store:
        for n in range(5):
            _ticked(store, _by(Protections()), seen(INTERVAL_S * n))
        assert _ticked(store, _by(Protections()), seen(75, spot=60_300.0)).reason is Reason.ENTER
        assert _ticked(store, _by(Protections()), seen(90, "0.40/0.41", spot=64_000.0)).reason is Reason.STOP
        for file in path.parent.glob("ledger.sqlite3*"):
            shutil.copy(file, died)
    return died / path.name


CLOSED: tuple[tuple[Protections, Cause], ...] = (
    (Protections(stop_cooldown_s=100.0), Cause(reason=Reason.STOP_COOLDOWN, measured=90.0, limit=100.0)),
    (Protections(losses_in_a_row=1), Cause(reason=Reason.LOSSES_IN_A_ROW, measured=1, limit=1)),
    (Protections(daily_loss_usdc=Decimal(1)), Cause(reason=Reason.DAILY_LOSS, measured=Decimal("1.44293"), limit=Decimal(1))),
    (Protections(drawdown_pct=0.1), Cause(reason=Reason.DRAWDOWN, measured=0.144293, limit=0.1)),
    (Protections(stop_cooldown_s=90.0, losses_in_a_row=2, drawdown_pct=0.145), Cause(reason=Reason.ENTER)),
)
"""1.10 were lost between 0.51 and 0.40, and the fees of 0.17493 and 0.168: 1.44293 of 1,000."""


@pytest.mark.parametrize(("protections", "cause"), CLOSED, ids=lambda value: str(getattr(value, "reason", "")))
def test_what_was_committed_closes_the_gates_of_the_next_process(
    tmp_path: Path, stopped_out: Path, protections: Protections, cause: Cause
) -> None:
    """Also where no protection was set when it happened: who sets one after a loss is not given a new beginning."""
    for file in stopped_out.parent.iterdir():
        shutil.copy(file, tmp_path)
    with _opened(tmp_path / stopped_out.name) as store:
        for n in range(5):
            _ticked(store, _by(protections), seen(105 + INTERVAL_S * n))
        said = _ticked(store, _by(protections), seen(180, spot=60_300.0))
    assert (said.reason, said.measured, said.limit) == (cause.reason, cause.measured, cause.limit)
