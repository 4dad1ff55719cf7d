"""How a market moves that no pair leads: an event's price swings slowly, and the legs of a match share what is left of 1.

Like the paths of spot, it only ever grows at its end: its state is a function of seed and second alone.
"""

import math
import random
from dataclasses import replace

from adapters.simulated_venues.seeded_path import TICKS, Quote

BIDS_OF_A_MATCH = 99
"""Ticks that the three bids of a match add up to: with one tick between bid and ask the mids are worth 1.005, as captured."""


class SwingPath:
    """One price that goes to and fro between two others, from near the one to near the other in two to five minutes."""

    def __init__(self, seed: str, low: float, high: float) -> None:
        """`low` and `high` bound the mid (price units); `seed` names the event as well."""
        self._random = random.Random(seed)  # noqa: S311  a toy market, not a secret
        self._low, self._high = low * TICKS, high * TICKS
        self._rising = self._random.random() < 0.5
        self._since_s, self._until_s = 0, 0
        self._from = self._to = (self._low + self._high) / 2
        self._next_size_s = self._random.randint(2, 9)
        bid = math.floor(self._to)
        self._quotes = [Quote(bid=bid, ask=bid + 1, generation=0, changed_s=0)]

    def quote(self, second: int) -> Quote:
        """The quotes at `second` since the start."""
        while len(self._quotes) <= second:
            self._step(len(self._quotes))
        return self._quotes[second]

    def _step(self, second: int) -> None:
        if second > self._until_s:
            self._turn()
        way = (second - self._since_s) / (self._until_s - self._since_s)
        bid = math.floor(self._from + (self._to - self._from) * (1 - math.cos(math.pi * way)) / 2)
        last = self._quotes[-1]
        if second < self._next_size_s and bid == last.bid:
            self._quotes.append(last)
            return
        self._next_size_s = second + self._random.randint(2, 9)
        self._quotes.append(Quote(bid=bid, ask=bid + 1, generation=last.generation + 1, changed_s=second))

    def _turn(self) -> None:
        """Set out for the other end, or for a place up to a fifth of the way short of it."""
        short = self._random.uniform(0, 0.2) * (self._high - self._low)
        self._from, self._to = self._to, self._high - short if self._rising else self._low + short
        self._since_s, self._until_s = self._until_s, self._until_s + self._random.randint(120, 300)
        self._rising = not self._rising


def leg_quote(swing: Quote, threshold: str, home_share: float) -> Quote:
    """The quotes of one leg of a match (0 home, 2 away) whose draw stands at `swing`; of any other market, `swing`."""
    home = round(home_share * (BIDS_OF_A_MATCH - swing.bid))
    bid = {"0": home, "2": BIDS_OF_A_MATCH - swing.bid - home}.get(threshold, swing.bid)
    return replace(swing, bid=bid, ask=bid + 1)


def drawn_leg(seed: str, swing: Quote, home_share: float) -> str:
    """The threshold of the leg that wins when the last quotes were its chances."""
    legs = {threshold: leg_quote(swing, threshold, home_share).bid for threshold in ("0", "1", "2")}
    return random.Random(seed).choices(list(legs), list(legs.values()))[0]  # noqa: S311  a toy market, not a secret
