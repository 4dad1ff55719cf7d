"""What a live tick costs above the slowest answer: 20 markets, real HTTP on loopback, answers that take 50 ms.

Prints one JSON line: requests per tick by path, and the tick's milliseconds above the answer's delay (median, p95, worst).
Run by `make bench`; nothing here is a test, because a busy machine is not a defect.
"""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from adapters.market_map import MapEntry, PolymarketPart, SpotPart
from adapters.simulated_venues import Answer, Request, Scenario, Script, SimMarket, SimulatedVenues
from domain.report import Report
from entrypoints.daemon import Run, run
from entrypoints.logging import configure_logging
from entrypoints.settings import read_settings

ANSWER_S = 0.05
MARKETS = 20
TICKS = 60


class Slow:
    """A script whose answers take a fixed time."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The script's answer, later."""
        time.sleep(ANSWER_S)
        return self._script.answer(venue, request, now_ms)


def main() -> None:
    """Run the benchmark and print its line."""
    configure_logging("WARNING")
    pairs = ("XBTUSD", "ETHUSD")
    markets = tuple(SimMarket(slug=f"market-{n}", pair=pairs[n % 2]) for n in range(MARKETS))
    start_ms = time.time_ns() // 1_000_000
    seen: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedVenues(Slow(Scenario(7, start_ms, markets)), lambda: time.time_ns() // 1_000_000) as venues,
    ):
        map_path = Path(folder) / "map.json"
        entries = [
            MapEntry(
                name=m.slug, polymarket=PolymarketPart(market_slug=m.slug, outcome="Yes"), kraken_spot=SpotPart(pair=m.pair)
            ).model_dump(exclude_none=True)
            for m in markets
        ]
        map_path.write_text(json.dumps({"version": 1, "markets": entries}))
        settings = read_settings(
            {
                **venues.environment(),
                "MARKET_MAP_PATH": str(map_path),
                "INTERVAL_S": "0.25",
                "RUN_TICKS": str(TICKS),
                "STATE_DIR": f"{folder}/state",
                "OUT_DIR": f"{folder}/out",
            }
        )

        def watch(report: Report) -> None:
            seen.append(time.time_ns() / 1e6 - report.moment.at_ms)

        asyncio.run(run(Run(settings=settings, watch=watch)))
        requests = {
            "POST /books": venues.count("clob", "POST", "/books") / TICKS,
            "GET Ticker": venues.count("kraken_spot", "GET", "/0/public/Ticker") / TICKS,
        }
    above = sorted(ms - ANSWER_S * 1000 for ms in seen[5:])
    line = {
        "bench": "live_tick",
        "markets": MARKETS,
        "pairs": len(pairs),
        "requests_per_tick": requests,
        "above_slowest_answer_ms": {
            "median": round(statistics.median(above), 1),
            "p95": round(above[int(len(above) * 0.95)], 1),
            "worst": round(above[-1], 1),
        },
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
