from __future__ import annotations

import numpy as np

from automl.audit.outcomes import Outcomes
from tests.automl.audit.cases import binary, regression
from tests.automl.audit.findings.documents import fairness_of, found


def apart(by: float, n: int = 1_200, **changes: object) -> Outcomes:
    """Group b is predicted ``by`` less than the others, and recorded half as much less."""
    plain = regression(n)
    b = plain.groups["group"] == "b"
    rng = np.random.default_rng(3)
    truth = rng.normal(50, 5, n) - by / 2 * b
    return regression(n, truth=truth, score=truth - by / 2 * b + rng.normal(0, 1, n), **changes)


def test_the_difference_of_mean_predictions_stands_beside_that_of_the_recorded_numbers() -> None:
    by_rule = found(fairness=fairness_of(apart(4.0), "group"))
    [finding] = by_rule["mean_gap"]
    assert finding.severity == "low"
    assert finding.text.startswith("The mean predicted number of b (group) minus that of ")
    assert " (97.5 % interval −" in finding.text
    assert "; the recorded numbers differ by −" in finding.text
    assert finding.text.endswith(("groups that can be compared differ from c beyond sampling error.", "groups that can be compared differ from a beyond sampling error."))
    assert finding.evidence == "/fairness/attributes/0/groups/1/score/mean_difference"
    assert by_rule["residual_gap"], "the model adds to it, which is told by itself"


def test_a_handful_with_the_highest_mean_does_not_keep_it_from_being_told() -> None:
    o = apart(4.0)
    group = o.groups["group"].copy()
    group[:4] = "few"
    score = np.asarray(o.score).copy()
    score[:4] += 100
    assert found(fairness=fairness_of(apart(4.0, groups={"group": group}), "group"))["mean_gap"]
    by_rule = found(fairness=fairness_of(regression(1_200, truth=o.truth, score=score, groups={"group": group}), "group"))
    assert by_rule["mean_gap"]
    assert by_rule["residual_gap"]


def test_what_chance_may_explain_is_not_told() -> None:
    assert "mean_gap" not in found(fairness=fairness_of(apart(0.0), "group"))
    assert "mean_gap" not in found(fairness=fairness_of(binary(), "group"))


def test_for_whom_predictions_are_further_off_is_told() -> None:
    plain = regression(1_200)
    rng = np.random.default_rng(4)
    truth = rng.normal(50, 5, 1_200)
    noisy = regression(1_200, truth=truth, score=truth + rng.normal(0, 1, 1_200) * np.where(plain.groups["group"] == "b", 3, 1))
    [finding] = found(fairness=fairness_of(noisy, "group", reference={"group": "a"}))["error_size_gap"]
    assert finding.text.startswith("Predictions are further off for b (group) than for a: their mean absolute errors differ by 1.")
    assert finding.text.endswith("1 of 2 other groups that can be compared differ from a beyond sampling error.")
    [nearer] = found(fairness=fairness_of(noisy, "group", reference={"group": "b"}))["error_size_gap"]
    assert nearer.text.startswith("Predictions are less far off for ")
    even = regression(1_200, truth=truth, score=truth + rng.normal(0, 1, 1_200))
    assert "error_size_gap" not in found(fairness=fairness_of(even, "group", reference={"group": "a"}))
