"""What each form refuses and what it gives on. The words of each refusal on its page: tests/auditapp/views/test_new_audit.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from auditapp.forms.answers import (
    METRIC_WORDS,
    PRESETS,
    AttributesForm,
    BudgetForm,
    GroupsForm,
    OutcomeForm,
    PredictionsForm,
    ReadingForm,
    StepForm,
    TargetForm,
)
from auditapp.forms.drafts import Draft
from auditapp.forms.steps import STEP_FORMS
from automl.evidence import Bar, DatasetProfile
from automl.spec import METRICS_OF_TASK
from tests.profile_example import make_column, make_profile

BUDGET = {"preset": "standard", "metric": "roc_auc", "families": ["linear", "lgbm", "torch", "trees"], "split": "random", "audit_fraction": "0.25", "seed": "0"}


def form(kind: type[StepForm], data: Any = None, *, profile: DatasetProfile | None = None, **answers: Any) -> Any:
    return kind(data, profile=profile or make_profile(), draft=Draft(answers=answers))


def test_every_step_has_a_form() -> None:
    from auditapp.forms.drafts import STEPS

    assert set(STEP_FORMS) == {step for steps in STEPS.values() for step in steps}


def test_reading_options_and_markers() -> None:
    asked = ReadingForm({"delimiter": "tab", "encoding": "cp1252", "sheet": "", "empty": "", "missing": " none \n\n-\nnone"}, draft=Draft())
    assert asked.is_valid()
    assert asked.reading() == ({"delimiter": "\t", "encoding": "cp1252"}, ["none", "-"])
    shown = ReadingForm(draft=Draft(table={"delimiter": "\t"}, missing=["", "NA"]))
    assert (shown["delimiter"].initial, shown["empty"].initial, shown["missing"].initial) == ("tab", True, "NA")


def test_only_what_can_be_a_target_is_offered() -> None:
    offered = [label for _value, label in form(TargetForm).fields["target"].choices]
    assert "income" in offered
    assert "person" not in offered
    assert form(TargetForm)["target"].initial == "5"  # the profile's proposal


def test_outcomes_by_the_kind_of_question() -> None:
    assert set(form(OutcomeForm, target={"target": "income", "task": ""}).fields) == {"positive", "good", "left_out"}
    assert set(form(OutcomeForm, target={"target": "age", "task": "regression"}).fields) == set()
    several = form(OutcomeForm, {"good": ["0", "2"]}, target={"target": make_profile().columns[2].name, "task": "multiclass"})
    assert several.is_valid()
    assert several.answers()["favourable"] == ["\"><img src=x onerror=alert(1)>", "c\r\nd"]


def test_a_target_whose_values_are_not_all_known_is_asked_in_words() -> None:
    profile = make_profile(columns=(make_column("label", 0, distinct=2, histogram=()),))
    asked = form(OutcomeForm, {"positive": " yes ", "good": "good"}, profile=profile, target={"target": "label", "task": "binary"})
    assert asked.is_valid()
    assert asked.answers() == {"positive": " yes ", "favourable": " yes ", "left_out": False}  # spaces are part of a label


def test_attributes_offered_are_those_that_can_be_compared(settings: Any) -> None:
    settings.TABLE_GROUPS = 3
    asked = form(AttributesForm, target={"target": "income", "task": ""})
    offered = [c.name for c in asked.possible]
    assert offered[0] == "sex"  # what was proposed comes first
    assert not {"income", "person", make_profile().columns[2].name} & set(offered)  # target, identifier, more values than the limit of groups
    assert asked["sensitive"].initial == ["1"]


def test_numbers_get_edges_and_categories_a_reference() -> None:
    asked = form(GroupsForm, {"bins-0": "25; 40,60", "reference-1": "1"}, attributes={"sensitive": ["sex", "age"]})
    assert asked["bins-0"].initial == ""
    assert "28, 37, 48" in asked["bins-0"].help_text
    assert asked.is_valid()
    assert asked.answers() == {"bins": {"age": [25.0, 40.0, 60.0]}, "reference": {"sex": "Female"}}


def test_the_highest_rate_is_proposed_as_reference_and_why() -> None:
    """Not the largest group: that may be the one that is selected least (African-American defendants in COMPAS), and every ratio to it would look well."""
    races = tuple(Bar(label=label, n=n) for label, n in (("White", 600), ("Black", 250), ("Other", 20)))
    profile = make_profile(columns=(make_column("sex", 0, distinct=2, histogram=(Bar(label="F", n=400), Bar(label="M", n=470))), make_column("race", 1, distinct=3, histogram=races)))
    asked = form(GroupsForm, profile=profile, attributes={"sensitive": ["sex", "race"]})
    assert [field.initial for field in asked if field.name.startswith("reference")] == ["", ""]
    assert "only one comparison" in asked["reference-0"].help_text
    assert "such as White, the largest with 600 rows" in asked["reference-1"].help_text


SEXES = make_profile(columns=(make_column("sex", 3, distinct=2, histogram=(Bar(label="F", n=400), Bar(label="M", n=470))),))


def test_a_population_is_asked_for_group_by_group_and_kept() -> None:
    said = {"population-3-0": "50.8", "population-3-1": "49.2", "population_source": " Census of 2020 "}
    asked = form(GroupsForm, said, profile=SEXES, attributes={"sensitive": ["sex"]})
    assert asked.is_valid(), asked.errors
    population = asked.answers()["population"]
    assert population == {"source": "Census of 2020", "shares": {"sex": {"F": 50.8, "M": 49.2}}}
    again = form(GroupsForm, profile=SEXES, attributes={"sensitive": ["sex"]}, groups={"population": population})
    assert [again[name].initial for name in said] == [50.8, 49.2, "Census of 2020"]
    assert "population" not in form_answers(GroupsForm, {}, profile=SEXES, attributes={"sensitive": ["sex"]})


def form_answers(*given: Any, **answers: Any) -> dict[str, Any]:
    asked = form(*given, **answers)
    assert asked.is_valid()
    return dict(asked.answers())


@pytest.mark.parametrize(("said", "field", "words"), [
    ({"population-3-0": "50.8", "population_source": "x"}, "population-3-1", "needs a number above 0"),
    ({"population-3-0": "50", "population-3-1": "0", "population_source": "x"}, "population-3-1", "needs a number above 0"),
    ({"population-3-0": "50", "population-3-1": "40", "population_source": "x"}, "population-3-0", "add up to 90"),
    ({"population-3-0": "50", "population-3-1": "50"}, "population_source", "where the numbers are from"),
])
def test_a_population_that_cannot_be_is_told_at_its_field(said: dict[str, str], field: str, words: str) -> None:
    asked = form(GroupsForm, said, profile=SEXES, attributes={"sensitive": ["sex"]})
    assert not asked.is_valid()
    assert words in asked.errors[field][0]


def test_the_split_at_forty_is_offered_where_numbers_are_ages() -> None:
    def told(name: str, **changes: Any) -> bool:
        profile = make_profile(columns=(make_column(name, 0, type="integer", **({"distinct": 50, "low": 17.0, "high": 90.0, "default_bins": (28.0, 37.0, 48.0), "histogram": ()} | changes)),))
        return "write 39" in form(GroupsForm, profile=profile, attributes={"sensitive": [name]})["bins-0"].help_text

    assert told("age")
    assert told("Age_at_hire")
    assert not told("wage")
    assert not told("age", low=41.0)


@pytest.mark.parametrize("edges", ["", "  "])
def test_edges_that_nobody_gave_are_not_taken_for_the_persons_own(edges: str) -> None:
    asked = form(GroupsForm, {"bins-0": edges}, attributes={"sensitive": ["age"]})
    assert asked.is_valid()
    assert asked.answers() == {"bins": {}, "reference": {}}


def test_edges_keep_their_digits_on_the_way_to_the_page_and_back() -> None:
    edges = [0.1, 123456.75, 1234567.0, 1e16]
    shown = form(GroupsForm, attributes={"sensitive": ["age"]}, groups={"bins": {"age": edges}})["bins-0"].initial
    asked = form(GroupsForm, {"bins-0": shown}, attributes={"sensitive": ["age"]})
    assert asked.is_valid()
    assert asked.answers()["bins"] == {"age": edges}


@pytest.mark.parametrize("edges", [",", "40, 25", "25, 25", "1e400", "nan", "x", ", ".join(str(i) for i in range(51))])
def test_edges_that_are_none_are_refused(edges: str) -> None:
    assert not form(GroupsForm, {"bins-0": edges}, attributes={"sensitive": ["age"]}).is_valid()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_budgets(preset: str) -> None:
    asked = form(BudgetForm, BUDGET | {"preset": preset, "trials": "99"}, target={"target": "income", "task": ""})
    assert asked.is_valid(), asked.errors
    assert (asked.answers()["seconds"], asked.answers()["trials"]) == PRESETS[preset]
    again = form(BudgetForm, target={"target": "income", "task": ""}, budget=asked.answers())
    assert again["preset"].initial == preset


def test_parts_to_leave_out_are_asked_and_unknown_ones_refused() -> None:
    answers = {"target": {"target": "income", "task": ""}}
    asked = form(BudgetForm, BUDGET | {"leave_out": ["reasons", "slices"]}, **answers)
    assert asked.is_valid(), asked.errors
    assert asked.answers()["leave_out"] == ["reasons", "slices"]
    assert not form(BudgetForm, BUDGET | {"leave_out": ["fairness"]}, **answers).is_valid()


@pytest.mark.parametrize(("target", "task"), [("income", "binary"), ("age", "regression"), ("sex", "multiclass")])
def test_metrics_are_those_of_the_task(target: str, task: str) -> None:
    offered = [name for name, _word in form(BudgetForm, target={"target": target, "task": task}).fields["metric"].choices]
    assert tuple(offered) == METRICS_OF_TASK[task]


def test_the_second_objective_is_offered_where_there_are_groups_and_decisions() -> None:
    answers = {"target": {"target": "income", "task": ""}, "attributes": {"sensitive": ["sex"]}}
    assert form(BudgetForm, BUDGET, **answers).fields["fairness"].initial == ""
    asked = form(BudgetForm, BUDGET | {"fairness": "equal_opportunity_difference", "fairness_of": "1"}, **answers)
    assert asked.is_valid(), asked.errors
    assert asked.answers()["fairness_objective"] == {"metric": "equal_opportunity_difference", "attribute": "sex"}
    again = form(BudgetForm, **answers, budget=asked.answers())
    assert (again.fields["fairness"].initial, again.fields["fairness_of"].initial) == ("equal_opportunity_difference", "1")
    every = form(BudgetForm, BUDGET | {"fairness": "demographic_parity_ratio"}, **answers)
    assert every.is_valid()
    assert every.answers()["fairness_objective"] == {"metric": "demographic_parity_ratio", "attribute": None}
    none = form(BudgetForm, BUDGET | {"fairness": "", "fairness_of": "1"}, **answers)
    assert none.is_valid()
    assert none.answers()["fairness_objective"] is None
    assert not form(BudgetForm, BUDGET | {"fairness": "x"}, **answers).is_valid()


@pytest.mark.parametrize("answers", [
    {"target": {"target": "income", "task": ""}}, {"target": {"target": "age", "task": "regression"}, "attributes": {"sensitive": ["sex"]}}])
def test_without_groups_or_decisions_there_is_no_second_objective(answers: dict[str, Any]) -> None:
    asked = form(BudgetForm, BUDGET | {"metric": "rmse" if answers["target"]["task"] else "roc_auc", "fairness": "demographic_parity_ratio"}, **answers)
    assert "fairness" not in asked.fields
    assert asked.is_valid(), asked.errors
    assert asked.answers()["fairness_objective"] is None


@pytest.mark.parametrize(("metric", "level", "accepted"), [
    ("quantile_loss", "0.9", True), ("quantile_loss", "", True), ("rmse", "", True), ("rmse", "0.9", False), ("quantile_loss", "0", False), ("quantile_loss", "1", False),
    ("quantile_loss", "nan", False), ("quantile_loss", "x", False),
])
def test_the_level_of_a_quantile_belongs_to_its_loss(metric: str, level: str, accepted: bool) -> None:
    answers = {"target": {"target": "age", "task": "regression"}}
    asked = form(BudgetForm, BUDGET | {"metric": metric, "quantile": level}, **answers)
    assert asked.is_valid() == accepted
    if accepted:
        assert asked.answers()["quantile"] == (float(level) if level else None)
    else:
        assert set(asked.errors) == {"quantile"}


def test_only_a_number_has_quantiles() -> None:
    assert "quantile" not in form(BudgetForm, target={"target": "income", "task": "binary"}).fields


def test_every_metric_has_words() -> None:
    assert set(METRIC_WORDS) == {metric for metrics in METRICS_OF_TASK.values() for metric in metrics}


def test_a_split_in_time_needs_its_column() -> None:
    answers = {"target": {"target": "income", "task": ""}}
    assert "time" in form(BudgetForm, BUDGET | {"split": "time"}, **answers).errors
    asked = form(BudgetForm, BUDGET | {"split": "time", "time": "4", "group": "3"}, **answers)
    assert asked.is_valid()
    assert (asked.answers()["time"], asked.answers()["group"]) == ("decided_at", None)


def test_predictions_need_something_to_audit() -> None:
    assert "score" in form(PredictionsForm, {"good": "good"}).errors
    assert "positive" in form(PredictionsForm, {"decision": "7", "good": "good"}).errors
    only_score = form(PredictionsForm, {"score": "6", "threshold": "0.3", "good": "good"})
    assert only_score.is_valid(), only_score.errors
    assert only_score.answers() == {"score": "score", "decision": None, "label": None, "threshold": 0.3, "positive": None, "favourable": None}
    bad = form(PredictionsForm, {"decision": "7", "positive": "yes", "good": "bad"})
    assert bad.is_valid()
    assert bad.answers()["favourable"] == "no"


def test_a_bad_yes_among_many_values_is_refused() -> None:
    three = make_column("decision", 0, distinct=3, histogram=(Bar(label="a", n=1), Bar(label="b", n=1), Bar(label="c", n=1)))
    assert "good" in form(PredictionsForm, {"decision": "0", "positive": "a", "good": "bad"}, profile=make_profile(columns=(three,))).errors


def test_several_workers_are_offered_only_where_the_database_can_keep_their_study(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"target": {"target": "income", "task": "binary"}}
    for vendor, offered in (("sqlite", False), ("postgresql", True)):
        monkeypatch.setattr("auditapp.forms.answers.connection", SimpleNamespace(vendor=vendor))
        asked = form(BudgetForm, {**BUDGET, "parallel": "4"}, **answers)
        assert ("parallel" in asked.fields) is offered
        assert asked.is_valid(), asked.errors
        assert asked.answers()["parallel"] == (4 if offered else 1)
    too_many = form(BudgetForm, {**BUDGET, "parallel": "17"}, **answers)
    assert "parallel" in too_many.errors
