"""What a person who writes a map sees: the candidates of a scan, and what a reference means."""

import asyncio
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from adapters.discovery import Candidate
from adapters.simulated_venues import Scenario, SimulatedVenues
from entrypoints import discover, resolve
from entrypoints.discover import Asked
from entrypoints.resolve import Resolution, ResolveRefused, resolved
from entrypoints.rules import rules_of
from entrypoints.settings import Settings, read_settings
from entrypoints.wishes import wishes_of
from tests.entrypoints.processes import environment, spelar

MATCH = "bun-aug-koe-2026-11-28"
BITCOIN = "bitcoin-above-60k-on-december-31"


@pytest.fixture(scope="module")
def venues() -> Iterator[SimulatedVenues]:
    """The seeded venues on loopback: crypto, matches, a half-time sister event, a series of windows."""
    with SimulatedVenues(Scenario(7, time.time_ns() // 1_000_000), lambda: time.time_ns() // 1_000_000) as server:
        yield server


@pytest.fixture
def settings(venues: SimulatedVenues) -> Settings:
    """Settings that point at them."""
    return read_settings(dict(venues.environment()))


def found(settings: Settings, **typed: object) -> dict[str, Candidate]:
    """The candidates of one scan by their slugs."""
    asked = Asked(**typed)  # type: ignore[arg-type]
    return {candidate.slug: candidate for candidate in asyncio.run(discover.discovered(settings, asked))}


def meant(settings: Settings, ref: str) -> Resolution:
    """What a reference means."""
    return asyncio.run(resolved(settings, ref))


class TestDiscover:
    def test_finds_what_the_words_find(self, settings: Settings) -> None:
        """A market that dips is left for a person; nothing else is."""
        candidates = found(settings, search="bitcoin", limit=50)
        assert candidates[BITCOIN].kept
        assert candidates["bitcoin-dip-to-50k-by-december-31"].reason == "direction_unclear"
        assert not any("bun-" in slug for slug in candidates)

    def test_keeps_the_draws_of_matches_and_leaves_their_halves(self, settings: Settings) -> None:
        """`--three-way`, and the same by itself in pm_draw."""
        by_flag = found(settings, binary=False)
        by_mode = found(settings.model_copy(update={"strategy_mode": "pm_draw"}))
        for candidates in (by_flag, by_mode):
            kept = {slug: candidate.kind for slug, candidate in candidates.items() if candidate.kept}
            assert kept[f"{MATCH}-draw"] == "three_way"
            assert set(kept.values()) == {"three_way"}
            assert candidates[f"{MATCH}-halftime-result-draw"].reason == "not_match_draw"
            assert candidates["will-katie-boulter-withdraw-before-friday"].reason == "not_match_draw"

    def test_leaves_matches_out_where_binaries_are_wanted(self, settings: Settings) -> None:
        """The default of every mode but pm_draw, and `--binary` in that one."""
        in_pm_draw = settings.model_copy(update={"strategy_mode": "pm_draw"})
        for candidates in (found(settings), found(in_pm_draw, binary=True)):
            assert candidates[f"{MATCH}-draw"].reason == "not_binary"
            assert candidates[BITCOIN].kept

    def test_looks_at_no_more_than_was_asked(self, settings: Settings) -> None:
        """`--limit`."""
        reasons = [candidate.reason for candidate in found(settings, search="bitcoin", limit=2).values()]
        assert len([reason for reason in reasons if reason != "beyond_limit"]) == 2

    def test_prints_names_as_they_are_and_counts_the_reasons(self, settings: Settings) -> None:
        """Kept ones on top; what looks like markup in a name is text."""
        (candidate,) = list(found(settings, search="bitcoin", limit=50).values())[:1]
        listing = candidate.listing
        assert listing is not None
        evil = type(candidate)(
            at=candidate.at, event=candidate.event, listing=None, kind="", reason="invalid_market", notes="[/red] :bomb: [bold]"
        )
        paper = io.StringIO()
        discover.show([evil, candidate], Console(file=paper, width=160, markup=False, emoji=False, highlight=False))
        text = paper.getvalue()
        assert text.index("kept") < text.index("invalid_market")
        assert "[/red] :bomb: [bold]" in text
        assert "2 markets looked at: invalid_market 1, kept 1" in text


def test_the_wishes_of_a_scan_come_from_the_settings_and_the_strategy() -> None:
    """PM_SCAN_BINARY_ONLY wins over the strategy's own choice."""
    said = {"PM_SCAN_SEARCH": "bitcoin", "PM_SCAN_LIMIT": "7", "PM_SCAN_MIN_LIQUIDITY_USDC": "0", "PM_SCAN_MAX_SPREAD": "0.05"}
    for mode, binary_only, draws_only, led in (
        ("lead_lag", True, False, True),
        ("pm_trend", True, False, False),
        ("pm_draw", False, True, False),
        ("fair_model", True, False, True),
    ):
        settings = read_settings(said | {"STRATEGY_MODE": mode})
        wishes = wishes_of(settings, rules_of(settings).strategy)
        assert (wishes.binary_only, wishes.draws_only, wishes.falling_words_refused) == (binary_only, draws_only, led)
        assert (wishes.search, wishes.limit, wishes.min_liquidity_usdc, str(wishes.max_spread)) == ("bitcoin", 7, None, "0.05")
        assert wishes.led_by == (("bitcoin", "btc") if mode == "lead_lag" else ())
    settings = read_settings({"STRATEGY_MODE": "pm_draw", "PM_SCAN_BINARY_ONLY": "1"})
    assert wishes_of(settings, rules_of(settings).strategy).binary_only


class TestResolve:
    @pytest.mark.parametrize(
        "ref",
        [f"https://polymarket.com/sv/event/{MATCH}?x=1", MATCH, f"{MATCH}-draw", f"polymarket.com/sports/bundesliga/{MATCH}"],
    )
    def test_shows_a_match_as_home_draw_and_away_with_its_line_for_the_map(self, settings: Settings, ref: str) -> None:
        """By its event, by its sports page, and by the draw of it."""
        resolution = meant(settings, ref)
        assert [(line.part, line.market.removeprefix(f"{MATCH}-")) for line in resolution.tokens if line.part] == [
            ("home", "aug"),
            ("draw", "draw"),
            ("away", "koe"),
        ]
        assert len(resolution.tokens) == 6
        assert resolution.mids == pytest.approx(1, abs=0.05)
        assert f'  "market_slug": "{MATCH}-draw", "outcome": "Yes"' in resolution.advice

    def test_shows_a_market_by_slug_url_event_of_one_and_token(self, settings: Settings) -> None:
        """Four names of one thing, with its books, fee, tick, minimum and state."""
        by_slug = meant(settings, BITCOIN)
        yes = by_slug.tokens[0]
        assert (yes.outcome, yes.fee, str(yes.tick), str(yes.minimum), yes.status) == (
            "Yes",
            "0.07 stated",
            "0.01",
            "5",
            "open",
        )
        assert yes.bid is not None
        assert yes.ask is not None
        assert 0 < yes.bid < yes.ask < 1
        for ref in (f"https://polymarket.com/event/x/{BITCOIN}", f"https://polymarket.com/event/{BITCOIN}", yes.token):
            assert [line.token for line in meant(settings, ref).tokens] == [line.token for line in by_slug.tokens]
        assert f'  "market_slug": "{BITCOIN}", "outcome": "Yes"' in by_slug.advice

    def test_shows_the_current_window_of_a_series_and_how_to_follow_it(self, settings: Settings) -> None:
        """Its outcomes are Up and Down."""
        resolution = meant(settings, "btc-updown-5m-*")
        assert [line.outcome for line in resolution.tokens] == ["Up", "Down"]
        assert abs(int(resolution.tokens[0].market.rpartition("-")[2]) - time.time()) < 600
        assert '  "market_slug": "btc-updown-5m-*"' in resolution.advice

    def test_says_which_choice_an_event_of_several_markets_leaves(self, settings: Settings) -> None:
        """The half-time event of the match: no set, three lines to choose from."""
        resolution = meant(settings, f"https://polymarket.com/event/{MATCH}-halftime-result")
        assert resolution.mids is None
        assert resolution.advice[0] == "This event holds 3 markets, and a map entry means one. Choose a line:"
        assert sum("market_slug" in line for line in resolution.advice) == 3

    def test_says_when_there_is_no_book(self, settings: Settings) -> None:
        """A market that the exchange does not know yet."""
        resolution = meant(settings, "will-katie-boulter-withdraw-before-friday")
        assert {line.bid for line in resolution.tokens} == {None}
        assert resolution.advice[-1].startswith("No order book now")

    @pytest.mark.parametrize(
        ("ref", "said"),
        [
            ("no-such-market", "neither a market nor an event"),
            ("https://polymarket.com/event/no-such-event", "neither a market nor an event"),
            ("12345", "neither a market nor an event nor a token"),
            ("https://evil.example/event/a", "not a Polymarket address"),
            ("a b", "not a slug"),
        ],
    )
    def test_refuses_what_means_nothing_in_one_line(self, settings: Settings, ref: str, said: str) -> None:
        """Naming what was typed."""
        with pytest.raises(ResolveRefused, match=said) as caught:
            meant(settings, ref)
        assert "\n" not in str(caught.value)
        assert ref in str(caught.value)

    def test_prints_token_ids_in_one_piece(self, settings: Settings) -> None:
        """They are made to be copied, on a narrow terminal too."""
        resolution = meant(settings, MATCH)
        paper = io.StringIO()
        resolve.show(resolution, Console(file=paper, width=80, markup=False, emoji=False, highlight=False))
        assert all(line.token in paper.getvalue() for line in resolution.tokens)
        assert "The three mids sum to" in paper.getvalue()


@pytest.mark.slow
def test_both_commands_print_json_and_end_with_one_clear_line_when_they_fail(venues: SimulatedVenues, tmp_path: Path) -> None:
    """As processes: the table for people, JSON for programs, exit 1 without a traceback."""
    env = environment(tmp_path, venues.environment())
    candidates = json.loads(spelar(["discover", "--search", "bitcoin", "--limit", "50", "--json"], env).stdout)
    assert {"kept", "reason", "slug", "url", "liquidity_usdc", "notes"} <= candidates[0].keys()
    tokens = json.loads(spelar(["resolve", BITCOIN, "--json"], env).stdout)["tokens"]
    assert [token["outcome"] for token in tokens] == ["Yes", "No"]
    assert "kept" in spelar(["discover"], env).stdout
    unreachable = {**env, "POLYMARKET_GAMMA_BASE_URL": "http://127.0.0.1:9"}
    for arguments in (["discover"], ["resolve", BITCOIN], ["resolve", "a b"]):
        done = spelar(arguments, unreachable)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
