"""Gradient boosted trees (LightGBM), on columns named f0..fn and categories encoded as numbers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from automl.data.encoding import TreeEncoder
from automl.learn import tree_shap
from automl.learn.families import Array, CannotFit, Effort, Files, Fold, Params
from automl.learn.predictions import centred
from automl.spec import TaskKind

if TYPE_CHECKING:
    import optuna
    import pandas as pd

PLAIN: Params = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "bagging_fraction": 1.0, "feature_fraction": 1.0,
                 "min_sum_hessian_in_leaf": 1e-3, "lambda_l2": 1e-3}
"""LightGBM's own defaults (lambda_l2 is 0 there; the space starts at 0.001)."""
_TUNED_CLASSIFICATION: Params = {**PLAIN, "learning_rate": 0.04, "num_leaves": 50, "min_data_in_leaf": 40, "bagging_fraction": 0.75, "min_sum_hessian_in_leaf": 1e-7}
_TUNED_REGRESSION: Params = {**PLAIN, "learning_rate": 0.05, "num_leaves": 100, "min_data_in_leaf": 3, "bagging_fraction": 0.7, "min_sum_hessian_in_leaf": 1e-7}
DEFAULTS: dict[str, list[Params]] = {
    # LightGBM's own first, since they cost a quarter, then the tuned ones of pytabkit (Holzmueller et al. 2024, "Better by default")
    "binary": [PLAIN, _TUNED_CLASSIFICATION],
    "multiclass": [PLAIN, _TUNED_CLASSIFICATION],
    "regression": [PLAIN, _TUNED_REGRESSION],
}
OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
MOST_ROUNDS = 2000
PATIENCE_TIMES_RATE = 2.0
"""Boosting stops when the validation loss has not improved for this over the learning rate (50 rounds at 0.04)."""
MAX_DEPTH = 50
"""Keeps the columns on one path countable in a 64-bit word, which the exact Shapley values rely on."""


@dataclass(frozen=True)
class LgbmModel:
    encoder: TreeEncoder
    booster: lgb.Booster
    outputs: int
    text: str = field(repr=False)
    explainer = "exact interventional tree SHAP over the table's columns"

    def raw(self, frame: pd.DataFrame, threads: int = 1) -> Array:
        raw = np.asarray(self.booster.predict(self.encoder.transform(frame), raw_score=True, num_threads=threads), dtype=np.float64)
        return centred(raw)

    def attributions(self, frame: pd.DataFrame, background: pd.DataFrame, seed: int) -> Array:
        position = {name: at for at, name in enumerate(frame.columns)}
        players = np.array([position[self.encoder.codes.names[source]] for source in self.encoder.sources], dtype=np.int64)
        phi = tree_shap.shapley_values(
            tree_shap.parse_trees(self.text), self.encoder.transform(frame), self.encoder.transform(background), players, frame.shape[1], self.outputs)
        return phi[:, :, 0] if self.outputs == 1 else phi - phi.mean(axis=2, keepdims=True)

    def files(self) -> Files:
        document = {"encoder": self.encoder.as_json(), "outputs": self.outputs}
        return {
            # no time stamp: the same model gives the same bytes
            "trees.txt.gz": gzip.compress(self.text.encode(), compresslevel=6, mtime=0),
            "lgbm.json": json.dumps(document, ensure_ascii=False, sort_keys=True).encode(),
        }


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
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> LgbmModel:
        encoder, train, valid = _datasets(fold)
        if not len(encoder.sources):
            raise CannotFit("there are no features")
        rate = float(params["learning_rate"])
        callbacks: list[Callable[..., Any]] = [_end_when(effort.must_end), lgb.early_stopping(max(10, round(PATIENCE_TIMES_RATE / rate)), verbose=False)]
        booster = lgb.train(_settings(params, fold, effort), train, MOST_ROUNDS, valid_sets=[valid], callbacks=callbacks)
        return _from_text(encoder, booster.model_to_string(num_iteration=booster.best_iteration), max(1, fold.classes if fold.task == "multiclass" else 1))

    def load(self, files: Files) -> LgbmModel:
        document = json.loads(files["lgbm.json"])
        return _from_text(TreeEncoder.from_json(document["encoder"]), gzip.decompress(files["trees.txt.gz"]).decode(), document["outputs"])


def _settings(params: Params, fold: Fold, effort: Effort) -> Params:
    fixed: Params = {
        "objective": OBJECTIVE[fold.task], "verbose": -1, "num_threads": effort.threads, "seed": fold.seed,
        "deterministic": True, "force_row_wise": True, "feature_pre_filter": False, "max_depth": MAX_DEPTH,
    }
    if fold.task == "multiclass":
        fixed["num_class"] = fold.classes
    return {**params, "bagging_freq": 1 if params["bagging_fraction"] < 1 else 0, **fixed}


def _datasets(fold: Fold) -> tuple[TreeEncoder, lgb.Dataset, lgb.Dataset]:
    """Binned once per fold and kept: the search space has nothing that changes the bins."""
    if "lgbm" not in fold.cache:
        encoder, matrix = TreeEncoder.fit_transform(fold.train, fold.train_y, fold.task, fold.seed)
        names = [f"f{at}" for at in range(matrix.shape[1])]
        train = lgb.Dataset(matrix, fold.train_y, weight=fold.train_weight, feature_name=names, params={"feature_pre_filter": False, "verbose": -1})
        valid = lgb.Dataset(encoder.transform(fold.valid), fold.valid_y, weight=fold.valid_weight, reference=train, feature_name=names, params={"verbose": -1})
        fold.cache["lgbm"] = encoder, train, valid
    cached: tuple[TreeEncoder, lgb.Dataset, lgb.Dataset] = fold.cache["lgbm"]
    return cached


def _end_when(must_end: Callable[[], bool]) -> Callable[[Any], None]:
    def check(environment: Any) -> None:
        if must_end():
            raise lgb.callback.EarlyStopException(environment.iteration, environment.evaluation_result_list)

    check.order = 40  # type: ignore[attr-defined]  # after the evaluation, before lgb.early_stopping would overrule it
    return check


def _from_text(encoder: TreeEncoder, text: str, outputs: int) -> LgbmModel:
    """Always by way of the text, so that a model just fitted and the same model loaded are the same numbers."""
    return LgbmModel(encoder, lgb.Booster(model_str=text), outputs, text)


FAMILY = Lgbm()
