"""Which ticks of a tape are decided, and from what state: every one, or those that screening keeps."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.tape.columns import Columns
from adapters.tape.snapshots import Snapshots
from domain.ledger import Ledger, Order
from domain.market import Moment, Snapshot, TokenId
from domain.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A tick to decide from `state`. `tokens` are those that it is about, None: all.

    `lost` are the orders whose book would have come while the tape did not run: nothing fills across a gap.
    """

    tick: int
    state: State
    tokens: Collection[TokenId] | None = None
    lost: tuple[Order, ...] = ()


class Turns(Protocol):
    """Chooses the next tick."""

    def after(self, state: State) -> Turn | None:
        """The next tick to decide; None when the tape is over. `state.sequence` says how many ticks lie behind."""
        ...


class EveryTick:
    """Decides every tick."""

    def __init__(self, columns: Columns) -> None:
        """Over this tape."""
        self._columns = columns

    def after(self, state: State) -> Turn | None:
        """The next tick of the tape."""
        tick = state.sequence
        if tick >= len(self._columns.grid):
            return None
        return interrupted(tick, state) if self._columns.grid.gap[tick] else Turn(tick=tick, state=state)


def interrupted(tick: int, state: State, tokens: Collection[TokenId] | None = None) -> Turn:
    """A turn after a gap: history starts again, and who waited for a book waits no more."""
    left = replace(state, memory=replace(state.memory, histories={}), ledger=replace(state.ledger, pending=()))
    return Turn(tick=tick, state=left, tokens=tokens, lost=state.ledger.pending)


class TapeFeed:
    """Implements `domain.ports.Feed` over a tape: it shows the tick that it was turned to."""

    def __init__(self, columns: Columns, snapshots: Snapshots | None = None) -> None:
        """Stand before the first tick. `snapshots`: those of this tape that somebody else looks at, too."""
        self._snapshots = snapshots or Snapshots(columns)
        self._turn: Turn | None = None

    def turn_to(self, turn: Turn) -> None:
        """Show this tick from now on."""
        self._turn = turn

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """What the tape holds of the tick. Raises `LookupError` before the first turn."""
        if self._turn is None:
            raise LookupError("the tape stands before its first tick")
        return self._snapshots.at(self._turn.tick, self._turn.tokens)
