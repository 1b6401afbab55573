from __future__ import annotations

import re
from pathlib import Path

import pytest

import automl.audit
from automl.audit.findings.topics import KINDS, folded
from automl.evidence import Evidence, FairnessSection, Finding, Severity
from tests.automl.audit.cases import binary
from tests.automl.audit.findings.documents import fairness_of
from tests.evidence_example import make_evidence

SOURCES = "".join(path.read_text() for path in Path(automl.audit.__file__).parent.rglob("*.py") if path.name != "topics.py")


@pytest.fixture(scope="module")
def document() -> Evidence:
    """Attributes 0 (group) and 1 (sex), and their crossing."""
    return make_evidence().model_copy(update={"fairness": fairness_of(binary(600), "group", "sex")})


def under(document: Evidence, *told: tuple[str, Severity, str]) -> list[str]:
    """What each finding (its rule, severity and pointer) is folded under: that one's pointer, or nothing."""
    found = folded([Finding(id=f"{rule}:{pointer}", severity=severity, text="x", evidence=pointer, rule=rule) for rule, severity, pointer in told], document)
    return [one.under.partition(":")[2] for one in found]


def test_groups_of_one_attribute_are_one_matter_and_other_attributes_and_kinds_are_others(document: Evidence) -> None:
    first, second, other = "/fairness/attributes/0/groups/0/impact_ratio", "/fairness/attributes/0/groups/1", "/fairness/attributes/1/groups/0"
    assert under(document, ("impact_ratio_below", "high", first), ("impact_ratio_near", "medium", second), ("impact_ratio_near", "medium", other), ("error_gap", "medium", f"{second}/error_rates")) == [
        "", first, "", ""]


def test_a_crossing_is_folded_under_an_attribute_of_it_that_is_as_grave_and_else_stands_for_itself(document: Evidence) -> None:
    crossing, all_of_them, sex = "/fairness/intersections/0/groups/2", "/fairness/intersections", "/fairness/attributes/1/groups/0"
    assert under(document, ("impact_ratio_below", "high", sex), ("impact_ratio_below", "high", crossing), ("impact_ratio_near", "low", all_of_them)) == ["", sex, sex]
    for alone in ("/fairness/attributes/0/groups/0", sex):
        assert under(document, ("impact_ratio_below", "high", crossing), ("impact_ratio_near", "medium", alone)) == ["", ""]


def test_classes_are_matters_of_their_own(document: Evidence) -> None:
    section = document.fairness
    assert isinstance(section, FairnessSection)
    several = document.model_copy(update={"fairness": section.model_copy(update={"by_class": (section, section)})})
    pointers = [f"/fairness/by_class/{at}/attributes/0/groups/{group}" for at in (0, 1) for group in (0, 1)]
    assert under(several, *(("impact_ratio_near", "medium", pointer) for pointer in pointers)) == ["", pointers[0], "", pointers[2]]


def test_what_has_no_kind_is_never_folded(document: Evidence) -> None:
    assert under(document, ("leak_suspected", "high", "/performance"), ("leak_suspected", "high", "/performance/n")) == ["", ""]
    assert under(document, ("slice_error", "medium", "/slices/rows"), ("slice_error", "low", "/slices/tried")) == ["", "/slices/rows"]


@pytest.mark.parametrize("rule", sorted(KINDS))
def test_every_rule_with_a_kind_is_one_that_findings_have(rule: str) -> None:
    assert re.search(rf'"{rule}"', SOURCES)
