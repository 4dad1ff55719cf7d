"""The parts of the documents that the code knows better: tables of rules, of variables, of files. `make docs` writes them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.candidates import ScanReason
from adapters.portal.schema import FILES
from adapters.tape import schema as tape
from domain.state_machine import EXIT_INPUT, SCALE_IN, Table
from entrypoints.keys import KEY_VARIABLES
from entrypoints.rules import STRATEGIES, rules_of
from entrypoints.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
ENV_EXAMPLE = ROOT / "vps/systemd/spelar-agent.env.example"

RUNBOOK_MINIMUM = (
    "STRATEGY_MODE",
    "TRADING_MODE",
    "INTERVAL_S",
    "OUT_DIR",
    "STATE_DIR",
    "MARKET_MAP_PATH",
    "KRAKEN_SPOT_PAIR",
    "LEAD_LAG_SIDE",
    "LEAD_LAG_LOOKBACK_POINTS",
    "LEAD_LAG_SPOT_MOVE_MIN_PCT",
    "LEAD_LAG_EDGE_MIN_PCT",
    "LEAD_LAG_EDGE_EXIT_PCT",
    "LEAD_LAG_MAX_HOLD_SECS",
    "PM_ORDER_SIZE_SHARES",
    "LEAD_LAG_ENABLE_ORDERBOOK_SIZING",
    "LEAD_LAG_SLIPPAGE_CAP",
    "LEAD_LAG_HARD_CAP_USDC",
    "LEAD_LAG_MAX_FRACTION_OF_BAND_LIQUIDITY",
    "PAPER_START_BALANCE_USD",
    "FRESHNESS_MAX_AGE_SECS",
)
"""What a first run sets; the other variables stand below it in the example file, commented out."""

PROTECTIONS = (
    "PM_MAX_DAILY_LOSS_USDC",
    "PM_MAX_DRAWDOWN_PCT",
    "PM_MAX_LOSSES_IN_A_ROW",
    "PM_STOP_COOLDOWN_S",
    "PM_MAX_EXPOSURE_MARKET_USDC",
    "PM_MAX_EXPOSURE_EVENT_USDC",
    "PM_MAX_EXPOSURE_USDC",
)
"""What stands directly below the minimum: what every run that matters should set."""

RECOMMENDED = {
    "PM_MAX_DAILY_LOSS_USDC": ("20", "the rest of a day that began badly, also where it would have come back"),
    "PM_MAX_DRAWDOWN_PCT": (
        "10",
        "all entries until the equity recovers; without a position it cannot, so a person has to look",
    ),
    "PM_MAX_LOSSES_IN_A_ROW": ("5", "the rest of the day after a series that may have been chance"),
    "PM_STOP_COOLDOWN_S": ("900", "a token that turns right after its stop; needs LEAD_LAG_PM_STOP_PCT"),
    "PM_MAX_EXPOSURE_MARKET_USDC": ("50", "adds and large orders in one market"),
    "PM_MAX_EXPOSURE_EVENT_USDC": ("100", "further markets of an event: they win and lose together"),
    "PM_MAX_EXPOSURE_USDC": ("300", "entries while much is invested already"),
    "KILLSWITCH_FILE": ("/etc/spelar_eu/KILLSWITCH", "nothing until the file exists"),
    "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT": ("0.40", "larger positions, larger losses"),
    "LEAD_LAG_SPOT_NOISE_MULT": ("3", "no entries while spot is restless, and 40 samples more to warm up"),
    "LEAD_LAG_PM_STOP_PCT": ("5", "some positions leave at a loss that would have come back"),
    "LEAD_LAG_MAX_BOOK_AGE_SECS": ("300", "quiet markets are not entered"),
    "LEAD_LAG_AVOID_PRICE_BELOW": ("0.05", "no long shots"),
    "LEAD_LAG_AVOID_PRICE_ABOVE": ("0.95", "no favourites"),
    "LEAD_LAG_MAX_SPREAD": ("0.03", "thin markets are not entered"),
    "LEAD_LAG_SPREAD_COST_CAP_PCT": ("2", "cheap tokens with a one-cent spread are not entered"),
    "LEAD_LAG_NET_EDGE_MIN_PCT": ("0.10", "most entries where fees are charged: their edge does not pay them"),
    "LEAD_LAG_MIN_MARKET_LAG_MS": ("2000", "entries in markets that follow at once, and 120 samples kept"),
    "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC": ("2", "very small orders"),
    "PM_DRAW_BASELINE_FILE": ("/etc/spelar_eu/pm_draw_baseline.csv", "draws that the bookmakers price lower than 0.28"),
    "PM_DRAW_REQUIRE_3WAY": ("1", "draws of matches whose teams have no usable books"),
    "PM_DRAW_FAV_MAX": ("0.60", "draws of matches with a clear favourite, and of those whose teams have no usable books"),
    "PM_DRAW_MAX_HOLD_SECS": ("10800", "positions that would have been held to the final whistle"),
    "FAIR_MODEL_MAX_HOLD_SECS": ("3600", "positions whose value would have come later"),
    "PM_SCAN_SEARCH": ("bitcoin", "markets that do not say the word"),
    "KRAKEN_KEYS_PATH": ("/etc/spelar_eu/kraken_keys.json", "nothing: only `spelar check-keys` reads it"),
    "PAPER_LATENCY_MS": ("250", "every order waits for the next tick's book"),
}
"""Values worth trying where the default is a gate that is absent, and what each costs."""

GROUPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "The protections: 0 or empty is absent",
        (
            "# They stop buying, adds included, and never selling. Which one, and at which number, stands in the rows of",
            "# pm_paper_candidates.csv. The sums fit the 1,000 USDC that a new ledger begins with: scale them to yours.",
        ),
        PROTECTIONS,
    ),
    (
        "Optional quality gates: absent, each stops nothing",
        ("# They close entries that look worse than they are, and each costs some that were good.",),
        (
            "LEAD_LAG_NET_EDGE_MIN_PCT",
            "LEAD_LAG_MAX_SPREAD",
            "LEAD_LAG_SPREAD_COST_CAP_PCT",
            "LEAD_LAG_AVOID_PRICE_BELOW",
            "LEAD_LAG_AVOID_PRICE_ABOVE",
            "LEAD_LAG_MAX_BOOK_AGE_SECS",
            "LEAD_LAG_MIN_TRADE_NOTIONAL_USDC",
            "LEAD_LAG_SPOT_NOISE_MULT",
            "LEAD_LAG_SPOT_NOISE_WINDOW_POINTS",
            "LEAD_LAG_MIN_MARKET_LAG_MS",
            "LEAD_LAG_PM_STOP_PCT",
        ),
    ),
    (
        "Adds to a position: absent, there are none",
        (),
        (
            "LEAD_LAG_SCALE_ON_ODDS_CHANGE_PCT",
            "LEAD_LAG_SCALE_SIZE_MULT",
            "LEAD_LAG_SCALE_COOLDOWN_S",
            "LEAD_LAG_SCALE_MAX_ADDS",
            "LEAD_LAG_SCALE_MAX_TOTAL_SHARES",
        ),
    ),
    ("Orders on paper", (), ("PM_MAX_ORDERS_PER_TICK", "PM_FEES", "PAPER_LATENCY_MS")),
    (
        "STRATEGY_MODE=pm_trend",
        (),
        ("PM_TREND_LOOKBACK_POINTS", "PM_TREND_MOVE_MIN_PCT", "PM_TREND_EXIT_MOVE_MIN_PCT", "PM_TREND_AUTO_SIDE"),
    ),
    (
        "STRATEGY_MODE=pm_draw",
        (),
        (
            "PM_DRAW_BASELINE_FILE",
            "PM_DRAW_BASELINE_P",
            "PM_DRAW_BOOK_PROB_MULT",
            "PM_DRAW_EDGE_MIN_PCT",
            "PM_DRAW_EDGE_EXIT_PCT",
            "PM_DRAW_MAX_PRICE",
            "PM_DRAW_MAX_HOLD_SECS",
            "PM_DRAW_REQUIRE_3WAY",
            "PM_DRAW_FAV_MIN",
            "PM_DRAW_FAV_MAX",
        ),
    ),
    ("STRATEGY_MODE=fair_model", (), ("EDGE_THRESHOLD", "FAIR_MODEL_MAX_HOLD_SECS")),
    (
        "Markets that nobody named",
        (),
        (
            "PM_SCAN_ENABLE",
            "PM_SCAN_USE_FOR_TRADING",
            "PM_SCAN_TRADE_MAX_MARKETS",
            "PM_SCAN_SEARCH",
            "PM_SCAN_LIMIT",
            "PM_SCAN_INTERVAL_S",
            "PM_SCAN_BINARY_ONLY",
            "PM_SCAN_MIN_LIQUIDITY_USDC",
            "PM_SCAN_MAX_SPREAD",
        ),
    ),
    ("Running and stopping", (), ("KILLSWITCH_FILE", "RUN_ONCE", "RUN_TICKS")),
    ("Being told", (), ("NOTIFY_URLS", "METRICS_PORT", "LOG_LEVEL")),
    ("Recording", (), ("RECORD", "RECORD_DIR")),
    (
        "The venues",
        (),
        (
            "POLYMARKET_CLOB_TOKEN_ID",
            "POLYMARKET_CLOB_BASE_URL",
            "POLYMARKET_GAMMA_BASE_URL",
            "KRAKEN_SPOT_BASE_URL",
            "KRAKEN_FUTURES_BASE_URL",
            "HTTP_TIMEOUT_S",
        ),
    ),
)
"""Below the minimum: a title, advice, and the variables. What no group names stands below them all."""

ENV_HEAD = (
    "# spelar: the agent's settings. Every variable, its default and its meaning; `spelar check` tells what is wrong.",
    "# A line is NAME=VALUE: no shell reads it, so no `export`, no $NAME and no backslash. To set a line with a # before",
    "# its name, remove the #. A gate that is absent or 0 is open. Written by `make docs` from entrypoints/settings.py.",
)

KEYS_HEAD = (
    "# On the server a key is better a file of root's: what stands in /etc/spelar_eu/credentials/kraken/api_key is the",
    "# credential kraken_api_key; kraken/api_secret, polymarket/address and the others alike. The unit hands them out.",
)

PLACES = {
    "OUT_DIR": "/opt/spelar_eu/web/data",
    "STATE_DIR": "/var/lib/spelar",
    "MARKET_MAP_PATH": "/etc/spelar_eu/market_map.json",
}
"""Where the server keeps its files."""


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown."""
    return "\n".join([_row(head), _row("---" for _ in head), *map(_row, rows)])


def rules_table(rows: Table) -> str:
    """One of the state machine's tables."""
    return table(
        ("reason", "what it says", "variable"),
        ((f"`{row.reason}`", row.says, f"`{row.setting}`" if row.setting else "") for row in rows),
    )


def strategies_table() -> str:
    """Every strategy's own gates and triggers, in their order."""
    strategies = [rules_of(read_settings({"STRATEGY_MODE": mode})).strategy for mode in STRATEGIES]
    tables = [(s.name, kind, rows) for s in strategies for kind, rows in (("enter", s.enter), ("exit", s.exit))]
    return table(
        ("strategy", "table", "reason", "what it says", "variable"),
        (
            (f"`{name}`", kind, f"`{row.reason}`", row.says, f"`{row.setting}`" if row.setting else "")
            for name, kind, rows in tables
            for row in rows
        ),
    )


def scan_reasons() -> str:
    """Why a market that discovery met was kept or left."""
    return ", ".join(f"`{reason}`" for reason in ScanReason) + "."


def files_table() -> str:
    """Every file of `OUT_DIR`."""
    return table(
        ("file", "columns", "kept"),
        (
            (
                f"`{file.name}`",
                ", ".join(file.row._fields) if file.row is not None else "JSON",
                file.kept or "latest",
            )
            for file in FILES
        ),
    )


def tape_table() -> str:
    """Every columnar file of a tape."""
    rows = ((f"`{file}`", f"`{name}`", kind, says) for file, columns in tape.FILES.items() for name, kind, says in columns)
    return table(("file", "column", "type", "what it holds"), rows)


def env_example() -> str:
    """The example env file: the minimum on top, everything else below in groups, commented out."""
    defaults = Settings().in_force()
    meanings = {field.alias or "": field.description or "" for field in Settings.model_fields.values()}
    lines = [*ENV_HEAD, "", _heading("The minimum")]
    for name in RUNBOOK_MINIMUM:
        lines += [f"# {meanings[name]}", f"{name}={PLACES.get(name, defaults[name])}"]
    for title, advice, names in (*GROUPS, ("More", (), _ungrouped(defaults))):
        lines += ["", _heading(title), *advice] if names else []
        for name in names:
            lines += _commented_out(name, defaults[name], meanings[name])
    lines += ["", _heading("Keys, which only `spelar check-keys` reads; paper trading needs none"), *KEYS_HEAD]
    for name, meaning in KEY_VARIABLES.items():
        lines += [f"# {meaning}", f"#{name}="]
    return "\n".join(lines) + "\n"


def _heading(title: str) -> str:
    return f"# --- {title} ".ljust(80, "-")


def _ungrouped(defaults: Iterable[str]) -> tuple[str, ...]:
    """The variables that no group names."""
    grouped = {*RUNBOOK_MINIMUM, *(name for _, _, names in GROUPS for name in names)}
    return tuple(name for name in defaults if name not in grouped)


def _commented_out(name: str, default: str, meaning: str) -> list[str]:
    """A variable that may be set, and what setting it costs."""
    value, costs = RECOMMENDED.get(name, (default, ""))
    advice = f"; try {value}, which costs: {costs}" if costs else ""
    return [f"# {meaning} (default: {default or 'absent'}{advice})", f"#{name}={value}"]


def generated() -> dict[str, str]:
    """Each generated part by the name between its markers."""
    rules = rules_of(Settings())
    return {
        "input": rules_table(rules.inputs),
        "exit-input": rules_table(EXIT_INPUT),
        "enter": rules_table(rules.enter),
        "exit": rules_table(rules.exit),
        "scale-in": rules_table(SCALE_IN),
        "strategies": strategies_table(),
        "scan-reasons": scan_reasons(),
        "files": files_table(),
        "tape": tape_table(),
    }


def with_parts(text: str, parts: Mapping[str, str]) -> str:
    """A document with these parts renewed: what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    for name, part in parts.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n{part}\n{end}{rest.split(end, 1)[1]}"
    return text


DOCUMENTS = (ROOT / "ARCHITECTURE.md",)


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(with_parts(document.read_text(encoding="utf-8"), generated()), encoding="utf-8")
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8")
