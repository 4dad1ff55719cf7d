"""Wheel and sdist: what they hold, that they are the same bytes each time, and that a stranger can install and use them."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from adapters.portal.schema import FILES
from entrypoints import VERSION
from tests.entrypoints.processes import started
from tests.packaging.pages import PAGE, ROOT, address, differing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PACKAGES = ("domain", "adapters", "entrypoints", "vps")
NOT_FOR_OTHERS = {".ci/run"}
"""What is tracked and of no use outside the repository."""


class Built(NamedTuple):
    """The two distributions."""

    wheel: Path
    sdist: Path

    @property
    def wheel_names(self) -> set[str]:
        """The files in the wheel."""
        with zipfile.ZipFile(self.wheel) as wheel:
            return set(wheel.namelist())

    @property
    def sdist_names(self) -> set[str]:
        """The files in the sdist, without the directory that holds them all."""
        with tarfile.open(self.sdist) as sdist:
            return {name.partition("/")[2] for name in sdist.getnames()}


def run(command: Sequence[str | Path], at: Path = ROOT) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source: Path, target: Path) -> Built:
    """As `make dist` does."""
    run((sys.executable, "-m", "hatchling", "build", "--directory", target), at=source)
    return Built(target / f"spelar-{VERSION}-py3-none-any.whl", target / f"spelar-{VERSION}.tar.gz")


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="no git checkout")
def test_the_sdist_holds_what_is_tracked_and_the_page_s_libraries_and_nothing_else(tmp_path: Path) -> None:
    """No ledger, no published file, no npm package; and every test."""
    tracked = set(run(("git", "ls-files")).splitlines())
    page = {f"web/{name}" for name in PAGE}
    assert build(ROOT, tmp_path).sdist_names == (tracked - NOT_FOR_OTHERS) | page | {"PKG-INFO"}


def test_the_wheel_holds_the_packages_and_the_page_and_nothing_else(tmp_path: Path) -> None:
    """The page lies in a package, so that no directory of somebody else's can be in its way."""
    names = {name for name in build(ROOT, tmp_path).wheel_names if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == set(PACKAGES)
    modules = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert {name for name in names if name.startswith("entrypoints/web/")} == {f"entrypoints/web/{name}" for name in PAGE}
    assert {"vps/market_map.example.json", "vps/systemd/spelar-agent.env.example"} <= names


def test_what_is_built_from_the_sdist_is_byte_for_byte_the_same(tmp_path: Path) -> None:
    """In another place, at another time: so it holds all that a build needs, and anybody can prove a wheel."""
    first = build(ROOT, tmp_path / "first")
    with tarfile.open(first.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    second = build(tmp_path / f"spelar-{VERSION}", tmp_path / "second")
    assert [path.read_bytes() for path in second] == [path.read_bytes() for path in first]


def test_wheel_and_sdist_install_into_an_empty_environment_and_play_the_demo(tmp_path: Path) -> None:
    """With the locked packages and nothing else, and after the one is gone, the other."""
    built = build(ROOT, tmp_path)
    run((sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"))
    programs = tmp_path / "venv/bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--quiet", "--disable-pip-version-check")
    install = (*pip, "install", "--no-compile")
    run((*install, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements.lock"))
    for distribution in built:
        run((*install, "--no-deps", distribution))
        assert run((programs / "spelar", "--version"), at=tmp_path) == f"spelar {VERSION}\n"
        play(programs / "spelar", tmp_path / distribution.suffix[1:])
        run((*pip, "uninstall", "--yes", "spelar"))
        assert not list((tmp_path / "venv").rglob("entrypoints"))


def play(spelar: Path, place: Path) -> None:
    """Five ticks in an empty directory with an empty environment; the page while it plays, its data afterwards."""
    place.mkdir()
    with started((str(spelar), "demo", "--ticks", "5", "--port", "0"), place, {"LOG_LEVEL": "ERROR"}) as demo:
        assert differing(address(demo)) == []
        said, wrong = demo.communicate(timeout=60)
    assert (demo.returncode, wrong) == (0, ""), wrong
    assert "Paper result" in said
    assert {path.name for path in (place / "web/data").iterdir()} == {file.name for file in FILES}
    assert {path.name for path in place.iterdir()} == {"web", "var"}
    live = json.loads((place / "web/data/live_status.json").read_text(encoding="utf-8"))
    assert live["versions"]["spelar"] == VERSION
    with started((str(spelar), "portal", "--port", "0"), place, {}) as portal:
        shown = httpx.get(f"{address(portal)}/data/live_status.json", trust_env=False)
        assert shown.json() == live
