"""Pictures of group fairness: what each group gets, against whom it is compared, and how the errors fall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from automl.charts.marks import MAX_ROWS, OKABE_ITO, Row, axis_labels, chart, dots_with_intervals, grouped_dots, interval_rows, reliability_lines
from automl.evidence import Attribute, Chart, ErrorRates, Estimate, FairnessSection, Group, GroupCalibration, NotMeasured, Ratio, ScoreOutcome, Value
from automl.printing import LABEL_WORDS, estimate, fixed, ratio, whole

SHORT = {"below": "below", "inconclusive": "inconclusive", "not_below": "not below", "reference": "reference", "not_computable": "not computable"}
STATUS = {
    SHORT["below"]: (OKABE_ITO[1], "triangle-down"),
    SHORT["inconclusive"]: (OKABE_ITO[4], "diamond"),
    SHORT["not_below"]: (OKABE_ITO[0], "circle"),
    SHORT["reference"]: ("#7a7a7a", "square"),
    SHORT["not_computable"]: (OKABE_ITO[3], "cross"),
}
COMPARED = "against the limit"
MAX_CURVES = 4
MAX_CLASSES = 6
"""Favourable classes that get pictures of their own; the tables have all."""

ERRORS = (("TPR", "tpr"), ("FPR", "fpr"), ("PPV", "ppv"))
ERRORS_TITLE = "TPR, FPR: true, false positive rate; PPV: predictive value"


def fairness_charts(fairness: FairnessSection) -> list[Chart]:
    """Selection rates, impact ratios, error rates and scores of every attribute and crossing, and of each favourable class."""
    charts = list(_of_tables(fairness.attributes, fairness, "", ""))
    charts += _of_tables(fairness.intersections, fairness, "crossing-", "")
    for place, of_class in enumerate(fairness.by_class[:MAX_CLASSES], start=1):
        charts += _of_tables(of_class.attributes, fairness, f"class-{place}-", f", favourable outcome {of_class.favourable}")
    return charts


def _of_tables(tables: Sequence[Attribute], fairness: FairnessSection, prefix: str, suffix: str) -> Iterator[Chart]:
    for place, attribute in enumerate(tables, start=1):
        makers = (_selection, _impact, _errors, _calibration, _scores) if not suffix else (_selection, _impact)
        for maker in makers:
            made = maker(attribute, fairness.limit.ratio, f"{prefix}{place}", suffix)
            if made is not None:
                yield made


def _selection(attribute: Attribute, limit: float, place: str, suffix: str) -> Chart | None:
    groups = [(group, group.selection_rate) for group in attribute.groups if isinstance(group.selection_rate, Estimate)]
    if not groups:
        return None
    rows = interval_rows(_labels([group for group, _ in groups]), [rate for _, rate in groups], status=[_status(group) for group, _ in groups])
    highest, lowest = max(groups, key=lambda pair: pair[1].value), min(groups, key=lambda pair: pair[1].value)
    reference = next((rate for group, rate in groups if group.group == attribute.reference), None)
    rules = [] if reference is None else [(limit * reference.value, f"{_plain(limit)} × the reference")]
    said = [f"{group.group}: {estimate(rate, as_percent=True)}, n = {whole(rate.n)}" for group, rate in ([lowest, highest] if lowest[0] is not highest[0] else [lowest])]
    return chart(
        f"selection-rate-{place}", "fairness", f"Selection rate by {attribute.attribute}{suffix}",
        f"Selection rate by {attribute.attribute}{suffix}, lowest and highest. {'; '.join(said)}.{_cut(len(groups))}",
        dots_with_intervals(rows, "selection rate, with 95 % interval", x_format=".0%", rules=rules, zero=True, status=STATUS, status_title=COMPARED),
        ("group", "n", "selected", "selection rate", "low", "high", "impact ratio"),
        [(group.group, group.n, group.selected, rate.value, rate.low, rate.high, _status(group)) for group, rate in groups])


def _impact(attribute: Attribute, limit: float, place: str, suffix: str) -> Chart | None:
    groups = [(group, group.impact_ratio) for group in attribute.groups if isinstance(group.impact_ratio, Ratio) and group.impact_ratio.label != "not_computable"]
    compared = [(group, one) for group, one in groups if one.label != "reference"]
    if not compared:
        return None
    rows = [
        {"label": label, "place": at, "value": one.value, "low": one.low, "high": one.high, "status": SHORT[one.label]}
        for at, (label, (_, one)) in enumerate(zip(_labels([group for group, _ in groups]), groups, strict=True))
    ]
    large = [pair for pair in compared if not (isinstance(pair[0].selection_rate, Estimate) and pair[0].selection_rate.low_precision)]
    group, lowest = min(large or compared, key=lambda pair: pair[1].value)
    return chart(
        f"impact-ratio-{place}", "fairness", f"Impact ratio by {attribute.attribute}{suffix}",
        f"Lowest impact ratio by {attribute.attribute}{suffix}: {group.group} {ratio(lowest, limit)}, n = {whole(lowest.n)}, {_against(lowest, limit)}.{_told_of_large(large, compared)}{_cut(len(groups))}",
        dots_with_intervals(rows, "impact ratio, with 95 % interval for reading", x_format=".2f", rules=[(limit, f"limit {_plain(limit)}")], zero=True, status=STATUS, status_title=COMPARED),
        ("group", "n", "impact ratio", "low", "high", "against the limit"),
        [(group.group, group.n, one.value, one.low, one.high, LABEL_WORDS[one.label]) for group, one in groups])


def _told_of_large(large: Sequence[object], all_of_them: Sequence[object]) -> str:
    """The smallest groups are the furthest by chance; the picture has them all, and the sentence says where it leaves them out."""
    return " Groups of few people are left out of this sentence." if 0 < len(large) < len(all_of_them) else ""


def _errors(attribute: Attribute, limit: float, place: str, suffix: str) -> Chart | None:
    measured = [(group, group.error_rates) for group in attribute.groups if isinstance(group.error_rates, ErrorRates)]
    labels = _labels([group for group, _ in measured])
    rows: list[Row] = []
    table: list[tuple[str | float | int | None, ...]] = []
    for at, (group, rates) in enumerate(measured):
        for words, key in ERRORS:
            one = getattr(rates, key)
            if isinstance(one, Estimate):
                rows.append({"label": labels[at], "place": at, "series": words, "value": one.value, "low": one.low, "high": one.high})
            table.append((group.group, words, *_cells(one)))
    if not rows:
        return None
    found = [(group, rates.tpr) for group, rates in measured if isinstance(rates.tpr, Estimate)]
    said = ""
    if found:
        large = [pair for pair in found if not pair[1].low_precision]
        group, lowest = min(large or found, key=lambda pair: pair[1].value)
        said = f" Lowest true positive rate: {group.group} {estimate(lowest, as_percent=True)}, n = {whole(lowest.n)}.{_told_of_large(large, found)}"
    return chart(
        f"error-rates-{place}", "fairness", f"Error rates by {attribute.attribute}", f"True and false positive rates and predictive value by {attribute.attribute}.{said}",
        grouped_dots(rows[:MAX_ROWS * len(ERRORS)], "rate, with 95 % interval", [words for words, _ in ERRORS], ERRORS_TITLE, x_format=".0%", beside=not place.startswith("crossing")), ("group", "rate", "value", "low", "high", "n"), table)


def _calibration(attribute: Attribute, limit: float, place: str, suffix: str) -> Chart | None:
    """The largest groups only: more lines would hide each other. The table has all."""
    found = [(group, one) for group in attribute.groups if isinstance(one := group.calibration, GroupCalibration) and len(one.bins) > 1 and isinstance(one.observed_over_expected, Estimate)]
    drawn = sorted(sorted(found, key=lambda pair: -pair[0].n)[:MAX_CURVES], key=lambda pair: attribute.groups.index(pair[0]))
    if not drawn:
        return None
    labels = _labels([group for group, _ in drawn])
    rows: list[Row] = [
        {"series": labels[at], "x": one.mean_score, "y": one.observed.value, "low": one.observed.low, "high": one.observed.high}
        for at, (_, measured) in enumerate(drawn) for one in measured.bins if isinstance(one.observed, Estimate)]
    furthest, worst = max(((group, measured.observed_over_expected) for group, measured in drawn if isinstance(measured.observed_over_expected, Estimate)), key=lambda pair: abs(pair[1].value - 1))
    return chart(
        f"calibration-by-group-{place}", "fairness", f"Calibration by {attribute.attribute}",
        f"Observed rate against mean probability of the favourable outcome, each group in bins of about equal count; on the dashed line the two agree. Furthest from it as a whole: "
        f"{furthest.group}, observed over expected {estimate(worst)}, n = {whole(furthest.n)}." + ("" if len(found) <= MAX_CURVES else f" The picture shows the {MAX_CURVES} largest groups, the table all."),
        reliability_lines(rows, labels), ("group", "from", "to", "n", "mean probability", "observed rate", "low", "high"),
        [(group.group, one.low, one.high, one.n, one.mean_score, *_cells(one.observed)[:3]) for group, measured in found for one in measured.bins])


def _scores(attribute: Attribute, limit: float, place: str, suffix: str) -> Chart | None:
    measured = [(group, group.score.mean) for group in attribute.groups if isinstance(group.score, ScoreOutcome) and isinstance(group.score.mean, Estimate)]
    if not measured:
        return None
    rows = interval_rows(_labels([group for group, _ in measured]), [mean for _, mean in measured])
    large = [pair for pair in measured if not pair[1].low_precision]
    (low_group, low), (high_group, high) = (pick(large or measured, key=lambda pair: pair[1].value) for pick in (min, max))
    words = _score_words([group for group, _ in measured])
    return chart(
        f"score-{place}", "fairness", f"{words} by {attribute.attribute}",
        f"{words} by {attribute.attribute}: lowest {low_group.group} {estimate(low)}, n = {whole(low.n)}; highest {high_group.group} {estimate(high)}, n = {whole(high.n)}.{_told_of_large(large, measured)}",
        dots_with_intervals(rows, f"{words[:1].lower()}{words[1:]}, with 95 % interval"), ("group", "n", "mean", "low", "high"),
        [(group.group, mean.n, mean.value, mean.low, mean.high) for group, mean in measured])


def _score_words(groups: Sequence[Group]) -> str:
    """What the score is: of a decision the chance of the favourable outcome, which need not be the one that the model calls positive."""
    if all(isinstance(group.selection_rate, NotMeasured) and isinstance(group.calibration, NotMeasured) for group in groups):
        return "Mean predicted value"
    probable = not any(isinstance(group.calibration, NotMeasured) and "no probabilities" in group.calibration.reason for group in groups)
    return "Mean probability of the favourable outcome" if probable else "Mean score"


def _labels(groups: Sequence[Group]) -> list[str]:
    return axis_labels([group.group for group in groups], [group.n for group in groups])


def _status(group: Group) -> str:
    return SHORT[group.impact_ratio.label if isinstance(group.impact_ratio, Ratio) else "not_computable"]


def _against(one: Ratio, limit: float) -> str:
    return LABEL_WORDS[one.label].replace("the limit", f"the limit of {_plain(limit)}")


def _plain(limit: float) -> str:
    return fixed(limit, 2) if round(limit, 2) == limit else f"{limit:g}"


def _cells(one: Value) -> tuple[str | float | int | None, ...]:
    return (f"not measured: {one.reason}", None, None, None) if isinstance(one, NotMeasured) else (one.value, one.low, one.high, one.n)


def _cut(count: int) -> str:
    return "" if count <= MAX_ROWS else " The picture shows the first groups, the table all."
