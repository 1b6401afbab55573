from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from automl.errors import BadInput
from automl.spec import FairnessAnswers, FairnessObjective, Governing, PredictionsSpec, TaskSpec
from workers.options import add_prediction_options, add_shared_options, add_training_options, spec_of


def _options(*arguments: str, training: bool = True) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_shared_options(parser)
    (add_training_options if training else add_prediction_options)(parser)
    return vars(parser.parse_args(["table.csv", *arguments, "--out", "out"]))


def _spec(*arguments: str) -> TaskSpec:
    spec = spec_of(_options("--target", "y", *arguments), "training")
    assert isinstance(spec, TaskSpec)
    return spec


def test_what_is_not_said_is_the_specs_own_default() -> None:
    assert _spec() == TaskSpec(target="y")


def test_every_option_lands_in_its_field() -> None:
    said = _spec(
        "--positive", ">50K", "--favourable", ">50K", "--sensitive", "sex,race", "--task", "binary", "--seconds", "60", "--trials", "9", "--metric", "log_loss",
        "--seed", "7", "--threads", "2", "--families", "lgbm,linear", "--limit", "0.75", "--group", "person", "--time", "day", "--weight", "w", "--simple",
        "--bins", "age=24,39", "--reference", "sex=Male", "--intersections", "1", "--profile", "us_credit", "--title", "T", "--missing", "?", "--missing", "", "--delimiter", ";",
        "--encoding", "utf-8", "--sensitive-as-features", "--leave-out", "slices,reasons")
    assert said == TaskSpec.model_validate({
        "target": "y", "positive": ">50K", "favourable": ">50K", "sensitive": ["sex", "race"], "task": "binary", "budget": {"seconds": 60, "trials": 9},
        "metric": "log_loss", "seed": 7, "threads": 2, "families": ["lgbm", "linear"], "limit": {"ratio": 0.75}, "group": "person", "time": "day", "weight": "w",
        "simple": True, "bins": {"age": [24, 39]}, "reference": {"sex": "Male"}, "profile": "us_credit", "intersections": 1, "title": "T", "missing": ["?", ""],
        "table": {"delimiter": ";", "encoding": "utf-8"}, "sensitive_as_features": True, "leave_out": ["slices", "reasons"]})


def test_the_level_of_a_quantile() -> None:
    assert _spec("--metric", "quantile_loss", "--quantile", "0.9").quantile == 0.9


def test_the_metric_that_governs_and_the_answers_that_lead_to_one() -> None:
    named = _spec("--sensitive", "sex", "--governing", "equalized_odds_difference", "--governing-reason", "Both hurt.")
    assert named.governing == Governing(metric="equalized_odds_difference", reason="Both hurt.")
    asked = _spec("--sensitive", "sex", "--governing-answer", "measured_by_rates=no", "--governing-answer", "outcome_trusted=no")
    assert asked.governing == Governing(answers=FairnessAnswers(measured_by_rates="no", outcome_trusted="no"))
    with pytest.raises(BadInput, match=r"^--governing: "):
        _spec("--sensitive", "sex", "--governing-answer", "measured_by_rates=maybe")


def test_a_second_objective_and_the_attribute_it_compares() -> None:
    every = _spec("--sensitive", "sex,race", "--fairness-objective", "equalized_odds_difference")
    assert every.fairness_objective == FairnessObjective(metric="equalized_odds_difference")
    one = _spec("--sensitive", "sex,race", "--fairness-objective", "demographic_parity_ratio=race")
    assert one.fairness_objective == FairnessObjective(metric="demographic_parity_ratio", attribute="race")
    with pytest.raises(BadInput, match=r"^--fairness-objective: "):
        _spec("--sensitive", "sex", "--fairness-objective", "parity")


def test_a_budget_of_trials_alone_has_no_clock() -> None:
    assert _spec("--trials", "5").budget.seconds is None


def test_names_with_commas_and_equals_signs() -> None:
    assert _spec("--sensitive", 'sex,"home, owned"').sensitive == ("sex", "home, owned")
    assert _spec("--sensitive", "sex", "--sensitive", "race").sensitive == ("sex", "race")
    assert _spec("--bins", "a=b=1,2").bins == {"a=b": (1.0, 2.0)}


def test_several_favourable_labels() -> None:
    assert _spec("--favourable", "A", "--favourable", "B, too").favourable == ("A", "B, too")


def test_predictions() -> None:
    spec = spec_of(_options("--score", "p", "--label", "y", "--sensitive", "sex", "--threshold", "0.4", training=False), "predictions")
    assert spec == PredictionsSpec(score="p", label="y", sensitive=("sex",), threshold=0.4)


def test_a_spec_file_stands_below_the_options(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({"target": "z", "sensitive": ["sex"], "seed": 3}))
    spec = _spec("--spec", str(path), "--seed", "4")
    assert (spec.target, spec.sensitive, spec.seed) == ("y", ("sex",), 4)


@pytest.mark.parametrize(("content", "said"), [
    (None, "cannot be read"), ("[1]", "holds no JSON object"), ("{", "is not JSON"), ('{"target": "y", "colour": 1}', "colour"), ("[" * 100_000, "is not JSON"),
])
def test_a_spec_file_that_is_none_is_one_sentence(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "spec.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=said) as refused:
        _spec("--spec", str(path))
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize(("arguments", "begins"), [
    (("--limit", "2"), "--limit: "), (("--seconds", "-3"), "--seconds: "), (("--seconds", "nan"), "--seconds: "), (("--trials", "0"), "--trials: "),
    (("--sensitive", "y"), "'y' cannot be both target and sensitive attribute"), (("--threads", "0"), "--threads: "), (("--families", "svm"), "--families: "),
    (("--metric", "auc"), "--metric: "), (("--delimiter", ";;"), "--delimiter: "), (("--seed", "-1"), "--seed: "), (("--title", "x" * 201), "--title: "),
    (("--metric", "quantile_loss", "--quantile", "1.5"), "--quantile: "), (("--quantile", "0.9"), "quantile is the level of the metric 'quantile_loss'"),
    (("--task", "binary", "--metric", "rmse"), "metric 'rmse' does not fit a binary task"), (("--bins", "age=3,2"), "--bins: "), (("--sensitive", "a,a"), "--sensitive: "),
])
def test_a_refusal_names_the_option(arguments: tuple[str, ...], begins: str) -> None:
    with pytest.raises(BadInput) as refused:
        _spec(*arguments)
    assert refused.value.sentence.startswith(begins), refused.value.sentence
    assert "\n" not in refused.value.sentence


def test_a_threshold_without_a_score_is_refused() -> None:
    with pytest.raises(BadInput, match="a threshold needs the score column"):
        spec_of(_options("--decision", "d", "--sensitive", "sex", "--threshold", "0.4", training=False), "predictions")


def test_the_target_is_asked_for() -> None:
    with pytest.raises(BadInput, match="--target is needed"):
        spec_of(_options(), "training")
