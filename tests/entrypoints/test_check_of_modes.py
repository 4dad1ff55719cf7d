"""`spelar check` as a person runs it before a mode goes live: a line for each thing that the mode will ask for, and exit 0."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from adapters.simulated_venues import Scenario, SimulatedVenues, market_map
from tests.entrypoints.processes import environment, spelar, write_map

pytestmark = pytest.mark.slow

MATCH = "bun-aug-koe-2026-11-28"
BITCOIN = "bitcoin-above-60k-on-december-31"
FUTURE = {"symbol": "PF_XBTUSD", "ref_price_field": "indexPrice"}
VALUED = {"mode": "linear_range", "min_ref": 55_000, "max_ref": 65_000}


@pytest.fixture(scope="module")
def venues() -> Iterator[SimulatedVenues]:
    """The seeded venues on loopback, in real time."""
    with SimulatedVenues(Scenario(7, time.time_ns() // 1_000_000), lambda: time.time_ns() // 1_000_000) as server:
        yield server


def checked(venues: SimulatedVenues, tmp_path: Path, mode: str, *entries: Mapping[str, object]) -> tuple[int, list[str]]:
    """The exit code and the lines of a check of this mode with these entries."""
    path = write_map(tmp_path / "map.json", {"version": 1, "markets": list(entries)})
    done = spelar(["check"], environment(tmp_path, venues.environment(), STRATEGY_MODE=mode, MARKET_MAP_PATH=path))
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def named(slug: str, **parts: object) -> dict[str, object]:
    """An entry of the map."""
    return {"name": slug, "polymarket": {"market_slug": slug}} | parts


def passed(lines: list[str], subject: str) -> list[str]:
    """What was seen of the subjects that begin like this and are fine."""
    return [line.split(": ", 1)[1] for line in lines if line.startswith(f"ok    {subject}")]


@pytest.mark.parametrize(
    ("mode", "entry", "books", "references"),
    [
        ("lead_lag", named(BITCOIN, kraken_spot={"pair": "XBTUSD"}), 1, {"kraken_spot XBTUSD"}),
        ("pm_trend", named(BITCOIN), 2, set()),
        ("pm_draw", named(f"{MATCH}-draw"), 1, set()),
        ("fair_model", named(BITCOIN, kraken_futures=FUTURE, fair_model=VALUED), 2, {"kraken_futures PF_XBTUSD indexPrice"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mode_that_can_go_live_passes_with_a_line_for_each_book_and_reference(
    venues: SimulatedVenues, tmp_path: Path, mode: str, entry: dict[str, object], books: int, references: set[str]
) -> None:
    """Configuration, map, market, book, reference and clock."""
    code, lines = checked(venues, tmp_path, mode, entry)
    text = "\n".join(lines)
    assert code == 0, text
    assert not [line for line in lines if line.startswith("FAIL")], text
    assert passed(lines, "configuration") == [f"{mode}, paper"]
    assert passed(lines, "market map")
    legs = 3 if mode == "pm_draw" else books
    assert passed(lines, "polymarket_clob") == [f"{legs} of {legs} books"]
    assert [seen.split(":")[0] for seen in passed(lines, "match ")] == (["3 of 3 two-sided books"] if mode == "pm_draw" else [])
    assert len(passed(lines, "book ")) == len(passed(lines, "market ")) - 1 == books
    told = {line.split(": ", 1)[0].removeprefix("ok").strip() for line in lines if line.startswith("ok    kraken_")}
    assert told == references
    for reference in references:
        (price,) = passed(lines, reference)
        assert float(price) == pytest.approx(60_000, rel=0.1)
    assert passed(lines, "clock")


@pytest.mark.parametrize("mode", ["lead_lag", "pm_trend", "pm_draw", "fair_model"])
def test_the_maps_of_the_demo_pass_in_their_modes(venues: SimulatedVenues, tmp_path: Path, mode: str) -> None:
    """All that the seeded world holds, matches for pm_draw; what can never be entered is a warning, not a failure."""
    script = venues.script
    assert isinstance(script, Scenario)
    markets = market_map(script, draws=mode == "pm_draw")["markets"]
    assert isinstance(markets, list)
    code, lines = checked(venues, tmp_path, mode, *markets)
    assert code == 0, "\n".join(lines)
    assert not [line for line in lines if line.startswith("FAIL")]


def test_two_fields_of_one_future_are_two_lines(venues: SimulatedVenues, tmp_path: Path) -> None:
    """Each with its name, so that nobody takes one for the other."""
    other = "bitcoin-up-this-quarter"
    mark = {"symbol": "PF_XBTUSD", "ref_price_field": "mark"}
    code, lines = checked(
        venues,
        tmp_path,
        "fair_model",
        named(BITCOIN, kraken_futures=FUTURE, fair_model=VALUED),
        named(other, kraken_futures=mark, fair_model=VALUED),
    )
    assert code == 0
    assert (
        len(passed(lines, "kraken_futures PF_XBTUSD indexPrice"))
        == len(passed(lines, "kraken_futures PF_XBTUSD markPrice"))
        == 1
    )


@pytest.mark.parametrize(
    ("mode", "entry", "said"),
    [
        ("fair_model", named(BITCOIN, kraken_futures={"symbol": "PF_NONE"}, fair_model=VALUED), "kraken_futures PF_NONE"),
        ("lead_lag", named(BITCOIN, kraken_spot={"pair": "NONEUSD"}), "kraken_spot NONEUSD"),
        ("pm_trend", named("no-such-market"), "market no-such-market"),
    ],
)
def test_what_a_mode_cannot_do_without_fails_with_a_line_and_exit_1(
    venues: SimulatedVenues, tmp_path: Path, mode: str, entry: dict[str, object], said: str
) -> None:
    """A symbol, a pair or a market that the venue does not know."""
    code, lines = checked(venues, tmp_path, mode, entry)
    assert code == 1
    assert [line for line in lines if line.startswith(f"FAIL  {said}")], "\n".join(lines)
