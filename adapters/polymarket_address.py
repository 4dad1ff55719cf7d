"""What a reference to Polymarket names: a market, an event, or a series of windows. The one reading of slugs and addresses.

People paste what stands in their browser: with a locale, a query or a fragment, in capitals, without the scheme.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

HOSTS = frozenset({"polymarket.com", "www.polymarket.com"})
GAMES = frozenset({"sports", "esports"})

_SLUG = re.compile(r"[a-z0-9][a-z0-9._~-]{0,254}")
_TOKEN = re.compile(r"[0-9]{1,78}")
_SERIES = re.compile(
    r"(?P<prefix>[a-z0-9]+(?:-[a-z0-9]+)*-(?P<count>[1-9][0-9]?)(?P<unit>[mh])-)(?:\*|\.{2,3}|…|\{[a-z_ -]*\})"
)
_UNIT_S = {"m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is found: a market's slug, an event's, or the beginning of the slugs of a series.

    `window_s` is the length of one window of a series in seconds, 0 for anything else.
    """

    kind: Literal["market", "event", "series"]
    slug: str
    window_s: int = 0

    def at(self, at_ms: int) -> "Place":
        """The market of the window that contains `at_ms` (UTC ms); a place that is no series stays as it is.

        Source of the grammar: `btc-updown-5m-{unix start}`, the start divisible by the window.
        """
        if self.kind != "series":
            return self
        start_s = at_ms // 1000 // self.window_s * self.window_s
        return Place(kind="market", slug=f"{self.slug}{start_s}")


def is_slug(text: str) -> bool:
    """Whether this can be a slug in a path: no token id, nothing that leaves its place."""
    return _SLUG.fullmatch(text.lower()) is not None and not is_token(text)


def is_token(text: str) -> bool:
    """Whether this can be a token id."""
    return _TOKEN.fullmatch(text) is not None


def place(ref: str) -> Place:
    """Read a bare slug, a series such as `btc-updown-5m-*`, or a Polymarket URL. Raises `ValueError`.

    URLs: `/market/M`, `/event/E/M`, `/event/E` and `/sports/../E`, behind a locale or not.
    """
    text = re.split(r"[?#]", ref.strip(), maxsplit=1)[0].lower()
    if "/" not in text:
        return _market(text)
    address = urlsplit(text if "://" in text or text.startswith("//") else f"https://{text}")
    if address.scheme not in {"", "http", "https"} or address.hostname not in HOSTS:
        raise ValueError(f"{ref!r} is not a Polymarket address")
    found = _on_the_site([unquote(part) for part in address.path.split("/") if part])
    if found is None:
        raise ValueError(f"{ref!r} names neither a market nor an event")
    return found


def _on_the_site(path: Sequence[str]) -> Place | None:
    match path:
        case [*_, "market", market] | [*_, "event", _, market]:
            return _market(market)
        case [*_, "event", event]:
            return _event(event)
        case [*before, event] if "-" in event and not GAMES.isdisjoint(before):
            return _event(event)
    return None


def _event(text: str) -> Place:
    found = _market(text)
    return found if found.kind == "series" else Place(kind="event", slug=found.slug)


def _market(text: str) -> Place:
    series = _SERIES.fullmatch(text)
    if series:
        return Place(kind="series", slug=series["prefix"], window_s=int(series["count"]) * _UNIT_S[series["unit"]])
    if is_token(text):
        raise ValueError(f"{text!r} is a token id, not a slug")
    if not is_slug(text):
        raise ValueError(f"{text!r} is not a slug")
    return Place(kind="market", slug=text)
