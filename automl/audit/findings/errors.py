"""Findings on the errors and the calibration of groups, by written rules:

- ``error_gap`` (medium): a simultaneous interval of a gap of true or false positive rates or of predictive values to the reference excludes 0; where the reference is a handful of rows, of the gap to the pooled others.
- ``residual_gap`` (medium): regression; the interval of the difference in mean error to the reference excludes 0; one sentence for all crossings. Not where a quantile is predicted: groups of
  unequal spread then differ in it with the best of models.
- ``calibration_group`` (medium): observed over expected is off by a tenth or more, its interval excludes 1, and so it would with all groups of the attribute looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scipy.stats import norm

from automl.audit.findings.words import excludes, interval, number, of_which, points, shown
from automl.evidence import Attribute, ErrorRates, Estimate, Finding, Group, NotMeasured
from automl.printing import significant

CALIBRATION_OFF = 0.1


def of_errors(attribute: Attribute, group: Group, pointer: str, of_class: str) -> Iterator[Finding]:
    """Of one group, the reference included: it has no gap to itself, and a calibration like all others."""
    if isinstance(group.error_rates, ErrorRates):
        yield from _of_gaps(group.error_rates, attribute, group, pointer, of_class)
        yield from _of_calibration(attribute, group, pointer, of_class)


def _of_gaps(rates: ErrorRates, attribute: Attribute, group: Group, pointer: str, of_class: str) -> Iterator[Finding]:
    whose = {"tpr": "rows whose true label is the favourable one", "fpr": "rows whose true label is not the favourable one"}
    gaps, place, compared = (rates.gaps, "gaps", shown(attribute.reference or "")) if rates.gaps_to_rest is None else (rates.gaps_to_rest, "gaps_to_rest", "all others")
    if isinstance(gaps, NotMeasured):
        return
    outcome = shown(of_class) if of_class else "the favourable outcome"
    for rate, gap in (("tpr", gaps.tpr), ("fpr", gaps.fpr), ("ppv", gaps.ppv)):
        if isinstance(gap, Estimate) and excludes(gap, 0):
            relation = "less" if gap.value < 0 else "more"
            differ = f"the rates differ by {points(gap.value)} points ({100 * gap.level:.3g} % interval {points(gap.low)} to {points(gap.high)})"
            yield Finding(
                id=f"error_gap:{pointer}:{rate}", severity="medium",
                text=f"Among rows that are given {outcome}, {shown(group.group)} ({shown(attribute.attribute)}) have it as their true label {relation} often than {compared}: {differ}." if rate == "ppv" else
                f"Among {whose[rate]}, {shown(group.group)} ({shown(attribute.attribute)}) get {outcome} {relation} often than {compared}: {differ}.",
                evidence=f"{pointer}/error_rates/{place}/{rate}",
                suggestion="With unequal base rates not all error measures can agree; say which one governs this use, and why.", rule="error_gap",
            )


def _of_calibration(attribute: Attribute, group: Group, pointer: str, of_class: str) -> Iterator[Finding]:
    observed = None if isinstance(group.calibration, NotMeasured) else group.calibration.observed_over_expected
    if isinstance(observed, Estimate) and excludes(observed, 1) and abs(observed.value - 1) >= CALIBRATION_OFF and _beyond_all(group, attribute):
        labels = f"labels {shown(of_class)}" if of_class else "favourable labels"
        yield Finding(
            id=f"calibration_group:{pointer}", severity="medium",
            text=f"In {shown(group.group)} ({shown(attribute.attribute)}) {labels} are observed {number(observed.value, 1)} times as often as the model's probabilities "
            f"expect ({interval(observed, 1)}).",
            evidence=f"{pointer}/calibration", suggestion="Read the scores of this group with care, or recalibrate.", rule="calibration_group",
        )


def _beyond_all(group: Group, attribute: Attribute) -> bool:
    """Whether a group's calibration is off beyond what the worst of so many groups would be by chance, by its z (Bonferroni)."""
    z = None if isinstance(group.calibration, NotMeasured) else group.calibration.z
    return z is None or abs(z) >= norm.isf(0.025 / max(len(attribute.groups), 1))


def of_residuals(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    """Of each group of an attribute whose mean error differs from the reference's. ``pointer``: to its table."""
    for i, group, gap in _residual_gaps(attribute):
        yield Finding(
            id=f"residual_gap:{pointer}/groups/{i}", severity="medium",
            text=f"The truth lies {_further(attribute, group, gap)}.",
            evidence=f"{pointer}/groups/{i}/score/residual_difference", suggestion="Look at which inputs this group's error goes with.", rule="residual_gap",
        )


def of_crossing_residuals(tables: Sequence[tuple[str, Attribute]], above: str) -> Iterator[Finding]:
    """One sentence over all crossings, of the group whose interval is furthest from 0: the largest value alone is the smallest group's."""
    told = [(pointer, attribute, i, group, gap) for pointer, attribute in tables for i, group, gap in _residual_gaps(attribute)]
    if told:
        pointer, attribute, i, group, gap = max(told, key=lambda one: max(one[4].low, -one[4].high))
        whole, where, at = of_which([(place, each) for place, each, *_ in told], above)
        yield Finding(
            id=f"residual_gap:{at}", severity="medium",
            text=f"For {len(told)} of {whole} groups of {where} the mean error differs from the reference's beyond sampling error; exploratory, as all crossings are. "
            f"Furthest from none: the truth lies {_further(attribute, group, gap)}.",
            evidence=f"{pointer}/groups/{i}/score/residual_difference", suggestion="Look at the crossing's table: attributes taken one by one can hide such groups.", rule="residual_gap",
        )


def _residual_gaps(attribute: Attribute) -> Iterator[tuple[int, Group, Estimate]]:
    """The groups whose mean error differs from the reference's beyond sampling error."""
    for i, group in enumerate(attribute.groups):
        gap = None if isinstance(group.score, NotMeasured) else group.score.residual_difference
        if isinstance(gap, Estimate) and excludes(gap, 0):
            yield i, group, gap


def _further(attribute: Attribute, group: Group, gap: Estimate) -> str:
    return (f"{'above' if gap.value > 0 else 'below'} the prediction by {significant(abs(gap.value))} more for {shown(group.group)} ({shown(attribute.attribute)}) than for "
            f"{shown(attribute.reference or '')} (difference of mean errors {significant(gap.value)}, {100 * gap.level:.3g} % interval {significant(gap.low)} to {significant(gap.high)})")
