"""The arming gates: of all combinations exactly one arms, and nothing in this version asks them in order to trade."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from domain.arming import ARMED_FOR_MS, GATES, ArmingFile, Circumstances, KeySource, armed, closed_gates
from tests.builders import NOON_MS

ROOT = Path(__file__).resolve().parents[2]
SIGNED = ArmingFile(signed_at_ms=NOON_MS, max_loss_usdc=Decimal(50), genuine=True)
ALL_OPEN = Circumstances(
    now_ms=NOON_MS,
    trading_mode="live",
    confirmation="YES",
    key_source=KeySource.CREDENTIALS,
    arming=SIGNED,
    kill_switch=False,
    reconciled=True,
    ledger_mode="live",
)
CLOSING: Mapping[str, Mapping[str, Any]] = {
    "trading_mode": {"trading_mode": "paper"},
    "confirmation": {"confirmation": ""},
    "key": {"key_source": KeySource.ENVIRONMENT},
    "arming_file": {"arming": None},
    "kill_switch": {"kill_switch": True},
    "reconciled": {"reconciled": False},
    "ledger": {"ledger_mode": "paper"},
}
"""What closes each gate, and no other."""


def test_exactly_one_combination_arms() -> None:
    """All 128: armed where every gate is open, and otherwise the closed ones are told in their order."""
    arming = 0
    assert CLOSING.keys() == {gate.name for gate in GATES}
    for closed in product((False, True), repeat=len(CLOSING)):
        names = [name for name, shut in zip(CLOSING, closed, strict=True) if shut]
        changes = {field: value for name in names for field, value in CLOSING[name].items()}
        now = replace(ALL_OPEN, **changes)
        assert [gate.name for gate in closed_gates(now)] == names
        assert armed(now) is (names == [])
        arming += armed(now)
    assert arming == 1


@pytest.mark.parametrize(
    "arming",
    [
        replace(SIGNED, genuine=False),
        replace(SIGNED, signed_at_ms=NOON_MS - ARMED_FOR_MS),
        replace(SIGNED, signed_at_ms=NOON_MS + 1),
        replace(SIGNED, max_loss_usdc=Decimal(0)),
        replace(SIGNED, max_loss_usdc=Decimal("Infinity")),
        replace(SIGNED, max_loss_usdc=Decimal("NaN")),
    ],
)
def test_an_arming_file_that_is_not_all_right_is_none(arming: ArmingFile) -> None:
    """Another's signature, 24 h old, of the future, without a limit that limits."""
    assert [gate.name for gate in closed_gates(replace(ALL_OPEN, arming=arming))] == ["arming_file"]


def test_an_arming_file_holds_for_a_day() -> None:
    """To the last millisecond."""
    assert armed(replace(ALL_OPEN, arming=replace(SIGNED, signed_at_ms=NOON_MS - ARMED_FOR_MS + 1)))


@pytest.mark.parametrize("confirmation", ["yes", "YES ", "1", "true"])
def test_a_confirmation_is_the_very_word(confirmation: str) -> None:
    """Nobody arms by a habit."""
    assert not armed(replace(ALL_OPEN, confirmation=confirmation))


@pytest.mark.parametrize("source", [source for source in KeySource if source is not KeySource.CREDENTIALS])
def test_a_key_that_others_could_read_does_not_arm(source: KeySource) -> None:
    """The environment is inherited by children."""
    assert not armed(replace(ALL_OPEN, key_source=source))


def test_nothing_asks_in_order_to_trade() -> None:
    """There is no live broker: no module of the program imports the gates."""
    sources = [path for folder in ("adapters", "domain", "entrypoints", "vps") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in sources if "domain.arming" in path.read_text()] == []
    assert len(sources) > 100
