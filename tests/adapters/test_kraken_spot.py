"""Kraken Spot: the price is that of the asked pair, or there is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import Body
from adapters.kraken_spot import answer_keys, asset_names, pair_asked, parse_price
from domain.market import Moment, Reference
from domain.ports import Unavailable
from tests.adapters.record_cassettes import NOW_MS, StoppedClock, replayed

TICKER: dict[str, object] = {"a": ["101.00000", "1", "1.000"], "b": ["99.00000", "1", "1.000"], "c": ["90.0000000001", "0.1"]}


def answer(result: object, error: object = ()) -> Body:
    """An answer with this result."""
    errors = list(error) if isinstance(error, tuple) else error
    return Body(json={"error": errors, "result": result}, status=200, requested=Moment(at_ms=NOW_MS, elapsed_ms=0))


def ticker(**changes: object) -> Body:
    """An answer for XBTUSD with some fields replaced."""
    return answer({"XXBTZUSD": TICKER | changes})


def test_a_reference_is_the_mid_of_the_asked_pair() -> None:
    """From the cassette: BTC/USD is asked as XBTUSD and answered as XXBTZUSD."""
    assert replayed("spot_reference") == Reference(price=60000.43, requested=StoppedClock().now())


def test_an_unknown_pair_is_named_so() -> None:
    """From the cassette: the error comes with HTTP 200."""
    with pytest.raises(Unavailable, match="unknown_pair"):
        replayed("spot_unknown_pair")


@pytest.mark.parametrize(
    ("symbol", "pair", "old_name"),
    [
        ("XBTUSD", "XBTUSD", "XXBTZUSD"),
        ("btc/usd", "XBTUSD", "XXBTZUSD"),
        ("BTCUSD", "XBTUSD", "XXBTZUSD"),
        ("XBTEUR", "XBTEUR", "XXBTZEUR"),
        ("ETHUSD", "ETHUSD", "XETHZUSD"),
        ("ETH/BTC", "ETHXBT", "XETHXXBT"),
        ("USDTUSD", "USDTUSD", "USDTZUSD"),
        ("EURUSD", "EURUSD", "ZEURZUSD"),
    ],
)
def test_pairs_are_known_by_their_old_names_too(symbol: str, pair: str, old_name: str) -> None:
    """Legacy crypto has an X, legacy fiat a Z."""
    assert pair_asked(symbol) == pair
    assert answer_keys(pair) == {pair, old_name}


def test_newer_pairs_have_one_name_and_commas_ask_for_nothing() -> None:
    """SOLUSD has no old name; two pairs in one are refused before they are asked."""
    assert answer_keys("SOLUSD") == {"SOLUSD"}
    for symbol in ("XBTUSD,ETHUSD", "", "../x"):
        with pytest.raises(Unavailable, match="unknown_pair"):
            pair_asked(symbol)


@pytest.mark.parametrize("result", [{"XETHZUSD": TICKER}, {"XXBTZUSD": TICKER, "XETHZUSD": TICKER}, {}, None])
def test_another_pairs_price_is_never_taken(result: object) -> None:
    """The first key of a result is not the asked one."""
    with pytest.raises(Unavailable, match="wrong_pair"):
        parse_price(answer(result), "XBTUSD")


@pytest.mark.parametrize("changes", [{"a": None}, {"b": None}, {"b": ["101.0"]}, {"b": ["200"]}], ids=str)
def test_the_last_trade_stands_in_for_a_missing_or_crossed_quote(changes: dict[str, object]) -> None:
    """Ten decimals are Kraken's right."""
    assert parse_price(ticker(), "XBTUSD") == 100.0
    assert parse_price(ticker(**changes), "XBTUSD") == 90.0000000001


@pytest.mark.parametrize("number", ["0", "0.00000", "-1", "NaN", "1,5", "1e400", "", None, True, 101.0, "1_0", "1.12345678901"])
def test_a_quote_that_is_no_price_is_not_passed_over(number: object) -> None:
    """A broken field makes the whole answer doubtful, even beside a good last trade."""
    with pytest.raises(Unavailable, match="invalid_body"):
        parse_price(ticker(a=[number, "1", "1"]), "XBTUSD")


@pytest.mark.parametrize("field", ["101", [], {"0": "101"}, 101])
def test_a_field_of_another_shape_is_refused(field: object) -> None:
    """A scalar is no list."""
    with pytest.raises(Unavailable, match="invalid_body"):
        parse_price(ticker(a=field), "XBTUSD")


def test_a_ticker_without_any_price_is_refused() -> None:
    """Neither quote nor trade."""
    with pytest.raises(Unavailable, match="invalid_body"):
        parse_price(answer({"XBTUSD": {}}), "XBTUSD")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("EQuery:Unknown asset pair", "unknown_pair"),
        ("EGeneral:Too many requests", "rate_limited"),
        ("EService: Throttled: [1790000000]", "throttled"),
        ("EService:Busy", "busy"),
        ("EService:Unavailable", "unavailable"),
        ("EGeneral:Internal error:42", "unavailable"),
        ("EService:Market in cancel_only mode", "market_paused"),
        ("EGeneral:Something new", "venue_error"),
    ],
)
def test_an_error_is_fatal_even_beside_a_result(error: str, kind: str) -> None:
    """Kraken sends errors with HTTP 200, and once in a while with a result."""
    with pytest.raises(Unavailable) as caught:
        parse_price(answer({"XXBTZUSD": TICKER}, ("WGeneral:Careful", error)), "XBTUSD")
    assert caught.value.kind == kind


def test_a_warning_is_none() -> None:
    """W comes with a result that counts."""
    assert parse_price(answer({"XXBTZUSD": TICKER}, ("WGeneral:Careful",)), "XBTUSD") == 100.0


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3)))
def test_arbitrary_json_is_unavailable(junk: Any) -> None:
    """Nothing else ever leaves the parser."""
    now = Moment(at_ms=NOW_MS, elapsed_ms=0)
    for body in (Body(json=junk, status=200, requested=now), answer({"XBTUSD": junk}), answer(junk), ticker(a=[junk])):
        try:
            assert parse_price(body, "XBTUSD") > 0
        except Unavailable as refused:
            assert refused.source == "kraken_spot"  # noqa: PT017  most junk is refused, some digits are a price


@pytest.mark.parametrize(
    ("pair", "names"),
    [("XBTUSD", ("bitcoin", "btc")), ("BTC/USD", ("bitcoin", "btc")), ("DOGEUSD", ("dogecoin", "doge")), ("TAOUSD", ("tao",))],
)
def test_an_asset_is_called_what_titles_call_it(pair: str, names: tuple[str, ...]) -> None:
    """A market that is found by search must speak of what leads it."""
    assert asset_names(pair) == names
