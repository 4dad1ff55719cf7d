"""Notices as a message: what stands in its title, what in each line, and how it sounds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from adapters.portal.cells import iso, visible
from domain.notice import Notice, NoticeKind

MOST_LINES = 20
LINE_LENGTH = 400


class Tone(StrEnum):
    """How a message sounds, the worst last."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


TONES: Mapping[NoticeKind, Tone] = {
    NoticeKind.FILL: Tone.INFO,
    NoticeKind.EXIT: Tone.INFO,
    NoticeKind.KILL_SWITCH: Tone.WARNING,
    NoticeKind.STALE: Tone.WARNING,
    NoticeKind.ERROR: Tone.FAILURE,
    NoticeKind.DAILY_SUMMARY: Tone.INFO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a receiver gets."""

    title: str
    body: str
    tone: Tone


def message_of(notices: Sequence[Notice], untold: Mapping[NoticeKind, int]) -> Message:
    """One message for these, the gravest where they are too many, and how many others of each kind were not told."""
    gravest = sorted(range(len(notices)), key=lambda n: -_gravity(notices[n]))[:MOST_LINES]
    missing = Counter(untold) + Counter(notice.kind for n, notice in enumerate(notices) if n not in gravest)
    lines = [_line(notices[n]) for n in sorted(gravest)]
    if missing:
        lines.append(f"and not told: {', '.join(f'{count} x {kind}' for kind, count in missing.items())}")
    kinds = dict.fromkeys(notice.kind for notice in notices)
    return Message(
        title=f"spelar: {', '.join(kinds) or 'held back'}",
        body="\n".join(lines),
        tone=max(map(_tone, notices), key=list(Tone).index, default=Tone.INFO),
    )


def _line(notice: Notice) -> str:
    """Its time (UTC) and its text on one line; of a day, its date."""
    at = iso(notice.at_ms)
    when = at[:10] if notice.kind is NoticeKind.DAILY_SUMMARY else f"{at[11:19]} UTC"
    return f"{when} {visible(notice.text, LINE_LENGTH)}"


def _tone(notice: Notice) -> Tone:
    return Tone.SUCCESS if notice.mended else TONES[notice.kind]


def _gravity(notice: Notice) -> int:
    return list(Tone).index(_tone(notice))
