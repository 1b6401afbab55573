from __future__ import annotations

import numpy as np

from automl.export.graph import Graph


def test_what_is_the_same_is_there_once() -> None:
    graph = Graph(["x"], ["y"])
    one = graph.number(1.0)
    assert graph.constant(np.array(1.0)) == one
    assert graph.constant(np.array(1.0, dtype=np.float32)) != one
    assert graph.constant(np.array([1.0])) != one
    assert graph.constant(np.array(-0.0)) != graph.constant(np.array(0.0)), "equal numbers of other bits are other numbers"
    first = graph.add("Add", "x", one)
    assert graph.add("Add", "x", one) == first
    assert graph.add("Add", one, "x") != first
    assert graph.add("Concat", "x", one, axis=0) != graph.add("Concat", "x", one, axis=1)
    assert len(graph.nodes) == 4


def test_no_value_takes_the_name_of_a_column() -> None:
    """A column may be called as a value within would be."""
    columns = [f"v{at}" for at in range(5)]
    graph = Graph(columns, ["y"])
    made = [graph.number(float(at)) for at in range(10)]
    assert len({*made, *columns, "y"}) == 16
