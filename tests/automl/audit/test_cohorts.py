"""Cohorts: what a person named is measured on the rows it holds, together with the others, and says why where it cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.audit.cohorts import NO_ROW, measure_cohorts
from automl.audit.conditions import columns_of_groups
from automl.audit.estimates import metric_estimates
from automl.audit.significance import holm
from automl.audit.slices import find_slices, measure_slices
from automl.errors import BadInput
from automl.evidence import CohortErrors, CohortsSection, Estimate, NotMeasured, SlicesSection
from automl.sections import seal_plan
from automl.spec import TaskSpec, parse_spec
from tests.automl.audit.cases import regression
from tests.automl.audit.test_slices import planted

YOUNG_OF_A = {"name": "Young of a", "where": [{"column": "town", "what": "is", "level": "a"}, {"column": "age", "what": "range", "high": 30}]}


def spec(*cohorts: dict[str, Any], **more: Any) -> TaskSpec:
    return TaskSpec.model_validate({"target": "y", "sensitive": ["town"], "cohorts": cohorts, **more})


def measured(*cohorts: dict[str, Any], seed: int = 50, **more: Any) -> CohortsSection:
    columns, outcomes = planted(2_000, seed)
    section = measure_cohorts(columns, outcomes, spec(*cohorts, **more), bins={}, measured_on="the audit part")
    assert section is not None
    return section


def test_nobody_named_one() -> None:
    columns, outcomes = planted(500, 0)
    assert measure_cohorts(columns, outcomes, spec(), bins={}, measured_on="the audit part") is None


def test_its_numbers_are_those_of_its_rows() -> None:
    columns, outcomes = planted(2_000, 50)
    (one,) = measured(YOUNG_OF_A).rows
    inside = (columns[0].values == "a") & (columns[1].values <= 30)
    wrong = outcomes.decision != outcomes.truth
    assert (one.n, one.where, one.found_in) == (inside.sum(), ("town is a", "age at most 30"), None)
    assert isinstance(one.errors, CohortErrors)
    assert isinstance(one.errors.inside, Estimate)
    assert isinstance(one.errors.rest, Estimate)
    assert (one.errors.inside.k, one.errors.inside.n) == (wrong[inside].sum(), inside.sum())
    assert (one.errors.rest.k, one.errors.rest.n) == (wrong[~inside].sum(), (~inside).sum())
    assert one.errors.label == "higher"
    assert one.metrics == metric_estimates(outcomes.take(inside), seed=0)
    (attribute,) = one.attributes
    assert [(group.group, group.n) for group in attribute.groups] == [("a", inside.sum())]


def test_a_slice_that_was_found_is_the_same_rows_as_a_cohort() -> None:
    parts, outcomes = planted(4_000, 0)
    others, confirming = planted(2_000, 50)
    found = measure_slices(find_slices(parts, outcomes, seed=1), others, confirming, discovered_on="training rows", confirmed_on="the audit part")
    assert isinstance(found, SlicesSection)
    cohorts = [{"name": f"Slice {place}", "where": [condition.model_dump(mode="json") for condition in one.conditions]} for place, one in enumerate(found.rows)]
    section = measured(*cohorts)
    assert [(one.n, one.where) for one in section.rows] == [(one.n, one.where) for one in found.rows]
    assert [one.errors.inside for one in section.rows if isinstance(one.errors, CohortErrors)] == [one.error for one in found.rows]


def test_their_tests_are_adjusted_together() -> None:
    others = [{"name": town, "where": [{"column": "town", "what": "is", "level": town}]} for town in "bc"]
    section = measured(YOUNG_OF_A, *others)
    errors = [one.errors for one in section.rows if isinstance(one.errors, CohortErrors)]
    assert section.family == 3
    assert [one.p_adjusted for one in errors] == pytest.approx(holm([one.p or 0.0 for one in errors]))


@pytest.mark.parametrize(("condition", "why"), [
    ({"column": "height", "what": "range", "low": 1}, "height is neither an input nor a declared attribute of this audit"),
    ({"column": "town", "what": "range", "low": 1}, "town has no numbers here to be in a range"),
    ({"column": "age", "what": "is", "level": "30"}, "age has numbers here, and no level to be equal to"),
    ({"column": "town", "what": "is", "level": "Nowhere"}, NO_ROW),
])
def test_what_these_rows_cannot_answer_says_why(condition: dict[str, Any], why: str) -> None:
    asked = {"name": "Other", "where": [condition]}
    section = measured(asked, YOUNG_OF_A)
    other, known = section.rows
    assert other.errors == NotMeasured(reason=why)
    assert (other.n, other.metrics, other.attributes) == (0, {}, ())
    assert isinstance(known.errors, CohortErrors)
    assert section.family == 1, "what was not tested is not corrected for"


def test_missing_cells_and_ranges_hold_what_they_say() -> None:
    columns, _ = planted(2_000, 50)
    income = np.asarray(columns[2].values)
    section = measured(
        {"name": "No income", "where": [{"column": "income", "what": "missing"}]}, {"name": "Some income", "where": [{"column": "income", "what": "known"}]},
        {"name": "Middle or none", "where": [{"column": "income", "what": "range", "low": 0.5, "high": 1, "or_missing": True}]}, {"name": "Elsewhere", "where": [{"column": "town", "what": "is_not", "level": "a"}]})
    assert [one.n for one in section.rows] == [
        np.isnan(income).sum(), (~np.isnan(income)).sum(), (((income > 0.5) & (income <= 1)) | np.isnan(income)).sum(), (columns[0].values != "a").sum()]


def test_predicted_numbers_have_means_and_no_rates() -> None:
    outcomes = regression(400, 1, groups={"town": np.array(["a", "b"] * 200, dtype=object)})
    section = measure_cohorts(columns_of_groups(outcomes.groups), outcomes, spec({"name": "A", "where": [{"column": "town", "what": "is", "level": "a"}]}), bins={}, measured_on="every row")
    assert section is not None
    (one,) = section.rows
    assert section.error == "mean absolute error"
    assert isinstance(one.attributes[0].groups[0].rate, Estimate)
    assert isinstance(one.attributes[0].groups[0].ratio, NotMeasured)


def test_a_cohort_is_part_of_the_sealed_plan() -> None:
    def sealed(*cohorts: dict[str, Any]) -> Any:
        return seal_plan(spec(*cohorts), {}, cut_rule="0.5", sealed_at="", audit_number=1)

    other = {**YOUNG_OF_A, "where": YOUNG_OF_A["where"][:1]}
    assert sealed(YOUNG_OF_A).cohorts == ("Young of a",)
    assert len({sealed().sha256, sealed(YOUNG_OF_A).sha256, sealed(other).sha256}) == 3
    assert "cohorts" not in sealed().model_dump()


@pytest.mark.parametrize(("cohorts", "words"), [
    ([YOUNG_OF_A, YOUNG_OF_A], "two cohorts are called 'Young of a'"),
    ([{"name": " ", "where": YOUNG_OF_A["where"]}], "at least 1 character"),
    ([{"name": "A", "where": []}], "at least 1 item"),
    ([{"name": "A", "where": [{"column": "age", "what": "range"}]}], "a range needs low, high or both"),
    ([{"name": "A", "where": [{"column": "age", "what": "range", "low": 2, "high": 1}]}], "must be below its high end"),
    ([{"name": "A", "where": [{"column": "age", "what": "is", "low": 2}]}], "belong to a range"),
    ([{"name": "A", "where": [{"column": "age", "what": "missing", "level": "x"}]}], "belongs to is and is_not"),
])
def test_what_is_no_cohort_is_refused(cohorts: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        parse_spec({"target": "y", "cohorts": cohorts}, "training")
    assert (refused.value.pointer or "").startswith("/cohorts")
