"""What the portal's page costs in chromium with ten thousand rows in each big file, against its targets: `make bench-web`.

CPU is that of the page's main thread (`TaskDuration` of the DevTools protocol in thread time, less what that protocol's own
questions took), the best of five; nothing here is a test, because a busy machine is not a defect.
"""

import gzip
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.web import states
from tests.web.agent import Agent, past
from tests.web.browser import ARGUMENTS, CHROMIUM, NO_CHROMIUM, WEB, Look, View, opened

ROUNDS = 5
REFRESHES = 200
WARM_UP = 5
IDLE_MS = 10_000
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number and what it should be at most."""

    name: str
    value: float
    target: float
    unit: str


class Meter:
    """The DevTools protocol's counters of one page."""

    def __init__(self, page: Page) -> None:
        """Start counting."""
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu_ms(self) -> float:
        """What the main thread has worked so far, without answering us."""
        metrics = self._metrics()
        return (metrics["TaskDuration"] - metrics["DevToolsCommandDuration"]) * 1000

    def heap_mb(self) -> float:
        """What the scripts hold after a collection."""
        self._session.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"] / MEGABYTE

    def _metrics(self) -> dict[str, float]:
        return {metric["name"]: float(metric["value"]) for metric in self._session.send("Performance.getMetrics")["metrics"]}


@contextmanager
def measured(browser: Browser, data: Path) -> Iterator[tuple[View, Meter]]:
    """The overview, open and counted from its load on."""
    meters: list[Meter] = []
    with opened(browser, data, Look(), watch=lambda page: meters.append(Meter(page))) as view:
        view.page.wait_for_timeout(1000)
        yield view, meters[0]


def script_bytes() -> tuple[int, int]:
    """All scripts of the page, as they are and gzipped."""
    scripts = [path.read_bytes() for path in sorted(WEB.rglob("*.js")) if "data" not in path.relative_to(WEB).parts]
    return sum(map(len, scripts)), sum(len(gzip.compress(script)) for script in scripts)


def loads(browser: Browser, data: Path) -> float:
    """CPU of a first load, ms; the best of five."""

    def once() -> float:
        with measured(browser, data) as (_, meter):
            return meter.cpu_ms()

    return min(once() for _ in range(ROUNDS))


def refresh(view: View, data: Path) -> None:
    """One more row in each big file, seen and drawn."""
    with view.page.expect_response(lambda response: "/data/pm_prices.csv" in response.url or "/data/pm_paper_" in response.url):
        states.appended(data, view.now)
        view.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    view.page.wait_for_timeout(250)


def worked(meter: Meter, what: Callable[[], None]) -> float:
    """CPU that something takes, ms."""
    before = meter.cpu_ms()
    what()
    return meter.cpu_ms() - before


def figures(browser: Browser, data: Path, refreshes: int) -> Iterator[Figure]:
    """Every target, measured."""
    whole, zipped = script_bytes()
    yield Figure(name="scripts, as a plain server sends them", value=whole / 1000, target=300, unit="KB")
    yield Figure(name="scripts, as `spelar portal` sends them", value=zipped / 1000, target=300, unit="KB")
    yield Figure(name="CPU to load (best of 5)", value=loads(browser, data), target=350, unit="ms")
    with measured(browser, data) as (view, meter):
        yield Figure(
            name="CPU idle, 10 s", value=worked(meter, lambda: view.page.wait_for_timeout(IDLE_MS)), target=100, unit="ms"
        )
        for _ in range(WARM_UP):
            refresh(view, data)
        first = meter.heap_mb()
        costs = [worked(meter, lambda: refresh(view, data)) for _ in range(refreshes)]
        yield Figure(name="CPU per refresh (best of 5)", value=min(costs[:ROUNDS]), target=150, unit="ms")
        yield Figure(name="CPU per refresh (median)", value=statistics.median(costs), target=150, unit="ms")
        last = meter.heap_mb()
        yield Figure(name="heap", value=last, target=30, unit="MB")
        yield Figure(name=f"heap growth over {refreshes} refreshes", value=100 * (last / first - 1), target=10, unit="%")
    yield Figure(name="CPU to sort or filter (best of 5)", value=max(list_costs(browser, data)), target=100, unit="ms")


def list_costs(browser: Browser, data: Path) -> Iterator[float]:
    """CPU of sorts and filters of ten thousand trades, ms, each the best of five."""
    with opened(browser, data, Look(route="#/trades")) as view:
        meter = Meter(view.page)
        for address in ("sort=-shares", "sort=price", "sort=market", "action=SELL&sort=-realized_pnl"):

            def turned(address: str = address) -> float:
                view.page.evaluate("location.hash = '#/trades'")
                view.page.wait_for_timeout(300)
                before = meter.cpu_ms()
                view.page.evaluate("(address) => { location.hash = `#/trades?${address}`; }", address)
                view.page.wait_for_timeout(300)
                return meter.cpu_ms() - before

            yield min(turned() for _ in range(ROUNDS))


def main() -> int:
    """Print the table; `python -m tests.benchmarks.portal_page 20` takes fewer refreshes."""
    if CHROMIUM is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    refreshes = int(sys.argv[1]) if len(sys.argv) > 1 else REFRESHES
    before = past()
    table = Table("portal", "measured", "at most", "", title="10,000 rows in each big file")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        Agent(data, before)
        states.big(data)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for figure in figures(chromium, data, refreshes):
            verdict = "ok" if figure.value <= figure.target else "[bold red]over[/]"
            table.add_row(figure.name, f"{figure.value:.1f} {figure.unit}", f"{figure.target:g} {figure.unit}", verdict)
        chromium.close()
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
