"""How one value looks in a file: plain decimals, UTC times and harmless text, whatever it was before."""

import csv
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from domain.market import Moment

Cell = str | int | float | Decimal | Moment | None

DECIMALS = 8
TEXT_LENGTH = 200
JSON_TEXT_LENGTH = 2000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (those that turn the direction of text among them), lone surrogates, line separators."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@lru_cache(maxsize=256)
def iso(at_ms: int) -> str:
    """A UTC time with milliseconds: `2026-03-02T00:39:22.119+00:00`."""
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")


def number(value: float | Decimal) -> str:
    """A plain decimal: a Decimal exactly, a float to eight decimals; empty when it is no finite number."""
    if isinstance(value, Decimal):
        return _stripped(f"{value:f}") if value.is_finite() else ""
    if isinstance(value, int):
        return str(int(value))
    if not math.isfinite(value):
        return ""
    shortest = repr(round(value, DECIMALS))
    return _stripped(f"{Decimal(shortest):f}" if "e" in shortest else shortest)


def _stripped(digits: str) -> str:
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def visible(text: str, length: int = TEXT_LENGTH) -> str:
    """The text without what cannot be seen, cut to `length` characters."""
    text = text[: 4 * length]
    if not text.isprintable():
        text = "".join(sign for sign in text if unicodedata.category(sign) not in INVISIBLE)
    return text.strip()[:length]


def label(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    seen = visible(text)
    return f"'{seen}" if seen[:1] in ("=", "+", "-", "@") and seen and not NUMBER.fullmatch(seen) else seen


def cell(value: Cell) -> str:
    """Any value as the text of a cell; None is empty."""
    if isinstance(value, str):
        return label(value)
    if value is None:
        return ""
    if isinstance(value, Moment):
        return iso(value.at_ms)
    return number(value)


class _Line:
    """A target that hands a line of CSV back instead of writing it: `writerow` returns what `write` returns."""

    def write(self, text: str) -> str:
        return text


_WRITER = csv.writer(_Line(), lineterminator="\n")


def csv_line(values: Iterable[Cell]) -> bytes:
    """One row of a CSV file, quoted where RFC 4180 asks for it."""
    line: str = _WRITER.writerow([cell(value) for value in values])
    return line.encode()


def json_bytes(value: object) -> bytes:
    """A JSON file: numbers as plain decimals, no NaN (null instead), ready to be read by people."""
    return f"{_json(value, chr(10))}\n".encode()


def _json(value: object, line: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(visible(value, JSON_TEXT_LENGTH), ensure_ascii=False)
        case int() | float() | Decimal():
            return number(value) or "null"
        case Mapping():
            inner = f"{line} "
            return _block("{}", [f"{_json(str(key), inner)}: {_json(item, inner)}" for key, item in value.items()], line)
        case Sequence():
            return _block("[]", [_json(item, f"{line} ") for item in value], line)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a JSON file")


def _block(brackets: str, items: Sequence[str], line: str) -> str:
    if not items:
        return brackets
    return f"{brackets[0]}{line} {f',{line} '.join(items)}{line}{brackets[1]}"
