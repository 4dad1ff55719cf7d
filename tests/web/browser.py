"""A real browser, and the page in it: what it shows, and everything that it complains of."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from adapters.portal_server import serve
from tests.web.agent import past

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
AXE = ROOT / "node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "there is no chromium: apt-get install chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (1440, 390)
THEMES = ("dark", "light")
LANGUAGES = ("sv", "en")
READY = 'body[data-ready="true"]'
READY_MS = 30_000
"""How long a test waits at most: a slow machine is no defect. What the page costs is measured by `make bench-web`."""

axe_needed = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: make vendor")

ROUTES = (
    "#/start/overview",
    "#/pm/edge",
    "#/pm/candidates",
    "#/trades",
    "#/positions",
    f"#/market/{'1' * 77}",
    "#/replay",
    "#/replay/yesterday",
    "#/replay/sweep-march",
    "#/health",
    "#/orders",
    "#/kraken",
    "#/about",
)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

LISTENING = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (e) => window.__violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""
LOADING = 'main [data-state="loading"]'
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
AUDIT = """async (tags) => (await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }))
  .violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the page is looked at. `ahead_s`: how far the server is ahead of the last tick; `setup` is run before the page."""

    route: str = "#/start/overview"
    lang: str = "sv"
    theme: str = "dark"
    width: int = 1440
    ahead_s: float = 1.0
    setup: str = ""

    @property
    def context(self) -> Mapping[str, Any]:
        """What a browser's context is made of."""
        return {
            "viewport": {"width": self.width, "height": 900},
            "color_scheme": self.theme,
            "locale": "sv-SE",
            "timezone_id": "Europe/Stockholm",
            "reduced_motion": "reduce",
        }


@dataclass
class View:
    """The page, open: what it said to the console, and whom it asked."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    ahead_s: float = 0.0

    @property
    def now(self) -> datetime:
        """The server's time."""
        return datetime.fromtimestamp(time.time() + self.ahead_s, UTC)

    def listen(self) -> None:
        """Hear the console, the errors and the requests from now on."""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        """A missing data file is no fault of the page, though the browser notes each."""
        missing = "Failed to load resource" in message.text and "/data/" in message.location["url"]
        if message.type in ("error", "warning") and not missing:
            self.said.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.url).netloc:
            self.strangers.append(request.url)

    def complaints(self) -> list[str]:
        """Console errors, policy violations and requests to other hosts."""
        violations: list[str] = self.page.evaluate("window.__violations")
        return [*self.said, *violations, *self.strangers]

    def go(self, look: Look) -> None:
        """To a route; waits for the first draw, then turns to the language."""
        self.page.goto(f"{self.url}/{look.route}")
        self.page.wait_for_selector(READY, timeout=READY_MS)
        if self.page.evaluate("document.documentElement.lang") != look.lang:
            self.page.get_by_role("button", name={"sv": "svenska", "en": "English"}[look.lang]).click()
            self.page.wait_for_selector(f'html[lang="{look.lang}"]', timeout=READY_MS)

    def turn(self, route: str) -> None:
        """To another route of the page that is open already; waits until its files were asked for."""
        self.page.evaluate("(route) => { location.hash = route; }", route)
        self.until(f"location.hash === {json.dumps(route)} && !document.querySelector('{LOADING}')")

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate(OVERFLOW))

    def audit(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and best practice."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(AUDIT, STANDARDS)
        return found

    def state(self, selector: str = "body") -> str | None:
        """The `data-state` of an element."""
        return self.page.get_attribute(selector, "data-state")

    def text(self, selector: str = "main") -> str:
        """What a person can read there."""
        return self.page.inner_text(selector)

    def until(self, expression: str, *, seconds: float = READY_MS / 1000) -> None:
        """Wait until a JavaScript expression is true. Raises playwright's `TimeoutError`."""
        self.page.wait_for_function(f"() => {expression}", timeout=seconds * 1000)


def ignored(_: Page) -> None:
    """Nobody watches."""


@contextmanager
def viewed(browser: Browser, url: str, look: Look, watch: Callable[[Page], None] = ignored) -> Iterator[View]:
    """The page of a server that runs already, in a context of its own; `watch` is given it before it loads anything."""
    context: BrowserContext = browser.new_context(**look.context)
    try:
        context.add_init_script(LISTENING + look.setup)
        view = View(page=context.new_page(), url=url)
        view.listen()
        watch(view.page)
        view.go(look)
        yield view
    finally:
        context.close()


@contextmanager
def opened(
    browser: Browser, data: Path, look: Look, *, web: Path = WEB, watch: Callable[[Page], None] = ignored
) -> Iterator[View]:
    """The page with this data, by our own server, whose clock starts at the last tick that was played."""
    ahead_s = past().newest_ms / 1000 - time.time() + look.ahead_s
    with (
        serve(web, data_dir=data, now_s=lambda: time.time() + ahead_s) as portal,
        viewed(browser, portal.url, look, watch) as view,
    ):
        view.ahead_s = ahead_s
        yield view


@contextmanager
def plain_server(root: Path, port: str = "0") -> Iterator[str]:
    """Python's own file server; port 0 takes a free one."""
    command = (sys.executable, "-u", "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", str(root))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            said = re.search(r"port (\d+)", server.stdout.readline())
            assert said is not None
            yield f"http://127.0.0.1:{said[1]}"
        finally:
            server.terminate()
