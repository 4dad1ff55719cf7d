"""What holds for whatever page lies in web/: it is ready soon, quiet, alone, readable, and true about its age."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from adapters.portal.schema import EQUITY, FILES, LIVE_STATUS, MANIFEST, PORTFOLIO, OutputFile
from tests.web import states
from tests.web.agent import Agent, past, stamped
from tests.web.browser import WEB, Look, opened, plain_server, viewed

pytestmark = pytest.mark.browser

CHANGES: dict[str, states.Change] = {
    "full": lambda data: None,
    "nothing": states.nothing,
    "emptied": states.all_emptied,
    "broken": states.all_broken,
    "hostile": states.hostile,
    "runbook_only": states.runbook_only,
    "foreign": states.foreign,
    "big": states.big,
}


def test_names_of_markets_stay_text(browser: Browser, data: Path) -> None:
    """Tags are shown as they are written, and nothing of them becomes part of the page."""
    states.hostile(data)
    with opened(browser, data, Look(route="#/pm/candidates")) as view:
        assert "<script>" in view.text("body")
        assert view.page.evaluate("document.querySelectorAll('img, main script, main iframe').length") == 0
        assert "owned" not in view.page.title()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_one_bad_file_never_hides_another_card(browser: Browser, played: Path, tmp_path: Path, file: OutputFile) -> None:
    """Missing, empty or broken: the other cards show what they showed."""
    others = f"[...document.querySelectorAll('[data-file]')].filter((e) => !e.dataset.file.split(' ').includes('{file.name}'))"
    bad = f"{others}.filter((e) => e.dataset.state === 'error' || !e.innerText.trim()).map((e) => e.dataset.file)"
    for change in (states.without(file.name), states.emptied(file), states.broken(file)):
        data = Path(shutil.copytree(played, tmp_path / "data", dirs_exist_ok=True))
        change(data)
        with opened(browser, data, Look()) as view:
            view.page.wait_for_timeout(200)
            assert view.page.evaluate(bad) == []
            assert view.complaints() == []


STALE = '[data-state="stale"]'


def test_the_page_says_stale_when_the_agent_stops_and_recovers_by_itself(browser: Browser, data: Path) -> None:
    """Seven minutes after the last tick it says so with the age; a new tick mends it without a reload."""
    agent = Agent(data, past())
    with opened(browser, data, Look(ahead_s=7 * 60)) as view:
        view.page.wait_for_selector(STALE)
        assert re.search(r"\b7\s*min", view.text("body"))
        view.page.evaluate("window.__same = true")
        agent.publish(stamped(past().coming[0], round(view.now.timestamp() * 1000)))
        view.until(f"!document.querySelector('{STALE}')")
        assert view.page.evaluate("window.__same")
        assert view.complaints() == []


STATES = "Object.fromEntries([...document.querySelectorAll('[data-file]')].map((e) => [e.dataset.file, e.dataset.state]))"
AGES = "Object.fromEntries([...document.querySelectorAll('[data-age-s]')].map((e) => [e.dataset.file, Number(e.dataset.ageS)]))"


@pytest.mark.parametrize("listed", [True, False], ids=["manifest", "no manifest"])
def test_files_of_different_ticks_are_as_old_as_the_oldest_and_marked(browser: Browser, data: Path, listed: bool) -> None:
    """One file stayed behind by ten minutes, as when its disk was full: every card that stands on it says so, no other does."""
    path, manifest = data / EQUITY.name, data / MANIFEST.name
    rows = [{**row, "ts": states.earlier(row["ts"], 600)} for row in states.rows_of(path)]
    states.write_rows(path, EQUITY.columns, rows)
    if listed:
        document = json.loads(manifest.read_bytes())
        document["files"][path.name]["newest"] = rows[-1]["ts"]
        states.replace_file(manifest, json.dumps(document).encode())
    else:
        manifest.unlink()
    with opened(browser, data, Look()) as view:
        view.page.wait_for_selector(STALE)
        shown, ages = view.page.evaluate(STATES), view.page.evaluate(AGES)
    behind = {files for files in shown if path.name in files.split()}
    assert any(len(files.split()) > 1 for files in behind)
    assert {files: state for files, state in shown.items() if state == "stale"} == dict.fromkeys(behind, "stale")
    assert all(ages[files] >= 600 for files in behind)
    assert all(age < 600 for files, age in ages.items() if files not in behind)


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_clock_of_the_browser_changes_nothing(browser: Browser, played: Path, hours: int) -> None:
    """Age is the server's time less the datum's own."""
    shift = f"""const RealDate = Date;
    Date = class extends RealDate {{
      constructor(...given) {{ if (given.length) super(...given); else super(RealDate.now() + {hours} * 3600e3); }}
      static now() {{ return RealDate.now() + {hours} * 3600e3; }}
    }};"""
    with opened(browser, played, Look(setup=shift)) as view:
        assert abs(view.page.evaluate("Date.now()") / 1000 - time.time()) > 3500
        ages = view.page.evaluate("[...document.querySelectorAll('[data-age-s]')].map((e) => Number(e.dataset.ageS))")
        assert ages
        assert min(ages) < 30
        assert view.page.query_selector(STALE) is None


def test_a_refresh_moves_neither_scroll_nor_focus_nor_selection(browser: Browser, data: Path) -> None:
    """A tick comes while a person reads."""
    agent = Agent(data, past())
    with opened(browser, data, Look(width=390)) as view:
        view.page.evaluate("window.scrollTo(0, 150)")
        view.page.evaluate("document.querySelector('main [tabindex], main a, main button').focus({ preventScroll: true })")
        view.page.evaluate("getSelection().selectAllChildren(document.querySelector('h1, h2'))")
        looked = "[scrollY, document.activeElement.outerHTML.split('>')[0], String(getSelection())]"
        before = view.page.evaluate(looked)
        assert before[0] == 150
        told = view.text("body")
        agent.publish(stamped(past().coming[0], round(view.now.timestamp() * 1000)))
        view.until(f"document.body.innerText !== {told!r}")
        view.page.wait_for_timeout(500)
        assert view.page.evaluate(looked)[::2] == before[::2]
        assert view.page.evaluate("document.activeElement !== document.body")


@pytest.mark.parametrize("change", ["full", "runbook_only"])
def test_two_writes_in_one_second_both_show(browser: Browser, data: Path, change: str) -> None:
    """The header counts whole seconds; the second write has the same length and the same second as the first."""
    CHANGES[change](data)
    path = data / PORTFOLIO.name
    text = re.sub(r'"equity_usd": [\d.]+', '"equity_usd": 1000.01', path.read_text(encoding="utf-8"))
    with opened(browser, data, Look()) as view:
        for shown in ("1111.11", "2222.22"):
            states.replace_file(path, text.replace("1000.01", shown).encode())
            states.ticked(data, view.now)
            view.until(f"document.body.innerText.replace(/\\s/g, '').includes('{shown.replace('.', ',')}')")


@pytest.mark.parametrize("place", ["", "some/where"])
def test_any_web_server_will_do_under_any_path(browser: Browser, tmp_path: Path, place: str) -> None:
    """The folder as it stands, by `python -m http.server`, at the root and deeper."""
    web = tmp_path / "site" / place
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("data"))
    agent = Agent(web / "data", past())
    agent.publish(stamped(past().coming[0], time.time_ns() // 1_000_000))
    with plain_server(tmp_path / "site") as url, viewed(browser, f"{url}/{place}".rstrip("/"), Look()) as view:
        assert view.page.query_selector(STALE) is None
        assert view.text("body").count("Bitcoin") > 1
        assert view.complaints() == []


def test_an_agent_that_starts_later_is_seen(browser: Browser, tmp_path: Path) -> None:
    """The page was open before there was any file."""
    (tmp_path / "data").mkdir()
    with opened(browser, tmp_path / "data", Look()) as view:
        assert "Bitcoin" not in view.text("body")
        Agent(tmp_path / "data", past())
        view.until("document.body.innerText.includes('Bitcoin')")
        assert (tmp_path / "data" / LIVE_STATUS.name).exists()
        assert view.complaints() == []
