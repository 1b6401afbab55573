"""From a table to the frame that every model sees."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.features import Feature, FeatureSchema
from automl.errors import BadInput

CSV = 'n,"a[x]:""{},",when,code\n1,red,2024-01-31,00012\ninf,,1970-01-02,00013\n3,blue,,00014\n'
SCHEMA = FeatureSchema((Feature("n", "number"), Feature('a[x]:"{},', "category"), Feature("when", "date", "ISO8601"), Feature("code", "category")))


def test_each_kind_has_its_type_and_its_missing(table_of):
    table = table_of(CSV)
    frame = SCHEMA.frame(table)
    assert list(frame.columns) == ["n", 'a[x]:"{},', "when", "code"]
    assert np.array_equal(frame["n"], [1, np.nan, 3], equal_nan=True)
    assert frame["code"].tolist() == ["00012", "00013", "00014"]
    assert frame['a[x]:"{},'].isna().tolist() == [False, True, False]
    assert np.array_equal(frame["when"], [19753, 1, np.nan], equal_nan=True)
    assert SCHEMA.infinite(table) == {"n": 1}


def test_chosen_rows_have_a_fresh_index(table_of):
    frame = SCHEMA.frame(table_of(CSV), np.array([2, 0]))
    assert frame.index.tolist() == [0, 1]
    assert frame["n"].tolist() == [3, 1]


def test_the_schema_survives_json():
    assert FeatureSchema.from_json(SCHEMA.as_json()) == SCHEMA


def test_extra_columns_are_ignored_and_their_order_does_not_matter(table_of):
    frame = SCHEMA.frame(table_of('extra,code,when,"a[x]:""{},",n\n9,00012,2024-01-31,red,1\n'))
    assert list(frame.columns) == list(SCHEMA.names)


def test_an_absent_feature_is_refused_by_name(table_of):
    with pytest.raises(BadInput, match="no column 'n'"):
        SCHEMA.frame(table_of("code,m\n1,2\n"))


def test_a_value_of_another_kind_is_refused_with_its_row(table_of):
    with pytest.raises(BadInput, match="column 'n', row 2: 'many' is not a number"):
        FeatureSchema((Feature("n", "number"),)).frame(table_of("n\n1\nmany\n"))
