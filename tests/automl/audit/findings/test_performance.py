from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from automl.audit.outcomes import Outcomes
from automl.evidence import EnsembleMember, LeaderboardRow, SearchSection, SplitInfo, Trial
from tests.automl.audit.cases import binary, regression
from tests.automl.audit.findings.documents import ABSENT, data_section, fairness_of, findings_on, found, performance_of


def test_drift_between_parts_divided_at_random_is_no_sign_of_another_time() -> None:
    audit, training = binary(3000), binary(3000, seed=1)
    higher = replace(training, score=np.clip(np.asarray(training.score) + 0.05, 0, 1))
    performance = performance_of(audit, out_of_fold=higher)
    [drift] = found(performance=performance)["drift"]
    assert (drift.severity, "divided at random" in drift.suggestion) == ("low", True)
    assert drift.text.startswith("Mean scores for the favourable outcome out of fold")
    in_time = data_section(split=SplitInfo(method="time", seed=0, train=750, audit=250))
    assert found(data=in_time, performance=performance)["drift"][0].severity == "medium"


@pytest.mark.slow
def test_a_model_that_ranks_like_chance_or_like_its_baseline() -> None:
    noise = binary(score=np.random.default_rng(1).random(600))
    majority = binary(score=np.full(600, 0.4), decision=np.zeros(600, dtype=np.int64))
    by_rule = found(performance=performance_of(noise, baselines={"majority": majority}))
    assert by_rule["ranking_like_chance"][0].severity == "high"
    assert by_rule["ranking_like_chance"][0].text.endswith("not distinguishable from 0.5, what knowing nothing gives.")
    assert by_rule["like_baseline"][0].text.endswith("the whole interval is worse than the best baseline's value.")
    weak = binary(40, score=np.where(np.random.default_rng(0).random(40) < 0.5, 0.4, 0.45))
    assert found(performance=performance_of(weak, baselines={"majority": binary(40, score=np.full(40, 0.42))}))["like_baseline"][0].text.endswith(
        "the interval includes the best baseline's value.")
    good = found(performance=performance_of(binary(), baselines={"majority": majority}))
    assert set(good) & {"ranking_like_chance", "like_baseline"} == set()


@pytest.mark.parametrize(("stopped", "advice"), [("seconds", "larger budget"), ("finish_requested", "larger budget"), ("exhausted", "list of trials")])
def test_a_baseline_for_want_of_a_candidate_blames_neither_target_nor_inputs(stopped: Any, advice: str) -> None:
    trials = (Trial(number=0, family="baseline", params={}, score=0.5, seconds=0, state="baseline"), Trial(number=1, family="torch", params={}, score=None, seconds=9, state="pruned"))
    board = (LeaderboardRow(name="baseline", family="baseline", trial=0, out_of_fold=0.5, audit=ABSENT, chosen=True),)
    search = SearchSection(metric="roc_auc", direction="maximize", families=("torch",), folds=5, trials=trials, stopped_because=stopped, seconds=9, leaderboard=board,
                           ensemble=(EnsembleMember(trial=0, family="baseline", weight=1),), out_of_fold_score=0.5)
    constant = binary(score=np.full(600, 0.4), decision=np.zeros(600, dtype=np.int64))
    written = findings_on(search=search, performance=performance_of(constant, baselines={"majority": constant}))
    [finding] = [finding for finding in written if finding.severity == "high"]
    assert finding.rule == "no_candidate"
    assert finding.evidence == "/search/leaderboard/0"
    assert advice in finding.suggestion


def test_a_ranking_turned_round_is_not_called_like_chance() -> None:
    turned = binary(score=1 - np.asarray(binary().score))
    [finding] = found(performance=performance_of(turned))["ranking_like_chance"]
    assert finding.text.endswith("): below 0.5, what knowing nothing gives.")


def test_a_constant_prediction_is_not_above_what_knowing_nothing_gives() -> None:
    """Its R2 is at or below 0 in every resample, by arithmetic and not by being worse."""
    [finding] = found(performance=performance_of(regression(score=np.full(600, 10.0))))["ranking_like_chance"]
    assert finding.text.endswith(": not above 0, what knowing nothing gives.")


def of_a_quantile(level: float, **changes: Any) -> Outcomes:
    """Normal errors in two groups, one with three times the spread of the other, and the level's quantile of each."""
    rng = np.random.default_rng(0)
    group = rng.choice(np.array(["narrow", "wide"], dtype=object), 4000)
    spread = np.where(group == "wide", 3.0, 1.0)
    return regression(4000, groups={"group": group}, truth=20 + spread * rng.standard_normal(4000), score=20 + spread * norm.ppf(level), quantile=level, **changes)


@pytest.mark.slow
def test_the_best_model_of_a_quantile_has_no_finding() -> None:
    """Neither its R2, which is below 0, nor its mean residuals, which differ with the spread, are held against it."""
    o = of_a_quantile(0.9)
    by_rule = found(performance=performance_of(o), fairness=fairness_of(o, "group"))
    assert not {"ranking_like_chance", "residual_gap", "coverage_off"} & set(by_rule)
    of_mean = replace(o, quantile=None)
    assert {"ranking_like_chance", "residual_gap"} <= set(found(performance=performance_of(of_mean), fairness=fairness_of(of_mean, "group"))), "as a mean it would have them"


def test_a_group_that_the_predicted_quantile_does_not_cover_is_named() -> None:
    o = of_a_quantile(0.9)
    same = replace(o, score=np.full(4000, 20 + norm.ppf(0.9)), groups={"a/b~c": o.groups["group"]})
    findings = found(performance=performance_of(same))["coverage_off"]
    assert [finding.evidence for finding in findings] == [
        "/performance/metrics/coverage", "/performance/by_group/a~1b~0c/1/metrics/coverage"], "the narrow group is off by less than half of the tail's 10 %"
    assert findings[1].severity == "medium"
    assert findings[1].text.startswith("For wide (a/b~c) the true value lies at or below the predicted 0.9 quantile in 6")
    assert findings[1].text.endswith("; 90.0 % is what was asked for.")


def test_a_group_whose_truth_the_learned_interval_holds_too_seldom_is_named() -> None:
    o = of_a_quantile(0.5)  # the median of normal errors is their mean
    o = replace(o, quantile=None, groups={"a/b~c": o.groups["group"]})
    narrow = o.take(np.flatnonzero(o.groups["a/b~c"] == "narrow"))
    findings = found(performance=performance_of(o, out_of_fold=narrow))["interval_coverage"]
    assert [finding.evidence for finding in findings] == ["/performance/residuals/interval/coverage", "/performance/residuals/interval/by_group/a~1b~0c/1/coverage"]
    assert findings[1].severity == "medium"
    assert findings[1].text.startswith("For wide (a/b~c) the interval that should hold the truth of 90 % of rows holds that of 4")
    assert "interval_coverage" not in found(performance=performance_of(narrow, out_of_fold=narrow))


@pytest.mark.slow
def test_an_mcc_like_chance_is_told_where_it_was_asked_for() -> None:
    o = binary(decision=np.random.default_rng(0).integers(0, 2, 600))
    search = SearchSection(
        metric="mcc", direction="maximize", families=("lgbm",), folds=5, trials=(Trial(number=1, family="lgbm", params={}, score=0.1, seconds=1, state="complete"),),
        stopped_because="trials", seconds=1, leaderboard=(), ensemble=(), out_of_fold_score=0.1)
    texts = {metric: [one.text for one in findings_on(search=search.model_copy(update={"metric": metric}), performance=performance_of(o))
                      if one.id == "ranking_like_chance:mcc"] for metric in ("mcc", "roc_auc")}
    assert texts["roc_auc"] == []
    assert texts["mcc"][0].endswith("not distinguishable from 0, what knowing nothing gives.")


def beside(n: int, **changes: Any) -> Outcomes:
    """Predictions with normal errors, three times as large in the group "wide"."""
    rng = np.random.default_rng(0)
    group = np.array(["narrow", "wide"], dtype=object)[np.arange(n) % 2]
    score = rng.uniform(0, 100, n)
    return regression(n, groups={"group": group}, truth=score + np.where(group == "wide", 3.0, 1.0) * rng.standard_normal(n), score=score, **changes)


def test_a_group_whose_truths_the_interval_beside_predictions_misses_is_named() -> None:
    narrow = beside(2_000).take(np.arange(0, 2_000, 2))
    findings = found(performance=performance_of(beside(1_000), out_of_fold=narrow))["interval_coverage"]
    assert [finding.evidence for finding in findings] == ["/performance/residuals/interval/coverage", "/performance/residuals/interval/by_group/group/1/coverage"]
    assert "interval_coverage" not in found(performance=performance_of(beside(1_000), out_of_fold=beside(2_000).take(np.arange(1, 2_000, 2))))


def test_rows_of_a_few_persons_make_no_finding_of_missed_truths() -> None:
    narrow = beside(2_000).take(np.arange(0, 2_000, 2))
    few_persons = beside(1_000, cluster=np.arange(1_000) % 40 // 2 * 2 + np.arange(1_000) % 2)
    assert [finding.evidence for finding in found(performance=performance_of(few_persons, out_of_fold=narrow)).get("interval_coverage", [])] == ["/performance/residuals/interval/coverage"]
    few_rows = beside(24)
    assert "interval_coverage" not in found(performance=performance_of(replace(few_rows, truth=np.asarray(few_rows.score) + 50), out_of_fold=narrow))
