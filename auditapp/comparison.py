"""What differs between two runs: what was asked for, which table, and every number that both have, with the interval of its difference.

Only what stands in the two evidence documents is compared. The interval of a difference is recovered from the two intervals as if they were of
independent samples (MOVER: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702). Two models measured on the same rows err together as a rule,
so for them it is wider than one from paired rows would be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from automl.evidence import Estimate, Evidence, FairnessSection, Finding, Group, NotMeasured, PerformanceSection, SearchSection, measured_digest_of

INDEPENDENT = "MOVER, as of independent samples"
OF_THE_RUN = {"parent", "title"}
"""Parts of a spec that name the run and ask for nothing."""


@dataclass(frozen=True)
class Setting:
    """A part of the spec that the two runs do not share; "" where one does not have it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Pair:
    """One number in both runs. ``difference`` is the second minus the first; None where one of them has no interval."""

    name: str
    before: Estimate | NotMeasured | None
    after: Estimate | NotMeasured | None
    difference: Estimate | None

    @property
    def beyond_sampling_error(self) -> bool:
        return self.difference is not None and (self.difference.low > 0 or self.difference.high < 0)


@dataclass(frozen=True)
class GroupPair:
    """One group in both runs: what it gets, and how it stands against the reference."""

    rate: Pair
    before: Group
    after: Group


@dataclass(frozen=True)
class AttributePair:
    attribute: str
    groups: tuple[GroupPair, ...]
    only_in_one: tuple[str, ...]
    """Groups that one of the two does not have: bins or tables differ."""


@dataclass(frozen=True)
class Comparison:
    settings: tuple[Setting, ...]
    same_table: bool
    same_rows: bool
    """Both measured on the same audit rows; otherwise a difference mixes the models with the rows."""
    why_other_rows: str
    same_digest: bool
    """Of what was measured: the number of the audit set aside."""
    metrics: tuple[Pair, ...]
    attributes: tuple[AttributePair, ...]
    new_findings: tuple[Finding, ...]
    gone_findings: tuple[Finding, ...]
    models: tuple[str, str]


def compare(first: Evidence, second: Evidence) -> Comparison:
    """``first`` is the earlier or the usual one, ``second`` the one that is asked about: differences are second minus first."""
    why = _other_rows(first, second)
    return Comparison(
        settings=tuple(_settings(first, second)), same_table=first.data.sha256 == second.data.sha256, same_rows=not why, why_other_rows=why,
        same_digest=measured_digest_of(first.model_dump(mode="json")) == measured_digest_of(second.model_dump(mode="json")), metrics=tuple(_metrics(first, second)), attributes=tuple(_attributes(first, second)),
        new_findings=_findings_without_twin(second, first), gone_findings=_findings_without_twin(first, second), models=(_model_of(first), _model_of(second)))


def difference_of(before: Estimate, after: Estimate) -> Estimate:
    """``after`` minus ``before`` with the limits that their own imply (MOVER)."""
    value = after.value - before.value
    low = value - math.hypot(after.value - after.low, before.high - before.value)
    high = value + math.hypot(after.high - after.value, before.value - before.low)
    return Estimate(value=value, low=low, high=high, level=min(before.level, after.level), method=INDEPENDENT, n=min(before.n, after.n), low_precision=before.low_precision or after.low_precision)


def _other_rows(first: Evidence, second: Evidence) -> str:
    """Why the two were not measured on the same rows, named by what differs; empty where they were."""
    splits = (first.data.split, second.data.split)
    facts = [
        {"table": evidence.data.sha256, "target": evidence.data.target and evidence.data.target.name, "kind": evidence.run.kind, "split": split.method, "seed": split.seed, "audit rows": split.audit}
        for evidence, split in zip((first, second), splits, strict=True)]
    differing = [name for name in facts[0] if facts[0][name] != facts[1][name]]
    # Of a table of the person's own the document holds the number of rows, and not which they are
    if not differing and splits[0].method == "own table":
        differing.append("own table to audit on")
    return ", ".join(differing)


def _settings(first: Evidence, second: Evidence) -> Iterator[Setting]:
    before, after = (evidence.spec.model_dump(mode="json") for evidence in (first, second))
    for name in sorted(set(before) | set(after)):
        if name not in OF_THE_RUN and before.get(name) != after.get(name):
            yield Setting(name, _said(before.get(name)), _said(after.get(name)))


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_said(one)}" for key, one in value.items() if one not in (None, {}, []))
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _pair(name: str, before: Any, after: Any) -> Pair:
    known = isinstance(before, Estimate) and isinstance(after, Estimate)
    return Pair(name, before, after, difference_of(before, after) if known else None)


def _metrics(first: Evidence, second: Evidence) -> Iterator[Pair]:
    before, after = (evidence.performance.metrics if isinstance(evidence.performance, PerformanceSection) else {} for evidence in (first, second))
    for name in dict.fromkeys([*before, *after]):
        yield _pair(name, before.get(name), after.get(name))


def _attributes(first: Evidence, second: Evidence) -> Iterator[AttributePair]:
    if not isinstance(first.fairness, FairnessSection) or not isinstance(second.fairness, FairnessSection):
        return
    if first.fairness.favourable != second.fairness.favourable or first.fairness.outcome != second.fairness.outcome:
        return
    others = {attribute.attribute: attribute for attribute in second.fairness.attributes}
    for attribute in first.fairness.attributes:
        if (other := others.get(attribute.attribute)) is None:
            continue
        after = {group.group: group for group in other.groups}
        shared = [group for group in attribute.groups if group.group in after]
        only = {group.group for group in attribute.groups} ^ set(after)
        pairs = tuple(GroupPair(_pair(group.group, _level(group), _level(after[group.group])), group, after[group.group]) for group in shared)
        yield AttributePair(attribute.attribute, pairs, tuple(sorted(only)))


def _level(group: Group) -> Estimate | NotMeasured:
    """What a group gets: the rate of the favourable decision, or the mean of the number that is predicted."""
    if isinstance(group.selection_rate, NotMeasured) and not isinstance(group.score, NotMeasured):
        return group.score.mean
    return group.selection_rate


def _findings_without_twin(these: Evidence, those: Evidence) -> tuple[Finding, ...]:
    """Findings whose rule said nothing of the same place in the other document."""
    known = {(finding.rule, _place(those, finding.evidence)) for finding in those.findings}
    return tuple(finding for finding in these.findings if (finding.rule, _place(these, finding.evidence)) not in known)


def _place(evidence: Evidence, pointer: str) -> tuple[str, ...]:
    """The pointer with the names of attributes and groups for their numbers, which shift when one is added."""
    found: Any = evidence
    path = []
    for step in pointer.split("/")[1:]:
        if isinstance(found, tuple | list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
            step = str(next((getattr(found, name) for name in ("attribute", "group", "name", "favourable") if hasattr(found, name)), step))
        else:
            found = found.get(step) if isinstance(found, dict) else getattr(found, step, None)
        path.append(step)
    return tuple(path)


def _model_of(evidence: Evidence) -> str:
    if not isinstance(evidence.search, SearchSection):
        return ""
    return next((row.name for row in evidence.search.leaderboard if row.chosen), "")
