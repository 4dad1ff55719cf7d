"""What an order would do now: the walk of a paper fill, shown without making one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from adapters.polymarket_clob import parse_book
from adapters.wire_numbers import LAST_MS, json_number, strict_json
from domain.fees import FeeSchedule
from domain.fill import Walk, walk
from domain.market import Moment, OrderBook, Quote, Side
from domain.ports import Unavailable
from domain.state_machine import GHOST_SPREAD

WHENEVER = Moment(at_ms=LAST_MS, elapsed_ms=0)
"""A saved book has no age: no timestamp in it lies ahead of this."""


UNSAID = {"asset_id": "0", "timestamp": "1577836800000"}
"""What a walk does not need of a book body: bids and asks alone will do."""


class PreviewRefused(Exception):
    """The case cannot be computed; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One order against one book; `limit` None: any price."""

    book: OrderBook
    side: Side
    shares: Decimal
    limit: Decimal | None
    fees: FeeSchedule


def previewed(case: Case) -> dict[str, object]:
    """The fill as decimal strings, with warnings. A crossed book is refused."""
    quote = Quote.of(case.book)
    if quote and quote.spread <= 0:
        raise PreviewRefused(f"crossed_book: best bid {quote.bid} is not below best ask {quote.ask}")
    walked = walk(case.book, case.side, shares=case.shares, limit=case.limit, fees=case.fees)
    return {**_fill(walked, case.shares), "warnings": list(_warnings(case, quote))}


def _fill(walked: Walk, shares: Decimal) -> dict[str, object]:
    average = walked.average_price
    return {
        "filled_shares": _plain(walked.shares),
        "notional": _plain(walked.notional),
        "average_price": None if average is None else _plain(average),
        "fee": _plain(walked.fee),
        "levels": [{name: _plain(value) for name, value in level._asdict().items()} for level in walked.levels],
        "unfilled_shares": _plain(shares - walked.shares),
    }


def _warnings(case: Case, quote: Quote | None) -> Iterator[str]:
    if quote and quote.spread >= GHOST_SPREAD:
        yield f"ghost_book: the spread is {quote.spread}; the agent would not trade on it"
    if case.shares < case.book.min_order_size:
        yield f"below_min_order_size: the venue takes {case.book.min_order_size} shares or more"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def case_of(fields: Mapping[str, object]) -> Case:
    """A case from the fields of `--batch` (book, side, shares, limit, fee_rate, fee_exponent). Raises `PreviewRefused`."""
    try:
        side = Side(str(fields.get("side", "BUY")).upper())
    except ValueError:
        raise PreviewRefused(f"side must be BUY or SELL, not {fields.get('side')!r}") from None
    shares = _number(fields, "shares", None)
    if shares is None or shares <= 0:
        raise PreviewRefused("shares must be a positive number")
    rate, exponent = _number(fields, "fee_rate", Decimal(0)), _number(fields, "fee_exponent", Decimal(1))
    try:
        fees = FeeSchedule(rate=rate or Decimal(0), exponent=Decimal(1) if exponent is None else exponent)
    except ValueError as error:
        raise PreviewRefused(str(error)) from None
    return Case(book=_book(fields.get("book")), side=side, shares=shares, limit=_number(fields, "limit", None), fees=fees)


def _book(body: object) -> OrderBook:
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if isinstance(body, dict):
        body = {**UNSAID, **body}
    try:
        return parse_book(body, requested=WHENEVER)
    except Unavailable as error:
        raise PreviewRefused(f"the book cannot be used: {error}") from None


def _number(fields: Mapping[str, object], name: str, default: Decimal | None) -> Decimal | None:
    value = fields.get(name)
    if value is None or value == "":
        return default
    try:
        number = Decimal(str(value))
        json_number(number.copy_abs())
    except (ArithmeticError, ValueError):
        raise PreviewRefused(f"{name} must be a number, not {value!r}") from None
    if isinstance(value, bool):
        raise PreviewRefused(f"{name} must be a number, not {value!r}")
    return number


def json_of(content: bytes) -> object:
    """JSON with exact decimals, as the adapters read it. Raises `PreviewRefused`."""
    try:
        return strict_json(content)
    except ValueError as error:
        raise PreviewRefused(f"not JSON: {error}") from None


def batch(path: Path) -> Iterator[dict[str, object]]:
    """One result for each JSON line; a line that cannot be computed gives `{"error": ..}` and the rest goes on."""
    for line in path.read_bytes().splitlines():
        if line.strip():
            yield _from_line(line)


def _from_line(line: bytes) -> dict[str, object]:
    try:
        fields = json_of(line)
        if not isinstance(fields, dict):
            raise PreviewRefused("a case is a JSON object")
        return previewed(case_of(fields))
    except PreviewRefused as error:
        return {"error": str(error)}
