"""What a recording says beside its frames: the session that was recorded, its markets, its ticks, the gaps between.

    {"t", "kind": "session", "version", "ledger_id", "ledger_sequence", "trades", "settings", "map", "baseline", "state"}
    {"t", "kind": "markets", "markets"}
    {"t", "kind": "tick", "sequence", "committed", "moment", "began", "ready", "kill_switch", "cut"}
    {"t", "kind": "gap", "until", "why"}

A tick's line comes twice: with `committed` false when its inputs are in, before the ledger is written, and with true after
that. One without moments is a tick that came to nothing. A moment is `[UTC ms, elapsed ms]`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import ConfigDict, TypeAdapter

from domain.history import History
from domain.ledger import Ledger
from domain.market import Market, Moment, ReferenceId, Snapshot, TokenId
from domain.protections import Record
from domain.state import Memory, Seen, State


class _Kept(NamedTuple):
    """A state without keys that JSON does not know."""

    sequence: int
    ledger: Ledger
    histories: tuple[tuple[TokenId, History], ...]
    references: tuple[tuple[ReferenceId, Seen], ...]
    moment: Moment | None
    record: Record | None = None


NUMBERS = ConfigDict(ser_json_inf_nan="constants")
STATE = TypeAdapter(_Kept, config=NUMBERS)
_MOMENTS = ("moment", "began", "ready")
MARKETS = TypeAdapter(tuple[Market, ...], config=NUMBERS)
AWAY = "the agent was away"
"""Why nothing was recorded between two sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the agent: where it began, and all that its decisions depend on beside its feed.

    `settings` are variables and their exact values as JSON has them, `map_entries` the market map's; `baseline` holds draw
    probabilities by slug. `trades` is false where the venues were only watched: there is no ledger then.
    """

    at_ms: int
    version: str
    state: State
    settings: Mapping[str, object]
    ledger_id: str = ""
    trades: bool = True
    map_entries: Sequence[object] = ()
    baseline: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """A tick's line. `began` and `ready` are when its inputs were asked for and when the last one was in.

    `cut` are the parts of the feed that its deadline ended: whatever was recorded on their behalf, the tick got nothing of it.
    """

    sequence: int
    committed: bool
    moment: Moment
    began: Moment
    ready: Moment
    kill_switch: bool
    cut: tuple[int, ...] = ()

    @classmethod
    def of(cls, snapshot: Snapshot, *, sequence: int, began: Moment, cut: tuple[int, ...] = ()) -> "Ticked":
        """The line of a snapshot that waits for its commit."""
        return cls(
            sequence=sequence,
            committed=False,
            moment=snapshot.moment,
            began=began,
            ready=snapshot.ready,
            kill_switch=snapshot.kill_switch,
            cut=cut,
        )


def session_line(session: Session) -> bytes:
    """The session as a line."""
    kept = _Kept(
        session.state.sequence,
        session.state.ledger,
        tuple(session.state.memory.histories.items()),
        tuple(session.state.memory.references.items()),
        session.state.memory.moment,
        session.state.memory.record,
    )
    row = {
        "t": session.at_ms,
        "kind": "session",
        "version": session.version,
        "ledger_id": session.ledger_id,
        "ledger_sequence": session.state.sequence,
        "trades": session.trades,
        "settings": dict(session.settings),
        "map": list(session.map_entries),
        "baseline": dict(session.baseline),
    }
    return json.dumps(row).encode()[:-1] + b',"state":' + STATE.dump_json(kept) + b"}"


def session_in(line: bytes) -> Session:
    """The session of a line. Raises `ValueError`, `KeyError` and `TypeError` for what is none."""
    row = json.loads(line)
    kept = STATE.validate_python(row["state"])
    memory = Memory(histories=dict(kept.histories), references=dict(kept.references), moment=kept.moment, record=kept.record)
    return Session(
        at_ms=row["t"],
        version=row["version"],
        state=State(sequence=kept.sequence, ledger=kept.ledger, memory=memory),
        settings=row["settings"],
        ledger_id=row["ledger_id"],
        trades=row["trades"],
        map_entries=tuple(row["map"]),
        baseline=row["baseline"],
    )


def markets_line(markets: tuple[Market, ...], at_ms: int) -> bytes:
    """What the universe answers from `at_ms` (UTC) on, as a line."""
    return b'{"t":%d,"kind":"markets","markets":%s}' % (at_ms, MARKETS.dump_json(markets))


def markets_in(line: bytes) -> tuple[Market, ...]:
    """The markets of a line. Raises `ValueError` and `KeyError` for what is none."""
    return MARKETS.validate_python(json.loads(line)["markets"])


def tick_line(ticked: Ticked) -> bytes:
    """The tick as a line."""
    row = {
        "t": ticked.ready.at_ms,
        "kind": "tick",
        "sequence": ticked.sequence,
        "committed": ticked.committed,
        "moment": _pair(ticked.moment),
        "began": _pair(ticked.began),
        "ready": _pair(ticked.ready),
        "kill_switch": ticked.kill_switch,
        "cut": ticked.cut,
    }
    return json.dumps(row).encode()


def failed_tick_line(sequence: int, at_ms: int) -> bytes:
    """A tick that came to nothing while it gathered its inputs, as a line."""
    return json.dumps({"t": at_ms, "kind": "tick", "sequence": sequence, "committed": False}).encode()


def ticked_in(line: bytes) -> Ticked | None:
    """The tick of a line; None for one that came to nothing. Raises `ValueError`, `KeyError`, `TypeError` for what is none."""
    row = json.loads(line)
    if "moment" not in row:
        return None
    moment, began, ready = (Moment(at_ms=at, elapsed_ms=elapsed) for at, elapsed in map(row.__getitem__, _MOMENTS))
    return Ticked(
        sequence=row["sequence"],
        committed=row["committed"],
        moment=moment,
        began=began,
        ready=ready,
        kill_switch=row["kill_switch"],
        cut=tuple(row["cut"]),
    )


def gap_line(*, since_ms: int, until_ms: int, why: str) -> bytes:
    """A time, UTC ms, in which nothing was recorded, as a line."""
    return json.dumps({"t": since_ms, "kind": "gap", "until": until_ms, "why": why}).encode()


def _pair(moment: Moment) -> tuple[int, int]:
    return moment.at_ms, moment.elapsed_ms
