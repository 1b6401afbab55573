"""The pages of a report: who reads, who writes, who signs; errors at their fields, and nothing typed is lost."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
from django.test import Client

from auditapp import report_versions, storage
from auditapp.models import Membership, Report, ReportRendering, Run, SignOffEntry, StatementsVersion, Workspace
from auditapp.statements.fields import FIELDS, SECTIONS, edited_in
from tests.auditapp.report_maker import make_waiting

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def browser(django_user_model: Any, workspace: Workspace) -> Any:
    """A browser in which a new person with this role is logged in."""

    def open_one(role: str, name: str = "") -> Client:
        user = django_user_model.objects.create_user(name or role)
        Membership.objects.create(workspace=workspace, user=user, role=role)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return open_one


def save(client: Client, run: Run, number: int, based_on: int = 0, **fields: str) -> Any:
    return client.post(f"/runs/{run.pk}/statements/{number}", {"based_on": based_on, **fields})


def test_everything_unsaid_says_who_should_say_it(page: Client, finished_run: Run) -> None:
    response = page.get(f"/runs/{finished_run.pk}/statements")
    text = text_of(response)
    assert text.count("NOT PROVIDED") == len(FIELDS)
    assert "Deployer NOT PROVIDED to be provided by the deployer" in text
    assert "Nobody has said anything yet." in text
    body = response.content.decode()
    assert all(f'href="#section-{number}"' in body and f'id="section-{number}"' in body for number in SECTIONS)


def test_a_reviewer_says_it_and_a_viewer_reads_it(browser: Any, finished_run: Run) -> None:
    reviewer, viewer = browser("reviewer"), browser("viewer")
    form = reviewer.get(f"/runs/{finished_run.pk}/statements/3").content.decode()
    for label in re.findall(r'<label class="form-label" for="(id_[^"]+)"', form):
        assert f'id="{label}"' in form
    assert form.count("form-control") + form.count("form-select") == len(edited_in(3))
    answer = save(reviewer, finished_run, 3, purpose="To rank <b>loan</b> requests.\r\nNothing else.", output_role="sole")
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{finished_run.pk}/statements")
    page = viewer.get(f"/runs/{finished_run.pk}/statements")
    assert "To rank &lt;b&gt;loan&lt;/b&gt; requests.<br>Nothing else." in page.content.decode()
    text = text_of(page)
    assert "reviewer (reviewer), " in text
    assert "it is the only criterion" in text
    assert f"2 of {len(FIELDS)} statements are provided." in text
    assert "/statements/3" not in page.content.decode(), "a viewer is not shown the way to the form"
    assert viewer.get(f"/runs/{finished_run.pk}/statements/3").status_code == 403
    assert save(viewer, finished_run, 3, purpose="mine").status_code == 403


def test_an_error_stands_beside_its_field_and_in_the_summary_and_the_text_stays(browser: Any, finished_run: Run) -> None:
    answer = save(browser("owner"), finished_run, 1, system="a\nb", distribution_date="yesterday", provider="A bank")
    body = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#id_system">It has more than one line.</a>' in body
    assert 'id="id_distribution_date_error"' in body
    assert "&#x27;yesterday&#x27; is no date; write it as year, month and day, for example 2026-11-22." in body
    assert 'value="A bank"' in body
    assert "<title>Error: " in body
    assert not StatementsVersion.objects.exists()


def test_an_earlier_version_can_be_read(browser: Any, finished_run: Run) -> None:
    owner = browser("owner")
    save(owner, finished_run, 3, deployer="First bank")
    save(owner, finished_run, 3, 1, deployer="Second bank")
    text = text_of(owner.get(f"/runs/{finished_run.pk}/statements?version=1"))
    assert "As of version 1; the newest is version 2." in text
    assert "First bank" in text
    assert "Second bank" not in text
    assert owner.get(f"/runs/{finished_run.pk}/statements?version=3").status_code == 404


def test_of_two_who_edit_the_same_field_the_second_is_asked_and_loses_nothing(browser: Any, finished_run: Run) -> None:
    one, two = browser("owner", "ann"), browser("reviewer", "ben")
    save(one, finished_run, 3, deployer="Ann's bank")
    late = save(two, finished_run, 3, deployer="Ben's bank", purpose="Ben's purpose")
    assert late.status_code == 409
    body = html.unescape(late.content.decode())
    assert "ann has changed this meanwhile to: “Ann's bank”" in body
    assert "Ben's bank" in body
    assert "Ben's purpose" in body
    assert 'name="based_on" value="1"' in body
    assert StatementsVersion.objects.count() == 1
    assert save(two, finished_run, 3, 1, deployer="Ben's bank", purpose="Ben's purpose").status_code == 302
    assert StatementsVersion.objects.get(version=2).fields["deployer"]["author"] == "ben"


def test_of_two_who_edit_different_fields_both_are_heard(browser: Any, finished_run: Run) -> None:
    one, two = browser("owner", "ann"), browser("reviewer", "ben")
    save(one, finished_run, 3, deployer="Ann's bank")
    assert save(two, finished_run, 3, purpose="Ben's purpose").status_code == 302
    fields = StatementsVersion.objects.get(version=2).fields
    assert {name: said["author"] for name, said in fields.items()} == {"deployer": "ann", "purpose": "ben"}


def test_where_too_many_versions_wait_the_form_says_so(browser: Any, finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_versions, "MOST_WAITING", 0)
    answer = save(browser("owner"), finished_run, 3, deployer="A bank")
    assert answer.status_code == 409
    assert "report versions of this workspace wait to be made" in text_of(answer)
    assert 'value="A bank"' in answer.content.decode()


def test_the_report_page_lists_versions_and_asks_again_while_one_is_being_made(browser: Any, finished_run: Run) -> None:
    owner, address = browser("owner"), f"/runs/{finished_run.pk}/report"
    save(owner, finished_run, 3, deployer="A bank")
    making = owner.get(address)
    assert f'hx-get="{address}"' in making.content.decode()
    assert "Statements: Deployer" in text_of(making)
    assert "HX-Refresh" not in owner.get(address, headers={"HX-Request": "true"})
    make_waiting()
    assert owner.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    made = owner.get(address)
    assert "hx-get" not in made.content.decode()
    assert "Report version 2" in text_of(made)
    for version, data in ((2, b"%PDF-1.7 version 2"), (1, b"%PDF-1.7 a stand-in")):
        assert f'href="/runs/{finished_run.pk}/reports/{version}.pdf"' in made.content.decode()
        assert b"".join(owner.get(f"/runs/{finished_run.pk}/reports/{version}.pdf").streaming_content) == data


def test_the_first_page_is_shown_with_words_where_there_is_a_picture_of_it(browser: Any, finished_run: Run) -> None:
    viewer, address = browser("viewer"), f"/runs/{finished_run.pk}/report"
    assert "page-one" not in viewer.get(address).content.decode()
    assert viewer.get(f"/runs/{finished_run.pk}/reports/1.png").status_code == 404
    stored = storage.put(io.BytesIO(b"\x89PNG a stand-in"))
    Report.objects.filter(run=finished_run, version=1).update(picture_sha256=stored.sha256)
    body = viewer.get(address).content.decode()
    assert f'<img src="/runs/{finished_run.pk}/reports/1.png"' in body
    assert 'alt="First page of report version 1: ' in body
    picture = viewer.get(f"/runs/{finished_run.pk}/reports/1.png")
    assert (picture["Content-Type"], b"".join(picture.streaming_content)) == ("image/png", b"\x89PNG a stand-in")


def test_review_and_approval_by_two_people(browser: Any, finished_run: Run) -> None:
    reviewer, owner, viewer = browser("reviewer"), browser("owner"), browser("viewer")
    address = f"/runs/{finished_run.pk}/report"
    assert "Not reviewed" in text_of(viewer.get(address))
    assert not re.search(r'<form[^>]+action="[^"]+sign-off"', viewer.get(address).content.decode()), "a viewer is not shown the form"
    assert "A reviewer or an owner of the workspace signs off, in two steps by two people." in text_of(viewer.get(address))
    assert re.search(r'<form[^>]+action="[^"]+sign-off"', reviewer.get(address).content.decode())
    assert "You sign off report version 1 as its reviewer." in text_of(reviewer.get(address))
    without = reviewer.post(f"/runs/{finished_run.pk}/sign-off", {"report_version": 1, "step": "review", "reason": " "})
    assert without.status_code == 422
    assert '<a href="#id_reason">Nothing is said.</a>' in without.content.decode()
    assert reviewer.post(f"/runs/{finished_run.pk}/sign-off", {"report_version": 1, "step": "review", "reason": "Read <i>all</i> of it."}).status_code == 302
    make_waiting()
    assert "You reviewed this report; somebody else" in text_of(reviewer.get(address))
    refused = reviewer.post(f"/runs/{finished_run.pk}/sign-off", {"report_version": 2, "step": "approval", "reason": "Mine too."})
    assert refused.status_code == 409
    assert "You reviewed this report; somebody else" in text_of(refused)
    assert "Mine too." in refused.content.decode()
    owner.post(f"/runs/{finished_run.pk}/sign-off", {"report_version": 2, "step": "approval", "reason": "Agreed."})
    make_waiting()
    text = text_of(viewer.get(address))
    assert "Reviewed Read <i>all</i> of it. reviewer (reviewer), " in text
    assert "Approved Agreed. owner (owner), " in text
    assert SignOffEntry.objects.count() == 2


def test_a_version_that_could_not_be_made_says_why_and_is_tried_again(browser: Any, finished_run: Run) -> None:
    owner = browser("owner")
    save(owner, finished_run, 3, deployer="A bank")
    ReportRendering.objects.update(state="failed", failure_code="storage_full", failure_text="there is no room left")
    assert "Could not be made there is no room left" in text_of(owner.get(f"/runs/{finished_run.pk}/report"))
    owner.post(f"/runs/{finished_run.pk}/reports/2/again")
    assert ReportRendering.objects.get().state == "queued"


def test_before_there_are_results_the_run_itself_is_shown(browser: Any, waiting_run: Run) -> None:
    owner = browser("owner")
    for path in ("report", "statements", "statements/3"):
        assert owner.get(f"/runs/{waiting_run.pk}/{path}")["Location"] == f"/runs/{waiting_run.pk}"
    assert owner.post(f"/runs/{waiting_run.pk}/sign-off", {})["Location"] == f"/runs/{waiting_run.pk}"


@pytest.mark.parametrize("path", ["report", "statements", "statements/3", "reports/1.pdf"])
def test_strangers_get_404(stranger: Client, finished_run: Run, path: str) -> None:
    assert stranger.get(f"/runs/{finished_run.pk}/{path}").status_code == 404
