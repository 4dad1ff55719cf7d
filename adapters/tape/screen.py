"""Screening: `step` decides on the ticks on which it may act, and on no other.

The columns say which those are: a superset, because they know neither levels nor cash, and because floats are rounded where
columns are not. What a tick remembers of the ticks before it is read from the columns too, so a tick that was left out is not
missed: the state that `step` is given is the one that every tick in between would have led to.

What protections remember no column knows. Where they look at equity no tick is left out while something is held, because the
equity needs the levels of its book; without a position it is cash. Where they remember anything, the ticks at which a UTC day
begins are decided, too.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain

import numpy as np

from adapters.tape.candidates import CHUNK, Candidates, Tables, candidates_of, eras_of, listed_in
from adapters.tape.column_view import ColumnView
from adapters.tape.columns import Columns
from adapters.tape.samples import Samples, samples_of
from adapters.tape.scene import Scene, Track, track_of
from adapters.tape.snapshots import market_at, moment_of
from adapters.tape.spikes import accepted_over
from adapters.tape.tables import opened
from adapters.tape.turns import Turn, interrupted
from domain.engine import Rules
from domain.history import History
from domain.ledger import Ledger
from domain.market import ReferenceId, TokenId
from domain.state import Memory, State
from domain.state_machine import SAMPLE_INPUT
from domain.strategies.pm_trend import OTHER_SIDE_OPEN


def scene_of(columns: Columns, rules: Rules) -> Scene:
    """All that screening by these rules looks at, the samples included."""
    bare = Scene(
        grid=columns.grid,
        tracks={token.token: track_of(token, columns.grid) for token in columns.tokens},
        references={
            key: accepted_over(reference, columns.grid, freshness_s=rules.limits.freshness_s)
            for key, reference in columns.references.items()
        },
        limits=rules.limits,
        strategy=rules.strategy,
    )
    tracks = {token: replace(track, samples=_samples(bare, track)) for token, track in bare.tracks.items()}
    return replace(bare, tracks=tracks)


def _samples(scene: Scene, track: Track) -> Samples:
    """A token's samples, by the very rows that a tick asks: exactly, without slack."""
    ticks = len(scene.grid)
    eras = eras_of(track.columns.editions, ticks)
    valid = np.zeros(ticks, np.bool_)
    mid, price = np.full(ticks, np.nan), np.zeros(ticks)
    for era in eras:
        for chunk in era.chunks(0, ticks, CHUNK, CHUNK):
            view = ColumnView.of(scene, track, era.market, chunk)
            valid[chunk] = opened(SAMPLE_INPUT, view, slack=0.0)
            mid[chunk] = view.reading.quote.mid.values
            if view.reading.accepted is not None:
                price[chunk] = np.nan_to_num(view.reading.accepted.price[chunk])
    ended = ~listed_in(eras, ticks) | scene.grid.gap
    return samples_of(
        valid,
        elapsed_ms=scene.grid.elapsed_ms,
        reference=price,
        mid=mid,
        ended=ended if ended.any() else None,
        gap_ms=scene.limits.gap_ms,
    )


def shares_samples(one: Rules, other: Rules) -> bool:
    """Whether two sets of rules accept the same samples of a tape, so that a scene of the one serves the other."""
    same_mode = one.strategy.name == other.strategy.name
    return same_mode and one.limits.freshness_s == other.limits.freshness_s and one.limits.gap_ms == other.limits.gap_ms


class Screen:
    """Implements `adapters.tape.turns.Turns`: decides the ticks that screening keeps, each about the tokens that may act.

    From tick `full_from` on every tick is decided, about every token.
    """

    def __init__(self, columns: Columns, rules: Rules, *, full_from: int | None = None, scene: Scene | None = None) -> None:
        """Screen this tape by these rules. `scene`: one whose samples are theirs too, as `shares_samples` says."""
        self._columns, self._rules = columns, rules
        self._ticks = len(columns.grid)
        self._full_from = self._ticks if full_from is None else full_from
        self._scene = replace(scene, limits=rules.limits, strategy=rules.strategy) if scene else scene_of(columns, rules)
        tables = Tables.of(rules)
        self._candidates: Mapping[TokenId, Candidates] = {
            token: candidates_of(self._scene, track, eras_of(track.columns.editions, self._ticks), tables)
            for token, track in self._scene.tracks.items()
        }
        self._payouts: dict[TokenId, list[int]] = {}
        for payout in columns.payouts:
            self._payouts.setdefault(payout.token, []).append(payout.tick)
        self._dates = self._scene.dates if rules.limits.protections.remember else ()
        self._one_side = OTHER_SIDE_OPEN in rules.enter
        self._due: dict[TokenId, int] = {}
        self._touched: Collection[TokenId] = self._candidates.keys()
        self._carried: set[TokenId] = set()

    @property
    def scene(self) -> Scene:
        """What was looked at: the samples and the references of the whole tape."""
        return self._scene

    def after(self, state: State) -> Turn | None:
        """The next tick on which anything may happen."""
        start = state.sequence
        apart = self._apart(state)
        for token in self._touched:
            self._due[token] = self._next(token, state, apart)
        tick = max(start, min(self._full_from, self._next_date(start), min(self._due.values(), default=self._ticks)))
        if tick >= self._ticks:
            return None
        self._carried = apart | {token for token in state.ledger.positions if self._off_map(token, tick)}
        whole = tick >= self._full_from or bool(self._carried)
        tokens = None if whole else self._together({token for token, due in self._due.items() if due == tick})
        self._touched = self._candidates.keys() if tokens is None else tokens
        memory = self._memory(tick, self._touched, apart, state.memory)
        left = State(sequence=tick, ledger=state.ledger, memory=memory)
        if self._columns.grid.gap[tick]:
            return interrupted(tick, left, tokens)
        return Turn(tick=tick, state=left, tokens=tokens)

    def _next(self, token: TokenId, state: State, apart: Collection[TokenId]) -> int:
        """The first tick from `start` on at which a token may act, as long as the books of account stay as they are."""
        ledger, start = state.ledger, state.sequence
        if token in apart or (ledger.pending and any(order.token == token for order in ledger.pending)):
            return start
        position, mine = ledger.positions.get(token), self._candidates[token]
        if position is not None:
            if self._rules.limits.protections.watch_equity:
                return start
            ahead = (tick for tick in chain(self._payouts.get(token, ()), mine.left_at) if tick >= start)
            return mine.change(start, position, before=min(ahead, default=self._ticks))
        if token in ledger.settled or (self._one_side and self._other_engaged(mine, ledger)):
            return self._ticks
        return mine.entry(start)

    def _next_date(self, start: int) -> int:
        """The first tick from `start` on at which a UTC day begins."""
        number = bisect_left(self._dates, start)
        return self._dates[number] if number < len(self._dates) else self._ticks

    def _other_engaged(self, mine: Candidates, ledger: Ledger) -> bool:
        """Whether the other outcome is held or being bought, whatever the market was called meanwhile."""
        others = {era.market.complement for era in mine.eras}
        return len(others) == 1 and not others.isdisjoint(ledger.engaged)

    def _together(self, tokens: set[TokenId]) -> set[TokenId]:
        """These tokens, and those that a decision about them looks at: the other outcomes, where both are followed."""
        if not self._rules.strategy.both_outcomes:
            return tokens
        markets = (era.market for token in tokens for era in self._candidates[token].eras)
        others = {market.complement for market in markets if market.complement is not None}
        return tokens | (others & self._candidates.keys())

    def _memory(self, tick: int, tokens: Collection[TokenId], apart: set[TokenId], before: Memory) -> Memory:
        """What the tick before this one remembered of these tokens and their references."""
        histories = {token: found for token in tokens if (found := self._history(token, tick)) is not None}
        for token in apart & before.histories.keys():
            histories[token] = before.histories[token]
        return Memory(
            histories=histories,
            references={
                key: seen
                for key in self._references(tick, tokens)
                if (seen := self._scene.references[key].seen_before(tick)) is not None
            },
            moment=moment_of(self._columns.grid, tick - 1) if tick else None,
            record=before.record,
        )

    def _history(self, token: TokenId, tick: int) -> History | None:
        samples = self._scene.tracks[token].samples
        return samples.history_before(tick, self._rules.strategy.capacity) if samples and tick else None

    def _references(self, tick: int, tokens: Collection[TokenId]) -> Collection[ReferenceId]:
        if len(tokens) == len(self._candidates):
            return self._scene.references.keys()
        markets = (market_at(self._scene.tracks[token].columns.editions, tick) for token in tokens)
        wanted = {market.reference for market in markets if market and market.reference}
        return wanted & self._scene.references.keys()

    def _apart(self, state: State) -> set[TokenId]:
        """The tokens that are or were held while off the map, as long as memory and columns differ about their histories.

        The columns take a token off the map for one that nobody follows, but while it is held its history goes on. It is
        followed tick by tick until both agree again.
        """
        if not self._carried:
            return set()
        histories = state.memory.histories
        return {token for token in self._carried if histories.get(token) != self._history(token, state.sequence)}

    def _off_map(self, token: TokenId, tick: int) -> bool:
        mine = self._candidates.get(token)
        return mine is not None and bool(mine.left_at) and market_at(mine.track.columns.editions, tick) is None
