"""Lies of Gamma (`g_`), in every market of an answer."""

import json
from collections.abc import Callable

from adapters.simulated_venues.spoiling import Asked, Fault, JsonObject, Spoil, loose_json
from adapters.simulated_venues.wire import Answer, Request

HOSTILE = "\u202e=cmd|' /C calc'!A0\x00\r\n<script>alert(1)</script>" + "\ud800" + "A" * 10_000
"""A name that turns its line around, begins a formula, ends it, runs a script, breaks UTF-8, and goes on for 10 kB."""


def is_gamma(venue: str, request: Request) -> bool:
    """Whether Gamma is asked."""
    return venue == "gamma"


def _markets(change: Callable[[JsonObject, Asked], object]) -> Fault:
    return Fault(applies=is_gamma, spoil=_in_markets(change))


def _in_markets(change: Callable[[JsonObject, Asked], object]) -> Spoil:
    """The spoiler of every market row, however deep it stands."""

    def made(value: object, asked: Asked) -> object:
        if isinstance(value, list):
            return [made(each, asked) for each in value]
        if not isinstance(value, dict):
            return value
        inner = {key: made(each, asked) for key, each in value.items()}
        return change(inner, asked) if "conditionId" in inner else inner

    return lambda true, asked: Answer(200, loose_json(made(true.body, asked)), true.headers) if true.status == 200 else true


def _with(**fields: object) -> Fault:
    return _markets(lambda row, asked: row | fields)


def _texts(row: JsonObject, name: str) -> list[object]:
    texts = json.loads(str(row[name]))
    return texts if isinstance(texts, list) else []


def _shorter(row: JsonObject, asked: Asked) -> JsonObject:
    return row | {"clobTokenIds": json.dumps(_texts(row, "clobTokenIds")[:1])}


def _same_tokens(row: JsonObject, asked: Asked) -> JsonObject:
    return row | {"clobTokenIds": json.dumps(_texts(row, "clobTokenIds")[:1] * 2)}


def _doubled(true: Answer, asked: Asked) -> Answer:
    """Every row twice; one object becomes a list of two."""
    rows = true.body if isinstance(true.body, list) else [true.body]
    return Answer(200, [row for row in rows for _ in range(2)], true.headers) if true.status == 200 else true


def _wrapped(true: Answer, asked: Asked) -> Answer:
    """A list where there was an object, and the first object where there was a list."""
    if isinstance(true.body, list):
        return Answer(true.status, true.body[0] if true.body else {}, true.headers)
    return Answer(true.status, [true.body], true.headers)


def _whole(spoil: Spoil, *, believable: bool = False) -> Fault:
    return Fault(applies=is_gamma, spoil=spoil, believable=believable)


GAMMA: dict[str, Fault] = {
    "g_shape": _whole(_wrapped, believable=True),
    "g_dup": _whole(_doubled),
    "g_unwrapped": _markets(lambda row, asked: row | {"clobTokenIds": _texts(row, "clobTokenIds")}),
    "g_lengths": _markets(_shorter),
    "g_same_tokens": _markets(_same_tokens),
    "g_broken": _markets(lambda row, asked: row | {"clobTokenIds": str(row["clobTokenIds"])[:-2]}),
    "g_null_slug": _with(slug=None),
    "g_slug": _with(slug="another-market"),
    "g_no_tokens": _with(clobTokenIds=""),
    "g_tokens": _with(clobTokenIds='["１２３", "-5"]'),
    "g_name": _with(question=HOSTILE, groupItemTitle=HOSTILE),
    "g_fee": _with(feesEnabled=True, feeSchedule={"rate": 7, "exponent": -1}),
    "g_closed": _with(closed=True, acceptingOrders=False, umaResolutionStatus="resolved", outcomePrices='["1", "0"]'),
}
"""By name, as in the catalogue of faults."""
