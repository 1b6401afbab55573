"""What the search could have chosen: the ranges that each family's settings are drawn from, as evidence."""

from __future__ import annotations

from collections.abc import Iterable

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from automl.evidence import SearchedSetting
from automl.learn.families import TableShape, family
from automl.spec import TaskKind


def search_space(families: Iterable[str], task: TaskKind, shape: TableShape) -> tuple[SearchedSetting, ...]:
    """Of each of the ``families``, in their order, for a training table of that ``shape``. Read off a trial of a study of its own, which nothing is learned by."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found: list[SearchedSetting] = []
    for name in families:
        trial = optuna.create_study().ask()
        family(name).suggest(trial, task, shape)
        found += [_setting(name, setting, space) for setting, space in trial.distributions.items()]
    return tuple(found)


def _setting(family_name: str, name: str, space: BaseDistribution) -> SearchedSetting:
    if isinstance(space, FloatDistribution | IntDistribution):
        return SearchedSetting(family=family_name, name=name, low=space.low, high=space.high, log=space.log)
    assert isinstance(space, CategoricalDistribution)
    return SearchedSetting(family=family_name, name=name, choices=tuple(str(choice) for choice in space.choices))
