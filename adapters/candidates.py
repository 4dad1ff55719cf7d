"""What a scan makes of the markets that it meets: each is kept, or left for the first reason that its listing or book gives."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from adapters.gamma_event import Event
from adapters.gamma_wire import Listing
from adapters.polymarket_address import is_slug
from domain.market import Moment, OrderBook, Quote, TokenId

HYDRATING = "listed, not hydrated yet (or gone): tried again by the next scan"

_FALLING = re.compile(r"(?<![a-z])(dips?|below|under|less than|fall(s|en)?|drops?|crash(es)?|lower|between)(?![a-z])|↓")
_UP_OR_DOWN = frozenset({"up", "down"})

Kind = Literal["binary", "three_way", "multi", ""]


class ScanReason(StrEnum):
    """Why a market was kept or left; a row that could not be read has the kind of its refusal instead."""

    KEPT = "kept"
    BEYOND_LIMIT = "beyond_limit"
    DUPLICATE = "duplicate"
    INVALID_SLUG = "invalid_slug"
    NOT_BINARY = "not_binary"
    NOT_MATCH_DRAW = "not_match_draw"
    CLOSED = "closed"
    NOT_ACCEPTING = "not_accepting"
    OTHER_ASSET = "other_asset"
    DIRECTION_UNCLEAR = "direction_unclear"
    LOW_LIQUIDITY = "low_liquidity"
    NO_ORDERBOOK = "no_orderbook"
    ONE_SIDED_BOOK = "one_sided_book"
    CROSSED_BOOK = "crossed_book"
    WIDE_SPREAD = "wide_spread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What to look for. `limit` counts the markets that one scan looks at; `search` "" means the busiest events.

    `binary_only` leaves out three-way sets and markets of more than two outcomes, `draws_only` all but the draws of matches,
    `falling_words_refused` what no strategy that is led by a reference can give a direction: markets whose words fall, and
    sports. `led_by` are the names of the asset that leads: a market that says none of them is not led; empty: nothing leads.
    None: no limit.
    """

    limit: int
    search: str = ""
    binary_only: bool
    draws_only: bool
    min_liquidity_usdc: Decimal | None
    max_spread: Decimal | None
    falling_words_refused: bool
    led_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A market that a scan met. Of a three-way set it is the draw, and `event` holds the set.

    `listing` is None when the row could not be read; `reason` is then the kind of its refusal.
    """

    at: Moment
    event: Event
    listing: Listing | None
    kind: Kind
    reason: str = ScanReason.KEPT
    notes: str = ""
    spread: Decimal | None = None

    @property
    def kept(self) -> bool:
        """Whether it may be traded."""
        return self.reason == ScanReason.KEPT

    @property
    def market(self) -> str:
        """Its question, or the title of its event."""
        return self.listing.question if self.listing else self.event.title

    @property
    def slug(self) -> str:
        """Its slug, "" when the row could not be read."""
        return self.listing.slug if self.listing else ""

    @property
    def url(self) -> str:
        """Where a person can see it."""
        return f"https://polymarket.com/event/{self.event.slug}/{self.slug}".rstrip("/")

    @property
    def liquidity_usdc(self) -> Decimal | None:
        """What lies in its book, as Gamma says."""
        return self.listing.liquidity_usdc if self.listing else None

    @property
    def token(self) -> TokenId | None:
        """The draw of a set, else the first outcome: the token whose book is asked for."""
        if self.kind == "three_way" and self.event.three_way:
            return self.event.three_way.draw.token
        return self.listing.tokens[0][1] if self.listing else None


Gate = Callable[[Listing, Candidate, Wishes], str | None]
"""What to note when a market is left at this gate; None lets it pass."""


def _unnamed(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    return None if is_slug(listing.slug) else "nothing can be asked by this slug"


def _beyond_binary(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    if not wishes.binary_only or candidate.kind == "binary":
        return None
    what = "a three-way set" if candidate.kind == "three_way" else f"{len(listing.tokens)} outcomes"
    return f"{what} (PM_SCAN_BINARY_ONLY=1)"


def _no_draw(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    draw = candidate.kind == "three_way" or (candidate.kind == "binary" and listing.match_draw)
    return "only draws of whole matches are wanted" if wishes.draws_only and not draw else None


def _closed(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    return listing.status if listing.closed else None


def _not_accepting(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    return None if listing.accepting else f"the venue takes no orders ({listing.status})"


def _other_asset(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    words = set(re.findall(r"[a-z0-9]+", f"{listing.question} {listing.group_title} {candidate.event.title}".lower()))
    if not wishes.led_by or not words.isdisjoint(wishes.led_by):
        return None
    return f"names none of {', '.join(wishes.led_by)}, which leads (KRAKEN_SPOT_PAIR)"


def _unclear(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    if not wishes.falling_words_refused:
        return None
    if listing.sports_type:
        return f"a match ({listing.sports_type}): spot does not lead it"
    names = {outcome.lower() for outcome, _ in listing.tokens}
    found = _FALLING.search(f"{listing.question} {listing.group_title}".lower())
    if found is None or names == _UP_OR_DOWN:
        return None
    return f'"{found.group()}": which way it moves with spot must be said in the map (kraken_spot.direction)'


def _illiquid(listing: Listing, candidate: Candidate, wishes: Wishes) -> str | None:
    least, there = wishes.min_liquidity_usdc, listing.liquidity_usdc
    if least is None or (there is not None and there >= least):
        return None
    return f"{'unknown' if there is None else f'{there:f}'} < {least:f} USDC (PM_SCAN_MIN_LIQUIDITY_USDC)"


GATES: tuple[tuple[ScanReason, Gate], ...] = (
    (ScanReason.INVALID_SLUG, _unnamed),
    (ScanReason.NOT_BINARY, _beyond_binary),
    (ScanReason.NOT_MATCH_DRAW, _no_draw),
    (ScanReason.CLOSED, _closed),
    (ScanReason.NOT_ACCEPTING, _not_accepting),
    (ScanReason.OTHER_ASSET, _other_asset),
    (ScanReason.DIRECTION_UNCLEAR, _unclear),
    (ScanReason.LOW_LIQUIDITY, _illiquid),
)
"""What a listing alone must pass, in this order; the first closed gate names the reason."""


def judged(events: Iterable[Event], wishes: Wishes, at: Moment) -> tuple[Candidate, ...]:
    """Every market of these events, left where its listing alone says so."""
    conditions: set[str] = set()
    judgements: list[Candidate] = []
    for candidate in (candidate for event in events for candidate in _candidates(event, at)):
        listing = candidate.listing
        if listing is None:
            judgements.append(candidate)
        elif listing.condition in conditions:
            judgements.append(replace(candidate, reason=ScanReason.DUPLICATE, notes="met before in this scan"))
        elif len(conditions) >= wishes.limit:
            judgements.append(replace(candidate, reason=ScanReason.BEYOND_LIMIT, notes=f"{wishes.limit} (PM_SCAN_LIMIT)"))
        else:
            conditions.add(listing.condition)
            judgements.append(_through_the_gates(listing, candidate, wishes))
    return tuple(judgements)


def _candidates(event: Event, at: Moment) -> Iterable[Candidate]:
    """One for each market of an event; of a three-way set the draw stands for all three."""
    legs = {leg.slug for leg in event.three_way.legs} if event.three_way else set()
    for listing in event.listings:
        if listing.slug not in legs:
            kind: Kind = "binary" if len(listing.tokens) == 2 else "multi"
            yield Candidate(at=at, event=event, listing=listing, kind=kind, spread=listing.spread)
        elif event.three_way and listing.slug == event.three_way.draw.slug:
            yield Candidate(at=at, event=event, listing=listing, kind="three_way", spread=listing.spread)
    for refusal in event.refused:
        notes = HYDRATING if refusal == "no_tokens" else "cannot be used as Gamma describes it"
        yield Candidate(at=at, event=event, listing=None, kind="", reason=refusal, notes=notes)


def _through_the_gates(listing: Listing, candidate: Candidate, wishes: Wishes) -> Candidate:
    for reason, gate in GATES:
        note = gate(listing, candidate, wishes)
        if note is not None:
            return replace(candidate, reason=reason, notes=note)
    return candidate


def priced(candidate: Candidate, books: Mapping[TokenId, OrderBook], wishes: Wishes) -> Candidate:
    """A candidate with the spread of its real book, left where that book says so."""
    if not candidate.kept or candidate.token is None:
        return candidate
    book = books.get(candidate.token)
    if book is None:
        return replace(candidate, reason=ScanReason.NO_ORDERBOOK, notes=HYDRATING)
    quote = Quote.of(book)
    if quote is None:
        return replace(candidate, reason=ScanReason.ONE_SIDED_BOOK, notes=f"bid {book.bid}, ask {book.ask}")
    seen = replace(candidate, spread=quote.spread, notes=f"bid {quote.bid} ask {quote.ask}")
    if quote.spread <= 0:
        return replace(seen, reason=ScanReason.CROSSED_BOOK)
    if wishes.max_spread is not None and quote.spread > wishes.max_spread:
        notes = f"{quote.spread:f} > {wishes.max_spread:f} (PM_SCAN_MAX_SPREAD)"
        return replace(seen, reason=ScanReason.WIDE_SPREAD, notes=notes)
    return seen
