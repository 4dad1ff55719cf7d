"""One setting of a sweep, tried: the same replay, with all that settings of one kind can share."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adapters.draw_baseline import load_draw_baseline
from adapters.tape.account import curve_of
from adapters.tape.columns import Columns
from adapters.tape.results import Outcome, report_of
from adapters.tape.scene import Scene
from adapters.tape.screen import Screen, scene_of, shares_samples
from adapters.tape.sharing import KeptSnapshots, SharedTicks, kin
from adapters.tape.snapshots import with_fees
from adapters.tape.trials import Trial, changes_of
from domain.engine import Rules
from domain.fees import FREE
from domain.ledger import Ledger
from domain.selection import sharpe
from entrypoints.replaying import Replay, replayed
from entrypoints.rules import NO_BASELINE, rules_of
from entrypoints.settings import Settings, read_settings

Setting = Mapping[str, str]
"""What one trial changes: variables and their values."""


@lru_cache(maxsize=4_096)
def _read(items: tuple[tuple[str, str], ...]) -> Settings:
    return read_settings(dict(items))


@lru_cache(maxsize=16)
def _baseline(path: Path | None) -> Mapping[str, float]:
    return load_draw_baseline(path) if path else NO_BASELINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What all settings of a sweep stand on: the environment without what is swept."""

    environment: Mapping[str, str]

    def settings(self, setting: Setting) -> Settings:
        """All settings of a trial. Raises `SettingsInvalid`."""
        return _read(tuple({**self.environment, **setting}.items()))

    def rules(self, setting: Setting) -> Rules:
        """The rules of a trial."""
        settings = self.settings(setting)
        return rules_of(settings, _baseline(settings.draw_baseline_file))

    def kind(self, setting: Setting) -> Hashable:
        """Settings of one kind share the most when they are tried one after the other."""
        return self.settings(setting).fees, kin(self.rules(setting))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What settings of one kind share."""

    kind: Hashable
    rules: Rules
    free: bool
    columns: Columns
    scene: Scene
    ticks: SharedTicks


class Probe:
    """Tries settings on one tape. What was found for one kind of settings is kept until another kind comes."""

    def __init__(self, columns: Columns, base: Base) -> None:
        """On this tape."""
        self._columns, self._base = columns, base
        self._known: _Shared | None = None

    def trial(self, setting: Setting) -> Trial:
        """What one setting comes to."""
        settings, rules = self._base.settings(setting), self._base.rules(setting)
        shared = self._shared(self._base.kind(setting), settings, rules)
        screen = Screen(shared.columns, rules, scene=shared.scene)
        opening = Ledger.opened_with(settings.start_balance_usd)
        wish = Replay(columns=shared.columns, rules=rules, opening=opening, shown_from=len(shared.columns.grid))
        store = replayed(wish, screen, shared.ticks)
        curve = curve_of(screen.scene, opening.opening_cash, store.trades, store.ticks)
        report = report_of(Outcome(columns=shared.columns, trades=store.trades, ticks=store.ticks, curve=curve))
        return _trial(setting, report, changes_of(curve, shared.columns.grid))

    def _shared(self, kind: Hashable, settings: Settings, rules: Rules) -> _Shared:
        """What the settings before this one have found, as far as it holds for this one, too."""
        before = self._known
        if before and before.kind == kind:
            return before
        free = settings.fees == "none"
        if before and before.free is free:
            columns, snapshots = before.columns, before.ticks.snapshots
        else:
            columns = with_fees(self._columns, FREE) if free else self._columns
            snapshots = KeptSnapshots(columns)
        alike = before is not None and before.columns is columns and shares_samples(before.rules, rules)
        scene = before.scene if before and alike else scene_of(columns, rules)
        shared = _Shared(kind=kind, rules=rules, free=free, columns=columns, scene=scene, ticks=SharedTicks(snapshots))
        self._known = shared
        return shared


def _trial(setting: Setting, report: Mapping[str, object], changes: tuple[int, ...]) -> Trial:
    counts, markout = report["trades"], report["markout"]
    assert isinstance(counts, Mapping)  # noqa: S101 - a report's own parts
    assert isinstance(markout, Mapping)  # noqa: S101
    return Trial.model_validate(
        {
            "settings": dict(setting),
            "trades": sum(counts.values()),
            **{name: report[name] for name in ("round_trips", "pnl_usd", "fees_usd", "max_drawdown_usd")},
            "hit_rate": report["hit_rate"],
            **{f"markout_{after}": found["price"] for after, found in markout.items()},
            "time_in_market_s": report["time_in_market_s"],
            "score": sharpe(changes),
            "changes": changes,
        }
    )
