"""The reasons section of the example evidence: three reasons that are stated, one group of inputs, one input that may not be stated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from automl.evidence import (
    Background,
    ChangedColumn,
    Counterfactual,
    CounterfactualQuality,
    Estimate,
    NotMeasured,
    ReasonExample,
    ReasonQuality,
    ReasonRow,
    ReasonRules,
    ReasonShare,
    ReasonsSection,
    StatedReason,
    Value,
)
from tests.evidence_example import rate

NAMES = ("capital_gain", "work", "age", "sex")
EXPLAINED = 2_000


def _mean(value: float) -> Value:
    return Estimate(value=value, low=value - 0.0125, high=value + 0.0125, method="bootstrap", n=EXPLAINED)


def _row(name: str, k: int, groups: Sequence[str], **more: object) -> ReasonRow:
    shares = tuple(ReasonShare(group=group, n=n, share=rate(k * n // EXPLAINED + at, n)) for at, (group, n) in enumerate(zip(groups, (1_240, 760), strict=True)))
    fields = {"reason": name, "inputs": (name,), "stated": rate(k, EXPLAINED), "first": k // 3, "by_group": {} if more.get("excluded") else {"sex": shares}, **more}
    return ReasonRow.model_validate(fields)


@cache
def make_reasons(names: Sequence[str] = NAMES, groups: Sequence[str] = ("Female", "Male"), texts: tuple[str, str] = ("Gains from capital", "Kind of work")) -> ReasonsSection:
    """``names``: two inputs, a group of inputs in between them, and an excluded input."""
    gain, work, age, excluded = names
    stated = (
        StatedReason(reason=gain, code="C1", text=texts[0], wording="approved", value="0", contribution=-0.8125),
        StatedReason(reason=work, code="W1", text=texts[1], wording="draft", value="occupation: not given; hours_per_week: 20", contribution=-0.4375),
        StatedReason(reason=age, wording="no_line", value="23", contribution=-0.3125))
    example = ReasonExample(
        row=17, why="nearest to the cut", score=-0.0625, distance=0.1875, reasons=stated, against_all=(stated[1], stated[0]), overlap=2 / 3,
        counterfactual=Counterfactual(changes=(ChangedColumn(column=gain, before="0", after="3103"),), score=0.4375))
    bare = ReasonExample(
        row=41, why="farthest from the cut", score=-5.125, distance=5.25, reasons=(), against_all=(), overlap=1.0,
        counterfactual=NotMeasured(reason="no change of at most 3 of the actionable columns was found that would have changed the decision"))
    return ReasonsSection(
        policy=ReasonRules(
            output="log-odds of >50K", cut=0.125, most=4, materiality=0.05, at_the_cut=Background(source="the 500 favourably decided training rows nearest above the cut, by out-of-fold score", n=500, sha256="c1" * 32),
            at_the_cut_scores=(0.125, 0.625), all_applicants=Background(source="training rows drawn at random (seed 0)", n=500, sha256="c2" * 32), explainer="exact interventional tree SHAP",
            additivity_error=2.5e-9, unfavourable=9_430, explained=EXPLAINED, chosen_by="a random sample of 2,000 rows: what this model can be asked about in a few seconds; reasons.rows in the spec asks for more",
            groups={work: ("occupation", "hours_per_week")}),
        table=(_row(gain, 1_520, groups, code="C1", text=texts[0], approved_by="A. Person", direction="lower", actionable=True), _row(work, 1_130, groups, code="W1", text=texts[1], inputs=("occupation", "hours_per_week")),
               _row(age, 860, groups), _row(excluded, 144, groups, excluded="a sensitive attribute")),
        quality=ReasonQuality(
            none=rate(6, EXPLAINED), fewer=rate(412, EXPLAINED), flip_crosses=rate(301, 500), flip_moves=rate(468, 500), flip_share=0.5, flip_backgrounds=20, stability=_mean(0.8875),
            stability_backgrounds=20, overlap=_mean(0.6125), same_first=rate(1_204, EXPLAINED), without_approved_text=rate(1_760, EXPLAINED), wordings={"approved": 1_520, "draft": 1_130, "no_line": 860},
            excluded_would_be_stated=rate(144, EXPLAINED),
            counterfactuals=CounterfactualQuality(found=rate(83, 100), columns_changed={"1": 61, "2": 17, "3": 5}, columns=(gain,), most_changed=3, values=8)),
        examples=(example, bare), file="reasons.csv", notes=("Reasons are the shortfall against people just above the cut.",))
