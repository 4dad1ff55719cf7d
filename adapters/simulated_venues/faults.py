"""Venues that lie and break on demand: a script around another one, which spoils a share of its answers.

Which answer is spoiled, and how, follows from the seed and from how often the same thing was asked before, so that a run can
be repeated.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable
from random import Random

from adapters.simulated_venues.book_faults import BOOKS
from adapters.simulated_venues.gamma_faults import GAMMA
from adapters.simulated_venues.kraken_faults import KRAKEN
from adapters.simulated_venues.network_faults import NETWORK
from adapters.simulated_venues.spoiling import Asked, Fault
from adapters.simulated_venues.wire import Answer, Request, Script

KINDS: dict[str, Fault] = {**NETWORK, **BOOKS, **KRAKEN, **GAMMA}
"""Every fault by its name."""

DATA = (*BOOKS, *KRAKEN, *GAMMA, "err200", "null_json", "list_json", "dup_keys", "deep_json", "huge_int", "trunc_json")
"""The kinds that come as an ordinary answer and lie in it."""

ONCE = frozenset({"k_spike"})
"""Kinds that never come twice in a row: a second one that agrees would not be a fault but the news."""

REMEMBERED = 32

Watch = Callable[[Request, str | None, Answer, Answer], None]
"""Told of each answer: the request, the kind that spoiled it or None, the true answer and the one that was given."""


class UnknownKind(Exception):
    """A name that is no kind of fault."""

    def __init__(self, names: Iterable[str]) -> None:
        """Name what is unknown, and everything that is known."""
        super().__init__(f"no kind of fault: {', '.join(names)}. Known are all, {', '.join(KINDS)}")


def kinds_named(text: str) -> tuple[str, ...]:
    """The kinds of a comma list, `all` being every one. Raises `UnknownKind`."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    kinds = tuple(dict.fromkeys(kind for name in names for kind in (KINDS if name == "all" else (name,))))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise UnknownKind(unknown or ["nothing"])
    return kinds


def unwatched(request: Request, kind: str | None, true: Answer, given: Answer) -> None:
    """Nobody looks."""


class Faults:
    """A `Script` that answers as `script` does, but spoils `rate` (0 to 1, may be set at any time) of the answers.

    `kinds` are drawn evenly among those that apply. Of several books in one answer those of `tokens` are lied about, without
    these some, by the dice. `produced` counts what was given by kind.
    """

    def __init__(
        self,
        script: Script,
        *,
        rate: float,
        kinds: Collection[str] = tuple(KINDS),
        seed: int = 7,
        tokens: Collection[str] | None = None,
        watch: Watch = unwatched,
    ) -> None:
        """Spoil nothing yet. Raises `UnknownKind`."""
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            raise UnknownKind(unknown)
        self.rate = rate
        self.produced: Counter[str] = Counter()
        self._script, self._kinds, self._seed, self._watch = script, tuple(kinds), seed, watch
        self._tokens = None if tokens is None else frozenset(tokens)
        self._lock = threading.Lock()
        self._armed: Counter[str] = Counter()
        self._times: Counter[tuple[str, str, str]] = Counter()
        self._last: dict[tuple[str, str, str], str | None] = {}
        self._before: OrderedDict[tuple[str, str, str, bytes], Answer] = OrderedDict()

    def arm(self, kind: str, times: int = 1) -> None:
        """Spoil the next so many answers that `kind` applies to, whatever the rate. Raises `UnknownKind`."""
        if kind not in KINDS:
            raise UnknownKind([kind])
        with self._lock:
            self._armed[kind] += times

    def answer(self, venue: str, request: Request, now_ms: int) -> Answer:
        """The script's answer, true or spoiled."""
        true = self._script.answer(venue, request, now_ms)
        with self._lock:
            kind, dice = self._drawn(venue, request)
            before = self._remembered(venue, request, true, spoiled=kind is not None)
        given = true
        if kind is not None:
            asked = Asked(
                venue=venue,
                request=request,
                now_ms=now_ms,
                dice=dice,
                at=lambda at_ms: self._script.answer(venue, request, at_ms),
                before=before,
                tokens=self._tokens,
            )
            given = KINDS[kind].spoil(true, asked)
        self._watch(request, kind, true, given)
        return given

    def _drawn(self, venue: str, request: Request) -> tuple[str | None, Random]:
        """The kind of fault that this answer gets, None for a true one, and the dice that made the choice."""
        question = (venue, request.path, str(sorted(request.query.items())))
        self._times[question] += 1
        dice = Random(f"{self._seed}:{question}:{self._times[question]}")  # noqa: S311  no secret
        last = self._last.get(question)
        fitting = [kind for kind in self._kinds if KINDS[kind].applies(venue, request) and not (kind in ONCE and kind == last)]
        armed = next((kind for kind, left in self._armed.items() if left > 0 and KINDS[kind].applies(venue, request)), None)
        drawn = dice.choice(fitting) if dice.random() < self.rate and fitting else None
        kind = armed or drawn
        if armed:
            self._armed[armed] -= 1
        if kind is not None:
            self.produced[kind] += 1
        self._last[question] = kind
        return kind, dice

    def _remembered(self, venue: str, request: Request, true: Answer, *, spoiled: bool) -> Answer:
        """The last true answer that was given to this very question; this one when there was none."""
        question = (venue, request.path, str(sorted(request.query.items())), request.body)
        before = self._before.get(question, true)
        if not spoiled or question not in self._before:
            self._before[question] = true
            self._before.move_to_end(question)
            if len(self._before) > REMEMBERED:
                self._before.popitem(last=False)
        return before
