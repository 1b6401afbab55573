"""The evidence on a terminal: what was measured in a few lines, each read from the document, none computed."""

from __future__ import annotations

from collections.abc import Iterator

from automl.evidence import Evidence, NotMeasured, SearchSection
from automl.printing import estimate, significant

SEVERITIES = ("high", "medium", "low", "info")


def summary(evidence: Evidence) -> str:
    """Model, metrics with intervals and findings, one a line. Strings that come from the table are shown without control characters."""
    return "\n".join(_shown(line) for line in _lines(evidence))


def _lines(evidence: Evidence) -> Iterator[str]:
    if isinstance(evidence.search, SearchSection):
        members = ", ".join(f"{member.family} (trial {member.trial}) {member.weight:.2f}" for member in evidence.search.ensemble)
        yield f"Model        {members}"
        yield from _front(evidence.search)
    if isinstance(evidence.performance, NotMeasured):
        yield f"Performance  not measured: {evidence.performance.reason}"
    else:
        yield f"Performance on the {evidence.performance.n:,} rows of the audit part, with 95 % intervals"
        for name, value in evidence.performance.metrics.items():
            yield f"  {name:<18} {estimate(value)}"
    if isinstance(evidence.fairness, NotMeasured):
        yield f"Fairness     not measured: {evidence.fairness.reason}"
    yield f"Findings     {len(evidence.findings)}"
    for severity in SEVERITIES:
        for finding in evidence.findings:
            if finding.severity == severity:
                yield f"  {severity:<7} {finding.text}"


def _front(search: SearchSection) -> Iterator[str]:
    if (front := search.front) is None:
        return
    yield f"Front        out of fold: {search.metric} with 95 % interval, {front.metric}"
    for model in front.listed:
        name = model.family if model.trial is None else f"trial {model.trial}"
        value = "not defined" if model.fairness is None else significant(model.fairness, 3)
        yield f"  {name:<18} {estimate(model.score)}, {value}{', deployed' if model.deployed else ''}{f', in {model.folder}' if model.folder else ''}"


def _shown(line: str) -> str:
    """A name from the data cannot move the cursor or colour the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def reaches(evidence: Evidence, fail_on: str) -> bool:
    """Whether a finding at or above ``fail_on`` ("high" or "medium") exists."""
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.severity in counted for finding in evidence.findings)
