"""A match as the venue lists it: one event with three binary markets of one neg-risk group, and its sister events."""

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from adapters.simulated_venues.market import SimEvent, SimMarket

Leg = Literal["home", "draw", "away"]

THRESHOLDS: dict[Leg, str] = {"home": "0", "draw": "1", "away": "2"}
"""What `groupItemThreshold` says about a leg."""

LISTED: tuple[Leg, ...] = ("away", "home", "draw")
"""The order in which a captured event gave its markets: not home, draw, away."""

MONEYLINE = "moneyline"
HALFTIME = "soccer_halftime_result"

FOOTBALL = SimMarket(
    slug="football",
    pair="",
    sports_type=MONEYLINE,
    seconds_delay=3,
    neg_risk=True,
    resolution="proposed",
    fee_type="sports_fees_v3",
    fee_rate=Decimal("0.05"),
)
"""What all markets of all matches have in common."""


def match(
    event: SimEvent, home: str, away: str, *, like: SimMarket = FOOTBALL, result: Leg | None = None
) -> tuple[SimMarket, ...]:
    """The three markets of `event`, whose slug is `{league}-{home}-{away}-{YYYY-MM-DD}`, in the venue's order.

    `like` gives what they have in common (when they close and resolve); a `result` of None lets the seed decide.
    """
    _, home_code, away_code, date = event.slug.split("-", 3)
    named = {
        "home": (home_code, f"Will {home} win on {date}?", home),
        "draw": ("draw", f"Will {event.title} end in a draw?", f"Draw ({event.title})"),
        "away": (away_code, f"Will {away} win on {date}?", away),
    }
    return tuple(_leg(event, leg, *named[leg], like, result) for leg in LISTED)


def halftime(event: SimEvent, home: str, away: str, *, like: SimMarket = FOOTBALL) -> tuple[SimMarket, ...]:
    """The sister event of a match about its first half: the same shape and the same game, and no match draw in it."""
    sister = replace(event, slug=f"{event.slug}-halftime-result", title=f"{event.title} - Halftime Result", swing=(0.36, 0.48))
    named = {
        "home": ("home", f"{event.title}: {home} leading at halftime?", home),
        "draw": ("draw", f"{event.title}: Draw at halftime?", "Draw"),
        "away": ("away", f"{event.title}: {away} leading at halftime?", away),
    }
    return tuple(_leg(sister, leg, *named[leg], replace(like, sports_type=HALFTIME), None) for leg in LISTED)


def _leg(event: SimEvent, leg: Leg, suffix: str, question: str, title: str, like: SimMarket, result: Leg | None) -> SimMarket:
    return replace(
        like,
        slug=f"{event.slug}-{suffix}",
        question=question,
        condition_id="",
        token_ids=(),
        event=event,
        group_title=title,
        group_threshold=THRESHOLDS[leg],
        winner=None if result is None else like.outcomes[0 if leg == result else 1],
    )
