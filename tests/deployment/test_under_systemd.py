"""The unit under a real systemd, which runs as the first process of the Debian that spelar is installed on."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.simulated_venues import SimMarket, SimulatedVenues, Steady, market_map
from tests.deployment.conftest import SOURCE, Server
from tests.deployment.debian import CLEAN
from tests.entrypoints.processes import published_tick, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Inside = Callable[..., subprocess.CompletedProcess[str]]
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")


@contextmanager
def booted(root: Path, console: Path) -> Iterator[Inside]:
    """Its systemd, up; what is yielded runs a command there. It shares this machine's network. Skips where it does not boot."""
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("no systemd-nspawn (Debian: apt install systemd-container)")
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", "--console=pipe", "--boot"]
    with console.open("wb") as said, subprocess.Popen([*command, "-D", str(root)], stdout=said, stderr=said) as container:
        try:
            deadline = time.monotonic() + 90
            while (first := first_process(container.pid)) is None or not is_up(first):
                if container.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"no systemd boots here: {console.read_text(errors='replace')[-200:]}")
                time.sleep(0.2)
            yield lambda *asked: inside(first, *asked)
        finally:
            container.terminate()
            container.wait(timeout=60)


def first_process(container: int) -> int | None:
    """The number of the container's first process, once it is systemd."""
    for child in Path(f"/proc/{container}/task/{container}/children").read_text(encoding="ascii").split():
        if Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip() == "systemd":
            return int(child)
    return None


def is_up(first: int) -> bool:
    """Whether it has started what it should."""
    return inside(first, "systemctl", "is-system-running").stdout.strip() in ("running", "degraded")


def inside(first: int, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in the namespaces of the container's first process."""
    enter = ("nsenter", f"--target={first}", *NAMESPACES, "--")
    return subprocess.run([*enter, *command], env=CLEAN, capture_output=True, text=True, timeout=200, check=False)


def test_the_unit_starts_ticks_gets_its_keys_and_ends_for_good_on_a_bad_map(tmp_path: Path, server: Server) -> None:
    """Installed with the real systemctl: its sandbox leaves the agent what it needs, and a restart does not mend a bad map."""
    machine, script = server.debian, Steady(markets=(SimMarket(slug="btc-up-today"),))
    market_file, keys = machine / "etc/spelar_eu/market_map.json", machine / "etc/spelar_eu/credentials/kraken"
    market_file.write_text(json.dumps(market_map(script)), encoding="utf-8")
    (keys / "api_key").write_text("key", encoding="utf-8")
    (keys / "api_secret").write_text("c2VjcmV0", encoding="utf-8")
    out = machine / "opt/spelar_eu/web/data"
    with (
        SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues,
        booted(machine.root, tmp_path / "console") as run,
    ):
        settings = (machine / "etc/spelar-agent.env.dist").read_text(encoding="utf-8")
        wanted = {**venues.environment(), "INTERVAL_S": "0.5"}
        (machine / "root/new.env").write_text(settings + "".join(f"{n}={v}\n" for n, v in wanted.items()), encoding="utf-8")
        assert (installed := run("bash", f"{SOURCE}/vps/install.sh")).returncode == 0, installed.stderr
        assert "would run" not in installed.stdout
        assert (deployed := run("bash", f"{SOURCE}/vps/install.sh", "--env", "/root/new.env")).returncode == 0, deployed.stderr
        before = published_tick(out)
        until(lambda: published_tick(out) >= before + 3)
        shown = run("systemctl", "show", "spelar-agent", "--property=ActiveState,UnitFileState,NRestarts").stdout.split()
        assert sorted(shown) == ["ActiveState=active", "NRestarts=0", "UnitFileState=enabled"]
        assert "kraken_spot key: " in run("spelar", "check-keys").stdout
        refused = (machine / "root/new.env").read_text(encoding="utf-8") + "OUT_DIR=/opt/elsewhere\n"
        (machine / "root/new.env").write_text(refused, encoding="utf-8")
        assert "is again what it was" in run("bash", f"{SOURCE}/vps/install.sh", "--env", "/root/new.env").stderr
        assert run("systemctl", "is-active", "spelar-agent").stdout == "active\n"
        market_file.write_text("{", encoding="utf-8")
        assert run("systemctl", "restart", "spelar-agent").returncode != 0
        time.sleep(6)
        shown = run("systemctl", "show", "spelar-agent", "--property=ActiveState,ExecMainStatus,NRestarts").stdout.split()
        assert sorted(shown) == ["ActiveState=failed", "ExecMainStatus=78", "NRestarts=0"]
