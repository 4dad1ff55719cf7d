"""The bodies of a recording in the order of time, findable by what they are about: a path, a token, a slug."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from adapters.simulated_venues.frames import Frame
from adapters.simulated_venues.polymarket_wire import NO_BOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One body, or one part of it, recorded at `t_ms` (UTC); `text` is its line, read again when it is played."""

    t_ms: int
    status: int
    kind: str
    name: str
    text: bytes

    def value(self) -> object:
        """The body as it was recorded; `NO_BOOK` for a book that was asked for and left out."""
        body: object = json.loads(self.text)["body"]
        if self.kind in ("path", "pair"):
            return body
        parts = dict(_parts(self.kind, body))
        return parts.get(self.name, NO_BOOK)


class Shelf:
    """Bodies by (kind, name): "path" by exact path, "pair", "book" by token, "market" and "event" by slug."""

    def __init__(self, frames: list[Frame]) -> None:
        """Frames in any order; of two with the same time, the later one counts."""
        self._bodies: dict[tuple[str, str], list[Body]] = {}
        self._times: dict[tuple[str, str], list[int]] = {}
        for frame in sorted(frames, key=lambda frame: frame.t_ms):
            for kind, name, status in _subjects(frame):
                body = Body(t_ms=frame.t_ms, status=status, kind=kind, name=name, text=frame.text)
                self._bodies.setdefault((kind, name), []).append(body)
                self._times.setdefault((kind, name), []).append(frame.t_ms)

    def newest(self, kind: str, name: str, now_ms: int) -> Body | None:
        """The newest body of this subject that is not later than `now_ms`."""
        upto = bisect_right(self._times.get((kind, name), []), now_ms)
        return self._bodies[kind, name][upto - 1] if upto else None

    def first(self, kind: str, name: str) -> Body:
        """The subject's first body; KeyError when there is none."""
        return self._bodies[kind, name][0]

    def names(self, kind: str) -> list[str]:
        """All subjects of a kind, in order of first appearance."""
        return [name for known, name in self._bodies if known == kind]


def _subjects(frame: Frame) -> Iterator[tuple[str, str, int]]:
    """What a frame is about: (kind, name, status)."""
    parts = urlsplit(frame.path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if frame.method == "GET":
        yield "path", f"{frame.venue} {parts.path}?{sorted(query.items())}", frame.status
    if parts.path == "/0/public/Ticker" and "pair" in query:
        yield "pair", query["pair"], frame.status
    if frame.venue == "clob" and parts.path in ("/book", "/books"):
        yield from _book_subjects(frame, query)
    if frame.venue == "gamma" and frame.status == 200:
        for kind in ("market", "event"):
            yield from ((kind, name, frame.status) for name, _ in _parts(kind, frame.body()))


def _book_subjects(frame: Frame, query: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    if "token_id" in query:
        yield "book", query["token_id"], frame.status
    elif frame.status == 200:
        given = dict(_parts("book", frame.body()))
        yield from (("book", token, 200) for token in given)
        yield from (("book", token, 404) for token in _asked(frame.text) if token not in given)


def _asked(text: bytes) -> list[str]:
    """The tokens of a recorded `POST /books`, whose body stands in `request`, as JSON or as text."""
    asked = json.loads(text).get("request")
    rows = json.loads(asked) if isinstance(asked, str) and asked else asked
    return [str(row["token_id"]) for row in rows or [] if isinstance(row, dict) and "token_id" in row]


def _parts(kind: str, body: object) -> Iterator[tuple[str, object]]:
    """The books (by token), markets or events (by slug) inside a body, whatever list or wrapper they stand in."""
    rows = body if isinstance(body, list) else [body]
    for row in rows:
        if not isinstance(row, dict):
            continue
        inner = row.get("markets") or row.get("events") if "conditionId" not in row else None
        own = {"book": "asset_id" in row, "market": "conditionId" in row, "event": "markets" in row and "slug" in row}
        if own[kind]:
            yield str(row["asset_id" if kind == "book" else "slug"]), row
        if isinstance(inner, list) and kind != "book":
            yield from _parts(kind, inner)
