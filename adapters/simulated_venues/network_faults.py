"""Faults of hosts and lines: connections that break, statuses, encodings, bodies that are no JSON or no answer."""

import gzip
import re
from collections.abc import Callable
from functools import cache

from adapters.simulated_venues.spoiling import Asked, Fault, Spoil, everything, instead, rewritten
from adapters.simulated_venues.wire import Answer, Manner, Request

HTML = {"Content-Type": "text/html; charset=UTF-8"}
GZIP = {"Content-Encoding": "gzip"}
TRAP = "/trap"
"""Where redirects lead: nobody may ever ask there."""

_MEGABYTE = 1_000_000
_HUGE, _BOMB = 32, 200
"""Megabytes: of a body as it is, and of one that unpacks to it."""

_FIRST_KEY = re.compile(rb'\{("[^"\\]+":)')


def _html(title: str) -> bytes:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()


def _leaving(manner: Manner) -> Fault:
    return Fault(applies=everything, spoil=lambda true, asked: Answer(true.status, true.content, true.headers, manner))


def _always(answer: Answer) -> Fault:
    return Fault(applies=everything, spoil=instead(answer))


def _body(change: Callable[[bytes], bytes], *, believable: bool = False) -> Fault:
    return Fault(applies=everything, spoil=rewritten(change), believable=believable)


def _with_member(member: bytes) -> Callable[[bytes], bytes]:
    """The body with one more member in its first object; a body without an object becomes one."""
    return lambda body: body.replace(b"{", b"{" + member + b",", 1) if b'{"' in body else b"{" + member + b"}"


def _doubled_key(body: bytes) -> bytes:
    return _FIRST_KEY.sub(rb"{\1null,\1", body, count=1) if _FIRST_KEY.search(body) else b'{"a":1,"a":1}'


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * _MEGABYTE, compresslevel=9) * _BOMB


@cache
def _huge() -> bytes:
    return b"[" + b" " * _MEGABYTE * _HUGE + b"]"


def _many_headers(true: Answer, asked: Asked) -> Answer:
    return Answer(true.status, true.content, {**true.headers, **{f"X-Flood-{n}": "x" * 60 for n in range(60)}})


def _redirect(to: Callable[[Asked], str]) -> Fault:
    def spoil(true: Answer, asked: Asked) -> Answer:
        return Answer(302, b"", {"Location": to(asked)})

    return Fault(applies=everything, spoil=spoil)


def _late(build: Callable[[], Answer]) -> Spoil:
    return lambda true, asked: build()


def _own_path(asked: Asked) -> str:
    return asked.request.path


def _json_answers(venue: str, request: Request) -> bool:
    """All but the CLOB's clock, whose body is one number."""
    return request.path != "/time"


NETWORK: dict[str, Fault] = {
    "hang": _leaving(Manner.HANG),
    "down": _leaving(Manner.DOWN),
    "slow_body": _leaving(Manner.DRIP_BODY),
    "drip_header": _leaving(Manner.DRIP_HEADER),
    "reset": _leaving(Manner.RESET),
    "close": _leaving(Manner.CLOSE),
    "truncated": _leaving(Manner.CUT),
    "garbage": _leaving(Manner.GARBAGE),
    "trunc_json": _body(lambda body: body[: len(body) // 2] or b"["),
    "gzip_bomb": Fault(applies=everything, spoil=_late(lambda: Answer(200, _bomb(), GZIP))),
    "bad_gzip": Fault(applies=everything, spoil=rewritten(lambda body: b"\x1f\x8b\x08\x00" + body, Content_Encoding="gzip")),
    "bad_utf8": _body(lambda body: body.replace(b'":', b'\xff":', 1) if b'":' in body else b"\xff" + body),
    "bom": _body(lambda body: b"\xef\xbb\xbf" + body, believable=True),
    "html200": _always(Answer(200, _html("Just a moment..."), HTML)),
    "empty200": _always(Answer(200, b"")),
    "s429_ra": _always(Answer(429, _html("429 Too Many Requests"), {**HTML, "Retry-After": "10"})),
    "s429": _always(Answer(429, {"error": "Too Many Requests"}, {"Retry-After": "86400"})),
    "s429_html": _always(Answer(429, b"error code: 1015", HTML)),
    "s500": _always(Answer(500, {"error": "could not fulfil the request"})),
    "s502_html": _always(Answer(502, _html("502 Bad Gateway"), HTML)),
    "s503": _always(Answer(503, b"upstream connect error", {"Content-Type": "text/plain"})),
    "s425": _always(Answer(425, b"service not ready", {"Content-Type": "text/plain"})),
    "redirect": _redirect(lambda asked: TRAP),
    "redirect_loop": _redirect(_own_path),
    "header_flood": Fault(applies=everything, spoil=_many_headers, believable=True),
    "huge_body": Fault(applies=everything, spoil=_late(lambda: Answer(200, _huge()))),
    "deep_json": _always(Answer(200, b"[" * 100_000 + b"]" * 100_000)),
    "huge_int": _body(_with_member(b'"sequence":' + b"7" * 6_000)),
    "err200": _always(Answer(200, {"error": "internal server error"})),
    "null_json": Fault(applies=_json_answers, spoil=instead(Answer(200, b"null"))),
    "list_json": Fault(applies=_json_answers, spoil=instead(Answer(200, b"[]"))),
    "dup_keys": _body(_doubled_key),
}
"""By name, as in the catalogue of faults."""
