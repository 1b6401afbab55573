"""Whether results hold over time, where a date tells when each row happened: outcome and metric of the audited rows in stretches of time."""

from __future__ import annotations

import numpy as np

from automl.audit.estimates import metric_estimates
from automl.audit.intervals import Count, count, difference_estimate, rate_estimate
from automl.audit.means import mean_estimate, mean_of, welch
from automl.audit.outcomes import FloatArray, Outcomes
from automl.audit.subject import Subject, numbers_of
from automl.evidence import NotMeasured, Stretch, TimeOrder, Value

STRETCHES = 4
FEWEST = 100
"""Dated rows, so that a stretch holds some people."""
RANDOM = (
    "Rows of the same time were learned from as well: what stands here describes how outcome and metric move over time, and is better than what a model says of later rows than it learned from. "
    "Name the time of the rows to have the latest ones set aside."
)
IN_TIME = "The audit part is the latest rows by this date, so the model learned from earlier ones only."

NO_OUTCOME = NotMeasured(reason="no outcome was named as the favourable one")


def measure_time_order(subject: Subject, outcomes: Outcomes, time: str | None) -> TimeOrder | NotMeasured:
    """By the first date among the inputs, the one that orders the split before others; in stretches of about as many rows each, rows of one day together."""
    dates = [name for name, kind in subject.problem.schema.kinds.items() if kind == "date" and name in subject.audit.features.columns]
    if not dates:
        return NotMeasured(reason="no input is a date that could order the rows")
    column = time if time in dates else dates[0]
    moments = numbers_of(subject.audit.features, column)
    dated = np.isfinite(moments)
    edges = np.unique(np.quantile(moments[dated], np.arange(1, STRETCHES) / STRETCHES, method="inverted_cdf")) if dated.sum() >= FEWEST else np.zeros(0)
    if not len(edges):
        return NotMeasured(reason=f"fewer than {FEWEST} audited rows have a date")
    place = np.where(dated, np.searchsorted(edges, moments, side="left"), -1)
    parts = [(outcomes.take(place == at), moments[place == at]) for at in range(len(edges) + 1) if (place == at).any()]
    if len(parts) < 2:
        return NotMeasured(reason="all audited rows have nearly the same date")
    return TimeOrder(
        column=column, split_by_it=column == time, undated=int((~dated).sum()), stretches=tuple(_stretch(subject, *part) for part in parts),
        outcome_change=_change(parts[0][0], parts[-1][0]), note=IN_TIME if column == time else RANDOM)


def _stretch(subject: Subject, outcomes: Outcomes, moments: FloatArray) -> Stretch:
    metric = subject.problem.metric
    return Stretch(first=_day(moments.min()), last=_day(moments.max()), n=outcomes.rows, outcome=_outcome(outcomes), metric=metric_estimates(outcomes, seed=subject.seed, names=[metric])[metric])


def _day(moment: float) -> str:
    """Dates are days since 1970-01-01."""
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(np.floor(moment)), "D"))


def _outcome(outcomes: Outcomes) -> Value:
    if outcomes.task == "regression":
        return mean_estimate(_numbers(outcomes), outcomes.weight, outcomes.cluster)
    counted = _count(outcomes)
    return NO_OUTCOME if counted is None else rate_estimate(counted)


def _change(first: Outcomes, last: Outcomes) -> Value:
    if first.task == "regression":
        return welch(*(mean_of(_numbers(each), each.weight, each.cluster) for each in (last, first)))[0]
    before, after = _count(first), _count(last)
    return NO_OUTCOME if before is None or after is None else difference_estimate(after, before)


def _numbers(outcomes: Outcomes) -> FloatArray:
    return np.asarray(outcomes.truth, dtype=np.float64)


def _count(outcomes: Outcomes) -> Count | None:
    """Of the favourable label, of two classes else of the positive one."""
    if not outcomes.favourable and outcomes.task != "binary":
        return None
    hits = outcomes.deserving() if outcomes.favourable else np.asarray(outcomes.truth) == outcomes.positive_index
    return None if hits is None else count(hits, outcomes.weight, outcomes.cluster)
