"""Which markets ask for the draw of a match. The words of titles are all that tells a match draw from a half's, so they decide.

The venue's titles: "Will FC Augsburg vs. 1. FC Köln end in a draw?", "Draw (FC Augsburg vs. 1. FC Köln)"; beside them
"Brazil vs. Haiti: Draw at halftime?", "United States vs. Australia: Second half draw?", draws of lots, and names that only
contain the word ("Katie", "withdraw"). A match draw needs three things: the word, a match, and nothing that narrows it down.
"""

import re

_DRAW = re.compile(r"(?<![a-z])(draws?|drawn|ties?|tied)(?![a-z])")
_DRAW_SLUG = re.compile(r"-[0-9]{4}-[0-9]{2}-[0-9]{2}-(draw|tie)\Z")
_DRAW_NAME = re.compile(r"(the )?(draw|tie)(?![a-z]).*")
_MATCH = re.compile(r"(?<![a-z])(vs?|versus|match|game|fight|bout|derby)(?![a-z])")
_NARROWED = re.compile(
    r"(?<![a-z0-9])("
    # a part of the match, or more than it
    r"half|halves|half[\s_-]*time|ht|[12]h|period|quarter(?![\s_-]*final)|set|inning|innings|interval|extra[\s_-]*time|overtime"
    r"|(first|after|by|at)[\s_-]+(the[\s_-]+)?(?!90)[0-9]+(st|nd|rd|th)?[\s_-]*min[a-z]*|aggregate|tie[\s_-]*break(er)?"
    # another bet that has the draw in it
    r"|score[a-z]*|scoring|goalless|corners?|cards?|handicap|both[\s_-]*teams|btts|over|under|o/u|totals?|spreads?|double[\s_-]*chance"
    r"|no[\s_-]*bet|(no|not)[\s_-]+((end|finish)[\s_-]+in[\s_-]+)?(a[\s_-]+)?(draw|tie)"
    r"|or[\s_-]*(an?[\s_-]*|the[\s_-]*)?(draw|tie)|(draw|tie)[\s_-]*or"
    # lots, not play
    r"|(drawn?|draws)[\s_-]*against|lottery|jackpot|powerball|raffle|(group|seeding)[\s_-]*draw"
    r")(?![a-z0-9])"
)


def is_match_draw(question: str, slug: str = "", group_title: str = "", sports_type: str = "") -> bool:
    """Whether one market, by its question, slug, title in its group and sports type, asks for the draw of a whole match."""
    said = f"{question} {group_title}".lower()
    draw = bool(_DRAW.search(said)) and bool(_MATCH.search(said))
    return (draw or bool(_DRAW_SLUG.search(slug.lower()))) and is_of_the_whole_match(said, slug, sports_type)


def is_of_the_whole_match(*texts: str) -> bool:
    """Whether nothing in these texts narrows the question down to a part of the match, or turns it into another bet."""
    return not _NARROWED.search(" ".join(texts).lower())


def is_draw_name(outcome: str) -> bool:
    """Whether an outcome, or a title in a group, is the draw: "Draw", "Tie", "Draw (A vs. B)"; no name that begins so."""
    return _DRAW_NAME.fullmatch(outcome.strip().lower()) is not None
