"""What a simulated world knows: quantities at a time, without any venue's way of saying them."""

from decimal import Decimal
from typing import Protocol

from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.wire import BookSpec


class Tape(Protocol):
    """What is true at a playing time (UTC, ms)."""

    @property
    def markets(self) -> tuple[SimMarket, ...]:
        """Every market, resolved ones too."""
        ...

    @property
    def pairs(self) -> tuple[str, ...]:
        """The spot pairs that are listed, as they are asked for ("XBTUSD")."""
        ...

    def spot(self, pair: str, now_ms: int) -> Decimal | None:
        """The spot mid of a listed pair in USD, None while the exchange is unavailable."""
        ...

    def book(self, token_id: str, now_ms: int) -> BookSpec | None:
        """The token's book, None when there is none. Not asked after the market has a winner."""
        ...

    def winner(self, slug: str, now_ms: int) -> str | None:
        """The winning outcome once the market is resolved."""
        ...
