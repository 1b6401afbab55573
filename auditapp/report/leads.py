"""The one sentence that each section of a report opens with: what was found there, in words that the evidence or a section already has."""

from __future__ import annotations

from collections.abc import Sequence

from auditapp.report.blocks import Block
from automl.evidence import Evidence, Finding, NotMeasured
from automl.printing import visible, whole
from automl.spec import OPTIONAL_PARTS, OptionalPart

IN_CONTENTS = 200
"""Characters of a lead in the table of contents; the section has all of it."""
LONGEST = 600
LAW_TABLES = "the tables of Local Law 144"
PARTS: dict[OptionalPart, str] = {
    "explanation_checks": "how far the explanation can be relied on", "reasons": "reasons for decisions", "mitigation": "mitigation alternatives", "slices": "error slices", "robustness": "robustness",
}
"""What an audit can do without, in words."""
ELSEWHERE = "15"
"""The section of findings that belong to no other: it has them all."""
OF_POINTER: tuple[tuple[str, str], ...] = (
    ("/local_law_144", "6"), ("/fairness/intersections", "9"), ("/fairness", "6"), ("/data", "4"), ("/search", "5"), ("/performance", "5"), ("/explanation", "10"), ("/reasons", "11"),
    ("/slices", "12"), ("/cohorts", "12"), ("/robustness", "12"), ("/mitigation", "14"), ("/crosswalk", "16"), ("/provenance", "17"), ("/plan", "17"),
)
"""Sections by where in the evidence a finding points, the longer pointers first."""
OF_ERRORS = ("/error_rates", "/calibration", "/score/residual_difference", "/score/absolute_error_difference")


def section_of(finding: Finding) -> str:
    """Number of the section that shows what ``finding`` points to."""
    pointer = finding.evidence
    if pointer.startswith("/fairness") and any(part in pointer for part in OF_ERRORS):
        return "8"
    return next((section for start, section in OF_POINTER if pointer == start or pointer.startswith(f"{start}/")), ELSEWHERE)


def lead_of(number: str, blocks: Sequence[Block], evidence: Evidence) -> str:
    """The first finding of the section, which is its gravest; else what its first picture shows; else whether people have said what only they can; "" where its first words say it."""
    fixed = {"1": _nothing_more, "2": _how_many_findings, "15": _what_is_missing, "17": _made_again}
    if number in fixed:
        return fixed[number](evidence)
    if number == "7":
        return next((block["text"] for block in blocks if block["kind"] == "text" and block["text"].startswith("All groups")), "")
    mine = [one for one in evidence.findings if section_of(one) == number]
    if mine:
        return visible(mine[0].text, LONGEST)
    for block in blocks:
        if block["kind"] == "chart":
            return visible(block["alt"], LONGEST)
        if block["kind"] == "not_measured":
            return ""
    if number == "4":
        return _which_rows(evidence)
    missing = [row["missing"] for block in blocks if block["kind"] == "statements" for row in block["rows"]]
    if missing and not any(block["kind"] == "table" for block in blocks):
        return "Nothing of this has been provided yet." if all(missing) else "Part of this has not been provided yet." if any(missing) else "Provided by the persons named."
    return ""


def short_of(lead: str, blocks: Sequence[Block]) -> str:
    """What the contents show of a section: its lead; where it has none, the first reason for which something was not measured."""
    return lead or next((f"{block['what']}: not measured, {block['reason']}" for block in blocks if block["kind"] == "not_measured"), "")


def _nothing_more(evidence: Evidence) -> str:
    return ""


def _which_rows(evidence: Evidence) -> str:
    split = evidence.data.split
    if not split.train:
        return f"{whole(split.audit)} rows were audited; nothing was learned from them here."
    return f"Of {whole(evidence.data.rows)} rows the model learned from {whole(split.train)}; {whole(split.audit)} were set aside for this audit before."


def _how_many_findings(evidence: Evidence) -> str:
    grave = [one for one in evidence.findings if one.severity in ("high", "medium")]
    if not evidence.findings:
        return "No rule of the findings applied to this evidence."
    return "The gravest findings come first; what supports each stands in its section, which begins on the page named." if grave else "No finding of severity high or medium."


def _what_is_missing(evidence: Evidence) -> str:
    missing, unasked = not_measured_parts(evidence), not_asked_parts(evidence)
    measured = f"Not measured: {', '.join(missing)}." if missing else "Every part that was asked for was measured, or says within its section what was not and why."
    return f"{measured} Not asked for: {', '.join(unasked)}." if unasked else measured


def not_measured_parts(evidence: Evidence) -> list[str]:
    """Parts of the evidence that were asked for and not measured at all, in words."""
    unasked = not_asked_parts(evidence)
    return [words for words, section in (
        ("the search for a model", evidence.search), ("performance", evidence.performance), ("group fairness", evidence.fairness), (LAW_TABLES, evidence.local_law_144), ("explanation", evidence.explanation),
        (PARTS["reasons"], evidence.reasons), (PARTS["mitigation"], evidence.mitigation), (PARTS["slices"], evidence.slices), (PARTS["robustness"], evidence.robustness), ("the crosswalk", evidence.crosswalk),
    ) if isinstance(section, NotMeasured) and words not in unasked]


def not_asked_parts(evidence: Evidence) -> list[str]:
    """Parts that come on request, and those that were left out on request, in words."""
    return [*([LAW_TABLES] if evidence.spec.local_law_144 is None and isinstance(evidence.local_law_144, NotMeasured) else []), *(PARTS[part] for part in OPTIONAL_PARTS if part in evidence.spec.leave_out)]


def _made_again(evidence: Evidence) -> str:
    return "What was run, on which bytes, by which code; the digests tell whether something is the same."
