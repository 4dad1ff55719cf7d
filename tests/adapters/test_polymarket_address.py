"""What people write to name a market: read to one place, or refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.polymarket_address import Place, is_slug, place

MATCH = "epl-bre-che-2026-09-18"


@pytest.mark.parametrize(
    ("ref", "kind", "slug"),
    [
        ("btc-updown-5m-1776326400", "market", "btc-updown-5m-1776326400"),
        ("  Will-It \n", "market", "will-it"),
        ("will-it?tid=17", "market", "will-it"),
        ("https://polymarket.com/event/e/m", "market", "m"),
        ("https://polymarket.com/event/e/m?tid=17&x=/a/b#comments", "market", "m"),
        ("https://polymarket.com/event/e#rules", "event", "e"),
        ("https://www.polymarket.com/sv/event/e", "event", "e"),
        ("https://polymarket.com/sv/event/e/m/", "market", "m"),
        ("HTTPS://Polymarket.COM/Event/E", "event", "e"),
        ("http://polymarket.com:443/event/e", "event", "e"),
        ("polymarket.com/market/m/", "market", "m"),
        ("//polymarket.com/event/e", "event", "e"),
        ("www.polymarket.com/zh-hans/market/m", "market", "m"),
        (f"https://polymarket.com/sports/epl/{MATCH}", "event", MATCH),
        (f"https://polymarket.com/sports/soccer/games/week/5/{MATCH}?x=1", "event", MATCH),
        (f"polymarket.com/de/esports/cs2/{MATCH}", "event", MATCH),
        ("https://polymarket.com/event/btc-updown-5m-1776326400", "event", "btc-updown-5m-1776326400"),
        ("https://polymarket.com/event/a%2Db", "event", "a-b"),
    ],
)
def test_a_slug_or_an_address_names_its_place(ref: str, kind: str, slug: str) -> None:
    """Locale, query, fragment, capitals and a missing scheme change nothing."""
    found = place(ref)
    assert (found.kind, found.slug, found.window_s) == (kind, slug, 0)


@pytest.mark.parametrize(
    ("ref", "slug", "window_s"),
    [
        ("btc-updown-5m-*", "btc-updown-5m-", 300),
        ("btc-updown-5m-..", "btc-updown-5m-", 300),
        ("btc-updown-5m-...", "btc-updown-5m-", 300),
        ("eth-updown-15m-{start}", "eth-updown-15m-", 900),
        ("BTC-updown-1h-{unix start}", "btc-updown-1h-", 3_600),
        ("sol-updown-4h-*", "sol-updown-4h-", 14_400),
        ("https://polymarket.com/event/btc-updown-5m-*", "btc-updown-5m-", 300),
        ("polymarket.com/event/btc-updown-5m-{start}/btc-updown-5m-{start}", "btc-updown-5m-", 300),
    ],
)
def test_a_pattern_names_a_series(ref: str, slug: str, window_s: int) -> None:
    """The length of a window stands in its slug."""
    assert place(ref) == Place(kind="series", slug=slug, window_s=window_s)


@pytest.mark.parametrize(
    ("at_s", "start_s"), [(1_776_326_400, 1_776_326_400), (1_776_326_699.999, 1_776_326_400), (1_776_326_700, 1_776_326_700)]
)
def test_a_series_is_the_market_of_the_current_window(at_s: float, start_s: int) -> None:
    """A window begins with its first instant and ends before the next one's."""
    assert place("btc-updown-5m-*").at(round(at_s * 1000)) == Place(kind="market", slug=f"btc-updown-5m-{start_s}")


def test_anything_but_a_series_stays_where_it_is() -> None:
    """Whatever the time."""
    for found in (place("will-it"), place("polymarket.com/event/e")):
        assert found.at(1_776_326_400_000) is found


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("", "is not a slug"),
        ("..", "is not a slug"),
        ("a b", "is not a slug"),
        ("will-*", "is not a slug"),
        ("btc-updown-0m-*", "is not a slug"),
        ("1234567890", "is a token id"),
        ("polymarket.com/event/1234567890", "is a token id"),
        ("polymarket.com/event/..", "is not a slug"),
        ("polymarket.com/event/a%2f..%2fb", "is not a slug"),
        ("https://evil.example/event/a", "not a Polymarket address"),
        ("https://polymarket.com@evil.example/event/a", "not a Polymarket address"),
        ("https://polymarket.com.evil.example/event/a", "not a Polymarket address"),
        ("javascript://polymarket.com/event/a", "not a Polymarket address"),
        ("/event/a", "not a Polymarket address"),
        ("https://polymarket.com/", "neither a market nor an event"),
        ("https://polymarket.com/event", "neither a market nor an event"),
        ("https://polymarket.com/event/a/b/c", "neither a market nor an event"),
        ("https://polymarket.com/sports/epl", "neither a market nor an event"),
        ("https://polymarket.com/profile/a-b", "neither a market nor an event"),
    ],
)
def test_what_names_nothing_is_refused_in_words(ref: str, said: str) -> None:
    """Never a guess."""
    with pytest.raises(ValueError, match=said):
        place(ref)


@given(st.text() | st.text(alphabet="htps:/w.polymarketcom/evn*[]{}?#%-0159").map(lambda tail: f"polymarket.com/{tail}"))
def test_any_text_is_a_place_or_a_value_error(text: str) -> None:
    """And what is a place goes into a path as it is."""
    try:
        found = place(text)
    except ValueError:
        return
    assert is_slug(found.at(1_776_326_400_000).slug)
