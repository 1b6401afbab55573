"""Further Evidence documents for tests of the faces: other tasks, and names that try to break out."""

from __future__ import annotations

from functools import cache
from typing import Any

from automl.audit.governing import with_governing as with_rows
from automl.audit.labels import RULE
from automl.evidence import (
    Attribute,
    Calibration,
    DataSection,
    ErrorQuantile,
    Estimate,
    Evidence,
    ExplanationSection,
    FairnessByClass,
    FairnessSection,
    Front,
    FrontAttribute,
    FrontGap,
    FrontGroup,
    FrontModel,
    Gaps,
    Group,
    Interaction,
    InteractionsSection,
    IntervalCoverage,
    LawExclusion,
    LawMedian,
    LawRow,
    LawTable,
    LawUnmapped,
    LocalLaw144Section,
    LoggedEvent,
    NotMeasured,
    Packages,
    PerformanceSection,
    Points,
    PredictionInterval,
    RateComparison,
    Ratio,
    ResidualBin,
    Residuals,
    RunInfo,
    ScoreOutcome,
    SearchSection,
    TargetInfo,
    Threshold,
    UnknownBand,
)
from automl.question_tree import governing_choice
from automl.spec import RACES, SEXES, Exclusion, FairnessAnswers, FairnessObjective, Governing, GoverningMetric, LocalLaw144, PredictionsSpec
from tests.evidence_example import (
    CELLS,
    NOT_IN_THIS_VERSION,
    UNKNOWN_RACE,
    difference,
    make_data,
    make_evidence,
    make_explanation,
    make_fairness,
    make_performance,
    make_search,
    mover_r,
    rate,
)
from tests.explanation_example import make_depth
from tests.mitigation_example import make_mitigation
from tests.reasons_example import make_reasons

HOSTILE = (
    'a[x]:"{}', "</script><script>alert(1)</script>", "#read(\"/etc/passwd\")", "$ sum $", "日本語 \U0001F600 שלום", "*bold* _x_ @ref <label>", "\u202eevil\u202c", "line\nbreak\x07",
    "${datum.x}", "'; signal: 1", "\\u0000 \\", "{{7*7}}", "=cmd()", "A" * 400, "https://example.org/x", "|pipe|", "`code`", "datum['a']", " ", "../../etc/passwd",
)
"""Names of columns, groups and labels as strangers send them."""


@cache
def multiclass() -> Evidence:
    """Three classes, one of them favourable; fairness per favourable class."""
    fairness = make_fairness()
    classes = tuple(FairnessByClass(favourable=label, attributes=fairness.attributes, intersections=()) for label in ("high", "middle"))
    performance = make_performance()
    data = make_data()
    target = TargetInfo(name="grade", task="multiclass", inferred=False, labels=("low", "middle", "high"), favourable=("high", "middle"),
                        base_rates={"low": rate(20_000, 48_842), "middle": rate(17_155, 48_842), "high": rate(11_687, 48_842)})
    return make_evidence(
        data=data.model_copy(update={"target": target}), fairness=fairness.model_copy(update={"by_class": classes, "favourable": ("high", "middle")}),
        performance=performance.model_copy(update={
            "metrics": {"log_loss": performance.metrics["log_loss"], "accuracy": performance.metrics["accuracy"]}, "curves": {}, "threshold": None,
            "calibration": NotMeasured(reason="calibration is measured for two classes in this version"),
            "confusion": performance.confusion.model_copy(update={"labels": ("low", "middle", "high"), "counts": ((5, 2, 1), (3, 60, 4), (1, 9, 7000))})}),
        search=make_search().model_copy(update={"metric": "log_loss", "direction": "minimize"}), reasons=NotMeasured(reason="with more than two classes a decision has no single cut"))


@cache
def regression() -> Evidence:
    """A number is predicted: scores instead of rates."""
    def scored(group: Group, place: int) -> Group:
        mean = 21_000.0 + 3_250.5 * place

        def around(value: float, half: float) -> Estimate:
            return Estimate(value=value, low=value - half, high=value + half, method="bootstrap percentile, 2000 replicates", n=group.n)

        nothing = NotMeasured(reason="the outcome is a number, not a decision")
        return group.model_copy(update={
            "selected": None, "selection_rate": nothing, "impact_ratio": nothing, "versus_rest": nothing, "error_rates": nothing, "calibration": nothing, "shortfall": None,
            "flip_flop": None, "minimum_detectable_ratio": None,
            "score": ScoreOutcome(
                mean=around(mean, 410.25), above_median=rate(group.n // 2, group.n), mean_residual=around(-12.5 * place, 88.0), mean_absolute_error=around(5_021.0, 60.0),
                mean_difference=around(mean - 21_000.0, 500.0), residual_difference=around(3.25, 90.0), ratio_of_means=around(0.91, 0.02))})

    def of_scores(attribute: Attribute) -> Attribute:
        return attribute.model_copy(update={"groups": tuple(scored(group, place) for place, group in enumerate(attribute.groups)),
                                            "omnibus": NotMeasured(reason="there are no selection rates to compare")})

    fairness = make_fairness()
    performance = make_performance()
    money = Estimate(value=7_214.25, low=7_011.5, high=7_420.75, method="bootstrap percentile, 2000 replicates", n=performance.n)
    return make_evidence(
        data=make_data().model_copy(update={"target": TargetInfo(name="value", task="regression", inferred=True, mean=money)}),
        fairness=FairnessSection(favourable=(), outcome="score", limit=fairness.limit, attributes=tuple(map(of_scores, fairness.attributes)), family=fairness.family),
        performance=PerformanceSection(
            n=performance.n, metrics={"rmse": money, "r2": Estimate(value=0.812, low=0.801, high=0.822, method="bootstrap percentile, 2000 replicates", n=performance.n)},
            by_group={}, baselines={"mean": {"rmse": money.model_copy(update={"value": 9_800.0, "low": 9_700.0, "high": 9_900.0})}},
            confusion=NotMeasured(reason="a number has no confusion matrix"), calibration=NotMeasured(reason="a number has no calibration curve"), residuals=_residuals(performance.n)),
        search=make_search().model_copy(update={"metric": "rmse", "direction": "minimize"}), reasons=NotMeasured(reason=NOT_IN_THIS_VERSION))


def _residuals(n: int) -> Residuals:
    def around(value: float, half: float) -> Estimate:
        return Estimate(value=value, low=value - half, high=value + half, method="t", n=n // 2)

    return Residuals(
        bins=tuple(ResidualBin(low=low, high=low + 9_000.5, n=n // 2, mean_prediction=low + 4_321.25, mean_residual=around(-150.5 + low / 100, 98.75), residuals=(-9_120.5, -3_050.25, -120.75, 2_990.5, 9_870.25))
                   for low in (10_000.25, 20_000.5)),
        errors=tuple(ErrorQuantile(level=level, error=around(error, 77.25)) for level, error in ((0.5, 3_012.5), (0.75, 5_220.25), (0.9, 9_411.75), (0.95, 12_650.5))),
        interval=PredictionInterval(level=0.9, half_width=9_388.75, learned_from=3 * n, coverage=rate(n * 9 // 10, n), by_group={
            "sex": (IntervalCoverage(group="Female", n=n // 3, coverage=rate(n * 28 // 100, n // 3)), IntervalCoverage(group="Male", n=n - n // 3, coverage=rate(n * 61 // 100, n - n // 3)))}))


@cache
def quantile() -> Evidence:
    """The 0.9 quantile of a number is predicted, and explained by its logarithm: two things that faces must not call by another name."""
    of_mean = regression()
    assert isinstance(of_mean.performance, PerformanceSection)
    assert isinstance(of_mean.explanation, ExplanationSection)
    loss = Estimate(value=812.5, low=790.0, high=835.0, method="bootstrap", n=of_mean.performance.n)
    metrics = {"quantile_loss": loss, "coverage": rate(8_937, 9_930), "rmsle": loss.model_copy(update={"value": 0.21, "low": 0.2, "high": 0.22}),
               "r2": NotMeasured(reason="the 0.9 quantile is predicted, and R2 is about the mean")}
    return make_evidence(
        data=of_mean.data, fairness=of_mean.fairness, reasons=of_mean.reasons, search=make_search().model_copy(update={"metric": "quantile_loss", "direction": "minimize"}),
        performance=of_mean.performance.model_copy(update={"quantile": 0.9, "metrics": metrics, "baselines": {"0.9 quantile": {"quantile_loss": loss}}}),
        explanation=of_mean.explanation.model_copy(update={"output_space": "log1p", "output": "log(1 + predicted 0.9 quantile of value)"}))


@cache
def predictions() -> Evidence:
    """Somebody else's decisions, without labels: no model, no performance, no error rates."""
    nothing = NotMeasured(reason="no label column was given")

    def bare(attribute: Attribute) -> Attribute:
        return attribute.model_copy(update={"groups": tuple(group.model_copy(update={"error_rates": nothing, "calibration": nothing}) for group in attribute.groups)})

    fairness = make_fairness()
    example = make_evidence()
    data = make_data()
    return make_evidence(
        run=RunInfo(id="run_01predictions00000000000000", kind="predictions", title=""), spec=PredictionsSpec(decision="hired", sensitive=("sex", "race")),
        data=data.model_copy(update={"target": None, "split": data.split.model_copy(update={"method": "none", "train": 0, "audit": data.rows})}),
        search=NotMeasured(reason="no model was trained here"), performance=nothing, explanation=NotMeasured(reason="the model was not seen"), reasons=NotMeasured(reason="the model was not seen"),
        fairness=fairness.model_copy(update={"attributes": tuple(map(bare, fairness.attributes)), "intersections": ()}),
        provenance=example.provenance.model_copy(update={"model_sha256": None, "onnx": NotMeasured(reason="the model was not seen")}))


GAPS = (None, 0.1875, 0.1912, None, 0.1421, 0.2066, 0.091, 0.063, 0.2, 0.2043)
"""The fairness objective of each trial of the example's search; trials 8, 6 and 7 are on the front."""


def _front_model(trial: int | None, selected: tuple[int, int], names: tuple[str, str, str], **more: Any) -> FrontModel:
    """``selected`` of 3,000 and of 6,000 rows; a third group of 12 rows is not compared."""
    search = make_search()
    score = search.out_of_fold_score if trial is None else search.trials[trial].score
    assert score is not None
    (low, high, tiny), (a, b) = names, selected
    groups = tuple(FrontGroup(group=name, n=n, compared=n >= 30, selection_rate=rate(k, n), tpr=rate(k // 2, n // 3), fpr=rate(k // 4, n // 2))
                   for name, k, n in ((low, a, 3000), (high, b, 6000), (tiny, 3, 12)))
    fairness = b / 6000 - a / 3000
    gap = FrontGap(rate="selection_rate", high=high, low=low, difference=difference(b, 6000, a, 3000))
    return FrontModel(
        trial=trial, family="ensemble" if trial is None else search.trials[trial].family, score=Estimate(value=score, low=score - 0.004, high=score + 0.004, method="delong (logit)", n=9012),
        fairness=fairness, threshold=Threshold(value=0.5, chosen_on="default 0.5"),
        attributes=(FrontAttribute(attribute="sex", value=fairness, gaps=(gap,), groups=groups, unknown=14),), **{"reweighing": None, "deployed": False, **more})


@cache
def front_search(names: tuple[str, str, str] = ("Female", "Male", "Other")) -> SearchSection:
    """The example's search as it would be with a second objective."""
    search = make_search()
    trials = tuple(trial.model_copy(update={"fairness": gap, "params": {**trial.params, "reweighing": at / 10}}) for at, (trial, gap) in enumerate(zip(search.trials, GAPS, strict=True)))
    return search.model_copy(update={"trials": trials, "front": Front(
        metric="demographic_parity_difference", direction="minimize", attributes=("sex",), not_compared=("race",), smallest_group=30, n=9012, trials=8, on_front=(8, 6, 7),
        models=(_front_model(8, (480, 2160), names, reweighing=0.25, folder="front/8", model_sha256="e8" * 32), _front_model(6, (540, 1626), names, reweighing=0.5),
                _front_model(7, (600, 1578), names, reweighing=1.0, folder="front/7", model_sha256="e7" * 32)),
        deployed=_front_model(None, (475, 2150), names, deployed=True), note="Measured out of fold on the training rows; the audit part was not looked at.")})


@cache
def with_front() -> Evidence:
    """A search with two objectives."""
    return make_evidence(search=front_search(), spec=make_evidence().spec.model_copy(update={"fairness_objective": FairnessObjective(attribute="sex")}))


RACE_OF = {"White": RACES[1], "Black": RACES[2], "Amer-Indian-Eskimo": RACES[5]}
"""What a person would say of the example's races; the other two are left without a category."""
LEFT_OUT = "too few of them to compare <b>"


def _law_table(cells: dict[tuple[str | None, str | None], tuple[int, int]], unknown: int, excluded: tuple[str, ...] = ()) -> LawTable:
    """``cells``: k of n selected per sex and race; half of each score above the median."""
    people = sum(n for _, n in cells.values())
    names = {cell: " x ".join(part for part in cell if part) for cell in cells}
    best = max((cell for cell, (_, n) in cells.items() if n and names[cell] not in excluded), key=lambda cell: cells[cell][0] / cells[cell][1])

    def ratio(cell: tuple[str | None, str | None], k: int, k_ref: int) -> Ratio | NotMeasured:
        n, n_ref = cells[cell][1], cells[best][1]
        if n == 0 or names[cell] in excluded:
            return NotMeasured(reason="nobody of this category was assessed" if n == 0 else "left out of the impact ratios by the person who asked, with a justification")
        low, high = (1.0, 1.0) if cell == best else mover_r(k, n, k_ref, n_ref)
        return Ratio(value=k * n_ref / (n * k_ref), low=low, high=high, method="mover-r wilson", k=k, n=n, k_ref=k_ref, n_ref=n_ref, below_limit_exact=5 * k * n_ref < 4 * k_ref * n,
                     label="reference" if cell == best else "inconclusive")

    return LawTable(people=people, unknown=unknown, reference=names[best], scoring_reference=names[best], rows=tuple(
        LawRow(category=names[cell], sex=cell[0], race=cell[1], n=n, share=n / people, selected=k, selection_rate=rate(k, n), impact_ratio=ratio(cell, k, cells[best][0]),
               unknown_band=UnknownBand(low=0.1234, high=1.2345) if unknown and n and cell != best and names[cell] not in excluded else None,
               above_median=n // 2, scoring_rate=rate(n // 2, n), scoring_impact_ratio=ratio(cell, n // 2, cells[best][1] // 2),
               excluded=LEFT_OUT if names[cell] in excluded else None) for cell, (k, n) in cells.items()))


REASON = "the upper limit at the level for 2 comparisons is 0.817"


@cache
def with_gaps_to_rest() -> Evidence:
    """The first attribute's error rates are compared with all others pooled too."""
    evidence = make_evidence()
    assert isinstance(evidence.fairness, FairnessSection)
    first = evidence.fairness.attributes[0]
    gap = difference(30, 90, 40, 80)
    assert isinstance(gap, Estimate)
    gaps = Gaps(tpr=gap, fpr=gap.model_copy(update={"level": 0.975}), ppv=NotMeasured(reason="one of the two groups has nobody with the favourable outcome"))
    groups = tuple(
        group if isinstance(group.error_rates, NotMeasured) else group.model_copy(update={"error_rates": group.error_rates.model_copy(update={"gaps_to_rest": gaps})}) for group in first.groups)
    return make_evidence(fairness=evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}), *evidence.fairness.attributes[1:])}))


def with_record() -> Evidence:
    """What a run in a workspace records beside its results: the ledger's entries, packages, a year later; comparisons of rates and interactions among the results."""
    evidence = make_evidence()
    fairness, explanation = evidence.fairness, evidence.explanation
    assert isinstance(fairness, FairnessSection)
    assert isinstance(explanation, ExplanationSection)
    gap, over = difference(30, 90, 40, 80), Estimate(value=0.667, low=0.47, high=0.94, level=0.975, method="mover-r wilson, simultaneous over 2", n=170)
    compared = {"npv": RateComparison(minus_all=gap, over_all=over, best="Male", minus_best=gap, over_best=over)}
    first = fairness.attributes[0]
    groups = tuple(group if isinstance(group.error_rates, NotMeasured) else group.model_copy(update={"error_rates": group.error_rates.model_copy(update={"compared": compared})}) for group in first.groups)
    size = Estimate(value=0.181, low=0.145, high=0.207, method="jackknife of the cube root of the mean square", n=100)
    interactions = InteractionsSection(
        source="100 training rows drawn at random (seed 0)", note="Rows are combined that may hardly occur.", rows=100, compared=("age", "sex"), passed_over=("essay",),
        pairs=(Interaction(first="age", second=explanation.features[0].feature, size=size),))
    entry: dict[str, Any] = {"workspace": "ws_1", "at": "2026-11-20T09:00:00.123456+00:00", "previous_hash": "0" * 64, "hash": "ab" * 32}
    log = (
        LoggedEvent(**entry, number=7, actor="user:ada", action="dataset.uploaded", subject="ds_1", data={"sha256": "cd" * 32, "bytes": 4_096}),
        LoggedEvent(**entry, number=9, actor="user:bo <b>", action="run.submitted", subject="run_1", data={"role": "analyst"}))
    packages = Packages(installed=2, sha256="ef" * 32, versions={"numpy": f"2.4.6 {'12' * 32}", "scipy": "1.17.1 none"})
    return make_evidence(
        fairness=fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}), *fairness.attributes[1:])}), explanation=explanation.model_copy(update={"interactions": interactions}),
        run=evidence.run.model_copy(update={"log": log, "kept_days": 400, "image": f"sha256:{'9f' * 32}"}), design=evidence.design.model_copy(update={"replicates": 2_000}),
        provenance=evidence.provenance.model_copy(update={"packages": packages, "year_later": "2027-11-20"}))


def with_label_reason() -> Evidence:
    """A label that the printed interval alone would not suggest."""
    evidence = make_evidence()
    fairness = evidence.fairness
    assert isinstance(fairness, FairnessSection)
    attribute = fairness.attributes[0]
    one = attribute.groups[0].impact_ratio
    assert isinstance(one, Ratio)
    other = one.model_copy(update={"label": "inconclusive", "label_low": 0.65, "label_high": 0.817, "label_reason": REASON})
    groups = (attribute.groups[0].model_copy(update={"impact_ratio": other}), *attribute.groups[1:])
    changed = fairness.model_copy(update={"label_rule": RULE, "attributes": (attribute.model_copy(update={"groups": groups}), *fairness.attributes[1:])})
    return evidence.model_copy(update={"fairness": changed})


@cache
def with_law() -> Evidence:
    """The tables of Local Law 144: one category that nobody is in, one that is left out, values without a category."""
    counts = {cell: (tp + fp, tp + fp + fn + tn) for cell, (tp, fp, fn, tn) in CELLS.items()}

    def added(sex: str | None, race: str | None) -> tuple[int, int]:
        mine = [kn for (s, r), kn in counts.items() if (sex is None or s == sex) and (RACE_OF.get(r) == race if race else True)]
        return sum(k for k, _ in mine), sum(n for _, n in mine)

    everybody, unmapped = sum(n for _, n in counts.values()), {race: sum(n for (_, r), (_, n) in counts.items() if r == race) for race in ("Asian-Pac-Islander", "Other")}
    without, few = sum(unmapped.values()) + UNKNOWN_RACE, RACES[5]
    crossing = [(sex, RACES[0]) for sex in SEXES] + [(sex, race) for sex in SEXES for race in RACES[1:]]
    section = LocalLaw144Section(
        title="Developer's self-assessment in the format of New York City's Local Law 144", assessment="self_assessment", data_class="test", data_reason="The tool was never in use <b>.",
        favourable=(">50K",), sex=_law_table({(sex, None): added(sex, None) for sex in SEXES}, UNKNOWN_RACE), race=_law_table({(None, race): added(None, race) for race in RACES}, without, (few,)),
        intersectional=_law_table({cell: added(*cell) for cell in crossing}, without), unknown=without,
        unmapped=tuple(LawUnmapped(attribute="race", value=race, n=n) for race, n in unmapped.items()),
        excluded=(LawExclusion(category=few, n=added(None, few)[1], share=0.01, rate=rate(*added(None, few)), justification=LEFT_OUT, applied=True),),
        median=LawMedian(value=0.1732, people=everybody - sum(unmapped.values()), ties=3, of_everybody=0.1741))
    asked = LocalLaw144(sex="sex", race="race", race_categories=RACE_OF, exclude=(Exclusion(category=few, justification=LEFT_OUT),), data_class="test", data_reason="The tool was never in use <b>.")
    return make_evidence(local_law_144=section, spec=make_evidence().spec.model_copy(update={"local_law_144": asked}))


@cache
def hostile() -> Evidence:
    """The example with every name of the data replaced by one that tries to break out of where it is written."""
    fairness, explanation, data, performance = make_fairness(), make_explanation(), make_data(), make_performance()

    def renamed(attribute: Attribute, start: int) -> Attribute:
        names = {group.group: HOSTILE[(start + place) % len(HOSTILE)] for place, group in enumerate(attribute.groups)}
        groups = tuple(group.model_copy(update={"group": names[group.group]}) for group in attribute.groups)
        return attribute.model_copy(update={"attribute": HOSTILE[start], "groups": groups, "reference": names[str(attribute.reference)]})

    features = tuple(one.model_copy(update={"feature": HOSTILE[place]}) for place, one in enumerate(explanation.features))
    columns = tuple(one.model_copy(update={"name": HOSTILE[place]}) for place, one in enumerate(data.columns))
    assert isinstance(performance.calibration, Calibration)
    by_group = {HOSTILE[place]: tuple(one.model_copy(update={"group": HOSTILE[place + at]}) for at, one in enumerate(groups)) for place, groups in enumerate(performance.by_group.values())}
    changes: dict[str, Any] = {
        "run": RunInfo(id="run_01hostile0000000000000000000", kind="training", title=HOSTILE[1] + HOSTILE[4]),
        "fairness": fairness.model_copy(update={"attributes": tuple(renamed(one, place) for place, one in enumerate(fairness.attributes)), "intersections": (renamed(fairness.intersections[0], 5),),
                                                "favourable": (HOSTILE[0],)}),
        "explanation": ExplanationSection.model_validate({
            **explanation.model_dump(), "output": f"log-odds of {HOSTILE[1]}", "features": [one.model_dump() for one in features],
            "by_group": {HOSTILE[2]: [one.model_copy(update={"group": HOSTILE[place], "mean_abs_shap": {HOSTILE[0]: 0.4}, "mean_shap": {HOSTILE[0]: -0.1}}).model_dump()
                                      for place, one in enumerate(explanation.by_group["sex"])]},
            **make_depth(HOSTILE[:4], HOSTILE[4:6], HOSTILE[6:8]), "points": [Points(feature=HOSTILE[0], values=(1.0, "x", None), shap=(0.1, -0.2, 0.3)).model_dump()]}),
        "data": DataSection.model_validate({**data.model_dump(), "columns": [one.model_dump() for one in columns], "unknown": {HOSTILE[1]: 3}}),
        "performance": performance.model_copy(update={"by_group": by_group}), "search": front_search((HOSTILE[0], HOSTILE[1], HOSTILE[2])),
        "reasons": make_reasons(HOSTILE[:4], HOSTILE[4:6], (HOSTILE[6], HOSTILE[7])),
        "mitigation": make_mitigation((HOSTILE[1], HOSTILE[0], HOSTILE[8])),
    }
    return make_evidence(**changes)


@cache
def with_governing(metric: GoverningMetric = "equal_opportunity_difference") -> Evidence:
    """The example, with a metric that governs by the answers to four questions."""
    answers = FairnessAnswers(measured_by_rates="no", outcome_trusted="yes", used_as="decision", worse="refused")
    spec = make_evidence().spec.model_copy(update={"governing": Governing(metric=None if metric == "equal_opportunity_difference" else metric, answers=answers, reason="A refusal cannot be made good.")})
    choice = governing_choice(spec, "binary", recorded=True)
    return make_evidence(spec=spec, fairness=with_rows(make_fairness(), choice), plan=make_evidence().plan.model_copy(update={"governing": metric}))
