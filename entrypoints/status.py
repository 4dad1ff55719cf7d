"""`spelar status`: how the agent stands, from its published files, for a person at a terminal and for a monitor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.portal.cells import EPOCH, iso, number, visible
from adapters.portal.published import LiveStatus, Portfolio, Published, Source, read_published
from adapters.sqlite_ledger import LEDGER_NAME, LedgerInvalid, LedgerUnwritable, SqliteLedger
from domain.telling import patience_s
from entrypoints.settings import Settings

AHEAD_S = 60.0
"""Seconds; a tick that lies further ahead of our clock has an age that nobody knows. The portal's rule."""

Lines = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The files at one moment (UTC ms), and how long the settings let a tick be away."""

    files: Published
    now_ms: int
    interval_s: float

    @property
    def age_s(self) -> float | None:
        """Seconds since the last tick that is shown; None when none is."""
        manifest = self.files.manifest
        return None if manifest is None else (self.now_ms - _ms(manifest.ts)) / 1000

    @property
    def patience_s(self) -> float:
        """Seconds after which the files are stale, and a source that fails is down: the portal's rule."""
        manifest = self.files.manifest
        return patience_s(manifest.interval_s if manifest and manifest.interval_s else self.interval_s)

    @property
    def state(self) -> str:
        """In a word or two. Who has just started shows the last tick of the run before for a moment."""
        manifest, status = self.files.manifest, self.files.status
        if manifest is None or self.age_s is None:
            return "unpublished"
        if self.age_s < -AHEAD_S:
            return "ahead"
        up_s = self.age_s if status is None else (self.now_ms - _ms(status.started_at)) / 1000
        if min(up_s, self.age_s) > self.patience_s:
            return "stale"
        return "starting" if up_s < self.age_s else "alive"

    @property
    def down(self) -> tuple[str, ...]:
        """The needed sources that have failed for so long."""
        return tuple(name for name in sorted(self.files.needed & self.files.sources.keys()) if self._is_down(name))

    def _is_down(self, name: str) -> bool:
        source, status, manifest = self.files.sources[name], self.files.status, self.files.manifest
        since_s = source.age_s
        if since_s is None and status is not None and manifest is not None:
            since_s = (manifest.ts - status.started_at).total_seconds()
        return not source.ok and (since_s or 0.0) > self.patience_s

    @property
    def wrong(self) -> tuple[str, ...]:
        """What somebody should look at; nothing when all is well."""
        return tuple(self._wrong())

    def _wrong(self) -> Iterator[str]:
        if self.age_s is None:
            yield "there are no files"
        elif self.state == "ahead":
            yield f"the last tick is {-self.age_s:.0f} s ahead of this machine's clock"
        elif self.state == "stale":
            yield f"no tick for {self.age_s:.0f} s (at most {self.patience_s:g} s are well)"
        yield from (f"{name} is down" for name in self.down)
        if self.files.status is not None and self.files.status.last_error:
            yield f"the last tick failed: {visible(self.files.status.last_error)}"
        yield from self.files.faults


def standing(settings: Settings, now_ms: int) -> Standing:
    """How the agent with these settings stands."""
    return Standing(files=read_published(settings.out_dir), now_ms=now_ms, interval_s=settings.interval_s)


def as_lines(found: Standing, settings: Settings) -> Iterator[str]:
    """Aligned lines for people."""
    shown = ""
    for name, text in _rows(found, settings):
        yield f"{name if name != shown else '':<11} {text}"
        shown = name


def _rows(found: Standing, settings: Settings) -> Lines:
    files = found.files
    if files.manifest is None:
        yield "state", f"{found.state}: {_unpublished(settings.out_dir, settings.state_dir / LEDGER_NAME)}"
    else:
        yield "state", f"{found.state}: tick {files.manifest.tick}, {found.age_s:.0f} s ago ({iso(_ms(files.manifest.ts))})"
    if files.status is not None:
        yield from _of_status(files.status)
    if files.portfolio is not None:
        yield from _of_portfolio(files.portfolio)
    for name, source in files.sources.items():
        yield "sources", _source(name, source, needed=name in files.needed)
    yield from (("wrong", text) for text in found.wrong)


def _of_status(status: LiveStatus) -> Lines:
    version = status.versions.get("spelar", "?")
    since = iso(_ms(status.started_at))
    yield "running", f"{status.strategy_mode} on {status.trading_mode}, spelar {version}, since {since}"
    yield "kill switch", "ON: nothing is bought, exits go on" if status.killswitch else "off"
    yield "last error", visible(status.last_error) if status.last_error else "none"
    for name, count in status.disk.write_failures.items():
        yield "disk", f"{name}: {count} writes have failed since the start"


def _of_portfolio(portfolio: Portfolio) -> Lines:
    amounts = (
        ("cash", portfolio.cash_usd),
        ("realised", portfolio.realized_pnl_usd),
        ("unrealised", portfolio.unrealized_pnl_usd),
        ("fees", portfolio.fees_usd),
    )
    said = ", ".join(f"{name} {number(amount)}" for name, amount in amounts)
    yield "equity", f"{number(portfolio.equity_usd)} USD: {said}"
    for held in portfolio.positions.values():
        yield "positions", f"{number(held.shares)} {visible(held.market)} ({visible(held.outcome)}) at {held.avg_entry:.4f}"
    if not portfolio.positions:
        yield "positions", "none"


def _source(name: str, source: Source, *, needed: bool) -> str:
    last = "no answer yet" if source.age_s is None else f"last answer {source.age_s:.0f} s before the tick"
    errors = sum(source.errors.values())
    return ", ".join(
        (
            f"{visible(name)} {'ok' if source.ok else 'failing'}",
            last,
            *((f"{errors} errors",) if errors else ()),
            *(() if needed else ("not needed",)),
            *(f"{visible(subject)}: {visible(text)}" for subject, text in source.alarms.items()),
        )
    )


def _unpublished(out_dir: Path, ledger: Path) -> str:
    """What there is instead of files."""
    if not ledger.exists():
        return f"nothing was ever run here: there are no files in {out_dir} and no ledger in {ledger.parent}"
    try:
        store = SqliteLedger.open_to_read(ledger)
    except (LedgerInvalid, LedgerUnwritable) as error:
        return f"there are no files in {out_dir}, and of the ledger: {error}"
    try:
        return f"there are no files in {out_dir}; the ledger in {ledger.parent} holds {store.sequence} ticks"
    finally:
        store.close()


def as_document(found: Standing) -> Mapping[str, object]:
    """The same for programs: what the files say, with the judgement on top."""
    files = found.files
    manifest, status, portfolio = files.manifest, files.status, files.portfolio
    return {
        "state": found.state,
        "wrong": found.wrong,
        "tick": manifest.tick if manifest else None,
        "ts": iso(_ms(manifest.ts)) if manifest else None,
        "age_s": found.age_s,
        "stale_after_s": found.patience_s,
        "killswitch": status.killswitch if status else None,
        "last_error": status.last_error if status else None,
        "status": status.model_dump(mode="json") if status else None,
        "portfolio": portfolio.model_dump() if portfolio else None,
        "sources": {
            name: {**source.model_dump(), "needed": name in files.needed, "down": name in found.down}
            for name, source in files.sources.items()
        },
    }


def _ms(at: datetime) -> int:
    return round((at - EPOCH).total_seconds() * 1000)
