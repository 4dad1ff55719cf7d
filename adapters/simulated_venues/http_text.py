"""Between HTTP's text and the venues' terms, in pure functions: a target becomes a request, an answer becomes bytes."""

from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.simulated_venues.wire import Answer, Request

PREFIXES = {"/clob": "clob", "/gamma": "gamma", "/kraken": "kraken_spot", "/futures": "kraken_futures"}
"""The first part of our paths, which is cut off, and the venue that the rest belongs to."""


def request_of(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[str, Request]:
    """The venue that `target` belongs to ("unknown" if none) and the request in that venue's own terms."""
    parts = urlsplit(target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    lowered = {name.lower(): value for name, value in headers.items()}
    path = unquote(parts.path)
    prefix, rest = f"/{path[1:].partition('/')[0]}", path[1:].partition("/")[2]
    venue = PREFIXES.get(prefix)
    return venue or "unknown", Request(method, f"/{rest}" if venue else path, query, body, lowered)


def serialised(answer: Answer, now_ms: int, *, keep_alive: bool) -> bytes:
    """`answer` as the bytes of one HTTP/1.1 response; its `Date` is the playing time."""
    content = answer.content
    headers = {
        "Date": formatdate(now_ms / 1000, usegmt=True),
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "Connection": "keep-alive" if keep_alive else "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} {phrase(answer.status)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def phrase(status: int) -> str:
    """HTTP's own words for `status`."""
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
