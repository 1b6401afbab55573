"""The page of laws and documents: items under a profile, laws with their dates, downloads or the sentence why there is none."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from auditapp.models import Run
from automl.crosswalk.jurisdictions import JURISDICTIONS
from automl.evidence import NotMeasured
from tests.auditapp.views.conftest import finish_run
from tests.evidence_example import make_charts, make_evidence
from tests.evidence_variants import with_law

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_every_item_of_the_evidence_stands_with_its_section_and_state(page: Client, finished_run: Run) -> None:
    response = page.get(f"/runs/{finished_run.pk}/results/laws")
    body = response.content.decode()
    assert body.count('id="crosswalk-rows-') == len(make_evidence().crosswalk.rows)  # type: ignore[union-attr]
    text = text_of(response)
    assert "as reviewed on 2026-11-20" in text
    assert "NOT PROVIDED: who oversees, and may override or stop" in text
    assert "SR 11-7 (superseded)" in text
    assert not re.search(r"SR 11-7(?! \(superseded\)|\))", text)


@pytest.mark.parametrize("profile", JURISDICTIONS)
def test_a_profile_in_the_address_selects(page: Client, finished_run: Run, profile: str) -> None:
    response = page.get(f"/runs/{finished_run.pk}/results/laws?profile={profile}")
    body = response.content.decode()
    assert f'<option value="{profile}" selected>' in body
    assert 'id="crosswalk-rows-0"' in body
    if profile == "reg_b":
        assert "Colorado" not in text_of(response).replace("Colorado: SB 26-189", "")


def test_an_unknown_profile_is_not_found(page: Client, finished_run: Run) -> None:
    assert page.get(f"/runs/{finished_run.pk}/results/laws?profile=narnia").status_code == 404


def test_documents_are_offered_or_the_reason_is_given(page: Client, waiting_run: Run) -> None:
    evidence = with_law()
    finish_run(waiting_run, evidence, make_charts(make_evidence()))
    body = page.get(f"/runs/{waiting_run.pk}/results/laws").content.decode()
    for name in ("local-law-144.pdf", "local-law-144.html", "annex-iv.md", "annex-iv.pdf", "modelcard.md"):
        assert f'href="/runs/{waiting_run.pk}/exports/{name}"' in body


def test_without_the_tables_the_sentence_stands_in_place_of_the_link(page: Client, finished_run: Run) -> None:
    response = page.get(f"/runs/{finished_run.pk}/results/laws")
    assert "local-law-144.pdf" not in response.content.decode()
    assert "There is no summary for Local Law 144: " in text_of(response)
    refused = page.get(f"/runs/{finished_run.pk}/exports/local-law-144.html")
    assert refused.status_code == 409
    assert "There is no summary for Local Law 144: " in text_of(refused)


def test_a_download_has_its_type_and_a_name_of_ours(page: Client, finished_run: Run) -> None:
    answer = page.get(f"/runs/{finished_run.pk}/exports/annex-iv.md")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{finished_run.pk}-annex-iv.md"'
    assert page.get(f"/runs/{finished_run.pk}/exports/passwd").status_code == 404


def test_nobody_of_another_workspace_gets_one(stranger: Client, finished_run: Run) -> None:
    assert stranger.get(f"/runs/{finished_run.pk}/exports/annex-iv.md").status_code == 404


def test_evidence_from_before_the_crosswalk_says_so(page: Client, waiting_run: Run) -> None:
    finish_run(waiting_run, make_evidence(crosswalk=NotMeasured(reason="the run was made before <b>")), make_charts(make_evidence()))
    assert "not measured: the run was made before <b>" in text_of(page.get(f"/runs/{waiting_run.pk}/results/laws"))
