from __future__ import annotations

import hashlib
from typing import Any

import onnx
import pytest
from onnx import numpy_helper

from automl.evidence import NotMeasured, OnnxExport
from automl.export import onnx_model
from automl.export.onnx_export import LIMIT, export_model
from tests.automl.export import models

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=models.TASKS)
def model(request: Any) -> Any:
    return models.fitted(request.param)


def test_the_evidence_says_what_was_measured(model: Any) -> None:
    export = export_model(model, models.features(300))
    evidence = export.evidence
    assert isinstance(evidence, OnnxExport)
    assert export.content is not None
    assert (evidence.sha256, evidence.bytes) == (hashlib.sha256(export.content).hexdigest(), len(export.content))
    assert (evidence.rows, evidence.training_rows) == (1_300, 300)
    assert evidence.largest_difference < 1e-5 < evidence.limit == LIMIT
    assert evidence.unit == ("standard deviations of the out-of-fold predictions" if model.problem.task == "regression" else "probability")
    again = export_model(model, models.features(300))
    assert again == export


def test_a_thousand_training_rows_are_enough(model: Any) -> None:
    evidence = export_model(model, models.features(1_200)).evidence
    assert isinstance(evidence, OnnxExport)
    assert (evidence.rows, evidence.training_rows) == (2_000, 1_000)


def test_a_file_that_says_something_else_is_not_given_out(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One leaf of one tree, changed as a bug would change it."""
    write = onnx_model.write_onnx

    def spoiled(model: Any) -> bytes:
        document = onnx.load_from_string(write(model))
        trees = next(node for node in document.graph.node if node.op_type == "TreeEnsemble")
        weights = next(each for each in trees.attribute if each.name == "leaf_weights")
        array = numpy_helper.to_array(weights.t).copy()
        array[0] += 0.05 * (100 if model.problem.task == "regression" else 1)
        weights.t.CopyFrom(numpy_helper.from_array(array, "leaf_weights"))
        return document.SerializeToString()

    monkeypatch.setattr(onnx_model, "write_onnx", spoiled)
    export = export_model(model, models.features(300))
    assert export.content is None
    assert isinstance(export.evidence, NotMeasured)
    assert "the exported file was not given out: on 1,300 rows it differs from the model by up to " in export.evidence.reason
    assert export.evidence.reason.endswith("; the limit is 0.0001")


def test_a_prediction_that_is_no_number_is_a_difference(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    differences = iter([0.0, float("nan")])
    monkeypatch.setattr("automl.export.parity._difference", lambda *arguments: next(differences))
    assert export_model(model, models.features(20)).content is None


def test_what_cannot_be_exported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.export.trees.MOST_NODES", 5)
    export = export_model(models.fitted("binary", ("lgbm",)))
    assert export.content is None
    assert isinstance(export.evidence, NotMeasured)
    assert export.evidence.reason.startswith("the model could not be exported: its trees have ")
