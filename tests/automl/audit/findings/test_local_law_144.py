from __future__ import annotations

import re

import pandas as pd

from automl.audit.findings import local_law_144 as local_law_144_findings
from automl.audit.findings.local_law_144 import law_findings
from automl.audit.local_law_144 import NOT_ASKED
from automl.evidence import Finding, LocalLaw144Section
from tests.automl.audit.test_local_law_144 import V19, X, cells, measure, scored


def by_rule(section: LocalLaw144Section, rows: int = 151) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in law_findings(section, rows):
        found.setdefault(finding.rule, []).append(finding)
    return found


def test_the_lowest_ratio_of_each_table_is_said_without_a_limit() -> None:
    found = by_rule(measure(cells(V19)))
    lowest = {finding.evidence: finding.text for finding in found["law_lowest_ratio"]}
    assert set(lowest) == {"/local_law_144/race/rows/2", "/local_law_144/intersectional/rows/3"}
    assert "Black or African American: 0.429 of the rate of Native Hawaiian or Pacific Islander" in lowest["/local_law_144/race/rows/2"]
    assert [finding.evidence for finding in found["law_not_computable"]] == ["/local_law_144/sex"]
    assert all(finding.severity == "info" for finding in (*found["law_lowest_ratio"], *found["law_not_computable"]))
    assert not any(re.search(r"0\.80?\b|four.fifths", finding.text) for finding in found["law_lowest_ratio"])


def test_scoring_stands_in_where_nothing_was_decided() -> None:
    frame = pd.DataFrame({"sex": ["Male"] * 4 + ["Female"] * 4, "race": "White", "score": [1.0, 5, 6, 7, 1, 2, 3, 8]})
    finding = by_rule(measure(scored(frame)), 8)["law_lowest_ratio"][0]
    assert "scoring rates is that of Female: 0.333 of the rate of Male" in finding.text


def test_unknown_unmapped_and_refused_exclusions_are_told() -> None:
    outcomes = cells({("f", "White"): (10, 60), ("Male", "White"): (12, 20)})
    found = by_rule(measure(outcomes, exclude=[{"category": "Male", "justification": "few"}]), 80)
    [unknown] = found["law_unknown"]
    assert (unknown.severity, "60 rows (75.0 %)" in unknown.text) == ("medium", True)
    [unmapped] = found["law_unmapped"]
    assert "f (sex, 60 rows)" in unmapped.text
    [kept] = found["law_exclusion_kept"]
    assert kept.evidence == "/local_law_144/excluded/0"
    assert "not below 2 %" in kept.text
    assert "law_exclusion_kept" not in by_rule(measure(cells(V19), exclude=[{"category": X, "justification": "few"}]))


def test_nothing_is_said_of_tables_that_nobody_asked_for() -> None:
    assert list(law_findings(NOT_ASKED, 100)) == []


def test_rules_are_the_documented_ones_and_all_of_them() -> None:
    documented = set(re.findall(r"``(\w+)``", local_law_144_findings.__doc__ or ""))
    outcomes = cells({("f", "White"): (10, 60), ("Male", "Asian"): (12, 20), ("Male", "White"): (4, 20)})
    assert set(by_rule(measure(outcomes, exclude=[{"category": "Male", "justification": "few"}]), 100)) == documented
