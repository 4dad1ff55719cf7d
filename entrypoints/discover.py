"""`spelar discover`: one scan for markets, as a table or as JSON, with the reason why each was kept or left."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from adapters.clock import SystemClock
from adapters.discovery import Candidate, Wishes
from adapters.portal.cells import iso
from adapters.portal.scan import scan_rows
from entrypoints.container import Container
from entrypoints.settings import Settings
from entrypoints.wishes import wishes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed; None takes the settings' word. `binary` False looks for the draws of matches."""

    search: str | None = None
    limit: int | None = None
    binary: bool | None = None

    def over(self, wishes: Wishes) -> Wishes:
        """The settings' wishes with what was typed."""
        asked = replace(
            wishes,
            search=wishes.search if self.search is None else self.search,
            limit=wishes.limit if self.limit is None else self.limit,
        )
        if self.binary is None:
            return asked
        led = self.binary and wishes.falling_words_refused
        words = wishes.led_by if led else ()
        return replace(asked, binary_only=self.binary, draws_only=not self.binary, falling_words_refused=led, led_by=words)


async def discovered(settings: Settings, asked: Asked) -> tuple[Candidate, ...]:
    """What one scan meets. Raises `Unavailable`."""
    container = Container(settings=settings, clock=SystemClock(), entries=())
    try:
        return await container.discovery(wishes=asked.over(wishes_of(settings, container.rules().strategy))).scan()
    finally:
        for client in container.clients():
            await client.aclose()


def as_json(candidates: Iterable[Candidate]) -> list[dict[str, object]]:
    """The rows of `pm_scan_candidates.csv` as objects: numbers as decimal strings, unknown ones null."""
    return [
        row._asdict()
        | {
            "ts": iso(row.ts.at_ms),
            "liquidity_usdc": None if row.liquidity_usdc is None else f"{row.liquidity_usdc:f}",
            "spread": None if row.spread is None else f"{row.spread:f}",
        }
        for row in scan_rows(candidates)
    ]


def show(candidates: Sequence[Candidate], console: Console) -> None:
    """A table, what was kept on top, and how many were left for which reason."""
    table = Table("reason", "market", "kind", "liquidity", "spread", "notes", title_justify="left", expand=False)
    for candidate in sorted(candidates, key=lambda candidate: not candidate.kept):
        table.add_row(
            candidate.reason,
            _lines(candidate.market, candidate.slug or candidate.event.slug),
            candidate.kind,
            "" if candidate.liquidity_usdc is None else f"{candidate.liquidity_usdc:.0f}",
            "" if candidate.spread is None else f"{candidate.spread:f}",
            candidate.notes,
        )
    if candidates:
        console.print(table)
    reasons = Counter(candidate.reason for candidate in candidates)
    counted = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    console.print(f"{len(candidates)} markets looked at" + (f": {counted}" if counted else ""))


def _lines(name: str, slug: str) -> str:
    return name if name == slug else f"{name}\n{slug}"
