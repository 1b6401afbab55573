"""Which inputs move the model's output: SHAP values overall, per group, between groups, and for a few rows (evidence rule 10).

The attributions are the model's own (interventional, against the background given); this file samples rows, sums up and puts uncertainty on the sums.
A contribution says how the model's inputs add up to a score. It is no cause, and the gap it adds up to is one of mean scores, not of selection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from automl.audit.means import level_estimate
from automl.audit.outcomes import FloatArray, IntArray, groups_of
from automl.audit.resampling import bootstrap_means, generator, independent_units, percentile_estimate
from automl.evidence import (
    Background,
    Contribution,
    Estimate,
    Example,
    ExplanationSection,
    FeatureImportance,
    GapShare,
    GroupImportance,
    NotMeasured,
    Points,
    ScoreGap,
    Threshold,
    Value,
)
from automl.printing import row_count
from automl.spec import TaskKind

EXPLAINED_ROWS = 500
BACKGROUND_ROWS = 100
ROWS_PER_GROUP = 30
"""Groups with fewer rows in the sample get rows of their own up to this number, used for that group only."""
GROUP_INTERVALS = 10
"""Inputs, the most important first, whose mean |SHAP| in each group has an interval."""
FEWEST_ROWS_OF_GROUP = 10
POINT_FEATURES = 10
POINT_ROWS = 150
"""Ten features of 150 rows are 1,500 marks in one picture."""
LISTED_CONTRIBUTIONS = 12
OTHERS = "all other inputs"
WEAK_CORRELATION = 0.3
Direction = Literal["increases", "decreases", "mixed"]
Space = Literal["log_odds", "probability", "value", "log1p"]


class Attributions(Protocol):
    """phi: (n, features) for binary and regression, (n, features, k) for multiclass; base: a number, or one a class; output = base + sum of phi."""

    @property
    def phi(self) -> NDArray[Any]: ...
    @property
    def base(self) -> Any: ...
    @property
    def space(self) -> str: ...
    @property
    def explainer(self) -> str: ...
    @property
    def additivity_error(self) -> float: ...


class Predicted(Protocol):
    @property
    def probabilities(self) -> NDArray[Any] | None: ...
    @property
    def values(self) -> NDArray[Any] | None: ...


class ExplainedModel(Protocol):
    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame) -> Attributions: ...
    def predict(self, frame: pd.DataFrame) -> Predicted: ...


class ExplainedRows(Protocol):
    @property
    def features(self) -> pd.DataFrame: ...
    @property
    def groups(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def weight(self) -> FloatArray | None: ...
    @property
    def cluster(self) -> NDArray[Any] | None: ...
    @property
    def position(self) -> NDArray[Any]: ...


class ExplainedProblem(Protocol):
    @property
    def task(self) -> TaskKind: ...
    @property
    def target(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def positive(self) -> str | None: ...
    @property
    def favourable(self) -> tuple[str, ...]: ...
    @property
    def quantile(self) -> float | None: ...


@dataclass(frozen=True)
class Explained:
    """The attributions of one output for the explained rows. ``rows``: their positions in the audit part; ``main``: which of them are the random sample;
    ``weight`` and ``cluster``: of the explained rows, where they have any."""

    frame: pd.DataFrame
    phi: FloatArray
    base: float
    rows: IntArray
    main: IntArray
    space: Space
    output: str
    weight: FloatArray | None
    cluster: NDArray[Any] | None
    which: int | None = None
    """The class that is explained, of several."""

    def of_output(self, values: NDArray[Any]) -> FloatArray:
        """That output's part of raw scores (n, k) or attributions (n, features, k); of one output all."""
        return np.asarray(values if self.which is None else values[..., self.which], dtype=np.float64)

    def mean(self, values: FloatArray, rows: IntArray) -> Any:
        """(Weighted) mean over ``rows`` of one value a row, or of several."""
        return np.average(values[rows], axis=0, weights=None if self.weight is None else self.weight[rows])

    def resampled(self, values: FloatArray, rows: IntArray, rng: np.random.Generator) -> FloatArray:
        """Bootstrap replicates of ``values`` (n, m), one row of them for each of ``rows``: by weight, and by person where rows repeat one."""
        return bootstrap_means(values, rng, None if self.weight is None else self.weight[rows], None if self.cluster is None else self.cluster[rows])

    def units(self, rows: IntArray) -> int:
        return independent_units(len(rows), None if self.cluster is None else self.cluster[rows])

    @property
    def outputs(self) -> FloatArray:
        return np.asarray(self.base + self.phi.sum(axis=1))

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.frame.columns]


@dataclass(frozen=True)
class Attributed:
    """The explained rows with their attributions: what every part of the section is made from. ``frame``: the rows as the model sees them, in the order of
    ``explained.rows``; ``groups``: (attribute, group) to places in it; ``background``: what they were explained against."""

    explained: Explained
    frame: pd.DataFrame
    groups: Mapping[tuple[str, str], IntArray]
    background: pd.DataFrame
    source: str
    explainer: str
    additivity_error: float


def explain_model(
    model: ExplainedModel, audit_rows: ExplainedRows, background_rows: ExplainedRows, problem: ExplainedProblem, *, seed: int,
    rows: int = EXPLAINED_ROWS, background: int = BACKGROUND_ROWS, reference: Mapping[str, str] | None = None, threshold: Threshold | None = None,
    texts: Collection[str] = (),
) -> ExplanationSection | NotMeasured:
    """SHAP values of ``rows`` audited rows against ``background`` training rows, both drawn at random with ``seed``.

    ``reference``: the group of each attribute that score gaps are taken against; where it names none or one of few rows, the group with the highest mean output.
    ``threshold``: the cut on the positive class's probability (default: the model's own), for the example nearest to it. ``texts``: the inputs that are
    free text, of which no word is shown.
    """
    attributed = attribute_rows(model, audit_rows, background_rows, problem, seed=seed, rows=rows, background=background, texts=texts)
    if isinstance(attributed, NotMeasured):
        return attributed
    return describe(attributed, model, background_rows, problem, seed=seed, reference=reference, threshold=threshold)


def attribute_rows(
    model: ExplainedModel, audit_rows: ExplainedRows, background_rows: ExplainedRows, problem: ExplainedProblem, *, seed: int, rows: int = EXPLAINED_ROWS,
    background: int = BACKGROUND_ROWS, texts: Collection[str] = (),
) -> Attributed | NotMeasured:
    """The attributions that `describe` describes. A reason where there is nothing to explain."""
    if not len(audit_rows.features.columns) or not len(audit_rows.features) or not len(background_rows.features):
        return NotMeasured(reason="there are no inputs or no rows to explain")
    columns = columns_of(model, audit_rows)
    main, of_group = _choose_rows(audit_rows, rows, seed)
    chosen = np.unique(np.concatenate([main, *of_group.values()]))
    place = {int(row): i for i, row in enumerate(chosen)}
    frame = audit_rows.features[columns].iloc[chosen]
    against = drawn(background_rows.features[columns], background, generator(seed, "background"))
    attributions = model.attributions(frame, against)
    explained = _explained(model, problem, attributions, frame, audit_rows, chosen, np.array([place[int(row)] for row in main]))
    explained = replace(explained, frame=_without_words(frame, texts))
    groups = {key: np.array([place[int(row)] for row in positions], dtype=np.int64) for key, positions in of_group.items()}
    return Attributed(explained, frame, groups, against, f"training rows drawn at random (seed {seed})", attributions.explainer, float(attributions.additivity_error))


def describe(
    attributed: Attributed, model: ExplainedModel, background_rows: ExplainedRows, problem: ExplainedProblem, *, seed: int,
    reference: Mapping[str, str] | None = None, threshold: Threshold | None = None,
) -> ExplanationSection:
    """The section without what `automl.audit.explanation` adds. Score gaps are shown a second time, against training rows of the reference group."""
    explained, groups = attributed.explained, attributed.groups
    features = _importance(explained, seed)
    compared = _compared(explained, groups, dict(reference or {}))
    second = {each.attribute: _against_reference(attributed, model, background_rows, each, seed) for each in compared if each.others}
    measured = {attribute: found.background for attribute, found in second.items() if isinstance(found, _Second)}
    return ExplanationSection(
        output_space=explained.space, output=explained.output, explainer=attributed.explainer,
        background=Background(source=attributed.source, n=len(attributed.background), sha256=frame_digest(attributed.background)),
        second_background=measured or NotMeasured(reason="no two groups are compared, or their reference has too few training rows"),
        rows=len(explained.main), features=features, by_group=_by_group(explained, groups, [feature.feature for feature in features[:GROUP_INTERVALS]]),
        score_gap_by_input=_score_gaps(explained, compared, second, seed),
        additivity_error=max([attributed.additivity_error, *(found.additivity_error for found in second.values() if isinstance(found, _Second))]),
        points=_points(explained, [feature.feature for feature in features[:POINT_FEATURES]]),
        examples=_examples(model, problem, explained, attributed.frame, threshold or getattr(model, "threshold", None)),
    )


def columns_of(model: ExplainedModel, rows: ExplainedRows) -> list[str]:
    """The inputs in the model's order, in which its attributions come."""
    return list(getattr(model, "features", rows.features.columns))


def drawn(features: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """At most ``rows`` rows at random, in their own order."""
    return features.iloc[np.sort(rng.choice(len(features), size=min(rows, len(features)), replace=False))]


def _choose_rows(audit_rows: ExplainedRows, rows: int, seed: int) -> tuple[IntArray, dict[tuple[str, str], IntArray]]:
    """A random sample of all rows, and for each group its rows in it, topped up from the group where they are few: uniform within each either way."""
    n = len(audit_rows.features)
    rng = generator(seed, "explained rows")
    main = np.sort(rng.choice(n, size=min(rows, n), replace=False))
    of_group: dict[tuple[str, str], IntArray] = {}
    for attribute, labels in audit_rows.groups.items():
        for group in groups_of(labels):
            members = np.flatnonzero(labels == group)
            sampled = np.intersect1d(members, main)
            lacking = min(ROWS_PER_GROUP, len(members)) - len(sampled)
            if lacking > 0:
                more = generator(seed, "rows of", attribute, group).choice(np.setdiff1d(members, sampled), size=lacking, replace=False)
                sampled = np.sort(np.concatenate([sampled, more]))
            of_group[attribute, group] = sampled
    return main, of_group


def frame_digest(frame: pd.DataFrame) -> str:
    """sha256 of the column names and of every row: tells one background from another."""
    digest = hashlib.sha256("\x1f".join(map(str, frame.columns)).encode("utf-8", "surrogatepass"))
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _explained(
    model: ExplainedModel, problem: ExplainedProblem, attributions: Attributions, frame: pd.DataFrame, audit_rows: ExplainedRows, rows: IntArray, main: IntArray,
) -> Explained:
    """One output: the positive class, the predicted number, or for multiclass the first favourable class (without one the class predicted most often)."""
    phi, base = np.asarray(attributions.phi, dtype=np.float64), np.asarray(attributions.base, dtype=np.float64)
    space = _space(problem, attributions)
    unit = "probability" if space == "probability" else "log-odds"
    c: int | None = None
    if problem.task == "regression":
        number = f"predicted {problem.target}" if problem.quantile is None else f"predicted {problem.quantile:g} quantile of {problem.target}"
        output = f"log(1 + {number})" if space == "log1p" else number
    elif phi.ndim == 2:
        output = f"{unit} of {problem.positive or problem.labels[-1]}"
    else:
        c = _explained_class(model, problem, frame)
        phi, base = phi[:, :, c], base[c]
        output = f"{unit} of {problem.labels[c]}" + (" against the mean of all classes" if space == "log_odds" else "")
    weight, cluster = (None if values is None else values[rows] for values in (audit_rows.weight, audit_rows.cluster))
    return Explained(frame, phi, float(base), rows, main, space, output, weight, cluster, c)


def _space(problem: ExplainedProblem, attributions: Attributions) -> Space:
    if problem.task == "regression":
        return "log1p" if attributions.space == "log1p" else "value"
    return "probability" if attributions.space == "probability" else "log_odds"


def _explained_class(model: ExplainedModel, problem: ExplainedProblem, frame: pd.DataFrame) -> int:
    if problem.favourable:
        return problem.labels.index(problem.favourable[0])
    probabilities = model.predict(frame).probabilities
    return 0 if probabilities is None else int(np.bincount(probabilities.argmax(axis=1)).argmax())


def _importance(explained: Explained, seed: int) -> tuple[FeatureImportance, ...]:
    """Mean |SHAP| over the random sample, with its bootstrap interval and the 5th to 95th percentile of the rank; most important first."""
    sizes = np.abs(explained.phi[explained.main])
    replicates = explained.resampled(sizes, explained.main, generator(seed, "importance"))
    ranks = np.argsort(np.argsort(-replicates, axis=1, kind="stable"), axis=1) + 1
    lowest, highest = np.quantile(ranks, [0.05, 0.95], axis=0, method="nearest").astype(int)
    means = explained.mean(np.abs(explained.phi), explained.main)
    order = sorted(range(len(means)), key=lambda j: (-means[j], j))
    return tuple(
        FeatureImportance(
            feature=explained.names[j], mean_abs_shap=percentile_estimate(float(means[j]), replicates[:, j], len(sizes), units=explained.units(explained.main)),
            direction=_direction(explained.frame.iloc[:, j].iloc[explained.main], explained.phi[explained.main, j]), rank=place,
            rank_over_replicates=(int(lowest[j]), int(highest[j])),
        )
        for place, j in enumerate(order, start=1)
    )


def _direction(values: pd.Series[Any], phi: FloatArray) -> Direction:
    if not pd.api.types.is_numeric_dtype(values):
        return "mixed"
    numbers = values.to_numpy(dtype=np.float64)
    known = np.isfinite(numbers)
    if known.sum() < 3 or np.ptp(numbers[known]) == 0 or np.ptp(phi[known]) == 0:
        return "mixed"
    correlation = float(spearmanr(numbers[known], phi[known]).statistic)
    if abs(correlation) < WEAK_CORRELATION:
        return "mixed"
    return "increases" if correlation > 0 else "decreases"


def _by_group(explained: Explained, groups: Mapping[tuple[str, str], IntArray], first: Sequence[str]) -> dict[str, tuple[GroupImportance, ...]]:
    by_attribute: dict[str, list[GroupImportance]] = {}
    for (attribute, group), rows in groups.items():
        signed, sizes = explained.mean(explained.phi, rows), explained.mean(np.abs(explained.phi), rows)
        weight, cluster = (None if values is None else values[rows] for values in (explained.weight, explained.cluster))
        by_attribute.setdefault(attribute, []).append(GroupImportance(
            group=group, n=len(rows), mean_shap=_named(explained.names, signed), mean_abs_shap=_named(explained.names, sizes),
            intervals={name: _never_below_0(level_estimate(np.abs(explained.phi[rows, explained.names.index(name)]), weight, cluster)) for name in first},
        ))
    return {attribute: tuple(importances) for attribute, importances in by_attribute.items()}


def _never_below_0(size: Value) -> Value:
    """Student's limits of a mean of sizes, kept where a mean of sizes can be."""
    return size.model_copy(update={"low": max(0.0, size.low)}) if isinstance(size, Estimate) else size


def _named(names: Sequence[str], values: FloatArray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}


@dataclass(frozen=True)
class _Compared:
    """The groups of one attribute: places of the reference's rows, of the others with enough rows, and the sizes of those with too few."""

    attribute: str
    reference: str
    reference_rows: IntArray
    others: Mapping[str, IntArray]
    small: Mapping[str, int]


@dataclass(frozen=True)
class _Second:
    """Attributions (n, features) of all explained rows against the reference group's training rows."""

    background: Background
    phi: FloatArray
    additivity_error: float


def _compared(explained: Explained, groups: Mapping[tuple[str, str], IntArray], reference: Mapping[str, str]) -> list[_Compared]:
    found = []
    for attribute in dict.fromkeys(attribute for attribute, _ in groups):
        of_attribute = {group: rows for (of, group), rows in groups.items() if of == attribute}
        large = {group: rows for group, rows in of_attribute.items() if len(rows) >= FEWEST_ROWS_OF_GROUP}
        against = reference.get(attribute)
        if against not in large:
            against = max(large, key=lambda group: float(explained.mean(explained.outputs, large[group])), default=None)
        if against is not None:
            small = {group: len(rows) for group, rows in of_attribute.items() if group not in large}
            found.append(_Compared(attribute, against, large.pop(against), large, small))
    return found


def _against_reference(attributed: Attributed, model: ExplainedModel, background_rows: ExplainedRows, compared: _Compared, seed: int) -> _Second | NotMeasured:
    labels = background_rows.groups.get(compared.attribute)
    members = np.array([], dtype=np.int64) if labels is None else np.flatnonzero(labels == compared.reference)
    if len(members) < FEWEST_ROWS_OF_GROUP:
        return NotMeasured(reason=f"the reference group has {row_count(len(members))} to learn from, fewer than {FEWEST_ROWS_OF_GROUP}")
    features = background_rows.features[list(attributed.frame.columns)].iloc[members]
    against = drawn(features, len(attributed.background), generator(seed, "second background", compared.attribute))
    attributions = model.attributions(attributed.frame, against)
    background = Background(source=f"training rows of {compared.reference} drawn at random (seed {seed})", n=len(against), sha256=frame_digest(against))
    return _Second(background, attributed.explained.of_output(attributions.phi), float(attributions.additivity_error))


def _score_gaps(
    explained: Explained, compared: Sequence[_Compared], second: Mapping[str, _Second | NotMeasured], seed: int,
) -> tuple[ScoreGap | NotMeasured, ...]:
    gaps: list[ScoreGap | NotMeasured] = []
    for each in compared:
        gaps += [_score_gap(explained, each, group, second[each.attribute], seed) for group in each.others]
        gaps += [NotMeasured(reason=f"score gap of {each.attribute} {group}: only {row_count(n)}, fewer than {FEWEST_ROWS_OF_GROUP}") for group, n in each.small.items()]
    return tuple(gaps)


def _score_gap(explained: Explained, compared: _Compared, group: str, second: _Second | NotMeasured, seed: int) -> ScoreGap:
    """Mean attribution in the group minus in the reference, input by input; the largest are listed, the rest is summed, and all add up to the gap."""
    mine, theirs = compared.others[group], compared.reference_rows
    contributions = explained.mean(explained.phi, mine) - explained.mean(explained.phi, theirs)
    order = np.argsort(-np.abs(contributions), kind="stable")
    kept = order if len(order) <= LISTED_CONTRIBUTIONS else order[: LISTED_CONTRIBUTIONS - 1]
    listed = [explained.names[j] for j in kept] + ([OTHERS] if len(kept) < len(order) else [])

    def in_parts(phi: FloatArray) -> FloatArray:
        others = phi[:, order[len(kept):]].sum(axis=1, keepdims=True)
        return phi[:, kept] if len(kept) == len(order) else np.hstack([phi[:, kept], others])

    backgrounds = [explained.phi] if isinstance(second, NotMeasured) else [explained.phi, second.phi]
    parts = np.hstack([in_parts(phi) for phi in backgrounds])
    values = explained.mean(parts, mine) - explained.mean(parts, theirs)
    # drawn together, so that both backgrounds stand on the same replicates
    replicates = explained.resampled(parts[mine], mine, generator(seed, "gap", compared.attribute, group)) - explained.resampled(
        parts[theirs], theirs, generator(seed, "gap", compared.attribute, compared.reference, ""))
    rows, units = len(mine) + len(theirs), min(explained.units(mine), explained.units(theirs))

    def shares(first: int) -> tuple[GapShare, ...]:
        return tuple(
            GapShare(feature=name, contribution=percentile_estimate(float(values[at]), replicates[:, at], rows, units=units))
            for at, name in enumerate(listed, start=first))

    width = len(listed)
    return ScoreGap(
        attribute=compared.attribute, group=group, reference=compared.reference,
        gap=percentile_estimate(float(values[:width].sum()), replicates[:, :width].sum(axis=1), rows, units=units), contributions=shares(0),
        second=second if isinstance(second, NotMeasured) else shares(width),
    )


def _points(explained: Explained, features: Sequence[str]) -> tuple[Points, ...]:
    rows = explained.main[np.linspace(0, len(explained.main) - 1, min(POINT_ROWS, len(explained.main))).astype(int)]
    points = []
    for feature in features:
        j = explained.names.index(feature)
        values = tuple(_value(value) for value in explained.frame.iloc[rows, j])
        points.append(Points(feature=feature, values=values, shap=tuple(float(phi) for phi in explained.phi[rows, j])))
    return tuple(points)


def _without_words(frame: pd.DataFrame, texts: Collection[str]) -> pd.DataFrame:
    """A text is told by how long it is: what a person wrote about somebody stays out of the evidence."""
    told = frame.copy()
    for name in texts:
        told[name] = frame[name].map(lambda text: f"text of {len(str(text).split())} words", na_action="ignore")
    return told


def _value(value: Any) -> float | str | None:
    if value is None or pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def _text(value: float | str | None) -> str:
    return "missing" if value is None else value if isinstance(value, str) else f"{value:.10g}"


def _examples(
    model: ExplainedModel, problem: ExplainedProblem, explained: Explained, frame: pd.DataFrame, threshold: Threshold | None,
) -> tuple[Example, ...]:
    outputs = explained.outputs[explained.main]
    order = np.argsort(outputs, kind="stable")
    predicted = model.predict(frame.iloc[explained.main])
    picks = {"lowest output": int(order[0]), "median output": int(order[len(order) // 2]), "highest output": int(order[-1])}
    if problem.task == "binary" and threshold is not None and predicted.probabilities is not None:
        positive = problem.labels.index(problem.positive) if problem.positive else len(problem.labels) - 1
        picks["nearest the cut"] = int(np.abs(predicted.probabilities[:, positive] - threshold.value).argmin())
    examples = []
    for why, pick in picks.items():
        i = int(explained.main[pick])
        examples.append(Example(
            row=int(explained.rows[i]), why=why, output=float(outputs[pick]), base=explained.base,
            prediction=_prediction(problem, predicted, pick, threshold), contributions=_contributions(explained, i),
        ))
    return tuple(examples)


class NamedRow(NamedTuple):
    """A row that a person asked to have explained."""

    position: int
    """In the table, from 0."""
    part: ExplainedRows
    place: int
    """In the part."""
    why: str


def named_examples(
    model: ExplainedModel, problem: ExplainedProblem, attributed: Attributed, named: Sequence[NamedRow], threshold: Threshold | None, texts: Collection[str] = (),
) -> tuple[Example, ...]:
    """The rows that were asked for (one or more), against the background of all the others and in the same output."""
    columns = [str(name) for name in attributed.frame.columns]
    frame = pd.concat([one.part.features[columns].iloc[[one.place]] for one in named])
    attributions = model.attributions(frame, attributed.background)
    base = np.asarray(attributions.base, dtype=np.float64)
    main = attributed.explained
    explained = replace(main, frame=_without_words(frame, texts), phi=main.of_output(attributions.phi), base=float(base if main.which is None else base[main.which]))
    predicted = model.predict(frame)
    return tuple(
        Example(row=one.place, asked_row=one.position, why=one.why, output=float(explained.outputs[i]), base=explained.base, prediction=_prediction(problem, predicted, i, threshold),
                contributions=_contributions(explained, i))
        for i, one in enumerate(named))


def _prediction(problem: ExplainedProblem, predicted: Predicted, row: int, threshold: Threshold | None) -> str:
    if predicted.probabilities is None:
        return "" if predicted.values is None else _text(float(predicted.values[row]))
    chances = predicted.probabilities[row]
    if problem.task == "binary" and threshold is not None:
        positive = problem.labels.index(problem.positive) if problem.positive else len(problem.labels) - 1
        return problem.labels[positive if chances[positive] >= threshold.value else 1 - positive]
    return problem.labels[int(chances.argmax())]


def _contributions(explained: Explained, i: int) -> tuple[Contribution, ...]:
    """Largest first; beyond LISTED_CONTRIBUTIONS the rest as one, so that base and contributions add up to the output."""
    phi, names = explained.phi[i], explained.names
    order = np.argsort(-np.abs(phi), kind="stable")
    kept = order if len(order) <= LISTED_CONTRIBUTIONS else order[: LISTED_CONTRIBUTIONS - 1]
    listed = [Contribution(feature=names[j], value=_text(_value(explained.frame.iloc[i, j])), shap=float(phi[j])) for j in kept]
    if len(kept) < len(order):
        listed.append(Contribution(feature=OTHERS, value=f"{len(order) - len(kept)} inputs", shap=float(phi[order[len(kept):]].sum())))
    return tuple(listed)
