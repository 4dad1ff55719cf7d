"""What recording costs a tick: the same feed over answers in memory, every second tick with the recorder in between.

Twenty markets with twenty levels a side, two prices. Prints one JSON line: the CPU milliseconds of a tick's inputs, what
recording adds to them (medians; all of it happens in the tick's own thread), and what a tick takes on the disk. Run by
`make bench`.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from decimal import Decimal
from itertools import count
from pathlib import Path

import httpx

from adapters.clock import SystemClock
from adapters.tape.recorder import RecordedFeed, Recorder
from adapters.tape.segments import segments
from adapters.tape.session import Session
from domain.ledger import Ledger
from domain.market import Market, ReferenceId, TokenId
from domain.ports import Feed
from domain.state import State
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests import builders

MARKETS, LEVELS, TICKS = 20, 20, 400
PAIRS = ("XBTUSD", "ETHUSD")
TOKENS = tuple(TokenId(str(10**70 + n)) for n in range(MARKETS))


class Venues(httpx.AsyncBaseTransport):
    """Answers from memory: another book and another price each time."""

    def __init__(self) -> None:
        self._dice = random.Random(7)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Books for a POST, else a price."""
        body = self._books() if request.method == "POST" else self._price(request.url.params["pair"])
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body, separators=(",", ":")).encode()))

    def _price(self, pair: str) -> object:
        price = f"{self._dice.uniform(60_000, 61_000):.5f}"
        return {"error": [], "result": {pair: {"a": [price], "b": [price], "c": [price]}}}

    def _books(self) -> object:
        now = str(time.time_ns() // 1_000_000)
        return [{"asset_id": token, "timestamp": now, "hash": "", **self._sides()} for token in TOKENS]

    def _sides(self) -> dict[str, object]:
        size = self._dice.uniform
        bids = [{"price": f"0.{n:03d}", "size": f"{size(1, 9999):.2f}"} for n in range(400, 400 + LEVELS)]
        asks = [{"price": f"0.{n:03d}", "size": f"{size(1, 9999):.2f}"} for n in range(500, 500 - LEVELS, -1)]
        return {"bids": bids, "asks": asks, "min_order_size": "5", "tick_size": "0.001"}


class Fixed:
    """A universe that never changes."""

    def markets(self, held: object = ()) -> tuple[Market, ...]:
        """Twenty markets of two pairs."""
        return MARKETS_OF_IT


MARKETS_OF_IT = tuple(
    builders.market(f"m{n}", token=token, reference=ReferenceId("kraken_spot", PAIRS[n % 2])) for n, token in enumerate(TOKENS)
)


def feed_over(recorder: Recorder | None, clock: SystemClock) -> Feed:
    """The container's feed over the venues in memory."""
    venues = Venues()

    def transport(source: str, base_url: str) -> httpx.AsyncBaseTransport:
        return recorder.transport(source, base_url, venues) if recorder else venues

    container = Container(
        settings=Settings(),
        clock=clock,
        entries=(),
        transports=transport,
        universe=Fixed(),
        monotonic=count().__next__,  # no pace between requests
    )
    feed: Feed = container.feed()
    return RecordedFeed(feed, recorder) if recorder else feed


async def measured(folder: Path) -> dict[str, object]:
    """Ticks by turns."""
    clock = SystemClock()
    troubles: list[str] = []
    recorder = Recorder(folder, clock=clock, failed=troubles.append)
    state = State(sequence=0, ledger=Ledger.opened_with(Decimal(1000)))
    recorder.begin(Session(at_ms=clock.now().at_ms, version="bench", state=state, settings={}))
    plain, recorded = feed_over(None, clock), feed_over(recorder, clock)
    took: dict[Feed, list[float]] = {plain: [], recorded: []}
    for _ in range(TICKS):
        for feed, seen in took.items():
            began = time.thread_time()
            snapshot = await feed.observe(clock.now(), state.ledger)
            assert (len(snapshot.books), len(snapshot.references)) == (MARKETS, len(PAIRS))
            if feed is recorded:
                recorder.committed()
            seen.append((time.thread_time() - began) * 1000)
    recorder.close()
    medians = [statistics.median(seen) for seen in took.values()]
    size = sum(path.stat().st_size for path in segments(folder))
    return {
        "bench": "recording",
        "markets": MARKETS,
        "levels": LEVELS,
        "tick_cpu_ms": round(medians[0], 2),
        "recording_adds_cpu_ms": round(medians[1] - medians[0], 2),
        "bytes_per_tick": size // TICKS,
        "troubles": troubles,
    }


def main() -> None:
    """Print the line."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measured(Path(folder)))))


if __name__ == "__main__":
    main()
