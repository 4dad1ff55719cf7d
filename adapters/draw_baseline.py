"""The draw baseline: how probable a draw is, match by match, from a CSV or JSON file that people write.

A match is named by a market's slug, its event's slug, or a Polymarket URL of either. Every mistake is named by its place, the
first of each row, all at once.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from adapters.market_map import place

NUMBERS = {
    "draw_prob": "must lie between 0 and 1 (odds belong under draw_odds)",
    "draw_odds": "must be greater than 1",
    "odds": "must be greater than 1",
}
"""Where the number of a row may stand, and what it must be. The first that is there wins."""

KNOWN = {"slug", *NUMBERS}
BEYOND = "beyond the header"
"""The name of a cell without a column. No column has it: blanks in their names are read as underscores."""

_PLAIN = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,18})?")
_WITH_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_ONE = Decimal(1)

Pairs = tuple[tuple[str, object], ...]


class BaselineInvalid(Exception):
    """The draw baseline cannot be used; the text says where and why, one mistake a line."""


class Row(NamedTuple):
    """One match as the file has it: where, and its names and values."""

    where: str
    pairs: Pairs


def load_draw_baseline(path: Path | None) -> Mapping[str, float]:
    """The probability of a draw, inside (0, 1), by lower-case slug; empty without a file. Raises `BaselineInvalid`.

    A file without a single row is a mistake: it would trade the general baseline unnoticed.
    """
    if path is None:
        return {}
    found: dict[str, tuple[float, str]] = {}
    mistakes: list[str] = []
    for row in _rows(path):
        try:
            slug, probability = _match(row.pairs)
            earlier, where = found.setdefault(slug, (probability, row.where))
            if earlier != probability:
                raise ValueError(f"{slug} has another value at {where}")
        except ValueError as error:
            mistakes.append(f"{path}: {row.where}: {error}")
    if mistakes or not found:
        raise BaselineInvalid("\n".join(mistakes) or f"{path}: holds no baseline")
    return {slug: probability for slug, (probability, _) in found.items()}


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a file: JSON when it is called so or begins so, else CSV. Raises `BaselineInvalid` when it is neither."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise BaselineInvalid(f"{path}: cannot be read ({error})") from error
    start = text.lstrip()[:1]
    if not start:
        raise BaselineInvalid(f"{path}: is empty")
    try:
        yield from _json_rows(text) if path.suffix.lower() == ".json" or start in "{[" else _csv_rows(text)
    except json.JSONDecodeError as error:
        raise BaselineInvalid(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError:
        raise BaselineInvalid(f"{path}: is nested too deeply") from None
    except ValueError as error:
        raise BaselineInvalid(f"{path}: {error}") from error


def _csv_rows(text: str) -> Iterator[Row]:
    """The rows below the header. Raises `ValueError`."""
    lines = _csv_lines(text)
    line, cells = next(lines, (1, []))
    header = [_name(cell) for cell in cells]
    for needed in (("slug",), tuple(NUMBERS)):
        if not set(needed) & set(header):
            raise ValueError(f"line {line}: needs a column {' or '.join(needed)}, and has {', '.join(header)!r}")
    for line, cells in lines:
        names = header + [BEYOND] * (len(cells) - len(header))
        yield Row(f"line {line}", tuple(zip(names, cells, strict=False)))


def _csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number. Raises `ValueError` for quotes that do not close."""
    header = text.lstrip().splitlines()[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: {error}") from error


def _json_rows(text: str) -> Iterator[Row]:
    """The rows of an object by slug, of a list, or of the list `items`. Numbers stay the texts that they are, NaN included.

    Raises `ValueError` (for syntax its `JSONDecodeError`) and `RecursionError`.
    """
    parsed = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=tuple)
    if isinstance(parsed, list):
        yield from _listed_rows("", parsed)
    elif not isinstance(parsed, tuple):
        raise ValueError("must be an object or a list")
    elif isinstance(items := dict(parsed).get("items"), list):
        yield from _listed_rows("items", items)
    else:
        for slug, value in parsed:
            yield Row(f"[{json.dumps(slug)}]", (("slug", slug), *_pairs(value)))


def _listed_rows(name: str, items: list[object]) -> Iterator[Row]:
    for index, item in enumerate(items):
        yield Row(f"{name}[{index}]", _pairs(item))


def _pairs(value: object) -> Pairs:
    """An object's names and values; a bare value is a probability."""
    return tuple((_name(name), item) for name, item in value) if isinstance(value, tuple) else (("draw_prob", value),)


def _name(text: str) -> str:
    """A column's name however it is written: `Draw Prob` is `draw_prob`."""
    return "_".join(text.lower().split())


def _match(pairs: Pairs) -> tuple[str, float]:
    """Slug and probability of one row. Raises `ValueError`."""
    fields = _fields(pairs)
    if "slug" not in fields:
        raise ValueError("has no slug")
    slug = place(fields["slug"].lower()).slug
    name = next((name for name in NUMBERS if name in fields), None)
    if name is None:
        raise ValueError(f"has no number: give {' or '.join(NUMBERS)}")
    number = _number(name, fields[name])
    probability = float(number if name == "draw_prob" else 1 / max(number, _ONE))
    if not 0 < probability < 1:
        raise ValueError(f"{name} {NUMBERS[name]}, not {fields[name]}")
    return slug, probability


def _fields(pairs: Pairs) -> dict[str, str]:
    """What a row says by the names that count; blank and null values are absent. Raises `ValueError`."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        text = value.strip() if isinstance(value, str) else value
        if text is None or text == "":
            continue
        if name == BEYOND:
            raise ValueError(f"{text!r} is a cell without a column (a decimal comma? write 0.28)")
        if name in KNOWN:
            if not isinstance(text, str):
                raise ValueError(f"{name} must be a text or a number")
            if fields.setdefault(name, text) != text:
                raise ValueError(f"{name} occurs twice with different values")
    return fields


def _number(name: str, text: str) -> Decimal:
    if _WITH_COMMA.fullmatch(text):
        raise ValueError(f"{name} {text!r} has a decimal comma: write {text.replace(',', '.')}")
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{name} must be a plain decimal number such as 0.28, not {text!r}")
    return Decimal(text)
