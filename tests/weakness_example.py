"""An Evidence document with slices and robustness, for tests of the faces."""

from __future__ import annotations

from functools import cache
from typing import Any

from automl.evidence import (
    AttributeChange,
    AttributeLevels,
    Cohort,
    CohortAttribute,
    CohortErrors,
    CohortGroup,
    CohortsSection,
    CutPoint,
    Estimate,
    Evidence,
    FlippedNumber,
    FlipStep,
    GroupChange,
    GroupLevel,
    GroupShare,
    LabelChance,
    LabelFlips,
    LowestRatio,
    Membership,
    ModelSpread,
    NoisyLabels,
    NotMeasured,
    OperatingCharacteristics,
    OutsideOfTraining,
    Perturbation,
    PerturbationStep,
    RobustnessSection,
    SharedRows,
    Shift,
    ShiftedFeature,
    Slice,
    SlicesSection,
    Stretch,
    ThresholdCurve,
    TimeOrder,
    Undisturbed,
    Variation,
)
from automl.evidence.robustness import PerturbationKind
from automl.spec import RowCondition
from tests.evidence_example import difference, make_evidence, make_fairness, rate

ELSEWHERE = NotMeasured(reason="the predictions were made elsewhere")


def around(value: float, half: float, n: int = 3000, method: str = "t") -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, method=method, n=n)


@cache
def make_slices(names: tuple[str, str] = ("age at most 27", "sex is Female")) -> SlicesSection:
    conditions = (RowCondition(column="age", what="range", high=27), RowCondition(column="sex", what="is", level="Female"))
    rows = (
        Slice(where=(names[0], names[1]), conditions=conditions, found_by="pairs", n=410, share=410 / 12_211, error=rate(148, 410), rest=rate(1_500, 11_801), difference=difference(148, 410, 1_500, 11_801),
              loss=around(0.711, 0.05), loss_rest=around(0.283, 0.01), p=1e-9, p_adjusted=2e-9, label="higher"),
        Slice(where=(names[0],), conditions=conditions[:1], found_by="tree", n=22, share=22 / 12_211, error=rate(3, 22), rest=rate(1_645, 12_189), difference=difference(3, 22, 1_645, 12_189), p=0.75, p_adjusted=0.75,
              label="inconclusive"))
    return SlicesSection(
        discovered_on="training rows, by out-of-fold predictions", confirmed_on="the audit part", rows_discovered=36_631, rows_confirmed=12_211, error="share of wrong decisions",
        columns=("sex", "age", "hours_per_week"), tried=5_812, smallest=367, family=2, overall=rate(1_648, 12_211), rows=rows, note="The slices were found on other rows than those that they are measured on.")


def make_cohorts(name: str = "Young women", found_in: str | None = "run_01example") -> CohortsSection:
    one = make_slices().rows[0]
    groups = tuple(CohortGroup(group=group.group, n=group.n, rate=group.selection_rate, ratio=group.impact_ratio) for group in make_fairness().attributes[1].groups)
    absent = RowCondition(column="education", what="is", level="HS-grad")
    rows = (
        Cohort(name=name, where=one.where, conditions=one.conditions, found_in=found_in, n=one.n, share=one.share, metrics={"accuracy": rate(262, 410), "roc_auc": around(0.71, 0.05)},
               errors=CohortErrors(inside=one.error, rest=one.rest, difference=one.difference, p=1e-9, p_adjusted=1e-9, label="higher"),
               attributes=(CohortAttribute(attribute="race", reference="White", groups=groups),)),
        Cohort(name="Left school early", where=("education is HS-grad",), conditions=(absent,), found_in=None, n=0, share=0.0, metrics={}, attributes=(),
               errors=NotMeasured(reason="education is neither an input nor a declared attribute of this audit")))
    return CohortsSection(measured_on="the audit part", rows_measured=12_211, error="share of wrong decisions", family=1, rows=rows, note="A person named these rows before they were measured.")


def _lowest(attribute: str, group: str, k: int) -> LowestRatio:
    return LowestRatio(attribute=attribute, group=group, reference="Male", ratio=around(k / 1000, 0.04, method="mover-r wilson"))


def _perturbation(kind: PerturbationKind, names: tuple[str, str, str]) -> Perturbation:
    attribute, low, high = names
    steps = tuple(PerturbationStep(
        strength=strength, metric_change=around(-0.004 * at, 0.0011, method="jackknife, 20 groups"), changed=rate(37 * at, 9_000),
        attributes=(AttributeChange(attribute=attribute, lowest=_lowest(attribute, low, 294 - 8 * at), groups=(
            GroupChange(group=low, n=3_000, outcome_change=around(-0.0071 * at, 0.004, 3_000, "bonett-price paired"), error_change=around(0.0021 * at, 0.003, 3_000, "bonett-price paired")),
            GroupChange(group=high, n=6_000, outcome_change=around(0.0031 * at, 0.002, 6_000, "bonett-price paired"), error_change=around(0.0011 * at, 0.001, 6_000, "bonett-price paired")))),))
        for at, strength in enumerate((0.05, 0.1, 0.2), start=1))
    return Perturbation(kind=kind, what=f"what {kind} means here", columns=6, steps=steps)


@cache
def make_robustness(names: tuple[str, str, str] = ("sex", "Female", "Male"), feature: str = "hours_per_week") -> RobustnessSection:
    attribute, low, high = names
    points = tuple(CutPoint(cut=cut, chosen=cut == 0.5, selection_rate=rate(9_000 - round(8_000 * cut), 12_211), accuracy=rate(10_000, 12_211), lowest=(_lowest(attribute, low, round(400 * cut)),))
                   for cut in (0.1, 0.25, 0.5, 0.75))
    chances = tuple(LabelChance(attribute=attribute, group=low, n=3_000, others=6_000, true_ratio=ratio, **{
        name: Estimate(value=value, low=value, high=value, level=1.0, method="exact enumeration", n=9_000)
        for name, value in zip(("below", "not_below", "inconclusive", "other"), chance, strict=True)})
        for ratio, chance in ((0.7, (0.95, 0.0, 0.05, 0.0)), (1.0, (0.0, 0.45, 0.05, 0.5))))
    return RobustnessSection(
        metric="roc_auc", decisions=True,
        undisturbed=Undisturbed(n=9_000, metric=around(0.9268, 0.005), attributes=(AttributeLevels(attribute=attribute, lowest=_lowest(attribute, low, 294), groups=(
            GroupLevel(group=low, n=3_000, outcome=rate(240, 3_000)), GroupLevel(group=high, n=6_000, outcome=rate(1_500, 6_000)))),)),
        noise=_perturbation("noise", names), missing=_perturbation("missing", names), rounding=NotMeasured(reason="the model has no input that is a number and varies"),
        shift=Shift(train=36_631, audit=12_211, any_outside=rate(61, 12_211), by_group=(GroupShare(attribute=attribute, group=low, n=3_000, share=rate(12, 3_000)),),
                    outside=(OutsideOfTraining(feature=feature, outside=60, unseen=1),),
                    features=(ShiftedFeature(feature=feature, psi=0.1312, bins=9, without_shift=0.0017, p=1e-7, p_adjusted=1e-6),
                              ShiftedFeature(feature="age", psi=0.0009, bins=10, without_shift=0.0018, p=0.4, p_adjusted=0.4))),
        seeds=NotMeasured(reason="no model was trained twice on the same rows with another seed"),
        splits=Variation(of="the rows that a model learned from", models=5, n=9_000, metric=ModelSpread(what="roc_auc", deployed=0.9268, values=(0.9251, 0.9259), lowest=0.9251, highest=0.9259, deviation=0.0006),
                         selection=(ModelSpread(what=f"{attribute}: {low}", deployed=0.08, values=(0.078, 0.083), lowest=0.078, highest=0.083, deviation=0.0035),)),
        threshold_curve=ThresholdCurve(n=12_211, chosen=0.5, points=points, note="A description of the audited rows at cuts that were not chosen."),
        operating_characteristics=OperatingCharacteristics(limit=0.8, rows=chances, pooled={attribute: 0.2}, draws=4_000, left_out=("race: fewer than two groups",), note="What labels can show."),
        label_noise=NoisyLabels(n=36_631, found=4_120, share=rate(4_120, 36_631), by_group=(GroupShare(attribute=attribute, group=low, n=9_000, share=rate(450, 9_000)),),
                                pairs=(("<=50K", ">50K", 2_520), (">50K", "<=50K", 1_600)), note="A contradiction is a row to look at."),
        membership=Membership(members=10_000, others=10_000, auc=around(0.531, 0.008, 20_000, "delong (logit)"), control=around(0.502, 0.008, 20_000, "delong (logit)"), note="An AUC of 0.5 says nothing."),
        label_flips=LabelFlips(n=12_211, draws=1_000, note="What wrong labels would do.", steps=tuple(FlipStep(share=share, numbers=(
            FlippedNumber(what="accuracy", measured=0.8651, mean=0.8651 - 0.7 * share, low=0.8641 - 0.7 * share, high=0.8661 - 0.7 * share),
            FlippedNumber(what="true positive rate", attribute=attribute, measured=0.1112, mean=0.1112 - share, low=0.1062 - share, high=0.1162 - share))) for share in (0.01, 0.05))),
        shared_rows=SharedRows(same_inputs=rate(402, 12_211), same_label=371, metric_all=around(0.9268, 0.005), metric_others=around(0.9251, 0.005), note="Copies."),
        time_order=TimeOrder(column=feature, split_by_it=False, undated=7, outcome_change=difference(700, 3_000, 600, 3_000), note="Over time.", stretches=tuple(
            Stretch(first=f"2024-0{at}-01", last=f"2024-0{at}-28", n=3_000, outcome=rate(500 + 100 * at, 3_000), metric=around(0.93 - 0.01 * at, 0.01)) for at in (1, 2))),
        note="Disturbances are artificial.")


@cache
def with_weaknesses() -> Evidence:
    """The example with both sections, and with cohorts."""
    return make_evidence(slices=make_slices(), robustness=make_robustness(), cohorts=make_cohorts())


def robustness_of_predictions(**changes: Any) -> RobustnessSection:
    """What is left where there is no model to ask."""
    absent = dict.fromkeys(("undisturbed", "noise", "missing", "rounding", "shift", "seeds", "splits", "label_noise", "membership", "shared_rows", "time_order"), ELSEWHERE)
    return make_robustness().model_copy(update={"metric": "", **absent, **changes})
