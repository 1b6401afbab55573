"""Families learn from free text: what they learn holds, can be stored, and is told column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from automl.learn.families import FAMILIES, Effort, Fold, FoldModel, family, texts_in_numbers
from automl.spec import TaskKind
from tests.automl.learn import material

QUICK: dict[str, dict[str, Any]] = {"torch": {"width": 64, "depth": 1, "members": 2, "learning_rate": 5e-3}}


def fit(name: str, fold: Fold) -> FoldModel:
    return family(name).fit({**family(name).defaults(fold.task)[0], **QUICK.get(name, {})}, fold, Effort(threads=1))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "torch"])
def test_text_helps(name: str) -> None:
    fold = material.fold_with_notes(1_000)
    without = Fold(**{**fold.__dict__, "train": fold.train[["size"]], "valid": fold.valid[["size"]], "texts": (), "cache": {}})
    with_text, alone = (roc_auc_score(each.valid_y, fit(name, each).raw(each.valid)) for each in (fold, without))
    assert with_text > alone + 0.15


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_models_of_texts_keep_the_contract(name: str, task: TaskKind, classes: int) -> None:
    fold = material.fold_with_notes(200, task, classes)
    model, rows, background = fit(name, fold), fold.valid.iloc[:8], fold.train.iloc[:10]
    loaded = family(name).load(model.files())
    assert np.array_equal(loaded.raw(fold.valid), model.raw(fold.valid))
    assert np.array_equal(model.raw(texts_in_numbers(fold).valid), model.raw(fold.valid))
    phi = loaded.attributions(rows, background, seed=0)
    assert phi.shape[:2] == (8, 2), "one share for each column, however many numbers a text became"
    gap = model.raw(rows) - model.raw(background).mean(axis=0)
    assert np.abs(phi.sum(axis=1) - gap).max() < 1e-4 * max(1, np.abs(gap).max())
    same = model.attributions(rows.assign(size=0.5), background.assign(size=0.5), seed=0)
    assert np.abs(same[:, 0]).max() < 1e-6 < np.abs(same[:, 1]).max(), "rows that differ in their texts alone differ by them alone"
    assert np.isfinite(model.raw(fold.valid.drop(columns="note"))).all()
    assert not any(b"overdue" in content or b"savings" in content for content in model.files().values())


def test_texts_are_read_once_for_all_families_and_trials() -> None:
    fold = material.fold_with_notes(200)
    first = texts_in_numbers(fold)
    fit("linear", fold)
    fit("lgbm", fold)
    assert texts_in_numbers(fold) is first
