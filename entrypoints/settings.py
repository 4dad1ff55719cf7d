"""Settings: the only reader of the environment. Every variable is declared once, here, with its default and its meaning."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from domain.protections import STOPS_KEPT_S
from entrypoints.keys import KEY_VARIABLES


class SettingsInvalid(Exception):
    """The environment cannot be used; the text names every bad variable, one a line."""


def _absent(value: object) -> object:
    """0 and empty switch a gate off."""
    if isinstance(value, str) and not value.strip():
        return None
    try:
        return None if isinstance(value, str) and Decimal(value) == 0 else value
    except ArithmeticError:
        return value


def _unset(value: object) -> object:
    """Empty leaves the choice to the strategy."""
    return None if isinstance(value, str) and not value.strip() else value


def _only_paper(value: object) -> object:
    """Real money needs a broker that does not exist: say so, rather than which words are allowed."""
    if value == "live":
        raise ValueError("there is no live broker; this version trades on paper only, so set TRADING_MODE=paper")
    return value


Percent = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
SignedPercent = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]
Usdc = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=16, decimal_places=6)]
Shares = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=12, decimal_places=2)]
Price = Annotated[Decimal, Field(ge=0, le=1, max_digits=7, decimal_places=6)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Fraction = Annotated[Decimal, Field(gt=0, le=1, max_digits=10, decimal_places=9)]
Points = Annotated[int, Field(ge=2, le=10_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Off = BeforeValidator(_absent)
Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]


class Settings(BaseModel):
    """The environment, read and checked. Aliases are the variables' names; `description` gives unit and meaning."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=False)

    strategy_mode: Literal["lead_lag", "pm_trend", "pm_draw", "fair_model"] = Field(
        "lead_lag", alias="STRATEGY_MODE", description="which strategy trades"
    )
    trading_mode: Annotated[Literal["paper"], BeforeValidator(_only_paper)] = Field(
        "paper", alias="TRADING_MODE", description="`paper`; there is no live broker"
    )
    interval_s: Annotated[float, Field(ge=0.1, le=86_400, allow_inf_nan=False)] = Field(
        15.0, alias="INTERVAL_S", description="seconds between ticks, on a fixed grid"
    )
    run_once: bool = Field(False, alias="RUN_ONCE", description="stop after one tick")
    run_ticks: Annotated[Annotated[int, Field(ge=1)] | None, Off] = Field(
        None, alias="RUN_TICKS", description="stop after so many ticks; 0: never"
    )
    out_dir: Path = Field(Path("web/data"), alias="OUT_DIR", description="where the portal's files are written")
    state_dir: Path = Field(Path("var"), alias="STATE_DIR", description="where the ledger lives; never under the web root")
    market_map_path: Annotated[Path | None, Off] = Field(
        None, alias="MARKET_MAP_PATH", description="the market map (JSON); empty: POLYMARKET_CLOB_TOKEN_ID alone"
    )
    record: bool = Field(False, alias="RECORD", description="write down every answer of the venues, so that it can be replayed")
    record_dir: Annotated[Path | None, Off] = Field(
        None, alias="RECORD_DIR", description="where recordings are written; empty: `recording` in STATE_DIR"
    )
    killswitch_file: Annotated[Path | None, Off] = Field(
        None, alias="KILLSWITCH_FILE", description="while this file exists nothing is bought"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="LOG_LEVEL", description="how much the log says"
    )
    notify_urls: Annotated[SecretStr | None, Off] = Field(
        None,
        alias="NOTIFY_URLS",
        description="who is told of fills, exits and trouble: Apprise URLs with spaces between them; a secret",
    )
    metrics_port: Annotated[Annotated[int, Field(ge=1, le=65_535)] | None, Off] = Field(
        None, alias="METRICS_PORT", description="port on loopback where Prometheus finds metrics"
    )

    clob_token_id: Annotated[Annotated[str, Field(pattern=r"^[0-9]{1,78}$")] | None, Off] = Field(
        None, alias="POLYMARKET_CLOB_TOKEN_ID", description="the one token to follow when there is no map"
    )
    clob_base_url: Address = Field(
        "https://clob.polymarket.com", alias="POLYMARKET_CLOB_BASE_URL", description="Polymarket's order books"
    )
    gamma_base_url: Address = Field(
        "https://gamma-api.polymarket.com", alias="POLYMARKET_GAMMA_BASE_URL", description="Polymarket's market data"
    )
    kraken_spot_base_url: Address = Field(
        "https://api.kraken.com/0/public", alias="KRAKEN_SPOT_BASE_URL", description="Kraken's public spot API"
    )
    kraken_futures_base_url: Address = Field(
        "https://futures.kraken.com", alias="KRAKEN_FUTURES_BASE_URL", description="Kraken's futures API"
    )
    kraken_spot_pair: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,12}(/[A-Z0-9]{2,8})?$")] = Field(
        "XBTUSD", alias="KRAKEN_SPOT_PAIR", description="the leading pair of markets whose map entry names none"
    )
    http_timeout_s: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = Field(
        5.0, alias="HTTP_TIMEOUT_S", description="seconds that one call may take in all"
    )
    freshness_max_age_s: Seconds = Field(
        60.0, alias="FRESHNESS_MAX_AGE_SECS", description="seconds after which a book or price is too old to use"
    )

    lookback_points: Points = Field(6, alias="LEAD_LAG_LOOKBACK_POINTS", description="samples in the window")
    spot_move_min_pct: Percent = Field(
        0.25, alias="LEAD_LAG_SPOT_MOVE_MIN_PCT", description="percent the reference must have moved over the window"
    )
    edge_min_pct: SignedPercent = Field(
        0.20, alias="LEAD_LAG_EDGE_MIN_PCT", description="percent the token must still have to follow"
    )
    edge_exit_pct: SignedPercent = Field(
        0.05, alias="LEAD_LAG_EDGE_EXIT_PCT", description="percent at or below which the edge is gone"
    )
    max_hold_s: Annotated[Seconds | None, Off] = Field(
        180.0, alias="LEAD_LAG_MAX_HOLD_SECS", description="seconds from the first entry to the exit; 0: no limit"
    )
    side: Literal["YES", "NO"] = Field(
        "YES", alias="LEAD_LAG_SIDE", description="the outcome of markets whose map entry names none"
    )
    noise_mult: Annotated[Percent | None, Off] = Field(
        None, alias="LEAD_LAG_SPOT_NOISE_MULT", description="the move must also exceed so many standard deviations"
    )
    noise_window_points: Points = Field(
        40, alias="LEAD_LAG_SPOT_NOISE_WINDOW_POINTS", description="one-step returns that measure the noise"
    )
    stop_pct: Annotated[Percent | None, Off] = Field(
        None, alias="LEAD_LAG_PM_STOP_PCT", description="percent the mid may fall below the mid at entry"
    )
    book_unchanged_s: Annotated[Seconds | None, Off] = Field(
        None, alias="LEAD_LAG_MAX_BOOK_AGE_SECS", description="seconds since the venue last changed the book"
    )
    avoid_price_below: Annotated[Price | None, Off] = Field(
        None, alias="LEAD_LAG_AVOID_PRICE_BELOW", description="asks below this are not bought"
    )
    avoid_price_above: Annotated[Price | None, Off] = Field(
        None, alias="LEAD_LAG_AVOID_PRICE_ABOVE", description="asks above this are not bought"
    )
    max_spread: Annotated[Price | None, Off] = Field(
        None, alias="LEAD_LAG_MAX_SPREAD", description="widest spread, price units"
    )
    spread_cost_cap_pct: Annotated[Percent | None, Off] = Field(
        None, alias="LEAD_LAG_SPREAD_COST_CAP_PCT", description="half the spread, percent of the mid"
    )
    net_edge_min_pct: Annotated[SignedPercent | None, Off] = Field(
        None, alias="LEAD_LAG_NET_EDGE_MIN_PCT", description="edge after half the spread and the fee, percent of the mid"
    )
    min_market_lag_ms: Annotated[Seconds | None, Off] = Field(
        None, alias="LEAD_LAG_MIN_MARKET_LAG_MS", description="milliseconds by which the token must follow the reference"
    )

    max_daily_loss_usdc: Annotated[Usdc | None, Off] = Field(
        None,
        alias="PM_MAX_DAILY_LOSS_USDC",
        description="USDC lost since the UTC day's first tick, by equity with positions at the bid, at which buying stops",
    )
    max_drawdown_pct: Annotated[Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None, Off] = Field(
        None,
        alias="PM_MAX_DRAWDOWN_PCT",
        description="percent by which equity lies below its peak since the ledger opened at which buying stops",
    )
    max_losses_in_a_row: Annotated[Count | None, Off] = Field(
        None,
        alias="PM_MAX_LOSSES_IN_A_ROW",
        description="losses in a row, of positions and their fees, at which buying stops; a gain or a new UTC day starts again",
    )
    stop_cooldown_s: Annotated[Annotated[float, Field(gt=0, le=STOPS_KEPT_S, allow_inf_nan=False)] | None, Off] = Field(
        None, alias="PM_STOP_COOLDOWN_S", description="seconds after a stop in which its token is not bought again"
    )
    max_exposure_market_usdc: Annotated[Usdc | None, Off] = Field(
        None,
        alias="PM_MAX_EXPOSURE_MARKET_USDC",
        description="USDC at cost, waiting buys included, in one market, Yes and No together; an order beyond it is refused",
    )
    max_exposure_event_usdc: Annotated[Usdc | None, Off] = Field(
        None,
        alias="PM_MAX_EXPOSURE_EVENT_USDC",
        description="USDC at cost, waiting buys included, in all markets of one event; an order beyond it is refused",
    )
    max_exposure_usdc: Annotated[Usdc | None, Off] = Field(
        None,
        alias="PM_MAX_EXPOSURE_USDC",
        description="USDC at cost, waiting buys included, in all markets together; an order beyond it is refused",
    )

    trend_lookback_points: Points = Field(
        6, alias="PM_TREND_LOOKBACK_POINTS", description="how many samples back pm_trend compares"
    )
    trend_move_min_pct: Percent = Field(
        0.10, alias="PM_TREND_MOVE_MIN_PCT", description="percent the token must have risen for pm_trend to enter"
    )
    trend_exit_move_pct: SignedPercent = Field(
        0.0, alias="PM_TREND_EXIT_MOVE_MIN_PCT", description="percent at or below which the trend is gone"
    )
    trend_auto_side: bool = Field(
        True, alias="PM_TREND_AUTO_SIDE", description="watch both outcomes, enter only the one that rises more, never hold both"
    )

    draw_baseline_file: Annotated[Path | None, Off] = Field(
        None, alias="PM_DRAW_BASELINE_FILE", description="draw probabilities or odds by slug (CSV or JSON)"
    )
    draw_baseline_p: Probability = Field(
        0.28, alias="PM_DRAW_BASELINE_P", description="draw probability of a match that the file does not name"
    )
    draw_prob_mult: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = Field(
        1.0, alias="PM_DRAW_BOOK_PROB_MULT", description="what every baseline is multiplied by"
    )
    draw_edge_min_points: SignedPercent = Field(
        2.0, alias="PM_DRAW_EDGE_MIN_PCT", description="percentage points that the draw must be too cheap"
    )
    draw_edge_exit_points: SignedPercent = Field(
        0.5, alias="PM_DRAW_EDGE_EXIT_PCT", description="percentage points at or below which the value is gone"
    )
    draw_max_price: Annotated[Price | None, Off] = Field(
        Decimal("0.45"), alias="PM_DRAW_MAX_PRICE", description="dearest ask that pm_draw pays"
    )
    draw_require_3way: bool = Field(
        False, alias="PM_DRAW_REQUIRE_3WAY", description="trade only the draw of a home/draw/away set, all three books seen"
    )
    draw_favourite_min: Annotated[Price | None, Off] = Field(
        None, alias="PM_DRAW_FAV_MIN", description="lowest mid of the dearer team"
    )
    draw_favourite_max: Annotated[Price | None, Off] = Field(
        None, alias="PM_DRAW_FAV_MAX", description="highest mid of the dearer team"
    )
    draw_max_hold_s: Annotated[Seconds | None, Off] = Field(
        None, alias="PM_DRAW_MAX_HOLD_SECS", description="seconds that pm_draw holds at most"
    )

    fair_edge_min: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        0.02, alias="EDGE_THRESHOLD", description="probability that a token must be too cheap for fair_model to enter"
    )
    fair_max_hold_s: Annotated[Seconds | None, Off] = Field(
        None, alias="FAIR_MODEL_MAX_HOLD_SECS", description="seconds that fair_model holds at most"
    )

    scan_enable: bool = Field(False, alias="PM_SCAN_ENABLE", description="look for markets in the background")
    scan_use_for_trading: bool = Field(
        False, alias="PM_SCAN_USE_FOR_TRADING", description="trade what was found too, after the map; 0: only list it"
    )
    scan_limit: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200, alias="PM_SCAN_LIMIT", description="markets that one scan looks at"
    )
    scan_search: Annotated[Annotated[str, Field(max_length=200)] | None, Off] = Field(
        None, alias="PM_SCAN_SEARCH", description="words to search for; empty: the busiest events"
    )
    scan_binary_only: Annotated[bool | None, BeforeValidator(_unset)] = Field(
        None,
        alias="PM_SCAN_BINARY_ONLY",
        description="leave out three-way sets and markets of more than two outcomes; by itself 1, and 0 in pm_draw",
    )
    scan_trade_max_markets: Count = Field(
        20, alias="PM_SCAN_TRADE_MAX_MARKETS", description="found markets that are traded at most"
    )
    scan_interval_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = Field(
        300.0, alias="PM_SCAN_INTERVAL_S", description="seconds between two scans"
    )
    scan_min_liquidity_usdc: Annotated[Usdc | None, Off] = Field(
        Decimal(1000), alias="PM_SCAN_MIN_LIQUIDITY_USDC", description="USDC in the book that a found market must have"
    )
    scan_max_spread: Annotated[Price | None, Off] = Field(
        Decimal("0.10"), alias="PM_SCAN_MAX_SPREAD", description="widest spread of a found market, price units"
    )

    order_size_shares: Shares = Field(
        Decimal(10), alias="PM_ORDER_SIZE_SHARES", description="shares of an entry; 0: the whole budget of the band"
    )
    orderbook_sizing: bool = Field(
        True, alias="LEAD_LAG_ENABLE_ORDERBOOK_SIZING", description="cut orders to a part of what lies near the best ask"
    )
    slippage_cap: Price = Field(
        Decimal("0.01"), alias="LEAD_LAG_SLIPPAGE_CAP", description="how far beyond the best price an order goes"
    )
    hard_cap_usdc: Usdc = Field(Decimal(2000), alias="LEAD_LAG_HARD_CAP_USDC", description="USDC that an order costs at most")
    max_fraction: Fraction = Field(
        Decimal("0.10"),
        alias="LEAD_LAG_MAX_FRACTION_OF_BAND_LIQUIDITY",
        description="part of the band's USDC that an order takes at most",
    )
    min_trade_notional_usdc: Annotated[Usdc | None, Off] = Field(
        None, alias="LEAD_LAG_MIN_TRADE_NOTIONAL_USDC", description="USDC that an order must be worth"
    )
    scale_on_odds_change_pct: Annotated[Percent | None, Off] = Field(
        None,
        alias="LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT",
        description="percent the mid must rise since the last fill for an add; absent: no adds",
    )
    scale_size_mult: Annotated[Decimal, Field(gt=0, le=100, max_digits=12, decimal_places=9)] = Field(
        Decimal("0.50"), alias="LEAD_LAG_SCALE_SIZE_MULT", description="size of an add in order sizes"
    )
    scale_cooldown_s: Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)] = Field(
        20.0, alias="LEAD_LAG_SCALE_COOLDOWN_S", description="seconds between the last fill and an add"
    )
    scale_max_adds: Count = Field(3, alias="LEAD_LAG_SCALE_MAX_ADDS", description="adds to one position")
    scale_max_total_shares: Shares = Field(
        Decimal(50), alias="LEAD_LAG_SCALE_MAX_TOTAL_SHARES", description="shares that one position may reach by adds"
    )
    max_orders_per_tick: Annotated[Count | None, Off] = Field(
        10, alias="PM_MAX_ORDERS_PER_TICK", description="entries and adds in one tick, 0: any number; exits are never throttled"
    )
    fees: Literal["venue", "none"] = Field("venue", alias="PM_FEES", description="charge the market's taker fee, or none")
    start_balance_usd: Usdc = Field(
        Decimal(1000), alias="PAPER_START_BALANCE_USD", description="cash of a new ledger; an old ledger keeps its own"
    )
    latency_ms: Annotated[int, Field(ge=0, le=600_000)] = Field(
        0, alias="PAPER_LATENCY_MS", description="milliseconds before an order meets a book, beside the market's own delay"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        """Bytes that are no UTF-8 come in as lone surrogates, and no file or log can say them."""
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("it must be UTF-8") from None
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        conflicts = [text for conflict, text in self._conflicts() if conflict]
        if conflicts:
            raise ValueError("; ".join(conflicts))
        return self

    def _conflicts(self) -> tuple[tuple[bool, str], ...]:
        below, above = self.avoid_price_below, self.avoid_price_above
        least, most = self.draw_favourite_min, self.draw_favourite_max
        holds, limit_of = HOLDS[self.strategy_mode]
        held_s = limit_of(self)
        state, out = self.state_dir.resolve(), self.out_dir.resolve()
        return (
            (
                self.edge_exit_pct >= self.edge_min_pct,
                f"LEAD_LAG_EDGE_EXIT_PCT={self.edge_exit_pct:g} must lie below LEAD_LAG_EDGE_MIN_PCT={self.edge_min_pct:g}",
            ),
            (
                held_s is not None and held_s <= self.interval_s,
                f"{holds}={held_s} must exceed INTERVAL_S={self.interval_s:g}",
            ),
            (
                self.trend_exit_move_pct >= self.trend_move_min_pct,
                f"PM_TREND_EXIT_MOVE_MIN_PCT={self.trend_exit_move_pct:g} must lie below "
                f"PM_TREND_MOVE_MIN_PCT={self.trend_move_min_pct:g}",
            ),
            (
                self.draw_edge_exit_points >= self.draw_edge_min_points,
                f"PM_DRAW_EDGE_EXIT_PCT={self.draw_edge_exit_points:g} must lie below "
                f"PM_DRAW_EDGE_MIN_PCT={self.draw_edge_min_points:g}",
            ),
            (
                least is not None and most is not None and least >= most,
                f"PM_DRAW_FAV_MIN={least} must lie below PM_DRAW_FAV_MAX={most}",
            ),
            (
                below is not None and above is not None and below >= above,
                f"LEAD_LAG_AVOID_PRICE_BELOW={below} must lie below LEAD_LAG_AVOID_PRICE_ABOVE={above}",
            ),
            (
                not self.orderbook_sizing and self.order_size_shares == 0,
                "PM_ORDER_SIZE_SHARES=0 means the band's budget and needs LEAD_LAG_ENABLE_ORDERBOOK_SIZING=1",
            ),
            (state.is_relative_to(out), f"STATE_DIR={self.state_dir} lies inside OUT_DIR={self.out_dir}, which is published"),
            (
                state.is_relative_to(out.parent) and out.name == "data",
                f"STATE_DIR={self.state_dir} lies inside the web root {self.out_dir.parent}",
            ),
            (
                self.recording.resolve().is_relative_to(out),
                f"RECORD_DIR={self.record_dir} lies inside OUT_DIR={self.out_dir}, which is published",
            ),
            (len(out.parts) < 2 or _is_repository(out), f"OUT_DIR={self.out_dir} is no directory for published files"),
        )

    @property
    def recording(self) -> Path:
        """Where a recording is written."""
        return self.record_dir or self.state_dir / "recording"

    def exact(self) -> dict[str, object]:
        """Every variable but secrets, as JSON, to be read again by `settings_of`; `***` for who asks in an address."""
        values = self.model_dump(mode="json", by_alias=True)
        shown = {name: value for name, value in values.items() if name not in SECRETS}
        return {name: _USER.sub("://***@", value) if isinstance(value, str) else value for name, value in shown.items()}

    def in_force(self) -> dict[str, str]:
        """Every variable and its value in force, as text; empty for an absent gate, `***` for secrets."""
        values = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return {name: "" if value is None else _text(value) for name, value in values.items()}


HOLDS: Mapping[str, tuple[str, Callable[[Settings], float | None]]] = {
    "lead_lag": ("LEAD_LAG_MAX_HOLD_SECS", lambda settings: settings.max_hold_s),
    "pm_trend": ("LEAD_LAG_MAX_HOLD_SECS", lambda settings: settings.max_hold_s),
    "pm_draw": ("PM_DRAW_MAX_HOLD_SECS", lambda settings: settings.draw_max_hold_s),
    "fair_model": ("FAIR_MODEL_MAX_HOLD_SECS", lambda settings: settings.fair_max_hold_s),
}
"""What limits the hold of a mode: the variable, and its value."""

VARIABLES = tuple(field.alias or name for name, field in Settings.model_fields.items())
KNOWN = (*VARIABLES, *KEY_VARIABLES)
SECRETS = frozenset({"NOTIFY_URLS"})
"""Whose value nobody is told, not even when it is wrong."""
PREFIXES = ("LEAD_LAG_", "PM_", "KRAKEN_", "POLYMARKET_", "PAPER_", "FRESHNESS_", "FAIR_MODEL_")


def _is_repository(directory: Path) -> bool:
    """Whether it is a repository's root, or a name that no directory can have."""
    try:
        return (directory / ".git").exists()
    except OSError:
        return True


_USER = re.compile(r"://[^/]*@")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, SecretStr):
        return "***"
    return f"{value:g}" if isinstance(value, float) else _USER.sub("://***@", str(value))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment. Raises `SettingsInvalid` naming every bad variable, its value and what is allowed."""
    mistakes = [f"{name}: unknown variable; did you mean {meant}?" for name, meant in misspelt(environment)]
    try:
        settings = Settings.model_validate({name: environment[name] for name in VARIABLES if name in environment})
    except ValidationError as error:
        raise SettingsInvalid("\n".join([*mistakes, *map(_mistake, error.errors())])) from None
    if mistakes:
        raise SettingsInvalid("\n".join(mistakes))
    return settings


PLACES = ("OUT_DIR", "STATE_DIR", "RECORD_DIR", "MARKET_MAP_PATH", "KILLSWITCH_FILE", "PM_DRAW_BASELINE_FILE")
"""The variables that name places of one machine, which mean nothing in a recording."""


def settings_of(exact: Mapping[str, object]) -> Settings:
    """The settings that a recorded session had, without its places. Raises `SettingsInvalid`."""
    try:
        return Settings.model_validate({name: value for name, value in exact.items() if name not in PLACES})
    except ValidationError as error:
        raise SettingsInvalid("\n".join(map(_mistake, error.errors()))) from None


def _mistake(found: Mapping[str, object]) -> str:
    """One line for one of pydantic's errors: `NAME='value': what is allowed`."""
    place = found["loc"]
    said = str(found["msg"]).removeprefix("Value error, ")
    if not isinstance(place, tuple) or not place:
        return said
    shown = "***" if place[0] in SECRETS else _USER.sub("://***@", repr(found["input"]))
    return f"{place[0]}={shown}: {said}"


def misspelt(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables within two letters of one of ours (of eight letters or more), with the one that was meant."""
    strangers = [name for name in environment if name not in KNOWN]
    names = [name for name in KNOWN if len(name) >= 8]
    return [(stranger, name) for stranger in strangers for name in names if _within_two_letters(stranger, name)]


def _within_two_letters(one: str, other: str) -> bool:
    """Whether the edit distance is at most two (Levenshtein)."""
    if abs(len(one) - len(other)) > 2:
        return False
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1] <= 2


def doubts(environment: Mapping[str, str], settings: Settings) -> list[str]:
    """Warnings: settings that are legal and yet look wrong."""
    known = set(KNOWN)
    unknown = [name for name in environment if name.startswith(PREFIXES) and name not in known]
    tiny = [
        (name, environment[name])
        for name in VARIABLES
        if name.endswith("_PCT")
        and name in environment
        and environment[name].strip()
        and 0 < abs(float(environment[name])) < 0.01
    ]
    warnings = [f"{name} is not a variable of this version: ignored" for name in unknown]
    warnings += [f"{name}={value} is in percent: {value} % is very little. Was 0.25 % meant as 0.25?" for name, value in tiny]
    if settings.market_map_path and settings.clob_token_id:
        warnings.append("POLYMARKET_CLOB_TOKEN_ID is ignored: MARKET_MAP_PATH is set")
    if settings.scan_use_for_trading and not settings.scan_enable:
        warnings.append("PM_SCAN_USE_FOR_TRADING is ignored: PM_SCAN_ENABLE is not set")
    if settings.stop_cooldown_s and not settings.stop_pct:
        warnings.append("PM_STOP_COOLDOWN_S is ignored: LEAD_LAG_PM_STOP_PCT is not set")
    most = [settings.max_exposure_market_usdc, settings.max_exposure_event_usdc, settings.max_exposure_usdc]
    if settings.order_size_shares == 0 and any(limit is not None and limit < settings.hard_cap_usdc for limit in most):
        warnings.append(
            "PM_MAX_EXPOSURE_* lies below LEAD_LAG_HARD_CAP_USDC: with PM_ORDER_SIZE_SHARES=0 large orders are refused"
        )
    if settings.run_once and settings.run_ticks:
        warnings.append("RUN_TICKS is ignored: RUN_ONCE is set")
    return warnings
