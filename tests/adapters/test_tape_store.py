"""What goes into a tape comes out of it: Decimal for Decimal, over days, gaps, markets that come and go, and any stretch."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.tape import TapeInvalid
from adapters.tape.columns import Columns
from adapters.tape.manifest import damaged_files, read_manifest
from adapters.tape.schema import GRID_FILE, MANIFEST_FILE
from adapters.tape.tape import open_tape, snapshot
from adapters.tape.writing import Gap, write_tape
from domain.fair import Constant, LinearRange
from domain.fees import FeeSchedule
from domain.market import (
    Hedge,
    Leg,
    Level,
    Market,
    Moment,
    OrderBook,
    Reference,
    ReferenceId,
    Side,
    Snapshot,
    ThreeWay,
    TokenId,
)
from tests.builders import CRYPTO, FREE, NO, NOON_MS, SPOT, YES, book, market, moment, seen
from tests.builders import snapshot as seen_at

DRAW = TokenId("9" * 77)
TOKENS = (YES, NO, DRAW)
DAY_MS = 86_400_000

prices = st.integers(1, 999_999).map(lambda micros: Decimal(micros).scaleb(-6))
sizes = st.integers(1, 10**15).map(lambda micros: Decimal(micros).scaleb(-6))
elapsed = st.integers(0, 10**10)
ages = st.floats(0, 1e6)
moments = st.builds(lambda at_ms, elapsed_ms: Moment(at_ms=at_ms, elapsed_ms=elapsed_ms), st.integers(0, 10**13), elapsed)
decimals = st.decimals(0, 1_000, places=8)


@st.composite
def sides(draw: st.DrawFn, *, falling: bool) -> tuple[Level, ...]:
    """One side of a book, best first."""
    found = draw(st.lists(prices, max_size=5, unique=True))
    return tuple(Level(price, draw(sizes)) for price in sorted(found, reverse=falling))


def books_of(token: TokenId) -> st.SearchStrategy[OrderBook]:
    """A book of this token: any that the domain allows in whole millionths."""
    return st.builds(
        OrderBook,
        token=st.just(token),
        bids=sides(falling=True),
        asks=sides(falling=False),
        requested=moments,
        min_order_size=decimals,
        tick_size=st.none() | decimals,
        changed_at_ms=st.none() | st.integers(0, 10**13),
        digest=st.text("0123456789abcdef", max_size=40),
        age_s=ages,
    )


def markets_of(token: TokenId | None) -> st.SearchStrategy[Market]:
    """A market of this token, with and without all that a market may have."""
    three_way = ThreeWay(event="e", home=Leg("h", "H", YES), draw=Leg("d", "Draw", DRAW), away=Leg("a", "A", NO))
    return st.builds(
        replace,
        st.just(market(token=token)),
        fees=st.sampled_from((CRYPTO, FREE, FeeSchedule(rate=Decimal("0.2"), exponent=Decimal("0.5"), assumed=True))),
        accepting=st.booleans(),
        direction=st.sampled_from((1, -1)),
        ends_at_ms=st.none() | st.integers(0, 10**13),
        three_way=st.sampled_from((None, three_way)),
        fair=st.sampled_from((None, Constant(p=0.1), LinearRange(zero_at=1.5, one_at=2.25))),
        hedge=st.sampled_from((None, Hedge(symbol="PF_XBTUSD", side=Side.SELL))),
        match_draw=st.sampled_from((None, True, False)),
    )


pays = st.sampled_from((Decimal(1), Decimal("0.5"), Decimal(0)))
keys = st.sampled_from((SPOT, ReferenceId("kraken_futures", "PF_XBTUSD", "last")))
references = st.builds(Reference, price=st.floats(1e-6, 1e9), requested=moments, age_s=ages)


@st.composite
def snapshots(draw: st.DrawFn) -> list[Snapshot]:
    """Some ticks, seconds or half days apart; books often stay as they were."""
    pool = {token: draw(st.lists(books_of(token), min_size=1, max_size=3)) for token in TOKENS}
    listed = draw(st.lists(markets_of(draw(st.sampled_from((*TOKENS, None)))), min_size=1, max_size=4))
    found = []
    at_ms = NOON_MS
    for _ in range(draw(st.integers(1, 6))):
        at_ms += draw(st.sampled_from((2_500, DAY_MS // 2, -1_000)))
        given_books = [draw(st.sampled_from(pool[token])) for token in TOKENS if draw(st.booleans())]
        at = Moment(at_ms=at_ms, elapsed_ms=draw(elapsed))
        found.append(
            Snapshot(
                moment=at,
                ready=draw(moments),
                markets=tuple(draw(st.lists(st.sampled_from(listed), max_size=4))),
                books={each.token: replace(each, requested=draw(moments)) for each in given_books},
                references=draw(
                    st.dictionaries(st.sampled_from((SPOT, ReferenceId("kraken_futures", "PF", "last"))), references)
                ),
                payouts=draw(
                    st.dictionaries(st.sampled_from(TOKENS), st.sampled_from((Decimal(1), Decimal("0.5"), Decimal(0))))
                ),
                kill_switch=draw(st.booleans()),
            )
        )
    return found


def written(path: Path, *items: Snapshot | Gap) -> Columns:
    """These items as a tape, opened."""
    write_tape(path / "tape", items)
    return open_tape(path / "tape")


def all_of(columns: Columns) -> list[Snapshot]:
    """Every tick."""
    return [snapshot(columns, tick) for tick in range(len(columns.grid))]


@pytest.mark.slow
@given(snapshots(), st.data())
@settings(max_examples=20, deadline=None)
def test_every_snapshot_comes_back_exactly_as_it_was(ticks: list[Snapshot], data: st.DataObject) -> None:
    """From the whole tape, and from any stretch of it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "tape"
        write_tape(path, ticks)
        assert all_of(open_tape(path)) == ticks
        from_ms = data.draw(st.sampled_from(ticks)).moment.at_ms
        inside = [n for n, tick in enumerate(ticks) if tick.moment.at_ms >= from_ms]
        assert all_of(open_tape(path, from_ms=from_ms)) == ticks[inside[0] : inside[-1] + 1]


def test_the_columns_of_a_token_say_what_its_books_said(tmp_path: Path) -> None:
    """Best prices in millionths, 0 for an empty side, and nothing where no book came."""
    shown = replace(book("0.45/", requested=moment(15)), age_s=2.5, changed_at_ms=NOON_MS)
    ticks = [seen(0, "0.50/0.51"), seen_at(moment(15), books=[shown]), seen(30, None)]
    (yes,) = written(tmp_path, *ticks).tokens
    assert yes.token == YES
    assert yes.present.tolist() == [True, True, False]
    assert yes.bid.tolist() == [500_000, 450_000, 0]
    assert yes.ask.tolist() == [510_000, 0, 0]
    assert yes.requested_elapsed_ms.tolist() == [0, 15_000, 0]
    assert yes.age_s.tolist() == [0.0, 2.5, 0.0]
    assert yes.changed_at_ms.tolist() == [-1, NOON_MS, -1]
    assert yes.depth.book(2) is None


def test_a_market_that_is_described_anew_has_a_new_edition(tmp_path: Path) -> None:
    """And one that leaves the map has an end."""
    free = market(fees=FREE)
    columns = written(tmp_path, seen(0), seen(15), seen(30, of=free), seen(45, listed=False))
    (yes,) = columns.tokens
    assert [(edition.first, edition.market) for edition in yes.editions] == [(0, market()), (2, free), (3, None)]
    assert read_manifest(tmp_path / "tape").tokens[0].fees == ("0.07 exponent 1", "0 exponent 1")


def test_a_gap_is_marked_at_the_tick_after_it_and_parts_the_coverage(tmp_path: Path) -> None:
    """Two gaps in a row are one."""
    first, second = Gap(from_ms=1, until_ms=2, why="killed"), Gap(from_ms=2, until_ms=3, why="started")
    columns = written(tmp_path, seen(0), first, second, seen(15), seen(30))
    manifest = read_manifest(tmp_path / "tape")
    assert columns.grid.gap.tolist() == [False, True, False]
    assert [(gap.first, gap.from_ms, gap.until_ms, gap.why) for gap in manifest.gaps] == [(1, 1, 3, "killed")]
    assert [(stretch.first, stretch.ticks) for stretch in manifest.coverage] == [(0, 1), (1, 2)]


def two_markets() -> Iterator[Snapshot]:
    """Yes and No of two markets, each with its own slug."""
    others = market("eth", token=NO, slug="eth-up")
    for n in range(3):
        at = moment(15 * n)
        yield seen_at(
            at, markets=(market(slug="btc-up"), others), books=[book(token=YES), book(token=NO)], payouts={NO: Decimal(n)}
        )


@pytest.mark.parametrize("name", ["eth", "eth-up", NO, "0xeth"])
def test_markets_are_chosen_by_any_of_their_names(tmp_path: Path, name: str) -> None:
    """By name, slug, token or condition; everything of the others stays closed."""
    write_tape(tmp_path / "tape", two_markets())
    columns = open_tape(tmp_path / "tape", markets=[name])
    assert [token.token for token in columns.tokens] == [NO]
    assert [each.name for each in snapshot(columns, 2).markets] == ["eth"]
    assert [payout.pays for payout in columns.payouts] == [0, 1, 2]


def test_what_a_tape_does_not_have_is_said(tmp_path: Path) -> None:
    """A market, a time, a tape."""
    write_tape(tmp_path / "tape", two_markets())
    for refused, said in (
        ({"markets": ["doge"]}, "no market is called doge"),
        ({"from_ms": NOON_MS + DAY_MS}, "no tick between the times"),
    ):
        with pytest.raises(TapeInvalid, match=said):
            open_tape(tmp_path / "tape", **refused)
    with pytest.raises(TapeInvalid, match="is no tape"):
        open_tape(tmp_path)


def test_a_file_with_a_name_that_no_file_can_have_is_missing(tmp_path: Path) -> None:
    """A damaged manifest may name anything."""
    write_tape(tmp_path / "tape", two_markets())
    path = tmp_path / "tape" / MANIFEST_FILE
    path.write_text(path.read_text().replace(GRID_FILE, "x" * 300))
    with pytest.raises(TapeInvalid, match="xxx: missing"):
        read_manifest(tmp_path / "tape")


DUST = Decimal("1.0000000000000000000000000001")


@pytest.mark.parametrize("odd", [Level(Decimal("0.1234567"), Decimal(1)), Level(Decimal("0.5"), DUST)])
def test_a_book_that_is_finer_than_a_millionth_is_left_out_and_counted(tmp_path: Path, odd: Level) -> None:
    """It would not come back exactly; the tick's other inputs stay."""
    fine = replace(book(), bids=(odd,), asks=())
    columns = written(tmp_path, seen(0), replace(seen(15), books={YES: fine}), seen(30))
    (entry,) = read_manifest(tmp_path / "tape").tokens
    assert columns.tokens[0].present.tolist() == [True, False, True]
    assert (entry.books, entry.left_out) == (2, 1)
    assert len(snapshot(columns, 1).references) == 1


def test_a_quiet_book_is_kept_once(tmp_path: Path) -> None:
    """However often it was asked for; a level that changes makes a new row."""
    columns = written(tmp_path, seen(0), seen(15), seen(30, size=400), seen(45, size=400))
    rows = [entry.rows for name, entry in read_manifest(tmp_path / "tape").files.items() if "levels" in name]
    assert rows == [2]
    assert [each.books[YES].bids[0].size for each in all_of(columns)] == [500, 500, 400, 400]


@pytest.mark.slow
def test_books_are_found_in_every_part_and_batch(tmp_path: Path) -> None:
    """A long day is written in several parts of several batches each."""
    deep = [book(requested=moment(n), levels=200, size=n + 1, step="0.001") for n in range(700)]
    ticks = [seen_at(moment(n), books=[each]) for n, each in enumerate(deep)]
    columns = written(tmp_path, *ticks)
    assert len(list((tmp_path / "tape").rglob("levels-*.arrow"))) > 1
    assert all(snapshot(columns, tick) == ticks[tick] for tick in (0, 255, 256, 654, 655, 656, 657, 699, 3))


def test_half_a_tape_is_never_there(tmp_path: Path) -> None:
    """When the snapshots break off with an error, nothing stays behind."""

    def breaking() -> Iterator[Snapshot]:
        yield seen(0)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_tape(tmp_path / "tape", breaking())
    assert list(tmp_path.iterdir()) == []


def test_a_tape_is_not_written_over_another(tmp_path: Path) -> None:
    """Nor is one without a tick."""
    written(tmp_path, seen(0))
    with pytest.raises(TapeInvalid, match="is there already"):
        write_tape(tmp_path / "tape", [seen(0)])
    with pytest.raises(TapeInvalid, match="not one tick"):
        write_tape(tmp_path / "empty", [])


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(TapeInvalid, match="cannot be written"):
        write_tape(tmp_path / "file" / "tape", [seen(0)])


def test_a_damaged_tape_is_named(tmp_path: Path) -> None:
    """A lost or a cut file when the tape is opened; a changed byte when the hashes are checked."""
    written(tmp_path, seen(0), seen(15))
    tape = tmp_path / "tape"
    assert damaged_files(tape) == ()
    (levels,) = tape.rglob("levels-*.arrow")
    good = levels.read_bytes()
    levels.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert damaged_files(tape) == (levels.relative_to(tape).as_posix(),)
    with pytest.raises(TapeInvalid, match="books cannot be read"):
        snapshot(open_tape(tape), 0)
    levels.write_bytes(good[:-1])
    with pytest.raises(TapeInvalid, match=r"not [0-9]+ bytes"):
        open_tape(tape)
    levels.unlink()
    with pytest.raises(TapeInvalid, match="missing"):
        open_tape(tape)


@pytest.mark.parametrize(("change", "said"), [({"format": 2}, "format 2"), ({"ticks": "x"}, "ticks"), ({"more": 1}, "more")])
def test_a_manifest_that_this_version_cannot_read_is_said(tmp_path: Path, change: dict[str, object], said: str) -> None:
    """By the place of the mistake."""
    written(tmp_path, seen(0))
    path = tmp_path / "tape" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(TapeInvalid, match=said):
        open_tape(tmp_path / "tape")


def parts(manifest_files: Sequence[str]) -> set[str]:
    """The first two levels of the files' names."""
    return {"/".join(name.split("/")[:2]) for name in manifest_files}


def test_each_utc_day_has_its_own_directory_of_each_token(tmp_path: Path) -> None:
    """Also of a token that is seen on one day only."""
    late = seen(86_400, of=market(token=NO))
    columns = written(tmp_path, seen(0), late, seen(86_415))
    found = parts(list(read_manifest(tmp_path / "tape").files))
    assert found >= {f"2026-03-02/{YES}", f"2026-03-03/{YES}", f"2026-03-03/{NO}"}
    assert f"2026-03-02/{NO}" not in found
    assert snapshot(columns, 1) == late
