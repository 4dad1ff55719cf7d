"""Discovery: looks for markets at Polymarket, and says of each why it was kept or left. Never on a tick's way.

Without a search it reads the busiest open events page by page, with one what the search finds; then it asks for the books of
all that passed, in one request. A market without a book yet (listed, not hydrated) is simply met again by the next scan.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from adapters.candidates import Candidate as Candidate
from adapters.candidates import ScanReason as ScanReason
from adapters.candidates import Wishes as Wishes
from adapters.candidates import judged, priced
from adapters.gamma_event import Event, Page
from adapters.health import Health
from adapters.polymarket_gamma import Gamma
from domain.market import OrderBook, TokenId
from domain.ports import Clock, OrderBooks, Unavailable

SOURCE = "discovery"
EVENTS_A_PAGE = 10
"""The busiest events hold up to a hundred markets of 5 kB each, and an answer is read up to 4 MB."""


class Discovery:
    """Scans for markets, and keeps what the latest finished scan found."""

    def __init__(self, *, gamma: Gamma, books: OrderBooks, clock: Clock, health: Health, wishes: Wishes) -> None:
        """Know nothing yet; how scans went is told to `health` as the source `discovery`."""
        self._gamma = gamma
        self._books = books
        self._clock = clock
        self._health = health
        self._wishes = wishes
        self._latest: tuple[Candidate, ...] = ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What the latest finished scan met; empty before the first one."""
        return self._latest

    async def scan(self) -> tuple[Candidate, ...]:
        """Look once, one request after the other. Raises `Unavailable`; what was found before then stays."""
        began = self._clock.now()
        try:
            met = judged([event async for event in self._events()], self._wishes, began)
            books = await self._books_of(met)
        except Unavailable as failure:
            self._health.failed(SOURCE, failure.kind)
            raise
        self._latest = tuple(priced(candidate, books, self._wishes) for candidate in met)
        ended = self._clock.now()
        self._health.ok(SOURCE, ended.elapsed_ms - began.elapsed_ms, ended.at_ms)
        return self._latest

    async def keep_scanning(self, interval_s: float) -> None:
        """Go on for ever, the first scan at once, with `interval_s` (real seconds) between two; failures are waited out."""
        while True:
            with suppress(Unavailable):  # counted in health; the candidates say from when they are
                await self.scan()
            await asyncio.sleep(interval_s)

    async def _events(self) -> AsyncIterator[Event]:
        """New events until enough markets were looked at; a page that brings nothing new is the last."""
        seen: set[str] = set()
        left = self._wishes.limit
        async for page in self._pages():
            fresh = [event for event in page.events if event.slug not in seen]
            for event in fresh:
                if left <= 0:
                    return
                seen.add(event.slug)
                whole = await self._whole(event)
                left -= max(1, len(whole.listings))
                yield whole
            if not fresh or left <= 0:
                return

    async def _pages(self) -> AsyncIterator[Page]:
        """Pages until the last one, or one whose cursor was met before."""
        if self._wishes.search:
            number, more = 0, True
            while more:
                number += 1
                page = await self._gamma.searched(self._wishes.search, limit=EVENTS_A_PAGE, page=number)
                more = page.more
                yield page
            return
        cursors = {""}
        cursor = ""
        while True:
            page = await self._busiest(cursor)
            yield page
            cursor = page.cursor
            if cursor in cursors:
                return
            cursors.add(cursor)

    async def _busiest(self, after: str) -> Page:
        try:
            return await self._gamma.busiest(limit=EVENTS_A_PAGE, after=after)
        except Unavailable as failure:
            if failure.kind != "too_large":
                raise
        return await self._gamma.busiest(limit=1, after=after)

    async def _whole(self, event: Event) -> Event:
        """The event as it is, or by its slug where a row is too short: without markets, or with a draw but not its set."""
        half_a_match = event.three_way is None and any(listing.match_draw for listing in event.listings)
        if event.listings and not half_a_match:
            return event
        try:
            return await self._gamma.event(event.slug)
        except Unavailable as failure:
            return event if event.listings or event.refused else replace(event, refused=(failure.kind,))

    async def _books_of(self, met: Sequence[Candidate]) -> Mapping[TokenId, OrderBook]:
        tokens = [candidate.token for candidate in met if candidate.kept and candidate.token]
        try:
            return await self._books.books(tokens) if tokens else {}
        except Unavailable as failure:
            if failure.kind != "no_book":
                raise
            return {}
