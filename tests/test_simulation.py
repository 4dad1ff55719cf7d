"""Thousands of ticks over four markets, through the very `tick` that the daemon calls, with the law asserted after each."""

import asyncio
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from adapters.paper_broker import PaperBroker
from domain.decision import Reason
from domain.ledger import Action, Ledger, OrderStatus
from domain.market import Level, Market, Moment, OrderBook, Reference, ReferenceId, Snapshot, TokenId
from domain.report import Report, Trade, TradeAction
from domain.state import State
from domain.view import Limits, ScaleIn
from entrypoints.agent import Agent, tick
from tests.builders import CRYPTO, INTERVAL_S, moment, rules
from tests.fakes import MemoryLedger, MemoryPortal, ScriptedFeed

TICKS = 5000
LAG_TICKS = 3
CENT_TENTH = Decimal("0.001")
EXITS = {Reason.EDGE_EXIT, Reason.MAX_HOLD, Reason.STOP, Reason.SETTLED}


@dataclass
class Asset:
    """A reference that wanders, and now and then runs for some ticks."""

    symbol: str
    price: float
    drift: float = 0.0
    ticks_to_run: int = 0
    moves: list[float] = field(default_factory=lambda: [0.0] * (LAG_TICKS + 1))

    def move(self, dice: random.Random) -> None:
        """One tick."""
        if self.ticks_to_run == 0 and dice.random() < 0.04:
            self.ticks_to_run, self.drift = dice.randint(1, 14), dice.choice([-1, 1]) * dice.uniform(0.001, 0.006)
        running = self.drift if self.ticks_to_run else 0.0
        self.ticks_to_run = max(0, self.ticks_to_run - 1)
        step = running + dice.gauss(0, 0.0004)
        self.price *= math.exp(step)
        self.moves = [*self.moves[1:], step]


@dataclass
class Question:
    """A binary market: one book, which follows its asset some ticks later, until the market is resolved."""

    name: str
    asset: Asset
    outcomes: tuple[str, ...]
    generation: int = 0
    price: float = 0.5

    def token(self, outcome: str) -> TokenId:
        """The token of an outcome."""
        return TokenId(f"{sum(map(ord, self.name))}{self.generation:04d}{1 if outcome == 'Yes' else 2}")

    def markets(self) -> list[Market]:
        """What the map says."""
        return [
            Market(
                name=self.name,
                ref=self.name,
                token=self.token(outcome),
                outcome=outcome,
                direction=1 if outcome == "Yes" else -1,
                reference=ReferenceId("kraken_spot", self.asset.symbol),
                fees=CRYPTO,
                complement=self.token("No" if outcome == "Yes" else "Yes"),
            )
            for outcome in self.outcomes
        ]

    def move(self, dice: random.Random) -> None:
        """One tick: what the asset did some ticks before, some noise, and a pull to the middle."""
        followed = self.asset.moves[0] * dice.uniform(0.6, 1.4)
        self.price *= math.exp(followed + dice.gauss(0, 0.0008) + 0.01 * (0.5 - self.price))
        self.price = min(max(self.price, 0.1), 0.9)

    def book(self, dice: random.Random, at: Moment) -> dict[TokenId, OrderBook]:
        """Yes and No of one book: four levels a side, a thin best one."""
        half = Decimal(dice.choice([1, 1, 1, 2, 4])) * CENT_TENTH
        mid = Decimal(round(self.price * 1000)) * CENT_TENTH
        sizes = [Decimal(dice.choice(["7.5", "40", "120.25"])), Decimal(200), Decimal(300), Decimal(500)]
        bids = [Level(mid - half - n * 2 * CENT_TENTH, size) for n, size in enumerate(sizes)]
        asks = [Level(mid + half + n * 2 * CENT_TENTH, size) for n, size in enumerate(sizes)]
        sides = {"Yes": (bids, asks), "No": (_mirrored(asks), _mirrored(bids))}
        return {
            self.token(outcome): OrderBook(
                token=self.token(outcome), bids=sides[outcome][0], asks=sides[outcome][1], requested=at, digest=f"{at.at_ms}"
            )
            for outcome in self.outcomes
        }


def _mirrored(side: list[Level]) -> list[Level]:
    return [Level(1 - level.price, level.size) for level in side]


class World:
    """Three assets and three questions, of which one is watched from both sides; sources fail now and then."""

    def __init__(self, seed: int) -> None:
        """The same world for the same seed."""
        self.dice = random.Random(seed)
        bitcoin, ether, solana = Asset("XBTUSD", 60_000.0), Asset("ETHUSD", 3_000.0), Asset("SOLUSD", 150.0)
        self.assets = (bitcoin, ether, solana)
        self.questions = (
            Question("btc", bitcoin, ("Yes", "No")),
            Question("eth", ether, ("Yes",)),
            Question("sol", solana, ("Yes",)),
        )

    def snapshot(self, at: Moment, ledger: Ledger) -> Snapshot:
        """One tick's inputs."""
        for moving in (*self.assets, *self.questions):
            moving.move(self.dice)
        payouts = self._resolved()
        books = {token: book for question in self.questions for token, book in question.book(self.dice, at).items()}
        return Snapshot(
            moment=at,
            ready=at,
            markets=tuple(market for question in self.questions for market in question.markets()),
            books={token: self._perhaps_one_sided(book) for token, book in books.items() if self.dice.random() > 0.02},
            references={
                ReferenceId("kraken_spot", asset.symbol): Reference(price=asset.price, requested=at)
                for asset in self.assets
                if self.dice.random() > 0.02
            },
            payouts={token: pays for token, pays in payouts.items() if token in ledger.positions},
            kill_switch=self.dice.random() < 0.01,
        )

    def _perhaps_one_sided(self, book: OrderBook) -> OrderBook:
        if self.dice.random() > 0.02:
            return book
        return OrderBook(token=book.token, bids=book.bids, asks=(), requested=book.requested)

    def _resolved(self) -> dict[TokenId, Decimal]:
        """A question ends now and then; another one, with other tokens, takes its place."""
        payouts: dict[TokenId, Decimal] = {}
        for question in self.questions:
            if self.dice.random() < 1 / 100:
                won = self.dice.choice([Decimal(1), Decimal(0), Decimal("0.5")])
                payouts |= {question.token("Yes"): won, question.token("No"): 1 - won}
                question.generation += 1
                question.price = 0.5
        return payouts


class Audit:
    """Follows the trades with books of its own."""

    def __init__(self, cash: Decimal) -> None:
        """Start with this cash."""
        self.cash = cash
        self.realised = Decimal(0)
        self.shares: Counter[TokenId] = Counter()
        self.ids: set[str] = set()

    def follow(self, report: Report) -> None:
        """Every trade once; then the ledger must say the same."""
        for trade in report.trades:
            self._follow(trade)
        ledger = report.state.ledger
        assert ledger.cash + ledger.cost == ledger.opening_cash + ledger.realised
        assert (ledger.cash, ledger.realised) == (self.cash, self.realised)
        assert ledger.cash >= 0
        held = {token: int(position.shares * 1_000_000) for token, position in ledger.positions.items()}
        assert held == {token: shares for token, shares in self.shares.items() if shares}

    def _follow(self, trade: Trade) -> None:
        assert trade.id not in self.ids
        assert trade.market.token is not None
        self.ids.add(trade.id)
        sign = 1 if trade.action is TradeAction.BUY else -1
        self.cash += -sign * trade.notional - trade.fee
        self.realised += trade.realised
        self.shares[trade.market.token] += sign * int(trade.shares * 1_000_000)
        assert trade.cash_after == self.cash


def _agent(world: World, opening: State) -> Agent:
    limits = Limits(stop_pct=0.15, scale_in=ScaleIn(odds_change_pct=0.4), orders_per_tick=2)
    return Agent(
        rules=rules(limits=limits),
        feed=ScriptedFeed(world.snapshot),
        broker=PaperBroker(),
        store=MemoryLedger(opening),
        portal=MemoryPortal(),
    )


async def _simulated(seed: int, ticks: int, opening: State) -> list[Report]:
    agent, state, audit = _agent(World(seed), opening), opening, Audit(opening.ledger.cash)
    reports = []
    for n in range(ticks):
        report = await tick(agent, state, moment(INTERVAL_S * n))
        audit.follow(report)
        reports.append(report)
        state = report.state
    return reports


OPENING = State(sequence=0, ledger=Ledger.opened_with(Decimal(1000)))


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    """One run for all questions."""
    return asyncio.run(_simulated(20260302, TICKS, OPENING))


@pytest.mark.slow
def test_the_law_holds_over_thousands_of_ticks(reports: list[Report]) -> None:
    """Cash, realised and shares follow from the trades alone; asserted after each tick while it ran."""
    assert [report.state.sequence for report in reports] == list(range(1, TICKS + 1))
    filled = [trade for report in reports for trade in report.trades if trade.status is OrderStatus.FILLED]
    assert len(filled) >= 300


def test_every_kind_of_decision_is_made(reports: list[Report]) -> None:
    """Entries, adds, and all four ways out."""
    verdicts = [verdict for report in reports for verdict in report.verdicts]
    actions = Counter(verdict.action for verdict in verdicts)
    exits = Counter(verdict.cause.reason for verdict in verdicts if verdict.action is Action.EXIT)
    assert all(actions[action] >= 20 for action in Action)
    assert exits.keys() == EXITS
    assert all(exits[reason] >= 3 for reason in EXITS)


def test_every_position_is_left_within_its_hold_or_as_soon_as_a_book_allows(reports: list[Report]) -> None:
    """With three per cent of the inputs missing nobody is held for more than some ticks beyond 180 s."""
    held_s = [
        report.moment.seconds_since(position.opened)
        for report in reports
        for position in report.state.ledger.positions.values()
    ]
    assert 165.0 <= max(held_s) <= 180.0 + 5 * INTERVAL_S


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trades() -> None:
    """A decision depends on nothing but its inputs."""
    first, second = (asyncio.run(_simulated(7, 300, OPENING)) for _ in range(2))
    assert [report.trades for report in first] == [report.trades for report in second]
    assert any(report.trades for report in first)


@pytest.mark.slow
def test_a_run_that_is_broken_off_goes_on_as_if_it_had_not_been(reports: list[Report]) -> None:
    """The state alone carries everything: decide tick 2000 from it once more."""
    before, after = reports[1998].state, reports[1999]
    world = World(20260302)
    snapshots = [world.snapshot(moment(INTERVAL_S * n), (reports[n - 1].state if n else OPENING).ledger) for n in range(2000)]
    agent = Agent(
        rules=_agent(world, before).rules,
        feed=ScriptedFeed(lambda at, ledger: snapshots[-1]),
        broker=PaperBroker(),
        store=MemoryLedger(before),
        portal=MemoryPortal(),
    )
    assert asyncio.run(tick(agent, before, moment(INTERVAL_S * 1999))) == after
