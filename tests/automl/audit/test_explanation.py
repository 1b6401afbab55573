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


def test_rows_that_were_named_are_explained_wherever_they_are() -> None:
    """Row 7 is the third of the audit part, row 6 the fourth that was learned from, and the last is in neither."""
    weights = np.array([1.0, -1.0, 0.2, 0.1])
    audit, trained = (replace(people(n, seed=seed), position=np.arange(n) * 2 + first) for n, seed, first in ((700, 0, 3), (900, 1, 0)))
    found = measure_explanation(Model(weights), audit, trained, Problem(), seed=0, named=(7, 6, 1_000_000), checks=False)
    assert isinstance(found, ExplanationSection)
    first, second = found.examples[:2]
    assert [(one.asked_row, one.row, one.why) for one in (first, second)] == [(7, 2, "asked for, in the audit part"), (6, 3, "asked for; the model has learned from it")]
    assert found.rows_left_out == (1_000_000,)
    assert {one.asked_row for one in found.examples[2:]} == {None}
    for one, part in ((first, audit), (second, trained)):
        assert one.output == pytest.approx(float(part.features.iloc[one.row].to_numpy() @ weights))
        assert one.base + sum(each.shap for each in one.contributions) == pytest.approx(one.output)
    other_table = measure_explanation(Model(weights), audit, trained, Problem(), seed=0, named=(6,), named_learned=False, checks=False)
    assert isinstance(other_table, ExplanationSection)
    assert (other_table.examples[0].asked_row, other_table.rows_left_out) == (None, (6,))


def test_nothing_to_explain_is_said() -> None:
    empty = replace(people(10), features=people(10).features[[]])
    assert isinstance(measure_explanation(Model(np.array([])), empty, empty, Problem(), seed=0), NotMeasured)
