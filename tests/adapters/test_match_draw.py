"""The draw of a match, told from everything else that has the word in it."""

import csv
from pathlib import Path

import pytest

from adapters.match_draw import is_draw_name, is_match_draw

METADATA = (
    Path(__file__).resolve().parents[2].parent
    / "shared/recordings/sobhi_worldcup_2026-06-19/market_metadata_worldcup.csv"
)  # fmt: skip

DRAWS = (
    "Will FC Augsburg vs. 1. FC Köln end in a draw?",
    "Will Türkiye vs. Paraguay end in a draw?",
    "Draw (FC Augsburg vs. 1. FC Köln)",
    "Arsenal vs Chelsea: Draw?",
    "Will the match between Arsenal and Chelsea be a draw?",
    "Will the Joshua v Fury fight end in a tie?",
    "Quarter-final: Brazil vs. Haiti end in a draw?",
    "Will Brazil vs. Haiti be a draw after 90 minutes?",
    "Will Scorpions vs. Katie's XI end in a draw?",
)
OTHERS = (
    "Brazil vs. Haiti: Draw at halftime?",
    "United States vs. Australia: Second half draw?",
    "United States vs. Australia: 1st Half draw",
    "Brazil vs. Haiti: Draw at half-time",
    "Brazil vs. Haiti: HT Draw",
    "Brazil vs. Haiti: draw after 15 minutes?",
    "Brazil vs. Haiti: Draw in the first quarter",
    "Brazil vs. Haiti: Draw after extra time",
    "Arsenal vs. Chelsea: Draw no bet",
    "Arsenal vs. Chelsea: Double chance, Arsenal or draw",
    "Arsenal vs. Chelsea: draw or Chelsea",
    "Will Arsenal win or draw vs. Chelsea?",
    "Arsenal vs. Chelsea: exact score 1-1 (draw)",
    "Arsenal vs. Chelsea: score draw",
    "Arsenal vs. Chelsea: goalless draw",
    "Arsenal vs. Chelsea: Draw & both teams to score",
    "Arsenal vs. Chelsea: Draw (Handicap +1)",
    "Arsenal vs. Chelsea: total corners tie",
    "Will Arsenal vs. Chelsea not end in a draw?",
    "Alcaraz vs. Sinner: tie-break in the match?",
    "Will Katie win the match?",
    "Katie Taylor vs. Amanda Serrano",
    "Will Alcaraz withdraw before the match?",
    "Drawdown of the game company?",
    "Will Drawsko win the match?",
    "Who will Arsenal be drawn against after the match?",
    "Will nobody win the Powerball draw in the New York Jets game?",
    "Will the vote end in a tie?",
    "Draw",
    "",
)


@pytest.mark.parametrize("question", DRAWS)
def test_the_draw_of_a_match_is_one(question: str) -> None:
    """By its question alone."""
    assert is_match_draw(question)


@pytest.mark.parametrize("question", OTHERS)
def test_what_only_has_the_word_is_none(question: str) -> None:
    """A part of the match, another bet, another draw, a name."""
    assert not is_match_draw(question)


@pytest.mark.parametrize(
    ("question", "slug", "group_title", "sports_type", "draw"),
    [
        ("Ends level?", "bun-aug-koe-2026-02-27-draw", "", "moneyline", True),
        ("?", "bun-aug-koe-2026-02-27-draw", "Draw (FC Augsburg vs. 1. FC Köln)", "", True),
        ("?", "fifwc-sco-mar-2026-06-19-draw", "", "", True),
        ("Will 1. FC Köln win on 2026-02-27?", "bun-aug-koe-2026-02-27-koe", "1. FC Köln", "moneyline", False),
        ("Will Tienen win?", "bel-tie-gen-2026-02-27-tie", "", "", True),
        ("Draw?", "mls-chi-vwh-2026-07-16-halftime-result-draw", "Draw (A vs. B)", "", False),
        ("Will A vs. B end in a draw?", "a-b", "Draw (A vs. B)", "soccer_halftime_result", False),
        ("Will A vs. B end in a draw?", "a-b", "Draw (A vs. B)", "soccer_second_half_result", False),
        ("Will A vs. B end in a draw?", "a-b", "Draw (A vs. B)", "first_half_moneyline", False),
        ("Will A vs. B end in a draw?", "a-b-2026-07-16-exact-score", "", "", False),
    ],
)
def test_slug_title_and_sports_type_count_too(question: str, slug: str, group_title: str, sports_type: str, draw: bool) -> None:
    """The venue's grammar says it where the question does not, and a half in any of them is a half."""
    assert is_match_draw(question, slug, group_title, sports_type) is draw


@pytest.mark.parametrize(
    ("outcome", "draw"),
    [
        ("Draw", True),
        ("tie", True),
        ("The Draw", True),
        ("Draw (A vs. B)", True),
        ("Drawsko", False),
        ("Tielt", False),
        ("Katie", False),
        ("No", False),
    ],
)
def test_an_outcome_is_the_draw_by_its_whole_word(outcome: str, draw: bool) -> None:
    """Names begin with the same letters."""
    assert is_draw_name(outcome) is draw


@pytest.mark.skipif(not METADATA.exists(), reason="no ../shared/recordings: a user's clone has none")
def test_of_the_recorded_markets_of_four_matches_four_are_match_draws() -> None:
    """127 questions: corners, halves, totals, and one draw for each match."""
    with METADATA.open(encoding="utf-8") as lines:
        questions = {row["question"] for row in csv.DictReader(lines)}
    assert {question for question in questions if is_match_draw(question)} == {
        f"Will {match} end in a draw?"
        for match in ("Brazil vs. Haiti", "Scotland vs. Morocco", "Türkiye vs. Paraguay", "United States vs. Australia")
    }
