"""The gate for single wire values: JSON text, numbers, times and names are taken as the venues write them or refused.

`float`, `Decimal` and `int` all read "1_000", Arabic digits and " 5 "; the patterns here do not.
"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

NAME_LENGTH = 200
FIRST_MS = 1_577_836_800_000  # 2020-01-01 UTC
LAST_MS = 4_102_444_800_000  # 2100-01-01 UTC
_LONGEST_NUMBER = 60
_MOST_DIGITS = 20
_SHARE_UNIT = Decimal("0.000001")
_MAGNITUDE = Decimal(10) ** 12
_FINEST = -40

_TEXT_8 = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?")
_TEXT_18 = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")
_TEXT_10 = re.compile(r"[0-9]{1,12}(\.[0-9]{1,10})?")
_MS_TEXT = re.compile(r"[0-9]{13}")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|\+00(?::?00)?)")


class Wire(BaseModel):
    """The shape of one wire object. Unknown keys are the venue's business; a refusal never quotes the input."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)


def strict_json(content: bytes) -> object:
    """`content` as JSON with exact decimals.

    ValueError for bad UTF-8, NaN, Infinity, duplicate keys, whole numbers of more than 20 digits and too deep nesting; a
    byte order mark is tolerated.
    """
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_constant=no_constant,
            parse_float=_exact,
            parse_int=_whole,
            object_pairs_hook=no_duplicates,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def no_constant(word: str) -> object:
    """For `json.loads`: NaN and the infinities are refused. Raises `ValueError`."""
    raise ValueError("NaN and Infinity are no JSON")


def _exact(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError("a number is too large") from None


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise ValueError("a whole number is too long")
    return int(text)


def no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """For `json.loads`: an object whose keys are all different. Raises `ValueError`."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _text_8(value: Any) -> Decimal:
    if not isinstance(value, str) or not _TEXT_8.fullmatch(value):
        raise ValueError("must be plain decimal text with at most 8 decimals")
    return Decimal(value)


def _size(value: Any) -> Decimal:
    if not isinstance(value, str) or not _TEXT_18.fullmatch(value):
        raise ValueError("must be plain decimal text")
    if not Decimal(value):
        raise ValueError("must not be zero")
    return Decimal(value).quantize(_SHARE_UNIT, rounding=ROUND_DOWN)


def _text_10(value: Any) -> Decimal:
    if not isinstance(value, str) or not _TEXT_10.fullmatch(value):
        raise ValueError("must be plain decimal text with at most 10 decimals")
    return Decimal(value)


def json_number(value: Any) -> Decimal:
    """A JSON number of 0 to 10^12 with at most 40 decimals: 1e-999999999 written out fills the memory. Else ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a JSON number")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not (isinstance(exponent, int) and exponent >= _FINEST and 0 <= number <= _MAGNITUDE):
        raise ValueError("must be between 0 and 10^12, with at most 40 decimals")
    return number


def _epoch_ms(value: Any) -> int:
    if not isinstance(value, str) or not _MS_TEXT.fullmatch(value):
        raise ValueError("must be milliseconds as text")
    at_ms = int(value)
    if not FIRST_MS <= at_ms <= LAST_MS:
        raise ValueError("must lie between 2020 and 2100")
    return at_ms


def iso_ms(value: Any) -> int:
    """UTC ms of an ISO time in UTC with 0 to 9 fraction digits ("...Z", "2026-09-15 18:00:00+00"); else ValueError."""
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be an ISO time in UTC")
    day, time, fraction = found.groups()
    whole_s = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp()
    return int(whole_s) * 1000 + int(f"{fraction or '':0<3}"[:3])


DecimalText = Annotated[Decimal, BeforeValidator(_text_8)]
"""Polymarket's prices: text, at most 8 decimals."""

SizeText = Annotated[Decimal, BeforeValidator(_size)]
"""Polymarket's sizes: text, not zero, cut to the six decimals of a share (dust becomes 0). Recorded ones carry noise."""

KrakenText = Annotated[Decimal, BeforeValidator(_text_10)]
"""Kraken Spot's prices: text, at most 10 decimals."""

JsonNumber = Annotated[Decimal, BeforeValidator(json_number)]
"""Where a venue sends a number: 0 to 10^12, never text, never a bool."""

EpochMs = Annotated[int, BeforeValidator(_epoch_ms)]
"""Milliseconds since the epoch as text, 2020 to 2100."""

IsoMs = Annotated[int, BeforeValidator(iso_ms)]
"""An ISO time in UTC, as milliseconds since the epoch."""


def clean_name(text: str) -> str:
    """`text` without control, format and surrogate characters, cut at 200: fit for a file and for a screen."""
    kept = (letter for letter in text[:10_000] if unicodedata.category(letter)[0] != "C")
    return "".join(kept).strip()[:NAME_LENGTH]
