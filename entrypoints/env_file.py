"""An env file, as systemd's `EnvironmentFile=` reads it: NAME=VALUE a line, for commands that are typed by hand.

What systemd would read in two ways, or not at all, is refused: values of several lines, escapes, a mark before the first line.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from entrypoints.settings import SettingsInvalid

_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTES = ("'", '"')


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of the file; the last of several lines with one name wins. Raises `SettingsInvalid` naming every bad line.

    No value is quoted in an error: it may be a secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{path}: is no text in UTF-8") from None
    except OSError as error:
        raise SettingsInvalid(f"{path}: cannot be read ({error.strerror or error})") from None
    found: dict[str, str] = {}
    mistakes = []
    for number, line in _assignments(text):
        match = _LINE.fullmatch(line)
        mistake = _mistake(match[2]) if match else "is no NAME=VALUE"
        if mistake:
            mistakes.append(f"{path}, line {number}: {mistake}")
        elif match:
            found[match[1]] = _bare(match[2])
    if mistakes:
        raise SettingsInvalid("\n".join(mistakes))
    return found


def _assignments(text: str) -> Iterator[tuple[int, str]]:
    """Each line that says something, with its number, without the blanks around it."""
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip(" \t\r")
        if bare and bare[0] not in "#;":
            yield number, bare


def _mistake(value: str) -> str:
    """Why systemd and this reader could read a value in two ways; empty when they cannot."""
    if "\\" in value:
        return "a backslash is read as an escape: write the value without it"
    if value[:1] in _QUOTES and not 0 < value.find(value[0], 1) == len(value) - 1:
        return "the quote that begins the value does not end it"
    return ""


def _bare(value: str) -> str:
    return value[1:-1] if value[:1] in _QUOTES else value
