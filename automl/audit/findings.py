"""Page one: written rules that turn the document's numbers into findings, one sentence each.

A finding states a value, its interval, and its relation to a limit that somebody stated; it never judges, and below 30 rows it draws no conclusion
(evidence rules 3, 5, 8). The rules, by id:

- ``impact_ratio_below`` (high): the ratio is below the stated limit beyond sampling error (label "below" of evidence rule 7).
- ``impact_ratio_near`` (medium; crossings low): the ratio is below the limit by exact count, and the label is "inconclusive" or rests on fewer than 30 rows.
- ``impact_ratio_inconclusive`` (low; crossings info): the sample cannot tell on which side of the limit the ratio lies.
- ``impact_ratio_not_below`` (info): every group of an attribute is at or above the limit beyond sampling error.
- ``error_gap`` (medium): a simultaneous interval of a true or false positive rate gap to the reference excludes 0.
- ``residual_gap`` (medium): regression; the interval of the difference in mean error to the reference excludes 0; one sentence for all crossings. Not where a quantile is predicted: groups of
  unequal spread then differ in it with the best of models.
- ``coverage_off`` (medium): a quantile is predicted; the share of rows, or of a group's rows, with a true value at or below it is off the level by 0.05 (by half
  of the level's smaller tail where that is less) or more and its interval excludes the level.
- ``calibration_group`` (medium): observed over expected is off by a tenth or more, its interval excludes 1, and so it would with all groups of the attribute looked at.
- ``ranking_like_chance`` (high): the AUC's interval reaches down to 0.5, or R2's (where it is the run's metric, MCC's) to 0, or lies below.
- ``like_baseline`` (high): the interval of the run's metric includes or lies beyond the best baseline's value, on the worse side.
- ``no_candidate`` (high): the search ended before any candidate was ready, so that the baseline itself was audited; it stands in place of the two before.
- ``leak_suspected`` (high): the AUC is above 0.99, or one input carries more than 60 % of all mean |SHAP|.
- ``sensitive_input`` (medium): a sensitive attribute is an input of the model. ``proxies_unknown`` and further rules on the explanation:
  `automl.audit.explanation_findings`.
- ``unknown_share`` (low above 5 %, medium above 20 %): rows whose group is unknown. ``small_groups`` (info): groups below 30 rows.
- ``left_out`` (low, medium above 5 % of the rows): rows that were not used. ``drift`` (medium; low where the rows were divided at random): out-of-fold
  and audit scores differ in the mean.
- ``fairness_not_measured`` (medium), ``performance_not_measured`` (info): a whole section is missing, with its reason.
- ``order_depends_on_timing`` (info): several workers searched together, so that the same inputs need not give the same trials.
- Reasons for unfavourable decisions have rules of their own, in `automl.audit.reasons.findings`.
- ``governing_metric`` (info): `automl.audit.governing`; of equal severity, what the governing metric says comes first.
- Of alternatives to the model: the rules of `automl.audit.mitigation_findings`.
- ``data_quality``: the data section's own findings of severity high or medium, as they stand.
- those of `local_law_144_findings` on the tables of Local Law 144.
- those of slices and robustness, in `automl.audit.weakness_findings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scipy.stats import norm

from automl.audit.explanation_findings import explanation_findings
from automl.audit.finding_topics import folded
from automl.audit.governing import findings_of_governing, governs
from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.audit.local_law_144_findings import law_findings
from automl.audit.mitigation_findings import findings_of_mitigation
from automl.audit.reasons.findings import findings_of_reasons
from automl.audit.weakness_findings import weakness_findings
from automl.evidence import (
    Attribute,
    DataSection,
    Estimate,
    Evidence,
    ExplanationSection,
    FairnessSection,
    Finding,
    Group,
    NotMeasured,
    PerformanceSection,
    Ratio,
    ScoreOutcome,
    SearchSection,
    Severity,
    Value,
)
from automl.printing import percent, row_count, significant
from automl.spec import SMALLER_IS_BETTER, TaskSpec

ORDER: tuple[Severity, ...] = ("high", "medium", "low", "info")
LEAK_AUC = 0.99
LEAK_SHARE = 0.6
CALIBRATION_OFF = 0.1
UNKNOWN_LOW, UNKNOWN_MEDIUM = 0.05, 0.2
LEFT_OUT_MEDIUM = 0.05
LISTED = 4
COVERAGE_OFF = 0.05, 0.5
"""Of all rows, or of the level's smaller tail where that is less: at 0.99 half a per cent matters."""


def write_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """All findings on the other sections of the document, most severe first, those that say more of the same folded under the first of it; their ids are unique and their pointers lead into it."""
    fairness, performance, spec = evidence.fairness, evidence.performance, evidence.spec
    found = [
        *findings_of_governing(fairness),
        *_of_fairness(fairness, spec.limit.ratio, residuals=isinstance(performance, NotMeasured) or performance.quantile is None),
        *_of_performance(performance, evidence.search), *_of_drift(performance, evidence.data), *_of_explanation(evidence.explanation, evidence.data), *_of_data(evidence.data),
        *_of_search(evidence.search, spec.parallel if isinstance(spec, TaskSpec) else 1), *findings_of_reasons(evidence.reasons),
        *law_findings(evidence.local_law_144, evidence.data.split.audit), *weakness_findings(evidence.slices, evidence.robustness),
        *findings_of_mitigation(evidence.mitigation, fairness),
    ]
    return folded(sorted(found, key=lambda finding: (ORDER.index(finding.severity), not governs(fairness, finding))), evidence)


def number(value: float, limit: float | None = None) -> str:
    """Two decimals, or as many (up to six) as it takes to show on which side of the limit the value lies, and that it is not 0."""
    text = f"{value:.2f}"
    for digits in range(3, 7):
        told = limit is None or (float(text) == limit if value == limit else (float(text) < limit) == (value < limit) and float(text) != limit)
        if told and (float(text) != 0 or value == 0):
            break
        text = f"{value:.{digits}f}"
    return text if float(text) != 0 or value == 0 else f"{value:.1e}"


def _shown(name: str) -> str:
    """A name from the data, bounded: it may be as long as a book and hold line breaks."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return flat if len(flat) <= 60 else flat[:59] + "…"


def _interval(estimate: Estimate | Ratio, limit: float | None = None) -> str:
    level = f"{100 * estimate.level:.3g}"
    return f"{level} % interval {number(estimate.low, limit)} to {number(estimate.high, limit)}"


def _listing(names: Sequence[str]) -> str:
    shown = [_shown(name) for name in names[:LISTED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _excludes(estimate: Value, value: float) -> bool:
    return isinstance(estimate, Estimate) and not estimate.low_precision and not estimate.low <= value <= estimate.high


def _of_search(search: SearchSection | NotMeasured, parallel: int) -> Iterator[Finding]:
    if isinstance(search, SearchSection) and parallel > 1:
        yield Finding(
            id="order_depends_on_timing", severity="info", evidence="/search/trials", rule="order_depends_on_timing",
            text=f"Up to {parallel} workers searched together: which trial knew of which depended on timing, so the search is not reproducible trial by trial. "
                 "What was measured on the audit part is, for this model.",
            suggestion="Ask for one worker (parallel 1) and a budget in trials where the same search is to be made again.")


def _of_fairness(fairness: FairnessSection | NotMeasured, limit: float, *, residuals: bool) -> Iterator[Finding]:
    if isinstance(fairness, NotMeasured):
        yield Finding(
            id="fairness_not_measured", severity="medium", text=f"Group fairness was not measured: {fairness.reason}.", evidence="/fairness",
            suggestion="Name the sensitive attributes to measure it for.", rule="fairness_not_measured",
        )
        return
    crossings: dict[tuple[str, str], list[tuple[str, Attribute]]] = {}
    for pointer, of_class, attribute in _tables(fairness):
        if len(attribute.columns) == 1:
            yield from _of_groups(attribute, pointer, of_class, limit)
        else:
            crossings.setdefault((pointer.rsplit("/", 1)[0], of_class), []).append((pointer, attribute))
        if len(attribute.columns) == 1 and not of_class:
            yield from _of_membership(attribute, pointer)
        if fairness.outcome == "score" and residuals and len(attribute.columns) == 1:
            yield from _of_residuals(attribute, pointer)
    for (above, of_class), tables in crossings.items():
        yield from _of_crossings(tables, above, of_class, limit)
        if fairness.outcome == "score" and residuals:
            yield from _of_crossing_residuals(tables, above)


def _tables(fairness: FairnessSection) -> Iterator[tuple[str, str, Attribute]]:
    """Every table with its pointer and, where it is of one class of several, that class."""
    for name in ("attributes", "intersections"):
        for i, attribute in enumerate(getattr(fairness, name)):
            yield f"/fairness/{name}/{i}", "", attribute
        for c, section in enumerate(fairness.by_class):
            for i, attribute in enumerate(getattr(section, name)):
                yield f"/fairness/by_class/{c}/{name}/{i}", section.favourable, attribute


def _few(group: Group) -> bool:
    """Whether a sentence on sampling error would rest on too little: few rows, few persons behind them, or few rows at their weights' effective number."""
    measured = group.selection_rate
    if isinstance(measured, NotMeasured) and isinstance(group.score, ScoreOutcome):
        measured = group.score.mean
    return group.n < LOW_PRECISION_BELOW or (isinstance(measured, Estimate) and measured.low_precision)


def _only(group: Group) -> str:
    few = group.n < LOW_PRECISION_BELOW
    return f"has only {row_count(group.n)}" if few else f"has fewer than {LOW_PRECISION_BELOW} independent rows"


def _ratios(attribute: Attribute) -> list[tuple[int, Group, Ratio]]:
    return [(i, group, group.impact_ratio) for i, group in enumerate(attribute.groups) if isinstance(group.impact_ratio, Ratio)]


def _selected(of_class: str) -> str:
    return f"given {_shown(of_class)}" if of_class else "selected"


def _of_groups(attribute: Attribute, pointer: str, of_class: str, limit: float) -> Iterator[Finding]:
    ratios = _ratios(attribute)
    unclear = []
    for i, group, ratio in ratios:
        if ratio.label == "below" and not _too_few(attribute, group, ratio):
            yield _ratio_finding("impact_ratio_below", "high", attribute, f"{pointer}/groups/{i}", of_class, (group, ratio), limit)
        elif ratio.label in ("below", "inconclusive") and ratio.below_limit_exact:
            yield _ratio_finding("impact_ratio_near", "medium", attribute, f"{pointer}/groups/{i}", of_class, (group, ratio), limit)
        elif ratio.label == "inconclusive":
            unclear.append(group.group)
        yield from _of_errors(attribute, group, f"{pointer}/groups/{i}", of_class)
    if unclear:
        yield Finding(
            id=f"impact_ratio_inconclusive:{pointer}", severity="low",
            text=f"Whether the rate of being {_selected(of_class)} lies below {number(limit, limit)} times that of {_shown(attribute.reference or '')} is inconclusive at this "
            f"sample size for {_listing(unclear)} ({_shown(attribute.attribute)}).",
            evidence=pointer, suggestion="More rows of these groups would narrow the intervals.", rule="impact_ratio_inconclusive",
        )
    others = [ratio for _, _, ratio in ratios if ratio.label != "reference"]
    if others and all(ratio.label == "not_below" for ratio in others) and not any(map(_few, attribute.groups)):
        lowest = min(others, key=lambda ratio: ratio.value)
        # the reference's own comparisons are not labelled, so the sentence leaves it out
        reference = _shown(attribute.reference or "")
        who = _shown(attribute.attribute) + ("" if attribute.reference_named else f" other than {reference}")
        compared = reference if attribute.reference_named else "the others"
        yield Finding(
            id=f"impact_ratio_not_below:{pointer}", severity="info",
            text=f"Every group of {who} is {_selected(of_class)} at no less than {number(limit, limit)} times the rate of {compared} beyond sampling "
            f"error; the lowest ratio is {number(lowest.value, limit)} ({_interval(lowest, limit)}).",
            evidence=pointer, rule="impact_ratio_not_below",
        )


def _too_few(attribute: Attribute, group: Group, ratio: Ratio) -> bool:
    """Whether the group, or the one whose comparison decided, is too small for a sentence on sampling error."""
    return any(_few(each) for each in attribute.groups if each.group in (group.group, ratio.label_contrast))


def _compared(attribute: Attribute, group: Group, ratio: Ratio, limit: float) -> str:
    """The comparison that a sentence names: that with the reference or, where that is a handful of people, the one that decided the label."""
    reference = _shown(attribute.reference or "")
    few = any(_few(each) for each in attribute.groups if each.group == attribute.reference)
    decided = next((each for each in attribute.groups if each.group == ratio.label_contrast and each.group != attribute.reference), None)
    if few and decided is not None and ratio.label_high is not None:
        mine, theirs = group.selection_rate, decided.selection_rate
        if isinstance(mine, Estimate) and isinstance(theirs, Estimate) and theirs.value:
            return (f"{number(mine.value / theirs.value, limit)} times the rate of {_shown(decided.group)} (upper limit at the label's level {number(ratio.label_high, limit)}; "
                    f"{group.selected or 0:,} of {group.n:,} against {decided.selected or 0:,} of {decided.n:,})")
    return f"{number(ratio.value, limit)} times the rate of {reference} ({_interval(ratio, limit)}; {_counts(ratio)}){_shown_by(attribute, ratio)}"


def _shown_by(attribute: Attribute, ratio: Ratio) -> str:
    """Which comparison decided, where it is not the printed one: against a small highest group the printed interval may reach above the limit."""
    return "" if ratio.label_contrast in ("", attribute.reference) else f", as the comparison with {_shown(ratio.label_contrast)} shows"


def _counts(ratio: Ratio) -> str:
    """The rows behind a ratio; where weights make the rates, they say so, for the rows' own ratio is another."""
    weighted = bool(ratio.k_ref and ratio.n) and abs(ratio.k * ratio.n_ref / (ratio.n * ratio.k_ref) - ratio.value) > 1e-9
    return f"{'weighted; rows: ' if weighted else ''}{ratio.k:,} of {ratio.n:,} against {ratio.k_ref:,} of {ratio.n_ref:,}"


def _ratio_finding(rule: str, severity: Severity, attribute: Attribute, pointer: str, of_class: str, measured: tuple[Group, Ratio], limit: float) -> Finding:
    group, ratio = measured
    reference = _shown(attribute.reference or "")
    start = (
        f"{_shown(group.group)} ({_shown(attribute.attribute)}) is {_selected(of_class)} at {number(ratio.value, limit)} times the rate of {reference} "
        f"({_interval(ratio, limit)}; {_counts(ratio)}), below the stated limit of {number(limit, limit)}"
    )
    if rule == "impact_ratio_below":
        end, suggestion = f" beyond sampling error{_shown_by(attribute, ratio)}.", "Look at which inputs carry the gap, and at the errors of this group."
    else:
        compared = "" if attribute.reference_named or len(attribute.groups) < 3 else f" with {len(attribute.groups)} groups compared"
        why = f": {ratio.label_reason}" if ratio.label == "inconclusive" and ratio.label_reason else compared
        end = f"; whether this is more than sampling error is inconclusive at this sample size{why}."
        detectable = group.minimum_detectable_ratio
        suggestion = "No ratio could be shown to be below the limit with so few rows." if detectable is None else (
            f"With these sizes a true ratio of {number(detectable, limit)} or less would be shown to be below the limit in four of five samples."
        )
    if ratio.label != "below" and _few(group):
        end = end.removesuffix(".") + f"; the group {_only(group)}."
    elif ratio.label == "below" and _too_few(attribute, group, ratio):
        small = [each for each in attribute.groups if each.group in (group.group, ratio.label_contrast) and _few(each)]
        end = f"; nothing is concluded from it, since {' and '.join(f'{_shown(each.group)} {_only(each)}' for each in small)}."
    return Finding(id=f"{rule}:{pointer}", severity=severity, text=start + end, evidence=f"{pointer}/impact_ratio", suggestion=suggestion, rule=rule)


def _of_crossings(tables: Sequence[tuple[str, Attribute]], above: str, of_class: str, limit: float) -> Iterator[Finding]:
    """One sentence for all below and one for all that cannot be told, over all crossings: there may be dozens, of hundreds of cells each. ``above`` is the pointer to all of them."""
    below, few, unclear = [], [], []
    for pointer, attribute in tables:
        ratios = _ratios(attribute)
        shown = [(ratio.value, f"{pointer}/groups/{i}/impact_ratio", attribute, group, ratio) for i, group, ratio in ratios if ratio.label == "below" and not _too_few(attribute, group, ratio)]
        below += shown
        few += [(pointer, attribute)] * (sum(ratio.label == "below" for _, _, ratio in ratios) - len(shown))
        unclear += [(pointer, attribute) for _, _, ratio in ratios if ratio.label == "inconclusive"]
    if below:
        _, evidence, attribute, lowest, ratio = min(below, key=lambda one: one[0])
        whole, where, pointer = _of_which([(evidence.rsplit("/", 3)[0], each) for _, evidence, each, _, _ in below], above)
        yield Finding(
            id=f"impact_ratio_below:{pointer}", severity="high",
            text=f"{len(below)} of {whole} groups of {where} {'is' if len(below) == 1 else 'are'} {_selected(of_class)} at less than the stated limit of {number(limit, limit)} times the rate of "
            f"another group beyond sampling error; the lowest is {_shown(lowest.group)}{'' if pointer != above else f' ({_shown(attribute.attribute)})'} at {_compared(attribute, lowest, ratio, limit)}.",
            evidence=evidence, suggestion="Look at the crossing's table: attributes taken one by one can hide such groups.", rule="impact_ratio_below",
        )
    if few:
        whole, where, pointer = _of_which(few, above)
        yield Finding(
            id=f"impact_ratio_near:{pointer}", severity="low",
            text=f"For {len(few)} of {whole} groups of {where} the ratio is below the stated limit of {number(limit, limit)}; nothing is concluded from it, since fewer "
            f"than {LOW_PRECISION_BELOW} {_what_is_few([group for _, attribute in few for group in attribute.groups])} are compared.",
            evidence=pointer, suggestion="More rows of these groups are needed to say more.", rule="impact_ratio_near",
        )
    if unclear:
        whole, where, pointer = _of_which(unclear, above)
        yield Finding(
            id=f"impact_ratio_inconclusive:{pointer}", severity="info",
            text=f"For {len(unclear)} of {whole} groups of {where} the ratio's side of the stated limit of {number(limit, limit)} is inconclusive at this sample size.",
            evidence=pointer, rule="impact_ratio_inconclusive",
        )


def _of_which(told: Sequence[tuple[str, Attribute]], above: str) -> tuple[int, str, str]:
    """How many groups the crossings have that are told of, their names, and the pointer: to the one, or to all."""
    tables = dict(told)
    names = [attribute.attribute for attribute in tables.values()]
    whole = sum(len(attribute.groups) for attribute in tables.values())
    return whole, (_shown(names[0]) if len(names) == 1 else f"{len(names)} crossings ({_listing(names)})"), next(iter(tables)) if len(names) == 1 else above


def _of_errors(attribute: Attribute, group: Group, pointer: str, of_class: str) -> Iterator[Finding]:
    if isinstance(group.error_rates, NotMeasured) or isinstance(group.error_rates.gaps, NotMeasured):
        return
    whose = {"tpr": "rows whose true label is the favourable one", "fpr": "rows whose true label is not the favourable one"}
    for rate, gap in (("tpr", group.error_rates.gaps.tpr), ("fpr", group.error_rates.gaps.fpr)):
        if isinstance(gap, Estimate) and _excludes(gap, 0):
            relation = "less" if gap.value < 0 else "more"
            outcome = _shown(of_class) if of_class else "the favourable outcome"
            yield Finding(
                id=f"error_gap:{pointer}:{rate}", severity="medium",
                text=f"Among {whose[rate]}, {_shown(group.group)} ({_shown(attribute.attribute)}) get {outcome} {relation} often than {_shown(attribute.reference or '')}: "
                f"the rates differ by {_points(gap.value)} points ({100 * gap.level:.3g} % interval {_points(gap.low)} to {_points(gap.high)}).",
                evidence=f"{pointer}/error_rates/gaps/{rate}",
                suggestion="With unequal base rates not all error measures can agree; say which one governs this use, and why.", rule="error_gap",
            )
    observed = None if isinstance(group.calibration, NotMeasured) else group.calibration.observed_over_expected
    if isinstance(observed, Estimate) and _excludes(observed, 1) and abs(observed.value - 1) >= CALIBRATION_OFF and _beyond_all(group, attribute):
        labels = f"labels {_shown(of_class)}" if of_class else "favourable labels"
        yield Finding(
            id=f"calibration_group:{pointer}", severity="medium",
            text=f"In {_shown(group.group)} ({_shown(attribute.attribute)}) {labels} are observed {number(observed.value, 1)} times as often as the model's probabilities "
            f"expect ({_interval(observed, 1)}).",
            evidence=f"{pointer}/calibration", suggestion="Read the scores of this group with care, or recalibrate.", rule="calibration_group",
        )


def _beyond_all(group: Group, attribute: Attribute) -> bool:
    """Whether a group's calibration is off beyond what the worst of so many groups would be by chance, by its z (Bonferroni)."""
    z = None if isinstance(group.calibration, NotMeasured) else group.calibration.z
    return z is None or abs(z) >= norm.isf(0.025 / max(len(attribute.groups), 1))


def _points(share: float) -> str:
    """Signed percentage points with one decimal, or as many as it takes to show the sign."""
    return next((text for digits in range(1, 7) if float(text := f"{100 * share:+.{digits}f}") != 0 or share == 0), f"{100 * share:+.1e}")


def _of_residuals(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    for i, group, gap in _residual_gaps(attribute):
        yield Finding(
            id=f"residual_gap:{pointer}/groups/{i}", severity="medium",
            text=f"The truth lies {_further(attribute, group, gap)}.",
            evidence=f"{pointer}/groups/{i}/score/residual_difference", suggestion="Look at which inputs this group's error goes with.", rule="residual_gap",
        )


def _of_crossing_residuals(tables: Sequence[tuple[str, Attribute]], above: str) -> Iterator[Finding]:
    """One sentence over all crossings, of the group whose interval is furthest from 0: the largest value alone is the smallest group's."""
    told = [(pointer, attribute, i, group, gap) for pointer, attribute in tables for i, group, gap in _residual_gaps(attribute)]
    if told:
        pointer, attribute, i, group, gap = max(told, key=lambda one: max(one[4].low, -one[4].high))
        whole, where, at = _of_which([(place, each) for place, each, *_ in told], above)
        yield Finding(
            id=f"residual_gap:{at}", severity="medium",
            text=f"For {len(told)} of {whole} groups of {where} the mean error differs from the reference's beyond sampling error; exploratory, as all crossings are. "
            f"Furthest from none: the truth lies {_further(attribute, group, gap)}.",
            evidence=f"{pointer}/groups/{i}/score/residual_difference", suggestion="Look at the crossing's table: attributes taken one by one can hide such groups.", rule="residual_gap",
        )


def _residual_gaps(attribute: Attribute) -> Iterator[tuple[int, Group, Estimate]]:
    """The groups whose mean error differs from the reference's beyond sampling error."""
    for i, group in enumerate(attribute.groups):
        gap = None if isinstance(group.score, NotMeasured) else group.score.residual_difference
        if isinstance(gap, Estimate) and _excludes(gap, 0):
            yield i, group, gap


def _further(attribute: Attribute, group: Group, gap: Estimate) -> str:
    return (f"{'above' if gap.value > 0 else 'below'} the prediction by {significant(abs(gap.value))} more for {_shown(group.group)} ({_shown(attribute.attribute)}) than for "
            f"{_shown(attribute.reference or '')} (difference of mean errors {significant(gap.value)}, {100 * gap.level:.3g} % interval {significant(gap.low)} to {significant(gap.high)})")


def _of_membership(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    rows = sum(group.n for group in attribute.groups) + attribute.unknown
    share = attribute.unknown / rows if rows else 0.0
    if share > UNKNOWN_LOW:
        yield Finding(
            id=f"unknown_share:{pointer}", severity="medium" if share > UNKNOWN_MEDIUM else "low",
            text=f"{attribute.unknown:,} of {rows:,} audited rows ({100 * share:.1f} %) have no known {_shown(attribute.attribute)}; they are counted and left out of its table.",
            evidence=f"{pointer}/unknown", rule="unknown_share",
            suggestion="The band beside each ratio says how far these rows could move it." if any(group.unknown_band for group in attribute.groups)
            else "What these rows could change is not known.",
        )
    small = [group.group for group in attribute.groups if _few(group)]
    if small:
        yield Finding(
            id=f"small_groups:{pointer}", severity="info",
            text=f"{len(small)} of {len(attribute.groups)} groups of {_shown(attribute.attribute)} {'has' if len(small) == 1 else 'have'} fewer than {LOW_PRECISION_BELOW} audited {_what_is_few(attribute.groups)}: {_listing(small)}.",
            evidence=pointer, suggestion="Their intervals are wide; more rows are needed to say more.", rule="small_groups",
        )


def _what_is_few(groups: Sequence[Group]) -> str:
    return "rows" if all(group.n < LOW_PRECISION_BELOW for group in groups if _few(group)) else "independent rows"


def _of_performance(performance: PerformanceSection | NotMeasured, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    if isinstance(performance, NotMeasured):
        yield Finding(
            id="performance_not_measured", severity="info", text=f"Performance was not measured: {performance.reason}.", evidence="/performance",
            rule="performance_not_measured",
        )
        return
    if isinstance(search, SearchSection) and all(trial.state != "complete" for trial in search.trials):
        yield _no_candidate(search)
    else:
        yield from _like_chance(performance, search)
        yield from _against_baseline(performance, search)
    auc = performance.metrics.get("roc_auc")
    if isinstance(auc, Estimate) and auc.value > LEAK_AUC:
        yield Finding(
            id="leak_suspected:auc", severity="high",
            text=f"AUC on the audited rows is {auc.value:.4f} ({100 * auc.level:.3g} % interval {auc.low:.4f} to {auc.high:.4f}), unusually close to 1: an input may hold the answer.",
            evidence="/performance/metrics/roc_auc", suggestion="Check that every input is known at the time of the decision.", rule="leak_suspected",
        )
    if performance.quantile is not None:
        yield from _of_coverage(performance, performance.quantile)


def _of_drift(performance: PerformanceSection | NotMeasured, data: DataSection) -> Iterator[Finding]:
    overall = None if isinstance(performance, NotMeasured) else performance.drift.get("")
    if isinstance(overall, Estimate) and _excludes(overall, 0):
        by_chance = data.split.method == "stratified"
        what = "predictions" if data.target is not None and data.target.task == "regression" else "scores for the favourable outcome"
        yield Finding(
            id="drift", severity="low" if by_chance else "medium",
            text=f"Mean {what} out of fold and on the audited rows differ by {significant(overall.value, 3)} (95 % interval {significant(overall.low, 3)} to {significant(overall.high, 3)}).",
            suggestion="The rows were divided at random: either chance, as in one run of twenty, or one fold's model differs from the average of all of them." if by_chance else
            "The audited rows may come from another time or population than the training rows.", evidence="/performance/drift", rule="drift")


def _of_coverage(performance: PerformanceSection, level: float) -> Iterator[Finding]:
    off = min(COVERAGE_OFF[0], COVERAGE_OFF[1] * min(level, 1 - level))
    tables = [("all audited rows", "/performance/metrics/coverage", performance.metrics.get("coverage"))] + [
        (f"{_shown(group.group)} ({_shown(attribute)})", f"/performance/by_group/{attribute.replace('~', '~0').replace('/', '~1')}/{i}/metrics/coverage", group.metrics.get("coverage"))
        for attribute, groups in performance.by_group.items() for i, group in enumerate(groups)]
    for of, pointer, share in tables:
        if isinstance(share, Estimate) and abs(share.value - level) >= off and _excludes(share, level):
            yield Finding(
                id=f"coverage_off:{pointer}", severity="medium",
                text=f"For {of} the true value lies at or below the predicted {level:g} quantile in {percent(share.value)} of {row_count(share.n)} "
                f"({100 * share.level:.3g} % interval {percent(share.low)} to {percent(share.high)}); {percent(level)} is what was asked for.",
                evidence=pointer, suggestion="Read the predicted quantile of these rows as another one, or look at which inputs it goes with.", rule="coverage_off",
            )


def _no_candidate(search: SearchSection) -> Finding:
    """Blaming the inputs for what a baseline does not know would send people the wrong way."""
    short = search.stopped_because in ("seconds", "finish_requested")
    chosen = next((i for i, row in enumerate(search.leaderboard) if row.chosen), 0)
    return Finding(
        id="no_candidate", severity="high",
        text="The search ended before any candidate was ready: what was audited is the baseline, which gives every row the same answer.",
        evidence=f"/search/leaderboard/{chosen}" if search.leaderboard else "/search", rule="no_candidate",
        suggestion="Run it again with a larger budget." if short else "The list of trials says what kept each candidate back.",
    )


def _like_chance(performance: PerformanceSection, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    # decisions at a cut that nobody chose for it may well have no MCC to speak of
    by_decisions = (("mcc", 0.0),) if isinstance(search, SearchSection) and search.metric == "mcc" else ()
    for metric, chance in (("roc_auc", 0.5), ("r2", 0.0), *by_decisions):
        value = performance.metrics.get(metric)
        if isinstance(value, Estimate) and value.low <= chance:
            # R2 of a constant is never above 0 in any resample, so its interval lies below even where the model does say nothing
            relation = "not distinguishable from" if value.high >= chance else "not above" if metric == "r2" else "below"
            yield Finding(
                id=f"ranking_like_chance:{metric}", severity="high",
                text=f"On the audited rows {_metric(metric)} is {number(value.value, chance)} ({_interval(value, chance)}): {relation} {chance:g}, what knowing nothing gives.",
                evidence=f"/performance/metrics/{metric}", suggestion="Check the target and the inputs before using this model for anything.",
                rule="ranking_like_chance",
            )


def _metric(name: str) -> str:
    return {"roc_auc": "AUC", "r2": "R2", "rmse": "RMSE", "mae": "MAE", "rmsle": "RMSLE", "f1": "F1", "mcc": "MCC"}.get(name, name.replace("_", " "))


def _against_baseline(performance: PerformanceSection, search: SearchSection | NotMeasured) -> Iterator[Finding]:
    metric = _metric_to_compare(performance, search)
    if metric is None:
        return
    smaller = metric in SMALLER_IS_BETTER
    mine = performance.metrics[metric]
    measured = {name: metrics[metric] for name, metrics in performance.baselines.items() if isinstance(metrics.get(metric), Estimate)}
    if not isinstance(mine, Estimate) or not measured:
        return
    values = {name: estimate.value for name, estimate in measured.items() if isinstance(estimate, Estimate)}
    best = (min if smaller else max)(values, key=lambda name: values[name])
    if mine.high >= values[best] if smaller else mine.low <= values[best]:
        worse = mine.low > values[best] if smaller else mine.high < values[best]
        yield Finding(
            id=f"like_baseline:{metric}", severity="high",
            text=f"The model's {_metric(metric)} is {significant(mine.value)} ({100 * mine.level:.3g} % interval {significant(mine.low)} to {significant(mine.high)}); the baseline \"{_shown(best)}\" has {significant(values[best])}: "
            f"{'the whole interval is worse than' if worse else 'the interval includes'} the best baseline's value.",
            evidence=f"/performance/metrics/{metric}", suggestion="Prefer the baseline, or look for better inputs.", rule="like_baseline",
        )


def _metric_to_compare(performance: PerformanceSection, search: SearchSection | NotMeasured) -> str | None:
    """The run's own metric, else the first of the proper ones that was measured."""
    candidates: Iterable[str] = (*([] if isinstance(search, NotMeasured) else [search.metric]), "log_loss", "rmse", "accuracy")
    return next((name for name in candidates if isinstance(performance.metrics.get(name), Estimate)), None)


def _of_explanation(explanation: ExplanationSection | NotMeasured, data: DataSection) -> Iterator[Finding]:
    for i, column in enumerate(data.columns):
        if column.role == "sensitive" and column.used_as_feature:
            yield Finding(
                id=f"sensitive_input:/data/columns/{i}", severity="medium", text=f"The sensitive attribute {_shown(column.name)} is an input of the model.",
                evidence=f"/data/columns/{i}", suggestion="State the basis for using it at the time of the decision, or leave it out.", rule="sensitive_input",
            )
    if isinstance(explanation, NotMeasured):
        return
    sizes = [feature.mean_abs_shap.value if isinstance(feature.mean_abs_shap, Estimate) else 0.0 for feature in explanation.features]
    if len(sizes) > 1 and sum(sizes) > 0 and sizes[0] / sum(sizes) > LEAK_SHARE:
        yield Finding(
            id="leak_suspected:input", severity="high",
            text=f"One input, {_shown(explanation.features[0].feature)}, carries {100 * sizes[0] / sum(sizes):.0f} % of all mean |SHAP| ({explanation.output}); it may hold the answer.",
            evidence="/explanation/features/0", suggestion="Check that this input is known at the time of the decision.", rule="leak_suspected",
        )
    yield from explanation_findings(explanation, data)


def _of_data(data: DataSection) -> Iterator[Finding]:
    for i, left in enumerate(data.left_out):
        if left.n > 0:
            yield Finding(
                id=f"left_out:{i}", severity="medium" if left.n > LEFT_OUT_MEDIUM * max(data.rows, 1) else "low",
                text=f"{left.n:,} of {data.rows:,} rows were left out: {left.reason.rstrip('.')}.", evidence=f"/data/left_out/{i}",
                suggestion="Check whether these rows differ from the others.", rule="left_out",
            )
    yield from (finding for finding in data.quality if finding.severity in ("high", "medium"))
