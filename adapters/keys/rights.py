"""What a key that works may do, and what an answer is that tells neither that nor a known error."""

import re
from dataclasses import dataclass

from adapters.http import Body, StatusRefused
from domain.ports import Unavailable

_NAME = re.compile(r"[a-z]+(?:-[a-z]+){0,5}|[A-Z]+(?:_[A-Z]+){0,3}")
_WORD = r"[A-Za-z]{1,24}(?![\w+/=-])"
_WORDS = re.compile(rf"{_WORD}(?:(?:: ?| ){_WORD}){{0,8}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What a key that works may do.

    `beyond` names what goes further than reading; None when the venue does not tell. `note` is one more thing worth knowing.
    """

    beyond: tuple[str, ...] | None
    note: str = ""


def unreadable(source: str, answer: Body) -> Unavailable:
    """The failure that an answer without a known error is: by its HTTP status, else by its shape (`invalid_body`)."""
    if answer.status < 400:
        return Unavailable(source, "invalid_body", "not the documented shape")
    kind = {401: "authentication", 429: "rate_limited"}.get(answer.status, f"http_{answer.status}")
    return StatusRefused(source, kind, answer.status)


def plain_words(text: str) -> str:
    """The plain words that a venue's error text begins with: fit to be quoted, because no key looks like them."""
    found = _WORDS.match(text)
    return found.group() if found else ""


def plain_name(text: str) -> str:
    """A venue's name of a permission or an access level, unless it does not look like one."""
    return text if len(text) <= 40 and _NAME.fullmatch(text) else "a name that cannot be shown"
