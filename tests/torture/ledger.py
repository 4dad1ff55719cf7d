"""The ledger under kill -9 at random moments and at every system call, and under power cuts.

`python -m tests.torture.ledger [--full]` prints the figures as one line of JSON; 1 and one line on any finding.
"""

import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.torture.lives import Child, Finding, Heard, Place, forked, judged, live_on
from tests.torture.power_cuts import power_cuts
from tests.torture.strace import usable
from tests.torture.system_calls import calls_killed

Figures = Mapping[str, int | float]

SKIPPED = "skipped: no strace, or it may not trace"

KILLS_A_LEDGER = 25
"""Then a new one is begun, so that its making is killed as well, and proving it stays fast."""

EARLY = 0.3
"""The share of lives that are killed before their first tick."""

EARLY_S, TICK_S = 0.06, 0.02


def killed_at_random(directory: Path, *, kills: int, seed: int = 7) -> Figures:
    """Kill an agent that ticks as fast as it can, at random moments, and judge what it left. Raises `Finding`."""
    chance, begun_s = random.Random(seed), time.monotonic()
    gc.freeze()  # a fork then copies less
    ticks = trades = early = between = 0
    for ledger in range(-(-kills // KILLS_A_LEDGER)):
        place, heard = Place.under(directory / f"{ledger}"), Heard()
        for _ in range(min(KILLS_A_LEDGER, kills - ledger * KILLS_A_LEDGER)):
            before = heard.sequence
            with forked(partial(live_on, place)) as child:
                _kill(child, heard, chance)
            kept = judged(place, heard)
            early += heard.sequence == before
            between += kept > heard.sequence
            heard.sequence = kept
        ticks, trades = ticks + heard.sequence, trades + len(heard.trades)
    return {
        "kills": kills,
        "before_the_first_tick": early,
        "between_commit_and_acknowledgement": between,
        "ticks": ticks,
        "acknowledged_trades": trades,
        "lost": 0,
        "doubled": 0,
        "unbalanced": 0,
        "seconds": round(time.monotonic() - begun_s, 1),
    }


def killed_by_many(directory: Path, *, kills: int) -> Figures:
    """The same by a process on each core, each with places of its own: the figures of all. Raises `Finding`."""
    begun_s, workers = time.monotonic(), os.cpu_count() or 1
    shares = [kills // workers + (number < kills % workers) for number in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [
            pool.submit(killed_at_random, directory / f"{seed}", kills=share, seed=seed) for seed, share in enumerate(shares)
        ]
        parts = [future.result() for future in futures]
    total = Counter[str]()
    for part in parts:
        total.update(part)
    return {**total, "seconds": round(time.monotonic() - begun_s, 1)}


def _kill(child: Child, heard: Heard, chance: random.Random) -> None:
    """At any moment of its start, or of one of its first ticks."""
    wanted, spoken = (0 if chance.random() < EARLY else chance.randint(1, 3)), 0
    lines = child.lines()
    while spoken < wanted:
        heard.line(next(lines))
        spoken += 1
    child.quiet_for(chance.uniform(0, TICK_S if wanted else EARLY_S))
    child.kill()
    for line in lines:
        heard.line(line)
    if (code := child.ended()) != -9:
        raise Finding(f"an agent ended by itself: {code}")


def figures(directory: Path, *, kills: int, every: int, cuts: int) -> Mapping[str, Figures | str]:
    """All three: so many kills, a kill at every so many-th system call, so many power cuts. Raises `Finding`."""
    if not usable():
        return {"kill_9": killed_by_many(directory, kills=kills), "system_calls": SKIPPED, "power_cuts": SKIPPED}
    parts: Mapping[str, Callable[[Path], Figures]] = {
        "kill_9": partial(killed_by_many, kills=kills),
        "system_calls": partial(calls_killed, every=every),
        "power_cuts": partial(power_cuts, cuts=cuts),
    }
    return {name: part(directory / name) for name, part in parts.items()}


def main(arguments: list[str]) -> int:
    """Print the figures as one line of JSON; 1 with the finding."""
    full = "--full" in arguments
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = figures(Path(directory), kills=10_000 if full else 100, every=1 if full else 20, cuts=1_000 if full else 50)
        except Finding as finding:
            print(f"FOUND: {finding}", file=sys.stderr)
            return 1
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
