from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl.audit.reasons.factors import factors_of
from automl.audit.reasons.wording import Worded, value_text
from automl.spec import ReasonPolicy

CUT = pd.DataFrame({"late": [1.0, 3.0], "job": ["a", "b"]})
LATE = {"code": "L", "text": "Late payments", "direction": "higher", "approved_by": "A. Person"}


def worded(table: dict[str, object], late: float | None = 5.0, job: str | None = "c", groups: dict[str, object] | None = None) -> Worded:
    frame = pd.DataFrame({"late": [np.nan if late is None else late], "job": pd.Series([job], dtype="str")})
    policy = ReasonPolicy.model_validate({"table": table, "groups": groups or {}})
    return Worded.of(frame, factors_of(["late", "job"], policy, ()), {"late": "number", "job": "category"}, CUT)


def first(one: Worded) -> tuple[str, str | None, str | None, str]:
    [stated] = one.list_of(0, np.array([0, -1]), np.array([-1.0, 0.0]))
    return stated.wording, stated.code, stated.text, stated.value


def test_without_a_table_there_is_the_inputs_name_and_no_text() -> None:
    assert first(worded({})) == ("no_line", None, None, "5")


def test_a_persons_text_is_taken_where_it_is_true_of_the_value() -> None:
    assert first(worded({"late": LATE})) == ("approved", "L", "Late payments", "5")
    assert first(worded({"late": LATE}, late=2.0)) == ("other_direction", None, None, "2"), "the mean at the cut is 2"
    assert first(worded({"late": {**LATE, "direction": "lower"}}, late=1.0))[0] == "approved"


def test_a_line_that_nobody_approved_is_a_draft() -> None:
    assert first(worded({"late": {**LATE, "approved_by": None}})) == ("draft", "L", "Late payments", "5")


def test_mistake_11_a_missing_value_is_never_described_as_one() -> None:
    assert first(worded({"late": LATE}, late=None)) == ("not_given", None, None, "not given")
    assert first(worded({"late": {**LATE, "when_missing": "No record"}}, late=None)) == ("approved", "L", "No record", "not given")


def test_a_group_tells_each_members_value_and_is_missing_only_where_all_are() -> None:
    groups = {"both": ["late", "job"]}
    table = {"both": {"text": "Both", "approved_by": "A"}}
    assert first(worded(table, groups=groups)) == ("approved", None, "Both", "late: 5; job: c")
    assert first(worded(table, late=None, groups=groups)) == ("approved", None, "Both", "late: not given; job: c")
    assert first(worded(table, late=None, job=None, groups=groups))[0] == "not_given"


@pytest.mark.parametrize(("value", "kind", "said"), [
    (19_000.0, "date", "2022-01-08"), (1e12, "date", "1e+12 days since 1970"), (np.nan, "date", "not given"), (None, "category", "not given"), ("x y", "category", "x y"),
    ("she said it", "text", "text of 3 words"), (0.1 + 0.2, "number", "0.3"),
])
def test_values_are_told_as_a_person_would(value: object, kind: str, said: str) -> None:
    assert value_text(value, kind) == said
