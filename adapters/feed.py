"""The feed: one tick's inputs from all sources at once. What a source does not deliver is missing, nothing more."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeVar

from adapters.attempt import ATTEMPT, Attempt
from domain.ledger import Ledger, Position
from domain.market import Market, Moment, OrderBook, Reference, ReferenceId, Snapshot, TokenId, tokens_of
from domain.ports import Clock, OrderBooks, Outcomes, References, Unavailable, Universe


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The venues: books, references by source name, and whom to ask how a market ended (the first that can say)."""

    books: OrderBooks
    references: Mapping[str, References]
    outcomes: tuple[Outcomes, ...]


K = TypeVar("K")
V = TypeVar("V")
Books = Mapping[TokenId, OrderBook]
Prices = Mapping[ReferenceId, Reference]
Pays = Mapping[TokenId, Decimal]


class Switch(Protocol):
    """Says whether entries and adds must stop."""

    def pulled(self) -> bool:
        """Whether they must, now."""
        ...


class VenueFeed:
    """Asks all sources in parallel. A tick waits at most `deadline_s` real seconds for all of them together."""

    def __init__(
        self,
        *,
        clock: Clock,
        universe: Universe,
        sources: Sources,
        kill_switch: Switch,
        deadline_s: float,
        cut: Callable[[], Collection[int]] = tuple,
    ) -> None:
        """Gather from these sources. `cut` are the parts of a tick that give nothing even in time: where it was so, once."""
        self._clock = clock
        self._universe = universe
        self._sources = sources
        self._kill_switch = kill_switch
        self._deadline_s = deadline_s
        self._cut = cut
        self._bookless: frozenset[TokenId] = frozenset()

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """One tick's inputs. What they hold is in the order of the markets, whichever answer came first."""
        attempt = Attempt(began=self._clock.now())
        ATTEMPT.set(attempt)
        held = tuple(position.market for position in ledger.positions.values())
        markets = self._universe.markets(held)
        everything = (*markets, *held, *(order.market for order in ledger.pending))
        wanted = list(dict.fromkeys(tokens_of(everything)))
        keys = tuple(_references(everything))
        over = tuple(self._maybe_over(ledger, markets, moment))
        books, references, payouts = await self._all(
            attempt, self._books(wanted), [self._reference(key) for key in keys], [self._payout(position) for position in over]
        )
        self._bookless = frozenset(wanted) - books.keys()
        return Snapshot(
            moment=moment,
            ready=self._clock.now(),
            markets=markets,
            books=_ordered(wanted, books),
            references=_ordered(keys, references),
            payouts=_ordered(ledger.positions, payouts),
            kill_switch=self._kill_switch.pulled(),
        )

    async def _all(
        self,
        attempt: Attempt,
        books: Coroutine[None, None, Books],
        references: Sequence[Coroutine[None, None, Prices]],
        payouts: Sequence[Coroutine[None, None, Pays]],
    ) -> tuple[Books, Prices, Pays]:
        """Run the parts side by side until the deadline; what is late is missing."""
        asked = [asyncio.ensure_future(books)]
        priced = [asyncio.ensure_future(part) for part in references]
        paid = [asyncio.ensure_future(part) for part in payouts]
        tasks: list[asyncio.Future[Books] | asyncio.Future[Prices] | asyncio.Future[Pays]] = [*asked, *priced, *paid]
        late: set[object] = set()
        try:
            late |= (await asyncio.wait(tasks, timeout=self._deadline_s))[1]
            attempt.late = bool(late)
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, Exception) and not isinstance(outcome, Unavailable):
                raise outcome
        attempt.cut = tuple(number for number, task in enumerate(tasks) if task in late)
        late |= {task for number, task in enumerate(tasks) if number in self._cut()}
        return _given(asked, late), _given(priced, late), _given(paid, late)

    async def _books(self, tokens: list[TokenId]) -> Books:
        return await self._sources.books.books(tokens) if tokens else {}

    async def _reference(self, key: ReferenceId) -> Prices:
        return {key: await self._sources.references[key.source].reference(key.symbol, key.field)}

    async def _payout(self, position: Position) -> Pays:
        """The word of the first source that can say; a later one that contradicts it is not heard."""
        for outcomes in self._sources.outcomes:
            try:
                payouts = await outcomes.payouts(position.market)
            except Unavailable:
                continue
            return {token: pays for token, pays in payouts.items() if token == position.token}
        return {}

    def _maybe_over(self, ledger: Ledger, markets: Iterable[Market], moment: Moment) -> Iterable[Position]:
        """Positions whose market may have been resolved: past its end, closed for orders, or without a book last tick."""
        listed = {market.token: market for market in markets}
        for token, position in ledger.positions.items():
            market = listed.get(token, position.market)
            ended = market.ends_at_ms is not None and market.ends_at_ms <= moment.at_ms
            if ended or not market.accepting or token in self._bookless:
                yield position


def _given(parts: Iterable[asyncio.Future[Mapping[K, V]]], late: Collection[object]) -> dict[K, V]:
    """What these parts gave in time."""
    whole: dict[K, V] = {}
    for part in parts:
        if part not in late and not part.cancelled() and part.exception() is None:
            whole.update(part.result())
    return whole


def _ordered(keys: Iterable[K], found: Mapping[K, V]) -> dict[K, V]:
    return {key: found[key] for key in keys if key in found}


def _references(markets: Iterable[Market]) -> Iterable[ReferenceId]:
    return dict.fromkeys(market.reference for market in markets if market.reference is not None)
