"""`spelar resolve`: what a slug, an address, a series or a token id means at the venue now, and what to write into the map."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from adapters.clock import SystemClock
from adapters.gamma_event import Event
from adapters.gamma_wire import Listing
from adapters.polymarket_address import Place, is_token, place
from adapters.polymarket_gamma import Gamma
from adapters.portal.cells import iso
from domain.market import Leg, OrderBook, Quote, ThreeWay, TokenId
from domain.ports import OrderBooks, Unavailable
from entrypoints.container import Container
from entrypoints.settings import Settings

NO_BOOKS = "No order book now: not hydrated yet, closed, or the exchange does not answer."


class ResolveRefused(Exception):
    """The reference means nothing; the text says why in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """One token with its book. `part` is home, draw or away in a match; prices None where the book has none."""

    market: str
    part: str
    outcome: str
    token: TokenId
    bid: Decimal | None
    ask: Decimal | None
    fee: str
    tick: Decimal | None
    minimum: Decimal
    status: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a reference means: its title, its tokens, and what to do with it, line by line. `mids` is the sum of a match's."""

    title: str
    url: str
    tokens: tuple[TokenLine, ...]
    advice: tuple[str, ...]
    mids: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What Gamma knows of a reference: the listings that are meant, and their event where it matters."""

    title: str
    listings: tuple[Listing, ...]
    event: str = ""
    three_way: ThreeWay | None = None
    series: Place | None = None


async def resolved(settings: Settings, ref: str) -> Resolution:
    """Look a reference up. Raises `ResolveRefused`, and `Unavailable` when the venue does not answer."""
    container = Container(settings=settings, clock=SystemClock(), entries=())
    try:
        found = await _found(container.gamma(), ref, container.clock().now().at_ms)
        books = await _books(container.sources().books, found)
    finally:
        for client in container.clients():
            await client.aclose()
    quotes = [Quote.of(books[leg.token]) for leg in _legs(found) if leg.token in books]
    known = [quote.mid for quote in quotes if quote is not None]
    return Resolution(
        title=found.title,
        url=_url(found),
        tokens=tuple(_lines(found, books)),
        advice=(*_advice(found), *([] if books else [NO_BOOKS])),
        mids=sum(known) if len(known) == 3 else None,
    )


async def _found(gamma: Gamma, ref: str, now_ms: int) -> Found:
    try:
        if is_token(ref.strip()):
            return _of_market(await gamma.market_of_token(TokenId(ref.strip())))
        named = place(ref)
        if named.kind == "event":
            return _of_event(await gamma.event(named.slug))
        return await _of_slug(gamma, named.at(now_ms).slug, named if named.kind == "series" else None)
    except ValueError as error:
        raise ResolveRefused(str(error)) from None
    except Unavailable as failure:
        if failure.kind != "unknown_market":
            raise
        raise ResolveRefused(f"Polymarket knows neither a market nor an event nor a token {ref.strip()!r} now") from None


async def _of_slug(gamma: Gamma, slug: str, series: Place | None) -> Found:
    """A market, with its match where it is the draw of one; a bare slug may also be an event's."""
    try:
        listing = await gamma.market(slug)
    except Unavailable as failure:
        if failure.kind != "unknown_market":
            raise
        return _of_event(await gamma.event(slug))
    if listing.match_draw and listing.event:
        event = await gamma.event(listing.event)
        if event.three_way and slug in {leg.slug for leg in event.three_way.legs}:
            return _of_event(event)
    return _of_market(listing, series)


def _of_market(listing: Listing, series: Place | None = None) -> Found:
    return Found(title=listing.question or listing.slug, listings=(listing,), event=listing.event, series=series)


def _of_event(event: Event) -> Found:
    legs = {leg.slug for leg in event.three_way.legs} if event.three_way else set()
    meant = tuple(listing for listing in event.listings if not legs or listing.slug in legs)
    return Found(title=event.title or event.slug, listings=meant, event=event.slug, three_way=event.three_way)


def _legs(found: Found) -> tuple[Leg, ...]:
    return found.three_way.legs if found.three_way else ()


def _url(found: Found) -> str:
    market = found.listings[0].slug if len(found.listings) == 1 else ""
    return "https://polymarket.com/" + "/".join(part for part in ("event", found.event or market, market) if part)


async def _books(source: OrderBooks, found: Found) -> Mapping[TokenId, OrderBook]:
    """The books there are; a closed market has none."""
    try:
        return await source.books([token for listing in found.listings for _, token in listing.tokens])
    except Unavailable:
        return {}


def _lines(found: Found, books: Mapping[TokenId, OrderBook]) -> Iterator[TokenLine]:
    parts = dict(zip((leg.token for leg in _legs(found)), ("home", "draw", "away"), strict=False))
    order = list(parts)
    listings = sorted(found.listings, key=lambda listing: min(_place_in(order, token) for _, token in listing.tokens))
    for listing in listings:
        for outcome, token in listing.tokens:
            yield _line(listing, parts.get(token, ""), outcome, token, books.get(token))


def _place_in(order: Sequence[TokenId], token: TokenId) -> int:
    return order.index(token) if token in order else len(order)


def _line(listing: Listing, part: str, outcome: str, token: TokenId, book: OrderBook | None) -> TokenLine:
    fees = listing.fees
    return TokenLine(
        market=listing.slug,
        part=part,
        outcome=outcome,
        token=token,
        bid=book.bid if book else None,
        ask=book.ask if book else None,
        fee=f"{fees.rate.normalize():f} {'assumed' if fees.assumed else 'stated'}" if fees.rate else "none",
        tick=book.tick_size if book and book.tick_size else listing.tick_size,
        minimum=book.min_order_size if book and book.min_order_size else listing.min_order_size,
        status=listing.status,
        ends="" if listing.ends_at_ms is None else iso(listing.ends_at_ms),
    )


def _advice(found: Found) -> Iterator[str]:
    """What to write into the map, or between what to choose."""
    if found.series:
        minutes = found.series.window_s // 60
        yield f"This is the current window of a series of {minutes} minutes. In the map, to follow whichever is current:"
        yield f'  "market_slug": "{found.series.slug}*"'
    elif found.three_way:
        draw = found.three_way.draw
        outcome = "Yes" if draw.slug != found.three_way.home.slug else draw.name
        yield "A match: home, draw and away. In the map, for pm_draw:"
        yield f'  "market_slug": "{draw.slug}", "outcome": "{outcome}"'
    elif len(found.listings) == 1:
        yield "In the map, with the outcome of your choice:"
        yield f'  "market_slug": "{found.listings[0].slug}", "outcome": "{found.listings[0].tokens[0][0]}"'
    else:
        yield f"This event holds {len(found.listings)} markets, and a map entry means one. Choose a line:"
        for listing in found.listings:
            yield f'  "market_slug": "{listing.slug}"   {listing.group_title or listing.question}'


def as_json(resolution: Resolution) -> dict[str, object]:
    """The resolution as an object: numbers as decimal strings, unknown ones null."""
    tokens = [
        {
            "market": line.market,
            "part": line.part,
            "outcome": line.outcome,
            "token": line.token,
            "bid": _text(line.bid),
            "ask": _text(line.ask),
            "fee": line.fee,
            "tick": _text(line.tick),
            "minimum": _text(line.minimum),
            "status": line.status,
            "ends": line.ends,
        }
        for line in resolution.tokens
    ]
    mids = None if resolution.mids is None else round(resolution.mids, 6)
    told = {"title": resolution.title, "url": resolution.url, "mids": mids, "advice": list(resolution.advice)}
    return told | {"tokens": tokens}


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def show(resolution: Resolution, console: Console) -> None:
    """A table of the tokens, their ids below it (too long for a table), then what to do."""
    table = Table("market", "outcome", "bid", "ask", "fee rate", "tick", "min", "status", "ends", expand=False)
    for line in resolution.tokens:
        numbers = [_text(number) or "" for number in (line.bid, line.ask)], [_text(line.tick) or "", _text(line.minimum) or ""]
        named = f"{line.part} {line.outcome}".strip()
        table.add_row(line.market, named, *numbers[0], line.fee, *numbers[1], line.status, line.ends)
    console.print(resolution.title, resolution.url, sep="\n", soft_wrap=True)
    console.print(table)
    for line in resolution.tokens:
        console.print(f"{line.market} {line.outcome}: {line.token}", soft_wrap=True)
    if resolution.mids is not None:
        console.print(f"The three mids sum to {resolution.mids:.4f}.")
    for advice in resolution.advice:
        console.print(advice, soft_wrap=True)
