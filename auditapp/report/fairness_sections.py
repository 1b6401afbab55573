"""Sections 6 to 9 of a report: what each group gets, how sure that is, how the errors fall, and crossings of attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditapp.report.blocks import LOW_PRECISION, Align, Block, charts_of, data_text, facts, heading, not_measured, note, our_words, paragraph, shown, table
from auditapp.report.local_law_144_section import law_blocks
from automl.evidence import (
    Attribute,
    Charts,
    ErrorRates,
    Estimate,
    Evidence,
    FairnessSection,
    Gaps,
    Group,
    GroupCalibration,
    NotMeasured,
    RateComparison,
    Ratio,
    ScoreOutcome,
    Test,
    Value,
    VersusRest,
)
from automl.printing import (
    GOVERNING_WORDS,
    against_limit,
    design,
    fixed,
    governing_comparison,
    governing_value,
    p_value,
    percent,
    ratio,
    significant,
    test_words,
    whole,
)

GROUP_LENGTH = 70
REASON_LENGTH = 300
MOST_OF_CLASSES = 120
"""Rows of a crossing's table over all classes."""
LEVEL = 0.95
"""Of every interval that says nothing else."""


def outcome_section(evidence: Evidence, charts: Charts) -> list[Block]:
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return [not_measured("Group fairness", fairness)]
    unnamed = "a higher number" if fairness.outcome == "score" else "none was named; each class is measured on its own"
    favourable = ("Favourable outcome", ", ".join(map(data_text, fairness.favourable)) or unnamed)
    highest = "highest mean prediction" if fairness.outcome == "score" else "highest rate"
    comparison = ("Comparison", f"each group with the group of the {highest}, or with the reference that was named before the audit part was opened")
    blocks: list[Block] = [facts([favourable, comparison])] if fairness.outcome == "score" else [
        facts([
            favourable, ("Limit stated for impact ratios", f"{fairness.limit.ratio:g} of the reference's rate; a convention that was chosen, not a law"), comparison,
        ]),
        note(fairness.label_rule or "The interval of a ratio is for reading. Its label is decided on limits that allow for the number of groups compared, so the two may differ near the limit."),
    ]
    blocks += [_design(evidence), *_governing(fairness)]
    for place, attribute in enumerate(fairness.attributes, start=1):
        blocks += [heading(f"By {data_text(attribute.attribute)}"), *_outcomes(attribute, fairness, charts, str(place))]
    for place, of_class in enumerate(fairness.by_class, start=1):
        for at, attribute in enumerate(of_class.attributes, start=1):
            blocks += [heading(f"Favourable outcome {data_text(of_class.favourable)}, by {data_text(attribute.attribute)}"),
                       *_outcomes(attribute, fairness, charts, f"class-{place}-{at}")]
    return [*blocks, *law_blocks(evidence, charts)]


def _governing(fairness: FairnessSection) -> list[Block]:
    """The metric that governs, who chose it and why, and what it says: before all others."""
    choice = fairness.governing
    if choice is None:
        return []
    who = "the answers to four questions led to it" if choice.chosen_by == "questions" else "the person who asked named it"
    other = f" The answers to the four questions lead to {GOVERNING_WORDS[choice.recommended]}." if choice.recommended not in (None, choice.metric) else ""
    why = " ".join((*choice.rationale, *([data_text(choice.reason, REASON_LENGTH)] if choice.reason else ()))) or "No reason was given."
    return [
        heading("The metric that governs"),
        paragraph(f"Of the measures below {GOVERNING_WORDS[choice.metric]} governs: {who}, before anything was measured.{other} {why}"),
        table("By the metric that governs: the group of each attribute that is furthest away", [("compared", "left", 1.6), ("value, with its interval", "left", 1)],
              [(our_words(governing_comparison(row), REASON_LENGTH), governing_value(row, fairness.limit.ratio)) for row in choice.rows],
              "Very small groups are left out where there are larger ones; the tables below have them all."),
    ]


def _design(evidence: Evidence, attributes: Sequence[Attribute] = ()) -> Block:
    """What the intervals of a section's tables mean, said once; with the unknown rows of ``attributes``, where the tables do not tell them."""
    left_out = "; ".join(f"{data_text(one.attribute)}: {whole(one.unknown)}" for one in attributes)
    return note(design(evidence.design) + (f" Rows of unknown value, in no table: {left_out}." if left_out else ""))


def _outcomes(attribute: Attribute, fairness: FairnessSection, charts: Charts, place: str) -> list[Block]:
    blocks: list[Block] = [paragraph(_who_is_compared(attribute, "mean prediction" if fairness.outcome == "score" else "rate"))]
    if fairness.outcome == "score":
        return blocks + charts_of(charts, f"score-{place}", exactly=True) + [_scores(attribute)]
    if attribute.groups and all(isinstance(group.selection_rate, NotMeasured) and group.selected is None for group in attribute.groups):
        reason = next(group.selection_rate for group in attribute.groups if isinstance(group.selection_rate, NotMeasured))
        return [*blocks, table(f"Groups of {data_text(attribute.attribute)}", [("group", "left", 1.3), ("n", "right", 0), ("share", "right", 0)],
                      [(data_text(group.group, GROUP_LENGTH), whole(group.n), percent(group.share)) for group in attribute.groups], share=1), not_measured("Outcomes", reason)]
    limit = fairness.limit.ratio
    return [
        *blocks, *charts_of(charts, f"selection-rate-{place}", exactly=True), *charts_of(charts, f"impact-ratio-{place}", exactly=True),
        table(
            f"Outcomes by {data_text(attribute.attribute)}",
            [("group", "left", 1.3), ("n", "right", 0), ("share", "right", 0), ("selected", "right", 0), ("selection rate, 95 % interval", "left", 1.25),
             ("impact ratio, 95 % interval", "left", 1.35), ("against the limit", "left", 1.8)],
            [_outcome_row(group, limit) for group in attribute.groups], _unknown_rows(attribute)),
    ]


def _unknown_rows(attribute: Attribute) -> str:
    if not any(group.unknown_band for group in attribute.groups):
        return ""
    return "In brackets: how far the ratio would move if every row of unknown group belonged to that group or to the reference, at worst and at best."


def _who_is_compared(attribute: Attribute, highest: str) -> str:
    reference = "No group could serve as reference." if attribute.reference is None else \
        f"Reference: {data_text(attribute.reference)}, {'as named beforehand' if attribute.reference_named else f'the group with the highest {highest}'}."
    unknown = f" {whole(attribute.unknown)} rows have an unknown value here and are in no group."
    bins = f" Groups are bins at {', '.join(f'{edge:g}' for edge in attribute.bins)}." if attribute.bins else ""
    return reference + bins + unknown + (f" {attribute.note}" if attribute.note else "")


def _outcome_row(group: Group, limit: float) -> tuple[str, ...]:
    one = group.impact_ratio
    label = our_words(against_limit(one), REASON_LENGTH) if isinstance(one, Ratio) else "not computable"
    band = "" if group.unknown_band is None else f" [{fixed(group.unknown_band.low, 3, limit)} to {fixed(group.unknown_band.high, 3, limit)}]"
    return (
        data_text(group.group, GROUP_LENGTH), whole(group.n), percent(group.share), "–" if group.selected is None else whole(group.selected),
        shown(group.selection_rate, as_percent=True), ratio(one, limit) + band, f"excluded: {group.excluded}" if group.excluded else label)


def _scores(attribute: Attribute) -> Block:
    measured = [(group, group.score) for group in attribute.groups if isinstance(group.score, ScoreOutcome)]
    return table(
        f"Scores by {data_text(attribute.attribute)}",
        [("group", "left", 1.2), ("n", "right", 0), ("mean score", "left", 1), ("difference to the reference", "left", 1), ("mean residual", "left", 1), ("mean absolute error", "left", 1)],
        [(data_text(group.group, GROUP_LENGTH), whole(group.n), shown(score.mean), shown(score.mean_difference, signed=True), shown(score.mean_residual, signed=True), shown(score.mean_absolute_error))
         for group, score in measured],
        _together(score.mean_difference for _, score in measured))


def _together(differences: Iterable[Value]) -> str:
    """What the intervals of signed differences hold for, where that is more than one group."""
    simultaneous = any(isinstance(one, Estimate) and one.level > LEVEL for one in differences)
    return "The intervals of the differences to the reference hold for all groups of the table at once, at 95 %." if simultaneous else ""


def tests_section(evidence: Evidence) -> list[Block]:
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return [not_measured("Statistical tests", fairness)]
    if fairness.outcome == "score":
        return [not_measured("Tests of selections", NotMeasured(reason="a number is predicted and nobody is selected; the intervals of differences of means and of errors hold for all groups of a table at once"))]
    blocks: list[Block] = [
        paragraph(f"Each group is tested against the pooled others. The primary family has {whole(fairness.family.tests)} tests, adjusted by Holm's method; everything else is exploratory. "
                  "A small p says that a group differs from the pooled others, not that the difference matters; the ratio and the shortfall say how large it is."),
        paragraph(HOW_FAR),
    ]
    blocks.append(_design(evidence, fairness.attributes or next((one.attributes for one in fairness.by_class), ())))
    blocks += _tests(fairness.attributes)
    for of_class in fairness.by_class:
        blocks.append(heading(f"Favourable outcome {data_text(of_class.favourable)}"))
        blocks += _tests(of_class.attributes)
    return blocks


def _tests(attributes: Sequence[Attribute]) -> list[Block]:
    """What the groups of each attribute are together, and a table of every group of all of them."""
    measured = [(attribute, group, group.versus_rest) for attribute in attributes for group in attribute.groups if isinstance(group.versus_rest, VersusRest)]
    found = _columns_of([one for _, _, rest in measured for one in rest.tests])
    blocks = [paragraph(" ".join(map(_omnibus, attributes)))] if attributes else []
    if not measured:
        return blocks
    alone = len(attributes) == 1
    return [*blocks, table(
        f"{data_text(attributes[0].attribute)}: each group against the pooled others" if alone else "Each group against the pooled others, by attribute",
        [*([] if alone else [ATTRIBUTE]), ("group", "left", 1.2), ("difference of rates, 95 % interval", "left", 1.6), *((words, "right", 0) for _, _, words in found),
         ("short of the pool's rate by", "right", 0.7), ("largest ratio that would be told", "right", 0.8), ("one person changes the direction", "left", 0.8)],
        [(*([] if alone else [data_text(attribute.attribute)]), *_test_row(group, rest, found)) for attribute, group, rest in measured],
        "" if all(rest.tests for _, _, rest in measured) else "A group without tests: everybody or nobody has the favourable outcome.", dense=True, grouped=not alone)]


def _omnibus(attribute: Attribute) -> str:
    test = attribute.omnibus
    if isinstance(test, Test):
        return f"All groups of {data_text(attribute.attribute)} together: {test_words(test)}."
    return f"All groups of {data_text(attribute.attribute)} together: not measured: {test.reason}."


ATTRIBUTE: tuple[str, Align, float] = ("attribute", "left", 1)
HOW_FAR = ("A shortfall is in persons; a negative one is a surplus. A true ratio up to the largest that would be told would be shown to be below the limit in four of five samples of these sizes.")
PARTS_OF_TESTS = (
    ("fisher", "p", "p, Fisher"), ("fisher", "p_adjusted", "p, Holm"), ("mid_p", "p", "p, mid-p"), ("z", "statistic", "z"), ("z", "p", "p of z"),
    ("z_rao_scott", "statistic", "z (Rao-Scott)"), ("z_rao_scott", "p", "p of z"), ("z_rao_scott", "p_adjusted", "p, Holm"),
)
"""Of a group's tests: which number has a column, and what it is called."""


def _columns_of(tests: Sequence[Test]) -> list[tuple[str, str, str]]:
    """Those parts that some test of the table has."""
    return [part for part in PARTS_OF_TESTS if any(one.name == part[0] and getattr(one, part[1]) is not None for one in tests)]


def _test_row(group: Group, rest: VersusRest, found: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    by_name = {one.name: one for one in rest.tests}
    return (
        data_text(group.group, GROUP_LENGTH), shown(rest.difference, as_percent=True, signed=True), *(_part(by_name.get(name), part) for name, part, _ in found),
        "–" if group.shortfall is None else fixed(group.shortfall.to_pool, 1), "–" if group.minimum_detectable_ratio is None else fixed(group.minimum_detectable_ratio, 2),
        "–" if group.flip_flop is None else "yes" if group.flip_flop else "no")


def _part(test: Test | None, part: str) -> str:
    number = None if test is None else getattr(test, part)
    return "–" if number is None else significant(number, 3) if part == "statistic" else p_value(number)


def errors_section(evidence: Evidence, charts: Charts) -> list[Block]:
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return [not_measured("Error rates by group", fairness)]
    blocks: list[Block] = [_design(evidence, fairness.attributes), *_maxima(fairness.attributes), *_spread(fairness.attributes)] if fairness.attributes else []
    if evidence.data.target is not None and evidence.data.target.task == "multiclass" and fairness.outcome == "decision":
        blocks.append(note("Of several classes the favourable ones together are held against all others here: a row is right where both are favourable, or neither. Class by class it is below."))
    for place, attribute in enumerate(fairness.attributes, start=1):
        measured = _errors_of_numbers(attribute) if fairness.outcome == "score" else _errors(attribute, charts, str(place))
        blocks += [heading(f"By {data_text(attribute.attribute)}"), *measured]
    blocks += _errors_by_class(fairness)
    if fairness.outcome == "decision":
        blocks.append(note("With unequal base rates, calibration and equal error rates cannot all hold at once; which of them governs is for people to say."))
    return blocks


COMPARED = {"tpr": "TPR", "fpr": "FPR", "ppv": "PPV", "npv": "NPV", "accuracy": "accuracy"}
"""Of an error rate's comparisons, those that are printed; false and true negative rates, which are 100 % less two of them, are in the attached evidence."""

COMPARED_NUMBERS = {"mean": "mean prediction", "mean_absolute_error": "mean absolute error"}
OF_ALL_AND_BEST: tuple[tuple[str, Align, float], ...] = (("minus all rows", "left", 1.15), ("over all rows", "left", 1.1), ("minus the best group", "left", 1.15), ("over the best group", "left", 1.05))
ALL_AT_ONCE = "The intervals hold for all groups at once, those to the best group for all pairs, one rate at a time."


def _compared(name: str, measured: Sequence[tuple[Group, ErrorRates]], reference: str | None) -> Block:
    """Every error rate of every group beside that of the reference, of all rows and of the best group."""
    return table(
        f"{name}: each rate minus the reference's, and beside that of all rows and of the best group, with 95 % intervals",
        [("group", "left", 0.8), ("rate", "left", 0), ("minus the reference", "left", 1.15), *OF_ALL_AND_BEST],
        [(data_text(group.group, GROUP_LENGTH), words, _minus_reference(rates.gaps, rate, group.group == reference), *_all_and_best(group, one, as_percent=True))
         for group, rates in measured for rate, words in COMPARED.items() if (one := rates.compared.get(rate)) is not None],
        " ".join(["Best: the highest rate of the groups, of false positive rates the lowest, groups of a few rows left aside.", ALL_AT_ONCE,
                  "TPR, FPR: true, false positive rate; PPV, NPV: predictive value of the favourable and of the unfavourable outcome."]), dense=True)


def _all_and_best(group: Group, one: RateComparison, *, as_percent: bool = False) -> tuple[str, str, str, str]:
    best = ("best", "–") if one.best == group.group else (shown(one.minus_best, as_percent=as_percent, signed=True), shown(one.over_best))
    return shown(one.minus_all, as_percent=as_percent, signed=True), shown(one.over_all), *best


def _minus_reference(gaps: Gaps | NotMeasured, rate: str, is_reference: bool) -> str:
    if isinstance(gaps, NotMeasured):
        return "reference" if is_reference else shown(gaps)
    gap = getattr(gaps, rate)
    return "–" if gap is None else shown(gap, as_percent=True, signed=True)


def _errors_of_numbers(attribute: Attribute) -> list[Block]:
    measured = [(group, group.score) for group in attribute.groups if isinstance(group.score, ScoreOutcome)]
    compared = [(group, score) for group, score in measured if group.group != attribute.reference]
    if not compared:
        return [not_measured("Differences of errors", NotMeasured(reason="there are no two groups to compare"))]
    blocks = [table(
        f"Errors of the predicted number by {data_text(attribute.attribute)}: signed differences to the reference, with 95 % intervals",
        [("group", "left", 1.1), ("mean residual (truth minus prediction)", "left", 1), ("mean absolute error", "left", 1), ("ratio of mean absolute errors", "left", 1)],
        [(data_text(group.group, GROUP_LENGTH), shown(score.residual_difference, signed=True),
          *("–" if one is None else shown(one, signed=one is score.absolute_error_difference) for one in (score.absolute_error_difference, score.absolute_error_ratio))) for group, score in compared], _together(score.residual_difference for _, score in compared))]
    if any(score.compared for _, score in measured):
        blocks.append(table(
            f"{data_text(attribute.attribute)}: the predicted number and its error beside those of all rows and of the best group, with 95 % intervals",
            [("group", "left", 0.9), ("value", "left", 0.8), *OF_ALL_AND_BEST],
            [(data_text(group.group, GROUP_LENGTH), words, *_all_and_best(group, one)) for group, score in measured for what, words in COMPARED_NUMBERS.items() if (one := score.compared.get(what)) is not None],
            " ".join(["Best: the highest mean prediction of the groups, of errors the lowest, groups of a few rows left aside.",
                      "The intervals hold for all groups at once, those to the best group for all pairs, one value at a time."]), dense=True))
    return blocks


def _spread(attributes: Sequence[Attribute]) -> list[Block]:
    """How the scores of each group lie; descriptive."""
    measured = [(attribute, group, group.score.spread) for attribute in attributes for group in attribute.groups if isinstance(group.score, ScoreOutcome) and group.score.spread is not None]
    if not measured:
        return []
    return [table(
        "How the scores lie, by attribute",
        [ATTRIBUTE, ("group", "left", 1.2), *((words, "right", 0) for words in ("5 % lie below", "25 %", "median", "75 %", "95 %")), ("mean, in standard deviations from the reference's", "right", 0.9),
         ("Kolmogorov and Smirnov's distance", "right", 0.8), ("Wasserstein's distance", "right", 0.8)],
        [(data_text(attribute.attribute), data_text(group.group, GROUP_LENGTH), *(significant(value, 3) for value in spread.quantiles),
          *("–" if value is None else significant(value, 3) for value in (spread.standardised_difference, spread.kolmogorov_smirnov, spread.wasserstein))) for attribute, group, spread in measured],
        "Descriptive: distances to the reference have no interval of their own; the signed difference of the means has one.", dense=True, grouped=True)]


def _errors_by_class(fairness: FairnessSection) -> list[Block]:
    """One table an attribute over all classes, and which class is furthest from equal."""
    blocks: list[Block] = []
    if fairness.furthest:
        blocks += [
            heading("Class by class"),
            table("The class and the group that are furthest from equal", [("compared", "left", 1.6), ("value, with its interval", "left", 1)],
                  [(our_words(governing_comparison(row), REASON_LENGTH), governing_value(row, fairness.limit.ratio)) for row in fairness.furthest],
                  "Very small groups are left out where there are larger ones. The furthest of several is further than any one would be by chance: read it as where to look.")]
    for at, attribute in enumerate(fairness.by_class[0].attributes if fairness.by_class else ()):
        rows = [(one.favourable, group, rates, group.group == one.attributes[at].reference)
                for one in fairness.by_class for group in one.attributes[at].groups if isinstance(rates := group.error_rates, ErrorRates)]
        if rows:
            blocks.append(table(
                f"Error rates by class and {data_text(attribute.attribute)}, with 95 % intervals; differences to the reference in percentage points",
                [("class", "left", 0.8), ("group", "left", 0.9), ("true positive rate", "left", 1), ("difference", "left", 1), ("false positive rate", "left", 1), ("difference", "left", 1)],
                [(data_text(label, 40), data_text(group.group, 40), shown(rates.tpr, as_percent=True), _gap(rates, "tpr", is_reference), shown(rates.fpr, as_percent=True), _gap(rates, "fpr", is_reference))
                 for label, group, rates, is_reference in rows],
                _together(gap for _, _, rates, _ in rows if isinstance(rates.gaps, Gaps) for gap in (rates.gaps.tpr, rates.gaps.fpr)), dense=True))
    return blocks


def _gap(rates: ErrorRates, name: str, of_reference: bool) -> str:
    if isinstance(rates.gaps, NotMeasured):
        return "reference" if of_reference else shown(rates.gaps)
    return shown(getattr(rates.gaps, name), as_percent=True, signed=True)


def _errors(attribute: Attribute, charts: Charts, place: str) -> list[Block]:
    measured = [(group, group.error_rates) for group in attribute.groups if isinstance(group.error_rates, ErrorRates)]
    if not measured:
        reasons = dict.fromkeys(group.error_rates.reason for group in attribute.groups if isinstance(group.error_rates, NotMeasured))
        return [not_measured("Error rates", NotMeasured(reason=reason)) for reason in reasons]
    name = data_text(attribute.attribute)
    blocks = [
        *charts_of(charts, f"error-rates-{place}", exactly=True), *charts_of(charts, f"calibration-by-group-{place}", exactly=True),
        table(f"Error rates by {name}, with 95 % intervals",
              [("group", "left", 1.1), ("true positive rate", "left", 1), ("false positive rate", "left", 1), ("predictive value", "left", 1), ("negative predictive value", "left", 1), ("accuracy", "left", 1),
               ("false negatives for each false positive", "left", 1)],
              [(data_text(group.group, GROUP_LENGTH), *(shown(one, as_percent=True) for one in (rates.tpr, rates.fpr, rates.ppv, rates.npv, rates.accuracy)),
                "–" if rates.treatment_equality is None else shown(rates.treatment_equality)) for group, rates in measured], dense=True),
        *([_compared(name, measured, attribute.reference)] if any(rates.compared for _, rates in measured) else _gaps_alone(name, measured)),
    ]
    to_rest = [(group, rates.gaps_to_rest) for group, rates in measured if rates.gaps_to_rest is not None]
    if to_rest:
        blocks.append(table(
            f"{name}: signed differences to all others pooled, since the reference is a handful of rows; in percentage points, with 95 % intervals",
            [("group", "left", 1.1), ("true positive rate", "left", 1), ("false positive rate", "left", 1), ("predictive value", "left", 1)],
            [(data_text(group.group, GROUP_LENGTH), *(shown(one, as_percent=True, signed=True) for one in (gap.tpr, gap.fpr, gap.ppv))) for group, gap in to_rest],
            "The intervals hold for all groups of the table at once, at 95 %."))
    calibrated = [(group, group.calibration) for group in attribute.groups if isinstance(group.calibration, GroupCalibration)]
    if calibrated:
        blocks.append(_calibrations(name, calibrated))
    return blocks


def _gaps_alone(name: str, measured: Sequence[tuple[Group, ErrorRates]]) -> list[Block]:
    """Of evidence that is older than the comparisons."""
    gaps = [(group, rates.gaps) for group, rates in measured if not isinstance(rates.gaps, NotMeasured)]
    return [table(f"{name}: signed differences to the reference, in percentage points, with 95 % intervals",
                  [("group", "left", 1.1), ("true positive rate", "left", 1), ("false positive rate", "left", 1), ("predictive value", "left", 1)],
                  [(data_text(group.group, GROUP_LENGTH), *(shown(one, as_percent=True, signed=True) for one in (gap.tpr, gap.fpr, gap.ppv))) for group, gap in gaps],
                  _together(one for _, gap in gaps for one in (gap.tpr, gap.fpr, gap.ppv)))]


def _calibrations(name: str, calibrated: Sequence[tuple[Group, GroupCalibration]]) -> Block:
    fitted = any(one.slope is not None for _, one in calibrated)
    columns: list[tuple[str, Align, float]] = [("group", "left", 1.1), ("observed", "right", 0), ("expected", "right", 0), ("observed over expected, 95 % interval", "left", 1.2), ("z", "right", 0)]
    return table(
        f"Calibration by {name}", columns + ([("slope", "left", 1), ("intercept", "left", 1)] if fitted else []),
        [(data_text(group.group, GROUP_LENGTH), whole(one.observed), fixed(one.expected, 1), shown(one.observed_over_expected), "–" if one.z is None else fixed(one.z, 2),
          *(("–" if value is None else shown(value, signed=value is one.intercept)) for value in ((one.slope, one.intercept) if fitted else ()))) for group, one in calibrated],
        "Slope and intercept of logistic recalibration: 1 and 0 where the probabilities fit; a slope below 1 says that they are too extreme." if fitted else "", share=0 if fitted else 1.45)


def _maxima(attributes: Sequence[Attribute]) -> list[Block]:
    """The largest differences between groups, a line an attribute."""
    rows = [(data_text(attribute.attribute), *("–" if (value := getattr(attribute.summary, name)) is None else fixed(value, 3) for name in MAXIMA)) for attribute in attributes
            if any(getattr(attribute.summary, name) is not None for name in MAXIMA)]
    if not rows:
        return []
    return [table("Largest differences between groups, descriptive", [ATTRIBUTE, *((words, "right", 0.9) for words in MAXIMA.values())], rows,
                  "Maxima over groups have no interval of their own; the signed differences below carry the uncertainty. Average odds: the mean of the differences of true and of false positive rates. "
                  "False and true negative rates are 100 % less the true and the false positive rate.", dense=True)]


MAXIMA = {
    "demographic_parity_difference": "demographic parity difference", "demographic_parity_ratio": "demographic parity ratio", "equalized_odds_difference": "equalised odds difference",
    "average_odds_difference": "average odds difference", "equal_opportunity_difference": "equal opportunity difference", "predictive_parity_difference": "predictive parity difference",
}


def crossings_section(evidence: Evidence, charts: Charts) -> list[Block]:
    fairness = evidence.fairness
    if isinstance(fairness, NotMeasured):
        return [not_measured("Crossings of attributes", fairness)]
    if not fairness.intersections:
        return [paragraph("No two attributes were crossed: fewer than two were declared, or crossings were not asked for.")]
    blocks: list[Block] = [paragraph(f"Every cell is shown with its n, however small. {LOW_PRECISION} marks low precision. Whatever is said of crossings is exploratory: the labels allow for the groups of one table, nothing for the number of tables."), paragraph(HOW_FAR), _design(evidence)]
    for place, attribute in enumerate(fairness.intersections, start=1):
        # A tall picture never follows another: the tables between them fill the pages
        blocks += [heading(f"By {data_text(attribute.attribute)}"), *_outcomes(attribute, fairness, charts, f"crossing-{place}"),
                   *charts_of(charts, f"error-rates-crossing-{place}", exactly=True), *_tests([attribute])]
    return blocks + _crossings_by_class(fairness)


def _crossings_by_class(fairness: FairnessSection) -> list[Block]:
    """One table a crossing over all classes; where it has too many rows for paper, those below the limit or inconclusive with a ratio below it, as far as they fit."""
    blocks: list[Block] = []
    for at, crossing in enumerate(fairness.by_class[0].intersections if fairness.by_class else ()):
        rows = [(one.favourable, group, group.impact_ratio) for one in fairness.by_class for group in one.intersections[at].groups if isinstance(group.impact_ratio, Ratio)]
        told = rows if len(rows) <= MOST_OF_CLASSES else sorted((row for row in rows if row[2].below_limit_exact), key=lambda row: row[2].value)[:MOST_OF_CLASSES]
        if not rows:
            continue
        left = "" if told is rows else f"{whole(len(told))} of {whole(len(rows))} are printed, those with the lowest ratios below the limit; the attached evidence has all of them."
        blocks.append(table(
            f"{data_text(crossing.attribute)}, class by class", [("class", "left", 0.8), ("group", "left", 1.2), ("n", "right", 0), ("rate of the class, 95 % interval", "left", 1.1), ("impact ratio, 95 % interval", "left", 1.1),
                                                                 ("against the limit", "left", 1.3)],
            [(data_text(label, 40), data_text(group.group, GROUP_LENGTH), whole(group.n), shown(group.selection_rate, as_percent=True), ratio(one, fairness.limit.ratio), our_words(against_limit(one), REASON_LENGTH))
             for label, group, one in told], left, dense=True))
    return [heading("Class by class"), *blocks] if blocks else []


def lowest_ratio(attribute: Attribute) -> tuple[Group, Ratio] | None:
    """The group whose impact ratio is the lowest of the table, passing over groups of a few rows where there are others; None where there is no ratio."""
    compared = [(group, group.impact_ratio) for group in attribute.groups if isinstance(group.impact_ratio, Ratio) and group.impact_ratio.label not in ("reference", "not_computable")]
    large = [pair for pair in compared if not (isinstance(pair[0].selection_rate, Estimate) and pair[0].selection_rate.low_precision)]
    return min(large or compared, key=lambda pair: pair[1].value) if compared else None


def attributes_of(fairness: FairnessSection) -> Sequence[Attribute]:
    return (*fairness.attributes, *fairness.intersections)


