"""The accuracy-fairness front as evidence: each model of it with both objectives, group by group, on out-of-fold predictions of the training rows.

The values are those that steered the search (Fairlearn's, `automl.learn.disparity`). A largest gap is a description of these rows: evidence rule 9 gives it
no interval, and what can be inferred is in the signed difference of the two groups, simultaneous over every pair that it was picked from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from automl.audit.estimates import metric_estimates
from automl.audit.intervals import LEVEL, Count, count, difference_estimate, mover_ratio, rate_estimate
from automl.audit.outcomes import BoolArray, FloatArray, Outcomes, groups_of
from automl.evidence import Estimate, Front, FrontAttribute, FrontGap, FrontGroup, FrontModel, NotMeasured, Threshold, Value
from automl.learn.disparity import RATES, SMALLEST_GROUP, Compared, Disparity, Rate
from automl.learn.front import MOST_DESCRIBED, along, front_of, kept_of
from automl.learn.model import FittedModel
from automl.learn.search import SearchResult
from automl.learn.studies import REWEIGHING
from automl.learn.trials import TrialRecord

MadeOf = Callable[[FloatArray, Threshold | None], Outcomes]
"""The outcomes of the training rows from their out-of-fold raw scores and the cut-off."""
NOTE = (
    "Measured on out-of-fold predictions of the training rows, the same that the search compared its trials on: the ends of a front are a little better there than they "
    "will be on new rows. The audit part was not looked at. The front is of single trials. The model that is deployed is chosen by score alone and may combine several trials; another point of the "
    "front is a person's choice."
)


@dataclass(frozen=True)
class _Room:
    result: SearchResult
    disparity: Disparity
    outcomes: MadeOf
    seed: int

    def model(self, raw: FloatArray, threshold: Threshold | None, fairness: float | None, **named: object) -> FrontModel:
        outcomes = self.outcomes(raw, threshold)
        name = self.result.scorer.name
        return FrontModel(
            score=metric_estimates(outcomes, seed=self.seed, names=[name])[name], fairness=fairness, threshold=threshold,
            attributes=tuple(_attribute(groups, outcomes, self.disparity) for groups in self.disparity.compared), **named)


def measure_front(
    result: SearchResult, model: FittedModel, outcomes: MadeOf, seed: int, *, asked: Sequence[str], folders: Mapping[int, tuple[str, str]],
) -> Front | None:
    """The front of ``result``; None where the search had one objective or no trial was complete.

    ``asked``: the attributes of the spec's objective. ``folders``: trial to the bundle's folder of its model and that model's sha256.
    """
    disparity, front = result.disparity, front_of(result)
    if disparity is None or not front:
        return None
    room, described = _Room(result, disparity, outcomes, seed), along(front, MOST_DESCRIBED)
    alone = model.members[0].trial if len(model.members) == 1 else None
    whole = room.model(
        model.out_of_fold_raw, model.threshold, disparity.value(model.out_of_fold_raw), trial=alone, family=model.members[0].family if alone is not None else "ensemble",
        reweighing=None, deployed=True)
    return Front(
        metric=disparity.metric, direction=disparity.direction, attributes=tuple(each.attribute for each in disparity.compared),
        not_compared=tuple(name for name in asked if name not in {each.attribute for each in disparity.compared}), smallest_group=SMALLEST_GROUP, n=len(disparity.y),
        trials=len(result.complete), on_front=tuple(record.number for record in front), models=tuple(_of_trial(room, record, alone, folders) for record in described), deployed=whole, note=NOTE)


def models_kept(result: SearchResult) -> tuple[TrialRecord, ...]:
    """The trials of the front whose models go into the bundle."""
    return kept_of(along(front_of(result), MOST_DESCRIBED))


def _of_trial(room: _Room, record: TrialRecord, alone: int | None, folders: Mapping[int, tuple[str, str]]) -> FrontModel:
    raw = record.out_of_fold()
    folder, sha256 = folders.get(record.number, (None, None))
    return room.model(
        raw, room.disparity.threshold(raw), record.fairness, trial=record.number, family=record.family, reweighing=record.params[REWEIGHING],
        deployed=record.number == alone, folder=folder, model_sha256=sha256)


def _attribute(groups: Compared, outcomes: Outcomes, disparity: Disparity) -> FrontAttribute:
    selected, deserving = outcomes.selected(), outcomes.deserving()
    assert selected is not None, "an objective was measured, so there are decisions"
    assert deserving is not None, "training rows have a truth"
    names = groups_of(np.array(groups.names, dtype=object))
    rows = {name: groups.codes == groups.names.index(name) for name in names}
    counts = {name: _counts(selected, deserving, mine, outcomes) for name, mine in rows.items()}
    compared = [name for name in names if groups.counts[groups.names.index(name)]]
    comparisons = _comparisons(disparity)
    rates = RATES[disparity.metric]
    as_ratio = disparity.metric == "demographic_parity_ratio"
    return FrontAttribute(
        attribute=groups.attribute, value=disparity.of_attribute(groups, selected), unknown=int((groups.codes < 0).sum()),
        gaps=tuple(_gap(rate, {name: counts[name][rate] for name in compared}, comparisons, as_ratio) for rate in rates),
        groups=tuple(FrontGroup(
            group=name, n=int(rows[name].sum()), compared=name in compared, selection_rate=rate_estimate(counts[name]["selection_rate"]),
            tpr=rate_estimate(counts[name]["tpr"], "no row of this group has the favourable label"),
            fpr=rate_estimate(counts[name]["fpr"], "every row of this group has the favourable label")) for name in names))


def _counts(selected: BoolArray, deserving: BoolArray, mine: BoolArray, outcomes: Outcomes) -> dict[Rate, Count]:
    def among(rows: BoolArray) -> Count:
        return count(selected[rows], None if outcomes.weight is None else outcomes.weight[rows], None if outcomes.cluster is None else outcomes.cluster[rows])

    return {"selection_rate": among(mine), "tpr": among(mine & deserving), "fpr": among(mine & ~deserving)}


def _comparisons(disparity: Disparity) -> int:
    """Pairs of compared groups, over all attributes and all rates of the metric."""
    sizes = [int(each.counts.sum()) for each in disparity.compared]
    return len(RATES[disparity.metric]) * sum(size * (size - 1) // 2 for size in sizes)


def _gap(rate: Rate, counts: Mapping[str, Count], comparisons: int, as_ratio: bool) -> FrontGap:
    high, low = max(permutations(counts, 2), key=lambda pair: counts[pair[0]].rate - counts[pair[1]].rate)
    a, b = counts[high], counts[low]
    return FrontGap(rate=rate, high=high, low=low, difference=_ratio(b, a, comparisons) if as_ratio else difference_estimate(a, b, comparisons=comparisons))


def _ratio(low: Count, high: Count, comparisons: int) -> Value:
    if high.sum_k == 0:
        return NotMeasured(reason="nobody in any group has the favourable outcome, so the highest rate is 0")
    alpha = (1 - LEVEL) / comparisons
    below, above = mover_ratio(low.k, low.n, high.k, high.n, alpha / 2)
    value = float(low.exact_rate / high.exact_rate)
    suffix = (f", simultaneous over {comparisons}" if comparisons > 1 else "") + (low.suffix() or high.suffix())
    return Estimate(
        value=value, low=min(float(below), value), high=max(float(above), value), level=LEVEL if comparisons == 1 else 1 - alpha, method="mover-r wilson" + suffix,
        n=low.rows_n + high.rows_n, low_precision=low.low_precision or high.low_precision)
