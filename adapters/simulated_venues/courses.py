"""What the quotes of a market follow, and so who wins it: a leading pair, an event's own swing, or spot within a window."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from adapters.simulated_venues.market import SimMarket
from adapters.simulated_venues.seeded_path import TICKS, Quote, QuotePath, SpotPath
from adapters.simulated_venues.swing_path import SwingPath, drawn_leg, leg_quote
from adapters.simulated_venues.updown import window_quote

FIRST_PRICES = {"XBTUSD": Decimal("60000"), "ETHUSD": Decimal("3000"), "SOLUSD": Decimal("150")}


def priced(pair: str, move: float) -> Decimal:
    """The spot mid in USD after a log `move` since the start."""
    return (FIRST_PRICES[pair] * Decimal(math.exp(move))).quantize(Decimal("0.01"))


class Course(Protocol):
    """How one market goes. Seconds count from the start of the play."""

    def quote(self, second: int, outcome: int) -> Quote:
        """The quotes of an outcome (its index); of two outcomes only the first is asked."""
        ...

    def winner(self, closed_s: int) -> int:
        """The index of the outcome that has won when trading ended at `closed_s`."""
        ...


@dataclass(frozen=True, slots=True)
class Led:
    """A market that follows its pair; it ends where its book leant to."""

    path: QuotePath

    def quote(self, second: int, outcome: int) -> Quote:
        """The first outcome's quotes."""
        return self.path.quote(second)

    def winner(self, closed_s: int) -> int:
        """The outcome above one half in the last second."""
        last = self.path.quote(max(0, closed_s - 1))
        return 0 if last.bid + last.ask >= TICKS else 1


@dataclass(frozen=True, slots=True)
class Leg:
    """A market of an event with a path of its own; of one event's three legs exactly one wins, drawn by the seed."""

    market: SimMarket
    path: SwingPath
    seed: str

    def quote(self, second: int, outcome: int) -> Quote:
        """The quotes of this leg, or of that outcome of a market that holds all three."""
        threshold = str(outcome) if len(self.market.outcomes) > 2 else self.market.group_threshold
        return leg_quote(self.path.quote(second), threshold, self.market.event.home_share)

    def winner(self, closed_s: int) -> int:
        """Drawn with the last quotes as chances."""
        leg = drawn_leg(self.seed, self.path.quote(max(0, closed_s - 1)), self.market.event.home_share)
        if len(self.market.outcomes) > 2:
            return int(leg)
        return 0 if leg == (self.market.group_threshold or "1") else 1


@dataclass(frozen=True, slots=True)
class Window:
    """An Up/Down window that began at `opened_s`."""

    pair: str
    spot: SpotPath
    opened_s: int

    def quote(self, second: int, outcome: int) -> Quote:
        """Up's quotes."""
        return window_quote(self.spot, self.opened_s, second)

    def winner(self, closed_s: int) -> int:
        """Up when the window's last price is its first or more."""
        first, last = (priced(self.pair, self.spot.move(second)) for second in (self.opened_s, closed_s))
        return 0 if last >= first else 1
