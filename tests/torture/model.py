"""A model of the ledger and the position state machine, walked at random: `python -m tests.torture.model --full`.

The agent decides and books on a real SQLite ledger, which is closed and opened again now and then; beside it runs a plain model
of whole micro-units that knows only what the trades said. After every tick both must say the same.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.paper_broker import PaperBroker
from adapters.sqlite_ledger import SqliteLedger
from domain.engine import Rules, step
from domain.ledger import OrderStatus
from domain.market import Market, Moment, OrderBook, Reference, Snapshot, TokenId
from domain.report import Report, Trade, TradeAction
from domain.settle import settle
from domain.state import State
from tests.builders import INTERVAL_S, NO, NOON_MS, SPOT, YES, book
from tests.domain.test_laws import MARKETS, RULES

TOKENS = (YES, NO, TokenId("2001"))
WINS: Mapping[str, Mapping[TokenId, Decimal]] = {
    "yes": {YES: Decimal(1), NO: Decimal(0)},
    "no": {YES: Decimal(0), NO: Decimal(1)},
    "void": {YES: Decimal("0.5"), NO: Decimal("0.5")},
    "other": {TOKENS[2]: Decimal(1)},
}
MICRO = 1_000_000


@dataclass
class Plain:
    """What the trades said, in whole micro-units: no rounding, no proportion, nothing of the ledger's own arithmetic."""

    cash: int
    shares: Counter[TokenId] = field(default_factory=Counter)
    settled: set[TokenId] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    def book(self, trade: Trade) -> None:
        """One trade: cash and shares move, and nothing is sold that is not there."""
        token = trade.market.token
        assert token is not None
        assert trade.id not in self.ids, f"the id {trade.id} came twice"
        self.ids.add(trade.id)
        shares, notional, fee = (_whole(amount) for amount in (trade.shares, trade.notional, trade.fee))
        if trade.action is TradeAction.BUY:
            assert token not in self.settled, f"{token} was bought after it had been paid out"
            self.cash, self.shares[token] = self.cash - notional - fee, self.shares[token] + shares
        else:
            assert shares <= self.shares[token], f"{shares} of {self.shares[token]} micro-shares of {token} were sold"
            self.cash, self.shares[token] = self.cash + notional - fee, self.shares[token] - shares
        if trade.action is TradeAction.SETTLE:
            assert token not in self.settled, f"{token} was paid out twice"
            assert self.shares[token] == 0
            self.settled.add(token)
        assert self.cash >= 0
        assert _whole(trade.cash_after) == self.cash


def _whole(amount: Decimal) -> int:
    """Micro-units, which an amount of the ledger is whole in."""
    micros = Fraction(amount) * MICRO
    assert micros.denominator == 1, f"{amount} is no whole number of micro-units"
    return int(micros)


class Trading(RuleBasedStateMachine):
    """Ticks of whatever kind, in whatever order."""

    seen: ClassVar[Counter[str]] = Counter()
    """What happened in all walks together: a model that never trades would prove nothing."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.sqlite3"
        self.by = RULES[0]
        self.store: SqliteLedger | None = None
        self.elapsed_ms, self.wall_ms = 0, NOON_MS
        self.bids = dict(zip(TOKENS, (50, 49, 30), strict=True))
        self.spot = 60_000.0
        self.closed: set[TokenId] = set()
        self.left: set[TokenId] = set()

    @initialize(by=st.sampled_from(RULES), cash=st.sampled_from((1_000, 12, 0)))
    def opens(self, by: Rules, cash: int) -> None:
        """An account with so many dollars, under these rules, and some ticks in which nothing moves."""
        self.by = by
        self.cash = cash
        self.plain = Plain(cash=cash * MICRO)
        self.state = self._reopened()
        for _ in range(4):
            self._ticked()

    @rule(
        spot=st.sampled_from((1.0, 1.002, 1.004, 1.02, 0.996, 0.99, 1.2)),
        moves=st.tuples(*[st.integers(-3, 3)] * 3),
        kind=st.sampled_from(("whole", "whole", "whole", "thin", "one_sided", "crossed", "ghost", "none", "stale")),
        times=st.integers(1, 4),
    )
    def ticks(self, spot: float, moves: tuple[int, int, int], kind: str, times: int) -> None:
        """Books and the reference move, and some ticks pass."""
        for _ in range(times):
            for token, move in zip(TOKENS, moves, strict=True):
                self.bids[token] = min(max(self.bids[token] + move, 5), 90)
            self.spot = min(max(self.spot * spot, 1_000.0), 1_000_000.0)
            self._ticked(kind=kind)

    @rule(factor=st.sampled_from((0.996, 1.004)))
    def runs(self, factor: float) -> None:
        """The reference runs and the books stand still: what lead_lag waits for."""
        self.spot *= factor
        self._ticked()

    @rule(who=st.sampled_from(sorted(WINS)), factor=st.sampled_from((0.996, 1.004)))
    def pays_out(self, who: str, factor: float) -> None:
        """A market is resolved in the middle of a run; the venue says so again and again."""
        self.runs(factor)
        self._ticked(payouts=WINS[who])
        self._ticked(payouts=WINS[who])

    @rule()
    def kill_switch(self) -> None:
        """A person stops all buying for a tick."""
        before = self.plain.shares.copy()
        report = self._ticked(kill_switch=True)
        bought = [trade for trade in report.trades if trade.action is TradeAction.BUY and trade.status is OrderStatus.FILLED]
        waited = self.by.latency_ms > 0
        assert waited or not bought
        assert waited or all(self.plain.shares[token] <= before[token] for token in TOKENS)

    @rule()
    def reference_is_missing(self) -> None:
        """Kraken says nothing."""
        self._ticked(reference=False)

    @rule(seconds=st.sampled_from((60, 181, 600)))
    def gap(self, seconds: int) -> None:
        """The machine sleeps, and both clocks go on."""
        self.elapsed_ms += seconds * 1000
        self.wall_ms += seconds * 1000
        self._ticked()

    @rule(seconds=st.sampled_from((-3_600, -31, 31, 86_400)))
    def clock_jumps(self, seconds: int) -> None:
        """The wall clock is set: no trade comes of it in that tick."""
        self.wall_ms += seconds * 1000
        report = self._ticked()
        assert not [trade for trade in report.trades if trade.action is not TradeAction.SETTLE and trade.shares]

    @rule(token=st.sampled_from(TOKENS), closed=st.booleans())
    def market_closes(self, token: TokenId, closed: bool) -> None:
        """A market stops taking orders, or takes them again."""
        (self.closed.add if closed else self.closed.discard)(token)
        report = self._ticked()
        assert not [trade for trade in report.trades if trade.market.token in self.closed and trade.shares]

    @rule(token=st.sampled_from(TOKENS), left=st.booleans())
    def leaves_the_map(self, token: TokenId, left: bool) -> None:
        """A market leaves the map, or comes back."""
        (self.left.add if left else self.left.discard)(token)
        self._ticked()

    @rule()
    def restarts(self) -> None:
        """The process ends and begins again from the file."""
        before = self.state
        self.state = self._reopened()
        assert self.state == before
        self._ticked()

    @invariant()
    def adds_up(self) -> None:
        """The law, and the same cash and shares on both sides."""
        if self.store is None:
            return
        ledger = self.state.ledger
        assert ledger.cash + ledger.cost == ledger.opening_cash + ledger.realised
        assert ledger.cash >= 0
        assert ledger.cash >= ledger.reserved_cash
        assert _whole(ledger.cash) == self.plain.cash
        assert {token: _whole(held.shares) for token, held in ledger.positions.items()} == +self.plain.shares
        assert ledger.settled == self.plain.settled
        assert len({order.id for order in ledger.pending}) == len(ledger.pending)

    def teardown(self) -> None:
        """What the last life left is what a new one reads."""
        if self.store is not None:
            assert self._reopened() == self.state
            self.store.close()
        self.folder.cleanup()

    def _reopened(self) -> State:
        if self.store is not None:
            self.store.close()
        self.store = SqliteLedger.open(self.path, opening_cash=Decimal(self.cash), now_ms=NOON_MS)
        return self.store.load()

    def _ticked(
        self,
        *,
        kind: str = "whole",
        payouts: Mapping[TokenId, Decimal] | None = None,
        kill_switch: bool = False,
        reference: bool = True,
    ) -> Report:
        self.elapsed_ms += INTERVAL_S * 1000
        self.wall_ms += INTERVAL_S * 1000
        at = Moment(at_ms=self.wall_ms, elapsed_ms=self.elapsed_ms)
        found = (_book(token, self.bids[token], kind, at) for token in TOKENS)
        snapshot = Snapshot(
            moment=at,
            ready=at,
            markets=self._markets(),
            books={each.token: each for each in found if each is not None},
            references={SPOT: Reference(price=self.spot, requested=at)} if reference else {},
            payouts=payouts or {},
            kill_switch=kill_switch,
        )
        decision = step(self.by, snapshot, self.state)
        report = settle(decision, asyncio.run(PaperBroker().submit(PaperBroker().intend(decision.orders), snapshot)))
        assert self.store is not None
        self.store.save(report)
        self.state = report.state
        for trade in report.trades:
            self.plain.book(trade)
            self.seen[trade.action if trade.status is OrderStatus.FILLED else trade.status] += 1
        self.seen["ticks"] += 1
        self.seen["waiting"] += len(self.state.ledger.pending)
        return report

    def _markets(self) -> tuple[Market, ...]:
        listed = (market for market in MARKETS if market.token not in self.left)
        return tuple(replace(market, accepting=market.token not in self.closed) for market in listed)


def _book(token: TokenId, bid: int, kind: str, at: Moment) -> OrderBook | None:
    """A book around this bid (cents), of this kind."""
    quotes = {"one_sided": f"0.{bid:02}/", "crossed": f"0.{bid:02}/0.{bid - 1:02}", "ghost": "0.01/0.99"}
    if kind == "none":
        return None
    quote = quotes.get(kind, f"0.{bid:02}/0.{bid + 1:02}")
    return book(
        quote, token=token, requested=at, size="3.141593" if kind == "thin" else 500, age_s=61.0 if kind == "stale" else 0.0
    )


def walked(*, walks: int, steps: int) -> Counter[str]:
    """What happened in so many walks of so many steps. Raises what a broken law raises, with the shortest walk to it."""
    Trading.seen.clear()
    run_state_machine_as_test(
        Trading,
        settings=settings(
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Trading.seen


def main() -> int:
    """Print the figures as a line of JSON; 1 with a broken law, which is shown with its walk."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--full", action="store_true", help="1,000 walks of 100 steps instead of 50 of 50")
    walks, steps = (1_000, 100) if said.parse_args().full else (50, 50)
    began = time.monotonic()
    try:
        seen, findings = walked(walks=walks, steps=steps), 0
    except Exception as broken:  # noqa: BLE001  whatever left the walk is the finding
        print(f"{type(broken).__name__}: {broken}", *getattr(broken, "__notes__", ()), sep="\n", file=sys.stderr)
        seen, findings = Trading.seen, 1
    print(json.dumps({"walks": walks, **seen, "findings": findings, "seconds": round(time.monotonic() - began, 1)}))
    return findings


if __name__ == "__main__":
    sys.exit(main())
