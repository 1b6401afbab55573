"""Names from a header or a spec: refused with position, matched with care, quoted safely."""

from __future__ import annotations

import pytest

from automl.data.names import check_column, closest, pointer, shown
from automl.errors import BadInput


def test_a_close_name_is_offered_and_a_far_one_is_not():
    assert closest("Incom", ["age", "income"]) == "; did you mean 'income'?"
    assert closest("zzz", ["age", "income"]) == ""


def test_an_absent_column_carries_its_pointer():
    with pytest.raises(BadInput) as caught:
        check_column("x", ["a"], "/sensitive/0")
    assert caught.value.pointer == "/sensitive/0"


def test_pointers_escape_what_names_may_hold():
    assert pointer("bins", "a/b~c") == "/bins/a~1b~0c"


def test_hostile_text_is_quoted_on_one_line_and_cut():
    assert shown("a\nb\x1b[31m") == r"'a\nb\x1b[31m'"
    assert len(shown("x" * 10_000)) < 140


def test_hints_stay_fast_for_long_names():
    names = ["n" * 60_000 + str(i) for i in range(50)]
    assert isinstance(closest("m" * 60_000, names), str)
