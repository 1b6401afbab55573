"""The example's Evidence with a record of alternatives, for tests of the faces. Its numbers hang together where a face compares them, and nowhere else."""

from __future__ import annotations

from functools import cache
from typing import Any

from automl.evidence import (
    Alternative,
    Change,
    CutRule,
    CutStep,
    Deployed,
    DeployedAttribute,
    Estimate,
    Evidence,
    FairnessChange,
    Finding,
    GroupGapChanges,
    GroupGaps,
    GroupRateChanges,
    GroupRates,
    MitigationBudget,
    MitigationSection,
    NotMeasured,
    NotTried,
    OutOfFoldResult,
    ParetoFront,
    PeopleChanged,
    RateSpread,
)
from tests.evidence_example import difference, make_evidence, make_findings, make_performance, rate

WHY = "nobody chose it: what is deployed was chosen by its score alone"
BARRED = "barred by the profile: cut-offs that differ by group alter the results of a test by group (42 USC 2000e-2(l))"


def _paired(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, method="paired bootstrap", n=11_970)


def _spread(attribute: str, apart: float) -> RateSpread:
    return RateSpread(attribute=attribute, demographic_parity_difference=apart, demographic_parity_ratio=1 - apart, equalized_odds_difference=apart / 2)


def _alternative(at: int, method: Any, criterion: Any, parameters: dict[str, Any], apart: float, cost: float, names: tuple[str, str, str], profile: Any, **more: Any) -> Alternative:
    attribute, female, male = names
    sees = method in ("own_cuts", "threshold_optimizer")
    k = round(3_990 * (0.25 - apart))
    after, both = rate(k, 3_990), difference(k, 3_990, 1_995, 7_980)
    changes = {"selection_rate": Change(after=after, change=_paired(0.125 - apart, 0.0112)), "tpr": Change(after=rate(at + 190, 460), change=_paired(0.03, 0.015)),
               "fpr": Change(after=rate(at + 70, 3_530), change=_paired(0.011, 0.004)), "ppv": Change(after=rate(at + 190, at + 260), change=_paired(-0.021, 0.019))}
    gaps = {"selection_rate": Change(after=both, change=_paired(0.125 - apart, 0.0131)), "tpr": Change(after=both, change=_paired(0.03, 0.017)),
            "fpr": Change(after=NotMeasured(reason="one of the groups has no row without the favourable label"), change=_paired(0.011, 0.006)),
            "ppv": Change(after=_paired(-0.082, 0.031), change=_paired(-0.021, 0.023))}
    share = Estimate(value=0.0375 + at / 1_000, low=0.0341 + at / 1_000, high=0.0411 + at / 1_000, method="wilson", n=11_970, k=449)
    return Alternative(
        id=f"m{at}", method=method, attribute=attribute, criterion=criterion, parameters=parameters,
        rules=(CutRule(group=female, steps=(CutStep(cut=0.3125, share=1.0),)), CutRule(group=male, steps=())) if sees else (),
        uses_attribute_at_decision=sees, uses_attribute_in_training=True, out_of_fold=OutOfFoldResult(value=0.8725 - cost, spread=_spread(attribute, apart)),
        performance={"accuracy": Change(after=_paired(0.8671 - cost, 0.0061), change=_paired(-cost, 0.0028)), "balanced_accuracy": Change(after=_paired(0.77, 0.01), change=_paired(-0.012, 0.004))},
        people=PeopleChanged(share=share, gained=281.0 + at, lost=168.25), allowed_by_profile=None if profile is None else not sees, why_not=BARRED if sees and profile else WHY,
        fairness=FairnessChange(
            groups=(GroupRateChanges(group=female, n=3_990, gained=281.0 + at, lost=0.0, **changes), GroupRateChanges(group=male, n=7_980, gained=0.0, lost=168.25, **changes)),
            gaps=(GroupGapChanges(group=female, **gaps),), spreads=(_spread(attribute, apart),)),
        **{"drawn_by_lot": False, **more})


@cache
def make_mitigation(names: tuple[str, str, str] = ("sex", "Female", "Male"), profile: Any = None) -> MitigationSection:
    """Six alternatives for one attribute."""
    attribute, female, male = names
    deployed = DeployedAttribute(
        attribute=attribute, reference=male, spread=_spread(attribute, 0.1664),
        groups=(GroupRates(group=female, n=3_990, selection_rate=rate(334, 3_990), tpr=rate(225, 460), fpr=rate(109, 3_530), ppv=rate(225, 334)),
                GroupRates(group=male, n=7_980, selection_rate=rate(1_995, 7_980), tpr=rate(1_596, 2_483), fpr=rate(399, 5_497), ppv=rate(1_596, 1_995))),
        gaps=(GroupGaps(group=female, selection_rate=difference(334, 3_990, 1_995, 7_980), tpr=difference(225, 460, 1_596, 2_483), fpr=difference(109, 3_530, 399, 5_497), ppv=difference(225, 334, 1_596, 1_995)),))
    alternatives = (
        _alternative(1, "own_cuts", "demographic_parity", {"price_of_undeserved": 0.5, "gap_left": 1 / 3}, 0.0552, 0.0061, names, profile),
        _alternative(2, "own_cuts", "demographic_parity", {"price_of_undeserved": 0.5, "gap_left": 0.0}, 0.0031, 0.0142, names, profile),
        _alternative(3, "threshold_optimizer", "equalized_odds", {}, 0.0924, 0.0073, names, profile, drawn_by_lot=True),
        _alternative(4, "common_cut", "demographic_parity", {"largest_loss": 0.01}, 0.1511, 0.0093, names, profile),
        _alternative(5, "reweighing", "demographic_parity", {"strength": 0.5, "family": "lgbm"}, 0.1033, 0.0057, names, profile, model_sha256="ab" * 32),
        _alternative(6, "exponentiated_gradient", "demographic_parity", {"classifiers": 9, "rows": 36_000}, 0.0261, 0.0211, names, profile, drawn_by_lot=True, model_sha256="cd" * 32))
    fronts = tuple(ParetoFront(attribute=attribute, criterion=criterion, without_attribute=blind, alternatives=("deployed", "m5", "m6") if blind else ("deployed", "m1", "m2"))
                   for criterion in ("demographic_parity", "equalized_odds") for blind in (False, True))
    performance = make_performance()
    return MitigationSection(
        profile=profile, metric="accuracy", fitted_on=36_632, measured_on=11_970, frozen="f0" * 32, alternatives=alternatives, pareto=fronts,
        deployed=Deployed(performance={"accuracy": performance.metrics["accuracy"]}, attributes=(deployed,), out_of_fold=(OutOfFoldResult(value=0.8725, spread=_spread(attribute, 0.1664)),)),
        not_tried=(NotTried(method="reweighing", attribute="race", reason="what takes long is tried only for the attribute whose groups are furthest apart out of fold"),),
        budget=MitigationBudget(attributes=4, refit_rows=40_000, reduction_rows=20_000, reduction_rounds=10, reduction_trees=60),
        note="Made on training rows, frozen, and measured on the audit part. None was chosen.")


@cache
def with_mitigation(profile: Any = None) -> Evidence:
    evidence = make_evidence()
    assert not isinstance(evidence.fairness, NotMeasured)
    told = Finding(id="alternative_exists:sex", severity="medium", rule="alternative_exists", evidence="/mitigation/alternatives/4", text="An alternative that does not see sex exists.",
                   suggestion="It was not chosen.")
    return make_evidence(mitigation=make_mitigation(profile=profile), findings=(*make_findings(evidence.fairness), told),
                         plan=evidence.plan.model_copy(update={"alternatives": "f0" * 32}))
