from __future__ import annotations

from typing import Any

import pytest

from automl.errors import BadInput
from automl.spec import TaskSpec, parse_spec


@pytest.mark.parametrize(("document", "said"), [
    ({}, "spec/target: this field is needed"),
    ({"target": "y", "colour": 1}, "spec/colour: there is no such field"),
    ({"target": "y", "seed": -1}, "spec/seed: must be greater than or equal to 0"),
    ({"target": 5}, "spec/target: must be a valid string"),
    ({"target": "y", "sensitive": ["y"]}, "spec: 'y' cannot be both target and sensitive attribute"),
    ({"target": "y", "fairness_objective": {}}, "spec: fairness_objective compares the groups of a sensitive attribute, and none is named"),
    ({"target": "y", "sensitive": ["a", "b"], "fairness_objective": {"attribute": "c"}},
     "spec: fairness_objective names 'c', which is not among the sensitive attributes 'a', 'b'"),
    ({"target": "y", "sensitive": ["a"], "fairness_objective": {}, "parallel": 2}, "spec: fairness_objective is searched for by one worker, and parallel is 2; ask for 1"),
    ({"target": "y", "task": "regression", "sensitive": ["a"], "fairness_objective": {}},
     "spec: fairness_objective compares decisions, and a regression predicts a number: leave it out, or state a task with classes"),
    ({"target": "y", "metric": "quantile_loss", "quantile": 1}, "spec/quantile: must be less than 1"),
    ({"target": "y", "metric": "rmse", "quantile": 0.5}, "spec: quantile is the level of the metric 'quantile_loss', and the metric is 'rmse'"),
    ({"target": "y", "quantile": 0.9}, "spec: quantile is the level of the metric 'quantile_loss', and the metric is the usual one of the task"),
    ({"target": "y", "task": "binary", "metric": "rmsle"},
     "spec: metric 'rmsle' does not fit a binary task; choose one of roc_auc, average_precision, log_loss, brier, accuracy, balanced_accuracy, f1, mcc"),
])
def test_refusals_are_in_our_words_and_point_at_the_field(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_spec(document, "training")
    assert refused.value.sentence == said


def test_an_objective_that_is_not_asked_for_leaves_the_spec_as_it_was() -> None:
    spec = parse_spec({"target": "y", "sensitive": ["a"]}, "training")
    assert spec.model_dump(mode="json")["fairness_objective"] is None
    asked = parse_spec({"target": "y", "sensitive": ["a"], "fairness_objective": {"metric": "equalized_odds_difference"}}, "training")
    assert asked.model_dump(mode="json")["fairness_objective"] == {"metric": "equalized_odds_difference", "attribute": None}


def test_an_unknown_fairness_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="demographic_parity_difference") as refused:
        parse_spec({"target": "y", "sensitive": ["a"], "fairness_objective": {"metric": "fairness"}}, "training")
    assert refused.value.pointer == "/fairness_objective/metric"


def test_the_level_of_a_quantile_is_the_median_unless_one_is_given() -> None:
    for given, level in (({}, 0.5), ({"quantile": None}, 0.5), ({"quantile": 0.9}, 0.9)):
        spec = parse_spec({"target": "y", "metric": "quantile_loss", **given}, "training")
        assert isinstance(spec, TaskSpec)
        assert spec.quantile == level
        assert parse_spec(spec.model_dump(mode="json"), "training") == spec
    plain = parse_spec({"target": "y"}, "training")
    assert isinstance(plain, TaskSpec)
    assert plain.quantile is None
