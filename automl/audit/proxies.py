"""Do the inputs stand in for a sensitive attribute? Its groups are predicted from them on training rows, together and one by one, each row out of fold.

Leaving an attribute out of the inputs does not take it out of the data: what predicts it can carry it (Barocas and Selbst 2016; the scan of inputs is that
of Feldman et al. 2015, who call an attribute predictable where a classifier's balanced errors are low). That groups can be told from an input says nothing on
whether the model uses it so; therefore each input's place in the model stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from automl.audit.estimates import metric_estimates
from automl.audit.explain import ExplainedRows
from automl.audit.outcomes import FloatArray, IntArray, Outcomes, groups_of
from automl.audit.resampling import generator
from automl.data.bins import quantile_edges
from automl.data.encoding import TreeEncoder
from automl.evidence import Estimate, FeatureImportance, NotMeasured, ProxyFeature, ProxyGroup, ProxyScan
from automl.printing import row_count

MOST_ROWS, MOST_CELLS = 6_000, 600_000
"""Of a wide table fewer rows are drawn, 1,000 at least."""
FEWEST_ROWS_OF_GROUP = 20
FOLDS = 3
SETTINGS: dict[str, Any] = {"learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20, "lambda_l2": 1.0, "verbose": -1, "deterministic": True, "force_row_wise": True, "num_threads": 1}
ROUNDS = 60
"""Fixed: no row of the estimate chooses when to stop."""
BINS, LEVELS, ROWS_PER_BIN = 24, 40, 150
"""Of an input alone: bins of equal counts of a number, fewer of few rows, and most frequent levels of a category; missing is one more."""
SMOOTHING = 10.0
STRONG_AUC = 0.7
"""The usual reading of an AUC as acceptable discrimination begins here (Hosmer, Lemeshow and Sturdivant 2013, 5.2.4)."""
TOP = 10
LEAST_SHARE = 0.02
"""An input among the `TOP` by mean |SHAP| with this share of the whole moves the score."""
LISTED = 30


def scan_proxies(
    training_rows: ExplainedRows, features: Sequence[FeatureImportance], *, seed: int, threads: int = 1, texts: Collection[str] = (),
) -> tuple[ProxyScan | NotMeasured, ...] | NotMeasured:
    """A scan for each declared attribute, on `MOST_ROWS` training rows at most, of known group. ``features``: the model's inputs with their importance;
    ``texts``: those that are free text, which are left out."""
    if not training_rows.groups:
        return NotMeasured(reason="no sensitive attribute was declared")
    return tuple(_scan(training_rows, attribute, features, seed, threads, texts) for attribute in training_rows.groups)


@dataclass(frozen=True)
class _Drawn:
    """The rows of one scan. y: index into ``groups`` (n,)."""

    frame: pd.DataFrame
    y: IntArray
    groups: tuple[str, ...]
    weight: FloatArray | None
    cluster: NDArray[Any] | None
    folds: list[tuple[IntArray, IntArray]]
    seed: int

    def outcomes(self, chances: FloatArray) -> Outcomes:
        """As if the groups were the classes of a model with these probabilities (n, groups)."""
        binary = len(self.groups) == 2
        return Outcomes(
            task="binary" if binary else "multiclass", labels=self.groups, positive=self.groups[1] if binary else None, favourable=(), truth=self.y,
            score=chances[:, 1] if binary else chances, decision=chances.argmax(axis=1).astype(np.int64), weight=self.weight, cluster=self.cluster, probabilities=True)

    def against_the_rest(self, group: int, chances: FloatArray) -> Outcomes:
        return Outcomes(
            task="binary", labels=("rest", "group"), positive="group", favourable=(), truth=(self.y == group).astype(np.int64), score=chances[:, group], decision=None,
            weight=self.weight, cluster=self.cluster, probabilities=True)


def _scan(
    training_rows: ExplainedRows, attribute: str, features: Sequence[FeatureImportance], seed: int, threads: int, texts: Collection[str],
) -> ProxyScan | NotMeasured:
    scanned = {feature.feature for feature in features} - {attribute, *texts}
    # in the table's order: that of importance comes from the audit part, and no prediction may depend on it
    names = [str(name) for name in training_rows.features.columns if name in scanned]
    drawn, small = _draw(training_rows, attribute, names, seed)
    if isinstance(drawn, NotMeasured):
        return drawn
    chances = _out_of_fold(drawn, threads)
    joint = metric_estimates(drawn.outcomes(chances), seed=seed, names=("roc_auc", "balanced_accuracy"))
    weights = np.bincount(drawn.y, weights=drawn.weight, minlength=len(drawn.groups))
    return ProxyScan(
        attribute=attribute, rows=len(drawn.y), folds=len(drawn.folds), auc=joint["roc_auc"], balanced_accuracy=joint["balanced_accuracy"], chance=1 / len(drawn.groups),
        largest_share=float(weights.max() / weights.sum()), strong=STRONG_AUC, own_column=any(feature.feature == attribute for feature in features),
        groups=tuple(_groups(drawn, chances)), features=_one_by_one(drawn, features), left_out_groups=small,
        left_out_features=tuple(feature.feature for feature in features if feature.feature in texts))


def _draw(training_rows: ExplainedRows, attribute: str, names: Sequence[str], seed: int) -> tuple[_Drawn | NotMeasured, tuple[str, ...]]:
    """Rows at random of groups that are large enough, and the names of the others."""
    labels = training_rows.groups[attribute]
    known = np.flatnonzero(labels != None)  # noqa: E711 - elementwise
    most = min(MOST_ROWS, max(1_000, MOST_CELLS // max(1, len(names))))
    rows = np.sort(generator(seed, "proxy rows", attribute).choice(known, size=min(most, len(known)), replace=False))
    counts = {group: int((labels[rows] == group).sum()) for group in groups_of(labels)}
    groups = tuple(group for group, n in counts.items() if n >= FEWEST_ROWS_OF_GROUP)
    small = tuple(group for group in counts if group not in groups)
    if not names:
        return NotMeasured(reason=f"{attribute}: there is no other input to predict it from"), small
    if len(groups) < 2:
        return NotMeasured(reason=f"{attribute}: no two groups have {row_count(FEWEST_ROWS_OF_GROUP)} or more among the training rows"), small
    rows = rows[np.isin(labels[rows], groups)]
    y = np.array([groups.index(group) for group in labels[rows]], dtype=np.int64)
    weight, cluster = (None if values is None else values[rows] for values in (training_rows.weight, training_rows.cluster))
    folds = _folds(y, cluster, seed)
    if folds is None:
        return NotMeasured(reason=f"{attribute}: its groups are too few persons to be predicted out of fold"), small
    return _Drawn(training_rows.features[list(names)].iloc[rows].reset_index(drop=True), y, groups, weight, cluster, folds, seed), small


def _folds(y: IntArray, cluster: NDArray[Any] | None, seed: int) -> list[tuple[IntArray, IntArray]] | None:
    """Stratified, whole persons; None where a group would be missing from the training rows of a fold."""
    if cluster is None:
        found = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y[:, None], y))
    elif len(np.unique(cluster)) < FOLDS:
        return None
    else:
        found = list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(y[:, None], y, cluster))
    complete = all(len(valid) and len(np.unique(y[train])) == len(np.unique(y)) for train, valid in found)
    return [(train.astype(np.int64), valid.astype(np.int64)) for train, valid in found] if complete else None


def _out_of_fold(drawn: _Drawn, threads: int) -> FloatArray:
    """(n, groups): probabilities by boosted trees over all inputs, fitted on the other folds."""
    binary = len(drawn.groups) == 2
    objective = {"objective": "binary"} if binary else {"objective": "multiclass", "num_class": len(drawn.groups)}

    def of_fold(fold: tuple[IntArray, IntArray]) -> FloatArray:
        train, valid = fold
        encoder, matrix = TreeEncoder.fit_transform(drawn.frame.iloc[train], drawn.y[train], "binary" if binary else "multiclass", drawn.seed)
        weight = None if drawn.weight is None else drawn.weight[train]
        data = lgb.Dataset(matrix, drawn.y[train], weight=weight, feature_name=[f"f{at}" for at in range(matrix.shape[1])], params={"verbose": -1, "num_threads": 1})
        booster = lgb.train({**SETTINGS, **objective, "seed": drawn.seed}, data, ROUNDS)
        predicted = np.asarray(booster.predict(encoder.transform(drawn.frame.iloc[valid]), num_threads=1))
        return np.column_stack([1 - predicted, predicted]) if binary else predicted

    chances = np.empty((len(drawn.y), len(drawn.groups)))
    # a fold a thread: of so few rows a tree is grown faster by one thread than by two that wait for each other
    with ThreadPoolExecutor(threads) as pool:
        for (_, valid), found in zip(drawn.folds, pool.map(of_fold, drawn.folds), strict=True):
            chances[valid] = found
    return chances


def _groups(drawn: _Drawn, chances: FloatArray) -> Iterator[ProxyGroup]:
    for at, group in enumerate(drawn.groups):
        auc = metric_estimates(drawn.against_the_rest(at, chances), seed=drawn.seed, names=("roc_auc",))["roc_auc"]
        yield ProxyGroup(group=group, n=int((drawn.y == at).sum()), auc=auc)


def _one_by_one(drawn: _Drawn, features: Sequence[FeatureImportance]) -> tuple[ProxyFeature, ...]:
    sizes = {feature.feature: feature.mean_abs_shap.value if isinstance(feature.mean_abs_shap, Estimate) else 0.0 for feature in features}
    whole = sum(sizes.values()) or 1.0
    found = []
    for feature in features:
        if feature.feature not in drawn.frame.columns:
            continue
        chances = _alone(drawn, _cells(drawn.frame[feature.feature]))
        alone = metric_estimates(drawn.outcomes(chances), seed=drawn.seed, names=("roc_auc",))["roc_auc"]
        share = sizes[feature.feature] / whole
        strong = isinstance(alone, Estimate) and not alone.low_precision and alone.low >= STRONG_AUC
        found.append(ProxyFeature(feature=feature.feature, alone=alone, rank=feature.rank, share_of_score=share, flagged=strong and feature.rank <= TOP and share >= LEAST_SHARE))
    ordered = sorted(found, key=lambda each: -each.alone.value if isinstance(each.alone, Estimate) else 0.0)
    return tuple(each for at, each in enumerate(ordered) if at < LISTED or each.flagged)


def _cells(column: pd.Series) -> IntArray:
    """Each row's bin or level; made of the input alone, so that no group is in it."""
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        edges = quantile_edges(np.where(np.isfinite(values), values, np.nan), max(4, min(BINS, len(values) // ROWS_PER_BIN)))
        return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left") + 1, 0).astype(np.int64)
    levels = pd.Index(column.value_counts().index[:LEVELS])
    places = levels.get_indexer(column) + 1
    return np.where(column.isna(), 0, np.where(places == 0, LEVELS + 1, places)).astype(np.int64)


def _alone(drawn: _Drawn, cells: IntArray) -> FloatArray:
    """(n, groups): smoothed shares of the groups among the rows of the other folds in the same cell."""
    weight = np.ones(len(drawn.y)) if drawn.weight is None else drawn.weight
    chances = np.empty((len(drawn.y), len(drawn.groups)))
    for train, valid in drawn.folds:
        counts = np.zeros((int(cells.max()) + 1, len(drawn.groups)))
        np.add.at(counts, (cells[train], drawn.y[train]), weight[train])
        prior = counts.sum(axis=0) / counts.sum()
        smoothing = SMOOTHING * float(weight.mean())
        chances[valid] = ((counts + smoothing * prior) / (counts.sum(axis=1, keepdims=True) + smoothing))[cells[valid]]
    return chances
