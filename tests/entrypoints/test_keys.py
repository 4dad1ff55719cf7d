"""Keys are found in the first place that knows them, or refused in words that show nothing of them."""

import json
import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.keys.values import Keys, KeysInvalid
from entrypoints.keys import KEY_VARIABLES, VALUES, read_keys
from entrypoints.settings import Settings, SettingsInvalid, doubts, misspelt, read_settings

SECRET = "Y2FuYXJ5LXNlY3JldC1jYW5hcnktc2VjcmV0"
ENVIRONMENT = {
    "KRAKEN_API_KEY": "canary-spot",
    "KRAKEN_API_SECRET": SECRET,
    "KRAKEN_FUTURES_API_KEY": "canary-futures",
    "KRAKEN_FUTURES_API_SECRET": SECRET,
    "POLYMARKET_ADDRESS": "0x" + "c" * 40,
    "POLYMARKET_API_KEY": "canary-clob",
    "POLYMARKET_API_SECRET": SECRET,
    "POLYMARKET_API_PASSPHRASE": "canary-pass",
}


def spot_key(keys: Keys) -> str | None:
    """The spot key in clear."""
    return keys.kraken_spot.key.get_secret_value() if keys.kraken_spot else None


def key_file(path: Path, content: object, mode: int = 0o600) -> str:
    """Write a key file; its path as a variable's value."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(mode)
    return str(path)


def refusal(environment: dict[str, str]) -> str:
    """What an environment is refused with; no value of it is shown, not even in a traceback."""
    with pytest.raises(KeysInvalid) as refused:
        read_keys(environment)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "canary" not in shown
    assert SECRET[:12] not in shown
    return str(refused.value)


def test_every_value_is_read_from_its_variable() -> None:
    """And none shows itself."""
    keys = read_keys({**ENVIRONMENT, "HOME": "/nowhere"})
    assert sorted(keys.secrets()) == sorted(ENVIRONMENT.values())
    for shown in (repr(keys), str(keys), repr(keys.model_dump()), f"{keys.polymarket}"):
        assert "canary" not in shown
        assert SECRET not in shown
    assert ENVIRONMENT.keys() == {name for name, _ in VALUES.values()}


def test_an_error_of_the_model_itself_shows_no_value() -> None:
    """Not even when somebody prints it as it is."""
    with pytest.raises(ValidationError) as refused:
        Keys.model_validate(
            {"kraken_spot": {"key": "canary key", "secret": "canary", "more": "canary"}, "polymarket": "canary"}
        )
    assert refused.value.error_count() == 4
    assert "canary" not in str(refused.value)


def test_nothing_set_is_no_key() -> None:
    """Empty is not set."""
    assert read_keys({}) == read_keys(dict.fromkeys(KEY_VARIABLES, " ")) == Keys()


def test_a_venue_is_taken_whole_from_the_first_place_that_knows_it(tmp_path: Path) -> None:
    """The file before the credentials before the environment; each venue for itself."""
    path = key_file(tmp_path / "k.json", {"kraken_spot": {"key": "from-file", "secret": SECRET}, "polymarket": None})
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name, value in (("kraken_api_key", "from-credential"), ("kraken_futures_api_key", "from-credential\n")):
        (credentials / name).write_text(value)
    (credentials / "kraken_futures_api_secret").write_text(f"{SECRET}\n")
    keys = read_keys({**ENVIRONMENT, "KRAKEN_KEYS_PATH": path, "CREDENTIALS_DIRECTORY": str(credentials)})
    assert spot_key(keys) == "from-file"
    assert keys.kraken_futures is not None
    assert keys.kraken_futures.key.get_secret_value() == "from-credential"
    assert keys.polymarket is not None
    assert keys.polymarket.key.get_secret_value() == "canary-clob"


def test_a_flat_file_is_a_spot_key(tmp_path: Path) -> None:
    """As many have it."""
    path = key_file(tmp_path / "k.json", {"key": "flat", "secret": SECRET})
    assert spot_key(read_keys({"KRAKEN_KEYS_PATH": path})) == "flat"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """And the cure is said."""
    path = key_file(tmp_path / "k.json", {"key": "canary", "secret": SECRET}, mode)
    said = refusal({"KRAKEN_KEYS_PATH": path})
    assert f"mode 0{mode:o}" in said
    assert f"chmod 600 {path}" in said


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_its_owner_may_use_will_do(tmp_path: Path, mode: int) -> None:
    """Writable or not."""
    path = key_file(tmp_path / "k.json", {"key": "mine", "secret": SECRET}, mode)
    assert spot_key(read_keys({"KRAKEN_KEYS_PATH": path})) == "mine"


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    """Whoever owns it may read it and exchange it."""
    path = Path(key_file(tmp_path / "k.json", {"key": "canary", "secret": SECRET}))
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        path = Path("/etc/passwd")
    assert "belongs to uid" in refusal({"KRAKEN_KEYS_PATH": str(path)})


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    """A directory, and a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "cannot be read" in refusal({"KRAKEN_KEYS_PATH": str(tmp_path)})
    assert "no plain file" in refusal({"KRAKEN_KEYS_PATH": str(tmp_path / "pipe")})


def test_a_secret_in_the_place_of_a_path_is_not_shown() -> None:
    """The variable is named instead."""
    assert refusal({"KRAKEN_KEYS_PATH": f"canary{SECRET}"}).startswith("KRAKEN_KEYS_PATH: ")
    assert refusal({"KRAKEN_KEYS_PATH": "canary\0"}).startswith("KRAKEN_KEYS_PATH: ")


WRONG_FILES = (
    ("canary", "is no JSON, line 1, column 1"),
    ('{"key": "canary",}', "is no JSON, line 1, column"),
    ('{"key": "canary", "key": "canary2"}', "is no JSON"),
    ('["canary"]', "must hold"),
    ({"kraken_spot": {"key": "canary"}}, "kraken_spot.secret is missing"),
    ({"key": "canary"}, "secret is missing"),
    ({"kraken_spot": {"key": "canary", "secret": SECRET, "keyy": "canary"}}, "kraken_spot.keyy is no name of this file"),
    ({"kraken": {"key": "canary", "secret": SECRET}}, "kraken is no name of this file"),
    ({"kraken": None}, "kraken is no name of this file"),
    ({f"canary{SECRET}": SECRET}, "(a name of 42 letters) is no name of this file"),
    ({"kraken_spot": f"canary{SECRET}"}, "kraken_spot Input should be"),
    ({"kraken_spot": {"key": 17, "secret": SECRET}}, "kraken_spot.key Input should be a valid string"),
    ({"kraken_spot": {"key": "", "secret": SECRET}}, "kraken_spot.key is empty"),
    ({"kraken_spot": {"key": "canary key", "secret": SECRET}}, "kraken_spot.key is no key"),
    ({"kraken_futures": {"key": "canary", "secret": "canary!"}}, "kraken_futures.secret is no whole base64 text"),
    ({"polymarket": {"key": "canary", "secret": SECRET}}, "polymarket.address is missing"),
)


@pytest.mark.parametrize(("content", "said"), WRONG_FILES)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, content: object, said: str) -> None:
    """The path, the name in it, and no value."""
    path = key_file(tmp_path / "k.json", content)
    text = refusal({"KRAKEN_KEYS_PATH": path})
    assert text.startswith(f"{path}: ")
    assert said in text


def test_every_mistake_in_the_environment_is_named_at_once() -> None:
    """By its variable."""
    broken = {
        **ENVIRONMENT,
        "KRAKEN_API_SECRET": "canary===",
        "POLYMARKET_API_SECRET": "canary*",
        "KRAKEN_FUTURES_API_SECRET": "",
    }
    broken["POLYMARKET_API_PASSPHRASE"] = "canary\nInjected: header"
    assert [line.split()[0] for line in refusal(broken).splitlines()] == [
        "KRAKEN_API_SECRET",
        "KRAKEN_FUTURES_API_SECRET",
        "POLYMARKET_API_SECRET",
        "POLYMARKET_API_PASSPHRASE",
    ]


def test_a_broken_credential_is_named_as_systemd_names_it(tmp_path: Path) -> None:
    """In small letters."""
    (tmp_path / "kraken_api_key").write_text("canary")
    said = refusal({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert said == "credential kraken_api_secret is missing, and the rest of this key is there"
    (tmp_path / "kraken_api_secret").write_bytes(b"\xff\xfe")
    assert "kraken_api_secret cannot be read" in refusal({"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_a_directory_that_holds_none_of_our_credentials_is_as_good_as_none(tmp_path: Path) -> None:
    """Other services have credentials too."""
    assert read_keys({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == Keys()
    assert read_keys({"CREDENTIALS_DIRECTORY": str(tmp_path / "nowhere")}) == Keys()


def test_key_variables_are_known_and_are_no_settings() -> None:
    """No warning, no misspelling, and nothing in force."""
    environment = {**ENVIRONMENT, "KRAKEN_KEYS_PATH": "/nowhere"}
    settings = read_settings(environment)
    assert doubts(environment, settings) == []
    assert settings == Settings()
    assert not settings.in_force().keys() & KEY_VARIABLES.keys()
    assert "canary" not in repr(settings) + str(settings.in_force())


@pytest.mark.parametrize(
    ("typo", "meant"), [("KRAKEN_API_SERCET", "KRAKEN_API_SECRET"), ("KRAKEN_KEY_PATH", "KRAKEN_KEYS_PATH")]
)
def test_a_misspelt_key_variable_is_an_error_that_does_not_show_it(typo: str, meant: str) -> None:
    """It says which was meant."""
    assert misspelt({typo: "canary"}) == [(typo, meant)]
    with pytest.raises(SettingsInvalid) as refused:
        read_settings({typo: "canary"})
    assert str(refused.value) == f"{typo}: unknown variable; did you mean {meant}?"


def test_what_a_venue_sends_back_is_redacted() -> None:
    """Each value, the longest first."""
    text = read_keys(ENVIRONMENT).redacted(f"you sent canary-spot and {SECRET}, canary-futures too")
    assert text == "you sent *** and ***, *** too"
