"""Optuna behind one small interface: ask for settings, report after each fold, tell the outcome, take up what is already known.

One study a family, in memory. Losses are minimised whatever the metric's direction.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import TrialState, create_trial

from automl.learn.families import Family, Params
from automl.learn.trials import TrialRecord
from automl.spec import TaskKind

STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
RANDOM_TRIALS = 8
"""Trials of a family, its defaults included, before the sampler believes what it has seen."""
UNPRUNED_TRIALS = 4


@dataclass(frozen=True)
class Asked:
    """A trial as a study gave it out."""

    trial: optuna.Trial
    params: Params

    @property
    def spaces(self) -> dict[str, str]:
        """The search space it was drawn from, as Optuna's JSON."""
        return {name: distribution_to_json(space) for name, space in self.trial.distributions.items()}


class Study:
    def __init__(self, kind: Family, task: TaskKind, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.kind, self.task, self.seed = kind, task, seed
        self.defaults = kind.defaults(task)
        self.study = optuna.create_study(direction="minimize", pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS))

    def ask(self, number: int) -> Asked:
        """Settings for trial ``number``: the family's defaults first, then the sampler's, seeded by the number alone."""
        tried = len(self.study.trials)
        if tried < len(self.defaults):
            self.study.enqueue_trial(self.defaults[tried])
        self.study.sampler = optuna.samplers.TPESampler(seed=self.seed + number, n_startup_trials=RANDOM_TRIALS)
        trial = self.study.ask()
        return Asked(trial, self.kind.suggest(trial, self.task))

    def hopeless(self, asked: Asked, losses: list[float]) -> bool:
        """Whether a trial with these mean losses after each fold is below the median of its family at this point. Defaults never are."""
        asked.trial.report(losses[-1], step=len(losses))
        return asked.trial.number >= len(self.defaults) and asked.trial.should_prune()

    def tell(self, asked: Asked, state: str, loss: float | None) -> None:
        self.study.tell(asked.trial, loss if state == "complete" else None, state=STATES[state])

    def replay(self, record: TrialRecord, loss: float | None) -> None:
        """Takes up a finished trial as if this study had asked for it."""
        spaces = {name: json_to_distribution(space) for name, space in record.spaces.items()}
        known: dict[str, Any] = {name: value for name, value in record.params.items() if name in spaces}
        with warnings.catch_warnings():
            # create_trial is marked experimental; the version is pinned
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self.study.add_trial(create_trial(
                state=STATES[record.state], value=loss if record.state == "complete" else None, params=known, distributions=spaces,
                intermediate_values=dict(enumerate(record.fold_losses, start=1))))
