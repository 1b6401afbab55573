"""Findings on how well the model predicts, by written rules:

- ``ranking_like_chance`` (high): the AUC's interval reaches down to 0.5, or R2's (where it is the run's metric, MCC's) to 0, or lies below.
- ``like_baseline`` (high): the interval of the run's metric includes or lies beyond the best baseline's value, on the worse side.
- ``no_candidate`` (high): the search ended before any candidate was ready, so that the baseline itself was audited; it stands in place of the two before.
- ``leak_suspected`` (high): the AUC is above 0.99.
- ``coverage_off`` (medium): a quantile is predicted; the share of rows, or of a group's rows, with a true value at or below it is off the level by 0.05 (by half
  of the level's smaller tail where that is less) or more and its interval excludes the level.
- ``interval_coverage`` (medium): a number is predicted, and the interval that was learned beside it holds the truth of the audited rows, or of a group's, less often than its level says, by
  as much as for ``coverage_off``, its interval below the level; not of low precision (fewer than 30 people, or rows that say as little).
- ``drift`` (medium; low where the rows were divided at random): out-of-fold and audit scores differ in the mean.
- ``performance_not_measured`` (info): there is no such section, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from automl.audit.findings.words import excludes, interval, number, shown
from automl.data.names import pointer as json_pointer
from automl.evidence import DataSection, Estimate, Finding, NotMeasured, PerformanceSection, PredictionInterval, Residuals, SearchSection
from automl.printing import percent, row_count, significant
from automl.spec import SMALLER_IS_BETTER

LEAK_AUC = 0.99
COVERAGE_OFF = 0.05, 0.5
"""Of all rows, or of the level's smaller tail where that is less: at 0.99 half a per cent matters."""


def of_performance(performance: PerformanceSection | NotMeasured, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    """Of the model beside chance and its baselines, of its coverage, and of what is too good."""
    if isinstance(performance, NotMeasured):
        yield Finding(
            id="performance_not_measured", severity="info", text=f"Performance was not measured: {performance.reason}.", evidence="/performance",
            rule="performance_not_measured",
        )
        return
    if isinstance(search, SearchSection) and all(trial.state != "complete" for trial in search.trials):
        yield _no_candidate(search)
    else:
        yield from _like_chance(performance, search)
        yield from _against_baseline(performance, search)
    auc = performance.metrics.get("roc_auc")
    if isinstance(auc, Estimate) and auc.value > LEAK_AUC:
        yield Finding(
            id="leak_suspected:auc", severity="high",
            text=f"AUC on the audited rows is {auc.value:.4f} ({100 * auc.level:.3g} % interval {auc.low:.4f} to {auc.high:.4f}), unusually close to 1: an input may hold the answer.",
            evidence="/performance/metrics/roc_auc", suggestion="Check that every input is known at the time of the decision.", rule="leak_suspected",
        )
    if performance.quantile is not None:
        yield from _of_coverage(performance, performance.quantile)
    if isinstance(performance.residuals, Residuals) and isinstance(performance.residuals.interval, PredictionInterval):
        yield from _of_interval(performance.residuals.interval)


def of_drift(performance: PerformanceSection | NotMeasured, data: DataSection) -> Iterator[Finding]:
    """Of mean scores out of fold and on the audited rows."""
    overall = None if isinstance(performance, NotMeasured) else performance.drift.get("")
    if isinstance(overall, Estimate) and excludes(overall, 0):
        by_chance = data.split.method == "stratified"
        what = "predictions" if data.target is not None and data.target.task == "regression" else "scores for the favourable outcome"
        yield Finding(
            id="drift", severity="low" if by_chance else "medium",
            text=f"Mean {what} out of fold and on the audited rows differ by {significant(overall.value, 3)} (95 % interval {significant(overall.low, 3)} to {significant(overall.high, 3)}).",
            suggestion="The rows were divided at random: either chance, as in one run of twenty, or one fold's model differs from the average of all of them." if by_chance else
            "The audited rows may come from another time or population than the training rows.", evidence="/performance/drift", rule="drift")


def _of_interval(held: PredictionInterval) -> Iterator[Finding]:
    off, at = _off(held.level), "/performance/residuals/interval"
    tables = [("all audited rows", f"{at}/coverage", held.coverage)] + [
        (f"{shown(group.group)} ({shown(attribute)})", f"{at}/by_group{json_pointer(attribute)}/{i}/coverage", group.coverage)
        for attribute, groups in held.by_group.items() for i, group in enumerate(groups)]
    for of, pointer, share in tables:
        if isinstance(share, Estimate) and share.value <= held.level - off and share.high < held.level and excludes(share, held.level):
            yield Finding(
                id=f"interval_coverage:{pointer}", severity="medium",
                text=f"For {of} the interval that should hold the truth of {percent(held.level, 0)} of rows holds that of {percent(share.value)} of {row_count(share.n)} "
                f"({100 * share.level:.3g} % interval {percent(share.low)} to {percent(share.high)}).",
                evidence=pointer, suggestion="Predictions of these rows are less sure than the interval says: give them a wider one, or look at which inputs they need.", rule="interval_coverage")


def _off(level: float) -> float:
    return min(COVERAGE_OFF[0], COVERAGE_OFF[1] * min(level, 1 - level))


def _of_coverage(performance: PerformanceSection, level: float) -> Iterator[Finding]:
    off = _off(level)
    tables = [("all audited rows", "/performance/metrics/coverage", performance.metrics.get("coverage"))] + [
        (f"{shown(group.group)} ({shown(attribute)})", f"/performance/by_group{json_pointer(attribute)}/{i}/metrics/coverage", group.metrics.get("coverage"))
        for attribute, groups in performance.by_group.items() for i, group in enumerate(groups)]
    for of, pointer, share in tables:
        if isinstance(share, Estimate) and abs(share.value - level) >= off and excludes(share, level):
            yield Finding(
                id=f"coverage_off:{pointer}", severity="medium",
                text=f"For {of} the true value lies at or below the predicted {level:g} quantile in {percent(share.value)} of {row_count(share.n)} "
                f"({100 * share.level:.3g} % interval {percent(share.low)} to {percent(share.high)}); {percent(level)} is what was asked for.",
                evidence=pointer, suggestion="Read the predicted quantile of these rows as another one, or look at which inputs it goes with.", rule="coverage_off",
            )


def _no_candidate(search: SearchSection) -> Finding:
    """Blaming the inputs for what a baseline does not know would send people the wrong way."""
    short = search.stopped_because in ("seconds", "finish_requested")
    chosen = next((i for i, row in enumerate(search.leaderboard) if row.chosen), 0)
    return Finding(
        id="no_candidate", severity="high",
        text="The search ended before any candidate was ready: what was audited is the baseline, which gives every row the same answer.",
        evidence=f"/search/leaderboard/{chosen}" if search.leaderboard else "/search", rule="no_candidate",
        suggestion="Run it again with a larger budget." if short else "The list of trials says what kept each candidate back.",
    )


def _like_chance(performance: PerformanceSection, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    # decisions at a cut that nobody chose for it may well have no MCC to speak of
    by_decisions = (("mcc", 0.0),) if isinstance(search, SearchSection) and search.metric == "mcc" else ()
    for metric, chance in (("roc_auc", 0.5), ("r2", 0.0), *by_decisions):
        value = performance.metrics.get(metric)
        if isinstance(value, Estimate) and value.low <= chance:
            # R2 of a constant is never above 0 in any resample, so its interval lies below even where the model does say nothing
            relation = "not distinguishable from" if value.high >= chance else "not above" if metric == "r2" else "below"
            yield Finding(
                id=f"ranking_like_chance:{metric}", severity="high",
                text=f"On the audited rows {_metric(metric)} is {number(value.value, chance)} ({interval(value, chance)}): {relation} {chance:g}, what knowing nothing gives.",
                evidence=f"/performance/metrics/{metric}", suggestion="Check the target and the inputs before using this model for anything.",
                rule="ranking_like_chance",
            )


def _metric(name: str) -> str:
    return {"roc_auc": "AUC", "r2": "R2", "rmse": "RMSE", "mae": "MAE", "rmsle": "RMSLE", "f1": "F1", "mcc": "MCC"}.get(name, name.replace("_", " "))


def _against_baseline(performance: PerformanceSection, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    metric = _metric_to_compare(performance, search)
    if metric is None:
        return
    smaller = metric in SMALLER_IS_BETTER
    mine = performance.metrics[metric]
    measured = {name: metrics[metric] for name, metrics in performance.baselines.items() if isinstance(metrics.get(metric), Estimate)}
    if not isinstance(mine, Estimate) or not measured:
        return
    values = {name: estimate.value for name, estimate in measured.items() if isinstance(estimate, Estimate)}
    best = (min if smaller else max)(values, key=lambda name: values[name])
    if mine.high >= values[best] if smaller else mine.low <= values[best]:
        worse = mine.low > values[best] if smaller else mine.high < values[best]
        yield Finding(
            id=f"like_baseline:{metric}", severity="high",
            text=f"The model's {_metric(metric)} is {significant(mine.value)} ({100 * mine.level:.3g} % interval {significant(mine.low)} to {significant(mine.high)}); the baseline \"{shown(best)}\" has {significant(values[best])}: "
            f"{'the whole interval is worse than' if worse else 'the interval includes'} the best baseline's value.",
            evidence=f"/performance/metrics/{metric}", suggestion="Prefer the baseline, or look for better inputs.", rule="like_baseline",
        )


def _metric_to_compare(performance: PerformanceSection, search: SearchSection | NotMeasured) -> str | None:
    """The run's own metric, else the first of the proper ones that was measured."""
    candidates: Iterable[str] = (*([] if isinstance(search, NotMeasured) else [search.metric]), "log_loss", "rmse", "accuracy")
    return next((name for name in candidates if isinstance(performance.metrics.get(name), Estimate)), None)
