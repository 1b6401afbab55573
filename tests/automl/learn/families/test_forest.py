"""Forests: the same leaves as scikit-learn's, on real tables, and leaves that speak in raw scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from automl.learn.calibration import fit_map
from automl.learn.families import Effort, Fold, family
from automl.learn.families.forest import CHUNK, EXTRA, FOREST, as_trees, double_thresholds, single
from automl.learn.families.leaves import Grown, leaf_values
from automl.learn.trees import Trees
from tests.automl.learn import material

pytestmark = pytest.mark.slow

FORESTS = [RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor, ExtraTreesRegressor]


def holes(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    x = x.astype(np.float64)
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    return x


@pytest.mark.parametrize("kind", FORESTS)
@pytest.mark.parametrize("missing", [True, False])
def test_every_row_reaches_the_leaf_that_it_reaches_in_scikit_learn(kind: Any, missing: bool) -> None:
    """On measured doubles that a single cannot hold, on the cuts themselves and just beside them, on gaps, and on numbers beyond every single."""
    x, y = (load_diabetes if kind in FORESTS[2:] else load_breast_cancer)(return_X_y=True)
    learned = holes(x) if missing else x
    forest = kind(n_estimators=8, max_leaf_nodes=100, random_state=0, bootstrap=True).fit(single(learned), y)
    trees = as_trees(forest, [np.arange((estimator.tree_.children_left < 0).sum(), dtype=float)[:, None] for estimator in forest.estimators_])
    draw = np.random.default_rng(1)
    cuts = [trees.threshold[(trees.feature == at) & np.isfinite(trees.threshold)] for at in range(x.shape[1])]
    near = np.stack([draw.choice(cut if len(cut) else x[:, at], 4000) for at, cut in enumerate(cuts)], axis=1)
    near = near * (1 + draw.integers(-3, 4, near.shape) * 2.0 ** -draw.integers(23, 54, near.shape))
    beyond = draw.choice([1e300, -1e300, 3.5e38, 0.0, -0.0, 1e-46], (50, x.shape[1]))
    rows = np.vstack([x, holes(x), near, holes(near), beyond])
    for at, estimator in enumerate(forest.estimators_):
        leaves = np.flatnonzero(estimator.tree_.children_left < 0)
        expected = np.searchsorted(leaves, estimator.tree_.apply(single(rows)))
        one = Trees(
            trees.node_start[[0, 1]] * 0 + [0, np.diff(trees.node_start)[at]], trees.leaf_start[[0, 1]] * 0 + [0, len(leaves)],
            *(getattr(trees, name)[trees.node_start[at]:trees.node_start[at + 1]] for name in ("feature", "threshold", "nan_left", "left", "right")),
            value=trees.value[trees.leaf_start[at]:trees.leaf_start[at + 1]])
        assert (one.raw_scores(rows, 1)[:, 0] == expected).all()


def test_a_cut_between_singles_rounds_as_singles_do() -> None:
    draw = np.random.default_rng(0)
    cuts = np.concatenate([draw.normal(size=2000), draw.normal(size=2000).astype(np.float32), 10.0 ** draw.uniform(-45, 38, 2000), [0.0, -0.0, np.inf]])
    moved = double_thresholds(cuts)
    assert moved[-1] == np.inf
    for step in (0, 1e-17, 1e-16, 1e-9, 2.0**-25, 3e-8, 1e-7):
        for x in (cuts * (1 - step), cuts * (1 + step), moved, np.nextafter(moved, np.inf), np.nextafter(moved, -np.inf)):
            with np.errstate(over="ignore"):
                assert ((x.astype(np.float32) <= cuts) == (x <= moved)).all()


def test_the_trees_sum_to_what_scikit_learn_predicts() -> None:
    x, y = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(20, max_leaf_nodes=60, random_state=0).fit(single(x), y)
    means = [estimator.tree_.value[estimator.tree_.children_left < 0, 0, :] / 20 for estimator in forest.estimators_]
    assert as_trees(forest, means).raw_scores(x, 1)[:, 0] == pytest.approx(forest.predict(single(x)), rel=1e-12)


def test_leaves_of_more_classes_have_a_score_for_each() -> None:
    fold = material.fold("multiclass", 5)
    model = family("trees").fit({**EXTRA, "trees": 12}, fold, Effort(1))
    assert model.trees.value.shape[1] == 5  # type: ignore[attr-defined]
    assert len(model.trees.leaf_start) == 13  # type: ignore[attr-defined]


@pytest.mark.parametrize("params", [EXTRA, FOREST])
@pytest.mark.parametrize("noise", [0.5, 3.0])
def test_scores_of_rows_that_it_did_not_see_are_near_their_log_odds(params: dict[str, Any], noise: float) -> None:
    """Shares of votes are no probabilities: without the out-of-bag reading the factor would be far from 1."""
    draw = np.random.default_rng(4)
    frame = material.features(4000)
    y = (draw.random(4000) < expit(material.score(frame) / noise)).astype(np.int64)
    fold = Fold("binary", 2, frame[:2000], y[:2000], None, frame[2000:], y[2000:], None, seed=0)
    raw = family("trees").fit({**params, "trees": 40}, fold, Effort(1)).raw(fold.valid)
    read = fit_map(raw, fold.valid_y, None)
    assert 0.8 < read.slope < 1.25
    assert abs(read.shift) < 0.25


def test_a_leaf_says_its_median_where_absolute_errors_count() -> None:
    """One column of two values: two leaves, and in each the median of its rows, by weight."""
    x = np.repeat([[0.0], [1.0]], 50, axis=0)
    y = np.concatenate([np.arange(50.0), 1000 + np.arange(50.0) ** 3])
    weight = np.where(y < 25, 3.0, 1.0)
    forest = RandomForestRegressor(4, random_state=0).fit(single(x), y)
    material_fold = material.fold("regression", 0)
    for weights, medians in ((None, (24.0, 1000 + 24.0**3)), (weight, (16.0, 1000 + 24.0**3))):
        values = leaf_values(Grown(forest, single(x), y, weights), Fold(**{**material_fold.__dict__, "metric": "mae"}))
        for value in values:
            assert sorted(4 * value[:, 0]) == list(medians)


def test_it_asks_between_chunks_whether_it_must_end() -> None:
    fold = material.fold("regression", 0)
    model = family("trees").fit(EXTRA, fold, Effort(1, lambda: True))
    assert len(model.trees.leaf_start) == CHUNK + 1  # type: ignore[attr-defined]


def test_trees_grown_in_chunks_are_those_grown_at_once() -> None:
    from automl.learn.families import forest

    fold = material.fold("binary", 2)
    params = {**FOREST, "trees": 13}
    in_chunks = family("trees").fit(params, fold, Effort(1)).files()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest, "CHUNK", 13)
        assert family("trees").fit(params, fold, Effort(2)).files() == in_chunks
