"""Each section opens with what was found in it, and the contents say the same."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp.report.context import report_data
from auditapp.report.leads import IN_CONTENTS, section_of
from auditapp.statements.document import Statement, Statements
from auditapp.statements.fields import FIELDS
from automl.evidence import Charts, Evidence, Finding, NotMeasured
from automl.spec import LEFT_OUT
from tests.evidence_example import make_evidence
from tests.evidence_variants import predictions, with_law


def finding(pointer: str, text: str = "Something was found.") -> Finding:
    return Finding(id="f", severity="low", text=text, evidence=pointer, rule="r", suggestion="Look.")


def leads(evidence: Any) -> dict[str, str]:
    return {section["number"]: section["lead"] for section in report_data(evidence, Charts())["sections"]}


@pytest.mark.parametrize(("pointer", "section"), [
    ("/data", "4"), ("/data/quality/0", "4"), ("/search/trials", "5"), ("/performance/metrics/roc_auc", "5"), ("/fairness/attributes/0/groups/1/impact_ratio", "6"),
    ("/fairness/attributes/0/groups/1/error_rates/gaps/tpr", "8"), ("/fairness/attributes/0/groups/1/calibration", "8"), ("/fairness/intersections/0", "9"), ("/local_law_144/sex", "6"),
    ("/explanation/proxies/0", "10"), ("/reasons", "11"), ("/slices/rows/0", "12"), ("/cohorts/rows/0", "12"), ("/robustness/shift", "12"), ("/mitigation/alternatives", "14"), ("/database", "15"), ("/nowhere", "15"),
])
def test_a_finding_belongs_to_the_section_that_shows_what_it_points_to(pointer: str, section: str) -> None:
    assert section_of(finding(pointer)) == section


def test_a_section_opens_with_its_first_finding_and_the_contents_with_as_much_as_has_room() -> None:
    long = "Inputs tell the groups apart. " * 12
    data = report_data(make_evidence(findings=(finding("/explanation", long), finding("/explanation", "A second."), finding("/slices", "A slice errs more."))), Charts())
    tenth = data["sections"][9]
    assert tenth["lead"] == long
    assert len(tenth["short"]) <= IN_CONTENTS
    assert tenth["short"].startswith("Inputs tell the groups apart.")
    assert data["sections"][11]["lead"] == "A slice errs more."


def test_without_findings_a_section_says_what_it_shows_or_why_it_does_not() -> None:
    evidence = make_evidence(findings=(), explanation=NotMeasured(reason="no model came with the predictions"))
    data = report_data(evidence, Charts())
    found = leads(evidence)
    assert found["4"] == "Of 48,842 rows the model learned from 36,602; 12,240 were set aside for this audit before."
    assert found["7"].startswith("All groups of sex together: ")
    assert found["10"] == ""
    assert data["sections"][9]["short"] == "Explanation: not measured, no model came with the predictions"
    assert found["15"].startswith("Not measured: explanation")
    assert "rows were audited; nothing was learned from them here." in leads(predictions())["4"]


def test_what_was_not_asked_for_stands_beside_what_was_not_measured() -> None:
    def rows(evidence: Evidence) -> dict[str, str]:
        [found] = [block["rows"] for block in report_data(evidence, Charts())["sections"][1]["blocks"] if block["kind"] == "facts"]
        return {name: text for name, text in found if name in ("Not measured", "Not asked for")}

    spec = make_evidence().spec
    left_out = make_evidence(spec=spec.model_copy(update={"leave_out": ("slices", "explanation_checks")}), slices=NotMeasured(reason=LEFT_OUT), reasons=NotMeasured(reason="no model"))
    assert rows(left_out)["Not asked for"] == "the tables of Local Law 144, how far the explanation can be relied on, error slices"
    assert "error slices" not in rows(left_out)["Not measured"]
    assert "reasons for decisions" in rows(left_out)["Not measured"]
    assert "Not asked for: the tables of Local Law 144, " in leads(left_out)["15"]
    assert "Not asked for" not in rows(with_law())


def test_what_a_profile_leaves_out_is_not_found_over_its_silence_either() -> None:
    data = report_data(make_evidence(findings=(finding("/explanation", "Inputs tell the groups apart."),)), Charts(), profile="nyc_ll144")
    tenth = data["sections"][9]
    assert (tenth["lead"], tenth["short"]) == ("", "The profile of this report asks for nothing here.")
    [rows] = [block["rows"] for block in data["sections"][1]["blocks"] if block["kind"] == "findings"]
    assert [(row["text"], row["section"]) for row in rows] == [("Inputs tell the groups apart.", "15")], "on the page that shows it"


def test_what_people_were_asked_for_is_counted_and_said() -> None:
    evidence = make_evidence()
    said = Statements(run="run_1", evidence_digest=evidence.digest, version=1, fields={"purpose": Statement(text="To rank requests.", author="A", role="owner", at="2026-11-21T10:00:00Z")})
    assert leads(evidence)["3"] == "Nothing of this has been provided yet."
    data = report_data(evidence, Charts(), said)
    assert data["sections"][2]["lead"] == "Part of this has not been provided yet."
    [rows] = [block["rows"] for block in data["sections"][1]["blocks"] if block["kind"] == "facts"]
    assert rows[-1] == ["Asked of people", f"1 of {len(FIELDS)} statements are provided; not reviewed and not approved"]
    none = report_data(evidence, Charts())["sections"][1]["blocks"][-1]["rows"][-1]
    assert none == ["Asked of people", f"none of {len(FIELDS)} statements is provided; not reviewed and not approved"]
