"""Gamma's events: the markets of one, each judged on its own, what they make together, and pages of events."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import Field, ValidationError

from adapters.gamma_wire import SOURCE, GammaWire, Listing, parse_listing, rows_of
from adapters.http import Body
from adapters.three_way import three_way_of
from adapters.wire_numbers import clean_name
from domain.market import ThreeWay
from domain.ports import Unavailable

END_OF_PAGES = "LTE="
"""The cursor with which the CLOB's lists end; Gamma leaves the key out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: its usable markets, the match that they make, and why each other market was refused."""

    slug: str
    title: str
    listings: tuple[Listing, ...]
    three_way: ThreeWay | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of events: the cursor of the next one ("" on the last), whether a search has more, why rows were refused."""

    events: tuple[Event, ...]
    cursor: str = ""
    more: bool = False
    refused: tuple[str, ...] = ()


class WireEvent(GammaWire):
    """An event: its markets, each still to be judged. Reduced rows have only a title; a row with a condition is no event."""

    slug: str
    title: str = ""
    markets: list[object] | None = None
    condition: object = Field(alias="conditionId", default=None)

    def to_domain(self, at_ms: int | None) -> Event:
        """The event as of `at_ms`. Raises `Unavailable`: `invalid_event`."""
        if self.condition is not None or (not self.title and self.markets is None):
            raise Unavailable(SOURCE, "invalid_event", "a market, or neither title nor markets")
        slug = clean_name(self.slug)
        listings, refused = judged_rows(self.markets or [], at_ms)
        mine = tuple(replace(listing, event=slug) for listing in listings)
        three_way = three_way_of(slug, mine)
        return Event(slug=slug, title=clean_name(self.title), listings=mine, three_way=three_way, refused=refused)


def parse_event(row: object, at_ms: int | None = None) -> Event:
    """One event, as of an answer at `at_ms` (UTC ms; None: today). Raises `Unavailable`: `invalid_event`."""
    try:
        return WireEvent.model_validate(row).to_domain(at_ms)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_event") from None


def judged_rows(rows: Iterable[object], at_ms: int | None = None) -> tuple[tuple[Listing, ...], tuple[str, ...]]:
    """The usable markets, and why each other one is not; of markets that share a token with another none is usable."""
    listings: list[Listing] = []
    kinds: list[str] = []
    for row in rows:
        try:
            listings.append(parse_listing(row, at_ms))
        except Unavailable as refused:
            kinds.append(refused.kind)
    owners = Counter(token for listing in listings for _, token in listing.tokens)
    alone = [listing for listing in listings if all(owners[token] == 1 for _, token in listing.tokens)]
    return tuple(alone), (*kinds, *["duplicate_market"] * (len(listings) - len(alone)))


def parse_page(answer: Body) -> Page:
    """A page of `/events/keyset`, `/events` or `/public-search`. Raises `Unavailable`: `invalid_body`, `invalid_event`."""
    events: list[Event] = []
    refused: list[str] = []
    rows = rows_of(answer.json)
    for row in rows:
        try:
            events.append(parse_event(row, answer.latest_ms))
        except Unavailable as refusal:
            refused.append(refusal.kind)
    if rows and not events:
        raise Unavailable(SOURCE, refused[0], "no row of the page is an event")
    page = answer.json if isinstance(answer.json, dict) else {}
    cursor, pages = page.get("next_cursor"), page.get("pagination")
    return Page(
        events=tuple(events),
        cursor=cursor if isinstance(cursor, str) and cursor != END_OF_PAGES else "",
        more=isinstance(pages, dict) and pages.get("hasMore") is True,
        refused=tuple(refused),
    )
