"""An env file that is given to a command says what it says to systemd, or is refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from entrypoints.cli import app, exit_code_for
from entrypoints.env_file import read_env_file
from entrypoints.settings import SettingsInvalid
from tests.documents import ENV_EXAMPLE


def written(tmp_path: Path, text: str) -> Path:
    """A file with this text, byte for byte."""
    path = tmp_path / "agent.env"
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.fixture
def _own_environment() -> Iterator[None]:
    """What a command does to its process's environment ends with the test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def checked(path: Path, scope: str) -> tuple[int, str]:
    """Exit code and output of `spelar --env-file PATH check --scope SCOPE`."""
    result = CliRunner().invoke(app, ["--env-file", str(path), "check", "--scope", scope])
    if isinstance(result.exception, Exception):
        return exit_code_for(result.exception), str(result.exception)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("# A=1\n; B=2\n\n  C=3\r\n", {"C": "3"}),
        ("A='a b'\nB=\"c 'd'\"\n", {"A": "a b", "B": "c 'd'"}),
        ("A=\nB=''\nA=2", {"A": "2", "B": ""}),
        ("A=don't\nB=x=y#z\n", {"A": "don't", "B": "x=y#z"}),
    ],
)
def test_a_line_is_read_as_systemd_reads_it(tmp_path: Path, text: str, found: dict[str, str]) -> None:
    """Comments, blanks, quotes, Windows' line ends, and the last of two."""
    assert read_env_file(written(tmp_path, text)) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nSTRATEGY\n", 2),
        ("A=one\\\ntwo\n", 1),
        ("A='sesame\n", 1),
        ("A='sesame' too\n", 1),
        ("\ufeffA=1\n", 1),
        ("export A=1\n", 1),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_by_its_line_and_not_quoted(tmp_path: Path, text: str, line: int) -> None:
    """Escapes, open quotes, a byte order mark, shell syntax."""
    with pytest.raises(SettingsInvalid, match=f"line {line}:") as refused:
        read_env_file(written(tmp_path, text))
    assert "sesame" not in str(refused.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(SettingsInvalid, match=r"nowhere\.env: cannot be read"):
        read_env_file(tmp_path / "nowhere.env")
    (tmp_path / "picture.env").write_bytes(b"\x89PNG\xff")
    with pytest.raises(SettingsInvalid, match=r"picture\.env: is no text"):
        read_env_file(tmp_path / "picture.env")


@pytest.mark.usefixtures("_own_environment")
def test_a_file_takes_the_place_of_the_environments_settings(tmp_path: Path) -> None:
    """What is set around it does not mix with it."""
    os.environ["STRATEGY_MODE"] = "nonsense"
    assert checked(ENV_EXAMPLE, "settings") == (0, "ok    configuration: lead_lag, paper\n")
    code, said = checked(written(tmp_path, "INTERVAL_S=soon\nPM_FEES=some\n"), "settings")
    assert code == 78
    assert "INTERVAL_S" in said
    assert "PM_FEES" in said


@pytest.mark.usefixtures("_own_environment")
def test_a_check_of_the_files_reads_the_map_and_the_baseline_and_asks_nobody(tmp_path: Path) -> None:
    """The venues' addresses lead nowhere."""
    (tmp_path / "map.json").write_text('{"version": 1, "markets": [{"name": "a", "polymarket": {"market_slug": "a"}}]}')
    (tmp_path / "draws.csv").write_text("slug,draw_prob\na,0.3\n")
    nowhere = "POLYMARKET_CLOB_BASE_URL=http://127.0.0.1:1\nPOLYMARKET_GAMMA_BASE_URL=http://127.0.0.1:1\n"
    text = f"{nowhere}MARKET_MAP_PATH={tmp_path}/map.json\nPM_DRAW_BASELINE_FILE={tmp_path}/draws.csv\n"
    code, said = checked(written(tmp_path, text), "files")
    assert (code, said.count("ok ")) == (0, 3), said
    for name in ("draws.csv", "map.json"):
        (tmp_path / name).unlink()
        code, said = checked(written(tmp_path, text), "files")
        assert code == 78
        assert name in said
