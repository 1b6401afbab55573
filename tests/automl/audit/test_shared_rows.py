"""Audited rows that repeat a training row: counted one by one, and the metric without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from automl.audit.shared_rows import measure_shared_rows
from automl.evidence import Estimate, NotMeasured, SharedRows
from tests.automl.audit.test_robustness import plain


def test_copies_are_counted_and_left_out_of_the_second_metric() -> None:
    one = plain()
    features, y = one.audit.features.copy(), np.asarray(one.audit.y).copy()
    features.iloc[:40] = one.train.features.iloc[100:140].to_numpy()
    features = features.astype(one.train.features.dtypes.to_dict())
    y[:40] = one.train.y[100:140]
    y[:5] = 1 - y[:5]
    copied = replace(one, audit=replace(one.audit, features=features, y=y))
    outcomes = copied.outcomes_of(copied.audit, copied.model.predict(features))
    found = measure_shared_rows(copied, outcomes)
    assert isinstance(found, SharedRows)
    assert isinstance(found.same_inputs, Estimate)
    assert (found.same_inputs.k, found.same_inputs.n, found.same_label) == (40, 800, 35)
    assert isinstance(found.metric_others, Estimate)
    assert outcomes.score is not None
    assert np.isclose(found.metric_others.value, roc_auc_score(y[40:], outcomes.score[40:]))


def test_missing_cells_are_the_same_and_a_last_digit_is_not() -> None:
    one = plain()
    features = pd.concat([one.train.features.iloc[:2], one.audit.features.iloc[2:]], ignore_index=True)
    features.loc[1, "size"] = np.nextafter(features.loc[1, "size"], 9)
    assert one.train.features.iloc[:50].isna().any(axis=None)
    near = replace(one, audit=replace(one.audit, features=features))
    found = measure_shared_rows(near, near.outcomes_of(near.audit, near.model.predict(features)))
    assert isinstance(found, SharedRows)
    assert isinstance(found.same_inputs, Estimate)
    assert found.same_inputs.k == 1


def test_without_copies_there_is_no_second_metric() -> None:
    one = plain()
    found = measure_shared_rows(one, one.outcomes_of(one.audit, one.model.predict(one.audit.features)))
    assert isinstance(found, SharedRows)
    assert found.same_label == 0
    assert found.metric_others == NotMeasured(reason="no audited row has the inputs of a training row")
