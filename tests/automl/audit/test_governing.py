"""The metric that governs: its rows are the tables' own numbers, and what it says comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.audit.fairness import measure_fairness
from automl.audit.governing import POINTERS, governs
from automl.audit.outcomes import Outcomes
from automl.evidence import Estimate, FairnessSection, Finding, GoverningChoice, NotMeasured, Ratio
from automl.printing import governing_comparison, governing_value
from automl.spec import AuditPolicy
from tests.automl.audit.cases import binary, from_cells, from_counts, multiclass, regression, with_a_handful
from tests.automl.audit.findings.documents import findings_on


def measured(outcomes: Outcomes, metric: str, *sensitive: str, **governing: Any) -> tuple[FairnessSection, GoverningChoice]:
    policy = AuditPolicy.model_validate({"sensitive": sensitive or ("group",), "governing": {"metric": metric, **governing}})
    section = measure_fairness(outcomes, policy, bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    assert section.governing is not None
    return section, section.governing


def at(document: Any, pointer: str) -> Any:
    for part in pointer.removeprefix("/fairness/").split("/"):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


@pytest.mark.parametrize(("metric", "measures"), [
    ("demographic_parity_ratio", ["impact_ratio"]), ("demographic_parity_difference", ["selection_rate"]), ("equal_opportunity_difference", ["tpr"]),
    ("equalized_odds_difference", ["tpr", "fpr"]), ("predictive_parity_difference", ["ppv"]), ("calibration_within_groups", ["calibration"]),
])
def test_the_rows_are_the_tables_own_numbers(metric: str, measures: list[str]) -> None:
    section, choice = measured(binary(), metric, "group", "sex")
    assert [(row.attribute, row.measure) for row in choice.rows] == [(attribute, measure) for attribute in ("group", "sex") for measure in measures]
    document = section.model_dump(mode="json")
    for row in choice.rows:
        assert row.evidence.endswith(POINTERS[row.measure])
        assert at(document, row.evidence) == row.value.model_dump(mode="json")
        assert at(document, row.evidence.rsplit("/", row.evidence.count("/") - 5)[0])["group"] == row.group


def test_the_furthest_group_is_told_and_tiny_ones_are_passed_over() -> None:
    """Of five people one more or less is a fifth; the group of 400 is the one that can be spoken of."""
    section, choice = measured(from_counts({"large": (300, 600), "middle": (120, 400), "tiny": (0, 5)}), "demographic_parity_ratio")
    [row] = choice.rows
    assert (row.group, row.compared_with) == ("middle", "large")
    assert isinstance(row.value, Ratio)
    assert governing_comparison(row) == "impact ratio of middle (group) to large"
    assert governing_value(row, section.limit.ratio).startswith("0.600 (")
    assert governing_value(row, section.limit.ratio).endswith("), below the limit beyond sampling error")
    [small] = measured(from_counts({"a": (9, 10), "b": (2, 10)}), "demographic_parity_difference")[1].rows
    assert isinstance(small.value, Estimate)
    assert abs(small.value.value) == pytest.approx(0.7)
    assert small.compared_with == "all others"
    assert small.of_few
    assert governing_value(small, None).endswith(", of fewer than 30 rows on one side: nothing is concluded")


def test_gaps_to_a_handful_are_those_to_all_others_as_in_the_findings() -> None:
    """The reference has the highest rate and seven rows: a gap to it is as imprecise as it is."""
    section, choice = measured(with_a_handful(), "equalized_odds_difference", "g")
    assert section.attributes[0].reference == "tiny"
    document = section.model_dump(mode="json")
    for row in choice.rows:
        assert row.compared_with == "all others"
        assert "/error_rates/gaps_to_rest/" in row.evidence
        assert at(document, row.evidence) == row.value.model_dump(mode="json")
        assert isinstance(row.value, Estimate)
        assert not row.value.low_precision
        assert not row.of_few
    assert governing_comparison(choice.rows[0]).endswith("(g) minus that of all others")


def test_a_ratio_to_a_handful_says_what_its_label_rests_on() -> None:
    """Against 6 of 7 the interval says little; the comparison with 500 of 1,000 decides, and is named."""
    section, choice = measured(from_counts({"tiny": (6, 7), "large": (500, 1000), "low": (250, 1000), "near": (480, 1000)}), "demographic_parity_ratio")
    [row] = choice.rows
    assert (row.group, row.compared_with, row.of_few) == ("low", "tiny", False)
    assert governing_value(row, section.limit.ratio).endswith("below the limit beyond sampling error")
    [alone] = measured(from_counts({"tiny": (6, 7), "large": (700, 1000)}), "demographic_parity_ratio")[1].rows
    assert alone.of_few, "there is nobody else to compare with"
    assert governing_value(alone, 0.8).endswith("of fewer than 30 rows on one side: nothing is concluded")


def test_a_group_with_a_handful_of_deserving_rows_is_passed_over() -> None:
    """Sixty rows, five of them deserving: a true positive rate of 0.2 is one row of five."""
    cells = {"large": (200, 60, 100, 140), "other": (220, 50, 80, 110), "rare": (1, 20, 4, 35)}
    _, choice = measured(from_cells(cells), "equal_opportunity_difference", "g")
    [row] = choice.rows
    assert row.group != "rare"
    assert not row.of_few


def test_half_and_twice_are_as_far() -> None:
    """Of a quotient the logarithm counts: 0.55 is further from 1 than 1.6."""
    policy = AuditPolicy.model_validate({"sensitive": ("group",), "reference": {"group": "b"}, "governing": {"metric": "demographic_parity_ratio"}})
    section = measure_fairness(from_counts({"a": (320, 400), "b": (200, 400), "c": (110, 400)}), policy, bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    assert section.governing is not None
    assert section.governing.rows[0].group == "c"


def test_what_was_not_measured_says_why() -> None:
    [row] = measured(from_counts({"a": (30, 60), "b": (20, 60)}), "equal_opportunity_difference")[1].rows
    assert row.group == ""
    assert row.value == NotMeasured(reason="no label column was given")
    assert governing_value(row, 0.8) == "not measured: no label column was given"


def test_numbers_and_classes() -> None:
    [mean], [error] = (measured(regression(), metric)[1].rows for metric in ("mean_prediction_difference", "mean_error_difference"))
    assert (mean.measure, error.measure) == ("mean", "residual")
    assert isinstance(error.value, Estimate)
    assert error.group == "b"  # whose predictions are 0.8 too low
    by_class = measured(multiclass(favourable=()), "equal_opportunity_difference")[1].rows
    assert [row.favourable for row in by_class] == ["low", "middle", "top"]
    assert all(isinstance(row.value, Estimate) for row in by_class)


def of_calibration(metric: str | None) -> tuple[FairnessSection, list[Finding]]:
    """Group c's scores are far too low; b and c differ from a in their errors as well."""
    o = binary(2_000)
    score = np.where(o.groups["group"] == "c", np.asarray(o.score) * 0.4, np.asarray(o.truth) * 0.8 + 0.1)
    asked = {} if metric is None else {"governing": {"metric": metric}}
    section = measure_fairness(binary(2_000, score=score), AuditPolicy.model_validate({"sensitive": ("group",), **asked}), bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    return section, list(findings_on(fairness=section))


def medium(found: list[Finding]) -> list[str]:
    return [finding.rule for finding in found if finding.severity == "medium"]


def test_what_the_governing_metric_says_comes_first_of_equal_severity() -> None:
    plain, governed = (of_calibration(metric)[1] for metric in (None, "calibration_within_groups"))
    assert medium(plain)[0] == "error_gap"
    assert medium(governed)[0] == "calibration_group"
    assert sorted(medium(plain)) == sorted(medium(governed))
    section, found = of_calibration("equal_opportunity_difference")
    assert {finding.id.rsplit(":", 1)[-1] for finding in found if finding.rule == "error_gap" and governs(section, finding)} <= {"tpr"}
    assert not [finding for finding in plain if governs(of_calibration(None)[0], finding)]


def test_the_findings_say_which_metric_governs() -> None:
    _, found = of_calibration("equal_opportunity_difference")
    [governing] = [finding for finding in found if finding.rule == "governing_metric"]
    assert governing.evidence == "/fairness/governing"
    assert governing.text.startswith("Of the measures of groups the difference of true positive rates (equal opportunity) governs, as the person who asked said before anything was measured. "
                                     "Furthest by it: true positive rate of ")
    assert governing.suggestion.startswith("Say why")
    assert next(finding for finding in found if finding.severity == "info") == governing
    assert not [finding for finding in of_calibration(None)[1] if finding.rule == "governing_metric"]
