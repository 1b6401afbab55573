"""Columns that look like the target in disguise: how well does each one, alone, tell the target?

Names play no part. Strength is the AUC (ties count half) of one column against the target on a sample of rows, 0.5 to 1; for several
classes the mean over one-against-the-rest; for a regression target the same with "above the median". A number is taken as it is
(missing lowest), in whichever direction; a category by the share of the target in its level, learned on one half of the sample and
scored on the other, so that many levels prove nothing; a free text likewise, by a logistic regression on the main directions of its words.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from automl.data.names import shown
from automl.data.problems import infer_task
from automl.data.tables import Positions, Table
from automl.data.texts import TextEncoder

SAMPLE, SAMPLE_OF_TEXTS = 20_000, 4_000
DISGUISE = 0.98
"""Alone above this, a column is hardly a predictor: it is the outcome, or made from it."""
KNOWN_AFTERWARDS = 0.80
STANDS_OUT = 0.12
"""Above the first and so far above the second best, a column is worth the question when it becomes known."""
_MOST_CLASSES = 12


def find_leaks(table: Table, target: str, rows: Positions | None = None) -> dict[str, str]:
    """For each suspicious column the sentence that asks about it, judged on ``rows`` (default all). Raises BadInput when ``target`` cannot be a target."""
    task = infer_task(table, target)
    rows = _sample(table, target, rows)
    if len(rows) < 100:
        return {}
    classes = _one_against_rest(table, target, rows, task == "regression")
    judged = [name for name in table.names if name != target and table.facts[name].type not in ("id", "constant", "empty")]
    strength = {name: _strength(table, name, rows, classes) for name in judged}
    return {name: sentence for name in judged if (sentence := _sentence(name, strength, target, len(rows))) is not None}


def _sentence(name: str, strength: dict[str, float], target: str, n: int) -> str | None:
    alone = strength[name]
    second = max((value for other, value in strength.items() if other != name), default=0.5)
    if alone > DISGUISE:
        return (f"alone it tells {shown(target)} almost without error (AUC {alone:.3f} on {n:,} rows): is it the outcome in another form, "
                "or is it known before the decision?")
    if alone > KNOWN_AFTERWARDS and alone - second > STANDS_OUT:
        return (f"alone it tells {shown(target)} far better than any other column (AUC {alone:.2f}, the next {second:.2f}, on {n:,} rows): "
                "is it perhaps known only afterwards?")
    return None


def _sample(table: Table, target: str, rows: Positions | None) -> Positions:
    has_target = table.text(target).notna().to_numpy()
    rows = np.flatnonzero(has_target).astype(np.int64) if rows is None else rows[has_target[rows]]
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(0).choice(rows, SAMPLE, replace=False))
    return rows


def _one_against_rest(table: Table, target: str, rows: Positions, is_number: bool) -> list[NDArray[np.bool_]]:
    if is_number:
        values = table.numbers(target, rows).to_numpy()
        return [values > np.nanmedian(values)]
    texts = table.text(target, rows)
    common = texts.value_counts().index[:_MOST_CLASSES]
    return [(texts == label).to_numpy(dtype=bool) for label in (common[1:] if len(common) == 2 else common)]


def _strength(table: Table, name: str, rows: Positions, classes: list[NDArray[np.bool_]]) -> float:
    if table.facts[name].type == "text":
        most = slice(0, None, 1 + len(rows) // SAMPLE_OF_TEXTS)
        return float(np.mean(_aucs_of_text(table.text(name, rows[most]), [is_class[most] for is_class in classes])))
    return float(np.mean([_auc_of(table, name, rows, is_class) for is_class in classes]))


def _aucs_of_text(texts: pd.Series, classes: list[NDArray[np.bool_]]) -> list[float]:
    half = np.random.default_rng(1).random(len(texts)) < 0.5
    found: list[float] = []
    for learn in (half, ~half):
        encoder = TextEncoder.fit("", texts[learn], 0)
        told = np.nan_to_num(encoder.transform(texts), nan=-1.0)
        for is_class in classes:
            if len(np.unique(is_class[learn])) == 2:
                with warnings.catch_warnings():
                    # where the classes can be told apart the weights have no end
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    model = LogisticRegression(C=10.0, max_iter=200).fit(told[learn], is_class[learn])
                found.append(auc(is_class[~learn], model.decision_function(told[~learn])))
    return found or [0.5]


def _auc_of(table: Table, name: str, rows: Positions, is_class: NDArray[np.bool_]) -> float:
    facts = table.facts[name]
    if facts.numeric or facts.date_format:
        values = table.numbers(name, rows) if facts.numeric else table.dates(name, str(facts.date_format), rows)
        alone = auc(is_class, values.fillna(-np.inf).to_numpy())
        return max(alone, 1 - alone)
    return _auc_of_levels(table.text(name, rows).fillna("").to_numpy(dtype=object), is_class)


def _auc_of_levels(levels: NDArray[np.object_], is_class: NDArray[np.bool_]) -> float:
    half = np.random.default_rng(1).random(len(levels)) < 0.5
    found = []
    for learn in (half, ~half):
        share = pd.Series(is_class[learn]).groupby(levels[learn]).mean()
        score = pd.Series(levels[~learn]).map(share).fillna(is_class[learn].mean()).to_numpy(dtype="float64")
        found.append(auc(is_class[~learn], score))
    return float(np.mean(found))


def auc(is_class: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Mann-Whitney's U over the number of pairs, ties counted half; 0.5 where one side is empty."""
    positives = int(is_class.sum())
    pairs = positives * (len(is_class) - positives)
    if not pairs:
        return 0.5
    return float((rankdata(score)[is_class].sum() - positives * (positives + 1) / 2) / pairs)
