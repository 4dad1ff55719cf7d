"""`spelar doctor`: a report of everything, with no secret of whoever runs it."""

import json
import os
import stat
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.sqlite_ledger import LEDGER_NAME, SqliteLedger
from entrypoints.cli import main
from entrypoints.doctor import Asked, Section, as_text, report
from entrypoints.doctor import write as write_report
from entrypoints.keys import VALUES
from entrypoints.settings import read_settings
from tests.builders import NOON_MS
from tests.entrypoints.test_status import publish

CANARY = "CaNaRy"
WALLET = f"0x{'ab12' * 16}"


def write(path: Path, text: str) -> str:
    """A file; its path as a variable's value."""
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """An agent that has traded, and a world full of secrets: variables, credentials, a key file, addresses, notes."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name, _ in VALUES.values():
        write(credentials / name.lower(), f"{CANARY}-credential-{name}\n")
    market_map = {
        "version": 1,
        "markets": [
            {
                "name": "btc",
                "polymarket": {"market_slug": "btc-up-today"},
                "kraken_futures": {"symbol": "PF_XBTUSD"},
                "hedge": {"yes_side": "buy", "notes": f"{CANARY} call my bank\n{'x' * 300}"},
            }
        ],
    }
    settings = {
        "OUT_DIR": str(tmp_path / "out"),
        "STATE_DIR": str(tmp_path / "state"),
        "MARKET_MAP_PATH": write(tmp_path / "map.json", json.dumps(market_map)),
        "KRAKEN_SPOT_BASE_URL": f"https://{CANARY}@proxy.example/0/public",
        "NOTIFY_URLS": f"json://me:{CANARY}-password@example.com/{CANARY}-path tgram://123456:{CANARY}-token/1",
    }
    (tmp_path / "state").mkdir()
    SqliteLedger.open(tmp_path / "state" / LEDGER_NAME, opening_cash=Decimal(1000), now_ms=NOON_MS).close()
    publish(tmp_path / "out")
    hedges = tmp_path / "out/kraken_futures_signals.csv"
    hedges.write_text(f"{hedges.read_text()}2026,PF_XBTUSD,buy,,,,open: bought 10; order 1-0. {CANARY} call my b\n")
    keys = {"kraken_spot": {"key": f"{CANARY}-file-key", "secret": f"{CANARY}-file-secret"}, "odd": [f"{CANARY}-odd"]}
    return {
        **settings,
        **{name: f"{CANARY}-{name}" for name, _ in VALUES.values()},
        "CREDENTIALS_DIRECTORY": str(credentials),
        "KRAKEN_KEYS_PATH": write(tmp_path / "k.json", json.dumps(keys)),
        "PATH": os.devnull,
    }


def log_of(environment: Mapping[str, str], path: Path) -> Path:
    """A log in which every secret was said."""
    said = [
        *(value for name, value in environment.items() if name.isupper() and CANARY in value),
        *(f"{CANARY}-credential-{name}" for name, _ in VALUES.values()),
        f"{CANARY}-file-secret {CANARY}-odd {CANARY}-path {CANARY}-password {CANARY}-token",
        f"secret={CANARY} wallet {WALLET}",
        "the end",
    ]
    write(path, "\n".join(said))
    return path


def lines_of(sections: tuple[Section, ...], name: str) -> str:
    """One part of a report."""
    return "\n".join(next(section.lines for section in sections if section.name == name))


def test_a_report_holds_all_that_is_needed_and_no_secret(tmp_path: Path, environment: Mapping[str, str]) -> None:
    """Canaries everywhere; what is left is what somebody else must know to find a defect."""
    log = log_of(environment, tmp_path / "agent.log")
    sections = report(
        Asked(environment=environment, settings=read_settings(environment), log=log, check=lambda: ["ok    clock"])
    )
    text = as_text(sections)
    assert CANARY not in text
    assert WALLET not in text
    assert [section.name for section in sections] == [
        "versions",
        "settings",
        "map",
        "places",
        "ledger",
        "files",
        "check",
        "log",
        "systemd",
    ]
    assert "httpx " in lines_of(sections, "versions")
    assert "NOTIFY_URLS=***" in lines_of(sections, "settings")
    assert "LEAD_LAG_EDGE_MIN_PCT=0.2" in lines_of(sections, "settings")
    assert "KRAKEN_API_KEY" in lines_of(sections, "settings").splitlines()[0]
    assert '"market_slug": "btc-up-today"' in lines_of(sections, "map")
    assert '"notes": "***"' in lines_of(sections, "map")
    assert "trades: 0, every hash fits" in lines_of(sections, "ledger")
    assert f"{LEDGER_NAME}: " in lines_of(sections, "ledger")
    assert "this part ended early: LedgerInvalid" in lines_of(sections, "ledger")
    assert "10,5.1,994.72507,filled" in lines_of(sections, "files")
    assert lines_of(sections, "check") == "ok    clock"
    assert lines_of(sections, "log").endswith("the end")
    assert lines_of(sections, "systemd") == "there is no systemctl here"


def test_a_report_of_bad_settings_says_which(environment: Mapping[str, str]) -> None:
    """The rest cannot be found, and the report comes all the same."""
    sections = report(Asked(environment=environment, settings=None, problem="INTERVAL_S='x': must be a number"))
    assert "INTERVAL_S='x': must be a number" in lines_of(sections, "settings")
    assert [section.name for section in sections] == ["versions", "settings", "systemd"]


def test_where_nothing_was_ever_run_a_report_says_what_is_not_there(tmp_path: Path) -> None:
    """No files, no ledger, a map that cannot be read, a log that is not there."""
    environment = {"OUT_DIR": str(tmp_path / "o"), "STATE_DIR": str(tmp_path / "s"), "MARKET_MAP_PATH": str(tmp_path / "m")}
    sections = report(Asked(environment=environment, settings=read_settings(environment), log=tmp_path / "none"))
    assert "manifest.json: is not there" in lines_of(sections, "files")
    assert "there is no ledger in" in lines_of(sections, "ledger")
    assert "this part ended early: MapInvalid: " in lines_of(sections, "map")
    assert "is not there" in lines_of(sections, "places")
    assert lines_of(sections, "log") == ""


def test_what_systemd_says_goes_in(tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A systemctl and a journalctl of our own; what they say is cleaned too."""
    for name in ("systemctl", "journalctl"):
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\necho {name} "$@" secret={CANARY}\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    sections = report(Asked(environment={**environment, "PATH": os.environ["PATH"]}, settings=None))
    shown, journal = lines_of(sections, "systemd").splitlines()
    assert shown.startswith("systemctl show spelar-agent.service --property=ActiveState,")
    assert journal.startswith("journalctl --unit spelar-agent.service --no-pager")
    assert CANARY not in shown + journal


def test_a_report_can_be_written_for_its_owner_alone(
    tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a zip with a text for each part, or as one text."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    packed, plain = tmp_path / "report.zip", tmp_path / "report.txt"
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--out", str(packed)])
    assert ended.value.code == 0
    assert "read it before you pass it on" in capsys.readouterr().out
    with zipfile.ZipFile(packed) as archive:
        texts = {each: archive.read(each).decode() for each in archive.namelist()}
    assert {"versions.txt", "settings.txt", "ledger.txt"} <= texts.keys()
    assert "STRATEGY_MODE=lead_lag" in texts["settings.txt"]
    assert CANARY not in "".join(texts.values())
    write_report([Section(name="one", lines=("a", "b")), Section(name="two", lines=())], plain)
    assert plain.read_text(encoding="utf-8") == "== one ==\na\nb\n\n== two ==\n"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (packed, plain)] == [0o600, 0o600]
