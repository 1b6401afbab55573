"""Gradient boosted trees (LightGBM), on columns named f0..fn and categories encoded as numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from automl.data.encoding import TreeEncoder
from automl.learn import tree_shap
from automl.learn.families import Array, CannotFit, Effort, Encoded, Files, Fold, Params, texts_in_numbers
from automl.learn.predictions import centred
from automl.learn.trees import Trees, parse_trees
from automl.spec import MEDIAN, TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

PLAIN: Params = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "bagging_fraction": 1.0, "feature_fraction": 1.0,
                 "min_sum_hessian_in_leaf": 1e-3, "lambda_l2": 1e-3, "extra_trees": False}
"""LightGBM's own defaults (lambda_l2 is 0 there; the space starts at 0.001)."""
SMALL: Params = {**PLAIN, "learning_rate": 0.06, "num_leaves": 8, "bagging_fraction": 0.75, "min_sum_hessian_in_leaf": 1e-7}
"""Many small trees: the cheapest, and the best alone on small and noisy tables."""
REGULARISED: Params = {**PLAIN, "learning_rate": 0.06, "num_leaves": 40, "min_data_in_leaf": 10, "bagging_fraction": 0.75, "feature_fraction": 0.6,
                       "min_sum_hessian_in_leaf": 1e-7, "lambda_l2": 5.0}
WIDE: Params = {**PLAIN, "learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 30, "bagging_fraction": 0.7, "feature_fraction": 0.5,
                "min_sum_hessian_in_leaf": 1e-7}
TUNED_CLASSIFICATION: Params = {**PLAIN, "learning_rate": 0.04, "num_leaves": 50, "min_data_in_leaf": 40, "bagging_fraction": 0.75, "min_sum_hessian_in_leaf": 1e-7}
TUNED_REGRESSION: Params = {**PLAIN, "learning_rate": 0.05, "num_leaves": 100, "min_data_in_leaf": 3, "bagging_fraction": 0.7, "min_sum_hessian_in_leaf": 1e-7}
"""The tuned defaults of pytabkit (Holzmueller et al. 2024, "Better by default")."""
DEFAULTS: dict[str, list[Params]] = {
    # the cheapest first; each brings something that the others do not (docs/benchmarks.md)
    "binary": [SMALL, PLAIN, REGULARISED, {**TUNED_CLASSIFICATION, "extra_trees": True}, TUNED_CLASSIFICATION],
    "multiclass": [SMALL, PLAIN, {**TUNED_CLASSIFICATION, "extra_trees": True}, REGULARISED, TUNED_CLASSIFICATION],
    "regression": [PLAIN, WIDE, SMALL, REGULARISED, TUNED_REGRESSION, {**TUNED_REGRESSION, "extra_trees": True}],
}
OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
OBJECTIVE_OF_METRIC = {"mae": "regression_l1", "quantile_loss": "quantile"}
"""Where another loss than the task's is learned. Boosting stops by the loss that it learns: see docs/architecture.md on what the metric steers."""
MOST_ROUNDS = 2000
PATIENCE_TIMES_RATE = 2.0
"""Boosting stops when the validation loss has not improved for this over the learning rate (50 rounds at 0.04)."""
MAX_DEPTH = 50
"""Keeps the columns on one path countable in a 64-bit word, which the exact Shapley values rely on."""


@dataclass(frozen=True)
class LgbmModel:
    encoder: TreeEncoder
    outputs: int
    content: bytes = field(repr=False)
    """The trees as they are stored. Always read back from here, so that a model just fitted and the same model loaded are the same numbers."""
    explainer = "exact interventional tree SHAP over the table's columns"

    @cached_property
    def trees(self) -> Trees:
        return Trees.from_bytes(self.content)

    def raw(self, frame: pd.DataFrame, threads: int = 1, encoded: Encoded | None = None) -> Array:
        raw = self.trees.raw_scores((encoded or Encoded(frame)).by(self.encoder), self.outputs, threads)
        return raw[:, 0] if self.outputs == 1 else centred(raw)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        position = {name: at for at, name in enumerate(frame.columns)}
        players = np.array([position[self.encoder.codes.names[source]] for source in self.encoder.sources], dtype=np.int64)
        phi = tree_shap.shapley_values(self.trees, self.encoder.transform(frame), self.encoder.transform(background), players, frame.shape[1], self.outputs)
        return phi[:, :, 0] if self.outputs == 1 else phi - phi.mean(axis=2, keepdims=True)

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "outputs": self.outputs}
        return {"trees.npz": self.content, "lgbm.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode()}


class Lgbm:
    name = "lgbm"

    def defaults(self, task: TaskKind) -> list[Params]:
        return DEFAULTS[task]

    def suggest(self, trial: optuna.Trial, task: TaskKind) -> Params:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 8, 128, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 3, 100, log=True),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
            "min_sum_hessian_in_leaf": trial.suggest_float("min_sum_hessian_in_leaf", 1e-7, 10.0, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 30.0, log=True),
            "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> LgbmModel:
        encoder, train, valid = _datasets(fold)
        if not len(encoder.sources):
            raise CannotFit("there are no features")
        rate = float(params["learning_rate"])
        callbacks: list[Callable[..., Any]] = [_end_when(effort.must_end), lgb.early_stopping(max(10, round(PATIENCE_TIMES_RATE / rate)), verbose=False)]
        booster = lgb.train(_settings(params, fold, effort), train, MOST_ROUNDS, valid_sets=[valid], callbacks=callbacks)
        trees = parse_trees(booster.model_to_string(num_iteration=booster.best_iteration))
        return LgbmModel(encoder, fold.classes if fold.task == "multiclass" else 1, trees.to_bytes())

    def load(self, files: Files) -> LgbmModel:
        document = json.loads(files["lgbm.json"])
        model = LgbmModel(TreeEncoder.from_json(document["encoder"]), document["outputs"], files["trees.npz"])
        model.trees.get_ready()
        return model


def _settings(params: Params, fold: Fold, effort: Effort) -> Params:
    objective = OBJECTIVE_OF_METRIC.get(fold.metric or "", OBJECTIVE[fold.task]) if fold.task == "regression" else OBJECTIVE[fold.task]
    fixed: Params = {
        "objective": objective, "verbose": -1, "num_threads": effort.threads, "seed": fold.seed,
        "deterministic": True, "force_row_wise": True, "feature_pre_filter": False, "max_depth": MAX_DEPTH,
    }
    if fold.task == "multiclass":
        fixed["num_class"] = fold.classes
    if objective == "quantile":
        fixed["alpha"] = MEDIAN if fold.quantile is None else fold.quantile
    return {**params, "bagging_freq": 1 if params["bagging_fraction"] < 1 else 0, **fixed}


def _datasets(fold: Fold) -> tuple[TreeEncoder, lgb.Dataset, lgb.Dataset]:
    """Binned once per fold and kept: the search space has nothing that changes the bins."""
    if "lgbm" not in fold.cache:
        rows, valid_rows, texts = texts_in_numbers(fold)
        encoder, matrix = TreeEncoder.fit_transform(rows, fold.train_y, fold.task, fold.seed, fold.dates, texts)
        names = [f"f{at}" for at in range(matrix.shape[1])]
        train = lgb.Dataset(matrix, fold.train_y, weight=fold.train_weight, feature_name=names, params={"feature_pre_filter": False, "verbose": -1})
        valid = lgb.Dataset(encoder.transform(valid_rows), fold.valid_y, weight=fold.valid_weight, reference=train, feature_name=names, params={"verbose": -1})
        fold.cache["lgbm"] = encoder, train, valid
    cached: tuple[TreeEncoder, lgb.Dataset, lgb.Dataset] = fold.cache["lgbm"]
    return cached


def _end_when(must_end: Callable[[], bool]) -> Callable[[Any], None]:
    def check(environment: Any) -> None:
        if must_end():
            raise lgb.callback.EarlyStopException(environment.iteration, environment.evaluation_result_list)

    check.order = 40  # type: ignore[attr-defined]  # after the evaluation, before lgb.early_stopping would overrule it
    return check


FAMILY = Lgbm()
