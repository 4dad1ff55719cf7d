"""Every row of the catalogue of faults has its tests, every one of them exists, and every kind of fault can be produced."""

import ast
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from adapters.simulated_venues.faults import KINDS
from tests.catalogue import ELSEWHERE, PROVEN

ROOT = Path(__file__).resolve().parents[1]
RELIABILITY = ROOT.parent / "shared" / "RELIABILITY.md"
beside_the_catalogue = pytest.mark.skipif(
    not RELIABILITY.exists(), reason="no ../shared/RELIABILITY.md: a user's clone has none"
)

AMOUNTS = {"N": 21, "D": 25, "C": 6, "X": 25, "G": 10, "W": 8, "S": 12}
"""How many rows each table has."""

NO_KINDS = frozenset({"resolve", ".invalid"})
"""Words of the last column that a scenario and a host are called by."""


@cache
def named_in(path: str) -> frozenset[str]:
    """The tests of a file as pytest names them behind its path."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    alone = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    within = [f"{kind.name}::{node.name}" for kind in classes for node in kind.body if isinstance(node, ast.FunctionDef)]
    return frozenset(name for name in (*alone, *within) if name.rpartition("::")[2].startswith("test_"))


def rows() -> dict[str, str]:
    """The last column of each row of sections 2.2 to 2.8."""
    text = RELIABILITY.read_text(encoding="utf-8")
    tables = text[text.index("### 2.2") : text.index("## 3. ")]
    return dict(re.findall(r"^\| ([NDCXGWS]\d+) \|.*\| ([^|]*) \|$", tables, re.MULTILINE))


def test_every_test_of_a_row_exists() -> None:
    """None is named twice for a row; a row without any says where else it is proven."""
    found = [(row, *test.partition("::")) for row, named in PROVEN.items() for test in named]
    assert [(row, path, name) for row, path, _, name in found if name not in named_in(path)] == []
    assert [row for row, named in PROVEN.items() if len(set(named)) < len(named)] == []
    assert [row for row, named in PROVEN.items() if not named and row not in ELSEWHERE] == []


def test_the_rows_are_counted_and_in_order() -> None:
    """Whether the catalogue lies beside this checkout or not."""
    assert list(PROVEN) == [f"{table}{number}" for table, last in AMOUNTS.items() for number in range(1, last + 1)]
    assert ELSEWHERE.keys() <= PROVEN.keys()


@beside_the_catalogue
def test_the_rows_are_those_of_the_catalogue() -> None:
    """None is missing, and none is invented."""
    assert list(rows()) == list(PROVEN)


@beside_the_catalogue
def test_every_kind_of_fault_of_the_catalogue_can_be_produced() -> None:
    """The words in code of the network's and the data's last column; a star stands for all kinds of a beginning."""
    words = {word for row, last in rows().items() if row[0] in "ND" for word in re.findall(r"`([^`]+)`", last)} - NO_KINDS
    assert len(words) > 60
    assert [word for word in words if not any(fnmatchcase(kind, word) for kind in KINDS)] == []
