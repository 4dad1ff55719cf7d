"""What a tick decided, spelled out when somebody reads it: a replay of a million ticks reads the last few."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, overload

from domain.decision import Cause, Verdict
from domain.ledger import Action
from domain.state_machine import PRICE_ZONE, first_closed
from domain.strategies import Strategy
from domain.view import View

if TYPE_CHECKING:
    Places = slice[int | None, int | None, int | None]


class Judgement(NamedTuple):
    """One decision, and what it was made on."""

    view: View
    action: Action
    cause: Cause
    strategy: Strategy

    def verdict(self) -> Verdict:
        """The decision and all that was known, as the files say it."""
        reading = self.view.reading
        wishes_to_buy = reading.signal is not None and first_closed(self.strategy.enter, self.view) is None
        return Verdict(
            market=reading.market,
            action=self.action,
            cause=self.cause,
            bid=reading.book.bid if reading.book else None,
            ask=reading.book.ask if reading.book else None,
            quote=reading.quote,
            reference=reading.reference.price if reading.reference else None,
            signal=reading.signal,
            costs=self.view.costs,
            in_price_zone=first_closed(PRICE_ZONE, self.view) is None if reading.quote else None,
            wish="sell" if self.action is Action.EXIT else "buy" if wishes_to_buy else "none",
            sources="+".join(filter(None, ("polymarket_clob", self.strategy.reference_source))) if reading.signal else "",
        )


class Judged(Sequence[Verdict]):
    """The verdicts of one tick, in map order, made when the first of them is read."""

    def __init__(self, judgements: Sequence[Judgement]) -> None:
        """Of these decisions."""
        self.judgements = judgements

    @cached_property
    def _verdicts(self) -> tuple[Verdict, ...]:
        return tuple(judgement.verdict() for judgement in self.judgements)

    def __len__(self) -> int:
        """How many, without making them."""
        return len(self.judgements)

    def __iter__(self) -> Iterator[Verdict]:
        """In map order."""
        return iter(self._verdicts)

    @overload
    def __getitem__(self, place: int) -> Verdict: ...

    @overload
    def __getitem__(self, place: "Places") -> Sequence[Verdict]: ...

    def __getitem__(self, place: "int | Places") -> Verdict | Sequence[Verdict]:
        """One, or some."""
        return self._verdicts[place]

    def __eq__(self, other: object) -> bool:
        """Equal to any sequence of the same verdicts."""
        return isinstance(other, Sequence) and self._verdicts == tuple(other)

    def __hash__(self) -> int:
        """As the verdicts themselves."""
        return hash(self._verdicts)
