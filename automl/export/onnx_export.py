"""The export as it is asked for: the file and what was measured of it, or the reason why there is none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from automl.evidence import NotMeasured, OnnxExport
from automl.learn.model import FittedModel

FILE = "model.onnx"
LIMIT = 1e-4
UNITS = {True: "standard deviations of the out-of-fold predictions", False: "probability"}


@dataclass(frozen=True)
class Export:
    """``content``: the ONNX file; None where the model could not be exported, and ``evidence`` then says why."""

    content: bytes | None
    evidence: OnnxExport | NotMeasured


def export_model(model: FittedModel, rows: pd.DataFrame | None = None, seed: int = 0) -> Export:
    """``model`` as one ONNX file, tried on 1,000 rows made from the model itself and on as many of ``rows`` (training rows) as there are, at most 1,000.

    No file is given out that differs from the model by more than `LIMIT`.
    """
    from automl.export.columns import entrances
    from automl.export.graph import OPSETS, CannotExport
    from automl.export.onnx_model import PROBABILITIES, VALUE, write_onnx
    from automl.export.parity import largest_difference, made_rows

    try:
        content = write_onnx(model)
        frames = [made_rows(model, seed=seed), *([] if rows is None else [_some(rows, seed)])]
        difference = largest_difference(content, model, entrances(model, (PROBABILITIES, VALUE)), frames)
    except CannotExport as refusal:
        return Export(None, NotMeasured(reason=f"the model could not be exported: {refusal}"))
    unit, tried = UNITS[model.problem.task == "regression"], sum(map(len, frames))
    if not difference <= LIMIT:
        return Export(None, NotMeasured(reason=f"the exported file was not given out: on {tried:,} rows it differs from the model by up to {difference:.3g} ({unit}); the limit is {LIMIT:g}"))
    return Export(content, OnnxExport(
        file=f"model/{FILE}", sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), opsets={domain or "ai.onnx": version for domain, version in OPSETS.items()},
        rows=tried, training_rows=tried - len(frames[0]), largest_difference=difference, unit=unit, limit=LIMIT))


def _some(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    from automl.export.parity import ROWS

    if len(rows) <= ROWS:
        return rows
    return rows.iloc[np.sort(np.random.default_rng(seed).choice(len(rows), ROWS, replace=False))]
