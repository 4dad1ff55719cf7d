"""Whatever comes in, tick after tick: the laws that every decision keeps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decision import Verdict
from domain.engine import Rules
from domain.ledger import Action, Ledger
from domain.market import Market, OrderBook, Reference, ReferenceId, Snapshot, TokenId
from domain.protections import Protections
from domain.report import Report, TradeAction
from domain.strategies.lead_lag import LeadLag
from domain.view import Limits, ScaleIn
from tests.builders import INTERVAL_S, NO, SIZING, SPOT, YES, book, market, moment, rules, state
from tests.fakes import Play

ETH = TokenId("2001")
MARKETS = (
    market(complement=NO),
    market(token=NO, outcome="No", direction=-1, complement=YES),
    market("eth", token=ETH),
    market("later", token=None),
)
EAGER = LeadLag(lookback_points=3, spot_move_min_pct=0.05, edge_min_pct=0.05, edge_exit_pct=-0.5, max_hold_s=60.0)
CROWDED = Limits(
    orders_per_tick=1, stop_pct=3.0, scale_in=ScaleIn(odds_change_pct=0.2, max_adds=2, max_total_shares=Decimal(18))
)
ROOMY = Limits(scale_in=ScaleIn(odds_change_pct=0.2, cooldown_s=0.0))
SHIELDED = replace(
    CROWDED,
    protections=Protections(
        drawdown_pct=20.0, losses_in_a_row=3, stop_cooldown_s=120.0, total_exposure_usdc=Decimal(30), daily_loss_usdc=Decimal(9)
    ),
)
RULES = (
    rules(thresholds=EAGER),
    rules(thresholds=EAGER, limits=CROWDED),
    rules(thresholds=EAGER, limits=ROOMY, sizing=replace(SIZING, order_shares=Decimal(0))),
    rules(thresholds=EAGER, limits=ROOMY, sizing=replace(SIZING, banded=False)),
    rules(thresholds=EAGER, limits=ROOMY, latency_ms=20_000),
    rules(thresholds=EAGER, limits=CROWDED, latency_ms=1),
    rules(thresholds=EAGER, limits=SHIELDED),
)

SPOT_STEPS = (1.0, 1.002, 1.004, 0.998, 0.996, 1.01, 0.99, 1.2, 0.8)
"""Factors of one tick; the last two are spikes."""


@dataclass(frozen=True)
class Draw:
    """One tick as hypothesis drew it: small numbers, read digit by digit."""

    spot: int
    oddity: int
    books: tuple[int, int, int]


DRAWS = st.lists(
    st.builds(
        Draw,
        spot=st.integers(0, len(SPOT_STEPS)),
        oddity=st.integers(0, 39),
        books=st.tuples(*[st.integers(0, 449)] * 3),
    ),
    min_size=30,
    max_size=60,
)


class World:
    """Turns draws into snapshots: books that wander, vanish, cross, age; a reference that jumps; markets that end."""

    def __init__(self) -> None:
        """Everything at its start."""
        self.bids = {YES: 50, NO: 49, ETH: 30}
        self.spot = 60_000.0
        self.wall_step_s = 0.0
        self.over: set[TokenId] = set()

    def snapshot(self, n: int, draw: Draw) -> Snapshot:
        """The tick's inputs."""
        if draw.oddity == 1:
            self.wall_step_s += 3600
        at = moment(INTERVAL_S * n, wall_step_s=self.wall_step_s)
        payouts = {2: {YES: Decimal(1), NO: Decimal(0)}, 3: {ETH: Decimal("0.5")}}.get(draw.oddity, {}) if n > 20 else {}
        books = {token: self._book(n, token, code) for token, code in zip(self.bids, draw.books, strict=True)}
        snapshot = Snapshot(
            moment=at,
            ready=at,
            markets=tuple(self._listed(draw)),
            books={token: book for token, book in books.items() if book is not None},
            references=self._references(n, draw),
            payouts={token: pays for token, pays in payouts.items() if token not in self.over},
            kill_switch=draw.oddity == 4,
        )
        self.over |= payouts.keys()
        return snapshot

    def _listed(self, draw: Draw) -> Iterator[Market]:
        """The map: a resolved market accepts nothing any more; now and then one leaves for a tick."""
        for listed in MARKETS:
            if not (draw.oddity == 5 and listed.token == YES):
                yield replace(listed, accepting=listed.token not in self.over and draw.oddity != 6)

    def _references(self, n: int, draw: Draw) -> dict[ReferenceId, Reference]:
        if draw.spot == len(SPOT_STEPS):
            return {}
        self.spot *= SPOT_STEPS[draw.spot]
        seen = Reference(price=self.spot, requested=moment(INTERVAL_S * n), age_s=61.0 if draw.oddity == 7 else 0.0)
        if draw.spot >= len(SPOT_STEPS) - 2:
            self.spot /= SPOT_STEPS[draw.spot]
        return {SPOT: seen}

    def _book(self, n: int, token: TokenId, code: int) -> OrderBook | None:
        code, kind = divmod(code, 10)
        code, move = divmod(code, 5)
        spread, depth = divmod(code, 3)
        self.bids[token] = bid = min(max(self.bids[token] + move - 2, 5), 90)
        quotes = {5: f"{bid / 100:.2f}/", 6: f"/{bid / 100:.2f}", 7: f"0.01/0.{bid}", 8: f"0.01/{'0.99'}"}
        quote = quotes.get(kind, f"{bid / 100:.2f}/{(bid + 1 + spread) / 100:.2f}")
        if kind == 4:
            return None
        age_s = 60.001 if kind == 9 else 0.0
        return book(quote, size=(500, 20, 3)[depth], token=token, requested=moment(INTERVAL_S * n), age_s=age_s)


def _trusted(book: OrderBook | None) -> bool:
    """What SPEC section 6 asks of a book that is bought from, written once more."""
    if book is None or book.bid is None or book.ask is None:
        return False
    return 0 < book.ask - book.bid < Decimal("0.50") and book.age_s <= 60


def _assert_inputs_were_accepted(verdict: Verdict, snapshot: Snapshot) -> None:
    token = verdict.market.token
    assert token is not None
    assert _trusted(snapshot.books.get(token))
    assert snapshot.references[SPOT].age_s <= 60
    assert not snapshot.kill_switch
    assert verdict.market.accepting
    assert token not in snapshot.payouts


def _moved(report: Report) -> Counter[TokenId]:
    """Shares that the trades of a tick moved, in micro-shares."""
    moved: Counter[TokenId] = Counter()
    for trade in report.trades:
        assert trade.market.token is not None
        sign = 1 if trade.action is TradeAction.BUY else -1
        moved[trade.market.token] += sign * int(trade.shares * 1_000_000)
    return moved


def _assert_positions_changed_by_trades_alone(before: Ledger, after: Ledger, report: Report) -> None:
    held = Counter({token: int(position.shares * 1_000_000) for token, position in before.positions.items()})
    held.update(_moved(report))
    assert {token: n for token, n in held.items() if n} == {
        token: int(position.shares * 1_000_000) for token, position in after.positions.items()
    }


def _assert_one_verdict_each(before: Ledger, snapshot: Snapshot, report: Report) -> None:
    listed = [market.token for market in snapshot.markets]
    followed = [*listed, *(token for token in before.positions if token not in listed)]
    assert [verdict.market.token for verdict in report.verdicts] == followed


def _assert_limits(by: Rules, before: Ledger, report: Report) -> None:
    scale_in = by.limits.scale_in
    wishes = [verdict for verdict in report.verdicts if verdict.action in (Action.ENTER, Action.SCALE_IN)]
    assert by.limits.orders_per_tick is None or len(wishes) <= by.limits.orders_per_tick
    for token, position in report.state.ledger.positions.items():
        assert position.adds <= scale_in.max_adds
        grown = token in before.positions and position.shares > before.positions[token].shares
        assert not grown or position.shares <= scale_in.max_total_shares


def _assert_books_balance(ledger: Ledger) -> None:
    assert ledger.cash + ledger.cost == ledger.opening_cash + ledger.realised
    assert ledger.cash >= ledger.reserved_cash
    assert len({order.token for order in ledger.pending}) == len(ledger.pending)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(by=st.sampled_from(RULES), draws=DRAWS, cash=st.sampled_from([Decimal(1000), Decimal(12), Decimal(0)]))
def test_no_input_breaks_a_law(by: Rules, draws: Sequence[Draw], cash: Decimal) -> None:
    """Law, inputs, positions, verdicts, limits, and ids that are never used twice."""
    world, play = World(), Play(by, state(Ledger.opened_with(cash)))
    ids: list[str] = []
    for n, draw in enumerate(draws):
        before, snapshot = play.ledger, world.snapshot(n, draw)
        report = play.tick(snapshot)
        ids += [trade.id for trade in report.trades]
        _assert_books_balance(play.ledger)
        _assert_one_verdict_each(before, snapshot, report)
        _assert_positions_changed_by_trades_alone(before, play.ledger, report)
        _assert_limits(by, before, report)
        for verdict in report.verdicts:
            if verdict.action in (Action.ENTER, Action.SCALE_IN):
                _assert_inputs_were_accepted(verdict, snapshot)
    assert len(ids) == len(set(ids))


def test_the_random_world_trades_in_every_way() -> None:
    """Else the test above would prove nothing: entries, adds, exits and settlements all happen in it."""
    world, play = World(), Play(RULES[2])
    for n, draw in enumerate(busy_draws(400)):
        play.tick(world.snapshot(n, replace(draw, oddity=0) if draw.oddity in (2, 3) and n < 300 else draw))
    actions = Counter(verdict.action for report in play.reports for verdict in report.verdicts)
    assert min(actions[action] for action in Action) >= 10


def busy_draws(count: int) -> Iterator[Draw]:
    """So many ticks in which much happens, the same everywhere."""
    numbers = _digits()
    for _ in range(count):
        yield Draw(next(numbers) % 6, next(numbers) % 40, (next(numbers) % 450, next(numbers) % 450, next(numbers) % 450))


def _digits() -> Iterator[int]:
    """A Lehmer generator: the same numbers everywhere."""
    number = 20_260_302
    while True:
        number = number * 48_271 % 2_147_483_647
        yield number // 7
