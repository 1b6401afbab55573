from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from automl.data.encoding import TreeEncoder
from automl.data.features import Feature, FeatureSchema
from automl.evidence import Estimate, ProbabilityCalibration
from automl.export import trees
from automl.export.columns import entrances
from automl.export.graph import CannotExport
from automl.export.onnx_model import PROBABILITIES, VALUE, write_onnx
from automl.learn.model import FittedModel, load_model
from tests.automl.export import models

pytestmark = pytest.mark.slow


def run(content: bytes, model: FittedModel, frame: pd.DataFrame) -> Any:
    """What onnxruntime says of ``frame``."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == [VALUE if model.problem.task == "regression" else PROBABILITIES]
    return session.run(None, {each.input: each.cells(frame) for each in entrances(model, (PROBABILITIES, VALUE))})[0]


@pytest.fixture(scope="module", params=models.TASKS)
def model(request: Any) -> FittedModel:
    return models.fitted(request.param)


@pytest.mark.parametrize("kind", models.KINDS)
@pytest.mark.parametrize("task", models.TASKS)
def test_every_kind_of_member_predicts_the_same(task: str, kind: str) -> None:
    model, frame = models.fitted(task, (kind,)), pd.concat([models.features(300, seed=9), models.strange(300)])
    exported, own = run(write_onnx(model), model, frame), models.said(model, frame)
    assert exported.shape == own.shape
    unit = own.std() or 1.0 if task == "regression" else 1.0
    # networks compute at single precision, the others as we do
    assert np.abs(exported - own).max() / unit < (1e-5 if kind == "torch" else 1e-11)


def test_logarithms_are_turned_back() -> None:
    """Where rmsle is the metric, raw scores are log(1 + value)."""
    plain, frame = models.fitted("regression", ("linear",)), models.features(200, seed=9)
    model = replace(plain, problem=replace(plain.problem, metric="rmsle"), members=tuple(replace(each, weight=0.01) for each in plain.members))
    own = models.said(model, frame)
    assert np.abs(run(write_onnx(model), model, frame) / own - 1).max() < 1e-9
    assert own.std() > 0.1


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_calibration_is_in_it(task: str) -> None:
    plain, frame = models.fitted(task, ("linear",)), models.features(200, seed=9)
    gain = Estimate(value=0.1, low=0.05, high=0.15, method="t", n=200)
    found = ProbabilityCalibration(method="platt", slope=0.5, shift=-1.0 if task == "binary" else 0.0, rows=200, log_loss_gain=gain, brier_gain=gain)
    model = replace(plain, calibration=found)
    own = models.said(model, frame)
    assert np.abs(run(write_onnx(model), model, frame) - own).max() < 1e-11
    assert np.abs(models.said(plain, frame) - own).max() > 0.1


def test_all_kinds_together_predict_the_same(model: FittedModel) -> None:
    frame = models.strange(400)
    exported, own = run(write_onnx(model), model, frame), models.said(model, frame)
    assert np.abs(exported - own).max() < 1e-4
    assert len(np.unique(own.round(6), axis=0)) > 300, "the rows are told apart"


def test_the_trees_of_all_members_are_one_node() -> None:
    """And each column of the table is encoded once for all of them."""
    graph = onnx.load_from_string(write_onnx(models.fitted("binary", ("lgbm", "lgbm")))).graph
    assert [node.op_type for node in graph.node].count("TreeEnsemble") == 1
    assert sum(node.op_type == "LabelEncoder" for node in graph.node) == 3


@pytest.mark.parametrize("task", models.TASKS)
def test_many_trees_are_several_nodes(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut between rounds of boosting, since tree i of a booster counts for class i modulo their number."""
    model, frame = models.fitted(task, ("lgbm",)), models.strange(200)
    monkeypatch.setattr(trees, "MOST_TOGETHER", 2)
    content = write_onnx(model)
    assert [node.op_type for node in onnx.load_from_string(content).graph.node].count("TreeEnsemble") > 1
    assert np.abs(run(content, model, frame) - models.said(model, frame)).max() < 1e-9


def test_the_file_is_valid_and_says_how_to_use_it(model: FittedModel) -> None:
    document = onnx.load_from_string(write_onnx(model))
    onnx.checker.check_model(document, full_check=True)
    about = {each.key: json.loads(each.value) for each in document.metadata_props}
    assert about["labels"] == list(model.problem.labels)
    assert about["task"] == model.problem.task
    assert about["threshold"] == (0.4 if model.problem.task == "binary" else None)
    assert about["model_sha256"] == model.sha256
    inputs = {each["column"]: each for each in about["inputs"]}
    assert list(inputs) == list(model.features)
    assert [each.name for each in document.graph.input] == [each["input"] for each in about["inputs"]]
    assert inputs["day"]["unit"] == "days since 1970-01-01"
    assert inputs["colour"] == {"column": "colour", "input": "colour", "kind": "category", "type": "string", "missing": ["", "?", "NA"]}


def test_the_same_model_gives_the_same_bytes(model: FittedModel, tmp_path: Path) -> None:
    content = write_onnx(model)
    assert write_onnx(model) == content
    model.save(tmp_path)
    assert write_onnx(load_model(tmp_path)) == content


def test_a_column_named_as_an_output_gets_another_input(model: FittedModel) -> None:
    """`features` has a column "value"."""
    names = {each.column: each.input for each in entrances(model, (PROBABILITIES, VALUE))}
    assert names["value"] == "value_input"
    assert all(own == column for column, own in names.items() if column != "value")


def test_texts_that_mean_missing_mean_it_here_too() -> None:
    model, frame = models.fitted("binary", ("lgbm", "linear")), models.features(50)
    content = write_onnx(model)
    missing = run(content, model, frame.assign(colour=pd.Series([None] * 50, dtype="str")))
    assert np.array_equal(run(content, model, frame.assign(colour="?")), missing)
    assert np.array_equal(run(content, model, frame.assign(colour="")), missing)
    assert not np.array_equal(run(content, model, frame.assign(colour="never")), missing)


def test_an_empty_text_that_is_a_level_is_one() -> None:
    model, frame = models.fitted("binary", ("lgbm",)), models.features(60)
    codes = replace(model.codes, levels=tuple(("", *levels) if name == "colour" and levels else levels for name, levels in zip(model.codes.names, model.codes.levels, strict=True)))
    assert next(each for each in entrances(replace(model, codes=codes), ()) if each.column == "colour").missing == ("?", "NA")
    with pytest.raises(CannotExport, match="'colour' the empty text is a value and no text stands for a missing cell"):
        entrances(replace(model, codes=codes, missing=()), ())
    assert np.isnan(frame["holes"]).any()


# --- refusals


def test_free_text_is_refused() -> None:
    model = models.fitted("binary", ("baseline",))
    schema = FeatureSchema(tuple(Feature(each.name, "text") if each.name == "town" else each for each in model.schema.features))
    with pytest.raises(CannotExport, match="free text, which this export does not cover, in column 'town'"):
        write_onnx(replace(model, problem=replace(model.problem, schema=schema)))


def test_a_kind_of_model_that_nobody_told_it_of_is_refused() -> None:
    class Oracle:
        pass

    model = models.fitted("binary", ("baseline",))
    stranger = replace(model.members[0], folds=(Oracle(),))
    with pytest.raises(CannotExport, match=r"a part that this export does not cover \(Oracle\)"):
        write_onnx(replace(model, members=(stranger,)))


def test_too_many_trees_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_NODES", 20)
    with pytest.raises(CannotExport, match=r"its trees have \d+ nodes; the limit of the export is 20"):
        write_onnx(models.fitted("binary", ("lgbm",)))


def test_an_encoder_with_columns_of_another_kind_is_refused() -> None:
    class Wider(TreeEncoder):
        @property
        def sources(self) -> Any:
            return np.append(super().sources, len(self.codes.names) - 1)

    model = models.fitted("binary", ("lgbm",))
    fold: Any = model.members[0].folds[0]
    known = fold.encoder
    wider = replace(fold, encoder=Wider(known.codes, known.indicators, known.means, known.missing_means, known.parts))
    with pytest.raises(CannotExport, match="its trees read columns that this export does not know"):
        write_onnx(replace(model, members=(replace(model.members[0], folds=(wider,)),)))
