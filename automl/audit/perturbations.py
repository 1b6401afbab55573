"""What becomes of the results when the inputs are disturbed: noise on numbers, cells that go missing, coarser numbers.

The audited rows are predicted again, disturbed, and compared with themselves. Every row is disturbed on its own and by the seed, so the intervals over rows hold both the
draw of the rows and the draw of the disturbance; a stronger disturbance goes on where the weaker one ended (the same draws, scaled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.audit.estimates import metric_estimates
from automl.audit.group_levels import Members, counts_of, cut, levels, lowest_ratio, members_of, selection
from automl.audit.intervals import count, rate_estimate
from automl.audit.means import changed_share, jackknife, mean_estimate
from automl.audit.outcomes import FloatArray, Outcomes
from automl.audit.resampling import generator
from automl.audit.slices import row_errors
from automl.audit.subject import Subject, numbers_of, predictions_at
from automl.data.splits import Rows
from automl.evidence import AttributeChange, GroupChange, NotMeasured, Perturbation, PerturbationStep, Undisturbed, Value
from automl.evidence.robustness import PerturbationKind
from automl.learn.predictions import Predictions

MOST_ROWS = 10_000
"""Audited rows that are predicted again; a seeded sample of more."""
STRENGTHS: dict[PerturbationKind, tuple[float, ...]] = {"noise": (0.05, 0.1, 0.2), "missing": (0.05, 0.1, 0.2), "rounding": (0.1, 0.25, 0.5)}
WHAT: dict[PerturbationKind, str] = {
    "noise": "normal noise is added to every number, of so many standard deviations of its training rows; whole numbers stay whole, nothing leaves the range of the training rows, and an end of it that a quarter of them share (a 0 for none) stays",
    "missing": "so large a share of all known cells goes missing at random, in every input",
    "rounding": "every number is rounded to a round step (1, 2 or 5 times a power of ten) of at least so many standard deviations of its training rows",
}
SPIKE = 0.25
FEW_VALUES = 3
UNCHANGED = "no prediction of these rows changes"
NO_NUMBERS = "the model has no input that is a number and varies"


@dataclass(frozen=True)
class Spread:
    """What the training rows say of a number: its standard deviation, its range, whether it is whole, and at which end of the range many rows lie."""

    deviation: float
    low: float
    high: float
    whole: bool
    spike: float | None = None
    """An end of the range that a quarter of the rows share, often 0 for "none": it stays as it is and does not count for the deviation."""


@dataclass(frozen=True, eq=False)
class _Base:
    """The undisturbed rows and what the model says of them."""

    rows: Rows
    predicted: Predictions
    outcomes: Outcomes
    members: Members = field(repr=False)
    reference: Mapping[str, str]


def spreads_of(frame: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, Spread]:
    """The numbers of the training rows ``frame`` that vary."""
    found = {}
    for name, kind in kinds.items():
        if kind != "number" or name not in frame.columns:
            continue
        values = numbers_of(frame, name)
        known = values[np.isfinite(values)]
        spike = _spike(known)
        others = known if spike is None else known[known != spike]
        with np.errstate(over="ignore", invalid="ignore"):
            deviation = float(others.std()) if len(others) else 0.0
        # of numbers beyond what a float can square nothing is known
        if np.isfinite(deviation) and deviation > 0:
            found[name] = Spread(deviation, float(known.min()), float(known.max()), bool((known == np.round(known)).all()), spike)
    return found


def _spike(known: FloatArray) -> float | None:
    """None where the values are few and such a share of one of them says nothing."""
    if len(np.unique(known)) <= FEW_VALUES:
        return None
    return next((float(end) for end in (known.min(), known.max()) if (known == end).mean() >= SPIKE), None)


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least ``least`` (above 0)."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9)))


def disturbed(frame: pd.DataFrame, kind: PerturbationKind, strength: float, spreads: Mapping[str, Spread], seed: int) -> pd.DataFrame:
    """A copy of ``frame`` with every cell of its inputs disturbed; known cells only."""
    columns = {}
    for name in frame.columns:
        if kind == "missing":
            gone = generator(seed, "missing", str(name)).random(len(frame)) < strength
            columns[name] = frame[name].mask(gone)
        elif name in spreads:
            columns[name] = pd.Series(_number(numbers_of(frame, name), kind, strength, spreads[name], generator(seed, "noise", str(name))), index=frame.index)
        else:
            columns[name] = frame[name]
    return pd.DataFrame(columns, index=frame.index)


def _number(values: FloatArray, kind: PerturbationKind, strength: float, spread: Spread, rng: np.random.Generator) -> FloatArray:
    if kind == "rounding":
        step = round_step(strength * spread.deviation)
        return np.asarray(np.round(values / step) * step)
    noisy = np.clip(values + strength * spread.deviation * rng.normal(size=len(values)), np.minimum(spread.low, values), np.maximum(spread.high, values))
    noisy = np.round(noisy) if spread.whole else noisy
    return np.asarray(noisy if spread.spike is None else np.where(values == spread.spike, values, noisy))


def measure_perturbations(subject: Subject, reference: Mapping[str, str]) -> tuple[Undisturbed, dict[PerturbationKind, Perturbation | NotMeasured]]:
    """The undisturbed rows, and each kind of disturbance against them. ``reference``: the named reference groups."""
    rows = subject.some(subject.audit, MOST_ROWS, "disturbed rows")
    predicted = subject.model.predict(rows.features)
    base = _Base(rows, predicted, subject.outcomes_of(rows, predicted), members_of(rows.groups), reference)
    spreads = spreads_of(subject.train.features, subject.problem.schema.kinds)
    # an input that is NaN in every training row may have no place in the model; the others all do
    inputs = [name for name in subject.model.features if name in rows.features.columns]
    again: dict[tuple[PerturbationKind, float], Predictions] = {}
    for kind, strengths in STRENGTHS.items():
        if (spreads if kind != "missing" else inputs):
            again |= {(kind, strength): subject.model.predict(disturbed(rows.features, kind, strength, spreads, subject.seed)) for strength in strengths}
    changes = _metric_changes(subject, base, list(again.values()))
    name = subject.problem.metric
    metric = metric_estimates(base.outcomes, seed=subject.seed, names=[name])[name]  # as everywhere: a metric of these rows has one interval in the document
    step_of = dict(zip(again, changes, strict=True))
    found: dict[PerturbationKind, Perturbation | NotMeasured] = {}
    for kind, strengths in STRENGTHS.items():
        if (kind, strengths[0]) not in again:
            found[kind] = NotMeasured(reason="the model has no inputs" if kind == "missing" else NO_NUMBERS)
            continue
        found[kind] = Perturbation(kind=kind, what=WHAT[kind], columns=len(inputs if kind == "missing" else spreads), steps=tuple(
            _step(subject, base, strength, again[kind, strength], step_of[kind, strength]) for strength in strengths))
    return Undisturbed(n=len(rows), metric=metric, attributes=levels(base.outcomes, base.members, reference)), found


def _metric_changes(subject: Subject, base: _Base, others: Sequence[Predictions]) -> list[Value]:
    """The change of the metric by each of ``others``: the same rows are left out before and after."""
    y, weight = base.rows.y, base.rows.weight

    def statistics(at: NDArray[np.int64]) -> FloatArray:
        mine = None if weight is None else weight[at]
        first, *rest = (subject.metric(y[at], predictions_at(each, at), mine) for each in (base.predicted, *others))
        return np.array([value - first for value in rest])

    changes = jackknife(statistics, len(base.rows), base.rows.cluster, generator(subject.seed, "jackknife"))
    return [NotMeasured(reason=UNCHANGED) if _same(base.predicted, other) else change for other, change in zip(others, changes, strict=True)]


def _same(a: Predictions, b: Predictions) -> bool:
    pairs = ((a.probabilities, b.probabilities), (a.values, b.values))
    return all(one is None or other is None or np.array_equal(one, other) for one, other in pairs)


def _step(subject: Subject, base: _Base, strength: float, predicted: Predictions, metric_change: Value) -> PerturbationStep:
    outcomes = subject.outcomes_of(base.rows, predicted)
    before, after = base.outcomes.decisions, outcomes.decisions
    changed: Value = NotMeasured(reason="a predicted number is no decision") if before is None or after is None else rate_estimate(
        count(before != after, outcomes.weight, outcomes.cluster))
    change = _Changes(base.outcomes, outcomes)
    return PerturbationStep(strength=strength, metric_change=metric_change, changed=changed, attributes=tuple(
        AttributeChange(
            attribute=attribute, lowest=lowest_ratio(attribute, counts_of(selection(outcomes), outcomes, of_group), base.reference.get(attribute)),
            groups=tuple(GroupChange(group=group, n=len(at), outcome_change=change.outcome(at), error_change=change.error(at)) for group, at in of_group.items()))
        for attribute, of_group in base.members.items()))


class _Changes:
    """How the same rows come out before and after."""

    def __init__(self, before: Outcomes, after: Outcomes) -> None:
        self.before, self.after = before, after
        self.selected = selection(before), selection(after)
        self.errors = row_errors(before), row_errors(after)

    def outcome(self, at: NDArray[np.int64]) -> Value:
        first, second = self.selected
        if first is not None and second is not None:
            return changed_share(first[at], second[at], *cut(self.before, at))
        if self.before.task == "regression" and self.before.score is not None and self.after.score is not None:
            return mean_estimate((self.after.score - self.before.score)[at], *cut(self.before, at), constant=UNCHANGED)
        return NotMeasured(reason="no favourable label was named")

    def error(self, at: NDArray[np.int64]) -> Value:
        first, second = self.errors
        if isinstance(first, NotMeasured) or isinstance(second, NotMeasured):
            return NotMeasured(reason="no label column was given")
        if first.of_decisions:
            return changed_share(first.error[at] == 1, second.error[at] == 1, *cut(self.before, at))
        return mean_estimate((second.error - first.error)[at], *cut(self.before, at), constant=UNCHANGED)


