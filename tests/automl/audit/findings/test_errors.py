from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from automl.evidence import Estimate, NotMeasured
from tests.automl.audit.cases import binary, from_cells, multiclass, regression, with_a_handful
from tests.automl.audit.findings.documents import fairness_of, found, performance_of


def test_error_gaps_need_an_interval_without_zero() -> None:
    apart = binary(2000)
    decision = np.where(apart.groups["group"] == "b", 0, np.asarray(apart.decision))
    gaps = found(fairness=fairness_of(binary(2000, decision=decision), "group"))["error_gap"]
    assert any("b (group) get the favourable outcome less often than a" in finding.text for finding in gaps)
    assert all(finding.severity == "medium" for finding in gaps)
    alike = binary(2000, decision=np.asarray(apart.truth))
    assert "error_gap" not in found(fairness=fairness_of(alike, "group"))


def test_calibration_that_is_off_in_a_group() -> None:
    o = binary(2000)
    score = np.where(o.groups["group"] == "c", np.asarray(o.score) * 0.4, np.asarray(o.truth) * 0.8 + 0.1)
    texts = [finding.text for finding in found(fairness=fairness_of(binary(2000, score=score), "group"))["calibration_group"]]
    assert any(text.startswith("In c (group)") for text in texts)


@pytest.mark.parametrize(("z", "told"), [(2.2, False), (2.5, True)])
def test_calibration_of_a_group_is_told_beyond_what_the_worst_of_all_groups_is_by_chance(z: float, told: bool) -> None:
    section = fairness_of(binary(2000), "group")
    [attribute] = section.attributes
    off = Estimate(value=1.2, low=1.02, high=1.4, method="x", n=500)
    groups = tuple(group.model_copy(update={"calibration": group.calibration.model_copy(update={"observed_over_expected": off, "z": z})}) for group in attribute.groups)
    changed = section.model_copy(update={"attributes": (attribute.model_copy(update={"groups": groups}),)})
    assert len(groups) == 3
    assert ("calibration_group" in found(fairness=changed)) is told


def test_regression_residuals() -> None:
    [finding] = found(fairness=fairness_of(regression(), "group"))["residual_gap"]
    assert "The truth lies above the prediction by" in finding.text
    assert "more for b (group)" in finding.text


def test_residuals_of_crossings_are_one_sentence() -> None:
    o = regression(3_000)
    crossed = replace(o, groups={**o.groups, "other": np.where(np.arange(3_000) % 2 == 0, "x", "y").astype(object)})
    section = fairness_of(crossed, "group", "other")
    gaps = [group.score.residual_difference for group in section.intersections[0].groups if not isinstance(group.score, NotMeasured)]
    apart = [gap for gap in gaps if isinstance(gap, Estimate) and gap.low > 0]
    [crossing] = [finding for finding in found(fairness=section)["residual_gap"] if "/intersections/" in finding.evidence]
    assert len(apart) == 2
    assert crossing.text.startswith("For 2 of 6 groups of group x other the mean error differs from the reference's beyond sampling error; exploratory, as all crossings are. "
                                    "Furthest from none: the truth lies above the prediction by ")
    assert crossing.id == "residual_gap:/fairness/intersections/0"


def test_large_amounts_are_written_out() -> None:
    plain = regression()
    large = regression(truth=np.asarray(plain.truth) * 1e5, score=np.asarray(plain.score) * 1e5)
    noise = regression(score=np.random.default_rng(1).permutation(np.asarray(plain.truth)) * 1e5, truth=np.asarray(plain.truth) * 1e5)
    written = [*found(fairness=fairness_of(large, "group"))["residual_gap"], *found(performance=performance_of(noise, baselines={"mean": large}))["like_baseline"]]
    assert not [finding.text for finding in written if re.search(r"\de\+", finding.text)]


def test_a_residual_finding_says_its_own_level() -> None:
    [finding, *_] = found(fairness=fairness_of(regression(), "group"))["residual_gap"]
    assert "97.5 % interval" in finding.text


@pytest.mark.parametrize("n", [1, 3])
def test_nothing_is_said_of_the_residuals_of_a_handful_of_rows(n: int) -> None:
    """The reference's thousand rows do not make up for them: in a group of one row every replicate draws the same one."""
    o = regression(1000)
    few = np.arange(1000) < n
    crossed = replace(o, groups={"group": np.where(few, "few", "rest").astype(object)}, score=np.where(few, np.asarray(o.truth) - 5, o.score))
    assert "residual_gap" not in found(fairness=fairness_of(crossed, "group"))


def test_calibration_names_the_class_where_there_are_several() -> None:
    o = multiclass(2000)
    score = np.column_stack([np.full(2000, 0.5), np.full(2000, 0.5), np.zeros(2000)])
    texts = [finding.text for finding in found(fairness=fairness_of(replace(o, score=score), "group"))["calibration_group"]]
    assert any("In a (group) labels middle are observed" in text for text in texts)


def test_errors_against_a_handful_are_told_against_all_others() -> None:
    by_rule = found(fairness=fairness_of(with_a_handful(), "g"))
    [gap] = [each for each in by_rule["error_gap"] if "large" in each.text]
    assert gap.text.startswith("Among rows whose true label is the favourable one, large (g) get the favourable outcome less often than all others: the rates differ by −17.1 points (98.3 % interval ")
    assert gap.evidence == "/fairness/attributes/0/groups/0/error_rates/gaps_to_rest/tpr"


def test_the_calibration_of_the_reference_is_told_like_all_others() -> None:
    o = binary(2000)
    score = np.where(o.groups["group"] == "a", np.asarray(o.score) * 0.4, np.asarray(o.truth) * 0.8 + 0.1)
    section = fairness_of(binary(2000, score=score), "group", reference={"group": "a"})
    assert any(each.text.startswith("In a (group)") for each in found(fairness=section)["calibration_group"])


def test_unequal_predictive_values_are_told() -> None:
    cells = {"a": (200, 50, 100, 150), "b": (120, 130, 50, 200)}
    told = [each for each in found(fairness=fairness_of(from_cells(cells), "g"))["error_gap"] if each.id.endswith(":ppv")]
    [finding] = told
    assert finding.text.startswith("Among rows that are given the favourable outcome, b (g) have it as their true label less often than a: the rates differ by −32.0 points (95 % interval −39.")
    assert finding.evidence == "/fairness/attributes/0/groups/1/error_rates/gaps/ppv"
