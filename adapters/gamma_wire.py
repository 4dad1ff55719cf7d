"""Gamma's wire: one market as its rows describe it, taken whole or refused.

Gamma writes JSON inside strings, null for what it leaves out elsewhere, and one object, a list or a page around the same row.
A market that contradicts itself is refused, because a guessed token would trade the wrong side; what only informs (liquidity,
spread, group) is unknown when it cannot be read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from adapters.match_draw import is_match_draw
from adapters.polymarket_address import is_token
from adapters.wire_numbers import FIRST_MS, LAST_MS, IsoMs, JsonNumber, Wire, clean_name, json_number, strict_json
from domain.fees import FREE, FeeSchedule, assumed_schedule, stated_schedule
from domain.market import ConditionId, TokenId
from domain.ports import Unavailable

SOURCE = "polymarket_gamma"
WRAPPERS = ("markets", "events", "data")
"""The keys under which an answer wraps its rows."""

LONGEST_DELAY_S = Decimal(600)
"""The venue's delays are 1 to 3 s; an exit that waits for hours would hold its position as long."""

_PRICE = re.compile(r"[01](\.[0-9]{1,40})?")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?")
_HALF = Decimal("0.5")


class Life(StrEnum):
    """Where a market stands in its life, by Gamma's word. `resolved` means that its payouts are known."""

    OPEN = "open"
    NOT_ACCEPTING = "not_accepting"
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    CLOSED = "closed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One market as Gamma lists it. `tokens` are (outcome, token) in the venue's order, two of them or more.

    `payouts` is what one share of each token pays (0, 1, 0.5), empty until resolved; `ends_at_ms` (UTC ms) is a nominal
    deadline; `tick_size` in price units and `min_order_size` in shares are unknown (None, 0) on markets before 2021.
    `event` is the slug of its event and `group` the id of its neg-risk group, empty where Gamma names none;
    `liquidity_usdc` and `spread` are up to five minutes old and fit for a choice of markets only.
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
    event: str = ""
    group: str = ""
    group_title: str = ""
    group_threshold: str = ""
    sports_type: str = ""
    liquidity_usdc: Decimal | None = None
    spread: Decimal | None = None
    status: Life = Life.OPEN

    @property
    def match_draw(self) -> bool:
        """Whether it asks for the draw of a match over its full time."""
        return is_match_draw(self.question, self.slug, self.group_title, self.sports_type)


def _texts(value: Any) -> list[str]:
    """The texts of a JSON array inside a string; "" is empty."""
    texts = strict_json(value.encode()) if isinstance(value, str) and value else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("must be a JSON array of texts inside a string")
    return texts


def _label(value: Any) -> str:
    """A text or a whole number as a name; anything else says nothing."""
    return clean_name(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _amount(value: Any) -> Decimal | None:
    """A number, or plain decimal text; anything else says nothing."""
    if isinstance(value, str):
        return Decimal(value) if _AMOUNT.fullmatch(value) else None
    try:
        return json_number(value)
    except ValueError:
        return None


Texts = Annotated[list[str], BeforeValidator(_texts)]
Label = Annotated[str, BeforeValidator(_label)]
Amount = Annotated[Decimal | None, BeforeValidator(_amount)]


class GammaWire(Wire):
    """One object of Gamma's: a null counts as a missing key."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, value: Any) -> Any:
        return {key: said for key, said in value.items() if said is not None} if isinstance(value, dict) else value


class WireFee(GammaWire):
    """A market's own fee schedule."""

    rate: Annotated[JsonNumber, Field(le=Decimal(1))] | None = None
    exponent: Annotated[JsonNumber, Field(le=Decimal(10))] = Decimal(1)


class WireMarket(GammaWire):
    """One market; several keys are absent on old, inactive or reduced rows."""

    slug: str
    question: str = ""
    condition: str = Field(alias="conditionId", pattern=r"^0x[0-9a-fA-F]{64}$")
    outcomes: Texts
    tokens: Texts = Field(alias="clobTokenIds", default_factory=list)
    prices: Texts = Field(alias="outcomePrices", default_factory=list)
    tick: JsonNumber | None = Field(alias="orderPriceMinTickSize", default=None)
    least: JsonNumber | None = Field(alias="orderMinSize", default=None)
    closed: bool = False
    active: bool = True
    accepting: bool | None = Field(alias="acceptingOrders", default=None)
    order_book: bool = Field(alias="enableOrderBook", default=False)
    charges: bool | None = Field(alias="feesEnabled", default=None)
    fee_type: str = Field(alias="feeType", default="")
    fee: WireFee | None = Field(alias="feeSchedule", default=None)
    delay_s: Annotated[JsonNumber, Field(le=LONGEST_DELAY_S)] = Field(alias="secondsDelay", default=Decimal(0))
    ends_at_ms: Annotated[IsoMs, Field(ge=FIRST_MS, le=LAST_MS)] | None = Field(alias="endDate", default=None)
    resolution: str = Field(alias="umaResolutionStatus", default="")
    resolutions: Texts = Field(alias="umaResolutionStatuses", default_factory=list)
    category: Label = ""
    neg_risk: bool = Field(alias="negRisk", default=False)
    events: object = None
    group: Label = Field(alias="negRiskMarketID", default="")
    group_title: Label = Field(alias="groupItemTitle", default="")
    group_threshold: Label = Field(alias="groupItemThreshold", default="")
    sports_type: Label = Field(alias="sportsMarketType", default="")
    liquidity_number: Amount = Field(alias="liquidityNum", default=None)
    liquidity: Amount = None
    spread: Amount = None

    def to_domain(self, at_ms: int | None) -> Listing:
        """The listing as of `at_ms`. Raises `Unavailable`: `not_binary`, `no_tokens`, `lengths_differ`, `invalid_tokens`."""
        tokens = self._tokens()
        payouts = self._payouts(tokens)
        accepting = not self.closed and (self.order_book and self.active if self.accepting is None else self.accepting)
        return Listing(
            slug=clean_name(self.slug),
            question=clean_name(self.question),
            condition=ConditionId(self.condition),
            tokens=tuple(zip(map(clean_name, self.outcomes), tokens, strict=True)),
            tick_size=self.tick or None,
            min_order_size=self.least or Decimal(0),
            fees=fees_of(self, at_ms),
            accepting=accepting,
            closed=self.closed,
            taker_delay_ms=int(self.delay_s * 1000),
            ends_at_ms=self.ends_at_ms,
            payouts=payouts,
            category=clean_name(self.fee_type or self.category),
            neg_risk=self.neg_risk,
            event=_event_of(self.events),
            group=self.group,
            group_title=self.group_title,
            group_threshold=self.group_threshold,
            sports_type=self.sports_type,
            liquidity_usdc=self.liquidity if self.liquidity_number is None else self.liquidity_number,
            spread=self.spread,
            status=self._life(payouts, accepting),
        )

    def _tokens(self) -> tuple[TokenId, ...]:
        count = len(self.outcomes)
        if count < 2:
            raise Unavailable(SOURCE, "not_binary", f"{count} outcomes")
        if not any(self.tokens):
            raise Unavailable(SOURCE, "no_tokens", "listed, not deployed")
        if len(self.tokens) != count or len(self.prices) not in (0, count):
            raise Unavailable(SOURCE, "lengths_differ", f"{len(self.tokens)} tokens, {len(self.prices)} prices")
        distinct = len(set(self.tokens)) == count and len({clean_name(outcome) for outcome in self.outcomes}) == count
        if not distinct or not all(map(is_token, self.tokens)):
            raise Unavailable(SOURCE, "invalid_tokens")
        return tuple(map(TokenId, self.tokens))

    @property
    def _said(self) -> str:
        """How far the resolution is: the plain word, else the last of its history."""
        return self.resolution or (self.resolutions[-1] if self.resolutions else "")

    def _payouts(self, tokens: tuple[TokenId, ...]) -> dict[TokenId, Decimal]:
        """Only of a closed, resolved market with exact prices: recorded ones are 0/0, 0.0005/0.9995 and 40-digit fractions."""
        if not (self.closed and self._said == "resolved" and self.prices and all(map(_PRICE.fullmatch, self.prices))):
            return {}
        paid = [Decimal(price) for price in self.prices]
        won = sorted(paid) == [0] * (len(paid) - 1) + [1]
        return dict(zip(tokens, paid, strict=True)) if won or paid == [_HALF, _HALF] else {}

    def _life(self, payouts: Mapping[TokenId, Decimal], accepting: bool) -> Life:
        if payouts:
            return Life.RESOLVED
        if self._said in (Life.PROPOSED, Life.DISPUTED):
            return Life(self._said)
        if self.closed:
            return Life.CLOSED
        return Life.OPEN if accepting else Life.NOT_ACCEPTING


def fees_of(wire: WireMarket, at_ms: int | None) -> FeeSchedule:
    """What the market charges takers at `at_ms` (UTC ms; None: today): its own schedule, else its category's, assumed."""
    if wire.charges is False or (wire.charges is None and wire.fee is None and not wire.fee_type):
        return FREE
    if wire.fee is None or wire.fee.rate is None:
        return assumed_schedule(wire.fee_type, at_ms)
    return stated_schedule(wire.fee.rate, wire.fee.exponent, category=wire.fee_type, at_ms=at_ms)


def _event_of(events: object) -> str:
    first = events[0] if isinstance(events, list) and events else None
    return _label(first.get("slug")) if isinstance(first, dict) else ""


def parse_listing(row: object, at_ms: int | None = None) -> Listing:
    """One market, as of an answer at `at_ms` (UTC ms; None: today).

    Raises `Unavailable`: `invalid_market`, `not_binary`, `no_tokens`, `lengths_differ`, `invalid_tokens`.
    """
    try:
        return WireMarket.model_validate(row).to_domain(at_ms)
    except ValueError:  # pydantic's ValidationError is one.
        raise Unavailable(SOURCE, "invalid_market") from None


def rows_of(json: object) -> list[object]:
    """The rows of an answer: one object, a list, or a page around a list. Raises `Unavailable`: `invalid_body`."""
    if isinstance(json, list):
        return json
    if not isinstance(json, dict):
        raise Unavailable(SOURCE, "invalid_body")
    wrapped = next((key for key in WRAPPERS if key in json), None)
    if json.get("slug") is not None or wrapped is None:
        return [json]
    if isinstance(json[wrapped], list):
        return list(json[wrapped])
    if json[wrapped] is None:
        return []
    raise Unavailable(SOURCE, "invalid_body")


def slug_in(row: object) -> str:
    """The slug that a row carries, in lower case; "" for none."""
    slug = row.get("slug") if isinstance(row, dict) else None
    return slug.lower() if isinstance(slug, str) else ""
