"""The log: loguru, configured once. To stderr, where systemd's journal keeps it, through one sink for everything.

The sink takes secrets out of the whole text, tracebacks included; values of variables never get into one. A record is one
line, whatever a market is called: what cannot be seen is escaped, and the lines of a traceback are indented, so that no name
can forge a line. Nor can a log that nobody reads any more stop the daemon. In the journal, which knows the time itself, every
line begins with its priority instead (sd-daemon(3)).
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from loguru import logger

from entrypoints.redaction import Redaction

if TYPE_CHECKING:
    from loguru import Message, Record

INDENT = "    | "
PATTERNS_ONLY = Redaction()
QUIET = ("httpx", "httpcore")
"""They log every URL at INFO."""


PRIORITIES = ((50, 2), (40, 3), (30, 4), (20, 6), (0, 7))
"""loguru's level, from which on, and what syslog calls it: critical, error, warning, information, debug."""

ERROR = 3


def configure_logging(level: str, redacted: Redaction = PATTERNS_ONLY, *, journal_stream: str = "") -> None:
    """Log from this level on; what other libraries log, from WARNING on. `redacted` knows the secrets of this process.

    `journal_stream` is systemd's JOURNAL_STREAM.
    """
    lines = _journal_lines if is_journal(journal_stream) else _lines
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers = [*(handler for handler in root.handlers if not isinstance(handler, _Forwarding)), _Forwarding()]

    def sink(message: "Message") -> None:
        tell("\n".join(lines(message.record, redacted)))

    logger.remove()
    logger.add(sink, level=level, format="{message}", diagnose=False, backtrace=False, catch=False)


def is_journal(journal_stream: str) -> bool:
    """Whether stderr is the stream that systemd names: `DEVICE:INODE`. Who inherited the variable may write elsewhere."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return False
    return journal_stream == f"{found.st_dev}:{found.st_ino}"


def prioritised(text: str, priority: int) -> str:
    """The text as the journal takes it: a priority before every line."""
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines())


def tell(text: str) -> None:
    """Say it on stderr, where nobody may read it any more: then it goes nowhere, and the exit code stays what it is."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        _to_nowhere(stream.fileno())
    except (OSError, ValueError):
        return


def _to_nowhere(descriptor: int) -> None:
    """What is still in the stream's buffer could not be written at the end either, and Python would exit with 120."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _lines(record: "Record", redacted: Redaction) -> Iterator[str]:
    at = record["time"].astimezone(UTC).isoformat(timespec="milliseconds")
    message, *others = _texts(record, redacted)
    yield f"{at} {record['level'].name} {message}"
    yield from others


def _journal_lines(record: "Record", redacted: Redaction) -> Iterator[str]:
    number = record["level"].no
    priority = next(priority for least, priority in PRIORITIES if number >= least)
    return (prioritised(text, priority) for text in _texts(record, redacted))


def _texts(record: "Record", redacted: Redaction) -> Iterator[str]:
    """The message, then the lines of its traceback."""
    yield _shown(redacted(record["message"]))
    if (error := record["exception"]) and error.value:
        for line in redacted("".join(traceback.format_exception(error.value))).splitlines():
            yield f"{INDENT}{_shown(line)}"


def _shown(text: str) -> str:
    """The text on one line, as it is read: what ends a line, turns its direction or cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


class _Forwarding(logging.Handler):
    """Hands the standard library's records to loguru: asyncio's, of tasks that died unseen, among them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(exception=record.exc_info).log(record.levelname, "{}: {}", record.name, record.getMessage())
