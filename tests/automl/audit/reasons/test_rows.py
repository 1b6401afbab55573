from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from automl.audit.reasons.measure import measure_reasons
from automl.audit.reasons.rows import FILE, reasons_csv
from automl.evidence import ReasonsSection
from tests.automl.audit.reasons.people import world


def test_each_explained_row_is_a_line_with_its_place_in_the_table_and_nothing_is_a_formula(tmp_path: Path) -> None:
    one = world({"table": {"income": {"code": "=1+1", "text": "=cmd('x')", "approved_by": "A"}, "debts": {"text": "@SUM(1)", "code": "-2+3"}}, "groups": {"+paid": ["late", "years"]}})
    reasoned = measure_reasons(*one.arguments())
    assert reasoned.rows is not None
    assert isinstance(reasoned.section, ReasonsSection)
    position = np.arange(300) * 10
    (tmp_path / FILE).write_bytes(reasons_csv(reasoned.rows, position))
    with (tmp_path / FILE).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == reasoned.section.policy.explained
    assert [int(line["row"]) for line in lines] == (reasoned.rows.explained.rows * 10).tolist()
    cells = [cell for line in lines for cell in line.values()]
    assert not any(cell[:1] in ("=", "+", "@") for cell in cells)
    assert {"'=cmd('x')", "'=1+1", "'@SUM(1)", "'-2+3", "'+paid", "NOT PROVIDED"} <= set(cells)
    for line, contributions, chosen in zip(lines, reasoned.rows.explained.phi, reasoned.rows.explained.chosen, strict=True):
        told = [at for at in chosen if at >= 0]
        assert int(line["reasons"]) == len(told)
        assert [float(line[f"reason_{place}_contribution"]) for place in range(1, len(told) + 1)] == [contributions[at] for at in told]
        assert all(line[f"reason_{place}_input"] == "" for place in range(len(told) + 1, 5))
