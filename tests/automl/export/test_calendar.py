from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from automl.data.dates import PERIODS, calendar_part, on_a_circle
from automl.export.calendar import add_calendar_part, add_point_on_a_circle
from automl.export.graph import IR_VERSION, OPSETS, CannotExport, Graph


def _run(graph: Graph, value: str, days: np.ndarray) -> np.ndarray:
    graph.name(value, "out")
    shapes = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", 1]) for name in ("days", "out")]
    body = helper.make_graph(graph.nodes, "part", shapes[:1], shapes[1:], initializer=graph.initializers)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid(*each) for each in OPSETS.items()], ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"days": days[:, None]})[0][:, 0])


@pytest.fixture
def days() -> np.ndarray:
    """Every day of the years around 1600, 1900, 1970, 2000 and 2100, moments of them, and a missing one."""
    whole = [np.arange(np.datetime64(f"{year - 1}-01-01"), np.datetime64(f"{year + 2}-01-01")).astype(np.int64) for year in (1600, 1900, 1970, 2000, 2100)]
    draw = np.random.default_rng(0)
    moments = draw.uniform(-900_000, 900_000, 2_000)
    return np.concatenate([*whole, moments, [np.nan]]).astype(np.float64)


@pytest.mark.parametrize("part", PERIODS)
def test_each_part_is_what_the_encoders_know(part: str, days: np.ndarray) -> None:
    graph = Graph(["days"], ["out"])
    assert np.array_equal(_run(graph, add_calendar_part(graph, "days", part), days), calendar_part(days, part), equal_nan=True)


@pytest.mark.parametrize("part", PERIODS)
def test_a_point_on_the_circle_too(part: str, days: np.ndarray) -> None:
    for which in (0, 1):
        graph = Graph(["days"], ["out"])
        found = _run(graph, add_point_on_a_circle(graph, "days", part)[which], days)
        assert np.abs(found - on_a_circle(days, part)[:, which]).max() < 1e-12


def test_a_part_that_nobody_told_it_of_is_refused() -> None:
    with pytest.raises(CannotExport, match="the phase of moon of a date"):
        add_calendar_part(Graph(["days"], ["out"]), "days", "phase_of_moon")
