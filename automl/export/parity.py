"""The exported model and its original on the same rows. They must say the same of ordinary rows, and where a model is most easily wrong: exactly at its
thresholds and on both sides of them, for missing cells and for levels that no training row had."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from automl.export.columns import Entrance
from automl.export.graph import CannotExport
from automl.export.onnx_model import module_of
from automl.learn.model import FittedModel

Array = NDArray[np.float64]

ROWS = 1_000
SPECIAL = 0.1
"""Share of the cells of a made row that are missing; of a category's, again as many are levels never seen."""
ERRORS_ONLY = 3
REFUSALS = (states.Fail, states.InvalidArgument, states.InvalidGraph, states.InvalidProtobuf, states.NotImplemented, states.RuntimeException)


def largest_difference(content: bytes, model: FittedModel, entering: Iterable[Entrance], frames: Iterable[pd.DataFrame]) -> float:
    """Between the file's and the model's predictions of the rows of ``frames``: of probabilities as they are, of values in standard deviations of the model's own
    out-of-fold predictions. NaN where one of them is none. Raises CannotExport where onnxruntime cannot run the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    inputs = list(entering)
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        # NumPy's maximum: Python's would let a NaN go by
        return float(np.max([_difference(model, session.run(None, {each.input: each.cells(frame) for each in inputs})[0], frame) for frame in frames]))
    except REFUSALS as error:
        raise CannotExport(f"onnxruntime could not run the exported file: {str(error)[:300]}") from error


def _difference(model: FittedModel, exported: Array, frame: pd.DataFrame) -> float:
    own = model.predict(frame)
    if own.probabilities is not None:
        return float(np.max(np.abs(exported - own.probabilities)))
    values = np.asarray(own.values)
    return float(np.max(np.abs(exported[:, 0] - values))) / _unit(model)


def _unit(model: FittedModel) -> float:
    """What a difference of values is measured in; the size of a value where all are equal."""
    values = np.asarray(model.out_of_fold.values)
    spread = float(np.std(values)) if len(values) else 0.0
    return spread or (float(np.max(np.abs(values), initial=0.0)) or 1.0)


def made_rows(model: FittedModel, rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Rows to try the model with, from nothing but the model: levels and turning points of each column in random company."""
    draw = np.random.default_rng(seed)
    turning = _turning_points(model)
    found: dict[str, pd.Series] = {}
    for name, levels in zip(model.features, model.codes.levels, strict=True):
        gone = draw.random(rows) < SPECIAL
        if levels is None:
            numbers = draw.choice(turning[name], rows) if name in turning else draw.normal(size=rows)
            found[name] = pd.Series(np.where(gone, np.nan, numbers), dtype="float64")
        else:
            texts = draw.choice(np.array(levels or (_never_seen(levels),), dtype=object), rows)
            texts[draw.random(rows) < SPECIAL] = _never_seen(levels)
            texts[gone] = None
            found[name] = pd.Series(texts, dtype="str")
    return pd.DataFrame(found, index=range(rows))


def _never_seen(levels: Iterable[str]) -> str:
    known, text = set(levels), "never seen"
    while text in known:
        text += " \N{GREEK SMALL LETTER OMEGA}"
    return text


def _turning_points(model: FittedModel) -> dict[str, Array]:
    """Column to the numbers at which some part of the model changes, the nearest doubles on both sides of each, and numbers beyond all of them."""
    found: dict[str, list[Array]] = {}
    for member in model.members:
        for fold in member.folds:
            for name, numbers in module_of(fold).turning_points(fold).items():
                found.setdefault(name, []).append(numbers)
    points = {}
    for name, arrays in found.items():
        at = np.unique(np.concatenate(arrays))
        # LightGBM's threshold for "any number" is the largest there is
        at = at[np.abs(at) < 1e100]
        if len(at):
            reach = float(np.ptp(at)) or 1.0
            points[name] = np.concatenate([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf), [at[0] - reach, at[-1] + reach, 0.0]])
    return points
