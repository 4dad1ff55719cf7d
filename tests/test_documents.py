"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from adapters.keys.values import Keys
from entrypoints.cli import app
from entrypoints.keys import read_keys
from entrypoints.settings import KNOWN, read_settings
from tests.documents import DOCUMENTS, ENV_EXAMPLE, ROOT, env_example, generated, with_parts


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_generated_tables_are_current(document: Path) -> None:
    """`make docs` writes them."""
    text = document.read_text(encoding="utf-8")
    assert with_parts(text, generated()) == text


def test_the_example_env_file_is_current() -> None:
    """Every variable, its default and its meaning."""
    assert ENV_EXAMPLE.read_text(encoding="utf-8") == env_example()


def test_the_example_env_file_names_every_variable_once() -> None:
    """And no other."""
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(KNOWN)


def test_every_line_of_the_example_env_file_can_be_set() -> None:
    """The minimum alone, and with every other line uncommented."""
    lines = ENV_EXAMPLE.read_text(encoding="utf-8").splitlines()
    minimum = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))
    everything = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z][A-Z0-9_]+=", line))
    assert read_settings(minimum).interval_s == 15
    assert read_settings(everything).net_edge_min_pct == 0.1
    assert read_keys(everything) == Keys()
    assert len(everything) > len(minimum)


def test_every_command_of_the_readme_exists() -> None:
    """A command that is written down can be typed; all of them are explained in docs/ (tests/test_guides.py)."""
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known |= {group.name or "" for group in app.registered_groups}
    written = set(re.findall(r"spelar ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert written - {"is", "needs"} <= known


def test_every_make_target_of_the_readme_exists() -> None:
    """The two commands."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)`?", (ROOT / "README.md").read_text(encoding="utf-8"))) <= targets | {"installs"}


def test_every_place_that_the_architecture_names_exists() -> None:
    """A map that leads nowhere is worse than none."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:domain|adapters|entrypoints|tests|vps)/[\w./-]+)`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"])
def test_every_pinned_package_carries_hashes_and_no_registry_is_named(lock: str) -> None:
    """What is installed is what was resolved, from wherever it comes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_what_is_locked_is_installed_by_its_hashes_alone() -> None:
    """As a wheel, so that no package runs a script of its own on the way; and nothing locks a live broker's packages."""
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    installs = [line for line in recipes if "pip install" in line and " -r " in line]
    assert installs
    assert [line for line in installs if "--require-hashes --only-binary :all:" not in line] == []
    extras = re.findall(r"^(\w+) = \[$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert "tape" in extras
    assert "live" not in extras
