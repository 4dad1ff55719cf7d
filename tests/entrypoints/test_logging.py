"""The log keeps secrets out of every text, makes a record one line, and never stops the daemon."""

import ast
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger

from adapters.keys.values import Keys
from adapters.notifications import AddressesInvalid
from domain.ledger import LawBroken
from domain.ports import Unavailable
from entrypoints.cli import exit_code_for, main
from entrypoints.keys import VALUES
from entrypoints.logging import configure_logging, tell
from entrypoints.redaction import Redaction, secrets_of_addresses
from tests.test_architecture import nodes

ROOT = Path(__file__).resolve().parents[2]

CANARY = 'CaNaRy/+"\\key=='
"""A secret with everything that a URL, JSON or Python would spell otherwise."""

WALLET = f"0x{'ab12' * 16}"
BARE = "c0ffee" * 10 + "beef"
NAMED = "hunter2hunter2"

HOSTILE = "BTC\n2026-01-01T00:00:00.000+00:00 INFO sold everything\r\u2028\u202egnp.exe{evil}\x1b[31m\ud800"
"""A market's name that would like to be a line of the log, another direction, a colour and a format."""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The log is the process's: put it back as it was."""
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers = handlers
    logger.remove()
    logger.add(sys.stderr)


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was said on stderr since the last look, by a log that knows the canary."""
    configure_logging("DEBUG", Redaction.of([CANARY]))
    return lambda: capsys.readouterr().err


def clean(text: str) -> bool:
    """Whether none of the secrets is in a text, however spelt."""
    spelt = (CANARY, quote(CANARY), quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1], WALLET, BARE, NAMED)
    return not any(each in text for each in (*spelt, "CaNaRy"))


ADDRESSES = {
    "json://user:hunter2hunter2@example.com/tokentoken?x=1&token=abcdefghij": {"hunter2hunter2", "tokentoken", "abcdefghij"},
    "tgram://123456789:AAEabcdefgh/12345/": {"123456789", "AAEabcdefgh"},
    "mailto://me%40x.org:pass%2Fword1@smtp.example.org": {"me%40x.org", "me@x.org", "pass%2Fword1", "pass/word1"},
    "discord://webhookid123/webhook.token": {"webhookid123", "webhook.token"},
    "ntfy://localhost/": set(),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_parts_of_an_address_that_may_be_tokens_are_secret_and_its_host_is_not(address: str) -> None:
    """A library that complains of one quotes a part of it."""
    assert set(secrets_of_addresses(f" {address}  ")) == {address, *ADDRESSES[address]}


LEAKS = (
    CANARY,
    f"GET https://example.test/?key={quote(CANARY, safe='')}",
    json.dumps({"apiKey": CANARY, "other": 1}),
    repr([CANARY]),
    f"wallet {WALLET}",
    f"private {BARE}",
    f"secret={NAMED}",
    f"GET https://me:{NAMED}@example.test/",
    f"'passphrase': '{NAMED}'",
    f'"api_key": "{NAMED}"',
    f"Authorization: Bearer {NAMED}",
    f"AUTHORIZATION = {NAMED}",
    json.dumps(json.dumps({"secret": NAMED})),
)


@pytest.mark.parametrize("text", LEAKS)
def test_no_secret_is_logged(log: Callable[[], str], text: str) -> None:
    """Neither in a message, nor in an argument, nor in what another library says."""
    logger.info("{}", text)
    logging.getLogger("some.library").error("%s", text)
    said = log()
    assert said.count("***") >= 2
    assert clean(said)


@pytest.mark.parametrize("text", LEAKS)
def test_no_secret_is_in_a_traceback(log: Callable[[], str], text: str) -> None:
    """Of an exception, of its cause, of a note on it; and no value of a variable is ever shown."""
    hidden = f"local {text}"
    try:
        try:
            raise ValueError(text)
        except ValueError as cause:
            error = Unavailable("venue", "kind", text)
            error.add_note(text)
            raise error from cause
    except Unavailable:
        logger.opt(exception=True).error("the tick failed: {}", "Unavailable")
    said = log()
    assert "Traceback" in said
    assert "Unavailable" in said
    assert clean(said)
    assert len(hidden) > len(text)
    assert "local " not in said.replace("most recent call last", "")


def test_numbers_and_names_that_are_no_secrets_stay(log: Callable[[], str]) -> None:
    """Token ids, amounts, markets, short hexadecimal numbers, words that begin like a secret's."""
    texts = ("7" * 77, "filled 10 of 12.5 at 0.51", "the monkeys keyed in", "0xdeadbeef", "Köln gegen Augsburg")
    for text in texts:
        logger.info("{}", text)
    said = log()
    assert [text for text in texts if text not in said] == []
    assert "***" not in said


def test_a_record_is_one_line_whatever_a_market_is_called(log: Callable[[], str]) -> None:
    """Nobody forges a line, turns the text around, colours it or makes the format fail."""
    logger.info("bought {}", HOSTILE)
    (line,) = log().splitlines()
    assert line.isprintable()
    assert " INFO bought BTC\\n2026-01-01" in line
    assert "{evil}" in line


def test_a_traceback_cannot_forge_a_line_either(log: Callable[[], str]) -> None:
    """Its lines are indented, all of them."""
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.opt(exception=True).error("the tick failed: {}", "ValueError")
    first, *others = log().splitlines()
    assert first.endswith("ERROR the tick failed: ValueError")
    assert len(others) > 3
    assert all(line.startswith("    | ") and line.isprintable() for line in others)


def test_times_are_utc(log: Callable[[], str]) -> None:
    """Whatever the machine's zone is."""
    logger.info("now")
    assert log().split(" ")[0].endswith("+00:00")


@contextmanager
def journal(path: Path) -> Iterator[None]:
    """A stderr that is a file of its own, and a log that takes it for the journal."""
    with path.open("w", encoding="utf-8") as stream, redirect_stderr(stream):
        found = os.fstat(stream.fileno())
        configure_logging("DEBUG", Redaction.of([CANARY]), journal_stream=f"{found.st_dev}:{found.st_ino}")
        yield


def test_the_journal_gets_priorities_and_no_times(tmp_path: Path) -> None:
    """Syslog's numbers; what is secret stays out of it."""
    with journal(tmp_path / "journal"):
        for level in ("DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"):
            logger.log(level, "{} {}", level.lower(), CANARY)
        logging.getLogger("some.library").warning("%s", "library")
    assert (tmp_path / "journal").read_text().splitlines() == [
        "<7>debug ***",
        "<6>info ***",
        "<6>success ***",
        "<4>warning ***",
        "<3>error ***",
        "<2>critical ***",
        "<4>some.library: library",
    ]


def test_every_line_of_a_traceback_has_the_priority(tmp_path: Path) -> None:
    """A line without one would be information; no name can forge one."""
    with journal(tmp_path / "journal"):
        try:
            raise ValueError("\n<0>the house is on fire")
        except ValueError:
            logger.opt(exception=True).error("the tick failed: {}", "ValueError")
    first, *others = (tmp_path / "journal").read_text().splitlines()
    assert first == "<3>the tick failed: ValueError"
    assert len(others) >= 3
    assert all(line.startswith("<3>    | ") for line in others)


def test_what_ended_a_command_is_an_error_in_the_journal_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of a text that is no record of the log."""
    with journal(tmp_path / "journal"):
        found = os.fstat(sys.stderr.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert exit_code_for(AddressesInvalid("NOTIFY_URLS: one\ntwo")) == 78
    assert (tmp_path / "journal").read_text().splitlines() == ["<3>NOTIFY_URLS: one", "<3>two"]


@pytest.mark.parametrize("named", ["", "1:2", "x", ":"])
def test_a_stream_that_is_not_the_journal_is_written_as_ever(capfd: pytest.CaptureFixture[str], named: str) -> None:
    """A shell in a unit inherits the variable and not the stream."""
    configure_logging("INFO", journal_stream=named)
    logger.info("now")
    assert capfd.readouterr().err.endswith("+00:00 INFO now\n")


@settings(max_examples=25)
@given(text=st.text(max_size=20), secret=st.text(alphabet="aB3/+=%\\\"'", min_size=8, max_size=20))
def test_what_is_known_is_gone_from_any_text(text: str, secret: str) -> None:
    """Around, before and after it may stand what will."""
    redacted = Redaction.of([secret]).known(f"{text}{secret}{text}")
    assert secret not in redacted


def test_urls_are_not_logged(log: Callable[[], str]) -> None:
    """httpx and its connections speak from WARNING on."""
    logging.getLogger("httpx").info("HTTP Request: GET https://example.test/?a=1")
    logging.getLogger("httpcore.connection").info("connect_tcp.started host='example.test'")
    assert log() == ""


def test_a_reader_that_has_gone_stops_nothing() -> None:
    """What is said goes nowhere from then on, and the stream can still be flushed."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, redirect_stderr(stream):
        tell("one")
        tell("two")
        stream.flush()


@pytest.mark.parametrize("stream", ["closed", "none"])
def test_a_stream_that_is_not_there_stops_nothing(stream: str) -> None:
    """Closed before, or never opened."""
    gone = io.StringIO()
    gone.close()
    with redirect_stderr(gone if stream == "closed" else None):
        tell("one")


def test_a_defect_of_a_command_shows_no_secret(log: Callable[[], str]) -> None:
    """Python's own traceback would: it ends with 1, and with ours."""
    assert exit_code_for(ValueError(CANARY)) == 1
    said = log()
    assert "CRITICAL a defect ended the command: ValueError" in said
    assert clean(said)


def test_what_is_wrong_with_a_setting_shows_no_known_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that was pasted into the wrong line; the rest of the message stays readable."""
    monkeypatch.setenv("POLYMARKET_API_KEY", CANARY)
    monkeypatch.setenv("INTERVAL_S", CANARY)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 78
    said = capsys.readouterr().err
    assert "INTERVAL_S=" in said
    assert clean(said)


def test_pydantic_and_repr_show_no_key() -> None:
    """Nor does a refusal of one, with the input beside it."""
    keys = Keys.model_validate({"kraken_spot": {"key": "CaNaRy-key-0123", "secret": "Q2FOYVJ5LXNlY3JldA=="}})
    with pytest.raises(ValueError, match="no key") as refused:
        Keys.model_validate({"kraken_spot": {"key": "CaNaRy key", "secret": "CaNaRy"}})
    for text in (repr(keys), str(keys), f"{keys.kraken_spot}", keys.model_dump_json(), str(refused.value), repr(refused.value)):
        assert "CaNaRy" not in text
        assert "Q2FOYVJ5" not in text


def test_every_key_of_the_environment_is_known(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The register of variables says which they are; a new one is known by itself."""
    for name, _ in VALUES.values():
        monkeypatch.setenv(name, f"CaNaRy-{name}")
    assert exit_code_for(LawBroken(" ".join(f"CaNaRy-{name}" for name, _ in VALUES.values()))) == 65
    said = capsys.readouterr().err
    assert said.startswith(" ".join("***" for _ in VALUES))
    assert clean(said)


LEVELS = frozenset({"trace", "debug", "info", "success", "warning", "error", "critical", "exception"})


def variable_formats(source: str) -> list[int]:
    """The lines on which a log's text is made of more than a constant and its arguments."""
    return [
        node.lineno
        for node in nodes(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in LEVELS and _is_logger(node.func.value))
        and (node.keywords or not (node.args and isinstance(node.args[0], ast.Constant)))
    ]


def _is_logger(node: ast.expr) -> bool:
    """`logger`, or `logger.opt(..)`, `logger.bind(..)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _is_logger(node.func.value)
    return isinstance(node, ast.Name) and node.id == "logger"


def _sources() -> Mapping[str, str]:
    folders = ("adapters", "domain", "entrypoints", "vps", "scripts")
    found = {str(path.relative_to(ROOT)): path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")}
    return {path: source for path, source in found.items() if "logger" in source}


def test_every_format_of_the_log_is_constant() -> None:
    """A name with braces in it would be a format, and fail or tell."""
    assert {path: lines for path, source in _sources().items() if (lines := variable_formats(source))} == {}
    assert len(_sources()) >= 5


@pytest.mark.parametrize(
    "call",
    [
        'logger.info(f"bought {name}")',
        'logger.warning("a" + name)',
        "logger.error(name)",
        'logger.opt(exception=True).error("{}".format(name))',
        'logger.info("{name}", name=name)',
        "logger.info()",
    ],
)
def test_a_format_that_varies_is_complained_about(call: str) -> None:
    """Also behind `opt`."""
    assert variable_formats(call) == [1]
    assert variable_formats('logger.info("{} at {}", name, price)') == []
