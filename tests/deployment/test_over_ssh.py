"""The scripts against a real ssh server on loopback, whose root is a Debian that spelar is installed on."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.portal.schema import FILES
from tests.deployment.conftest import Server
from tests.deployment.debian import ROOT, Debian, copy_project
from tests.deployment.ssh import know, ssh_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ENV_FILE, VENV = "etc/spelar-agent.env", "opt/spelar_eu/.venv"
OTHER_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
NAMES = [file.name for file in FILES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Laptop:
    """A copy of the project on a person's machine, and the server that it may log in to."""

    project: Path
    keys: Path
    port: int
    machine: Debian

    def run(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        """A script with these options, nobody being there to answer."""
        return subprocess.run(
            ["bash", f"scripts/{script}.sh", *options],
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def laptop(tmp_path: Path, server: Server) -> Iterator[Laptop]:
    """One whose local file says all, so that the bare command lines of the runbook do."""
    scripts = ["scripts/connection.sh", *(f"scripts/{path.name}" for path in (ROOT / "scripts").glob("*-*.sh"))]
    project = copy_project(tmp_path / "project", more=scripts)
    keys = tmp_path / "keys"
    keys.mkdir()
    with ssh_server(keys, server.debian.root) as port:
        local = f"VPS_HOST=127.0.0.1\nVPS_USER=root\r\nVPS_PORT={port}\nSSH_CONFIG={keys}/config\n"
        portal = f"PORTAL_HOST=127.0.0.1\nPORTAL_USER=root\nPORTAL_PORT={port}\nPORTAL_PATH=/srv/page\n"
        (project / "scripts/vps.local.env").write_text(local + portal, encoding="utf-8", newline="")
        yield Laptop(project=project, keys=keys, port=port, machine=server.debian)


def test_a_bare_upload_brings_the_vps_up_to_date_keeps_edited_settings_and_state_and_restarts(laptop: Laptop) -> None:
    """The new example lies beside the edited file, of which there is a backup; the old environment and the upload are gone."""
    machine, edited = laptop.machine, laptop.machine / ENV_FILE
    edited.write_text(edited.read_text(encoding="utf-8") + "LOG_LEVEL=DEBUG\n", encoding="utf-8")
    kept = [edited, machine / "var/lib/spelar/own", machine / "opt/spelar_eu/web/data/own.txt"]
    for file in kept[1:]:
        file.write_text("kept", encoding="utf-8")
    before, venv = [(file.read_bytes(), file.stat().st_mtime_ns) for file in kept], (machine / VENV).readlink()
    (laptop.project / "vps/__init__.py").write_text('"""What runs on the server, uploaded."""\n', encoding="utf-8")
    with (laptop.project / "vps/systemd/spelar-agent.env.example").open("a", encoding="utf-8") as example:
        example.write("# new\n")
    done = laptop.run("upload-to-vps")
    assert done.returncode == 0, done.stderr
    assert "would run: systemctl restart spelar-agent.service" in done.stdout
    asked = machine.run(f"/{VENV}/bin/python", "-c", "import vps; print(vps.__doc__)")
    assert asked.stdout == "What runs on the server, uploaded.\n"
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in kept] == before
    assert before[0][0] in [copy.read_bytes() for copy in (machine / "etc").glob("spelar-agent.env.*.bak")]
    assert (machine / f"{ENV_FILE}.dist").read_text(encoding="utf-8").endswith("# new\n")
    assert not (machine / "opt/spelar_eu" / venv).exists()
    assert not (machine / "root/.spelar-upload").exists()


def test_an_upload_without_restart_lays_out_the_code_and_touches_nothing_that_runs(laptop: Laptop) -> None:
    """The environment is the old one until the next install."""
    before = (laptop.machine / VENV).readlink()
    (laptop.project / "README.md").write_text("new\n", encoding="utf-8")
    done = laptop.run("upload-to-vps", "--no-restart")
    assert done.returncode == 0, done.stderr
    assert "systemctl" not in done.stdout
    assert (laptop.machine / "opt/spelar_eu/README.md").read_text(encoding="utf-8") == "new\n"
    assert (laptop.machine / VENV).readlink() == before


def test_settings_reach_the_vps_with_a_backup_and_bad_ones_change_nothing(laptop: Laptop) -> None:
    """Written on Windows, with its line ends and its mark."""
    machine, local = laptop.machine, laptop.project / "vps/systemd/spelar-agent.env"
    missing = laptop.run("deploy-vps-env-and-restart")
    assert (missing.returncode, "spelar-agent.env is missing" in missing.stderr) == (1, True)
    before = (machine / ENV_FILE).read_bytes()
    local.write_text("PM_FEES=some\n", encoding="utf-8")
    refused = laptop.run("deploy-vps-env-and-restart")
    assert refused.returncode != 0
    assert "PM_FEES" in refused.stderr
    assert (machine / ENV_FILE).read_bytes() == before
    windows = "\ufeff# mine\r\nINTERVAL_S=20\r\nSTATE_DIR=/var/lib/spelar\r\nMARKET_MAP_PATH=/etc/spelar_eu/market_map.json\r\n"
    local.write_bytes(windows.encode())
    done = laptop.run("deploy-vps-env-and-restart", "--env-file", "vps/systemd/spelar-agent.env")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would run: systemctl restart spelar-agent.service" in done.stdout
    assert (machine / ENV_FILE).read_text(encoding="utf-8").startswith("# mine\nINTERVAL_S=20\n")
    assert (machine / ENV_FILE).stat().st_mode & 0o777 == 0o640
    assert before in [copy.read_bytes() for copy in (machine / "etc").glob("spelar-agent.env.*.bak")]
    assert not (machine / "root/.spelar-upload").exists()


def publish(machine: Debian, *missing: str) -> None:
    """Let the server have published every file but these."""
    for name in NAMES:
        file = machine / "opt/spelar_eu/web/data" / name
        file.unlink(missing_ok=True)
        if name not in missing:
            file.write_text(f"{name} of the server", encoding="utf-8")


def test_what_is_published_comes_here_whole_and_only_that(laptop: Laptop) -> None:
    """A file that is not there yet is named; what lay here in its place stays."""
    publish(laptop.machine, "pm_books.json")
    (laptop.machine / "opt/spelar_eu/web/data/other.csv").write_text("no file of ours", encoding="utf-8")
    done = laptop.run("sync-vps-stats")
    assert done.returncode == 0, done.stderr
    assert "pm_books.json" in done.stderr
    assert f"{len(NAMES) - 1} files in" in done.stdout
    here = laptop.project / "web/data"
    assert {path.name: path.read_text(encoding="utf-8") for path in here.iterdir()} == {
        name: f"{name} of the server" for name in NAMES if name != "pm_books.json"
    }


def test_page_and_files_go_to_a_web_host_when_asked(laptop: Laptop) -> None:
    """Twice over: the second time replaces the first."""
    publish(laptop.machine)
    (laptop.machine / "srv/page").mkdir(exist_ok=True)
    for _ in range(2):
        done = laptop.run("sync-vps-stats", "--deploy-portal", "--local-dir", "fetched")
        assert done.returncode == 0, done.stderr
    there = laptop.machine / "srv/page"
    assert sorted(path.name for path in (there / "data").iterdir()) == sorted(NAMES)
    page = laptop.project / "web"
    for path in page.rglob("*.*"):
        assert (there / path.relative_to(page)).read_bytes() == path.read_bytes()


def test_a_directory_without_published_files_is_a_failure_that_says_so(laptop: Laptop) -> None:
    """An agent that has not run, or a wrong directory."""
    done = laptop.run("sync-vps-stats", "--out-dir", "/srv", "--local-dir", "fetched")
    assert done.returncode == 1
    assert "no published file in /srv" in done.stderr
    assert list((laptop.project / "fetched").iterdir()) == []


@pytest.mark.parametrize("script", ["upload-to-vps", "sync-vps-stats"])
def test_a_host_that_cannot_prove_who_it_is_gets_nothing(laptop: Laptop, script: str) -> None:
    """Unknown, then changed: the script says how a person compares the key, and ends."""
    changed = re.sub(r"AAAA\S+", OTHER_KEY, (laptop.keys / "known").read_text(encoding="utf-8"))
    for known in ("", changed):
        (laptop.keys / "known").write_text(known, encoding="utf-8")
        done = laptop.run(script)
        assert done.returncode == 255
        assert "Host key verification failed" in done.stderr
        assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in done.stderr
    assert (laptop.keys / "known").read_text(encoding="utf-8") == known
    know(laptop.keys, laptop.port)
    assert laptop.run("sync-vps-stats", "--out-dir", "/srv").returncode == 1


def test_what_nobody_said_is_asked_for_by_its_name(laptop: Laptop) -> None:
    """Where nobody is there to answer, that is the end."""
    (laptop.project / "scripts/vps.local.env").unlink()
    for options, needed in (((), "--vps-host"), (("--vps-host", "127.0.0.1"), "--vps-user")):
        done = laptop.run("upload-to-vps", *options)
        assert done.returncode == 1
        assert f"is needed: {needed}, or scripts/vps.local.env" in done.stderr
    assert "unknown option" in laptop.run("upload-to-vps", "--force").stderr
