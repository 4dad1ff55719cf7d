"""Cells, lines and thinning: what a number, a name and a series look like in the portal's files."""

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.portal.cells import cell, csv_line, iso, json_bytes, label, number
from adapters.portal.schema import EQUITY, EquityRow, Log, OutputFile
from adapters.portal.tables import Lines, ThinnedTable
from adapters.portal.thinning import thinned
from domain.market import Moment, Side

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]*[1-9])?")
FORMULA_SIGNS = "=+-@\t\r"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_money_is_written_exactly_and_plainly(amount: Decimal) -> None:
    """A Decimal survives the file to the last digit, without exponent and without idle zeros."""
    assert PLAIN.fullmatch(number(amount))
    assert Decimal(number(amount)) == amount


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(-0.0)
@example(1e-9)
@example(1e-8)
@example(0.1 + 0.2)
@example(1e300)
def test_estimates_are_plain_and_close(estimate: float) -> None:
    """A float is written with at most eight decimals, without exponent, minus zero or noise."""
    text = number(estimate)
    assert PLAIN.fullmatch(text)
    assert text != "-0"
    assert len(text.partition(".")[2]) <= 8
    assert math.isclose(float(text), estimate, rel_tol=1e-15, abs_tol=0.51e-8)


def test_float_noise_does_not_reach_a_file() -> None:
    """What is 0.3 to a person is 0.3 in the file, for large prices too."""
    assert [number(value) for value in (0.1 + 0.2, 1_000_000_000_000.1, 67_000.0, 1.5e-7)] == [
        "0.3",
        "1000000000000.1",
        "67000",
        "0.00000015",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN"), None])
def test_what_is_no_number_is_an_empty_cell(value: float | Decimal | None) -> None:
    """NaN and infinity never reach a file: empty in CSV, null in JSON."""
    assert cell(value) == ""
    assert json.loads(json_bytes({"x": value})) == {"x": None}


def test_times_are_utc_with_milliseconds() -> None:
    """The format that the contract shows."""
    assert iso(1_772_411_962_119) == "2026-03-02T00:39:22.119+00:00"
    assert iso(1_772_411_962_000) == "2026-03-02T00:39:22.000+00:00"


HOSTILE = {
    '=HYPERLINK("http://x")': '\'=HYPERLINK("http://x")',
    "+1+2": "'+1+2",
    "-2+3": "'-2+3",
    "-0.25": "-0.25",
    "+1e3": "+1e3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'=1",
    "\r=1": "'=1",
    "  =1": "'=1",
    "\u200b=1": "'=1",
    "two\nlines": "twolines",
    "abc\u202edcb": "abcdcb",
    "half \ud83d pair": "half  pair",
    "nul\0l": "null",
    "Will it rise?": "Will it rise?",
    "Över 67 000 €": "Över 67 000 €",
    "": "",
}


@pytest.mark.parametrize(("name", "shown"), HOSTILE.items(), ids=range(len(HOSTILE)))
def test_a_hostile_name_is_only_text(name: str, shown: str) -> None:
    """Formulas are quoted, what cannot be seen is gone, and numbers stay numbers."""
    assert label(name) == shown


@given(st.text(alphabet=st.characters(), max_size=400) | st.text(alphabet="=+-@\t\r\n\",; '\ud83d\u202ea1", max_size=60))
def test_no_text_becomes_a_formula_or_breaks_a_row(name: str) -> None:
    """Whatever a venue calls a market: one cell, 200 characters, UTF-8, no formula."""
    line = csv_line([name, "next"]).decode()
    assert line.count("\n") == 1
    rows = list(csv.reader(io.StringIO(line, newline="")))
    assert len(rows) == 1
    shown, after = rows[0]
    assert after == "next"
    assert len(shown) <= 201
    assert shown[:1] not in set(FORMULA_SIGNS) or math.isfinite(float(shown))
    json.loads(json_bytes({name: name}))


def test_a_very_long_name_is_cut() -> None:
    """Ten kilobytes of name do not make a file of names."""
    assert label("x" * 10_000) == "x" * 200


def test_an_enum_is_written_as_its_word() -> None:
    """Enum members are text."""
    assert csv_line([Side.BUY, True, 7]) == b"BUY,1,7\n"


def test_json_is_plain_decimals_of_every_kind() -> None:
    """Numbers are numbers, to the last digit of the ledger, and the nesting survives."""
    text = json_bytes({"a": Decimal("1000.000000"), "b": [0.1 + 0.2, 1e-7, True, None], "c": {}, "d": [], "e": "å\n"}).decode()
    assert json.loads(text) == {"a": 1000, "b": [0.3, 1e-7, True, None], "c": {}, "d": [], "e": "å"}
    assert '"a": 1000,' in text
    assert "e-" not in text.lower()


def test_json_refuses_what_it_cannot_say() -> None:
    """An object of ours in a document is a defect, not a string."""
    with pytest.raises(TypeError, match="Moment has no place"):
        json_bytes({"moment": Moment(at_ms=0, elapsed_ms=0)})


@dataclass(frozen=True)
class Tick:
    """A point of a series."""

    sequence: int


def built_tick_by_tick(first: int, last: int, kept: int) -> list[int]:
    """The sequence numbers that the table keeps, with the number hidden in the row's time."""
    table = ThinnedTable(OutputFile(name="series.csv", kind=EQUITY.kind, row=EquityRow, kept=kept, log=Log.THINNED))
    zero = Decimal(0)
    for sequence in range(first, last + 1):
        row = EquityRow(Moment(at_ms=sequence, elapsed_ms=0), zero, zero, zero, zero, 0)
        table.add(Lines.of([row], sequence=sequence, at_ms=sequence))
    seconds = [line.decode().split(",")[0] for line in table.lines]
    return [round(float(text[17:23]) * 1000) for text in seconds]


@given(st.integers(1, 300), st.integers(0, 400), st.integers(2, 40))
def test_a_series_thins_the_same_way_tick_by_tick_and_at_once(first: int, length: int, kept: int) -> None:
    """The law of thinning: every 2^k-th tick, the first and the last, k as small as the limit allows."""
    last = first + length
    whole = [Tick(sequence) for sequence in range(first, last + 1)]
    at_once = [point.sequence for point in thinned(whole, kept)]
    assert at_once == built_tick_by_tick(first, last, kept)
    assert len(at_once) <= kept
    assert (at_once[0], at_once[-1]) == (first, last)
    inner = [sequence for sequence in range(first + 1, last) if sequence in at_once]
    step = min((sequence & -sequence for sequence in inner), default=0)
    assert not step or inner == [sequence for sequence in range(first + 1, last) if sequence % step == 0]


@given(st.integers(0, 200), st.integers(1, 200), st.integers(2, 20))
def test_a_thinned_series_goes_on_as_if_it_had_been_whole(before: int, after: int, kept: int) -> None:
    """Thinning what was thinned, and more ticks, gives what thinning everything gives."""
    past = thinned([Tick(sequence) for sequence in range(1, before + 1)], kept)
    more = [Tick(sequence) for sequence in range(before + 1, before + after + 1)]
    whole = [Tick(sequence) for sequence in range(1, before + after + 1)]
    assert thinned([*past, *more], kept) == thinned(whole, kept)


def test_nothing_thins_to_nothing() -> None:
    """A ledger without ticks has an empty curve, and a series of fewer than two points cannot hold its ends."""
    assert thinned([], 10) == ()
    with pytest.raises(ValueError, match="at least 2"):
        thinned([Tick(1)], 1)
