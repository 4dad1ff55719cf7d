"""What the agent recorded becomes a tape that gives the agent's own trades again."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from adapters.market_map import MarketMap
from adapters.simulated_venues import RecordingInvalid
from adapters.tape import TapeInvalid
from adapters.tape.columns import Columns
from adapters.tape.manifest import Manifest
from adapters.tape.screen import Screen
from adapters.tape.segments import segments
from adapters.tape.tape import open_tape, snapshot
from adapters.tape.turns import EveryTick, Turns
from domain.decision import Reason
from domain.ledger import Ledger
from domain.protections import Record
from entrypoints.compile import Compile, compiled
from entrypoints.playback import snapshots
from entrypoints.replaying import Replay
from entrypoints.replaying import replayed as replayed_tape
from entrypoints.rules import rules_of
from entrypoints.settings import Settings
from entrypoints.verify import compared, replayed
from entrypoints.written import Row, VerifyRefused, Written, refuse_tape
from tests.builders import NOON_MS
from tests.entrypoints.lived import LEDGER_ID, Life
from tests.fakes import MemoryLedger

pytestmark = pytest.mark.slow

BRISK = {
    "INTERVAL_S": "5",
    "LEAD_LAG_SPOT_MOVE_MIN_PCT": "0.05",
    "LEAD_LAG_EDGE_MIN_PCT": "0.05",
    "LEAD_LAG_EDGE_EXIT_PCT": "0.01",
    "LEAD_LAG_MAX_HOLD_SECS": "60",
    "FAIR_MODEL_MAX_HOLD_SECS": "60",
    "PM_DRAW_MAX_HOLD_SECS": "60",
    "PM_DRAW_EDGE_MIN_PCT": "0.5",
    "PM_DRAW_EDGE_EXIT_PCT": "0.1",
}
"""Settings that trade again and again within some minutes."""


def tape_of(tape: Path, *recordings: Path) -> tuple[Manifest, Columns]:
    """A tape of these recordings."""
    manifest = compiled(Compile(sources=recordings, tape=tape, settings=Settings()), Console(quiet=True))
    return manifest, open_tape(tape)


def rows_on(columns: Columns, settings: Settings, *, every_tick: bool = False) -> list[bytes]:
    """The lines of the trade log that a replay of the tape writes."""
    rules = rules_of(settings)
    turns: Turns = EveryTick(columns) if every_tick else Screen(columns, rules)
    opening = Ledger.opened_with(settings.start_balance_usd)
    return [Row.of(trade).line for trade in replayed_tape(Replay(columns=columns, rules=rules, opening=opening), turns).trades]


def verified(life: Life, recording: Path) -> list[bytes]:
    """The lines that the session wrote, which `spelar verify` finds to be those of its recording."""
    rows = [Row.of(trade) for trade in life.trades]
    written = Written(name="trades", ledger_id=LEDGER_ID, rows=rows, sequence=life.store.load().sequence)
    found = compared(written, replayed(recording, written))
    assert found.difference == ""
    assert found.trades == len(rows)
    return [row.line for row in rows]


def test_a_tape_of_a_session_gives_its_trades_byte_for_byte(tmp_path: Path) -> None:
    """As `spelar verify` says that they were made; screened and not; with the settings that the session had."""
    assert proven(tmp_path, Life(tmp_path / "recording", BRISK).live(60)) > 2


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lead_lag", "pm_trend", "pm_draw", "fair_model"])
@pytest.mark.parametrize("seed", [7, 8])
def test_so_does_a_longer_one_in_every_mode(tmp_path: Path, mode: str, seed: int) -> None:
    """With orders that wait for a later book, too."""
    environment = {**BRISK, "STRATEGY_MODE": mode, "PAPER_LATENCY_MS": "250" if seed == 8 else "0"}
    life = Life(tmp_path / "recording", environment, seed=seed)
    assert proven(tmp_path, life.live(250)) > 5


PROTECTED = {
    **BRISK,
    "PM_MAX_LOSSES_IN_A_ROW": "3",
    "PM_MAX_DRAWDOWN_PCT": "5",
    "PM_MAX_EXPOSURE_USDC": "12",
    "PM_MAX_EXPOSURE_MARKET_USDC": "8",
}


def test_so_does_one_with_protections_over_midnight(tmp_path: Path) -> None:
    """What they remember begins with the session, and a screened replay forgets none of it."""
    midnight_ms = NOON_MS + 12 * 3_600_000
    life = Life(tmp_path / "recording", PROTECTED, start_ms=midnight_ms - 200_000).live(80)
    assert proven(tmp_path, life) > 2
    said = {verdict.cause.reason for report in life.store.reports for verdict in report.verdicts}
    assert {Reason.TOTAL_EXPOSURE, Reason.LOSSES_IN_A_ROW} & said


def test_a_session_remembers_what_the_one_before_it_did_or_more(tmp_path: Path) -> None:
    """An older version recorded nothing of the protections; but what was recorded is what the next session begins with."""
    life = Life(tmp_path / "recording", BRISK).live(10)
    trades = [*life.trades]
    state = life.store.load()
    for losses, difference in ((0, ""), (5, "begins with another state")):
        record = replace(state.memory.record or Record.of(state.ledger), losses=losses)
        life.store = MemoryLedger(replace(state, memory=replace(state.memory, record=record)))
        trades += life.live(5).trades
        state = life.store.load()
        rows = [Row.of(trade) for trade in trades]
        written = Written(name="trades", ledger_id=LEDGER_ID, rows=rows, sequence=state.sequence)
        assert difference in (found := compared(written, replayed(tmp_path / "recording", written)).difference)
        assert bool(found) is bool(difference)


def proven(tmp_path: Path, life: Life) -> int:
    """How many trades the session, its recording and the tape of that agree on."""
    lines = verified(life, tmp_path / "recording")
    manifest, columns = tape_of(tmp_path / "tape", tmp_path / "recording")
    assert (manifest.ticks, manifest.gaps) == (life.store.load().sequence, ())
    assert rows_on(columns, life.settings) == rows_on(columns, life.settings, every_tick=True) == lines
    return len(lines)


def test_the_tape_holds_what_each_committed_tick_knew_and_what_was_in_force(tmp_path: Path) -> None:
    """Snapshot for snapshot; fees and steps are in the manifest; a tick that was not committed is nowhere."""
    Life(tmp_path / "recording", BRISK).live(20, lost=3)
    manifest, columns = tape_of(tmp_path / "tape", tmp_path / "recording")
    assert [snapshot(columns, tick) for tick in range(len(columns.grid))] == list(snapshots(tmp_path / "recording"))
    assert manifest.ticks == 17
    assert all(token.fees and token.tick_sizes for token in manifest.tokens if token.market)
    assert manifest.sources == ("recording",)


def test_sessions_of_one_ledger_share_a_timeline_with_a_gap_between_them(tmp_path: Path) -> None:
    """And up to the gap a replay gives what the agent did; behind it the agent remembered what a tape does not hold."""
    life = Life(tmp_path / "recording", BRISK).live(40, lost=2)
    first = [Row.of(trade).line for trade in life.trades]
    life.at_ms += 60_000
    lines = verified(life.live(10), tmp_path / "recording")
    manifest, columns = tape_of(tmp_path / "tape", tmp_path / "recording")
    (gap,) = manifest.gaps
    assert (gap.first, gap.why) == (38, "the agent was away")
    assert columns.grid.gap.nonzero()[0].tolist() == [38]
    assert [snapshot(columns, tick) for tick in range(48)] == list(snapshots(tmp_path / "recording"))
    assert first
    assert rows_on(columns, life.settings)[: len(first)] == first == lines[: len(first)]


def test_recordings_of_two_ledgers_are_put_one_behind_the_other(tmp_path: Path) -> None:
    """The second one's own timeline begins anew; on the tape time only rises, by what the clock on the wall says."""
    Life(tmp_path / "one", BRISK).live(10)
    Life(tmp_path / "two", BRISK, start_ms=NOON_MS + 3_600_000).live(10)
    manifest, columns = tape_of(tmp_path / "tape", tmp_path / "two", tmp_path / "one")
    grid = columns.grid
    assert (manifest.gaps[0].first, len(manifest.gaps)) == (10, 1)
    assert ((grid.elapsed_ms - grid.at_ms) == grid.elapsed_ms[0] - grid.at_ms[0]).all()
    seen = snapshot(columns, 15)
    assert all(seen.moment.elapsed_ms <= book.requested.elapsed_ms <= seen.ready.elapsed_ms for book in seen.books.values())
    with pytest.raises(TapeInvalid, match="begins before"):
        tape_of(tmp_path / "twice", tmp_path / "one", tmp_path / "one")


def test_what_a_writer_that_was_killed_left_is_compiled_and_a_changed_byte_is_a_warning(tmp_path: Path) -> None:
    """Whole ticks before either; a byte in the first line leaves nothing."""
    Life(tmp_path / "recording", BRISK).live(20)
    (segment,) = segments(tmp_path / "recording")
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    killed, _ = tape_of(tmp_path / "killed", tmp_path / "recording")
    assert 5 < killed.ticks < 20
    assert killed.warnings == ()
    at = len(whole) // 2
    segment.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
    changed, _ = tape_of(tmp_path / "changed", tmp_path / "recording")
    assert 5 < changed.ticks < 20
    assert f"{segment.name}, line " in changed.warnings[0]
    segment.write_bytes(whole[:40] + bytes([whole[40] ^ 0x10]) + whole[41:])
    with pytest.raises(RecordingInvalid, match="line 1"):
        tape_of(tmp_path / "nothing", tmp_path / "recording")
    assert not (tmp_path / "nothing").exists()


def test_who_only_watches_learns_what_every_market_paid_too(tmp_path: Path) -> None:
    """Else a replay would hold a window's shares for ever; playback gives the very same, and nothing is followed too long."""
    entries = [
        {"name": outcome, "polymarket": {"market_slug": "btc-updown-5m-*", "outcome": outcome}} for outcome in ("Up", "Down")
    ]
    places = MarketMap.model_validate({"version": 1, "markets": entries}).markets
    life = Life(tmp_path / "recording", BRISK | {"INTERVAL_S": "20"}).watch(34, *places)
    _, columns = tape_of(tmp_path / "tape", tmp_path / "recording")
    assert len(columns.grid) == 34
    assert len(columns.payouts) == 4
    assert sum(payout.pays for payout in columns.payouts) == 2
    assert {len(snapshot(columns, tick).markets) for tick in range(34)} == {2}
    assert not life.trades


def test_own_recordings_keep_their_ticks_to_themselves(tmp_path: Path) -> None:
    """Neither another interval nor somebody else's frames go with them."""
    Life(tmp_path / "recording", BRISK).live(3)
    frames = tmp_path / "frames.jsonl"
    frames.write_text('{"t": 1, "source": "kraken_spot", "path": "/0/public/Ticker?pair=XBTUSD", "body": {}}\n')
    with pytest.raises(RecordingInvalid, match="has no ticks of its own"):
        tape_of(tmp_path / "tape", tmp_path / "recording", frames)
    order = Compile(sources=[tmp_path / "recording"], tape=tmp_path / "tape", settings=Settings(), told=["--interval"])
    with pytest.raises(RecordingInvalid, match="--interval cannot change them"):
        compiled(order, Console(quiet=True))


def test_verifying_says_what_a_compiled_tape_proves(tmp_path: Path) -> None:
    """Its own files, and no session."""
    Life(tmp_path / "recording", BRISK).live(3)
    tape_of(tmp_path / "tape", tmp_path / "recording")
    refuse_tape(tmp_path / "recording")
    with pytest.raises(VerifyRefused, match=r"compiled tape: its files are as they were written.*Give the recording"):
        refuse_tape(tmp_path / "tape")
    grid = tmp_path / "tape/grid.parquet"
    grid.write_bytes(grid.read_bytes()[:-1] + b"?")
    with pytest.raises(VerifyRefused, match=r"not as they were written \(grid\.parquet\)"):
        refuse_tape(tmp_path / "tape")
