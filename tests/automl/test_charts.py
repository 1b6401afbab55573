"""Charts: drawn by Vega-Lite itself, so that a spec that only looks right fails."""

from __future__ import annotations

import copy
import json
import re
from typing import Any
from xml.etree import ElementTree

import altair as alt
import pytest
import vl_convert

from automl.chart_theme import IN_THE_DARK, in_the_dark, spec_in_the_dark, theme
from automl.charts import draw_charts
from automl.charts.dependence import dependence_charts
from automl.charts.marks import HALF, LINE_END, MAX_ROWS, WIDE, axis_labels, dots_with_intervals, grouped_dots
from automl.evidence import (
    Chart,
    DependencePoint,
    DependenceSection,
    Estimate,
    Evidence,
    ExplanationSection,
    Group,
    NotMeasured,
    PerformanceSection,
    Points,
    ScoreOutcome,
)
from tests.drawing import drawn as charts_of
from tests.evidence_example import make_evidence, make_explanation
from tests.evidence_variants import GAPS, HOSTILE, front_search, hostile, multiclass, predictions, quantile, regression, with_front, with_law
from tests.mitigation_example import with_mitigation
from tests.weakness_example import make_robustness, make_slices, with_weaknesses

KINDS = {
    "binary": make_evidence, "multiclass": multiclass, "regression": regression, "quantile": quantile, "predictions": predictions, "front": with_front, "law": with_law,
    "mitigation": with_mitigation, "weaknesses": with_weaknesses,
}


def numbers_of(node: Any) -> set[float]:
    if isinstance(node, bool) or node is None:
        return set()
    if isinstance(node, int | float):
        return {float(node)}
    if isinstance(node, dict):
        return set().union(*map(numbers_of, node.values()))
    if isinstance(node, list | tuple):
        return set().union(*map(numbers_of, node))
    return set()


@pytest.fixture(scope="module", params=KINDS)
def drawn(request: pytest.FixtureRequest) -> tuple[Evidence, list[Chart]]:
    evidence = KINDS[request.param]()
    return evidence, list(charts_of(evidence).charts)


def test_every_chart_has_a_name_a_sentence_and_its_numbers(drawn: tuple[Evidence, list[Chart]]) -> None:
    _, charts = drawn
    assert charts
    names = [chart.name for chart in charts]
    assert len(set(names)) == len(names)
    for chart in charts:
        assert re.fullmatch(r"[a-z0-9-]+", chart.name)
        assert chart.sentence.endswith(".")
        assert chart.table.rows
        assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)


def test_every_number_of_a_table_is_in_the_evidence(drawn: tuple[Evidence, list[Chart]]) -> None:
    evidence, charts = drawn
    known = numbers_of(evidence.model_dump(mode="json"))
    for chart in charts:
        assert numbers_of([list(row) for row in chart.table.rows]) <= known, chart.name


def test_the_same_evidence_gives_the_same_specs_also_when_read_back(drawn: tuple[Evidence, list[Chart]]) -> None:
    evidence, charts = drawn
    stored = json.dumps(evidence.model_dump(mode="json"), sort_keys=True)
    again = draw_charts(Evidence.model_validate_json(stored)).charts
    assert [json.dumps(chart.spec) for chart in again] == [json.dumps(chart.spec) for chart in charts]
    assert [chart.sentence for chart in again] == [chart.sentence for chart in charts]


def test_specs_carry_no_theme_and_no_background(drawn: tuple[Evidence, list[Chart]]) -> None:
    for chart in drawn[1]:
        assert "config" not in chart.spec
        assert "background" not in chart.spec


def test_no_picture_has_more_marks_than_a_browser_can_move(drawn: tuple[Evidence, list[Chart]]) -> None:
    assert all(len(rows) <= 1_500 for chart in drawn[1] for rows in chart.spec["datasets"].values())


def test_a_spec_in_the_dark_has_other_colours_and_the_same_data() -> None:
    spec = {"datasets": {"a": [{"group": "#0072B2"}]}, "layer": [{"mark": {"color": "#0072B2"}, "encoding": {"color": {"scale": {"domain": ["#0072B2"], "range": ["#0072B2", "#D55E00"]}}}}]}
    dark = spec_in_the_dark(spec)
    assert dark["datasets"] == spec["datasets"]
    assert dark["layer"][0] == {"mark": {"color": "#56B4E9"}, "encoding": {"color": {"scale": {"domain": ["#0072B2"], "range": ["#56B4E9", "#D55E00"]}}}}


def test_the_binary_task_has_every_picture_of_the_report() -> None:
    names = {chart.name for chart in charts_of(make_evidence()).charts}
    assert {"roc", "precision-recall", "calibration", "metric-by-group-1", "selection-rate-1", "impact-ratio-1", "error-rates-1", "selection-rate-crossing-1", "shap-importance",
            "shap-beeswarm", "shap-by-group-1", "score-gap-1", "trials", "leaderboard", "permutation-importance", "proxies-1", "dependence-1", "dependence-2"} <= names


def test_reasons_are_drawn_in_all_and_by_group() -> None:
    charts = {chart.name: chart for chart in charts_of(make_evidence()).charts if chart.section == "reasons"}
    assert list(charts) == ["reasons-stated", "reasons-by-group-1"]
    assert charts["reasons-stated"].sentence.startswith("Stated most often: capital_gain, in 76.0 % (")
    assert "sex" not in {row[0] for row in charts["reasons-stated"].table.rows}, "what is excluded is no reason"
    assert {(row[0], row[1]) for row in charts["reasons-by-group-1"].table.rows} == {(reason, group) for reason in ("capital_gain", "work", "age") for group in ("Female", "Male")}


def test_regression_has_scores_instead_of_rates() -> None:
    names = {chart.name for chart in charts_of(regression()).charts}
    assert "score-1" in names
    assert not any(name.startswith(("selection", "impact", "error")) for name in names)


@pytest.mark.slow
def test_the_front_is_drawn_where_the_search_had_two_objectives() -> None:
    charts = {chart.name: chart for chart in charts_of(with_front()).charts}
    front = charts["front"]
    assert front.section == "search"
    assert "trial 8 (lgbm): area under the ROC curve 0.9266 (0.9226 to 0.9306), demographic parity difference 0.200" in front.sentence
    assert "trial 7 (torch)" in front.sentence
    assert "The deployed model" in front.sentence
    marked = {row[0]: row[4] for row in front.table.rows}
    assert [number for number, on_front in marked.items() if on_front == "yes"] == [6, 7, 8]
    assert 3 not in marked, "a trial without a score has no place"
    line, dots = (front.spec["datasets"][layer["data"]["name"]] for layer in front.spec["layer"])
    assert [point["fairness"] for point in line] == [GAPS[number] for number in (6, 7, 8)]
    assert {row["series"] for row in dots} == {"on the front", "another trial", "deployed model"}
    assert "front" not in {chart.name for chart in charts_of(make_evidence()).charts}


def test_the_steps_of_a_ratio_lead_the_other_way() -> None:
    search = front_search()
    assert search.front is not None
    ratio = search.model_copy(update={"front": search.front.model_copy(update={"metric": "demographic_parity_ratio", "direction": "maximize"})})
    drawn = {chart.name: chart for chart in charts_of(make_evidence(search=ratio)).charts}["front"]
    assert drawn.spec["layer"][0]["mark"]["interpolate"] == "step-before"


def test_slices_disturbances_and_other_cuts_are_drawn() -> None:
    charts = {chart.name: chart for chart in charts_of(with_weaknesses()).charts if chart.section == "weaknesses"}
    assert list(charts) == ["slices", "disturbed-metric", "disturbed-outcome-1", "threshold-curve"]
    assert "where age at most 27 and sex is Female: 36.1 %" in charts["slices"].sentence
    assert "12.7 % (12.1 to 13.3)" in charts["slices"].sentence
    assert "at 20 % missing" in charts["disturbed-metric"].sentence or "at noise 0.2 sd" in charts["disturbed-metric"].sentence
    assert "that of Female" in charts["disturbed-outcome-1"].sentence
    assert "At the chosen cut of 0.500: selection rate 40.9 %" in charts["threshold-curve"].sentence
    assert any(text == "chosen cut" for text in texts_of(charts["threshold-curve"].spec))
    assert [row[1] for row in charts["threshold-curve"].table.rows if row[2] == "accuracy"] == ["no", "no", "yes", "no"]


def test_hostile_names_of_slices_and_groups_are_values() -> None:
    plain = {chart.name: chart for chart in charts_of(with_weaknesses()).charts if chart.section == "weaknesses"}
    names = (HOSTILE[0], HOSTILE[1], HOSTILE[8])
    evil = make_evidence(slices=make_slices((HOSTILE[2], HOSTILE[5])), robustness=make_robustness(names, HOSTILE[11]))
    for chart in charts_of(evil).charts:
        if chart.section == "weaknesses":
            assert chart.name in plain
            for path, text in _strings(chart.spec):
                if any(name in text for name in HOSTILE if len(name) > 3):
                    assert "/values" in path or path.startswith("/datasets/") or path.endswith("/domain"), (chart.name, path, text)
            assert "<script" not in vl_convert.vegalite_to_svg(chart.spec, config=theme(), allowed_base_urls=[])


def test_alternatives_are_drawn_by_their_price_and_their_rates() -> None:
    charts = {chart.name: chart for chart in charts_of(with_mitigation()).charts if chart.section == "mitigation"}
    assert list(charts) == ["mitigation-parity-1", "mitigation-odds-1", "mitigation-rates-1"]
    price = charts["mitigation-parity-1"]
    assert "0.166 apart at most with the deployed model" in price.sentence
    assert "nearest out of fold, seeing no group, exponentiated gradient, equal selection rates: 0.0261 apart" in price.sentence
    assert "by the group, a cut-off for each group, equal selection rates: 0.00310 apart" in price.sentence
    assert {row[1]: row[7] for row in price.table.rows} == {"deployed": "yes", "m1": "yes", "m2": "yes", "m3": "no", "m4": "no", "m5": "no", "m6": "no"}
    drawn = [row for rows in price.spec["datasets"].values() for row in rows]
    assert {row["series"] for row in drawn} == {"deployed model", "decides by the group", "sees no group when it decides"}
    assert {row[2] for row in charts["mitigation-rates-1"].table.rows} == {
        "deployed model", "m2: a cut-off for each group, equal selection rates", "m6: exponentiated gradient, equal selection rates", "m5: reweighing, strength 0.5"}
    assert "under m5. Drawn are what a finding names" in charts["mitigation-rates-1"].sentence, "the finding's alternative comes first"
    assert "m2: a cut-off for each group, equal selection rates." in charts["mitigation-rates-1"].sentence


def test_nothing_measured_nothing_drawn() -> None:
    nothing = NotMeasured(reason="not asked for")
    assert charts_of(make_evidence(search=nothing, performance=nothing, fairness=nothing, explanation=nothing, reasons=nothing)).charts == ()


def test_the_sentence_says_what_the_label_says() -> None:
    charts = {chart.name: chart for chart in charts_of(make_evidence()).charts}
    assert "Female 0.294" in charts["impact-ratio-1"].sentence
    assert "below the limit of 0.80 beyond sampling error" in charts["impact-ratio-1"].sentence
    assert "Male: 25.0 %" in charts["selection-rate-1"].sentence
    assert "limit 0.80" in texts_of(charts["impact-ratio-1"].spec)


def _strings(node: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(node, str):
        return [(path, node)]
    if isinstance(node, dict):
        return [pair for key, value in node.items() for pair in [(path + "/~key", key), *_strings(value, f"{path}/{key}")]]
    if isinstance(node, list):
        return [pair for value in node for pair in _strings(value, path)]
    return []


@pytest.mark.slow
def test_hostile_names_are_values_and_nothing_else() -> None:
    """Each chart of the hostile document differs from the plain one's only inside data values and scale domains, and in what the length of names decides (width, with
    its ticks and lines of titles and labels, and columns of the legend), so no name became code."""
    def without_values(spec: dict[str, Any]) -> Any:
        bare = copy.deepcopy(spec)

        def strip(node: Any) -> Any:
            if isinstance(node, dict):
                return {key: strip(value) for key, value in node.items() if key not in ("values", "domain", "datasets", "data", "columns", "width", "tickCount", "step", "labelExpr", "labelLineHeight", "labelOffset")} | (
                    {"title": " ".join(node["title"])} if isinstance(node.get("title"), list) else {})
            return [strip(value) for value in node] if isinstance(node, list) else node
        return strip(bare)

    charts = {chart.name: chart for chart in charts_of(hostile()).charts}
    plain = {chart.name: chart for make in (with_mitigation, make_evidence) for chart in charts_of(make()).charts}
    shared = [name for name in plain if name in charts and not name.startswith(("shap-by-group", "shap-beeswarm"))]
    assert len(shared) > 13
    assert "mitigation-rates-1" in shared
    for name in shared:
        assert without_values(charts[name].spec) == without_values(plain[name].spec), name
    for chart in charts.values():
        for path, text in _strings(chart.spec):
            if path.endswith("/labelExpr"):
                assert text == f"split(datum.label, '{LINE_END}')", "the only expression, and always the same"
            if any(name in text for name in HOSTILE if len(name) > 3):
                assert "/values" in path or path.startswith("/datasets/") or path.endswith("/domain"), (chart.name, path, text)


@pytest.mark.slow
def test_hostile_names_reach_no_expression_of_the_compiled_picture() -> None:
    charts = {chart.name: chart for chart in charts_of(hostile()).charts}
    for name in ("selection-rate-2", "error-rates-crossing-1", "shap-by-group-1", "shap-importance"):
        compiled = vl_convert.vegalite_to_vega(charts[name].spec)
        for path, text in _strings(compiled):
            if any(bad in text for bad in HOSTILE if len(bad) > 3):
                assert "/values" in path or path.endswith("/domain"), (name, path, text)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["selection-rate-1", "selection-rate-crossing-1", "shap-importance"])
def test_hostile_names_are_drawn_as_text(name: str) -> None:
    chart = next(chart for chart in charts_of(hostile()).charts if chart.name == name)
    svg = vl_convert.vegalite_to_svg(chart.spec, config=theme(), allowed_base_urls=[])
    assert "<script" not in svg
    assert "foreignObject" not in svg
    assert "<text" in svg


@pytest.mark.slow
def test_pictures_differ_by_theme_in_colour_only_and_have_no_background() -> None:
    chart = next(chart for chart in charts_of(make_evidence()).charts if chart.name == "impact-ratio-1")
    light = vl_convert.vegalite_to_svg(chart.spec, config=theme())
    dark = in_the_dark(light)
    assert light != dark
    blank = re.compile(r"#[0-9a-fA-F]{6}")
    assert blank.sub("", light) == blank.sub("", dark)
    assert "<rect" not in light
    assert "'Source Sans 3'" in light


def test_long_names_that_begin_alike_stay_apart() -> None:
    labels = axis_labels(["x" * 200, "x" * 300, "x" * 200], [5, 5, None])
    assert len(set(labels)) == 3
    assert all(len(label) < 60 for label in labels)


@pytest.mark.slow
def test_a_beeswarm_has_at_most_1500_marks() -> None:
    explanation = make_explanation()
    many = tuple(Points(feature=f"f{at}", values=tuple(float(i) for i in range(400)), shap=tuple((-1.0) ** i * i / 400 for i in range(400))) for at in range(10))
    evidence = make_evidence(explanation=ExplanationSection.model_validate({**explanation.model_dump(), "points": [one.model_dump() for one in many]}))
    swarm = next(chart for chart in charts_of(evidence).charts if chart.name == "shap-beeswarm")
    svg = vl_convert.vegalite_to_svg(swarm.spec, config=theme())
    assert len(swarm.table.rows) == 1_500
    assert svg.count("<path") < 1_600


def test_more_groups_than_fit_are_in_the_table() -> None:
    evidence = make_evidence()
    fairness = evidence.fairness
    assert not isinstance(fairness, NotMeasured)
    first = fairness.attributes[0]
    groups = tuple(first.groups[0].model_copy(update={"group": f"g{at}"}) for at in range(MAX_ROWS + 20))
    wide = fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}),)})
    chart = next(chart for chart in charts_of(make_evidence(fairness=wide)).charts if chart.name == "selection-rate-1")
    assert len(chart.table.rows) == MAX_ROWS + 20
    assert "the table all" in chart.sentence


def test_colours_are_okabe_ito_and_every_series_has_a_shape() -> None:
    for chart in charts_of(make_evidence()).charts:
        text = json.dumps(chart.spec)
        assert not re.search(r'"(red|green)"', text)
        if '"field": "status"' in text or '"field": "series"' in text:
            assert '"shape"' in text, chart.name


def test_values_without_an_order_are_drawn_too() -> None:
    explanation = make_explanation()
    mixed = Points(feature="kind", values=("a", "b", None, 2.0), shap=(0.1, 0.2, 0.3, -0.4))
    evidence = make_evidence(explanation=ExplanationSection.model_validate({**explanation.model_dump(), "points": [mixed.model_dump()]}))
    swarm = next(chart for chart in charts_of(evidence).charts if chart.name == "shap-beeswarm")
    svg = vl_convert.vegalite_to_svg(swarm.spec, config=theme())
    marks = re.search(r'class="mark-symbol role-mark[^"]*"[^>]*>(.*?)</g>', svg, re.DOTALL)
    assert marks is not None
    assert marks.group(1).count("<path") == 4


def texts_of(spec: dict[str, Any]) -> list[str]:
    # A text of several lines has one element a line
    return [" ".join(re.findall(r">([^<>]+)<", f">{text}<")) for text in re.findall(r"<text[^>]*>(.*?)</text>", vl_convert.vegalite_to_svg(spec, config=theme()))]


@pytest.mark.parametrize(("share", "flat"), [(1.0, False), (1e-17, True)])
def test_an_input_without_effect_is_a_flat_line(share: float, flat: bool) -> None:
    explanation = make_evidence().explanation
    assert isinstance(explanation, ExplanationSection)
    dependence = explanation.dependence
    assert isinstance(dependence, DependenceSection)

    def of(point: DependencePoint) -> DependencePoint:
        found = point.effect
        assert isinstance(found, Estimate)
        effect = found.model_copy(update={name: share * getattr(found, name) for name in ("value", "low", "high")})
        return point.model_copy(update={"effect": effect, "rows_low": share * point.rows_low, "rows_high": share * point.rows_high})

    features = tuple(one.model_copy(update={"points": tuple(map(of, one.points))}) for one in dependence.features)
    changed = explanation.model_copy(update={"dependence": dependence.model_copy(update={"features": features})})
    found = [each for each in dependence_charts(changed, "log-odds") if each is not None]
    assert len(found) == len(dependence.features)
    assert [("[-0.01, 0.01]" in json.dumps(each.spec)) for each in found] == [flat] * len(found)


@pytest.mark.slow
def test_specs_keep_to_the_schema_of_vega_lite(drawn: tuple[Evidence, list[Chart]]) -> None:
    """Held here, because it would take drawing charts as long again."""
    for chart in drawn[1]:
        alt.Chart.from_dict(chart.spec, validate=True)


@pytest.mark.parametrize("trials", [2, 3, 10])
def test_the_axis_of_trials_has_whole_numbers_once(trials: int) -> None:
    search = make_evidence().search
    assert not isinstance(search, NotMeasured)
    chart = next(chart for chart in charts_of(make_evidence(search=search.model_copy(update={"trials": search.trials[:trials]}))).charts if chart.name == "trials")
    ticks = [text for text in texts_of(chart.spec) if text.isdigit()]
    assert ticks == [str(at) for at in range(trials)]


@pytest.mark.parametrize(("scale", "written"), [(1e-5, "0.22"), (1.0, "22,000"), (1e6, "22,000,000,000")])
def test_mean_predicted_values_are_written_as_plain_numbers(scale: float, written: str) -> None:
    evidence = regression()
    assert not isinstance(evidence.fairness, NotMeasured)
    first = evidence.fairness.attributes[0]

    def scaled(group: Group) -> Group:
        assert isinstance(group.score, ScoreOutcome)
        mean = group.score.mean
        assert isinstance(mean, Estimate)
        mean = mean.model_copy(update={"value": mean.value * scale, "low": mean.low * scale, "high": mean.high * scale})
        return group.model_copy(update={"score": group.score.model_copy(update={"mean": mean})})

    fairness = evidence.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": tuple(map(scaled, first.groups))}),)})
    chart = next(chart for chart in charts_of(evidence.model_copy(update={"fairness": fairness})).charts if chart.name == "score-1")
    texts = texts_of(chart.spec)
    assert any(text.startswith(written) for text in texts), texts
    assert not [text for text in texts if re.fullmatch(r"[-−]?[0-9.]+([a-zA-Zµ]|e[+-]?[0-9]+)", text)]


def test_a_score_of_a_decision_is_named_by_the_favourable_outcome() -> None:
    """It is one minus the model's probability where the favourable class is the negative one: "predicted value" would turn the picture round."""
    numbers, decisions = regression(), make_evidence()
    assert not isinstance(numbers.fairness, NotMeasured)
    assert not isinstance(decisions.fairness, NotMeasured)
    scores = [group.score for group in numbers.fairness.attributes[0].groups]
    first = decisions.fairness.attributes[0]
    groups = tuple(group.model_copy(update={"score": score}) for group, score in zip(first.groups, scores, strict=True))
    scored = decisions.fairness.model_copy(update={"attributes": (first.model_copy(update={"groups": groups}),)})
    for evidence, words in ((make_evidence(fairness=scored), "Mean probability of the favourable outcome by "), (numbers, "Mean predicted value by ")):
        chart = next(chart for chart in charts_of(evidence).charts if chart.name == "score-1")
        assert chart.title.startswith(words)
        assert chart.sentence.startswith(words)
        assert words.lower().removesuffix(" by ") in " ".join(texts_of(chart.spec))


@pytest.mark.slow
def test_marks_can_be_seen_on_a_dark_ground_and_values_of_the_data_stay() -> None:
    for chart in charts_of(make_evidence()).charts:
        light = vl_convert.vegalite_to_svg(chart.spec, config=theme())
        dark = in_the_dark(light)
        assert re.findall(r'(?:fill|stroke)="(#[^"]+)"', dark) == [IN_THE_DARK.get(each, each) for each in re.findall(r'(?:fill|stroke)="(#[^"]+)"', light)]
        if chart.name != "shap-importance":  # its bars are the darker blue, their intervals the lighter one
            assert "#0072B2" not in dark, chart.name
    name = 'fill="#0072B2" > stroke="#1f2933"'
    spec = {"data": {"values": [{"x": name, "y": 1}]}, "mark": {"type": "bar", "color": "#0072B2"}, "encoding": {"x": {"field": "x", "axis": {"labelLimit": 900}}, "y": {"field": "y", "type": "quantitative"}}}
    light = vl_convert.vegalite_to_svg(spec, config=theme())
    dark = in_the_dark(light)
    drawn, before = ElementTree.fromstring(dark), ElementTree.fromstring(light)
    assert list(drawn.itertext()) == list(before.itertext())
    assert any(name in text for text in drawn.itertext())
    assert [each.get("aria-label") for each in drawn.iter()] == [each.get("aria-label") for each in before.iter()]
    assert {"#56B4E9", "#e8eaed"} <= {each.get("fill") for each in drawn.iter()}


def legend_reaches_to(svg: str) -> float:
    """The right end of the legend's widest row of entries, in the picture's own pixels."""
    ends: list[float] = []

    def walk(node: ElementTree.Element, x: float, inside: bool) -> None:
        moved = re.match(r"translate\(([-\d.]+)", node.get("transform", ""))
        x += float(moved[1]) if moved else 0
        inside = inside or "role-legend-entry" in node.get("class", "")
        width = re.match(r"M0,0h([\d.]+)", node.get("d", ""))
        if inside and width and node.get("class") == "background":
            ends.append(x + float(width[1]))
        for child in node:
            walk(child, x, inside)

    walk(ElementTree.fromstring(svg), 0, False)
    return max(ends)


@pytest.mark.parametrize("beside", ["age", "Less than 25 x African-American (n = 203)"])
def test_no_legend_runs_out_of_the_picture(beside: str) -> None:
    names = [f"African-American {i} (n = 251)" for i in range(6)]
    series = grouped_dots([{"label": beside, "place": 0, "series": name, "value": 0.5} for name in names], "x", names, "Group")
    words = dict.fromkeys(("below", "inconclusive", "not below", "reference"), ("#000000", "circle"))
    rows = [{"label": f"{beside} {i}", "place": i, "value": 0.5, "low": 0.4, "high": 0.6, "status": word} for i, word in enumerate(words)]
    for picture in (series, dots_with_intervals(rows, "x", status=words, status_title="Impact ratio against the limit")):
        assert legend_reaches_to(vl_convert.vegalite_to_svg({**picture.to_dict(validate=False), "config": {}}, config=theme())) <= WIDE


def test_mean_truths_are_not_held_against_a_predicted_quantile() -> None:
    """Its mean residual is not 0 where it is right: the picture with the dashed line on which both agree is of means."""
    of_means = regression()
    assert isinstance(of_means.performance, PerformanceSection)
    as_quantile = of_means.model_copy(update={"performance": of_means.performance.model_copy(update={"quantile": 0.9})})
    [of_mean, of_quantile] = ({chart.name for chart in charts_of(evidence).charts} for evidence in (of_means, as_quantile))
    assert of_mean - of_quantile == {"truth-against-prediction"}
    assert "residuals" in of_quantile


def rows_of(*labels: str) -> list[dict[str, Any]]:
    return [{"label": label, "place": place, "value": 0.5, "low": 0.4, "high": 0.6} for place, label in enumerate(labels)]


def labels_of(spec: Any) -> set[str]:
    return {row["label"] for rows in spec["datasets"].values() for row in rows if "label" in row}


@pytest.mark.parametrize(("labels", "lines"), [
    (("Male x White (n = 12)", "Other (n = 3)"), None),
    (("Asian-Pac-Islander x 25 to 39 (n = 166)", "Male (n = 8,163)"), ("Asian-Pac-Islander x|25 to 39 (n = 166)", "Male|(n = 8,163)")),
    (("Male x Amer-Indian-Eskimo (n = 72)",), ("Male x Amer-Indian-Eskimo|(n = 72)",)),
])
def test_labels_that_are_too_long_for_half_the_width_are_broken_all_of_them(labels: tuple[str, ...], lines: tuple[str, ...] | None) -> None:
    spec = dots_with_intervals(rows_of(*labels), "rate").to_dict(validate=False)
    assert spec["width"] == HALF
    assert labels_of(spec) == {line.replace("|", LINE_END) for line in lines or labels}
    assert ("labelExpr" in spec["layer"][0]["encoding"]["y"]["axis"]) == (lines is not None)


def test_labels_stay_whole_where_the_legend_needs_the_whole_width() -> None:
    rows = [{"label": label, "place": place, "series": name, "value": 0.5} for place, label in enumerate(("Asian-Pac-Islander (n = 380)", "b (n = 2)")) for name in ("short", "a name of a series that half the width has no room for")]
    for series, width in ((["short"], HALF), (["short", "a name of a series that half the width has no room for"], WIDE)):
        spec = grouped_dots([row for row in rows if row["series"] in series], "rate", series, "who").to_dict(validate=False)
        assert spec["width"] == width
        assert ("labelExpr" in spec["layer"][0]["encoding"]["y"]["axis"]) == any(LINE_END in label for label in labels_of(spec)) == (width == HALF)


def test_a_name_that_no_break_makes_short_enough_keeps_the_whole_width() -> None:
    spec = dots_with_intervals(rows_of("Some name that is cut at thirty (n = 166)", "b (n = 2)"), "rate").to_dict(validate=False)
    assert spec["width"] == WIDE
    assert not any(LINE_END in label for label in labels_of(spec))


@pytest.mark.parametrize("known", [True, False])
def test_attributions_by_group_have_whiskers_where_an_interval_is_known(known: bool) -> None:
    """A column of nothing but nulls would be a warning in the reader's browser."""
    explanation = make_evidence().explanation
    assert not isinstance(explanation, NotMeasured)
    groups = tuple(group if known else group.model_copy(update={"intervals": {}}) for group in explanation.by_group["sex"])
    [chart] = [one for one in charts_of(make_evidence(explanation=explanation.model_copy(update={"by_group": {"sex": groups}}))).charts if one.name == "shap-by-group-1"]
    rows = [row for rows in chart.spec["datasets"].values() for row in rows]
    assert all(("low" in row) == known for row in rows)
    assert ("95 % interval" in str(chart.spec)) == known
