"""Group fairness: for every sensitive attribute and every crossing, what each group gets, how sure that is, and how the errors fall.

Rates, ratios and labels are in `impact`, errors and scores in `parity`, tests in `significance`; this file says which tables there are, which of their
tests belong to the primary family, and puts them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from automl.audit.governing import furthest_of_classes, with_governing
from automl.audit.impact import Reference, detectable_ratio, flips, highest, impact_ratio, shortfall, unknown_band
from automl.audit.intervals import LOW_PRECISION_BELOW, Count, difference_estimate, pool, rate_estimate
from automl.audit.labels import RULE
from automl.audit.outcomes import IntArray, Outcomes, in_reading_order
from automl.audit.parity import NOT_COMPARED, ErrorCounts, ScoreLevels, View, compared_rates, error_rates, group_calibration, middle, score_outcome
from automl.audit.resampling import generator, independent_units
from automl.audit.score_comparisons import score_comparisons
from automl.audit.significance import holm, omnibus, primary_p, two_group_tests
from automl.errors import BadInput
from automl.evidence import (
    Attribute,
    AttributeSummary,
    Estimate,
    FairnessByClass,
    FairnessSection,
    Family,
    Group,
    NotMeasured,
    RateComparison,
    RatioLimit,
    Value,
    VersusRest,
)
from automl.question_tree import governing_choice
from automl.spec import AuditPolicy

PRIMARY = "primary: selection tables of the declared attributes"
EXPLORATORY = "exploratory"
MAX_CELLS = 400
"""Crossings with more observed cells than this are named but not measured: nearly all of them would hold a handful of people."""


@dataclass(frozen=True)
class Question:
    """What a set of tables asks: the view of the outcomes, the name of the favourable class where there are several, and why nothing was selected."""

    view: View
    name: str
    no_selection: str
    no_residual: str


@dataclass(frozen=True)
class Grouping:
    """The rows of each group of one attribute or crossing; `unknown` are the rows that miss one of its attributes."""

    attribute: str
    columns: tuple[str, ...]
    bins: tuple[float, ...]
    names: tuple[str, ...]
    rows: tuple[IntArray, ...]
    unknown: IntArray
    named: str | None


@dataclass(frozen=True)
class Table:
    """One grouping under one question: the selection counts (None where nothing was decided) and the reference."""

    grouping: Grouping
    question: Question
    counts: tuple[Count, ...] | None
    reference: Reference | None

    def contrast(self, group: int) -> str:
        """The comparison of a group with all others; two groups share one."""
        names, of = self.grouping.names, f" ({self.question.name})" if self.question.name else ""
        if len(names) == 2:
            return f"{self.grouping.attribute}{of}: {names[0]} against {names[1]}"
        return f"{self.grouping.attribute}{of}: {names[group]} against all others"

    @property
    def declared(self) -> bool:
        """Whether it is of a declared attribute, of which more is measured than of a crossing."""
        return len(self.grouping.columns) == 1

    @property
    def reference_is_few(self) -> bool:
        """Whether what is compared with the reference of a declared attribute rests on a handful of rows, and there are others to compare with."""
        return self.counts is not None and self.reference is not None and self.declared and len(self.counts) > 2 and self.counts[self.reference.index].low_precision

    def rest(self, group: int) -> Count:
        return pool([c for i, c in enumerate(self.counts or ()) if i != group])


def measure_fairness(outcomes: Outcomes, policy: AuditPolicy, *, bins: Mapping[str, tuple[float, ...]], seed: int) -> FairnessSection | NotMeasured:
    """Fairness over ``policy.sensitive`` and their crossings up to depth ``policy.intersections``.

    ``bins`` are the printed edges of binned attributes. A named reference group without an audited row gives way to the highest rate, and the
    attribute's note says so. Raises BadInput where ``policy.reference`` names an attribute that is not audited.
    The family of primary tests is the declared attributes' selection tables, per favourable class where there are several (rule 8).
    """
    attributes = [name for name in policy.sensitive if name in outcomes.groups]
    if not attributes:
        return NotMeasured(reason="no sensitive attribute was chosen")
    _check_references(policy, attributes)
    single = [_grouping(outcomes, (name,), bins, policy.reference) for name in attributes]
    crossed = [columns for depth in range(2, policy.intersections + 1) for columns in combinations(attributes, depth)]
    whole, classes = _question(outcomes, None), _classes(outcomes)
    by_class = [(label, _question(outcomes, label)) for label in classes]
    family_tables = [_table(grouping, question) for question in ([q for _, q in by_class] or [whole]) for grouping in single]
    adjusted = _adjust(family_tables)

    def crossings_of(question: Question) -> tuple[Attribute, ...]:
        # one grouping after the other: each holds a number for every row
        return attributes_of(question, (_grouping(outcomes, columns, bins, policy.reference) for columns in crossed), {})

    def attributes_of(question: Question, groupings: Iterable[Grouping], family: Mapping[str, float]) -> tuple[Attribute, ...]:
        return tuple(_attribute(_table(grouping, question), policy.limit.ratio, family, seed) for grouping in groupings)

    section = FairnessSection(
        favourable=outcomes.favourable, outcome="score" if outcomes.task == "regression" else "decision", limit=RatioLimit(ratio=policy.limit.ratio), label_rule="" if outcomes.task == "regression" else RULE,
        attributes=attributes_of(whole, single, {} if by_class else adjusted), intersections=crossings_of(whole),
        family=Family(tests=len(adjusted), contrasts=tuple(adjusted)),
        by_class=tuple(
            FairnessByClass(favourable=label, attributes=attributes_of(question, single, adjusted), intersections=crossings_of(question))
            for label, question in by_class
        ),
    )
    return with_governing(section.model_copy(update={"furthest": furthest_of_classes(section)}), governing_choice(policy, outcomes.task, recorded=outcomes.truth is not None))


def compared_with(fairness: FairnessSection | NotMeasured) -> dict[str, str]:
    """The reference of each declared attribute, so that other sections speak of the same two groups."""
    return {} if isinstance(fairness, NotMeasured) else {each.attribute: each.reference for each in fairness.attributes if each.reference is not None}


def _check_references(policy: AuditPolicy, attributes: Sequence[str]) -> None:
    for attribute in policy.reference:
        if attribute not in attributes:
            raise BadInput(f"reference names {attribute!r}, which is not a sensitive attribute of this audit", pointer=f"/reference/{attribute}")


def _classes(outcomes: Outcomes) -> tuple[str, ...]:
    """The favourable classes that are measured one by one: several named ones, or every class of a multiclass task where none is named."""
    if outcomes.task != "multiclass" or len(outcomes.favourable) == 1:
        return ()
    return outcomes.favourable or outcomes.labels


def _question(outcomes: Outcomes, label: str | None) -> Question:
    asked = outcomes.favourable if label is None else (label,)
    named = bool(asked) or outcomes.task == "regression"
    selected = outcomes.selected(asked) if named else None
    deserving = outcomes.deserving(asked) if named else None
    score = outcomes.favourable_score(asked) if named else None
    probability = outcomes.scores_are_probabilities
    residual, no_residual = None, "no label column was given"
    if score is not None and outcomes.truth is not None:
        if outcomes.task == "regression":
            residual = outcomes.truth.astype(np.float64) - score
        elif probability and deserving is not None:
            residual = deserving.astype(np.float64) - score
        else:
            no_residual = "the score is not a probability, so it has no residual"
    view = View(selected, deserving, score, probability, residual, outcomes.weight, outcomes.cluster)
    return Question(view, label or "", _no_selection(outcomes, named), no_residual)


def _no_selection(outcomes: Outcomes, named: bool) -> str:
    if outcomes.task == "regression":
        return "a predicted number is no favourable decision; see the score"
    return "no decision column and no threshold was given" if named else "no favourable label was named; each class is measured on its own"


def _grouping(outcomes: Outcomes, columns: tuple[str, ...], bins: Mapping[str, tuple[float, ...]], reference: Mapping[str, str]) -> Grouping:
    """Group names of a crossing are joined by " x " in the order of the columns; unknown in any column is unknown."""
    code, names = np.zeros(outcomes.rows, dtype=np.int64), [""]
    known = np.ones(outcomes.rows, dtype=bool)
    for column in columns:
        own, levels = pd.factorize(outcomes.groups[column])
        ordered = in_reading_order(str(level) for level in levels)
        place = np.array([ordered.index(str(level)) for level in levels] + [0], dtype=np.int64)  # the last for unknown, which factorize codes -1
        known &= own >= 0
        code = code * max(len(levels), 1) + place[own]
        names = [f"{name} x {level}" if name else level for name in names for level in ordered]
    position = np.flatnonzero(known)
    cells, inverse = np.unique(code[position], return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    rows = np.split(position[order], np.cumsum(np.bincount(inverse, minlength=len(cells)))[:-1]) if len(cells) else []
    named = " x ".join(reference[column] for column in columns) if all(column in reference for column in columns) else None
    return Grouping(
        " x ".join(columns), columns, tuple(bins.get(columns[0], ())) if len(columns) == 1 else (), tuple(names[cell] for cell in cells), tuple(rows),
        np.flatnonzero(~known), named,
    )


def _table(grouping: Grouping, question: Question) -> Table:
    view = question.view
    counts = None
    if view.selected is not None:
        counts = tuple(view.take(rows).count(view.selected[rows]) for rows in grouping.rows)
    return Table(grouping, question, counts, _reference(grouping, counts, view))


def _reference(grouping: Grouping, counts: Sequence[Count] | None, view: View) -> Reference | None:
    if grouping.named in grouping.names:
        return Reference(grouping.names.index(str(grouping.named)), named=True)
    if counts is not None:
        best = highest(grouping.names, counts)
        return None if best is None else Reference(best, named=False)
    if view.score is None or not grouping.names:
        return None
    means = [float(np.average(view.score[rows], weights=None if view.weight is None else view.weight[rows])) for rows in grouping.rows]
    return Reference(min(_large(grouping, view) or range(len(means)), key=lambda i: (-means[i], -len(grouping.rows[i]), grouping.names[i])), named=False)


def _large(grouping: Grouping, view: View) -> list[int]:
    """The groups of enough independent rows to be compared with: no rule asks for the highest mean, and that of a handful of rows is the highest by chance."""
    return [i for i, rows in enumerate(grouping.rows) if independent_units(len(rows), None if view.cluster is None else view.cluster[rows]) >= LOW_PRECISION_BELOW]


def _adjust(tables: Sequence[Table]) -> dict[str, float]:
    """Holm over the distinct contrasts of the tables: contrast to adjusted p."""
    p_values: dict[str, float] = {}
    for table in tables:
        if table.counts is None or len(table.counts) < 2:
            continue
        for group, mine in enumerate(table.counts):
            p = primary_p(mine, table.rest(group))
            if p is not None:
                p_values.setdefault(table.contrast(group), p)
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def _attribute(table: Table, limit: float, family: Mapping[str, float], seed: int) -> Attribute:
    grouping, view = table.grouping, table.question.view
    if len(grouping.columns) > 1 and len(grouping.names) > MAX_CELLS:
        reason = f"not measured: {len(grouping.names):,} observed cells are more than {MAX_CELLS}"
        return Attribute(
            attribute=grouping.attribute, columns=grouping.columns, reference=None, groups=(), unknown=len(grouping.unknown),
            omnibus=NotMeasured(reason=reason.removeprefix("not measured: ")), note=reason,
        )
    views = [view.take(rows) for rows in grouping.rows]
    errors = [ErrorCounts.of(v) for v in views]
    levels = _score_levels(table, views, seed)
    beside = _beside(table, errors, levels)
    groups = tuple(_group(table, i, views[i], errors, levels, beside[i], limit, family) for i in range(len(views)))
    reference = None if table.reference is None else grouping.names[table.reference.index]
    whole: Value | NotMeasured = NotMeasured(reason=table.question.no_selection)
    rng = generator(seed, "omnibus", table.question.name, grouping.attribute)
    return Attribute(
        attribute=grouping.attribute, columns=grouping.columns, bins=grouping.bins, reference=reference,
        reference_named=table.reference is not None and table.reference.named, groups=groups, unknown=len(grouping.unknown),
        omnibus=whole if table.counts is None else omnibus(table.counts, grouping.attribute, rng), summary=_summary(groups),
        note=_note(table),
    )


Comparisons = Mapping[str, RateComparison]


def _beside(table: Table, errors: Sequence[ErrorCounts | None], levels: Sequence[ScoreLevels | None]) -> Sequence[tuple[Comparisons, Comparisons]]:
    """For each group its error rates, and the means of a predicted number, beside those of all rows and of the best group: of declared attributes."""
    of_errors: Sequence[Comparisons] = [NOT_COMPARED] * len(errors)
    of_numbers: Sequence[Comparisons] = of_errors
    counts, known = [one for one in errors if one is not None], [one for one in levels if one is not None]
    if table.declared and counts and len(counts) == len(errors):
        of_errors = compared_rates(table.grouping.names, counts)
    if table.declared and _predicts_number(table.question) and known and len(known) == len(levels):
        of_numbers = score_comparisons(table.grouping.names, known)
    return list(zip(of_errors, of_numbers, strict=True))


def _predicts_number(question: Question) -> bool:
    return question.view.selected is None and question.view.residual is not None and not question.view.probability


def _note(table: Table) -> str:
    named = table.grouping.named
    if named is not None and named not in table.grouping.names:
        return f"The named reference {named} has no audited row, so the highest rate is the reference."
    if table.counts is None and table.reference is not None and not table.reference.named and 0 < len(_large(table.grouping, table.question.view)) < len(table.grouping.names):
        return f"Groups of fewer than {LOW_PRECISION_BELOW} rows are not taken as the reference."
    return ""


def _score_levels(table: Table, views: Sequence[View], seed: int) -> list[ScoreLevels | None]:
    score = table.question.view.score
    if score is None or not views:
        return [None] * len(views)
    known = np.concatenate(table.grouping.rows)
    weight = table.question.view.weight
    median = middle(score[known], None if weight is None else weight[known])
    return [
        ScoreLevels.of(view, median, seed, table.question.name, table.grouping.attribute, name, distribution=table.declared)
        for view, name in zip(views, table.grouping.names, strict=True)
    ]


def _group(
    table: Table, i: int, view: View, errors: Sequence[ErrorCounts | None], levels: Sequence[ScoreLevels | None], beside: tuple[Comparisons, Comparisons], limit: float, family: Mapping[str, float],
) -> Group:
    grouping, question, reference = table.grouping, table.question, table.reference
    is_reference = reference is not None and reference.index == i
    of_reference = None if reference is None else reference.index
    known = sum(len(rows) for rows in grouping.rows)
    every_mean_positive = all(level is not None and level.means[0] > 0 for level in levels) and question.view.score is not None
    return Group(
        group=grouping.names[i], n=len(grouping.rows[i]), share=len(grouping.rows[i]) / known,
        **_selection(table, i, limit, family),
        error_rates=error_rates(
            errors[i], None if of_reference is None else errors[of_reference], is_reference, max(1, len(errors) - 1),
            [other for at, other in enumerate(errors) if at != i and other is not None] if table.reference_is_few else (), beside[0])
        if question.view.selected is not None else NotMeasured(reason=question.no_selection),
        calibration=group_calibration(view, line=table.declared, bins=table.declared and not question.name),
        score=score_outcome(
            levels[i], None if of_reference is None else levels[of_reference], is_reference, every_mean_positive, question.no_residual,
            max(1, len(levels) - 1), absolute_errors=_predicts_number(question), compared=beside[1],
        ),
    )


def _selection(table: Table, i: int, limit: float, family: Mapping[str, float]) -> dict[str, object]:
    """The fields of a Group that come from the selection table."""
    if table.counts is None:
        absent = NotMeasured(reason=table.question.no_selection)
        return {"selection_rate": absent, "impact_ratio": absent, "versus_rest": absent}
    mine, reference = table.counts[i], table.reference
    fields: dict[str, object] = {
        "selected": mine.rows_k, "selection_rate": rate_estimate(mine, "the weights of this group add up to 0"),
        "impact_ratio": impact_ratio(i, table.grouping.names, table.counts, reference, limit), "versus_rest": _versus_rest(table, i, family),
        "shortfall": shortfall(i, table.counts, reference),
    }
    if reference is None or reference.index == i:
        return fields
    theirs, view = table.counts[reference.index], table.question.view
    fields["flip_flop"] = flips(mine, theirs)
    if theirs.sum_k > 0:
        unknown = table.grouping.unknown
        fields["minimum_detectable_ratio"] = detectable_ratio(i, table.counts, reference, limit)
        fields["unknown_band"] = unknown_band(mine, theirs, view.take(unknown).count(view.selected[unknown])) if view.selected is not None else None
    return fields


def _versus_rest(table: Table, i: int, family: Mapping[str, float]) -> VersusRest | NotMeasured:
    if table.counts is None or len(table.counts) < 2:
        return NotMeasured(reason="only one group was observed")
    mine, rest, contrast = table.counts[i], table.rest(i), table.contrast(i)
    adjusted = family.get(contrast)
    tests = two_group_tests(mine, rest, contrast, family=EXPLORATORY if adjusted is None else PRIMARY, p_adjusted=adjusted)
    return VersusRest(difference=difference_estimate(mine, rest), tests=tests)


def _summary(groups: Sequence[Group]) -> AttributeSummary:
    """Maxima over the groups in which the rate is measured; Fairlearn's numbers, but where rule 5 says NotMeasured it counts a 0 (or a 1)."""

    def spread(values: Sequence[Value]) -> float | None:
        measured = [value.value for value in values if isinstance(value, Estimate)]
        return max(measured) - min(measured) if len(measured) > 1 else None

    rates = [group.selection_rate.value for group in groups if isinstance(group.selection_rate, Estimate)]
    errors = [group.error_rates for group in groups if not isinstance(group.error_rates, NotMeasured)]
    tpr, fpr, ppv = spread([e.tpr for e in errors]), spread([e.fpr for e in errors]), spread([e.ppv for e in errors])
    return AttributeSummary(
        demographic_parity_difference=spread([group.selection_rate for group in groups]),
        demographic_parity_ratio=min(rates) / max(rates) if len(rates) > 1 and max(rates) > 0 else None,
        equalized_odds_difference=None if tpr is None or fpr is None else max(tpr, fpr), equal_opportunity_difference=tpr,
        average_odds_difference=None if tpr is None or fpr is None else (tpr + fpr) / 2, predictive_parity_difference=ppv,
    )
