"""A transport that notes what passes through it: each request, and what its reader got of the answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
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


def own_path(source: str, base_url: str, url: httpx.URL) -> str:
    """Path and query of a request as the venue itself would name them, whatever the base URL says."""
    prefix = httpx.URL(base_url).raw_path.decode().rstrip("/")
    return OWN_PREFIX.get(source, "") + url.raw_path.decode().removeprefix(prefix)


class RecordingTransport(httpx.AsyncBaseTransport):
    """Passes everything on as it is, and hands each exchange to `note` when it is over, on whatever way it ended."""

    def __init__(
        self,
        source: str,
        base_url: str,
        *,
        clock: Clock,
        note: Callable[[Exchange], None],
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Send through `inner`, or through connections of our own."""
        self._source, self._base_url, self._clock, self._note = source, base_url, clock, note
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False, limits=LIMITS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, whose body is noted while it is read."""
        sent = cast(Moment | None, request.extensions.get(REQUESTED)) or self._clock.now()
        exchange = Exchange(
            source=self._source,
            method=request.method,
            path=own_path(self._source, self._base_url, request.url),
            request=request.content.decode(errors="replace"),
            sent=sent,
            at=sent,
        )
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            self._note(replace(exchange, at=self._clock.now(), error=_said(error)))
            raise
        exchange = replace(exchange, status=response.status_code, headers=_kept(response.headers))
        answered = _Answered(exchange, response.headers.get("Content-Length"), self._clock, self._note)
        stream = _WatchedBody(cast(httpx.AsyncByteStream, response.stream), answered)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream, extensions=response.extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer that has begun, and where to note how it ended."""

    exchange: Exchange
    promised: str | None
    clock: Clock
    note: Callable[[Exchange], None]

    def ended(self, content: bytes, error: str, *, whole: bool) -> None:
        """Its body was read so far."""
        lied = whole and self.promised is not None and self.promised != str(len(content))
        headers = {**self.exchange.headers, "Content-Length": self.promised or ""} if lied else self.exchange.headers
        unread = "too_large" if len(content) > BODY_LIMIT else "unread"
        self.note(
            replace(
                self.exchange,
                at=self.clock.now(),
                headers=headers,
                content=content if whole else None,
                error="" if whole else error or unread,
            )
        )


class _WatchedBody(httpx.AsyncByteStream):
    """A body that is handed on chunk by chunk, and remembered."""

    def __init__(self, stream: httpx.AsyncByteStream, answered: _Answered) -> None:
        self._stream, self._answered = stream, answered
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
                self._answered.ended(bytes(self._content), self._error, whole=self._whole)


def _kept(headers: httpx.Headers) -> dict[str, str]:
    return {name: headers[name] for name in KEPT_HEADERS if name in headers}


def _said(error: BaseException) -> str:
    """Why there was no answer: who cancels is the tick's deadline, or else the client, whose patience had ended."""
    if isinstance(error, asyncio.CancelledError):
        attempt = ATTEMPT.get()
        return "late" if attempt and attempt.late else "timeout"
    return f"{type(error).__name__}: {error}"[:TEXT_LENGTH]
