"""The commands that a person types: check and preview."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.simulated_venues import Scenario, SimulatedVenues, market_map
from entrypoints.preview import batch
from tests.entrypoints.processes import ROOT, environment, spelar, write_map

PAYLOADS = ROOT.parent / "shared/payloads"
BOOK = {
    "market": "0x" + "a" * 64,
    "asset_id": "123",
    "timestamp": "1772411962119",
    "hash": "f" * 40,
    "bids": [{"price": "0.48", "size": "100"}, {"price": "0.5", "size": "20.5"}],
    "asks": [{"price": "0.53", "size": "1000"}, {"price": "0.51", "size": "60"}],
    "min_order_size": "5",
    "tick_size": "0.01",
    "neg_risk": False,
    "last_trade_price": "",
}


@pytest.fixture
def venues() -> Iterator[tuple[SimulatedVenues, Scenario]]:
    """Seeded venues on loopback."""
    script = Scenario(7, time.time_ns() // 1_000_000)
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as server:
        yield server, script


@pytest.fixture
def env(tmp_path: Path, venues: tuple[SimulatedVenues, Scenario]) -> dict[str, str]:
    """An environment that points at them."""
    server, script = venues
    return environment(tmp_path, server.environment(), MARKET_MAP_PATH=write_map(tmp_path / "map.json", market_map(script)))


def test_check_prints_a_line_for_each_source_and_ends_with_zero(env: dict[str, str]) -> None:
    """Everything that a tick will need was looked at."""
    done = spelar(["check"], env)
    assert done.returncode == 0, done.stdout + done.stderr
    for subject in ("configuration", "market map", "clock", "polymarket_clob", "kraken_spot XBTUSD", "kraken_spot ETHUSD"):
        assert any(line.startswith("ok") and subject in line for line in done.stdout.splitlines()), subject


@pytest.mark.slow
def test_check_warns_when_the_minimum_edge_does_not_pay_for_a_round_trip(env: dict[str, str]) -> None:
    """The runbook's defaults often do not."""
    assert "a round trip costs" in spelar(["check"], env).stdout


@pytest.mark.slow
def test_check_passes_where_discovery_finds_what_is_traded(env: dict[str, str]) -> None:
    """No map is needed then; what a scan keeps is looked at like the markets of a map."""
    found = {"MARKET_MAP_PATH": "", "PM_SCAN_ENABLE": "1", "PM_SCAN_USE_FOR_TRADING": "1"}
    done = spelar(["check"], {**env, **found})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "markets kept" in done.stdout
    assert any(line.startswith("ok    book") for line in done.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        ({"LEAD_LAG_EGDE_MIN_PCT": "1"}, 78, "did you mean LEAD_LAG_EDGE_MIN_PCT"),
        ({"MARKET_MAP_PATH": "nowhere.json"}, 78, "nowhere.json: cannot be read"),
        ({"KRAKEN_SPOT_BASE_URL": "http://127.0.0.1:9"}, 1, "FAIL  kraken_spot XBTUSD: kraken_spot: connect_error"),
        ({"POLYMARKET_CLOB_BASE_URL": "http://127.0.0.1:9"}, 1, "FAIL  polymarket_clob: polymarket_clob: connect_error"),
        ({"POLYMARKET_GAMMA_BASE_URL": "http://127.0.0.1:9"}, 1, "has no token"),
    ],
)
def test_check_says_exactly_what_is_wrong(env: dict[str, str], broken: dict[str, str], code: int, said: str) -> None:
    """And ends with a code that a script can see."""
    done = spelar(["check"], {**env, **broken})
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_preview_walks_the_book_level_by_level_with_fees(tmp_path: Path) -> None:
    """60 at 0.51, 40 at 0.53; crypto fees of 0.07."""
    path = tmp_path / "book.json"
    path.write_text(json.dumps(BOOK))
    done = spelar(
        ["preview", "--book", str(path), "--shares", "100", "--fee-rate", "0.07", "--json"], environment(tmp_path, {})
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "filled_shares": "100",
        "notional": "51.8",
        "average_price": "0.518",
        "fee": "1.74706",
        "levels": [
            {"price": "0.51", "shares": "60", "fee": "1.04958"},
            {"price": "0.53", "shares": "40", "fee": "0.69748"},
        ],
        "unfilled_shares": "0",
        "warnings": [],
    }


def test_a_batch_goes_on_after_a_line_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 cost one line."""
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b"\xff\xfe\n" + json.dumps({"book": BOOK, "shares": "4"}).encode())
    first, second = batch(path)
    assert "not JSON" in str(first["error"])
    assert second["filled_shares"] == "4"


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "NaN", "sNaN", "true", "9e12", '"0,5"'])
def test_a_number_that_cannot_be_written_out_costs_one_line_of_a_batch(tmp_path: Path, number: str) -> None:
    """Whichever of them it is."""
    path = tmp_path / "cases.jsonl"
    path.write_text(
        "".join(f'{{"book": {json.dumps(BOOK)}, "{name}": {number}}}\n' for name in ("shares", "limit", "fee_rate"))
    )
    assert all(result.keys() == {"error"} for result in batch(path))


@pytest.mark.slow
def test_preview_respects_the_limit_and_says_what_stays_unfilled(tmp_path: Path) -> None:
    """As a sell to the bids, best first."""
    path = tmp_path / "book.json"
    path.write_text(json.dumps(BOOK))
    arguments = ["preview", "--book", str(path), "--side", "sell", "--shares", "100", "--limit", "0.49", "--json"]
    result = json.loads(spelar(arguments, environment(tmp_path, {})).stdout)
    assert (result["filled_shares"], result["unfilled_shares"], result["notional"]) == ("20.5", "79.5", "10.25")


@pytest.mark.slow
def test_preview_in_a_batch_answers_each_line_and_goes_on_after_a_bad_one(tmp_path: Path) -> None:
    """A crossed book is refused, a ghost book computed with a warning, broken JSON named."""
    crossed = {**BOOK, "bids": [{"price": "0.6", "size": "1"}]}
    ghost = {**BOOK, "bids": [{"price": "0.01", "size": "9"}], "asks": [{"price": "0.99", "size": "9"}]}
    lines = [{"book": book, "side": "BUY", "shares": "4"} for book in (BOOK, crossed, ghost)]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join([*map(json.dumps, lines), "{oops", json.dumps({"book": BOOK, "shares": "-1"})]))
    done = spelar(["preview", "--batch", str(path)], environment(tmp_path, {}))
    first, second, third, fourth, fifth = map(json.loads, done.stdout.splitlines())
    assert first["filled_shares"] == "4"
    assert "below_min_order_size" in first["warnings"][0]
    assert "crossed_book" in second["error"]
    assert "ghost_book" in third["warnings"][0]
    assert "not JSON" in fourth["error"]
    assert "positive" in fifth["error"]


@pytest.mark.slow
def test_preview_needs_only_bids_and_asks(tmp_path: Path) -> None:
    """A book typed by hand is a book."""
    path = tmp_path / "book.json"
    path.write_text(json.dumps({"bids": BOOK["bids"], "asks": BOOK["asks"]}))
    done = spelar(["preview", "--book", str(path), "--shares", "10", "--json"], environment(tmp_path, {}))
    assert json.loads(done.stdout)["notional"] == "5.1"


def test_preview_fetches_a_token_s_book(env: dict[str, str], venues: tuple[SimulatedVenues, Scenario]) -> None:
    """What an order would do now."""
    token = venues[1].markets[0].token_ids[0]
    done = spelar(["preview", "--token", token, "--shares", "10"], env)
    assert done.returncode == 0, done.stderr
    assert "filled_shares: 10" in done.stdout


@pytest.mark.slow
def test_preview_of_an_unknown_token_is_refused(env: dict[str, str]) -> None:
    """404 is an answer."""
    done = spelar(["preview", "--token", "12345"], env)
    assert done.returncode == 1
    assert "refused" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not PAYLOADS.exists(), reason="no ../shared/payloads: a user's clone has none")
def test_preview_takes_a_captured_book_as_it_came(tmp_path: Path) -> None:
    """Best level last, strings and all: 100 shares of the captured book start at its best ask."""
    path = PAYLOADS / "polymarket/clob_book__new_5m_market_no_trades.json"
    done = spelar(["preview", "--book", str(path), "--shares", "100", "--json"], environment(tmp_path, {}))
    levels = json.loads(done.stdout)["levels"]
    assert [(level["price"], level["shares"]) for level in levels] == [("0.51", "72"), ("0.53", "28")]


@pytest.mark.slow
def test_a_portal_whose_port_is_taken_says_so() -> None:
    """In one line, and what to try: it happens to everybody whose demo still runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = spelar(["portal", "--port", str(taken.getsockname()[1])], {**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert done.stderr.startswith("no portal: ")
    assert "Traceback" not in done.stderr
