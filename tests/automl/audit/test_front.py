"""The front as evidence: Fairlearn's values, counts that can be counted again, intervals that hold for all pairs at once, and no look at the audit part."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics

from automl.audit.front import measure_front, models_kept
from automl.audit.intervals import Count, difference_estimate
from automl.audit.outcomes import Outcomes
from automl.evidence import Estimate, Front, NotMeasured, Threshold
from automl.hooks import Hooks
from automl.learn.deadline import Deadline
from automl.learn.disparity import Disparity
from automl.learn.ensemble import fit_best
from automl.learn.front import front_of
from automl.learn.predictions import to_predictions
from automl.learn.search import SearchResult, search
from automl.spec import Budget, TaskSpec
from tests.automl.learn import material

pytestmark = pytest.mark.slow

N = 600
WEIGHTS = np.random.default_rng(1).uniform(0.5, 3, N)
SEARCHED: dict[str, Any] = {"target": "y", "budget": Budget(trials=4), "families": ("linear",), "threads": 1, "sensitive": ("sex", "age")}


def rows(weighted: bool) -> Any:
    """A split whose audit part cannot be opened: three groups of sex (one too small), two of age; groups lean towards the target, some are unknown."""
    frame, draw = material.features(N), np.random.default_rng(0)
    y = material.target(frame, "binary", 2)
    y[:20] = 0
    split = material.split(frame, y, WEIGHTS if weighted else None)
    lean = frame["size"].to_numpy() + draw.normal(size=N)
    sex, age = np.where(lean > 0, "A", "B").astype(object), np.where(lean + draw.normal(size=N) > 0.5, "old", "young").astype(object)
    sex[:20], sex[20:50] = "tiny", None
    split.train = replace(split.train, groups={"sex": sex, "age": age})
    return split, material.problem("binary", 2, frame)


@pytest.fixture(scope="module", params=[False, True], ids=["", "weighted"])
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, SearchResult]:
    split, problem = rows(request.param)
    spec = TaskSpec.model_validate({**SEARCHED, "fairness_objective": {}})
    return split, problem, search(split, problem, spec, Hooks(), tmp_path_factory.mktemp("trials"), Deadline(None, started=time.time()))


def measured(searched: tuple[Any, Any, SearchResult], metric: str, attribute: str | None = None, simple: bool = False) -> tuple[Front, SearchResult, Any]:
    """The same trials under another metric: what a search is steered by is in their numbers, not in their predictions."""
    split, problem, result = searched
    spec = TaskSpec.model_validate({**SEARCHED, "simple": simple, "fairness_objective": {"metric": metric, "attribute": attribute}})
    disparity = Disparity.of(spec, split.train, problem)
    assert disparity is not None
    trials = tuple(replace(record, fairness=disparity.value(record.out_of_fold()) if record.state == "complete" else None) for record in result.trials)
    result = replace(result, disparity=disparity, trials=trials)
    model = fit_best(result, split, problem, spec)

    def outcomes(raw: Any, threshold: Threshold | None) -> Outcomes:
        probability = to_predictions(raw, "binary").probabilities
        assert probability is not None
        return Outcomes("binary", problem.labels, problem.positive, problem.favourable, split.train.y, probability[:, 1],
                        (probability[:, 1] >= (0.5 if threshold is None else threshold.value)).astype(np.int64), split.train.groups, split.train.weight, threshold=threshold)

    front = measure_front(result, model, outcomes, 0, asked=spec.sensitive, folders={record.number: (f"front/{record.number}", "0" * 64) for record in models_kept(result)})
    assert front is not None
    return front, result, split.train


@pytest.mark.parametrize("metric", ["demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference", "equalized_odds_difference"])
def test_values_are_fairlearns_and_the_gaps_add_up_to_them(searched: Any, metric: str) -> None:
    front, result, rows = measured(searched, metric)
    weight = rows.weight
    assert front.on_front == tuple(record.number for record in front_of(result))
    assert [model.trial for model in front.models] == list(front.on_front)
    records = {record.number: record for record in result.trials}
    for model in front.models:
        assert model.trial is not None
        assert model.threshold is not None
        probability = to_predictions(records[model.trial].out_of_fold(), "binary").probabilities
        assert probability is not None
        selected = probability[:, 1] >= model.threshold.value
        values = []
        for attribute in model.attributes:
            among = np.isin(rows.groups[attribute.attribute], [group.group for group in attribute.groups if group.compared])
            expected = getattr(metrics, metric)(rows.y[among], selected[among], sensitive_features=rows.groups[attribute.attribute][among],
                                                sample_weight=None if weight is None else weight[among])
            assert attribute.value == pytest.approx(expected, abs=1e-9)
            gaps = [gap.difference.value for gap in attribute.gaps if isinstance(gap.difference, Estimate)]
            assert max(gaps) == pytest.approx(expected, abs=1e-9)
            values.append(expected)
        assert model.fairness == pytest.approx((min if metric == "demographic_parity_ratio" else max)(values), abs=1e-9)
        assert isinstance(model.score, Estimate)
        assert model.score.value == pytest.approx(records[model.trial].score, abs=1e-9)
        assert model.score.low < model.score.value < model.score.high


def test_small_and_unknown_groups_are_told_and_not_compared(searched: Any) -> None:
    front, _, rows = measured(searched, "demographic_parity_difference")
    sex = front.models[0].attributes[0]
    assert [(group.group, group.compared) for group in sex.groups] == [("A", True), ("B", True), ("tiny", False)]
    assert sex.unknown == 30
    assert [group.n for group in sex.groups] == [int((rows.groups["sex"] == name).sum()) for name in ("A", "B", "tiny")]
    tiny = sex.groups[2].selection_rate
    assert isinstance(tiny, Estimate)
    assert tiny.low_precision
    assert {gap.high for gap in sex.gaps} | {gap.low for gap in sex.gaps} == {"A", "B"}


def test_the_interval_of_a_gap_holds_for_every_pair_it_was_picked_from(searched: Any) -> None:
    """Two attributes with two compared groups each, two rates: four comparisons, Bonferroni."""
    front, _, _ = measured(searched, "equalized_odds_difference")
    found = front.models[0].attributes[0].gaps[0]
    assert found.rate == "tpr"
    assert isinstance(found.difference, Estimate)
    assert found.difference.level == pytest.approx(1 - 0.05 / 4)
    assert "simultaneous over 4" in found.difference.method
    rates = {group.group: group.tpr for group in front.models[0].attributes[0].groups}
    high, low = rates[found.high], rates[found.low]
    assert isinstance(high, Estimate)
    assert isinstance(low, Estimate)
    if searched[0].train.weight is not None:
        assert "Rao-Scott" in found.difference.method
        return
    assert high.k is not None
    assert low.k is not None
    expected = difference_estimate(Count.of(high.k, high.n), Count.of(low.k, low.n), comparisons=4)
    assert isinstance(expected, Estimate)
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_one_attribute_is_compared_where_one_is_named(searched: Any) -> None:
    front, _, _ = measured(searched, "demographic_parity_ratio", "age")
    assert front.attributes == ("age",)
    assert front.direction == "maximize"
    gap = front.models[0].attributes[0].gaps[0].difference
    assert isinstance(gap, Estimate)
    assert gap.low < gap.value < gap.high
    assert gap.level == 0.95
    assert gap.method == "mover-r wilson" + ("" if searched[0].train.weight is None else " (Rao-Scott effective counts)")


def test_the_deployed_model_stands_beside_the_front(searched: Any) -> None:
    front, result, _ = measured(searched, "demographic_parity_difference", simple=True)
    assert front.deployed.trial == result.complete[0].number
    assert front.deployed.deployed
    assert [model.trial for model in front.listed if model.deployed] == [front.deployed.trial]
    assert len(front.listed) == len(front.models)
    assert [model.folder for model in front.models] == [f"front/{model.trial}" for model in front.models]


def test_a_search_with_one_objective_or_without_a_trial_has_no_front(searched: Any) -> None:
    _, result, _ = measured(searched, "demographic_parity_difference")
    nothing: Any = None
    for without in (replace(result, disparity=None), replace(result, trials=result.trials[:1])):
        assert measure_front(without, nothing, nothing, 0, asked=(), folders={}) is None
        assert models_kept(without) == ()


def test_a_group_without_a_favourable_label_has_no_true_positive_rate(searched: Any) -> None:
    front, _, _ = measured(searched, "demographic_parity_difference")
    large, _, tiny = front.models[0].attributes[0].groups
    assert isinstance(large.tpr, Estimate)
    assert isinstance(tiny.tpr, NotMeasured)
    assert isinstance(tiny.fpr, Estimate)
