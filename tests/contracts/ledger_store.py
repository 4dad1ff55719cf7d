"""What every `LedgerStore` promises. A test of a store calls `ledger_store_contract` with a way to make an empty one."""

from collections.abc import Callable

import pytest

from domain.ledger import LawBroken, OrderStatus
from domain.market import Side
from domain.ports import LedgerStore
from domain.report import Report, Verdicts
from tests.contracts.ledger_ticks import Deed, opening, ticked, token

DAYS_WORK = (
    (Deed(token=token(0)), Deed(token=token(1), status=OrderStatus.PENDING)),
    (Deed(token=token(2)), Deed(token=token(1), status=OrderStatus.REJECTED)),
    (),
    (Deed(token=token(0), side=Side.SELL), Deed(token=token(2))),
)


def ledger_store_contract(make_store: Callable[[], LedgerStore]) -> None:
    """Assert the promises of a store. `make_store` makes a new one without ticks, opened with 1,000 USDC."""
    _begins_with_the_opening_cash(make_store())
    _loads_what_was_saved_last(make_store())
    _refuses_a_tick_out_of_turn(make_store())
    _has_a_journal_of_everything_oldest_first(make_store())


def reports() -> list[Report]:
    """A few ticks in which something of every kind happens."""
    state, made = opening(), []
    for deeds in DAYS_WORK:
        made.append(ticked(state, deeds))
        state = made[-1].state
    return made


def _begins_with_the_opening_cash(store: LedgerStore) -> None:
    assert store.load() == opening()
    assert store.journal().trades == ()


def _loads_what_was_saved_last(store: LedgerStore) -> None:
    for report in reports():
        store.save(report)
        assert store.load() == report.state
        assert list(store.load().ledger.positions) == list(report.state.ledger.positions)


def _refuses_a_tick_out_of_turn(store: LedgerStore) -> None:
    _, second, *_ = reports()
    with pytest.raises((LawBroken, ValueError), match="2"):
        store.save(second)
    assert store.load() == opening()


def _has_a_journal_of_everything_oldest_first(store: LedgerStore) -> None:
    saved = reports()
    for report in saved:
        store.save(report)
    journal = store.journal()
    assert journal.state == saved[-1].state
    assert journal.trades == tuple(trade for report in saved for trade in report.trades)
    assert journal.orders == tuple(event for report in saved for event in report.orders)
    assert journal.equity == tuple(report.equity for report in saved)
    assert journal.verdicts == tuple(
        Verdicts(sequence=report.state.sequence, moment=report.moment, verdicts=report.verdicts) for report in saved
    )
