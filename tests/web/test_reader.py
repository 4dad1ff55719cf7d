"""What a reader does: looks, asks the four questions, goes by key, zooms, filters, and loses the server for a while."""

import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from adapters.portal.schema import BOOKS, TRADES
from adapters.portal_server import serve
from tests.web import states
from tests.web.agent import RISES, THIN, Agent, past, stamped
from tests.web.browser import WEB, Look, View, opened, plain_server, viewed

pytestmark = pytest.mark.browser

CHART = "#equity-chart"
LEGEND = "#equity-chart-legend .when"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The whole folder as somebody would upload it, with data of now."""
    web = Path(shutil.copytree(WEB, tmp_path / "web", ignore=shutil.ignore_patterns("data")))
    agent = Agent(web / "data", past())
    agent.publish(stamped(past().coming[0], time.time_ns() // 1_000_000))
    return web


def told(view: View, test_id: str) -> str:
    """What the part with this test id says."""
    return view.text(f'[data-testid="{test_id}"]')


def test_the_page_answers_a_strangers_four_questions(browser: Browser, played: Path) -> None:
    """Is it alive, what did it earn after fees, why does it not trade, which setting would have changed that."""
    with opened(browser, played, Look(lang="en")) as view:
        assert "Alive" in told(view, "freshness")
        assert "Fees" in told(view, "split")
        assert "decisions" in told(view, "top-reason")
        view.turn("#/pm/candidates")
        assert " of " in told(view, "nearest")
        assert "LEAD_LAG_" in view.text('section[data-testid="nearest"]')


def test_everything_is_reached_by_key(browser: Browser, played: Path) -> None:
    """The first key skips to the content, the menu is a list of links, and a new page starts at its title."""
    focused = "document.activeElement.id || document.activeElement.textContent"
    with opened(browser, played, Look()) as view:
        view.page.keyboard.press("Tab")
        assert view.page.evaluate(focused) == "skip"
        view.page.keyboard.press("Enter")
        assert view.page.evaluate(focused) == "title"
        view.page.focus("#nav-list a[href='#/trades']")
        view.page.keyboard.press("Enter")
        view.until("document.activeElement.id === 'title'")
        assert view.page.evaluate("location.hash") == "#/trades"
        view.page.focus("main select")
        view.page.keyboard.press("Tab")
        assert view.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_chart_has_a_cursor_for_the_keys(browser: Browser, played: Path) -> None:
    """Arrows go from point to point, Home to the first; the legend says time and values."""
    with opened(browser, played, Look()) as view:
        view.page.focus(CHART)
        newest = view.text(LEGEND)
        view.page.keyboard.press("ArrowLeft")
        before = view.text(LEGEND)
        view.page.keyboard.press("Home")
        first = view.text(LEGEND)
        assert len({newest, before, first}) == 3
        assert first < before < newest
        assert view.complaints() == []


def test_a_tick_leaves_a_zoomed_chart_where_it_is(browser: Browser, data: Path) -> None:
    """Though the file lost its oldest row and the line its first point."""
    states.big(data)
    with opened(browser, data, Look()) as view:
        box = view.page.locator(CHART).bounding_box()
        assert box is not None
        at = (box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
        view.page.keyboard.down("Control")
        view.page.mouse.move(*at)
        for _ in range(8):
            view.page.mouse.wheel(0, -100)
        view.page.keyboard.up("Control")
        view.page.wait_for_timeout(300)
        seen = []
        for _ in range(2):
            view.page.mouse.move(at[0] + 20, at[1])
            view.page.mouse.move(*at)
            view.page.wait_for_timeout(300)
            seen.append(view.text(LEGEND))
            with view.page.expect_response(lambda answer: "pm_paper_equity" in answer.url):
                states.appended(data, view.now)
            view.page.wait_for_timeout(1000)
        assert seen[0] == seen[1]
        assert view.complaints() == []


def test_a_server_that_comes_back_needs_no_reload(browser: Browser, site: Path) -> None:
    """While it is away the page says so, with how long."""
    silent = "document.querySelector('#freshness').innerText.includes('server')"
    with ExitStack() as stack:
        with plain_server(site) as url:
            view = stack.enter_context(viewed(browser, url, Look(lang="en")))
        view.until(silent)
        with plain_server(site, port=url.rsplit(":", 1)[1]):
            view.until(f"!{silent}")
            assert "Bitcoin" in view.text()


def test_a_market_shows_its_ladder_with_the_band(browser: Browser, played: Path) -> None:
    """Best levels in the middle; those within the slippage cap are marked."""
    with opened(browser, played, Look(route=f"#/market/{RISES}")) as view:
        rows = view.page.locator(".ladder tbody tr")
        assert 2 < rows.count() <= 20
        assert 2 <= view.page.locator(".ladder tr.band").count() < rows.count()
        assert (played / BOOKS.name).exists()


@pytest.mark.parametrize("mode", ["pm_trend", "pm_draw", "fair_model"])
def test_every_strategy_has_its_page(browser: Browser, tmp_path: Path, mode: str) -> None:
    """The thresholds are those of the mode in force."""
    Agent(tmp_path / "data", past(), strategy_mode=mode)
    with opened(browser, tmp_path / "data", Look(lang="en")) as view:
        for route in ("#/start/overview", "#/pm/edge", "#/pm/candidates", f"#/market/{THIN}", "#/about"):
            view.turn(route)
            assert view.page.evaluate("[...document.querySelectorAll('[data-state=error]')].length") == 0, route
        assert mode in view.text(".strategy:has(.tag)")
        assert view.complaints() == []


def test_a_filter_and_an_order_are_an_address(browser: Browser, data: Path) -> None:
    """Whoever gets the link sees the same rows, all ten thousand taken into account."""
    states.big(data)
    kept = [row for row in states.rows_of(data / TRADES.name) if row["action"] == "SELL"]
    with opened(browser, data, Look(route="#/trades", lang="en")) as view:
        view.page.select_option('select[data-param="action"]', "SELL")
        view.until(f"document.querySelector('main').innerText.includes('{len(kept):,} rows')")
        view.page.locator("main thead a", has_text="Shares").click()
        view.until("location.hash.includes('sort=')")
        address = view.page.evaluate("location.hash")
        assert f"{len(kept):,} rows" in view.text()
        first = view.text("main tbody tr:first-child")
        view.go(Look(route="#/health", lang="en"))
        view.go(Look(route=address, lang="en"))
        assert view.text("main tbody tr:first-child") == first


def test_the_page_without_its_words_still_tells(browser: Browser, site: Path) -> None:
    """A half-finished upload: the words are missing, the numbers are not."""
    (site / "app/words.json").unlink()
    with serve(site) as portal, viewed(browser, portal.url, Look()) as view:
        assert "Bitcoin" in view.text()


def test_a_replay_shows_what_it_came_to(browser: Browser, played: Path) -> None:
    """From the list to the run: the result, its curve, its gaps, its trades; a run that is not there is no page in disguise."""
    with opened(browser, played, Look(route="#/replay", lang="en")) as view:
        view.page.get_by_role("link", name=states.REPLAY).click()
        view.until("document.querySelector('#replay-curve-chart canvas') !== null")
        shown = view.text()
        assert "−8.60" in shown
        assert "Gaps in the recording: 1" in shown
        assert "25 %" in shown
        view.turn("#/replay/nowhere")
        view.until("document.querySelector('main').innerText.includes('No replay is called nowhere.')")
        assert view.complaints() == []


def test_a_sweep_shows_its_best_and_how_much_of_it_is_luck(browser: Browser, played: Path) -> None:
    """The warning first; a heat map whose numbers can be read without its colours; what happened on unseen data."""
    with opened(browser, played, Look(route=f"#/replay/{states.SWEEP}", lang="en")) as view:
        view.until("document.querySelector('.heat td') !== null")
        assert "stands on a cliff" in view.text(".alarms")
        assert view.page.locator(".heat tbody td").all_inner_texts() == ["0.041", "−0.02", "0.01", "–"]
        assert "61 %" in told(view, "verdict")
        assert "LEAD_LAG_EDGE_MIN_PCT=0.2" in told(view, "folds")
        assert view.complaints() == []


OUTLINE = """() => {
  const at = (n) => ({ time: 15 * (n + (n < 4000 ? 0 : 500)), value: Math.sin(n / 40) * n, outage: n === 4000 });
  const points = Array.from({ length: 9000 }, (_, n) => at(n));
  const kept = spelarCharts.outline(points);
  const ends = (list) => String([Math.min(...list.map((p) => p.value)), Math.max(...list.map((p) => p.value))]);
  return {
    kept,
    same: ends(points) === ends(kept.map((n) => points[n])),
    outage: kept.includes(3999) && kept.includes(4000),
  };
}"""


def test_a_long_line_keeps_its_extremes_its_ends_and_its_outage(browser: Browser, played: Path) -> None:
    """Nine thousand points are drawn as some two thousand, in order, and none twice."""
    with opened(browser, played, Look()) as view:
        found = view.page.evaluate(OUTLINE)
        kept = found["kept"]
        assert 800 < len(kept) <= 2500
        assert kept == sorted(set(kept))
        assert (kept[0], kept[-1]) == (0, 8999)
        assert found["same"]
        assert found["outage"]
