"""The portal knows every reason: its words in both languages, and the order in which the gates are tried."""

import json
import re

import pytest

from domain.decision import Reason
from domain.state_machine import Table, enter_table
from entrypoints.rules import STRATEGIES, rules_of
from entrypoints.settings import read_settings
from tests.documents import ROOT

WORDS: dict[str, list[str]] = json.loads((ROOT / "web/app/words.json").read_text(encoding="utf-8"))
FUNNEL = re.findall(
    r"^    \['([a-z0-9_]+)', '([A-Z0-9_]*)', '[a-z_]*'\],$",
    (ROOT / "web/app/facts.js").read_text(encoding="utf-8"),
    re.MULTILINE,
)
"""Each gate of the page with the variable that it names."""


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words(reason: Reason) -> None:
    """In Swedish and in English."""
    swedish, english = WORDS[f"reason.{reason}"]
    assert swedish
    assert english
    assert swedish != english


def test_no_words_are_of_a_reason_that_is_not_there() -> None:
    """They would be shown to nobody."""
    assert {name.removeprefix("reason.") for name in WORDS if name.startswith("reason.")} == set(Reason)


@pytest.mark.parametrize("mode", STRATEGIES)
def test_the_funnel_has_the_gates_of_every_strategy_in_their_order(mode: str) -> None:
    """Inputs, then the ENTER table; where one reason has several rows, the page names the variable of one of them."""
    rules = rules_of(read_settings({"STRATEGY_MODE": mode}))
    rows: Table = (*rules.inputs, *rules.enter)
    reasons = list(dict.fromkeys(str(row.reason) for row in rows))
    assert [name for name, _ in FUNNEL if name in reasons] == reasons
    shared = {str(row.reason) for row in enter_table(())}
    for name, variable in FUNNEL:
        if name in shared:
            assert variable in {row.setting for row in rows if row.reason == name}
