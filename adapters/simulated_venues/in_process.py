"""The venues without a socket: the agent's own clients ask a `Script` directly, as fast as it answers."""

from collections.abc import AsyncIterator, Callable

import httpx

from adapters.simulated_venues.http_text import request_of
from adapters.simulated_venues.wire import Manner, Script

ORIGINS = {
    "polymarket_clob": "http://recorded.invalid/clob",
    "polymarket_gamma": "http://recorded.invalid/gamma",
    "kraken_spot": "http://recorded.invalid/kraken/0/public",
    "kraken_futures": "http://recorded.invalid/futures",
}
"""Each source's base URL: the paths of `SimulatedVenues` on a host that there cannot be."""


CHUNK = 1 << 16

Ending = tuple[type[httpx.TransportError], str]

_BROKEN: dict[Manner, Ending] = {
    Manner.HANG: (httpx.ReadTimeout, "nothing came"),
    Manner.DRIP_HEADER: (httpx.ReadTimeout, "no whole header came"),
    Manner.CLOSE: (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    Manner.RESET: (httpx.ReadError, "reset by peer"),
    Manner.GARBAGE: (httpx.RemoteProtocolError, "illegal status line"),
    Manner.DOWN: (httpx.ConnectError, "connection refused"),
}
"""What a client of the real server meets instead of an answer, here without the wait."""

_BROKEN_BODY: dict[Manner, Ending] = {
    Manner.CUT: (httpx.RemoteProtocolError, "peer closed connection without sending complete message body"),
    Manner.DRIP_BODY: (httpx.ReadTimeout, "the body did not end"),
}
"""What it meets in the middle of a body."""


class _Stream(httpx.AsyncByteStream):
    """A body in pieces, which may end in an error halfway."""

    def __init__(self, content: bytes, ending: Ending | None) -> None:
        self._content, self._ending = content, ending

    async def __aiter__(self) -> AsyncIterator[bytes]:
        end = len(self._content) if self._ending is None else len(self._content) // 2
        for start in range(0, end, CHUNK):
            yield self._content[start : min(start + CHUNK, end)]
        if self._ending is not None:
            raise _error(self._ending)


def _error(ending: Ending) -> httpx.TransportError:
    kind, text = ending
    return kind(text)


class ScriptTransport(httpx.AsyncBaseTransport):
    """What `script` answers at the playing time `now_ms()` (UTC, ms)."""

    def __init__(self, script: Script, now_ms: Callable[[], int]) -> None:
        """Open nothing."""
        self._script = script
        self._now_ms = now_ms

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer at once, or at once what comes of its manner."""
        venue, asked = request_of(request.method, request.url.raw_path.decode("ascii"), await request.aread(), request.headers)
        answer = self._script.answer(venue, asked, self._now_ms())
        if ending := _BROKEN.get(answer.manner):
            raise _error(ending)
        content = answer.content
        headers = {"Content-Length": str(len(content)), **answer.headers}
        return httpx.Response(answer.status, headers=headers, stream=_Stream(content, _BROKEN_BODY.get(answer.manner)))
