"""Other people's recordings: every layout is recognised, speaks in the venues' words, and breaks off with a warning."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.simulated_venues import RecordingInvalid
from adapters.tape.importers.layouts import read_source
from adapters.tape.importers.wire import SETTLED_AFTER_MS, stand_in_token

CONDITION = f"0x{'ab' * 32}"
END_MS = 1_790_000_900_000
UP, DOWN = stand_in_token(CONDITION, "Up"), stand_in_token(CONDITION, "Down")
BOOK = {"ts": END_MS - 1_000, "m": 0, "side": "UP", "bids": [[0.5, 1.9300000000000002]], "asks": [[0.51, 2]]}
MARKET = {
    "market_id": CONDITION,
    "slug": "btc-updown-15m-1",
    "question": "Up or down?",
    "category": "crypto",
    "end_ts": END_MS,
    "outcome_up": "Up",
    "outcome_down": "Down",
    "payout_up": 0.0,
    "payout_down": 1.0,
}
TOP = ",".join(f"{side}_{what}" for side in ("up", "down") for what in ("best_bid", "best_ask", "bid_depth", "ask_depth"))
SNAPSHOTS = f"iter,candle_id,timestamp,{TOP},btc_price"
CANDLES = f"iter,candle_id,condition_id,slug,title,end_time,winner\n1,1,{CONDITION},btc-5m,Up or down?,{END_MS // 1000}.0,up\n"
BIDS = [{"price": "0.4", "size": "5"}]
EVENT = {"market": CONDITION, "asset_id": "77", "timestamp": "1776326412633", "bids": BIDS, "asks": []}


def lines(path: Path, *rows: object, packed: bool = False) -> Path:
    """The rows as JSON lines in a file."""
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def resolvedkit(directory: Path, *books: object, market: object = MARKET) -> Path:
    """A directory in resolvedkit's layout."""
    lines(directory / "markets.jsonl", market)
    lines(directory / "books.jsonl.gz", *books, packed=True)
    return directory


def leafuryk(directory: Path, *rows: str, candles: str = CANDLES) -> Path:
    """A directory in leafuryk's layout."""
    (directory / "candles.csv").write_text(candles)
    (directory / "snapshots.csv").write_text("\n".join([SNAPSHOTS, *rows, ""]))
    return directory


def bodies(path: Path) -> dict[str, object]:
    """The newest body of every path of a source."""
    return {frame.path: frame.body() for frame in sorted(read_source(path).frames, key=lambda frame: frame.t_ms)}


def test_resolvedkit_books_carry_their_market_and_its_payout(tmp_path: Path) -> None:
    """A size that somebody computed with is what it was before."""
    found = bodies(resolvedkit(tmp_path, BOOK))
    book, settled = found[f"/book?token_id={UP}"], found[f"/markets/{CONDITION}"]
    assert isinstance(book, dict)
    assert isinstance(settled, dict)
    assert (book["bids"], book["asks"]) == ([{"price": "0.5", "size": "1.93"}], [{"price": "0.51", "size": "2"}])
    assert [(row["token_id"], row["winner"]) for row in settled["tokens"]] == [(UP, False), (DOWN, True)]


def test_a_market_is_listed_then_closed_then_settled(tmp_path: Path) -> None:
    """From its first book on, at its end, and a minute later."""
    frames = [frame for frame in read_source(resolvedkit(tmp_path, BOOK)).frames if "/markets" in frame.path]
    accepting = [json.loads(frame.text)["body"].get("acceptingOrders") for frame in frames]
    assert [frame.t_ms for frame in frames] == [END_MS - 1_000, END_MS, END_MS + SETTLED_AFTER_MS]
    assert accepting == [True, False, None]


@pytest.mark.parametrize(("up", "down", "answers"), [(None, None, 2), (0.5, 0.5, 3)])
def test_a_payout_that_is_not_known_is_not_invented(tmp_path: Path, up: float | None, down: float | None, answers: int) -> None:
    """And one half each is what the venue calls a 50-50 outcome."""
    source = read_source(resolvedkit(tmp_path, BOOK, market=MARKET | {"payout_up": up, "payout_down": down}))
    frames = [frame for frame in source.frames if "/markets" in frame.path]
    assert len(frames) == answers
    assert up is None or json.loads(frames[-1].text)["body"]["is_50_50_outcome"] is True


def test_leafuryk_rows_are_the_best_levels_and_the_price_of_the_reference(tmp_path: Path) -> None:
    """A side that was empty stays empty."""
    found = bodies(leafuryk(tmp_path, f"1,1,{END_MS // 1000 - 9}.119693,0.99,,55524.283599999995,0.0,,0.01,0.0,7,66163.24"))
    up, down, spot = (
        found[path] for path in (f"/book?token_id={UP}", f"/book?token_id={DOWN}", "/0/public/Ticker?pair=XBTUSD")
    )
    assert isinstance(up, dict)
    assert isinstance(down, dict)
    assert isinstance(spot, dict)
    assert (up["bids"], up["asks"]) == ([{"price": "0.99", "size": "55524.2836"}], [])
    assert (down["bids"], down["asks"]) == ([], [{"price": "0.01", "size": "7"}])
    assert Decimal(spot["result"]["XBTUSD"]["c"][0]) == Decimal("66163.24")


def test_cronosvirus_events_keep_the_venues_words(tmp_path: Path) -> None:
    """The token's market is not described, so its name goes along."""
    source = read_source(
        lines(tmp_path / "full.jsonl.gz", {"recv": 1776326412.63, "slug": "btc-5m", "raw": EVENT}, packed=True)
    )
    (frame,) = source.frames
    assert (frame.t_ms, frame.body()) == (1776326412630, EVENT)
    assert source.unlisted == {"77": "btc-5m"}


def test_a_file_that_breaks_off_is_read_up_to_there_with_a_warning(tmp_path: Path) -> None:
    """A gzip file that was cut, and a line that was."""
    path = resolvedkit(tmp_path, *[BOOK | {"ts": BOOK["ts"], "n": n} for n in range(500)]) / "books.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    source = read_source(tmp_path)
    assert "breaks off after line" in source.warnings[0]
    assert 1 < len(source.frames) <= 503
    path.write_bytes(gzip.compress(json.dumps(BOOK).encode() + b'\n{"ts": 17'))
    assert "line 2 is broken" in read_source(tmp_path).warnings[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"m": 1}, "line 1: market 1 or side 'UP' is not known"),
        ({"side": "UPWARDS"}, "side 'UPWARDS' is not known"),
        ({"bids": [[0.5]]}, "line 1: bids.0"),
        ({"bids": [["NaN", 1]]}, "line 1: a number is none"),
        ({"asks": [[0.5, "1e-999999999"]]}, "line 1: a number is none"),
        ({"asks": [["Infinity", "Infinity"]]}, "line 1: a number is none"),
        ({"ts": 10**300}, "line 1: ts"),
        ({"ts": "noon"}, "line 1: ts"),
        ({"ts": END_MS // 1000}, "line 1: ts"),
    ],
)
def test_a_row_that_says_something_else_is_refused_with_its_line(tmp_path: Path, change: dict[str, object], said: str) -> None:
    """What is not understood must not become a trade."""
    with pytest.raises(RecordingInvalid, match=said):
        read_source(resolvedkit(tmp_path, BOOK | change))


def test_a_csv_row_that_says_something_else_is_refused_with_its_line(tmp_path: Path) -> None:
    """A number that is none, a candle that is not there, a column that is missing."""
    with pytest.raises(RecordingInvalid, match=r"snapshots.csv, line 2: a number is none"):
        read_source(leafuryk(tmp_path, "1,1,noon,0.99,,5,0,,0.01,0,7,66163"))
    with pytest.raises(RecordingInvalid, match=r"line 2: .*'2'.* is missing"):
        read_source(leafuryk(tmp_path, "1,2,1,0.99,,5,0,,0.01,0,7,66163"))
    with pytest.raises(RecordingInvalid, match=r"candles.csv, line 2: 'slug' is missing"):
        read_source(leafuryk(tmp_path, candles="iter,candle_id\n1,1\n"))


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    """Nothing there, nothing in it, and something else altogether."""
    with pytest.raises(RecordingInvalid, match="is not there"):
        read_source(tmp_path / "nothing")
    with pytest.raises(RecordingInvalid, match="is none of the layouts resolvedkit, leafuryk, cronosvirus, frames"):
        read_source(lines(tmp_path / "other.jsonl", {"a": 1}))
    with pytest.raises(RecordingInvalid, match="holds no book"):
        read_source(resolvedkit(tmp_path))


@pytest.mark.parametrize("text", ["-Infinity", '"\\ud800"', "[" * 100_000])
def test_a_line_of_which_nothing_can_be_written_is_where_the_reading_ends(tmp_path: Path, text: str) -> None:
    """A number that is none, half of a surrogate pair, brackets without end."""
    path = lines(tmp_path / "full.jsonl", {"recv": 1776326412.63, "slug": "btc-5m", "raw": EVENT})
    path.write_text(f'{path.read_text()}{{"recv": 1776326413, "slug": {text}, "raw": {{}}}}\n')
    source = read_source(path)
    assert len(source.frames) == 1
    assert "full.jsonl" in source.warnings[0]


@pytest.mark.parametrize("end", ["9" * 300, "-1", "nan", "1577836799.9", f"{END_MS}.0"])
def test_a_time_that_no_market_can_have_is_refused(tmp_path: Path, end: str) -> None:
    """With the line: no date can be written of it."""
    candles = CANDLES.replace(f"{END_MS // 1000}.0", end)
    with pytest.raises(RecordingInvalid, match="line 2: a number is none"):
        read_source(leafuryk(tmp_path, candles=candles))


def test_a_row_that_is_too_short_is_refused_with_its_line(tmp_path: Path) -> None:
    """Nobody says who won in a row that ends before."""
    with pytest.raises(RecordingInvalid, match="line 3: a cell is missing"):
        read_source(leafuryk(tmp_path, candles=f"{CANDLES}1,2,{CONDITION}\n"))
