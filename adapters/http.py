"""One venue's HTTP door: each call has one total deadline, a bounded body, strict JSON and one way to fail, `Unavailable`.

httpx's own timeouts count for each chunk, and it inflates what it is sent; both are therefore done here.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

import httpx

from adapters.attempt import ATTEMPT
from adapters.health import Backoff, Health
from adapters.wire_numbers import strict_json
from domain.market import Moment
from domain.ports import Clock, Unavailable

BODY_LIMIT = 4 * 1024 * 1024
KEEP_ALIVE_S = 60.0
LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=KEEP_ALIVE_S)
OVERLOADED = frozenset(
    (
        "timeout",
        "connect_error",
        "connection_lost",
        "protocol_error",
        "truncated",
        "rate_limited",
        "throttled",
        "busy",
        "unavailable",
    )
)
"""Kinds after which the host is left alone; also what Kraken says with HTTP 200. `http_425` and `http_5xx` join them."""

REQUESTED = "requested"
"""The extension that carries the moment at which a request left: to who records it, and back from a recording."""

_SECONDS = re.compile(r"[0-9]{1,9}")
T = TypeVar("T")


class StatusRefused(Unavailable):
    """The venue answered with an HTTP error; `retry_after_s` is what it asked for, None when it did not."""

    def __init__(self, source: str, kind: str, status: int, retry_after_s: float | None = None) -> None:
        """Name the source, the kind and the HTTP status."""
        super().__init__(source, kind, f"HTTP {status}")
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A parsed JSON answer, with what tells its age.

    `requested` is when the request left; `age_s` what a cache added (HTTP `Age`); `server_ms` is the `Date` header, UTC ms.
    """

    json: object
    status: int
    requested: Moment
    age_s: float = 0.0
    server_ms: int | None = None

    @property
    def latest_ms(self) -> int:
        """The venue's time of this answer, UTC ms: its own word, else ours."""
        return self.requested.at_ms if self.server_ms is None else self.server_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request; `meanings` names the HTTP errors that are ordinary answers here (404: "no_book").

    `headers` and `content` (instead of `json`) leave as they are and may hold secrets. `once` forbids the second try of a GET
    that got no answer; `reads_errors` hands an HTTP error with a JSON body on, for `parse` to judge by `Body.status`.
    """

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    meanings: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    once: bool = False
    reads_errors: bool = False


class VenueClient:
    """Asks one host; keeps its connections, its pace, its backoff and its health.

    `timeout_s` bounds connect, headers and body together; `min_interval_s` is the least time between the starts of two
    requests, and waiting for it does not count as part of a call.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        *,
        clock: Clock,
        health: Health,
        timeout_s: float = 5.0,
        min_interval_s: float = 0.0,
        transport: httpx.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        dice: random.Random | None = None,
        speed: float = 1.0,
    ) -> None:
        """Open nothing yet. Jitter comes from `dice`, backoff and pace are counted on `monotonic` (seconds).

        `speed`: how many of the venue's seconds pass in a real one.
        """
        self.source = source
        self.health = health
        self._clock = clock
        self._timeout_s = timeout_s
        self._min_interval_s = min_interval_s / speed
        self._monotonic = monotonic
        self._backoff = Backoff(dice or random.Random(), speed=speed)  # noqa: S311  jitter is no secret
        self._turns = asyncio.Lock()
        self._last_start_s = float("-inf")
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"User-Agent": _agent(), "Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=timeout_s,
            limits=LIMITS,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Body:
        """The answer to a GET. Raises `Unavailable`."""
        return await self.read(Call(path=path, params=params or {}), _as_is)

    async def post(self, path: str, json: object) -> Body:
        """The answer to a POST of `json`; never sent twice. Raises `Unavailable`."""
        return await self.read(Call(path=path, method="POST", json=json), _as_is)

    async def read(self, call: Call, parse: Callable[[Body], T]) -> T:
        """What `parse` makes of the answer; a refusal by `parse` counts as the call's failure. Raises `Unavailable`."""
        began_s = self._monotonic()
        try:
            read = parse(await self._answer(call))
        except Unavailable as failure:
            self._note(failure, call, began_s)
            raise
        except asyncio.CancelledError:
            self.health.failed(self.source, "cancelled")
            raise
        self._succeeded(began_s)
        return read

    def now(self) -> Moment:
        """This moment, on the clock that dates this client's requests; all askers of one tick ask at its beginning."""
        attempt = ATTEMPT.get()
        return attempt.began if attempt else self._clock.now()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _succeeded(self, began_s: float) -> None:
        self._backoff.clear()
        self.health.ok(self.source, (self._monotonic() - began_s) * 1000, self._clock.now().at_ms)

    def _note(self, failure: Unavailable, call: Call, began_s: float) -> None:
        status = failure.status if isinstance(failure, StatusRefused) else 0
        if status in call.meanings:
            self._succeeded(began_s)
            return self.health.counted(self.source, failure.kind)
        if failure.kind in OVERLOADED or status == 425 or status >= 500:
            asked_s = failure.retry_after_s if isinstance(failure, StatusRefused) else None
            self._backoff.failed(began_s=began_s, now_s=self._monotonic(), asked_s=asked_s)
        return self.health.failed(self.source, failure.kind)

    async def _answer(self, call: Call) -> Body:
        self._refuse_while_backing_off()
        await self._turn()
        self._refuse_while_backing_off()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._sent(call)
        except (TimeoutError, httpx.TimeoutException):
            raise self._failure("timeout", f"no whole answer in {self._timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.CloseError) as error:
            lost = "connect_error" if isinstance(error, httpx.ConnectError) else "connection_lost"
            raise self._failure(lost, type(error).__name__) from None
        except httpx.RemoteProtocolError as error:
            raise self._failure("connection_lost" if _unanswered(error) else "protocol_error", "no HTTP") from None
        # ValueError and RuntimeError: a URL that is none, and httpx's own "client has been closed".
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError, RuntimeError) as error:
            raise self._failure("protocol_error", type(error).__name__) from None

    def _failure(self, kind: str, detail: str = "") -> Unavailable:
        return Unavailable(self.source, kind, detail)

    def _refuse_while_backing_off(self) -> None:
        left_s = self._backoff.left_s(self._monotonic())
        if left_s > 0:
            raise self._failure("backing_off", f"{left_s:.1f} s left")

    async def _turn(self) -> None:
        if self._min_interval_s <= 0:
            return
        async with self._turns:
            await asyncio.sleep(max(0.0, self._last_start_s + self._min_interval_s - self._monotonic()))
            self._last_start_s = self._monotonic()

    async def _sent(self, call: Call) -> Body:
        try:
            return await self._sent_once(call)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            if call.once or call.method != "GET" or not _unanswered(error):
                raise
        return await self._sent_once(call)

    async def _sent_once(self, call: Call) -> Body:
        requested = self._clock.now()
        params = dict(call.params) or None
        async with self._client.stream(
            call.method,
            call.path,
            params=params,
            headers=dict(call.headers),
            json=call.json,
            content=call.content,
            extensions={REQUESTED: requested},
        ) as response:
            requested = response.extensions.get(REQUESTED, requested)
            refused = self._check(response, call)
            content = await self._content(response)
        try:
            parsed = strict_json(content)
        except ValueError:
            raise refused or self._failure("not_json", f"{len(content)} bytes") from None
        return Body(
            json=parsed,
            status=response.status_code,
            requested=requested,
            age_s=_seconds(response.headers.get("Age")) or 0.0,
            server_ms=_date_ms(response.headers.get("Date")),
        )

    def _check(self, response: httpx.Response, call: Call) -> StatusRefused | None:
        """Raise for an answer that is none; an HTTP error that `call` wants to read is returned instead."""
        status = response.status_code
        if 300 <= status < 400:
            raise self._failure("redirect", f"HTTP {status}")
        if status >= 400:
            kind = "rate_limited" if status == 429 else call.meanings.get(status, f"http_{status}")
            refused = StatusRefused(self.source, kind, status, _seconds(response.headers.get("Retry-After")))
            if not call.reads_errors:
                raise refused
            return refused
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._failure("encoded", "only identity was asked for")
        return None

    async def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        try:
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > BODY_LIMIT:
                    raise self._failure("too_large", f"more than {BODY_LIMIT} bytes")
        except (httpx.ReadError, httpx.RemoteProtocolError):
            raise self._failure("truncated", f"after {len(content)} bytes") from None
        promised = response.headers.get("Content-Length", "")
        if _SECONDS.fullmatch(promised) and int(promised) != len(content):
            raise self._failure("truncated", f"{len(content)} of {promised} bytes")
        return bytes(content)


def _as_is(body: Body) -> Body:
    return body


def _unanswered(error: httpx.TransportError) -> bool:
    """Whether the connection ended before a first byte of an answer."""
    return not isinstance(error, httpx.RemoteProtocolError) or str(error).startswith("Server disconnected")


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None


def _date_ms(text: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000) if text else None
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _agent() -> str:
    """Our own name: Cloudflare refuses the default one of Python's urllib with 403."""
    try:
        return f"spelar/{version('spelar')}"
    except PackageNotFoundError:
        return "spelar/0"
