"""Fairlearn's exponentiated gradient over small LightGBM models: learning under a constraint on the groups' rates (Agarwal et al. 2018, "A reductions approach to fair classification").

The result is a mixture of classifiers of which one is drawn for each decision; no group is an input of any of them. It is learned twice, on two halves of the training rows, so that
every row is decided by the mixture that did not see it; new rows by both. Rounds and rows are bounded, the clock is not asked.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl.data.encoding import TreeEncoder, as_categories
from automl.data.texts import TextEncoder, fit_texts
from automl.learn.families.tree_model import MAX_DEPTH
from automl.learn.folds import make_folds
from automl.learn.mitigation.decisions import Aim, Array, Decisions
from automl.learn.trees import Trees, parse_trees

if TYPE_CHECKING:
    from automl.data.splits import Problem, Rows

Positions = NDArray[np.int64]
Constraint = Literal["demographic_parity", "equalized_odds"]

MOST_ROWS = 20_000
"""Of one half, drawn by the seed where there are more."""
ROUNDS = 6
"""Of the gradient; each fits some three classifiers."""
SLACK = 0.01
"""How far the constraint may be missed among the rows to learn from."""
STEP = 0.01
"""Fairlearn's eps: the bound on the multipliers is its reciprocal."""
NEVER_ENDS_EARLY = 1e-6
"""Fairlearn's nu. Below it, it would ask four more classifiers in each round whether it is done."""
TREES = 40
# small trees: larger ones keep the constraint among the rows that they know by heart, and nowhere else
SETTINGS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.2, "num_leaves": 8, "min_data_in_leaf": 40, "lambda_l2": 1.0, "max_depth": MAX_DEPTH, "max_bin": 127,
    "deterministic": True, "force_row_wise": True, "device_type": "cpu", "verbose": -1,
}
LEAST_SHARE = 1e-6
ROWS_A_THREAD = 10_000
"""With fewer, threads wait for each other longer than they work."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """One of these trees is drawn, with its share, for each decision: who has a raw score above 0 is selected. ``always`` is the share that selects whoever comes."""

    encoder: TreeEncoder
    trees: tuple[tuple[float, Trees], ...]
    always: float = 0.0

    def given(self, frame: pd.DataFrame, threads: int) -> Array:
        """The probability (n,) of being selected."""
        matrix = self.encoder.transform(frame)
        return np.asarray(self.always + np.sum([share * (trees.raw_scores(matrix, 1, threads)[:, 0] > 0) for share, trees in self.trees], axis=0)).clip(0.0, 1.0)

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256(f"{self.encoder.key} {self.always!r}".encode())
        for share, trees in self.trees:
            digest.update(repr(share).encode() + trees.to_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Reduced:
    """Two mixtures, each of one half of the training rows."""

    halves: tuple[Mixture, ...]
    out_of_fold: Array = field(repr=False)
    texts: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    """Learned from, in both halves."""

    def given(self, frame: pd.DataFrame, threads: int) -> Array:
        aligned = as_categories(frame.reindex(columns=list(self.columns)), self.texts)
        return np.asarray(np.mean([half.given(aligned, threads) for half in self.halves], axis=0))

    @property
    def sha256(self) -> str:
        return hashlib.sha256("".join(half.sha256 for half in self.halves).encode()).hexdigest()


def reduced(
    rows: Rows, problem: Problem, frame: pd.DataFrame, decisions: Decisions, aim: Aim, constraint: Constraint, price: float, *, seed: int, threads: int, check: Callable[[], None],
) -> Reduced:
    """Learned on ``rows``, whose features are ``frame``. Raises ValueError for rows with weights, or where a half lacks a group's deserving or other people.

    ``price``: of selecting an undeserving person, as in `curves.curve`. Rows of groups that are not compared are not learned from, and decided all the same."""
    if decisions.weight is not None:
        raise ValueError("Fairlearn's reductions know no weights of rows")
    # only who asks for it waits until it is imported
    import fairlearn.reductions  # noqa: F401

    halves = halves_of(rows, problem, seed)
    jobs = [_Half(rows, problem, frame, decisions, aim, _to_learn_from(half, decisions, aim, seed + at), seed) for at, half in enumerate(halves)]
    found, given = [], np.zeros(len(decisions))
    with warnings.catch_warnings():
        # of pandas 3, on how Fairlearn makes its frames. One half after the other: which warnings are heard is one setting for all threads, and most of the work is Python's
        warnings.simplefilter("ignore", category=pd.errors.Pandas4Warning)
        for other, job in zip(reversed(halves), jobs, strict=True):
            found.append(job.learn(constraint, price, threads))
            given[other] = found[-1].given(frame.iloc[other], threads)
            check()
    return Reduced(tuple(found), given, problem.schema.texts, tuple(map(str, frame.columns)), sum(len(job.positions) for job in jobs))


def halves_of(rows: Rows, problem: Problem, seed: int) -> tuple[Positions, Positions]:
    """Of the search's own folds, so that no person, and no stretch of time, is in both."""
    valid = [part[1] for part in make_folds(rows, problem.task, seed, float("inf"))]
    middle = len(valid) // 2
    return np.sort(np.concatenate(valid[:middle])), np.sort(np.concatenate(valid[middle:]))


def _to_learn_from(half: Positions, decisions: Decisions, aim: Aim, seed: int) -> Positions:
    column, good = decisions.groups[aim.attribute][half], decisions.deserving[half]
    for group in aim.groups:
        if len(set(good[column == group])) < 2:
            raise ValueError("one half of the training rows has a group without people of both labels")
    kept = half[np.isin(column, aim.groups)]
    return kept if len(kept) <= MOST_ROWS else np.sort(np.random.default_rng(seed).choice(kept, MOST_ROWS, replace=False))


class _Half:
    """The rows of one half as LightGBM needs them, binned once for every classifier of the mixture."""

    def __init__(self, rows: Rows, problem: Problem, frame: pd.DataFrame, decisions: Decisions, aim: Aim, positions: Positions, seed: int) -> None:
        self.positions, self.seed = positions, seed
        self.groups = np.array([aim.groups.index(group) for group in decisions.groups[aim.attribute][positions]])
        self.deserving = decisions.deserving[positions].astype(np.int64)
        self.dates = tuple(name for name, kind in problem.schema.kinds.items() if kind == "date")
        mine = frame.iloc[positions]
        texts: tuple[TextEncoder, ...] = fit_texts(mine, problem.schema.texts, seed)
        self.encoder, self.matrix = TreeEncoder.fit_transform(mine, self.deserving, "binary", seed, self.dates, texts)
        if not self.encoder.width:
            raise ValueError("there are no features to learn from")

    def learn(self, constraint: Constraint, price: float, threads: int) -> Mixture:
        import lightgbm as lgb
        from fairlearn.reductions import DemographicParity, EqualizedOdds, ErrorRate, ExponentiatedGradient

        threads = max(1, min(threads, len(self.positions) // ROWS_A_THREAD))
        dataset = lgb.Dataset(self.matrix, np.zeros(len(self.matrix)), params={"verbose": -1, "max_bin": SETTINGS["max_bin"], "force_row_wise": True, "device_type": "cpu",
                                                                              "feature_pre_filter": False, "num_threads": threads}).construct()
        moment = {"demographic_parity": DemographicParity, "equalized_odds": EqualizedOdds}[constraint](difference_bound=SLACK)
        gradient = ExponentiatedGradient(
            _Classifier(self, dataset, threads), moment, objective=ErrorRate(costs={"fp": price, "fn": 1 - price}), eps=STEP, max_iter=ROUNDS, nu=NEVER_ENDS_EARLY)
        gradient.fit(np.arange(len(self.matrix)).reshape(-1, 1), self.deserving, sensitive_features=self.groups)
        shares = {at: float(share) for at, share in gradient.weights_.items() if share > LEAST_SHARE}
        whole = sum(shares.values())
        trees: list[tuple[float, Trees]] = []
        always = 0.0
        for at, share in sorted(shares.items()):
            classifier = gradient.predictors_[at]
            if isinstance(classifier, _Classifier):
                trees.append((share / whole, classifier.trees()))
            else:  # Fairlearn's constant, where one label was best for everybody
                always += share / whole * float(classifier.constant)
        return Mixture(self.encoder, tuple(trees), always)


class _Classifier:
    """What Fairlearn asks to be fitted to labels and weights of its own. It hands rows over by their number."""

    def __init__(self, half: _Half, dataset: Any, threads: int) -> None:
        self.half, self.dataset, self.threads = half, dataset, threads

    def __sklearn_clone__(self) -> _Classifier:
        return _Classifier(self.half, self.dataset, self.threads)

    def fit(self, x: Any, y: Any, sample_weight: Any) -> _Classifier:
        import lightgbm as lgb

        self.dataset.set_field("label", np.asarray(y, dtype=np.float32))
        self.dataset.set_field("weight", np.asarray(sample_weight, dtype=np.float32))
        self.booster = lgb.train({**SETTINGS, "num_threads": self.threads, "seed": self.half.seed, "feature_pre_filter": False}, self.dataset, TREES)
        self.selected = (np.asarray(self.booster.predict(self.half.matrix, raw_score=True, num_threads=self.threads)) > 0).astype(np.int64)
        return self

    def trees(self) -> Trees:
        """As they are stored; of the few classifiers alone that the mixture keeps, since reading them takes as long as growing them."""
        return Trees.from_bytes(parse_trees(self.booster.model_to_string()).to_bytes())

    def predict(self, x: Any) -> NDArray[np.int64]:
        return np.asarray(self.selected[np.asarray(x, dtype=np.int64).reshape(-1)])
