"""Pictures of the portal's main routes for the README: `make screenshots` writes docs/screenshots/."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.web.agent import RISES, Agent, past
from tests.web.browser import ARGUMENTS, CHROMIUM, NO_CHROMIUM, ROOT, THEMES, WIDTHS, Look, opened

PLACE = ROOT / "docs/screenshots"
HEIGHT = 900
ROUTES = {
    "overview": "#/start/overview",
    "why": "#/pm/candidates",
    "edge": "#/pm/edge",
    "market": f"#/market/{RISES}",
    "trades": "#/trades",
    "health": "#/health",
}


def main() -> int:
    """Take the pictures, in Swedish, dark and light, wide and on a phone."""
    if CHROMIUM is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    PLACE.mkdir(parents=True, exist_ok=True)
    before = past()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        Agent(Path(folder), before)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        looks = [
            (name, Look(route=ROUTES[name], theme=theme, width=width))
            for name in ROUTES
            for theme in THEMES
            for width in WIDTHS
        ]
        for name, look in looks:
            with opened(chromium, Path(folder), look) as view:
                view.page.wait_for_timeout(500)
                view.page.screenshot(path=PLACE / f"{name}-{look.theme}-{look.width}.png")
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
