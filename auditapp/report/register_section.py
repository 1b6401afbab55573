"""Section 13 of a report: the risk register, begun with what was found. What a risk means for people, how likely it is and who answers for it only people can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditapp.report.blocks import NOT_PROVIDED, Block, conditions_text, data_text, ended, heading, page_of, paragraph, stated, table
from auditapp.report.leads import section_of
from auditapp.statements.document import Statements
from automl.evidence import Attribute, Evidence, FairnessByClass, Finding, Group, Slice
from automl.printing import visible

MOST_RISKS = 25
SEVERITIES = ("high", "medium")
RISKS = {
    "impact_ratio_below": "the favourable outcome is rarer than for another group", "impact_ratio_near": "the favourable outcome may be rarer than for another group",
    "differs_from_rest": "the rate of the favourable outcome differs from that of all others", "reference_not_highest": "a group is selected more often than the reference that was named",
    "error_gap": "decisions err otherwise than for another group", "calibration_group": "scores are too high or too low", "residual_gap": "predictions are too high or too low",
    "interval_coverage": "intervals beside predictions hold less often than they say", "coverage_off": "the predicted quantile holds more or less often than it says",
    "unknown_share": "too few people are in the comparison to speak for all", "under_represented": "the table has too few rows of a group of the population",
    "proxy_input": "an input stands in for a sensitive attribute", "sensitive_input": "a sensitive attribute is an input", "leak_suspected": "an input may hold the answer",
    "reasons_proxy": "reasons name a stand-in for a sensitive attribute", "reasons_protected": "reasons name what discrimination law names", "reasons_flip": "stated reasons do not explain the decision",
    "slice_error": "decisions err more often where these conditions meet", "cohort_error": "decisions err more often in a cohort that was named", "outcome_depends_on_inputs": "decisions depend on how inputs are read",
    "shift": "the audited people differ from those learned from", "training_rows_recognised": "people whose rows were learned from can be recognised", "drift": "scores differ between training and audit",
    "no_candidate": "no model was found", "ranking_like_chance": "the model ranks like chance", "like_baseline": "the model is no better than a baseline", "fairness_not_measured": "unequal treatment was not measured",
    "alternative_exists": "an alternative with a smaller difference was measured and not chosen", "left_out": "rows were left out",
    "law_unknown": "too many people have no known sex, race or ethnicity", "law_unmapped": "people have a value that no category was named for", "law_exclusion_kept": "a category was asked to be left out and is kept",
}
"""Of the rules that findings of severity high and medium come from, what may go wrong; other findings stand in their own words."""
WITH_REGISTER = "The risk register begins with the matters of severity high and medium of section 15, a line each; their numbers, what more was found of them and what could be done stand there. What people have made of it stands below as Risk register."
WITHOUT_REGISTER = ("The risk register begins with the matters of severity high and medium of section 15, a line each; their numbers, what more was found of them and what could be done stand there. How likely each is, what is done, "
                    "what remains, who answers for it and until when only people can say.")
LONGEST_TEXT = 600


def register_section(evidence: Evidence, statements: Statements | None) -> list[Block]:
    """A line for each matter that was found, the gravest first, then what people have said of oversight and risk."""
    return [*_register(evidence, statements), stated(statements, 13)]


def _register(evidence: Evidence, statements: Statements | None) -> Iterator[Block]:
    grave = [one for one in evidence.findings if one.severity in SEVERITIES and not one.under]
    if not grave:
        return
    said = statements is not None and "risk_register" in statements.fields
    yield heading("Risks that were found")
    yield paragraph(WITH_REGISTER if said else WITHOUT_REGISTER)
    yield table(
        "Risks by severity of what was found", [("risk", "left", 2), ("who", "left", 1), ("severity", "left", 0), ("shown on page", "right", 0), ("likelihood, measure, what remains, owner, date", "left", 1)],
        [(RISKS[one.rule] if one.rule in RISKS else ended(visible(one.text, LONGEST_TEXT)), _who(one, evidence), one.severity, page_of(int(section_of(one))), "see Risk register" if said else NOT_PROVIDED) for one in grave[:MOST_RISKS]],
        "" if len(grave) <= MOST_RISKS else "Further ones are in section 15.", dense=True)


def _who(finding: Finding, evidence: Evidence) -> str:
    """Group and attribute that the finding's place in the document is about, as far as it is about any."""
    place: Any = evidence
    group, attribute, of_class = "", "", ""
    for part in finding.evidence.split("/")[1:]:
        place = next(iter(place[int(part):]), None) if isinstance(place, tuple) else place.get(part) if isinstance(place, dict) else getattr(place, part, None)
        if place is None:
            break
        if isinstance(place, Slice):
            return conditions_text(place.words, 80)
        if isinstance(place, FairnessByClass):
            of_class = place.favourable
        elif isinstance(place, Attribute):
            attribute = place.attribute
        elif isinstance(place, Group):
            group = place.group
        else:
            group, attribute = getattr(place, "group", "") or group, getattr(place, "attribute", "") or attribute
    named = ": ".join(data_text(one, 60) for one in (attribute, group) if isinstance(one, str) and one) or "–"
    return f"{named} ({data_text(of_class, 60)})" if of_class else named
