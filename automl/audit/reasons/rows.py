"""The reasons of every explained row as a table of their own. Personal data: it goes into the bundle, never into the PDF."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from defusedcsv import csv

from automl.audit.outcomes import IntArray
from automl.audit.reasons.principal import NOTHING
from automl.audit.reasons.quality import Explained
from automl.audit.reasons.wording import Worded
from automl.evidence import StatedReason

FILE = "reasons.csv"
NOT_PROVIDED = "NOT PROVIDED"
_OF_REASON = ("code", "text", "wording", "input", "value", "contribution")


@dataclass(frozen=True, eq=False)
class RowReasons:
    explained: Explained
    worded: Worded
    most: int


def reasons_csv(reasons: RowReasons, position: IntArray) -> bytes:
    """CSV, UTF-8, one line a row: ``row`` (position in the table, from 0, as in predictions.csv), its score and distance to the cut in log-odds, each stated reason, and the
    inputs that would be stated against all applicants. ``position``: of every audit row. No cell is read as a formula by a spreadsheet."""
    explained, most = reasons.explained, reasons.most
    overlaps = explained.overlaps
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "score", "distance", "reasons", *(f"reason_{at}_{what}" for at in range(1, most + 1) for what in _OF_REASON),
                     *(f"all_applicants_{at}_input" for at in range(1, most + 1)), "overlap"])
    for row, at in enumerate(explained.rows):
        stated = reasons.worded.list_of(row, explained.chosen[row], explained.phi[row])
        against_all = [explained.factors[each].name for each in explained.chosen_all[row] if each != NOTHING]
        cells = [cell for one in stated for cell in _cells(one)] + [""] * (len(_OF_REASON) * (most - len(stated)))
        writer.writerow([int(position[at]), float(explained.scores[row]), float(explained.distance[row]), len(stated), *cells,
                         *against_all, *[""] * (most - len(against_all)), float(overlaps[row])])
    return text.getvalue().encode()


def _cells(one: StatedReason) -> tuple[Any, ...]:
    return (one.code or NOT_PROVIDED, one.text or NOT_PROVIDED, one.wording, one.reason, one.value, one.contribution)
