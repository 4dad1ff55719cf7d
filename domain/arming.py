"""Whether live trading may begin: seven gates, all of which must be open. Nothing in this version can trade live; this is the
lock that a live broker will have to stand behind (`docs/live-broker.md`), with its table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.value import value

ARMED_FOR_MS = 24 * 3600 * 1000
"""How long a signed arming file holds."""

CONFIRMED = "YES"
LIVE = "live"


class KeySource(StrEnum):
    """Where the trading key was read from."""

    NOWHERE = "nowhere"
    ENVIRONMENT = "environment"
    FILE = "file"
    CREDENTIALS = "credentials"


@value
class ArmingFile:
    """What a person signed: when (UTC ms), and how many USDC may be lost at most. `genuine`: the signature is that person's."""

    signed_at_ms: int
    max_loss_usdc: Decimal
    genuine: bool


@value
class Circumstances:
    """All that the gates ask about, as it is now (`now_ms`, UTC)."""

    now_ms: int
    trading_mode: str
    confirmation: str
    key_source: KeySource
    arming: ArmingFile | None
    kill_switch: bool
    reconciled: bool
    ledger_mode: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: its name, what it says, and whether it is open."""

    name: str
    says: str
    is_open: Callable[[Circumstances], bool]


def _is_armed_by_a_person(now: Circumstances) -> bool:
    file = now.arming
    if file is None or not file.genuine:
        return False
    return 0 <= now.now_ms - file.signed_at_ms < ARMED_FOR_MS and file.max_loss_usdc.is_finite() and file.max_loss_usdc > 0


GATES = (
    Gate("trading_mode", "TRADING_MODE is `live`", lambda now: now.trading_mode == LIVE),
    Gate("confirmation", "POLY_LIVE_CONFIRM is `YES`", lambda now: now.confirmation == CONFIRMED),
    Gate("key", "the key comes from systemd's credentials", lambda now: now.key_source is KeySource.CREDENTIALS),
    Gate("arming_file", "a genuine arming file, younger than 24 h, names the most that may be lost", _is_armed_by_a_person),
    Gate("kill_switch", "the kill switch file is absent", lambda now: not now.kill_switch),
    Gate("reconciled", "the broker has found out the ends of all earlier orders", lambda now: now.reconciled),
    Gate("ledger", "the ledger was made for live trading", lambda now: now.ledger_mode == LIVE),
)
"""In the order in which they are told."""


def closed_gates(now: Circumstances) -> tuple[Gate, ...]:
    """The gates that keep live trading from beginning; none when it is armed."""
    return tuple(gate for gate in GATES if not gate.is_open(now))


def armed(now: Circumstances) -> bool:
    """Whether all gates are open. Asked before every order, not once."""
    return not closed_gates(now)
