"""`spelar status`: what it says of the files, and what is wrong enough for exit 1."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.health import Health
from adapters.portal.cells import json_bytes
from adapters.sqlite_ledger import LEDGER_NAME, SqliteLedger
from domain.market import TokenId
from domain.report import Journal
from entrypoints.cli import main
from entrypoints.settings import Settings, read_settings
from entrypoints.status import as_document, as_lines, standing
from tests.builders import INTERVAL_S, NOON_MS, market, moment, seen, snapshot
from tests.domain.test_trading import entered
from tests.fakes import Play
from tests.portal import portal_files

Change = Callable[[dict[str, object]], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Whose files and ledger lie in a directory of this test's own."""
    return read_settings({"OUT_DIR": str(tmp_path / "out"), "STATE_DIR": str(tmp_path / "state")})


def well() -> Health:
    """Sources that answered at the last tick."""
    health = Health()
    for source in ("polymarket_clob", "kraken_spot"):
        health.ok(source, 20.0, moment(75).at_ms)
    return health


def publish(
    out_dir: Path, health: Health | None = None, *, play: Play | None = None, error: str = "", started_s: int = 0
) -> None:
    """The files after the tick at 75 s, which bought."""
    play = play or entered()
    health = health or well()
    portal = portal_files(out_dir, sources=health.report, started_at_ms=moment(started_s).at_ms)
    portal.note(last_error=error)
    portal.rebuild(
        Journal(state=play.state, ledger_id="x", started_at_ms=NOON_MS, verdicts=(), orders=(), trades=(), equity=())
    )
    portal.publish(play.reports[-1])
    portal.close()


def said(settings: Settings, seconds: float) -> tuple[str, tuple[str, ...]]:
    """The lines at this time, and what is wrong."""
    found = standing(settings, moment(seconds).at_ms)
    return "\n".join(as_lines(found, settings)), found.wrong


def test_a_well_agent_is_shown_in_aligned_lines(settings: Settings) -> None:
    """State, account, positions and sources, twelve seconds after a tick."""
    publish(settings.out_dir)
    text, wrong = said(settings, 87)
    assert wrong == ()
    assert text.splitlines() == [
        "state       alive: tick 6, 12 s ago (2026-03-02T12:01:15.000+00:00)",
        "running     lead_lag on paper, spelar 0, since 2026-03-02T12:00:00.000+00:00",
        "kill switch off",
        "last error  none",
        "equity      999.72507 USD: cash 994.72507, realised -0.17493, unrealised -0.1, fees 0.17493",
        "positions   10 btc (Yes) at 0.5100",
        "sources     polymarket_clob ok, last answer 0 s before the tick",
        "            kraken_spot ok, last answer 0 s before the tick",
    ]


def test_a_tick_is_stale_by_the_portals_rule(settings: Settings) -> None:
    """Ten ticks of fifteen seconds; a minute ahead of our clock is as far as clocks may differ."""
    publish(settings.out_dir)
    for after_s, state in ((150, "alive"), (151, "stale"), (-60, "alive"), (-61, "ahead")):
        found = standing(settings, moment(75 + after_s).at_ms)
        assert (found.state, bool(found.wrong)) == (state, state != "alive")
        assert found.patience_s == 10 * INTERVAL_S


def test_who_has_just_started_is_not_stale(settings: Settings) -> None:
    """The last tick is of the run before, a thousand seconds ago."""
    publish(settings.out_dir, started_s=1000)
    for seconds, state in ((1010, "starting"), (1200, "stale")):
        assert standing(settings, moment(seconds).at_ms).state == state


def test_a_needed_source_is_down_when_it_has_failed_for_as_long(settings: Settings) -> None:
    """A failure alone is none; what no market needs may fail."""
    health = well()
    health.failed("kraken_spot", "timeout")
    health.failed("polymarket_gamma", "timeout")
    publish(settings.out_dir, health)
    text, wrong = said(settings, 80)
    assert wrong == ()
    assert "kraken_spot failing, last answer 0 s before the tick, 1 errors\n" in text
    assert "polymarket_gamma failing, no answer yet, 1 errors, not needed" in text
    health = well()
    health.ok("kraken_spot", 20.0, moment(-80).at_ms)
    health.failed("kraken_spot", "timeout")
    publish(settings.out_dir, health)
    assert said(settings, 80)[1] == ("kraken_spot is down",)


def test_gamma_is_needed_while_a_market_has_no_token(settings: Settings) -> None:
    """It never answered since the start, long ago."""
    play = Play(entered().rules)
    play.tick(snapshot(moment(75), markets=(market(token=None),)))
    health = well()
    health.failed("polymarket_gamma", "timeout")
    publish(settings.out_dir, health, play=play, started_s=-1000)
    assert said(settings, 80)[1] == ("polymarket_gamma is down",)


def test_the_last_error_the_kill_switch_and_alarms_are_shown(settings: Settings) -> None:
    """An error is wrong, a switch that somebody pulled is not."""
    play = entered()
    play.tick(seen(90, kill_switch=True))
    health = well()
    health.alarm("polymarket_clob", "fees", "the table differs")
    publish(settings.out_dir, health, play=play, error="ValueError: no\x1b[31m")
    text, wrong = said(settings, 95)
    assert wrong == ("the last tick failed: ValueError: no[31m",)
    assert "kill switch ON: nothing is bought, exits go on" in text
    assert "last error  ValueError: no[31m" in text
    assert "fees: the table differs" in text
    assert "\x1b" not in text


def test_where_nothing_was_ever_run_it_says_so(settings: Settings) -> None:
    """No files, no ledger."""
    text, wrong = said(settings, 0)
    assert f"nothing was ever run here: there are no files in {settings.out_dir} and no ledger in {settings.state_dir}" in text
    assert wrong == ("there are no files",)


def test_a_ledger_without_files_is_looked_into(settings: Settings) -> None:
    """And one that is damaged says how."""
    settings.state_dir.mkdir()
    path = settings.state_dir / LEDGER_NAME
    SqliteLedger.open(path, opening_cash=Decimal(1000), now_ms=NOON_MS).close()
    assert f"the ledger in {settings.state_dir} holds 0 ticks" in said(settings, 0)[0]
    path.write_bytes(b"no database")
    assert "and of the ledger: " in said(settings, 0)[0]


def test_a_damaged_file_is_named_and_hides_no_other(settings: Settings) -> None:
    """The account is still shown."""
    publish(settings.out_dir)
    for damage in (b"", b"{", b"[]", b'{"tick": "x"}', b"\xff"):
        (settings.out_dir / "live_status.json").write_bytes(damage)
        text, wrong = said(settings, 80)
        assert wrong[0].startswith("live_status.json is damaged: ")
        assert "equity      999.72507 USD" in text
    (settings.out_dir / "manifest.json").write_bytes(b"{")
    assert said(settings, 80)[0].startswith("state       unpublished")


def test_the_same_is_told_to_programs(settings: Settings) -> None:
    """As JSON, the judgement on top."""
    publish(settings.out_dir)
    document = json.loads(json_bytes(as_document(standing(settings, moment(87).at_ms))))
    assert (document["state"], document["wrong"], document["tick"], document["age_s"]) == ("alive", [], 6, 12)
    assert document["portfolio"]["equity_usd"] == 999.72507
    assert document["portfolio"]["positions"][TokenId("1001")]["shares"] == 10
    assert document["sources"]["kraken_spot"] == {
        "ok": True,
        "age_s": 0,
        "errors": {},
        "alarms": {},
        "needed": True,
        "down": False,
    }


def test_its_exit_code_is_for_monitors(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 where something is wrong, 78 where the settings are."""
    monkeypatch.setenv("OUT_DIR", str(settings.out_dir))
    monkeypatch.setenv("STATE_DIR", str(settings.state_dir))
    for interval, code in (("15", 1), ("x", 78)):
        monkeypatch.setenv("INTERVAL_S", interval)
        with pytest.raises(SystemExit) as ended:
            main(["status", "--json"])
        assert ended.value.code == code
    assert json.loads(capsys.readouterr().out)["state"] == "unpublished"
