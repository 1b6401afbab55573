"""The script that travels with the evidence: it says equal for what the rooms measured, and names the number once something was changed."""

from __future__ import annotations

import csv
import io
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.audit.counts import SCRIPT, evidence_files
from automl.audit.fairness import measure_fairness
from automl.audit.local_law_144 import measure_local_law_144
from automl.audit.outcomes import Outcomes
from automl.bundle import evidence_bytes
from automl.evidence import DesignSection
from automl.spec import RACES, SEXES, PredictionsSpec
from tests.automl.audit.cases import binary, from_counts, multiclass, regression, with_a_handful
from tests.evidence_example import make_evidence


def recompute(folder: Path) -> int:
    """In this process: a fresh set of globals each time."""
    return int(runpy.run_path(str(SCRIPT))["main"](str(folder)))


def write(folder: Path, outcomes: Outcomes, *sensitive: str, law: dict[str, Any] | None = None, **policy: Any) -> Path:
    asked = {"sex": "sex", "race": "race", "data_class": "historical", **law} if law is not None else None
    spec = PredictionsSpec.model_validate({"decision": "d", "sensitive": sensitive, "local_law_144": asked, **policy})
    fairness = measure_fairness(outcomes, spec, bins={}, seed=0)
    tables = measure_local_law_144(outcomes, spec, trained=False)
    design = DesignSection(population="people", unit="row", independent=outcomes.cluster is None, cluster=None if outcomes.cluster is None else "person",
                           weights=None if outcomes.weight is None else "w", unknown_handling="counted")
    evidence = make_evidence(spec=spec, fairness=fairness, local_law_144=tables, design=design)
    folder.mkdir(exist_ok=True)
    (folder / "evidence.json").write_bytes(evidence_bytes(evidence))
    for name, content in evidence_files(outcomes, spec, fairness, tables).items():
        (folder / name).write_bytes(content)
    return folder


def of_two(n: int = 600, **changes: Any) -> Outcomes:
    rng = np.random.default_rng(5)
    race = rng.choice(np.array([*RACES, None], dtype=object), n)
    return binary(n, groups={"sex": rng.choice(np.array([*SEXES, None], dtype=object), n, p=[0.5, 0.4, 0.1]), "race": race}, **{"score": None, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is counted: decisions, labels, scores, unknowns, the tables of the law."""
    return write(tmp_path_factory.mktemp("whole") / "run", of_two(score=np.random.default_rng(1).random(600).round(2)), "sex", "race", law={})


CASES: dict[str, Callable[[], tuple[Outcomes, tuple[str, ...], dict[str, Any]]]] = {
    "a named reference": lambda: (of_two(), ("sex", "race"), {"reference": {"sex": "Female"}, "limit": {"ratio": 0.9}}),
    "no labels": lambda: (of_two(truth=None), ("sex", "race"), {}),
    "scores only": lambda: (binary(200, decision=None), ("group",), {}),
    "nobody selected": lambda: (from_counts({"a": (0, 40), "b": (0, 30)}), ("group",), {}),
    "everybody selected": lambda: (from_counts({"a": (40, 40), "b": (30, 30)}), ("group",), {}),
    "one group": lambda: (from_counts({"a": (7, 40)}), ("group",), {}),
    "a reference of seven": lambda: (with_a_handful(), ("g",), {}),
    "one person": lambda: (from_counts({"a": (20, 40), "b": (1, 1), "c": (0, 1)}), ("group",), {}),
    "equal groups": lambda: (from_counts({"a": (20, 40), "b": (12, 40), "c": (12, 40)}), ("group",), {}),
    "thousands": lambda: (from_counts({"a": (20_000, 40_000), "b": (15_210, 40_000), "c": (300, 900)}), ("group",), {}),
    "a far tail": lambda: (from_counts({"a": (2_400, 2_500), "b": (60, 2_500)}), ("group",), {}),
    "the negative class is favourable": lambda: (binary(200, favourable=("bad",)), ("group",), {}),
    "several classes": lambda: (multiclass(200), ("group",), {}),
    "several classes, none named": lambda: (multiclass(200, favourable=()), ("group",), {}),
    "a number": lambda: (regression(200), ("group",), {}),
    "weights": lambda: (of_two(weight=np.random.default_rng(0).uniform(0.2, 3, 600)), ("sex", "race"), {"law": {}}),
    "repeated persons": lambda: (of_two(cluster=np.arange(600) // 4), ("sex", "race"), {"law": {}}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_the_rooms_measured_is_equal(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    outcomes, sensitive, more = CASES[case]()
    assert recompute(write(tmp_path, outcomes, *sensitive, **more)) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert said.startswith("equal: ")
    assert ("only the counts were compared" in said) is (case in ("weights", "repeated persons"))


def test_everything_that_is_counted_is_equal(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recompute(whole) == 0, capsys.readouterr().out
    assert int(capsys.readouterr().out.split()[1].replace(",", "")) > 1_000


def change(folder: Path, pointer: str, field: str, by: int) -> None:
    rows = list(csv.DictReader(io.StringIO((folder / "counts.csv").read_text())))
    [row] = [row for row in rows if row["pointer"] == pointer]
    row[field] = str(int(row[field]) + by)
    with (folder / "counts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_changed_count_is_named_with_both_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, from_counts({"a": (20, 40), "b": (9, 30)}), "group")
    change(folder, "/fairness/attributes/0/groups/1", "selected", 1)
    assert recompute(folder) == 1
    said = capsys.readouterr().out
    assert "/fairness/attributes/0/groups/1/selected: evidence.json says 9, the counts give 10" in said
    for part in ("selection_rate/value: evidence.json says 0.3,", "impact_ratio/low", "versus_rest/difference/high", "versus_rest/tests/0/p", "versus_rest/tests/0/p_adjusted", "shortfall/to_reference"):
        assert f"/fairness/attributes/0/groups/1/{part}" in said
    assert said.splitlines()[-1].startswith("NOT EQUAL: ")


@pytest.mark.parametrize(("pointer", "value"), [
    ("/fairness/attributes/0/groups/0/impact_ratio/label", "below"), ("/fairness/attributes/0/groups/1/flip_flop", True), ("/fairness/attributes/0/reference", "Male"),
    ("/fairness/attributes/1/groups/2/impact_ratio/high", 0.93), ("/fairness/attributes/0/groups/0/versus_rest/tests/1/p", 0.4),
    ("/fairness/attributes/1/groups/1/versus_rest/tests/0/p_adjusted", 0.01), ("/fairness/attributes/0/groups/1/error_rates/tpr/low", 0.1),
    ("/fairness/attributes/0/groups/1/error_rates/gaps/fpr/high", 0.5), ("/fairness/attributes/1/groups/0/error_rates/compared/npv/over_all/high", 0.5),
    ("/fairness/attributes/1/groups/0/error_rates/compared/fpr/best", "nobody"), ("/fairness/attributes/0/groups/1/error_rates/compared/accuracy/minus_best/low", 0.5), ("/fairness/attributes/0/groups/1/unknown_band/low", 0.1), ("/fairness/family/tests", 3),
    ("/local_law_144/race/rows/1/impact_ratio/value", 0.5), ("/local_law_144/sex/rows/0/scoring_rate/k", 1), ("/local_law_144/intersectional/unknown", 0),
    ("/local_law_144/sex/rows/0/unknown_band/high", 0.5), ("/local_law_144/race/rows/4/scoring_unknown_band/low", 2.0),
    ("/fairness/intersections/0/groups/3/selection_rate/high", 0.999),
])
def test_a_number_of_the_evidence_that_was_changed_is_named(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], pointer: str, value: object) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    document = json.loads((folder / "evidence.json").read_text())
    place: Any = document
    *path, last = pointer.split("/")[1:]
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    was = place[int(last)] if isinstance(place, list) else place[last]
    if was == value:
        value = "inconclusive" if isinstance(was, str) else not was
    place[last] = value
    (folder / "evidence.json").write_text(json.dumps(document))
    assert recompute(folder) == 1
    assert f"{pointer}: evidence.json says {value}, the counts give " in capsys.readouterr().out


def test_it_runs_alone_with_the_standard_library_and_reads_the_folder_it_is_in(whole: Path) -> None:
    """-I: nothing of this project is in reach; -S: no installed package either."""
    done = subprocess.run([sys.executable, "-I", "-S", "recompute.py"], cwd=whole, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("equal: ")


def test_files_that_are_no_pair_are_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recompute(tmp_path) == 2
    folder = write(tmp_path / "b", from_counts({"a": (20, 40), "b": (9, 30)}), "group")
    (folder / "counts.csv").write_text("pointer,n\n")
    assert recompute(folder) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_it_is_short_enough_to_be_read() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 200
