from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import automl.audit.findings
from automl.evidence import Column, Finding, LeftOut, NotMeasured
from tests.automl.audit.cases import binary, multiclass, regression
from tests.automl.audit.findings.documents import BANNED, data_section, explanation, fairness_of, findings_on, found, performance_of

SOURCES = [path.read_text() for path in Path(automl.audit.findings.__file__).parent.glob("*.py")]


def test_leaks_are_suspected_from_the_auc_and_from_one_dominant_input() -> None:
    perfect = binary(score=np.asarray(binary().truth) * 0.8 + 0.1)
    assert "unusually close to 1" in found(performance=performance_of(perfect))["leak_suspected"][0].text
    assert "x0, carries 70 %" in found(explanation=explanation(0.7, 0.2, 0.1))["leak_suspected"][0].text
    assert "leak_suspected" not in found(explanation=explanation(0.6, 0.2, 0.2))


def test_sensitive_inputs_unknown_groups_small_groups_and_rows_left_out() -> None:
    columns = (
        Column(name="sex", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=True),
        Column(name="race", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=False),
    )
    data = data_section(columns=columns, left_out=(LeftOut(reason="no target", n=10), LeftOut(reason="no score", n=100)))
    by_rule = found(data, fairness=fairness_of(binary(100), "group", "sex"), explanation=explanation(0.5, 0.5))
    assert [finding.evidence for finding in by_rule["sensitive_input"]] == ["/data/columns/0"]
    assert [finding.severity for finding in by_rule["left_out"]] == ["medium", "low"]
    assert "have no known sex" in by_rule["unknown_share"][0].text
    assert "c" in by_rule["small_groups"][0].text
    assert by_rule["proxies_unknown"][0].severity == "info"


def test_what_is_missing_is_said() -> None:
    by_rule = found(performance=NotMeasured(reason="no label column was given"), fairness=NotMeasured(reason="no sensitive attribute was chosen"))
    assert by_rule["fairness_not_measured"][0].text == "Group fairness was not measured: no sensitive attribute was chosen."
    assert by_rule["performance_not_measured"][0].severity == "info"


@lru_cache(maxsize=1)
def everything() -> list[tuple[dict[str, Any], tuple[Finding, ...]]]:
    """Findings of many kinds with the sections they point into."""
    cases = []
    for outcomes in (binary(), binary(100), binary(score=np.random.default_rng(0).random(600)), multiclass(), multiclass(favourable=()), regression()):
        majority = {} if outcomes.task != "binary" else {"majority": binary(outcomes.rows, score=np.full(outcomes.rows, 0.4))}
        performance = performance_of(outcomes, baselines=majority, out_of_fold=outcomes)
        fairness = fairness_of(outcomes, *outcomes.groups)
        columns = (Column(name="sex", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=True),)
        data = data_section(columns=columns, left_out=(LeftOut(reason="no target", n=10),))
        why = explanation(0.9, 0.1)
        document = {
            "data": data.model_dump(), "performance": performance.model_dump(), "fairness": fairness.model_dump(), "explanation": why.model_dump(),
        }
        cases.append((document, findings_on(data=data, performance=performance, fairness=fairness, explanation=why)))
    return cases


@pytest.mark.slow
def test_every_pointer_leads_somewhere_ids_are_unique_and_severities_fall() -> None:
    rules = set()
    for document, written in everything():
        assert len({finding.id for finding in written}) == len(written)
        assert [finding.severity for finding in written] == sorted((f.severity for f in written), key=["high", "medium", "low", "info"].index)
        for finding in written:
            rules.add(finding.rule)
            place: Any = document
            for part in finding.evidence.split("/")[1:]:
                place = place[int(part)] if isinstance(place, (list, tuple)) else place[part]
    assert {"impact_ratio_below", "residual_gap", "like_baseline", "leak_suspected", "small_groups"} <= rules


@pytest.mark.slow
def test_rules_are_the_documented_ones() -> None:
    documented = {rule for source in SOURCES for rule in re.findall(r"``(\w+)``", ast.get_docstring(ast.parse(source)) or "")}
    assert {finding.rule for _, written in everything() for finding in written} <= documented


@pytest.mark.slow
def test_rule_03_no_verdict_words_in_any_text_or_source_string() -> None:
    for _, written in everything():
        for finding in written:
            assert not BANNED.search(finding.text + finding.suggestion), finding.text
    for tree in map(ast.parse, SOURCES):
        documentation = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                allowed = node.value
                assert not BANNED.search(allowed), node.value
