"""The guides, followed literally: every line of their `sh` blocks in a fresh clone, against venues on loopback.

The blocks of both languages are the same (tests/test_guides.py), so the Swedish ones are typed.
"""

import csv
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.entrypoints.example_world import example_venues
from tests.entrypoints.processes import until
from tests.following import Person, person
from tests.guides import DOCS, TEXTS, keys_of
from tests.prose import Block, Page

PORTAL = "http://localhost:5173"
FAST = {"INTERVAL_S": "0.5"}
"""Time runs faster than in the guide: a person waits ninety seconds for the warm-up."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository to clone"),
]


def typed(page: str) -> list[Block]:
    """The blocks of a page that a person types as they stand."""
    return [block for block in Page.read(DOCS / "sv" / page).blocks if block.kind == "sh"]


def port_is_free() -> bool:
    """Whether the guide's own port can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", 5173)) != 0


def bought(someone: Person) -> bool:
    """Whether the published trades hold a buy."""
    path = someone.clone / "web/data/pm_paper_trades.csv"
    if not path.exists():
        return False
    with path.open(newline="", encoding="utf-8") as lines:
        return any(row["action"] == "BUY" and row["status"] == "filled" for row in csv.DictReader(lines))


def served(path: str) -> str:
    """What the portal answers; empty while it is not up."""
    try:
        with urllib.request.urlopen(f"{PORTAL}/{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.URLError:
        return ""


def test_the_quick_start_ends_with_a_trade_on_the_page(tmp_path: Path) -> None:
    """The demo, the check, the daemon with the example map and the portal; then Ctrl-C in both windows."""
    if not port_is_free():
        pytest.skip("port 5173, which the guide names, is taken on this machine")
    with example_venues() as venues, person(tmp_path, {**venues, **FAST}) as someone:
        for block in typed("runbook.md"):
            someone.follow(block)
        until(lambda: bought(someone) and "lead_lag enter" in served("data/pm_paper_trades.csv"), timeout_s=60)
        assert someone.press_ctrl_c() == [0, 0]
    demo, _, check = someone.said
    assert "Portal: http://127.0.0.1:5173/#/start/overview" in demo
    assert "opening cash + realised" in demo
    assert "FAIL" not in check


def test_the_tape_guide_ends_with_a_sweep(tmp_path: Path) -> None:
    """Recorded, verified, compiled, replayed and swept, and the report has the keys that the guide explains."""
    with person(tmp_path, {}) as someone:
        for block in typed("tape.md"):
            someone.follow(block)
    _, verified, _, replayed, swept = someone.said
    assert verified.count("verified: ") == 2
    assert "files: web/data/replay/demo" in replayed
    assert "Sweep: the best of 9 settings" in swept
    report = json.loads((someone.clone / "web/data/replay/demo/report.json").read_text(encoding="utf-8"))
    found = {_explained_as(key) for key in keys_of(report)}
    assert found - set(TEXTS["keys"]["report.json"]) <= {"gaps"}
    assert {key for key in TEXTS["keys"]["report.json"] if not key.startswith("gaps")} <= found


def _explained_as(key: str) -> str:
    """A key of the report as the guide writes it: `*` in the place of what is data."""
    first, *rest = key.split(".")
    return ".".join([first, "*", *rest[1:]]) if first in ("settings", "trades", "markout") and rest else key
