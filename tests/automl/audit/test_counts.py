from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from automl.audit.counts import FIELDS, LAW_FIELDS, evidence_files
from automl.audit.fairness import measure_fairness
from automl.audit.local_law_144 import NOT_ASKED
from automl.audit.outcomes import Outcomes
from automl.evidence import FairnessSection, NotMeasured
from automl.spec import AuditPolicy
from tests.automl.audit.cases import binary, from_counts, multiclass, regression
from tests.automl.audit.test_local_law_144 import V19, X, cells, measure, policy

Rows = dict[str, dict[str, str]]


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def counted(outcomes: Outcomes, *sensitive: str) -> tuple[FairnessSection, Rows]:
    asked = AuditPolicy(sensitive=sensitive)
    fairness = measure_fairness(outcomes, asked, bins={}, seed=0)
    assert isinstance(fairness, FairnessSection)
    rows = rows_of(evidence_files(outcomes, asked, fairness, NOT_ASKED)["counts.csv"])
    assert list(rows[0]) == list(FIELDS)
    return fairness, {row["pointer"]: row for row in rows}


@pytest.mark.parametrize("make", [binary, multiclass, regression])
def test_every_group_has_a_row_with_its_own_counts(make: object) -> None:
    outcomes = make(200)  # type: ignore[operator]
    sensitive = tuple(outcomes.groups)
    fairness, rows = counted(outcomes, *sensitive)
    tables = [(f"/fairness/{name}/{at}", table) for name in ("attributes", "intersections") for at, table in enumerate(getattr(fairness, name))]
    tables += [(f"/fairness/by_class/{c}/attributes/{at}", table) for c, one in enumerate(fairness.by_class) for at, table in enumerate(one.attributes)]
    assert set(rows) == {f"{pointer}/groups/{at}" for pointer, table in tables for at in range(len(table.groups))} | {f"{pointer}/unknown" for pointer, _ in tables}
    for pointer, table in tables:
        assert int(rows[f"{pointer}/unknown"]["n"]) == table.unknown
        for at, group in enumerate(table.groups):
            row = rows[f"{pointer}/groups/{at}"]
            assert (row["group"], int(row["n"])) == (group.group, group.n)
            assert row["selected"] == ("" if group.selected is None else str(group.selected))
            if row["true_positives"]:
                assert sum(int(row[name]) for name in FIELDS[4:8]) == group.n


def test_the_counts_are_the_rows_own_and_unknown_rows_are_apart() -> None:
    outcomes = binary(200)
    _, rows = counted(outcomes, "group", "sex")
    group, sex = outcomes.groups["group"], outcomes.groups["sex"]
    assert outcomes.decision is not None
    assert outcomes.truth is not None
    mine = (group == "b") & (sex == "f")
    [row] = [row for row in rows.values() if row["group"] == "b x f"]
    assert int(row["true_positives"]) == int((outcomes.decision[mine] & outcomes.truth[mine]).sum())
    assert int(row["false_negatives"]) == int(((1 - outcomes.decision[mine]) & outcomes.truth[mine]).sum())
    unknown = rows["/fairness/attributes/1/unknown"]
    assert (int(unknown["n"]), int(unknown["selected"])) == (int((sex == None).sum()), int(outcomes.decision[sex == None].sum()))  # noqa: E711 - elementwise
    score = np.asarray(outcomes.score)
    assert int(rows["/fairness/attributes/0/groups/1"]["above_median"]) == int((score > np.median(score))[group == "b"].sum())


def test_mistake_16_no_finer_cell_travels_than_is_printed() -> None:
    """Three attributes crossed in pairs: a file of all three at once would tell single persons apart."""
    rng = np.random.default_rng(0)
    groups = {name: rng.choice(np.array([f"{name}{i}" for i in range(3)], dtype=object), 200) for name in "abc"}
    fairness, rows = counted(binary(200, score=None, groups=groups), "a", "b", "c")
    printed = sum(len(table.groups) + 1 for table in (*fairness.attributes, *fairness.intersections))
    assert len(rows) == printed
    assert not any(row["group"].count(" x ") > 1 for row in rows.values())


def test_no_name_of_the_data_becomes_a_formula() -> None:
    _, rows = counted(from_counts({"=cmd()": (5, 10), "b": (3, 10)}), "group")
    assert rows["/fairness/attributes/0/groups/0"]["group"] == "'=cmd()"


def test_the_tables_of_the_law_are_a_file_of_their_own_where_they_are_asked_for() -> None:
    outcomes, asked = cells(V19), policy(exclude=[{"category": X, "justification": "few"}])
    law = measure(outcomes, exclude=[{"category": X, "justification": "few"}])
    files = evidence_files(outcomes, asked, NotMeasured(reason="not here"), law)
    assert set(files) == {"counts.csv", "recompute.py", "local_law_144.csv"}
    rows = rows_of(files["local_law_144.csv"])
    assert list(rows[0]) == list(LAW_FIELDS)
    assert len(rows) == 2 + 7 + 14 + 3
    left_out = next(row for row in rows if (row["table"], row["category"]) == ("race", X))
    assert (left_out["people"], left_out["selected"], left_out["selection_rate"], left_out["impact_ratio"], left_out["left_out_because"]) == ("1", "1", "1.000000", "", "few")
    black = next(row for row in rows if (row["table"], row["category"]) == ("race", "Black or African American"))
    assert black["impact_ratio"] == "0.857143"
    assert [row["people"] for row in rows if row["category"] == "unknown"] == ["0", "0", "0"]
    counts = {row["pointer"]: row for row in rows_of(files["counts.csv"])}
    assert counts["/local_law_144/race/rows/2"]["selected"] == "30"


def test_without_fairness_there_is_nothing_to_count() -> None:
    files = evidence_files(from_counts({"a": (1, 2)}), AuditPolicy(), NotMeasured(reason="no attribute"), NOT_ASKED)
    assert rows_of(files["counts.csv"]) == []
    assert set(files) == {"counts.csv", "recompute.py"}
