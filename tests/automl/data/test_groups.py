"""Groups of the sensitive attributes: levels, named bins, and what cannot be compared."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from automl.data.groups import bin_names, by_value, check_references, default_bins, group_labels, train_bins
from automl.errors import BadInput
from automl.spec import TaskSpec


def spec(**more) -> TaskSpec:
    return TaskSpec.model_validate({"target": "y", **more})


def ages(table_of, values):
    return table_of("age,sex,y\n" + "".join(f"{value},{'f' if at % 2 else 'm'},{at % 2}\n" for at, value in enumerate(values)))


def test_whole_numbers_are_binned_with_names_that_do_not_overlap(table_of):
    table = ages(table_of, range(20, 60))
    assert bin_names((25.0, 37.0, 38.0), whole=True) == ["<= 25", "26 to 37", "38", ">= 39"]
    groups = group_labels(table, spec(sensitive=["age"]), {"age": (25.0, 37.0)})
    assert Counter(groups["age"]) == {"<= 25": 6, "26 to 37": 12, ">= 38": 22}


def test_an_edge_belongs_to_the_bin_below_it(table_of):
    groups = group_labels(table_of("x,y\n0.5,1\n0.6,0\n2,1\n2.5,0\n"), spec(sensitive=["x"]), {"x": (0.5, 2.0)})
    assert groups["x"].tolist() == ["<= 0.5", "> 0.5 to 2", "> 0.5 to 2", "> 2"]


def test_unknown_is_none_and_no_group(table_of):
    table = table_of("age,sex,y\n30,f,1\n,?,0\n50,m,1\n")
    groups = group_labels(table, spec(sensitive=["age", "sex"]), {"age": (40.0,)})
    assert groups["age"].tolist() == ["<= 40", None, ">= 41"]
    assert groups["sex"].tolist() == ["f", None, "m"]


def test_numbers_with_few_values_are_compared_by_value(table_of):
    table = table_of("flag,y\n" + "0,1\n1,0\n" * 20)
    assert train_bins(table, spec(sensitive=["flag"])) == {}
    assert set(group_labels(table, spec(sensitive=["flag"]), {})["flag"]) == {"0", "1"}


def test_default_edges_come_from_the_given_rows_only(table_of):
    table = ages(table_of, [*range(20, 60), *range(500, 540)])
    assert train_bins(table, spec(sensitive=["age"]), np.arange(40)) == {"age": (29.0, 39.0, 49.0)}


def test_the_persons_edges_stand(table_of):
    assert train_bins(ages(table_of, range(20, 60)), spec(sensitive=["age"], bins={"age": [39]})) == {"age": (39.0,)}


@given(st.lists(st.one_of(st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=2, max_size=60))
def test_default_bins_rise_and_leave_no_bin_empty(values):
    edges = default_bins(values)
    bins = np.searchsorted(edges, np.asarray(values, dtype="float64"), side="left")
    assert list(edges) == sorted(set(edges))
    assert set(bins) == set(range(len(edges) + 1))
    assert bool(edges) == (len(set(map(float, values))) > 1)


def refusal(table, pointer, **more):
    with pytest.raises(BadInput) as caught:
        train_bins(table, spec(**more))
    assert caught.value.pointer == pointer
    return caught.value.sentence


def test_t29_five_thousand_groups_are_refused_and_merging_is_asked_for(table_of):
    table = table_of("town,y\n" + "".join(f"town {i} name,{i % 2}\n" for i in range(5_000)))
    sentence = refusal(table, "/sensitive/0", sensitive=["town"])
    assert "5,000 groups; at most 50 can be compared: merge them" in sentence


def test_t29_an_attribute_without_any_value_is_refused(table_of):
    assert "missing in every row" in refusal(table_of("sex,y\n?,1\n,0\n"), "/sensitive/0", sensitive=["sex"])


def test_names_and_bins_that_do_not_fit_are_refused(table_of):
    table = table_of("age,sex,y\n30,f,1\n40,m,0\n")
    assert "did you mean 'sex'" in refusal(table, "/sensitive/0", sensitive=["sexx"])
    assert "does not hold numbers" in refusal(table, "/bins/sex", sensitive=["sex"], bins={"sex": [1]})
    assert "no sensitive attribute" in refusal(table, "/bins/age", sensitive=["sex"], bins={"age": [1]})
    assert "no sensitive attribute" in refusal(table, "/reference/age", sensitive=["sex"], reference={"age": "x"})


def test_a_reference_that_is_no_group_is_refused_with_the_closest(table_of):
    table = table_of("sex,y\nFemale,1\nMale,0\n")
    with pytest.raises(BadInput, match="has no group 'Femal'; did you mean 'Female'"):
        check_references(table, spec(sensitive=["sex"], reference={"sex": "Femal"}), {})


def test_a_second_table_is_named_as_the_first(table_of):
    second = table_of("age,y\n25.5,1\n40,0\n")
    assert group_labels(second, spec(sensitive=["age"]), {"age": (30.0,)}, whole={"age"})["age"].tolist() == ["<= 30", ">= 31"]


def test_equal_texts_are_one_object_and_missing_ones_none() -> None:
    found = by_value(pd.Series(["a", None, "b", "".join(["a"]), "b"], dtype="str"))
    assert found.tolist() == ["a", None, "b", "a", "b"]
    assert found[0] is found[3]
    assert found[2] is found[4]
