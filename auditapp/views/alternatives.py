"""The mitigation page in reading order: an attribute with its findings, pictures and alternatives, each with its place in the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from automl.evidence import Alternative, Chart, DeployedAttribute, Evidence, Finding, NotMeasured, ParetoFront


@dataclass(frozen=True)
class AttributeAlternatives:
    deployed: DeployedAttribute
    alternatives: tuple[tuple[int, Alternative], ...]
    findings: tuple[Finding, ...]
    charts: tuple[Chart, ...]
    fronts: tuple[ParetoFront, ...]
    left_aside: tuple[str, ...]
    """Groups of the attribute that had too few rows to be compared here."""


def alternatives_of(evidence: Evidence, charts: Sequence[Chart]) -> list[AttributeAlternatives]:
    section = evidence.mitigation
    if isinstance(section, NotMeasured):
        return []
    found = []
    for place, deployed in enumerate(section.deployed.attributes):
        mine = tuple((at, one) for at, one in enumerate(section.alternatives) if one.attribute == deployed.attribute)
        pointers = {f"/mitigation/alternatives/{at}" for at, _ in mine} | {f"/mitigation/deployed/attributes/{place}"}
        found.append(AttributeAlternatives(
            deployed, mine, tuple(one for one in evidence.findings if one.evidence in pointers),
            tuple(chart for chart in charts if chart.section == "mitigation" and chart.name.rpartition("-")[2] == str(place + 1)),
            tuple(front for front in section.pareto if front.attribute == deployed.attribute), deployed.left_aside(evidence.fairness)))
    return found
