"""Interactions whose size is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from automl.audit.interactions import ADD_UP, measure_interactions
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
    assert [one.size for one in found.values()] == [ADD_UP] * 3
    single = pairs(lambda frame: (2 * frame.a + frame.b + frame.c).astype(np.float32), pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=["a", "b", "c"]))
    assert [one.size for one in single.values()] == [ADD_UP] * 3, "what single precision leaves is no interaction"


def test_a_product_of_signs_is_all_interaction() -> None:
    found = pairs(lambda frame: 3 * frame.a * frame.b + frame.c, balanced())
    assert next(iter(found)) == ("a", "b"), "the largest first"
    assert value(found["a", "b"].size).value == pytest.approx(3, rel=0.02)
    assert found["a", "c"].size == found["b", "c"].size == ADD_UP


def test_it_is_the_product_over_different_background_rows_and_a_weight_counts_as_so_much() -> None:
    rng = np.random.default_rng(1)
    n = 24
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "kind": pd.Categorical(rng.choice(["x", "y", "z"], n))})
    weight = rng.integers(1, 4, n).astype(float)

    def function(given: pd.DataFrame) -> Any:
        return given.a * given.b + given.a * (given.kind.astype(str) == "x")

    def output(names: list[str]) -> NDArray[np.float64]:
        """Line i: every row with the values of row i."""
        lines = []
        for row in range(n):
            changed = frame.copy()
            for name in names:
                changed[name] = pd.Series([frame[name].iloc[row]] * n).astype(frame[name].dtype)
            lines.append(np.asarray(function(changed), dtype=float))
        return np.array(lines)

    found = pairs(function, frame, weight=weight)
    for first, second in (("a", "b"), ("a", "kind")):
        beyond = output([first, second]) - output([first]) - output([second])
        beyond = beyond - np.average(beyond, axis=0, weights=weight)
        total = over = 0.0
        for one in range(n):
            for other in range(n):
                if one != other:
                    total += weight[one] * weight[other] * float(np.average(beyond[:, one] * beyond[:, other], weights=weight))
                    over += weight[one] * weight[other]
        assert value(found[first, second].size).value == pytest.approx(np.sqrt(max(0.0, total / over)), abs=1e-9)


def measured(function: Any, seed: int, make: Any) -> Estimate:
    rows = Rows(make(np.random.default_rng(seed)))
    section = measure_interactions(Of(function), rows, explained_of(rows), ["a", "b"], seed=seed)
    assert isinstance(section, InteractionsSection)
    return value(section.pairs[0].size)


def normal(*names: str) -> Any:
    return lambda rng: pd.DataFrame(rng.normal(size=(100, len(names))), columns=list(names))


def test_the_interval_holds_the_size_and_0_where_a_third_input_acts_with_both() -> None:
    sizes = [measured(lambda given: given.a + given.a * given.b, seed, normal("a", "b")) for seed in range(60)]
    assert sum(size.low <= 1 <= size.high for size in sizes) >= 50, "the product of two independent standard normal inputs has a root mean square of 1"
    none = [measured(lambda given: given.a + given.b + 0.5 * given.a * given.b * given.c, seed, normal("a", "b", "c")) for seed in range(60)]
    assert sum(size.low == 0 for size in none) >= 52
    assert np.mean([size.value for size in none]) < 0.06


def test_persons_whom_rows_repeat_widen_it() -> None:
    frame = pd.DataFrame(np.random.default_rng(3).normal(size=(20, 2)), columns=["a", "b"])
    many = frame.loc[frame.index.repeat(5)].reset_index(drop=True)
    apart = pairs(lambda given: given.a * given.b, many)["a", "b"]
    together = pairs(lambda given: given.a * given.b, many, cluster=np.repeat(np.arange(20), 5))["a", "b"]
    assert value(together.size).high - value(together.size).low > 1.5 * (value(apart.size).high - value(apart.size).low)
    assert value(together.size).low_precision
    alone = pairs(lambda given: given.a * given.b, many, cluster=np.repeat(np.arange(4), 25))["a", "b"]
    assert alone.size == NotMeasured(reason="fewer than 5 independent rows were drawn")


def test_one_input_that_varies_has_no_partner_and_who_is_passed_over_is_named() -> None:
    rows = Rows(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]}))
    found = measure_interactions(Of(lambda given: given.a), rows, explained_of(rows), ["a", "b"], seed=0)
    assert found == NotMeasured(reason="fewer than two inputs vary among the training rows drawn")
    many = Rows(pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=["a", "b", "c"]).assign(same=1.0, text="words"))
    section = measure_interactions(Of(lambda given: given.a * given.b), many, explained_of(many), ["same", "a", "text", "b", "c"], seed=0, texts=["text"])
    assert isinstance(section, InteractionsSection)
    assert (section.compared, section.passed_over) == (("a", "b", "c"), ("same", "text"))


def test_rows_of_no_weight_are_not_drawn() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    weight = np.repeat([1.0, 0.0], 20)
    assert value(pairs(lambda given: given.a * given.b, frame, weight=weight)["a", "b"].size).n == 20
