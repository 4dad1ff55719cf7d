"""A match as Polymarket builds it: an event of three binary markets of one neg-risk group, found among the event's markets.

The venue's grammar (captured `bun-aug-koe-2026-02-27`): the draw's slug is the event's with `-draw`, its title in the group
begins with "Draw (", and `groupItemThreshold` is 0, 1, 2 for home, draw, away; the order of the rows says nothing. Other events
of the same match end in one of `SISTERS`. Moneylines of two-way sports have team names as outcomes, not Yes and No.
"""

from collections.abc import Iterable, Iterator, Sequence

from adapters.gamma_wire import Listing
from adapters.match_draw import is_draw_name, is_of_the_whole_match
from domain.market import Leg, ThreeWay, TokenId

SISTERS = (
    "-halftime-result",
    "-second-half-result",
    "-exact-score",
    "-first-to-score",
    "-more-markets",
    "-player-props",
)


def three_way_of(event: str, listings: Iterable[Listing]) -> ThreeWay | None:
    """The one set of home, draw and away among the listings of `event` (its slug); None without one, or with several."""
    if event.endswith(SISTERS):
        return None
    known = tuple(listings)
    found = [*_sets_of_three_markets(event, known), *_sets_of_three_outcomes(event, known)]
    return found[0] if len(found) == 1 else None


def _sets_of_three_markets(event: str, listings: Sequence[Listing]) -> Iterator[ThreeWay]:
    groups: dict[str, list[Listing]] = {}
    for listing in listings:
        if listing.sports_type.lower() in ("moneyline", "") and listing.group and _yes(listing):
            groups.setdefault(listing.group, []).append(listing)
    for ways in groups.values():
        draws = [listing for listing in ways if _is_the_draw(event, listing)]
        teams = _home_first(event, [listing for listing in ways if listing not in draws])
        if len(ways) == 3 and len(draws) == 1 and teams:
            home, draw, away = map(_leg, (teams[0], draws[0], teams[1]))
            yield ThreeWay(event=event, home=home, draw=draw, away=away)


def _is_the_draw(event: str, listing: Listing) -> bool:
    named = listing.slug == f"{event}-draw" or is_draw_name(listing.group_title)
    return named and listing.match_draw


def _home_first(event: str, teams: Sequence[Listing]) -> tuple[Listing, ...]:
    """The two teams by their thresholds, else by the places of their codes in `{league}-{home}-{away}-..`; empty if unknown."""
    thresholds = {listing.group_threshold: listing for listing in teams}
    if thresholds.keys() == {"0", "2"}:
        return (thresholds["0"], thresholds["2"])
    places = {f"{event}-".find(f"-{listing.slug.removeprefix(f'{event}-')}-"): listing for listing in teams}
    return tuple(places[place] for place in sorted(places)) if len(places) == 2 and -1 not in places else ()


def _sets_of_three_outcomes(event: str, listings: Sequence[Listing]) -> Iterator[ThreeWay]:
    for listing in listings:
        draws = [outcome for outcome, _ in listing.tokens if is_draw_name(outcome)]
        whole = is_of_the_whole_match(listing.question, listing.slug, listing.group_title, listing.sports_type)
        if len(listing.tokens) == 3 and len(draws) == 1 and whole:
            legs = [Leg(slug=listing.slug, name=outcome, token=token) for outcome, token in listing.tokens]
            home, away = (leg for leg in legs if leg.name != draws[0])
            yield ThreeWay(event=event, home=home, draw=next(leg for leg in legs if leg.name == draws[0]), away=away)


def _yes(listing: Listing) -> TokenId | None:
    """The Yes token of a Yes/No market; None for any other."""
    tokens = {outcome.lower(): token for outcome, token in listing.tokens}
    return tokens["yes"] if tokens.keys() == {"yes", "no"} else None


def _leg(listing: Listing) -> Leg:
    return Leg(slug=listing.slug, name=listing.group_title or listing.question, token=_yes(listing) or TokenId(""))
