"""Values that no query looks into, as compact texts and blobs. What is read back is equal to what was kept."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from struct import Struct
from typing import NamedTuple

from pydantic import ConfigDict, TypeAdapter

from domain.decision import Cause, Costs, Signal, Verdict
from domain.history import History, Sample
from domain.ledger import Action, Execution, Order
from domain.market import Market, Quote, ReferenceId
from domain.protections import Record
from domain.state import Seen


class Judgement(NamedTuple):
    """A verdict without its market, which is kept once for all ticks; the fields are those of `Verdict`."""

    action: Action
    cause: Cause
    bid: Decimal | None
    ask: Decimal | None
    quote: Quote | None
    reference: float | None
    signal: Signal | None
    costs: Costs | None
    in_price_zone: bool | None
    wish: str
    sources: str


NUMBERS = ConfigDict(ser_json_inf_nan="constants")
"""An endless limit is read back as one: JSON of its own accord would make it null."""

JUDGEMENTS = TypeAdapter(tuple[Judgement, ...], config=NUMBERS)
DIGESTS = TypeAdapter(tuple[str, ...])
REFERENCES = TypeAdapter(tuple[tuple[ReferenceId, Seen], ...], config=NUMBERS)
MARKET = TypeAdapter(Market)
ORDER = TypeAdapter(Order)
EXECUTION = TypeAdapter(Execution)
RECORD = TypeAdapter(Record)

SAMPLE = Struct("<qdd")
"""A sample takes 24 bytes: whole milliseconds and two doubles, each exactly as it was."""


def market_text(market: Market) -> str:
    """A market as JSON."""
    return MARKET.dump_json(market).decode()


def order_text(order: Order) -> str:
    """An order as JSON, its market included."""
    return ORDER.dump_json(order).decode()


def execution_text(execution: Execution) -> str:
    """An execution as JSON, its order included."""
    return EXECUTION.dump_json(execution).decode()


def record_text(record: Record) -> str:
    """What the protections remember, as JSON."""
    return RECORD.dump_json(record).decode()


def references_text(references: Mapping[ReferenceId, Seen]) -> str:
    """The accepted references as JSON."""
    return REFERENCES.dump_json(tuple(references.items())).decode()


def references_in(text: str) -> dict[ReferenceId, Seen]:
    """The references of a text."""
    return dict(REFERENCES.validate_json(text))


def judgements_text(verdicts: Iterable[Verdict]) -> str:
    """The verdicts as JSON, without their markets."""
    return JUDGEMENTS.dump_json(tuple(_judgement(verdict) for verdict in verdicts)).decode()


def verdicts_in(text: str, markets: Sequence[Market]) -> tuple[Verdict, ...]:
    """The verdicts of a text, with their markets in the same order. Raises `ValueError` when the numbers differ."""
    return tuple(
        Verdict(market=market, **judgement._asdict())
        for market, judgement in zip(markets, JUDGEMENTS.validate_json(text), strict=True)
    )


def _judgement(verdict: Verdict) -> Judgement:
    return Judgement(
        verdict.action,
        verdict.cause,
        verdict.bid,
        verdict.ask,
        verdict.quote,
        verdict.reference,
        verdict.signal,
        verdict.costs,
        verdict.in_price_zone,
        verdict.wish,
        verdict.sources,
    )


def history_blob(history: History) -> bytes:
    """The samples, packed."""
    return b"".join([SAMPLE.pack(*sample) for sample in history.samples])


def history_in(blob: bytes) -> History:
    """The samples of a blob. Raises `struct.error` when it was cut."""
    return History(tuple(Sample(*fields) for fields in SAMPLE.iter_unpack(blob)))
