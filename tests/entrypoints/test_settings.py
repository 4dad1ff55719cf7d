"""The environment becomes settings, or an error that names every mistake."""

from decimal import Decimal
from pathlib import Path

import pytest

from domain.protections import Protections
from entrypoints.rules import rules_of
from entrypoints.settings import VARIABLES, Settings, SettingsInvalid, doubts, misspelt, read_settings

BAD = (
    ("INTERVAL_S", "0,25", "valid number"),
    ("INTERVAL_S", "abc", "valid number"),
    ("INTERVAL_S", "1e999", "finite"),
    ("OUT_DIR", "var\udc8a", "must be UTF-8"),
    ("INTERVAL_S", "", "valid number"),
    ("INTERVAL_S", "0", "greater than or equal to 0.1"),
    ("HTTP_TIMEOUT_S", "-1", "greater than 0"),
    ("LEAD_LAG_MAX_SPREAD", "nan", "finite"),
    ("LEAD_LAG_MAX_SPREAD", "1.5", "less than or equal to 1"),
    ("PM_ORDER_SIZE_SHARES", "0.001", "decimal places"),
    ("EDGE_THRESHOLD", "0", "greater than 0"),
    ("PM_DRAW_BASELINE_P", "28", "less than or equal to 1"),
    ("PM_SCAN_BINARY_ONLY", "perhaps", "valid boolean"),
    ("PM_FEES", "maybe", "'venue' or 'none'"),
    ("RUN_ONCE", "perhaps", "valid boolean"),
    ("TRADING_MODE", "live", "no live broker"),
    ("TRADING_MODE", "papper", "'paper'"),
    ("STRATEGY_MODE", "pm_magic", "'lead_lag'"),
    ("POLYMARKET_CLOB_BASE_URL", "clob.polymarket.com", "match pattern"),
    ("POLYMARKET_CLOB_TOKEN_ID", "0x12", "match pattern"),
    ("LEAD_LAG_LOOKBACK_POINTS", "1", "greater than or equal to 2"),
    ("RUN_TICKS", "9" * 5_000, "exceeded maximum size"),
    ("LEAD_LAG_MAX_FRACTION_OF_BAND_LIQUIDITY", "1e-999999999", "no more than 10 digits"),
    ("LEAD_LAG_SCALE_SIZE_MULT", "1e-999999999", "no more than 12 digits"),
)


@pytest.mark.parametrize(("name", "value", "allowed"), BAD)
def test_a_bad_value_is_refused_with_its_name_its_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    """One line is enough to mend it."""
    with pytest.raises(SettingsInvalid) as refused:
        read_settings({name: value})
    assert name in str(refused.value)
    assert repr(value) in str(refused.value)
    assert allowed in str(refused.value)


def test_all_mistakes_are_named_at_once() -> None:
    """Nobody wants to find them one restart at a time."""
    with pytest.raises(SettingsInvalid) as refused:
        read_settings({"INTERVAL_S": "x", "PM_FEES": "y", "LEAD_LAG_EGDE_MIN_PCT": "1"})
    assert [line.split("=")[0].split(":")[0] for line in str(refused.value).splitlines()] == [
        "LEAD_LAG_EGDE_MIN_PCT",
        "INTERVAL_S",
        "PM_FEES",
    ]


def test_a_bad_secret_is_named_without_its_value() -> None:
    """What is wrong with it may be told, what it is may not."""
    with pytest.raises(SettingsInvalid) as refused:
        read_settings({"NOTIFY_URLS": "json://canary\udc8a", "KRAKEN_SPOT_BASE_URL": "ftp://canary@host"})
    assert "NOTIFY_URLS=***: it must be UTF-8" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("typo", ["LEAD_LAG_EGDE_MIN_PCT", "LEADLAG_EDGE_MIN_PCT", "INTERVALS", "PM_ORDER_SIZE_SHARE"])
def test_a_variable_within_two_letters_of_ours_is_an_error_that_says_which_was_meant(typo: str) -> None:
    """A misspelt limit must not be a limit that silently does not hold."""
    with pytest.raises(SettingsInvalid, match="did you mean"):
        read_settings({typo: "1"})


def test_no_variable_of_ours_counts_as_a_misspelling_of_another() -> None:
    """Two similar names of ours can stand side by side."""
    assert misspelt(dict.fromkeys(VARIABLES, "")) == []


def test_an_unknown_variable_with_one_of_our_prefixes_is_a_warning() -> None:
    """It may belong to another version."""
    warnings = doubts({"PM_SOMETHING_ELSE_ENTIRELY": "1", "HOME": "x"}, Settings())
    assert warnings == ["PM_SOMETHING_ELSE_ENTIRELY is not a variable of this version: ignored"]


def test_a_tiny_percentage_is_a_warning() -> None:
    """0.0025 for 0.25 % is the classic mistake."""
    environment = {"LEAD_LAG_EDGE_MIN_PCT": "0.0025", "LEAD_LAG_EDGE_EXIT_PCT": "-1"}
    assert "LEAD_LAG_EDGE_MIN_PCT=0.0025" in doubts(environment, read_settings(environment))[0]


def test_trading_what_nobody_looks_for_is_a_warning() -> None:
    """PM_SCAN_USE_FOR_TRADING alone finds nothing."""
    environment = {"PM_SCAN_USE_FOR_TRADING": "1"}
    assert doubts(environment, read_settings(environment)) == ["PM_SCAN_USE_FOR_TRADING is ignored: PM_SCAN_ENABLE is not set"]
    both = environment | {"PM_SCAN_ENABLE": "1"}
    assert doubts(both, read_settings(both)) == []


@pytest.mark.parametrize("off", ["", "0", "0.0", " "])
def test_a_gate_is_absent_when_its_variable_is_zero_or_empty(off: str) -> None:
    """The runbook's minimum must trade as the runbook says."""
    settings = read_settings({"LEAD_LAG_MAX_SPREAD": off, "LEAD_LAG_PM_STOP_PCT": off, "LEAD_LAG_MAX_HOLD_SECS": off})
    assert (settings.max_spread, settings.stop_pct, settings.max_hold_s) == (None, None, None)


PROTECTIONS: tuple[tuple[str, str, Protections], ...] = (
    ("PM_MAX_DAILY_LOSS_USDC", "20.5", Protections(daily_loss_usdc=Decimal("20.5"))),
    ("PM_MAX_DRAWDOWN_PCT", "10", Protections(drawdown_pct=10.0)),
    ("PM_MAX_LOSSES_IN_A_ROW", "5", Protections(losses_in_a_row=5)),
    ("PM_STOP_COOLDOWN_S", "900", Protections(stop_cooldown_s=900.0)),
    ("PM_MAX_EXPOSURE_MARKET_USDC", "50", Protections(market_exposure_usdc=Decimal(50))),
    ("PM_MAX_EXPOSURE_EVENT_USDC", "100", Protections(event_exposure_usdc=Decimal(100))),
    ("PM_MAX_EXPOSURE_USDC", "300", Protections(total_exposure_usdc=Decimal(300))),
)


@pytest.mark.parametrize(("name", "text", "means"), PROTECTIONS)
def test_every_protection_is_set_by_its_variable_and_absent_without(name: str, text: str, means: Protections) -> None:
    """0 and empty are absent, too; a negative limit is a mistake, and so is a drawdown of more than there is."""
    assert rules_of(read_settings({name: text})).limits.protections == means
    for off in ("", "0", "0.00"):
        assert rules_of(read_settings({name: off})).limits.protections == Protections()
    for wrong in ("-1", "much", "nan"):
        with pytest.raises(SettingsInvalid, match=name):
            read_settings({name: wrong})


@pytest.mark.parametrize(("name", "text"), [("PM_MAX_DRAWDOWN_PCT", "100.1"), ("PM_STOP_COOLDOWN_S", "604801")])
def test_a_protection_that_could_never_close_or_open_is_refused(name: str, text: str) -> None:
    """Nothing falls by more than all of it, and a stop is forgotten after a week."""
    with pytest.raises(SettingsInvalid, match=name):
        read_settings({name: text})


@pytest.mark.parametrize(
    ("word", "means"), [("1", True), ("yes", True), ("on", True), ("true", True), ("off", False), ("no", False)]
)
def test_booleans_are_read_as_people_write_them(word: str, means: bool) -> None:
    """1/0, true/false, yes/no, on/off."""
    assert read_settings({"LEAD_LAG_ENABLE_ORDERBOOK_SIZING": word}).orderbook_sizing is means


IGNORED = (
    ({"POLYMARKET_CLOB_TOKEN_ID": "1", "MARKET_MAP_PATH": "map.json"}, "POLYMARKET_CLOB_TOKEN_ID is ignored: MARKET_MAP_PATH"),
    ({"RUN_ONCE": "1", "RUN_TICKS": "5"}, "RUN_TICKS is ignored: RUN_ONCE"),
    ({"PM_STOP_COOLDOWN_S": "900"}, "PM_STOP_COOLDOWN_S is ignored: LEAD_LAG_PM_STOP_PCT"),
    (
        {"PM_ORDER_SIZE_SHARES": "0", "PM_MAX_EXPOSURE_EVENT_USDC": "1999"},
        "PM_MAX_EXPOSURE_* lies below LEAD_LAG_HARD_CAP_USDC",
    ),
)


@pytest.mark.parametrize(("environment", "said"), IGNORED)
def test_of_two_variables_that_ask_for_different_things_the_ignored_one_is_named(
    environment: dict[str, str], said: str
) -> None:
    """Precedence is no secret."""
    (warning,) = doubts(environment, read_settings(environment))
    assert warning.startswith(said)


def test_discovery_beside_a_token_is_no_conflict() -> None:
    """What is found is traded after the token that was named."""
    environment = {"POLYMARKET_CLOB_TOKEN_ID": "1", "PM_SCAN_ENABLE": "1", "PM_SCAN_USE_FOR_TRADING": "1"}
    assert doubts(environment, read_settings(environment)) == []


def test_the_hold_of_another_mode_is_no_conflict() -> None:
    """A slow pm_draw needs no longer LEAD_LAG_MAX_HOLD_SECS."""
    assert read_settings({"STRATEGY_MODE": "pm_draw", "INTERVAL_S": "300"}).interval_s == 300


CONFLICTS = (
    ({"LEAD_LAG_EDGE_EXIT_PCT": "0.2", "LEAD_LAG_EDGE_MIN_PCT": "0.2"}, "must lie below"),
    ({"LEAD_LAG_MAX_HOLD_SECS": "15"}, "must exceed INTERVAL_S"),
    ({"STRATEGY_MODE": "pm_draw", "PM_DRAW_MAX_HOLD_SECS": "10"}, "PM_DRAW_MAX_HOLD_SECS=10.0 must exceed INTERVAL_S"),
    ({"STRATEGY_MODE": "fair_model", "FAIR_MODEL_MAX_HOLD_SECS": "10"}, "FAIR_MODEL_MAX_HOLD_SECS=10.0 must exceed INTERVAL_S"),
    ({"PM_TREND_EXIT_MOVE_MIN_PCT": "0.1"}, "PM_TREND_EXIT_MOVE_MIN_PCT=0.1 must lie below"),
    ({"PM_DRAW_EDGE_EXIT_PCT": "2"}, "PM_DRAW_EDGE_EXIT_PCT=2 must lie below"),
    ({"PM_DRAW_FAV_MIN": "0.6", "PM_DRAW_FAV_MAX": "0.5"}, "PM_DRAW_FAV_MIN=0.6 must lie below"),
    ({"LEAD_LAG_AVOID_PRICE_BELOW": "0.9", "LEAD_LAG_AVOID_PRICE_ABOVE": "0.1"}, "must lie below"),
    ({"PM_ORDER_SIZE_SHARES": "0", "LEAD_LAG_ENABLE_ORDERBOOK_SIZING": "0"}, "needs LEAD_LAG_ENABLE_ORDERBOOK_SIZING"),
    ({"STATE_DIR": "web/data/state"}, "published"),
    ({"STATE_DIR": "web/state"}, "web root"),
    ({"OUT_DIR": "/"}, "no directory for published files"),
    ({"OUT_DIR": "x" * 300}, "no directory for published files"),
    ({"RECORD_DIR": "web/data/recording"}, "published"),
)


@pytest.mark.parametrize(("environment", "said"), CONFLICTS)
def test_settings_that_contradict_each_other_are_refused(environment: dict[str, str], said: str) -> None:
    """Each alone would do."""
    with pytest.raises(SettingsInvalid, match=said):
        read_settings(environment)


def test_a_repository_is_no_place_for_published_files(tmp_path: Path) -> None:
    """OUT_DIR=. would publish the whole checkout."""
    (tmp_path / ".git").mkdir()
    with pytest.raises(SettingsInvalid, match="no directory for published files"):
        read_settings({"OUT_DIR": str(tmp_path)})


def test_the_defaults_are_those_of_the_contract() -> None:
    """SPEC sections 3 to 9."""
    settings = Settings()
    assert (settings.interval_s, settings.lookback_points, settings.freshness_max_age_s) == (15, 6, 60)
    assert (settings.spot_move_min_pct, settings.edge_min_pct, settings.max_hold_s) == (0.25, 0.20, 180)
    sizing = (settings.order_size_shares, settings.slippage_cap, settings.max_fraction, settings.hard_cap_usdc)
    assert sizing == tuple(map(Decimal, ("10", "0.01", "0.10", "2000")))
    assert settings.start_balance_usd == Decimal(1000)
    assert settings.max_orders_per_tick == 10
    assert settings.scale_on_odds_change_pct is None
    trend = (
        settings.trend_lookback_points,
        settings.trend_move_min_pct,
        settings.trend_exit_move_pct,
        settings.trend_auto_side,
    )
    assert trend == (6, 0.10, 0.0, True)
    assert (settings.draw_baseline_p, settings.draw_prob_mult, settings.draw_require_3way) == (0.28, 1.0, False)
    assert (settings.draw_edge_min_points, settings.draw_edge_exit_points, settings.draw_max_price) == (
        2.0,
        0.5,
        Decimal("0.45"),
    )
    assert (settings.draw_favourite_min, settings.draw_favourite_max, settings.draw_max_hold_s) == (None, None, None)
    assert (settings.fair_edge_min, settings.fair_max_hold_s) == (0.02, None)
    scan = (settings.scan_enable, settings.scan_use_for_trading, settings.scan_limit, settings.scan_trade_max_markets)
    assert scan == (False, False, 200, 20)
    assert (settings.scan_binary_only, settings.scan_search, settings.scan_interval_s) == (None, None, 300)


@pytest.mark.parametrize("off", ["", "0"])
def test_an_end_that_is_empty_or_zero_is_no_end(off: str) -> None:
    """RUN_TICKS= in an env file means that nobody asked for one."""
    assert read_settings({"RUN_TICKS": off}).run_ticks is None


def test_settings_in_force_hold_no_password_of_an_address() -> None:
    """They are published, and a proxy's address may name who asks."""
    settings = read_settings({"KRAKEN_SPOT_BASE_URL": "https://me:hunter2@proxy.example/0/public"})
    assert settings.in_force()["KRAKEN_SPOT_BASE_URL"] == "https://***@proxy.example/0/public"
    assert settings.kraken_spot_base_url == "https://me:hunter2@proxy.example/0/public"


def test_settings_in_force_are_text_for_every_variable() -> None:
    """What the portal shows."""
    in_force = Settings().in_force()
    assert tuple(in_force) == VARIABLES
    assert in_force["LEAD_LAG_MAX_SPREAD"] == ""
    assert in_force["RUN_ONCE"] == "0"
    assert in_force["INTERVAL_S"] == "15"
