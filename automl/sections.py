"""The parts of the document that only say what was done: plan, design, data, and the outcomes that the audit looks at."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from defusedcsv import csv
from numpy.typing import NDArray
from scipy import stats

from automl.audit.intervals import count, rate_estimate
from automl.audit.outcomes import Outcomes
from automl.audit.resampling import REPLICATES
from automl.data.predictions import PredictionRows
from automl.data.problems import Problem
from automl.data.splits import Rows, Split, TargetOfAllRows
from automl.data.tables import Table
from automl.evidence import (
    Column,
    DataSection,
    DesignSection,
    Estimate,
    Finding,
    GoverningChoice,
    LeftOut,
    MissingByGroup,
    NotMeasured,
    Plan,
    Representation,
    SplitInfo,
    TargetInfo,
    Threshold,
    Value,
    canonical_json,
)
from automl.learn.families.constant import weighted_quantile
from automl.learn.predictions import Predictions
from automl.spec import AuditPolicy


def seal_plan(policy: AuditPolicy, bins: Mapping[str, tuple[float, ...]], *, cut_rule: str, sealed_at: str, audit_number: int, alternatives: str = "",
              governing: GoverningChoice | None = None, number: bool = False) -> Plan:
    """What will be measured and how, hashed. Called when everything is chosen and nothing of the audit part has been seen.

    ``alternatives``: sha256 of the mitigation alternatives that were frozen. ``number``: a number is predicted, and nobody is selected."""
    fixed: dict[str, Any] = {
        "attributes": policy.sensitive, "bins": dict(bins), "reference": policy.reference, "limit": policy.limit.ratio, "cut_rule": cut_rule,
        "family": _family(policy, number),
        "audit_number": audit_number, **({"alternatives": alternatives} if alternatives else {}),
        **({} if governing is None else {"governing": governing.metric}), **({"cohorts": tuple(one.name for one in policy.cohorts)} if policy.cohorts else {}),
    }
    hashed = {**fixed, "attributes": list(policy.sensitive), **({"cohorts": [one.model_dump(mode="json") for one in policy.cohorts]} if policy.cohorts else {})}
    return Plan(sha256=hashlib.sha256(canonical_json(hashed)).hexdigest(), sealed_at=sealed_at, **fixed)


def _family(policy: AuditPolicy, number: bool) -> str:
    if not policy.sensitive:
        return "no attribute was declared"
    if number:
        return "none: a number is predicted and nobody is selected; differences of means and of errors are exploratory"
    crossings = f"; exploratory: their crossings to depth {policy.intersections}" if policy.intersections > 1 and len(policy.sensitive) > 1 else ""
    return f"selection tables of {', '.join(policy.sensitive)} (Holm){crossings}"


def design_section(policy: AuditPolicy, *, trained: bool) -> DesignSection:
    """What the intervals mean: whose sample the rows are, what is independent, what they are conditional on."""
    return DesignSection(
        population="people like those in the table, as far as its rows are a random sample of them", unit=policy.group or "row", independent=policy.group is None,
        cluster=policy.group, weights=policy.weight, conditional_on=("this fitted model",) if trained else ("these predictions",),
        unknown_handling="each table uses the rows known on its own attributes; unknown is counted, never imputed, and its possible effect is shown as a band",
        replicates=REPLICATES,
    )


def data_section(
    table: Table, columns: tuple[Column, ...], *, target: TargetInfo | None, split: SplitInfo, unknown: Mapping[str, int], left_out: tuple[LeftOut, ...],
    quality: tuple[Finding, ...], missing: tuple[MissingByGroup, ...] = (), shares: tuple[Representation, ...] = (),
) -> DataSection:
    """The table as it was read, and what became of its columns and rows."""
    return DataSection(
        sha256=table.sha256, rows=table.rows, reading=table.reading, columns=columns, quality=quality, target=target, split=split, unknown=dict(unknown),
        left_out=left_out, missing_by_group=missing, representation=shares,
    )


def target_info(problem: Problem, rows: TargetOfAllRows) -> TargetInfo:
    """The target as it was understood, with base rates over all rows that have one (Wilson), by weight and by person where the spec names them."""
    regression = problem.task == "regression"
    return TargetInfo(
        name=problem.target, task=problem.task, inferred=problem.inferred, labels=problem.labels, positive=problem.positive, favourable=problem.favourable,
        base_rates={} if regression else {label: rate_estimate(count(rows.y == at, rows.weight, rows.cluster)) for at, label in enumerate(problem.labels)},
        mean=_mean(rows) if regression else None,
    )


def _mean(rows: TargetOfAllRows) -> Value:
    """The (weighted) mean of a regression target with Student's interval; units are persons where rows repeat one (linearised variance)."""
    y, n = np.asarray(rows.y, dtype=np.float64), len(rows.y)
    weight = np.ones(n) if rows.weight is None else rows.weight
    value = float(np.average(y, weights=weight))
    unit = np.arange(n) if rows.cluster is None else np.unique(rows.cluster, return_inverse=True)[1]
    residuals = np.bincount(unit, weights=weight * (y - value)) / weight.sum()
    units = len(residuals)
    if units < 2:
        return NotMeasured(reason="one row has no spread" if n == 1 else "the rows of one person have no spread between persons")
    half = float(stats.t.ppf(0.975, units - 1)) * math.sqrt(units / (units - 1) * float((residuals**2).sum()))
    return Estimate(value=value, low=value - half, high=value + half, method="t" if rows.cluster is None else "t by person", n=n)


def outcomes_of_model(problem: Problem, rows: Rows, predicted: Predictions, threshold: Threshold | None) -> Outcomes:
    """What the model says of ``rows``, beside what is true and who they are."""
    shared: dict[str, Any] = {
        "task": problem.task, "labels": problem.labels, "positive": problem.positive, "favourable": problem.favourable, "truth": rows.y,
        "groups": rows.groups, "weight": rows.weight, "cluster": rows.cluster, "threshold": threshold,
        "quantile": problem.quantile,
    }
    if predicted.probabilities is None:
        return Outcomes(score=predicted.values, decision=None, **shared)
    return Outcomes(
        score=predicted.probabilities[:, -1] if problem.task == "binary" else predicted.probabilities,
        decision=decide(predicted, threshold), **shared,
    )


def decide(predicted: Predictions, threshold: Threshold | None) -> NDArray[np.int64]:
    """Class index per row: the positive class (the last) from the threshold on for binary, else the most probable class."""
    probabilities = predicted.probabilities
    if probabilities is None:
        raise ValueError("a regression decides nothing")
    if threshold is not None and probabilities.shape[1] == 2:
        return np.asarray(probabilities[:, 1] >= threshold.value, dtype=np.int64)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def outcomes_of_predictions(rows: PredictionRows) -> Outcomes:
    """Somebody else's predictions as the audit rooms look at them."""
    return Outcomes(
        task=rows.task, labels=rows.labels, positive=rows.positive, favourable=rows.favourable, truth=rows.truth, score=rows.score, decision=rows.decision,
        groups=rows.groups, weight=rows.weight, cluster=rows.cluster, threshold=rows.threshold,
    )


def baseline_outcomes(split: Split, problem: Problem, audit: Rows) -> dict[str, Outcomes]:
    """What somebody would say who looked at no feature: the training rows' class shares, or their mean, or the quantile that is asked for.

    Besides these what a metric makes of such a constant at best: F1 of a yes to everybody, rmsle of the mean of logarithms.
    """
    n, weight = len(audit), split.train.weight
    if problem.task == "regression":
        return {name: outcomes_of_model(problem, audit, Predictions(values=np.full(n, value)), None) for name, value in _constants(problem, split.train).items()}
    shares = np.bincount(split.train.y.astype(np.int64), weights=weight, minlength=len(problem.labels))
    majority = Predictions(probabilities=np.tile(shares / shares.sum(), (n, 1)))
    found = {"majority": outcomes_of_model(problem, audit, majority, None)}
    if problem.task == "binary" and problem.metric == "f1":
        found["everybody positive"] = outcomes_of_model(problem, audit, majority, Threshold(value=0.0, chosen_on="everybody"))
    return found


def _constants(problem: Problem, train: Rows) -> dict[str, float]:
    y, weight = np.asarray(train.y, dtype=np.float64), train.weight
    if problem.quantile is not None:
        return {f"{problem.quantile:g} quantile": weighted_quantile(y, np.ones(len(y)) if weight is None else weight, problem.quantile)}
    means = {"mean": float(np.average(y, weights=weight))}
    return means | {"mean of logarithms": float(np.expm1(np.average(np.log1p(y), weights=weight)))} if problem.logarithms else means


def write_predictions(path: Path, outcomes: Outcomes, position: Sequence[int]) -> None:
    """The audit rows as CSV: row (position in the table, from 0), label, prediction, proba_* and the sensitive attributes; no cell is read as a formula."""
    names: list[str] = ["row"]
    columns: list[Sequence[Any]] = [list(position)]
    decisions = outcomes.decisions
    if outcomes.truth is not None:
        names.append("label")
        columns.append(_named(outcomes.labels, outcomes.truth))
    names.append("prediction")
    columns.append(_named(outcomes.labels, decisions) if decisions is not None else [] if outcomes.score is None else outcomes.score.tolist())
    if outcomes.score is not None and outcomes.task != "regression":
        if outcomes.score.ndim == 2:
            names += [f"proba_{label}" for label in outcomes.labels]
            columns += [outcomes.score[:, i].tolist() for i in range(outcomes.score.shape[1])]
        elif outcomes.scores_are_probabilities:
            names += [f"proba_{label}" for label in outcomes.labels]
            columns += [(1 - outcomes.score).tolist(), outcomes.score.tolist()]
        else:
            names.append("score")
            columns.append(outcomes.score.tolist())
    names += list(outcomes.groups)
    columns += [["" if group is None else group for group in groups] for groups in outcomes.groups.values()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(zip(*columns, strict=True))


def _named(labels: tuple[str, ...], values: NDArray[Any]) -> list[Any]:
    return [labels[i] for i in values] if labels else values.tolist()
