"""The container: its Dockerfile is linted, its steps are carried out here, and what they made trades and is well."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from adapters.simulated_venues import SimMarket, SimulatedVenues, Steady, market_map
from scripts.npm import find_npm
from tests.entrypoints.processes import published_tick, started, until, write_map
from tests.packaging.compose import Service, read_compose
from tests.packaging.dockerfile import Builder, Image, Step, can_be_confined, confined, context, steps, words
from tests.packaging.pages import ROOT, address, differing

DOCKERFILE, IGNORE = ROOT / "Dockerfile", ROOT / ".dockerignore"
PROGRAMS = Path(sys.executable).parent


def lint(path: Path) -> str:
    """What hadolint complains about."""
    return subprocess.run((PROGRAMS / "hadolint", "--no-color", path), capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def dockerfile() -> list[Step]:
    """The steps of the Dockerfile."""
    return list(steps(DOCKERFILE.read_text(encoding="utf-8")))


def said(dockerfile: Sequence[Step], word: str) -> list[str]:
    """What the steps of a kind say, in their order."""
    return [step.says for step in dockerfile if step.word == word]


def test_the_linter_has_nothing_to_say() -> None:
    """hadolint, without exceptions."""
    assert lint(DOCKERFILE) == ""
    assert "hadolint" not in DOCKERFILE.read_text(encoding="utf-8")


def test_the_linter_complains_about_what_is_careless(tmp_path: Path) -> None:
    """So its silence means something."""
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN pip install spelar\n", encoding="utf-8")
    assert {"DL3006", "DL3013"} <= set(lint(tmp_path / "Dockerfile").replace(":", " ").split())


def test_the_image_runs_the_python_that_the_tests_run(dockerfile: list[Step]) -> None:
    """The oldest that the project allows, by a tag with its version."""
    bases = {says.split()[0] for says in said(dockerfile, "FROM")}
    oldest = re.search(r'^requires-python = ">=(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert oldest
    assert {base for base in bases if base.startswith("python:")} == {f"python:{oldest[1]}-slim"}


def test_everything_is_installed_by_hashes(dockerfile: list[Step]) -> None:
    """What comes from a registry is what was locked; the rest comes from the build itself."""
    installs = [command for says in said(dockerfile, "RUN") for command in says.split("&&") if "/pip " in command]
    assert installs
    assert all("--require-hashes" in command or "--no-deps --no-index" in command for command in installs)


def test_the_process_is_nobody_s_and_its_commands_need_no_shell(dockerfile: list[Step]) -> None:
    """A user by number, so that a volume on the host can be given to it."""
    assert said(dockerfile, "USER") == ["10001:10001"]
    assert words(said(dockerfile, "CMD")[0]) == ["spelar", "run"]
    assert words(said(dockerfile, "HEALTHCHECK")[0].partition(" CMD ")[2]) == ["spelar", "status"]


def test_the_build_sees_what_it_copies_and_nothing_else(dockerfile: list[Step]) -> None:
    """No key, no ledger and no published file can get into a layer."""
    copied = {word for says in said(dockerfile, "COPY") if not says.startswith("--") for word in says.split()[:-1]}
    given = {line[1:] for line in IGNORE.read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert given == copied


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can get into, unlike pytest's own."""
    with TemporaryDirectory(prefix="spelar-image-") as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


@pytest.fixture
def image(place: Path) -> Image:
    """What the steps make of what the build may see, with this machine's Python and npm."""
    npm = find_npm()
    assert npm is not None
    context(ROOT, IGNORE.read_text(encoding="utf-8"), place / "seen")
    path = os.pathsep.join((str(PROGRAMS), str(npm.node_dir), os.environ["PATH"]))
    builder = Builder(place, place / "seen", {**os.environ, "PATH": path})
    return builder.build(DOCKERFILE.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not can_be_confined, reason="needs a user to become")
def test_what_the_steps_make_trades_is_well_shows_its_page_and_writes_only_into_its_volumes(image: Image) -> None:
    """By the image's own commands, as its user, with no other right than to read."""
    script = Steady(markets=(SimMarket(slug="btc-up-today"),))
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        path = write_map(image.files / "map.json", market_map(script))
        image.environment.update({**venues.environment(), "MARKET_MAP_PATH": path, "INTERVAL_S": "0.2"})
        with begun(image, image.commands["CMD"]) as agent:
            until(lambda: published_tick(Path(image.environment["OUT_DIR"])) >= 3, timeout_s=60)
            assert is_well(image, image.commands["HEALTHCHECK"])
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(timeout=30) == 0
    shows(image, read_compose().services["portal"])
    volumes = [image.files / volume.lstrip("/") for volume in image.volumes]
    own = [path for path in image.files.rglob("*") if str(path.lstat().st_uid) == image.user.partition(":")[0]]
    assert set(volumes) <= set(own)
    assert [path for path in own if not any(path.is_relative_to(volume) for volume in volumes)] == []


def begun(image: Image, command: Sequence[str]) -> AbstractContextManager["subprocess.Popen[str]"]:
    """A command of the image at work."""
    return started([*confined(image), *command], image.path(image.work), image.environment)


def is_well(image: Image, command: Sequence[str]) -> bool:
    """What a health check says."""
    with begun(image, command) as check:
        told = check.communicate(timeout=30)
        assert check.returncode in (0, 1), told
    return check.returncode == 0


def shows(image: Image, service: Service) -> None:
    """The portal's command serves the page and the published files, and its health check sees it, on a free port here."""
    here = [word.replace("0.0.0.0", "127.0.0.1") for word in service.command]
    assert service.healthcheck is not None
    kind, *check = service.healthcheck.test
    assert kind == "CMD"
    with begun(image, [*here, "--port", "0"]) as portal:
        url = address(portal)
        assert differing(url) == []
        assert httpx.get(f"{url}/data/manifest.json", trust_env=False).json()["tick"] >= 3
        seen = [word.replace("http://127.0.0.1:5173", url) for word in check]
        assert seen != check
        assert is_well(image, seen)
    assert not is_well(image, seen)
