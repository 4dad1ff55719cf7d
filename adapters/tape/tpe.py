"""A search that learns where good settings lie: optuna's tree-structured Parzen estimator, and the only place that knows it."""

from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from adapters.tape.axes import Axes, Span


class Search:
    """Asks for settings in rounds, so that it learns the same however many of a round are tried at once."""

    def __init__(self, axes: Axes, *, seed: int) -> None:
        """Over these axes; the same seed and the same scores give the same settings."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = {name: _distribution(values) for name, values in axes.items()}
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


def _distribution(values: Span | tuple[str, ...]) -> BaseDistribution:
    if not isinstance(values, Span):
        return CategoricalDistribution(list(values))
    if values.whole:
        return IntDistribution(int(values.low), int(values.high), step=int(values.step or 1))
    return FloatDistribution(values.low, values.high, step=values.step)


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
