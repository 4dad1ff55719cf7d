"""Segments and frames: what was written is read back to the byte, and whatever happened to a file is said."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulated_venues.frames import RecordingInvalid, read_frames
from adapters.tape.frames import Exchange, exchange_of, line_of
from adapters.tape.playback import recorded
from adapters.tape.segments import HOUR_MS, Line, SegmentWriter, read_lines, segments
from adapters.tape.session import Session, session_in, session_line
from adapters.wire_numbers import strict_json
from domain.market import Moment
from domain.protections import Record
from domain.state import Memory
from tests.builders import NOON_MS, YES, moment, state

BOOKS = b'[{"asset_id":"1001","bids":[{"price":"0.450","size":"10"}]}, 1.10, "\\u00e9"]'


def exchange(content: bytes | None = BOOKS, **changes: object) -> Exchange:
    """A request for books, and its answer."""
    asked = Exchange(
        source="polymarket_clob",
        method="POST",
        path="/books",
        request='[{"token_id": "1001"}]',
        sent=moment(0),
        at=moment(1),
        tick=7,
        status=200,
        headers={"Age": "2"},
        content=content,
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def written(folder: Path, lines: int, *, at_ms: int = NOON_MS, close: bool = True, first: str = "session") -> list[bytes]:
    """Some lines in one life of a writer; without `close` it dies."""
    writer = SegmentWriter(folder)
    texts = [json.dumps({"t": at_ms, "kind": first if n == 0 else "note", "n": n}).encode() for n in range(lines)]
    for text in texts:
        writer.write(text, at_ms)
    if close:
        writer.close()
    return texts


def numbers(lines: list[Line]) -> list[int]:
    """The number in each line."""
    return [json.loads(line.text)["n"] for line in lines]


def flipped(path: Path, at: int) -> None:
    """Change one byte of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0xFF
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "given_exchange",
    [
        exchange(),
        exchange(b'{"error":[],"result":{"X":1e-7}}', method="GET", path="/0/public/Ticker?pair=XBTUSD", request=""),
        exchange(None, status=404, error="unread"),
        exchange(None, status=None, headers={}, error="ConnectError: no route", tick=None),
        exchange(None, error='strange ","body":" text'),
        exchange(request='a,"body":"b"'),
    ],
)
def test_a_frame_is_read_back_as_it_was(given_exchange: Exchange) -> None:
    """Answers, refusals and failures."""
    assert exchange_of(line_of(given_exchange)) == given_exchange


def test_a_body_of_several_lines_becomes_one_that_parses_to_the_same() -> None:
    """Only blanks change."""
    pretty = b'\xef\xbb\xbf{\r\n "a": 1.10,\n "b": [2]}\n'
    read = exchange_of(line_of(exchange(pretty)))
    assert b"\n" not in line_of(exchange(pretty))
    assert strict_json(read.content or b"") == strict_json(pretty)


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b'{"a":', b'"line\nbreak"', b"\xff\xfe{\x00}\x00"])
def test_a_body_that_is_no_json_leaves_only_the_word(body: bytes) -> None:
    """It cannot stand in a line of JSON, and nothing could be read out of it."""
    read = exchange_of(line_of(exchange(body)))
    assert (read.content, read.error, read.status) == (None, "not_json", 200)


def test_a_body_that_only_looks_like_json_is_refused_again_by_its_reader() -> None:
    """It is taken at its word, and comes back as it was."""
    read = exchange_of(line_of(exchange(b'{"a" b}')))
    assert read.content == b'{"a" b}'
    with pytest.raises(ValueError, match="delimiter"):
        strict_json(read.content)


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists), st.text())
def test_any_json_and_any_path_go_through(value: object, path: str) -> None:
    """Whatever a venue says."""
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    read = exchange_of(line_of(exchange(content, path=f"/{path}")))
    assert read.path == f"/{path}"
    assert read.content == content or read.error == "not_json"


def test_lines_are_read_back_over_several_lives_of_a_writer(tmp_path: Path) -> None:
    """Each life appends a segment; names rise even when the clock stood still or went back."""
    written(tmp_path, 3)
    written(tmp_path, 2)
    written(tmp_path, 1, at_ms=NOON_MS - HOUR_MS)
    assert len(segments(tmp_path)) == 3
    assert numbers(list(read_lines(tmp_path))) == [0, 1, 2, 0, 1, 0]


def test_a_new_hour_and_a_full_file_begin_a_new_segment(tmp_path: Path) -> None:
    """The lines go on."""
    writer = SegmentWriter(tmp_path, most_bytes=200)
    for n in range(20):
        writer.write(b'{"t":1,"n":%d}' % n, NOON_MS)
    by_size = len(segments(tmp_path))
    writer.write(b'{"t":1,"n":20}', NOON_MS + HOUR_MS)
    writer.close()
    assert by_size > 2
    assert len(segments(tmp_path)) == by_size + 1
    assert numbers(list(read_lines(tmp_path))) == list(range(21))


def test_a_killed_writer_costs_no_line_that_it_has_handed_over(tmp_path: Path) -> None:
    """The file has no end, and every line is there; the next writer goes on."""
    written(tmp_path, 50, close=False)
    assert numbers(list(read_lines(tmp_path))) == list(range(50))
    written(tmp_path, 2)
    assert numbers(list(read_lines(tmp_path))) == [*range(50), 0, 1]


@pytest.mark.parametrize("kept", range(0, 400, 7))
def test_a_file_that_was_cut_anywhere_ends_with_its_last_whole_line(tmp_path: Path, kept: int) -> None:
    """As a writer leaves it that dies within a line; a later segment is read all the same."""
    written(tmp_path, 50, close=False)
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:kept])
    before = numbers(list(read_lines(tmp_path)))
    assert before == list(range(len(before)))
    assert len(before) < 50
    written(tmp_path, 2)
    assert numbers(list(read_lines(tmp_path))) == [*before, 0, 1]


@pytest.mark.parametrize("close", [True, False])
def test_a_changed_byte_is_found_and_its_line_is_named(tmp_path: Path, close: bool) -> None:
    """Wherever it is: in the header, in a line, in the end; a later segment vouches even for what no line covers."""
    written(tmp_path, 5, close=close)
    written(tmp_path, 1)
    first = segments(tmp_path)[0]
    raw = first.read_bytes()
    for at in range(len(raw)):
        flipped(first, at)
        with pytest.raises(RecordingInvalid) as found:
            list(read_lines(tmp_path))
        assert found.value.path == first
        assert 0 <= found.value.line <= 6
        first.write_bytes(raw)
    assert numbers(list(read_lines(tmp_path))) == [0, 1, 2, 3, 4, 0]


def test_the_lines_before_a_damage_are_read(tmp_path: Path) -> None:
    """So that the frame can be named that is broken."""
    written(tmp_path, 60)
    (segment,) = segments(tmp_path)
    flipped(segment, segment.stat().st_size // 2)
    read: list[Line] = []
    with pytest.raises(RecordingInvalid) as found:
        read.extend(read_lines(tmp_path))
    assert found.value.line == len(read) + 1 > 10


def test_a_segment_that_is_gone_is_missed(tmp_path: Path) -> None:
    """But the oldest ones may be thrown away."""
    for _ in range(3):
        written(tmp_path, 1)
    first, second, _ = segments(tmp_path)
    raw = second.read_bytes()
    second.unlink()
    with pytest.raises(RecordingInvalid, match="when it was begun"):
        list(read_lines(tmp_path))
    second.write_bytes(raw)
    first.unlink()
    assert numbers(list(read_lines(tmp_path))) == [0, 0]


def test_a_writer_that_goes_on_has_ended_the_segment_before(tmp_path: Path) -> None:
    """A cut file in the middle of a life is no death."""
    written(tmp_path, 3, close=False)
    written(tmp_path, 1, first="note")
    with pytest.raises(RecordingInvalid, match="breaks off"):
        list(read_lines(tmp_path))


def test_an_empty_directory_is_no_recording(tmp_path: Path) -> None:
    """Foreign files do not make it one."""
    (tmp_path / "notes.jsonl.gz").write_bytes(b"x")
    with pytest.raises(RecordingInvalid, match="no segment"):
        list(read_lines(tmp_path))


def test_a_segment_is_a_frames_file(tmp_path: Path) -> None:
    """Other readers of frames take it as it is."""
    writer = SegmentWriter(tmp_path)
    writer.write(line_of(exchange()), NOON_MS)
    writer.close()
    frames, warning = read_frames(segments(tmp_path)[0])
    assert [(frame.venue, frame.path, frame.status) for frame in frames] == [("clob", "/books", 200)]
    assert frames[0].body() == json.loads(BOOKS)
    assert warning is None


def test_moments_are_kept_on_both_timelines() -> None:
    """A corrected clock must not move a replay."""
    set_off = exchange(sent=Moment(at_ms=5, elapsed_ms=900), at=Moment(at_ms=3, elapsed_ms=901))
    assert exchange_of(line_of(set_off)).sent.elapsed_ms == 900


@pytest.mark.parametrize("line", [b'{"before', b'{"before":7}', b'{"before":["a"]}', b'{"a":' + b"[" * 100_000])
def test_a_segment_that_begins_with_no_line_of_ours_is_refused(tmp_path: Path, line: bytes) -> None:
    """Its checksums fit, and yet nobody who records wrote it."""
    written(tmp_path, 1)
    writer = SegmentWriter(tmp_path / "other")
    writer.write(line, NOON_MS)
    writer.close()
    (strange,) = (tmp_path / "other").iterdir()
    strange.rename(tmp_path / "20990101T000000.000000Z.jsonl.gz")
    with pytest.raises(RecordingInvalid):
        list(read_lines(tmp_path))


def test_a_session_begins_with_what_the_protections_remember() -> None:
    """To the last digit; a session that an older version recorded remembers nothing."""
    record = Record(day=20_514, opened=Decimal("999.123456"), peak=Decimal(1200), losses=2, results={YES: Decimal("-0.17493")})
    record = record.stopped(YES, moment(5))
    begun = Session(at_ms=NOON_MS, version="1", state=state(memory=Memory(record=record)), settings={})
    line = session_line(begun)
    assert session_in(line) == begun
    older = json.loads(line)
    assert older["state"].pop()["losses"] == 2
    assert session_in(json.dumps(older).encode()).state == state()


@pytest.mark.parametrize("cash", ["7", "1e999999"])
def test_a_session_whose_books_do_not_add_up_is_no_session(tmp_path: Path, cash: str) -> None:
    """The law is asked of what is read as of what is booked."""
    session = Session(at_ms=NOON_MS, version="1", state=state(), settings={})
    writer = SegmentWriter(tmp_path)
    writer.write(session_line(session).replace(b'"realised":"0"', b'"realised":"%b"' % cash.encode()), NOON_MS)
    writer.close()
    with pytest.raises(RecordingInvalid, match="no line of a recording"):
        list(recorded(tmp_path))
