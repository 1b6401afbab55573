"""Fairlearn's ThresholdOptimizer on the same out-of-fold scores, as cut-offs of ours: what a person would get who used it."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from automl.learn.mitigation.cuts import Cuts, Steps
from automl.learn.mitigation.decisions import Aim, Array, Decisions

GRID = 1_000
"""Fairlearn's own default."""
MOST_ROWS = 50_000
"""It walks over the rows one by one: more are drawn from by the seed."""
Constraint = Literal["demographic_parity", "equalized_odds"]


class _Scored(ClassifierMixin, BaseEstimator):
    """A model that says the scores that it is asked about."""

    def fit(self, x: Any, y: Any) -> _Scored:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, x: Any) -> Array:
        score = np.asarray(x, dtype=np.float64).reshape(-1)
        return np.column_stack([1 - score, score])


def optimized_cuts(decisions: Decisions, aim: Aim, constraint: Constraint, seed: int = 0) -> Cuts:
    """Its answer for the compared groups, by accuracy. Raises ValueError for rows with weights, which it cannot honour."""
    if decisions.weight is not None:
        raise ValueError("Fairlearn's ThresholdOptimizer knows no weights")
    # only who asks for it waits until it is imported
    from fairlearn.postprocessing import ThresholdOptimizer

    column = decisions.groups[aim.attribute]
    among = np.flatnonzero(np.isin(column, aim.groups))
    if len(among) > MOST_ROWS:
        among = np.sort(np.random.default_rng(seed).choice(among, MOST_ROWS, replace=False))
    codes = np.array([aim.groups.index(group) for group in column[among]])
    optimizer = ThresholdOptimizer(estimator=_Scored(), constraints=constraint, objective="accuracy_score", grid_size=GRID, prefit=True, predict_method="predict_proba")
    with warnings.catch_warnings():
        # of pandas 3, on how Fairlearn makes its frames
        warnings.simplefilter("ignore", category=pd.errors.Pandas4Warning)
        optimizer.fit(decisions.score[among].reshape(-1, 1), decisions.deserving[among].astype(np.int64), sensitive_features=codes)
    found = optimizer.interpolated_thresholder_.interpolation_dict
    return Cuts(aim.attribute, {aim.groups[int(code)]: _steps(interpolation) for code, interpolation in found.items()})


def _steps(interpolation: Any) -> Steps:
    """Two cut-offs drawn between, of which a share of the people is decided by lot alone where rates could not be made equal otherwise."""
    ignored = float(interpolation.get("p_ignore", 0.0))
    steps = [(0.0, ignored * float(interpolation.get("prediction_constant", 0.0)))]
    for share, operation in ((interpolation.p0, interpolation.operation0), (interpolation.p1, interpolation.operation1)):
        if operation.operator != ">":
            raise RuntimeError("Fairlearn's ThresholdOptimizer turned the order of the scores round, which it was not asked to")
        steps.append((_from(float(operation.threshold)), (1 - ignored) * float(share)))
    return tuple((cut, share) for cut, share in steps if share > 0 and np.isfinite(cut))


def _from(above: float) -> float:
    """The lowest score that is selected: Fairlearn's are those above its threshold, whose lowest is minus infinity."""
    return 0.0 if above == -np.inf else float(np.nextafter(above, np.inf))
