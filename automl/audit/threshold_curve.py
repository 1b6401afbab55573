"""What other cuts would do: selection rate, accuracy and the lowest impact ratio of each attribute against the cut."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from automl.audit.group_levels import counts_of, lowest_ratio, members_of
from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, Outcomes
from automl.evidence import CutPoint, NotMeasured, ThresholdCurve

QUANTILES = 19
EVEN = 19
NOTE = (
    "A description of the audited rows at cuts that were not chosen: a cut that is picked from this picture is picked on the audited rows, and what they say of it is then too good. "
    "Which group is lowest may change from cut to cut; the intervals are for one cut at a time."
)


def measure_threshold_curve(outcomes: Outcomes, reference: Mapping[str, str]) -> ThresholdCurve | NotMeasured:
    """At the quantiles of the score, and where it is a probability at even steps; with the chosen cut among them."""
    if outcomes.task != "binary":
        return NotMeasured(reason="a regression has no cut" if outcomes.task == "regression" else "the most probable class is taken: there is no cut")
    if outcomes.score is None:
        return NotMeasured(reason="no score was given, so other cuts cannot be looked at")
    if len(outcomes.favourable) != 1:
        return NotMeasured(reason="no single favourable label was named")
    above = outcomes.favourable[0] == outcomes.labels[outcomes.positive_index]
    chosen = None if outcomes.threshold is None else outcomes.threshold.value
    members = members_of(outcomes.groups)
    truth = None if outcomes.truth is None else outcomes.truth == outcomes.positive_index

    def at(cut: float) -> CutPoint:
        assert outcomes.score is not None
        positive: BoolArray = outcomes.score >= cut
        selected = positive if above else ~positive
        return CutPoint(
            cut=cut, chosen=cut == chosen, selection_rate=rate_estimate(count(selected, outcomes.weight, outcomes.cluster)),
            accuracy=NotMeasured(reason="no label column was given") if truth is None else rate_estimate(count(positive == truth, outcomes.weight, outcomes.cluster)),
            lowest=tuple(lowest_ratio(attribute, counts_of(selected, outcomes, of_group), reference.get(attribute)) for attribute, of_group in members.items()))

    return ThresholdCurve(n=outcomes.rows, chosen=chosen, points=tuple(at(cut) for cut in cuts(outcomes.score, outcomes.scores_are_probabilities, chosen)), note=NOTE)


def cuts(score: FloatArray, probabilities: bool, chosen: float | None) -> list[float]:
    """Rising cuts that select some rows and not all, and the chosen one."""
    found = set(np.quantile(score, np.arange(1, QUANTILES + 1) / (QUANTILES + 1), method="inverted_cdf").tolist())
    if probabilities:
        found |= set((np.arange(1, EVEN + 1) / (EVEN + 1)).round(6).tolist())
    inside = {cut for cut in found if score.min() < cut <= score.max()}
    return sorted(inside | (set() if chosen is None else {chosen}))
