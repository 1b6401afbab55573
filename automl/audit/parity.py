"""How the errors and the scores fall in each group: error rates and their gaps, calibration, score levels (evidence rules 5, 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.audit.intervals import Count, count, difference_estimate, observed_over_expected, pool, rate_estimate
from automl.audit.means import level_estimate
from automl.audit.outcomes import BoolArray, FloatArray
from automl.audit.rate_comparisons import rate_comparisons
from automl.audit.recalibration import recalibration
from automl.audit.reliability import reliability_bins
from automl.audit.resampling import bootstrap_means, exponential, generator, independent_units, percentile_estimate, same_in_all, simultaneous
from automl.audit.spread import Scores, score_spread
from automl.evidence import ErrorRates, Gaps, GroupCalibration, NotMeasured, RateComparison, ScoreOutcome, Value

NO_LABEL = NotMeasured(reason="no label column was given")
NOT_COMPARED: Mapping[str, RateComparison] = MappingProxyType({})
FEWEST_OF_SPREAD = 10
"""Rows of a group below which its quantiles would be the scores of single people."""


@dataclass(frozen=True)
class View:
    """The outcomes as one question: is the favourable outcome given (``selected``), was it deserved, what does the score say of it. Arrays (n,)."""

    selected: BoolArray | None
    deserving: BoolArray | None
    score: FloatArray | None
    probability: bool
    """Whether ``score`` is the probability of the favourable outcome."""
    residual: FloatArray | None
    """Truth minus score: 0/1 minus probability, or number minus prediction; positive where the model says too little. None without labels."""
    weight: FloatArray | None
    cluster: NDArray[Any] | None

    def take(self, rows: NDArray[Any]) -> View:
        def cut(column: Any) -> Any:
            return None if column is None else column[rows]

        return View(
            cut(self.selected), cut(self.deserving), cut(self.score), self.probability, cut(self.residual), cut(self.weight), cut(self.cluster),
        )

    def count(self, hits: BoolArray, among: BoolArray | None = None) -> Count:
        if among is None:
            return count(hits, self.weight, self.cluster)
        return count(hits[among], None if self.weight is None else self.weight[among], None if self.cluster is None else self.cluster[among])


@dataclass(frozen=True)
class ErrorCounts:
    """The counts behind the error rates of one group."""

    tpr: Count
    fpr: Count
    ppv: Count
    npv: Count
    accuracy: Count
    missed: Count
    """False negatives among the errors."""

    @classmethod
    def of(cls, view: View) -> ErrorCounts | None:
        if view.selected is None or view.deserving is None:
            return None
        got, deserved = view.selected, view.deserving
        return cls(
            tpr=view.count(got, deserved), fpr=view.count(got, ~deserved), ppv=view.count(deserved, got), npv=view.count(~deserved, ~got),
            accuracy=view.count(got == deserved), missed=view.count(deserved, got != deserved),
        )

    @classmethod
    def pooled(cls, groups: Sequence[ErrorCounts]) -> ErrorCounts:
        """Several groups as one."""
        return cls(*(pool([getattr(each, name.name) for each in groups]) for name in fields(cls)))

    def by_rate(self) -> dict[str, Count]:
        """The counts by the names that `ErrorRates` has for them."""
        return {"tpr": self.tpr, "fpr": self.fpr, "fnr": _complement(self.tpr), "tnr": _complement(self.fpr), "ppv": self.ppv, "npv": self.npv, "accuracy": self.accuracy}


def _complement(c: Count) -> Count:
    return Count(c.n - c.k, c.n, c.rows_n - c.rows_k, c.rows_n, c.sum_n - c.sum_k, c.sum_n, c.exact, c.persons)


def error_rates(
    mine: ErrorCounts | None, reference: ErrorCounts | None, is_reference: bool, comparisons: int, others: Sequence[ErrorCounts] = (), compared: Mapping[str, RateComparison] = NOT_COMPARED,
) -> ErrorRates | NotMeasured:
    """Error rates with Wilson's intervals; gaps are this group minus the reference, with Newcombe's limits simultaneous over the ``comparisons`` of the table.

    ``others``: where given, gaps to these groups pooled as well, simultaneous over all groups. ``compared``: of `compared_rates`."""
    if mine is None:
        return NO_LABEL
    no_deserving, no_undeserving = "no row of this group has the favourable label", "every row of this group has the favourable label"
    nobody, everybody = "nobody in this group has the favourable outcome", "everybody in this group has the favourable outcome"
    gaps: Gaps | NotMeasured
    if is_reference:
        gaps = NotMeasured(reason="this group is the reference")
    elif reference is None:
        gaps = NotMeasured(reason="there is no reference group")
    else:
        gaps = _gaps(mine, reference, comparisons)
    return ErrorRates(
        tpr=rate_estimate(mine.tpr, no_deserving), fnr=rate_estimate(_complement(mine.tpr), no_deserving),
        fpr=rate_estimate(mine.fpr, no_undeserving), tnr=rate_estimate(_complement(mine.fpr), no_undeserving),
        ppv=rate_estimate(mine.ppv, nobody), npv=rate_estimate(mine.npv, everybody), accuracy=rate_estimate(mine.accuracy), treatment_equality=_for_each_false_positive(mine.missed), gaps=gaps,
        gaps_to_rest=_gaps(mine, ErrorCounts.pooled(others), len(others) + 1) if others else None, compared=dict(compared),
    )


def compared_rates(names: Sequence[str], groups: Sequence[ErrorCounts]) -> list[dict[str, RateComparison]]:
    """For each group every error rate beside that of all rows and of the best group."""
    by_rate = [group.by_rate() for group in groups]
    found = {rate: rate_comparisons(rate, names, [each[rate] for each in by_rate]) for rate in (by_rate[0] if by_rate else ())}
    return [{rate: of_groups[at] for rate, of_groups in found.items()} for at in range(len(groups))]


def _for_each_false_positive(missed: Count) -> Value:
    """False negatives over false positives: the odds of ``missed``, false negatives among the errors, with the odds of its Wilson limits."""
    share = rate_estimate(missed, "no row of this group is a false negative or a false positive")
    if isinstance(share, NotMeasured):
        return share
    if share.value == 1:
        return NotMeasured(reason="no row of this group is a false positive, to divide the false negatives by")
    return share.model_copy(update={name: getattr(share, name) / (1 - getattr(share, name)) for name in ("value", "low", "high")} | {"method": f"{share.method}, as odds"})


def _gaps(mine: ErrorCounts, other: ErrorCounts, comparisons: int) -> Gaps:
    return Gaps(
        tpr=difference_estimate(mine.tpr, other.tpr, "one of the two groups has no row with the favourable label", comparisons),
        fpr=difference_estimate(mine.fpr, other.fpr, "one of the two groups has no row without the favourable label", comparisons),
        ppv=difference_estimate(mine.ppv, other.ppv, "one of the two groups has nobody with the favourable outcome", comparisons),
        npv=difference_estimate(mine.npv, other.npv, "in one of the two groups everybody has the favourable outcome", comparisons),
        accuracy=difference_estimate(mine.accuracy, other.accuracy, comparisons=comparisons),
    )


def group_calibration(view: View, *, line: bool = False, bins: bool = False) -> GroupCalibration | NotMeasured:
    """Favourable labels observed against those the probabilities expect; z = (O - E) / sqrt(sum p (1 - p)), unweighted. ``line``: slope and intercept as well; ``bins``: and reliability bins."""
    if view.score is None or not view.probability:
        return NotMeasured(reason="there are no probabilities to compare with")
    if view.deserving is None:
        return NO_LABEL
    c = view.count(view.deserving)
    weight = np.ones(len(view.score)) if view.weight is None else view.weight
    spread = float((view.score * (1 - view.score)).sum())
    z = float((view.deserving.sum() - view.score.sum()) / np.sqrt(spread)) if spread > 0 and c.exact else None
    expected = float((weight * view.score).sum())
    measured = GroupCalibration(observed=c.rows_k if view.weight is None else c.sum_k, expected=expected, observed_over_expected=observed_over_expected(c, expected), z=z)
    if not line or not len(view.score):
        return measured
    slope, intercept = recalibration(view.score, view.deserving, view.weight, view.cluster)
    return measured.model_copy(update={"slope": slope, "intercept": intercept, "bins": reliability_bins(view.score, view.deserving, view.weight, view.cluster) if bins else ()})


@dataclass(frozen=True)
class ScoreLevels:
    """Weighted means of one group's score, residual and absolute residual, and their bootstrap replicates (REPLICATES, 1 or 3)."""

    rows: int
    units: int
    """Rows, or persons where rows repeat them."""
    heavy: float
    """Sum of the weights."""
    means: FloatArray
    replicates: FloatArray
    levels: tuple[Value, ...]
    """The means with Student's interval, as the metrics of performance have it: one mean has one interval all over the document."""
    above: Count
    scores: Scores | None
    """Where the distribution is asked for."""

    @classmethod
    def of(cls, view: View, median: float, seed: int, *names: str, distribution: bool = False) -> ScoreLevels | None:
        if view.score is None or not len(view.score):
            return None
        columns = [view.score] if view.residual is None else [view.score, view.residual, np.abs(view.residual)]
        stacked = np.column_stack(columns)
        return cls(
            rows=len(view.score), units=independent_units(len(view.score), view.cluster), heavy=float(len(view.score) if view.weight is None else view.weight.sum()),
            means=np.average(stacked, axis=0, weights=view.weight),
            levels=tuple(level_estimate(column, view.weight, view.cluster) for column in columns), above=view.count(view.score > median),
            replicates=bootstrap_means(stacked, generator(seed, "score", *names), view.weight, view.cluster), scores=Scores.of(view.score, view.weight) if distribution else None,
        )


def score_outcome(
    mine: ScoreLevels | None, reference: ScoreLevels | None, is_reference: bool, ratios: bool, no_residual: str, comparisons: int = 1, absolute_errors: bool = False, compared: Mapping[str, RateComparison] = NOT_COMPARED,
) -> ScoreOutcome | NotMeasured:
    """Level and error of the score in a group and its signed distance to the reference's, with limits simultaneous over the ``comparisons`` of the
    table; a ratio of means only where ``ratios`` (every mean is above 0). ``absolute_errors``: difference and ratio of mean absolute errors as well, as of predicted numbers. ``compared``: of `score_comparisons`."""
    if mine is None:
        return NotMeasured(reason="there is no score to measure")

    def level(column: int) -> Value:
        if column >= len(mine.levels):
            return NotMeasured(reason=no_residual)
        return mine.levels[column]

    def difference(column: int) -> Value:
        if is_reference:
            return NotMeasured(reason="this group is the reference")
        if reference is None:
            return NotMeasured(reason="there is no reference group")
        if column >= min(len(mine.means), len(reference.means)):
            return NotMeasured(reason=no_residual)
        if all(same_in_all(each.means[column], each.replicates[:, column]) and each.units > 1 for each in (mine, reference)):
            return NotMeasured(reason="nothing varies on either side")
        moved = mine.replicates[:, column] - reference.replicates[:, column]
        difference = percentile_estimate(
            mine.means[column] - reference.means[column], moved, mine.rows + reference.rows, units=min(mine.units, reference.units),
        )
        return simultaneous(difference, comparisons)

    def ratio_of(column: int) -> Value:
        if is_reference or reference is None:
            return NotMeasured(reason="this group is the reference" if is_reference else "there is no reference group")
        if column == 0 and not ratios:
            return NotMeasured(reason="a ratio of means is only given where every group's mean is above 0")
        if column >= min(len(mine.means), len(reference.means)):
            return NotMeasured(reason=no_residual)
        if min(mine.means[column], reference.means[column]) <= 0:
            return NotMeasured(reason="one of the two means is 0")
        if all(same_in_all(each.means[column], each.replicates[:, column]) and each.units > 1 for each in (mine, reference)):
            return NotMeasured(reason="nothing varies on either side")
        with np.errstate(divide="ignore", invalid="ignore"):  # what a replicate without errors gives is left out
            logarithms = np.log(mine.replicates[:, column] / reference.replicates[:, column])
        ratio = percentile_estimate(float(np.log(mine.means[column] / reference.means[column])), logarithms, mine.rows + reference.rows, units=min(mine.units, reference.units))
        return exponential(simultaneous(ratio, comparisons))

    return ScoreOutcome(
        mean=level(0), above_median=rate_estimate(mine.above), mean_residual=level(1), mean_absolute_error=level(2), mean_difference=difference(0),
        residual_difference=difference(1), ratio_of_means=ratio_of(0), absolute_error_difference=difference(2) if absolute_errors else None, absolute_error_ratio=ratio_of(2) if absolute_errors else None, compared=dict(compared),
        spread=None if mine.scores is None or mine.rows < FEWEST_OF_SPREAD else score_spread(mine.scores, None if is_reference or reference is None else reference.scores),
    )


def middle(score: FloatArray, weight: FloatArray | None) -> float:
    """The (weighted) median; for unweighted scores numpy's, the mean of the two middle values."""
    if weight is None:
        return float(np.median(score))
    order = np.argsort(score, kind="stable")
    heavy = np.cumsum(weight[order])
    return float(score[order][np.searchsorted(heavy, heavy[-1] / 2)])
