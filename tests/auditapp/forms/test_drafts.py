"""A draft's way to a spec and back, which step comes next, and what the check page says."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.utils import translation

from auditapp.forms import drafts
from auditapp.forms.drafts import KEPT_DRAFTS, STEP_OF_POINTER, STEPS, Draft
from automl.errors import BadInput
from automl.evidence import Bar
from automl.spec import PredictionsSpec, TaskSpec, parse_spec
from tests.profile_example import make_column, make_profile

SPEC = {
    "title": "Mine", "target": "income", "positive": ">50K", "sensitive": ["sex", "age"], "bins": {"age": [30, 45]}, "reference": {"sex": "Male"}, "limit": {"ratio": 0.9},
    "intersections": 1, "metric": "log_loss", "budget": {"seconds": 90, "trials": 5}, "families": ["linear"], "audit_fraction": 0.3, "seed": 11, "missing": ["", "none"],
    "table": {"delimiter": ";"}, "simple": True, "fairness_objective": {"metric": "equalized_odds_difference", "attribute": "sex"}, "roles": {"person": "id", "granted": "ignore", "decided_at": "ignore", "score": "feature"},
}


def test_a_spec_survives_the_way_through_the_answers() -> None:
    spec = parse_spec(SPEC, "training")
    again = drafts.spec_of(Draft.from_spec(spec), make_profile())
    assert isinstance(again, TaskSpec)
    assert again.model_dump(exclude={"roles", "favourable"}) == spec.model_dump(exclude={"roles", "favourable"})
    assert again.favourable == ">50K"
    assert {name: again.roles[name] for name in SPEC["roles"]} == SPEC["roles"]


def test_a_spec_of_predictions_survives_too() -> None:
    spec = parse_spec({"score": "score", "label": "income", "positive": ">50K", "favourable": "<=50K", "threshold": 0.3, "sensitive": ["sex"]}, "predictions")
    again = drafts.spec_of(Draft.from_spec(spec), make_profile())
    assert isinstance(again, PredictionsSpec)
    assert again == spec


def test_the_level_of_a_quantile_survives_and_is_told() -> None:
    spec = parse_spec({"target": "age", "task": "regression", "metric": "quantile_loss", "quantile": 0.9}, "training")
    draft = Draft.from_spec(spec)
    again = drafts.spec_of(draft, make_profile())
    assert isinstance(again, TaskSpec)
    assert (again.metric, again.quantile) == ("quantile_loss", 0.9)
    assert "quantile loss (pinball) at the level 0.9" in {line.answer for line in drafts.answers_of(again, make_profile(), "regression")}
    drafts.answer(draft, "target", {"target": "income", "task": ""})
    assert draft.get("budget", "quantile") is None


def test_a_german_page_has_no_english_among_its_answers() -> None:
    spec = parse_spec({"target": "income", "positive": ">50K", "sensitive": ["sex"], "limit": {"ratio": 0.85}, "governing": {"answers": {"measured_by_rates": "yes"}}}, "training")
    assert isinstance(spec, TaskSpec)
    with translation.override("de"):
        answers = [line.answer for line in drafts.answers_of(spec, make_profile(), "binary")]
        plan = " ".join(drafts.plan_sentences(spec, make_profile(), "binary"))
    assert "income (binär)" in answers
    assert any("Ein Gesetz, ein Vertrag oder eine Richtlinie" in answer for answer in answers)
    assert not any("contract" in answer for answer in answers)
    assert any("0,85" in answer for answer in answers)
    assert "0,85" in plan


def test_what_no_answer_takes_up_never_becomes_a_feature() -> None:
    draft = Draft.from_spec(parse_spec({"target": "income", "sensitive": ["sex"]}, "training"))
    draft.answers["columns"] = {"roles": {"age": "sensitive", "granted": "target", "score": "weight", "person": "group", "decided_at": "time"}, "leaks": {}}
    spec = drafts.spec_of(draft, make_profile())
    assert isinstance(spec, TaskSpec)
    assert spec.weight == "score"
    assert {name: spec.roles[name] for name in ("age", "granted", "person", "decided_at")} == {"age": "ignore", "granted": "ignore", "person": "id", "decided_at": "date"}
    assert "sex" not in spec.roles


def test_a_contradiction_points_at_its_field() -> None:
    draft = Draft.from_spec(parse_spec({"target": "income", "sensitive": ["sex"]}, "training"))
    draft.answers["attributes"]["limit"] = 2.0
    with pytest.raises(BadInput, match="less than or equal to 1") as refused:
        drafts.spec_of(draft, make_profile())
    assert refused.value.pointer == "/limit/ratio"


@pytest.mark.parametrize("document", [{"target": "income", "sensitive": ["sex"]}, {"score": "score", "sensitive": ["sex"]}])
def test_the_profile_of_an_earlier_run_is_kept_and_said(document: dict[str, Any]) -> None:
    again = drafts.spec_of(Draft.from_spec(parse_spec({**document, "profile": "us_credit"}, "training" if "target" in document else "predictions")), make_profile())
    assert again.profile == "us_credit"
    assert "credit in the United States" in {line.answer for line in drafts.answers_of(again, make_profile(), None)}


@pytest.mark.parametrize("document", [{"target": "income", "sensitive": ["sex"]}, {"score": "score", "sensitive": ["sex"]}])
def test_what_an_earlier_run_left_out_is_kept_and_said(document: dict[str, Any]) -> None:
    again = drafts.spec_of(Draft.from_spec(parse_spec({**document, "leave_out": ["slices"]}, "training" if "target" in document else "predictions")), make_profile())
    assert again.leave_out == ("slices",)
    assert "where it fails: slices" in {line.answer for line in drafts.answers_of(again, make_profile(), None)}


@pytest.mark.parametrize("document", [{"target": "income", "sensitive": ["sex"]}, {"score": "score", "sensitive": ["sex"]}])
def test_the_cohorts_of_an_earlier_run_are_kept_and_said(document: dict[str, Any]) -> None:
    cohort = {"name": "Young women", "where": [{"column": "age", "what": "range", "high": 27}], "found_in": "run_1"}
    again = drafts.spec_of(Draft.from_spec(parse_spec({**document, "cohorts": [cohort]}, "training" if "target" in document else "predictions")), make_profile())
    assert [(one.name, one.found_in, one.where[0].high) for one in again.cohorts] == [("Young women", "run_1", 27)]
    assert "Young women" in {line.answer for line in drafts.answers_of(again, make_profile(), None)}


def test_the_population_of_an_earlier_run_is_kept_as_far_as_its_attributes_are_compared() -> None:
    population = {"source": "a census", "shares": {"sex": {"F": 51, "M": 49}}}
    draft = Draft.from_spec(parse_spec({"target": "income", "sensitive": ["sex", "age"], "population": population}, "training"))
    again = drafts.spec_of(draft, make_profile())
    assert again.population is not None
    assert again.population.model_dump() == population
    assert "sex: a census" in {line.answer for line in drafts.answers_of(again, make_profile(), None)}
    assert any("population that you named" in line for line in drafts.plan_sentences(again, make_profile(), None))
    draft.answers["attributes"]["sensitive"] = ["age"]
    assert drafts.spec_of(draft, make_profile()).population is None


def test_every_field_of_a_spec_has_a_step_that_asks_it() -> None:
    not_asked = {"title", "threads", "parent"}
    assert set(TaskSpec.model_fields) | set(PredictionsSpec.model_fields) == set(STEP_OF_POINTER) | not_asked
    assert set(STEP_OF_POINTER.values()) <= {step for steps in STEPS.values() for step in steps}


@pytest.mark.parametrize(("attribute", "sensitive", "kept"), [("sex", ["sex"], True), ("sex", ["age"], False), (None, ["age"], True), (None, [], False)])
def test_a_second_objective_goes_with_its_attribute(attribute: str | None, sensitive: list[str], kept: bool) -> None:
    objective = {"metric": "equalized_odds_difference", "attribute": attribute}
    draft = Draft.from_spec(parse_spec(SPEC | {"fairness_objective": objective}, "training"))
    drafts.answer(draft, "attributes", {"sensitive": sensitive})
    assert draft.get("budget", "fairness_objective") == (objective if kept else None)


def test_a_reason_table_goes_through_a_form_that_does_not_ask_for_it() -> None:
    reasons = {"most": 3, "table": {"age": {"text": "Age", "excluded": "immutable"}}, "groups": {"work": ["age", "score"]}}
    spec = parse_spec(SPEC | {"reasons": reasons}, "training")
    again = drafts.spec_of(Draft.from_spec(spec), make_profile())
    assert isinstance(spec, TaskSpec)
    assert isinstance(again, TaskSpec)
    assert again.reasons == spec.reasons


def test_a_number_to_predict_has_no_second_objective() -> None:
    draft = Draft.from_spec(parse_spec(SPEC, "training"))
    drafts.answer(draft, "target", {"target": "score", "task": ""})
    spec = drafts.spec_of(draft, make_profile())
    assert isinstance(spec, TaskSpec)
    assert spec.fairness_objective is None


def test_groups_are_asked_for_only_where_there_are_any() -> None:
    draft = Draft()
    assert "groups" in drafts.steps_of(draft)
    drafts.answer(draft, "attributes", {"sensitive": []})
    assert "groups" not in drafts.steps_of(draft)
    assert drafts.next_step(draft, "attributes") == "budget"


def test_the_first_open_step_is_where_one_goes_on() -> None:
    draft = Draft()
    assert drafts.first_open(draft) == "columns"
    for step in STEPS["training"][:-1]:
        drafts.answer(draft, step, {"sensitive": ["sex"]})
    assert drafts.first_open(draft) == "check"


def test_all_values_are_known_only_where_the_profile_lists_them() -> None:
    assert [bar.label for bar in drafts.levels(make_column("sex", 0))] == ["a", "b"]
    assert drafts.levels(make_column("city", 0, distinct=900)) == ()
    assert drafts.levels(make_column("age", 0, type="integer", distinct=2, histogram=(Bar(label="0", n=1), Bar(label="1", n=1)))) != ()
    assert drafts.levels(make_column("age", 0, type="integer", distinct=12, histogram=tuple(Bar(label=str(i), n=1) for i in range(12)))) == ()


def test_a_session_keeps_the_latest_drafts_apart() -> None:
    session = SessionStore()
    for i in range(KEPT_DRAFTS + 3):
        drafts.keep(session, f"ds_{i}", Draft(title=str(i)))
    assert len(session["drafts"]) == KEPT_DRAFTS
    assert drafts.read(session, f"ds_{KEPT_DRAFTS + 2}").title == str(KEPT_DRAFTS + 2)
    assert drafts.read(session, "ds_0") == Draft()


def test_the_plan_says_in_words_what_will_be_done() -> None:
    spec = parse_spec(SPEC | {"time": "decided_at"}, "training")
    words = " ".join(drafts.plan_sentences(spec, make_profile(), "binary"))
    for expected in ("Read 1,000 rows; leave out 20 without a value of income", "Set aside 30 % of the rows", "the latest rows by decided_at", "1 min 30 s or 5 trials, whichever ends first",
                     "sex, age", "limit of 0.9", "are not features"):
        assert expected in words
    assert "better equalized odds difference between the groups of sex as well" in words
    lines = {line.question: line.answer for line in drafts.answers_of(spec, make_profile(), "binary")}
    assert lines["Second objective"] == "equalized odds difference between the groups of sex"
    assert lines["Outcome"] == "We predict whether income is >50K. Being predicted >50K is good for the person."
    # Sensitive attributes, ids and what orders the rows are no inputs either
    assert lines["Left out of the model"] == "age, sex, person, decided_at, granted"
    assert lines["Groups of age"] == "cut at 30, 45"
    without = parse_spec(SPEC | {"bins": {}}, "training")
    assert {line.question: line.answer for line in drafts.answers_of(without, make_profile(), "binary")}["Groups of age"] == "cut at the quartiles of the rows to learn from"


@pytest.mark.parametrize(("positive", "favourable", "sentence"), [
    (">50K", None, "Being predicted >50K is good for the person."), (">50K", "<=50K", "Being predicted >50K is bad for the person; <=50K is good."), (None, None, None)])
def test_the_check_of_predictions_says_which_one_is_good(positive: str | None, favourable: str | None, sentence: str | None) -> None:
    spec = parse_spec({"score": "score", "label": "income", "positive": positive, "favourable": favourable, "sensitive": ["sex"]}, "predictions")
    lines = {line.question: line.answer for line in drafts.answers_of(spec, make_profile(), None)}
    assert lines.get("Outcome") == sentence


def test_the_tables_of_the_law_that_an_earlier_run_had_are_asked_for_again_until_its_attributes_are_answered_anew() -> None:
    law = {"sex": "sex", "data_class": "test", "data_reason": "a new tool"}
    draft = Draft.from_spec(parse_spec({"target": "income", "sensitive": ["sex"], "local_law_144": law}, "training"))
    spec = drafts.spec_of(draft, make_profile())
    assert spec.local_law_144 is not None
    assert spec.local_law_144.data_reason == "a new tool"
    assert any(line.question == "Local Law 144" for line in drafts.answers_of(spec, make_profile(), "binary"))
    drafts.answer(draft, "attributes", {"sensitive": ["race"], "none": False, "intersections": 2, "limit": 0.8, "as_features": False})
    assert drafts.spec_of(draft, make_profile()).local_law_144 is None
