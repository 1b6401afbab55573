"""Small models of every kind, put together by hand: what they predict is of no interest, only that the exported file predicts the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch

from automl.data.encoding import CodeEncoder
from automl.data.features import FeatureSchema
from automl.evidence import Threshold
from automl.learn.families import Effort, Fold, FoldModel, family
from automl.learn.families.constant import fit_constant
from automl.learn.families.torch_mlp import Network, Shape, TorchModel, _quantiles
from automl.learn.model import FittedModel, Member
from automl.spec import TaskKind
from tests.automl.learn import material

TASKS: dict[str, tuple[TaskKind, int]] = {"binary": ("binary", 2), "multiclass": ("multiclass", 3), "regression": ("regression", 0)}
KINDS = ("baseline", "linear", "lgbm", "one_hot", "ordinal", "pairs", "torch", "trees")
"""``pairs``: LightGBM on columns taken together as well, numbers and categories; ``one_hot``, ``ordinal``: with its categories encoded so."""
LGBM = {"learning_rate": 0.3, "num_leaves": 15, "min_data_in_leaf": 3, "pairs": False, "categories": "target"}
MISSING = ("", "?", "NA")


def features(n: int, seed: int = 0) -> pd.DataFrame:
    """Beside `material.features`: moments before and after 1970, some missing, and a category of more levels than have indicators."""
    draw = np.random.default_rng(seed + 100)
    days = draw.uniform(-40_000, 40_000, n)
    days[draw.random(n) < 0.1] = np.nan
    frame = material.features(n, seed).assign(day=days, town=draw.choice([f"Ort {at} ☕" for at in range(45)], n), value=draw.integers(0, 5, n).astype(float))
    return frame.astype(dict.fromkeys(("colour", "side", "town"), "str"))


def strange(n: int, seed: int = 5) -> pd.DataFrame:
    """Rows as they come later: levels never seen, whole rows missing, infinite and huge numbers."""
    frame, draw = features(n, seed), np.random.default_rng(seed)
    for name in frame.columns:
        frame.loc[draw.random(n) < 0.15, name] = np.nan if frame[name].dtype == float else None
        frame.loc[draw.random(n) < 0.1, name] = draw.choice([np.inf, -np.inf, 1e30, -1e30]) if frame[name].dtype == float and name != "day" else np.nan if name == "day" else "nie gesehen"
    frame.iloc[0] = np.nan
    return frame


@cache
def fitted(task_name: str, kinds: tuple[str, ...] = KINDS, n: int = 400) -> FittedModel:
    """Two folds a member; a fold's levels and edges differ from the other's."""
    task, classes = TASKS[task_name]
    frame = features(n)
    y = material.target(frame, task, classes)
    halves = [np.arange(n) % 2 == half for half in (0, 1)]
    weights = np.arange(1, len(kinds) + 1) / np.arange(1, len(kinds) + 1).sum()
    members = tuple(
        Member(at, _family(kind), float(weight), tuple(_fold_model(kind, _fold(task, classes, frame, y, half), at) for half in halves))
        for at, (kind, weight) in enumerate(zip(kinds, weights, strict=True)))
    problem = material.problem(task, classes, frame)
    schema = FeatureSchema(tuple(replace(each, kind="date", date_format="ISO8601") if each.name == "day" else each for each in problem.schema.features))
    model = FittedModel(replace(problem, schema=schema), members, CodeEncoder.fit(frame), np.zeros((0, classes) if task == "multiclass" else 0), Threshold(value=0.4, chosen_on="a test") if task == "binary" else None, 1, MISSING)
    return replace(model, out_of_fold_raw=model.raw(frame))


def _fold(task: TaskKind, classes: int, frame: pd.DataFrame, y: Any, train: Any) -> Fold:
    return Fold(task, 0 if task == "regression" else classes, frame[train], y[train], None, frame[~train], y[~train], None, seed=int(train[0]), dates=("day",))


def _family(kind: str) -> str:
    return "lgbm" if kind in ("pairs", "one_hot", "ordinal") else kind


def _fold_model(kind: str, fold: Fold, number: int) -> FoldModel:
    if kind == "baseline":
        return fit_constant(fold.train_y, None, fold.task, fold.classes, "mae" if fold.task == "regression" else "log_loss")
    if kind == "torch":
        return _network(fold, members=1 + 3 * (fold.seed % 2))
    if kind == "pairs":
        fold.cache["pairs"] = (0, 3), (2, 6), (3, 4), (5, 6)
    chosen = family(_family(kind))
    small = {
        "linear": {"bins": 6}, "lgbm": LGBM, "pairs": {**LGBM, "pairs": True}, "one_hot": {**LGBM, "categories": "one_hot"}, "ordinal": {**LGBM, "categories": "ordinal"},
        "trees": {"trees": 10}}
    params = {**chosen.defaults(fold.task)[-1], **small[kind]}
    return chosen.fit(params, fold, Effort(1))


def _network(fold: Fold, members: int) -> TorchModel:
    """Its weights as they were drawn: it has nothing to learn for this."""
    encoder = CodeEncoder.fit(fold.train)
    levels = tuple(0 if known is None else max(1, len(known)) for known in encoder.levels)
    shape = Shape(levels, fold.classes if fold.task == "multiclass" else 1, 16, 2, members, 0.1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fold.seed)
        network = Network(shape)
    network.edges.copy_(torch.from_numpy(_quantiles(encoder.transform(fold.train)[:, network.numbers])))
    centre, scale = (100.0, 10.0) if fold.task == "regression" else (0.0, 1.0)
    return TorchModel(encoder, network, shape, fold.task, centre, scale)


def said(model: FittedModel, frame: pd.DataFrame) -> Any:
    """(rows, k) probabilities or (rows, 1) values of the model itself."""
    found = model.predict(frame)
    return found.probabilities if found.values is None else found.values[:, None]
