"""What discovery found, as the portal shows it and as the universe follows it."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from adapters.discovery import Candidate
from adapters.health import Health
from adapters.listed_markets import Listed, Wants
from adapters.polymarket_gamma import Gamma
from adapters.portal.schema import MARKETS_INDEX, SCAN
from adapters.universe import MapUniverse
from domain.market import Market, Moment, TokenId
from tests.adapters.record_cassettes import NOW_MS
from tests.adapters.test_discovery import DRAWS, event, listed, market, match
from tests.adapters.test_polymarket_gamma import gamma_of
from tests.adapters.test_portal_files import assert_complete, document, journal_of, plain_sources, report, rows
from tests.fakes import FakeClock
from tests.portal import portal_files


class Found:
    """What discovery met last, as the portal asks for it: it may change between two ticks."""

    def __init__(self) -> None:
        self.candidates: Sequence[Candidate] = ()

    def __call__(self) -> Sequence[Candidate]:
        """The newest scan's."""
        return self.candidates


class Counted(Candidate):
    """A candidate that counts how often its row was made."""

    made = 0

    @property
    def liquidity_usdc(self) -> None:
        """Unknown; only rows ask for it."""
        type(self).made += 1


def scanned(*events: object) -> Sequence[Candidate]:
    """One scan of these events, whose time is the cassettes'."""
    return asyncio.run(listed(*events).discovery.scan())


def shown(out_dir: Path) -> list[dict[str, object]]:
    """What `pm_markets_index.json` says was found."""
    found = document(out_dir, MARKETS_INDEX.name)["found"]
    assert isinstance(found, list)
    return found


class TestTheFiles:
    def test_are_empty_before_the_first_scan(self, tmp_path: Path) -> None:
        """A header, and an empty list."""
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=Found())
        portal.rebuild(journal_of())
        portal.publish(report(1))
        portal.close()
        assert_complete(tmp_path)
        assert (rows(tmp_path, SCAN), shown(tmp_path)) == ([], [])

    def test_tell_the_time_of_the_scan_not_that_of_the_tick(self, tmp_path: Path) -> None:
        """A reader sees how old the candidates are, in both files and in the manifest."""
        found = Found()
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=found)
        portal.rebuild(journal_of())
        found.candidates = scanned(event("a", market(1), market(2, acceptingOrders=False)))
        for tick in range(1, 4):
            portal.publish(report(tick))
        portal.close()
        at = "2026-09-21T14:14:20.000+00:00"
        assert [(row["ts"], row["slug"], row["kept"], row["reason"]) for row in rows(tmp_path, SCAN)] == [
            (at, "m1", "1", "kept"),
            (at, "m2", "0", "not_accepting"),
        ]
        assert [(entry["seen_at"], entry["slug"], entry["kept"], entry["reason"]) for entry in shown(tmp_path)] == [
            (at, "m1", True, "kept"),
            (at, "m2", False, "not_accepting"),
        ]
        files = document(tmp_path, "manifest.json")["files"]
        assert isinstance(files, dict)
        assert files[SCAN.name]["newest"] == at

    def test_make_a_scans_rows_once_however_many_ticks_show_it(self, tmp_path: Path) -> None:
        """And the file on the disk is not written again."""
        found = Found()
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=found)
        portal.rebuild(journal_of())
        (candidate,) = scanned(event("a", market(1)))
        fields = {name: getattr(candidate, name) for name in ("at", "event", "listing", "kind", "reason", "notes", "spread")}
        found.candidates = (Counted(**fields),)
        portal.publish(report(1))
        portal.close()
        before = (tmp_path / SCAN.name).stat()
        for tick in range(2, 6):
            portal.publish(report(tick))
        portal.close()
        after = (tmp_path / SCAN.name).stat()
        assert Counted.made == 1
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)

    def test_show_the_newest_scan_only(self, tmp_path: Path) -> None:
        """Also one that found nothing: what is gone must not look as if it were still there."""
        found = Found()
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=found)
        portal.rebuild(journal_of())
        for tick, numbers in enumerate(([1, 2], [3], []), start=1):
            found.candidates = scanned(*(event(f"e{number}", market(number)) for number in numbers))
            portal.publish(report(tick))
            portal.close()
            names = [f"m{number}" for number in numbers]
            assert [row["slug"] for row in rows(tmp_path, SCAN)] == names
            assert [entry["slug"] for entry in shown(tmp_path)] == names

    def test_show_the_scan_again_after_they_were_made_again(self, tmp_path: Path) -> None:
        """A rebuilt portal begins without it; the next tick shows it, although it is no newer."""
        found = Found()
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=found)
        portal.rebuild(journal_of())
        found.candidates = scanned(event("a", market(1)))
        portal.publish(report(1))
        portal.rebuild(journal_of(report(1)))
        assert rows(tmp_path, SCAN) == []
        portal.publish(report(2))
        portal.close()
        assert [row["slug"] for row in rows(tmp_path, SCAN)] == [entry["slug"] for entry in shown(tmp_path)] == ["m1"]

    @pytest.mark.parametrize("name", ['=cmd|"/C calc"!A0', "line\nbreak", "\u202egnp.exe", "\ud800", "x" * 10_000, ",,,"])
    def test_stay_whole_whatever_a_found_market_is_called(self, tmp_path: Path, name: str) -> None:
        """Names come from strangers."""
        found = Found()
        portal = portal_files(tmp_path, started_at_ms=NOW_MS, sources=plain_sources, found=found)
        portal.rebuild(journal_of())
        found.candidates = scanned(event("a", market(1, question=name, slug=name), title=name))
        portal.publish(report(1))
        portal.close()
        assert_complete(tmp_path)
        assert len(rows(tmp_path, SCAN)) == len(shown(tmp_path)) == 1
        for cell in rows(tmp_path, SCAN)[0].values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def followed(candidates: Iterable[Candidate], wants: Wants) -> tuple[Market, ...]:
    """What the universe makes of these candidates, without a map."""
    client, _ = gamma_of({})
    found = [Listed(listing=each.listing, event=each.event) for each in candidates if each.kept and each.listing]
    universe = MapUniverse(
        [],
        listings=Gamma(client),
        health=Health(),
        wants=wants,
        clock=FakeClock(Moment(at_ms=NOW_MS, elapsed_ms=0)),
        retry_s=1.0,
        discovered=lambda: found,
    )
    return universe.markets()


class TestTheUniverse:
    def test_follows_the_yes_of_a_found_market_and_the_draw_of_a_found_match(self) -> None:
        """As it would from a map."""
        (rises,) = followed(scanned(event("a", market(1))), Wants())
        assert (rises.token, rises.outcome, rises.slug, rises.name) == ("11", "Yes", "m1", "Will it rise 1?")
        scene = listed(match(), wishes=DRAWS)
        (draw,) = followed(asyncio.run(scene.discovery.scan()), Wants(draws=True, reference_source=""))
        assert draw.three_way is not None
        assert (draw.token, draw.match_draw) == (draw.three_way.draw.token, True)

    @pytest.mark.parametrize("slug", ["2024", "a b", "../trap", "btc-updown-5m-*", "Ä", "", "x" * 300, "\u202e", "/event/x"])
    @pytest.mark.parametrize("question", ["", " ", "x" * 10_000, "\u202e\u0000"])
    def test_follows_a_found_market_whatever_the_venue_calls_it(self, slug: str, question: str) -> None:
        """A name must not cost a tick: every tick asks for all markets, so one stranger's would stop them all."""
        candidates = scanned(event("a", market(1, slug=slug, question=question)), event("b", market(2)))
        tokens = [market.token for market in followed(candidates, Wants())]
        assert tokens[-1:] == [TokenId("21")]
