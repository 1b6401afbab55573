"""Paired comparisons: what two models share cancels, and intervals keep their level."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from automl.audit.paired import auc_change, change_estimate, paired_sums
from automl.evidence import Estimate, NotMeasured


def test_sums_are_weighted_and_every_replicate_has_all_columns_of_the_same_units() -> None:
    draw = np.random.default_rng(0)
    columns, weight = draw.random((400, 3)), draw.uniform(0.5, 2, 400)
    columns[:, 2] = columns[:, 0] + columns[:, 1]
    sums = paired_sums(columns, 1, "x", weight=weight, cluster=None)
    assert sums.observed == pytest.approx(weight @ columns)
    assert sums.replicates[:, 0] + sums.replicates[:, 1] == pytest.approx(sums.replicates[:, 2])
    assert sums.replicates.mean(axis=0) == pytest.approx(sums.observed, rel=0.01)
    assert (paired_sums(columns, 1, "x", weight=weight, cluster=None).replicates == sums.replicates).all()
    assert (paired_sums(columns, 2, "x", weight=weight, cluster=None).replicates != sums.replicates).any()


def test_rows_of_one_person_are_drawn_together() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=100), 5)
    alone = paired_sums(values[:, None], 0, weight=None, cluster=None)
    together = paired_sums(values[:, None], 0, weight=None, cluster=np.repeat(np.arange(100), 5))
    assert together.units == 100
    assert together.replicates.std() == pytest.approx(alone.replicates.std() * np.sqrt(5), rel=0.1)


def test_where_no_decision_differs_the_interval_says_how_many_could() -> None:
    found = change_estimate(0.0, np.zeros(2_000), 100, 100, 100)
    assert isinstance(found, Estimate)
    assert (found.low, found.high) == pytest.approx((-0.0370, 0.0370), abs=1e-4)
    assert "no decision differs" in found.method


def test_no_rows_have_no_change() -> None:
    sums = paired_sums(np.zeros((0, 2)), 0, weight=None, cluster=None)
    assert isinstance(change_estimate(float("nan"), sums.replicates[:, 0], 0, 0, 0), NotMeasured)


def test_a_change_of_area_is_scikit_learns_and_tighter_than_two_areas() -> None:
    draw = np.random.default_rng(4)
    y = draw.random(2_000) < 0.3
    before = y + draw.normal(size=2_000)
    after = before + 0.1 * draw.normal(size=2_000)
    found = auc_change(before, after, y)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(roc_auc_score(y, after) - roc_auc_score(y, before), abs=1e-12)
    assert found.high - found.low < 0.02, "unpaired it would be 0.06"


@pytest.mark.slow
def test_the_paired_interval_covers_the_true_change() -> None:
    """300 tables of 200 rows; a rate changes from .5 to .44 by decisions that differ in few rows."""
    draw, hits = np.random.default_rng(7), 0
    for at in range(300):
        now = draw.random(200) < 0.5
        then = np.where(draw.random(200) < 0.12, False, now)
        sums = paired_sums(np.column_stack([np.ones(200), now, then]).astype(float), at, weight=None, cluster=None)
        found = change_estimate(float(then.mean() - now.mean()), (sums.replicates[:, 2] - sums.replicates[:, 1]) / sums.replicates[:, 0], 200, 200, 200)
        assert isinstance(found, Estimate)
        hits += found.low <= -0.06 <= found.high
    assert hits >= 274, "0.95 of 300 but for three standard deviations of this simulation"
