"""What a fault is: which answers it applies to, and what it does to one. The tables of faults are made of this."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from adapters.simulated_venues.wire import Answer, Request

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question whose answer is spoiled, and what a fault may draw on.

    `at(ms)` is the true answer to it at another playing time; `before` is the last true answer to this same question;
    `tokens` are those whose books are spoiled, None for some of all.
    """

    venue: str
    request: Request
    now_ms: int
    dice: Random
    at: Callable[[int], Answer]
    before: Answer
    tokens: frozenset[str] | None = None

    def chosen(self, rows: Sequence[object]) -> frozenset[int]:
        """The places of the books to spoil: those of `tokens`; where none are named, one at least and others by the dice."""
        if self.tokens is not None:
            names = ((place, row.get("asset_id")) for place, row in enumerate(rows) if isinstance(row, dict))
            return frozenset(place for place, name in names if name in self.tokens)
        drawn = {place for place in range(len(rows)) if self.dice.random() < 0.5}
        return frozenset(drawn | {self.dice.randrange(len(rows))}) if rows else frozenset()


Spoil = Callable[[Answer, Asked], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind: `applies` by venue and request; `spoil` makes the bad answer of the true one.

    `believable` says that what is left is still true, so that an agent may use it.
    """

    applies: Callable[[str, Request], bool]
    spoil: Spoil
    believable: bool = False


class Raw(str):
    """JSON text that no serialiser would write: `Raw("1e400")` leaves without quotes."""

    __slots__ = ()


def loose_json(body: object) -> bytes:
    """`body` as JSON with its `Raw` parts as they are, NaN and lone surrogates included."""
    raws: list[str] = []

    def marked(value: object) -> object:
        if isinstance(value, Raw):
            raws.append(value)
            return f"\x00{len(raws) - 1}\x00"
        if isinstance(value, dict):
            return {key: marked(each) for key, each in value.items()}
        return [marked(each) for each in value] if isinstance(value, list) else value

    text = json.dumps(marked(body), separators=(",", ":"))
    for number, raw in enumerate(raws):
        text = text.replace(f'"\\u0000{number}\\u0000"', raw)
    return text.encode()


def instead(answer: Answer) -> Spoil:
    """The spoiler that gives this answer instead of the true one."""
    return lambda true, asked: answer


def rewritten(change: Callable[[bytes], bytes], **headers: str) -> Spoil:
    """The spoiler that changes the bytes of the body; `headers` by name, with _ for -."""
    added = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda true, asked: Answer(true.status, change(true.content), {**true.headers, **added})


def remade(change: Callable[[JsonObject, Asked], object]) -> Spoil:
    """The spoiler that makes another body of the true one, which is an object; any other leaves as it is."""

    def spoil(true: Answer, asked: Asked) -> Answer:
        if not isinstance(true.body, dict) or true.status != 200:
            return true
        return Answer(200, loose_json(change(copy.deepcopy(true.body), asked)), true.headers)

    return spoil


def everything(venue: str, request: Request) -> bool:
    """Every answer of every venue."""
    return True
