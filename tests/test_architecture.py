"""The dependency rule: `vps -> entrypoints -> adapters -> domain -> a short list of the standard library`.

Kept by an allow-list, because a deny-list forgets. The checks are functions of sources, so that a test can break the rule.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
Sources = Mapping[str, str]
"""Path from the root of the project -> source."""

PURE = frozenset(
    {
        "abc",
        "collections.abc",
        "dataclasses",
        "decimal",
        "enum",
        "functools",
        "itertools",
        "math",
        "operator",
        "statistics",
        "typing",
    }
)
"""What of the standard library computes and does nothing else."""

STDLIB = frozenset(sys.stdlib_module_names)
ALLOWED = {
    "domain": PURE | {"domain"},
    "adapters": STDLIB
    | {"domain", "adapters", "httpx", "pydantic", "numpy", "pyarrow", "optuna", "distributed", "apprise", "prometheus_client"},
    "entrypoints": STDLIB
    | {"domain", "adapters", "entrypoints", "httpx", "pydantic", "dependency_injector", "loguru", "typer", "rich"},
    "vps": STDLIB | {"entrypoints"},
}
ONLY_IN = {
    "dependency_injector": ("entrypoints/container.py",),
    "loguru": ("entrypoints/",),
    "numpy": ("adapters/tape/",),
    "pyarrow": ("adapters/tape/",),
    "optuna": ("adapters/tape/tpe.py",),
    "distributed": ("adapters/tape/cluster.py",),
    "apprise": ("adapters/notifications/receivers.py",),
    "prometheus_client": ("adapters/metrics.py",),
    "environ": ("entrypoints/cli.py", "entrypoints/daemon.py", "entrypoints/settings.py"),
    "getenv": ("entrypoints/cli.py", "entrypoints/daemon.py", "entrypoints/settings.py"),
}
"""Packages and names that belong to one place."""

IMPURE = frozenset({"open", "print", "input", "exec", "eval", "compile", "globals", "__import__", "Any"})
"""Names that the domain has no use for: files, terminals, code from text, and the type that ends all types."""


OPENERS = frozenset({"read_bytes", "read_text", "write_bytes", "write_text", "copy2", "copyfile", "fdopen", "shutil"})
BESIDE_THE_LEDGER = ("adapters/sqlite_ledger/", "entrypoints/ledger.py", "entrypoints/daemon.py", "entrypoints/background.py")
OPENS_CLOSED_FILES = "adapters/sqlite_ledger/durable.py"
"""A ledger's file is opened by SQLite and nobody else in the process; drafts that are closed may be synced."""


class Use(NamedTuple):
    """A name that a source uses: a module that it imports, or an identifier."""

    path: str
    line: int
    name: str

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.path}:{self.line} {self.name}"


@cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """Everything in a source; the project's own are parsed once for all tests."""
    return tuple(ast.walk(ast.parse(source)))


def imported(path: str, source: str) -> Iterator[Use]:
    """Every module that a source imports, wherever in the file; relative imports show as `.`."""
    for node in nodes(source):
        if isinstance(node, ast.Import):
            yield from (Use(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Use(path, node.lineno, "." * node.level + (node.module or ""))


def named(path: str, source: str) -> Iterator[Use]:
    """Every identifier that a source reads or imports."""
    for node in nodes(source):
        if isinstance(node, ast.Name):
            yield Use(path, node.lineno, node.id)
        elif isinstance(node, ast.Attribute):
            yield Use(path, node.lineno, node.attr)
        elif isinstance(node, ast.ImportFrom):
            yield from (Use(path, node.lineno, alias.name) for alias in node.names)


def dependency_faults(sources: Sources) -> list[str]:
    """Imports that a layer is not allowed."""
    uses = (use for path, source in sources.items() for use in imported(path, source))
    return [f"{use} is not for {_layer(use.path)}" for use in uses if not _allowed(use)]


def _layer(path: str) -> str:
    return path.split("/", 1)[0]


def _allowed(use: Use) -> bool:
    """The domain's list names modules of the standard library exactly; the other lists name whole packages."""
    allowed = ALLOWED[_layer(use.path)]
    package = use.name.split(".", 1)[0]
    return use.name in allowed or (package in allowed and (package not in PURE or allowed >= STDLIB))


def misplaced(sources: Sources) -> list[str]:
    """Packages and names outside the place that they belong to."""
    return [
        f"{use} belongs to {' or '.join(ONLY_IN[name])}"
        for path, source in sources.items()
        for use in (*imported(path, source), *named(path, source))
        if (name := use.name.split(".", 1)[0]) in ONLY_IN and not use.path.startswith(ONLY_IN[name])
    ]


def impurities(sources: Sources) -> list[str]:
    """Names in the domain that reach out of it, or give up on types."""
    return [
        f"{use} has no place in the domain"
        for path, source in sources.items()
        if _layer(path) == "domain"
        for use in named(path, source)
        if use.name in IMPURE
    ]


def raw_openings(sources: Sources) -> list[str]:
    """Names that open files, in modules that run beside an open ledger: to close one lets go of SQLite's locks on it."""
    return [
        f"{use} opens a file beside the ledger"
        for path, source in sources.items()
        if path.startswith(BESIDE_THE_LEDGER) and path != OPENS_CLOSED_FILES
        for use in named(path, source)
        if use.name in OPENERS
    ]


def cycles(sources: Sources) -> list[str]:
    """Import cycles among these sources, each as `a -> b -> a`."""
    graph = {_module(path): sorted(_edges(path, source, sources)) for path, source in sources.items()}
    found: set[str] = set()
    for start in graph:
        found.update(_cycles_from(start, graph, (start,)))
    return sorted(found)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _edges(path: str, source: str, sources: Sources) -> set[str]:
    """The modules among `sources` that one of them imports; `from package import module` counts as the module."""
    modules = {_module(other) for other in sources}
    targets: set[str] = set()
    for node in nodes(source):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            targets |= submodules or {node.module}
    return targets & modules


def _cycles_from(start: str, graph: Mapping[str, Iterable[str]], path: tuple[str, ...]) -> Iterator[str]:
    """Cycles through `start` of which `start` is the smallest name, so that each is found once."""
    for target in graph[path[-1]]:
        if target == start:
            yield " -> ".join((*path, start))
        elif target > start and target not in path:
            yield from _cycles_from(start, graph, (*path, target))


@pytest.fixture(scope="module")
def project() -> Sources:
    """Every module of the project."""
    files = (file for layer in ALLOWED for file in sorted((ROOT / layer).rglob("*.py")))
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def test_every_layer_is_read(project: Sources) -> None:
    """A check of nothing would always pass."""
    assert {_layer(path) for path in project} == ALLOWED.keys()
    assert {"domain/engine.py", "domain/strategies/lead_lag.py", "entrypoints/container.py"} <= project.keys()


def test_dependencies_point_inwards(project: Sources) -> None:
    """vps -> entrypoints -> adapters -> domain -> a short list of the standard library."""
    assert dependency_faults(project) == []


def test_packages_and_the_environment_stay_in_their_place(project: Sources) -> None:
    """The injector in the container, the log in the entrypoints, the environment where the settings are read."""
    assert misplaced(project) == []


def test_the_domain_reaches_out_for_nothing_and_names_its_types(project: Sources) -> None:
    """No file, no terminal, no `Any`."""
    assert impurities(project) == []


def test_only_sqlite_opens_the_ledger(project: Sources) -> None:
    """POSIX locks belong to the process: open and close anywhere, and another program may write in our transaction."""
    assert raw_openings(project) == []
    assert raw_openings({"adapters/sqlite_ledger/broken.py": "path.read_bytes()"})
    assert raw_openings({"entrypoints/daemon.py": "import shutil\nshutil.copyfile(a, b)"})


def test_the_domain_has_no_import_cycles(project: Sources) -> None:
    """Each module can be read after those that it imports."""
    assert cycles({path: source for path, source in project.items() if _layer(path) == "domain"}) == []


BROKEN = (
    ("domain/broken.py", "import httpx"),
    ("domain/broken.py", "import time"),
    ("domain/broken.py", "import random"),
    ("domain/broken.py", "from datetime import datetime"),
    ("domain/broken.py", "from collections import OrderedDict"),
    ("domain/broken.py", "from adapters.clock import SystemClock"),
    ("domain/broken.py", "from . import market"),
    ("domain/broken.py", "def late() -> None:\n    import os"),
    ("domain/broken.py", "import logging.handlers"),
    ("domain/strategies/broken.py", "from pydantic import BaseModel"),
    ("adapters/broken.py", "from entrypoints.settings import Settings"),
    ("adapters/broken.py", "import pandas"),
    ("adapters/broken.py", "from loguru import logger"),
    ("entrypoints/broken.py", "import requests"),
    ("vps/broken.py", "from domain.engine import step"),
)


@pytest.mark.parametrize(("path", "source"), BROKEN)
def test_a_broken_dependency_is_complained_about(project: Sources, path: str, source: str) -> None:
    """One wrong import in an otherwise good project."""
    (fault,) = dependency_faults({**project, path: source})
    assert fault.startswith(f"{path}:")


SOUND = (
    ("domain/sound.py", "from collections.abc import Mapping\nimport math\nfrom domain.market import Market"),
    ("adapters/sound.py", "import email.utils\nimport httpx\nfrom domain.ports import Clock\nfrom adapters.http import x"),
    ("entrypoints/sound.py", "from rich.table import Table\nfrom adapters.clock import SystemClock"),
    ("vps/sound.py", "import sys\nfrom entrypoints.cli import main"),
)


@pytest.mark.parametrize(("path", "source"), SOUND)
def test_a_sound_dependency_is_not(path: str, source: str) -> None:
    """What a layer may import."""
    assert dependency_faults({path: source}) == []


MISPLACED = (
    ("entrypoints/daemon.py", "from dependency_injector import providers"),
    ("adapters/broken.py", "import loguru"),
    ("adapters/broken.py", "import os\nhome = os.environ['HOME']"),
    ("adapters/broken.py", "from os import getenv"),
    ("entrypoints/container.py", "import os\nhome = os.getenv('HOME')"),
)


@pytest.mark.parametrize(("path", "source"), MISPLACED)
def test_what_stands_in_the_wrong_place_is_complained_about(path: str, source: str) -> None:
    """One place for each."""
    assert misplaced({path: source})
    assert misplaced({"entrypoints/cli.py": "import os\nhome = os.environ['HOME']"}) == []


@pytest.mark.parametrize("source", ["from typing import Any", "import typing\nx: typing.Any", "open('x')", "print(1)"])
def test_an_impure_domain_is_complained_about(source: str) -> None:
    """And only the domain."""
    assert impurities({"domain/broken.py": source})
    assert impurities({"entrypoints/sound.py": source}) == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (
            {"domain/a.py": "from domain.b import x", "domain/b.py": "from domain.a import y"},
            "domain.a -> domain.b -> domain.a",
        ),
        ({"domain/a.py": "from domain import b", "domain/b.py": "import domain.a"}, "domain.a -> domain.b -> domain.a"),
        (
            {
                "domain/c.py": "from domain.strategies import s",
                "domain/strategies/__init__.py": "from domain.d import x",
                "domain/d.py": "from domain.c import y",
            },
            "domain.c -> domain.strategies -> domain.d -> domain.c",
        ),
    ],
)
def test_a_cycle_is_complained_about(sources: Sources, found: str) -> None:
    """Two modules, or three, through a package as well."""
    assert cycles(sources) == [found]


def test_no_cycle_is_seen_where_there_is_none() -> None:
    """A diamond is no cycle."""
    diamond = {
        "domain/a.py": "import domain.b\nimport domain.c",
        "domain/b.py": "import domain.d",
        "domain/c.py": "import domain.d",
        "domain/d.py": "import math",
    }
    assert cycles(diamond) == []
