"""Secrets on disk: a file that nobody else may read, and systemd's credentials directory."""

import json
import os
import stat
from pathlib import Path

from adapters.keys.values import KeysInvalid
from adapters.wire_numbers import strict_json

SIZE_LIMIT = 64 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key_file(path: Path) -> object:
    """The JSON of a key file. Raises `KeysInvalid` unless it is a plain file of ours that only we may use, with JSON in it.

    The checks are made on the file that was opened, so that it cannot be exchanged between check and reading.
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            _refuse_exposed(path, os.fstat(file.fileno()))
            content = file.read(SIZE_LIMIT)
    except (OSError, ValueError) as error:
        raise KeysInvalid(f"KRAKEN_KEYS_PATH: the file cannot be read ({_reason(error)})") from None
    try:
        return strict_json(content)
    except ValueError as error:
        where = f", line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise KeysInvalid(f"{path}: is no JSON{where}") from None


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeysInvalid(f"{path}: is no plain file")
    if not hasattr(os, "geteuid"):  # Windows guards files otherwise.
        return
    if status.st_uid != os.geteuid():
        raise KeysInvalid(f"{path}: belongs to uid {status.st_uid}, not to uid {os.geteuid()} who reads it: keep your own copy")
    if status.st_mode & OTHERS:
        raise KeysInvalid(f"{path}: others may use it (mode {stat.S_IMODE(status.st_mode):04o}): chmod 600 {path}")


def read_credential(directory: Path, name: str) -> str | None:
    """One credential without the blanks around it, None when there is none. Raises `KeysInvalid`.

    systemd guards the directory (LoadCredential=), with modes of its own that are therefore not judged.
    """
    try:
        with (directory / name).open("rb") as file:
            return file.read(SIZE_LIMIT).decode().strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeysInvalid(f"the credential {name} cannot be read ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
