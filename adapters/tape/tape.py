"""A tape: opened as columns of the stretch and the markets that are asked for, and any tick of them as an exact snapshot."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adapters.tape import TapeInvalid
from adapters.tape.columns import Columns, Roster
from adapters.tape.levels import opener
from adapters.tape.manifest import Manifest, read_manifest
from adapters.tape.reading import Window, read_grid, read_payouts, read_references, read_rosters, read_token
from adapters.tape.snapshots import Snapshots
from domain.market import Market, Snapshot, TokenId, tokens_of


def open_tape(
    path: Path, from_ms: int | None = None, to_ms: int | None = None, markets: Collection[str] | None = None
) -> Columns:
    """The columns of a tape, from `from_ms` to before `to_ms` (UTC ms), of the markets that are called so.

    A market is called by its name, slug, event, condition or token; the legs of its match come along. Raises `TapeInvalid`.
    """
    manifest = read_manifest(path)
    window, grid = read_grid(path, from_ms, to_ms)
    if not len(window):
        raise TapeInvalid(f"{path}: no tick between the times that were asked for")
    rosters = read_rosters(path, window)
    if markets is not None:
        rosters = tuple(_called(roster, frozenset(markets)) for roster in rosters)
        if not any(roster.markets for roster in rosters):
            raise TapeInvalid(f"{path}: no market is called {' or '.join(sorted(markets))}")
    tokens = tuple(_tokens(rosters, manifest, alone=markets is not None))
    days, opened = _days(path, manifest, window), opener()
    return Columns(
        grid=grid,
        tokens=tuple(read_token(token, days, window, rosters, opened) for token in tokens),
        references=read_references(path, manifest, window),
        payouts=read_payouts(path, window, None if markets is None else frozenset(tokens)),
        rosters=rosters,
    )


def _called(roster: Roster, names: frozenset[str]) -> Roster:
    return replace(roster, markets=tuple(market for market in roster.markets if names & _names(market)))


def _names(market: Market) -> set[str]:
    return {market.name, market.slug, market.event, market.condition or "", market.token or ""} - {""}


def _tokens(rosters: Iterable[Roster], manifest: Manifest, *, alone: bool) -> Iterable[TokenId]:
    """The tokens in map order; unless they are wanted `alone`, then those that only had books."""
    followed = dict.fromkeys(token for roster in rosters for token in tokens_of(roster.markets))
    return followed if alone else followed | dict.fromkeys(entry.token for entry in manifest.tokens)


def _days(path: Path, manifest: Manifest, window: Window) -> Sequence[Path]:
    """The directories of the days that lie in the window."""
    ends = [*(day.first for day in manifest.days[1:]), manifest.ticks]
    days = zip(manifest.days, ends, strict=True)
    return [path / day.day for day, end in days if day.first < window.end and end > window.first]


def snapshot(columns: Columns, tick: int) -> Snapshot:
    """What one tick knew, exactly as it was."""
    return Snapshots(columns).at(tick)
