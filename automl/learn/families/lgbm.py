"""Gradient boosted trees (LightGBM), on columns named f0..fn and categories encoded as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import lightgbm as lgb
import numpy as np

from automl.data.encoding import CategoryEncoding, CodeEncoder, TreeEncoder
from automl.learn.families import USUAL, Array, CannotFit, Effort, Files, Fold, Params, TableShape, texts_in_numbers
from automl.learn.families.lgbm_device import LgbmDevice
from automl.learn.families.tree_model import MAX_DEPTH, TreeModel, load_trees
from automl.learn.interactions import interacting
from automl.learn.trees import Trees, parse_trees
from automl.spec import MEDIAN, TaskKind

if TYPE_CHECKING:
    import optuna

PLAIN: Params = {"learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": 20, "bagging_fraction": 1.0, "feature_fraction": 1.0,
                 "min_sum_hessian_in_leaf": 1e-3, "lambda_l2": 1e-3, "extra_trees": False, "pairs": False, "categories": "target"}
"""LightGBM's own defaults (lambda_l2 is 0 there; the space starts at 0.001). ``pairs``: with target means of columns that act together, where there are any (`automl.learn.interactions`);
``categories``: how they are encoded (`automl.data.encoding.CategoryEncoding`)."""
OF_ENCODING = ("pairs", "categories")
"""Settings that are ours and not LightGBM's: what the matrix has, not what is learned from it."""
SMALL: Params = {**PLAIN, "learning_rate": 0.06, "num_leaves": 8, "bagging_fraction": 0.75, "min_sum_hessian_in_leaf": 1e-7}
"""Many small trees: the cheapest, and the best alone on small and noisy tables."""
REGULARISED: Params = {**PLAIN, "learning_rate": 0.06, "num_leaves": 40, "min_data_in_leaf": 10, "bagging_fraction": 0.75, "feature_fraction": 0.6,
                       "min_sum_hessian_in_leaf": 1e-7, "lambda_l2": 5.0, "pairs": True}
WIDE: Params = {**PLAIN, "learning_rate": 0.03, "num_leaves": 128, "min_data_in_leaf": 30, "bagging_fraction": 0.7, "feature_fraction": 0.5,
                "min_sum_hessian_in_leaf": 1e-7}
TUNED_CLASSIFICATION: Params = {**PLAIN, "learning_rate": 0.04, "num_leaves": 50, "min_data_in_leaf": 40, "bagging_fraction": 0.75, "min_sum_hessian_in_leaf": 1e-7}
TUNED_REGRESSION: Params = {**PLAIN, "learning_rate": 0.05, "num_leaves": 100, "min_data_in_leaf": 3, "bagging_fraction": 0.7, "min_sum_hessian_in_leaf": 1e-7}
"""The tuned defaults of pytabkit (Holzmueller et al. 2024, "Better by default")."""
DEFAULTS: dict[str, list[Params]] = {
    # the cheapest first; each brings something that the others do not (docs/benchmarks.md)
    "binary": [SMALL, PLAIN, REGULARISED, {**TUNED_CLASSIFICATION, "extra_trees": True}, {**TUNED_CLASSIFICATION, "pairs": True}],
    "multiclass": [SMALL, PLAIN, {**TUNED_CLASSIFICATION, "extra_trees": True}, REGULARISED, TUNED_CLASSIFICATION],
    "regression": [PLAIN, {**WIDE, "pairs": True}, SMALL, REGULARISED, TUNED_REGRESSION, {**TUNED_REGRESSION, "extra_trees": True}],
}
OTHERWISE_ENCODED: dict[str, list[Params]] = {
    "binary": [{**PLAIN, "categories": "ordinal"}, {**REGULARISED, "pairs": False, "categories": "one_hot"}, {**REGULARISED, "pairs": False, "categories": "ordinal"}, {**SMALL, "categories": "one_hot"}],
    "multiclass": [{**REGULARISED, "categories": "one_hot"}, {**PLAIN, "categories": "ordinal"}],
    "regression": [{**WIDE, "categories": "one_hot"}, {**REGULARISED, "pairs": False, "categories": "ordinal"}],
}
"""Of a table with categories, after those: on small tables target means are noise, and trees that read the same columns in another way err differently."""
LARGE: Params = {**PLAIN, "learning_rate": 0.06, "num_leaves": 255, "min_data_in_leaf": 30, "min_sum_hessian_in_leaf": 1e-7}
"""Of a table with many rows a tree of many leaves learns most per second, and there is enough behind each leaf: small trees would still be at their beginning when the budget ends."""
DEFAULTS_LARGE: list[Params] = [LARGE, {**LARGE, "num_leaves": 127, "bagging_fraction": 0.75, "feature_fraction": 0.5, "pairs": True}, {**REGULARISED, "num_leaves": 127}, {**LARGE, "extra_trees": True}, {**PLAIN, "num_leaves": 63}]
OTHERWISE_ENCODED_LARGE: list[Params] = [{**LARGE, "categories": "ordinal"}]
"""Of a large table with categories, first: the fewest columns, and a level far down the list has a place of its own."""
MOST_LEAVES, MOST_LEAVES_LARGE = 128, 512
Pairs = tuple[tuple[int, int], ...]
OBJECTIVE = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
OBJECTIVE_OF_METRIC = {"mae": "regression_l1", "quantile_loss": "quantile"}
"""Where another loss than the task's is learned. Boosting stops by the loss that it learns: see docs/architecture.md on what the metric steers."""
MOST_ROUNDS = 2000
LEAST_SECONDS_FOR_PAIRS = 5.0
"""Finding pairs takes up to two seconds a fold."""
PATIENCE_TIMES_RATE = 2.0
"""Boosting stops when the validation loss has not improved for this over the learning rate (50 rounds at 0.04)."""


@dataclass(frozen=True)
class Boosted(TreeModel):
    """With the rounds that are its fold's best, until all folds have agreed on a number (`automl.learn.rounds`)."""

    grown: Trees = field(repr=False)
    """All rounds, those after its best too."""
    rounds: int
    losses: Array = field(repr=False)

    def after(self, rounds: int) -> TreeModel:
        mine = min(rounds, len(self.losses))
        return self if mine == self.rounds else TreeModel(self.encoder, self.outputs, self.grown.first(mine * self.outputs).to_bytes())


@dataclass(frozen=True)
class Lgbm:
    on: LgbmDevice
    name = "lgbm"

    def device(self) -> str:
        return self.on.words

    def defaults(self, task: TaskKind, shape: TableShape = USUAL) -> list[Params]:
        # many classes are many trees a round
        if shape.large and task != "multiclass":
            return [*(OTHERWISE_ENCODED_LARGE if shape.categories else ()), *DEFAULTS_LARGE]
        return [*DEFAULTS[task], *(OTHERWISE_ENCODED[task] if shape.categories else ())]

    def suggest(self, trial: optuna.Trial, task: TaskKind, shape: TableShape = USUAL) -> Params:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 8, MOST_LEAVES_LARGE if shape.large else MOST_LEAVES, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 3, 100, log=True),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
            "min_sum_hessian_in_leaf": trial.suggest_float("min_sum_hessian_in_leaf", 1e-7, 10.0, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 30.0, log=True),
            "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
            "pairs": trial.suggest_categorical("pairs", [False, True]),
            "categories": trial.suggest_categorical("categories", get_args(CategoryEncoding)) if shape.categories else "target",
        }

    def fit(self, params: Params, fold: Fold, effort: Effort) -> TreeModel:
        device = self.on.settings()
        try:
            return self._fit(params, fold, effort, device)
        except lgb.basic.LightGBMError as error:
            if device["device_type"] == "cpu":
                raise
            self.on.gave_up(error)
            return self._fit(params, fold, effort, self.on.settings())

    def _fit(self, params: Params, fold: Fold, effort: Effort, device: Params) -> TreeModel:
        encoder, train, valid = _datasets(fold, device, _pairs(fold, effort) if params.get("pairs") else (), params.get("categories", "target"))
        if not encoder.width:
            raise CannotFit("there are no features")
        rate = float(params["learning_rate"])
        measured: dict[str, dict[str, list[float]]] = {}
        callbacks: list[Callable[..., Any]] = [lgb.record_evaluation(measured), _end_when(effort.must_end), lgb.early_stopping(max(10, round(PATIENCE_TIMES_RATE / rate)), verbose=False)]
        booster = self.on.train({**_settings(params, fold, effort), **device}, train, MOST_ROUNDS, valid_sets=[valid], callbacks=callbacks, keep_training_booster=True)
        outputs, best = fold.classes if fold.task == "multiclass" else 1, booster.best_iteration
        if fold.task == "binary":
            # measured: of two classes the mixture gains nothing by it
            return TreeModel(encoder, outputs, parse_trees(booster.model_to_string(num_iteration=best)).to_bytes())
        grown = parse_trees(booster.model_to_string(num_iteration=-1))
        (losses,) = next(iter(measured.values())).values()
        rows = len(fold.valid_y) if fold.valid_weight is None else float(np.sum(fold.valid_weight))
        return Boosted(encoder, outputs, grown.first(best * outputs).to_bytes(), grown, best, np.array(losses) * rows)

    def load(self, files: Files) -> TreeModel:
        return load_trees(files)


def _settings(params: Params, fold: Fold, effort: Effort) -> Params:
    objective = OBJECTIVE_OF_METRIC.get(fold.metric or "", OBJECTIVE[fold.task]) if fold.task == "regression" else OBJECTIVE[fold.task]
    fixed: Params = {
        "objective": objective, "verbose": -1, "num_threads": effort.threads, "seed": fold.seed,
        "deterministic": True, "feature_pre_filter": False, "max_depth": MAX_DEPTH,
    }
    if fold.task == "multiclass":
        fixed["num_class"] = fold.classes
    if objective == "quantile":
        fixed["alpha"] = MEDIAN if fold.quantile is None else fold.quantile
    return {**{name: value for name, value in params.items() if name not in OF_ENCODING}, "bagging_freq": 1 if params["bagging_fraction"] < 1 else 0, **fixed}


def _pairs(fold: Fold, effort: Effort) -> Pairs:
    """The fold's columns that act together, found once. Where there is hardly time for a fit they are not looked for."""
    if "pairs" not in fold.cache:
        if effort.left < LEAST_SECONDS_FOR_PAIRS:
            return ()
        rows, _, texts = texts_in_numbers(fold)
        codes = CodeEncoder.fit(rows, texts)
        fold.cache["pairs"] = interacting(codes, codes.transform(rows), fold.train_y, fold.task, fold.seed, effort.threads)
    found: Pairs = fold.cache["pairs"]
    return found


def _datasets(fold: Fold, device: Params, pairs: Pairs, categories: CategoryEncoding) -> tuple[TreeEncoder, lgb.Dataset, lgb.Dataset]:
    """Binned once per fold, device and encoding, with and without pairs, and kept: the search space has nothing else that changes the bins. The weights are this fit's own."""
    kept = f"lgbm on {device['device_type']}{' with pairs' * bool(pairs)}, {categories}"
    if kept not in fold.cache:
        rows, valid_rows, texts = texts_in_numbers(fold)
        encoder, matrix = TreeEncoder.fit_transform(rows, fold.train_y, fold.task, fold.seed, fold.dates, texts, pairs, categories)
        names = [f"f{at}" for at in range(matrix.shape[1])]
        fixed = {"verbose": -1, **device}
        train = lgb.Dataset(matrix, fold.train_y, weight=fold.train_weight, feature_name=names, params={"feature_pre_filter": False, **fixed})
        valid = lgb.Dataset(encoder.transform(valid_rows), fold.valid_y, weight=fold.valid_weight, reference=train, feature_name=names, params=fixed)
        fold.cache[kept], fold.cache[f"{kept}, weight"] = (encoder, train, valid), fold.train_weight
    cached: tuple[TreeEncoder, lgb.Dataset, lgb.Dataset] = fold.cache[kept]
    if fold.cache[f"{kept}, weight"] is not fold.train_weight:
        # `set_weight` leaves the old ones where there are none or all are 1
        cached[1].construct().set_field("weight", fold.train_weight)
        fold.cache[f"{kept}, weight"] = fold.train_weight
    return cached


def _end_when(must_end: Callable[[], bool]) -> Callable[[Any], None]:
    def check(environment: Any) -> None:
        if must_end():
            raise lgb.callback.EarlyStopException(environment.iteration, environment.evaluation_result_list)

    check.order = 40  # type: ignore[attr-defined]  # after the evaluation, before lgb.early_stopping would overrule it
    return check


FAMILY = Lgbm(LgbmDevice())
