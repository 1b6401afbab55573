"""Findings on predicted numbers, by written rules:

- ``mean_gap`` (low): regression; the simultaneous interval of a group's mean predicted number minus the reference's excludes 0. Nobody stated a limit for such differences, and the recorded numbers
  may differ as much, so they stand beside it; where they do not, ``residual_gap`` says so.
- ``error_size_gap`` (low): the same of mean absolute errors: for whom the predictions are further off.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.words import excludes, shown
from automl.evidence import Attribute, Estimate, Finding, ScoreOutcome
from automl.printing import significant


def of_means(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    """Of the group that is furthest from the reference, and how many differ from it. ``pointer``: to the table."""
    compared = [(i, group, group.score, difference) for i, group in enumerate(attribute.groups) if isinstance(group.score, ScoreOutcome) and isinstance(difference := group.score.mean_difference, Estimate)]
    apart = [one for one in compared if excludes(one[3], 0)]
    if not apart:
        return
    i, group, score, difference = max(apart, key=lambda one: abs(one[3].value))
    residual = score.residual_difference
    recorded = f"; the recorded numbers differ by {significant(difference.value + residual.value)}" if isinstance(residual, Estimate) else ""
    yield Finding(
        id=f"mean_gap:{pointer}", severity="low",
        text=f"The mean predicted number of {shown(group.group)} ({shown(attribute.attribute)}) minus that of {shown(attribute.reference or '')} is {significant(difference.value)} "
        f"({100 * difference.level:.3g} % interval {significant(difference.low)} to {significant(difference.high)}){recorded}. "
        f"{len(apart)} of {len(compared)} other groups that can be compared differ from {shown(attribute.reference or '')} beyond sampling error.",
        evidence=f"{pointer}/groups/{i}/score/mean_difference", suggestion="Whether a difference of this size is right for this use is for people; the differences of errors say where the model adds to it.",
        rule="mean_gap",
    )


def of_error_sizes(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    """Of the group whose interval is furthest from 0, and how many differ."""
    compared = [(i, group, difference) for i, group in enumerate(attribute.groups) if isinstance(group.score, ScoreOutcome) and isinstance(difference := group.score.absolute_error_difference, Estimate)]
    apart = [one for one in compared if excludes(one[2], 0)]
    if not apart:
        return
    i, group, difference = max(apart, key=lambda one: max(one[2].low, -one[2].high))
    yield Finding(
        id=f"error_size_gap:{pointer}", severity="low",
        text=f"Predictions are {'further off' if difference.value > 0 else 'less far off'} for {shown(group.group)} ({shown(attribute.attribute)}) than for {shown(attribute.reference or '')}: their mean absolute errors "
        f"differ by {significant(difference.value)} ({100 * difference.level:.3g} % interval {significant(difference.low)} to {significant(difference.high)}). "
        f"{len(apart)} of {len(compared)} other groups that can be compared differ from {shown(attribute.reference or '')} beyond sampling error.",
        evidence=f"{pointer}/groups/{i}/score/absolute_error_difference", suggestion="Errors may grow with the number itself: read them beside the group's mean.", rule="error_size_gap",
    )
