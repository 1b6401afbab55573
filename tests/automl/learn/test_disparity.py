"""The second objective: Fairlearn's numbers on the groups that are large enough, and weights that take the class's word about the group away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, equalized_odds_difference, selection_rate

from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.data.problems import Problem
from automl.data.splits import Rows
from automl.errors import BadInput
from automl.learn.disparity import SMALLEST_GROUP, WIDEST, Disparity, reweighing_factors
from automl.spec import TaskSpec
from tests.automl.learn import material

Groups = dict[str, list[str | None]]


def rows(y: Any, groups: Groups, weight: Any = None, cluster: Any = None) -> Rows:
    n = len(y)
    return Rows(features=material.features(n), y=np.asarray(y), groups={name: np.array(values, dtype=object) for name, values in groups.items()}, weight=weight, cluster=cluster,
                position=np.arange(n))


def problem(task: Any = "binary", classes: int = 2, **changes: Any) -> Problem:
    made = material.problem(task, classes, material.features(5))
    return Problem(**{**made.__dict__, **changes})


def disparity(given: Rows, metric: str = "demographic_parity_difference", attribute: str | None = None, of: Problem | None = None, **spec: Any) -> Disparity:
    settings = TaskSpec.model_validate({"target": "y", "sensitive": tuple(given.groups), "fairness_objective": {"metric": metric, "attribute": attribute}, **spec})
    made = Disparity.of(settings, given, of or problem())
    assert made is not None
    return made


def table(cells: dict[str, tuple[int, int, int, int]]) -> tuple[Rows, np.ndarray[Any, Any]]:
    """Rows and raw scores from (true positives, false positives, false negatives, true negatives) by group."""
    y, raw, group = [], [], []
    for name, (tp, fp, fn, tn) in cells.items():
        y += [1] * tp + [0] * fp + [1] * fn + [0] * tn
        raw += [2.0] * (tp + fp) + [-2.0] * (fn + tn)
        group += [name] * (tp + fp + fn + tn)
    return rows(y, {"sex": list(group)}), np.array(raw)


V14 = {"A": (40, 10, 10, 40), "B": (20, 5, 20, 55)}
"""Selected .50 and .25, true positive rates .80 and .50, false positive rates .2000 and .0833."""


@pytest.mark.parametrize(("metric", "value", "loss"), [
    ("demographic_parity_difference", 0.25, 0.25), ("demographic_parity_ratio", 0.5, 0.5), ("equalized_odds_difference", 0.3, 0.3), ("equal_opportunity_difference", 0.3, 0.3)])
def test_the_value_is_the_one_counted_by_hand(metric: str, value: float, loss: float) -> None:
    given, raw = table(V14)
    made = disparity(given, metric)
    assert made.value(raw) == pytest.approx(value, abs=1e-12)
    assert made.loss(made.value(raw)) == pytest.approx(loss, abs=1e-12)


def test_favourable_may_be_the_negative_class() -> None:
    """Then "selected" are those with low scores, and the true positive rate is that of the negative class: .80 and .9167 here."""
    given, raw = table({"A": (40, 10, 10, 40), "B": (20, 5, 20, 55)})
    made = disparity(given, "equal_opportunity_difference", of=problem(favourable=("c0",)))
    assert made.value(raw) == pytest.approx(55 / 60 - 40 / 50, abs=1e-12)


def test_small_groups_and_unknown_ones_do_not_steer() -> None:
    given, raw = table({**V14, "tiny": (0, 0, 29, 0)})
    with_unknown = rows([*given.y, 1, 1], {"sex": [*given.groups["sex"], None, None]})
    made = disparity(with_unknown)
    assert made.value(np.append(raw, [-9.0, -9.0])) == pytest.approx(0.25, abs=1e-12)
    assert dict(zip(made.compared[0].names, made.compared[0].counts.tolist(), strict=True)) == {"A": True, "B": True, "tiny": False}
    assert SMALLEST_GROUP == LOW_PRECISION_BELOW, "as few as the audit rooms call low precision"


def test_thirty_people_must_stand_behind_each_rate_that_is_compared() -> None:
    """B has 75 rows and 29 with the favourable label: enough for its selection rate, not for its true positive rate."""
    given, _ = table({"A": (40, 10, 10, 40), "B": (9, 6, 20, 40), "C": (20, 5, 20, 55)})
    assert disparity(given).compared[0].counts.tolist() == [True, True, True]
    assert disparity(given, "equal_opportunity_difference").compared[0].counts.tolist() == [True, False, True]


def test_people_are_counted_where_rows_repeat_them() -> None:
    y, groups = [0, 1] * 60, ["A"] * 60 + ["B"] * 60
    persons = np.concatenate([np.arange(60), 60 + np.arange(60) // 3])
    with pytest.raises(BadInput, match="30 people"):
        disparity(rows(y, {"sex": list(groups)}, cluster=persons))


def test_weights_count() -> None:
    given, raw = table(V14)
    weight = np.random.default_rng(0).uniform(0.5, 3, len(raw))
    made = disparity(rows(given.y, {"sex": list(given.groups["sex"])}, weight=weight))
    rates = MetricFrame(metrics=selection_rate, y_true=given.y, y_pred=raw > 0, sensitive_features=given.groups["sex"], sample_params={"sample_weight": weight}).by_group
    assert made.value(raw) == pytest.approx(abs(rates["A"] - rates["B"]), abs=1e-12)
    assert made.value(raw) != pytest.approx(0.25, abs=1e-3)


def test_of_all_attributes_the_worst_counts() -> None:
    given, raw = table(V14)
    halves = ["x", "y"] * (len(raw) // 2)
    both = rows(given.y, {"half": list(halves), "sex": list(given.groups["sex"])})
    assert disparity(both, attribute="half").value(raw) < 0.1
    assert disparity(both).value(raw) == pytest.approx(0.25, abs=1e-12)
    assert disparity(both, "demographic_parity_ratio").value(raw) == pytest.approx(0.5, abs=1e-12)


def test_an_attribute_without_two_large_groups_is_left_out_of_all() -> None:
    given, raw = table(V14)
    both = rows(given.y, {"rare": ["a"] * 10 + ["b"] * (len(raw) - 10), "sex": list(given.groups["sex"])})
    assert [each.attribute for each in disparity(both).compared] == ["sex"]
    with pytest.raises(BadInput, match="no two groups of 'rare'"):
        disparity(both, attribute="rare")


def test_the_cut_off_is_the_one_that_would_be_deployed() -> None:
    """Where 0.5 selects nobody the base rate's share is selected: a model must not look even-handed because it selects nobody."""
    given, raw = table(V14)
    assert disparity(given).value(raw / 100 - 3) == disparity(given).value(raw)


def test_more_classes_are_decided_by_the_most_probable_one() -> None:
    draw = np.random.default_rng(3)
    y, raw, sex = draw.integers(0, 3, 400), draw.normal(size=(400, 3)), ["A", "B"] * 200
    made = disparity(rows(y, {"sex": list(sex)}), "equalized_odds_difference", of=problem("multiclass", 3, favourable=("c1", "c2")))
    expected = equalized_odds_difference(y >= 1, raw.argmax(axis=1) >= 1, sensitive_features=sex)
    assert made.value(raw) == pytest.approx(expected, abs=1e-12)


def test_a_ratio_of_nothing_is_not_defined_and_the_worst_for_the_sampler() -> None:
    given, _ = table(V14)
    made = disparity(given, "demographic_parity_ratio")
    equal = np.full(len(given.y), -2.0)
    assert made.value(equal) is None
    assert made.loss(None) == WIDEST


def test_what_cannot_be_compared_is_refused_in_one_sentence() -> None:
    given, _ = table(V14)
    with pytest.raises(BadInput, match="a regression predicts a number"):
        disparity(given, of=problem("regression", 0))
    with pytest.raises(BadInput, match="name it as favourable"):
        disparity(given, of=problem("multiclass", 3))


def test_nothing_asked_nothing_measured() -> None:
    given, _ = table(V14)
    assert Disparity.of(TaskSpec(target="y", sensitive=("sex",)), given, problem()) is None


# --- reweighing


def test_the_factors_are_those_of_the_published_example() -> None:
    """Kamiran and Calders (2012), table 1: ten applicants, five women of whom two were accepted, five men of whom four were."""
    women, accepted = np.array([0] * 5 + [1] * 5), np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 0])
    factors = reweighing_factors(women, accepted)
    assert factors[:5] == pytest.approx([1.5, 1.5, 2 / 3, 2 / 3, 2 / 3], abs=1e-12)
    assert factors[5:] == pytest.approx([0.75] * 4 + [2.0], abs=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_shares_stay_and_the_covariance_shrinks_with_the_strength(strength: float) -> None:
    draw = np.random.default_rng(1)
    group = draw.integers(0, 2, 500)
    y, base = (draw.random(500) < 0.3 + 0.4 * group).astype(np.int64), draw.uniform(0.2, 2, 500)
    weight = base * (1 + strength * (reweighing_factors(group, y, base) - 1))

    def covariance(w: Any) -> float:
        return float(np.average(group * y, weights=w) - np.average(group, weights=w) * np.average(y, weights=w))

    assert weight.sum() == pytest.approx(base.sum())
    assert np.average(group, weights=weight) == pytest.approx(np.average(group, weights=base))
    assert np.average(y, weights=weight) == pytest.approx(np.average(y, weights=base))
    assert covariance(weight) == pytest.approx((1 - strength) * covariance(base), abs=1e-12)


def test_rows_of_no_known_group_stay_as_they_are() -> None:
    group, y = np.array([0, 0, 1, 1, -1, -1]), np.array([0, 1, 1, 1, 0, 1])
    factors = reweighing_factors(group, y)
    assert factors[4:].tolist() == [1.0, 1.0]
    assert factors[:4].tolist() == reweighing_factors(group[:4], y[:4]).tolist()
    assert reweighing_factors(np.full(3, -1), np.array([0, 1, 0])).tolist() == [1.0, 1.0, 1.0]


def test_crossings_are_reweighed_where_they_are_large_enough_in_the_rows_at_hand() -> None:
    sex, age = ["A"] * 100 + ["B"] * 100, (["young"] * 80 + ["old"] * 20) + ["young", "old"] * 50
    y = np.random.default_rng(2).integers(0, 2, 200)
    made = disparity(rows(y, {"sex": list(sex), "age": list(age)}))
    factors = made.reweighing(np.arange(200))
    assert (factors[80:100] == 1).all(), "20 rows of A x old are too few"
    crossing = np.array([0] * 80 + [-1] * 20 + [1, 2] * 50)
    assert factors == pytest.approx(reweighing_factors(crossing, y))
