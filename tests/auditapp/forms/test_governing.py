"""Which of the four questions are asked, and what becomes of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp.forms import drafts
from auditapp.forms.drafts import Draft
from auditapp.forms.governing import GoverningForm
from automl.errors import BadInput
from automl.spec import FairnessAnswers, TaskSpec, parse_spec
from tests.profile_example import make_profile

ANSWERS = {"measured_by_rates": "no", "outcome_trusted": "yes", "used_as": "decision", "worse": "refused"}


def form(data: Any = None, kind: Any = "training", **answers: Any) -> GoverningForm:
    return GoverningForm(data, profile=make_profile(), draft=Draft(kind=kind, answers=answers))


@pytest.mark.parametrize(("kind", "answers", "asked"), [
    ("training", {"target": {"target": "income", "task": ""}}, set(FairnessAnswers.model_fields)),
    ("training", {"target": {"target": "age", "task": "regression"}}, {"outcome_trusted"}),
    ("predictions", {"predictions": {"label": "income"}}, set(FairnessAnswers.model_fields)),
    ("predictions", {"predictions": {"label": None}}, {"measured_by_rates"}),
])
def test_only_what_the_tree_comes_to_is_asked(kind: str, answers: Any, asked: set[str]) -> None:
    assert set(form(kind=kind, **answers).fields) == asked


def test_every_question_needs_an_answer_and_keeps_it() -> None:
    income = {"target": {"target": "income", "task": ""}}
    assert set(form({**ANSWERS, "worse": ""}, **income).errors) == {"worse"}
    said = form(ANSWERS, **income)
    assert said.is_valid(), said.errors
    assert said.answers() == ANSWERS
    assert form(**income, governing=said.answers())["worse"].initial == "refused"


def draft(**attributes: Any) -> Draft:
    made = Draft.from_spec(parse_spec({"target": "income", "sensitive": ["sex"]}, "training"))
    made.answers["columns"] = {"roles": {}, "leaks": {}}
    made.answers["attributes"] |= attributes
    return made


def test_who_asks_for_help_gets_the_questions_and_then_the_metric() -> None:
    one = draft(governing="ask", governing_reason="A refusal cannot be made good.")
    assert drafts.first_open(one) == "governing"
    drafts.answer(one, "governing", ANSWERS)
    assert drafts.first_open(one) == "check"
    spec = drafts.spec_of(one, make_profile())
    assert spec.governing is not None
    assert spec.governing.metric is None
    assert spec.governing.answers == FairnessAnswers.model_validate(ANSWERS)
    [line] = [line for line in drafts.answers_of(spec, make_profile(), "binary") if line.question == "Metric that governs"]
    assert line.step == "governing"
    assert line.answer.startswith("the difference of true positive rates (equal opportunity). No law, contract or policy")
    assert line.answer.endswith("A refusal cannot be made good.")


def test_who_knows_names_it_and_is_asked_nothing() -> None:
    one = draft(governing="calibration_within_groups")
    assert "governing" not in drafts.steps_of(one)
    spec = drafts.spec_of(one, make_profile())
    assert spec.governing is not None
    assert spec.governing.metric == "calibration_within_groups"
    one.answers["governing"] = ANSWERS  # answered before another one was named: both are told
    said = drafts.answers_of(drafts.spec_of(one, make_profile()), make_profile(), "binary")
    assert "The questions lead to the difference of true positive rates" in next(line.answer for line in said if line.question == "Metric that governs")
    assert drafts.spec_of(draft(governing=""), make_profile()).governing is None


def test_a_metric_that_another_target_does_not_have_points_at_its_question() -> None:
    one = draft(governing="calibration_within_groups")
    drafts.answer(one, "target", {"target": "age", "task": "regression"})
    with pytest.raises(BadInput, match="decisions between classes") as refused:
        drafts.spec_of(one, make_profile())
    assert refused.value.pointer == "/governing/metric"
    assert drafts.STEP_OF_POINTER["governing"] == "attributes"


@pytest.mark.parametrize("governing", [{"metric": "equalized_odds_difference", "reason": "Both hurt."}, {"answers": ANSWERS}, {"metric": "demographic_parity_ratio", "answers": ANSWERS}])
def test_a_spec_with_one_survives_the_way_through_the_answers(governing: dict[str, Any]) -> None:
    spec = parse_spec({"target": "income", "sensitive": ["sex"], "governing": governing}, "training")
    again = drafts.spec_of(Draft.from_spec(spec), make_profile())
    assert isinstance(again, TaskSpec)
    assert again.governing == spec.governing
