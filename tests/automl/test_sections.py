from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from automl.data.splits import TargetOfAllRows
from automl.evidence import Estimate, NotMeasured, Value
from automl.sections import target_info
from tests.automl.learn import material

RANDOM = np.random.default_rng(5)
CLASSES = RANDOM.integers(0, 2, 400)
NUMBERS = RANDOM.normal(10, 3, 400)
WEIGHT = RANDOM.uniform(0.5, 4, 400)
PERSON = np.repeat(np.arange(100), 4)
BINARY, REGRESSION = (material.problem(task, 2, material.features(10)) for task in ("binary", "regression"))


def measured(value: Value | None) -> Estimate:
    assert isinstance(value, Estimate), value
    return value


def test_base_rates_of_equal_rows_are_wilsons() -> None:
    info = target_info(BINARY, TargetOfAllRows(CLASSES))
    for at, label in enumerate(info.labels):
        rate = measured(info.base_rates[label])
        assert (rate.k, rate.n) == ((at == CLASSES).sum(), 400)
        assert (rate.low, rate.high) == pytest.approx(proportion_confint((at == CLASSES).sum(), 400, method="wilson"))
    assert info.mean is None


def test_base_rates_honour_weights_and_persons() -> None:
    label = BINARY.labels[1]
    plain, weighted, by_person = (
        measured(target_info(BINARY, TargetOfAllRows(y, weight, cluster)).base_rates[label])
        for y, weight, cluster in ((CLASSES, None, None), (CLASSES, WEIGHT, None), (np.repeat(CLASSES[:100], 4), None, PERSON)))
    assert weighted.value == pytest.approx(np.average(CLASSES, weights=WEIGHT))
    assert weighted.value != plain.value
    low, high = proportion_confint(CLASSES[:100].sum(), 100, method="wilson")
    assert (by_person.low, by_person.high) == pytest.approx((low, high), abs=0.002), "four rows a person are one person"


@pytest.mark.parametrize(("weight", "cluster", "fit"), [
    (None, None, {"cov_type": "nonrobust"}), (WEIGHT, None, {"cov_type": "HC1"}), (None, PERSON, {"cov_type": "cluster", "cov_kwds": {"groups": PERSON}}),
    (WEIGHT, PERSON, {"cov_type": "cluster", "cov_kwds": {"groups": PERSON}}),
])
def test_the_mean_of_a_number_is_that_of_statsmodels(weight: Any, cluster: Any, fit: dict[str, Any]) -> None:
    mean = measured(target_info(REGRESSION, TargetOfAllRows(NUMBERS, weight, cluster)).mean)
    theirs = sm.WLS(NUMBERS, np.ones(400), weights=1 if weight is None else weight).fit(use_t=True, **fit)
    assert mean.value == pytest.approx(theirs.params[0])
    assert (mean.low, mean.high) == pytest.approx(tuple(theirs.conf_int()[0]))


def test_one_row_or_one_person_has_no_spread() -> None:
    for rows, said in ((TargetOfAllRows(NUMBERS[:1]), "one row"), (TargetOfAllRows(NUMBERS[:4], cluster=PERSON[:4]), "one person")):
        mean = target_info(REGRESSION, rows).mean
        assert isinstance(mean, NotMeasured)
        assert said in mean.reason
