"""`spelar ledger` as a person uses it, beside daemons that are alive, dead, or gone."""

import json
import re
import shutil
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.portal.manifest import read_manifest
from adapters.sqlite_ledger import LedgerInvalid, LedgerUnwritable, SqliteLedger
from adapters.state_lock import AlreadyRunning, StateLock
from entrypoints.cli import EXIT_CODES, app
from tests.contracts.ledger_store import reports
from tests.contracts.ledger_ticks import opening


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the ledger and the manifest of a daemon that has stopped."""
    (tmp_path / "state").mkdir()
    (tmp_path / "out").mkdir()
    with closing(SqliteLedger.open(tmp_path / "state/ledger.sqlite3", opening_cash=opening().ledger.cash, now_ms=1)) as store:
        for report in reports():
            store.save(report)
        shown = {"ledger_id": store.ledger_id, "sequence": store.sequence}
    (tmp_path / "out/manifest.json").write_text(json.dumps(shown))
    return tmp_path


def ledger(place: Path, *arguments: str, **settings: str) -> Result:
    """Run a command of `spelar ledger` in this process, with the environment of a place."""
    places = {"STATE_DIR": str(place / "state"), "OUT_DIR": str(place / "out")}
    return CliRunner().invoke(app, ["ledger", *arguments], env={**places, **settings})


def code(result: Result) -> int:
    """The exit code: what `main` makes of an exception that is one of its own."""
    return next((number for kind, number in EXIT_CODES if isinstance(result.exception, kind)), result.exit_code)


def test_a_sound_ledger_is_told_about(place: Path) -> None:
    """Who it is, how far it is, that it adds up, and that the files are of it."""
    checked = ledger(place, "check")
    assert code(checked) == 0, checked.output
    for said in ("(paper)", "4, the last", "every hash fits", "as the trades say", "shows tick 4 of it", "none"):
        assert said in checked.output
    assert (place / "state/ledger.sqlite3").stat().st_size > 0


@pytest.mark.parametrize(("shown", "why"), [({"sequence": 5}, "show tick 5"), ({"ledger_id": "another"}, "of ledger another")])
def test_files_that_the_agent_would_refuse_are_refused(place: Path, shown: dict[str, object], why: str) -> None:
    """A check that passes promises that the agent starts."""
    manifest = place / "out/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | shown))
    checked = ledger(place, "check")
    assert code(checked) == 65
    assert why in str(checked.exception)
    assert code(ledger(place, "check", str(place / "state/ledger.sqlite3"))) == 0


@pytest.mark.slow
def test_a_changed_ledger_is_no_ledger(place: Path) -> None:
    """Not even for a look at it; the same for one that is not there."""
    path = place / "state/ledger.sqlite3"
    path.write_bytes(path.read_bytes().replace(b"lead_lag enter fee", b"lead_lag ente2 fee", 1))
    for arguments in (["check"], ["export", str(place)], ["backup"], ["reset-paper"], ["reset-paper", "--yes"]):
        refused = ledger(place, *arguments)
        assert code(refused) == 65, arguments
        assert "hash does not fit" in str(refused.exception)
    path.unlink()
    assert "Start the agent" in str(ledger(place, "check").exception)


def test_a_backup_can_be_checked_and_exported(place: Path) -> None:
    """It is a ledger like any other."""
    made = ledger(place, "backup")
    assert code(made) == 0
    (backup,) = (place / "state/backups").iterdir()
    assert made.output == f"{backup}: tick 4, 5 trades, proved\n"
    assert re.fullmatch(r"ledger-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.sqlite3", backup.name)
    assert "4, the last" in ledger(place, "check", str(backup)).output
    assert str(backup) in ledger(place, "check").output.replace("\n", "")
    exported = ledger(place, "export", str(place / "export"), str(backup))
    assert exported.output.splitlines() == [str(place / "export/trades.csv"), str(place / "export/trades.json")]
    assert len(json.loads((place / "export/trades.json").read_text())["trades"]) == 5


def test_a_backup_has_the_name_that_it_was_given_once(place: Path) -> None:
    """A second one of the name is refused in one line."""
    target = place / "mine.sqlite3"
    assert code(ledger(place, "backup", str(target))) == 0
    again = ledger(place, "backup", str(target))
    assert (code(again), again.stderr) == (1, f"no backup: {target} is there already\n")


def test_a_reset_asks_first(place: Path) -> None:
    """It says what it would do, and does nothing."""
    before = (place / "state/ledger.sqlite3").read_bytes()
    asked = ledger(place, "reset-paper")
    assert code(asked) == 1
    assert "--yes would begin a new ledger with 1000 USDC" in asked.output
    assert (place / "state/ledger.sqlite3").read_bytes() == before
    assert not (place / "state/backups").exists()


def test_a_reset_begins_a_new_ledger_and_keeps_the_old_one(place: Path) -> None:
    """With another id and today's opening cash; the old one's files do not stand in the way of the next start."""
    path = place / "state/ledger.sqlite3"
    with closing(SqliteLedger.open_to_read(path)) as store:
        old = store.ledger_id
    done = ledger(place, "reset-paper", "--yes", PAPER_START_BALANCE_USD="250")
    assert code(done) == 0, done.output
    (backup,) = (place / "state/backups").iterdir()
    assert f"the old ledger (4 ticks, 5 trades) is {backup}" in done.output
    with closing(SqliteLedger.open_to_read(backup)) as store:
        assert (store.ledger_id, store.sequence) == (old, 4)
    with closing(SqliteLedger.open(path, opening_cash=opening().ledger.cash, now_ms=1)) as store:
        assert store.ledger_id != old
        assert (store.sequence, store.opening_cash) == (0, Decimal(250))
    assert read_manifest(place / "out") is None
    assert {file.name for file in (place / "state").iterdir()} == {"agent.lock", "backups", "ledger.sqlite3"}


def test_a_reset_leaves_the_files_of_another_ledger_alone(place: Path) -> None:
    """And says that the agent will not."""
    (place / "out/manifest.json").write_text('{"ledger_id": "another", "sequence": 1}')
    assert "another ledger (another)" in ledger(place, "reset-paper", "--yes").output
    assert read_manifest(place / "out") is not None


def test_a_reset_without_a_ledger_makes_one(place: Path) -> None:
    """There is nothing to keep."""
    shutil.rmtree(place / "state")
    assert ledger(place, "reset-paper").output == "--yes would begin a new ledger with 1000 USDC\n"
    assert "begins with 1000 USDC" in ledger(place, "reset-paper", "--yes").output
    assert not (place / "state/backups").exists()


@pytest.mark.slow
def test_a_reset_is_refused_while_a_daemon_runs(place: Path) -> None:
    """The lock is the daemon's."""
    with StateLock(place / "state"):
        refused = ledger(place, "reset-paper", "--yes")
        assert isinstance(refused.exception, AlreadyRunning)
        assert code(refused) == 75
        for arguments in (["check"], ["export", str(place / "export")], ["backup"]):
            assert code(ledger(place, *arguments)) == 0


@pytest.mark.slow
def test_a_reset_is_refused_while_another_program_has_the_ledger_open(place: Path) -> None:
    """Its log would be played into the new ledger."""
    with closing(SqliteLedger.open_to_read(place / "state/ledger.sqlite3")):
        refused = ledger(place, "reset-paper", "--yes")
    assert isinstance(refused.exception, LedgerUnwritable)
    assert "another program has it open" in str(refused.exception)


@pytest.mark.slow
def test_a_live_ledger_is_never_reset(place: Path) -> None:
    """It is not ours to forget."""
    path = place / "state/ledger.sqlite3"
    path.unlink()
    SqliteLedger.open(path, opening_cash=opening().ledger.cash, mode="live", now_ms=time.time_ns() // 1_000_000).close()
    refused = ledger(place, "reset-paper", "--yes")
    assert isinstance(refused.exception, LedgerInvalid)
    assert "live ledger, not paper" in str(refused.exception)
    assert "(live)" in ledger(place, "check", str(path)).output
