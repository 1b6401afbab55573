"""What fairness costs: each alternative by the metric and by how far it leaves the groups apart, and the groups' rates before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt

from automl.charts.marks import HALF, OKABE_ITO, Picture, Row, axis_labels, axis_title, chart, data, grouped_dots, half, number_axis
from automl.evidence import Alternative, Chart, Criterion, DeployedAttribute, Estimate, Finding, MitigationSection, NotMeasured, RateSpread, Value
from automl.printing import CRITERION_WORDS, alternative_name, estimate, metric_words, significant, visible

CRITERIA: tuple[Criterion, ...] = ("demographic_parity", "equalized_odds")
AXES = {"demographic_parity": "largest difference of selection rates", "equalized_odds": "largest difference of true or of false positive rates"}
DEPLOYED, OWN, BLIND = "deployed model", "decides by the group", "sees no group when it decides"
LOOKS = {OWN: (OKABE_ITO[4], "triangle-up"), BLIND: (OKABE_ITO[0], "circle"), DEPLOYED: (OKABE_ITO[1], "diamond")}
MOST_SERIES = 4
"""Of the picture of rates: the deployed model and three alternatives."""


def mitigation_charts(section: MitigationSection, findings: Sequence[Finding]) -> Iterator[Chart]:
    """Two an attribute with alternatives: their price and, by group, what those do that a finding names and the furthest-reaching ones."""
    named = section.named_by(findings)
    for place, deployed in enumerate(section.deployed.attributes, start=1):
        mine = section.of(deployed.attribute)
        yield from (_price(section, deployed, mine, place, criterion) for criterion in CRITERIA)
        if (rates := _rates(section, deployed, mine, named, place)) is not None:
            yield rates


def _gap(spread: RateSpread, criterion: Criterion) -> float:
    return spread.demographic_parity_difference if criterion == "demographic_parity" else spread.equalized_odds_difference


def _spread(one: Alternative) -> RateSpread | None:
    return next((each for each in one.fairness.spreads if each.attribute == one.attribute), None)


def _price(section: MitigationSection, deployed: DeployedAttribute, mine: tuple[Alternative, ...], place: int, criterion: Criterion) -> Chart:
    words, where = metric_words(section.metric), section.part.removeprefix("the ")
    axis = f"{AXES[criterion]}, {where}"
    front = next(each for each in section.pareto if (each.attribute, each.criterion, each.without_attribute) == (deployed.attribute, criterion, False))
    points: list[tuple[str, float, Value, str, str]] = [(DEPLOYED, _gap(deployed.spread, criterion), section.deployed.performance[section.metric], DEPLOYED, "deployed")]
    points += [(alternative_name(one), _gap(spread, criterion), one.performance[section.metric].after, OWN if one.uses_attribute_at_decision else BLIND, one.id)
               for one in mine if (spread := _spread(one)) is not None]
    drawn: list[Row] = [{"gap": gap, "value": value.value, "low": value.low, "high": value.high, "series": series, "label": name}
                        for name, gap, value, series, _ in (*points[1:], points[0]) if isinstance(value, Estimate)]  # the deployed model above the others
    return chart(
        f"mitigation-{'parity' if criterion == 'demographic_parity' else 'odds'}-{place}", "mitigation", f"What {CRITERION_WORDS[criterion]} would cost: {visible(deployed.attribute, 60)}",
        _said(deployed, mine, criterion, words, section), _picture(drawn, f"{words}, {where}", axis),
        ("alternative", "id", axis, words, "low", "high", "who decides", f"unbeaten {section.known_on}"),
        [(name, known, gap, *((value.value, value.low, value.high) if isinstance(value, Estimate) else (None, None, None)), series, "yes" if known in front.alternatives else "no")
         for name, gap, value, series, known in points])


def _said(deployed: DeployedAttribute, mine: tuple[Alternative, ...], criterion: Criterion, words: str, section: MitigationSection) -> str:
    """The deployed model, and of each kind the alternative that was nearest to equal rates out of fold."""
    parts = [f"On {section.part} the compared groups of {visible(deployed.attribute, 60)} are {significant(_gap(deployed.spread, criterion), 3)} apart at most with the deployed model, {words} "
             f"{estimate(section.deployed.performance[section.metric])}"]
    now = next((_gap(each.spread, criterion) for each in section.deployed.out_of_fold if each.spread.attribute == deployed.attribute), None)
    for blind, who in ((True, "seeing no group"), (False, "by the group")):
        best = _nearest([one for one in mine if one.uses_attribute_at_decision is not blind], criterion)
        if best is not None and now is not None and _gap(best.out_of_fold.spread, criterion) >= now:
            parts.append(f"no alternative {who} was nearer {section.known_on}")
            continue
        if best is not None and (spread := _spread(best)) is not None:
            known = f"nearest {section.known_on}, {who}"
            parts.append(f"{known}, {alternative_name(best)}: {significant(_gap(spread, criterion), 3)} apart, {words} {estimate(best.performance[section.metric].after)}")
    return "; ".join(parts) + "."


def _nearest(alternatives: list[Alternative], criterion: Criterion) -> Alternative | None:
    """By what was known out of fold, so that the audit part's luck chooses nothing."""
    return min(alternatives, key=lambda one: (_gap(one.out_of_fold.spread, criterion), one.id), default=None)


def _picture(rows: list[Row], words: str, axis: str) -> Picture:
    x = alt.X("gap:Q", title=axis_title(axis, HALF), axis=number_axis(width=HALF), scale=alt.Scale(zero=True, nice=True))
    y = alt.Y("value:Q", title=words, axis=alt.Axis(grid=True), scale=alt.Scale(zero=False))
    named = [name for name in LOOKS if any(row["series"] == name for row in rows)]
    legend = alt.Legend(orient="bottom", direction="vertical", labelLimit=320, symbolStrokeWidth=0)
    colour = alt.Color("series:N", title=None, scale=alt.Scale(domain=named, range=[LOOKS[name][0] for name in named]), legend=legend)
    shape = alt.Shape("series:N", title=None, scale=alt.Scale(domain=named, range=[LOOKS[name][1] for name in named]), legend=legend)
    base = alt.Chart(data(rows))
    bars = base.mark_rule(strokeWidth=1, opacity=0.45, aria=False).encode(x=x, y=alt.Y("low:Q", title=words, scale=alt.Scale(zero=False)), y2=alt.Y2("high:Q"), color=colour)
    dots = base.mark_point(filled=True, size=55, opacity=0.9, aria=False).encode(x=x, y=y, color=colour, shape=shape)
    return half(bars, dots, height=290)


def _rates(section: MitigationSection, deployed: DeployedAttribute, mine: tuple[Alternative, ...], named_by_finding: frozenset[str], place: int) -> Chart | None:
    """Each group's selection rate: deployed, by the alternative that a finding names, by a cut-off of each group's own, and by those that see no group and were nearest out of fold."""
    blind = sorted((one for one in mine if not one.uses_attribute_at_decision), key=lambda one: (_gap(one.out_of_fold.spread, "demographic_parity"), one.id))
    own = _nearest([one for one in mine if one.uses_attribute_at_decision and one.method == "own_cuts"], "demographic_parity")
    first = [one for one in mine if one.id in named_by_finding]
    told = list({one.id: one for one in (*first, *([own] if own is not None else []), *blind)}.values())[:MOST_SERIES - 1]
    if not told:
        return None
    series = [DEPLOYED, *(one.id for one in told)]  # by their numbers: names that begin alike would be cut alike
    values: list[tuple[str, list[Value]]] = [(DEPLOYED, [group.selection_rate for group in deployed.groups])]
    values += [(one.id, [group.selection_rate.after for group in one.fairness.groups]) for one in told]
    labels = axis_labels([group.group for group in deployed.groups], [group.n for group in deployed.groups])
    named = {one.id: f"{one.id}: {alternative_name(one)}" for one in told}
    rows: list[Row] = [
        {"label": labels[at], "place": at, "value": value.value, "low": value.low, "high": value.high, "series": name}
        for name, found in values for at, value in enumerate(found) if not isinstance(value, NotMeasured)]
    if not rows:
        return None
    moved = [(at, group.selection_rate.change.value) for at, group in enumerate(told[0].fairness.groups) if isinstance(group.selection_rate.change, Estimate)]
    furthest = {at: deployed.groups[at] for at, _ in (pick(moved, key=lambda pair: pair[1]) for pick in (max, min) if moved)}
    said = "; ".join(f"{visible(group.group, 40)} {estimate(group.selection_rate, as_percent=True)} with the deployed model, "
                     f"{estimate(told[0].fairness.groups[at].selection_rate.after, as_percent=True)} under {series[1]}" for at, group in furthest.items())
    return chart(
        f"mitigation-rates-{place}", "mitigation", f"Selection rates before and after: {visible(deployed.attribute, 60)}", " ".join([*([f"{said}."] if said else []), f"Drawn are what a finding names and those nearest to equal {section.known_on}.", *(f"{words}." for words in named.values())]),
        grouped_dots(rows, "selection rate, with 95 % interval", series, "who decides", x_format=".0%"),
        ("group", "n", "who decides", "selection rate", "low", "high"),
        [(deployed.groups[at].group, deployed.groups[at].n, named.get(name, name), *((value.value, value.low, value.high) if isinstance(value, Estimate) else (None, None, None)))
         for name, found in values for at, value in enumerate(found)])
