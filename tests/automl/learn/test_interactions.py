from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.encoding import CodeEncoder
from automl.learn.families import Effort, family
from automl.learn.families.tree_model import TreeModel
from automl.learn.interactions import interacting
from automl.spec import TaskKind
from tests.automl.learn import material

pytestmark = pytest.mark.slow


def table(n: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """A number for every day of every month, which trees need hundreds of leaves for, beside columns that act alone; and what they make of a row."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"month": draw.choice([f"m{at}" for at in range(12)], n), "day": draw.integers(0, 31, n).astype(float), "size": draw.normal(size=n), "side": draw.choice(["a", "b"], n)})
    of_days = np.random.default_rng(99).normal(size=(12, 31))
    return frame, of_days[frame["month"].str[1:].astype(int), frame["day"].astype(int)] + frame["size"].to_numpy() + (frame["side"] == "a")


def target(score: np.ndarray[Any, Any], task: TaskKind) -> np.ndarray[Any, Any]:
    noisy = score + np.random.default_rng(1).normal(size=len(score))
    return noisy if task == "regression" else (noisy > 0.5).astype(np.int64)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_columns_that_act_together_are_found_and_no_others(task: TaskKind) -> None:
    frame, score = table(6_000)
    codes = CodeEncoder.fit(frame)
    assert interacting(codes, codes.transform(frame), target(score, task), task, 0, 1) == ((0, 1),)


def test_nothing_is_found_in_what_trees_have_found_already_nor_in_noise() -> None:
    found = 0
    for seed in range(10):
        frame = material.features(1_000, seed)
        codes = CodeEncoder.fit(frame)
        y = np.random.default_rng(seed).integers(0, 2, 1_000) if seed % 2 else material.target(frame, "binary", 2, seed)
        found += len(interacting(codes, codes.transform(frame), y, "binary", seed, 1))
    assert found == 0


def test_of_several_classes_none_are_taken_together() -> None:
    frame, score = table(600)
    codes = CodeEncoder.fit(frame)
    assert interacting(codes, codes.transform(frame), np.digitize(score, [-1, 1]), "multiclass", 0, 1) == ()


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_trees_that_read_pairs_learn_them_and_their_attributions_add_up(task: TaskKind) -> None:
    import shap

    frame, score = table(4_000)
    y = target(score, task)
    fold = material.Fold(task, 2 if task == "binary" else 0, frame.iloc[:3_000], y[:3_000], None, frame.iloc[3_000:], y[3_000:], None, seed=0)
    params = dict(family("lgbm").defaults(task)[0])
    alone, together = (family("lgbm").fit({**params, "pairs": pairs}, fold, Effort(1)) for pairs in (False, True))
    assert isinstance(together, TreeModel)
    assert [pair.columns for pair in together.encoder.pairs] == [(0, 1)]
    assert np.corrcoef(together.raw(fold.valid), score[3_000:])[0, 1] > np.corrcoef(alone.raw(fold.valid), score[3_000:])[0, 1] + 0.02
    loaded = family("lgbm").load(together.files())
    assert np.array_equal(loaded.raw(fold.valid), together.raw(fold.valid))
    rows, background = fold.valid.iloc[:8], fold.train.iloc[:40]
    phi = loaded.attributions(rows, background, seed=0)
    assert np.allclose(phi.sum(axis=1), together.raw(rows) - together.raw(background).mean())
    assert "sampled" in loaded.explainer
    assert "exact" in alone.explainer
    codes = together.encoder.codes
    exact = shap.explainers.Exact(together._raw_of_codes, shap.maskers.Independent(codes.transform(background), max_samples=40))(codes.transform(rows)).values.reshape(8, -1)
    assert np.corrcoef(phi.ravel(), exact.ravel())[0, 1] > 0.97


def test_where_there_is_hardly_time_for_a_fit_pairs_are_not_looked_for() -> None:
    frame, score = table(2_000)
    y = target(score, "binary")
    fold = material.Fold("binary", 2, frame, y, None, frame, y, None, seed=0)
    params = {**family("lgbm").defaults("binary")[0], "pairs": True}
    hasty = family("lgbm").fit(params, fold, Effort(1, left=2.0))
    assert isinstance(hasty, TreeModel)
    assert not hasty.encoder.pairs
    unhurried = family("lgbm").fit(params, fold, Effort(1))
    assert isinstance(unhurried, TreeModel)
    assert unhurried.encoder.pairs
