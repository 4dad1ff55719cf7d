"""The universe: the map's entries resolved to tokens through Gamma, and what discovery found, without holding up a tick."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from adapters.gamma_event import Event
from adapters.gamma_wire import Listing
from adapters.health import Health
from adapters.listed_markets import Listed, Wants, markets_of, unique
from adapters.market_map import MapEntry, PolymarketPart
from adapters.polymarket_address import Place, place
from domain.market import Market, TokenId
from domain.ports import Clock, Unavailable

REFRESH_S = 300.0
"""Gamma caches its answers for five minutes: asking more often shows nothing new."""

AT_ONCE = 8
"""Look-ups side by side. A long map queues here: in the client, which keeps a pace, a tick would stand behind all of it."""

Address = Place | TokenId


class Listings(Protocol):
    """Where markets are looked up."""

    async def market(self, slug: str) -> Listing:
        """One market. Raises `Unavailable`."""
        ...

    async def event(self, slug: str) -> Event:
        """An event with its usable markets. Raises `Unavailable`."""
        ...

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market that a token belongs to. Raises `Unavailable`."""
        ...


def nothing_found() -> Sequence[Listed]:
    """What discovery has found when there is none."""
    return ()


class MapUniverse:
    """The markets of a map, then those that discovery found. One that cannot be resolved yet has no token."""

    def __init__(
        self,
        entries: Sequence[MapEntry],
        *,
        listings: Listings,
        health: Health,
        wants: Wants,
        clock: Clock,
        retry_s: float,
        discovered: Callable[[], Sequence[Listed]] = nothing_found,
    ) -> None:
        """Follow these entries; `retry_s` is the pause (real seconds) before an unresolved one is tried again."""
        self._entries = tuple((entry, _address(entry)) for entry in entries)
        self._listings = listings
        self._health = health
        self._wants = wants
        self._clock = clock
        self._retry_s = retry_s
        self._discovered = discovered
        self._found: dict[Address, Listed] = {}
        self._left: tuple[TokenId, ...] = ()

    def markets(self, held: Iterable[Market] = ()) -> tuple[Market, ...]:
        """The markets in map order, as far as they are resolved by now; a series is its current window.

        Those of `held` that are not among them come last. They are looked up in the background too: whether a market takes
        orders does not stop to matter when it leaves the map.
        """
        followed = tuple(unique(self._followed()))
        tokens = {market.token for market in followed}
        left = [market for market in held if market.token not in tokens]
        self._left = tuple(market.token for market in left if market.token is not None)
        return (*followed, *map(self._as_listed, left))

    def _as_listed(self, market: Market) -> Market:
        listed = self._found.get(market.token) if market.token is not None else None
        if listed is None:
            return market
        listing = listed.listing
        return replace(market, accepting=listing.accepting, ends_at_ms=listing.ends_at_ms)

    def _followed(self) -> Iterator[Market]:
        now_ms = self._clock.now().at_ms
        for entry, address in self._entries:
            current = _window(address, now_ms)
            ref = entry.polymarket.ref if current == address or isinstance(current, str) else current.slug
            yield from markets_of(entry, self._found.get(current), self._wants, ref=ref)
        for listed in self._discovered():
            yield from markets_of(_entry_of(listed.listing), listed, self._wants, ref=listed.listing.slug)

    async def resolve(self, *, again: bool = False) -> None:
        """Look up what is not known yet; with `again`, everything."""
        due = self._due()
        self._found = {address: listed for address, listed in self._found.items() if address in due}
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._look_up(address, gate) for address in due if again or not self._is_known(address)))

    def _due(self) -> dict[Address, None]:
        """All addresses to know now: of a series the current window and the next, so that no tick waits at the turn."""
        now_ms = self._clock.now().at_ms
        windows: dict[Address, None] = {
            _window(address, at_ms): None
            for _, address in self._entries
            for at_ms in (now_ms, now_ms + (address.window_s * 1000 if isinstance(address, Place) else 0))
        }
        return windows | dict.fromkeys(self._left)

    def _is_known(self, address: Address) -> bool:
        """Whether it needs no look until all are looked up again. One that takes no orders may do so soon, or may be a lie."""
        listed = self._found.get(address)
        if listed is None or not listed.listing.accepting:
            return False
        return not (self._wants.draws and listed.event is None and listed.listing.event)

    async def keep_resolved(self, *, speed: float) -> None:
        """Go on for ever: unresolved entries every `retry_s`, all of them every five minutes (of the clock's time)."""
        since_refresh_s = 0.0
        while True:
            await asyncio.sleep(self._retry_s)
            since_refresh_s += self._retry_s * speed
            due = since_refresh_s >= REFRESH_S
            since_refresh_s = 0.0 if due else since_refresh_s
            await self.resolve(again=due)

    async def _look_up(self, address: Address, gate: asyncio.Semaphore) -> None:
        try:
            async with gate:
                self._found[address] = await self._listed(address)
        except Unavailable:
            return  # counted in the source's health; the market shows `no_token`

    async def _listed(self, address: Address) -> Listed:
        if isinstance(address, str):
            return await self._with_event(address, await self._listings.market_of_token(address))
        if address.kind == "market":
            return await self._with_event(address, await self._listings.market(address.slug))
        event = await self._listings.event(address.slug)
        return Listed(listing=self._only(event), event=event)

    async def _with_event(self, address: Address, listing: Listing) -> Listed:
        """The listing, and its event where draws are wanted: only the event tells a match from a half.

        An event that was known stays known when it cannot be read again: what makes a match does not change.
        """
        if not (self._wants.draws and listing.event):
            return Listed(listing=listing)
        try:
            return Listed(listing=listing, event=await self._listings.event(listing.event))
        except Unavailable:
            known = self._found.get(address)
            return Listed(listing=listing, event=known.event if known else None)

    def _only(self, event: Event) -> Listing:
        """The one market of an event, or the draw of its match where draws are wanted."""
        if self._wants.draws and event.three_way:
            slug = event.three_way.draw.slug
            return next(listing for listing in event.listings if listing.slug == slug)
        match event.listings:
            case (only,):
                return only
        self._health.failed("polymarket_gamma", "ambiguous_event")
        raise Unavailable("polymarket_gamma", "ambiguous_event", f"{event.slug} holds several markets: name one of them")


def _entry_of(listing: Listing) -> MapEntry:
    """The entry that a found market would have; not validated, because what a map forbids people would stop every tick."""
    slug = listing.slug
    name = listing.question or slug or listing.condition
    return MapEntry.model_construct(name=name, polymarket=PolymarketPart.model_construct(market_slug=slug))


def _address(entry: MapEntry) -> Address:
    named = entry.polymarket
    return TokenId(named.clob_token_id) if named.clob_token_id else place(named.ref)


def _window(address: Address, at_ms: int) -> Address:
    """The market of a series at this time (UTC ms); every other address is itself."""
    return address.at(at_ms) if isinstance(address, Place) else address
