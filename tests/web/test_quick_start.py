"""The quick start, followed literally, ends with a trade that a person can see at the address that it names."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.entrypoints.example_world import example_venues
from tests.entrypoints.processes import until
from tests.entrypoints.test_following_the_guides import FAST, bought, port_is_free, served, typed
from tests.following import person
from tests.guides import DOCS
from tests.web.browser import ROOT, Look, viewed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository to clone"),
]


def test_the_quick_start_ends_with_a_trade_that_can_be_seen(tmp_path: Path, browser: Browser) -> None:
    """In Swedish, at the runbook's own address, without a complaint of the browser's."""
    if not port_is_free():
        pytest.skip("port 5173, which the guide names, is taken on this machine")
    address = re.search(r"<(http://localhost:5173)/(#/start/overview)>", (DOCS / "sv/runbook.md").read_text(encoding="utf-8"))
    assert address is not None
    with example_venues() as venues, person(tmp_path, {**venues, **FAST}) as someone:
        for block in typed("runbook.md"):
            someone.follow(block)
        until(lambda: bought(someone) and served("index.html") != "", timeout_s=60)
        with viewed(browser, address[1], Look(route=address[2])) as view:
            view.until("document.body.dataset.state === 'ok'")
            view.until("/köp.*BTC|BTC.*köp/s.test(document.querySelector('main').innerText)")
            assert "Lever" in view.text("body")
            assert view.complaints() == []
