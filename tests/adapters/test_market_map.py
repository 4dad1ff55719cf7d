"""The market map: read, or refused with the place of the mistake."""

import json
from pathlib import Path

import pytest

from adapters.market_map import MapInvalid, load_market_map, place

ENTRY = {"name": "btc", "polymarket": {"market_slug": "btc-up", "outcome": "Yes"}, "kraken_spot": {"pair": "XBTUSD"}}


def _written(tmp_path: Path, body: object) -> Path:
    path = tmp_path / "map.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return path


def test_the_example_map_is_a_map() -> None:
    """What the runbook copies must work."""
    entries = load_market_map(Path(__file__).parents[2] / "vps/market_map.example.json")
    assert [entry.kraken_spot.direction for entry in entries] == ["normal", "inverse", "normal"]
    assert [entry.fair_model.mode if entry.fair_model else None for entry in entries] == ["linear_range", "constant", None]
    assert place(entries[2].polymarket.ref).kind == "series"


def test_entries_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """Decisions are made in map order."""
    names = ["b", "a", "c"]
    markets = [{"name": name, "polymarket": {"market_slug": name}} for name in names]
    assert [e.name for e in load_market_map(_written(tmp_path, {"version": 1, "markets": markets}))] == names


MISTAKES = (
    (
        {"version": 1, "markets": [{**ENTRY, "polymarket": {"market_slug": "a", "outcom": "Yes"}}]},
        r"markets\[0\].polymarket.outcom",
    ),
    ({"version": 2, "markets": []}, "version"),
    ({"version": 1, "markets": [ENTRY, ENTRY]}, r"markets\[1\] names the same token as markets\[0\]"),
    (
        {"version": 1, "markets": [{"name": name, "polymarket": {"clob_token_id": "12"}} for name in "abc"[:2]]},
        r"markets\[1\] names the same token as markets\[0\]",
    ),
    ({"version": 1, "markets": [{"name": "x", "polymarket": {}}]}, "needs one of market_url"),
    ({"version": 1, "markets": [{"name": "x", "polymarket": {"market_slug": "Not A Slug"}}]}, "is not a slug"),
    (
        {"version": 1, "markets": [{"name": "x", "polymarket": {"market_url": "https://evil.example/event/a"}}]},
        "not a Polymarket address",
    ),
    ({"version": 1, "markets": [{**ENTRY, "kraken_spot": {"direction": "sideways"}}]}, r"kraken_spot.direction"),
    ({"version": 1, "markets": [{"name": "x", "polymarket": {"clob_token_id": "12a"}}]}, "clob_token_id"),
    (
        {"version": 1, "markets": [{**ENTRY, "fair_model": {"mode": "linear_range", "min_ref": 2, "max_ref": 1}}]},
        r"fair_model.linear_range: .*must lie below max_ref",
    ),
    ({"version": 1, "markets": [{**ENTRY, "fair_model": {"mode": "constant", "p": 1.2}}]}, r"fair_model.constant.p"),
    (
        '{"version": 1, "markets": [{"name": "x", "polymarket": {"market_slug": "a"}, '
        '"fair_model": {"mode": "linear_range", "min_ref": NaN, "max_ref": 1}}]}',
        r"fair_model.linear_range.min_ref",
    ),
    ({"version": 1, "markets": [{**ENTRY, "kraken_futures": {"symbol": "PF", "ref_price_field": "vol"}}]}, "ref_price_field"),
    ('{"version": 1,\n "markets": [}', "line 2, column"),
    ("[" * 100_000, "map.json"),
    ('{"version": 1, "markets": [' + "9" * 5_000 + "]}", "map.json: Exceeds the limit"),
    ('{"version": 1, "markets": [], "markets": []}', "a key occurs twice"),
    ({"version": 1, "markets": [{**ENTRY, "hedge": {"notes": "\ud800"}}]}, r"markets\[0\].hedge.notes"),
)


@pytest.mark.parametrize(("body", "said"), MISTAKES)
def test_a_mistake_is_named_by_its_place(tmp_path: Path, body: object, said: str) -> None:
    """The JSON path, or line and column."""
    with pytest.raises(MapInvalid, match=said):
        load_market_map(_written(tmp_path, body))


@pytest.mark.parametrize("spelt", ["markPrice", "mark_price", "mark", "MARKPRICE"])
def test_a_price_field_is_read_as_people_spell_it(tmp_path: Path, spelt: str) -> None:
    """The venue's own spelling is kept."""
    markets = [{**ENTRY, "kraken_futures": {"symbol": "PF_XBTUSD", "ref_price_field": spelt}}]
    (entry,) = load_market_map(_written(tmp_path, {"version": 1, "markets": markets}))
    assert entry.kraken_futures is not None
    assert entry.kraken_futures.ref_price_field == "markPrice"


def test_a_missing_map_is_an_error_and_never_another_universe(tmp_path: Path) -> None:
    """Falling back silently would trade the wrong markets."""
    with pytest.raises(MapInvalid, match="cannot be read"):
        load_market_map(tmp_path / "none.json")


def test_yes_and_no_of_one_market_are_two_entries(tmp_path: Path) -> None:
    """Only the same token twice is a mistake."""
    markets = [{"name": "m", "polymarket": {"market_slug": "a", "outcome": outcome}} for outcome in ("Yes", "No")]
    assert len(load_market_map(_written(tmp_path, {"version": 1, "markets": markets}))) == 2


@pytest.mark.parametrize("name", ["market_slug", "market_url"])
def test_a_series_is_a_market_of_the_map(tmp_path: Path, name: str) -> None:
    """The entry trades whichever window is the current one; two spellings of a series are one."""
    markets = [{"name": "m", "polymarket": {name: ref}} for ref in ("btc-updown-5m-*", "polymarket.com/event/btc-updown-5m-..")]
    (entry,) = load_market_map(_written(tmp_path, {"version": 1, "markets": markets[:1]}))
    assert place(entry.polymarket.ref).window_s == 300
    with pytest.raises(MapInvalid, match="same token"):
        load_market_map(_written(tmp_path, {"version": 1, "markets": markets}))


@pytest.mark.parametrize(
    ("ref", "kind", "slug"),
    [
        ("btc-updown-5m-1776326400", "market", "btc-updown-5m-1776326400"),
        ("https://polymarket.com/event/e-slug/m-slug", "market", "m-slug"),
        ("https://polymarket.com/event/e-slug/m-slug?tid=17", "market", "m-slug"),
        ("https://www.polymarket.com/sv/event/e-slug", "event", "e-slug"),
        ("polymarket.com/market/m-slug/", "market", "m-slug"),
    ],
)
def test_slugs_and_addresses_name_their_place(ref: str, kind: str, slug: str) -> None:
    """Any Polymarket address will do."""
    found = place(ref)
    assert (found.kind, found.slug) == (kind, slug)
