"""`vps/install.sh` on a real Debian: as often as one likes, finished after an interruption, and what it installs runs."""

import hashlib
import json
import os
import stat
import time
from pathlib import Path

import pytest

from adapters.portal.schema import FILES
from adapters.simulated_venues import SimMarket, SimulatedVenues, Steady, market_map
from adapters.sqlite_ledger import LEDGER_NAME
from entrypoints.env_file import read_env_file
from tests.deployment.conftest import SOURCE, Server
from tests.deployment.debian import Debian

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ENV_FILE = "/etc/spelar-agent.env"
NEVER_THE_SAME = ("tmp", "wheels", "root", "var/cache", "var/log", "var/lib/spelar")


def listing(machine: Debian) -> dict[str, tuple[object, ...]]:
    """Everything on it: type and mode, owner, content; of files also when they were last written."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, names, files in os.walk(machine.root):
        here = Path(directory).relative_to(machine.root)
        names[:] = [name for name in names if str(here / name) not in NEVER_THE_SAME]
        for name in (*names, *files):
            path = machine.root / here / name
            status = path.lstat()
            found[str(here / name)] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, *content(path, status))
    return found


def content(path: Path, status: os.stat_result) -> tuple[object, ...]:
    """What a file holds and since when, where a link leads."""
    if stat.S_ISLNK(status.st_mode):
        return (os.readlink(path),)
    if stat.S_ISREG(status.st_mode):
        return (hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mtime_ns)
    return ()


def owner_and_mode(machine: Debian, path: str) -> tuple[str, str, int]:
    """Owner and group by name, and the mode."""
    status = (machine / path).stat()
    names = {0: "root", machine.uid("spelar"): "spelar"}
    return names[status.st_uid], names[status.st_gid], stat.S_IMODE(status.st_mode)


def test_an_install_that_fails_half_way_leaves_nothing_that_could_run(server: Server) -> None:
    """No package could be fetched: the code lies there, no environment is linked, and the next run finishes."""
    assert server.interrupted.returncode != 0
    assert ".venv" not in server.half
    assert "adapters" in server.half
    assert "installed. What next:" in server.installed.stdout


def test_without_systemd_it_says_what_systemd_would_be_told(server: Server) -> None:
    """Visibly."""
    told = [line for line in server.installed.stdout.splitlines() if line.startswith("would run: ")]
    assert told == [
        "would run: systemctl daemon-reload",
        "would run: systemctl enable --quiet spelar-agent.service",
        "would run: systemctl reset-failed spelar-agent.service",
        "would run: systemctl restart spelar-agent.service",
    ]
    assert (server.debian / "etc/systemd/system/spelar-agent.service").is_file()


@pytest.mark.parametrize("source", [SOURCE, "/opt/spelar_eu"])
def test_another_run_changes_nothing(server: Server, source: str) -> None:
    """Owners, modes, contents and times are those of before, whether it is run from an upload or from what was installed."""
    before = listing(server.debian)
    done = server.debian.run("bash", f"{source}/vps/install.sh")
    assert done.returncode == 0, done.stderr
    assert listing(server.debian) == before


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/spelar-agent.env", ("root", "spelar", 0o640)),
        ("/etc/spelar-agent.env.dist", ("root", "spelar", 0o640)),
        ("/etc/spelar_eu", ("root", "spelar", 0o750)),
        ("/etc/spelar_eu/market_map.json", ("root", "spelar", 0o640)),
        ("/etc/spelar_eu/credentials", ("root", "root", 0o700)),
        ("/etc/spelar_eu/credentials/kraken", ("root", "root", 0o700)),
        ("/etc/spelar_eu/credentials/polymarket", ("root", "root", 0o700)),
        ("/var/lib/spelar", ("spelar", "spelar", 0o750)),
        ("/opt/spelar_eu", ("root", "root", 0o755)),
        ("/opt/spelar_eu/vps/vps_agent.py", ("root", "root", 0o644)),
        ("/opt/spelar_eu/web/data", ("spelar", "spelar", 0o755)),
        ("/usr/local/bin/spelar", ("root", "root", 0o755)),
    ],
)
def test_everything_has_its_owner_and_its_mode(server: Server, path: str, expected: tuple[str, str, int]) -> None:
    """Code is root's; settings and maps are read by the service's user; keys are read by root."""
    assert owner_and_mode(server.debian, path) == expected


def test_what_others_left_open_is_closed(server: Server) -> None:
    """A map, a baseline and a key that a person has copied there: the service's user and root may read, nobody else may."""
    places = (
        "/etc/spelar_eu/market_map.json",
        "/etc/spelar_eu/pm_draw_baseline.csv",
        "/etc/spelar_eu/credentials/kraken/api_key",
    )
    for place in places:
        (server.debian / place).touch()
        (server.debian / place).chmod(0o666)
    assert server.install().returncode == 0
    readers = [
        [server.debian.run("test", "-r", place, user=user).returncode == 0 for place in places] for user in ("spelar", "nobody")
    ]
    assert readers == [[True, True, False], [False, False, False]]
    assert owner_and_mode(server.debian, places[2]) == ("root", "root", 0o600)


def test_the_agent_runs_as_the_services_user_and_writes_its_files(server: Server) -> None:
    """Three ticks of `python -m vps.vps_agent` against venues on loopback, with the installed settings."""
    script = Steady(markets=(SimMarket(slug="btc-up-today"),))
    (server.debian / "etc/spelar_eu/market_map.json").write_text(json.dumps(market_map(script)), encoding="utf-8")
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        environment = {**read_env_file(server.debian / ENV_FILE), **venues.environment(), "RUN_TICKS": "3", "INTERVAL_S": "0.2"}
        done = server.debian.run(
            "/opt/spelar_eu/.venv/bin/python", "-m", "vps.vps_agent", user="spelar", environment=environment
        )
    assert done.returncode == 0, done.stderr
    out = server.debian / "opt/spelar_eu/web/data"
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["tick"] >= 3
    for file in FILES:
        assert owner_and_mode(server.debian, f"/opt/spelar_eu/web/data/{file.name}") == ("spelar", "spelar", 0o644)
    assert owner_and_mode(server.debian, f"/var/lib/spelar/{LEDGER_NAME}") == ("spelar", "spelar", 0o640)


def test_the_command_on_the_server_is_the_services_user_with_its_settings(server: Server) -> None:
    """`spelar` as root types it: what it says is about the installed settings."""
    done = server.debian.run("spelar", "check", "--scope", "files")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok    configuration: lead_lag, paper\nok    market map: /etc/spelar_eu/market_map.json")


def test_settings_that_the_service_cannot_use_replace_nothing(server: Server) -> None:
    """Nor do those with which it does not start."""
    machine = server.debian
    before = (machine / ENV_FILE).read_bytes()
    for text, environment, said in (
        ("INTERVAL_S=soon\n", {}, "INTERVAL_S"),
        ("MARKET_MAP_PATH=/etc/nowhere.json\n", {}, "/etc/nowhere.json"),
        (before.decode() + "PM_FEES=none\n", {"SPELAR_SYSTEMCTL": "/bin/false"}, "does not start"),
    ):
        (machine / "root/new.env").write_text(text, encoding="utf-8")
        done = server.install("--env", "/root/new.env", **environment)
        assert done.returncode != 0
        assert said in done.stderr
        assert (machine / ENV_FILE).read_bytes() == before
    assert not list((machine / "etc").glob("spelar-agent.env.incoming"))


@pytest.mark.parametrize(
    ("release", "said"),
    [("ID=fedora\nVERSION_ID=41\n", "this is fedora 41"), ('ID=debian\nVERSION_ID="11"\n', "this is debian 11")],
)
def test_another_system_is_refused_before_anything_is_done(server: Server, release: str, said: str) -> None:
    """With what it is."""
    place = server.debian / "etc/os-release"
    kept = os.readlink(place)
    place.unlink()
    place.write_text(release, encoding="utf-8")
    try:
        done = server.install()
    finally:
        place.unlink()
        place.symlink_to(kept)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
