"""A predicted number beside all rows and the best group: values counted by hand, widths by Welch's formula and the delta method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from automl.audit.parity import ScoreLevels, View
from automl.audit.score_comparisons import score_comparisons
from automl.evidence import Estimate, NotMeasured, Value

SIZES = {"a": 400, "b": 250, "c": 120}


def rows(seed: int = 0, *, weighted: bool = False) -> dict[str, tuple[Any, Any, Any]]:
    """Group to predictions, residuals and weights."""
    rng = np.random.default_rng(seed)
    return {name: (rng.gamma(4, 10 + 3 * at, n), rng.normal(at, 2 + at, n), rng.uniform(0.5, 2, n) if weighted else None) for at, (name, n) in enumerate(SIZES.items())}


def levels(of: dict[str, tuple[Any, Any, Any]]) -> list[ScoreLevels]:
    found = []
    for name, (score, residual, weight) in of.items():
        one = ScoreLevels.of(View(selected=None, deserving=None, score=score, residual=residual, weight=weight, cluster=None, probability=False), 0.0, 0, name)
        assert one is not None
        found.append(one)
    return found


def known(value: Value) -> Estimate:
    assert isinstance(value, Estimate), value
    assert value.low < value.value < value.high
    return value


@pytest.mark.parametrize("weighted", [False, True])
def test_differences_and_ratios_can_be_counted_again(weighted: bool) -> None:
    of = rows(weighted=weighted)
    found = dict(zip(of, score_comparisons(list(of), levels(of)), strict=True))
    for what, column in (("mean", lambda score, residual: score), ("mean_absolute_error", lambda score, residual: np.abs(residual))):
        means = {name: np.average(column(score, residual), weights=weight) for name, (score, residual, weight) in of.items()}
        everybody = np.concatenate([column(score, residual) for score, residual, _ in of.values()])
        whole = np.average(everybody, weights=np.concatenate([weight for _, _, weight in of.values()]) if weighted else None)
        best = (max if what == "mean" else min)(means, key=lambda name: means[name])
        for name in of:
            one = found[name][what]
            assert one.best == best
            assert known(one.minus_all).value == pytest.approx(means[name] - whole)
            assert known(one.over_all).value == pytest.approx(means[name] / whole)
            if name == best:
                assert isinstance(one.minus_best, NotMeasured)
                assert isinstance(one.over_best, NotMeasured)
            else:
                assert known(one.minus_best).value == pytest.approx(means[name] - means[best])
                assert known(one.over_best).value == pytest.approx(means[name] / means[best])


def test_limits_hold_for_all_groups_and_for_all_pairs_at_once() -> None:
    of = rows()
    found = dict(zip(of, score_comparisons(list(of), levels(of)), strict=True))
    variance = {name: score.var(ddof=1) / len(score) for name, (score, _, _) in of.items()}
    share = {name: n / sum(SIZES.values()) for name, n in SIZES.items()}
    wide = norm.isf(0.05 / 3 / 2)
    for name in of:
        error = np.sqrt((1 - share[name]) ** 2 * variance[name] + sum(share[other] ** 2 * variance[other] for other in of if other != name))
        said = known(found[name]["mean"].minus_all)
        assert said.level == pytest.approx(1 - 0.05 / 3)
        assert (said.high - said.low) / 2 == pytest.approx(wide * error, rel=0.1)
    said, means = known(found["a"]["mean"].over_best), {name: score.mean() for name, (score, _, _) in of.items()}
    error = np.sqrt(variance["a"] / means["a"] ** 2 + variance["c"] / means["c"] ** 2)
    assert np.log(said.high / said.low) / 2 == pytest.approx(wide * error, rel=0.1)


def test_two_groups_have_one_contrast_and_one_has_none() -> None:
    of = {name: given for name, given in rows().items() if name != "c"}
    first, _ = score_comparisons(list(of), levels(of))
    assert known(first["mean"].minus_all).level == known(first["mean"].minus_best).level == 0.95
    (alone,) = score_comparisons(["a"], levels(of)[:1])
    assert isinstance(alone["mean"].minus_all, NotMeasured)
    assert alone["mean"].best is None


def test_no_ratio_where_a_mean_is_not_above_0() -> None:
    of = rows()
    of["b"] = (of["b"][0] - 100, *of["b"][1:])
    found = score_comparisons(list(of), levels(of))
    assert all(isinstance(one["mean"].over_all, NotMeasured) for one in found)
    assert all(isinstance(one["mean"].minus_all, Estimate) for one in found)


def test_a_group_of_few_rows_is_not_the_best_where_there_are_others() -> None:
    of = rows()
    of["few"] = (np.full(5, 900.0) + np.arange(5), np.arange(5.0), None)
    assert {one["mean"].best for one in score_comparisons(list(of), levels(of))} == {"c"}
