"""Networks in the exported model, one after the other: at single precision, as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from torch import Tensor, nn

from automl.export.columns import Columns
from automl.export.graph import CannotExport
from automl.learn.families.torch_mlp import Dropout, Scaled, TorchModel

Array = NDArray[np.float64]
Singles = NDArray[np.float32]


def add(parts: Sequence[tuple[float, TorchModel]], columns: Columns) -> tuple[list[str], Array]:
    """What the networks add to the raw score, weighted: names of (rows, outputs), and (outputs,) for every row."""
    found = []
    for weight, fold in parts:
        output = columns.graph.cast(_forward(fold, columns), TensorProto.DOUBLE)
        found.append(columns.graph.add("Mul", output, columns.graph.number(weight * _scale(fold))))
    return found, np.full(columns.outputs, sum(weight * (fold.centre if fold.task == "regression" else 0.0) for weight, fold in parts))


def turning_points(fold: TorchModel) -> dict[str, Array]:
    """Column to the ends of its bins."""
    edges = _array(fold.network.edges).astype(np.float64)
    return {fold.encoder.names[column]: np.unique(edges[at]) for at, column in enumerate(fold.network.numbers)}


def _scale(fold: TorchModel) -> float:
    return fold.scale if fold.task == "regression" else 1.0


def _forward(fold: TorchModel, columns: Columns) -> str:
    """(rows, outputs) floats: the mean of the members' outputs, as `Network.forward` computes it."""
    network, graph = fold.network, columns.graph
    inputs = ([_numbers(fold, columns)] if network.numbers else []) + [_embedded(fold, at, columns) for at in range(len(network.categories))]
    hidden = graph.add("Unsqueeze", graph.beside(inputs), graph.constant(np.array([1], dtype=np.int64)))
    hidden = graph.add("Mul", hidden, graph.constant(_array(network.scaling)[None, :, :]))
    for layer in network.body:
        if isinstance(layer, Scaled):
            weight = _array(layer.weight / layer.in_features**0.5).T
            hidden = graph.add("Add", graph.add("MatMul", hidden, graph.constant(weight)), graph.constant(_array(layer.bias)))
        elif isinstance(layer, nn.ReLU):
            hidden = graph.add("Relu", hidden)
        elif not isinstance(layer, Dropout):
            raise CannotExport(f"its network has a layer that this export does not know ({type(layer).__name__})")
    heads, bias = _array(network.heads / network.heads.shape[1] ** 0.5), _array(network.bias)
    members, width, outputs = heads.shape
    # the mean over the members and the sum over the width are one product of matrices
    flat = graph.add("Reshape", hidden, graph.constant(np.array([-1, members * width], dtype=np.int64)))
    mean = graph.add("MatMul", flat, graph.constant((heads / members).reshape(members * width, outputs)))
    return graph.add("Add", mean, graph.constant(bias.mean(axis=0)))


def _numbers(fold: TorchModel, columns: Columns) -> str:
    """(rows, numbers * inputs per number): piecewise-linear encoding, each number by its own small map."""
    network, graph = fold.network, columns.graph
    matrix = graph.beside(columns.number(fold.encoder.names[at]) for at in network.numbers)
    cells = graph.add("Unsqueeze", graph.cast(matrix, TensorProto.FLOAT), graph.constant(np.array([2], dtype=np.int64)))
    edges = _array(network.edges)[None, :, :]
    low, high = edges[:, :, :-1], edges[:, :, 1:]
    zero, one = (graph.constant(np.array(value, dtype=np.float32)) for value in (0, 1))
    distance = graph.add("Sub", cells, graph.constant(low))
    reach = graph.add("Div", distance, graph.constant(np.maximum(high - low, np.float32(1e-12))))
    reach = graph.add("Clip", reach, zero, one)
    missing = graph.add("IsNaN", cells)
    nothing = graph.add("Or", missing, graph.constant(high <= low))
    reach = graph.add("Where", nothing, zero, reach)
    reach = graph.beside([reach, graph.cast(missing, TensorProto.FLOAT)], axis=2)
    mapped = graph.add("MatMul", graph.add("Transpose", reach, perm=(1, 0, 2)), graph.constant(_array(network.maps)))
    shifted = graph.add("Add", mapped, graph.constant(_array(network.shifts)[:, None, :]))
    wide = network.maps.shape[0] * network.maps.shape[2]
    return graph.add("Reshape", graph.add("Transpose", shifted, perm=(1, 0, 2)), graph.constant(np.array([-1, wide], dtype=np.int64)))


def _embedded(fold: TorchModel, at: int, columns: Columns) -> str:
    """(rows, width): the embedding of a category's level."""
    network, encoder = fold.network, fold.encoder
    position = network.categories[at]
    name, known = encoder.names[position], len(encoder.levels[position] or ())
    table = _array(network.get_parameter(f"embeddings.{at}.weight"))
    # rows of the table: the levels, one never seen, and last a missing cell
    by_place = columns.by_place(name, encoder, table[:known + 1], table[network.sizes[at] + 1])
    return columns.look_up(name, np.ascontiguousarray(by_place))


def _array(tensor: Tensor) -> Singles:
    return np.ascontiguousarray(tensor.detach().cpu().numpy().astype(np.float32))
