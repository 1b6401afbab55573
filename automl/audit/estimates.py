"""Each metric as an estimate: the value equals scikit-learn's on the same arrays, the interval follows evidence rule 9.

Shares of rows take Wilson; AUC takes Newcombe or DeLong; what is made of a confusion matrix is resampled from its counts; means over rows are resampled
by units; average precision is resampled from its counts per score bin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.metrics import average_precision_score

from automl.audit.intervals import (
    DELONG_FROM,
    LOW_PRECISION_BELOW,
    Count,
    auc_estimate,
    auc_interval_newcombe,
    count,
    logit_interval,
    rate_estimate,
)
from automl.audit.means import level_estimate
from automl.audit.outcomes import BoolArray, FloatArray, IntArray, Outcomes
from automl.audit.resampling import REPLICATES, bootstrap_means, draw_counts, generator, independent_units, percentile_estimate, units_of, varying_estimate
from automl.evidence import Estimate, NotMeasured, Value
from automl.spec import MEDIAN

METRICS = {
    "binary": ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "brier", "log_loss"),
    "multiclass": ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "brier", "log_loss"),
    "regression": ("mae", "rmse", "rmsle", "r2", "mean_residual"),
}
"""What is measured per task. Multiclass: roc_auc and average_precision one-versus-rest, precision, recall and f1 per class, all averaged without weights (macro)."""
OF_QUANTILES = ("quantile_loss", "coverage")
"""Measured besides where a quantile is predicted: the pinball loss at its level, and the share of rows whose true value is at most the predicted one."""

_SCORE_BINS = 256
_ROWWISE_CELLS = 20_000
_EPS = float(np.finfo(np.float64).eps)


def metric_estimates(outcomes: Outcomes, *, seed: int, names: Collection[str] | None = None) -> dict[str, Value]:
    """Metrics of the task by name (all of METRICS, or those in ``names``); one that cannot be measured says why."""
    known = METRICS[outcomes.task] if outcomes.quantile is None else (*OF_QUANTILES, *METRICS[outcomes.task])
    wanted = [name for name in known if names is None or name in names]
    if outcomes.truth is None:
        return {name: NotMeasured(reason="no label column was given") for name in wanted}
    if outcomes.rows == 0:
        return {name: NotMeasured(reason="there are no rows") for name in wanted}
    measure = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[outcomes.task]
    makers = measure(outcomes, seed)
    return {name: makers[name]() for name in wanted}


Makers = dict[str, Callable[[], Value]]


def _binary(o: Outcomes, seed: int) -> Makers:
    y = np.asarray(o.truth) == o.positive_index
    decisions, score = o.decisions, o.score
    makers: Makers = {}
    if decisions is None:
        absent = NotMeasured(reason="no decision column and no threshold was given")
        makers |= dict.fromkeys(("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc"), lambda: absent)
    else:
        makers |= _decided(o, y, decisions == o.positive_index, seed)
        makers["mcc"] = partial(_mcc, o, np.asarray(o.truth), decisions, seed)
    if score is None:
        no_score = NotMeasured(reason="no score column was given")
        makers |= dict.fromkeys(("roc_auc", "average_precision", "brier", "log_loss"), lambda: no_score)
    else:
        makers["roc_auc"] = partial(_auc, o, y, score)
        makers["average_precision"] = partial(_average_precision, o, y, score, seed)
        makers |= _probability_losses(o, y[:, None] == np.array([False, True]), np.column_stack([1 - score, score]), seed)
    return makers


def _count(o: Outcomes, hits: BoolArray, among: BoolArray) -> Count:
    return count(hits[among], None if o.weight is None else o.weight[among], None if o.cluster is None else o.cluster[among])


def _decided(o: Outcomes, y: BoolArray, got: BoolArray, seed: int) -> Makers:
    def share(hits: BoolArray, among: BoolArray, absent: str) -> Value:
        return rate_estimate(_count(o, hits, among), absent)

    def from_counts(name: str) -> Value:
        cells = np.column_stack([got & y, got & ~y, ~got & y, ~got & ~y])
        observed, replicates = _cell_shares(o, cells, seed)
        made_of = [_f1_part(o, y, got)] if name == "f1" else [rate_estimate(_count(o, got, y)), rate_estimate(_count(o, ~got, ~y))]
        return _mean_of_rates(o, float(formula[name](observed)), formula[name](replicates), made_of, "bootstrap of counts")

    formula: dict[str, Callable[[FloatArray], Any]] = {"balanced_accuracy": _balanced_accuracy, "f1": _f1}
    everywhere = np.ones(len(y), dtype=bool)
    no_class = NotMeasured(reason="only one class is present in these rows")
    no_positive = NotMeasured(reason="no row is positive, predicted or true")
    return {
        "accuracy": lambda: share(got == y, everywhere, "there are no rows"),
        "precision": lambda: share(y, got, "no row was predicted positive"),
        "recall": lambda: share(got, y, "no row is positive"),
        "specificity": lambda: share(~got, ~y, "no row is negative"),
        "balanced_accuracy": lambda: from_counts("balanced_accuracy") if 0 < y.sum() < len(y) else no_class,
        "f1": lambda: from_counts("f1") if (y | got).any() else no_positive,
    }


def _mean_of_rates(o: Outcomes, value: float, replicates: FloatArray, made_of: Sequence[Value], method: str) -> Value:
    """``value``, the mean of the rates that it is ``made_of``, with the percentile interval of its replicates, widened by the rates that are 0 or 1.

    Every replicate repeats those, which says nothing of what another sample would show: a class of three rows that are all right would
    be as certain as one of three thousand. The distances to their Wilson limits join in by squares, as in Newcombe's difference.
    """
    settled = [rate for rate in made_of if isinstance(rate, Estimate) and rate.value in (0.0, 1.0)]
    moved = [((rate.value - rate.low) / len(made_of), (rate.high - rate.value) / len(made_of)) for rate in settled]
    return _widened(o, value, replicates, settled, moved, len(settled) == len(made_of), method)


def _widened(
    o: Outcomes, value: float, replicates: FloatArray, settled: Sequence[Estimate], moved: Sequence[tuple[float, float]], everywhere: bool, method: str, least: float = 0.0,
) -> Value:
    """The percentile interval joined by squares with how far down and up each of the ``settled`` rates could move the value; ``everywhere``: no rate is left
    that the replicates could vary. Between ``least`` and 1."""
    if not settled:
        return percentile_estimate(value, replicates, o.rows, method, units=_units(o))
    resampled = percentile_estimate(value, replicates, o.rows, method, units=max(2, _units(o)) if everywhere else _units(o))
    if isinstance(resampled, NotMeasured):
        return resampled
    below = [value - resampled.low, *(down for down, _ in moved)]
    above = [resampled.high - value, *(up for _, up in moved)]
    return resampled.model_copy(update={
        "low": max(least, value - float(np.hypot.reduce(below))), "high": min(1.0, value + float(np.hypot.reduce(above))),
        "method": f"{method}, wilson where a rate is 0 or 1", "low_precision": resampled.low_precision or any(rate.low_precision for rate in settled),
    })


def _f1_part(o: Outcomes, y: BoolArray, got: BoolArray) -> Value:
    """One class's F1 as 2 J / (1 + J), from Wilson's limits of J: the share of true positives among the rows that are positive, predicted or true."""
    share = rate_estimate(_count(o, y & got, y | got))
    if isinstance(share, NotMeasured):
        return share
    return share.model_copy(update={name: 2 * getattr(share, name) / (1 + getattr(share, name)) for name in ("value", "low", "high")})


def _units(o: Outcomes) -> int:
    return independent_units(o.rows, o.cluster)


def _balanced_accuracy(cells: FloatArray) -> Any:
    tp, fp, fn, tn = np.moveaxis(cells, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (tp / (tp + fn) + tn / (tn + fp)) / 2


def _f1(cells: FloatArray) -> Any:
    tp, fp, fn, _ = np.moveaxis(cells, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * tp / (2 * tp + fp + fn)


def _mcc(o: Outcomes, truth: IntArray, decisions: IntArray, seed: int) -> Value:
    """Matthews' correlation coefficient, for more classes Gorodkin's R_K (2004), from resampled (true, predicted) cells.

    NotMeasured where the truth or the decisions are one class: then it has no denominator, and scikit-learn's 0 is a convention.
    """
    for column, verb in ((truth, "are"), (decisions, "are decided to be")):
        if len(np.unique(column)) < 2:
            return NotMeasured(reason=f"all rows {verb} {o.labels[int(column[0])]!r}, so there is nothing to correlate")
    pairs, place = np.unique(np.column_stack([truth, decisions]), axis=0, return_inverse=True)
    classes = np.union1d(truth, decisions)
    observed, replicates = _cell_shares(o, place.ravel()[:, None] == np.arange(len(pairs)), seed)
    hit, of_truth, of_decision = pairs[:, 0] == pairs[:, 1], pairs[:, [0]] == classes, pairs[:, [1]] == classes

    def correlation(shares: FloatArray) -> FloatArray:
        true, decided = shares @ of_truth, shares @ of_decision
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt((1 - (true**2).sum(axis=-1)) * (1 - (decided**2).sum(axis=-1)))
            return np.asarray(np.where(spread > _EPS, (shares @ hit - (true * decided).sum(axis=-1)) / spread, np.nan))

    table = np.zeros((len(classes), len(classes)))
    table[np.searchsorted(classes, pairs[:, 0]), np.searchsorted(classes, pairs[:, 1])] = observed
    value = float(correlation(observed))
    recalls = [(at, rate) for at, c in enumerate(classes) if isinstance(rate := rate_estimate(_count(o, decisions == c, truth == c)), Estimate)]
    settled = [(at, rate) for at, rate in recalls if rate.value in (0.0, 1.0)]
    moved = [tuple(_mcc_of_table(_with_recall(table, at, limit)) - value for limit in (rate.low, rate.high)) for at, rate in settled]
    away = [(max(0.0, *(-by for by in both)), max(0.0, *both)) for both in moved]
    return _widened(o, value, correlation(replicates), [rate for _, rate in settled], away, len(settled) == len(recalls), "bootstrap of counts", least=-1.0)


def _with_recall(table: FloatArray, at: int, recall: float) -> FloatArray:
    """Shares (k, k) with another recall of one class; what is decided otherwise is so as before, or, where nothing was, as among the other classes' decisions."""
    changed, whole = table.copy(), table[at].sum()
    others = np.delete(np.arange(len(table)), at)
    elsewhere = table[at, others] if table[at, others].sum() > 0 else table[:, others].sum(axis=0)
    changed[at, at] = recall * whole
    changed[at, others] = (1 - recall) * whole * elsewhere / elsewhere.sum()
    return changed


def _mcc_of_table(table: FloatArray) -> float:
    true, decided = table.sum(axis=1), table.sum(axis=0)
    spread = float(np.sqrt((1 - (true**2).sum()) * (1 - (decided**2).sum())))
    return float(np.trace(table) - true @ decided) / spread if spread > _EPS else 0.0


def _cell_shares(o: Outcomes, cells: NDArray[Any], seed: int) -> tuple[FloatArray, FloatArray]:
    """Weighted shares of disjoint row indicators (n, m), as observed (m,) and resampled (REPLICATES, m); from counts where rows are independent."""
    rng = generator(seed, "cells")
    if o.weight is None and o.cluster is None:
        observed = cells.mean(axis=0)
        return observed, rng.multinomial(o.rows, observed / observed.sum(), size=REPLICATES) / o.rows
    return np.average(cells, axis=0, weights=o.weight), bootstrap_means(cells.astype(np.float64), rng, o.weight, o.cluster)


def _probability_losses(o: Outcomes, hot: NDArray[Any], probabilities: FloatArray, seed: int) -> Makers:
    """Brier score and log loss; ``hot`` and ``probabilities`` are (n, k). Binary: mean (p - y)^2; multiclass: the sum over classes, as scikit-learn has it."""
    if not o.scores_are_probabilities:
        absent = NotMeasured(reason="the scores are not probabilities: some lie outside 0 to 1")
        return dict.fromkeys(("brier", "log_loss"), lambda: absent)

    def mean_of(losses: FloatArray, name: str) -> Value:
        replicates = bootstrap_means(losses[:, None], generator(seed, name), o.weight, o.cluster)[:, 0]
        return percentile_estimate(float(np.average(losses, weights=o.weight)), replicates, o.rows, units=_units(o))

    def brier() -> Value:
        squares = ((probabilities - hot) ** 2).sum(axis=1)
        return mean_of(squares / 2 if o.task == "binary" else squares, "brier")

    return {"brier": brier, "log_loss": lambda: mean_of(-xlogy(hot, np.clip(probabilities, _EPS, 1 - _EPS)).sum(axis=1), "log_loss")}


def _auc(o: Outcomes, y: BoolArray, score: FloatArray) -> Value:
    if o.weight is None and o.cluster is None:
        return auc_estimate(score[y], score[~y])
    if not 0 < y.sum() < len(y):
        return NotMeasured(reason="only one class is present in these rows")
    auc, influence = auc_influence(y, score, o.weight)
    return _auc_by_influence(o, auc, influence, _sizes(o, y))


def _sizes(o: Outcomes, y: BoolArray) -> tuple[int, int]:
    """Rows (persons where rows repeat them) with and without the label, the fewer first."""
    fewer, more = sorted(int(side.sum()) if o.cluster is None else len(np.unique(o.cluster[side])) for side in (y, ~y))
    return fewer, more


def auc_influence(y: BoolArray, score: FloatArray, weight: FloatArray | None) -> tuple[float, FloatArray]:
    """(Weighted) AUC and what each row moves it by, to first order: DeLong's placement values, centred and scaled. Both classes must be present."""
    w = np.ones(len(y)) if weight is None else weight

    def placement(of: FloatArray, among: FloatArray, heavy: FloatArray) -> FloatArray:
        order = np.argsort(among, kind="stable")
        ahead = np.concatenate([[0.0], np.cumsum(heavy[order])])
        left, right = np.searchsorted(among[order], of, side="left"), np.searchsorted(among[order], of, side="right")
        return np.asarray((ahead[left] + ahead[right]) / 2 / ahead[-1])

    above = placement(score[y], score[~y], w[~y])
    below = 1 - placement(score[~y], score[y], w[y])
    auc = float(np.average(above, weights=w[y]))
    influence = np.empty(len(y))
    influence[y] = w[y] * (above - auc) / w[y].sum()
    influence[~y] = w[~y] * (below - auc) / w[~y].sum()
    return auc, influence


def _auc_by_influence(o: Outcomes, auc: float, influence: FloatArray, sizes: tuple[int, int]) -> Value:
    unit = np.arange(o.rows) if o.cluster is None else np.unique(o.cluster, return_inverse=True)[1]
    totals = np.bincount(unit, weights=influence)
    variance = float((totals**2).sum()) * len(totals) / max(len(totals) - 1, 1)
    smallest, largest = sizes
    if smallest >= DELONG_FROM and 0 < auc < 1 and variance > 0:
        (low, high), method = logit_interval(auc, variance), "delong (logit)"
    else:
        (low, high), method = auc_interval_newcombe(auc, smallest, largest), "newcombe score"
    by = " by person" if o.cluster is not None else ""
    return Estimate(value=auc, low=min(low, auc), high=max(high, auc), method=method + by, n=o.rows, low_precision=smallest < LOW_PRECISION_BELOW)


def _average_precision(o: Outcomes, y: BoolArray, score: FloatArray, seed: int) -> Value:
    """Average precision, marked where few positives stand behind it: it is a mean over them, however many negatives there are."""
    estimate = _resampled_precision(o, y, score, seed)
    positives = independent_units(int(y.sum()), None if o.cluster is None else o.cluster[y])
    if isinstance(estimate, NotMeasured) or positives >= LOW_PRECISION_BELOW:
        return estimate
    return estimate.model_copy(update={"low_precision": True})


def _resampled_precision(o: Outcomes, y: BoolArray, score: FloatArray, seed: int) -> Value:
    """Average precision. Above _SCORE_BINS distinct scores the replicates use that many bins, shifted by what the binning itself changes."""
    if not y.any():
        return NotMeasured(reason="no row is positive")
    value = float(average_precision_score(y, score, sample_weight=o.weight))
    if not y.all() and score[y].min() > score[~y].max():
        return _all_ahead(o, y, value)
    bins = _score_bins(score)
    observed = _binned_precision(*_bin_totals(np.ones((1, o.rows)), o, y, bins))
    if o.weight is None and o.cluster is None:
        cells = np.bincount(bins * 2 + y, minlength=2 * (int(bins.max()) + 1))
        drawn = generator(seed, "average_precision").multinomial(o.rows, cells / o.rows, size=REPLICATES).reshape(REPLICATES, -1, 2)
        replicates = _binned_precision(drawn[:, :, 1].astype(float), drawn[:, :, 0].astype(float))
        return percentile_estimate(value, replicates + (value - float(observed[0])), o.rows, "bootstrap of counts")
    rng = generator(seed, "average_precision")
    unit = units_of(o.rows, o.cluster, rng, limit=_ROWWISE_CELLS)
    replicates = np.concatenate([
        _binned_precision(*_bin_totals(counts[:, unit], o, y, bins)) for counts in draw_counts(int(unit.max()) + 1, rng)
    ])
    return percentile_estimate(value, replicates + (value - float(observed[0])), o.rows, units=_units(o))


def _all_ahead(o: Outcomes, y: BoolArray, value: float) -> Value:
    """Every positive scores above every negative, so every replicate agrees, which says nothing of another sample. The lower limit takes Wilson's lower
    limit of the share of positives ahead of all negatives, and places the others at random: their precision is then the base rate."""
    ahead = rate_estimate(_count(o, y, y))
    base_rate = rate_estimate(_count(o, y, np.ones(len(y), dtype=bool)))
    if isinstance(ahead, NotMeasured) or isinstance(base_rate, NotMeasured):
        return NotMeasured(reason="no row is positive")
    low = ahead.low + (1 - ahead.low) * base_rate.value
    return Estimate(value=value, low=low, high=value, method="wilson of the positives ahead", n=o.rows, low_precision=ahead.low_precision)


def _score_bins(score: FloatArray) -> IntArray:
    """Bin of each row, 0 the highest scores; equal scores share a bin."""
    distinct, place = np.unique(-score, return_inverse=True)
    if len(distinct) <= _SCORE_BINS:
        return place.astype(np.int64)
    rank = np.cumsum(np.bincount(place))[place]  # rows scored at least as high
    return np.unique((rank - 1) * _SCORE_BINS // len(score), return_inverse=True)[1].astype(np.int64)


def _bin_totals(draws: FloatArray, o: Outcomes, y: BoolArray, bins: IntArray) -> tuple[FloatArray, FloatArray]:
    """Weights of positives and of negatives per score bin, (b, bins) each, for row draws (b, n)."""
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    w = draws[:, order] if o.weight is None else draws[:, order] * o.weight[order]
    return np.add.reduceat(w * y[order], starts, axis=1), np.add.reduceat(w * ~y[order], starts, axis=1)


def _binned_precision(positives: FloatArray, negatives: FloatArray) -> FloatArray:
    true = np.cumsum(positives, axis=1)
    everybody = true + np.cumsum(negatives, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(everybody > 0, true / everybody, 0.0)
        return np.asarray((positives * precision).sum(axis=1) / true[:, -1])


def _multiclass(o: Outcomes, seed: int) -> Makers:
    truth, decisions, score = np.asarray(o.truth), o.decisions, o.score
    makers: Makers = {}
    if decisions is None:
        absent = NotMeasured(reason="no decision column was given")
        makers |= dict.fromkeys(("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc"), lambda: absent)
    else:
        right = decisions == truth
        makers["accuracy"] = lambda: rate_estimate(count(right, o.weight, o.cluster))
        makers["mcc"] = partial(_mcc, o, truth, decisions, seed)
        makers |= {name: partial(_macro, o, truth, decisions, name, seed) for name in ("balanced_accuracy", "precision", "recall", "f1")}
    if score is None or score.ndim != 2:
        no_score = NotMeasured(reason="no score per class was given")
        return makers | dict.fromkeys(("roc_auc", "average_precision", "brier", "log_loss"), lambda: no_score)
    hot = truth[:, None] == np.arange(len(o.labels))
    makers["roc_auc"] = partial(_macro_auc, o, hot, score)
    makers["average_precision"] = partial(_macro_average_precision, o, hot, score, seed)
    return makers | _probability_losses(o, hot, score, seed)


def _macro(o: Outcomes, truth: IntArray, decisions: IntArray, name: str, seed: int) -> Value:
    """Means over classes, from resampled (true, predicted) cells; the classes are those that occur, as scikit-learn has it."""
    pairs, place = np.unique(np.column_stack([truth, decisions]), axis=0, return_inverse=True)
    indicators = place.ravel()[:, None] == np.arange(len(pairs))
    observed, replicates = _cell_shares(o, indicators, seed)
    occurring = np.unique(truth) if name == "balanced_accuracy" else np.union1d(truth, decisions)
    missing = np.setdiff1d(occurring, decisions) if name == "precision" else np.setdiff1d(occurring, truth) if name == "recall" else np.array([], dtype=int)
    if len(missing):
        verb = "was predicted" if name == "precision" else "is"
        return NotMeasured(reason=f"no row {verb} {o.labels[int(missing[0])]!r}, so its {name} has no denominator")

    def mean_over_classes(shares: FloatArray) -> FloatArray:
        per_class = []
        for c in occurring:
            hit = shares[..., (pairs[:, 0] == c) & (pairs[:, 1] == c)].sum(axis=-1)
            true, predicted = shares[..., pairs[:, 0] == c].sum(axis=-1), shares[..., pairs[:, 1] == c].sum(axis=-1)
            below = {"precision": predicted, "f1": (true + predicted) / 2}.get(name, true)
            with np.errstate(divide="ignore", invalid="ignore"):
                per_class.append(np.where(below > 0, hit / below, np.nan))
        stacked = np.stack(per_class)
        present = np.isfinite(stacked)
        with np.errstate(divide="ignore", invalid="ignore"):  # a class that a replicate lacks does not count in it
            return np.asarray(np.where(present, stacked, 0).sum(axis=0) / present.sum(axis=0))

    made_of = [_class_rate(o, truth == c, decisions == c, name) for c in occurring]
    return _mean_of_rates(o, float(mean_over_classes(observed)), mean_over_classes(replicates), made_of, "bootstrap of counts, macro")


def _class_rate(o: Outcomes, true: BoolArray, predicted: BoolArray, name: str) -> Value:
    """One class's part of the mean that ``name`` is."""
    if name == "f1":
        return _f1_part(o, true, predicted)
    return rate_estimate(_count(o, true, predicted) if name == "precision" else _count(o, predicted, true))


def _macro_auc(o: Outcomes, hot: NDArray[Any], score: FloatArray) -> Value:
    sizes = hot.sum(axis=0)
    if sizes.min() == 0 or sizes.max() == o.rows:
        return NotMeasured(reason=f"no row is {o.labels[int(sizes.argmin())]!r}, so one of the one-versus-rest curves is undefined")
    parts = [auc_influence(hot[:, c], score[:, c], o.weight) for c in range(hot.shape[1])]
    influence = np.mean([each for _, each in parts], axis=0)
    estimate = _auc_by_influence(o, float(np.mean([auc for auc, _ in parts])), influence, min(_sizes(o, hot[:, c]) for c in range(hot.shape[1])))
    return estimate.model_copy(update={"method": f"{estimate.method}, macro"}) if isinstance(estimate, Estimate) else estimate


def _macro_average_precision(o: Outcomes, hot: NDArray[Any], score: FloatArray, seed: int) -> Value:
    """Mean over classes. The interval adds the classes' half-widths as if they moved together, which errs on the wide side."""
    parts = [_average_precision(o, hot[:, c], score[:, c], seed) for c in range(hot.shape[1])]
    if not hot.any(axis=0).all():
        return NotMeasured(reason=f"no row is {o.labels[int(hot.any(axis=0).argmin())]!r}, so its average precision is undefined")
    if absent := [part for part in parts if isinstance(part, NotMeasured)]:
        return absent[0]
    measured = [part for part in parts if isinstance(part, Estimate)]
    return Estimate(
        value=float(np.mean([part.value for part in measured])), low=float(np.mean([part.low for part in measured])),
        high=float(np.mean([part.high for part in measured])), method="bootstrap of counts per class, limits averaged", n=o.rows,
        low_precision=any(part.low_precision for part in measured) or int(hot.sum(axis=0).min()) < LOW_PRECISION_BELOW,
    )


def _regression(o: Outcomes, seed: int) -> Makers:
    truth, predicted = np.asarray(o.truth, dtype=np.float64), o.score
    if predicted is None:
        absent = NotMeasured(reason="no predicted number was given")
        return dict.fromkeys((*OF_QUANTILES, *METRICS["regression"]), lambda: absent)
    residual, centred = truth - predicted, truth - float(np.average(truth, weights=o.weight))
    columns = np.column_stack([residual**2, centred, centred**2])
    observed = np.average(columns, axis=0, weights=o.weight)
    replicates = bootstrap_means(columns, generator(seed, "regression"), o.weight, o.cluster)

    def r2(means: FloatArray) -> Any:
        total = means[..., 2] - means[..., 1] ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, 1 - means[..., 0] / total, np.nan)

    def determination() -> Value:
        if o.quantile is not None:
            return NotMeasured(reason=f"the {o.quantile:g} quantile is predicted, and R2 is about the mean")
        if o.rows < 2 or observed[2] == 0:
            return NotMeasured(reason="the true values do not vary in these rows")
        return varying_estimate(float(r2(observed)), r2(replicates), o.rows, units=_units(o))

    def mean_of(losses: FloatArray, name: str, finish: Callable[[Any], Any]) -> Value:
        means = bootstrap_means(losses[:, None], generator(seed, name), o.weight, o.cluster)[:, 0]
        return varying_estimate(float(finish(np.average(losses, weights=o.weight))), finish(means), o.rows, units=_units(o))

    def rmsle() -> Value:
        if negative := int((truth < 0).sum()):
            return NotMeasured(reason=f"{negative:,} of {o.rows:,} true values are below 0, and it compares logarithms of 1 + value")
        return mean_of((np.log1p(truth) - np.log1p(np.maximum(predicted, 0))) ** 2, "rmsle", np.sqrt)

    def pinball() -> Value:
        level = MEDIAN if o.quantile is None else o.quantile
        return mean_of(np.maximum(level * residual, (level - 1) * residual), "quantile_loss", lambda mean: mean)

    return {
        "quantile_loss": pinball, "coverage": lambda: rate_estimate(count(residual <= 0, o.weight, o.cluster)), "rmsle": rmsle,
        "mae": lambda: level_estimate(np.abs(residual), o.weight, o.cluster),
        "rmse": lambda: varying_estimate(float(np.sqrt(observed[0])), np.sqrt(replicates[:, 0]), o.rows, units=_units(o)),
        "mean_residual": lambda: level_estimate(residual, o.weight, o.cluster), "r2": determination,
    }
