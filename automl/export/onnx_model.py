"""The whole model as ONNX: its members' raw scores, weighted and added, and what they say: probabilities, or values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from automl import __version__
from automl.export.columns import Columns, Entrance, entrances
from automl.export.graph import IR_VERSION, OPSETS, CannotExport, Graph
from automl.learn.calibration import IDENTITY
from automl.learn.families import FoldModel
from automl.learn.model import FittedModel
from automl.learn.predictions import LARGEST_LOG
from automl.learn.trees import Trees

PROBABILITIES, VALUE = "probabilities", "value"
MOST_BYTES = 2**31 - 1
"""What one protobuf message can hold."""
MODULE_OF = {
    "automl.learn.families.constant.Constant": "constant", "automl.learn.families.linear.LinearModel": "linear", "automl.learn.families.torch_mlp.TorchModel": "network",
}
"""The type of a fold model to the module of this package that knows it. By name: nothing is imported for a type that the model does not have. What has `Trees`
is known by them."""


def write_onnx(model: FittedModel) -> bytes:
    """The ONNX file, the same bytes for the same model. Raises CannotExport with the reason where the model has a part that the file could not say.

    Inputs: one per feature, (rows, 1), named as its column (`Columns`). Output: ``probabilities`` (rows, k), in the order of the labels, or ``value`` (rows, 1);
    doubles. The metadata say what the rest means: target, task, labels, threshold, inputs.
    """
    output = VALUE if model.problem.task == "regression" else PROBABILITIES
    entering = entrances(model, (PROBABILITIES, VALUE))
    graph = Graph([each.input for each in entering], [PROBABILITIES, VALUE])
    outputs = len(model.problem.labels) if model.problem.task == "multiclass" else 1
    raw = _raw(model, Columns(graph, entering, outputs))
    graph.name(_said(graph, _mapped(graph, raw, model), model), output)
    width = max(1, len(model.problem.labels))
    body = helper.make_graph(
        graph.nodes, "model", [each.declared() for each in entering], [helper.make_tensor_value_info(output, TensorProto.DOUBLE, ["rows", width])],
        initializer=graph.initializers)
    document = helper.make_model(
        body, opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()], ir_version=IR_VERSION,
        producer_name="Plumbline", producer_version=__version__, doc_string=_about(model, output))
    _describe(document, model, entering)
    if (size := document.ByteSize()) > MOST_BYTES:
        raise CannotExport(f"the file would have {size:,} bytes; the limit of its format is {MOST_BYTES:,}")
    content: bytes = document.SerializeToString(deterministic=True)
    return content


def module_of(fold: FoldModel) -> Any:
    """The module of this package that knows fold models of this type: its ``add`` and its ``turning_points``. Raises CannotExport where there is none."""
    kind = type(fold)
    name = "trees" if isinstance(getattr(fold, "trees", None), Trees) else MODULE_OF.get(f"{kind.__module__}.{kind.__qualname__}")
    if name is None:
        raise CannotExport(f"it has a part that this export does not cover ({kind.__name__})")
    return import_module(f"automl.export.{name}")


def _raw(model: FittedModel, columns: Columns) -> str:
    """(rows, outputs): log-odds, centred logits or values."""
    parts: dict[Any, list[tuple[float, FoldModel]]] = {}
    for member in model.members:
        for fold in member.folds:
            parts.setdefault(module_of(fold), []).append((member.weight / len(member.folds), fold))
    values: list[str] = []
    bias = np.zeros(columns.outputs)
    for module, each in parts.items():
        names, more = module.add(each, columns)
        values, bias = values + names, bias + more
    if not values:
        return columns.constant_rows(bias)
    graph = columns.graph
    raw = graph.sum([*values, graph.constant(bias[None, :])])
    if columns.outputs == 1:
        return raw
    # fold models centre their logits each on its own; the mean of the sum is the sum of their means
    mean = graph.add("ReduceMean", raw, graph.constant(np.array([1], dtype=np.int64)), keepdims=1)
    return graph.add("Sub", raw, mean)


def _mapped(graph: Graph, raw: str, model: FittedModel) -> str:
    """With the model's calibration, as `FittedModel.raw` applies it."""
    if model.raw_map == IDENTITY:
        return raw
    return graph.add("Add", graph.add("Mul", raw, graph.number(model.raw_map.slope)), graph.number(model.raw_map.shift))


def _said(graph: Graph, raw: str, model: FittedModel) -> str:
    """As `automl.learn.predictions.to_predictions` says it."""
    if model.problem.logarithms:
        bounded = graph.add("Clip", raw, graph.number(0.0), graph.number(LARGEST_LOG))
        # ONNX has no expm1; what is lost is 1e-16 of 1, beside values that are small
        return graph.add("Sub", graph.add("Exp", bounded), graph.number(1.0))
    if model.problem.task == "regression":
        return raw
    if model.problem.task == "multiclass":
        return graph.add("Softmax", raw, axis=1)
    positive = graph.add("Sigmoid", raw)
    return graph.beside([graph.add("Sub", graph.number(1.0), positive), positive])


def _about(model: FittedModel, output: str) -> str:
    said = "in the unit of the target" if output == VALUE else "of the classes in metadata 'labels', in their order"
    return (
        f"Predicts {model.problem.target!r} ({model.problem.task}). One input per column, shape (rows, 1), see metadata 'inputs': numbers as double with NaN for missing, dates as days since "
        f"1970-01-01 (double), categories as strings as written in the table, the empty text for missing. Output {output!r}: {said}.")


def _describe(document: ModelProto, model: FittedModel, entering: Sequence[Entrance]) -> None:
    about: dict[str, Any] = {
        "target": model.problem.target, "task": model.problem.task, "labels": list(model.problem.labels), "positive": model.problem.positive,
        "threshold": None if model.threshold is None else model.threshold.value, "inputs": [each.as_json() for each in entering], "model_sha256": model.sha256,
    }
    helper.set_model_props(document, {name: json.dumps(value, ensure_ascii=False) for name, value in about.items()})
