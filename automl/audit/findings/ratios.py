"""Findings on how often groups are selected, by written rules:

- ``impact_ratio_below`` (high): the ratio is below the stated limit beyond sampling error (label "below" of evidence rule 7).
- ``impact_ratio_near`` (medium; low for crossings and for groups below 30 rows): the ratio is below the limit by exact count, and the label is "inconclusive" or rests on fewer than 30 rows.
- ``impact_ratio_inconclusive`` (low; crossings info): the sample cannot tell on which side of the limit the ratio lies.
- ``impact_ratio_not_below`` (info): every group of an attribute is at or above the limit beyond sampling error.
- ``differs_from_rest`` (medium; info where the label says "not below" of all of them): groups of which "below" is not said are selected less often than the pooled others, by the primary test
  with Holm's correction. A ratio that is inconclusive beside its limit may well be a difference beyond chance (vector V1), and a reader is to know both.
- ``reference_few`` (low): the group that ratios and gaps are taken to has fewer than 30 rows.
- ``reference_not_highest`` (medium where the ratio the other way round is below the limit, else low): a reference that was named beforehand is itself selected less often than another group, beyond
  sampling error. The ratios to it do not show that, and naming the group that is selected least would make all of them look well.
- ``unknown_share`` (low above 5 %, medium above 20 %): rows whose group is unknown. ``small_groups`` (info): groups below 30 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from automl.audit.few_rows import few, label_of_few, only, what_is_few
from automl.audit.findings.words import interval, listing, number, of_which, points, shown
from automl.audit.intervals import LOW_PRECISION_BELOW
from automl.evidence import Attribute, Estimate, Finding, Group, Ratio, Severity, VersusRest
from automl.printing import p_value

UNKNOWN_LOW, UNKNOWN_MEDIUM = 0.05, 0.2
SIGNIFICANT = 0.05
TESTS = {"fisher": "Fisher's exact test", "z_rao_scott": "the z test at effective counts"}
"""What may be a primary test (evidence rule 8)."""


def of_ratio(attribute: Attribute, pointer: str, of_class: str, measured: tuple[Group, Ratio], limit: float) -> Iterator[Finding]:
    """What is said of one group by itself. ``pointer``: to the group."""
    group, ratio = measured
    if ratio.label == "below" and not label_of_few(attribute, group, ratio):
        yield _ratio_finding("impact_ratio_below", "high", attribute, pointer, of_class, measured, limit)
    elif ratio.label in ("below", "inconclusive") and ratio.below_limit_exact:
        yield _ratio_finding("impact_ratio_near", "low" if few(group) else "medium", attribute, pointer, of_class, measured, limit)


def of_all_ratios(attribute: Attribute, pointer: str, of_class: str, limit: float) -> Iterator[Finding]:
    """What is said of the groups of one attribute together. ``pointer``: to its table."""
    ratios = [ratio for _, _, ratio in ratios_of(attribute)]
    unclear = [group.group for _, group, ratio in ratios_of(attribute) if ratio.label == "inconclusive" and not ratio.below_limit_exact]
    if unclear:
        yield Finding(
            id=f"impact_ratio_inconclusive:{pointer}", severity="low",
            text=f"Whether the rate of being {_selected(of_class)} lies below {number(limit, limit)} times that of {shown(attribute.reference or '')} is inconclusive at this "
            f"sample size for {listing(unclear)} ({shown(attribute.attribute)}).",
            evidence=pointer, suggestion="More rows of these groups would narrow the intervals.", rule="impact_ratio_inconclusive",
        )
    others = [ratio for ratio in ratios if ratio.label != "reference"]
    if others and all(ratio.label == "not_below" for ratio in others) and not any(map(few, attribute.groups)):
        lowest = min(others, key=lambda ratio: ratio.value)
        # the reference's own comparisons are not labelled, so the sentence leaves it out
        reference = shown(attribute.reference or "")
        who = shown(attribute.attribute) + ("" if attribute.reference_named else f" other than {reference}")
        compared = reference if attribute.reference_named else "the others"
        yield Finding(
            id=f"impact_ratio_not_below:{pointer}", severity="info",
            text=f"Every group of {who} is {_selected(of_class)} at no less than {number(limit, limit)} times the rate of {compared} beyond sampling "
            f"error; the lowest ratio is {number(lowest.value, limit)} ({interval(lowest, limit)}).",
            evidence=pointer, rule="impact_ratio_not_below",
        )
    yield from _of_rest(attribute, pointer, of_class)
    yield from _of_reference(attribute, pointer)
    yield from _of_named_reference(attribute, pointer, of_class, limit)


def _of_rest(attribute: Attribute, pointer: str, of_class: str) -> Iterator[Finding]:
    untold = [(i, group, ratio.label) for i, group, ratio in ratios_of(attribute) if not few(group) and (
        ratio.label in ("inconclusive", "not_below") or (ratio.label == "below" and label_of_few(attribute, group, ratio)))]
    less = [(*one, *told) for one in untold for told in _against_rest(one[1]) if told[0].value < 0 and told[1] < SIGNIFICANT]
    if not less:
        return
    i, furthest, _, difference, p, test = min(less, key=lambda one: one[3].value)
    adjusted = p_value(p)
    yield Finding(
        id=f"differs_from_rest:{pointer}", severity="medium" if any(label != "not_below" for _, _, label, *_ in less) else "info",
        text=f"For {len(less)} of {len(attribute.groups)} groups of {shown(attribute.attribute)} the rate of being {_selected(of_class)} is lower than that of the pooled others, by {TESTS[test]} "
        f"with Holm's correction over the declared attributes; furthest apart is {shown(furthest.group)}, by {points(difference.value)} points ({100 * difference.level:.3g} % interval "
        f"{points(difference.low)} to {points(difference.high)}; adjusted p {adjusted if adjusted.startswith('<') else f'= {adjusted}'}).",
        evidence=f"{pointer}/groups/{i}/versus_rest", suggestion="A test says whether chance alone may explain a difference, a ratio how large it is: read the two together.", rule="differs_from_rest",
    )


def _against_rest(group: Group) -> Iterator[tuple[Estimate, float, str]]:
    """The difference to the pooled others with the corrected p of its primary test and that test's name, where they were measured."""
    rest = group.versus_rest
    if isinstance(rest, VersusRest) and isinstance(rest.difference, Estimate):
        yield from ((rest.difference, test.p_adjusted, test.name) for test in rest.tests if test.p_adjusted is not None)


def _of_reference(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    for i, group in enumerate(attribute.groups):
        if group.group == attribute.reference and few(group) and len(attribute.groups) > 2:
            yield Finding(
                id=f"reference_few:{pointer}", severity="low",
                text=f"Ratios and gaps of {shown(attribute.attribute)} are taken to {shown(group.group)}, which {only(group)}: they are imprecise, however many rows the other groups have.",
                evidence=f"{pointer}/groups/{i}", rule="reference_few",
                suggestion="Name a group of more rows as the reference before an audit part is opened; comparisons with the pooled others do not depend on it.",
            )


def _of_named_reference(attribute: Attribute, pointer: str, of_class: str, limit: float) -> Iterator[Finding]:
    if not attribute.reference_named or any(group.group == attribute.reference and few(group) for group in attribute.groups):
        return
    large = [(i, group, ratio) for i, group, ratio in ratios_of(attribute) if not few(group)]
    higher = [one for one in large if one[2].label != "reference" and one[2].low > 1]
    if not higher:
        return
    i, highest, ratio = max(higher, key=lambda one: one[2].value)
    _, lowest, least = min(large, key=lambda one: one[2].value)
    reference = shown(attribute.reference or "")
    below = 1 / ratio.low < limit
    compared = f"{reference} is at {number(1 / ratio.value, limit)} times the rate of {shown(highest.group)} (95 % interval {number(1 / ratio.high, limit)} to {number(1 / ratio.low, limit)})"
    side = f"{compared}, below the stated limit of {number(limit, limit)}." if below else f"{compared}."
    further = "" if lowest.group == attribute.reference else f" The lowest, {shown(lowest.group)}, is at {number(least.value / ratio.value, limit)} times the rate of {shown(highest.group)}."
    yield Finding(
        id=f"reference_not_highest:{pointer}", severity="medium" if below else "low",
        text=f"Groups of {shown(attribute.attribute)} are compared with {reference}, as it was named beforehand; {shown(highest.group)} is {_selected(of_class)} more often. {side}{further}",
        evidence=f"{pointer}/groups/{i}/impact_ratio", rule="reference_not_highest",
        suggestion="Ratios to a named reference do not show this: a rule that compares with the highest rate asks for an audit without a named reference.",
    )


def ratios_of(attribute: Attribute) -> list[tuple[int, Group, Ratio]]:
    """The groups that have an impact ratio, with their places in the table."""
    return [(i, group, group.impact_ratio) for i, group in enumerate(attribute.groups) if isinstance(group.impact_ratio, Ratio)]


def _selected(of_class: str) -> str:
    return f"given {shown(of_class)}" if of_class else "selected"


def _compared(attribute: Attribute, group: Group, ratio: Ratio, limit: float) -> str:
    """The comparison that a sentence names: that with the reference or, where that is a handful of people, the one that decided the label."""
    reference = shown(attribute.reference or "")
    return _decided(attribute, group, ratio, limit) or f"{number(ratio.value, limit)} times the rate of {reference} ({interval(ratio, limit)}; {_counts(ratio)}){_shown_by(attribute, ratio)}"


def _decided(attribute: Attribute, group: Group, ratio: Ratio, limit: float) -> str:
    """The comparison that decided the label, where it is not that with the reference and the reference is a handful of people; else empty."""
    handful = any(few(each) for each in attribute.groups if each.group == attribute.reference)
    decided = next((each for each in attribute.groups if each.group == ratio.label_contrast and each.group != attribute.reference), None)
    if not handful or decided is None or ratio.label_high is None:
        return ""
    mine, theirs = group.selection_rate, decided.selection_rate
    if not isinstance(mine, Estimate) or not isinstance(theirs, Estimate) or not theirs.value:
        return ""
    return (f"{number(mine.value / theirs.value, limit)} times the rate of {shown(decided.group)} (upper limit at the label's level {number(ratio.label_high, limit)}; "
            f"{group.selected or 0:,} of {group.n:,} against {decided.selected or 0:,} of {decided.n:,})")


def _shown_by(attribute: Attribute, ratio: Ratio) -> str:
    """Which comparison decided, where it is not the printed one: against a small highest group the printed interval may reach above the limit."""
    return "" if ratio.label_contrast in ("", attribute.reference) else f", as the comparison with {shown(ratio.label_contrast)} shows"


def _counts(ratio: Ratio) -> str:
    """The rows behind a ratio; where weights make the rates, they say so, for the rows' own ratio is another."""
    weighted = bool(ratio.k_ref and ratio.n) and abs(ratio.k * ratio.n_ref / (ratio.n * ratio.k_ref) - ratio.value) > 1e-9
    return f"{'weighted; rows: ' if weighted else ''}{ratio.k:,} of {ratio.n:,} against {ratio.k_ref:,} of {ratio.n_ref:,}"


def _ratio_finding(rule: str, severity: Severity, attribute: Attribute, pointer: str, of_class: str, measured: tuple[Group, Ratio], limit: float) -> Finding:
    group, ratio = measured
    reference = shown(attribute.reference or "")
    start = (
        f"{shown(group.group)} ({shown(attribute.attribute)}) is {_selected(of_class)} at {number(ratio.value, limit)} times the rate of {reference} "
        f"({interval(ratio, limit)}; {_counts(ratio)}), below the stated limit of {number(limit, limit)}"
    )
    if rule == "impact_ratio_below":
        end, suggestion = f" beyond sampling error{_shown_by(attribute, ratio)}.", "Look at which inputs carry the gap, and at the errors of this group."
        if nearest := _decided(attribute, group, ratio, limit):
            highest = next(each for each in attribute.groups if each.group == attribute.reference)
            start = f"{shown(group.group)} ({shown(attribute.attribute)}) is {_selected(of_class)} at {nearest}, below the stated limit of {number(limit, limit)}"
            end = f" beyond sampling error; {reference}, the group with the highest rate, {only(highest)}."
    else:
        compared = "" if attribute.reference_named or len(attribute.groups) < 3 else f" with {len(attribute.groups)} groups compared"
        why = f": {ratio.label_reason}" if ratio.label == "inconclusive" and ratio.label_reason else compared
        end = f"; whether this is more than sampling error is inconclusive at this sample size{why}."
        detectable = group.minimum_detectable_ratio
        suggestion = "No ratio could be shown to be below the limit with so few rows." if detectable is None else (
            f"With these sizes a true ratio of {number(detectable, limit)} or less would be shown to be below the limit in four of five samples."
        )
    if ratio.label != "below" and not few(group) and (nearest := _decided(attribute, group, ratio, limit)):
        end += f" The comparison that comes nearest to showing it is {nearest}."
    if ratio.label != "below" and few(group):
        end = end.removesuffix(".") + f"; the group {only(group)}."
    elif ratio.label == "below" and label_of_few(attribute, group, ratio):
        small = [each for each in attribute.groups if each.group in (group.group, ratio.label_contrast) and few(each)]
        end = f"; nothing is concluded from it, since {' and '.join(f'{shown(each.group)} {only(each)}' for each in small)}."
    return Finding(id=f"{rule}:{pointer}", severity=severity, text=start + end, evidence=f"{pointer}/impact_ratio", suggestion=suggestion, rule=rule)


def of_crossings(tables: Sequence[tuple[str, Attribute]], above: str, of_class: str, limit: float) -> Iterator[Finding]:
    """One sentence for all below and one for all that cannot be told, over all crossings: there may be dozens, of hundreds of cells each. ``above`` is the pointer to all of them."""
    below, small, unclear = [], [], []
    about = f" (of being given {shown(of_class)})" if of_class else ""
    for pointer, attribute in tables:
        ratios = ratios_of(attribute)
        sure = [(ratio.value, f"{pointer}/groups/{i}/impact_ratio", attribute, group, ratio) for i, group, ratio in ratios if ratio.label == "below" and not label_of_few(attribute, group, ratio)]
        below += sure
        small += [(pointer, attribute)] * (sum(ratio.label == "below" for _, _, ratio in ratios) - len(sure))
        unclear += [(pointer, attribute) for _, _, ratio in ratios if ratio.label == "inconclusive"]
    if below:
        _, evidence, attribute, lowest, ratio = min(below, key=lambda one: one[0])
        whole, where, pointer = of_which([(evidence.rsplit("/", 3)[0], each) for _, evidence, each, _, _ in below], above)
        yield Finding(
            id=f"impact_ratio_below:{pointer}", severity="high",
            text=f"{len(below)} of {whole} groups of {where} {'is' if len(below) == 1 else 'are'} {_selected(of_class)} at less than the stated limit of {number(limit, limit)} times the rate of "
            f"another group beyond sampling error; exploratory, as all crossings are. The lowest is {shown(lowest.group)}{'' if pointer != above else f' ({shown(attribute.attribute)})'} at {_compared(attribute, lowest, ratio, limit)}.",
            evidence=evidence, suggestion="Look at the crossing's table: attributes taken one by one can hide such groups.", rule="impact_ratio_below",
        )
    if small:
        whole, where, pointer = of_which(small, above)
        yield Finding(
            id=f"impact_ratio_near:{pointer}", severity="low",
            text=f"For {len(small)} of {whole} groups of {where}{about} the ratio is below the stated limit of {number(limit, limit)}; nothing is concluded from it, since fewer "
            f"than {LOW_PRECISION_BELOW} {what_is_few([group for _, attribute in small for group in attribute.groups])} are compared.",
            evidence=pointer, suggestion="More rows of these groups are needed to say more.", rule="impact_ratio_near",
        )
    if unclear:
        whole, where, pointer = of_which(unclear, above)
        yield Finding(
            id=f"impact_ratio_inconclusive:{pointer}", severity="info",
            text=f"For {len(unclear)} of {whole} groups of {where}{about} the ratio's side of the stated limit of {number(limit, limit)} is inconclusive at this sample size.",
            evidence=pointer, rule="impact_ratio_inconclusive",
        )


def of_membership(attribute: Attribute, pointer: str) -> Iterator[Finding]:
    """Of rows whose group is unknown, and of groups of few rows. ``pointer``: to the table."""
    rows = sum(group.n for group in attribute.groups) + attribute.unknown
    share = attribute.unknown / rows if rows else 0.0
    if share > UNKNOWN_LOW:
        yield Finding(
            id=f"unknown_share:{pointer}", severity="medium" if share > UNKNOWN_MEDIUM else "low",
            text=f"{attribute.unknown:,} of {rows:,} audited rows ({100 * share:.1f} %) have no known {shown(attribute.attribute)}; they are counted and left out of its table.",
            evidence=f"{pointer}/unknown", rule="unknown_share",
            suggestion="The band beside each ratio says how far these rows could move it." if any(group.unknown_band for group in attribute.groups)
            else "What these rows could change is not known.",
        )
    small = [group.group for group in attribute.groups if few(group)]
    if small:
        yield Finding(
            id=f"small_groups:{pointer}", severity="info",
            text=f"{len(small)} of {len(attribute.groups)} groups of {shown(attribute.attribute)} {'has' if len(small) == 1 else 'have'} fewer than {LOW_PRECISION_BELOW} audited {what_is_few(attribute.groups)}: {listing(small)}.",
            evidence=pointer, suggestion="Their intervals are wide; more rows are needed to say more.", rule="small_groups",
        )
