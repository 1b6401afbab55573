"""A finding on predicted numbers, by a written rule:

- ``mean_gap`` (low): regression; the simultaneous interval of a group's mean predicted number minus the reference's excludes 0. Nobody stated a limit for such differences, and the recorded numbers
  may differ as much, so they stand beside it; where they do not, ``residual_gap`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.words import excludes, shown
from automl.evidence import Attribute, Estimate, Finding, ScoreOutcome
from automl.printing import significant


def of_means(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    """Of the group that is furthest from the reference, and how many differ from it. ``pointer``: to the table."""
    apart = [(i, group, group.score, difference) for i, group in enumerate(attribute.groups) if isinstance(group.score, ScoreOutcome)
             and isinstance(difference := group.score.mean_difference, Estimate) and excludes(difference, 0)]
    if not apart:
        return
    i, group, score, difference = max(apart, key=lambda one: abs(one[3].value))
    residual = score.residual_difference
    recorded = f"; the recorded numbers differ by {significant(difference.value + residual.value)}" if isinstance(residual, Estimate) else ""
    yield Finding(
        id=f"mean_gap:{pointer}", severity="low",
        text=f"The mean predicted number of {shown(group.group)} ({shown(attribute.attribute)}) minus that of {shown(attribute.reference or '')} is {significant(difference.value)} "
        f"({100 * difference.level:.3g} % interval {significant(difference.low)} to {significant(difference.high)}){recorded}. "
        f"{len(apart)} of {len(attribute.groups)} groups differ from {shown(attribute.reference or '')} beyond sampling error.",
        evidence=f"{pointer}/groups/{i}/score/mean_difference", suggestion="Whether a difference of this size is right for this use is for people; the differences of errors say where the model adds to it.",
        rule="mean_gap",
    )
