"""Polymarket's Gamma: what a market is, which tokens it has, what it charges, and whether it is resolved.

Gamma keeps answers for up to five minutes. `closed` does not mean resolved: a market pays only when it says both.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from adapters.gamma_event import Event, Page, parse_event, parse_page
from adapters.gamma_wire import SOURCE, rows_of, slug_in
from adapters.gamma_wire import Listing as Listing
from adapters.gamma_wire import parse_listing as parse_listing
from adapters.http import Body, Call, StatusRefused, VenueClient
from adapters.polymarket_address import is_slug, is_token, place
from domain.fees import differs_from_table
from domain.market import Market, TokenId
from domain.ports import Outcomes, Unavailable

T = TypeVar("T")

FEE_ALARM_MS = 900_000
"""How long a difference of fees is shown after a market has shown it last."""


class Gamma:
    """Looks up markets and events."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`."""
        self._client = client

    async def market(self, slug: str) -> Listing:
        """One market by slug, open or closed. Raises `Unavailable`, among others `unknown_market`."""
        _checked(slug)

        def parsed(answer: Body) -> Listing | None:
            rows = rows_of(answer.json)
            return self._only([row for row in rows if slug_in(row) == slug.lower()], answer)

        direct = Call(path=f"/markets/slug/{slug}", meanings={404: "unknown_market"})
        return await self._first(direct, "/markets", {"slug": slug}, parsed)

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market that a token belongs to, open or closed. Raises `Unavailable`, among others `unknown_market`."""
        if not is_token(token):
            raise Unavailable(SOURCE, "invalid_tokens", "no token id")

        def parsed(answer: Body) -> Listing | None:
            listing = self._only(rows_of(answer.json), answer)
            if listing is not None and token not in dict(listing.tokens).values():
                raise Unavailable(SOURCE, "wrong_market")
            return listing

        return await self._first(None, "/markets", {"clob_token_ids": token}, parsed)

    async def event(self, slug: str) -> Event:
        """An event with its usable markets; others are counted. Raises `Unavailable`, also when none is usable."""
        _checked(slug)

        def parsed(answer: Body) -> Event | None:
            rows = rows_of(answer.json)
            mine = [row for row in rows if slug_in(row) == slug.lower()]
            if len(mine) != 1:
                _refuse_others(rows, mine)
                return None
            event = parse_event(mine[0], answer.latest_ms)
            if not event.listings:
                raise Unavailable(SOURCE, event.refused[0] if event.refused else "no_market")
            self._count(event.refused)
            for listing in event.listings:
                self._compare_fees(listing, answer)
            return event

        direct = Call(path=f"/events/slug/{slug}", meanings={404: "unknown_market"})
        return await self._first(direct, "/events", {"slug": slug}, parsed)

    async def busiest(self, *, limit: int, after: str = "") -> Page:
        """A page of open events, those with the most volume of the last 24 hours first. Raises `Unavailable`.

        `limit` counts events; `after` is the cursor of an earlier page (under any other name it would be ignored).
        """
        order = {"closed": "false", "active": "true", "limit": str(limit), "order": "volume24hr", "ascending": "false"}
        return await self._page("/events/keyset", order | ({"after_cursor": after} if after else {}))

    async def searched(self, text: str, *, limit: int, page: int = 1) -> Page:
        """A page of the open events that a search finds, the first page being 1. Raises `Unavailable`."""
        wanted = {"q": text, "events_status": "active", "limit_per_type": str(limit), "page": str(page)}
        return await self._page("/public-search", wanted)

    async def _page(self, path: str, params: Mapping[str, str]) -> Page:
        page = await self._client.read(Call(path=path, params=params), parse_page)
        self._count(page.refused)
        return page

    def _only(self, mine: list[object], answer: Body) -> Listing | None:
        """The one row that is meant; None when the answer is empty."""
        if len(mine) != 1:
            _refuse_others(rows_of(answer.json), mine)
            return None
        listing = parse_listing(mine[0], answer.latest_ms)
        self._compare_fees(listing, answer)
        return listing

    def _compare_fees(self, listing: Listing, answer: Body) -> None:
        """Raise an alarm where a market charges what our table of the day does not say; one for each kind of difference.

        It ends by itself when no market shows the difference any more: what is followed is looked up every five minutes.
        """
        text = differs_from_table(listing.category, listing.fees, answer.latest_ms)
        if text is not None:
            subject = f"fees {listing.category} {listing.fees.rate:f} {listing.fees.exponent:f}"
            until_ms = answer.requested.at_ms + FEE_ALARM_MS
            self._client.health.alarm(self._client.source, subject, f"{text} ({listing.slug})", until_ms=until_ms)

    def _count(self, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            self._client.health.counted(self._client.source, kind)

    async def _first(self, direct: Call | None, path: str, params: dict[str, str], parsed: Callable[[Body], T | None]) -> T:
        """The first answer that knows it: the direct path, the list, and the list of closed ones, which it leaves out."""
        listed = [Call(path=path, params=params), Call(path=path, params=params | {"closed": "true"})]
        for call in [direct, *listed] if direct else listed:
            try:
                found = await self._client.read(call, parsed)
            except StatusRefused as refused:
                if call is not direct or refused.status != 404:
                    raise
            else:
                if found is not None:
                    return found
        self._count(("unknown_market",))
        raise Unavailable(SOURCE, "unknown_market")


class GammaOutcomes:
    """How markets ended by Gamma's word, as a port `Outcomes`."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`."""
        self._gamma = Gamma(client)

    async def payouts(self, market: Market) -> Mapping[TokenId, Decimal]:
        """What one share of each token pays; empty while unresolved or for another market. Raises `Unavailable`."""
        listing = await self._listing(market)
        known = listing is not None and (market.token is None or market.token in dict(listing.tokens).values())
        return listing.payouts if listing is not None and known else {}

    async def _listing(self, market: Market) -> Listing | None:
        if market.token is not None:
            return await self._gamma.market_of_token(market.token)
        slug = market.slug or _slug_in(market.ref)
        return await self._gamma.market(slug) if slug else None


class SaidTwice:
    """Another source's word on how markets ended, taken when it was given twice in a row, as a port `Outcomes`.

    A payout cannot be taken back, and Gamma is only heard while the settlement itself cannot be seen.
    """

    def __init__(self, outcomes: Outcomes) -> None:
        """Nothing was said yet."""
        self._outcomes = outcomes
        self._before: dict[TokenId | None, Mapping[TokenId, Decimal]] = {}

    async def payouts(self, market: Market) -> Mapping[TokenId, Decimal]:
        """What was said now and the time before; else empty. Raises `Unavailable`."""
        said = await self._outcomes.payouts(market)
        before = self._before.pop(market.token, {})
        if said:
            self._before[market.token] = said
        return said if said == before else {}


def _slug_in(ref: str) -> str:
    """The slug of the market that a reference names; "" for anything else."""
    try:
        named = place(ref)
    except ValueError:
        return ""
    return named.slug if named.kind == "market" else ""


def _refuse_others(rows: list[object], mine: list[object]) -> None:
    """Let an empty answer pass. Raises `Unavailable` for several that are meant, or others that are not."""
    if mine:
        raise Unavailable(SOURCE, "duplicate_market")
    if rows:
        raise Unavailable(SOURCE, "wrong_market" if all(map(slug_in, rows)) else "invalid_market")


def _checked(slug: str) -> None:
    if not is_slug(slug):
        raise Unavailable(SOURCE, "invalid_slug")
