"""The account over a whole tape: what it was worth at every tick, at the best bid, in whole millionths of a dollar."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from adapters.portal.schema import EQUITY
from adapters.portal.thinning import stride
from adapters.tape.candidates import CHUNK, eras_of
from adapters.tape.column_view import ColumnView
from adapters.tape.columns import MICROS, Columns, Flags, Ints
from adapters.tape.scene import Scene, Track
from adapters.tape.snapshots import moment_of
from adapters.tape.tables import opened
from domain.fill import MICRO
from domain.market import TokenId
from domain.report import EquityPoint, Trade, TradeAction
from domain.state_machine import MARK_INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Cash, realised result and the positions' value after every tick, micro-dollars; how many positions were open."""

    opening: int
    cash: Ints
    realised: Ints
    value: Ints
    open_positions: Ints

    @property
    def equity(self) -> Ints:
        """Cash and the positions at the best bid."""
        return self.cash + self.value

    @property
    def drawdown(self) -> int:
        """The deepest fall below an earlier height, the opening cash included."""
        peak = np.maximum.accumulate(np.maximum(self.equity, self.opening))
        return int((peak - self.equity).max(initial=0))

    def points(self, columns: Columns) -> tuple[EquityPoint, ...]:
        """As many points as the portal's file keeps, thinned as it does."""
        last = len(self.cash)
        if not last:
            return ()
        step = stride(first=1, last=last, kept=EQUITY.kept or 2)
        chosen = dict.fromkeys((1, *range(step, last + 1, step), last))
        return tuple(self._point(columns, sequence) for sequence in chosen)

    def _point(self, columns: Columns, sequence: int) -> EquityPoint:
        tick = sequence - 1
        cash, realised, value = (usd(series.item(tick)) for series in (self.cash, self.realised, self.value))
        return EquityPoint(
            sequence=sequence,
            moment=moment_of(columns.grid, tick),
            equity=cash + value,
            cash=cash,
            realised=realised,
            unrealised=value - (usd(self.opening) + realised - cash),
            open_positions=self.open_positions.item(tick),
        )


def usd(micros: int) -> Decimal:
    """Micro-dollars as dollars."""
    return micros * MICRO


def micros(amount: Decimal) -> int:
    """Dollars or shares as whole millionths."""
    return int(amount * MICROS)


def curve_of(scene: Scene, opening: Decimal, trades: Sequence[Trade], ticks: Sequence[int]) -> Curve:
    """The account of these trades, each made at its tick of the tape."""
    count = len(scene.grid)
    when = np.array(ticks, np.int64)
    value, open_positions = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for token in dict.fromkeys(trade.market.token for trade in trades if trade.market.token is not None):
        mine = [number for number, trade in enumerate(trades) if trade.market.token == token]
        moved = np.cumsum([_shares(trades[number]) for number in mine])
        shares = _held_on(when[mine], moved, 0, count)
        value += shares * _bids(scene, token) // MICROS
        open_positions += shares > 0
    return Curve(
        opening=micros(opening),
        cash=_held_on(when, np.array([micros(trade.cash_after) for trade in trades], np.int64), micros(opening), count),
        realised=_held_on(when, np.cumsum([micros(trade.realised) for trade in trades], dtype=np.int64), 0, count),
        value=value,
        open_positions=open_positions,
    )


def _shares(trade: Trade) -> int:
    return micros(trade.shares) * (1 if trade.action is TradeAction.BUY else -1)


def _held_on(when: Ints, values: Ints, before: int, count: int) -> Ints:
    """A series that keeps each value until the next one."""
    lengths = np.diff(np.concatenate(([0], when, [count])))
    held: Ints = np.repeat(np.concatenate(([before], values)), lengths)
    return held


def _bids(scene: Scene, token: TokenId) -> Ints:
    """The last best bid that could be believed, at every tick; 0 before the first."""
    track = scene.tracks[token]
    believed = _believed(scene, track)
    latest = np.maximum.accumulate(np.where(believed, np.arange(len(believed)), -1))
    bids: Ints = np.where(latest >= 0, track.columns.bid[latest], 0).astype(np.int64)
    return bids


def _believed(scene: Scene, track: Track) -> Flags:
    flags = np.zeros(len(scene.grid), np.bool_)
    for era in eras_of(track.columns.editions, len(flags)):
        for chunk in era.chunks(0, len(flags), CHUNK, CHUNK):
            flags[chunk] = opened(MARK_INPUT, ColumnView.of(scene, track, era.market, chunk), slack=0.0)
    return flags
