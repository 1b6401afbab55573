"""The candidates on the audit part, after the choice was made: how good, how far from the chosen one on the same rows, how even-handed, how well calibrated, how large and how fast.

Nothing is chosen by it. Each candidate decides by its own cut-off; where it has none it takes the more probable class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.audit.estimates import metric_estimates
from automl.audit.group_levels import Members, counts_of, lowest_ratio, members_of, selection
from automl.audit.intervals import count, observed_over_expected
from automl.audit.means import jackknife
from automl.audit.outcomes import FloatArray, Outcomes
from automl.audit.resampling import generator
from automl.audit.subject import metric_of, predictions_at
from automl.data.splits import Problem, Rows
from automl.evidence import Estimate, LeaderboardRow, NotMeasured, Threshold, Value
from automl.learn.ensemble import Candidate
from automl.learn.metrics import OF_DECISIONS
from automl.learn.predictions import Predictions

SAME = "it predicts the same for every row"


@dataclass(frozen=True, eq=False)
class _Judged:
    candidate: Candidate
    predicted: Predictions
    seconds: float


def measure_leaderboard(
    candidates: Sequence[Candidate], problem: Problem, audit: Rows, outcomes_of: Callable[[Predictions, Threshold | None], Outcomes], *, reference: Mapping[str, str], seed: int,
) -> list[LeaderboardRow]:
    """A row a candidate, in their order; one of them is the chosen one. ``outcomes_of``: predictions of the ``audit`` rows and a cut become outcomes; ``reference``: the named
    reference group of an attribute.

    Differences are those of the metric on the same rows, with the delete-a-group jackknife (Kott 2001), one at a time.
    """
    judged = [_judge(candidate, audit) for candidate in candidates]
    differences = _differences(judged, problem, audit, seed)
    members = members_of(audit.groups)
    return [_row(each, difference, problem, outcomes_of(each.predicted, each.candidate.threshold), members, reference, seed) for each, difference in zip(judged, differences, strict=True)]


def _judge(candidate: Candidate, audit: Rows) -> _Judged:
    began = time.perf_counter()
    predicted = candidate.predict(audit.features)
    return _Judged(candidate, predicted, time.perf_counter() - began)


def _differences(judged: Sequence[_Judged], problem: Problem, audit: Rows, seed: int) -> list[Value | None]:
    chosen = next(each for each in judged if each.candidate.chosen)
    others = [each for each in judged if each is not chosen]

    def statistics(at: NDArray[np.int64]) -> FloatArray:
        weight = None if audit.weight is None else audit.weight[at]
        first, *rest = (metric_of(problem, each.candidate.threshold, audit.y[at], predictions_at(each.predicted, at), weight) for each in (chosen, *others))
        return np.array([value - first for value in rest])

    if not others:
        return [None]
    found = dict(zip(map(id, others), jackknife(statistics, len(audit.y), audit.cluster, generator(seed, "leaderboard")), strict=True))
    return [None if each is chosen else NotMeasured(reason=SAME) if _same(each, chosen, problem) else found[id(each)] for each in judged]


def _same(one: _Judged, other: _Judged, problem: Problem) -> bool:
    pairs = ((one.predicted.probabilities, other.predicted.probabilities), (one.predicted.values, other.predicted.values))
    return all(a is None or b is None or np.array_equal(a, b) for a, b in pairs) and (problem.metric not in OF_DECISIONS or one.candidate.threshold == other.candidate.threshold)


def _row(
    judged: _Judged, difference: Value | None, problem: Problem, outcomes: Outcomes, members: Members, reference: Mapping[str, str], seed: int,
) -> LeaderboardRow:
    candidate, selected = judged.candidate, selection(outcomes)
    return LeaderboardRow(
        name=candidate.name, family=candidate.family, trial=candidate.trial, out_of_fold=candidate.out_of_fold, chosen=candidate.chosen,
        audit=metric_estimates(outcomes, seed=seed, names=[problem.metric])[problem.metric], difference=difference,
        tied=difference.low <= 0 <= difference.high if isinstance(difference, Estimate) else None,
        lowest=None if problem.task == "regression" else tuple(lowest_ratio(name, counts_of(selected, outcomes, of_group), reference.get(name)) for name, of_group in members.items()),
        calibration=_calibration(judged.predicted, problem, outcomes), fit_seconds=round(sum(part.seconds for part in candidate.parts), 3),
        predict_us_per_row=round(judged.seconds / max(1, outcomes.rows) * 1e6, 1), bytes=sum(len(content) for part in candidate.parts for files in part.fold_files() for content in files.values()))


def _calibration(predicted: Predictions, problem: Problem, outcomes: Outcomes) -> Value | None:
    if problem.task != "binary" or predicted.probabilities is None or outcomes.truth is None:
        return None
    weight = np.ones(outcomes.rows) if outcomes.weight is None else outcomes.weight
    return observed_over_expected(count(np.asarray(outcomes.truth) == outcomes.positive_index, outcomes.weight, outcomes.cluster), float((weight * predicted.probabilities[:, 1]).sum()))
