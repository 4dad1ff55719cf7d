"""Frames: what a venue was asked and what came, as a line of JSON. A superset of the frames file's own fields.

The body stands last in its line, spliced in as it came, so that reading it back gives the same bytes to parse. What a
played answer cannot need is not kept: a body that nobody read, or that is no JSON, leaves the word why.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.market import Moment

KEPT_HEADERS = ("Age", "Date", "Retry-After", "Content-Encoding")
"""The headers that decide how an answer is read."""

NOT_JSON = "not_json"
_BODY = b',"body":'
"""Where the body begins. The texts before it cannot hold these signs: in a JSON string the quotes are escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it. `tick` is the sequence of the tick that asked, None for the background.

    `path` has the query and is the venue's own, whatever prefix the base URL puts before it. `status` is None when no answer
    began; `error` says why there is no `content`: "late" (the tick's deadline), "timeout", "unread", "too_large", "not_json",
    or an exception of httpx with its text.
    """

    source: str
    method: str = "GET"
    path: str
    request: str = ""
    sent: Moment
    at: Moment
    tick: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    error: str = ""


def line_of(exchange: Exchange) -> bytes:
    """The frame as one line of JSON, without its end."""
    content, error = _spliced(exchange)
    head: dict[str, object] = {
        "t": exchange.at.at_ms,
        "elapsed": exchange.at.elapsed_ms,
        "sent": exchange.sent.at_ms,
        "sent_elapsed": exchange.sent.elapsed_ms,
        "source": exchange.source,
        "method": exchange.method,
        "path": exchange.path,
        "tick": exchange.tick,
        "request": exchange.request,
        "status": exchange.status,
        "headers": dict(exchange.headers),
        "error": error,
    }
    said = json.dumps({name: value for name, value in head.items() if value not in (None, "", {})}).encode()
    return said if content is None else said[:-1] + _BODY + content + b"}"


def exchange_of(line: bytes) -> Exchange:
    """The frame of a line. Raises `ValueError`, `KeyError` and `TypeError` for what is none."""
    head, has_body, rest = line.partition(_BODY)
    row = json.loads(head + b"}" if has_body else head)
    return Exchange(
        source=row["source"],
        method=row.get("method", "GET"),
        path=row["path"],
        request=row.get("request", ""),
        sent=Moment(at_ms=row["sent"], elapsed_ms=row["sent_elapsed"]),
        at=Moment(at_ms=row["t"], elapsed_ms=row["elapsed"]),
        tick=row.get("tick"),
        status=row.get("status"),
        headers=row.get("headers", {}),
        content=rest[:-1] if has_body else None,
        error=row.get("error", ""),
    )


def _spliced(exchange: Exchange) -> tuple[bytes | None, str]:
    """The body as it can stand in a line, or the reason why there is none.

    One that begins and ends as JSON does, in one line, is taken at its word: whoever reads it back parses it.
    """
    if exchange.content is None or exchange.error:
        return None, exchange.error or "unread"
    content = exchange.content.removeprefix(b"\xef\xbb\xbf")
    if content[:1] + content[-1:] in (b"{}", b"[]") and content.isascii() and b"\n" not in content and b"\r" not in content:
        return content, ""
    try:
        json.loads(content.decode())
    except (ValueError, RecursionError):
        return None, NOT_JSON
    # Between the tokens of JSON, where alone they can be, the ends of lines are only blanks.
    return content.replace(b"\n", b" ").replace(b"\r", b" "), ""
