"""The compose file: valid by its specification, confined, on this machine alone, and with the paths of the env file."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from entrypoints.daemon import GRACE_S
from tests.packaging.compose import FILE, Service, read_compose
from tests.packaging.dockerfile import steps, words
from tests.packaging.pages import ROOT

SERVICES: Mapping[str, Service] = read_compose().services
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@pytest.mark.slow
def test_the_file_is_valid_by_the_specification_s_own_schema() -> None:
    """In the version that the checker brings along."""
    checker = (Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)
    done = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@every_service
def test_a_service_can_do_no_more_than_it_must(service: Service) -> None:
    """Nothing is written outside its volumes, no right is kept or got, and memory, processes and logs have an end."""
    assert service.read_only
    assert service.cap_drop == ["ALL"]
    assert service.security_opt == ["no-new-privileges:true"]
    assert service.tmpfs[0].startswith("/tmp:size=")
    assert re.fullmatch(r"\d+m", service.mem_limit)
    assert service.pids_limit <= 100
    assert service.logging.options.keys() == {"max-size", "max-file"}


@every_service
def test_a_service_comes_back_by_itself_and_is_told_to_stop(service: Service) -> None:
    """Something has to hand the signal on and time must be left for a tick to end."""
    assert service.restart == "unless-stopped"
    assert service.init
    assert int(service.stop_grace_period.removesuffix("s")) > (GRACE_S if service is SERVICES["agent"] else 1)


def test_nothing_is_reached_from_another_machine() -> None:
    """Docker goes past a firewall's rules, so the address is all that keeps strangers out."""
    ports = [port for service in SERVICES.values() for port in service.ports]
    assert ports == ["127.0.0.1:5173:5173"]


def test_only_the_agent_writes_and_each_volume_has_one_name() -> None:
    """The portal reads what the agent publishes and sees neither ledger nor map."""
    agent, portal = SERVICES["agent"].mounts, SERVICES["portal"].mounts
    written = {what for what, writable in agent.values() if writable}
    assert written == read_compose().volumes.keys()
    assert portal == {place: (what, False) for place, (what, _) in agent.items() if what == "out"}


def test_the_paths_are_those_of_the_image_and_of_the_example_env_file() -> None:
    """The same file serves a server and a container."""
    example = (ROOT / "vps/systemd/spelar-agent.env.example").read_text(encoding="utf-8")
    places = dict(re.findall(r"^(OUT_DIR|STATE_DIR|MARKET_MAP_PATH)=(.*)$", example, re.MULTILINE))
    mounts = SERVICES["agent"].mounts
    volumes = [words(step.says) for step in steps((ROOT / "Dockerfile").read_text(encoding="utf-8")) if step.word == "VOLUME"]
    assert {places["STATE_DIR"], places["OUT_DIR"]} == set(volumes[0])
    assert {place for place, (_, writable) in mounts.items() if writable} == set(volumes[0])
    assert mounts[str(PurePosixPath(places["MARKET_MAP_PATH"]).parent)] == ("./config", False)


def test_what_is_laid_beside_the_file_is_ignored_by_git() -> None:
    """Settings may hold secrets, and the directory may hold keys."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert SERVICES["agent"].env_file == ["spelar-agent.env"]
    assert {"*.env", "/config/"} <= set(ignored)
