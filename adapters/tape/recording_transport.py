"""A transport that notes what passes through it: each request, and what its reader got of the answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import cast

import httpx

from adapters.attempt import ATTEMPT
from adapters.http import BODY_LIMIT, LIMITS, REQUESTED
from adapters.tape.frames import KEPT_HEADERS, Exchange
from domain.market import Moment
from domain.ports import Clock

OWN_PREFIX: Mapping[str, str] = {"kraken_spot": "/0/public"}
"""The part of a venue's own paths that its base URL holds."""

TEXT_LENGTH = 200


class OwnPaths:
    """A source's paths as the venue itself names them, whatever the base URL puts before them."""

    def __init__(self, source: str, base_url: str) -> None:
        """For the requests below this base URL."""
        self._prefix = httpx.URL(base_url).raw_path.decode().rstrip("/")
        self._own = OWN_PREFIX.get(source, "")

    def of(self, request: httpx.Request) -> str:
        """Path and query of a request."""
        return self._own + request.url.raw_path.decode().removeprefix(self._prefix)


class RecordingTransport(httpx.AsyncBaseTransport):
    """Passes everything on as it is, and hands each exchange to `note` when it is over, on whatever way it ended."""

    def __init__(
        self,
        source: str,
        base_url: str,
        *,
        clock: Clock,
        tick: Callable[[], int | None],
        note: Callable[[Exchange], None],
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Send through `inner`, or through connections of our own; `tick` says on behalf of which tick."""
        self._source, self._clock, self._tick, self._note = source, clock, tick, note
        self._paths = OwnPaths(source, base_url)
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False, limits=LIMITS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, whose body is noted while it is read."""
        exchanged = partial(
            Exchange,
            source=self._source,
            method=request.method,
            path=self._paths.of(request),
            request=request.content.decode(errors="replace"),
            sent=cast(Moment | None, request.extensions.get(REQUESTED)) or self._clock.now(),
            tick=self._tick(),
        )
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            self._note(exchanged(at=self._clock.now(), error=_said(error)))
            raise
        headers = response.headers

        def ended(content: bytes, error: str, whole: bool) -> None:
            status, kept = response.status_code, _kept(headers, content if whole else None)
            answer = content if whole else None
            self._note(exchanged(at=self._clock.now(), status=status, headers=kept, content=answer, error=error))

        stream = _WatchedBody(cast(httpx.AsyncByteStream, response.stream), ended)
        return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _WatchedBody(httpx.AsyncByteStream):
    """A body that is handed on chunk by chunk, and remembered."""

    def __init__(self, stream: httpx.AsyncByteStream, ended: Callable[[bytes, str, bool], None]) -> None:
        self._stream, self._ended = stream, ended
        self._content = bytearray()
        self._whole = self._noted = False
        self._error = ""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._content += chunk
                yield chunk
            self._whole = True
        except (Exception, asyncio.CancelledError) as error:
            self._error = _said(error)
            raise

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if not self._noted:
                self._noted = True
                self._ended(bytes(self._content), self._why(), self._whole)

    def _why(self) -> str:
        """Why the body is not whole; empty when it is."""
        unread = "too_large" if len(self._content) > BODY_LIMIT else "unread"
        return "" if self._whole else self._error or unread


def _kept(headers: httpx.Headers, content: bytes | None) -> dict[str, str]:
    """The headers that decide how an answer is read; the length that was promised only where it was a lie."""
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    promised = headers.get("Content-Length", "")
    lied = content is not None and promised and promised != str(len(content))
    return {**kept, "Content-Length": promised} if lied else kept


def _said(error: BaseException) -> str:
    """Why there was no answer: who cancels is the tick's deadline, or else the client, whose patience had ended."""
    if isinstance(error, asyncio.CancelledError):
        attempt = ATTEMPT.get()
        return "late" if attempt and attempt.late else "timeout"
    return f"{type(error).__name__}: {error}"[:TEXT_LENGTH]
