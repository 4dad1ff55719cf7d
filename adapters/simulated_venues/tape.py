"""What a simulated world knows: quantities at a time, without any venue's way of saying them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.wire import BookSpec

Row = Mapping[str, object]
"""Fields of one row of a venue's answer, by its names."""


class Tape(Protocol):
    """What is true at a playing time (UTC, ms)."""

    @property
    def pairs(self) -> tuple[str, ...]:
        """The spot pairs that are listed, as they are asked for ("XBTUSD")."""
        ...

    def listed(self, now_ms: int) -> tuple[SimMarket, ...]:
        """Every market that the venue knows, resolved ones too."""
        ...

    def spot(self, pair: str, now_ms: int) -> Decimal | None:
        """The spot mid of a listed pair in USD, None while the exchange is unavailable."""
        ...

    def futures(self, symbol: str, now_ms: int) -> Row | None:
        """What a futures ticker says otherwise than usual: these fields, of which None leaves one out of the row."""
        ...

    def book(self, token_id: str, now_ms: int) -> BookSpec | None:
        """The token's book, None when there is none. Asked only while the market trades."""
        ...

    def winner(self, slug: str, now_ms: int) -> str | None:
        """The winning outcome once the market is resolved, or `market.VOID`."""
        ...


def usual_row(symbol: str, now_ms: int) -> None:
    """Nothing otherwise than usual."""
    return
