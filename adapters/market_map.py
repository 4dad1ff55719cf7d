"""The market map: which markets to follow, read from a JSON file that people write. Every mistake is named by its place."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from adapters.polymarket_address import Place as Place
from adapters.polymarket_address import place as place
from adapters.wire_numbers import no_duplicates

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Token = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,78}$")]


class MapInvalid(Exception):
    """The map cannot be used; the text says where and why, one mistake a line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PolymarketPart(_Part):
    """Which token: `clob_token_id` wins over `market_slug`, that over `market_url` (a bare slug or a Polymarket URL).

    Both may name a series of windows, such as `btc-updown-5m-*`: that is always the market of the current window.
    """

    market_url: Text | None = None
    market_slug: Text | None = None
    clob_token_id: Token | None = None
    outcome: Text | None = None

    @model_validator(mode="after")
    def _names_a_market(self) -> "PolymarketPart":
        if not (self.market_url or self.market_slug or self.clob_token_id):
            raise ValueError("needs one of market_url, market_slug, clob_token_id")
        if not self.clob_token_id:
            place(self.market_slug or self.market_url or "")
        return self

    @property
    def ref(self) -> str:
        """The market as the map names it."""
        return self.clob_token_id or self.market_slug or self.market_url or ""


class SpotPart(_Part):
    """The Kraken spot pair that leads; `inverse` for a market that gains when the pair falls."""

    pair: Text | None = None
    direction: Literal["normal", "inverse"] = "normal"


def _field_as_spelt(value: object) -> object:
    """`mark_price`, `markprice` and `mark` are all markPrice."""
    word = value.replace("_", "").lower().removesuffix("price") if isinstance(value, str) else ""
    return {"mark": "markPrice", "index": "indexPrice", "last": "last"}.get(word, value)


class FuturesPart(_Part):
    """The Kraken Futures symbol, and the ticker field that is its price."""

    symbol: Text
    ref_price_field: Annotated[Literal["markPrice", "indexPrice", "last"] | None, BeforeValidator(_field_as_spelt)] = None


class ConstantFair(_Part):
    """A fair probability that never changes."""

    mode: Literal["constant"]
    p: Annotated[float, Field(ge=0, le=1)]


class LinearFair(_Part):
    """A fair probability linear in the reference, 0 at `min_ref` and 1 at `max_ref`."""

    mode: Literal["linear_range"]
    min_ref: Finite
    max_ref: Finite

    @model_validator(mode="after")
    def _has_a_width(self) -> "LinearFair":
        if self.min_ref >= self.max_ref:
            raise ValueError(
                f"min_ref {self.min_ref:g} must lie below max_ref {self.max_ref:g}; a market that gains when the reference "
                'falls says so by kraken_spot.direction: "inverse"'
            )
        return self


class HedgePart(_Part):
    """The other leg, written as a signal."""

    yes_side: Literal["buy", "sell"] | None = None
    no_side: Literal["buy", "sell"] | None = None
    notes: Note = ""


class MapEntry(_Part):
    """One market of the map."""

    name: Text
    polymarket: PolymarketPart
    kraken_spot: SpotPart = SpotPart()
    kraken_futures: FuturesPart | None = None
    fair_model: Annotated[ConstantFair | LinearFair, Field(discriminator="mode")] | None = None
    hedge: HedgePart | None = None


class MarketMap(_Part):
    """The file."""

    version: Literal[1]
    markets: tuple[MapEntry, ...]


def load_market_map(path: Path) -> tuple[MapEntry, ...]:
    """The entries of a map file, in its order. Raises `MapInvalid`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise MapInvalid(f"{path}: cannot be read ({error})") from error
    try:
        parsed = json.loads(text, object_pairs_hook=no_duplicates)
    except (ValueError, RecursionError) as error:  # a number of more than 4,300 digits is a ValueError alone
        where = f"line {error.lineno}, column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else error
        raise MapInvalid(f"{path}: {where}") from error
    try:
        market_map = MarketMap.model_validate(parsed)
    except ValidationError as error:
        mistakes = (f"{path}: {_json_path(found['loc'])}: {found['msg']}" for found in error.errors())
        raise MapInvalid("\n".join(mistakes)) from error
    _refuse_twins(path, market_map.markets)
    return market_map.markets


def _json_path(places: tuple[int | str, ...]) -> str:
    """`("markets", 2, "polymarket", "outcom")` as `markets[2].polymarket.outcom`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in places).lstrip(".")


def _refuse_twins(path: Path, entries: tuple[MapEntry, ...]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        named = entry.polymarket
        # A URL and the bare slug in it are one market; a token needs no outcome to be the same.
        same = named.clob_token_id or place(named.ref).slug
        key = (same, "" if named.clob_token_id else (named.outcome or "").lower())
        if key in seen:
            raise MapInvalid(f"{path}: markets[{index}] names the same token as markets[{seen[key]}]: {named.ref}")
        seen[key] = index
