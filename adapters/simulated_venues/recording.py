"""A recorded session played back: each path gets the newest body of its time, and `Age` says how old that is."""

import json
from pathlib import Path
from typing import Self

from adapters.simulated_venues import exchange
from adapters.simulated_venues import kraken_wire as kraken
from adapters.simulated_venues import polymarket_wire as polymarket
from adapters.simulated_venues.frames import Frame, RecordingInvalid, read_frames
from adapters.simulated_venues.gamma_endpoints import answer_from, serves
from adapters.simulated_venues.polymarket_endpoints import asked_tokens
from adapters.simulated_venues.shelf import Shelf
from adapters.simulated_venues.wire import Answer, Request

__all__ = ["Recording", "RecordingInvalid"]

DEAD_BOOK_MS = 60_000
"""A book that was not seen for longer is left out of `POST /books`, as the venue leaves out a market that is gone.

The answer has one `Age`, that of its oldest book: a market that ended must not make every other one look old.
"""


class Recording:
    """A `Script` over a frames file; what was not recorded, or not yet, is a 404 in the venue's style.

    `start_ms` is the first frame that is not Gamma's (a market is listed long before it trades), `end_ms` the last
    frame, both UTC. `slugs` are the markets in order of appearance, `pair` the Kraken pair, `warning` says why the
    file ended early.
    """

    def __init__(self, frames: list[Frame], warning: str | None = None) -> None:
        """At least one frame; use `open` for a file."""
        self._shelf = Shelf(frames)
        times = [frame.t_ms for frame in frames if frame.venue != "gamma"] or [frame.t_ms for frame in frames]
        self.start_ms = min(times)
        self.end_ms = max(frame.t_ms for frame in frames)
        self.slugs = tuple(self._shelf.names("market"))
        self.pair = next((kraken.pair_named(pair) for pair in self._shelf.names("pair")), "XBTUSD")
        self.warning = warning

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Read a `.jsonl` or `.jsonl.gz` file; RecordingInvalid when it holds no recording."""
        return cls(*read_frames(Path(path)))

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The tokens that have books and of which no market is described, in order of appearance."""
        rows = (self._shelf.first("market", slug).value() for slug in self.slugs)
        listed = {token for row in rows if isinstance(row, dict) for token in json.loads(str(row.get("clobTokenIds") or "[]"))}
        return tuple(token for token in self._shelf.names("book") if token not in listed)

    def outcomes(self, slug: str) -> tuple[str, ...]:
        """The outcomes of one of `slugs`, in the venue's order; KeyError for a slug that is not one of them."""
        row = self._shelf.first("market", slug).value()
        texts = row.get("outcomes") if isinstance(row, dict) else None
        return tuple(json.loads(texts)) if isinstance(texts, str) else ("Yes", "No")

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer at `now_ms`, with `Age` in whole seconds wherever a recorded body is behind it."""
        if venue == "clob" and request.method == "POST" and request.path == "/books":
            return self._books(request, now_ms)
        kind, name = ("book", request.query.get("token_id", "")) if request.path == "/book" else ("path", "")
        recorded = self._shelf.newest(kind, name or exact_name(venue, request), now_ms)
        if recorded is not None:
            return _aged(Answer(recorded.status, recorded.value()), recorded.t_ms, now_ms)
        if venue == "gamma":
            return self._gamma(request, now_ms)
        return self._missing(venue, request, now_ms)

    def _books(self, request: Request, now_ms: int) -> Answer:
        tokens = asked_tokens(request.body)
        if isinstance(tokens, Answer):
            return tokens
        newest = [self._shelf.newest("book", token, now_ms) for token in sorted(set(tokens))]
        alive = [book for book in newest if book and book.status == 200 and now_ms - book.t_ms <= DEAD_BOOK_MS]
        answer = Answer(200, [book.value() for book in alive])
        return _aged(answer, min(book.t_ms for book in alive), now_ms) if alive else answer

    def _gamma(self, request: Request, now_ms: int) -> Answer:
        """A market or event that was recorded under another of Gamma's paths."""
        kind, _, tail = request.path.strip("/").partition("/")
        slug = request.query.get("slug", "") if tail in ("", "keyset") else tail.removeprefix("slug/")
        event = self._shelf.newest("event", slug, now_ms) if kind == "events" else None
        if event is not None:
            return _aged(Answer(200, event.value() if tail else [event.value()]), event.t_ms, now_ms)
        if not serves(request):
            return exchange.unknown_path("gamma", request.path, now_ms)
        found = [self._shelf.newest("market", name, now_ms) for name in ([slug] if slug else self.slugs)]
        known = [body for body in found if body is not None]
        rows = [row for row in (body.value() for body in known) if isinstance(row, dict)]
        answer = answer_from(rows, request)
        return _aged(answer, min(body.t_ms for body in known), now_ms) if known else answer

    def _missing(self, venue: str, request: Request, now_ms: int) -> Answer:
        if venue == "kraken_spot" and request.path.endswith("/Ticker"):
            # Kraken says this with 200; a pair that comes later in the recording is not unknown, only not there yet.
            later = exact_name(venue, request) in self._shelf.names("path")
            return Answer(200, kraken.spot_error(kraken.UNAVAILABLE if later else kraken.UNKNOWN_PAIR))
        if request.path == "/book":
            named = "token_id" in request.query
            return Answer(404, polymarket.NO_BOOK) if named else Answer(400, polymarket.NO_TOKEN)
        if venue == "clob" and request.path.startswith("/markets/"):
            return Answer(404, polymarket.NO_CLOB_MARKET)
        return exchange.unknown_path(venue, request.path, now_ms)


def exact_name(venue: str, request: Request) -> str:
    """The shelf's name of a GET of exactly this path and query, in whatever order the query came."""
    return f"{venue} {request.path}?{sorted(request.query.items())}" if request.method == "GET" else ""


def _aged(answer: Answer, t_ms: int, now_ms: int) -> Answer:
    return Answer(answer.status, answer.body, {**answer.headers, "Age": str(max(0, now_ms - t_ms) // 1000)})
