"""Alternatives to somebody else's decisions: chosen on one half, measured on the other, or a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from automl.audit import outside_alternatives
from automl.audit.outcomes import Outcomes
from automl.audit.outside_alternatives import alternatives_of_predictions
from automl.audit.resampling import halves
from automl.evidence import Estimate, MitigationSection, NotMeasured, Threshold
from automl.spec import PredictionsSpec
from tests.automl.audit.cases import binary, multiclass, regression


def policy(**changes: Any) -> PredictionsSpec:
    return PredictionsSpec.model_validate({"score": "score", "label": "label", "sensitive": ["group"], "seed": 4, **changes})


def outcomes(n: int = 4_000) -> Outcomes:
    return replace(binary(n), threshold=Threshold(value=0.5, chosen_on="as stated"))


@cache
def measured() -> MitigationSection:
    section = alternatives_of_predictions(outcomes(), policy())
    assert isinstance(section, MitigationSection)
    return section


def test_cut_offs_are_chosen_on_half_a_and_measured_on_half_b() -> None:
    section = measured()
    assert section.fitted_on + section.measured_on == 4_000
    assert section.known_on == "on half A"
    assert {each.method for each in section.alternatives} == {"own_cuts", "common_cut", "threshold_optimizer"}
    assert {each.method for each in section.not_tried} >= {"reweighing", "exponentiated_gradient"}
    even = next(each for each in section.alternatives if each.method == "own_cuts" and each.parameters["gap_left"] == 0 and each.criterion == "demographic_parity")
    before = section.deployed.attributes[0].spread.demographic_parity_difference
    after = even.fairness.spreads[0].demographic_parity_difference
    assert even.out_of_fold.spread.demographic_parity_difference < 0.01 < after < before  # equal where it was chosen, nearly so elsewhere
    assert isinstance(even.performance["accuracy"].change, Estimate)


def test_the_halves_do_not_know_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels of half B turned round change what is measured and no cut-off."""
    o = outcomes()
    second: list[Any] = []

    def watched(*given: Any) -> Any:
        second.append(halves(*given))
        return second[-1]

    monkeypatch.setattr(outside_alternatives, "halves", watched)
    first = alternatives_of_predictions(o, policy())
    truth = np.asarray(o.truth).copy()
    truth[second[0][1]] = 1 - truth[second[0][1]]
    turned = alternatives_of_predictions(replace(o, truth=truth), policy())
    assert isinstance(first, MitigationSection)
    assert isinstance(turned, MitigationSection)
    assert first.frozen == turned.frozen
    assert first.deployed.performance != turned.deployed.performance
    assert first == measured()


def test_persons_are_on_one_side() -> None:
    person = np.arange(4_000) // 4
    first, second = halves(4_000, person, np.random.default_rng(0))
    assert not set(person[first]) & set(person[second])
    assert len(first) == len(second) == 2_000


@pytest.mark.parametrize(("given", "why"), [
    (multiclass(), "a multiclass task"), (regression(), "a regression task"), (replace(outcomes(600), favourable=()), "one favourable outcome of two"),
    (replace(outcomes(600), truth=None), "no true outcome is given"), (replace(outcomes(600), score=None), "no probabilities are given"),
    (replace(outcomes(600), score=np.asarray(outcomes(600).score) * 100), "no probabilities are given"), (outcomes(60), "people of each label"),
])
def test_what_cannot_be_made_says_why(given: Outcomes, why: str) -> None:
    section = alternatives_of_predictions(given, policy())
    assert isinstance(section, NotMeasured)
    assert why in section.reason
