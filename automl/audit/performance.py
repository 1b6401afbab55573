"""How well the predictions fit the truth on the audit part: metrics overall and by group, baselines, confusion, calibration, curves, and drift."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.metrics import precision_recall_curve, roc_curve

from automl.audit.estimates import METRICS, metric_estimates
from automl.audit.intervals import LEVEL, LOW_PRECISION_BELOW, count, observed_over_expected
from automl.audit.outcomes import FloatArray, Outcomes, groups_of
from automl.audit.reliability import reliability_bins
from automl.audit.residuals import measure_residuals
from automl.evidence import (
    Calibration,
    ClassScores,
    Confusion,
    Curve,
    Estimate,
    GroupPerformance,
    NotMeasured,
    PerformanceSection,
    ScoresByClass,
    Value,
)

__all__ = ["METRICS", "measure_performance", "metric_estimates"]

CURVE_POINTS = 200
SCORE_BINS = 20


def measure_performance(
    outcomes: Outcomes, *, seed: int, baselines: Mapping[str, Outcomes] | None = None, out_of_fold: Outcomes | None = None,
) -> PerformanceSection | NotMeasured:
    """Performance on the audited rows; NotMeasured without labels.

    ``baselines``: name ("majority", "mean") to what that baseline predicts for the same rows. ``out_of_fold``: the deployed model's out-of-fold
    predictions of the training rows; its drift against the audit part is measured overall and per group (rule 1).
    """
    if outcomes.truth is None:
        return NotMeasured(reason="no label column was given, so predictions cannot be compared with the truth")
    return PerformanceSection(
        n=outcomes.rows, quantile=outcomes.quantile, metrics=metric_estimates(outcomes, seed=seed),
        by_group={attribute: _by_group(outcomes, labels, seed) for attribute, labels in outcomes.groups.items()},
        baselines={name: metric_estimates(baseline, seed=seed) for name, baseline in (baselines or {}).items()},
        threshold=outcomes.threshold, confusion=_confusion(outcomes), calibration=_calibration(outcomes), residuals=measure_residuals(outcomes, out_of_fold),
        scores=_scores(outcomes), curves=_curves(outcomes),
        drift={} if out_of_fold is None else _drift(outcomes, out_of_fold),
    )


def _by_group(outcomes: Outcomes, labels: NDArray[np.object_], seed: int) -> tuple[GroupPerformance, ...]:
    rows = {group: np.flatnonzero(labels == group) for group in groups_of(labels)}
    return tuple(GroupPerformance(group=group, n=len(of), metrics=metric_estimates(outcomes.take(of), seed=seed)) for group, of in rows.items())


def _confusion(outcomes: Outcomes) -> Confusion | NotMeasured:
    if outcomes.task == "regression":
        return NotMeasured(reason="a regression has no classes to confuse")
    if outcomes.decisions is None or outcomes.truth is None:
        return NotMeasured(reason="no decision column and no threshold was given")
    k = len(outcomes.labels)
    cells = np.bincount(outcomes.truth.astype(np.int64) * k + outcomes.decisions, minlength=k * k).reshape(k, k)
    return Confusion(labels=outcomes.labels, counts=tuple(tuple(int(cell) for cell in row) for row in cells))


def _calibration(outcomes: Outcomes) -> Calibration | NotMeasured:
    """Of the positive class's probability; of more classes than two, of the likeliest one's."""
    if outcomes.task == "regression":
        return NotMeasured(reason="a predicted number is no probability; how far it is off along the predictions stands with the residuals")
    if outcomes.score is None or not outcomes.scores_are_probabilities or (outcomes.task == "multiclass" and outcomes.score.ndim == 1):
        return NotMeasured(reason="there are no probabilities to compare with")
    several = outcomes.task == "multiclass"
    score = np.asarray(outcomes.score.max(axis=1) if several else outcomes.score)
    y = np.asarray(outcomes.truth) == (outcomes.score.argmax(axis=1) if several else outcomes.positive_index)
    whole = count(y, outcomes.weight, outcomes.cluster)
    expected = float(score.sum() if outcomes.weight is None else outcomes.weight @ score)
    return Calibration(
        of="likeliest" if several else "positive", bins=reliability_bins(score, y, outcomes.weight, outcomes.cluster), observed_over_expected=observed_over_expected(whole, expected))


def _scores(outcomes: Outcomes) -> ScoresByClass | None:
    """Rows counted once each, whatever their weight: the picture is of the rows that were scored."""
    if outcomes.task != "binary" or outcomes.score is None or outcomes.truth is None or not outcomes.rows:
        return None
    ends = (0.0, 1.0) if outcomes.scores_are_probabilities else (float(outcomes.score.min()), float(outcomes.score.max()))
    if ends[0] == ends[1]:
        return None
    edges = np.linspace(*ends, SCORE_BINS + 1)
    of = [(label, outcomes.score[outcomes.truth == place]) for place, label in enumerate(outcomes.labels)]
    return ScoresByClass(edges=tuple(map(float, edges)), classes=tuple(
        ClassScores(label=label, n=len(scores), median=float(np.median(scores)), counts=tuple(map(int, np.histogram(scores, edges)[0]))) for label, scores in of if len(scores)))


def _curves(outcomes: Outcomes) -> dict[str, Curve]:
    """ROC and precision-recall of the positive class, at most CURVE_POINTS points each; none where a class or the score is missing."""
    if outcomes.task != "binary" or outcomes.score is None:
        return {}
    y = np.asarray(outcomes.truth) == outcomes.positive_index
    if not 0 < y.sum() < len(y):
        return {}
    false, true, _ = roc_curve(y, outcomes.score, sample_weight=outcomes.weight)
    precision, recall, _ = precision_recall_curve(y, outcomes.score, sample_weight=outcomes.weight, drop_intermediate=True)
    return {
        "roc": _curve(false, true, "false positive rate", "true positive rate"),
        "precision_recall": _curve(recall[::-1], precision[::-1], "recall", "precision"),
    }


def _curve(x: FloatArray, y: FloatArray, x_name: str, y_name: str) -> Curve:
    """Points evenly spaced along the curve's length, its ends among them."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    keep = np.arange(len(x))
    if len(x) > CURVE_POINTS:
        keep = np.unique(np.searchsorted(length, np.linspace(0, length[-1], CURVE_POINTS)).clip(0, len(x) - 1))
        keep[-1] = len(x) - 1
    return Curve(x=tuple(float(v) for v in x[keep]), y=tuple(float(v) for v in y[keep]), x_name=x_name, y_name=y_name)


def _drift(outcomes: Outcomes, out_of_fold: Outcomes) -> dict[str, Value]:
    """Mean score out-of-fold minus mean score on the audit part, with Welch's interval; the score of the favourable outcome, or the predicted number."""
    if out_of_fold.favourable_score() is None or outcomes.favourable_score() is None:
        return {"": NotMeasured(reason="no favourable label was named, so there is no one score to compare")}
    drift = {"": _mean_difference(out_of_fold, outcomes)}
    for attribute, labels in outcomes.groups.items():
        if attribute not in out_of_fold.groups:
            continue
        for group in groups_of(labels):
            drift[f"{attribute}={group}"] = _mean_difference(out_of_fold.take(out_of_fold.groups[attribute] == group), outcomes.take(labels == group))
    return drift


def _mean_difference(a: Outcomes, b: Outcomes) -> Value:
    (mean_a, variance_a, units_a), (mean_b, variance_b, units_b) = _mean_score(a), _mean_score(b)
    if min(units_a, units_b) < 2:
        return NotMeasured(reason=f"fewer than 2 {'rows' if a.cluster is None else 'persons'} on one side")
    value, variance = mean_a - mean_b, variance_a + variance_b
    if variance == 0:  # the same answer for every row: what is left is rounding, and no interval
        return NotMeasured(reason="nothing varies on either side")
    freedom = variance**2 / (variance_a**2 / (units_a - 1) + variance_b**2 / (units_b - 1))
    half = float(student.ppf((1 + LEVEL) / 2, freedom)) * float(np.sqrt(variance))
    few = min(a.rows, b.rows, units_a, units_b) < LOW_PRECISION_BELOW
    method = "welch" if a.cluster is None else "welch by person"
    return Estimate(value=value, low=value - half, high=value + half, method=method, n=a.rows + b.rows, low_precision=few)


def _mean_score(outcomes: Outcomes) -> tuple[float, float, int]:
    """(Weighted) mean of the favourable score, the variance of that mean (linearised, by person where rows repeat one), and the independent units."""
    score = outcomes.favourable_score()
    if score is None or not len(score):
        return 0.0, 0.0, 0
    weight = np.ones(len(score)) if outcomes.weight is None else outcomes.weight
    mean = float(np.average(score, weights=weight))
    unit = np.arange(len(score)) if outcomes.cluster is None else np.unique(outcomes.cluster, return_inverse=True)[1]
    totals = np.bincount(unit, weights=weight * (score - mean) / weight.sum())
    units = len(totals)
    spread = float((totals**2).sum()) * units / max(units - 1, 1)
    return mean, spread if np.ptp(score) > 0 else 0.0, units
