"""A server that is installed once for the tests of this directory: two runs, the first of which fails half-way."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.deployment.debian import Debian, copy_project, debian, skip_unless_possible

SOURCE = "/root/spelar"
"""Where the project lies on the server, as a clone or an upload would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An installed one, and what its installs said."""

    debian: Debian
    interrupted: subprocess.CompletedProcess[str]
    half: tuple[str, ...]
    installed: subprocess.CompletedProcess[str]

    def install(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the install once more, from the same source."""
        return self.debian.run("bash", f"{SOURCE}/vps/install.sh", *options, environment=environment)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Debian with spelar on it."""
    skip_unless_possible()
    with debian() as machine:
        copy_project(machine / SOURCE)
        command = ("bash", f"{SOURCE}/vps/install.sh")
        no_packages = {"PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1"}
        interrupted = machine.run(*command, environment=no_packages)
        half = tuple(sorted(path.name for path in (machine / "opt/spelar_eu").iterdir()))
        installed = machine.run(*command)
        assert installed.returncode == 0, installed.stdout + installed.stderr
        yield Server(debian=machine, interrupted=interrupted, half=half, installed=installed)
