"""A whole Evidence document and its charts, for tests of the faces (pages, PDF, card): binary task, two attributes, one crossing.

Everything is derived from one table of counts, ``CELLS``, so that the numbers agree with each other. The intervals are Wilson's and the
ratio's is MOVER-R's, written out here because the faces must not depend on the rooms that measure. Evidence never changes once it is made,
so each piece is made once in a process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

from automl.crosswalk import crosswalk_section
from automl.evidence import (
    Attribute,
    AttributeSummary,
    Background,
    Calibration,
    CalibrationBin,
    Chart,
    Charts,
    ChartTable,
    Column,
    Confusion,
    Contribution,
    Curve,
    DataSection,
    DesignSection,
    EnsembleMember,
    ErrorRates,
    Estimate,
    Evidence,
    Example,
    ExplanationSection,
    FairnessSection,
    Family,
    FeatureImportance,
    Finding,
    Gaps,
    GapShare,
    Group,
    GroupCalibration,
    GroupImportance,
    GroupPerformance,
    LeaderboardRow,
    LeftOut,
    LowestRatio,
    MissingByGroup,
    NotMeasured,
    OnnxExport,
    PerformanceSection,
    Plan,
    Points,
    ProbabilityCalibration,
    Provenance,
    Ratio,
    RatioLimit,
    Representation,
    RepresentedGroup,
    RunInfo,
    ScoreGap,
    SearchSection,
    Shortfall,
    SplitInfo,
    TableReading,
    TargetInfo,
    Test,
    Threshold,
    Trial,
    UnknownBand,
    Value,
    VersusRest,
    digest_of,
)
from automl.evidence.blocks import RatioLabel
from automl.spec import Budget, Population, TaskSpec
from tests.explanation_example import make_depth

Counts = tuple[int, int, int, int]
"""True positives, false positives, false negatives, true negatives."""

CELLS: dict[tuple[str, str], Counts] = {
    ("Female", "White"): (196, 58, 205, 2744),
    ("Female", "Black"): (17, 6, 20, 546),
    ("Female", "Asian-Pac-Islander"): (9, 4, 8, 102),
    ("Female", "Amer-Indian-Eskimo"): (1, 0, 2, 41),
    ("Female", "Other"): (2, 1, 1, 37),
    ("Male", "White"): (1466, 420, 798, 4543),
    ("Male", "Black"): (58, 19, 49, 470),
    ("Male", "Asian-Pac-Islander"): (55, 17, 27, 167),
    ("Male", "Amer-Indian-Eskimo"): (5, 3, 7, 56),
    ("Male", "Other"): (12, 3, 6, 45),
}
UNKNOWN_RACE = 14
"""Rows whose race is missing: they count for sex alone, as true negatives."""

LIMIT = 0.8
Z = 1.959963984540054
NOT_IN_THIS_VERSION = "this check is not part of this version"


def wilson(k: int, n: int, z: float = Z) -> tuple[float, float]:
    p, s = k / n, z * z / n
    middle, half = (p + s / 2) / (1 + s), z * math.sqrt(p * (1 - p) / n + s / (4 * n)) / (1 + s)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(k: int, n: int) -> Value:
    if n == 0:
        return NotMeasured(reason="no row has the needed truth or decision: the denominator is 0")
    low, high = wilson(k, n)
    return Estimate(value=k / n, low=low, high=high, method="wilson", n=n, k=k, low_precision=n < 30)


def difference(k1: int, n1: int, k2: int, n2: int) -> Value:
    if not n1 or not n2:
        return NotMeasured(reason="a rate with denominator 0 has no difference")
    (l1, u1), (l2, u2), p1, p2 = wilson(k1, n1), wilson(k2, n2), k1 / n1, k2 / n2
    value = p1 - p2
    low = value - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = value + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return Estimate(value=value, low=low, high=high, method="newcombe", n=min(n1, n2), low_precision=min(n1, n2) < 30)


def mover_r(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    (l1, u1), (l2, u2), p1, p2 = wilson(k1, n1), wilson(k2, n2), k1 / n1, k2 / n2
    low = (p1 * p2 - math.sqrt(max(0.0, (p1 * p2) ** 2 - l1 * u2 * (2 * p1 - l1) * (2 * p2 - u2)))) / (u2 * (2 * p2 - u2))
    high = (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - u1 * l2 * (2 * p1 - u1) * (2 * p2 - l2)))) / (l2 * (2 * p2 - l2))
    return max(0.0, low), high


def added(cells: Iterable[Counts]) -> Counts:
    tp, fp, fn, tn = (sum(column) for column in zip(*cells, strict=True))
    return tp, fp, fn, tn


def _ratio(counts: Counts, reference: Counts, is_reference: bool, name: str) -> Ratio:
    k, n, k_ref, n_ref = counts[0] + counts[1], sum(counts), reference[0] + reference[1], sum(reference)
    low, high = (1.0, 1.0) if is_reference else mover_r(k, n, k_ref, n_ref)
    label: RatioLabel = "reference" if is_reference else "below" if high < LIMIT else "not_below" if low >= LIMIT else "inconclusive"
    return Ratio(value=k * n_ref / (n * k_ref), low=low, high=high, method="mover-r (wilson)", k=k, n=n, k_ref=k_ref, n_ref=n_ref,
                 below_limit_exact=10 * k * n_ref < 8 * k_ref * n, label=label, label_level=None if is_reference else 0.025,
                 label_contrast="" if is_reference else name)


def _error_rates(counts: Counts, reference: Counts, is_reference: bool) -> ErrorRates:
    tp, fp, fn, tn = counts
    rtp, rfp, rfn, rtn = reference
    gaps: Gaps | NotMeasured = NotMeasured(reason="this group is the reference") if is_reference else Gaps(
        tpr=difference(tp, tp + fn, rtp, rtp + rfn), fpr=difference(fp, fp + tn, rfp, rfp + rtn), ppv=difference(tp, tp + fp, rtp, rtp + rfp))
    return ErrorRates(tpr=rate(tp, tp + fn), fpr=rate(fp, fp + tn), fnr=rate(fn, tp + fn), tnr=rate(tn, fp + tn), ppv=rate(tp, tp + fp),
                      npv=rate(tn, fn + tn), accuracy=rate(tp + tn, sum(counts)), gaps=gaps)


def _group(name: str, counts: Counts, table: dict[str, Counts], reference: str) -> Group:
    n, k = sum(counts), counts[0] + counts[1]
    rest = added(c for g, c in table.items() if g != name)
    pool = added(table.values())
    pool_rate, rest_rate = (pool[0] + pool[1]) / sum(pool), (rest[0] + rest[1]) / sum(rest)
    ref = table[reference]
    tests = () if n < 30 else (
        Test(name="fisher", p=0.0004 if abs(k / n - rest_rate) > 0.03 else 0.21, p_adjusted=0.0024 if abs(k / n - rest_rate) > 0.03 else 0.63,
             adjustment="holm", family="selection tables", contrast=f"{name} against the pooled others"),)
    positives = counts[0] + counts[2]
    low, high = wilson(positives, n)
    expected = 0.97 * positives + 0.2
    return Group(
        group=name, n=n, share=n / sum(pool), selected=k, selection_rate=rate(k, n), impact_ratio=_ratio(counts, ref, name == reference, f"{name} against {reference}"),
        minimum_detectable_ratio=None if name == reference else max(0.0, 1 - 3.1 / math.sqrt(n)),
        unknown_band=UnknownBand(low=k / n / ((ref[0] + ref[1]) / sum(ref)) * 0.99, high=k / n / ((ref[0] + ref[1]) / sum(ref)) * 1.01),
        versus_rest=VersusRest(difference=difference(k, n, rest[0] + rest[1], sum(rest)), tests=tests), flip_flop=n < 60,
        shortfall=Shortfall(to_pool=pool_rate * n - k, to_rest=rest_rate * n - k, to_reference=(ref[0] + ref[1]) / sum(ref) * n - k),
        error_rates=_error_rates(counts, ref, name == reference),
        calibration=GroupCalibration(observed=positives, expected=expected, z=(positives - expected) / math.sqrt(max(1.0, expected * 0.7)),
                                     observed_over_expected=Estimate(value=positives / expected, low=low * n / expected, high=high * n / expected,
                                                                     method="wilson", n=n, k=positives, low_precision=n < 30)),
        score=NotMeasured(reason="the outcome is a decision, not a number"))


def _attribute(attribute: str, columns: tuple[str, ...], table: dict[str, Counts], unknown: int) -> Attribute:
    reference = max(table, key=lambda g: ((table[g][0] + table[g][1]) / sum(table[g]), sum(table[g])))
    rates = [(c[0] + c[1]) / sum(c) for c in table.values()]
    return Attribute(
        attribute=attribute, columns=columns, reference=reference, unknown=unknown,
        groups=tuple(_group(name, counts, table, reference) for name, counts in table.items()),
        omnibus=Test(name="chi2", statistic=612.4 if attribute == "sex" else 88.1, p=1.2e-9, contrast="all groups have the same selection rate"),
        summary=AttributeSummary(demographic_parity_difference=max(rates) - min(rates), demographic_parity_ratio=min(rates) / max(rates),
                                 equalized_odds_difference=0.124, equal_opportunity_difference=0.101))


@cache
def tables() -> tuple[dict[str, Counts], dict[str, Counts], dict[str, Counts]]:
    """Counts by sex (with the rows of unknown race), by race, and by both."""
    sexes = {sex: added(c for (s, _), c in CELLS.items() if s == sex) for sex in ("Female", "Male")}
    tp, fp, fn, tn = sexes["Male"]
    sexes["Male"] = (tp, fp, fn, tn + UNKNOWN_RACE)
    races = {race: added(c for (_, r), c in CELLS.items() if r == race) for race in dict.fromkeys(r for _, r in CELLS)}
    return sexes, races, {f"{sex} x {race}": counts for (sex, race), counts in CELLS.items()}


@cache
def make_fairness() -> FairnessSection:
    sexes, races, both = tables()
    return FairnessSection(
        favourable=(">50K",), outcome="decision", limit=RatioLimit(ratio=LIMIT),
        attributes=(_attribute("sex", ("sex",), sexes, 0), _attribute("race", ("race",), races, UNKNOWN_RACE)),
        intersections=(_attribute("sex x race", ("sex", "race"), both, UNKNOWN_RACE),),
        family=Family(tests=6, contrasts=("sex: Female against Male", *(f"race: {race} against the pooled others" for race in races))))


def _auc(value: float, n: int, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, method="logit DeLong", n=n, low_precision=n < 30)


def _lowest(ratio: float) -> tuple[LowestRatio, ...]:
    return (LowestRatio(attribute="sex", group="Female", reference="Male", ratio=Estimate(value=ratio, low=ratio - 0.022, high=ratio + 0.023, method="mover-r wilson", n=12211)),)


@cache
def make_performance() -> PerformanceSection:
    sexes, races, _ = tables()
    tp, fp, fn, tn = added(sexes.values())
    n = tp + fp + fn + tn

    def of_group(name: str, counts: Counts, auc: float) -> GroupPerformance:
        return GroupPerformance(group=name, n=sum(counts), metrics={
            "accuracy": rate(counts[0] + counts[3], sum(counts)), "roc_auc": _auc(auc, sum(counts), min(0.07, 0.6 / math.sqrt(sum(counts))))})

    bins = tuple(CalibrationBin(low=i / 10, high=(i + 1) / 10, n=n // 10, mean_score=(i + 0.5) / 10,
                                observed=rate(round((i + 0.5) / 10 * (n // 10) * (0.94 + 0.01 * i)), n // 10)) for i in range(10))
    return PerformanceSection(
        n=n, metrics={"roc_auc": _auc(0.92684, n, 0.0051), "average_precision": _auc(0.8264, n, 0.011), "accuracy": rate(tp + tn, n),
                      "log_loss": _auc(0.2784, n, 0.0079), "brier": _auc(0.0878, n, 0.0029)},
        by_group={"sex": tuple(of_group(g, c, 0.9413 if g == "Female" else 0.9108) for g, c in sexes.items()),
                  "race": tuple(of_group(g, c, 0.915 + 0.004 * i) for i, (g, c) in enumerate(races.items()))},
        baselines={"majority": {"accuracy": rate(fp + tn, n), "roc_auc": NotMeasured(reason="a constant score ranks nothing: 0.5 by definition")}},
        threshold=Threshold(value=0.5, chosen_on="default 0.5"),
        confusion=Confusion(labels=("<=50K", ">50K"), counts=((tn, fp), (fn, tp))),
        calibration=Calibration(bins=bins, observed_over_expected=Estimate(value=1.0042, low=0.975, high=1.0341, method="wilson", n=n, k=tp + fn)),
        curves={"roc": Curve(x=(0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.0), y=(0.0, 0.36, 0.58, 0.75, 0.89, 0.975, 1.0), x_name="false positive rate", y_name="true positive rate"),
                "precision_recall": Curve(x=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), y=(1.0, 0.96, 0.9, 0.81, 0.64, 0.24), x_name="recall", y_name="precision")},
        drift={"": Estimate(value=0.0011, low=-0.0042, high=0.0064, method="normal", n=n)})


@cache
def make_search() -> SearchSection:
    scores = [0.9021, 0.9239, 0.9251, None, 0.9187, 0.9262, 0.9260, 0.9106, 0.9266, 0.9264]
    families = ["linear", "lgbm", "lgbm", "torch", "torch", "lgbm", "lgbm", "torch", "lgbm", "lgbm"]
    trials = tuple(Trial(number=i, family=family, params={"learning_rate": round(0.04 + 0.006 * i, 4), "num_leaves": 31 + 7 * i}, score=score, seconds=2.5 + 1.75 * i,
                         state="pruned" if score is None else "baseline" if i == 0 else "complete", note="stopped after the first fold" if score is None else "")
                   for i, (score, family) in enumerate(zip(scores, families, strict=True)))
    n = make_performance().n
    return SearchSection(
        metric="roc_auc", direction="maximize", families=("linear", "lgbm", "torch"), folds=5, trials=trials, stopped_because="seconds", seconds=58.25,
        leaderboard=(
            LeaderboardRow(name="weighted ensemble", family="ensemble", trial=None, out_of_fold=0.92701, audit=_auc(0.92684, n, 0.0051), chosen=True, lowest=_lowest(0.3148), calibration=Estimate(value=0.9962, low=0.9714, high=1.0213, method="n x wilson / expected", n=n), fit_seconds=31.5, predict_us_per_row=22.4, bytes=1350000),
            LeaderboardRow(name="lgbm 8", family="lgbm", trial=8, out_of_fold=0.9266, audit=_auc(0.9265, n, 0.0051), difference=Estimate(value=-0.00034, low=-0.0009, high=0.00022, method="jackknife, 20 groups", n=n), tied=True, lowest=_lowest(0.3098), calibration=Estimate(value=1.0043, low=0.9793, high=1.0296, method="n x wilson / expected", n=n), fit_seconds=9.25, predict_us_per_row=7.1, bytes=420000),
            LeaderboardRow(name="torch 4", family="torch", trial=4, out_of_fold=0.9187, audit=_auc(0.9172, n, 0.0056), difference=Estimate(value=-0.00964, low=-0.0118, high=-0.0075, method="jackknife, 20 groups", n=n), tied=False, lowest=(LowestRatio(attribute="sex", group=None, reference=None, ratio=NotMeasured(reason="nobody in the reference is selected")),), calibration=NotMeasured(reason="the expected number is 0"), fit_seconds=14.0, predict_us_per_row=11.3, bytes=910000),
            LeaderboardRow(name="linear 0", family="linear", trial=0, out_of_fold=0.9021, audit=_auc(0.9034, n, 0.0061)),
            LeaderboardRow(name="majority", family="baseline", trial=None, out_of_fold=None, audit=NotMeasured(reason="a constant score ranks nothing: 0.5 by definition"))),
        ensemble=(EnsembleMember(trial=8, family="lgbm", weight=0.625, together=(("month", "day"),)), EnsembleMember(trial=5, family="lgbm", weight=0.25), EnsembleMember(trial=4, family="torch", weight=0.125)),
        out_of_fold_score=0.92701,
        calibration=ProbabilityCalibration(
            method="platt", slope=1.0625, shift=-0.0375, rows=20000, log_loss_gain=Estimate(value=0.00052, low=0.00021, high=0.00083, method="t", n=20000),
            brier_gain=Estimate(value=0.00011, low=0.00002, high=0.0002, method="t", n=20000)))


FEATURES = ("marital_status", "age", "capital_gain", "education_num", "occupation", "hours_per_week", "relationship", "capital_loss", "workclass", "fnlwgt", "native_country")


@cache
def make_explanation() -> ExplanationSection:
    sexes, _, _ = tables()
    values = [1.02, 0.81, 0.66, 0.61, 0.42, 0.37, 0.21, 0.14, 0.08, 0.05, 0.03]
    features = tuple(FeatureImportance(
        feature=name, mean_abs_shap=Estimate(value=v, low=v * 0.94, high=v * 1.06, method="bootstrap percentile, 2000 replicates", n=1000),
        direction="mixed" if name in ("marital_status", "occupation", "relationship", "workclass", "native_country") else "increases",
        rank=i + 1, rank_over_replicates=(max(1, i), i + 1 if i < 2 else i + 2), stands_in_for=("sex",) if i == 0 else ()) for i, (name, v) in enumerate(zip(FEATURES, values, strict=True)))
    by_group = tuple(GroupImportance(group=g, n=334 if g == "Female" else 666, mean_shap={name: round(v * (-0.5 if g == "Female" else 0.2), 4) for name, v in zip(FEATURES, values, strict=True)},
                                     mean_abs_shap={name: round(v * (1.1 if g == "Female" else 0.95), 4) for name, v in zip(FEATURES, values, strict=True)},
                                     intervals={name: Estimate(value=round(v * k, 4), low=v * k * 0.93, high=v * k * 1.07, method="t", n=334 if g == "Female" else 666)
                                                for k in (1.1 if g == "Female" else 0.95,) for name, v in zip(FEATURES[:6], values[:6], strict=True)}) for g in sexes)
    gap = ScoreGap(attribute="sex", group="Female", reference="Male", gap=Estimate(value=-1.43, low=-1.52, high=-1.34, method="bootstrap percentile, 2000 replicates", n=1000), contributions=tuple(
        GapShare(feature=name, contribution=Estimate(value=-0.7 * v, low=-0.76 * v, high=-0.64 * v, method="bootstrap percentile, 2000 replicates", n=334))
        for name, v in zip(FEATURES[:6], values[:6], strict=True)), second=tuple(
        GapShare(feature=name, contribution=Estimate(value=-0.62 * v, low=-0.7 * v, high=-0.55 * v, method="bootstrap percentile, 2000 replicates", n=334))
        for name, v in zip(FEATURES[:6], values[:6], strict=True)))
    ages = tuple(float(20 + i) for i in range(40))
    example = Example(row=3, why="the highest score of the audit part", output=4.2174, base=-1.9215, prediction=">50K", contributions=(
        Contribution(feature="capital_gain", value="99999", shap=3.4102), Contribution(feature="marital_status", value="Married-civ-spouse", shap=1.8021),
        Contribution(feature="age", value="47", shap=0.9266)))
    return ExplanationSection(
        output_space="log_odds", output="log-odds of >50K", explainer="exact interventional tree SHAP", rows=1000,
        background=Background(source="a random sample of the training part", n=200, sha256="b7" * 32), features=features, by_group={"sex": by_group},
        score_gap_by_input=(gap, NotMeasured(reason="race has 5 groups; only pairs with at least 30 explained rows are compared, and Other has 9")),
        additivity_error=3.1e-09, points=(Points(feature="age", values=ages, shap=tuple(round(-1.2 + 0.06 * i, 3) for i in range(40))),), examples=(example,), **make_depth(FEATURES))


@cache
def make_data() -> DataSection:
    sexes, _, _ = tables()
    tp, fp, fn, tn = added(sexes.values())
    names = ("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex", "capital_gain", "capital_loss",
             "hours_per_week", "native_country", "income")
    numeric = {"age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"}
    columns = tuple(Column(name=name, role="target" if name == "income" else "sensitive" if name in ("sex", "race") else "feature",
                           type="integer" if name in numeric else "category", missing=2799 if name == "workclass" else 0, distinct=74 if name == "age" else 9,
                           used_as_feature=name not in ("income", "sex", "race")) for name in names)
    return DataSection(
        sha256="5c" * 32, rows=48_842, reading=TableReading(format="csv", compression="gzip", encoding="utf-8", delimiter=",", quote='"', missing=("", "NA", "?")), columns=columns,
        quality=(Finding(id="duplicates", severity="low", text="52 rows occur more than once; each copy counts.", evidence="/data/rows", rule="data.duplicates",
                         suggestion="Ask whether these are different people."),),
        target=TargetInfo(name="income", task="binary", inferred=True, labels=("<=50K", ">50K"), positive=">50K", favourable=(">50K",),
                          base_rates={"<=50K": rate(37_155, 48_842), ">50K": rate(11_687, 48_842)}),
        split=SplitInfo(method="stratified", seed=0, train=48_842 - (tp + fp + fn + tn), audit=tp + fp + fn + tn, detail="by income and by sex x race where a cell has 20 rows or more"),
        unknown={"sex": 0, "race": UNKNOWN_RACE}, left_out=(LeftOut(reason="the target is missing", n=0),),
        missing_by_group=tuple(MissingByGroup(column="workclass", attribute="sex", group=group, n=n, missing=k, share=rate(k, n)) for group, k, n in (("Female", 1282, 16_192), ("Male", 1517, 32_650))),
        representation=(
            Representation(attribute="sex", unknown=0, groups=tuple(
                RepresentedGroup(group=group, n=n, share=rate(n, 48_842), base_rate=rate(k, n), population_share=share, to_population=over(rate(n, 48_842), share))
                for group, n, k, share in (("Female", 16_192, 1_769, 0.508), ("Male", 32_650, 9_918, 0.492))),
                test=Test(name="chi_square", statistic=6121.4, p=0.0, contrast="the groups of sex against the population named")),
            Representation(attribute="race", unknown=UNKNOWN_RACE, groups=(RepresentedGroup(group="White", n=41_762, share=rate(41_762, 48_842 - UNKNOWN_RACE), base_rate=rate(10_607, 41_762)),))))


def over(share: Estimate, population: float) -> Estimate:
    """A share over that of a population that is taken as known."""
    return share.model_copy(update={"value": share.value / population, "low": share.low / population, "high": share.high / population, "method": f"{share.method}, over the population's share"})


def make_findings(fairness: FairnessSection) -> tuple[Finding, ...]:
    female, other, n = fairness.attributes[0].groups[0], fairness.attributes[1].groups[4], make_performance().n
    ratio = female.impact_ratio
    assert isinstance(ratio, Ratio)
    return (
        Finding(id="ratio-sex-female", severity="high", evidence="/fairness/attributes/0/groups/0", rule="fairness.ratio.below",
                text=f"Female is selected at {ratio.value:.3f} times the rate of Male ({ratio.low:.3f} to {ratio.high:.3f}), below the limit of 0.8 that you set.",
                suggestion="Look at which inputs add up to the gap, and at a model without them."),
        Finding(id="ratio-race-other", severity="medium", evidence="/fairness/attributes/1/groups/4", rule="fairness.ratio.inconclusive",
                text=f"Whether {other.group} falls below the limit of 0.8 cannot be told at this sample size ({other.n} people).", suggestion="Collect more rows of this group before relying on the result."),
        Finding(id="auc", severity="info", evidence="/performance/metrics/roc_auc", rule="performance.headline",
                text=f"The model ranks a random pair in the right order in 92.7 % of cases (0.922 to 0.932, n = {n}).", suggestion=""),
        Finding(id="unmeasured-robustness", severity="info", evidence="/robustness", rule="coverage.not_measured", text="Robustness was not measured in this version.", suggestion=""))


def make_evidence(**changes: Any) -> Evidence:
    """The example, its digest filled in; ``changes`` replace whole sections (``fairness=NotMeasured(...)``)."""
    return _whole({**_parts(), **changes}, "crosswalk" in changes) if changes else _plain()


@cache
def _plain() -> Evidence:
    return _whole(_parts())


def _whole(parts: dict[str, Any], has_crosswalk: bool = False) -> Evidence:
    """The document of ``parts``: the crosswalk follows from all other sections, unless it is given, and the digest from all."""
    evidence = Evidence(**parts)
    evidence = evidence if has_crosswalk else evidence.model_copy(update={"crosswalk": crosswalk_section(evidence)})
    return evidence.model_copy(update={"digest": digest_of(evidence.model_dump(mode="json"))})


@cache
def _parts() -> dict[str, Any]:
    # it is made of this file's counts
    from tests.reasons_example import make_reasons

    fairness = make_fairness()
    return {
        "digest": "", "run": RunInfo(id="run_01example0000000000000000000", kind="training", title="Adult income"),
        "plan": Plan(sha256="a1" * 32, sealed_at="after tuning, before the audit part was opened", attributes=("sex", "race"), bins={}, reference={}, limit=LIMIT,
                     family="selection tables of sex, race", cut_rule="0.5 on the probability of >50K", audit_number=1),
        "spec": TaskSpec(title="Adult income", target="income", task="binary", positive=">50K", sensitive=("sex", "race"), budget=Budget(seconds=60),
                         population=Population(source="Census of 2020, adults", shares={"sex": {"Female": 50.8, "Male": 49.2}})),
        "design": DesignSection(population="people like those in the table", unit="row", independent=True, unknown_handling="each table uses the rows known on its own attributes"),
        "data": make_data(), "search": make_search(), "performance": make_performance(), "fairness": fairness,
        "local_law_144": NotMeasured(reason=NOT_IN_THIS_VERSION), "explanation": make_explanation(), "reasons": make_reasons(),
        "mitigation": NotMeasured(reason=NOT_IN_THIS_VERSION), "slices": NotMeasured(reason=NOT_IN_THIS_VERSION), "robustness": NotMeasured(reason=NOT_IN_THIS_VERSION),
        "findings": make_findings(fairness),
        "crosswalk": NotMeasured(reason="not yet"),
        "provenance": Provenance(dataset_sha256="5c" * 32, config_sha256="c0" * 32, model_sha256="d1" * 32, code_version="0.1.0",
                                 libraries={"lightgbm": "4.7.0", "scikit-learn": "1.9.1", "shap": "0.51.0"}, python="3.11.2", hardware={"cpus": 2, "gpu": None},
                                 seeds={"split": 0, "search": 0}, threads=2, started_at="2026-11-21T08:00:00Z", finished_at="2026-11-21T08:01:32Z", year_later="2027-11-21", seconds=92.4,
                                 onnx=OnnxExport(file="model/model.onnx", sha256="0e" * 32, bytes=1_234_567, opsets={"ai.onnx": 21, "ai.onnx.ml": 5}, rows=1_713, training_rows=713,
                                                 largest_difference=3.21e-9, unit="probability", limit=1e-4)),
    }


def make_charts(evidence: Evidence) -> Charts:
    """Two charts with small valid Vega-Lite specs; `automl.charts.draw_charts` makes the real ones."""
    assert isinstance(evidence.fairness, FairnessSection)
    groups = [group for group in evidence.fairness.attributes[0].groups if isinstance(group.selection_rate, Estimate)]
    rows = tuple((group.group, group.n, group.selection_rate.value, group.selection_rate.low, group.selection_rate.high)
                 for group in groups if isinstance(group.selection_rate, Estimate))
    rates = Chart(name="selection-rates-sex", section="fairness", title="Selection rate by sex", sentence=f"{rows[0][0]} is selected at {rows[0][2]:.3f}, {rows[1][0]} at {rows[1][2]:.3f}.",
                  spec={"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": [{"group": r[0], "rate": r[2]} for r in rows]}, "mark": "point",
                        "encoding": {"x": {"field": "rate", "type": "quantitative"}, "y": {"field": "group", "type": "nominal"}}},
                  table=ChartTable(columns=("group", "n", "rate", "low", "high"), rows=rows))
    assert isinstance(evidence.performance, PerformanceSection)
    roc = evidence.performance.curves["roc"]
    points = tuple(zip(roc.x, roc.y, strict=True))
    curve = Chart(name="roc", section="performance", title="ROC curve", sentence="At a false positive rate of 0.1 the model finds 0.75 of the positives.",
                  spec={"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": [{"x": x, "y": y} for x, y in points]}, "mark": "line",
                        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}},
                  table=ChartTable(columns=(roc.x_name, roc.y_name), rows=points))
    return Charts(charts=(rates, curve))
