"""Which tables of the fairness section are looked at, in which order; what is said of them stands in `ratios`, `errors` and `scores`.

- ``fairness_not_measured`` (medium): there is no such section, with its reason.
- ``no_favourable`` (info): no outcome was named as the good one, so each class is measured; that groups are given one of them less often is then medium at most.
"""

from __future__ import annotations

from collections.abc import Iterator

from automl.audit.findings.errors import of_crossing_residuals, of_errors, of_residuals
from automl.audit.findings.ratios import of_all_ratios, of_crossings, of_membership, of_ratio, ratios_of
from automl.audit.findings.scores import of_error_sizes, of_means
from automl.evidence import Attribute, FairnessSection, Finding, NotMeasured


def of_fairness(fairness: FairnessSection | NotMeasured, limit: float, *, residuals: bool) -> Iterator[Finding]:
    """Over all tables of the section. ``residuals``: whether mean errors say something, which they do not where a quantile is predicted."""
    if isinstance(fairness, NotMeasured):
        yield Finding(
            id="fairness_not_measured", severity="medium", text=f"Group fairness was not measured: {fairness.reason}.", evidence="/fairness",
            suggestion="Name the sensitive attributes to measure it for.", rule="fairness_not_measured",
        )
        return
    if fairness.by_class and not fairness.favourable:
        yield Finding(
            id="no_favourable", severity="info", rule="no_favourable", evidence="/fairness/by_class", suggestion="Name the outcomes that are good for a person.",
            text=f"No outcome was named as the good one, so each of the {len(fairness.by_class)} classes is measured as if it were: that a group is given one of them less often does not say that it is worse off.")
        yield from (finding.model_copy(update={"severity": "medium"}) if finding.severity == "high" else finding for finding in _of_tables(fairness, limit, residuals=residuals))
        return
    yield from _of_tables(fairness, limit, residuals=residuals)


def _of_tables(fairness: FairnessSection, limit: float, *, residuals: bool) -> Iterator[Finding]:
    crossings: dict[tuple[str, str], list[tuple[str, Attribute]]] = {}
    for pointer, of_class, attribute in _tables(fairness):
        if len(attribute.columns) == 1:
            yield from _of_groups(attribute, pointer, of_class, limit)
        else:
            crossings.setdefault((pointer.rsplit("/", 1)[0], of_class), []).append((pointer, attribute))
        if len(attribute.columns) == 1 and not of_class:
            yield from of_membership(attribute, pointer)
        if fairness.outcome == "score" and len(attribute.columns) == 1:
            yield from of_means(attribute, pointer)
        if fairness.outcome == "score" and residuals and len(attribute.columns) == 1:
            yield from of_residuals(attribute, pointer)
            yield from of_error_sizes(attribute, pointer)
    for (above, of_class), tables in crossings.items():
        yield from of_crossings(tables, above, of_class, limit)
        if fairness.outcome == "score" and residuals:
            yield from of_crossing_residuals(tables, above)


def _tables(fairness: FairnessSection) -> Iterator[tuple[str, str, Attribute]]:
    """Every table with its pointer and, where it is of one class of several, that class."""
    for name in ("attributes", "intersections"):
        for i, attribute in enumerate(getattr(fairness, name)):
            yield f"/fairness/{name}/{i}", "", attribute
        for c, section in enumerate(fairness.by_class):
            for i, attribute in enumerate(getattr(section, name)):
                yield f"/fairness/by_class/{c}/{name}/{i}", section.favourable, attribute


def _of_groups(attribute: Attribute, pointer: str, of_class: str, limit: float) -> Iterator[Finding]:
    for i, group, ratio in sorted(ratios_of(attribute), key=lambda one: one[2].value):
        yield from of_ratio(attribute, f"{pointer}/groups/{i}", of_class, (group, ratio), limit)
        yield from of_errors(attribute, group, f"{pointer}/groups/{i}", of_class)
    yield from of_all_ratios(attribute, pointer, of_class, limit)
