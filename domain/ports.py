"""The ports: what the core needs of the world, by role. Adapters implement them; the container chooses which.

Exceptions: `Unavailable` is the only one that comes in. An adapter turns every HTTP error, malformed body and venue error
into it; the feed turns it into a missing part of the snapshot, and the tables turn that into a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from domain.ledger import Execution, Intent, Ledger, Order
from domain.market import Market, Moment, OrderBook, Reference, Snapshot, TokenId
from domain.notice import Notice
from domain.report import Journal, Report
from domain.state import State


class Unavailable(Exception):
    """A source did not deliver. `kind` is a short stable word for counting; `detail` is for people, free of secrets."""

    def __init__(self, source: str, kind: str, detail: str = "") -> None:
        """Name the source (`polymarket_clob`, `kraken_spot`, ...), the kind of failure, and what was seen."""
        super().__init__(f"{source}: {kind}" + (f" ({detail})" if detail else ""))
        self.source = source
        self.kind = kind
        self.detail = detail


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Moment:
        """This moment, on both timelines."""
        ...


class Universe(Protocol):
    """Knows which tokens to follow."""

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The markets of the map, in map order, resolved as far as they are by now; then those held ones that left it, as the
        venue lists them by now. Never waits.
        """
        ...


class OrderBooks(Protocol):
    """Delivers order books."""

    async def books(self, tokens: Sequence[TokenId]) -> Mapping[TokenId, OrderBook]:
        """The valid books of these tokens; a token without one is left out. Raises `Unavailable` when all are."""
        ...


class References(Protocol):
    """Delivers reference prices of one source."""

    async def reference(self, symbol: str, field: str = "") -> Reference:
        """The price of one symbol; `field` is the field of its ticker, where there is a choice. Raises `Unavailable`."""
        ...


class Outcomes(Protocol):
    """Knows how a market ended."""

    async def payouts(self, market: Market) -> Mapping[TokenId, Decimal]:
        """What one share of each token pays (0, 1 or 0.5), empty while unresolved. Raises `Unavailable` when it cannot say."""
        ...


class Feed(Protocol):
    """Gathers one tick's inputs."""

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """All that can be known within the tick's deadline. Never raises for bad outside data."""
        ...


class Broker(Protocol):
    """Executes orders. What it may have sent outlives the process: an order is written down before it is sent.

    `tests/contracts/broker.py` is the whole of what it promises; `docs/live-broker.md` says how to build one.
    """

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        """The ends of all orders that the state `awaits`; nothing on paper. Called before the first order of a process, and
        before the next one when an outcome is unknown.

        Raises `Unavailable` while the venue does not tell, `LawBroken` when it contradicts the books: then nothing is sent.
        """
        ...

    def intend(self, orders: Iterable[Order]) -> tuple[Intent, ...]:
        """Write down what will be sent, in the same order: from now on it survives a crash. A known id keeps its intent."""
        ...

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        """One execution for each intent, in the same order, whatever the venue does: an outcome nobody knows is a value."""
        ...


class LedgerStore(Protocol):
    """Keeps the state over crashes."""

    def load(self) -> State:
        """The state after the last committed tick."""
        ...

    def save(self, report: Report) -> None:
        """Commit one tick, all or nothing. On any error the process must end: what is on disk is then unknown."""
        ...

    def journal(self) -> Journal:
        """What is kept of the past, for the portal's files."""
        ...


class Portal(Protocol):
    """Shows people what happened."""

    def rebuild(self, journal: Journal) -> None:
        """Make all files again from the ledger's past."""
        ...

    def publish(self, report: Report) -> None:
        """Show one more tick. Never waits for a disk."""
        ...


class Notifier(Protocol):
    """Tells people what happened while they do not look."""

    def tell(self, notices: Sequence[Notice]) -> None:
        """Pass on what one tick has to say, as one message. Never waits and never fails."""
        ...

    def close(self) -> None:
        """Pass on what is still there, for two seconds at most."""
        ...
