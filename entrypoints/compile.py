"""`spelar compile`: recordings in any layout become one tape.

What the agent recorded itself has ticks of its own, which are kept; anything else is played on a grid of times.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from adapters.health import Health
from adapters.http import VenueClient
from adapters.market_map import MapEntry, MarketMap, PolymarketPart, load_market_map
from adapters.portal.cells import iso
from adapters.simulated_venues import Recording, RecordingInvalid, market_map
from adapters.simulated_venues.in_process import ORIGINS, ScriptTransport
from adapters.tape.grid_play import GridClock, Span, played
from adapters.tape.importers.layouts import read_source
from adapters.tape.importers.wire import Source
from adapters.tape.manifest import Manifest
from adapters.tape.segments import is_recording
from adapters.tape.writing import Gap, write_tape
from domain.market import Snapshot
from entrypoints import VERSION
from entrypoints.container import Container
from entrypoints.own_recordings import ticks_of
from entrypoints.settings import Settings

CLIENTS = {
    "polymarket_clob": "clob_client",
    "polymarket_gamma": "gamma_client",
    "kraken_spot": "spot_client",
    "kraken_futures": "futures_client",
}
"""The container's name of each source's client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """What to compile, and where to. `interval_s` and the way markets are followed are those of the settings.

    `told` are the options that were given of how to play recordings without ticks.
    """

    sources: Sequence[Path]
    tape: Path
    settings: Settings
    told: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """Ticks on their way into a tape. The span of their times (UTC ms) is None where it is not known before they are read."""

    items: Iterable[Snapshot | Gap]
    span_ms: tuple[int, int] | None = None


def compiled(order: Compile, console: Console) -> Manifest:
    """Write the tape; prints warnings and a summary.

    Raises `RecordingInvalid`, `MapInvalid`, `SettingsInvalid`, `TapeInvalid`.
    """
    warnings: list[str] = []
    own = [path for path in order.sources if is_recording(path)]
    ticks = _own(order, own, warnings) if own else _on_a_grid(order, warnings)
    manifest = write_tape(
        order.tape,
        _shown(ticks, console),
        sources=[path.name for path in order.sources],
        warnings=warnings,
        version=VERSION,
    )
    for warning in warnings:
        console.print(f"warning: {warning}", style="yellow")
    console.print(summary(manifest, order.tape))
    return manifest


def _own(order: Compile, own: Sequence[Path], warnings: list[str]) -> Ticks:
    """The ticks that the agent itself recorded."""
    strange = next((path for path in order.sources if path not in own), None)
    if strange is not None:
        raise RecordingInvalid(strange, 0, f"has no ticks of its own as {own[0]} has: compile them into two tapes")
    if order.told:
        raise RecordingInvalid(own[0], 0, f"has ticks of its own: {' and '.join(order.told)} cannot change them")
    return Ticks(items=ticks_of(own, warnings))


def _on_a_grid(order: Compile, warnings: list[str]) -> Ticks:
    """Ticks every `INTERVAL_S` over recordings that have none."""
    sources = [read_source(path) for path in order.sources]
    warnings += [warning for source in sources for warning in source.warnings]
    recording = Recording([frame for source in sources for frame in source.frames])
    heard_ms = sorted(frame.t_ms for source in sources for frame in source.frames if frame.venue != "gamma")
    span = Span(start_ms=recording.start_ms, end_ms=recording.end_ms, heard_ms=heard_ms or [recording.start_ms])
    items = snapshots_of(recording, span, _following(order.settings), _entries(order.settings, recording, sources))
    return Ticks(items=items, span_ms=(span.start_ms, span.end_ms))


def snapshots_of(recording: Recording, span: Span, settings: Settings, entries: Sequence[MapEntry]) -> Iterator[Snapshot | Gap]:
    """The recording as the agent would have seen it, every `INTERVAL_S`: the same adapters, without sockets or waiting."""
    clock, health = GridClock(span.start_ms), Health()
    transport = ScriptTransport(recording, clock.now_ms)
    clients = {
        CLIENTS[source]: VenueClient(
            source,
            origin,
            clock=clock,
            health=health,
            transport=transport,
            monotonic=clock.monotonic_s,
            dice=Random(0),  # noqa: S311 - backoff must fall the same at every compilation
        )
        for source, origin in ORIGINS.items()
    }
    container = Container(settings=settings, clock=clock, entries=entries, health=health, **clients)
    yield from played(
        span, round(settings.interval_s * 1000), clock=clock, feed=container.feed(), universe=container.universe()
    )


def _following(settings: Settings) -> Settings:
    """Follow the map that was asked for as its strategy does; without one, so that every strategy can replay it."""
    return settings if settings.market_map_path is not None else settings.model_copy(update={"strategy_mode": "lead_lag"})


def _entries(settings: Settings, recording: Recording, sources: Iterable[Source]) -> tuple[MapEntry, ...]:
    """The map that was asked for, else every outcome of every market in the recording, and the tokens without one."""
    if settings.market_map_path is not None:
        return load_market_map(settings.market_map_path)
    names = {token: name for source in sources for token, name in source.unlisted.items()}
    listed = MarketMap.model_validate(market_map(recording)).markets
    unlisted = (
        MapEntry(name=names.get(token, f"token {token[:12]}"), polymarket=PolymarketPart(clob_token_id=token))
        for token in recording.unlisted
    )
    return (*listed, *unlisted)


def _shown(ticks: Ticks, console: Console) -> Iterator[Snapshot | Gap]:
    """The items, and on a terminal how far they have come."""
    columns = TextColumn("compiling"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    start_ms, end_ms = ticks.span_ms or (0, 0)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=end_ms - start_ms or None)
        for item in ticks.items:
            at_ms = item.until_ms if isinstance(item, Gap) else item.moment.at_ms
            progress.update(task, completed=at_ms - start_ms, description=iso(at_ms))
            yield item


def summary(manifest: Manifest, tape: Path) -> Table:
    """What the tape holds."""
    table = Table(title=f"Tape {tape}", show_header=False)
    left_out = sum(token.left_out for token in manifest.tokens)
    rows = {
        "ticks": f"{manifest.ticks}",
        "from": iso(manifest.coverage[0].from_ms),
        "until": iso(manifest.coverage[-1].until_ms),
        "gaps": f"{len(manifest.gaps)}, {sum(gap.until_ms - gap.from_ms for gap in manifest.gaps) / 1000:.0f} s",
        "tokens": f"{len(manifest.tokens)}",
        "books": f"{sum(token.books for token in manifest.tokens)}" + (f", {left_out} left out" if left_out else ""),
        "references": ", ".join(f"{key.source} {key.symbol}" for key in manifest.references) or "none",
        "size": f"{sum(entry.size for entry in manifest.files.values()) / 1e6:.1f} MB",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
