"""Pictures of the portal's main routes for the README: `make screenshots` writes docs/screenshots/."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.web.agent import RISES, Agent, past
from tests.web.browser import ARGUMENTS, CHROMIUM, NO_CHROMIUM, ROOT, Look, opened

PLACE = ROOT / "docs/screenshots"
SHOTS = {
    "overview": Look(lang="en"),
    "why": Look(lang="en", route="#/pm/candidates", theme="light"),
    "edge": Look(lang="en", route="#/pm/edge"),
    "market": Look(lang="en", route=f"#/market/{RISES}"),
    "trades": Look(route="#/trades", theme="light"),
    "health": Look(route="#/health"),
    "phone": Look(width=390),
}
"""File name -> what is looked at: both languages, dark and light, once on a phone."""


def main() -> int:
    """Take the pictures."""
    if CHROMIUM is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 1
    PLACE.mkdir(parents=True, exist_ok=True)
    before = past()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        Agent(Path(folder), before)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, look in SHOTS.items():
            with opened(chromium, Path(folder), look) as view:
                view.page.wait_for_timeout(500)
                view.page.screenshot(path=PLACE / f"{name}.png")
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
