"""Where a sentence on sampling error would rest on too few rows: below 30 a value stands with its interval, and nothing is concluded from it (evidence rule 5)."""

from __future__ import annotations

from collections.abc import Sequence

from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.evidence import Attribute, Estimate, Group, NotMeasured, Ratio, ScoreOutcome
from automl.printing import row_count


def few(group: Group) -> bool:
    """Few rows, few persons behind them, or few rows at their weights' effective number."""
    measured = group.selection_rate
    if isinstance(measured, NotMeasured) and isinstance(group.score, ScoreOutcome):
        measured = group.score.mean
    return group.n < LOW_PRECISION_BELOW or (isinstance(measured, Estimate) and measured.low_precision)


def only(group: Group) -> str:
    """How few the rows of such a group are, as the end of a sentence."""
    return f"has only {row_count(group.n)}" if group.n < LOW_PRECISION_BELOW else f"has fewer than {LOW_PRECISION_BELOW} independent rows"


def what_is_few(groups: Sequence[Group]) -> str:
    """What there are few of: rows, or rows that count as independent."""
    return "rows" if all(group.n < LOW_PRECISION_BELOW for group in groups if few(group)) else "independent rows"


def label_of_few(attribute: Attribute, group: Group, ratio: Ratio) -> bool:
    """Whether the group, or the one whose comparison decided the ratio's label, is too small for a sentence on sampling error."""
    return any(few(each) for each in attribute.groups if each.group in (group.group, ratio.label_contrast))
