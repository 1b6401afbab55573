"""Cohorts as the rows, pages and routes keep them: saved from a slice, chosen for a later audit, gone with the run."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from auditapp import cohorts, ledger, runs
from auditapp.access import Caller
from auditapp.forms import drafts
from auditapp.models import Dataset, LedgerEntry, Run, SavedCohort, Workspace
from automl.errors import BadInput
from automl.evidence import DatasetProfile
from automl.spec import TaskSpec
from tests.auditapp.views.conftest import dataset, finish_run, page, profile, stranger, waiting_run  # noqa: F401 - fixtures
from tests.auditapp.views.test_new_audit import ATTRIBUTES, COLUMNS, OUTCOME, TARGET
from tests.evidence_example import make_charts, make_evidence
from tests.weakness_example import make_slices, with_weaknesses


@pytest.fixture
def run(waiting_run: Run) -> Run:  # noqa: F811 - the fixture
    evidence = make_evidence(slices=make_slices())
    return finish_run(waiting_run, evidence, make_charts(evidence))


@pytest.fixture
def who(analyst: Any, workspace: Workspace) -> Caller:
    return Caller(user=analyst, workspace=workspace, role="analyst")


def test_a_slice_is_saved_as_a_spec_asks_for_it(run: Run, who: Caller) -> None:
    saved = cohorts.save(run, 0, "  Young women ", who)
    asked = cohorts.as_asked(saved)
    assert (asked.name, asked.found_in, asked.where) == ("Young women", run.pk, make_slices().rows[0].conditions)
    assert saved.words == make_slices().rows[0].words
    assert TaskSpec(target="income", cohorts=(asked,)).cohorts == (asked,)
    entry = LedgerEntry.objects.filter(workspace=who.workspace).last()
    assert entry is not None
    assert (entry.action, entry.subject, entry.data) == ("cohort.saved", saved.pk, {"run": run.pk, "slice": 0})
    cohorts.remove(saved, who)
    assert not SavedCohort.objects.exists()
    assert ledger.verify(who.workspace) == []


@pytest.mark.parametrize(("place", "name", "words"), [
    (2, "A", "no such error slice"), (-1, "A", "no such error slice"), (0, " ", "needs a name"), (0, "x" * 81, "needs a name"), (0, "a\nb", "needs a name"), (0, "Known", "has a cohort of that name"),
])
def test_what_cannot_be_saved_says_why(place: int, name: str, words: str, run: Run, who: Caller) -> None:
    cohorts.save(run, 1, "Known", who)
    with pytest.raises(BadInput, match=words):
        cohorts.save(run, place, name, who)
    assert SavedCohort.objects.count() == 1


def test_a_workspace_keeps_so_many(run: Run, who: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohorts, "MOST_COHORTS", 1)
    cohorts.save(run, 0, "One", who)
    with pytest.raises(BadInput, match="which is the limit"):
        cohorts.save(run, 1, "Two", who)


def test_a_run_from_before_cohorts_has_words_alone(waiting_run: Run, who: Caller) -> None:  # noqa: F811
    section = make_slices()
    evidence = make_evidence(slices=section.model_copy(update={"rows": tuple(one.model_copy(update={"conditions": ()}) for one in section.rows)}))
    old = finish_run(waiting_run, evidence, make_charts(evidence))
    with pytest.raises(BadInput, match="older than cohorts"):
        cohorts.save(old, 0, "A", who)


def test_it_goes_with_the_run_that_it_was_found_in(run: Run, who: Caller, page: Client) -> None:  # noqa: F811
    cohorts.save(run, 0, "Young women", who)
    who.workspace.memberships.update(role="owner")
    assert "1 cohort that was saved from its slices" in page.get(f"/runs/{run.pk}/delete").content.decode()
    runs.delete_run(run, who.user)
    assert not SavedCohort.objects.exists()


def test_only_those_that_the_table_can_answer_are_offered(run: Run, who: Caller) -> None:
    both, age = cohorts.save(run, 0, "Both", who), cohorts.save(run, 1, "Age", who)
    assert cohorts.that_fit(who.workspace, {"age", "sex"}) == [age, both]
    assert cohorts.that_fit(who.workspace, {"age"}) == [age]
    assert cohorts.that_fit(Workspace.objects.create(name="Another"), {"age", "sex"}) == []


def test_saved_on_the_page_and_chosen_for_the_next_audit(page: Client, run: Run, profile: DatasetProfile, dataset: Dataset) -> None:  # noqa: F811
    """Page 15 to the plan of the next audit: nothing is measured on the way, and the sealed run stays as it is."""
    weaknesses = f"/runs/{run.pk}/results/weaknesses"
    assert "Save as cohort" in page.get(weaknesses).content.decode()
    saved = page.post(f"/runs/{run.pk}/cohorts", {"slice": "0", "name": "Young <b>women</b>"})
    assert saved["Location"] == f"{weaknesses}#saved-cohorts"
    body = page.get(weaknesses).content.decode()
    assert "Young &lt;b&gt;women&lt;/b&gt;" in body
    cohort = SavedCohort.objects.get()
    assert f'value="{cohort.pk}"' in body
    for step, answers in (("columns", COLUMNS), ("target", TARGET), ("outcome", OUTCOME)):
        assert page.post(f"/new/{dataset.pk}/{step}", answers).status_code == 302
    asked = page.get(f"/new/{dataset.pk}/attributes").content.decode()
    assert "Young &lt;b&gt;women&lt;/b&gt;" in asked
    key = asked.split('name="cohorts" value="')[1].split('"')[0]
    page.post(f"/new/{dataset.pk}/attributes", {**ATTRIBUTES, "cohorts": [key]})
    draft = drafts.read(page.session, dataset.pk)
    assert draft.get("attributes", "cohorts") == [cohorts.as_asked(cohort).model_dump(mode="json")]


def test_another_audit_with_it_in_one_step(page: Client, run: Run, profile: DatasetProfile, dataset: Dataset, who: Caller) -> None:  # noqa: F811
    cohort = cohorts.save(run, 0, "Young women", who)
    page.post(f"/runs/{run.pk}/again", {"cohort": cohort.pk})
    spec = drafts.spec_of(drafts.read(page.session, dataset.pk), profile)
    assert [one.name for one in spec.cohorts] == ["Young women"]
    assert "Young women" in {line.answer for line in drafts.answers_of(spec, profile, None)}
    assert any("Young women" in sentence for sentence in drafts.plan_sentences(spec, profile, None))
    assert page.post(f"/runs/{run.pk}/again", {"cohort": "coh_" + "0" * 26}).status_code == 404


def test_what_cannot_be_saved_is_said_on_the_page(page: Client, run: Run) -> None:  # noqa: F811
    for answers in ({}, {"slice": "٣", "name": "A"}, {"slice": "9" * 400, "name": "A"}):
        assert "no such error slice" in page.post(f"/runs/{run.pk}/cohorts", {"name": "A", **answers}, follow=True).content.decode()
    assert not SavedCohort.objects.exists()


def test_removed_on_the_page_by_who_may(page: Client, stranger: Client, run: Run, who: Caller) -> None:  # noqa: F811
    cohort = cohorts.save(run, 0, "Young women", who)
    assert stranger.post(f"/cohorts/{cohort.pk}/remove").status_code == 404
    assert page.post(f"/cohorts/{cohort.pk}/remove").status_code == 302
    assert not SavedCohort.objects.exists()


def test_the_page_shows_what_a_later_audit_measured(page: Client, waiting_run: Run) -> None:  # noqa: F811
    evidence = with_weaknesses()
    finish_run(waiting_run, evidence, make_charts(evidence))
    body = page.get(f"/runs/{waiting_run.pk}/results/weaknesses").content.decode()
    assert evidence.cohorts is not None
    for words in ("Young women", "36.1 %", "more, beyond sampling error", "education is neither an input nor a declared attribute of this audit", "Within the cohort Young women", "0.71"):
        assert words in body, words
    assert body.count('id="cohorts-rows-0"') == 1
    assert "cohorts" not in page.get(f"/runs/{waiting_run.pk}/results/weaknesses?part=cohort-1").content.decode().split("<table")[0]


def test_over_rest(people: Any, dataset: Dataset, workspace: Workspace) -> None:  # noqa: F811
    rest = people.rest("owner")
    run = Run.objects.create(workspace=people.workspace, kind="training", dataset=dataset, title="", spec={})
    evidence = make_evidence(slices=make_slices())
    finish_run(run, evidence, make_charts(evidence))
    made = rest.post("/cohorts", {"run": run.pk, "slice": 0, "name": "Young women"}, **{"Idempotency-Key": "one"})
    cohort = made.json()
    assert (made.status_code, cohort["name"], cohort["run"], cohort["created_by"]) == (201, "Young women", run.pk, "owner")
    assert rest.post("/cohorts", {"run": run.pk, "slice": 0, "name": "Young women"}, **{"Idempotency-Key": "one"}).json() == cohort
    assert rest.get("/cohorts").json() == {"items": [cohort], "next": None, "prev": None}
    TaskSpec.model_validate({"target": "income", "cohorts": [{"name": cohort["name"], "where": cohort["where"], "found_in": cohort["run"]}]})
    for wrong, pointer in (({"slice": 7}, "/slice"), ({"name": " "}, "/name"), ({"name": "Young women"}, "/name"), ({"more": 1}, "/more")):
        refused = rest.post("/cohorts", {"run": run.pk, "slice": 1, "name": "Young", **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert rest.delete(f"/cohorts/{cohort['id']}").json()["removed"] == {"cohort": True}
    assert rest.delete(f"/cohorts/{cohort['id']}").status_code == 404
