"""The ports, in memory. They keep what they are given and do what they are told; nothing is patched."""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal

from adapters.paper_broker import PaperBroker
from domain.engine import Decision, Rules, step
from domain.ledger import Ledger
from domain.market import Moment, Snapshot
from domain.ports import Broker
from domain.report import Journal, Report, Verdicts
from domain.settle import settle
from domain.state import State


class FakeClock:
    """A clock that stands where it was set."""

    speed = 1.0

    def __init__(self, at: Moment) -> None:
        """Stand at this moment."""
        self.at = at

    def now(self) -> Moment:
        """The moment that was set."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Let time pass on both timelines."""
        passed = round(seconds * 1000)
        self.at = Moment(at_ms=self.at.at_ms + passed, elapsed_ms=self.at.elapsed_ms + passed)


class ScriptedFeed:
    """A feed whose snapshots are a function of the moment and the ledger."""

    def __init__(self, script: Callable[[Moment, Ledger], Snapshot]) -> None:
        """Follow this script."""
        self._script = script

    async def observe(self, moment: Moment, ledger: Ledger) -> Snapshot:
        """What the script says."""
        return self._script(moment, ledger)


class MemoryLedger:
    """A ledger store that forgets at the end of the process, and refuses a tick out of turn."""

    def __init__(self, opening: State | None = None) -> None:
        """Start from this state, or with a thousand dollars."""
        self._state = opening or State(sequence=0, ledger=Ledger.opened_with(Decimal(1000)))
        self.reports: list[Report] = []

    def load(self) -> State:
        """The state after the last saved tick."""
        return self._state

    def save(self, report: Report) -> None:
        """Keep one tick."""
        if report.state.sequence != self._state.sequence + 1:
            raise ValueError(f"tick {report.state.sequence} cannot follow tick {self._state.sequence}")
        self._state = report.state
        self.reports.append(report)

    def journal(self) -> Journal:
        """All that was saved."""
        return Journal(
            state=self._state,
            ledger_id="memory",
            started_at_ms=self.reports[0].moment.at_ms if self.reports else 0,
            verdicts=tuple(
                Verdicts(sequence=report.state.sequence, moment=report.moment, verdicts=report.verdicts)
                for report in self.reports
            ),
            orders=tuple(event for report in self.reports for event in report.orders),
            trades=tuple(trade for report in self.reports for trade in report.trades),
            equity=tuple(report.equity for report in self.reports),
        )


class MemoryPortal:
    """A portal that keeps what it was shown."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
        self.journals: list[Journal] = []
        self.reports: list[Report] = []

    def rebuild(self, journal: Journal) -> None:
        """Keep the past."""
        self.journals.append(journal)

    def publish(self, report: Report) -> None:
        """Keep one more tick."""
        self.reports.append(report)


class Play:
    """Ticks played by hand: step, the broker, settle."""

    def __init__(self, rules: Rules, opening: State | None = None, broker: Broker | None = None) -> None:
        """Play by these rules from this state, or from a thousand dollars."""
        self.rules = rules
        self.state = opening or State(sequence=0, ledger=Ledger.opened_with(Decimal(1000)))
        self.broker = broker or PaperBroker()
        self.decisions: list[Decision] = []
        self.reports: list[Report] = []

    def tick(self, snapshot: Snapshot) -> Report:
        """One tick."""
        decision = step(self.rules, snapshot, self.state)
        executions = asyncio.run(self.broker.submit(self.broker.intend(decision.orders), snapshot))
        report = settle(decision, executions)
        self.state = report.state
        self.decisions.append(decision)
        self.reports.append(report)
        return report

    def ticks(self, snapshots: Iterable[Snapshot]) -> list[Report]:
        """One tick after the other."""
        return [self.tick(snapshot) for snapshot in snapshots]

    @property
    def ledger(self) -> Ledger:
        """The ledger as it stands."""
        return self.state.ledger
