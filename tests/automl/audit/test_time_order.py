"""Outcome and metric over time, for rows that were split by it and for rows that were not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.audit.subject import Subject
from automl.audit.time_order import IN_TIME, RANDOM, measure_time_order
from automl.data.features import Feature, FeatureSchema
from automl.evidence import Estimate, NotMeasured, TimeOrder
from tests.automl.audit.test_robustness import subject

START = 19_723.0
"""2024-01-01 in days since 1970."""


def dated(task: Any = "binary", days: Any = None) -> Subject:
    one = subject(task)
    moments = START + np.arange(800) // 2 if days is None else days
    schema = FeatureSchema((*one.model.problem.schema.features, Feature("day", "date")))
    model: Any = replace(one.model, problem=replace(one.model.problem, schema=schema))
    return replace(one, model=model, audit=replace(one.audit, features=one.audit.features.assign(day=moments)))


def measured(one: Subject, time: str | None = None) -> TimeOrder | NotMeasured:
    return measure_time_order(one, one.outcomes_of(one.audit, one.model.predict(one.audit.features)), time)


def test_stretches_follow_each_other_and_hold_every_dated_row() -> None:
    days = START + np.arange(800) // 2
    days[:7] = np.nan
    one = dated(days=days)
    y = np.asarray(one.audit.y).copy()
    y[600:] = 1
    found = measured(replace(one, audit=replace(one.audit, y=y)))
    assert isinstance(found, TimeOrder)
    assert (found.column, found.split_by_it, found.undated, found.note) == ("day", False, 7, RANDOM)
    assert len(found.stretches) == 4
    assert sum(each.n for each in found.stretches) == 793
    assert found.stretches[0].first == "2024-01-04"
    assert found.stretches[-1].last == "2025-02-03"
    assert all(a.last < b.first for a, b in zip(found.stretches, found.stretches[1:], strict=False))
    last, change = found.stretches[-1].outcome, found.outcome_change
    assert isinstance(last, Estimate)
    assert last.value > 0.95
    assert isinstance(change, Estimate)
    assert change.low > 0.2


def test_where_the_split_follows_it_the_note_says_so() -> None:
    found = measured(dated(), "day")
    assert isinstance(found, TimeOrder)
    assert (found.split_by_it, found.note) == (True, IN_TIME)
    assert isinstance(found.stretches[0].metric, Estimate)


def test_numbers_have_means() -> None:
    found = measured(dated("regression"))
    assert isinstance(found, TimeOrder)
    assert isinstance(found.stretches[0].outcome, Estimate)
    assert found.stretches[0].outcome.method == "t"
    assert isinstance(found.outcome_change, Estimate)
    assert found.outcome_change.method == "welch"


@pytest.mark.parametrize(("one", "why"), [
    (subject(), "no input is a date"), (dated(days=np.full(800, np.nan)), "fewer than 100"), (dated(days=np.full(800, START)), "nearly the same date"),
])
def test_what_has_no_order_says_why(one: Subject, why: str) -> None:
    found = measured(one)
    assert isinstance(found, NotMeasured)
    assert why in found.reason
