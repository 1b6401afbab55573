"""The bundled sample shows the effects that were planted, and nothing else is claimed of it."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from automl.data.groups import group_labels
from automl.data.sample import AGE_BINS, EFFECTS, POSITIVE, SAMPLE_ROWS, SENSITIVE, TARGET, make_sample, sample_truth
from automl.spec import TaskSpec


@pytest.fixture(scope="module")
def truth():
    return sample_truth()


def test_the_same_seed_gives_the_same_text_and_another_does_not():
    assert make_sample(200, seed=3) == make_sample(200, seed=3) != make_sample(200, seed=4)


def test_the_observed_base_rates_are_those_of_the_recipe(table_of, truth):
    """Each group's share of yes lies within 4 standard errors of the planted one."""
    table = table_of(make_sample())
    assert table.rows == SAMPLE_ROWS
    yes = (table.text(TARGET) == POSITIVE).to_numpy()
    groups = group_labels(table, TaskSpec(target=TARGET, sensitive=SENSITIVE, bins={"age": AGE_BINS}), {"age": AGE_BINS})
    for attribute, rates in truth.base_rates.items():
        for group, rate in rates.items():
            inside = groups[attribute] == group
            assert inside.sum() > 100
            assert abs(yes[inside].mean() - rate) < 4 * math.sqrt(rate * (1 - rate) / inside.sum())


def test_planted_groups_fare_worse_and_unplanted_ones_alike(truth):
    assert truth.ratios["sex"]["Male"] == 1
    assert 0.75 < truth.ratios["sex"]["Female"] < 0.85
    assert truth.ratios["race"]["Black"] < 0.75 < truth.ratios["race"]["Hispanic"] < 0.9
    assert truth.ratios["race"]["Asian"] > 0.95
    assert truth.ratios["age"]["<= 24"] < 0.75
    assert set(EFFECTS) == set(truth.base_rates) == set(SENSITIVE)
    assert 0.75 < truth.best_auc < 0.85


def test_it_holds_what_a_real_table_holds(table_of):
    table = table_of(make_sample())
    types = table.types
    assert types["application_id"] == "id"
    assert table.text("application_id").str.len().eq(7).all()
    assert {name for name, facts in table.facts.items() if facts.missing} == {"race", "income", "employment_years", "savings"}
    assert {"integer", "number", "category", "boolean", "id"} == set(types.values())


def test_missing_cells_are_missing_at_random(table_of):
    table = table_of(make_sample())
    yes = (table.text(TARGET) == POSITIVE).to_numpy()
    gone = table.text("savings").isna().to_numpy()
    assert abs(yes[gone].mean() - yes[~gone].mean()) < 4 * math.sqrt(0.25 / gone.sum())


def test_the_module_writes_the_table_to_standard_output():
    written = subprocess.run([sys.executable, "-m", "automl.data.sample"], check=True, capture_output=True, text=True).stdout
    assert written == make_sample()
    assert np.char.count(written, "\n") == SAMPLE_ROWS + 1
