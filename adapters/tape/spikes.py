"""The spike rule over a whole tape: which prices of a reference were accepted, and what each tick remembered of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.tape.columns import Floats, Grid, Ints, ReferenceColumns
from adapters.tape.figures import SLACK
from domain.edge import SPIKE_PCT
from domain.market import Moment, Reference
from domain.reading import accepted
from domain.state import Seen

NOWHERE = Moment(at_ms=0, elapsed_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One reference over all ticks: its age (seconds), how far an unconfirmed price jumped (percent), what was remembered.

    `kept` are the ticks whose price was remembered as accepted, in order; `waiting` the ticks that remembered a price far from
    the last accepted one, too.
    """

    price: Floats
    age_s: Floats
    jump_pct: Floats | None
    kept: Ints
    waiting: dict[int, float]

    def seen_before(self, tick: int) -> Seen | None:
        """What the tick before this one remembered; None when nothing was accepted by then."""
        whole = len(self.kept) == len(self.price)
        number = tick if whole else int(self.kept.searchsorted(tick))
        if number == 0:
            return None
        return Seen(accepted=self.price.item(self.kept.item(number - 1)), waiting=self.waiting.get(tick - 1))


def age_s(grid: Grid, requested_elapsed_ms: Ints, added_s: Floats) -> Floats:
    """Seconds since a request began, when the last answer was in; the same operations as `OrderBook.age_at`."""
    age: Floats = np.maximum(grid.ready_elapsed_ms - requested_elapsed_ms, 0) / 1000 + added_s
    return age


def far_from_the_one_before(prices: Floats) -> Ints:
    """The numbers of the prices that may lie too far from the one before for both to be true; 0 is no price."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.abs(np.diff(prices) * 100 / prices[:-1]) > SPIKE_PCT - SLACK
    return np.flatnonzero(far) + 1


def accepted_over(reference: ReferenceColumns, grid: Grid, *, freshness_s: float) -> Accepted:
    """Apply the rule to every tick. Only where a price lies far from the one before is it asked tick by tick."""
    age = age_s(grid, reference.requested_elapsed_ms, reference.age_s)
    came = np.flatnonzero(~np.isnan(reference.price) & (age <= freshness_s))
    return _Rule(reference.price, age, came).over()


class _Rule:
    """The rule in the making: ticks whose price follows an accepted one closely are accepted without being asked."""

    def __init__(self, price: Floats, age: Floats, came: Ints) -> None:
        self._price, self._age, self._came = price, age, came
        self._waiting: dict[int, float] = {}
        self._jumps: dict[int, float] = {}
        self._refused: list[int] = []

    @cached_property
    def _suspects(self) -> Ints:
        """The numbers, among the prices that came, of those far from the one before."""
        return far_from_the_one_before(self._price[self._came])

    def over(self) -> Accepted:
        done = 0
        for number in self._suspects.tolist():
            if number >= done:
                done = self._ask_from(number)
        jump_pct = None
        if self._jumps:
            jump_pct = np.zeros(len(self._price))
            jump_pct[list(self._jumps)] = list(self._jumps.values())
        kept = np.delete(self._came, self._refused) if self._refused else self._came
        return Accepted(price=self._price, age_s=self._age, jump_pct=jump_pct, kept=kept, waiting=self._waiting)

    def _ask_from(self, number: int) -> int:
        """Ask the domain's rule from this price on until one is accepted; the number of the next price."""
        seen = Seen(accepted=float(self._price[self._came[number - 1]]))
        while number < len(self._came):
            tick = int(self._came[number])
            price = float(self._price[tick])
            found = accepted(Reference(price=price, requested=NOWHERE), seen)
            number += 1
            if found.seen is None or found.seen.waiting is None:
                break
            self._jumps[tick] = found.jump_pct
            self._refused.append(number - 1)
            seen = self._remembered(tick, found.seen, until=int(self._came[number]) if number < len(self._came) else None)
        return number

    def _remembered(self, tick: int, seen: Seen, until: int | None) -> Seen:
        """A price waits for the next tick alone; a stale one in between keeps it waiting."""
        last = len(self._price) if until is None else until
        while tick < last:
            self._waiting[tick] = seen.waiting if seen.waiting is not None else 0.0
            tick += 1
            if tick < last and np.isnan(self._price[tick]):
                return Seen(accepted=seen.accepted)
        return seen
