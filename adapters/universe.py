"""The universe: the map's entries resolved to tokens through Gamma, in the background, without holding up a tick."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.health import Health
from adapters.market_map import MapEntry, Place, place
from adapters.polymarket_gamma import Listing
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import Market, ReferenceId, TokenId
from domain.ports import Unavailable

REFRESH_S = 300.0
"""Gamma caches its answers for five minutes: asking more often shows nothing new."""

RISING, FALLING = frozenset({"yes", "up"}), frozenset({"no", "down"})


class Listings(Protocol):
    """Where markets are looked up."""

    async def market(self, slug: str) -> Listing:
        """One market. Raises `Unavailable`."""
        ...

    async def event(self, slug: str) -> tuple[Listing, ...]:
        """The markets of an event. Raises `Unavailable`."""
        ...

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market that a token belongs to. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds where an entry says nothing: outcome, leading pair, the reference's source, whether fees are charged."""

    outcome: str
    spot_pair: str
    reference_source: str = "kraken_spot"
    charges_fees: bool = True


class MapUniverse:
    """The markets of a map. One that cannot be resolved yet has no token, and is tried again."""

    def __init__(
        self, entries: Sequence[MapEntry], *, listings: Listings, health: Health, defaults: Defaults, retry_s: float
    ) -> None:
        """Follow these entries; `retry_s` is the pause (real seconds) before an unresolved one is tried again."""
        self._entries = tuple(entries)
        self._listings = listings
        self._health = health
        self._defaults = defaults
        self._retry_s = retry_s
        self._found: dict[str, Listing] = {}

    def markets(self) -> tuple[Market, ...]:
        """The markets in map order, as far as they are resolved by now."""
        return tuple(market_of(entry, self._found.get(entry.polymarket.ref), self._defaults) for entry in self._entries)

    async def resolve(self, *, again: bool = False) -> None:
        """Look up what is not known yet; with `again`, everything."""
        wanted = {entry.polymarket.ref: entry for entry in self._entries if again or entry.polymarket.ref not in self._found}
        await asyncio.gather(*(self._look_up(entry) for entry in wanted.values()))

    async def keep_resolved(self, *, speed: float) -> None:
        """Go on for ever: unresolved entries every `retry_s`, all of them every five minutes (of the clock's time)."""
        since_refresh_s = 0.0
        while True:
            await asyncio.sleep(self._retry_s)
            since_refresh_s += self._retry_s * speed
            due = since_refresh_s >= REFRESH_S
            since_refresh_s = 0.0 if due else since_refresh_s
            await self.resolve(again=due)

    async def _look_up(self, entry: MapEntry) -> None:
        try:
            self._found[entry.polymarket.ref] = await self._listing(entry)
        except Unavailable:
            return  # counted in the source's health; the market shows `no_token`

    async def _listing(self, entry: MapEntry) -> Listing:
        if entry.polymarket.clob_token_id:
            return await self._listings.market_of_token(TokenId(entry.polymarket.clob_token_id))
        where: Place = place(entry.polymarket.ref)
        if where.kind == "market":
            return await self._listings.market(where.slug)
        match await self._listings.event(where.slug):
            case (only,):
                return only
        self._health.failed("polymarket_gamma", "ambiguous_event")
        raise Unavailable("polymarket_gamma", "ambiguous_event", f"{where.slug} holds several markets: name one of them")


def market_of(entry: MapEntry, listing: Listing | None, defaults: Defaults) -> Market:
    """The market that an entry means: its token and all that Gamma says of it."""
    outcome = entry.polymarket.outcome or defaults.outcome
    known = TokenId(entry.polymarket.clob_token_id) if entry.polymarket.clob_token_id else None
    tokens = dict(listing.tokens) if listing else {}
    name, token = _chosen(tokens, outcome, known)
    others = [other for other in tokens.values() if other != token]
    return Market(
        name=entry.name,
        ref=entry.polymarket.ref,
        token=token,
        outcome=name,
        direction=_direction(name, tokens, token) * (-1 if entry.kraken_spot.direction == "inverse" else 1),
        reference=_reference(entry, defaults),
        fees=_fees(listing, defaults),
        condition=listing.condition if listing else None,
        complement=others[0] if token is not None and len(others) == 1 else None,
        accepting=listing.accepting if listing else True,
        taker_delay_ms=listing.taker_delay_ms if listing else 0,
        ends_at_ms=listing.ends_at_ms if listing else None,
    )


def _chosen(tokens: Mapping[str, TokenId], outcome: str, known: TokenId | None) -> tuple[str, TokenId | None]:
    """The outcome's name and token: the map's token when it gives one, else the outcome of that name, or Yes for Up."""
    if known is not None:
        return next((name for name, token in tokens.items() if token == known), outcome), known
    for same in ({outcome.lower()}, RISING, FALLING):
        if outcome.lower() in same:
            for name, token in tokens.items():
                if name.lower() in same:
                    return name, token
    return outcome, None


def _direction(outcome: str, tokens: Mapping[str, TokenId], token: TokenId | None) -> int:
    """+1 for Yes or Up, -1 for No or Down; of two names, the first rises."""
    if outcome.lower() in RISING | FALLING:
        return 1 if outcome.lower() in RISING else -1
    return -1 if token is not None and list(tokens.values())[1:] == [token] else 1


def _reference(entry: MapEntry, defaults: Defaults) -> ReferenceId | None:
    if defaults.reference_source == "kraken_spot":
        return ReferenceId("kraken_spot", entry.kraken_spot.pair or defaults.spot_pair)
    return ReferenceId("kraken_futures", entry.kraken_futures.symbol) if entry.kraken_futures else None


def _fees(listing: Listing | None, defaults: Defaults) -> FeeSchedule:
    if not defaults.charges_fees:
        return FREE
    return listing.fees if listing else assumed_schedule("")
