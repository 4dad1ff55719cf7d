"""`spelar check-keys` as a process against venues that verify signatures: one request each, and nothing of a key anywhere."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.simulated_venues import (
    Accounts,
    Answer,
    Request,
    Scenario,
    SimKey,
    SimL2Key,
    SimulatedVenues,
    market_map,
)
from adapters.simulated_venues.accounts import CLOB_CLOSED_ONLY, CLOB_KEYS, FUTURES_CHECK, SPOT_INFO
from entrypoints.check_keys import Verdict, verdicts_on
from entrypoints.keys import read_keys
from entrypoints.settings import read_settings
from tests.entrypoints.processes import ROOT, environment, spelar, write_map


def secret(name: str) -> str:
    """A secret as long as a real one."""
    return base64.b64encode(f"canary-{name}-".encode().ljust(64, b"x")).decode()


SPOT = SimKey(key="canarySpotKey/+0123456789", secret=secret("spot"))
FUTURES = SimKey(key="canaryFuturesKey/+0123456789", secret=secret("futures"))
CLOB = SimL2Key(
    address="0x" + "ca" * 20,
    key="canary00-1111-2222-3333-444455556666",
    secret=base64.urlsafe_b64encode(b"\xfb\xef\xffcanary-clob-secret-32-bytes..").decode(),
    passphrase="canary" + "f" * 58,
)
GOOD = {
    "KRAKEN_API_KEY": SPOT.key,
    "KRAKEN_API_SECRET": SPOT.secret,
    "KRAKEN_FUTURES_API_KEY": FUTURES.key,
    "KRAKEN_FUTURES_API_SECRET": FUTURES.secret,
    "POLYMARKET_ADDRESS": CLOB.address,
    "POLYMARKET_API_KEY": CLOB.key,
    "POLYMARKET_API_SECRET": CLOB.secret,
    "POLYMARKET_API_PASSPHRASE": CLOB.passphrase,
}
WRONG = {"KRAKEN_API_KEY": "canaryWrongKey/+0123456789", "KRAKEN_API_SECRET": secret("wrong")}
ALL_SECRETS = {*GOOD.values(), *WRONG.values()}


def now_ms() -> int:
    """The time."""
    return time.time_ns() // 1_000_000


class Nothing:
    """A script that would notice any other question."""

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """No such path."""
        return Answer(404, {"error": "no such path"})


@contextmanager
def venues(spot: SimKey = SPOT, futures: SimKey = FUTURES, clob: SimL2Key = CLOB) -> Iterator[SimulatedVenues]:
    """Venues that know these keys."""
    with SimulatedVenues(Accounts(Nothing(), spot=(spot,), futures=(futures,), clob=(clob,)), now_ms) as server:
        yield server
        assert server.failures == []


def leaks(tmp_path: Path, *texts: str, values: Iterable[str] = ALL_SECRETS) -> list[str]:
    """Parts of keys, of eight letters or more, in these texts or in any file below the directory."""
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    parts = {value[i : i + 8] for value in values for i in range(len(value) - 7)}
    return [part for part in parts for text in (*texts, *files) if part in text]


def checked(
    tmp_path: Path, server: SimulatedVenues, keys: Mapping[str, str]
) -> tuple["subprocess.CompletedProcess[str]", dict[str, str]]:
    """One run, and its line for each venue; no part of a key is in what it wrote."""
    done = spelar(["check-keys"], environment(tmp_path, server.environment(), LOG_LEVEL="DEBUG", **keys))
    assert "Traceback" not in done.stderr
    assert leaks(tmp_path, done.stdout, done.stderr) == []
    lines = [line for line in done.stdout.splitlines() if " key: " in line]
    return done, {line.split()[1]: line for line in lines}


async def verdicts_of(base_urls: Mapping[str, str], keys: Mapping[str, str]) -> list[Verdict]:
    """The verdicts, without a process around them."""
    return [verdict async for verdict in verdicts_on(read_settings(base_urls), read_keys(keys))]


def only(name: str) -> dict[str, str]:
    """The good keys whose variables begin so, beside those of other venues."""
    return {variable: value for variable, value in GOOD.items() if variable.startswith(name)}


KRAKEN_SPOT = only("KRAKEN_API_")
FUTURES_KEYS = only("KRAKEN_FUTURES_")
LOCKOUT = "EGeneral:Temporary lockout"
DENIED = "EGeneral:Permission denied"

CASES: tuple[tuple[str, dict[str, str], SimKey, str, str], ...] = (
    ("good key", KRAKEN_SPOT, SPOT, "kraken_spot", "ok    kraken_spot key: works, and may only read"),
    ("wrong key", {**KRAKEN_SPOT, "KRAKEN_API_KEY": WRONG["KRAKEN_API_KEY"]}, SPOT, "kraken_spot", "wrong key"),
    ("wrong secret", {**KRAKEN_SPOT, "KRAKEN_API_SECRET": WRONG["KRAKEN_API_SECRET"]}, SPOT, "kraken_spot", "wrong secret"),
    (
        "key without permission",
        KRAKEN_SPOT,
        SimKey(key=SPOT.key, secret=SPOT.secret, refusal=DENIED),
        "kraken_spot",
        "the key is valid, but a permission is missing",
    ),
    (
        "spot key on futures",
        {"KRAKEN_FUTURES_API_KEY": SPOT.key, "KRAKEN_FUTURES_API_SECRET": SPOT.secret},
        SPOT,
        "kraken_futures",
        "Spot and futures keys are different keys",
    ),
    ("lockout", KRAKEN_SPOT, SimKey(key=SPOT.key, secret=SPOT.secret, refusal=LOCKOUT), "kraken_spot", "stop, wait"),
)


@pytest.mark.slow
def test_the_six_cases_have_six_messages_and_one_request_each(tmp_path: Path) -> None:
    """Good key, wrong key, wrong secret, key without permission, spot key on futures, lockout."""
    said = set()
    for name, keys, spot, venue, expected in CASES:
        with venues(spot=spot) as server:
            done, lines = checked(tmp_path, server, keys)
        assert expected in lines[venue], name
        assert done.returncode == (0 if name == "good key" else 1), name
        asked = ("kraken_spot", "POST", SPOT_INFO) if venue == "kraken_spot" else ("kraken_futures", "GET", FUTURES_CHECK)
        assert server.requests == [asked], name
        said.add(lines[venue])
    assert len(said) == len(CASES)


@pytest.mark.slow
def test_every_good_key_works_and_ends_with_zero(tmp_path: Path) -> None:
    """Polymarket is asked twice, about the key and about its account."""
    with venues() as server:
        done, lines = checked(tmp_path, server, GOOD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines["kraken_spot"].startswith("ok")
    assert lines["kraken_futures"] == "ok    kraken_futures key: works, and may only read"
    assert "cancel orders" in lines["polymarket"]
    assert server.requests == [
        ("kraken_spot", "POST", SPOT_INFO),
        ("kraken_futures", "GET", FUTURES_CHECK),
        ("clob", "GET", CLOB_KEYS),
        ("clob", "GET", CLOB_CLOSED_ONLY),
    ]


@pytest.mark.slow
def test_a_key_that_may_do_more_than_read_is_a_warning_that_names_it(tmp_path: Path) -> None:
    """It works, so the exit code is 0."""
    spot = SimKey(key=SPOT.key, secret=SPOT.secret, permissions=("query-funds", "withdraw-funds", "modify-trades"))
    futures = SimKey(key=FUTURES.key, secret=FUTURES.secret, general="FULL_ACCESS", transfer="FULL_ACCESS")
    with venues(spot=spot, futures=futures) as server:
        done, lines = checked(tmp_path, server, GOOD)
    assert done.returncode == 0
    assert lines["kraken_spot"].startswith("warn")
    for named in ("withdraw money (withdraw-funds)", "place and change orders (modify-trades)"):
        assert named in lines["kraken_spot"]
    assert "query-funds" not in lines["kraken_spot"]
    assert "trade (general: FULL_ACCESS), move money between wallets and out (transfer: FULL_ACCESS)" in lines["kraken_futures"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["KRAKEN_FUTURES_API_KEY", "KRAKEN_FUTURES_API_SECRET"])
def test_a_wrong_futures_key_cannot_be_told_from_a_wrong_secret(tmp_path: Path, name: str) -> None:
    """The text says so; the accounts are not asked afterwards."""
    with venues() as server:
        done, lines = checked(tmp_path, server, {**FUTURES_KEYS, name: WRONG["KRAKEN_API_SECRET"]})
    assert done.returncode == 1
    assert "does not tell them apart" in lines["kraken_futures"]
    assert server.requests == [("kraken_futures", "GET", FUTURES_CHECK)]


@pytest.mark.slow
def test_a_spot_key_that_is_also_set_for_futures_is_called_that(tmp_path: Path) -> None:
    """Here we know more than the venue says."""
    twice = {"KRAKEN_FUTURES_API_KEY": SPOT.key, "KRAKEN_FUTURES_API_SECRET": SPOT.secret}
    with venues() as server:
        done, lines = checked(tmp_path, server, {**KRAKEN_SPOT, **twice})
    assert done.returncode == 1
    assert lines["kraken_spot"].startswith("ok")
    assert "this is the key that is also set for spot" in lines["kraken_futures"]
    assert len(server.requests) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["POLYMARKET_ADDRESS", "POLYMARKET_API_KEY", "POLYMARKET_API_SECRET", "POLYMARKET_API_PASSPHRASE"]
)
def test_a_wrong_polymarket_value_is_refused_after_one_request(tmp_path: Path, name: str) -> None:
    """Whichever it is, the venue says the same."""
    with venues() as server:
        done, lines = checked(tmp_path, server, {**only("POLYMARKET_"), name: WRONG["KRAKEN_API_SECRET"]})
    assert done.returncode == 1
    assert "a wrong key, secret, passphrase or address" in lines["polymarket"]
    assert server.requests == [("clob", "GET", CLOB_KEYS)]


@pytest.mark.slow
def test_an_account_that_may_only_close_is_told(tmp_path: Path) -> None:
    """It is a note on a key that works."""
    closed = SimL2Key(address=CLOB.address, key=CLOB.key, secret=CLOB.secret, passphrase=CLOB.passphrase, closed_only=True)
    with venues(clob=closed) as server:
        done, lines = checked(tmp_path, server, only("POLYMARKET_"))
    assert done.returncode == 0
    assert "its account may only close positions" in lines["polymarket"]


OTHER_REFUSALS = (
    ("EAPI:Invalid nonce", "accountInactive"),
    ("EAPI:Rate limit exceeded", "apiLimitExceeded"),
    (DENIED, "insufficientPrivileges"),
    ("EService:Unavailable", "Unavailable"),
    ("EOrder:Something new", "somethingNew"),
)


@pytest.mark.parametrize(("spot", "futures"), OTHER_REFUSALS)
def test_every_other_refusal_is_a_clear_line(spot: str, futures: str) -> None:
    """After one request each."""
    refused = (
        SimKey(key=SPOT.key, secret=SPOT.secret, refusal=spot),
        SimKey(key=FUTURES.key, secret=FUTURES.secret, refusal=futures),
    )
    with venues(*refused) as server:
        verdicts = asyncio.run(verdicts_of(server.environment(), {**KRAKEN_SPOT, **FUTURES_KEYS}))
    assert [(verdict.word, verdict.passed) for verdict in verdicts] == [("FAIL", False), ("FAIL", False), ("none", True)]
    assert len({verdict.says for verdict in verdicts}) == 3
    assert len(server.requests) == 2


@pytest.mark.slow
def test_a_nonce_grows_from_run_to_run(tmp_path: Path) -> None:
    """The venue would refuse one that does not."""
    with venues() as server:
        for _ in range(2):
            assert checked(tmp_path, server, KRAKEN_SPOT)[0].returncode == 0


class Echoing:
    """A hostile venue: each answer repeats what was sent, in the places where a clear line could quote it."""

    def __init__(self, status: int, shape: str) -> None:
        """Nothing sent yet."""
        self._status, self._shape = status, shape
        self.sent: set[str] = set()

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """What was sent, back."""
        ours = {"api-key", "api-sign", "apikey", "authent", "poly_signature", "poly_api_key", "poly_passphrase", "poly_address"}
        values = [value for name, value in request.headers.items() if name in ours]
        self.sent.update(values)
        text = " ".join(values)
        shapes: dict[str, object] = {
            "html": f"<html>{text}</html>".encode(),
            "error": {"error": text},
            "errors": {"error": [f"EAPI:{text}", *values], "errors": [text]},
            "name": {"error": [], "result": {"api_key_name": text, "permissions": values}},
            "levels": {"accountUid": text, "permissions": {value: value for value in values}},
        }
        return Answer(self._status, shapes[self._shape])


@pytest.mark.parametrize("status", [200, 401, 500])
@pytest.mark.parametrize("shape", ["html", "error", "errors", "name", "levels"])
def test_nothing_that_was_sent_is_shown_when_a_venue_sends_it_back(tmp_path: Path, status: int, shape: str) -> None:
    """Whatever the answer looks like there is a line for each key, without any part of a key or of a signature."""
    script = Echoing(status, shape)
    with SimulatedVenues(script, now_ms) as server:
        verdicts = asyncio.run(verdicts_of(server.environment(), GOOD))
    shown = [f"{verdict} {verdict!r}" for verdict in verdicts]
    assert len(shown) == 3
    assert len(script.sent) >= 6
    assert leaks(tmp_path, *shown, values=script.sent | ALL_SECRETS) == []
    assert len(set(server.requests)) == len(server.requests)


@pytest.mark.slow
def test_venues_that_cannot_be_reached_say_nothing_about_a_key(tmp_path: Path) -> None:
    """A closed port."""
    with venues() as server:
        closed = {name: url.replace(server.origin, "http://127.0.0.1:9") for name, url in server.environment().items()}
    done = spelar(["check-keys"], environment(tmp_path, closed, **GOOD))
    assert done.returncode == 1
    assert done.stdout.count("connect_error") == 3
    assert done.stdout.count("this says nothing about the key") == 3
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.slow
def test_no_key_at_all_is_no_failure_and_says_how_to_set_one(tmp_path: Path) -> None:
    """And asks nobody."""
    with venues() as server:
        done, lines = checked(tmp_path, server, {})
    assert done.returncode == 0
    assert all("not set" in line for line in lines.values())
    assert len(lines) == 3
    assert all(name in done.stdout for name in ("KRAKEN_KEYS_PATH", "LoadCredential=kraken_api_key", *GOOD))
    assert server.requests == []


@pytest.mark.slow
def test_keys_from_a_file_work_and_a_file_that_others_can_read_ends_with_78(tmp_path: Path) -> None:
    """Nobody is asked before the file is in order."""
    path = tmp_path / "k/keys.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"kraken_spot": {"key": SPOT.key, "secret": SPOT.secret}}))
    path.chmod(0o644)
    with venues() as server:
        env = environment(tmp_path, server.environment(), KRAKEN_KEYS_PATH=str(path))
        exposed = spelar(["check-keys"], env)
        assert server.requests == []
        path.chmod(0o600)
        private = spelar(["check-keys"], env)
    assert (exposed.returncode, private.returncode) == (78, 0), exposed.stderr + private.stderr
    assert "chmod 600" in exposed.stderr
    path.unlink()
    assert leaks(tmp_path, exposed.stdout, exposed.stderr, private.stdout, private.stderr) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"KRAKEN_API_SECRET": SPOT.secret[:-1]}, "KRAKEN_API_SECRET is no whole base64 text"),
        ({"KRAKEN_API_SECRET": ""}, "KRAKEN_API_SECRET is missing"),
        ({"KRAKEN_API_KEY": f"{SPOT.key}\nX: y"}, "KRAKEN_API_KEY is no key"),
        ({"KRAKEN_API_SERCET": SPOT.secret}, "did you mean KRAKEN_API_SECRET?"),
        ({"KRAKEN_SPOT_BASE_URL": "http://api.example/0/public"}, "kraken_spot: its base URL is not https"),
    ],
)
def test_keys_that_cannot_be_used_end_with_78_and_one_line(tmp_path: Path, broken: dict[str, str], said: str) -> None:
    """Named, not shown, and sent to nobody."""
    with venues() as server:
        done = spelar(["check-keys"], {**environment(tmp_path, server.environment(), **KRAKEN_SPOT), **broken})
    assert done.returncode == 78
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert leaks(tmp_path, done.stdout, done.stderr) == []
    assert server.requests == []


@pytest.mark.slow
def test_nothing_of_a_key_is_in_the_traceback_of_a_crash(tmp_path: Path) -> None:
    """A full disk behind stdout, in the middle of the check."""
    with venues() as server, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "entrypoints.cli", "check-keys"],
            env=environment(tmp_path, server.environment(), LOG_LEVEL="DEBUG", **GOOD),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
    assert leaks(tmp_path, done.stderr) == []


@pytest.mark.slow
def test_the_daemon_does_not_look_at_keys(tmp_path: Path) -> None:
    """It runs with keys that are broken, and none is in its files, its ledger or its log."""
    scenario = Scenario(7, now_ms())
    broken = {**GOOD, "KRAKEN_API_SECRET": WRONG["KRAKEN_API_KEY"], "KRAKEN_KEYS_PATH": "/nowhere"}
    with SimulatedVenues(Accounts(scenario, spot=(SPOT,), futures=(FUTURES,), clob=(CLOB,)), now_ms) as server:
        path = write_map(tmp_path / "map.json", market_map(scenario))
        env = environment(tmp_path, server.environment(), MARKET_MAP_PATH=path, RUN_TICKS="3", LOG_LEVEL="DEBUG", **broken)
        done = spelar(["run"], env)
        private = [asked for asked in server.requests if "private" in asked[2] or "auth" in asked[2]]
    assert done.returncode == 0, done.stderr
    assert private == []
    assert "not a variable" not in done.stderr
    assert leaks(tmp_path, done.stdout, done.stderr) == []
