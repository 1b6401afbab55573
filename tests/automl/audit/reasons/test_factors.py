from __future__ import annotations

import numpy as np

from automl.audit.reasons.factors import SENSITIVE, contributions, factors_of, may_be_stated
from automl.spec import ReasonPolicy


def test_every_input_is_in_one_factor_and_groups_stand_where_their_first_member_does() -> None:
    policy = ReasonPolicy.model_validate({"groups": {"work": ["job", "hours"]}, "table": {"work": {"code": "W", "text": "Work"}, "job": {"actionable": True}}})
    factors = factors_of(["age", "job", "pay", "hours"], policy, ())
    assert [(factor.name, factor.inputs) for factor in factors] == [("age", (0,)), ("work", (1, 3)), ("pay", (2,))]
    assert factors[1].line.code == "W"


def test_mistake_11_parts_of_one_matter_add_up() -> None:
    policy = ReasonPolicy.model_validate({"groups": {"work": ["job", "hours"]}})
    factors = factors_of(["job", "pay", "hours"], policy, ())
    assert contributions(np.array([[-0.3, -0.4, -0.2]]), factors).tolist() == [[-0.5, -0.4]]


def test_what_may_not_be_stated_stands_by_itself_even_where_it_was_grouped() -> None:
    policy = ReasonPolicy.model_validate({"groups": {"person": ["sex", "job", "town"]}, "table": {"town": {"excluded": "prohibited"}, "height": {"excluded": "immutable"}}})
    factors = factors_of(["sex", "job", "town", "height"], policy, ("sex",))
    assert {factor.name: factor.excluded for factor in factors} == {
        "sex": SENSITIVE, "person": None, "town": "prohibited by the reason table", "height": "immutable by the reason table"}
    assert may_be_stated(factors).tolist() == [False, True, False, False]


def test_a_whole_group_can_be_prohibited() -> None:
    policy = ReasonPolicy.model_validate({"groups": {"where": ["town", "street"]}, "table": {"where": {"excluded": "prohibited"}}})
    assert [factor.excluded for factor in factors_of(["town", "street"], policy, ())] == ["prohibited by the reason table"]
