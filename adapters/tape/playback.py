"""Playback: what a recorded session asked and was told, given to the same adapters again, tick by tick."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from adapters.http import BODY_LIMIT, REQUESTED
from adapters.simulated_venues.frames import RecordingInvalid
from adapters.tape.frames import NOT_JSON, Exchange, exchange_of
from adapters.tape.recording_transport import OwnPaths
from adapters.tape.segments import Line, read_lines
from adapters.tape.session import Session, Ticked, markets_in, session_in, ticked_in
from domain.market import Market, Moment

FAILURES: Mapping[str, type[httpx.TransportError]] = {
    kind.__name__: kind
    for kind in (
        httpx.ReadError,
        httpx.WriteError,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        httpx.ConnectTimeout,
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.PoolTimeout,
    )
}
"""Failures that a client tells from a connection that never came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """A tick as it was recorded: where, its markets and every exchange on its behalf, in the order in which they ended.

    `committed` is None for the last tick of a recording whose writer died before it could say.
    """

    where: Line
    ticked: Ticked
    markets: tuple[Market, ...]
    exchanges: tuple[Exchange, ...]
    committed: bool | None = None


def recorded(recording: Path) -> Generator[Session | Attempted, None, None]:
    """The sessions and ticks of a recording in their order.

    Raises `RecordingInvalid`, with segment and line, where it is broken or begins in the middle of a session.
    """
    reading = _Reading()
    for line in read_lines(recording):
        try:
            yield from reading.events(line)
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
            raise RecordingInvalid(line.segment, line.number, f"no line of a recording ({error!r})") from error
    if reading.waiting is not None:
        yield reading.waiting


class _Reading:
    """The lines so far: the tick that waits for its commit, and what belongs to the next one."""

    def __init__(self) -> None:
        self.waiting: Attempted | None = None
        self._session: Session | None = None
        self._markets: tuple[Market, ...] = ()
        self._exchanges: list[Exchange] = []

    def events(self, line: Line) -> Iterator[Session | Attempted]:
        """What is certain once this line is read."""
        match _kind(line.text):
            case "session":
                session = session_in(line.text)
                yield from self._decided(self._counts(session))
                self._session, self._markets, self._exchanges = session, (), []
                yield session
            case "gap":
                return
            case _ if self._session is None:
                raise ValueError("it begins in the middle of a session")
            case "markets":
                self._markets = markets_in(line.text)
            case "tick":
                yield from self._tick(line)
            case "":
                exchange = exchange_of(line.text)
                if exchange.tick is not None:
                    self._exchanges.append(exchange)

    def _tick(self, line: Line) -> Iterator[Attempted]:
        ticked = ticked_in(line.text)
        if ticked is not None and ticked.committed:
            if self.waiting is None or replace(ticked, committed=False) != self.waiting.ticked:
                raise ValueError("it commits a tick that was not gathered before")
            yield from self._decided(True)
            return
        yield from self._decided(False)
        if ticked is not None:
            self.waiting = Attempted(where=line, ticked=ticked, markets=self._markets, exchanges=tuple(self._exchanges))
        self._exchanges = []

    def _counts(self, session: Session) -> bool:
        """Whether the tick that waits is in the ledger with which the next session begins."""
        same = self._session is not None and self._session.ledger_id == session.ledger_id
        return same and self.waiting is not None and session.state.sequence >= self.waiting.ticked.sequence

    def _decided(self, committed: bool) -> Iterator[Attempted]:
        if self.waiting is not None:
            yield replace(self.waiting, committed=committed)
            self.waiting = None


def _kind(text: bytes) -> str:
    """The kind of a line; empty for a frame, whose body is not looked at."""
    head, has_body, _ = text.partition(b',"body":')
    return "" if has_body else str(json.loads(head).get("kind", ""))


Asked = tuple[str, str, str, str]
"""Source, method, path and body of a request."""


class Playback:
    """All that a tick asks beside the ledger, as it was recorded: the clock, the universe, the kill switch, the venues."""

    speed = float("inf")

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self._shown: Attempted | None = None
        self._began: list[Moment] = []
        self._answers: dict[Asked, deque[Exchange]] = {}

    def show(self, attempted: Attempted) -> None:
        """Play this tick from now on."""
        self._shown = attempted
        self._began = [attempted.ticked.began]
        self._answers = {}
        for exchange in attempted.exchanges:
            asked = exchange.source, exchange.method, exchange.path, exchange.request
            self._answers.setdefault(asked, deque()).append(exchange)

    def now(self) -> Moment:
        """When the tick's inputs were asked for, to the first who wants to know; when they were in, to all others."""
        return self._began.pop() if self._began else self._tick.ticked.ready

    def pulled(self) -> bool:
        """Whether the kill switch was pulled."""
        return self._tick.ticked.kill_switch

    def cut(self) -> tuple[int, ...]:
        """The parts of the feed that came too late."""
        return self._tick.ticked.cut

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The markets that were followed, those that are held among them."""
        return self._tick.markets

    def transport(self, source: str, base_url: str) -> httpx.AsyncBaseTransport:
        """What answers the client of `source`."""
        return _PlaybackTransport(self, source, base_url)

    def taken(self, asked: Asked) -> Exchange | None:
        """The next recorded exchange of a request, which is used up by that."""
        answers = self._answers.get(asked)
        return answers.popleft() if answers else None

    @property
    def _tick(self) -> Attempted:
        if self._shown is None:
            raise RuntimeError("no tick is shown")
        return self._shown


class _PlaybackTransport(httpx.AsyncBaseTransport):
    """Gives each request what it got; a request that was not made then finds nobody."""

    def __init__(self, playback: Playback, source: str, base_url: str) -> None:
        self._playback, self._source = playback, source
        self._paths = OwnPaths(source, base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = request.content.decode(errors="replace")
        exchange = self._playback.taken((self._source, request.method, self._paths.of(request), body))
        if exchange is None:
            raise httpx.ConnectError("nothing was recorded")
        if exchange.status is None:
            raise _failure(exchange.error)
        return httpx.Response(
            exchange.status,
            headers=dict(exchange.headers),
            stream=_PlayedBody(exchange),
            extensions={REQUESTED: exchange.sent},
        )


class _PlayedBody(httpx.AsyncByteStream):
    """A body as far as it was read."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content, error = self._exchange.content, self._exchange.error
        if content is not None:
            yield content
        elif error == "too_large":
            yield bytes(BODY_LIMIT + 1)
        elif error not in ("unread", NOT_JSON):
            raise _failure(error)


def _failure(error: str) -> BaseException:
    """What the client met: cancelled by the tick's deadline, out of patience, or refused by the connection."""
    if error == "late":
        return asyncio.CancelledError()
    if error == "timeout":
        return httpx.ReadTimeout("no answer in time")
    name, _, text = error.partition(": ")
    return FAILURES.get(name, httpx.ConnectError)(text)
