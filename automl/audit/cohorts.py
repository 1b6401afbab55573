"""Cohorts: rows that a person named before the audit part was opened, measured by themselves, Holm over all of them.

What a slice search found in one audit can be named and measured in a later one. Whoever chose a cohort because of what the same rows showed has looked at them before:
the plan's number of the audit says so, and the section's note what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from automl.audit.conditions import Condition, Kind, SliceColumn, rows_of, words_of
from automl.audit.estimates import metric_estimates
from automl.audit.fairness import measure_fairness
from automl.audit.outcomes import BoolArray, Outcomes
from automl.audit.significance import holm
from automl.audit.slices import RowErrors, difference_of, label_of, mean_error, row_errors
from automl.evidence import Attribute, Cohort, CohortAttribute, CohortErrors, CohortGroup, CohortsSection, FairnessSection, NotMeasured
from automl.printing import visible
from automl.spec import AuditPolicy, CohortOf

NO_ROW = "no row of this part fulfils it"
NOTE = ("A person named these rows before they were measured. Their errors are tested together; the groups within them are exploratory, without correction for their number. "
        "Where a cohort was chosen for what an earlier audit of the same rows had shown, its numbers say less than they seem to; the plan counts the audits of these rows.")


def measure_cohorts(
    columns: Sequence[SliceColumn], outcomes: Outcomes, policy: AuditPolicy, *, bins: Mapping[str, tuple[float, ...]], measured_on: str,
) -> CohortsSection | None:
    """``policy.cohorts`` on the rows of ``outcomes``; None where there are none. ``columns``: what may define them, of the same rows.

    A cohort whose conditions these rows cannot answer has no rows, and says why where its errors would stand.
    """
    if not policy.cohorts:
        return None
    errors = row_errors(outcomes)
    rows = [_cohort(one, columns, errors, outcomes, policy, bins) for one in policy.cohorts]
    tested = [(at, found.p) for at, one in enumerate(rows) if isinstance(found := one.errors, CohortErrors) and found.p is not None]
    for (at, _), adjusted in zip(tested, holm([p for _, p in tested]), strict=True):
        found = rows[at].errors
        assert isinstance(found, CohortErrors), "it was tested"
        rows[at] = rows[at].model_copy(update={"errors": found.model_copy(update={"p_adjusted": adjusted, "label": label_of(found.difference, adjusted)})})
    return CohortsSection(
        measured_on=measured_on, rows_measured=outcomes.rows, error="" if isinstance(errors, NotMeasured) else errors.words, family=len(tested), rows=tuple(rows),
        note=NOTE)


def _cohort(
    named: CohortOf, columns: Sequence[SliceColumn], errors: RowErrors | NotMeasured, outcomes: Outcomes, policy: AuditPolicy, bins: Mapping[str, tuple[float, ...]],
) -> Cohort:
    conditions = tuple(Condition(**one.model_dump()) for one in named.where)
    by_name = {column.name: column for column in columns}
    why = next(filter(None, (_unanswered(one, by_name.get(one.column)) for one in conditions)), None)
    inside = np.zeros(outcomes.rows, dtype=bool) if why is not None else rows_of(conditions, columns)
    words = words_of(conditions, [by_name.get(one.column) or _stand_in(one) for one in conditions])
    n = int(inside.sum())
    found = _errors(inside, errors, outcomes) if why is None and n else NotMeasured(reason=why or NO_ROW)
    return Cohort(
        name=named.name, where=words, conditions=named.where, found_in=named.found_in, n=n, share=n / outcomes.rows, errors=found,
        metrics=metric_estimates(outcomes.take(inside), seed=policy.seed) if n and outcomes.truth is not None else {},
        attributes=_attributes(outcomes.take(inside), policy, bins) if n else ())


def _unanswered(condition: Condition, column: SliceColumn | None) -> str | None:
    """Why a condition cannot be put to these rows; None where it can."""
    name = visible(condition.column, 60)
    if column is None:
        return f"{name} is neither an input nor a declared attribute of this audit"
    if condition.what == "range" and column.kind == "category":
        return f"{name} has no numbers here to be in a range"
    if condition.what in ("is", "is_not") and column.kind != "category":
        return f"{name} has numbers here, and no level to be equal to"
    return None


def _stand_in(condition: Condition) -> SliceColumn:
    """For the words of a condition on a column that is not there."""
    kind: Kind = "number" if condition.what == "range" else "category"
    return SliceColumn(condition.column, kind, np.zeros(0))


def _errors(inside: BoolArray, errors: RowErrors | NotMeasured, outcomes: Outcomes) -> CohortErrors | NotMeasured:
    if isinstance(errors, NotMeasured):
        return errors
    difference, p = difference_of(inside, errors, outcomes)
    return CohortErrors(inside=mean_error(errors.error, inside, errors, outcomes), rest=mean_error(errors.error, ~inside, errors, outcomes), difference=difference, p=p)


def _attributes(outcomes: Outcomes, policy: AuditPolicy, bins: Mapping[str, tuple[float, ...]]) -> tuple[CohortAttribute, ...]:
    fairness = measure_fairness(outcomes, policy.model_copy(update={"intersections": 1, "governing": None}), bins=bins, seed=policy.seed)
    if not isinstance(fairness, FairnessSection):
        return ()
    parts = [("", fairness.attributes)] if not fairness.by_class else [(one.favourable, one.attributes) for one in fairness.by_class]
    return tuple(_attribute(of, attribute) for of, attributes in parts for attribute in attributes)


def _attribute(of: str, attribute: Attribute) -> CohortAttribute:
    groups = tuple(
        CohortGroup(group=one.group, n=one.n, ratio=one.impact_ratio, rate=one.selection_rate if isinstance(one.score, NotMeasured) or one.selected is not None else one.score.mean)
        for one in attribute.groups)
    return CohortAttribute(attribute=attribute.attribute, of=of, reference=attribute.reference, groups=groups)
