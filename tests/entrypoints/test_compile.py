"""Recordings become tapes: the same snapshots whatever the layout, with the books, payouts and gaps that were recorded."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from adapters.simulated_venues import RecordingInvalid
from adapters.tape.columns import Columns
from adapters.tape.manifest import Manifest, damaged_files
from adapters.tape.tape import open_tape, snapshot
from domain.market import Moment, ReferenceId, Snapshot, TokenId
from entrypoints.cli import main
from entrypoints.compile import Compile, compiled
from entrypoints.settings import read_settings
from tests.adapters import test_tape_importers as layouts
from tests.adapters.test_tape_importers import BOOK, END_MS, resolvedkit
from tests.adapters.test_tape_importers import lines as written

UP, DOWN = TokenId(layouts.UP), TokenId(layouts.DOWN)
RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "recordings"


def compile_into(tape: Path, *sources: Path, interval_s: float = 10, **environment: str) -> tuple[Manifest, Columns]:
    """A tape of these sources, opened."""
    settings = read_settings({"INTERVAL_S": str(interval_s), **environment})
    manifest = compiled(Compile(sources=sources, tape=tape, settings=settings), Console(quiet=True))
    return manifest, open_tape(tape)


def real(name: str) -> Path:
    """A recording of the shared folder, where that is there."""
    if not (RECORDINGS / name).exists():
        pytest.skip("the shared recordings are not there")
    return RECORDINGS / name


def best_bids(seen: Snapshot) -> set[tuple[Decimal, Decimal]]:
    """The bids, sizes to four decimals: the frames cut the noise where the importer rounds it."""
    return {(price, round(size, 4)) for book in seen.books.values() for price, size in book.bids}


def both_sides(at_ms: int, size: float = 5) -> list[dict[str, object]]:
    """The books of Up and Down of one moment."""
    up = BOOK | {"ts": at_ms, "bids": [[0.5, size], [0.49, 7]], "asks": [[0.51, 2]]}
    return [up, up | {"side": "DOWN", "bids": [[0.49, 2]], "asks": [[0.5, size], [0.51, 7]]}]


def test_every_tick_has_the_newest_books_of_its_time(tmp_path: Path) -> None:
    """On the grid, dated by the request, and as old as the cache says."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000), *both_sides(END_MS - 17_500, 9))
    _, columns = compile_into(tmp_path / "tape", source)
    first, second, third = (snapshot(columns, tick) for tick in range(3))
    assert [snapshot.moment.at_ms - END_MS for snapshot in (first, second, third)] == [-30_000, -20_000, -10_000]
    assert [each.books[UP].bids[0].size for each in (first, second, third)] == [5, 5, 9]
    assert third.books[UP].requested == third.moment == Moment(at_ms=END_MS - 10_000, elapsed_ms=20_000)
    assert (third.books[UP].age_s, third.books[UP].changed_at_ms) == (7.0, END_MS - 17_500)


def test_both_outcomes_are_followed_until_the_venue_says_what_they_pay(tmp_path: Path) -> None:
    """Once each; whoever holds one then is paid."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000), *both_sides(END_MS + 60_000))
    _, columns = compile_into(tmp_path / "tape", source)
    markets = snapshot(columns, 0).markets
    assert [(market.token, market.complement, market.direction) for market in markets] == [(UP, DOWN, 1), (DOWN, UP, -1)]
    assert {(payout.token, payout.pays) for payout in columns.payouts} == {(UP, Decimal(0)), (DOWN, Decimal(1))}
    assert {columns.grid.at_ms[payout.tick] - END_MS for payout in columns.payouts} == {60_000}


def test_where_nothing_was_recorded_there_is_a_gap_and_no_tick(tmp_path: Path) -> None:
    """The grid goes on behind it."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 800_000), *both_sides(END_MS - 300_000))
    manifest, columns = compile_into(tmp_path / "tape", source, interval_s=20)
    gap = manifest.gaps[0]
    assert (gap.from_ms - END_MS, gap.until_ms - END_MS, gap.why) == (-800_000, -300_000, "nothing was recorded")
    assert columns.grid.gap[gap.first]
    assert columns.grid.at_ms[gap.first] - END_MS == -300_000
    assert columns.grid.at_ms[gap.first - 1] - END_MS == -740_000


def test_a_market_map_says_what_is_followed(tmp_path: Path) -> None:
    """And how it is called."""
    path = tmp_path / "map.json"
    entry = {"name": "mine", "polymarket": {"market_slug": "btc-updown-15m-1", "outcome": "Down"}}
    path.write_text(json.dumps({"version": 1, "markets": [entry]}))
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000))
    _, columns = compile_into(tmp_path / "tape", source, MARKET_MAP_PATH=str(path))
    assert [(market.name, market.token) for market in snapshot(columns, 0).markets] == [("mine", DOWN)]
    assert [token.token for token in columns.tokens] == [DOWN]


def test_a_tape_is_the_same_whatever_strategy_is_set(tmp_path: Path) -> None:
    """Every one can replay it: each outcome stands there once, with its own name and the other one's token."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000))
    plain, _ = compile_into(tmp_path / "plain", source)
    trend, columns = compile_into(tmp_path / "trend", source, STRATEGY_MODE="pm_trend")
    assert plain.files == trend.files
    assert [market.name for market in snapshot(columns, 0).markets] == ["btc-updown-15m-1 Up", "btc-updown-15m-1 Down"]


def test_a_source_that_broke_off_is_a_warning_on_the_tape(tmp_path: Path) -> None:
    """What came before it is compiled."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000))
    written(source / "books.jsonl.gz", *both_sides(END_MS - 30_000), "broken")
    manifest, _ = compile_into(tmp_path / "tape", source)
    assert [warning.rsplit("/", 1)[1] for warning in manifest.warnings] == [
        "books.jsonl.gz, line 3 is broken (not an object); it is read up to there"
    ]


def test_the_command_tells_what_it_wrote_and_what_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code of a configuration that a person can mend."""
    source = resolvedkit(tmp_path, *both_sides(END_MS - 30_000))
    arguments = ["compile", str(source), "--tape", str(tmp_path / "tape"), "--interval", "10"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "ticks" in capsys.readouterr().out
    assert damaged_files(tmp_path / "tape") == ()
    for wrong, said in ((arguments, "is there already"), (["compile", str(tmp_path / "no"), "--tape", "x"], "is not there")):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 78
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_leafuryks_rows_give_the_trades_of_the_frames_that_were_made_of_them(tmp_path: Path) -> None:
    """Two ways from one real recording to the same books, prices and payouts."""
    _, rows = compile_into(tmp_path / "rows", real("leafuryk_btc5m_2026-03-02"), interval_s=60)
    _, frames = compile_into(tmp_path / "frames", real("frames_btc5m_2026-03-02.jsonl.gz"), interval_s=60)
    spot = ReferenceId("kraken_spot", "XBTUSD")
    for tick in range(1, len(frames.grid)):
        one, other = snapshot(rows, tick), snapshot(frames, tick)
        assert one.references[spot].price == pytest.approx(other.references[spot].price, abs=0.01)
        assert best_bids(one) == best_bids(other)
    assert sum(payout.pays for payout in rows.payouts) == sum(payout.pays for payout in frames.payouts) == 7


@pytest.mark.slow
def test_the_real_full_depth_recording_is_compiled_with_its_payouts(tmp_path: Path) -> None:
    """Eighteen markets, each paid once; fees are the table's, assumed."""
    manifest, columns = compile_into(tmp_path / "tape", real("resolvedkit_btc15m_2026-09-28"), interval_s=120)
    assert len(columns.tokens) == 36
    assert len(columns.payouts) == 36
    assert sum(payout.pays for payout in columns.payouts) == 18
    assert {token.fees for token in manifest.tokens} == {("0.07 exponent 1, assumed",)}
    assert max(len(book.bids) for tick in range(9) for book in snapshot(columns, tick).books.values()) == 20


@pytest.mark.parametrize("name", ["cronosvirus_btc5m_2026-04-16/full_btc-updown-5m-1776329100.jsonl.gz"])
def test_a_real_recording_without_any_market_keeps_its_books(tmp_path: Path, name: str) -> None:
    """The market is called by the slug beside them, and nothing is known of it."""
    _, columns = compile_into(tmp_path / "tape", real(name), interval_s=10)
    (market,) = snapshot(columns, 1).markets
    assert (market.name, market.condition) == ("btc-updown-5m-1776329100", None)
    assert all(len(snapshot(columns, tick).books) == 1 for tick in range(len(columns.grid)))


def test_a_recording_without_a_frame_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(RecordingInvalid, match="holds no book"):
        compile_into(tmp_path / "tape", resolvedkit(tmp_path))
    assert not (tmp_path / "tape").exists()
