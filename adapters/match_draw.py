"""Which markets ask for the draw of a match. The words of titles are all that tells a match draw from a half's, so they decide.

The venue's titles: "Will FC Augsburg vs. 1. FC Köln end in a draw?", "Draw (FC Augsburg vs. 1. FC Köln)"; beside them
"Brazil vs. Haiti: Draw at halftime?", "United States vs. Australia: Second half draw?", and names that only contain the word
("Katie", "withdraw").
"""

import re

_DRAW = re.compile(r"(?<![a-z])(draw|drawn|tie|tied)(?![a-z])")
_NOT_THE_MATCH = re.compile(
    r"(?<![a-z])(half|halves|half[\s_-]*time|ht|1h|2h|period|extra[\s_-]*time|overtime|exact[\s_-]*score|no[\s_-]*bet"
    r"|double[\s_-]*chance|(win|lose)[\s_-]*or[\s_-]*(draw|tie)|(draw|tie)[\s_-]*or[\s_-]*(win|lose)|tie[\s_-]*break(er)?)(?![a-z])"
)


def is_match_draw(*texts: str) -> bool:
    """Whether these texts of one market (question, title, slug, outcome) ask for the draw of a whole match."""
    whole = " ".join(texts).lower()
    return bool(_DRAW.search(whole)) and not _NOT_THE_MATCH.search(whole)
