"""A search that learns where good settings lie: optuna's tree-structured Parzen estimator, and the only place that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included, in steps where there is one."""

    low: float
    high: float
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether it asks for whole numbers."""
        return all(value == int(value) for value in (self.low, self.high, self.step or 1))


Space = Mapping[str, Range | Sequence[str]]


class Search:
    """Asks for settings in rounds, so that it learns the same however many of a round are tried at once."""

    def __init__(self, space: Space, *, seed: int) -> None:
        """Over this space; the same seed and the same scores give the same settings."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {name: _distribution(values) for name, values in space.items()}
        self._study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        self._asked: list[optuna.Trial] = []

    def ask(self, count: int) -> list[dict[str, str]]:
        """So many settings to try next."""
        self._asked = [self._study.ask(self._distributions) for _ in range(count)]
        return [{name: _text(value) for name, value in trial.params.items()} for trial in self._asked]

    def tell(self, scores: Sequence[float | None]) -> None:
        """The scores of the settings last asked for, in their order; None for one that cannot be."""
        for trial, score in zip(self._asked, scores, strict=True):
            state = optuna.trial.TrialState.FAIL if score is None else optuna.trial.TrialState.COMPLETE
            self._study.tell(trial, score, state=state)


def _distribution(values: Range | Sequence[str]) -> BaseDistribution:
    if not isinstance(values, Range):
        return CategoricalDistribution(list(values))
    if values.whole:
        return IntDistribution(int(values.low), int(values.high), step=int(values.step or 1))
    return FloatDistribution(values.low, values.high, step=values.step)


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
