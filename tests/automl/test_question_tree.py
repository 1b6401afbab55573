"""Every way through the four questions, and what a person's own choice leaves of it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from automl.errors import BadInput
from automl.printing import GOVERNING_WORDS
from automl.question_tree import NOT_RECORDED, SCORE, governing_choice, recommend
from automl.spec import GOVERNING_METRICS, AuditPolicy, FairnessAnswers, GoverningMetric, parse_spec

TRUSTED = {"measured_by_rates": "no", "outcome_trusted": "yes"}


@pytest.mark.parametrize(("answers", "task", "recorded", "metric"), [
    ({"measured_by_rates": "yes"}, "binary", True, "demographic_parity_ratio"),
    ({"measured_by_rates": "no"}, "binary", False, "demographic_parity_difference"),
    ({"measured_by_rates": "no", "outcome_trusted": "no"}, "multiclass", True, "demographic_parity_difference"),
    ({**TRUSTED, "used_as": "score"}, "binary", True, "calibration_within_groups"),
    ({**TRUSTED, "used_as": "decision", "worse": "refused"}, "binary", True, "equal_opportunity_difference"),
    ({**TRUSTED, "used_as": "decision", "worse": "granted"}, "binary", True, "predictive_parity_difference"),
    ({**TRUSTED, "used_as": "decision", "worse": "both"}, "binary", True, "equalized_odds_difference"),
    ({"outcome_trusted": "yes"}, "regression", True, "mean_error_difference"),
    ({"outcome_trusted": "no"}, "regression", True, "mean_prediction_difference"),
    ({}, "regression", False, "mean_prediction_difference"),
])
def test_every_way_ends_in_a_metric_and_says_why(answers: dict[str, Any], task: Any, recorded: bool, metric: str) -> None:
    found, why = recommend(FairnessAnswers.model_validate(answers), task, recorded=recorded)
    assert found == metric
    assert len(why) >= 1
    assert all(sentence.endswith(".") for sentence in why)


def test_the_ways_reach_every_metric() -> None:
    """What no answers lead to could only be named."""
    everything = [dict(zip(("measured_by_rates", "outcome_trusted", "used_as", "worse"), said, strict=True))
                  for said in [(a, b, c, d) for a in ("yes", "no") for b in ("yes", "no") for c in ("decision", "score") for d in ("refused", "granted", "both")]]
    tasks: tuple[Any, ...] = ("binary", "regression")
    assert {recommend(FairnessAnswers.model_validate(said), task, recorded=True)[0] for said in everything for task in tasks} == set(GOVERNING_METRICS) == set(get_args(GoverningMetric)) == set(GOVERNING_WORDS)


def test_a_question_that_is_come_to_needs_its_answer() -> None:
    with pytest.raises(BadInput, match="'used_as' needs an answer") as refused:
        recommend(FairnessAnswers.model_validate(TRUSTED), "binary", recorded=True)
    assert refused.value.pointer == "/governing/answers/used_as"


def policy(**governing: Any) -> AuditPolicy:
    return AuditPolicy.model_validate({"sensitive": ("sex",), "governing": governing})


def test_who_knows_names_it_and_the_answers_stand_beside() -> None:
    named = governing_choice(policy(metric="equal_opportunity_difference", answers={**TRUSTED, "used_as": "score"}, reason=" A refused loan cannot be made good. "), "binary", recorded=True)
    assert named is not None
    assert (named.metric, named.chosen_by, named.recommended, named.reason) == ("equal_opportunity_difference", "person", "calibration_within_groups", "A refused loan cannot be made good.")
    assert named.rationale[-1] == SCORE
    asked = governing_choice(policy(answers={"measured_by_rates": "no"}), "binary", recorded=False)
    assert asked is not None
    assert (asked.metric, asked.chosen_by, asked.recommended) == ("demographic_parity_difference", "questions", "demographic_parity_difference")
    assert asked.rationale[-1] == NOT_RECORDED
    assert governing_choice(AuditPolicy(sensitive=("sex",)), "binary", recorded=True) is None


@pytest.mark.parametrize(("metric", "task"), [("mean_error_difference", "binary"), ("equalized_odds_difference", "regression")])
def test_a_metric_that_does_not_fit_the_task_is_refused(metric: str, task: Any) -> None:
    with pytest.raises(BadInput, match=f"'{metric}' is about .* and the task is {task}"):
        governing_choice(policy(metric=metric), task, recorded=True)


@pytest.mark.parametrize(("governing", "sentence"), [
    ({}, "neither a metric nor the answers"), ({"metric": "accuracy"}, "governing/metric"), ({"answers": {"worse": "none"}}, "governing/answers/worse"),
])
def test_a_spec_refuses_what_governs_nothing(governing: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        parse_spec({"target": "y", "sensitive": ["sex"], "governing": governing}, "training")


def test_without_groups_nothing_governs_and_without_a_choice_the_spec_is_as_before() -> None:
    with pytest.raises(BadInput, match="none is named"):
        parse_spec({"target": "y", "governing": {"metric": "equalized_odds_difference"}}, "training")
    assert "governing" not in parse_spec({"target": "y"}, "training").model_dump()
