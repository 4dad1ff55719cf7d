"""A world whose quantities a test sets by hand, spoken through the same endpoints as every other world."""

from collections.abc import Callable
from decimal import Decimal

from adapters.simulated_venues import exchange
from adapters.simulated_venues.kraken_wire import SPOT_KEYS
from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.tape import Row, usual_row
from adapters.simulated_venues.wire import Answer, BookSpec, Request


def _unavailable(pair: str, now_ms: int) -> None:
    return None


def _no_book(token_id: str, now_ms: int) -> None:
    return None


def _no_winner(slug: str, now_ms: int) -> None:
    return None


class Steady:
    """A `Script` over functions of the playing time (UTC, ms).

    `spot(pair, ms)` gives USD, quoted 0.05 to both sides, or None (EService:Unavailable); `books(token_id, ms)` a book
    or None (404); `winners(slug, ms)` the winning outcome, `VOID` or None; `futures(symbol, ms)` what a ticker row says
    otherwise than usual (`Tape.futures`), or None. No book is asked of a market that does not trade.
    """

    def __init__(
        self,
        *,
        spot: Callable[[str, int], Decimal | float | None] = _unavailable,
        books: Callable[[str, int], BookSpec | None] = _no_book,
        markets: tuple[SimMarket, ...] = (),
        winners: Callable[[str, int], str | None] = _no_winner,
        futures: Callable[[str, int], Row | None] = usual_row,
        pairs: tuple[str, ...] = tuple(SPOT_KEYS),
    ) -> None:
        """Nothing is asked before the first request."""
        self.markets = markets
        self.pairs = pairs
        self._spot, self._books, self._winners, self._futures = spot, books, winners, futures

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The venue's answer at `now_ms`."""
        return exchange.answer(self, venue, request, now_ms)

    def listed(self, now_ms: int) -> tuple[SimMarket, ...]:
        """The markets that were given."""
        return self.markets

    def spot(self, pair: str, now_ms: int) -> Decimal | None:
        """The spot mid in USD, None while unavailable."""
        price = self._spot(pair, now_ms)
        return price if price is None or isinstance(price, Decimal) else Decimal(str(price))

    def futures(self, symbol: str, now_ms: int) -> Row | None:
        """What the ticker row of this symbol says otherwise than usual."""
        return self._futures(symbol, now_ms)

    def book(self, token_id: str, now_ms: int) -> BookSpec | None:
        """The token's book, None when there is none."""
        return self._books(token_id, now_ms)

    def winner(self, slug: str, now_ms: int) -> str | None:
        """The winning outcome, None while the market is open."""
        return self._winners(slug, now_ms)
