"""A spec that the table's profile contradicts is refused before it is queued, with a pointer."""

from __future__ import annotations

import io
from typing import Any

import pytest

from auditapp import datasets, profiles
from auditapp.models import Dataset, Workspace
from auditapp.submission import check_against_profile
from automl.errors import BadInput
from automl.evidence import ColumnProfile, ColumnType, DatasetProfile, ProposedRole, TableReading
from automl.spec import FairnessObjective, PredictionsSpec, TableOptions, TaskSpec


def column(name: str, kind: ColumnType, distinct: int) -> ColumnProfile:
    return ColumnProfile(name=name, position=0, type=kind, missing=0, distinct=distinct, proposal=ProposedRole(role="feature", reason="x"))


COLUMNS = (column("y", "boolean", 2), column("sex", "category", 2), column("age", "integer", 70), column("city", "category", 5000), column("one", "constant", 1),
           column("void", "empty", 0), column("p/q~r", "number", 9), column("below", "number", 40).model_copy(update={"low": -3.0}),
           column("n", "number", 9).model_copy(update={"could_be_target": "regression"}))


@pytest.fixture
def dataset(workspace: Workspace, analyst: Any) -> Dataset:
    dataset = datasets.store_upload(io.BytesIO(b"x"), name="t", filename="t", workspace=workspace, user=analyst)
    lease = profiles.claim_profile(dataset.profiles.get().pk, "x")
    assert lease is not None
    profiles.finish(lease, DatasetProfile(sha256=dataset.sha256, bytes=1, rows=9, reading=TableReading(format="csv"), columns=COLUMNS))
    return dataset


@pytest.mark.parametrize(("spec", "pointer", "words"), [
    (TaskSpec(target="z"), "/target", "no column 'z'; it has 'y', 'sex'"),
    (TaskSpec(target="y", sensitive=("sexx",)), "/sensitive/0", "no column 'sexx'; did you mean 'sex'[?] it has 'y', 'sex'"),
    (TaskSpec(target="one"), "/target", "one value"),
    (TaskSpec(target="n", sensitive=("sex",), fairness_objective=FairnessObjective()), "/fairness_objective", "a regression predicts a number"),
    (TaskSpec(target="void"), "/target", "every cell of 'void' is missing"),
    (TaskSpec(target="y", sensitive=("sex", "nope")), "/sensitive/1", "no column 'nope'"),
    (TaskSpec(target="y", sensitive=("city",)), "/sensitive/0", "5,000 values; the limit is 50 groups"),
    (TaskSpec(target="y", sensitive=("void",)), "/sensitive/0", "missing"),
    (TaskSpec(target="y", sensitive=("sex",), bins={"sex": (1.0,)}), "/sensitive/0", "no numbers"),
    (TaskSpec(target="y", group="g"), "/group", "'g'"), (TaskSpec(target="y", time="t"), "/time", "'t'"), (TaskSpec(target="y", weight="w"), "/weight", "'w'"),
    (TaskSpec(target="y", roles={"a/b~c": "ignore"}), "/roles/a~1b~0c", "'a/b~c'"), (TaskSpec(target="y", bins={"h": (1.0,)}), "/bins/h", "'h'"),
    (TaskSpec(target="y", reference={"k": "x"}), "/reference/k", "'k'"),
    (TaskSpec(target="below", metric="rmsle"), "/metric", "goes down to -3; choose rmse or mae"),
    (PredictionsSpec(score="s", sensitive=("sex",)), "/score", "'s'"), (PredictionsSpec(score="age", label="l", sensitive=("sex",)), "/label", "'l'"),
    (PredictionsSpec(decision="d", sensitive=("sex",)), "/decision", "'d'"),
])
def test_t29_contradiction_is_named(dataset: Dataset, spec: Any, pointer: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        check_against_profile(spec, dataset, 50)
    assert refusal.value.pointer == (pointer if "no numbers" not in words else "/bins/sex")


@pytest.mark.parametrize("spec", [
    TaskSpec(target="y", sensitive=("sex", "age"), bins={"age": (30.0, 50.0)}, reference={"sex": "Male", "sex x age": "a x b"}, roles={"p/q~r": "ignore"}),
    TaskSpec(target="age", sensitive=("sex",)), PredictionsSpec(score="age", label="y", sensitive=("sex",)),
    # Read in another way it is another table
    TaskSpec(target="z", table=TableOptions(delimiter=";")),
])
def test_what_is_not_contradicted_passes_on(dataset: Dataset, spec: Any) -> None:
    check_against_profile(spec, dataset, 50)
