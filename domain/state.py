"""Everything that outlives a tick."""

from collections.abc import Mapping
from dataclasses import field

from domain.history import History
from domain.ledger import Ledger, Order
from domain.market import Moment, ReferenceId, TokenId
from domain.protections import Record
from domain.value import value


@value
class Seen:
    """A reference as last accepted, and the price far from it that waits one tick for confirmation."""

    accepted: float
    waiting: float | None = None


@value
class Memory:
    """What one tick remembers for the next: histories, accepted references, the time of the last tick, and the account.

    `record` is None where nobody asks for it: a replay without protections.
    """

    histories: Mapping[TokenId, History] = field(default_factory=dict)
    references: Mapping[ReferenceId, Seen] = field(default_factory=dict)
    moment: Moment | None = None
    record: Record | None = None


@value
class State:
    """The ledger and the memory. `sequence` counts the ticks that were committed: 0 before the first."""

    sequence: int
    ledger: Ledger
    memory: Memory = field(default_factory=Memory)

    def awaits(self, order: Order) -> bool:
        """Whether the books do not know the end of an order: its tick was never committed, or it waits in them."""
        return order.tick > self.sequence or any(order.id == waiting.id for waiting in self.ledger.pending)
