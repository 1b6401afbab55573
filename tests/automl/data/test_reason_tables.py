from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automl.data.problems import resolve_problem
from automl.data.tables import Table
from automl.errors import BadInput
from automl.spec import ReasonPolicy, TaskSpec, parse_spec

CELLS = "a/b,colour,y\n" + "".join(f"{at},{'red' if at % 3 else 'blue'},{at % 2}\n" for at in range(40))


def resolved(table: Table, reasons: dict[str, Any]) -> None:
    resolve_problem(TaskSpec.model_validate({"target": "y", "reasons": reasons}), table)


def test_a_table_of_known_columns_and_groups_is_taken(table_of: Callable[[str], Table]) -> None:
    resolved(table_of(CELLS), {"table": {"a/b": {"text": "A", "direction": "lower"}, "both": {"text": "Both"}}, "groups": {"both": ["a/b", "colour"]}})


@pytest.mark.parametrize(("reasons", "said", "pointer"), [
    ({"table": {"color": {"text": "C"}}}, "speaks of 'color', which is no column and no group of reasons; did you mean 'colour'?", "/reasons/table/color"),
    ({"table": {"colour": {"text": "C", "direction": "higher"}}}, "holds neither numbers nor dates", "/reasons/table/colour"),
    ({"groups": {"g": ["a/b", "c"]}}, "the table has no column 'c'", "/reasons/groups/g/1"),
    ({"groups": {"a/b": ["a/b", "colour"]}}, "has the name of a column", "/reasons/groups/a~1b"),
    ({"groups": {"g": ["a/b", "colour"]}, "table": {"g": {"text": "G", "direction": "lower"}}}, "a group of inputs has no direction", "/reasons/table/g"),
])
def test_what_the_table_does_not_have_is_refused_in_one_sentence(table_of: Callable[[str], Table], reasons: dict[str, Any], said: str, pointer: str) -> None:
    with pytest.raises(BadInput, match=said.replace("?", r"\?")) as refused:
        resolved(table_of(CELLS), reasons)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(("reasons", "said"), [
    ({"most": 0}, "greater than or equal to 1"),
    ({"most": 21}, "less than or equal to 20"),
    ({"materiality": 1.0}, "less than 1"),
    ({"groups": {"g": ["a", "b"], "h": ["b", "c"]}}, "'b' is in two groups"),
    ({"table": {"a": {"excluded": "immutable", "actionable": True}}}, "what is immutable cannot be actionable"),
    ({"table": {"a": {"text": "x" * 301}}}, "300"),
])
def test_a_policy_that_contradicts_itself_is_refused(reasons: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        parse_spec({"target": "y", "reasons": reasons}, "training")


def test_the_usual_policy_is_four_reasons_of_a_twentieth_of_the_distance() -> None:
    assert (ReasonPolicy().most, ReasonPolicy().materiality, ReasonPolicy().rows) == (4, 0.05, None)
