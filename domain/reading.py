"""Gathering: which inputs of a snapshot are accepted, and what they add to the history."""

from collections.abc import Mapping
from dataclasses import replace

from domain.edge import SPIKE_PCT, return_pct
from domain.history import History, Sample
from domain.ledger import Ledger
from domain.market import Market, OrderBook, Quote, Reference, ReferenceId, Snapshot
from domain.state import Memory, Seen
from domain.state_machine import GHOST_SPREAD, SAMPLE_INPUT, first_closed
from domain.strategies import Strategy
from domain.value import value
from domain.view import Limits, Reading, View

NO_HISTORY = History()


@value
class Accepted:
    """A reference after the spike rule: what to remember of it, and how far an unconfirmed price jumped (percent)."""

    reference: Reference
    seen: Seen | None
    jump_pct: float


def accepted(reference: Reference, before: Seen | None) -> Accepted:
    """Apply the spike rule: a price far from the last accepted one counts only when the next tick confirms it."""
    if before is None:
        return Accepted(reference=reference, seen=Seen(accepted=reference.price), jump_pct=0.0)
    jump = abs(return_pct(reference.price, before.accepted))
    confirmed = before.waiting is not None and abs(return_pct(reference.price, before.waiting)) <= SPIKE_PCT
    if jump <= SPIKE_PCT or confirmed:
        return Accepted(reference=reference, seen=Seen(accepted=reference.price), jump_pct=0.0)
    waiting = Seen(accepted=before.accepted, waiting=reference.price)
    return Accepted(reference=reference, seen=waiting, jump_pct=jump)


def accepted_references(snapshot: Snapshot, memory: Memory, *, freshness_s: float) -> Mapping[ReferenceId, Accepted]:
    """Every reference of the snapshot after the spike rule; a stale one is kept for its row, and vouches for nothing."""
    found = {}
    for key, reference in snapshot.references.items():
        before = memory.references.get(key)
        fresh = reference.age_at(snapshot.ready) <= freshness_s
        found[key] = accepted(reference, before) if fresh else Accepted(reference=reference, seen=before, jump_pct=0.0)
    return found


def remembered(memory: Memory, references: Mapping[ReferenceId, Accepted]) -> Mapping[ReferenceId, Seen]:
    """What the next tick knows of every reference. A spike that this tick did not see again is forgotten."""
    seen = {key: found.seen for key, found in references.items() if found.seen is not None}
    return {key: Seen(accepted=known.accepted) for key, known in memory.references.items() if key not in seen} | seen


def followed(snapshot: Snapshot, ledger: Ledger) -> tuple[Market, ...]:
    """The markets of the map, then those that left it while a position is open. What is resolved accepts no orders."""
    markets = snapshot.markets
    if ledger.positions:
        listed = {market.token for market in markets}
        markets = (*markets, *(held.market for token, held in ledger.positions.items() if token not in listed))
    if not snapshot.payouts and not ledger.settled:
        return markets
    over = snapshot.payouts.keys() | ledger.settled
    return tuple(replace(market, accepting=False) if market.token in over else market for market in markets)


def first_look(
    market: Market,
    snapshot: Snapshot,
    references: Mapping[ReferenceId, Accepted],
    memory: Memory,
    strategy: Strategy,
    limits: Limits,
) -> Reading:
    """One token's inputs as they came, with the history that they would make if all of them were accepted."""
    book = snapshot.books.get(market.token) if market.token is not None else None
    found = references.get(market.reference) if market.reference is not None else None
    quote = Quote.of(book) if book else None
    reference = found.reference if found else None
    history = _history_before(market, memory)
    if quote is not None:
        sample = Sample(snapshot.moment.elapsed_ms, reference.price if reference else 0.0, quote.mid)
        history = history.extended(sample, capacity=strategy.capacity, gap_ms=limits.gap_ms)
    return Reading(
        market=market,
        book=book,
        quote=quote,
        reference=reference,
        jump_pct=found.jump_pct if found else 0.0,
        history=history,
        signal=None,
        legs=_legs(market, snapshot, limits.freshness_s),
    )


def _history_before(market: Market, memory: Memory) -> History:
    known = memory.histories.get(market.token) if market.token is not None else None
    return known or NO_HISTORY


def _legs(market: Market, snapshot: Snapshot, freshness_s: float) -> tuple[float | None, ...]:
    if market.three_way is None:
        return ()
    books = (snapshot.books.get(leg.token) for leg in market.three_way.legs)
    return tuple(_believed_mid(book, snapshot, freshness_s) if book else None for book in books)


def _believed_mid(book: OrderBook, snapshot: Snapshot, freshness_s: float) -> float | None:
    """The mid of a book that an entry could use: two-sided, uncrossed, no ghost, fresh."""
    quote = Quote.of(book)
    believed = quote is not None and 0 < quote.spread < GHOST_SPREAD and book.age_at(snapshot.ready) <= freshness_s
    return quote.mid if quote is not None and believed else None


def sampled(view: View, memory: Memory, strategy: Strategy) -> None:
    """Complete the view's reading: with this tick's signal, when every input of its sample was accepted; else without it."""
    reading = view.reading
    reading.refused = first_closed(SAMPLE_INPUT, view)
    if reading.refused:
        reading.history = _history_before(reading.market, memory)
    elif len(reading.history.samples) >= strategy.points:
        reading.signal = strategy.signal(reading)
