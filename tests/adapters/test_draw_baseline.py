"""The draw baseline: read, or refused with the place of every mistake."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.draw_baseline import BaselineInvalid, load_draw_baseline

URL = "https://polymarket.com/event/epl-bre-che-2026-09-18"


def _read(folder: Path, content: str | bytes, name: str = "baseline.csv") -> dict[str, float]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return dict(load_draw_baseline(path))


def _mistakes(folder: Path, content: str | bytes, name: str = "baseline.csv") -> list[str]:
    """What the refusal says, line by line, without the path that each line begins with."""
    with pytest.raises(BaselineInvalid) as refused:
        _read(folder, content, name)
    lines = str(refused.value).split("\n")
    assert all(line.startswith(f"{folder / name}: ") for line in lines)
    return [line.removeprefix(f"{folder / name}: ") for line in lines]


def test_without_a_file_there_is_no_baseline() -> None:
    """The general one holds for every match then."""
    assert load_draw_baseline(None) == {}


GOOD_CSV = (
    ("slug,draw_prob\nepl-a-b-draw,0.28\n", {"epl-a-b-draw": 0.28}),
    ("slug,draw_odds\nepl-a-b-draw,4.00\n", {"epl-a-b-draw": 0.25}),
    ("slug,odds\nepl-a-b-draw,3.2", {"epl-a-b-draw": 0.3125}),
    ("slug;odds\nepl-a-b-draw;3.2\n", {"epl-a-b-draw": 0.3125}),
    ('"slug";"draw_prob"\r\n"epl-a-b";"0.28"\r\n', {"epl-a-b": 0.28}),
    ("\ufeffSLUG , Draw Prob\r\n EPL-A-B , 0.28 \r\n", {"epl-a-b": 0.28}),
    ('slug, draw_prob\nepl-a-b, "0.28"\n', {"epl-a-b": 0.28}),
    ("slug,odds,draw_prob\na,2,0.28\nb,4,\n", {"a": 0.28, "b": 0.25}),
    ("slug,odds,draw_odds\na,2,4\nb,2,\n", {"a": 0.25, "b": 0.5}),
    ("slug,odds,draw_prob\na,none,0.28\n", {"a": 0.28}),
    ('league,slug,draw_prob,note\nEPL,a,0.28,"good, cheap"\nEPL,b,0.3\n', {"a": 0.28, "b": 0.3}),
    ("\n\nslug,draw_prob\n\na,0.28\n,,\n  \nb,0.3\n", {"a": 0.28, "b": 0.3}),
    ("slug,draw_prob,\na,0.28,,\n", {"a": 0.28}),
    ("slug,draw_prob\na,0.28\nA,0.280\na,0.28\n", {"a": 0.28}),
    ("slug,draw_prob,odds\na,0.25,\na,,4\n", {"a": 0.25}),
    (
        f"slug,draw_prob\n{URL},0.28\n{URL}/epl-bre-che-2026-09-18-draw?tid=1,0.3\npolymarket.com/market/m/,0.31\n",
        {"epl-bre-che-2026-09-18": 0.28, "epl-bre-che-2026-09-18-draw": 0.3, "m": 0.31},
    ),
)


@pytest.mark.parametrize(("content", "baseline"), GOOD_CSV)
def test_a_csv_file_is_read(tmp_path: Path, content: str, baseline: dict[str, float]) -> None:
    """With either separator, quotes, any line end, a byte order mark, columns of any case and order."""
    assert _read(tmp_path, content) == baseline


GOOD_JSON = (
    ({"a": 0.28, "B": "0.3"}, {"a": 0.28, "b": 0.3}),
    (
        {"a": {"draw_odds": 4}, "b": {"odds": 5.0, "draw_prob": None}, "c": {"odds": 5, "draw_prob": 0.3, "league": []}},
        {"a": 0.25, "b": 0.2, "c": 0.3},
    ),
    ({URL: 0.28}, {"epl-bre-che-2026-09-18": 0.28}),
    ([{"slug": "a", "draw_prob": 0.28}, {"Slug": "b", "Draw Odds": "4.00"}], {"a": 0.28, "b": 0.25}),
    ({"generated": "today", "items": [{"slug": "a", "odds": 4}]}, {"a": 0.25}),
    ({"items": 0.28}, {"items": 0.28}),
    ({"a": {"slug": "a", "draw_prob": 0.28}}, {"a": 0.28}),
)


@pytest.mark.parametrize("name", ["baseline.json", "baseline.JSON", "baseline", "baseline.csv"])
@pytest.mark.parametrize(("body", "baseline"), GOOD_JSON)
def test_a_json_file_is_read(tmp_path: Path, name: str, body: object, baseline: dict[str, float]) -> None:
    """By slug, as a list, as items; whatever the file is called."""
    assert _read(tmp_path, f"\ufeff \n{json.dumps(body, indent=1)}", name) == baseline


def test_the_same_slug_twice_in_an_object_is_a_mistake_only_with_another_value(tmp_path: Path) -> None:
    """JSON by itself would keep the last one."""
    assert _read(tmp_path, '{"a": 0.28, "a": 0.280, "b": 0.3}') == {"a": 0.28, "b": 0.3}
    assert _mistakes(tmp_path, '{"a": 0.28, "a": 0.3}') == ['["a"]: a has another value at ["a"]']


RANGE = "draw_prob must lie between 0 and 1 (odds belong under draw_odds), not"
NOT_PLAIN = "draw_prob must be a plain decimal number such as 0.28, not"
NO_NUMBER = "has no number: give draw_prob or draw_odds or odds"
NO_NUMBERS = ("28%", "1e-1", ".28", "0_1", "nan", "٠.٢٨", "0.2 8", "5/2", "inf")

BAD_CSV = (
    ("", ["is empty"]),
    ("\ufeff \r\n\n", ["is empty"]),
    ("slug,draw_prob\n", ["holds no baseline"]),
    (";;\n", ["line 1: needs a column slug, and has ''"]),
    ("epl-a-b-draw,0.28\n", ["line 1: needs a column slug, and has 'epl-a-b-draw, 0.28'"]),
    ("\nslug,p\na,0.28\n", ["line 2: needs a column draw_prob or draw_odds or odds, and has 'slug, p'"]),
    ("slug|odds\na|3\n", ["line 1: needs a column slug, and has 'slug|odds'"]),
    ('slug,draw_prob\na,0.28\n"b,0.3\n', ["line 3: unexpected end of data"]),
    ('slug,draw_prob\na,"0.28"x\n', ["line 2: ',' expected after '\"'"]),
    ("slug;draw_prob\na;0,28\n", ["line 2: draw_prob '0,28' has a decimal comma: write 0.28"]),
    ('slug,odds\na,"3,57"\n', ["line 2: odds '3,57' has a decimal comma: write 3.57"]),
    ("slug,odds\na,3,57\n", ["line 2: '57' is a cell without a column (a decimal comma? write 0.28)"]),
    ("slug,draw_prob\na,\nb\n,0.28\n", [f"line 2: {NO_NUMBER}", f"line 3: {NO_NUMBER}", "line 4: has no slug"]),
    (
        "slug,draw_prob\na,0\nb,1\n\nc,28\nd,-0.1\ne,1.000000000000000001\nf,0.999999999999999999\ng,0.0\n",
        [
            f"line {line}: {RANGE} {text}"
            for line, text in (
                (2, "0"),
                (3, "1"),
                (5, "28"),
                (6, "-0.1"),
                (7, "1.000000000000000001"),
                (8, "0.999999999999999999"),
                (9, "0.0"),
            )
        ],
    ),
    (
        "slug,odds\na,1\nb,0.28\nc,0\nd,-3\ne,1.000000000000000001\n",
        [
            f"line {line}: odds must be greater than 1, not {text}"
            for line, text in ((2, "1"), (3, "0.28"), (4, "0"), (5, "-3"), (6, "1.000000000000000001"))
        ],
    ),
    (
        "slug,draw_prob\n" + "\n".join(f"a,{text}" for text in NO_NUMBERS),
        [f"line {line}: {NOT_PLAIN} {text!r}" for line, text in enumerate(NO_NUMBERS, 2)],
    ),
    (
        "slug,draw_prob\na,0.28\nb,0.3\nA,0.29\n" + f"{URL},0.2\nepl-bre-che-2026-09-18,0.21\n",
        ["line 4: a has another value at line 2", "line 6: epl-bre-che-2026-09-18 has another value at line 5"],
    ),
    ('slug,draw_prob,note\na,0.28,"two\nlines"\nb,x,\n', [f"line 4: {NOT_PLAIN} 'x'"]),
    ("slug,draw_prob,draw_prob\na,0.28,0.29\n", ["line 2: draw_prob occurs twice with different values"]),
    (
        "slug,draw_prob\nhttps://evil.example/event/a,0.2\nnot a slug,0.2\nhttps://polymarket.com/portfolio,0.2\nhttps://[,0.2\n",
        [
            "line 2: 'https://evil.example/event/a' is not a Polymarket address",
            "line 3: 'not a slug' is not a slug",
            "line 4: 'https://polymarket.com/portfolio' names neither a market nor an event",
            "line 5: Invalid IPv6 URL",
        ],
    ),
)


@pytest.mark.parametrize(("content", "said"), BAD_CSV)
def test_every_mistake_of_a_csv_file_is_named_by_its_line(tmp_path: Path, content: str, said: list[str]) -> None:
    """All at once, so that one reading is enough to mend them."""
    assert _mistakes(tmp_path, content) == said


BAD_JSON = (
    ("{}", ["holds no baseline"]),
    ('{"items": []}', ["holds no baseline"]),
    ('"abc"', ["must be an object or a list"]),
    ('{"a": 0.28,\n "b": }', ["line 2, column 7: Expecting value"]),
    ("slug,draw_prob\na,0.28\n", ["line 1, column 1: Expecting value"]),
    ("[" * 100_000, ["is nested too deeply"]),
    ('{"a": 3.5, "b": 0.28, "c": 1, "d": 28}', [f'["a"]: {RANGE} 3.5', f'["c"]: {RANGE} 1', f'["d"]: {RANGE} 28']),
    (
        '{"a": NaN, "b": -Infinity, "c": 1e-1}',
        [f'["{slug}"]: {NOT_PLAIN} {text!r}' for slug, text in (("a", "NaN"), ("b", "-Infinity"), ("c", "1e-1"))],
    ),
    ('{"a": "0,28"}', ["[\"a\"]: draw_prob '0,28' has a decimal comma: write 0.28"]),
    (
        '{"a": true, "b": [0.28], "c": null, "d": {}}',
        [
            '["a"]: draw_prob must be a text or a number',
            '["b"]: draw_prob must be a text or a number',
            f'["c"]: {NO_NUMBER}',
            f'["d"]: {NO_NUMBER}',
        ],
    ),
    (
        '[{"slug": "a", "odds": 1.0}, {"draw_prob": 0.2}, 0.28, {"slug": {}, "draw_prob": 0.2}]',
        [
            "[0]: odds must be greater than 1, not 1.0",
            "[1]: has no slug",
            "[2]: has no slug",
            "[3]: slug must be a text or a number",
        ],
    ),
    (
        '{"items": [{"slug": "a", "odds": 4}, {"slug": "a", "odds": 5}, {"slug": "b", "odds": 4, "odds": 5}]}',
        ["items[1]: a has another value at items[0]", "items[2]: odds occurs twice with different values"],
    ),
    ('{"a": {"slug": "b", "draw_prob": 0.28}}', ['["a"]: slug occurs twice with different values']),
    (
        '{"": 0.28, "a\\u001b": 0.28, "\\ud800": 0.28}',
        ['[""]: has no slug', "[\"a\\u001b\"]: 'a\\x1b' is not a slug", "[\"\\ud800\"]: '\\ud800' is not a slug"],
    ),
    ("[" + "9" * 5000 + "]", ["[0]: has no slug"]),
)


@pytest.mark.parametrize(("content", "said"), BAD_JSON)
def test_every_mistake_of_a_json_file_is_named_by_its_place(tmp_path: Path, content: str, said: list[str]) -> None:
    """Line and column of the syntax, else the JSON path."""
    assert _mistakes(tmp_path, content, "baseline.json") == said


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, or not UTF-8."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BaselineInvalid, match="cannot be read"):
            load_draw_baseline(path)
    assert "cannot be read" in _mistakes(tmp_path, "slug,odds\nköln,4\n".encode("utf-16"))[0]


SLUGS = st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True)
PROBABILITIES = st.decimals("0.000001", "0.999999", places=6)


def _as_csv(baseline: dict[str, Decimal], delimiter: str, line_end: str) -> str:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([("note", "slug", "draw_prob"), *((f"say {delimiter} or", slug, p) for slug, p in baseline.items())])
    return written.getvalue()


FORMS: dict[str, Callable[[dict[str, Decimal]], str]] = {
    "comma": lambda baseline: _as_csv(baseline, ",", "\n"),
    "semicolon": lambda baseline: _as_csv(baseline, ";", "\r\n"),
    "by slug": lambda baseline: json.dumps({slug: str(p) for slug, p in baseline.items()}),
    "list": lambda baseline: json.dumps([{"slug": slug, "draw_prob": str(p)} for slug, p in baseline.items()]),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@given(baseline=st.dictionaries(SLUGS, PROBABILITIES, min_size=1))
def test_what_was_written_is_read_back(form: Callable[[dict[str, Decimal]], str], baseline: dict[str, Decimal]) -> None:
    """In every form of the file."""
    with TemporaryDirectory() as folder:
        assert _read(Path(folder), form(baseline)) == {slug: float(p) for slug, p in baseline.items()}


@given(content=st.one_of(st.binary(), st.text().map(str.encode), st.text(alphabet='slug,;"\n\r{}[]:0.3 -odd').map(str.encode)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Never another exception, and never a probability that is none."""
    with TemporaryDirectory() as folder, suppress(BaselineInvalid):
        assert all(0 < probability < 1 for probability in _read(Path(folder), content).values())
