"""The broker's torture at a size that takes seconds."""

import pytest

from tests.adapters.test_broker_exam import GivesUpAtOnce
from tests.torture.broker import SMALL, Findings, lives, tortured

pytestmark = pytest.mark.slow


def test_books_and_exchange_agree_whatever_is_lost_and_whoever_dies() -> None:
    """In memory and by SIGKILL: nothing lost, nothing twice, and unknown outcomes among it."""
    findings = tortured(SMALL)
    assert findings.faults == []
    assert findings.counts["lives"] == SMALL[0]
    assert findings.counts["deaths by SIGKILL"] == SMALL[1]
    assert findings.counts["unknown"] > 0
    assert findings.counts["shares found after a death"] > 0


def test_a_broker_that_breaks_a_rule_is_found() -> None:
    """The torture can find something."""
    findings = Findings(seed=1)
    lives(10, findings, GivesUpAtOnce)
    assert findings.faults
