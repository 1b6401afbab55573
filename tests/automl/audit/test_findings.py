from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from automl.audit import findings as findings_module
from automl.audit.fairness import measure_fairness
from automl.audit.findings import number, write_findings
from automl.audit.outcomes import Outcomes
from automl.audit.performance import measure_performance
from automl.evidence import (
    Background,
    Column,
    DataSection,
    EnsembleMember,
    Estimate,
    ExplanationSection,
    FairnessSection,
    FeatureImportance,
    Finding,
    LeaderboardRow,
    LeftOut,
    NotMeasured,
    PerformanceSection,
    Ratio,
    SearchSection,
    SplitInfo,
    TableReading,
    Trial,
)
from automl.spec import AuditPolicy, Limit
from tests.automl.audit.cases import binary, from_counts, multiclass, regression
from tests.evidence_example import make_evidence

ABSENT = NotMeasured(reason="not part of this test")
BANNED = re.compile(
    r"complian|\bpass(es|ed)?\b|\bfail(s|ed|ure)?\b|certif|unbiased|bias[- ]free|\bfair(ly)?\b|unfair|favou?red|discriminat|\blegal|illegal|guarant|proves?\b", re.IGNORECASE,
)


def data_section(**changes: Any) -> DataSection:
    split = SplitInfo(method="stratified", seed=0, train=750, audit=250)
    return DataSection(sha256="0" * 64, rows=1000, reading=TableReading(format="csv"), target=None, **({"columns": (), "split": split} | changes))


def fairness_of(outcomes: Outcomes, *sensitive: str, **policy: Any) -> FairnessSection:
    section = measure_fairness(outcomes, AuditPolicy(sensitive=sensitive, **policy), bins={}, seed=0)
    assert isinstance(section, FairnessSection)
    return section


def performance_of(outcomes: Outcomes, **options: Any) -> PerformanceSection:
    section = measure_performance(outcomes, seed=0, **options)
    assert isinstance(section, PerformanceSection)
    return section


def findings_on(limit: float = 0.8, **sections: Any) -> tuple[Finding, ...]:
    """The findings on a document that has these sections and no others."""
    example = make_evidence()
    absent = dict.fromkeys(("search", "performance", "fairness", "explanation", "local_law_144", "reasons", "mitigation", "slices", "robustness"), ABSENT)
    spec = example.spec.model_copy(update={"limit": Limit(ratio=limit)})
    return write_findings(example.model_copy(update={"spec": spec, "data": data_section(), **absent, **sections}))


def found(data: DataSection | None = None, performance: Any = ABSENT, fairness: Any = ABSENT, explanation: Any = ABSENT, limit: float = 0.8) -> dict[str, list[Finding]]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings_on(limit, data=data or data_section(), performance=performance, fairness=fairness, explanation=explanation):
        by_rule.setdefault(finding.rule, []).append(finding)
    return by_rule


def explanation(*sizes: float) -> ExplanationSection:
    features = tuple(
        FeatureImportance(
            feature=f"x{j}", mean_abs_shap=Estimate(value=size, low=size, high=size, method="bootstrap", n=100), direction="mixed", rank=j + 1,
            rank_over_replicates=(j + 1, j + 1),
        )
        for j, size in enumerate(sizes)
    )
    return ExplanationSection(
        output_space="log_odds", output="log-odds of yes", explainer="exact", background=Background(source="training rows", n=100, sha256="0" * 64), rows=100,
        features=features, additivity_error=0.0,
    )


@pytest.mark.parametrize(("value", "limit", "text"), [
    (0.799639, 0.8, "0.7996"), (0.8, 0.8, "0.80"), (0.62, 0.8, "0.62"), (0.8004, 0.8, "0.8004"), (0.999, 1.0, "0.999"), (0.5, None, "0.50"), (0.7999999999, 0.8, "0.800000"),
    (0.0039, 0.8, "0.004"), (0.0, 0.8, "0.00"), (-3e-8, 0.0, "-3.0e-08"), (0.0, None, "0.00"),
])
def test_t01_digits_until_the_side_of_the_limit_shows(value: float, limit: float | None, text: str) -> None:
    assert number(value, limit) == text


def test_below_beyond_sampling_error_is_high_and_says_the_numbers() -> None:
    [finding] = found(fairness=fairness_of(from_counts({"Men": (500, 1000), "Women": (310, 1000)}, "sex"), "sex"))["impact_ratio_below"]
    assert finding.severity == "high"
    assert finding.text == (
        "Women (sex) is selected at 0.62 times the rate of Men (95 % interval 0.55 to 0.69; 310 of 1,000 against 500 of 1,000), "
        "below the stated limit of 0.80 beyond sampling error."
    )
    assert finding.evidence == "/fairness/attributes/0/groups/1/impact_ratio"


def test_the_comparison_that_decided_is_named_where_it_is_not_the_highest() -> None:
    """The interval against a small highest group may reach above the limit although another comparison shows the group below it."""
    section = fairness_of(from_counts({"tiny": (3, 5), "large": (500, 1000), "low": (150, 1000)}), "group")
    [finding] = found(fairness=section)["impact_ratio_below"]
    assert finding.text.endswith("below the stated limit of 0.80 beyond sampling error, as the comparison with large shows.")


def test_the_comparison_that_decided_is_named_in_a_crossing_too() -> None:
    cells = {"x": (3, 5), "y": (500, 1000), "z": (150, 1000)}
    truth = from_counts(cells, "one")
    outcomes = replace(truth, groups={**truth.groups, "two": np.full(len(truth.groups["one"]), "all", dtype=object)})
    crossing = [finding for finding in found(fairness=fairness_of(outcomes, "one", "two"))["impact_ratio_below"] if "intersections" in finding.evidence]
    assert "times the rate of y x all (upper limit at the label's level 0." in crossing[0].text


def test_t01_never_prints_the_limit_for_a_value_below_it() -> None:
    [finding] = found(fairness=fairness_of(from_counts({"A": (2000, 4000), "B": (1521, 4000)}), "group"))["impact_ratio_below"]
    assert "0.72 to 0.7996" in finding.text


def test_below_by_count_alone_is_medium_and_inconclusive() -> None:
    by_rule = found(fairness=fairness_of(from_counts({"White": (215, 412), "AIAN F": (7, 17)}), "group"))
    [finding] = by_rule["impact_ratio_near"]
    assert finding.severity == "medium"
    assert "inconclusive at this sample size" in finding.text
    assert "only 17 rows" in finding.text
    assert "impact_ratio_below" not in by_rule


def test_a_stated_limit_of_ones_own_is_used() -> None:
    section = fairness_of(from_counts({"A": (500, 1000), "B": (310, 1000)}), "group", limit=Limit(ratio=0.5))
    by_rule = found(fairness=section, limit=0.5)
    assert set(by_rule) & {"impact_ratio_below", "impact_ratio_near"} == set()
    [finding] = by_rule["impact_ratio_not_below"]
    assert finding.severity == "info"
    assert "no less than 0.50 times" in finding.text


def test_what_cannot_be_told_is_one_sentence_per_attribute() -> None:
    by_rule = found(fairness=fairness_of(from_counts({"A": (50, 100), "B": (49, 100), "C": (48, 100)}), "group"))
    [finding] = by_rule["impact_ratio_inconclusive"]
    assert finding.severity == "low"
    assert finding.text == "Whether the rate of being selected lies below 0.80 times that of A is inconclusive at this sample size for B, C (group)."


def test_crossings_are_one_sentence_whatever_their_size() -> None:
    outcomes = binary(3000, decision=(np.arange(3000) % 10 < 4).astype(np.int64))
    decision = np.asarray(outcomes.decision).copy()
    decision[(outcomes.groups["group"] == "a") & (outcomes.groups["sex"] == "f")] = 0
    section = fairness_of(binary(3000, decision=decision), "group", "sex")
    crossing = [finding for finding in found(fairness=section)["impact_ratio_below"] if "intersections" in finding.evidence]
    assert len(crossing) == 1
    assert "group x sex" in crossing[0].text
    assert "a x f at 0.00 times" in crossing[0].text


def test_a_crossing_is_not_compared_with_a_handful_where_another_group_decided() -> None:
    whole = from_counts({"A x one": (3, 3), "A x two": (300, 400), "B x one": (40, 200), "B x two": (250, 400)})
    first, second = (np.array([name.split(" x ")[at] for name in whole.groups["group"]], dtype=object) for at in (0, 1))
    [told] = [finding for finding in found(fairness=fairness_of(replace(whole, groups={"first": first, "second": second}), "first", "second"))["impact_ratio_below"]
              if "intersections" in finding.evidence]
    assert "the lowest is B x one at 0.27 times the rate of A x two (upper limit at the label's level 0." in told.text
    assert "40 of 200 against 300 of 400" in told.text


def test_drift_between_parts_divided_at_random_is_no_sign_of_another_time() -> None:
    audit, training = binary(3000), binary(3000, seed=1)
    higher = replace(training, score=np.clip(np.asarray(training.score) + 0.05, 0, 1))
    performance = performance_of(audit, out_of_fold=higher)
    [drift] = found(performance=performance)["drift"]
    assert (drift.severity, "divided at random" in drift.suggestion) == ("low", True)
    assert drift.text.startswith("Mean scores for the favourable outcome out of fold")
    in_time = data_section(split=SplitInfo(method="time", seed=0, train=750, audit=250))
    assert found(data=in_time, performance=performance)["drift"][0].severity == "medium"


def test_several_crossings_are_one_sentence_that_names_the_worst_and_counts_the_rest() -> None:
    n = 4000
    outcomes = binary(n, decision=(np.arange(n) % 10 < 5).astype(np.int64))
    decision = np.asarray(outcomes.decision).copy()
    decision[(outcomes.groups["group"] == "a") & (outcomes.groups["sex"] == "f") & (np.arange(n) % 7 > 0)] = 0
    section = fairness_of(binary(n, decision=decision, groups={**outcomes.groups, "half": np.where(np.arange(n) % 3 > 0, "x", "y").astype(object)}), "group", "sex", "half")
    told = [finding for finding in found(fairness=section)["impact_ratio_below"] if "intersections" in finding.evidence]
    assert len(told) == 1
    counts = {crossing.attribute: sum(isinstance(group.impact_ratio, Ratio) and group.impact_ratio.label == "below" for group in crossing.groups) for crossing in section.intersections}
    with_any = [crossing for crossing in section.intersections if counts[crossing.attribute]]
    assert len(with_any) > 1
    whole = sum(len(crossing.groups) for crossing in with_any)
    assert told[0].text.startswith(f"{sum(counts.values())} of {whole} groups of {len(with_any)} crossings ({', '.join(crossing.attribute for crossing in with_any)}) are selected")
    assert "the lowest is a x f (group x sex) at 0." in told[0].text
    assert told[0].id == "impact_ratio_below:/fairness/intersections"


def test_error_gaps_need_an_interval_without_zero() -> None:
    apart = binary(2000)
    decision = np.where(apart.groups["group"] == "b", 0, np.asarray(apart.decision))
    gaps = found(fairness=fairness_of(binary(2000, decision=decision), "group"))["error_gap"]
    assert any("b (group) get the favourable outcome less often than a" in finding.text for finding in gaps)
    assert all(finding.severity == "medium" for finding in gaps)
    alike = binary(2000, decision=np.asarray(apart.truth))
    assert "error_gap" not in found(fairness=fairness_of(alike, "group"))


def test_calibration_that_is_off_in_a_group() -> None:
    o = binary(2000)
    score = np.where(o.groups["group"] == "c", np.asarray(o.score) * 0.4, np.asarray(o.truth) * 0.8 + 0.1)
    texts = [finding.text for finding in found(fairness=fairness_of(binary(2000, score=score), "group"))["calibration_group"]]
    assert any(text.startswith("In c (group)") for text in texts)


@pytest.mark.parametrize(("z", "told"), [(2.2, False), (2.5, True)])
def test_calibration_of_a_group_is_told_beyond_what_the_worst_of_all_groups_is_by_chance(z: float, told: bool) -> None:
    section = fairness_of(binary(2000), "group")
    [attribute] = section.attributes
    off = Estimate(value=1.2, low=1.02, high=1.4, method="x", n=500)
    groups = tuple(group.model_copy(update={"calibration": group.calibration.model_copy(update={"observed_over_expected": off, "z": z})}) for group in attribute.groups)
    changed = section.model_copy(update={"attributes": (attribute.model_copy(update={"groups": groups}),)})
    assert len(groups) == 3
    assert ("calibration_group" in found(fairness=changed)) is told


def test_regression_residuals() -> None:
    [finding] = found(fairness=fairness_of(regression(), "group"))["residual_gap"]
    assert "The truth lies above the prediction by" in finding.text
    assert "more for b (group)" in finding.text


def test_residuals_of_crossings_are_one_sentence() -> None:
    o = regression(3_000)
    crossed = replace(o, groups={**o.groups, "other": np.where(np.arange(3_000) % 2 == 0, "x", "y").astype(object)})
    section = fairness_of(crossed, "group", "other")
    gaps = [group.score.residual_difference for group in section.intersections[0].groups if not isinstance(group.score, NotMeasured)]
    apart = [gap for gap in gaps if isinstance(gap, Estimate) and gap.low > 0]
    [crossing] = [finding for finding in found(fairness=section)["residual_gap"] if "/intersections/" in finding.evidence]
    assert len(apart) == 2
    assert crossing.text.startswith("For 2 of 6 groups of group x other the mean error differs from the reference's beyond sampling error; exploratory, as all crossings are. "
                                    "Furthest from none: the truth lies above the prediction by ")
    assert crossing.id == "residual_gap:/fairness/intersections/0"


def test_large_amounts_are_written_out() -> None:
    plain = regression()
    large = regression(truth=np.asarray(plain.truth) * 1e5, score=np.asarray(plain.score) * 1e5)
    noise = regression(score=np.random.default_rng(1).permutation(np.asarray(plain.truth)) * 1e5, truth=np.asarray(plain.truth) * 1e5)
    written = [*found(fairness=fairness_of(large, "group"))["residual_gap"], *found(performance=performance_of(noise, baselines={"mean": large}))["like_baseline"]]
    assert not [finding.text for finding in written if re.search(r"\de\+", finding.text)]


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


def test_leaks_are_suspected_from_the_auc_and_from_one_dominant_input() -> None:
    perfect = binary(score=np.asarray(binary().truth) * 0.8 + 0.1)
    assert "unusually close to 1" in found(performance=performance_of(perfect))["leak_suspected"][0].text
    assert "x0, carries 70 %" in found(explanation=explanation(0.7, 0.2, 0.1))["leak_suspected"][0].text
    assert "leak_suspected" not in found(explanation=explanation(0.6, 0.2, 0.2))


def test_sensitive_inputs_unknown_groups_small_groups_and_rows_left_out() -> None:
    columns = (
        Column(name="sex", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=True),
        Column(name="race", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=False),
    )
    data = data_section(columns=columns, left_out=(LeftOut(reason="no target", n=10), LeftOut(reason="no score", n=100)))
    by_rule = found(data, fairness=fairness_of(binary(100), "group", "sex"), explanation=explanation(0.5, 0.5))
    assert [finding.evidence for finding in by_rule["sensitive_input"]] == ["/data/columns/0"]
    assert [finding.severity for finding in by_rule["left_out"]] == ["medium", "low"]
    assert "have no known sex" in by_rule["unknown_share"][0].text
    assert "c" in by_rule["small_groups"][0].text
    assert by_rule["proxies_unknown"][0].severity == "info"


def test_what_is_missing_is_said() -> None:
    by_rule = found(performance=NotMeasured(reason="no label column was given"), fairness=NotMeasured(reason="no sensitive attribute was chosen"))
    assert by_rule["fairness_not_measured"][0].text == "Group fairness was not measured: no sensitive attribute was chosen."
    assert by_rule["performance_not_measured"][0].severity == "info"


@lru_cache(maxsize=1)
def everything() -> list[tuple[dict[str, Any], tuple[Finding, ...]]]:
    """Findings of many kinds with the sections they point into."""
    cases = []
    for outcomes in (binary(), binary(100), binary(score=np.random.default_rng(0).random(600)), multiclass(), multiclass(favourable=()), regression()):
        majority = {} if outcomes.task != "binary" else {"majority": binary(outcomes.rows, score=np.full(outcomes.rows, 0.4))}
        performance = performance_of(outcomes, baselines=majority, out_of_fold=outcomes)
        fairness = fairness_of(outcomes, *outcomes.groups)
        columns = (Column(name="sex", role="sensitive", type="category", missing=0, distinct=2, used_as_feature=True),)
        data = data_section(columns=columns, left_out=(LeftOut(reason="no target", n=10),))
        why = explanation(0.9, 0.1)
        document = {
            "data": data.model_dump(), "performance": performance.model_dump(), "fairness": fairness.model_dump(), "explanation": why.model_dump(),
        }
        cases.append((document, findings_on(data=data, performance=performance, fairness=fairness, explanation=why)))
    return cases


@pytest.mark.slow
def test_every_pointer_leads_somewhere_ids_are_unique_and_severities_fall() -> None:
    rules = set()
    for document, written in everything():
        assert len({finding.id for finding in written}) == len(written)
        assert [finding.severity for finding in written] == sorted((f.severity for f in written), key=["high", "medium", "low", "info"].index)
        for finding in written:
            rules.add(finding.rule)
            place: Any = document
            for part in finding.evidence.split("/")[1:]:
                place = place[int(part)] if isinstance(place, (list, tuple)) else place[part]
    assert {"impact_ratio_below", "residual_gap", "like_baseline", "leak_suspected", "small_groups"} <= rules


@pytest.mark.slow
def test_rules_are_the_documented_ones() -> None:
    documented = set(re.findall(r"``(\w+)``", findings_module.__doc__ or ""))
    assert {finding.rule for _, written in everything() for finding in written} <= documented


@pytest.mark.slow
def test_rule_03_no_verdict_words_in_any_text_or_source_string() -> None:
    for _, written in everything():
        for finding in written:
            assert not BANNED.search(finding.text + finding.suggestion), finding.text
    tree = ast.parse(inspect.getsource(findings_module))
    documentation = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            allowed = node.value
            assert not BANNED.search(allowed), node.value


def test_hostile_names_are_cut_and_flattened() -> None:
    name = "line\nbreak\u202e\x1b[31m " + "x" * 5000
    [finding] = found(fairness=fairness_of(from_counts({"A": (500, 1000), name: (310, 1000)}), "group"))["impact_ratio_below"]
    assert len(finding.text) < 300
    assert finding.text.isprintable()
    assert finding.text.startswith("line break")


@pytest.mark.slow
def test_no_sentence_on_sampling_error_below_30_rows() -> None:
    fairness = fairness_of(from_counts({"large": (900, 1000), "few": (2, 20)}), "group")
    assert fairness.attributes[0].groups[0].impact_ratio.label == "below"  # type: ignore[union-attr]
    by_rule = found(fairness=fairness)
    assert "impact_ratio_below" not in by_rule
    [finding] = by_rule["impact_ratio_near"]
    assert finding.text.endswith("below the stated limit of 0.80; nothing is concluded from it, since few has only 20 rows.")
    one = found(fairness=fairness_of(from_counts({"large": (900, 1000), "more": (880, 1000), "one": (1, 1)}), "group"))
    assert "impact_ratio_not_below" not in one


def test_no_sentence_on_sampling_error_below_30_rows_in_a_crossing() -> None:
    o = from_counts({"large": (900, 1000), "few": (2, 20)})
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    section = fairness_of(crossed, "group", "other")
    by_rule = found(fairness=section)
    assert "impact_ratio_below" not in by_rule
    assert [finding.text for finding in by_rule["impact_ratio_near"] if finding.evidence == "/fairness/intersections/0"] == [
        "For 1 of 2 groups of group x other the ratio is below the stated limit of 0.80; nothing is concluded from it, since fewer than 30 rows are compared.",
    ]


def test_one_group_is_and_has_while_two_are_and_have() -> None:
    groups = {"low": (100, 1000), "high": (900, 1000), "tiny": (9, 10), "small": (9, 10)}
    o = from_counts(groups)
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    by_rule = found(fairness=fairness_of(crossed, "group", "other"))
    assert by_rule["impact_ratio_below"][1].text.startswith("1 of 4 groups of group x other is selected")
    assert by_rule["small_groups"][0].text.startswith("2 of 4 groups of group have fewer")
    single = found(fairness=fairness_of(from_counts({"a": (9, 10), "b": (900, 1000)}), "group"))
    assert single["small_groups"][0].text.startswith("1 of 2 groups of group has fewer")


def test_against_a_named_reference_nothing_is_said_of_the_others() -> None:
    o = from_counts({"a": (500, 1000), "b": (900, 1000), "c": (480, 1000)})
    [finding] = found(fairness=fairness_of(o, "group", reference={"group": "a"}))["impact_ratio_not_below"]
    assert "times the rate of a beyond sampling error" in finding.text


def test_counts_of_weighted_rows_are_called_rows() -> None:
    o = from_counts({"a": (200, 1000), "b": (900, 1000)})
    weight = np.where(o.decision == 1, 2.0, 1.0)
    [finding] = found(fairness=fairness_of(replace(o, weight=weight), "group"))["impact_ratio_below"]
    assert "; weighted; rows: 200 of 1,000 against 900 of 1,000)" in finding.text


def test_a_residual_finding_says_its_own_level() -> None:
    [finding, *_] = found(fairness=fairness_of(regression(), "group"))["residual_gap"]
    assert "97.5 % interval" in finding.text


def test_a_stated_limit_is_printed_as_it_was_stated() -> None:
    assert number(0.825, 0.825) == "0.825"
    assert number(0.8, 0.8) == "0.80"
    o = from_counts({"a": (500, 1000), "b": (900, 1000)})
    [finding] = found(fairness=fairness_of(o, "group", limit={"ratio": 0.825}), limit=0.825)["impact_ratio_below"]
    assert "below the stated limit of 0.825 beyond" in finding.text


def test_a_ranking_turned_round_is_not_called_like_chance() -> None:
    turned = binary(score=1 - np.asarray(binary().score))
    [finding] = found(performance=performance_of(turned))["ranking_like_chance"]
    assert finding.text.endswith("): below 0.5, what knowing nothing gives.")


@pytest.mark.parametrize("n", [1, 3])
def test_nothing_is_said_of_the_residuals_of_a_handful_of_rows(n: int) -> None:
    """The reference's thousand rows do not make up for them: in a group of one row every replicate draws the same one."""
    o = regression(1000)
    few = np.arange(1000) < n
    crossed = replace(o, groups={"group": np.where(few, "few", "rest").astype(object)}, score=np.where(few, np.asarray(o.truth) - 5, o.score))
    assert "residual_gap" not in found(fairness=fairness_of(crossed, "group"))


def test_rows_of_a_few_persons_are_a_few_people() -> None:
    person = np.r_[np.arange(1000), 1000 + np.arange(60) % 10]
    o = replace(from_counts({"many": (900, 1000), "few": (6, 60)}), cluster=person)
    by_rule = found(fairness=fairness_of(o, "group"))
    assert "impact_ratio_below" not in by_rule
    assert by_rule["impact_ratio_near"][0].text.endswith("since few has fewer than 30 independent rows.")
    assert by_rule["small_groups"][0].text == "1 of 2 groups of group has fewer than 30 audited independent rows: few."
    r = regression(1060)
    apart = replace(r, groups=o.groups, cluster=person, score=np.where(person >= 1000, np.asarray(r.truth) - 5, r.score))
    by_rule = found(fairness=fairness_of(apart, "group"))
    assert "residual_gap" not in by_rule
    assert by_rule["small_groups"][0].text.endswith("independent rows: few.")


def test_the_reference_is_not_among_those_that_a_label_speaks_of() -> None:
    """465 of 1,000 against 47 of 100 is not below beyond sampling error; turned round, the interval of the 47 reaches under the limit."""
    [finding] = found(fairness=fairness_of(from_counts({"a": (465, 1000), "b": (47, 100)}), "group"))["impact_ratio_not_below"]
    assert finding.text.startswith("Every group of group other than b is selected at no less than 0.80 times the rate of the others")


def test_the_end_of_an_interval_shows_its_sign() -> None:
    assert [findings_module._points(share) for share in (0.123, 0.0004, -0.00001, 0.0)] == ["+12.3", "+0.04", "-0.001", "+0.0"]


def test_a_band_is_named_only_where_there_is_one() -> None:
    unknown = np.where(np.arange(600) < 60, None, "known").astype(object)
    [finding] = found(fairness=fairness_of(regression(groups={"g": unknown}), "g"))["unknown_share"]
    assert "band" not in finding.suggestion
    [finding] = found(fairness=fairness_of(binary(), "sex"))["unknown_share"]
    assert "The band beside each ratio" in finding.suggestion


def test_a_crossing_names_the_comparison_that_decided_too() -> None:
    """Against six people the interval reaches above the limit; the sentence must not rest on it."""
    o = from_counts({"tiny": (5, 6), "large": (700, 1000), "low": (300, 656)})
    crossed = replace(o, groups={**o.groups, "other": np.full(o.rows, "x", dtype=object)})
    texts = [finding.text for finding in found(fairness=fairness_of(crossed, "group", "other"))["impact_ratio_below"]]
    [crossing] = [text for text in texts if "group x other" in text]
    assert crossing.endswith("300 of 656 against 700 of 1,000).")


def test_calibration_names_the_class_where_there_are_several() -> None:
    o = multiclass(2000)
    score = np.column_stack([np.full(2000, 0.5), np.full(2000, 0.5), np.zeros(2000)])
    texts = [finding.text for finding in found(fairness=fairness_of(replace(o, score=score), "group"))["calibration_group"]]
    assert any("In a (group) labels middle are observed" in text for text in texts)


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
