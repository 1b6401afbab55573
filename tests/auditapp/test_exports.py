"""Every export of every kind of run, or one sentence why not; and the same over pages and REST."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from auditapp import results
from auditapp.exports import EXPORTS, NoExport, make_export, obstacle
from auditapp.models import Artifact
from automl.evidence import Evidence, canonical_json
from tests.auditapp.conftest import Cast
from tests.evidence_example import make_evidence
from tests.evidence_variants import hostile, multiclass, predictions, regression, with_law

pytestmark = pytest.mark.django_db


@pytest.fixture
def run_of(succeeded_run: Any) -> Any:
    """A run of Ada's workspace, whose evidence is the one that was given last."""
    made: list[Any] = []

    def make(evidence: Evidence) -> Any:
        from auditapp import storage

        run = made[0] if made else succeeded_run()
        made.append(run)
        stored = storage.put(io.BytesIO(canonical_json(evidence.model_dump(mode="json"))))
        Artifact.objects.filter(run=run, name="evidence.json").update(sha256=stored.sha256, bytes=stored.bytes)
        return run

    return make


def test_every_kind_of_run_has_every_export_or_a_sentence_why_not(run_of: Any) -> None:
    for make in (make_evidence, multiclass, regression, predictions, hostile, with_law):
        run = run_of(make())
        for name, export in EXPORTS.items():
            if export.media_type == "application/pdf":
                continue  # each starts an interpreter; their contents are those of the others
            why = obstacle(results.read_evidence(run), name)
            if why:
                with pytest.raises(NoExport, match=re.escape(why)):
                    make_export(run, name)
                assert why.endswith(".")
            else:
                assert len(make_export(run, name)) > 500


def test_only_the_summary_of_the_law_can_be_missing() -> None:
    assert {EXPORTS[name].of for name in EXPORTS if obstacle(make_evidence(), name)} == {"summary"}
    assert [name for name in EXPORTS if obstacle(with_law(), name)] == []


def test_the_page_of_the_summary_is_a_whole_document_that_loads_nothing(run_of: Any) -> None:
    html = make_export(run_of(with_law()), "local-law-144.html").decode()
    assert html.startswith("<!doctype html>")
    assert "The tool was never in use &lt;b&gt;." in html
    assert re.findall(r'(?:src|href)="([^"]{0,20})', html) == ["data:text/css;base64"]
    assert "<script" not in html
    assert html.count("<table") == html.count("<caption>") == 4
    assert len(re.findall(r'<th scope="row">', html)) == 2 + 7 + 14 + 1


def test_statements_stand_in_every_export_once_they_are_made(run_of: Any, people: Cast) -> None:
    from auditapp import access
    from auditapp.statements import changes as statements

    run = run_of(with_law())
    before = make_export(run, "local-law-144.html")
    caller = access.Caller(people.users["reviewer"], people.workspace, "reviewer")
    statements.change(run, caller, {"system": "Hiring <helper>", "purpose": "To rank applications."}, base=0)
    after = make_export(run, "local-law-144.html").decode()
    assert "Hiring &lt;helper&gt;" in after
    assert "Hiring" not in before.decode()
    assert "To rank applications." in make_export(run, "modelcard.md").decode()
    assert "To rank applications." in make_export(run, "annex-iv.md").decode()


def test_the_card_is_in_the_language_of_the_report_and_its_head_stays_the_hubs(run_of: Any) -> None:
    """Names of the data and what people said stay as they are."""
    from auditapp import report_versions
    from auditapp.exports import Asked, make_of

    evidence = with_law()
    asked = Asked(evidence, report_versions.document_of(run_of(evidence)))
    german = Asked(evidence.model_copy(update={"spec": evidence.spec.model_copy(update={"report_language": "de"})}), asked.statements)
    english, card = (make_of("modelcard.md", one).decode() for one in (asked, german))
    assert "## Verwendung" in card
    assert "## Use" in english
    assert "- Zweckbestimmung: NICHT ANGEGEBEN" in card
    assert "| Gruppe | n | Selektionsrate (95-%-Intervall) |" in card
    assert "### Nach race" in card
    assert "language: de" in card.split("---\n")[1]
    assert "language" not in english.split("---\n")[1]
    assert "model-index" in card


def test_over_rest_with_its_type_a_name_of_ours_and_an_etag(run_of: Any, people: Cast) -> None:
    run, rest = run_of(with_law()), people.rest("viewer")
    listed = rest.get(f"/runs/{run.pk}/exports").json()
    assert [one["name"] for one in listed["items"]] == list(EXPORTS)
    assert {one["obstacle"] for one in listed["items"]} == {None}
    answer = rest.get(f"/runs/{run.pk}/exports/annex-iv.md")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert f"{run.pk}-annex-iv.md" in answer.headers["Content-Disposition"]
    assert rest.get(f"/runs/{run.pk}/exports/annex-iv.md", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert rest.get(f"/runs/{run.pk}/exports/nothing.md").status_code == 404
    assert rest.get(f"/runs/{run.pk}/exports/annex-iv.md?small_cells=perhaps").status_code == 422


def test_over_rest_what_a_run_has_none_of_is_a_conflict_with_the_sentence(run_of: Any, people: Cast) -> None:
    run, rest = run_of(make_evidence()), people.rest("viewer")
    answer = rest.get(f"/runs/{run.pk}/exports/local-law-144.html")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("There is no summary for Local Law 144: ")
    [said] = {one["obstacle"] for one in rest.get(f"/runs/{run.pk}/exports").json()["items"] if one["name"].startswith("local")}
    assert said == answer.json()["detail"]


def test_a_run_that_has_not_ended_has_no_exports(people: Cast) -> None:
    from auditapp import datasets, runs
    from automl.spec import TaskSpec

    dataset = datasets.store_upload(io.BytesIO(b"a,b\n1,2\n"), name="x", filename="x.csv", workspace=people.workspace, user=people.users["owner"])
    run = runs.submit(workspace=people.workspace, dataset=dataset, kind="training", spec=TaskSpec(target="a"), user=people.users["owner"])
    assert people.rest("viewer").get(f"/runs/{run.pk}/exports").status_code == 409
