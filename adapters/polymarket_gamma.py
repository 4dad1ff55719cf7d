"""Polymarket's Gamma: what a market is, which tokens it has, what it charges, and whether it is resolved.

Gamma keeps answers for up to five minutes and writes JSON inside strings; a market that contradicts itself is refused, because
a guessed token would trade the wrong side. `closed` does not mean resolved: a market pays only when it says both.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError

from adapters.http import Body, Call, StatusRefused, VenueClient
from adapters.wire_numbers import IsoMs, JsonNumber, Wire, clean_name, strict_json
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import ConditionId, Market, TokenId
from domain.ports import Unavailable

SOURCE = "polymarket_gamma"
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,255}")
_TOKEN = re.compile(r"[0-9]{1,78}")
SETTLED = ({Decimal(0), Decimal(1)}, {Decimal("0.5")})
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One binary market as Gamma lists it. `tokens` are (outcome, token) in the venue's order.

    `payouts` is what one share of each token pays (0, 1, 0.5), empty until resolved; `ends_at_ms` (UTC ms) is a nominal
    deadline; `tick_size` in price units and `min_order_size` in shares are unknown (None, 0) on markets before 2021.
    """

    slug: str
    question: str
    condition: ConditionId
    tokens: tuple[tuple[str, TokenId], ...]
    tick_size: Decimal | None = None
    min_order_size: Decimal = Decimal(0)
    fees: FeeSchedule = FREE
    accepting: bool = False
    closed: bool = False
    taker_delay_ms: int = 0
    ends_at_ms: int | None = None
    payouts: Mapping[TokenId, Decimal] = field(default_factory=dict)
    category: str = ""
    neg_risk: bool = False


def _texts(value: Any) -> list[str]:
    """The texts of a JSON array inside a string; "" and a missing array are empty."""
    texts = strict_json(value.encode()) if isinstance(value, str) and value else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("must be a JSON array of texts inside a string")
    return texts


Texts = Annotated[list[str], BeforeValidator(_texts)]


class WireFee(Wire):
    """A market's own fee schedule."""

    rate: Annotated[JsonNumber, Field(le=Decimal(1))]
    exponent: Annotated[JsonNumber, Field(le=Decimal(10))] = Decimal(1)


class WireMarket(Wire):
    """One market; several keys are absent on old or inactive rows."""

    slug: str
    question: str = ""
    condition: str = Field(alias="conditionId", pattern=r"^0x[0-9a-fA-F]{64}$")
    outcomes: Texts
    tokens: Texts = Field(alias="clobTokenIds", default_factory=list)
    prices: Texts = Field(alias="outcomePrices", default_factory=list)
    tick: JsonNumber | None = Field(alias="orderPriceMinTickSize", default=None)
    least: JsonNumber | None = Field(alias="orderMinSize", default=None)
    closed: bool = False
    active: bool | None = None
    accepting: bool | None = Field(alias="acceptingOrders", default=None)
    order_book: bool | None = Field(alias="enableOrderBook", default=None)
    charges: bool | None = Field(alias="feesEnabled", default=None)
    fee_type: str | None = Field(alias="feeType", default=None)
    fee: WireFee | None = Field(alias="feeSchedule", default=None)
    delay_s: JsonNumber | None = Field(alias="secondsDelay", default=None)
    ends_at_ms: IsoMs | None = Field(alias="endDate", default=None)
    status: str | None = Field(alias="umaResolutionStatus", default=None)
    statuses: Texts = Field(alias="umaResolutionStatuses", default_factory=list)
    category: str | None = None
    neg_risk: bool | None = Field(alias="negRisk", default=None)

    def to_domain(self) -> Listing:
        """The listing. Raises `Unavailable`: `not_binary`, `lengths_differ`, `invalid_tokens`."""
        tokens = self._tokens()
        open_by_default = bool(self.order_book) and self.active is not False
        return Listing(
            slug=clean_name(self.slug),
            question=clean_name(self.question),
            condition=ConditionId(self.condition),
            tokens=tuple(zip(map(clean_name, self.outcomes), tokens, strict=True)),
            tick_size=self.tick or None,
            min_order_size=self.least or Decimal(0),
            fees=self._fees(),
            accepting=not self.closed and (open_by_default if self.accepting is None else self.accepting),
            closed=self.closed,
            taker_delay_ms=int((self.delay_s or 0) * 1000),
            ends_at_ms=self.ends_at_ms,
            payouts=self._payouts(tokens),
            category=clean_name(self.fee_type or self.category or ""),
            neg_risk=bool(self.neg_risk),
        )

    def _tokens(self) -> tuple[TokenId, ...]:
        if len(self.outcomes) != 2:
            raise Unavailable(SOURCE, "not_binary", f"{len(self.outcomes)} outcomes")
        if len(self.tokens) != 2 or len(self.prices) not in (0, 2):
            raise Unavailable(SOURCE, "lengths_differ", f"{len(self.tokens)} tokens, {len(self.prices)} prices")
        distinct = len(set(self.tokens)) == 2 and len({clean_name(outcome) for outcome in self.outcomes}) == 2
        if not distinct or not all(_TOKEN.fullmatch(token) for token in self.tokens):
            raise Unavailable(SOURCE, "invalid_tokens")
        return tuple(map(TokenId, self.tokens))

    def _fees(self) -> FeeSchedule:
        if self.charges is False or (self.charges is None and self.fee is None and not self.fee_type):
            return FREE
        if self.fee is None:
            return assumed_schedule(self.fee_type or "")
        return FeeSchedule(rate=self.fee.rate, exponent=self.fee.exponent)

    def _payouts(self, tokens: tuple[TokenId, ...]) -> dict[TokenId, Decimal]:
        """Only of a closed, resolved market with exact prices: recorded ones are 0/0, 0.0005/0.9995 and 40-digit fractions."""
        resolved = self.status == "resolved" or self.statuses[-1:] == ["resolved"]
        if not (self.closed and resolved and all(re.fullmatch(r"[01](\.[0-9]{1,40})?", price) for price in self.prices)):
            return {}
        paid = [Decimal(price) for price in self.prices]
        return dict(zip(tokens, paid, strict=True)) if set(paid) in SETTLED else {}


class WireEvent(Wire):
    """An event: its markets, each still to be judged."""

    slug: str
    markets: list[object]


def parse_listing(row: object) -> Listing:
    """One market. Raises `Unavailable`: `invalid_market`, `not_binary`, `lengths_differ`, `invalid_tokens`."""
    try:
        return WireMarket.model_validate(row).to_domain()
    except ValueError:  # pydantic's ValidationError is one.
        raise Unavailable(SOURCE, "invalid_market") from None


def parse_event(row: object) -> tuple[tuple[Listing, ...], tuple[str, ...]]:
    """An event's usable markets, and why each other one is not. Raises `Unavailable`: `invalid_event`."""
    try:
        event = WireEvent.model_validate(row)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_event") from None
    return judged_rows(event.markets)


def judged_rows(rows: Iterable[object]) -> tuple[tuple[Listing, ...], tuple[str, ...]]:
    """The usable markets, and why each other one is not; of markets that share a token with another none is usable."""
    listings: list[Listing] = []
    kinds: list[str] = []
    for row in rows:
        try:
            listings.append(parse_listing(row))
        except Unavailable as refused:
            kinds.append(refused.kind)
    owners = [token for listing in listings for _, token in listing.tokens]
    alone = [listing for listing in listings if all(owners.count(token) == 1 for _, token in listing.tokens)]
    return tuple(alone), (*kinds, *["duplicate_market"] * (len(listings) - len(alone)))


def _rows(answer: Body) -> list[object]:
    """Both shapes in which Gamma answers: one object, or a list of them."""
    if isinstance(answer.json, list):
        return answer.json
    if isinstance(answer.json, dict):
        return [answer.json]
    raise Unavailable(SOURCE, "invalid_body")


def slug_of(ref: str) -> str | None:
    """The slug in a bare slug or a Polymarket URL; None for a token id or anything else."""
    tail = urlsplit(ref).path.rstrip("/").rpartition("/")[2] if "/" in ref else ref
    return tail if _SLUG.fullmatch(tail) and not _TOKEN.fullmatch(tail) else None


class Gamma:
    """Looks up markets and events."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`."""
        self._client = client

    async def market(self, slug: str) -> Listing:
        """One market by slug, open or closed. Raises `Unavailable`, among others `unknown_market`."""
        _checked(slug)

        def parsed(answer: Body) -> Listing | None:
            return _only([row for row in _rows(answer) if _slug(row) == slug.lower()], _rows(answer))

        direct = Call(path=f"/markets/slug/{slug}", meanings={404: "unknown_market"})
        return await self._first(direct, "/markets", {"slug": slug}, parsed)

    async def market_of_token(self, token: TokenId) -> Listing:
        """The market that a token belongs to, open or closed. Raises `Unavailable`, among others `unknown_market`."""
        if not _TOKEN.fullmatch(token):
            raise Unavailable(SOURCE, "invalid_tokens", "no token id")

        def parsed(answer: Body) -> Listing | None:
            listing = _only(_rows(answer), _rows(answer))
            if listing is not None and token not in dict(listing.tokens).values():
                raise Unavailable(SOURCE, "wrong_market")
            return listing

        return await self._first(None, "/markets", {"clob_token_ids": token}, parsed)

    async def event(self, slug: str) -> tuple[Listing, ...]:
        """The usable markets of an event; others are counted. Raises `Unavailable`, also when none is usable."""
        _checked(slug)

        def parsed(answer: Body) -> tuple[Listing, ...] | None:
            rows = _rows(answer)
            mine = [row for row in rows if _slug(row) == slug.lower()]
            if len(mine) != 1:
                _refuse_others(rows, mine)
                return None
            listings, kinds = parse_event(mine[0])
            if not listings:
                raise Unavailable(SOURCE, kinds[0] if kinds else "no_market")
            for kind in kinds:
                self._client.health.counted(self._client.source, kind)
            return listings

        direct = Call(path=f"/events/slug/{slug}", meanings={404: "unknown_market"})
        return await self._first(direct, "/events", {"slug": slug}, parsed)

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
        self._client.health.counted(self._client.source, "unknown_market")
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
        slug = slug_of(market.ref)
        return await self._gamma.market(slug) if slug else None


def _only(mine: list[object], rows: list[object]) -> Listing | None:
    if len(mine) == 1:
        return parse_listing(mine[0])
    _refuse_others(rows, mine)
    return None


def _refuse_others(rows: list[object], mine: list[object]) -> None:
    """Let an empty answer pass. Raises `Unavailable` for several that are meant, or others that are not."""
    if mine:
        raise Unavailable(SOURCE, "duplicate_market")
    if rows:
        raise Unavailable(SOURCE, "wrong_market" if all(map(_slug, rows)) else "invalid_market")


def _checked(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise Unavailable(SOURCE, "invalid_slug")


def _slug(row: object) -> str:
    slug = row.get("slug") if isinstance(row, dict) else None
    return slug.lower() if isinstance(slug, str) else ""
