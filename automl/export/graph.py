"""An ONNX graph as it grows. The same constant, and the same call on the same values, is there once: fold models share most of their encoding."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

OPSETS = {"": 21, "ai.onnx.ml": 5}
"""The first with TreeEnsemble, whose thresholds can be doubles; onnxruntime has it since 1.20."""
IR_VERSION = 10
ML = "ai.onnx.ml"


class CannotExport(Exception):
    """The model has a part that the exported file could not say; the text is the reason, without a full stop."""


class Graph:
    def __init__(self, inputs: Iterable[str], outputs: Iterable[str]) -> None:
        self._taken = {*inputs, *outputs}
        self._known: dict[Hashable, str] = {}
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        """The name of a constant tensor of exactly this type, shape and content."""
        key = ("constant", array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._new_name()
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), self._known[key]))
        return self._known[key]

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The name of the one output of a node; attributes are numbers or tuples of numbers."""
        key = (op, domain, inputs, tuple(sorted(attributes.items())))
        if key not in self._known:
            self._known[key] = self._new_name()
            self.nodes.append(helper.make_node(op, inputs, [self._known[key]], domain=domain, **attributes))
        return self._known[key]

    def add_large(self, op: str, source: str, domain: str, attributes: Mapping[str, NDArray[Any] | list[str] | int], tensors: Iterable[str] = ()) -> str:
        """A node with many numbers as attributes, those named in ``tensors`` as tensors. Past onnx's own helper, which looks at each number on its own."""
        name = self._new_name()
        node = NodeProto(op_type=op, domain=domain, input=[source], output=[name])
        for key, value in sorted(attributes.items()):
            attribute = AttributeProto(name=key)
            if isinstance(value, int):
                attribute.type, attribute.i = AttributeProto.INT, value
            elif isinstance(value, list):
                attribute.type = AttributeProto.STRINGS
                attribute.strings.extend(text.encode() for text in value)
            elif key in tensors:
                attribute.type = AttributeProto.TENSOR
                attribute.t.CopyFrom(numpy_helper.from_array(value, key))
            else:
                attribute.type = AttributeProto.INTS
                attribute.ints.extend(value.tolist())
            node.attribute.append(attribute)
        self.nodes.append(node)
        return name

    def name(self, value: str, name: str) -> None:
        """Gives ``value`` the name of an output."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    # --- what is written often

    def number(self, value: float) -> str:
        return self.constant(np.array(value, dtype=np.float64))

    def whole(self, value: int) -> str:
        return self.constant(np.array(value, dtype=np.int64))

    def cast(self, value: str, to: int) -> str:
        return self.add("Cast", value, to=to)

    def beside(self, values: Iterable[str], axis: int = 1) -> str:
        """Values of the same number of rows, side by side."""
        names = tuple(values)
        return names[0] if len(names) == 1 else self.add("Concat", *names, axis=axis)

    def sum(self, values: Iterable[str]) -> str:
        first, *rest = values
        for value in rest:
            first = self.add("Add", first, value)
        return first

    def _new_name(self) -> str:
        name = f"v{len(self._taken)}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name
