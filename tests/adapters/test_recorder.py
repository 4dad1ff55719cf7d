"""Whatever the venues do to a recorded tick, its recording gives the very same snapshot again."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from adapters.clock import SystemClock
from adapters.feed import VenueFeed
from adapters.http import BODY_LIMIT
from adapters.portal.cells import iso
from adapters.tape.playback import Attempted, recorded
from adapters.tape.recorder import RecordedFeed, Recorder
from adapters.tape.session import Session
from domain.ledger import Ledger
from domain.market import Market, Moment, ReferenceId, Snapshot, TokenId
from domain.state import State
from entrypoints.container import Container
from entrypoints.playback import snapshots
from entrypoints.settings import Settings, read_settings
from tests.builders import market

A, B = TokenId("1001"), TokenId("1002")
MARKETS = (
    market("a", token=A),
    market("b", token=B, reference=ReferenceId("kraken_futures", "PF_XBTUSD")),
    market("c", token=TokenId("1003"), reference=ReferenceId("kraken_futures", "PF_ETHUSD")),
)
WATCHING = Ledger.opened_with(Decimal(0))
DEADLINE_S = 0.3

Answer = Callable[[httpx.Request], httpx.Response | Exception | float]
"""A response, a failure, or so many seconds of silence."""


class Followed:
    """A universe that never changes."""

    def markets(self, held: object = ()) -> tuple[Market, ...]:
        """Three markets: two of them share one answer for their prices."""
        return MARKETS


class Broken(httpx.AsyncByteStream):
    """A body that begins, and then fails or falls silent."""

    def __init__(self, then: Exception | float) -> None:
        self._then = then

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'[{"asset'
        if isinstance(self._then, Exception):
            raise self._then
        await asyncio.sleep(self._then)


class Venues(httpx.AsyncBaseTransport):
    """Sound answers, but for those that a test replaces: the first one of a path in each tick."""

    def __init__(self, path: str, faults: list[Answer]) -> None:
        self._path, self._faults = path, list(faults)
        self._asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The next fault of its path, or what a venue says."""
        given: httpx.Response | Exception | float = sound(request, self._asked)
        self._asked += 1
        if request.url.path.endswith(self._path) and self._faults:
            given = self._faults.pop(0)(request)
        if isinstance(given, float):
            await asyncio.sleep(given)
            raise httpx.ReadError("silence")
        if isinstance(given, Exception):
            raise given
        return given


def answered(body: object, status: int = 200, **headers: str) -> httpx.Response:
    """A response whose body is still to be read."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=names, stream=httpx.ByteStream(content))


def sound(request: httpx.Request, asked: int) -> httpx.Response:
    """What the venues say, a little different each time."""
    now_ms = SystemClock().now().at_ms
    if request.url.path == "/books":
        tokens = [row["token_id"] for row in json.loads(request.content)]
        return answered([book(token, asked) for token in tokens if token != "1003"], Age="1")
    if request.url.path == "/book":
        return answered({"error": "No orderbook exists"}, 404)
    if request.url.path.endswith("/tickers"):
        server = iso(now_ms).replace("+00:00", "Z")
        rows = [{"symbol": name, "markPrice": 60_000.5 + asked} for name in ("PF_XBTUSD", "PF_ETHUSD")]
        return answered({"result": "success", "serverTime": server, "tickers": rows})
    return answered({"error": [], "result": {"XXBTZUSD": {"a": ["2.10"], "b": ["2.00"], "c": [f"2.0{asked % 10}"]}}})


def book(token: str, asked: int) -> dict[str, object]:
    """A book in the venue's own order, best level last."""
    sides = {
        "bids": [{"price": "0.40", "size": "5"}, {"price": "0.450", "size": f"{asked + 1}"}],
        "asks": [{"price": "0.47", "size": "7.5"}],
    }
    return {"asset_id": token, "timestamp": str(1_772_452_800_000 + asked), "hash": f"h{asked}", "tick_size": "0.01", **sides}


async def session(folder: Path, venues: Venues, settings: Settings, ticks: int) -> list[Snapshot]:
    """Some recorded ticks that only watch; what each of them knew."""
    clock = SystemClock()
    troubles: list[str] = []
    recorder = Recorder(folder, clock=clock, failed=troubles.append)
    container = Container(
        settings=settings,
        clock=clock,
        entries=(),
        universe=Followed(),
        transports=lambda source, base_url: recorder.transport(source, base_url, venues),
    )
    state = State(sequence=0, ledger=WATCHING)
    recorder.begin(Session(at_ms=clock.now().at_ms, version="x", state=state, settings=settings.exact(), trades=False))
    feed = RecordedFeed(
        VenueFeed(
            clock=clock,
            universe=container.universe(),
            sources=container.sources(),
            kill_switch=container.kill_switch(),
            deadline_s=DEADLINE_S,
        ),
        recorder,
    )
    seen = []
    for _ in range(ticks):
        seen.append(await feed.observe(clock.now(), WATCHING))
        recorder.committed()
    recorder.close()
    for client in container.clients():
        await client.aclose()
    assert troubles == []
    return seen


def same(tmp_path: Path, path: str, *faults: Answer, ticks: int = 3, **variables: str) -> list[Snapshot]:
    """Record, play, and compare."""
    settings = read_settings({"HTTP_TIMEOUT_S": "0.1", **variables})
    seen = asyncio.run(session(tmp_path, Venues(path, list(faults)), settings, ticks))
    assert list(snapshots(tmp_path)) == seen
    return seen


FAULTS: dict[str, Answer] = {
    "busy": lambda _: answered({"error": "busy"}, 503, Retry_After="1"),
    "refused, so that each book is asked for alone": lambda _: answered({"error": "no"}, 400),
    "limited": lambda _: answered({}, 429),
    "a page": lambda _: answered(b"<html>\n</html>"),
    "nothing": lambda _: answered(b""),
    "not quite JSON": lambda _: answered(b'[{"a" 1}]'),
    "moved": lambda _: answered({}, 302, Location="/elsewhere"),
    "packed": lambda _: answered(b"x", Content_Encoding="gzip"),
    "a length that is a lie": lambda _: answered([], Content_Length="7"),
    "an old answer": lambda request: answered([book(A, 0)], Age="900") if request.content else answered({}, Age="900"),
    "too much": lambda _: answered(b" " * (BODY_LIMIT + 1)),
    "broken off": lambda _: httpx.Response(200, stream=Broken(httpx.ReadError("gone"))),
    "silent in the middle": lambda _: httpx.Response(200, stream=Broken(1.0)),
    "silent": lambda _: 1.0,
    "nobody there": lambda _: httpx.ConnectError("refused"),
    "hung up, and asked again": lambda _: httpx.RemoteProtocolError("Server disconnected without sending a response."),
    "no HTTP": lambda _: httpx.RemoteProtocolError("illegal status line"),
    "lost, and asked again": lambda _: httpx.ReadError(""),
}


def test_sound_answers_give_the_same_snapshots_again(tmp_path: Path) -> None:
    """Two books of three, both sources of prices, one answer for two symbols."""
    seen = same(tmp_path, "/none")
    assert [len(snapshot.books) for snapshot in seen] == [2, 2, 2]
    assert [len(snapshot.references) for snapshot in seen] == [3, 3, 3]
    assert seen[0].books[A].age_s == 1.0


@pytest.mark.parametrize("path", ["/books", "/Ticker", "/tickers"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_venue_gives_the_same_snapshots_again(tmp_path: Path, fault: str, path: str) -> None:
    """In the first tick; those after it show what the clients and adapters made of it, back-off included."""
    same(tmp_path, path, FAULTS[fault])


@pytest.mark.parametrize("path", ["/books", "/tickers", "/Ticker"])
def test_what_a_busy_machine_was_late_with_is_missing_again(tmp_path: Path, path: str) -> None:
    """The deadline strikes between two requests, too, of which nothing is recorded then."""

    def busy(_: httpx.Request) -> httpx.Response:
        time.sleep(DEADLINE_S)
        return answered(b"<html>")

    seen = same(tmp_path, path, busy)
    assert not seen[0].books


@pytest.mark.parametrize("path", ["/books", "/Ticker", "/tickers"])
def test_what_the_deadline_cut_off_is_missing_again(tmp_path: Path, path: str) -> None:
    """The client would have waited longer than the tick."""
    seen = same(tmp_path, path, lambda _: 9.0, ticks=2, HTTP_TIMEOUT_S="5")
    assert len(seen[0].books) + len(seen[0].references) < 5
    errors = [x.error for event in recorded(tmp_path) if isinstance(event, Attempted) for x in event.exchanges if x.error]
    assert "late" in errors


def test_a_tick_that_was_not_committed_did_not_happen(tmp_path: Path) -> None:
    """Neither one whose inputs were in, nor one that came to nothing before."""

    class Failing:
        """A feed with a defect."""

        async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
            """Fail."""
            raise ZeroDivisionError

    async def live() -> list[Snapshot]:
        clock = SystemClock()
        recorder = Recorder(tmp_path, clock=clock, failed=lambda why: None)
        container = Container(
            settings=Settings(),
            clock=clock,
            entries=(),
            universe=Followed(),
            transports=lambda source, base_url: recorder.transport(source, base_url, Venues("", [])),
        )
        state = State(sequence=7, ledger=WATCHING)
        recorder.begin(Session(at_ms=1, version="x", state=state, settings=Settings().exact(), trades=False))
        feed = RecordedFeed(container.feed(), recorder)
        kept = [await feed.observe(clock.now(), WATCHING)]
        recorder.committed()
        await feed.observe(clock.now(), WATCHING)
        with pytest.raises(ZeroDivisionError):
            await RecordedFeed(Failing(), recorder).observe(clock.now(), WATCHING)
        kept.append(await feed.observe(clock.now(), WATCHING))
        recorder.committed()
        await feed.observe(clock.now(), WATCHING)
        recorder.close()
        return kept

    kept = asyncio.run(live())
    assert list(snapshots(tmp_path)) == kept
    ticks = [event for event in recorded(tmp_path) if isinstance(event, Attempted)]
    assert [(tick.ticked.sequence, tick.committed) for tick in ticks] == [(8, True), (9, False), (9, True), (10, None)]
