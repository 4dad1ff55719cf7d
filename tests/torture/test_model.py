"""The model at a small size."""

import pytest

from tests.torture.model import walked


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_random_walk_of_ledger_and_agent_keeps_the_law() -> None:
    """Ticks, payouts, restarts, gaps and jumps in any order: the ledger says what a plain model of its trades says."""
    seen = walked(walks=15, steps=40)
    assert min(seen[what] for what in ("BUY", "SELL", "SETTLE", "waiting")) > 0
