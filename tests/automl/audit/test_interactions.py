"""Interactions whose size is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from automl.audit.interactions import measure_interactions
from automl.evidence import Estimate, Interaction, InteractionsSection, NotMeasured, Value
from tests.automl.audit.inputs import Rows
from tests.automl.audit.test_dependence import explained_of


def value(estimate: Value) -> Estimate:
    assert isinstance(estimate, Estimate), estimate
    return estimate


@dataclass(frozen=True)
class Of:
    """Any function of the frame."""

    function: Any

    def raw(self, frame: pd.DataFrame) -> NDArray[Any]:
        return np.asarray(self.function(frame), dtype=float)


def pairs(function: Any, frame: pd.DataFrame, **more: Any) -> dict[tuple[str, str], Interaction]:
    rows = Rows(frame, **{name: more.pop(name) for name in ("weight", "cluster") if name in more})
    section = measure_interactions(Of(function), rows, explained_of(rows), list(frame.columns), seed=0, **more)
    assert isinstance(section, InteractionsSection), section
    return {(one.first, one.second): one for one in section.pairs}


def balanced() -> pd.DataFrame:
    """Every combination of two signs and a third one, equally often."""
    signs = np.array(np.meshgrid([-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0])).reshape(3, -1).T
    return pd.DataFrame(np.tile(signs, (10, 1)), columns=["a", "b", "c"])


def test_inputs_that_only_add_up_have_none() -> None:
    found = pairs(lambda frame: 2 * frame.a - frame.b**3 + np.exp(frame.c), balanced())
    assert len(found) == 3
    for one in found.values():
        assert (value(one.size).value, value(one.size).high, value(one.share).value) == (0, 0, 0)
        assert value(one.size).method == "the two only add up"


def test_a_product_of_signs_is_all_interaction() -> None:
    found = pairs(lambda frame: 3 * frame.a * frame.b + frame.c, balanced())
    assert next(iter(found)) == ("a", "b"), "the largest first"
    assert (value(found["a", "b"].size).value, value(found["a", "b"].share).value) == pytest.approx((3, 1))
    assert value(found["a", "c"].size).value == value(found["b", "c"].size).value == 0


def test_it_is_friedmans_h_on_the_rows_drawn_and_a_weight_counts_as_so_many_rows() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=40), "b": rng.normal(size=40), "kind": pd.Categorical(rng.choice(["x", "y", "z"], 40))})
    weight = rng.integers(1, 4, 40).astype(float)

    def function(given: pd.DataFrame) -> Any:
        return given.a * given.b + given.a * (given.kind.astype(str) == "x")

    def dependence(names: list[str]) -> NDArray[np.float64]:
        means = []
        for row in range(40):
            changed = frame.copy()
            for name in names:
                changed[name] = pd.Series([frame[name].iloc[row]] * 40).astype(frame[name].dtype)
            means.append(np.average(function(changed), weights=weight))
        return np.array(means) - np.average(means, weights=weight)

    found = pairs(function, frame, weight=weight)
    for first, second in (("a", "b"), ("a", "kind"), ("b", "kind")):
        both = dependence([first, second])
        beyond = both - dependence([first]) - dependence([second])
        assert value(found[first, second].size).value == pytest.approx(np.sqrt(np.average(beyond**2, weights=weight)), abs=1e-9)
        assert value(found[first, second].share).value == pytest.approx(np.average(beyond**2, weights=weight) / np.average(both**2, weights=weight), abs=1e-9)
    repeated = frame.loc[frame.index.repeat(weight.astype(int))].reset_index(drop=True)
    again = pairs(function, repeated, rows=1_000)
    assert value(again["a", "b"].size).value == pytest.approx(value(found["a", "b"].size).value)


def test_the_interval_holds_the_size_on_many_rows() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for seed in range(60):
        frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
        rows = Rows(frame)
        section = measure_interactions(Of(lambda given: given.a + given.a * given.b), rows, explained_of(rows), ["a", "b"], seed=seed)
        assert isinstance(section, InteractionsSection)
        size = value(section.pairs[0].size)
        held += size.low <= 1 <= size.high  # of two independent standard normal inputs the product has a root mean square of 1
    assert held >= 50


def test_persons_whom_rows_repeat_widen_it() -> None:
    frame = pd.DataFrame(np.random.default_rng(3).normal(size=(20, 2)), columns=["a", "b"])
    many = frame.loc[frame.index.repeat(5)].reset_index(drop=True)
    apart = pairs(lambda given: given.a * given.b, many)["a", "b"]
    together = pairs(lambda given: given.a * given.b, many, cluster=np.repeat(np.arange(20), 5))["a", "b"]
    assert value(together.size).high - value(together.size).low > 1.5 * (value(apart.size).high - value(apart.size).low)
    assert value(together.size).low_precision


def test_one_input_that_varies_has_no_partner() -> None:
    rows = Rows(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]}))
    found = measure_interactions(Of(lambda given: given.a), rows, explained_of(rows), ["a", "b"], seed=0)
    assert found == NotMeasured(reason="fewer than two inputs vary among the training rows drawn")
    texts = measure_interactions(Of(lambda given: given.a), rows, explained_of(rows), ["a", "b"], seed=0, texts=["a"])
    assert isinstance(texts, NotMeasured)
