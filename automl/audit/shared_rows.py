"""Audited rows that repeat a training row: how many, and what the metric is without them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.estimates import metric_estimates
from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import Outcomes
from automl.audit.subject import Subject
from automl.evidence import NotMeasured, SharedRows

NOTE = (
    "Two people can have the same inputs, above all where inputs are few or coarse; rows of one person, or copied rows, have them for certain. Where the metric is better on such rows, the model knows "
    "their answer from training."
)


def measure_shared_rows(subject: Subject, outcomes: Outcomes) -> SharedRows | NotMeasured:
    """``outcomes``: of all audited rows. Inputs are compared as the model sees them."""
    names = list(subject.model.features)
    if not names or not len(subject.audit):
        return NotMeasured(reason="the model has no input, or no row is audited")
    known, asked = (_digests(rows.features[names]) for rows in (subject.train, subject.audit))
    shared = np.isin(asked, known)
    answers = pd.Series(subject.train.y).groupby(known).agg(set)
    same_label = sum(y in answers[digest] for digest, y in zip(asked[shared], subject.audit.y[shared], strict=True))
    metric = subject.problem.metric
    without = metric_estimates(outcomes.take(~shared), seed=subject.seed, names=[metric])[metric] if shared.any() else NotMeasured(reason="no audited row has the inputs of a training row")
    return SharedRows(
        same_inputs=rate_estimate(count(shared, subject.audit.weight, subject.audit.cluster)), same_label=int(same_label),
        metric_all=metric_estimates(outcomes, seed=subject.seed, names=[metric])[metric], metric_others=without, note=NOTE)


def _digests(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """One number a row, equal for equal inputs."""
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)
