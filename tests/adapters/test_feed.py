"""The feed: all sources at once, each failure only a missing part."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.feed import Sources, VenueFeed
from adapters.kill_switch import KillSwitch
from adapters.polymarket_gamma import SaidTwice
from domain.ledger import Ledger
from domain.market import Market, Moment, OrderBook, Reference, ReferenceId, Snapshot, TokenId
from domain.ports import Unavailable
from tests.builders import YES, book, ledger, market, moment, position
from tests.fakes import FakeClock

SPOT = ReferenceId("kraken_spot", "XBTUSD")


@dataclass
class World:
    """Every source in one: what it holds it delivers, what it lacks is unavailable, `slow` sources never answer."""

    held_books: dict[TokenId, OrderBook] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    ended: dict[TokenId, Decimal] = field(default_factory=dict)
    followed: tuple[Market, ...] = ()
    slow: frozenset[str] = frozenset()
    asked_books: list[Sequence[TokenId]] = field(default_factory=list)
    asked_payouts: list[TokenId | None] = field(default_factory=list)

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The map."""
        return self.followed

    async def books(self, tokens: Sequence[TokenId]) -> Mapping[TokenId, OrderBook]:
        """The order books."""
        self.asked_books.append(tokens)
        await self._answer("books")
        if not self.held_books:
            raise Unavailable("polymarket_clob", "http_500")
        return {token: self.held_books[token] for token in tokens if token in self.held_books}

    async def reference(self, symbol: str, field: str = "") -> Reference:
        """The reference."""
        await self._answer("reference")
        if symbol not in self.prices:
            raise Unavailable("kraken_spot", "busy")
        return Reference(price=self.prices[symbol], requested=moment(0))

    async def payouts(self, market: Market) -> Mapping[TokenId, Decimal]:
        """How it ended."""
        self.asked_payouts.append(market.token)
        return self.ended

    async def _answer(self, source: str) -> None:
        if source in self.slow:
            await asyncio.sleep(60)


def observed(world: World, books: Ledger | None = None, at: Moment | None = None, switch: Path | None = None) -> Snapshot:
    """One tick's snapshot."""
    return asyncio.run(_feed(world, switch).observe(at or moment(0), books or ledger()))


def _feed(world: World, switch: Path | None = None) -> VenueFeed:
    sources = Sources(books=world, references={"kraken_spot": world}, outcomes=(world,))
    clock = FakeClock(moment(0.25))
    return VenueFeed(clock=clock, universe=world, sources=sources, kill_switch=KillSwitch(switch), deadline_s=0.2)


def test_a_snapshot_holds_what_every_source_delivered() -> None:
    """And the moment when the last answer was in."""
    followed = market()
    snapshot = observed(World(held_books={YES: book()}, prices={"XBTUSD": 60_000.0}, followed=(followed,)))
    assert snapshot.books[YES].token == YES
    assert snapshot.references[SPOT].price == 60_000.0
    assert (snapshot.moment, snapshot.ready) == (moment(0), moment(0.25))


def test_one_failing_source_never_stops_what_does_not_need_it() -> None:
    """Each is missing alone."""
    followed = (market(),)
    no_reference = observed(World(held_books={YES: book()}, followed=followed))
    no_books = observed(World(prices={"XBTUSD": 1.0}, followed=followed))
    assert (list(no_reference.books), list(no_reference.references)) == ([YES], [])
    assert (list(no_books.books), list(no_books.references)) == ([], [SPOT])


def test_a_source_that_does_not_answer_is_missing_after_the_deadline() -> None:
    """The other's answer is kept."""
    snapshot = observed(
        World(held_books={YES: book()}, prices={"XBTUSD": 1.0}, followed=(market(),), slow=frozenset({"books"}))
    )
    assert (list(snapshot.books), list(snapshot.references)) == ([], [SPOT])


def test_all_books_are_asked_for_at_once_and_each_token_only_once() -> None:
    """Map, positions and waiting orders together."""
    world = World(held_books={YES: book()}, followed=(market("a"), market("b")))
    observed(world, ledger(positions=[position()]))
    assert world.asked_books == [[YES]]


def test_a_position_whose_market_left_the_map_is_still_priced() -> None:
    """It stays managed."""
    snapshot = observed(World(held_books={YES: book()}), ledger(positions=[position()]))
    assert (snapshot.markets, list(snapshot.books)) == ((), [YES])


@pytest.mark.parametrize(
    "over",
    [
        replace(market(), ends_at_ms=moment(0).at_ms),
        replace(market(), accepting=False),
    ],
)
def test_the_venue_is_asked_how_a_market_ended_when_it_may_have(over: Market) -> None:
    """Past its end, or closed for orders."""
    world = World(held_books={YES: book()}, followed=(over,), ended={YES: Decimal(1)})
    assert observed(world, ledger(positions=[position()])).payouts == {YES: Decimal(1)}


def test_the_venue_is_asked_how_a_market_ended_when_its_book_was_gone_the_tick_before() -> None:
    """A closed market answers 404."""
    world = World(held_books={TokenId("9"): book(token=TokenId("9"))}, followed=(market(),), ended={YES: Decimal(0)})
    feed, books = _feed(world), ledger(positions=[position()])

    async def two_ticks() -> list[Mapping[TokenId, Decimal]]:
        return [(await feed.observe(moment(n * 15), books)).payouts for n in range(2)]

    assert asyncio.run(two_ticks()) == [{}, {YES: Decimal(0)}]


def test_a_living_market_is_not_asked_how_it_ended() -> None:
    """One request less."""
    world = World(held_books={YES: book()}, followed=(market(),))
    observed(world, ledger(positions=[position()]))
    assert world.asked_payouts == []


def test_the_kill_switch_is_pulled_while_its_file_exists(tmp_path: Path) -> None:
    """And when nobody can tell."""
    switch = tmp_path / "KILLSWITCH"
    assert not observed(World(), switch=switch).kill_switch
    switch.touch()
    assert observed(World(), switch=switch).kill_switch
    assert observed(World(), switch=tmp_path / ("x" * 5_000)).kill_switch


def test_a_defect_in_a_source_is_not_hidden() -> None:
    """Only `Unavailable` is a state of the world."""

    class Broken(World):
        async def reference(self, symbol: str, field: str = "") -> Reference:
            raise ZeroDivisionError(symbol)

    with pytest.raises(ZeroDivisionError):
        observed(Broken(held_books={YES: book()}, followed=(market(),)))


def test_a_word_that_is_given_once_pays_nothing() -> None:
    """A lie of one answer; the second time in a row it is believed, another answer in between begins anew."""
    world = World()
    outcomes = SaidTwice(world)

    async def story() -> list[Mapping[TokenId, Decimal]]:
        told = []
        for ended in ({YES: Decimal(1)}, {}, {YES: Decimal(1)}, {YES: Decimal(0)}, {YES: Decimal(0)}):
            world.ended = ended
            told.append(await outcomes.payouts(market()))
        return told

    assert asyncio.run(story()) == [{}, {}, {}, {}, {YES: Decimal(0)}]
