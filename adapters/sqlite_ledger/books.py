"""The books folded from the trades alone, in whole numbers: the second opinion on what the state says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adapters.sqlite_ledger.micros import micros
from adapters.sqlite_ledger.trades import Entry
from domain.ledger import LawBroken, Ledger, OrderStatus
from domain.report import TradeAction


class Holding(NamedTuple):
    """Micro-shares of one token, and what they cost in micro-dollars."""

    shares: int
    cost: int


NOTHING = Holding(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Cash, realised and fees in micro-dollars, and the holdings of more than no share."""

    cash: int
    realised: int = 0
    fees: int = 0
    holdings: Mapping[str, Holding] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger) -> "Books":
        """The same of the domain's ledger. Raises `LawBroken` when it is not in whole micro-units."""
        return cls(
            cash=micros(ledger.cash),
            realised=micros(ledger.realised),
            fees=micros(ledger.fees),
            holdings={
                token: Holding(micros(position.shares), micros(position.cost)) for token, position in ledger.positions.items()
            },
        )

    def after(self, entry: Entry) -> "Books":
        """The books after one more trade. Raises `LawBroken` when what it says of itself does not follow from them."""
        held = self.holdings.get(entry.token, NOTHING)
        left, cost_left = _left(held, entry)
        proceeds = -entry.notional if entry.action == TradeAction.BUY else entry.notional
        realised = proceeds - entry.fee + cost_left - held.cost
        holdings = {**self.holdings, entry.token: Holding(left, cost_left)}
        if left == 0:
            del holdings[entry.token]
        books = replace(
            self,
            cash=self.cash + proceeds - entry.fee,
            realised=self.realised + realised,
            fees=self.fees + entry.fee,
            holdings=holdings,
        )
        if (realised, books.cash) != (entry.realised, entry.cash_after):
            raise LawBroken(f"trade {entry.id} does not follow from the trades before it")
        return books

    def assert_equal(self, stated: "Books") -> None:
        """Raise `LawBroken` unless `stated` says the same as these books."""
        if self != stated:
            raise LawBroken(f"the trades add up to {_text(self)}, the state says {_text(stated)}")


def _left(held: Holding, entry: Entry) -> Holding:
    """What is held of a token after a trade: a sale takes cost in proportion, rounded as the domain does."""
    if entry.status != OrderStatus.FILLED:
        return held
    if entry.action == TradeAction.BUY:
        return Holding(held.shares + entry.shares, held.cost + entry.notional)
    if not 0 < entry.shares <= held.shares:
        raise LawBroken(f"trade {entry.id} takes {entry.shares} micro-shares from a position of {held.shares}")
    sold = half_even(held.cost * entry.shares, held.shares)
    return Holding(held.shares - entry.shares, held.cost - sold)


def half_even(dividend: int, divisor: int) -> int:
    """The quotient of two numbers that are not negative, rounded half to even."""
    quotient, rest = divmod(dividend, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2):
        return quotient + 1
    return quotient


def _text(books: Books) -> str:
    return f"cash {books.cash}, realised {books.realised}, fees {books.fees}, {dict(books.holdings)} (millionths)"
