"""Each section of the results: the numbers of the evidence, the reasons where there are none, downloads, and nothing for strangers."""

from __future__ import annotations

import html
import re
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from auditapp import storage
from auditapp.models import Artifact, Run
from auditapp.templatetags import folds
from auditapp.views.results import SECTIONS, glance_of, tables_of, tally
from automl import printing
from automl.audit.labels import RULE
from automl.evidence import Estimate, LawTable, LocalLaw144Section, NotMeasured, ProxyScan, ScoreGap
from tests.auditapp.views.conftest import finish_run
from tests.drawing import drawn
from tests.evidence_example import make_charts, make_evidence
from tests.evidence_variants import (
    LEFT_OUT,
    REASON,
    multiclass,
    quantile,
    regression,
    with_front,
    with_gaps_to_rest,
    with_governing,
    with_label_reason,
    with_law,
)
from tests.mitigation_example import make_mitigation, with_mitigation
from tests.weakness_example import ELSEWHERE, robustness_of_predictions, with_weaknesses

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    """What a reader sees: without tags, white space folded."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_shows_and_marks_itself_as_current(page: Client, finished_run: Run, section: str) -> None:
    response = page.get(f"/runs/{finished_run.pk}/results/{section}")
    assert response.status_code == 200
    assert response.content.decode().count('aria-current="page"') == 1


def test_summary_counts_labels_and_links_findings_to_their_rows(page: Client, finished_run: Run) -> None:
    body = page.get(f"/runs/{finished_run.pk}/results").content.decode()
    evidence = make_evidence()
    counts = tally(evidence)["attributes"]
    assert counts["below"] + counts["inconclusive"] + counts["not_below"] + counts["reference"] == 7
    assert f"<dd>{counts['below']}</dd>" in body
    target = re.search(r'href="(/runs/[^"]+#fairness-attributes-0-groups-0)"', body)
    assert target is not None
    address, _, anchor = target[1].partition("#")
    assert f'id="{anchor}"' in page.get(address).content.decode()


def test_the_summary_answers_for_each_attribute_with_both_rates_the_ratio_and_its_label(page: Client, finished_run: Run) -> None:
    evidence = make_evidence()
    body = page.get(f"/runs/{finished_run.pk}/results").content.decode()
    lines = glance_of(evidence)
    assert [one.attribute for one in lines] == ["sex", "race"]
    for one in lines:
        row = text_of(SimpleNamespace(content=re.search(rf'<tr><th scope="row"><a href="[^"]*#{one.anchor}".*?</tr>', body, re.S)[0].encode()))
        for group in (one.group, one.reference):
            rate = group.selection_rate
            assert isinstance(rate, Estimate)
            assert f"{group.group}: {printing.percent(rate.value)}" in row
        assert printing.LABEL_WORDS[one.ratio.label].lower() in row.lower()
        assert one.ratio.value == min(group.impact_ratio.value for group in evidence.fairness.attributes[lines.index(one)].groups if not isinstance(group.impact_ratio, NotMeasured))


@pytest.mark.parametrize("section", ["explanation", "weaknesses", "mitigation"])
def test_each_picture_of_a_section_is_on_its_page_once(page: Client, waiting_run: Run, section: str) -> None:
    """Templates choose pictures by their names: none may be forgotten."""
    evidence = {"weaknesses": with_weaknesses, "mitigation": with_mitigation}.get(section, make_evidence)()
    charts = drawn(evidence)
    run = finish_run(waiting_run, evidence, charts)
    body = page.get(f"/runs/{run.pk}/results/{section}").content.decode()
    names = [chart.name for chart in charts.charts if chart.section == section]
    assert names
    assert sorted(re.findall(r'<figure class="[^"]*" id="chart-([^"]+)"', body)) == sorted(names)


def test_every_rate_of_the_fairness_section_stands_with_its_interval(page: Client, finished_run: Run) -> None:
    text = text_of(page.get(f"/runs/{finished_run.pk}/results/fairness"))
    evidence = make_evidence()
    assert not isinstance(evidence.fairness, NotMeasured)
    for attribute in evidence.fairness.attributes:
        for group in attribute.groups:
            rate = group.selection_rate
            assert isinstance(rate, Estimate)
            assert printing.estimate(rate, as_percent=True) in text


AGAINST_OTHERS = "Error rates minus those of all others pooled: the reference is a handful of rows"


def test_error_rates_against_all_others_are_left_out_where_they_were_not_measured(page: Client, finished_run: Run) -> None:
    assert AGAINST_OTHERS not in text_of(page.get(f"/runs/{finished_run.pk}/results/fairness"))


def test_error_rates_against_all_others_stand_where_they_were_measured(page: Client, waiting_run: Run) -> None:
    evidence = with_gaps_to_rest()
    finish_run(waiting_run, evidence, make_charts(evidence))
    _, _, table = text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness")).partition(AGAINST_OTHERS)
    assert not isinstance(evidence.fairness, NotMeasured)
    gaps = evidence.fairness.attributes[0].groups[0].error_rates.gaps_to_rest  # type: ignore[union-attr]
    assert printing.estimate(gaps.tpr, as_percent=True, signed=True) in table
    assert "one of the two groups has nobody with the favourable outcome" in table


def test_a_label_that_the_interval_does_not_suggest_says_why(page: Client, waiting_run: Run) -> None:
    evidence = with_label_reason()
    finish_run(waiting_run, evidence, make_charts(evidence))
    text = text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness"))
    assert f"Inconclusive at this sample size {REASON}" in text
    assert RULE in text


def test_the_metric_that_governs_comes_first_and_says_why(page: Client, waiting_run: Run) -> None:
    evidence = with_governing()
    finish_run(waiting_run, evidence, make_charts(evidence))
    response = page.get(f"/runs/{waiting_run.pk}/results/fairness")
    body, text = response.content.decode(), text_of(response)
    assert body.index('id="fairness-governing"') < body.index('class="contents"') < body.index('class="attribute"')
    assert "The difference of true positive rates (equal opportunity) : the answers to four questions led to it" in text
    assert "A refusal cannot be made good." in text
    assert not isinstance(evidence.fairness, NotMeasured)
    assert evidence.fairness.governing is not None
    for row in evidence.fairness.governing.rows:
        assert f"{printing.governing_comparison(row)} {printing.governing_value(row, 0.8)}" in text
    for section in ("provenance", "summary"):
        assert "Metric that governs The difference of true positive rates" in text_of(page.get(f"/runs/{waiting_run.pk}/results/{section}"))


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, quantile])
def test_each_attribute_has_finding_pictures_table_and_folded_errors_in_this_order(page: Client, waiting_run: Run, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "SEEN", 10**6)
    monkeypatch.setattr(folds, "CLOSED", 10**6)
    evidence = make()
    charts = drawn(evidence)
    finish_run(waiting_run, evidence, charts)
    body = page.get(f"/runs/{waiting_run.pk}/results/fairness").content.decode()
    links = re.findall(r'<li><a href="#(fairness-[^"]+)"', body)
    parts = {anchor: part for part in body.split('<section class="attribute" ')[1:] for anchor in re.findall(r'^id="([^"]+)"', part)}
    assert list(parts) == links
    assert len(parts) == len(tables_of(evidence, charts.charts)) == body.count('<section class="attribute" ')
    of_section = [chart.name for chart in charts.charts if chart.section == "fairness"]
    assert sorted(re.findall(r'id="chart-([^"]+)"', body)) == sorted(of_section)
    decision = not isinstance(evidence.fairness, NotMeasured) and evidence.fairness.outcome == "decision"
    for anchor, part in parts.items():
        places = [part.index(what) for what in ("<h2", "<figure", f'id="{anchor}-groups-0"', *(['<details class="panel"'] if decision else []))] if "<figure" in part else [0]
        assert places == sorted(places), anchor
    assert evidence.findings[0].text in html.unescape(parts["fairness-attributes-0"].split("<figure")[0])
    assert evidence.findings[0].text not in html.unescape(parts["fairness-attributes-1"])
    first = re.findall(r'id="chart-([^"]+)"', parts["fairness-attributes-0"])
    assert first == (["selection-rate-1", "impact-ratio-1", "error-rates-1"] if decision else ["score-1"])
    if decision:
        assert 'id="chart-error-rates-1"' in parts["fairness-attributes-0"].split('<details class="panel"')[1]


def test_a_section_that_was_not_measured_says_why(page: Client, waiting_run: Run) -> None:
    evidence = make_evidence(fairness=NotMeasured(reason="no sensitive attribute was chosen <b>"), findings=())
    finish_run(waiting_run, evidence, make_charts(make_evidence()))
    for section in ("summary", "fairness", "not-measured"):
        assert "not measured: no sensitive attribute was chosen <b>" in text_of(page.get(f"/runs/{waiting_run.pk}/results/{section}"))


def test_every_reason_is_listed(page: Client, finished_run: Run) -> None:
    text = text_of(page.get(f"/runs/{finished_run.pk}/results/not-measured"))
    assert text.count("not measured:") == 4  # local law 144, mitigation, slices, robustness


def test_every_picture_has_its_sentence_and_its_table(page: Client, finished_run: Run) -> None:
    for section in ("summary", "performance", "fairness"):
        body = page.get(f"/runs/{finished_run.pk}/results/{section}").content.decode()
        figures = re.findall(r"<figure.*?</figure>", body, flags=re.DOTALL)
        assert figures
        for figure in figures:
            assert re.search(r'alt="[^"]{10,}"', figure)
            assert "<figcaption>" in figure
            assert figure.count("<caption>") == 1
            assert 'scope="col"' in figure
            assert 'scope="row"' in figure


def test_a_picture_is_in_the_language_of_the_page_where_it_was_drawn_in_it(page: Client, finished_run: Run) -> None:
    def picture(query: str) -> bytes:
        answer = page.get(f"/runs/{finished_run.pk}/charts/roc.svg{query}")
        return b"".join(answer.streaming_content)

    drawn = storage.put(BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'>Bild</svg>"))
    Artifact.objects.create(run=finished_run, name="charts/roc.de.svg", sha256=drawn.sha256, bytes=drawn.bytes, media_type="image/svg+xml")
    assert b"Bild" in picture("?lang=de")
    assert picture("?lang=en") == picture("?lang=../x") == picture("")
    assert picture("?lang=de&theme=dark") == picture("?theme=dark"), "that one was not drawn in German"
    body = page.get(f"/runs/{finished_run.pk}/results/performance", headers={"Accept-Language": "de"}).content.decode()
    assert f'src="/runs/{finished_run.pk}/charts/roc.svg?lang=de"' in body
    assert f'srcset="/runs/{finished_run.pk}/charts/roc.svg?theme=dark&amp;lang=de"' in body


def test_pictures_come_in_two_themes_and_their_numbers_as_csv(page: Client, finished_run: Run) -> None:
    light = page.get(f"/runs/{finished_run.pk}/charts/roc.svg")
    dark = page.get(f"/runs/{finished_run.pk}/charts/roc.svg?theme=dark")
    assert light["Content-Type"] == "image/svg+xml"
    assert b"".join(light.streaming_content) != b"".join(dark.streaming_content)
    table = page.get(f"/runs/{finished_run.pk}/charts/roc.csv")
    assert table.content.decode().splitlines()[0] == "false positive rate,true positive rate"
    assert page.get(f"/runs/{finished_run.pk}/charts/none.svg").status_code == 404
    assert page.get(f"/runs/{finished_run.pk}/charts/..%2f..%2fevidence.svg").status_code == 404


def test_a_group_that_looks_like_a_formula_stays_text_in_the_csv(page: Client, waiting_run: Run) -> None:
    evidence = make_evidence()
    charts = make_charts(evidence)
    table = charts.charts[0].table.model_copy(update={"rows": (("=cmd()", 1, 0.5, 0.1, 0.9),)})
    finish_run(waiting_run, evidence, charts.model_copy(update={"charts": (charts.charts[0].model_copy(update={"table": table}),)}))
    assert "'=cmd()" in page.get(f"/runs/{waiting_run.pk}/charts/selection-rates-sex.csv").content.decode()


def test_downloads_are_the_stored_bytes(page: Client, finished_run: Run) -> None:
    evidence = page.get(f"/runs/{finished_run.pk}/evidence.json")
    assert make_evidence().digest.encode() in b"".join(evidence.streaming_content)
    report = page.get(f"/runs/{finished_run.pk}/report.pdf")
    assert report["Content-Disposition"].startswith("attachment")
    assert b"".join(report.streaming_content) == b"%PDF-1.7 a stand-in"
    with zipfile.ZipFile(BytesIO(b"".join(page.get(f"/runs/{finished_run.pk}/bundle.zip").streaming_content))) as archive:
        assert "evidence.json" in archive.namelist()


def test_an_unsigned_report_is_never_handed_out(page: Client, waiting_run: Run) -> None:
    finish_run(waiting_run, make_evidence(), make_charts(make_evidence()), signed=False)
    response = page.get(f"/runs/{waiting_run.pk}/report.pdf")
    assert response.status_code == 409
    assert "awaits its signature" in text_of(response)
    assert "report.pdf" not in page.get(f"/runs/{waiting_run.pk}/results").content.decode()


def test_results_of_a_run_that_has_none_lead_to_the_run(page: Client, waiting_run: Run) -> None:
    assert page.get(f"/runs/{waiting_run.pk}/results")["Location"] == f"/runs/{waiting_run.pk}"
    assert page.get(f"/runs/{waiting_run.pk}/bundle.zip").status_code == 404


@pytest.mark.parametrize("path", ["", "/live", "/results", "/results/fairness", "/report.pdf", "/evidence.json", "/modelcard.md", "/model.onnx", "/reasons.csv", "/bundle.zip", "/charts/roc.svg", "/charts/roc.csv"])
def test_a_stranger_gets_404_and_nobody_gets_the_login(client: Client, stranger: Client, finished_run: Run, path: str) -> None:
    assert stranger.get(f"/runs/{finished_run.pk}{path}").status_code == 404
    assert client.get(f"/runs/{finished_run.pk}{path}")["Location"].startswith("/login?next=")


def test_names_from_the_data_are_never_markup(page: Client, waiting_run: Run) -> None:
    hostile = "<script>alert(1)</script>"
    evidence = make_evidence()
    assert not isinstance(evidence.fairness, NotMeasured)
    attribute = evidence.fairness.attributes[0]
    group = attribute.groups[0].model_copy(update={"group": hostile})
    changed = evidence.fairness.model_copy(update={"attributes": (attribute.model_copy(update={"attribute": hostile, "groups": (group, attribute.groups[1])}),)})
    finish_run(waiting_run, make_evidence(fairness=changed), make_charts(evidence))
    body = page.get(f"/runs/{waiting_run.pk}/results/fairness").content.decode()
    assert hostile not in body
    assert html.escape(hostile) in body



def test_the_band_of_the_unknown_rows_stands_beside_its_ratio(page: Client, finished_run: Run) -> None:
    text = text_of(page.get(f"/runs/{finished_run.pk}/results/fairness"))
    evidence = make_evidence()
    assert not isinstance(evidence.fairness, NotMeasured)
    bands = [group.unknown_band for attribute in evidence.fairness.attributes for group in attribute.groups if group.unknown_band]
    assert bands
    for band in bands:
        assert f"{printing.significant(band.low)} to {printing.significant(band.high)} if the unknown rows belonged here or to the reference" in text


def test_a_number_is_compared_by_means_and_not_with_the_limit_for_ratios(page: Client, waiting_run: Run) -> None:
    finish_run(waiting_run, regression(), drawn(regression()))
    assert "Against the limit" not in text_of(page.get(f"/runs/{waiting_run.pk}/results"))
    text = text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness"))
    assert "the group with the highest mean prediction" in text
    assert "highest rate" not in text


def test_classes_of_which_none_is_favourable_are_said_to_be_measured_one_by_one(page: Client, waiting_run: Run) -> None:
    evidence = multiclass()
    assert not isinstance(evidence.fairness, NotMeasured)
    evidence = evidence.model_copy(update={"fairness": evidence.fairness.model_copy(update={"favourable": ()})})
    finish_run(waiting_run, evidence, drawn(evidence))
    assert "No outcome was named as the good one" in text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness"))


def test_the_front_is_on_the_leaderboard_with_its_picture_and_each_groups_rates(page: Client, waiting_run: Run) -> None:
    evidence = with_front()
    finish_run(waiting_run, evidence, drawn(evidence))
    response = page.get(f"/runs/{waiting_run.pk}/results/leaderboard")
    assert 'id="chart-front"' in response.content.decode()
    text = text_of(response)
    assert not isinstance(evidence.search, NotMeasured)
    assert evidence.search.front is not None
    assert "largest minus smallest selection rate" in text
    assert "no two groups are large enough: race" in text
    for model in evidence.search.front.listed:
        assert isinstance(model.score, Estimate)
        assert printing.estimate(model.score) in text
        for gap in model.attributes[0].gaps:
            assert printing.estimate(gap.difference) in text
        for group in model.attributes[0].groups:
            assert printing.estimate(group.selection_rate, as_percent=True) in text


def test_reasons_stand_with_their_quality_their_texts_and_what_would_have_changed_a_decision(page: Client, finished_run: Run) -> None:
    response = page.get(f"/runs/{finished_run.pk}/results/reasons")
    body, text = response.content.decode(), text_of(response)
    reasons = make_evidence().reasons
    assert not isinstance(reasons, NotMeasured)
    assert f'href="/runs/{finished_run.pk}/reasons.csv"' in body
    for row in reasons.table:
        assert printing.estimate(row.stated, as_percent=True) in text
    for field in ("none", "fewer", "flip_crosses", "flip_moves", "same_first", "without_approved_text", "excluded_would_be_stated"):
        assert f'id="reasons-quality-{field}"' in body
        assert printing.estimate(getattr(reasons.quality, field), as_percent=True) in text
    assert "NOT PROVIDED" in text
    assert "never stated: a sensitive attribute" in text
    assert "a draft that no person approved" in text
    assert "capital_gain from 0 to 3103" in text
    assert "not measured: no change of at most 3 of the actionable columns was found" in text
    assert b"".join(page.get(f"/runs/{finished_run.pk}/reasons.csv").streaming_content).startswith(b"row,score")


def test_where_it_fails_shows_slices_disturbances_cuts_and_chances(page: Client, waiting_run: Run) -> None:
    evidence = with_weaknesses()
    finish_run(waiting_run, evidence, drawn(evidence))
    response = page.get(f"/runs/{waiting_run.pk}/results/weaknesses")
    body, text = response.content.decode(), text_of(response)
    assert re.findall(r'id="chart-([^"]+)"', body) == ["slices", "disturbed-metric", "disturbed-outcome-1", "threshold-curve"]
    assert not isinstance(evidence.slices, NotMeasured)
    assert not isinstance(evidence.robustness, NotMeasured)
    for one in evidence.slices.rows:
        assert printing.estimate(one.error, as_percent=True) in text
    for each in evidence.robustness.perturbations:
        for step in each.steps:
            assert printing.estimate(step.metric_change, signed=True) in text
            for group in step.attributes[0].groups:
                assert printing.estimate(group.outcome_change, as_percent=True, signed=True) in text
    for words in ("5,812 slices", "95.0 %", "0.1312", "the model has no input that is a number and varies", "noise 0.2 sd", "Left out: race: fewer than two groups"):
        assert words in text, words
    for pointer in ("slices-rows-0", "robustness-missing-steps-0", "robustness-membership-auc", "robustness-shift-features", "robustness-label_noise-by_group-0"):
        assert body.count(f'id="{pointer}"') == 1, pointer
    assert len(re.findall(r' id="([^"]+)"', body)) == len(set(re.findall(r' id="([^"]+)"', body)))


def test_where_it_fails_of_predictions_made_elsewhere_says_what_is_missing(page: Client, waiting_run: Run) -> None:
    evidence = make_evidence(robustness=robustness_of_predictions())
    finish_run(waiting_run, evidence, drawn(evidence))
    assert text_of(page.get(f"/runs/{waiting_run.pk}/results/weaknesses")).count(ELSEWHERE.reason) >= 5


def test_a_search_with_one_objective_shows_no_front(page: Client, finished_run: Run) -> None:
    assert "search-front" not in page.get(f"/runs/{finished_run.pk}/results/leaderboard").content.decode()


def test_a_predicted_quantile_is_called_one(page: Client, waiting_run: Run) -> None:
    finish_run(waiting_run, quantile(), drawn(quantile()))
    body = page.get(f"/runs/{waiting_run.pk}/results/performance").content.decode()
    assert "The predicted number is the 0.9 quantile, not the mean" in re.sub(r"0\.90+", "0.9", body)
    assert "Baseline: 0.9 quantile" in body
    assert "quantile loss (pinball)" in body


@pytest.mark.parametrize("profile", [None, "us_credit"])
def test_alternatives_are_on_a_page_of_their_own_with_price_people_and_why_not(page: Client, waiting_run: Run, profile: Any) -> None:
    evidence = with_mitigation(profile)
    finish_run(waiting_run, evidence, drawn(evidence))
    response = page.get(f"/runs/{waiting_run.pk}/results/mitigation")
    body, text = response.content.decode(), text_of(response)
    for one in make_mitigation(profile=profile).alternatives:
        assert f"{one.id}: {html.unescape(printing.alternative_name(one))}" in text
        assert printing.estimate(one.performance["accuracy"].change, signed=True) in text
        assert printing.estimate(one.fairness.gaps[0].selection_rate.change, signed=True) in text
        assert one.why_not in text
    assert "An alternative that does not see sex exists." in text
    assert re.findall(r'id="chart-([^"]+)"', body) == ["mitigation-parity-1", "mitigation-odds-1", "mitigation-rates-1"]
    assert "what takes long is tried only" in text
    assert ("no group may have a cut-off" in text.lower()) is (profile is not None)
    link = re.search(r'href="(/runs/[^"]+#mitigation-alternatives-4)"', page.get(f"/runs/{waiting_run.pk}/results").content.decode())
    assert link is not None
    assert 'id="mitigation-alternatives-4"' in body


def test_names_on_the_page_of_alternatives_are_never_markup(page: Client, waiting_run: Run) -> None:
    bad = "<script>alert(1)</script>"
    evidence = make_evidence(mitigation=make_mitigation((bad, bad + "f", bad + "m")))
    finish_run(waiting_run, evidence, drawn(evidence))
    body = page.get(f"/runs/{waiting_run.pk}/results/mitigation").content.decode()
    assert bad not in body
    assert html.escape(bad) in body


def test_the_explanation_shows_proxies_both_backgrounds_and_how_far_ranks_can_be_relied_on(page: Client, waiting_run: Run) -> None:
    evidence = make_evidence()
    finish_run(waiting_run, evidence, drawn(evidence))
    response = page.get(f"/runs/{waiting_run.pk}/results/explanation")
    body, text = response.content.decode(), text_of(response)
    explanation = evidence.explanation
    assert not isinstance(explanation, NotMeasured)
    assert not isinstance(explanation.proxies, NotMeasured)
    scan, absent = explanation.proxies
    assert isinstance(scan, ProxyScan)
    assert isinstance(absent, NotMeasured)
    assert printing.estimate(scan.auc) in text
    assert f"not measured: {absent.reason}" in text
    for one in scan.features:
        assert printing.estimate(one.alone) in text
    gap = explanation.score_gap_by_input[0]
    assert isinstance(gap, ScoreGap)
    assert not isinstance(gap.second, NotMeasured)
    for share in (*gap.contributions, *gap.second):
        assert printing.estimate(share.contribution, signed=True) in text
    assert not isinstance(explanation.stability, NotMeasured)
    assert f"{printing.significant(explanation.stability.over[0].kendall_tau.mean)} (" in text
    assert not isinstance(explanation.related, NotMeasured)
    assert printing.estimate(explanation.related.groups[0].mean_abs_shap) in text
    for anchor in ("explanation-proxies-0", "explanation-proxies-0-auc", "explanation-proxies-0-features-0", "explanation-score_gap_by_input-0", "explanation-stability-over-1", "explanation-permutation"):
        assert f'id="{anchor}"' in body, anchor
    for name in ("proxies-1", "permutation-importance", "dependence-1", "dependence-2", "score-gap-1"):
        assert f'id="chart-{name}"' in body


def test_an_explanation_of_an_earlier_version_shows_its_reasons(page: Client, waiting_run: Run) -> None:
    explanation = make_evidence().explanation
    assert not isinstance(explanation, NotMeasured)
    missing = NotMeasured(reason="the run was made before this was measured")
    names = ("second_background", "proxies", "stability", "permutation", "related", "dependence", "interactions")
    evidence = make_evidence(explanation=explanation.model_copy(update=dict.fromkeys(names, missing)))
    finish_run(waiting_run, evidence, drawn(evidence))
    text = text_of(page.get(f"/runs/{waiting_run.pk}/results/explanation"))
    assert text.count("not measured: the run was made before this was measured") == len(names)


def test_the_tables_of_local_law_144_stand_on_the_fairness_page_without_a_limit(page: Client, waiting_run: Run) -> None:
    evidence = with_law()
    law = evidence.local_law_144
    assert isinstance(law, LocalLaw144Section)
    finish_run(waiting_run, evidence, drawn(evidence))
    body = page.get(f"/runs/{waiting_run.pk}/results/fairness").content.decode()
    part = body.split('<section class="attribute" id="local_law_144"')[1].split("</section>")[0]
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", part)))
    assert law.title in text
    assert "states no limit" in text
    assert not any(word in text for word in ("below the limit", "four fifths", "inconclusive"))
    assert LEFT_OUT in text
    assert "<b>" not in part.replace("&lt;b&gt;", "")
    assert "Asian-Pac-Islander (race, " in text
    for name in ("sex", "race", "intersectional"):
        table = getattr(law, name)
        assert isinstance(table, LawTable)
        for at, row in enumerate(table.rows):
            assert f'id="local_law_144-{name}-rows-{at}"' in part
            for value in (row.selection_rate, row.scoring_rate):
                if isinstance(value, Estimate):
                    assert printing.estimate(value, as_percent=True).split(" (")[0] in text
            assert printing.ratio(row.impact_ratio, None).replace("not measured: ", "") in text
    assert re.findall(r'id="chart-(law-[^"]+)"', body) == ["law-sex", "law-race", "law-intersectional"]
    assert "Tables of New York" not in text_of(page.get(f"/runs/{waiting_run.pk}/results/not-measured"))


def test_tables_that_nobody_asked_for_are_not_on_the_page(page: Client, finished_run: Run) -> None:
    assert 'id="local_law_144"' not in page.get(f"/runs/{finished_run.pk}/results/fairness").content.decode()
    assert "Tables of New York" in text_of(page.get(f"/runs/{finished_run.pk}/results/not-measured"))


def test_every_fairness_table_says_its_design(page: Client, finished_run: Run) -> None:
    evidence = make_evidence()
    text = text_of(page.get(f"/runs/{finished_run.pk}/results/fairness"))
    assert not isinstance(evidence.fairness, NotMeasured)
    for attribute in (*evidence.fairness.attributes, *evidence.fairness.intersections):
        assert printing.design(evidence.design, attribute.unknown) in text
    assert text.count("Design: people like those") == len((*evidence.fairness.attributes, *evidence.fairness.intersections))


@pytest.mark.parametrize("section", ["fairness", "mitigation", "performance", "explanation"])
def test_nothing_of_a_section_is_lost_where_there_is_no_room(page: Client, waiting_run: Run, section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = with_mitigation()
    finish_run(waiting_run, evidence, drawn(evidence))
    address = f"/runs/{waiting_run.pk}/results/{section}"
    whole = set(re.findall(r'\bid="([^"]+)"', page.get(address).content.decode()))
    monkeypatch.setattr(folds, "SEEN", 0)
    monkeypatch.setattr(folds, "CLOSED", 0)
    found, seen = page.get(address).content.decode(), set()
    waiting = [found]
    while waiting:
        text = waiting.pop()
        seen |= set(re.findall(r'\bid="([^"]+)"', text))
        for part in re.findall(r'data-part="([^"]+)"', text):
            alone = page.get(html.unescape(part))
            assert alone.status_code == 200
            waiting.append(alone.content.decode())
    assert whole <= seen
    assert len(found) < 60_000


@pytest.mark.parametrize("make", [make_evidence, with_weaknesses, with_mitigation])
def test_every_finding_leads_to_a_place_that_is_there(page: Client, waiting_run: Run, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "SEEN", 0)
    monkeypatch.setattr(folds, "CLOSED", 0)
    evidence = make()
    finish_run(waiting_run, evidence, drawn(evidence))
    links = set(re.findall(r'href="([^"]+\?to=[^"]+)"', page.get(f"/runs/{waiting_run.pk}/results").content.decode()))
    assert links
    for link in links:
        address, _, anchor = html.unescape(link).partition("#")
        assert f'id="{anchor}"' in page.get(address).content.decode(), link


def test_every_wide_table_can_be_scrolled_by_keyboard() -> None:
    """In a narrow window any of them may be wider than the page: in the tab order, with a name of its own."""
    found = [path.name for path in Path("templates").rglob("*.html") for tag in re.findall(r'<div class="table-responsive[^>]*>', path.read_text()) if 'tabindex="0" role="region" aria-label=' not in tag]
    assert not found
