"""A seeded world in playing time: spot leads, Polymarket lags, and every book follows from (seed, second) alone."""

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal

from adapters.simulated_venues import exchange
from adapters.simulated_venues.courses import FIRST_PRICES, Course, Led, Leg, Window, priced
from adapters.simulated_venues.default_world import DEFAULT, SERIES
from adapters.simulated_venues.drawn_book import drawn_book, mirrored
from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.seeded_path import QuotePath, SpotPath
from adapters.simulated_venues.swing_path import SwingPath
from adapters.simulated_venues.tape import Row, usual_row
from adapters.simulated_venues.updown import SimSeries
from adapters.simulated_venues.wire import Answer, BookSpec, Request

LAST_SECOND = 14 * 86_400
"""Time stands still after two weeks, so that a wrong start cannot ask for a path of fifty years."""


class Scenario:
    """A `Script` of simulated markets that starts at `start_ms` (UTC); before it, everything is as at the start.

    Equal seeds and starts give equal answers at equal times, in whatever order and from whatever thread they are asked.
    """

    def __init__(
        self,
        seed: int,
        start_ms: int,
        markets: tuple[SimMarket, ...] = DEFAULT,
        *,
        series: tuple[SimSeries, ...] = SERIES,
        futures: Callable[[str, int], Row | None] = usual_row,
    ) -> None:
        """A market's pair must be one of XBTUSD, ETHUSD, SOLUSD (KeyError), or "" for a path of its event's own,
        which a market of three outcomes has anyway.

        `futures(symbol, ms)` is what Kraken Futures says otherwise than usual: see `Tape.futures`.
        """
        self.seed = seed
        self.start_ms = start_ms
        self.markets = tuple(market.placed(start_ms) for market in markets)
        self.series = series
        self.pairs = tuple(FIRST_PRICES)
        self._futures = futures
        self._lock = threading.RLock()
        self._spots = {pair: SpotPath(f"{seed}:{pair}") for pair in self.pairs}
        self._swings: dict[str, SwingPath] = {}
        self._courses = {market.slug: self._course_of(market) for market in self.markets}
        self._by_token = {token: market for market in self.markets for token in market.token_ids}
        self._by_slug = {market.slug: market for market in self.markets}

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer at `now_ms`."""
        return exchange.answer(self, venue, request, now_ms)

    def listed(self, now_ms: int) -> tuple[SimMarket, ...]:
        """The markets, and of every series the windows around `now_ms`."""
        return (*self.markets, *self._windows(now_ms))

    def spot(self, pair: str, now_ms: int) -> Decimal | None:
        """The pair's mid in USD; it moves once a second."""
        with self._lock:
            return priced(pair, self._spots[pair].move(self._second(now_ms)))

    def futures(self, symbol: str, now_ms: int) -> Row | None:
        """What the ticker row of this symbol says otherwise than usual."""
        return self._futures(symbol, now_ms)

    def book(self, token_id: str, now_ms: int) -> BookSpec | None:
        """The token's book; of two outcomes the second's is the exact mirror of the first's."""
        windows = (window for window in self._windows(now_ms) if token_id in window.token_ids)
        market = self._by_token.get(token_id) or next(windows, None)
        if market is None:
            return None
        index = market.token_ids.index(token_id)
        mirror = index == 1 and len(market.outcomes) == 2
        with self._lock:
            quote = self._course(market).quote(self._second(now_ms), 0 if mirror else index)
        book = drawn_book(f"{self.seed}:{market.slug}", quote, self.start_ms)
        return mirrored(book) if mirror else book

    def winner(self, slug: str, now_ms: int) -> str | None:
        """The named winner, or the one that the market's course has decided by its end."""
        windows = (window for series in self.series if (window := series.named(slug)))
        market = self._by_slug.get(slug) or next(windows, None)
        if market is None or market.resolves_at_ms is None or now_ms < market.resolves_at_ms:
            return None
        if market.winner is not None:
            return market.winner
        closed_ms = market.resolves_at_ms if market.closes_at_ms is None else market.closes_at_ms
        with self._lock:
            return market.outcomes[self._course(market).winner(self._second(closed_ms))]

    def _windows(self, now_ms: int) -> Iterator[SimMarket]:
        return (window for series in self.series for window in series.windows(self.start_ms, now_ms))

    def _course_of(self, market: SimMarket) -> Course:
        if not market.pair or len(market.outcomes) > 2:
            seed = f"{self.seed}:{market.event.slug}"
            swing = self._swings.setdefault(market.event.slug, SwingPath(seed, *market.event.swing))
            return Leg(market, swing, f"{seed}:result")
        sign = 1 if market.direction == "normal" else -1
        seed = f"{self.seed}:{market.slug}"
        return Led(QuotePath(seed, self._spots[market.pair], market.first_mid, sign * market.elasticity))

    def _course(self, market: SimMarket) -> Course:
        """The course of a market that is listed; of windows, which come and go, none is kept."""
        began_ms = market.event.starts_at_ms or 0
        return self._courses.get(market.slug) or Window(market.pair, self._spots[market.pair], self._second(began_ms))

    def _second(self, now_ms: int) -> int:
        return min(max(0, (now_ms - self.start_ms) // 1000), LAST_SECOND)
