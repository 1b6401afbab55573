"""The bundled sample: a made-up lending table with planted, known group effects, so that evidence can be compared with the truth.

`make_sample` draws a table of loan applications and gives it as CSV text; ``python -m automl.data.sample > sample.csv`` writes it.
Nothing in it comes from real people. How a row is made, in this order:

1. ``sex``, ``race`` and ``age`` are drawn independently of each other (shares in `SEX_SHARES`, `RACE_SHARES`).
2. Circumstances depend on them a little: yearly income (women 12 % less, Black and Hispanic applicants 10 % less, in the median)
   and the region (`REGION_SHARES`), so that a model that never sees the attributes can still find part of them.
3. ``approved`` is "yes" with probability 1 / (1 + exp(-score)); the score adds up the merits (income, debts, late payments ..) and
   the **planted group effects** in `EFFECTS` (log-odds), which no merit explains.
4. Some cells are then emptied, completely at random (`MISSING_SHARES`); the decision was made before that.

`sample_truth` gives the rates that this recipe implies, from a draw of its own that is much larger than any sample.
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_ROWS = 8_000
SAMPLE_SEED = 20_261_121
TARGET = "approved"
POSITIVE = "yes"
SENSITIVE = ("sex", "race", "age")
AGE_BINS = (24.0, 39.0, 59.0)
"""Edges for ``bins["age"]``: the groups "<= 24", "25 to 39", "40 to 59" and ">= 60"."""

SEX_SHARES = {"Female": 0.47, "Male": 0.53}
RACE_SHARES = {"White": 0.60, "Black": 0.16, "Hispanic": 0.14, "Asian": 0.08, "Other": 0.02}
REGION_SHARES = {
    "White": {"North": 0.35, "East": 0.30, "South": 0.15, "West": 0.20},
    "Black": {"North": 0.15, "East": 0.15, "South": 0.50, "West": 0.20},
    "Hispanic": {"North": 0.15, "East": 0.15, "South": 0.35, "West": 0.35},
    "Asian": {"North": 0.30, "East": 0.25, "South": 0.15, "West": 0.30},
    "Other": {"North": 0.25, "East": 0.25, "South": 0.25, "West": 0.25},
}
EFFECTS = {
    "sex": {"Female": -0.45},
    "race": {"Black": -0.80, "Hispanic": -0.40},
    "age": {"<= 24": -0.60},
}
"""Planted effects on the log-odds of approval at equal merit; a group that is not named has 0."""
MISSING_SHARES = {"race": 0.02, "income": 0.06, "employment_years": 0.04, "savings": 0.15}

_TRUTH_ROWS = 400_000
_TRUTH_SEED = 7


@dataclass(frozen=True)
class SampleTruth:
    """What the recipe implies, by attribute and group (``{"sex": {"Female": ...}}``); shares in 0..1, Monte-Carlo error below 0.005
    except for "Other" (2 % of the rows: below 0.02).

    ``base_rates``: expected share of "yes". ``selection_rates``: share that the best possible model, one that knows the recipe
    and every column, approves at a probability of 0.5. ``ratios``: base rate over the highest base rate of the attribute.
    ``best_auc``: the AUC of the true probability, which no model exceeds but by luck.
    """

    base_rates: dict[str, dict[str, float]]
    selection_rates: dict[str, dict[str, float]]
    ratios: dict[str, dict[str, float]]
    best_auc: float
    rows: int


@dataclass(frozen=True)
class _Draw:
    """One draw of the recipe, before cells are emptied: columns by name, and the true probability of "yes" of each row."""

    columns: dict[str, NDArray[np.object_]]
    probability: NDArray[np.float64]
    approved: NDArray[np.bool_]
    groups: dict[str, NDArray[np.object_]]


def make_sample(rows: int = SAMPLE_ROWS, seed: int = SAMPLE_SEED) -> str:
    """The table as CSV text with a header, ``rows`` lines of data and "\\n" line ends; the same for the same ``rows`` and ``seed``."""
    rng = np.random.default_rng(seed)
    draw = _draw(rows, rng)
    for name, share in MISSING_SHARES.items():
        draw.columns[name][rng.random(rows) < share] = ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(draw.columns)
    writer.writerows(zip(*draw.columns.values(), strict=True))
    return text.getvalue()


def sample_truth() -> SampleTruth:
    """The rates behind the sample; see `SampleTruth`."""
    draw = _draw(_TRUTH_ROWS, np.random.default_rng(_TRUTH_SEED))
    base: dict[str, dict[str, float]] = {}
    selected: dict[str, dict[str, float]] = {}
    ratios: dict[str, dict[str, float]] = {}
    for attribute, groups in draw.groups.items():
        members = {str(group): groups == group for group in sorted(set(groups))}
        base[attribute] = {group: float(draw.probability[inside].mean()) for group, inside in members.items()}
        selected[attribute] = {group: float((draw.probability[inside] >= 0.5).mean()) for group, inside in members.items()}
        ratios[attribute] = {group: rate / max(base[attribute].values()) for group, rate in base[attribute].items()}
    return SampleTruth(base, selected, ratios, _auc(draw.approved, draw.probability), _TRUTH_ROWS)


def _draw(rows: int, rng: np.random.Generator) -> _Draw:
    sex = _choose(rng, rows, SEX_SHARES)
    race = _choose(rng, rows, RACE_SHARES)
    age = np.clip(np.round(18 + rng.gamma(2.6, 9.5, rows)), 18, 85)
    region = np.empty(rows, dtype=object)
    for name, shares in REGION_SHARES.items():
        inside = race == name
        region[inside] = _choose(rng, int(inside.sum()), shares)

    income = 36_000 * np.exp(rng.normal(0, 0.45, rows)) * np.where(sex == "Female", 0.88, 1.0) * np.where(_is_any(race, "Black", "Hispanic"), 0.9, 1.0)
    income = np.round(income * (1 + 0.006 * np.clip(age - 25, 0, 30)), -2)
    employment_years = np.round(np.minimum(rng.gamma(1.5, 4.0, rows), age - 17), 1)
    loan_amount = np.round(np.clip(rng.lognormal(9.2, 0.6, rows), 1_000, 60_000), -2)
    term_months = rng.choice([12, 24, 36, 48, 60, 72], rows, p=[0.08, 0.17, 0.3, 0.2, 0.17, 0.08])
    debt_ratio = np.round(np.clip(rng.beta(2.2, 5.0, rows), 0.01, 0.95), 3)
    late_payments = rng.poisson(0.6 + 0.9 * debt_ratio, rows)
    savings = np.round(np.where(rng.random(rows) < 0.2, 0, rng.lognormal(8.0, 1.2, rows)), -1)
    employment = _choose(rng, rows, {"employed": 0.68, "self-employed": 0.14, "unemployed": 0.08, "student": 0.10})
    housing = _choose(rng, rows, {"rent": 0.5, "own": 0.38, "family": 0.12})
    purpose = _choose(rng, rows, {"car": 0.34, "furniture": 0.2, "renovation": 0.18, "education": 0.1, "debts": 0.18})

    merit = (
        0.55
        + 1.15 * np.log(income / 36_000)
        - 0.75 * (np.log(loan_amount / 10_000) + 0.25 * (36 - term_months) / 36)
        - 3.2 * (debt_ratio - 0.3)
        - 0.62 * (late_payments - 0.9)
        + 0.045 * (employment_years - 6)
        + 0.10 * np.log1p(savings / 1_000)
        + np.select([employment == "unemployed", employment == "student", employment == "self-employed"], [-1.1, -0.5, -0.2], 0.0)
        + np.where(housing == "own", 0.3, 0.0)
        + np.where(purpose == "debts", -0.35, 0.0)
    )
    groups = {"sex": sex, "race": race, "age": _age_groups(age)}
    effect = np.select([sex == group for group in EFFECTS["sex"]], list(EFFECTS["sex"].values()), 0.0)
    effect = effect + np.select([race == group for group in EFFECTS["race"]], list(EFFECTS["race"].values()), 0.0)
    effect = effect + np.where(age <= 24, EFFECTS["age"]["<= 24"], 0.0)
    probability = 1 / (1 + np.exp(-(merit + effect)))
    approved = rng.random(rows) < probability

    columns = {
        "application_id": np.array([f"{number:07d}" for number in rng.permutation(rows) + 1], dtype=object),
        "sex": sex,
        "race": race,
        "age": _whole(age),
        "region": region,
        "income": _whole(income),
        "employment": employment,
        "employment_years": employment_years.astype(object),
        "housing": housing,
        "purpose": purpose,
        "loan_amount": _whole(loan_amount),
        "term_months": _whole(term_months),
        "debt_ratio": debt_ratio.astype(object),
        "late_payments": _whole(late_payments),
        "savings": _whole(savings),
        TARGET: np.where(approved, "yes", "no").astype(object),
    }
    return _Draw(columns, probability, approved, groups)


def _choose(rng: np.random.Generator, rows: int, shares: dict[str, float]) -> NDArray[np.object_]:
    return np.array(list(shares), dtype=object)[rng.choice(len(shares), rows, p=list(shares.values()))]


def _is_any(values: NDArray[np.object_], *wanted: str) -> NDArray[np.bool_]:
    return np.isin(values.astype(str), wanted)


def _age_groups(age: NDArray[np.float64]) -> NDArray[np.object_]:
    """Ages in the bins `AGE_BINS`, named as `automl.data.splits.group_labels` names them."""
    names = np.array(["<= 24", "25 to 39", "40 to 59", ">= 60"], dtype=object)
    return names[np.searchsorted(AGE_BINS, age, side="left")]


def _whole(values: NDArray[np.generic]) -> NDArray[np.object_]:
    return values.astype(np.int64).astype(object)


def _auc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Mann-Whitney: the share of (yes, no) pairs in which the yes has the higher score; scores are continuous, so ties do not matter."""
    ranks = np.empty(len(score))
    ranks[np.argsort(score)] = np.arange(1, len(score) + 1)
    positives = int(truth.sum())
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


if __name__ == "__main__":
    sys.stdout.write(make_sample())
