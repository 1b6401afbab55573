from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from automl.audit.reasons.backgrounds import Scale
from automl.audit.reasons.counterfactuals import LEVELS, MOST_CHANGED, Changeable, changeable, search_changes, told
from automl.audit.reasons.factors import factors_of
from automl.spec import ReasonPolicy
from tests.automl.audit.reasons.people import Linear

NAMES = ("a", "b", "c", "d")
TRAINING = pd.DataFrame({name: np.arange(0.0, 101.0) for name in NAMES})


def columns(table: dict[str, Any], training: pd.DataFrame = TRAINING, sensitive: tuple[str, ...] = (), **policy: Any) -> tuple[Changeable, ...]:
    given = ReasonPolicy.model_validate({"table": table, **policy})
    factors = factors_of(list(training.columns), given, sensitive)
    return changeable(list(training.columns), factors, given, training, np.zeros(len(factors)), ())


def test_only_what_the_table_marks_as_actionable_is_changed() -> None:
    found = columns({"a": {"actionable": True}, "b": {"text": "B"}, "c": {"excluded": "immutable"}, "d": {"actionable": True}}, sensitive=("d",))
    assert [column.name for column in found] == ["a"]
    assert columns({}) == ()
    assert [column.name for column in columns({"g": {"actionable": True}, "b": {"actionable": False}}, groups={"g": ["a", "b"]})] == ["a"], "a member's own line stands above its group's"


def test_values_are_those_of_training_rows() -> None:
    training = pd.DataFrame({"n": [1.0, 1.0, np.nan, 7.5, 300.0], "c": pd.Series(["x", "x", "y", None, "y"], dtype="str"), "e": [np.nan] * 5})
    number, category = columns({name: {"actionable": True} for name in training.columns}, training)
    assert set(number.values) <= {1.0, 7.5, 300.0}
    assert sorted(category.values) == ["x", "y"]
    many = columns({"a": {"actionable": True}}, pd.DataFrame({"a": pd.Series([f"v{at % 40}" for at in range(400)], dtype="str")}))
    assert len(many[0].values) == LEVELS


def test_a_reason_for_being_too_high_is_answered_by_going_down() -> None:
    [down] = columns({"a": {"actionable": True, "direction": "higher"}})
    steps = down.steps(pd.Series([50.0, np.nan]))
    assert np.isinf(steps[0][down.values >= 50]).all()
    assert np.isfinite(steps[0][down.values < 50]).all()
    assert np.isfinite(steps[1]).all()


def search(weights: list[float], row: list[float], cut: float, table: dict[str, Any]) -> Any:
    frame = pd.DataFrame([row], columns=list(NAMES))
    [found] = search_changes(Linear(np.array(weights), NAMES), Scale(1, cut), frame, columns(table))
    return None if found is None else told(found, frame, dict.fromkeys(NAMES, "number"))


ALL = {name: {"actionable": True} for name in NAMES}


def test_one_change_is_preferred_to_two_and_the_smaller_one_to_the_larger() -> None:
    found = search([1.0, 0.1, 0.0, 0.0], [50.0, 50.0, 50.0, 50.0], 62.0, ALL)
    assert [(change.column, change.before, change.after) for change in found.changes] == [("a", "50", "60")], "75, 90 and 98 would do as well and are farther"
    assert found.score == 65.0


def test_several_columns_where_one_is_not_enough_and_never_more_than_three() -> None:
    found = search([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], 180.0, ALL)
    assert len(found.changes) == 2
    assert len(search([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], 270.0, ALL).changes) == MOST_CHANGED == 3
    assert search([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], 350.0, ALL) is None


def test_what_may_not_be_changed_stays_even_where_it_would_help() -> None:
    assert search([1.0, 0.0, 0.0, 0.0], [0.0] * 4, 50.0, {"b": {"actionable": True}}) is None
    assert search([1.0, 0.0, 0.0, 0.0], [60.0, 0, 0, 0], 70.0, {"a": {"actionable": True, "direction": "higher"}}) is None, "only downwards"


def test_rows_are_searched_together_and_answered_each() -> None:
    frame = pd.DataFrame([[50.0] * 4, [0.0] * 4, [97.0] * 4], columns=list(NAMES))
    model = Linear(np.array([1.0, 0.0, 0.0, 0.0]), NAMES)
    together = search_changes(model, Scale(1, 97.5), frame, columns(ALL))
    alone = [search_changes(model, Scale(1, 97.5), frame.iloc[[at]], columns(ALL))[0] for at in range(3)]
    assert [None if one is None else one.values.iloc[0].tolist() for one in together] == [None if one is None else one.values.iloc[0].tolist() for one in alone]
