"""Small problems with known structure for the engine's tests: made here, not read from anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from automl.data.features import Feature, FeatureSchema
from automl.data.problems import Problem
from automl.data.splits import Rows, Split, TargetOfAllRows
from automl.evidence import SplitInfo
from automl.learn.families import Fold
from automl.spec import METRICS_OF_TASK, TaskKind

HOSTILE = 'a[x]:"{},'
"""A column name that LightGBM refuses and JSON must quote."""


def features(n: int, seed: int = 0) -> pd.DataFrame:
    """Two numbers (one with missing cells), one number under a hostile name, two categories (one with missing cells and three levels or more)."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "size": draw.normal(size=n), HOSTILE: draw.normal(size=n), "holes": draw.normal(size=n),
        "colour": draw.choice(["red", "green", "blue", "=cmd()"], n), "side": draw.choice(["left", "right"], n),
    })
    frame.loc[draw.random(n) < 0.2, "holes"] = np.nan
    frame.loc[draw.random(n) < 0.1, "colour"] = None
    return frame


def score(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """What the targets are made from: a linear part, an interaction and a category's effect."""
    colour = frame["colour"].map({"red": 1.0, "green": -1.0}).fillna(0.0).to_numpy()
    return 1.5 * frame["size"].to_numpy() + frame[HOSTILE].to_numpy() * (frame["side"] == "left").to_numpy() + colour


def target(frame: pd.DataFrame, task: TaskKind, classes: int, seed: int = 1) -> np.ndarray[Any, Any]:
    noisy = score(frame) + 0.3 * np.random.default_rng(seed).normal(size=len(frame))
    if task == "regression":
        return 100 + 10 * noisy
    edges = np.quantile(noisy, np.linspace(0, 1, classes + 1)[1:-1])
    return np.digitize(noisy, edges).astype(np.int64)


def fold(task: TaskKind, classes: int, n: int = 400, frame: pd.DataFrame | None = None) -> Fold:
    """The first three quarters of the rows to train on, the rest to validate on."""
    frame = features(n) if frame is None else frame
    y, cut = target(frame if "size" in frame else features(n), task, classes), 3 * len(frame) // 4
    return Fold(task, 0 if task == "regression" else classes, frame.iloc[:cut], y[:cut], None, frame.iloc[cut:], y[cut:], None, seed=0)


GOOD = ("steady job for many years", "paid back an earlier loan on time", "savings cover half a year", "the employer confirms a permanent contract", "no debts elsewhere")
BAD = ("two payments are overdue", "changed jobs three times this year", "the account is overdrawn", "income could not be confirmed", "a reminder was sent twice")
IDLE = ("called on {day}", "the applicant wants a {thing}", "documents were sent by post", "asked about the rate for {thing}", "visited the branch on {day}", "speaks quickly")


def notes(n: int, seed: int = 0, missing: float = 0.05) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    """What a clerk writes about an application: one to three remarks that count among two to six that do not, in any order; and what they add up to.

    The words are from a small world, as in real notes; no two notes need be alike. The merit (n,) is the number of good remarks less the number of bad ones.
    """
    draw = np.random.default_rng(seed)
    texts, merit = [], np.zeros(n)
    for at in range(n):
        counting = [(pool[draw.integers(len(pool))], 1 if pool is GOOD else -1) for pool in ((GOOD, BAD)[which] for which in draw.integers(0, 2, draw.integers(1, 4)))]
        filled = {"day": draw.choice(["Monday", "Tuesday", "Friday"]), "thing": draw.choice(["car", "kitchen", "roof", "boat"])}
        idle = [IDLE[which].format(**filled) for which in draw.integers(0, len(IDLE), draw.integers(2, 7))]
        said = [text for text, _ in counting] + idle
        texts.append(". ".join(said[which].capitalize() for which in draw.permutation(len(said))) + f". Reference {draw.integers(1e6)}.")
        merit[at] = sum(sign for _, sign in counting)
    column = pd.Series(texts, dtype="str")
    column[draw.random(n) < missing] = None
    return column, merit


def fold_with_notes(n: int = 600, task: TaskKind = "binary", classes: int = 2) -> Fold:
    """The target follows the notes and one number; the first three quarters of the rows to train on."""
    texts, merit = notes(n)
    frame = features(n)[["size"]].assign(note=texts)
    noisy = 2 * merit + frame["size"].to_numpy() + np.random.default_rng(1).logistic(size=n)
    edges = np.quantile(noisy, np.linspace(0, 1, max(2, classes) + 1)[1:-1])
    y, cut = noisy if task == "regression" else np.digitize(noisy, edges).astype(np.int64), 3 * n // 4
    return Fold(task, 0 if task == "regression" else classes, frame.iloc[:cut], y[:cut], None, frame.iloc[cut:], y[cut:], None, seed=0, texts=("note",))


def problem(task: TaskKind, classes: int, frame: pd.DataFrame) -> Problem:
    labels = () if task == "regression" else tuple(f"c{at}" for at in range(classes))
    kinds = tuple(Feature(str(name), "number" if pd.api.types.is_numeric_dtype(frame[name]) else "category") for name in frame.columns)
    positive = labels[-1] if task == "binary" else None
    return Problem(
        task=task, target="y", labels=labels, positive=positive, favourable=() if positive is None else (positive,), inferred=True,
        metric=METRICS_OF_TASK[task][0], schema=FeatureSchema(kinds), columns=())


def split(frame: pd.DataFrame, y: Any, weight: Any = None, cluster: Any = None) -> Split:
    """Training rows only: the engine never opens an audit part."""
    rows = Rows(features=frame, y=y, groups={}, weight=weight, cluster=cluster, position=np.arange(len(frame)))

    def closed() -> Rows:
        raise AssertionError("the engine opened the audit part")

    return Split(train=rows, bins={}, info=SplitInfo(method="none", seed=0, train=len(frame), audit=0), unknown={}, left_out=(),
                 all_targets=TargetOfAllRows(y), _read_audit=closed)
