"""Lies of Kraken, spot (`k_`) and futures (`f_`)."""

from collections.abc import Callable

from adapters.simulated_venues import kraken_wire as kraken
from adapters.simulated_venues.spoiling import Asked, Fault, JsonObject, Spoil, remade
from adapters.simulated_venues.wire import Answer, Request, iso, padded

HOUR_MS = 3_600_000
SPIKES = (0.4, 0.7, 1.3, 1.9)
PRICES = ("a", "b", "c")


def is_spot_ticker(venue: str, request: Request) -> bool:
    """Whether Kraken Spot is asked for a price."""
    return venue == "kraken_spot" and request.path == "/0/public/Ticker"


def is_futures_ticker(venue: str, request: Request) -> bool:
    """Whether Kraken Futures is asked for its prices."""
    return venue == "kraken_futures" and request.path == "/derivatives/api/v3/tickers"


def _spot(spoil: Spoil) -> Fault:
    return Fault(applies=is_spot_ticker, spoil=spoil)


def _spot_says(error: str) -> Fault:
    return _spot(lambda true, asked: Answer(200, kraken.spot_error(error), true.headers))


def _tickers(change: Callable[[JsonObject, Asked], object]) -> Fault:
    """The fault in every ticker of the answer."""

    def remake(body: JsonObject, asked: Asked) -> JsonObject:
        result = body.get("result")
        rows = result if isinstance(result, dict) else {}
        return body | {"result": {pair: change(row, asked) for pair, row in rows.items()}}

    return _spot(remade(remake))


def _prices(value: object) -> Fault:
    """The fault that puts this in the place of every price."""
    return _tickers(lambda row, asked: row | {name: [value, *_rest(row[name])] for name in PRICES})


def _rest(field: object) -> list[object]:
    return field[1:] if isinstance(field, list) else []


def _fields(value: Callable[[object], object]) -> Fault:
    """The fault that makes something else of the fields which hold prices."""
    return _tickers(lambda row, asked: row | {name: value(row[name]) for name in PRICES})


def _first(field: object) -> object:
    return field[0] if isinstance(field, list) else field


def _spiked(row: JsonObject, asked: Asked) -> JsonObject:
    factor = asked.dice.choice(SPIKES)
    spiked = {name: [padded(float(str(_first(row[name]))) * factor, 5), *_rest(row[name])] for name in PRICES}
    return row | spiked


def _other_pair(body: JsonObject, asked: Asked) -> JsonObject:
    """The price of a pair that was not asked for, under its own name."""
    asked_for = kraken.pair_named(asked.request.query.get("pair", ""))
    other = "XETHZUSD" if asked_for != "ETHUSD" else "XXBTZUSD"
    result = body.get("result")
    rows = list(result.values()) if isinstance(result, dict) else []
    return body | {"result": dict(zip((other,), rows, strict=False))}


def _futures(change: Callable[[JsonObject, Asked], JsonObject]) -> Fault:
    return Fault(applies=is_futures_ticker, spoil=remade(change))


def _futures_rows(change: Callable[[JsonObject], object]) -> Fault:
    """The fault in every row; a row that becomes None is left out."""

    def remake(body: JsonObject, asked: Asked) -> JsonObject:
        tickers = body.get("tickers")
        rows = [change(row) for row in tickers] if isinstance(tickers, list) else []
        return body | {"tickers": [row for row in rows if row is not None]}

    return _futures(remake)


def _futures_with(**fields: object) -> Fault:
    return _futures_rows(lambda row: row | fields)


KRAKEN: dict[str, Fault] = {
    "k_error": _spot_says("EGeneral:Internal error"),
    "k_rate": _spot_says("EAPI:Rate limit exceeded"),
    "k_both": _spot(remade(lambda body, asked: body | {"error": ["EService:Busy"]})),
    "k_zero": _prices("0.00000"),
    "k_neg": _prices("-66163.29000"),
    "k_nan": _prices("NaN"),
    "k_comma": _prices("66163,29"),
    "k_junk": _prices("66_163.29"),
    "k_scalar": _fields(_first),
    "k_null": _fields(lambda field: None),
    "k_empty": _fields(lambda field: []),
    "k_no_result": _spot(remade(lambda body, asked: body | {"result": {}})),
    "k_wrong_pair": _spot(remade(_other_pair)),
    "k_spike": _tickers(_spiked),
    "f_error": _futures(lambda body, asked: kraken.futures_error("apiLimitExceeded", asked.now_ms)),
    "f_missing": _futures_rows(lambda row: None),
    "f_null": _futures_with(markPrice=None, indexPrice=None, last=None),
    "f_zero": _futures_with(markPrice=0, indexPrice=0, last=0),
    "f_text": _futures_with(markPrice="66163.29", indexPrice="66163.29", last="66163.29"),
    "f_suspended": _futures_with(suspended=True),
    "f_stale": _futures(lambda body, asked: body | {"serverTime": iso(asked.now_ms - HOUR_MS)}),
}
"""By name, as in the catalogue of faults."""
