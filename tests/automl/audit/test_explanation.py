from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from automl.audit.explanation import measure_explanation
from automl.evidence import ExplanationSection, NotMeasured
from tests.automl.audit.inputs import Linear, Problem, people


@dataclass(frozen=True)
class Model(Linear):
    attribution_cost: float = 60_000.0


def section(model: Model, seed: int = 1) -> ExplanationSection:
    found = measure_explanation(model, people(700), people(900, seed=seed), Problem(), seed=0)
    assert isinstance(found, ExplanationSection)
    return found


def test_an_input_that_tells_the_groups_is_marked_where_importance_is_listed() -> None:
    shifted = people(900, seed=1)
    shifted.features["x0"] += 2 * (shifted.groups["group"] == "a")
    found = measure_explanation(Model(np.array([1.0, -1.0, 0.2, 0.1])), people(700), shifted, Problem(), seed=0)
    assert isinstance(found, ExplanationSection)
    assert {feature.feature: feature.stands_in_for for feature in found.features} == {"x0": ("group",), "x1": (), "x2": (), "x3": ()}
    assert not any(isinstance(part, NotMeasured) for part in (found.proxies, found.stability, found.permutation, found.related, found.dependence, found.second_background))


@pytest.mark.parametrize(("cost", "rows", "draws"), [(199_999.0, 500, 5), (500_000.0, 120, 3)])
def test_fewer_rows_are_explained_where_a_row_costs_hundreds_of_predictions(cost: float, rows: int, draws: int) -> None:
    model = Model(np.array([1.0, -1.0, 0.2, 0.1]), attribution_cost=cost)
    found = section(model)
    assert found.rows == rows
    assert not isinstance(found.stability, NotMeasured)
    assert [each.draws for each in found.stability.over] == [draws, draws]
    assert sum(len(frame) for frame in model.explained) < (450 if rows == 120 else 2500)


def test_nothing_to_explain_is_said() -> None:
    empty = replace(people(10), features=people(10).features[[]])
    assert isinstance(measure_explanation(Model(np.array([])), empty, empty, Problem(), seed=0), NotMeasured)
