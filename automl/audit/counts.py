"""The counts behind the evidence, as one small table that travels with it: what `recompute.py` needs to compute every counts-based number again.

One row a group of a printed table, found by its JSON pointer: no person's row, and no finer cell than the evidence prints itself. The counts are taken from the
outcomes anew, not copied from the evidence, so that an error in either shows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from defusedcsv import csv
from numpy.typing import NDArray

from automl.audit.local_law_144 import Asked, Categories, law_categories, law_median, law_question
from automl.audit.outcomes import BoolArray, IntArray, Outcomes, in_reading_order
from automl.audit.parity import middle
from automl.evidence import Attribute, Estimate, FairnessSection, LawClass, LawTable, LocalLaw144Section, NotMeasured, Ratio, Value
from automl.spec import AuditPolicy

FIELDS = ("pointer", "group", "n", "selected", "true_positives", "false_positives", "false_negatives", "true_negatives", "above_median")
"""Positive is the favourable outcome: true positives were selected and have the favourable label. ``above_median``: of the people known in the table."""
SCRIPT = Path(__file__).with_name("recompute.py")
Row = tuple[str | int | None, ...]
TABLES = ("sex", "race", "intersectional")


def evidence_files(outcomes: Outcomes, policy: AuditPolicy, fairness: FairnessSection | NotMeasured, law: LocalLaw144Section | NotMeasured) -> dict[str, bytes]:
    """The files that stand beside the evidence in the bundle and travel in the PDF: counts.csv, recompute.py, and local_law_144.csv where those tables are."""
    files = {"counts.csv": _csv(FIELDS, count_rows(outcomes, policy, fairness, law)), "recompute.py": SCRIPT.read_bytes()}
    return files if isinstance(law, NotMeasured) else files | {"local_law_144.csv": _csv(LAW_FIELDS, law_rows(law))}


def _csv(header: Sequence[str], rows: Iterator[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def count_rows(outcomes: Outcomes, policy: AuditPolicy, fairness: FairnessSection | NotMeasured, law: LocalLaw144Section | NotMeasured) -> Iterator[Row]:
    """One row a group, in the order of the document; after a table's groups its unknown rows. Fields as in `FIELDS`; None where there is nothing to count."""
    if isinstance(fairness, FairnessSection):
        places = {column: _places(outcomes.groups[column]) for column in dict.fromkeys(c for a in fairness.attributes for c in a.columns)}
        for pointer, label, attributes in _tables(fairness):
            marks = _Marks.of(outcomes, label)
            for at, attribute in enumerate(attributes):
                yield from _of_attribute(f"{pointer}/{at}", attribute, places, marks)
    if isinstance(law, LocalLaw144Section) and policy.local_law_144 is not None:
        categories, _ = law_categories(outcomes, policy.local_law_144)
        parts: list[tuple[str, str | None, LocalLaw144Section | LawClass]] = [("/local_law_144", None, law)]
        parts += [(f"/local_law_144/by_class/{at}", one.label, one) for at, one in enumerate(law.by_class)]
        for pointer, label, part in parts:
            yield from _of_law(pointer, part, categories, law_question(outcomes, label))


def _tables(fairness: FairnessSection) -> Iterator[tuple[str, str | None, tuple[Attribute, ...]]]:
    for name in ("attributes", "intersections"):
        yield f"/fairness/{name}", None, getattr(fairness, name)
        for at, one in enumerate(fairness.by_class):
            yield f"/fairness/by_class/{at}/{name}", one.favourable, getattr(one, name)


def _places(values: NDArray[np.object_]) -> tuple[IntArray, list[str]]:
    """For each row its group's place in reading order, -1 where unknown; and the groups."""
    own, levels = pd.factorize(values)
    ordered = in_reading_order(str(level) for level in levels)
    place = np.array([ordered.index(str(level)) for level in levels] + [-1], dtype=np.int64)
    return place[own], ordered


class _Marks:
    """What is counted, as 0/1 arrays (n,) by field."""

    def __init__(self, outcomes: Outcomes, asked: tuple[str, ...]) -> None:
        named = bool(asked) or outcomes.task == "regression"
        selected, deserving = (outcomes.selected(asked), outcomes.deserving(asked)) if named else (None, None)
        self.rows, self.weight = outcomes.rows, outcomes.weight
        self.score = outcomes.favourable_score(asked) if named else None
        self.counted: dict[str, BoolArray] = {} if selected is None else {"selected": selected}
        if selected is not None and deserving is not None:
            self.counted |= {
                "true_positives": selected & deserving, "false_positives": selected & ~deserving, "false_negatives": ~selected & deserving,
                "true_negatives": ~selected & ~deserving}

    @classmethod
    def of(cls, outcomes: Outcomes, label: str | None) -> _Marks:
        return cls(outcomes, outcomes.favourable if label is None else (label,))

    def with_median(self, known: BoolArray) -> dict[str, BoolArray]:
        if self.score is None or not known.any():
            return self.counted
        median = middle(self.score[known], None if self.weight is None else self.weight[known])
        return self.counted | {"above_median": self.score > median}


def _of_attribute(pointer: str, attribute: Attribute, places: dict[str, tuple[IntArray, list[str]]], marks: _Marks) -> Iterator[Row]:
    if not attribute.groups:
        return
    cell, known = np.zeros(marks.rows, dtype=np.int64), np.ones(marks.rows, dtype=bool)
    for column in attribute.columns:
        own, levels = places[column]
        known &= own >= 0
        cell = cell * len(levels) + own
    _, inside = np.unique(cell[known], return_inverse=True)
    counted = marks.with_median(known)
    sums = {"n": np.bincount(inside)} | {name: np.bincount(inside, weights=hit[known]) for name, hit in counted.items()}
    for at, group in enumerate(attribute.groups):
        yield (f"{pointer}/groups/{at}", group.group, *(_cell(sums, name, at) for name in FIELDS[2:]))
    unknown = {"n": np.array([(~known).sum()])} | {name: np.array([hit[~known].sum()]) for name, hit in counted.items()}
    yield (f"{pointer}/unknown", "", *(_cell(unknown, name, 0) for name in FIELDS[2:]))


def _cell(sums: Mapping[str, NDArray[Any]], name: str, at: int) -> int | None:
    return int(sums[name][at]) if name in sums else None


def _of_law(pointer: str, part: LocalLaw144Section | LawClass, categories: dict[str, Categories | NotMeasured], asked: Asked) -> Iterator[Row]:
    known = np.logical_and.reduce([table.codes >= 0 for table in categories.values() if isinstance(table, Categories)])
    median = law_median(asked.score, known, asked.no_score)
    above = None if asked.score is None or isinstance(median, NotMeasured) else asked.score > median.value
    for name in TABLES:
        table = categories[name]
        if not isinstance(table, Categories) or not isinstance(getattr(part, name), LawTable):
            continue
        inside = table.codes >= 0
        counted = {"selected": asked.selected, "above_median": above}
        sums = {"n": np.bincount(table.codes[inside], minlength=len(table.names))} | {
            field: np.bincount(table.codes[inside], weights=hit[inside], minlength=len(table.names)) for field, hit in counted.items() if hit is not None}
        for at, category in enumerate(table.names):
            yield (f"{pointer}/{name}/rows/{at}", category, *(_cell(sums, field, at) for field in FIELDS[2:]))
        unknown = {"n": np.array([(~inside).sum()])} | {field: np.array([hit[~inside].sum()]) for field, hit in counted.items() if hit is not None}
        yield (f"{pointer}/{name}/unknown", "", *(_cell(unknown, field, 0) for field in FIELDS[2:]))


LAW_FIELDS = (
    "class", "table", "category", "people", "share", "selected", "selection_rate", "selection_rate_low", "selection_rate_high", "impact_ratio", "impact_ratio_low",
    "impact_ratio_high", "above_median", "scoring_rate", "scoring_rate_low", "scoring_rate_high", "scoring_impact_ratio", "scoring_impact_ratio_low",
    "scoring_impact_ratio_high", "left_out_because",
)


def law_rows(law: LocalLaw144Section) -> Iterator[Row]:
    """The tables as they are printed, one row a category and one for the unknown; fields as in `LAW_FIELDS`. Intervals are of 95 %."""
    for label, part in [("", law), *((one.label, one) for one in law.by_class)]:
        for name in TABLES:
            table = getattr(part, name)
            if not isinstance(table, LawTable):
                continue
            for row in table.rows:
                yield (
                    label, name, row.category, row.n, *_numbers(row.share), row.selected, *_three(row.selection_rate), *_three(row.impact_ratio), row.above_median,
                    *_three(row.scoring_rate), *_three(row.scoring_impact_ratio), row.excluded or "")
            yield (label, name, "unknown", table.unknown, *[None] * 16)


def _numbers(*values: float | None) -> tuple[str | None, ...]:
    return tuple(None if value is None else f"{value:.6f}" for value in values)


def _three(value: Value | Ratio) -> tuple[str | None, ...]:
    return _numbers(value.value, value.low, value.high) if isinstance(value, Estimate | Ratio) else (None, None, None)
