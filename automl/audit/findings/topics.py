"""Which findings say more of the same matter: those that a reader meets first are one a matter, the gravest; the others are folded under it, and none is lost.

A matter is a kind (how often groups are selected, how decisions err, which inputs carry what a group is, ...) and, where the kind has one, an attribute. A crossing
belongs to the matter of each of its attributes, and is folded under the first of them that is at least as grave; where none is, it stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from automl.evidence import Attribute, Evidence, Finding

KINDS = {
    "impact_ratio_below": "ratio", "impact_ratio_near": "ratio", "impact_ratio_inconclusive": "ratio", "impact_ratio_not_below": "ratio", "reference_not_highest": "ratio",
    "error_gap": "errors", "calibration_group": "calibration", "residual_gap": "errors", "error_size_gap": "errors", "mean_gap": "means", "coverage_off": "coverage", "interval_coverage": "coverage", "small_groups": "groups", "reference_few": "groups", "unknown_share": "groups",
    "proxy_input": "inputs", "attribute_predictable": "inputs", "gap_carried": "inputs", "gap_depends_on_background": "inputs",
    "slice_error": "slices", "cohort_error": "slices", "outcome_depends_on_inputs": "disturbed", "shift": "shift", "outside_of_training": "shift", "ranks_unstable": "ranks",
    "alternative_exists": "alternatives", "alternative_by_group": "alternatives", "no_alternative": "alternatives",
    "under_represented": "represented", "law_lowest_ratio": "law", "law_not_computable": "law", "law_unknown": "law_unknown", "law_unmapped": "law_unknown",
    "reasons_flip": "reasons", "reasons_background": "reasons", "reasons_unstable": "reasons",
}
"""Rules that may say more than one thing of one matter; every other rule is a matter of its own."""
OF_NO_ATTRIBUTE = frozenset({"slices", "disturbed", "shift", "ranks", "law", "law_unknown", "reasons", "coverage"})

Topic = tuple[str, str, str]
"""Kind, class (of an outcome of several, else empty), attribute."""


def folded(findings: Sequence[Finding], evidence: Evidence) -> tuple[Finding, ...]:
    """The same in the same order (the gravest first), each with the id of the one that it is folded ``under``, where there is one."""
    leads: dict[Topic, str] = {}
    found = []
    for finding in findings:
        topics = list(_topics(finding, evidence))
        under = next((leads[topic] for topic in topics if topic in leads), None)
        if under is None and len(topics) == 1:
            leads[topics[0]] = finding.id
        found.append(finding if under is None else finding.model_copy(update={"under": under}))
    return tuple(found)


def _topics(finding: Finding, evidence: Evidence) -> Iterator[Topic]:
    kind = KINDS.get(finding.rule)
    if kind is None:
        return
    if kind in OF_NO_ATTRIBUTE:
        yield kind, "", ""
        return
    for of_class, attribute in _about(finding.evidence, evidence):
        yield kind, of_class, attribute


def _about(pointer: str, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The class and the attributes that a place in the document is about; a crossing has several."""
    of_class = found.group() if (found := re.match("/fairness/by_class/[0-9]+", pointer)) else ""
    place: Any = evidence
    attributes: Iterable[str] = ()
    for part in pointer.split("/")[1:]:
        place = place[int(part)] if isinstance(place, tuple) else place[part] if isinstance(place, dict) else getattr(place, part)
        if isinstance(place, Attribute):
            attributes = place.columns
        elif part == "intersections":
            attributes = dict.fromkeys(column for crossing in place for column in crossing.columns)
        elif isinstance(named := getattr(place, "attribute", None), str):
            attributes = (named,)
    for attribute in attributes:
        yield of_class, attribute
