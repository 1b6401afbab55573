from __future__ import annotations

import re
from typing import Any

import pytest

from automl.audit.findings import explanation as module
from automl.audit.findings.explanation import explanation_findings
from automl.evidence import ExplanationSection, Finding, NotMeasured, ProxyScan, ScoreGap
from tests.evidence_example import make_data, make_evidence, make_explanation
from tests.explanation_example import around, make_scan
from tests.numbers_of_evidence import unfounded_numbers


def example(**changes: Any) -> ExplanationSection:
    return make_explanation().model_copy(update=changes)


def found(explanation: ExplanationSection) -> dict[str, Finding]:
    written = list(explanation_findings(explanation, make_data()))
    assert len({finding.id for finding in written}) == len(written)
    assert {finding.rule for finding in written} <= set(re.findall(r"``(\w+)``", module.__doc__ or ""))
    return {finding.rule: finding for finding in written}


def scan_of(explanation: ExplanationSection) -> ProxyScan:
    assert not isinstance(explanation.proxies, NotMeasured)
    scan = explanation.proxies[0]
    assert isinstance(scan, ProxyScan)
    return scan


def test_an_input_that_stands_in_is_named_with_its_numbers() -> None:
    by_rule = found(example())
    finding = by_rule["proxy_input"]
    assert finding.severity == "medium"
    assert finding.evidence == "/explanation/proxies/0/features/0"
    assert "marital_status alone tells the groups of sex with an AUC of 0.871 (0.863 to 0.880)" in finding.text
    assert "number 1 among the model's inputs, with 23.2 % of all mean |SHAP|" in finding.text
    predictable = by_rule["attribute_predictable"]
    assert (predictable.severity, predictable.evidence) == ("low", "/explanation/proxies/0/auc")


def test_nothing_is_said_where_nothing_is_flagged_or_told() -> None:
    scan = scan_of(example())
    weak = scan.model_copy(update={"features": tuple(one.model_copy(update={"flagged": False}) for one in scan.features), "auc": around(0.51, 0.02)})
    by_rule = found(example(proxies=(weak,)))
    assert not {"proxy_input", "attribute_predictable", "proxies_unknown"} & set(by_rule)
    assert found(example(proxies=(scan.model_copy(update={"auc": around(0.6, 0.02)}),)))["attribute_predictable"].severity == "info"
    assert "attribute_predictable" not in found(example(proxies=(scan.model_copy(update={"own_column": True}),)))
    assert found(example(proxies=NotMeasured(reason="nobody asked")))["proxies_unknown"].text.endswith("was not measured: nobody asked.")


def test_the_gap_says_what_it_adds_up_from_and_what_it_is_not() -> None:
    finding = found(example())["gap_carried"]
    assert (finding.severity, finding.evidence) == ("low", "/explanation/score_gap_by_input/0")
    assert "The mean scores of Female and Male (sex) differ by −1.43 (−1.52 to −1.34) in log-odds" in finding.text
    assert "marital_status stands in for sex" in finding.text
    assert "not a cause, and not the gap in selection" in finding.text
    plain = tuple(feature.model_copy(update={"stands_in_for": ()}) for feature in example().features)
    assert found(example(features=plain))["gap_carried"].severity == "info"


def gap() -> ScoreGap:
    first = make_explanation().score_gap_by_input[0]
    assert isinstance(first, ScoreGap)
    return first


def test_only_the_largest_gap_of_an_attribute_is_told_and_only_if_it_is_one() -> None:
    unclear = gap().model_copy(update={"gap": around(-0.1, 0.2)})
    assert "gap_carried" not in found(example(score_gap_by_input=(unclear,)))
    small = gap().model_copy(update={"group": "Other", "gap": around(-0.5, 0.2)})
    assert "Female" in found(example(score_gap_by_input=(small, gap())))["gap_carried"].text


def test_a_share_that_depends_on_the_background_is_said() -> None:
    assert "gap_depends_on_background" not in found(example())
    turned = gap().model_copy(update={"second": tuple(reversed([share.model_copy(update={"feature": other.feature}) for share, other in zip(gap().contributions, reversed(gap().contributions), strict=True)]))})
    finding = found(example(score_gap_by_input=(turned,)))["gap_depends_on_background"]
    assert "marital_status (−0.71" in finding.text
    assert "hours_per_week" in finding.text


@pytest.mark.parametrize(("tau", "jaccard", "told"), [(0.59, 0.9, True), (0.9, 0.59, True), (0.6, 0.6, False)])
def test_an_order_that_changes_is_said(tau: float, jaccard: float, told: bool) -> None:
    stability = example().stability
    assert not isinstance(stability, NotMeasured)
    first = stability.over[0]
    changed = first.model_copy(update={"kendall_tau": first.kendall_tau.model_copy(update={"mean": tau}), "top_jaccard": first.top_jaccard.model_copy(update={"mean": jaccard})})
    by_rule = found(example(stability=stability.model_copy(update={"over": (changed, stability.over[1])})))
    assert ("ranks_unstable" in by_rule) is told
    if told:
        assert by_rule["ranks_unstable"].evidence == "/explanation/stability/over/0"


def test_an_importance_that_shuffling_does_not_show_is_said() -> None:
    assert "importance_not_confirmed" not in found(example())
    check = example().permutation
    assert not isinstance(check, NotMeasured)
    first = check.features[0].model_copy(update={"increase": around(0.001, 0.002, 545)})
    nothing = example().features[0].model_copy(update={"mean_abs_shap": around(0, 0, 545)})
    constant = example(features=(nothing, *example().features[1:]), permutation=check.model_copy(update={"features": (first, *check.features[1:])}))
    assert "importance_not_confirmed" not in found(constant), "a model of one answer has no first input"
    finding = found(example(permutation=check.model_copy(update={"features": (first, *check.features[1:])})))["importance_not_confirmed"]
    assert "not told apart from no change" in finding.text


def test_names_are_shown_flat_and_bounded() -> None:
    scan = make_scan("line\nbreak\u202e", ("a", "b"), ("x" * 500, "y"))
    texts = [finding.text for finding in explanation_findings(example(proxies=(scan,)), make_data())]
    assert all("\n" not in text and "\u202e" not in text and "x" * 80 not in text for text in texts)


def test_no_number_of_a_finding_is_made_up() -> None:
    evidence = make_evidence()
    assert isinstance(evidence.explanation, ExplanationSection)
    assert unfounded_numbers([finding.text for finding in found(evidence.explanation).values()], evidence) == []
