"""The broker's exam: paper and the reference pass it, and whoever breaks one rule fails that rule."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_UP, Decimal
from pathlib import Path

import pytest

from adapters.paper_broker import PaperBroker
from domain.arming import GATES
from domain.ledger import Execution, Intent, Order, OrderStatus
from domain.market import Side, Snapshot
from domain.ports import Unavailable
from domain.state import State
from tests.contracts.broker import RULES, Desk
from tests.contracts.reference_broker import Entry, Intents, ReferenceBroker
from tests.contracts.scripted_exchange import AnswerLost, Receipt, ScriptedExchange, VenueTrade, order_id


def paper() -> Desk:
    """A desk for paper, where nothing is sent."""
    return Desk(exchange=ScriptedExchange(), start=PaperBroker, sends=False)


def desk_of(kind: Callable[[ScriptedExchange, Intents], ReferenceBroker]) -> Desk:
    """A desk for the reference, or for one that breaks a rule: what it commits outlives it."""
    exchange, kept = ScriptedExchange(), Intents(sqlite3.connect(":memory:", isolation_level=None))
    return Desk(exchange=exchange, start=lambda: kind(exchange, kept))


class SendsBeforeWriting(ReferenceBroker):
    """Writes the intent down when the answer has come."""

    _unwritten: dict[str, Intent] = {}  # noqa: RUF012 - replaced for each life

    def _intended(self, order: Order) -> Intent:
        known = self._intents.entry(order.id)
        if known is not None:
            return known.intent
        self._unwritten = {**self._unwritten, order.id: self._unwritten.get(order.id) or self._signed(order)}
        self._fresh.add(order.id)
        return self._unwritten[order.id]

    async def _read(self, intent: Intent, receipt: Receipt) -> Execution:
        self._intents.add(intent)
        return await super()._read(intent, receipt)

    async def _lost(self, intent: Intent, lost: AnswerLost) -> Execution:
        self._intents.add(intent)
        return await super()._lost(intent, lost)


class SignsAnew(ReferenceBroker):
    """Makes other bytes for an order that has some."""

    def _intended(self, order: Order) -> Intent:
        known = self._intents.entry(order.id)
        return self._signed(order) if known else super()._intended(order)


class TriesAgain(ReferenceBroker):
    """Sends other bytes after a timeout."""

    async def _lost(self, intent: Intent, lost: AnswerLost) -> Execution:
        if str(lost) == "timeout":
            await self._exchange.place(self._signed(intent.order).payload)
        return await super()._lost(intent, lost)


class SendsLater(ReferenceBroker):
    """Sends after a restart what it did not get rid of before."""

    async def _found(self, intent: Intent) -> Execution:
        if all(sent.order != intent.venue_id for sent in await self._exchange.open_orders()) and not self._sum(intent):
            await self._exchange.place(intent.payload)
        return await super()._found(intent)


class RaisesForTheUnknown(ReferenceBroker):
    """Lets a timeout out."""

    async def _lost(self, intent: Intent, lost: AnswerLost) -> Execution:
        self._reconciled = False
        raise Unavailable("exchange", "timeout")


class CallsTheUnknownRefused(ReferenceBroker):
    """Takes a timeout for a no."""

    async def _lost(self, intent: Intent, lost: AnswerLost) -> Execution:
        return Execution(order=intent.order, status=OrderStatus.REJECTED, note=str(lost))


class AsksOnlyWhatWaits(ReferenceBroker):
    """Forgets the orders of a tick that was never committed."""

    def _owed(self, entry: Entry, state: State) -> bool:
        return entry.intent.order in state.ledger.pending


class BooksAgain(ReferenceBroker):
    """Tells every end at every start."""

    def _owed(self, entry: Entry, state: State) -> bool:
        return True


class TradesAtOnce(ReferenceBroker):
    """Does not wait for the reconciliation."""

    def _held_back(self, order: Order, snapshot: Snapshot) -> str:
        return "the kill switch is pulled" if snapshot.kill_switch and order.side is Side.BUY else ""


class IgnoresTheKillSwitch(ReferenceBroker):
    """Trusts that somebody else has looked."""

    def _held_back(self, order: Order, snapshot: Snapshot) -> str:
        return super()._held_back(order, replace(snapshot, kill_switch=False))


class ForgetsWhenItIsDown(ReferenceBroker):
    """Takes no answer for nothing to tell."""

    async def reconcile(self, state: State) -> tuple[Execution, ...]:
        try:
            return await super().reconcile(state)
        except Unavailable as unavailable:
            if "refused" in unavailable.detail:
                self._reconciled = True
                return ()
            raise


class CountsTwice(ReferenceBroker):
    """Gives every fill that it is told a name of its own."""

    def _take(self, intent: Intent, trades: Sequence[VenueTrade]) -> None:
        known = len(self._intents.fills(intent.venue_id))
        super()._take(intent, [replace(trade, id=f"{trade.order}-{known + n}") for n, trade in enumerate(trades)])


class MatchesByLooks(ReferenceBroker):
    """Takes what has the token and the size of its order."""

    def _ours(self, intent: Intent, trade: VenueTrade) -> bool:
        return trade.order == intent.venue_id or (trade.token, trade.shares) == (intent.order.token, intent.order.shares)

    def _take(self, intent: Intent, trades: Sequence[VenueTrade]) -> None:
        super()._take(intent, [replace(trade, order=intent.venue_id) for trade in trades])


class GivesUpAtOnce(ReferenceBroker):
    """What is neither open nor filled has never been."""

    def _is_over(self, intent: Intent, *, is_open: bool) -> bool:
        return super()._is_over(intent, is_open=is_open) or not (is_open or self._sum(intent))


class TakesTheFirstFillForAll(ReferenceBroker):
    """What has a fill is done."""

    def _is_over(self, intent: Intent, *, is_open: bool) -> bool:
        return super()._is_over(intent, is_open=is_open) or self._sum(intent) > 0


class ReadsOnlyTheNewestTrade(ReferenceBroker):
    """Believes that the first page of the trades is all of them."""

    async def _found(self, intent: Intent) -> Execution:
        trades = await self._exchange.trades()
        self._take(intent, [trade for trade in trades[:1] if self._ours(intent, trade)])
        if self._is_over(intent, is_open=await self._exchange.order(intent.venue_id) is not None):
            return self._ended(self._execution(intent, "met nothing"))
        return self._unknown(intent, "not to be found")


class MissesTheOpen(ReferenceBroker):
    """Takes an order that the venue holds for one that met nothing."""

    async def _read(self, intent: Intent, receipt: Receipt) -> Execution:
        return await super()._read(intent, replace(receipt, status="matched"))


class NeverGivesUp(ReferenceBroker):
    """Waits for ever for what never arrived."""

    def _is_over(self, intent: Intent, *, is_open: bool) -> bool:
        return self._sum(intent) == intent.order.shares


class Resigned(ReferenceBroker):
    """Signs something else than the order; `_wire` says what."""

    def _signed(self, order: Order) -> Intent:
        payload = json.dumps(self._wire(order, json.loads(super()._signed(order).payload))).encode()
        return Intent(order=order, payload=payload, venue_id=order_id(payload))

    def _wire(self, order: Order, wire: dict[str, object]) -> dict[str, object]:
        return wire


class RoundsUp(Resigned):
    """Asks for whole shares."""

    def _wire(self, order: Order, wire: dict[str, object]) -> dict[str, object]:
        return {**wire, "shares": str(order.shares.quantize(Decimal(1), rounding=ROUND_UP))}


class WidensTheLimit(Resigned):
    """Wants to be sure of a fill."""

    def _wire(self, order: Order, wire: dict[str, object]) -> dict[str, object]:
        return {**wire, "limit": str(order.limit + (Decimal("0.01") if order.side is Side.BUY else Decimal("-0.01")))}


class BelievesPrices(ReferenceBroker):
    """Books whatever price it is told."""

    def _take(self, intent: Intent, trades: Sequence[VenueTrade]) -> None:
        generous = Decimal(1) if intent.order.side is Side.BUY else Decimal(0)
        super()._take(replace(intent, order=replace(intent.order, limit=generous)), trades)


class BelievesSizes(ReferenceBroker):
    """Books however many shares it is told."""

    def _take(self, intent: Intent, trades: Sequence[VenueTrade]) -> None:
        super()._take(replace(intent, order=replace(intent.order, shares=Decimal(10_000))), trades)


class NeverCompares(ReferenceBroker):
    """Does not look back at what is over."""

    def _compare(self, entry: Entry, trades: Sequence[VenueTrade]) -> None:
        return


class DoubtsRefusals(ReferenceBroker):
    """Waits for what was clearly refused."""

    async def _read(self, intent: Intent, receipt: Receipt) -> Execution:
        if receipt.status == "refused":
            return self._unknown(intent, receipt.error)
        return await super()._read(intent, receipt)


class AnswersBackwards(ReferenceBroker):
    """Answers in the wrong order."""

    async def submit(self, intents: Iterable[Intent], snapshot: Snapshot) -> tuple[Execution, ...]:
        return (await super().submit(intents, snapshot))[::-1]


LEFT_OVER = (
    "a_lost_answer_is_found_out",
    "an_order_that_arrives_late_is_found",
    "the_first_fill_need_not_be_the_last",
    "nothing_is_sent_before_reconciliation",
    "a_venue_that_does_not_tell_leaves_the_books_alone",
    "reconciling_again_finds_nothing_more",
)
"""What follows when an unknown outcome counts as an end."""

PARTLY_READ = (
    "an_unknown_outcome_is_a_value",
    "an_intent_is_committed_before_it_is_sent",
    "nothing_is_sent_before_reconciliation",
    "a_venue_that_does_not_tell_leaves_the_books_alone",
    "reconciling_again_finds_nothing_more",
)
"""What follows when not all fills are found."""

ENDLESS = (
    "an_order_that_never_left_is_not_sent_later",
    "an_unknown_outcome_is_a_value",
    "an_unknown_order_is_not_sent_again_with_new_bytes",
    "fills_of_others_are_not_ours",
)
"""What follows when there is no end."""

MUTANTS: tuple[tuple[type[ReferenceBroker], str, tuple[str, ...]], ...] = (
    (AnswersBackwards, "each_order_has_its_answer", ()),
    (SendsBeforeWriting, "an_intent_is_committed_before_it_is_sent", ()),
    (SendsLater, "an_order_that_never_left_is_not_sent_later", ()),
    (
        AsksOnlyWhatWaits,
        "what_was_filled_but_not_booked_is_found",
        ("an_intent_is_committed_before_it_is_sent",),
    ),
    (SignsAnew, "the_same_id_is_the_same_order", ()),
    (RaisesForTheUnknown, "an_unknown_outcome_is_a_value", ("nothing_is_sent_before_reconciliation",)),
    (CallsTheUnknownRefused, "an_unknown_outcome_is_a_value", LEFT_OVER),
    (
        TriesAgain,
        "an_unknown_order_is_not_sent_again_with_new_bytes",
        ("an_order_that_never_arrived_ends_by_waiting", "fills_of_others_are_not_ours"),
    ),
    (NeverGivesUp, "an_order_that_never_arrived_ends_by_waiting", ENDLESS),
    (ReadsOnlyTheNewestTrade, "a_lost_answer_is_found_out", PARTLY_READ),
    (MissesTheOpen, "a_late_fill_is_found", ("an_unknown_outcome_is_a_value",)),
    (GivesUpAtOnce, "an_order_that_arrives_late_is_found", ()),
    (TakesTheFirstFillForAll, "the_first_fill_need_not_be_the_last", ()),
    (TradesAtOnce, "nothing_is_sent_before_reconciliation", ()),
    (ForgetsWhenItIsDown, "a_venue_that_does_not_tell_leaves_the_books_alone", ()),
    (BooksAgain, "reconciling_again_finds_nothing_more", ()),
    (CountsTwice, "a_fill_is_counted_once", ("the_first_fill_need_not_be_the_last",)),
    (MatchesByLooks, "fills_of_others_are_not_ours", ()),
    (RoundsUp, "never_more_than_was_asked", ()),
    (WidensTheLimit, "never_beyond_the_limit", ()),
    (BelievesPrices, "a_fill_too_dear_stops_the_trading", ()),
    (BelievesSizes, "a_fill_too_large_stops_the_trading", ()),
    (NeverCompares, "another_story_of_an_ended_order_stops_the_trading", ()),
    (
        DoubtsRefusals,
        "a_definite_refusal_is_rejected",
        ("another_story_of_an_ended_order_stops_the_trading",),
    ),
    (IgnoresTheKillSwitch, "the_kill_switch_stops_buying_alone", ()),
)
"""Who breaks which rule, and which others fail because of it."""

BY_NAME = [mutant.__name__ for mutant, _, _ in MUTANTS]


def _fails(name: str, desk: Desk) -> bool:
    try:
        RULES[name](desk)
    except Exception:  # noqa: BLE001 - however it shows, the rule has found something
        return True
    return False


@pytest.mark.parametrize("name", RULES)
def test_paper_passes(name: str) -> None:
    """It sends nothing, and promises the same."""
    RULES[name](paper())


@pytest.mark.parametrize("name", RULES)
def test_the_reference_passes(name: str) -> None:
    """So the exam can be passed by a broker that sends."""
    RULES[name](desk_of(ReferenceBroker))


@pytest.mark.parametrize(("mutant", "broken", "_"), MUTANTS, ids=BY_NAME)
def test_whoever_breaks_a_rule_fails_it(mutant: type[ReferenceBroker], broken: str, _: tuple[str, ...]) -> None:
    """The exam can fail."""
    assert _fails(broken, desk_of(mutant))


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "broken", "others"), MUTANTS, ids=BY_NAME)
def test_whoever_breaks_a_rule_fails_no_other(mutant: type[ReferenceBroker], broken: str, others: tuple[str, ...]) -> None:
    """But those that follow from it, so that a failure says what is wrong."""
    assert {name for name in RULES if _fails(name, desk_of(mutant))} == {broken, *others}


def test_every_rule_is_broken_by_somebody() -> None:
    """A rule that nobody can fail would prove nothing."""
    assert {broken for _, broken, _ in MUTANTS} == RULES.keys()


def test_the_guide_names_every_rule_and_every_gate() -> None:
    """`docs/live-broker.md`, in the order of the code, and nothing that is not there."""
    guide = (Path(__file__).resolve().parents[2] / "docs/live-broker.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", guide, re.MULTILINE)
    assert [name for name, _ in told] == [*RULES, *(gate.name for gate in GATES)]
    assert all(gate.says.split(" ")[0] in dict(told)[gate.name] for gate in GATES)
