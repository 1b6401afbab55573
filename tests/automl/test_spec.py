from __future__ import annotations

from typing import Any

import pytest

from automl.errors import BadInput
from automl.spec import TaskSpec, parse_spec

LAW = {"sex": "sex", "race": "race", "data_class": "test", "data_reason": "new tool"}
OUTSIDE = {"decision": "d", "sensitive": ["sex", "race"]}


@pytest.mark.parametrize(("kind", "law", "said"), [
    ("predictions", {"data_class": "test", "data_reason": "new tool"}, "spec/local_law_144: it names neither the attribute that is sex nor the one that is race or ethnicity"),
    ("predictions", {**LAW, "race": "sex"}, "spec/local_law_144: 'sex' cannot be both sex and race or ethnicity"),
    ("predictions", {**LAW, "race": "colour"}, "spec: local_law_144 names 'colour', which is not among the sensitive attributes 'sex', 'race'"),
    ("predictions", {**LAW, "data_reason": "  "}, "spec/local_law_144: test data need a data_reason: why historical data would not do, and how these were made or obtained"),
    ("predictions", {**LAW, "race_categories": {"x": "Martian"}}, "spec/local_law_144/race_categories/x: must be 'Hispanic or Latino'"),
    ("predictions", {**LAW, "exclude": [{"category": "Asian", "justification": " "}]}, "spec/local_law_144/exclude/0/justification: must have at least 1 character"),
    ("predictions", {**LAW, "exclude": [{"category": "Elf", "justification": "few"}]}, "spec/local_law_144/exclude/0/category: there is no category 'Elf'; it is one of Male, Female,"),
    ("predictions", {**LAW, "exclude": [{"category": "Asian", "justification": "few"}] * 2}, "spec/local_law_144: exclude names 'Asian' more than once"),
    ("training", {**LAW, "data_class": "historical"}, "spec: local_law_144: rows of a table that a model is trained on are test data"),
    ("training", {**LAW, "attestation": {"auditor": "A", "statement": "I attest."}}, "spec: local_law_144: a model that is trained here is assessed by its developer"),
])
def test_tables_of_the_law_are_asked_for_in_the_rules_own_words(kind: Any, law: dict[str, Any], said: str) -> None:
    rest = OUTSIDE if kind == "predictions" else {"target": "y", "sensitive": ["sex", "race"]}
    assert parse_spec({**rest, "local_law_144": {**LAW, "exclude": [{"category": "Female x Asian", "justification": "few"}]}}, kind).local_law_144 is not None
    with pytest.raises(BadInput) as refused:
        parse_spec({**rest, "local_law_144": law}, kind)
    assert refused.value.sentence.startswith(said)


def test_tables_of_the_law_that_nobody_asks_for_leave_no_trace_in_the_spec() -> None:
    assert "local_law_144" not in parse_spec(OUTSIDE, "predictions").model_dump(mode="json")
    asked = parse_spec({**OUTSIDE, "local_law_144": {"sex": "sex", "data_class": "historical"}}, "predictions")
    assert parse_spec(asked.model_dump(mode="json"), "predictions") == asked


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
