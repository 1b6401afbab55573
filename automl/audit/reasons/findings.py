"""What stands out about the reasons of unfavourable decisions, by written rules:

- ``reasons_excluded`` (high from 5 % of the rows on, else medium): an input that may not be stated would have been among the principal reasons.
- ``reasons_none`` (high where the interval lies above 5 % of the rows, medium from 1 % on): unfavourable decisions without any reason that could be stated.
- ``reasons_flip`` (medium): in fewer than 80 % of the rows, beyond sampling error, do the stated inputs carry the score over the cut or half of the way.
- ``reasons_background`` (medium): the lists against people at the cut and against all applicants overlap by less than half, beyond sampling error.
- ``reasons_unstable`` (medium): the list overlaps by less than 0.7 with those against resampled backgrounds, beyond sampling error.
- ``reasons_proxy`` (medium): an input that stands in for a sensitive attribute is stated as a reason, and no person has approved its line of the reason table.
- ``reasons_protected`` (medium): an input that is named like a ground that discrimination law names (age, marital status, origin) is stated as a reason, and no person has approved its line.
- ``reasons_text`` (medium where there is a reason table, else info): stated reasons whose text no person approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from automl.data.proposals import is_sensitive_name
from automl.evidence import Estimate, ExplanationSection, Finding, NotMeasured, ReasonRow, ReasonsSection, Value
from automl.printing import estimate, visible, whole

EXCLUDED_HIGH = 0.05
NONE_HIGH, NONE_MEDIUM = 0.05, 0.01
FLIP_LEAST = 0.8
OVERLAP_LEAST = 0.5
STABLE_LEAST = 0.7
NAMED = 3
QUALITY = "/reasons/quality"


def findings_of_reasons(reasons: ReasonsSection | NotMeasured, explanation: ExplanationSection | NotMeasured) -> Iterator[Finding]:
    """None where reasons were not measured: the section itself says why. ``explanation``: which inputs stand in for which attributes."""
    if isinstance(reasons, NotMeasured):
        return
    quality = reasons.quality
    yield from _excluded(reasons)
    yield from _none(quality.none)
    if _below(quality.flip_moves, FLIP_LEAST):
        yield Finding(
            id="reasons_flip", severity="medium", evidence=f"{QUALITY}/flip_moves", rule="reasons_flip",
            text=f"With the stated inputs as people just above the cut have them, {_percent(quality.flip_moves)} of unfavourable decisions turn or come half of the way to the cut; in the others the "
                 "stated reasons do not carry the decision.",
            suggestion="State more reasons, or group inputs that go together in the reason table.")
    if _below(quality.overlap, OVERLAP_LEAST):
        yield Finding(
            id="reasons_background", severity="medium", evidence=f"{QUALITY}/overlap", rule="reasons_background",
            text=f"Reasons depend on whom a person is compared with: the lists against people just above the cut and against all applicants overlap by {_said(quality.overlap)} (Jaccard).",
            suggestion="Decide, and write down, which comparison your notices use; the report has both.")
    if _below(quality.stability, STABLE_LEAST):
        yield Finding(
            id="reasons_unstable", severity="medium", evidence=f"{QUALITY}/stability", rule="reasons_unstable",
            text=f"Against {quality.stability_backgrounds} resampled backgrounds the stated reasons overlap with themselves by {_said(quality.stability)} (Jaccard).",
            suggestion="Group inputs that go together; a small change of the comparison should not give a person other reasons.")
    if isinstance(explanation, ExplanationSection):
        yield from _proxies(reasons, {feature.feature: feature.stands_in_for for feature in explanation.features if feature.stands_in_for})
    yield from _protected(reasons)
    yield from _texts(reasons)


def _excluded(reasons: ReasonsSection) -> Iterator[Finding]:
    share = reasons.quality.excluded_would_be_stated
    if not isinstance(share, Estimate) or share.value == 0:
        return
    named = [row for row in reasons.table if row.excluded is not None and isinstance(row.stated, Estimate) and row.stated.value > 0]
    yield Finding(
        id="reasons_excluded", severity="high" if share.value >= EXCLUDED_HIGH else "medium", evidence=f"{QUALITY}/excluded_would_be_stated", rule="reasons_excluded",
        text=f"In {_percent(share)} of unfavourable decisions an input that may not be stated would have been among the principal reasons: {_names(named)}. What is stated then leaves out what was scored.",
        suggestion="Consider a model without these inputs.")


def _names(rows: list[ReasonRow]) -> str:
    shown = ", ".join(f"{visible(row.reason, 60)} ({row.excluded})" for row in rows[:NAMED])
    return shown + (f" and {len(rows) - NAMED} more" if len(rows) > NAMED else "")


def _proxies(reasons: ReasonsSection, stand_ins: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """The one stated most often is named; ``reasons.table`` is in that order."""
    unreviewed = [
        (at, row, found, row.stated) for at, row in enumerate(reasons.table) if row.excluded is None and row.approved_by is None and isinstance(row.stated, Estimate) and row.stated.value > 0
        if (found := sorted({attribute for name in row.inputs for attribute in stand_ins.get(name, ())}))]
    if not unreviewed:
        return
    at, row, attributes, stated = unreviewed[0]
    more = f"; the same is true of {len(unreviewed) - 1} more" if len(unreviewed) > 1 else ""
    yield Finding(
        id="reasons_proxy", severity="medium", evidence=f"/reasons/table/{at}", rule="reasons_proxy",
        text=f"{visible(row.reason, 60)} stands in for {', '.join(visible(name, 60) for name in attributes)} and is stated as a reason in {_percent(stated)} of unfavourable decisions, and no person has "
             f"approved it{more}.",
        suggestion="Review such inputs one by one: approve the line of the reason table, or have it excluded there.")


def _protected(reasons: ReasonsSection) -> Iterator[Finding]:
    """By their names alone: whether a law forbids to state them, only people know, and age may be stated where Regulation B says so."""
    named = [(at, row, row.stated) for at, row in enumerate(reasons.table) if row.excluded is None and row.approved_by is None and isinstance(row.stated, Estimate) and row.stated.value > 0
             and any(is_sensitive_name(name) for name in row.inputs)]
    if not named:
        return
    at, row, stated = named[0]
    more = f"; the same is true of {len(named) - 1} more" if len(named) > 1 else ""
    yield Finding(
        id="reasons_protected", severity="medium", evidence=f"/reasons/table/{at}", rule="reasons_protected",
        text=f"{visible(row.reason, 60)} is named like a ground that discrimination law names and is stated as a reason in {_percent(stated)} of unfavourable decisions, and no person has approved it{more}.",
        suggestion="Where the law forbids it as a ground, have it excluded in the reason table; otherwise approve its line there.")


def _none(share: Value) -> Iterator[Finding]:
    if not isinstance(share, Estimate) or share.value < NONE_MEDIUM:
        return
    yield Finding(
        id="reasons_none", severity="high" if share.low > NONE_HIGH and not share.low_precision else "medium", evidence=f"{QUALITY}/none", rule="reasons_none",
        text=f"{_percent(share)} of unfavourable decisions have no reason that could be stated by the rules.",
        suggestion="Look at these rows: contributions are spread over many inputs, or only excluded ones count against the person.")


def _texts(reasons: ReasonsSection) -> Iterator[Finding]:
    share = reasons.quality.without_approved_text
    if not isinstance(share, Estimate) or share.value == 0:
        return
    has_table = any(row.text is not None for row in reasons.table)
    unapproved = sum(n for wording, n in reasons.quality.wordings.items() if wording != "approved")
    yield Finding(
        id="reasons_text", severity="medium" if has_table else "info", evidence=f"{QUALITY}/without_approved_text", rule="reasons_text",
        text=f"{_percent(share)} of unfavourable decisions have a stated reason whose text no person approved ({whole(unapproved)} reasons)."
        if has_table else "There is no reason table: reasons are named by their inputs, and no person has approved a text for any of them.",
        suggestion="Give a reason table in the spec (reasons.table) with a text and a name for each input that may be stated.")


def _below(value: Value, limit: float) -> bool:
    return isinstance(value, Estimate) and not value.low_precision and value.high < limit


def _percent(value: Value) -> str:
    return estimate(value, as_percent=True)


def _said(value: Value) -> str:
    return estimate(value)
