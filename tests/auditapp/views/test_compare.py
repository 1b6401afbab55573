"""The page that puts two runs beside each other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from auditapp.models import Dataset, Run
from tests.auditapp.views.conftest import finish_run
from tests.evidence_example import make_charts, make_evidence

pytestmark = pytest.mark.django_db


@pytest.fixture
def second_run(finished_run: Run, workspace: Any, dataset: Dataset) -> Run:
    first = make_evidence()
    evidence = make_evidence(spec=first.spec.model_copy(update={"seed": 11}), findings=first.findings[1:])
    run = Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title="<b>Second</b>", spec=evidence.spec.model_dump(mode="json"))
    return finish_run(run, evidence, make_charts(evidence))


def test_two_runs_show_settings_numbers_and_findings_that_only_one_has(page: Client, finished_run: Run, second_run: Run) -> None:
    body = page.get(f"/compare?a={finished_run.pk}&b={second_run.pk}").content.decode()
    assert "<code>seed</code>" in body
    assert "&lt;b&gt;Second&lt;/b&gt;" in body
    assert "cannot be told from chance" in body
    assert body.count(make_evidence().findings[0].text.split(",")[0]) == 1
    assert "Findings of the first run only" in body


def test_ticked_runs_of_the_first_page_come_here(page: Client, finished_run: Run, second_run: Run) -> None:
    assert page.get("/").content.decode().count('name="run"') == 2
    response = page.get(f"/compare?run={finished_run.pk}&run={second_run.pk}&run={finished_run.pk}")
    assert "More than two runs were ticked" in response.content.decode()
    assert "Performance" in response.content.decode()


def test_of_two_ticked_runs_the_earlier_one_is_the_first(page: Client, finished_run: Run, second_run: Run) -> None:
    """Differences then say what has changed since."""
    for one, other in ((finished_run, second_run), (second_run, finished_run)):
        answer = page.get(f"/compare?run={one.pk}&run={other.pk}")
        assert (answer.context["first"], answer.context["second"]) == (finished_run, second_run)
    assert page.get(f"/compare?a={second_run.pk}&b={finished_run.pk}").context["first"] == second_run


def test_where_none_was_named_the_two_newest_are_proposed(page: Client, finished_run: Run, second_run: Run) -> None:
    body = page.get("/compare").content.decode()
    assert re.findall(r'value="([^"]+)" selected', body) == [finished_run.pk]
    assert body.index(f'value="{second_run.pk}"') < body.index(f'value="{finished_run.pk}"'), "the second list begins with the newest, which a browser then takes"


def test_with_one_run_or_the_same_twice_it_says_what_is_needed(page: Client, finished_run: Run) -> None:
    assert "Two finished audits are needed" in page.get("/compare").content.decode()
    assert 'name="run"' not in page.get("/").content.decode()


def test_numbers_of_other_rows_are_shown_only_when_asked_for(page: Client, finished_run: Run, workspace: Any, dataset: Dataset) -> None:
    first = make_evidence()
    evidence = make_evidence(data=first.data.model_copy(update={"split": first.data.split.model_copy(update={"seed": 5})}))
    other = finish_run(Run.objects.create(workspace=workspace, kind="training", dataset=dataset, title="Other", spec=evidence.spec.model_dump(mode="json")), evidence, make_charts(evidence))
    address = f"/compare?a={finished_run.pk}&b={other.pk}"
    body = page.get(address).content.decode()
    assert "not measured on the same audit rows (seed)" in body
    assert "ROC AUC" not in body
    assert "ROC AUC" in page.get(f"{address}&anyway=1").content.decode()


def test_a_stranger_and_a_run_that_has_not_ended_are_not_there(page: Client, finished_run: Run, waiting_run: Run) -> None:
    assert page.get(f"/compare?a={finished_run.pk}&b=run_00000000000000000000000000").status_code == 404
