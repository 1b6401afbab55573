"""Which few reasons are stated: V16, V17 and the mistakes of other tools, by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from automl.audit.reasons.principal import NOTHING, members, overlap, principal
from tests.automl.audit.reasons.people import Linear

NAMES = ("util", "inq", "age_of_file", "income", "dti", "delinq")
V16 = Linear(np.array([-2.0, -0.30, 0.08, 0.02, -3.0, -0.9]), NAMES)
PERSON = pd.DataFrame([[0.80, 4, 3, 38, 0.42, 1]], columns=list(NAMES), dtype=float)
ALL_APPLICANTS = pd.DataFrame([[0.45, 1.5, 9, 60, 0.30, 0.4]], columns=list(NAMES), dtype=float)
JUST_ABOVE = pd.DataFrame([[0.62, 3.2, 4, 40, 0.33, 0.1]], columns=list(NAMES), dtype=float)


def chosen(phi: Any, distance: float = 0.0, *, most: int = 4, materiality: float = 0.05, allowed: Any = None) -> list[int]:
    found = principal(np.atleast_2d(np.array(phi, dtype=float)), np.array([distance]), np.ones(np.shape(phi)[-1], bool) if allowed is None else np.array(allowed), most=most,
                      materiality=materiality)
    assert found.shape == (1, most)
    return [int(at) for at in found[0] if at != NOTHING]


def test_v16_the_background_decides_which_four_reasons_are_stated() -> None:
    against_all, at_the_cut = (V16.attributions(PERSON, background).phi[0] for background in (ALL_APPLICANTS, JUST_ABOVE))
    assert dict(zip(NAMES, against_all, strict=True)) == pytest.approx({"inq": -0.750, "util": -0.700, "delinq": -0.540, "age_of_file": -0.480, "income": -0.440, "dti": -0.360})
    assert dict(zip(NAMES, at_the_cut, strict=True)) == pytest.approx({"delinq": -0.810, "util": -0.360, "dti": -0.270, "inq": -0.240, "age_of_file": -0.080, "income": -0.040})
    m2, m1 = ([NAMES[at] for at in chosen(phi)] for phi in (against_all, at_the_cut))
    assert m2 == ["inq", "util", "delinq", "age_of_file"]
    assert m1 == ["delinq", "util", "dti", "inq"]
    lists = [members(principal(phi[None], np.zeros(1), np.ones(6, bool), most=4, materiality=0.05), 6) for phi in (at_the_cut, against_all)]
    assert overlap(*lists) == pytest.approx([3 / 5])


def shapley(f: Callable[[NDArray[Any]], NDArray[Any]], x: NDArray[Any], background: NDArray[Any]) -> NDArray[Any]:
    """By the definition, over all orders and all rows of the background."""
    phi, orders = np.zeros(len(x)), list(itertools.permutations(range(len(x))))
    for order in orders:
        mixed = background.copy()
        for at in order:
            before = f(mixed).mean()
            mixed[:, at] = x[at]
            phi[at] += (f(mixed).mean() - before) / len(orders)
    return phi


def test_v17_reasons_are_told_in_log_odds_where_probability_would_name_another_first() -> None:
    w, b, x = np.array([-1.1, -1.9, -1.8]), 0.4, np.array([-0.5, 1.1, 1.4])
    background = np.array([[0.9, -0.7, 2.6], [-0.1, 0.2, -1.2]])
    log_odds, probability = (shapley(f, x, background) for f in (lambda z: z @ w + b, lambda z: expit(z @ w + b)))
    assert log_odds == pytest.approx([0.990, -2.565, -1.260])
    assert probability == pytest.approx([0.0566, -0.1742, -0.3209], abs=5e-5)
    assert chosen(log_odds) == [1, 2]
    assert chosen(probability) == [2, 1]
    model = Linear(w, ("a", "b", "c"))
    ours = model.attributions(pd.DataFrame([x], columns=list("abc")), pd.DataFrame(background, columns=list("abc"))).phi[0]
    assert ours == pytest.approx(log_odds)


def test_mistake_11_what_speaks_for_a_person_is_no_reason() -> None:
    assert chosen([0.5, -0.2, 0.0, 2.0]) == [1]
    assert chosen([0.5, 0.1]) == []


def test_what_hardly_matters_is_not_stated() -> None:
    assert chosen([-0.049, -0.05, -0.5], distance=1.0) == [2, 1], "5 % of the distance is enough, less is not"
    assert chosen([-0.049, -0.05, -0.5], distance=1.0, materiality=0.0) == [2, 1, 0]


def test_beside_the_cut_a_trifle_is_no_reason_although_it_is_a_share_of_the_distance() -> None:
    """A row of COMPAS, 0.003 below the cut: the third input moved the score by a two-hundredth of what the first did."""
    phi = [-0.0627, -0.0595, -0.00026, 0.05]
    assert chosen(phi, distance=0.00275) == [0, 1]
    assert chosen(phi, distance=0.00275, materiality=0.0) == [0, 1, 2]
    assert chosen(phi, distance=0.00275, allowed=[False, False, True, True]) == [2], "what may not be stated does not make the rest trifles: a person has a reason"


def test_mistake_11_equal_contributions_come_in_the_order_of_the_inputs_on_every_machine() -> None:
    assert chosen([-0.3, -0.5, -0.3, -0.3], most=3) == [1, 0, 2]
    assert chosen([-0.3, -0.3 - 1e-12, -0.3 + 1e-12]) == [0, 1, 2], "floating point is no reason"
    assert chosen([-0.3, -0.5, -0.1] * 70, most=20) == list(range(1, 60, 3)), "a sort that is not stable shows among many"


def test_what_is_excluded_leaves_its_place_to_the_next() -> None:
    assert chosen([-0.9, -0.8, -0.7], most=2, allowed=[False, True, True]) == [1, 2]


def test_more_reasons_than_inputs_leave_places_empty() -> None:
    assert chosen([-0.9, -0.8], most=4) == [0, 1]


def test_two_empty_lists_are_the_same_list() -> None:
    empty, one = np.zeros((1, 3), bool), np.array([[True, False, False]])
    assert overlap(empty, empty) == [1.0]
    assert overlap(empty, one) == [0.0]
