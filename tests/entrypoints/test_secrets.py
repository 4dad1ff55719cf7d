"""No secret gets out: not of a daemon whose world is full of them, and not with the project's own files."""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.simulated_venues import SimulatedVenues, Steady, market_map
from entrypoints.keys import VALUES
from tests.entrypoints.processes import daemon, environment, spelar, until, write_map
from tests.entrypoints.test_daemon import MARKET, SteppingSpot

ROOT = Path(__file__).resolve().parents[2]
CANARY = "CaNaRy"

SECRETS: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a wallet's key": re.compile(r"(?:private|secret|wallet)[a-z_]*[\"' :=]+(?:0x)?[0-9a-f]{64}\b", re.IGNORECASE),
    "Kraken's secret": re.compile(r"(?<![A-Za-z0-9+/-])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"),
    "a cloud's or a forge's token": re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[A-Za-z0-9-]{20,})"),
    "a set key": re.compile(rf"^(?:{'|'.join(name for name, _ in VALUES.values())})=\S+", re.MULTILINE),
}
"""What a secret looks like where nobody meant it."""

PUBLISHED = frozenset(
    {
        "tests/adapters/test_key_signatures.py",  # the venues' own documented examples
    }
)
"""Where things stand that look like secrets and are in everybody's hands."""

IGNORED = ("local.env", "my.key", "my.pem", "keys.json", "keys-live.json", "vps/spelar.env")


def secrets_in(text: str) -> list[str]:
    """What a text seems to give away."""
    return [what for what, pattern in SECRETS.items() if pattern.search(text)]


def _git(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def committed() -> list[str]:
    """Every file of the project that git knows."""
    listed = _git("ls-files")
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    return listed.stdout.splitlines()


@pytest.mark.slow
def test_no_file_of_the_project_holds_a_secret(committed: list[str]) -> None:
    """Nor did anybody add a key file by name."""
    small = [name for name in committed if (ROOT / name).is_file() and (ROOT / name).stat().st_size < 1_000_000]
    texts = {name: (ROOT / name).read_text(encoding="utf-8", errors="ignore") for name in small if name not in PUBLISHED}
    assert {name: found for name, text in texts.items() if (found := secrets_in(text))} == {}
    assert [name for name in committed if Path(name).suffix in (".env", ".key", ".pem")] == []
    assert len(texts) > 200
    assert all(secrets_in((ROOT / name).read_text()) for name in PUBLISHED)


def test_git_ignores_what_keys_are_kept_in(committed: list[str]) -> None:
    """So that `git add .` cannot take them along; the example env file is no such file."""
    assert committed
    assert _git("check-ignore", *IGNORED).stdout.split() == list(IGNORED)
    assert _git("check-ignore", "vps/systemd/spelar-agent.env.example").stdout == ""


LOST = (
    "-----BEGIN EC " + "PRIVATE KEY-----",
    f"PRIVATE_KEY=0x{'ab' * 32}",
    f'"secret": "{"A" * 86}=="',
    "AKIA" + "A" * 16,
    "gh" + f"p_{'a' * 36}",
    "KRAKEN_API" + "_KEY=abc",
)


@pytest.mark.parametrize("text", LOST)
def test_a_secret_is_recognised(text: str) -> None:
    """A search that finds nothing would prove nothing."""
    assert len(secrets_in(text)) == 1
    assert secrets_in("KRAKEN_API" + "_KEY=\n# 0xdeadbeef, sha256:" + "ab" * 32) == []


def _everything_under(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.slow
def test_a_daemon_among_secrets_writes_none_of_them_down(tmp_path: Path) -> None:
    """Every key variable, credentials, a key file and addresses are set; it trades, records, tells somebody who is dead, is
    refused and looked at, and only reads.
    """
    world = SteppingSpot()
    script = Steady(spot=world.spot, books=world.book, markets=(MARKET,))
    keys = {name: f"{CANARY}-{name}==" for name, _ in VALUES.values()}
    trades = tmp_path / "out/pm_paper_trades.csv"
    credentials = tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    for name, value in keys.items():
        (credentials / name.lower()).write_text(value)
    with SimulatedVenues(script, lambda: time.time_ns() // 1_000_000) as venues:
        map_path = write_map(tmp_path / "map.json", market_map(script))
        env = environment(tmp_path, venues.environment(), MARKET_MAP_PATH=map_path, RECORD="1", LOG_LEVEL="DEBUG")
        env |= {**keys, "CREDENTIALS_DIRECTORY": str(credentials), "KRAKEN_KEYS_PATH": str(tmp_path / f"{CANARY}.json")}
        env["NOTIFY_URLS"] = f"json://me:{CANARY}-word@127.0.0.1:9/{CANARY}-path/?{CANARY}-name={CANARY}-value"
        with daemon(env) as process:
            until(lambda: trades.exists() and "BUY" in trades.read_text())
            status = spelar(["status"], env)
            process.terminate()
            said = "".join((*process.communicate(timeout=10), status.stdout, status.stderr))
            assert (process.returncode, status.returncode) == (0, 0), said
        assert {(method, path) for _, method, path in venues.requests if method != "GET"} <= {("POST", "/books")}
        for command, code, changes in (
            ("check", 0, {}),
            ("doctor", 0, {}),
            ("check", 1, {"NOTIFY_URLS": f"{CANARY}://{CANARY}-nobody"}),
            ("check-keys", 78, {}),
            ("check-keys", 78, {"KRAKEN_KEYS_PATH": ""}),
            ("run", 78, {"MARKET_MAP_PATH": str(tmp_path / "none.json")}),
            ("run", 78, {"INTERVAL_S": keys["KRAKEN_API_KEY"]}),
        ):
            done = spelar([command], {**env, **changes})
            assert done.returncode == code, done.stderr
            said += done.stdout + done.stderr
    assert "sending JSON notification" in said
    files = _everything_under(tmp_path / "state") | _everything_under(tmp_path / "out")
    assert len(files) > 10
    assert [name for name, content in files.items() if CANARY.encode() in content] == []
    assert CANARY not in said.replace(f"/{CANARY}.json", "")
