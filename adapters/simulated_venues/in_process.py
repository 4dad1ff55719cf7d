"""The venues without a socket: the agent's own clients ask a `Script` directly, as fast as it answers."""

from collections.abc import Callable

import httpx

from adapters.simulated_venues.http_text import request_of
from adapters.simulated_venues.wire import Script, json_bytes

ORIGINS = {
    "polymarket_clob": "http://recorded.invalid/clob",
    "polymarket_gamma": "http://recorded.invalid/gamma",
    "kraken_spot": "http://recorded.invalid/kraken/0/public",
    "kraken_futures": "http://recorded.invalid/futures",
}
"""Each source's base URL: the paths of `SimulatedVenues` on a host that there cannot be."""


class ScriptTransport(httpx.AsyncBaseTransport):
    """What `script` answers at the playing time `now_ms()` (UTC, ms)."""

    def __init__(self, script: Script, now_ms: Callable[[], int]) -> None:
        """Open nothing."""
        self._script = script
        self._now_ms = now_ms

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The whole answer at once."""
        venue, asked = request_of(request.method, request.url.raw_path.decode("ascii"), await request.aread(), request.headers)
        answer = self._script.answer(venue, asked, self._now_ms())
        content = answer.body if isinstance(answer.body, bytes) else json_bytes(answer.body)
        headers = {"Content-Length": str(len(content)), **answer.headers}
        return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(content))
