"""The published files read back, for people and monitors: how the agent stands, beside the daemon. Nothing decides by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from adapters.portal.schema import LIVE_STATUS, MANIFEST, MARKETS_INDEX, PORTFOLIO, SOURCES_HEALTH, OutputFile


class _Document(BaseModel):
    """A JSON file as far as it is read here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Manifest(_Document):
    """`manifest.json`."""

    tick: int
    ts: AwareDatetime
    interval_s: float | None = None


class _Disk(_Document):
    write_failures: Mapping[str, int]


class LiveStatus(_Document):
    """`live_status.json`."""

    started_at: AwareDatetime
    strategy_mode: str
    trading_mode: str
    killswitch: bool
    tick_ms: float | None
    last_error: str | None
    versions: Mapping[str, str]
    disk: _Disk


class Source(_Document):
    """One source of `sources_health.json`; `age_s` counts to the tick that published it."""

    ok: bool
    age_s: float | None
    errors: Mapping[str, int]
    alarms: Mapping[str, str]


class Holding(_Document):
    """One position of `pm_paper_portfolio.json`."""

    market: str
    outcome: str
    shares: Decimal
    avg_entry: Decimal


class Portfolio(_Document):
    """`pm_paper_portfolio.json`."""

    cash_usd: Decimal
    equity_usd: Decimal
    unrealized_pnl_usd: Decimal
    realized_pnl_usd: Decimal
    fees_usd: Decimal
    positions: Mapping[str, Holding]


class _Reference(_Document):
    source: str


class _Followed(_Document):
    token: str | None
    reference: _Reference | None


class _Index(_Document):
    markets: tuple[_Followed, ...]


class _Sources(_Document):
    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the files say; None for one that is not there or cannot be read. `faults` are those that are there and cannot."""

    manifest: Manifest | None
    status: LiveStatus | None
    portfolio: Portfolio | None
    sources: Mapping[str, Source]
    markets: tuple[_Followed, ...]
    faults: tuple[str, ...]

    @property
    def needed(self) -> frozenset[str]:
        """The sources without which the followed markets cannot be traded."""
        references = (market.reference.source for market in self.markets if market.reference is not None)
        unknown = any(market.token is None for market in self.markets)
        return frozenset({"polymarket_clob", *references, *(("polymarket_gamma",) if unknown else ())})


D = TypeVar("D", bound=_Document)


def read_published(out_dir: Path) -> Published:
    """What lies in a directory now; each file by itself, as each is replaced by itself."""
    faults: list[str] = []

    def read(file: OutputFile, document: type[D]) -> D | None:
        try:
            return document.model_validate_json((out_dir / file.name).read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            faults.append(f"{file.name} cannot be read: {error.strerror or error}")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            faults.append(f"{file.name} is damaged: {'.'.join(map(str, first['loc']))} {first['msg']}")
        return None

    sources, index = read(SOURCES_HEALTH, _Sources), read(MARKETS_INDEX, _Index)
    return Published(
        manifest=read(MANIFEST, Manifest),
        status=read(LIVE_STATUS, LiveStatus),
        portfolio=read(PORTFOLIO, Portfolio),
        sources={} if sources is None else sources.__pydantic_extra__,
        markets=() if index is None else index.markets,
        faults=tuple(faults),
    )
