from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.audit.explain import Attributed, attribute_rows
from automl.audit.rank_stability import rank_stability
from automl.evidence import NotMeasured, RankStability
from tests.automl.audit.inputs import Linear, Problem, people


def stability(weights: Any, features: int = 4, **options: Any) -> tuple[RankStability | NotMeasured, Linear]:
    model, audit, train = Linear(np.asarray(weights, dtype=float)), people(features=features), people(seed=1, features=features)
    attributed = attribute_rows(model, audit, train, Problem(), seed=0)
    assert isinstance(attributed, Attributed)
    return rank_stability(model, audit, train, attributed, seed=0, **options), model


def test_a_clear_order_is_the_same_in_every_draw() -> None:
    found, _ = stability([4.0, -2.0, 1.0, 0.3])
    assert isinstance(found, RankStability)
    assert [one.varied for one in found.over] == ["background", "seed"]
    for one in found.over:
        assert (one.kendall_tau.lowest, one.top_jaccard.lowest, one.kendall_tau.pairs) == (1.0, 1.0, 10)
        assert [(each.feature, each.best, each.worst) for each in one.ranks] == [("x0", 1, 1), ("x1", 2, 2), ("x2", 3, 3), ("x3", 4, 4)]


def test_inputs_that_count_alike_change_places() -> None:
    found, _ = stability([1.0] * 10, features=10)
    assert isinstance(found, RankStability)
    other_seeds = found.over[1]
    assert other_seeds.kendall_tau.lowest < 0.6
    assert other_seeds.top_jaccard.mean < 1
    assert max(each.worst - each.best for each in other_seeds.ranks) >= 3
    assert found.top == 4


def test_each_draw_has_rows_and_background_of_its_own_or_keeps_the_rows() -> None:
    found, model = stability([1.0, 1.0, 1.0, 1.0], draws=4, rows=50)
    assert isinstance(found, RankStability)
    assert (found.over[0].draws, found.over[0].rows, found.over[0].background) == (4, 50, 100)
    backgrounds = [tuple(frame.index) for frame in model.backgrounds]
    assert len(set(backgrounds)) == len(backgrounds) == 7
    rows = [tuple(frame.index) for frame in model.explained[1:]]
    assert len(set(rows[:3])) == 1
    assert len(set(rows[3:])) == 3
    assert all(len(each) == 50 for each in rows)


def test_the_same_inputs_give_the_same_draws() -> None:
    assert stability([1.0, 0.9, 0.8, 0.7])[0] == stability([1.0, 0.9, 0.8, 0.7])[0]


@pytest.mark.parametrize(("weights", "why"), [([1.0], "one input"), ([0.0, 0.0, 0.0, 0.0], "no input moved")])
def test_where_there_is_no_order_it_says_so(weights: list[float], why: str) -> None:
    found, _ = stability(weights, features=len(weights))
    assert isinstance(found, NotMeasured)
    assert why in found.reason
