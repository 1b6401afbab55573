"""Optuna behind one small interface: ask for settings, report after each fold, tell the outcome, take up what is already known.

One study a family, in memory. Losses are minimised whatever the metric's direction. With a second objective (`automl.learn.disparity`) a study has two
losses, and one more setting for every family: how strongly the rows to learn from are reweighed. Nothing is pruned then: a trial that is behind in score
may be ahead in the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import TrialState, create_trial

if TYPE_CHECKING:
    from automl.learn.families import Family, Params, TableShape
    from automl.learn.trials import TrialRecord
    from automl.spec import TaskKind

Losses = Sequence[float]
"""Of the score, and with a second objective of that: smaller is better."""
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
RANDOM_TRIALS = 11
"""Trials of a family, its defaults included, before the sampler believes what it has seen."""
UNPRUNED_TRIALS = 4
REWEIGHING = "reweighing"
"""The further setting: the strength, 0 to 1, of `automl.learn.disparity.reweighing_factors`."""


@dataclass(frozen=True)
class Asked:
    """A trial as a study gave it out."""

    trial: optuna.Trial
    params: Params
    rivals: tuple[dict[int, float], ...]
    """Of each trial that was complete by then: its mean loss after each number of folds. Later ones do not count, whichever was quicker."""
    reweighing: float | None = None
    """None where the study has one objective."""

    @property
    def settings(self) -> Params:
        """All that was drawn: what the family was asked for, and the strength of the reweighing."""
        return self.params if self.reweighing is None else {**self.params, REWEIGHING: self.reweighing}

    @property
    def spaces(self) -> dict[str, str]:
        """The search space it was drawn from, as Optuna's JSON."""
        return {name: distribution_to_json(space) for name, space in self.trial.distributions.items()}


def sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    """Seeded anew for every trial, so that what it says depends on the trials it knows and on nothing else."""
    return optuna.samplers.TPESampler(seed=seed + number, n_startup_trials=RANDOM_TRIALS)


class Study:
    def __init__(self, kind: Family, task: TaskKind, seed: int, shape: TableShape, *, reweighed: bool = False) -> None:
        """``reweighed``: with the second objective; each of the family's defaults is then tried as it is and fully reweighed."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.kind, self.task, self.seed, self.shape, self.reweighed = kind, task, seed, shape, reweighed
        defaults = kind.defaults(task, shape)
        self.defaults = [{**settings, REWEIGHING: strength} for settings in defaults for strength in (0.0, 1.0)] if reweighed else defaults
        self.study = optuna.create_study(directions=["minimize"] * (2 if reweighed else 1))

    def ask(self, number: int) -> Asked:
        """Settings for trial ``number``: the family's defaults first, then the sampler's, seeded by the number alone."""
        tried = len(self.study.trials)
        if tried < len(self.defaults):
            self.study.enqueue_trial(self.defaults[tried])
        self.study.sampler = sampler(self.seed, number)
        rivals = tuple(dict(known.intermediate_values) for known in self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]))
        trial = self.study.ask()
        params = self.kind.suggest(trial, self.task, self.shape)
        return Asked(trial, params, rivals, trial.suggest_float(REWEIGHING, 0.0, 1.0) if self.reweighed else None)

    def hopeless(self, asked: Asked, losses: list[float]) -> bool:
        """Whether a trial with these mean losses after each fold is worse than the median of its family at this point. Defaults never are."""
        if self.reweighed:
            # Optuna takes no reports of a trial with several objectives either
            return False
        asked.trial.report(losses[-1], step=len(losses))
        if asked.trial.number < len(self.defaults) or len(asked.rivals) < UNPRUNED_TRIALS:
            return False
        return bool(losses[-1] > np.median([rival[len(losses)] for rival in asked.rivals]))

    def tell(self, asked: Asked, state: str, losses: Losses | None) -> None:
        self.study.tell(asked.trial, losses if state == "complete" else None, state=STATES[state])

    def replay(self, record: TrialRecord, losses: Losses | None) -> None:
        """Takes up a finished trial as if this study had asked for it."""
        self.study.add_trial(self._trial(record, STATES[record.state], losses if record.state == "complete" else None))

    def open_again(self, record: TrialRecord) -> int:
        """Takes up a trial as asked for and not told yet: until then the sampler keeps away from its settings. Returns the study's number of it."""
        self.study.add_trial(self._trial(record, TrialState.RUNNING, None))
        return len(self.study.trials) - 1

    def tell_known(self, at: int, record: TrialRecord, losses: Losses | None) -> None:
        """The outcome of the trial that was opened again as the study's number ``at``."""
        self.study.tell(at, losses if record.state == "complete" else None, state=STATES[record.state])

    def _trial(self, record: TrialRecord, state: TrialState, losses: Losses | None) -> optuna.trial.FrozenTrial:
        spaces = {name: json_to_distribution(space) for name, space in record.spaces.items()}
        known: dict[str, Any] = {name: value for name, value in record.params.items() if name in spaces}
        reported = {} if self.reweighed else dict(enumerate(record.fold_losses, start=1))
        with warnings.catch_warnings():
            # create_trial is marked experimental; the version is pinned
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return create_trial(state=state, values=losses, params=known, distributions=spaces, intermediate_values=reported)
