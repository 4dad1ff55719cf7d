"""How a seeded world moves, second by second: spot jumps, and Polymarket follows it late and in steps.

Each path only ever grows at its end, one second at a time, so its state is a function of seed and second alone, in
whatever order it is asked.
"""

import math
import random
from dataclasses import dataclass

NOISE_PER_S = 0.00002
NOISE_HALF_LIFE_S = 5_000
FALSE_SHARE = 0.2
LOWEST_MID, HIGHEST_MID = 0.15, 0.85
QUIET_LAG_S = 45
TICKS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A sudden log move of spot at second `at_s`; a false one is taken back at `back_s`."""

    at_s: int
    size: float
    back_s: int | None


class SpotPath:
    """The log move of one pair since the start: small noise, and a jump of 0.35 to 0.8 % every two to four minutes."""

    def __init__(self, seed: str) -> None:
        """`seed` names the pair as well, so that pairs move apart."""
        self._random = random.Random(seed)  # noqa: S311  a toy market, not a secret
        self._noise = [0.0]
        self._moves = [0.0]
        self._jumped = 0.0
        self._next_jump_s = self._random.randint(130, 160)
        self.jumps: dict[int, Jump] = {}
        self._last: Jump | None = None

    def move(self, second: int) -> float:
        """The log move from second 0 to `second`."""
        self._reach(second)
        return self._moves[second]

    def noise(self, second: int) -> float:
        """The part of `move` that is not jumps."""
        self._reach(second)
        return self._noise[second]

    def jump_at(self, second: int) -> Jump | None:
        """The jump of exactly this second."""
        self._reach(second)
        return self.jumps.get(second)

    def _reach(self, second: int) -> None:
        while len(self._moves) <= second:
            self._step(len(self._moves))

    def _step(self, second: int) -> None:
        self._noise.append(self._noise[-1] * (1 - 1 / NOISE_HALF_LIFE_S) + self._random.gauss(0, NOISE_PER_S))
        if self._last is not None and self._last.back_s == second:
            self._jumped -= self._last.size
        if second == self._next_jump_s:
            self._jump(second)
        self._moves.append(self._noise[-1] + self._jumped)

    def _jump(self, second: int) -> None:
        # The further spot has gone, the likelier it turns: it stays near its first price for days.
        rise_chance = min(0.95, max(0.05, 0.5 - 40 * self._jumped))
        sign = 1 if self._random.random() < rise_chance else -1
        size = sign * self._random.uniform(0.0035, 0.008)
        false = bool(self.jumps) and self._random.random() < FALSE_SHARE
        jump = Jump(at_s=second, size=size, back_s=second + self._random.randint(16, 26) if false else None)
        self.jumps[second] = self._last = jump
        self._jumped += size
        self._next_jump_s = second + self._random.randint(120, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The first token's best prices in ticks; `generation` counts changes of size, `changed_s` is the last change."""

    bid: int
    ask: int
    generation: int
    changed_s: int


class QuotePath:
    """The quotes of one market: what spot did, 30 to 75 s later and in steps; false jumps never arrive."""

    def __init__(self, seed: str, spot: SpotPath, first_mid: float, elasticity: float) -> None:
        """`elasticity`: change of the mid per unit of log move near `first_mid`, negative for an inverse market."""
        self._random = random.Random(seed)  # noqa: S311  a toy market, not a secret
        self._spot, self._first_mid, self._elasticity = spot, first_mid, elasticity
        self._arrived = 0.0
        self._arrivals: dict[int, float] = {}
        self._held_ticks = first_mid * TICKS
        self._spread_ticks, self._next_spread_s = 1, self._random.randint(60, 180)
        self._next_size_s = self._random.randint(2, 9)
        bid = round(self._held_ticks - 0.5)
        self._quotes = [Quote(bid=bid, ask=bid + 1, generation=0, changed_s=0)]

    def quote(self, second: int) -> Quote:
        """The quotes at `second` since the start."""
        while len(self._quotes) <= second:
            self._step(len(self._quotes))
        return self._quotes[second]

    def _step(self, second: int) -> None:
        self._plan_arrivals(second)
        self._arrived += self._arrivals.pop(second, 0.0)
        self._hold(self._fair(self._arrived + self._spot.noise(max(0, second - QUIET_LAG_S))) * TICKS)
        if second == self._next_spread_s:
            self._spread_ticks = self._random.choices((1, 2, 3), (55, 40, 5))[0]
            self._next_spread_s = second + self._random.randint(60, 180)
        generation = self._quotes[-1].generation
        if second == self._next_size_s:
            generation += 1
            self._next_size_s = second + self._random.randint(2, 9)
        self._append(second, generation)

    def _append(self, second: int, generation: int) -> None:
        last = self._quotes[-1]
        bid = math.floor(self._held_ticks - self._spread_ticks / 2 + 0.5)
        ask = bid + self._spread_ticks
        same = (bid, ask, generation) == (last.bid, last.ask, last.generation)
        changed_s = last.changed_s if same else second
        self._quotes.append(last if same else Quote(bid=bid, ask=ask, generation=generation, changed_s=changed_s))

    def _plan_arrivals(self, second: int) -> None:
        jump = self._spot.jump_at(second)
        if jump is None or jump.back_s is not None:
            return
        first = self._random.randint(30, 42)
        last = self._random.randint(first + 12, 75)
        steps = self._random.randint(2, 4)
        for step in range(steps):
            at_s = second + first + (last - first) * step // (steps - 1)
            self._arrivals[at_s] = self._arrivals.get(at_s, 0.0) + jump.size / steps

    def _fair(self, log_move: float) -> float:
        """The mid that `log_move` is worth: straight near the first mid, bent so that it stays in .15 to .85."""
        room = min(self._first_mid - LOWEST_MID, HIGHEST_MID - self._first_mid)
        return self._first_mid + room * math.tanh(self._elasticity * log_move / room)

    def _hold(self, ticks: float) -> None:
        # Makers requote only for a real change; without this the noise would flicker at every rounding edge.
        if abs(ticks - self._held_ticks) > 0.6:
            self._held_ticks = ticks
