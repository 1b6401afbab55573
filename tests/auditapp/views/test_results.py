"""Each section of the results: the numbers of the evidence, the reasons where there are none, downloads, and nothing for strangers."""

from __future__ import annotations

import html
import re
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from auditapp.models import Run
from auditapp.views.results import SECTIONS, tables_of, tally
from automl import printing
from automl.charts import draw_charts
from automl.evidence import Estimate, NotMeasured
from tests.auditapp.views.conftest import finish_run
from tests.evidence_example import make_charts, make_evidence
from tests.evidence_variants import multiclass, quantile, regression, with_front

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


def test_every_rate_of_the_fairness_section_stands_with_its_interval(page: Client, finished_run: Run) -> None:
    text = text_of(page.get(f"/runs/{finished_run.pk}/results/fairness"))
    evidence = make_evidence()
    assert not isinstance(evidence.fairness, NotMeasured)
    for attribute in evidence.fairness.attributes:
        for group in attribute.groups:
            rate = group.selection_rate
            assert isinstance(rate, Estimate)
            assert printing.estimate(rate, as_percent=True) in text


@pytest.mark.parametrize("make", [make_evidence, multiclass, regression, quantile])
def test_each_attribute_has_finding_pictures_table_and_folded_errors_in_this_order(page: Client, waiting_run: Run, make: Any) -> None:
    evidence = make()
    charts = draw_charts(evidence)
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
    assert text.count("not measured:") == 5  # local law 144, reasons, mitigation, slices, robustness


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


@pytest.mark.parametrize("path", ["", "/live", "/results", "/results/fairness", "/report.pdf", "/evidence.json", "/modelcard.md", "/model.onnx", "/bundle.zip", "/charts/roc.svg", "/charts/roc.csv"])
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
    finish_run(waiting_run, regression(), draw_charts(regression()))
    assert "Against the limit" not in text_of(page.get(f"/runs/{waiting_run.pk}/results"))
    text = text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness"))
    assert "the group with the highest mean prediction" in text
    assert "highest rate" not in text


def test_classes_of_which_none_is_favourable_are_said_to_be_measured_one_by_one(page: Client, waiting_run: Run) -> None:
    evidence = multiclass()
    assert not isinstance(evidence.fairness, NotMeasured)
    evidence = evidence.model_copy(update={"fairness": evidence.fairness.model_copy(update={"favourable": ()})})
    finish_run(waiting_run, evidence, draw_charts(evidence))
    assert "No outcome was named as the good one" in text_of(page.get(f"/runs/{waiting_run.pk}/results/fairness"))


def test_the_front_is_on_the_leaderboard_with_its_picture_and_each_groups_rates(page: Client, waiting_run: Run) -> None:
    evidence = with_front()
    finish_run(waiting_run, evidence, draw_charts(evidence))
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


def test_a_search_with_one_objective_shows_no_front(page: Client, finished_run: Run) -> None:
    assert "search-front" not in page.get(f"/runs/{finished_run.pk}/results/leaderboard").content.decode()


def test_a_predicted_quantile_is_called_one(page: Client, waiting_run: Run) -> None:
    finish_run(waiting_run, quantile(), draw_charts(quantile()))
    body = page.get(f"/runs/{waiting_run.pk}/results/performance").content.decode()
    assert "The predicted number is the 0.9 quantile, not the mean" in re.sub(r"0\.90+", "0.9", body)
    assert "Baseline: 0.9 quantile" in body
    assert "quantile loss (pinball)" in body
