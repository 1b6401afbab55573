"""The spec behind a picture: what was drawn, with its look, in the colours of the ground that it is shown on."""

from __future__ import annotations

import pytest
from django.test import Client

from auditapp.models import Run
from automl.chart_theme import IN_THE_DARK, INK
from tests.auditapp.views.conftest import finish_run
from tests.drawing import drawn
from tests.evidence_example import make_charts, make_evidence

pytestmark = pytest.mark.django_db


def test_the_spec_is_the_one_that_was_drawn(page: Client, finished_run: Run) -> None:
    response = page.get(f"/runs/{finished_run.pk}/charts/roc.vl.json")
    drawn = next(chart for chart in make_charts(make_evidence()).charts if chart.name == "roc")
    spec = response.json()
    assert response["Content-Type"] == "application/json"
    assert {key: spec[key] for key in drawn.spec} == drawn.spec
    assert spec["description"] == drawn.sentence
    assert spec["config"]["text"]["color"] == INK
    assert page.get(f"/runs/{finished_run.pk}/charts/roc.vl.json", headers={"if-none-match": response["ETag"]}).status_code == 304


def test_on_a_dark_ground_colours_change_and_data_do_not(page: Client, finished_run: Run) -> None:
    light, dark = (page.get(f"/runs/{finished_run.pk}/charts/roc.vl.json{query}").json() for query in ("", "?theme=dark"))
    assert dark["config"]["text"]["color"] == IN_THE_DARK[INK]
    assert dark["data"] == light["data"]


def test_words_and_numbers_of_an_axis_in_german(page: Client, waiting_run: Run) -> None:
    evidence = make_evidence()
    finish_run(waiting_run, evidence, drawn(evidence))
    english, german = (page.get(f"/runs/{waiting_run.pk}/charts/roc.vl.json{query}").json() for query in ("", "?lang=de"))
    titles = [layer["encoding"]["x"]["title"] for spec in (english, german) for layer in spec["layer"] if "title" in layer["encoding"]["x"]]
    assert titles[0] == "false positive rate"
    assert titles[-1] not in ("", titles[0])
    assert german["description"] != english["description"]
    assert german["datasets"] == english["datasets"]
    assert german["config"]["locale"]["number"]["decimal"] == ","
    assert "locale" not in page.get(f"/runs/{waiting_run.pk}/charts/roc.vl.json?lang=xx").json()["config"]


def test_an_unknown_picture_is_not_found(page: Client, finished_run: Run, waiting_run: Run) -> None:
    assert page.get(f"/runs/{finished_run.pk}/charts/none.vl.json").status_code == 404
    assert page.get("/runs/run_none/charts/roc.vl.json").status_code == 404
