"""The page of many routes: each in both languages, both themes and both widths, with whatever the files are."""

import csv
import io
import json
import shutil
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from adapters.portal.schema import TRADES
from tests.web import states
from tests.web.agent import RISES, Agent, past, stamped
from tests.web.browser import LANGUAGES, ROUTES, THEMES, WEB, WIDTHS, Look, View, axe_needed, opened
from tests.web.test_frame import CHANGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROWS = "[...document.querySelectorAll('main tr')].filter((e) => !e.closest('details:not([open])')).length"
"""What a closed list hides does not count."""

CARDS = "[...document.querySelectorAll('[data-file][data-state]')].map((e) => e.dataset.state)"
SPOILT = [name for name in CHANGES if name != "full"]
FOREIGN_ROUTES = ("#/start/overview", "#/pm/edge", "#/pm/candidates", "#/trades")
ALIASES = (("#/", "#/start/overview"), ("#/start", "#/start/overview"), ("#/why", "#/pm/candidates"), ("#/data", "#/health"))
LOST = ("#/nothing", "#/start/overvjew", "#/market", "#/pm", "#/trades/x", "#/about/nothing", "#/__proto__")


def faults(view: View, *, audited: bool = True) -> list[str]:
    """What is wrong with the view: it must fit, be accessible, and complain of nothing."""
    wide = view.overflow()
    return [*([f"{wide} pixels too wide"] if wide > 0 else []), *(view.audit() if audited else []), *view.complaints()]


@axe_needed
@pytest.mark.parametrize(("lang", "theme"), list(product(LANGUAGES, THEMES)))
def test_every_route_is_ready_quiet_accessible_and_fits(browser: Browser, played: Path, lang: str, theme: str) -> None:
    """Wide, at twice the size (half as wide), and on a phone; Swedish first."""
    with opened(browser, played, Look(theme=theme)) as view:
        assert view.page.evaluate("document.documentElement.lang") == "sv"
        view.go(Look(theme=theme, lang=lang))
        for route in ROUTES:
            view.turn(route)
            for width in (*WIDTHS, WIDTHS[0] // 2):
                view.page.set_viewport_size({"width": width, "height": 900})
                view.page.wait_for_timeout(100)
                assert (route, width, faults(view, audited=width in WIDTHS)) == (route, width, [])
            assert "loading" not in view.page.evaluate(CARDS)


@axe_needed
@pytest.mark.parametrize("change", SPOILT)
def test_no_route_minds_what_the_files_are(browser: Browser, data: Path, change: str) -> None:
    """Missing, empty, broken, hostile, foreign, or ten thousand rows, of which about a hundred are shown at a time."""
    CHANGES[change](data)
    with opened(browser, data, Look(theme=THEMES[SPOILT.index(change) % 2], width=390)) as view:
        for route in ROUTES:
            view.turn(route)
            assert (route, faults(view)) == (route, [])
            assert view.page.evaluate(ROWS) <= 160


@axe_needed
def test_every_route_says_when_its_data_is_stale(browser: Browser, played: Path) -> None:
    """Seven minutes after the last tick; a page that shows no file has nothing to say, and the past does not grow old."""
    with opened(browser, played, Look(ahead_s=7 * 60)) as view:
        for route in ROUTES:
            view.turn(route)
            shown = view.page.evaluate(CARDS)
            assert not shown or route.startswith("#/replay") or view.page.query_selector('[data-state="stale"]') is not None, (
                route
            )
            assert (route, faults(view)) == (route, [])


def test_an_unknown_agent_is_shown(browser: Browser, data: Path) -> None:
    """The ten files of the runbook, no manifest, no gate columns."""
    states.runbook_only(data)
    with opened(browser, data, Look()) as view:
        for route in FOREIGN_ROUTES:
            view.turn(route)
            view.until("document.querySelector('main').innerText.includes('Bitcoin')")
            assert view.complaints() == []


def test_short_addresses_lead_to_the_same_page(browser: Browser, played: Path) -> None:
    """The same headings."""
    headings = "[...document.querySelectorAll('main h1, main h2')].map((e) => e.textContent)"
    with opened(browser, played, Look()) as view:
        for alias, route in ALIASES:
            view.turn(route)
            wanted = view.page.evaluate(headings)
            view.turn(alias)
            assert wanted
            assert view.page.evaluate(headings) == wanted


def test_an_unknown_address_is_no_page_in_disguise(browser: Browser, played: Path) -> None:
    """It says so, in the language that is read, and links to a page that exists."""
    with opened(browser, played, Look()) as view:
        for route in LOST:
            view.turn(route)
            assert "Sidan finns inte" in view.text(), route
            assert view.page.evaluate("document.querySelectorAll('main a[href^=\"#/\"]').length") > 0
            assert faults(view, audited=False) == []


def test_the_language_stays_when_one_goes_on(browser: Browser, played: Path) -> None:
    """And the address keeps its filters."""
    with opened(browser, played, Look(route="#/trades?action=BUY", lang="en")) as view:
        assert view.page.evaluate("location.hash") == "#/trades?action=BUY"
        view.page.evaluate("location.hash = '#/health'")
        view.page.wait_for_timeout(300)
        assert view.page.evaluate("document.documentElement.lang") == "en"


def test_without_the_libraries_only_the_charts_are_missing(browser: Browser, played: Path, tmp_path: Path) -> None:
    """The page says how to fetch them."""
    web = Path(shutil.copytree(WEB, tmp_path / "web", ignore=shutil.ignore_patterns("data", "vendor")))
    with opened(browser, played, Look(), web=web) as view:
        assert "make vendor" in view.text("body")
        assert "Bitcoin" in view.text()
        assert view.overflow() <= 0


def downloaded(view: View) -> list[dict[str, str]]:
    """The CSV of the first list on the page."""
    with view.page.expect_download() as waiting:
        view.page.get_by_role("button", name="CSV").first.click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_downloaded_list_holds_no_formula_and_keeps_its_numbers(browser: Browser, data: Path) -> None:
    """A name that begins like a formula is made text; a loss stays negative."""
    rows = states.rows_of(data / TRADES.name)
    states.write_rows(data / TRADES.name, TRADES.columns, [{**row, "market": "=1+1", "realized_pnl": "-0.17"} for row in rows])
    with opened(browser, data, Look(route="#/trades")) as view:
        found = downloaded(view)
        assert len(found) == len(rows)
        assert not any(row["market"].startswith("=") for row in found)
        assert {row["realized_pnl"] for row in found} == {"-0.17"}


def test_a_rejected_order_is_never_shown_as_bought(browser: Browser, data: Path) -> None:
    """Its row says that it was refused."""
    rows = states.rows_of(data / TRADES.name)
    states.write_rows(data / TRADES.name, TRADES.columns, [{**row, "status": "rejected"} for row in rows])
    with opened(browser, data, Look(route="#/trades")) as view:
        said = view.page.evaluate("[...document.querySelectorAll('main tbody tr')].map((e) => e.innerText.toLowerCase())")
        assert said
        assert all("avvisad" in row for row in said)


@pytest.mark.parametrize("route", ["#/pm/candidates", "#/trades", f"#/market/{RISES}"])
def test_a_tick_moves_nothing_that_a_reader_holds(browser: Browser, data: Path, route: str) -> None:
    """Scroll and focus stay on every page, open details stay open."""
    agent = Agent(data, past())
    with opened(browser, data, Look(route=route, width=390)) as view:
        view.page.evaluate("document.querySelectorAll('main details').forEach((e) => { e.open = true; })")
        view.page.evaluate("document.querySelector('main a, main button, main select, main [tabindex]').focus()")
        view.page.evaluate("window.scrollTo(0, 200)")
        looked = (
            "[scrollY, document.activeElement.outerHTML.split('>')[0], document.querySelectorAll('main details[open]').length]"
        )
        before = view.page.evaluate(looked)
        agent.publish(stamped(past().coming[0], round(view.now.timestamp() * 1000)))
        view.page.wait_for_timeout(4000)
        assert view.page.evaluate(looked) == before
        assert view.complaints() == []


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The page somewhere where it can be upgraded."""
    return Path(shutil.copytree(WEB, tmp_path / "web", ignore=shutil.ignore_patterns("data")))


HASTE = "const every = window.setInterval; window.setInterval = (what, ms) => every(what, Math.min(ms, 1000));"
"""What is done every minute is done every second."""


def test_an_old_tab_notices_a_new_version_and_reloads_once(browser: Browser, played: Path, site: Path) -> None:
    """And does not go on reloading when what it gets is the old page again."""
    with opened(browser, played, Look(setup=HASTE), web=site) as view:
        loads: list[str] = []
        view.page.on("load", lambda page: loads.append(page.url))
        (site / "version.json").write_text(json.dumps({"version": "another"}), encoding="utf-8")
        view.page.wait_for_timeout(5000)
        assert len(loads) == 1
