"""Polymarket's CLOB: order books in one request, each judged on its own, and how a market ended.

Facts of the wire: the venue's book has its best level last although its reference says otherwise, so both sides are sorted
here; what `POST /books` does about unknown tokens is not documented, so rows are matched by `asset_id` and a refused request
is repeated token by token.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from adapters.http import Body, Call, StatusRefused, VenueClient
from adapters.wire_numbers import FIRST_MS, LAST_MS, DecimalText, EpochMs, SizeText, Wire
from domain.market import ConditionId, Level, Market, Moment, OrderBook, TokenId
from domain.ports import Unavailable

SOURCE = "polymarket_clob"
CHUNK = 500
AT_ONCE = 8
AHEAD_MS = 5_000
REMEMBERED = 4_096
POST_REFUSED = frozenset((400, 404, 405, 413, 422))

_CONDITION = re.compile(r"0x[0-9a-fA-F]{64}")
TokenText = Annotated[str, Field(pattern=r"^[0-9]{1,78}$")]


class WireLevel(Wire):
    """One price level."""

    price: DecimalText
    size: SizeText


class WireBook(Wire):
    """One book; the older shape lacks `min_order_size` and `tick_size`."""

    asset_id: TokenText
    timestamp: EpochMs
    bids: list[WireLevel]
    asks: list[WireLevel]
    hash: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{0,128}$")] = ""
    min_order_size: DecimalText | None = None
    tick_size: DecimalText | None = None

    def to_domain(self, *, requested: Moment, age_s: float) -> OrderBook:
        """The book, sorted best first, equal prices merged. ValueError for a level that is none."""
        return OrderBook(
            token=TokenId(self.asset_id),
            bids=_side(self.bids, best_is_highest=True),
            asks=_side(self.asks, best_is_highest=False),
            requested=requested,
            min_order_size=self.min_order_size or Decimal(0),
            tick_size=self.tick_size,
            changed_at_ms=self.timestamp,
            digest=self.hash,
            age_s=age_s,
        )


class WireToken(Wire):
    """One outcome of a CLOB market."""

    token_id: TokenText
    winner: bool


class WireMarket(Wire):
    """A market as `GET /markets/{condition_id}` gives it."""

    condition_id: str
    closed: bool
    tokens: list[WireToken]
    is_50_50_outcome: bool = False

    def to_domain(self) -> dict[TokenId, Decimal] | None:
        """What one share of each token pays: empty while it is open, None while the venue leaves it in doubt."""
        tokens = {TokenId(token.token_id): token.winner for token in self.tokens}
        if not self.closed:
            return {}
        if len(tokens) != 2:
            return None
        if sum(tokens.values()) == 1:
            return {token: Decimal(won) for token, won in tokens.items()}
        return dict.fromkeys(tokens, Decimal("0.5")) if self.is_50_50_outcome else None


def parse_book(row: object, *, requested: Moment, age_s: float = 0.0, venue_ms: int | None = None) -> OrderBook:
    """One book in the venue's shape; `venue_ms` is the venue's own time (UTC ms), None where none is known.

    Raises `Unavailable`: `invalid_book`, or `future_book` when it is stamped more than 5 s after `venue_ms`.
    """
    try:
        wire = WireBook.model_validate(row)
        book = wire.to_domain(requested=requested, age_s=age_s)
    except ValueError:  # pydantic's ValidationError is one, and so is what OrderBook raises.
        raise Unavailable(SOURCE, "invalid_book") from None
    if venue_ms is not None and wire.timestamp > venue_ms + AHEAD_MS:
        raise Unavailable(SOURCE, "future_book", f"{wire.timestamp - venue_ms} ms ahead")
    return book


def parse_payouts(answer: Body, condition: ConditionId) -> dict[TokenId, Decimal] | None:
    """Payouts of `condition`: empty while it is open, None while they are in doubt.

    Raises `Unavailable`: `invalid_body`, `wrong_market`.
    """
    try:
        market = WireMarket.model_validate(answer.json)
    except ValidationError:
        raise Unavailable(SOURCE, "invalid_body", "no market") from None
    if market.condition_id.lower() != condition.lower():
        raise Unavailable(SOURCE, "wrong_market")
    return market.to_domain()


class ClobBooks:
    """The CLOB's order books, as a port `OrderBooks`."""

    def __init__(self, client: VenueClient) -> None:
        """Remember nothing: neither what was accepted last, nor which tokens have no book."""
        self._client = client
        self._accepted_ms: dict[TokenId, int] = {}
        self._alone: dict[TokenId, None] = {}
        self._at_once = CHUNK
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def books(self, tokens: Sequence[TokenId]) -> Mapping[TokenId, OrderBook]:
        """The valid books of these tokens. Raises `Unavailable` when there is none, with the first failure's kind."""
        wanted = list(dict.fromkeys(tokens))
        together = [token for token in wanted if token not in self._alone]
        chunks = [together[first : first + self._at_once] for first in range(0, len(together), self._at_once)]
        alone = [token for token in wanted if token in self._alone]
        # One answer that was too large may have been a lie: parts grow again, one token a tick.
        self._at_once = min(CHUNK, self._at_once + 1)
        books = await _all_that_came([*map(self._chunk, chunks), *map(self._single, alone)])
        if wanted and not books:
            raise Unavailable(SOURCE, "no_book", f"for any of {len(wanted)} tokens")
        return books

    async def _chunk(self, tokens: list[TokenId]) -> dict[TokenId, OrderBook]:
        call = Call(path="/books", method="POST", json=[{"token_id": token} for token in tokens])
        try:
            return await self._client.read(call, lambda answer: self._judged(answer, tokens))
        except StatusRefused as refused:
            if refused.status not in POST_REFUSED:
                raise
        except Unavailable as failure:
            if failure.kind != "too_large" or len(tokens) == 1:
                raise
            self._at_once = half = max(1, len(tokens) // 2)
            return await _all_that_came([self._chunk(tokens[:half]), self._chunk(tokens[half:])])
        return await _all_that_came([self._single(token) for token in tokens])

    async def _single(self, token: TokenId) -> dict[TokenId, OrderBook]:
        call = Call(path="/book", params={"token_id": token}, meanings={404: "no_book"})
        async with self._gate:
            try:
                found = await self._client.read(call, lambda answer: self._judged(replace(answer, json=[answer.json]), [token]))
            except StatusRefused as refused:
                if refused.status == 404:
                    _remember(self._alone, token, None)
                    return {}
                raise
        self._alone.pop(token, None)
        return found

    def _judged(self, answer: Body, asked: Collection[TokenId]) -> dict[TokenId, OrderBook]:
        """The acceptable books of an answer. What is refused is counted; when nothing else is there, it is raised."""
        if not isinstance(answer.json, list):
            raise Unavailable(SOURCE, "invalid_body", "no list of books")
        found: dict[TokenId, OrderBook] = {}
        refused: list[Unavailable] = []
        named = Counter(_asset_id(row) for row in answer.json)
        for row in answer.json:
            try:
                book = self._accepted(row, answer, asked, named)
            except Unavailable as refusal:
                refused.append(refusal)
            else:
                found[book.token] = book
        failure = refused.pop(0) if refused and not found else None
        kinds = [refusal.kind for refusal in refused] + ["no_book"] * sum(token not in named for token in asked)
        for kind in kinds:
            self._client.health.counted(self._client.source, kind)
        if failure is not None:
            raise failure
        for book in found.values():
            _remember(self._accepted_ms, book.token, book.changed_at_ms or 0)
        return found

    def _accepted(self, row: object, answer: Body, asked: Collection[TokenId], named: Mapping[str | None, int]) -> OrderBook:
        name = _asset_id(row)
        if name is not None and name not in asked:
            raise Unavailable(SOURCE, "wrong_token")
        # Two books of one token contradict each other: neither is believed.
        if name is not None and named[name] > 1:
            raise Unavailable(SOURCE, "duplicate_book")
        book = parse_book(row, requested=answer.requested, age_s=answer.age_s, venue_ms=answer.latest_ms)
        if (book.changed_at_ms or 0) < self._accepted_ms.get(book.token, 0):
            raise Unavailable(SOURCE, "older_book")
        return book


class ClobOutcomes:
    """How markets ended, as a port `Outcomes`: the CLOB's `winner` is the settlement."""

    def __init__(self, client: VenueClient) -> None:
        """Ask through `client`."""
        self._client = client

    async def payouts(self, market: Market) -> Mapping[TokenId, Decimal]:
        """What one share of each token pays; empty while the market is open.

        Raises `Unavailable`, among others `no_condition`, and `in_doubt` when it is closed and no winner is named.
        """
        condition = market.condition
        if condition is None or not _CONDITION.fullmatch(condition):
            raise Unavailable(SOURCE, "no_condition")
        call = Call(path=f"/markets/{condition}", meanings={404: "unknown_market"})
        payouts = await self._client.read(call, lambda answer: parse_payouts(answer, condition))
        if payouts is None:
            raise Unavailable(SOURCE, "in_doubt")
        return payouts


async def server_time_ms(client: VenueClient) -> int | None:
    """The CLOB's clock (`GET /time`, whole seconds) as UTC ms; None when it does not say."""
    try:
        seconds = (await client.get("/time")).json
    except Unavailable:
        return None
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and FIRST_MS <= seconds * 1000 <= LAST_MS
    return int(str(seconds)) * 1000 if known else None


def _side(levels: Iterable[WireLevel], *, best_is_highest: bool) -> tuple[Level, ...]:
    sizes: dict[Decimal, Decimal] = {}
    for level in levels:
        sizes[level.price] = sizes.get(level.price, Decimal(0)) + level.size
    return tuple(Level(price, sizes[price]) for price in sorted(sizes, reverse=best_is_highest) if sizes[price])


def _asset_id(row: object) -> str | None:
    name = row.get("asset_id") if isinstance(row, dict) else None
    return name if isinstance(name, str) else None


async def _all_that_came(parts: Iterable[Awaitable[dict[TokenId, OrderBook]]]) -> dict[TokenId, OrderBook]:
    """The books of all parts together. Raises the first failure when no part brought one."""
    books: dict[TokenId, OrderBook] = {}
    failures: list[Unavailable] = []
    for part in await asyncio.gather(*parts, return_exceptions=True):
        if isinstance(part, dict):
            books |= part
        elif isinstance(part, Unavailable):
            failures.append(part)
        else:
            raise part
    if failures and not books:
        raise failures[0]
    return books


V = TypeVar("V")


def _remember(memory: dict[TokenId, V], token: TokenId, value: V) -> None:
    """Note the newest, forget the oldest: 5-minute markets bring new tokens without end."""
    memory.pop(token, None)
    memory[token] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
