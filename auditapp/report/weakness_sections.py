"""Section 12 of a report: where the model errs, and what its results depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditapp.report.blocks import Align, Block, charts_of, conditions_text, data_text, facts, heading, not_measured, our_words, paragraph, shown, table
from automl.evidence import (
    AttributeChange,
    AttributeLevels,
    Charts,
    Cohort,
    CohortsSection,
    Estimate,
    Evidence,
    LabelChance,
    LabelFlips,
    LowestRatio,
    Membership,
    ModelSpread,
    NoisyLabels,
    NotMeasured,
    OperatingCharacteristics,
    RobustnessSection,
    SharedRows,
    Shift,
    SlicesSection,
    ThresholdCurve,
    TimeOrder,
    Variation,
)
from automl.printing import fixed, metric_words, p_value, percent, ratio, significant, step_words, whole

NOT_TRIED_ELSEWHERE = "not tried: the predictions were made elsewhere, and there is no model here"
MOST_SHIFTED = 15
MOST_OUTSIDE = 15
CUTS_PRINTED = 12
MOST_BESIDE = 3
"""Attributes whose lowest ratio has a column of its own beside the disturbances."""
LABEL_OF_SLICE = {"higher": "more, beyond sampling error", "inconclusive": "inconclusive"}


def weakness_section(evidence: Evidence, charts: Charts) -> list[Block]:
    """Slices, then robustness part by part; what was not measured says why."""
    return [*_slices(evidence.slices, charts), *_cohorts(evidence.cohorts), *_robustness(evidence.robustness, charts), *_security(evidence)]


def _security(evidence: Evidence) -> Iterator[Block]:
    """What the evidence holds on attacks, what was not tried, and what no table can show."""
    provenance = evidence.provenance
    yield heading("Security, and what was not tried")
    yield facts([
        ("Software", "versions and digests of what was installed are in section 17 and in the attached lock.txt"),
        *([("File of the model", "its SHA-256 (page one) is in the signed evidence; the file has no signature of its own")] if provenance.model_sha256 else []),
        ("Poisoned training data", "not tried: no rows were put among those that the model learned from" if provenance.model_sha256 else NOT_TRIED_ELSEWHERE),
        ("Crafted inputs (evasion)", "not tried: the disturbances above are random and not made to change a decision" if provenance.model_sha256 else NOT_TRIED_ELSEWHERE),
        ("Feedback", "where decisions lead to the rows that a later model learns from, its errors return as labels; one table cannot show this, and it is not measured"),
    ])


def _slices(section: SlicesSection | NotMeasured, charts: Charts) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Error slices", section)
        return
    shares = "decisions" in section.error
    yield heading("Where the errors are")
    yield paragraph(section.note)
    yield facts([
        ("Looked for on", f"{our_words(section.discovered_on)} ({whole(section.rows_discovered)} rows)"), ("Measured on", f"{our_words(section.confirmed_on)} ({whole(section.rows_confirmed)} rows)"),
        ("Slices looked at", f"{whole(section.tried)}, each of at least {whole(section.smallest)} rows"), ("Slices tested", f"{whole(section.family)}, corrected by Holm"),
        ("May define a slice", data_text(", ".join(section.columns), 400)), (f"{section.error[:1].upper()}{section.error[1:]}, all rows", shown(section.overall, as_percent=shares)),
    ])
    yield from charts_of(charts, "slices", exactly=True)
    losses: list[tuple[str, Align, float]] = [("log loss, and elsewhere", "left", 1)] if any(one.loss is not None and one.loss_rest is not None for one in section.rows) else []
    yield table(
        f"Slices by {section.error}, in the order in which they were frozen; with 95 % intervals",
        [("where", "left", 1.7), ("n", "right", 0), ("in the slice", "left", 1), ("in all other rows", "left", 1), *losses, ("adjusted p", "right", 0), ("than elsewhere", "left", 0.8)],
        [(f"{at}: {conditions_text(one.words, 200)}", whole(one.n), shown(one.error, as_percent=shares), shown(one.rest, as_percent=shares),
          *(["–" if one.loss is None or one.loss_rest is None else f"{shown(one.loss)}; {shown(one.loss_rest)}"] if losses else []), "–" if one.p_adjusted is None else p_value(one.p_adjusted), LABEL_OF_SLICE[one.label])
         for at, one in enumerate(section.rows, start=1)], dense=True)


def _cohorts(section: CohortsSection | None) -> Iterator[Block]:
    """Rows that a person named, where somebody did."""
    if section is None:
        return
    shares = "decisions" in section.error
    yield heading("Cohorts that a person named")
    yield paragraph(section.note)
    yield table(
        f"Cohorts by {section.error}; with 95 % intervals" if section.error else "Cohorts",
        [("cohort", "left", 1), ("where", "left", 1.5), ("n", "right", 0), ("in the cohort", "left", 1), ("in all other rows", "left", 1), ("adjusted p", "right", 0), ("than elsewhere", "left", 0.8)],
        [_cohort_row(one, shares) for one in section.rows], dense=True)
    for one in section.rows:
        for attribute in one.attributes:
            of = f" ({data_text(attribute.of, 60)})" if attribute.of else ""
            yield table(
                f"{data_text(attribute.attribute, 60)}{of} within the cohort {data_text(one.name, 80)}, compared with {data_text(attribute.reference or '–', 60)}; exploratory",
                [("group", "left", 1), ("n", "right", 0), ("rate, or mean prediction", "left", 1), ("impact ratio, 95 % interval", "left", 1.2)],
                [(data_text(group.group, 80), whole(group.n), shown(group.rate, as_percent=isinstance(group.rate, Estimate) and group.rate.k is not None), ratio(group.ratio, None)) for group in attribute.groups], dense=True)


def _cohort_row(one: Cohort, shares: bool) -> tuple[str, ...]:
    named = (data_text(one.name, 80), conditions_text(one.words, 200), whole(one.n))
    if isinstance(one.errors, NotMeasured):
        return (*named, shown(one.errors), "–", "–", "–")
    errors = one.errors
    return (*named, shown(errors.inside, as_percent=shares), shown(errors.rest, as_percent=shares), "–" if errors.p_adjusted is None else p_value(errors.p_adjusted), LABEL_OF_SLICE[errors.label])


def _robustness(section: RobustnessSection | NotMeasured, charts: Charts) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Robustness", section)
        return
    yield heading("Disturbed inputs")
    yield paragraph(section.note)
    yield from _perturbations(section, charts)
    yield from _shift(section.shift)
    yield from _variation(section)
    yield from _curve(section.threshold_curve, charts)
    yield from _operating(section.operating_characteristics)
    yield from _labels(section.label_noise)
    yield from _membership(section.membership)
    yield from _flips(section.label_flips)
    yield from _shared(section.shared_rows, metric_words(section.metric))
    yield from _time(section.time_order, metric_words(section.metric), shares=section.decisions)


def _perturbations(section: RobustnessSection, charts: Charts) -> Iterator[Block]:
    for words, each in (("Noise", section.noise), ("Missing cells", section.missing), ("Rounding", section.rounding)):
        if isinstance(each, NotMeasured):
            yield not_measured(words, each)
    made = section.perturbations
    if not made:
        return
    words = metric_words(section.metric)
    if not isinstance(section.undisturbed, NotMeasured):
        yield facts([(f"{words}, undisturbed", f"{shown(section.undisturbed.metric)} on {whole(section.undisturbed.n)} audited rows"),
                     *(({"noise": "Noise", "missing": "Missing cells", "rounding": "Rounding"}[each.kind], f"{each.what}; {whole(each.columns)} inputs") for each in made)])
    yield from charts_of(charts, "disturbed-")
    none = () if isinstance(section.undisturbed, NotMeasured) else section.undisturbed.attributes
    measured = not all(isinstance(one.lowest.ratio, NotMeasured) for one in none)
    names = [one.attribute for one in none] if measured else []
    beside = names if len(names) <= MOST_BESIDE else []
    yield table(
        f"Change of the {words} and of decisions under disturbed inputs" + (", and the lowest impact ratio" if beside else ""),
        [("disturbance", "left", 0.8), (f"change of the {words}", "left", 1.2), ("decisions that change", "left", 1), *((f"lowest ratio, {data_text(name, 40)}", "left", 1.3) for name in beside)],
        [*([("none", "–", "–", *_lowest_each(none))] if beside else []),
         *((step_words(each.kind, step.strength), shown(step.metric_change, signed=True), shown(step.changed, as_percent=True), *(_lowest_each(step.attributes) if beside else ())) for each in made for step in each.steps)],
        "With 95 % intervals; groups of a few rows are left out. What becomes of each group is in the pictures and the attached evidence.", dense=True)
    if none and not measured:
        yield not_measured("Lowest impact ratio under disturbed inputs", next(one.lowest.ratio for one in none if isinstance(one.lowest.ratio, NotMeasured)))
    if len(names) > MOST_BESIDE:
        levels: list[tuple[str, Sequence[AttributeLevels | AttributeChange]]] = [("none", none), *((step_words(each.kind, step.strength), step.attributes) for each in made for step in each.steps)]
        yield table(
            "Lowest impact ratio under disturbed inputs, with 95 % intervals", [("attribute", "left", 0.8), ("disturbance", "left", 1), ("lowest is", "left", 1), ("ratio", "left", 1.2)],
            [(data_text(one.attribute, 60), disturbance, *_lowest(one.lowest)) for disturbance, attributes in levels for one in attributes], dense=True)


def _lowest_each(attributes: Sequence[AttributeLevels | AttributeChange]) -> Iterator[str]:
    for one in attributes:
        group, ratio = _lowest(one.lowest)
        yield ratio if group == "–" else f"{group} {ratio}"


def _lowest(lowest: LowestRatio) -> tuple[str, str]:
    return "–" if lowest.group is None else data_text(lowest.group, 60), shown(lowest.ratio)


def _shift(shift: Shift | NotMeasured) -> Iterator[Block]:
    if isinstance(shift, NotMeasured):
        yield not_measured("Shift", shift)
        return
    yield heading("Audited rows against training rows")
    yield paragraph(f"Audited rows with a number outside the range of the training rows, or a level that none of them has: {shown(shift.any_outside, as_percent=True)}.")
    if shift.outside:
        yield table("Inputs with such values", [("input", "left", 1), ("out of range", "right", 0), ("level never seen", "right", 0)],
                    [(data_text(one.feature, 60), whole(one.outside), whole(one.unseen)) for one in shift.outside[:MOST_OUTSIDE]], share=1)
    yield table(
        "Population stability index of the inputs, the most shifted first", [("input", "left", 1.4), ("index", "right", 0), ("95 % stay below, without shift", "right", 0), ("bins", "right", 0), ("adjusted p", "right", 0)],
        [(data_text(one.feature, 60), significant(one.psi, 3), significant(one.without_shift, 3), str(one.bins), "–" if one.p_adjusted is None else p_value(one.p_adjusted)) for one in shift.features[:MOST_SHIFTED]],
        "Chi-square tests, Holm over the inputs." + ("" if len(shift.features) <= MOST_SHIFTED else " Further inputs are in the attached evidence."), share=2)


def _variation(section: RobustnessSection) -> Iterator[Block]:
    yield heading("Other draws")
    for words, each in (("Variation by seed", section.seeds), ("Variation by rows learned from", section.splits)):
        if isinstance(each, NotMeasured):
            yield not_measured(words, each)
        else:
            yield _spreads(each, metric_words(section.metric))


def _spreads(variation: Variation, metric: str) -> Block:
    def row(what: str, spread: ModelSpread) -> tuple[str, ...]:
        return (what, significant(spread.deployed), significant(spread.lowest), significant(spread.highest), significant(spread.deviation, 2))

    return table(
        f"What {whole(variation.models)} other models say of {whole(variation.n)} audited rows", [("number", "left", 1.4), ("deployed", "right", 0), ("lowest", "right", 0), ("highest", "right", 0), ("standard deviation", "right", 0.5)],
        [row(metric, variation.metric), *(row(our_words(one.what, 100), one) for one in variation.selection)],
        f"They differ by {variation.of}. A description of these models: no interval. By group: selection rate, or mean prediction.", share=1)


def _curve(curve: ThresholdCurve | NotMeasured, charts: Charts) -> Iterator[Block]:
    if isinstance(curve, NotMeasured):
        yield not_measured("Other cuts", curve)
        return
    yield heading("Other cuts")
    yield paragraph(curve.note)
    yield from charts_of(charts, "threshold-curve", exactly=True)
    every = max(1, -(-len(curve.points) // CUTS_PRINTED))
    printed = [point for at, point in enumerate(curve.points) if at % every == 0 or point.chosen]
    yield table(
        "Cuts, with 95 % intervals", [("cut", "left", 0), ("selection rate", "left", 1), ("accuracy", "left", 1), ("lowest impact ratio by attribute", "left", 2)],
        [(significant(point.cut, 3) + (" (chosen)" if point.chosen else ""), shown(point.selection_rate, as_percent=True), shown(point.accuracy, as_percent=True),
          "; ".join(f"{data_text(one.attribute, 40)}: {shown(one.ratio)}" for one in point.lowest)) for point in printed],
        "" if len(printed) == len(curve.points) else "Further cuts are in the attached evidence.")


def _operating(section: OperatingCharacteristics | NotMeasured) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("What the labels can show", section)
        return
    yield heading("What the labels can show at these sizes")
    yield paragraph(section.note)
    ratios = sorted({one.true_ratio for one in section.rows})
    each: dict[tuple[str, str], dict[float, LabelChance]] = {}
    for one in section.rows:
        each.setdefault((one.attribute, one.group), {})[one.true_ratio] = one
    yield table(
        f"Chance of the labels below, inconclusive and not below against the limit of {section.limit:g}, by true ratio",
        [("attribute", "left", 0), ("group", "left", 0.8), ("n", "right", 0), *((f"true ratio {fixed(ratio, 1)}", "left", 1) for ratio in ratios)],
        [(data_text(attribute, 60), data_text(group, 60), whole(next(iter(at.values())).n), *(_chances(at.get(ratio)) for ratio in ratios)) for (attribute, group), at in each.items()],
        f"Each cell: below, inconclusive, not below; what is missing to 100 % is the chance to be the reference or to have no label. Two groups are enumerated exactly, more are drawn {whole(section.draws)} times; "
        "their limits of error are in the attached evidence." + (f" Left out: {our_words('; '.join(section.left_out), 300)}." if section.left_out else ""), dense=True)


def _chances(one: LabelChance | None) -> str:
    return "–" if one is None else "; ".join(_chance(value) for value in (one.below, one.inconclusive, one.not_below))


def _chance(value: object) -> str:
    return percent(value.value) if isinstance(value, Estimate) else "–"


def _labels(section: NoisyLabels | NotMeasured) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Label noise", section)
        return
    yield heading("Labels that the model contradicts")
    yield paragraph(f"{whole(section.found)} of {whole(section.n)} training rows: {shown(section.share, as_percent=True)}. {section.note}")
    if section.pairs:
        yield table("Labels as given, and as the probabilities say", [("given", "left", 1), ("by the probabilities", "left", 1), ("rows", "right", 0)], [(data_text(a), data_text(b), whole(n)) for a, b, n in section.pairs], share=1)
    if section.by_group:
        yield table("Share of contradicted labels by group, with 95 % intervals", [("attribute", "left", 0.8), ("group", "left", 1), ("n", "right", 0), ("share", "left", 1.2)],
                    [(data_text(one.attribute, 60), data_text(one.group, 60), whole(one.n), shown(one.share, as_percent=True)) for one in section.by_group], share=1.5)


def _membership(section: Membership | NotMeasured) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Membership inference", section)
        return
    yield heading("Whether training rows can be recognised")
    yield paragraph(section.note)
    yield facts([
        ("AUC of the loss, by the deployed model", shown(section.auc)), ("The same by out-of-fold scores", shown(section.control)),
        ("Compared", f"{whole(section.members)} training rows with {whole(section.others)} audited rows")])


def _flips(section: LabelFlips | NotMeasured) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Wrong labels", section)
        return
    yield heading("Wrong labels, copies, time")
    rows = [
        (one.what if not one.attribute else f"largest difference of the {one.what}, {data_text(one.attribute, 60)}", fixed(one.measured, 3),
         *(f"{fixed(step.numbers[at].mean, 3)} ({fixed(step.numbers[at].low, 3)} to {fixed(step.numbers[at].high, 3)})" for step in section.steps))
        for at, one in enumerate(section.steps[0].numbers)]
    yield table(f"With labels exchanged at random: mean and range of {whole(section.draws)} draws",
                [("number", "left", 1.4), ("as measured", "right", 0), *((f"{percent(step.share, 0)} exchanged", "left", 1) for step in section.steps)], rows, section.note, dense=True)


def _shared(section: SharedRows | NotMeasured, metric: str) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Rows in both parts", section)
        return
    yield paragraph(f"{shown(section.same_inputs, as_percent=True)} of the audited rows have the inputs of a training row, {whole(section.same_label)} of them its label as well: {metric} on all audited rows "
                    f"{shown(section.metric_all)}, on the others {shown(section.metric_others)}.")


def _time(section: TimeOrder | NotMeasured, metric: str, *, shares: bool) -> Iterator[Block]:
    if isinstance(section, NotMeasured):
        yield not_measured("Results over time", section)
        return
    yield paragraph(f"Over time, by {data_text(section.column, 60)}; {whole(section.undated)} audited rows have no date. The recorded outcome, last stretch minus first: "
                    f"{shown(section.outcome_change, as_percent=shares, signed=True)}. {section.note}")
    yield table("Audited rows by time, with 95 % intervals", [("from", "left", 0), ("to", "left", 0), ("n", "right", 0), ("recorded outcome", "left", 1), (metric, "left", 1)],
                [(one.first, one.last, whole(one.n), shown(one.outcome, as_percent=shares), shown(one.metric)) for one in section.stretches])
