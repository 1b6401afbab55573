"""Setting up an audit: every step by plain POST, as a browser without JavaScript sends it, to the spec that the run gets."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
from django.test import Client

from auditapp import datasets
from auditapp.models import Dataset, Membership, Profile, Run
from auditapp.sample import SAMPLE_SPEC
from auditapp.storage import StorageFull
from auditapp.views.new_audit import TABLES_A_PAGE
from automl.evidence import DatasetProfile
from tests.profile_example import HOSTILE

pytestmark = pytest.mark.django_db

COLUMNS = {"role-0": "feature", "role-1": "sensitive", "role-2": "feature", "role-3": "id", "role-4": "feature", "role-5": "target", "role-6": "ignore", "role-7": "ignore", "leak-4": "leave"}
TARGET = {"target": "5", "task": ""}
OUTCOME = {"positive": "1", "good": "good", "left_out": "on"}
ATTRIBUTES = {"sensitive": ["1", "0"], "intersections": "2", "limit": "0.8"}
GROUPS = {"bins-0": "30, 45", "reference-1": "0"}
BUDGET = {"preset": "custom", "trials": "3", "metric": "roc_auc", "families": ["lgbm"], "split": "random", "audit_fraction": "0.25", "seed": "7"}


def send(page: Client, dataset: Dataset, step: str, answers: dict[str, Any], query: str = "") -> Any:
    return page.post(f"/new/{dataset.pk}/{step}{query}", answers)


def answer_all(page: Client, dataset: Dataset) -> None:
    for step, answers in (("columns", COLUMNS), ("target", TARGET), ("outcome", OUTCOME), ("attributes", ATTRIBUTES), ("groups", GROUPS), ("budget", BUDGET)):
        response = send(page, dataset, step, answers)
        assert response.status_code == 302, (step, response.content.decode())


def test_answers_add_up_to_the_spec_of_the_run(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    response = send(page, dataset, "check", {"title": "My audit"})
    run = Run.objects.get()
    assert response["Location"] == f"/runs/{run.pk}"
    assert run.title == "My audit"
    said = {key: run.spec[key] for key in ("target", "positive", "favourable", "sensitive", "bins", "reference", "metric", "families", "seed", "budget", "weight", "task")}
    assert said == {"target": "income", "positive": ">50K", "favourable": ">50K", "sensitive": ["sex", "age"], "bins": {"age": [30.0, 45.0]}, "reference": {"sex": "Male"}, "metric": "roc_auc",
                    "families": ["lgbm"], "seed": 7, "budget": {"seconds": None, "trials": 3}, "weight": None, "task": None}
    # The suspected leak was left out, and every other column has a role of its own
    assert run.spec["roles"] == {HOSTILE: "feature", "person": "id", "decided_at": "ignore", "score": "ignore", "granted": "ignore"}


def test_the_language_of_the_report_is_asked_for_and_english_is_not_written_down(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    """A spec that asks for English says nothing, so that its evidence is that of one that was never asked."""
    answer_all(page, dataset)
    assert re.search(r'<option value="en" selected>English', page.get(f"/new/{dataset.pk}/check").content.decode())
    assert re.search(r'<option value="de" selected>Deutsch', page.get(f"/new/{dataset.pk}/check", headers={"accept-language": "de"}).content.decode())
    send(page, dataset, "check", {"title": "One", "report_language": "en"})
    assert "report_language" not in Run.objects.get().spec
    send(page, dataset, "check", {"title": "Two", "report_language": "de"})
    assert Run.objects.get(title="Two").spec["report_language"] == "de"
    assert re.search(r'<option value="de" selected>Deutsch', page.get(f"/new/{dataset.pk}/check").content.decode()), "asked for again, it is proposed again"


def test_groups_that_are_left_as_they_are_are_cut_without_the_audit_part(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    shown = page.get(f"/new/{dataset.pk}/groups").content.decode()
    assert "28, 37, 48" in shown
    assert send(page, dataset, "groups", {"bins-0": "", "reference-1": ""}).status_code == 302
    assert "quartiles of the rows to learn from" in page.get(f"/new/{dataset.pk}/check").content.decode()
    send(page, dataset, "check", {"title": ""})
    assert Run.objects.get().spec["bins"] == {}


def test_going_back_shows_what_was_answered(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    body = page.get(f"/new/{dataset.pk}/groups").content.decode()
    assert 'value="30, 45"' in body
    assert re.search(r'<option value="0" selected>Male', body)
    columns = page.get(f"/new/{dataset.pk}/columns").content.decode()
    assert re.search(r'value="leave"[^>]*checked', columns)


def test_a_change_from_the_check_leads_back_to_it(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    assert send(page, dataset, "attributes", {**ATTRIBUTES, "limit": "0.9"}, "?change")["Location"] == f"/new/{dataset.pk}/check"
    assert "impact ratio of 0.9" in page.get(f"/new/{dataset.pk}/check").content.decode()


def test_another_target_asks_again_what_depends_on_it(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    assert send(page, dataset, "target", {"target": "7", "task": ""}, "?change")["Location"] == f"/new/{dataset.pk}/outcome"


def test_another_target_keeps_how_long_and_with_what(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    send(page, dataset, "target", {"target": "7", "task": ""}, "?change")
    send(page, dataset, "target", {"target": "5", "task": ""}, "?change")
    assert send(page, dataset, "outcome", OUTCOME, "?change")["Location"] == f"/new/{dataset.pk}/check"
    send(page, dataset, "check", {"title": ""})
    spec = Run.objects.get().spec
    assert {name: spec[name] for name in ("budget", "families", "seed", "metric")} == {"budget": {"seconds": None, "trials": 3}, "families": ["lgbm"], "seed": 7, "metric": None}


def test_nobody_jumps_over_a_question(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    for step in ("target", "outcome", "attributes", "groups", "budget", "check"):
        assert page.get(f"/new/{dataset.pk}/{step}")["Location"] == f"/new/{dataset.pk}/columns"
    send(page, dataset, "check", {"title": "x"})
    assert not Run.objects.exists()


@pytest.mark.parametrize(("step", "answers", "sentence", "field"), [
    ("columns", {**COLUMNS, "leak-4": ""}, "Say whether the model may use decided_at", "id_leak-4"),
    ("columns", {**COLUMNS, "role-7": "target"}, "Only one column can be the target: income is already", "id_role-7"),
    ("columns", {**COLUMNS, "role-0": "nonsense"}, "nonsense is not one of the available choices", "id_role-0"),
    ("target", {"target": "", "task": ""}, "Choose the column to be predicted", "id_target"),
    ("target", {"target": "2", "task": "binary"}, "has 4 values; a yes-or-no question needs 2", "id_task"),
    ("target", {"target": "5", "task": "regression"}, "income does not hold numbers only", "id_task"),
    ("outcome", {**OUTCOME, "left_out": ""}, "Confirm that the rows without a value of income are left out", "id_left_out"),
    ("outcome", {**OUTCOME, "good": ""}, "Say whether a predicted “yes” is good or bad for the person", "id_good"),
    ("attributes", {**ATTRIBUTES, "sensitive": []}, "Choose at least one attribute, or say that there is none", "id_sensitive"),
    ("attributes", {**ATTRIBUTES, "limit": "1.5"}, "less than or equal to 1", "id_limit"),
    ("attributes", {**ATTRIBUTES, "limit": "nan"}, "Enter a number", "id_limit"),
    ("groups", {"bins-0": "45, 30"}, "The numbers must rise", "id_bins-0"),
    ("groups", {"bins-0": "30, inf"}, "Write numbers with commas between", "id_bins-0"),
    ("groups", {"bins-0": "a, b"}, "Write numbers with commas between", "id_bins-0"),
    ("budget", {**BUDGET, "trials": ""}, "Give seconds, trials or both", "id_seconds"),
    ("budget", {**BUDGET, "split": "time"}, "Choose the column for this kind of split", "id_time"),
    ("budget", {**BUDGET, "families": []}, "Choose at least one kind of model", "id_families"),
    ("budget", {**BUDGET, "seed": "-1"}, "greater than or equal to 0", "id_seed"),
])
def test_a_refused_answer_is_named_and_linked(page: Client, dataset: Dataset, profile: DatasetProfile, step: str, answers: dict[str, Any], sentence: str, field: str) -> None:
    answer_all(page, dataset)
    response = send(page, dataset, step, answers)
    body = html.unescape(response.content.decode())
    assert response.status_code == 422
    assert "<title>Error:" in body
    link = re.search(rf'<a href="#({field}[^"]*)">(?:(?!</a>).)*{re.escape(sentence)}', body)
    assert link is not None, body
    assert f'id="{link[1]}"' in body


def test_no_attribute_skips_the_groups_and_is_said(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    for step, answers in (("columns", COLUMNS), ("target", TARGET), ("outcome", OUTCOME)):
        send(page, dataset, step, answers)
    assert send(page, dataset, "attributes", {"none": "on", "intersections": "1", "limit": "0.8"})["Location"] == f"/new/{dataset.pk}/budget"
    send(page, dataset, "budget", BUDGET)
    assert "fairness will read" in page.get(f"/new/{dataset.pk}/check").content.decode()
    send(page, dataset, "check", {})
    run = Run.objects.get()
    assert run.spec["sensitive"] == []
    assert run.spec["roles"]["sex"] == "ignore"  # withheld, not silently a feature


def test_a_bad_yes_makes_the_other_label_the_good_one(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    send(page, dataset, "outcome", {**OUTCOME, "good": "bad"}, "?change")
    check = page.get(f"/new/{dataset.pk}/check").content.decode()
    assert "is bad for the person; &lt;=50K is good" in check
    send(page, dataset, "check", {})
    assert Run.objects.get().spec["favourable"] == "<=50K"


def test_predictions_made_elsewhere(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    page.post(f"/new/{dataset.pk}/begin", {"kind": "predictions"})
    send(page, dataset, "columns", {**COLUMNS, "role-5": "feature"})
    refused = send(page, dataset, "predictions", {"good": "good"})
    assert "Choose a score column, a decision column or both" in refused.content.decode()
    refused = send(page, dataset, "predictions", {"decision": "7", "positive": "maybe", "good": "good"})
    assert "granted has no value “maybe”; it has yes, no" in refused.content.decode()
    assert send(page, dataset, "predictions", {"decision": "7", "score": "6", "label": "5", "positive": "yes", "good": "good"}).status_code == 302
    send(page, dataset, "attributes", ATTRIBUTES)
    send(page, dataset, "groups", GROUPS)
    assert page.get(f"/new/{dataset.pk}/check").status_code == 200
    send(page, dataset, "check", {"title": "Theirs"})
    run = Run.objects.get()
    assert (run.kind, run.spec["decision"], run.spec["score"], run.spec["label"], run.spec["positive"]) == ("predictions", "granted", "score", "income", "yes")


def test_names_of_the_data_are_never_markup(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    for step in ("columns", "target", "attributes", "budget", "check"):
        body = page.get(f"/new/{dataset.pk}/{step}").content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "\u202e" not in body  # turns the line around; shown as its code point


def test_a_label_with_a_line_end_arrives_as_it_is_in_the_table(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    send(page, dataset, "attributes", {**ATTRIBUTES, "sensitive": ["2"]}, "?change")
    send(page, dataset, "groups", {"reference-2": "2"}, "?change")
    send(page, dataset, "check", {})
    assert Run.objects.get().spec["reference"] == {HOSTILE: "c\r\nd"}


def test_upload_stores_the_table_and_leads_on(page: Client) -> None:
    response = page.post("/new", {"kind": "training", "file": io.BytesIO(b"a,b\n1,2\n"), "name": "Mine"})
    dataset = Dataset.objects.get()
    assert response["Location"] == f"/new/{dataset.pk}/reading"
    assert dataset.name == "Mine"
    waiting = page.get(response["Location"]).content.decode()
    assert "waits to be read" in waiting
    assert 'http-equiv="refresh"' in waiting


def test_refused_uploads_are_named(page: Client, settings: Any) -> None:
    assert "Choose a file" in page.post("/new", {"kind": "training"}).content.decode()
    assert "The file is empty" in page.post("/new", {"kind": "training", "file": io.BytesIO(b"")}).content.decode()
    settings.UPLOAD_BYTES = 10
    refused = page.post("/new", {"kind": "training", "file": io.BytesIO(b"0123456789ABCDEF")})
    assert refused.status_code == 422
    assert "The limit for a file is 10 bytes" in refused.content.decode()
    assert not Dataset.objects.exists()


def test_what_could_not_be_read_says_why_and_how_it_can_be_read_otherwise(page: Client, dataset: Dataset) -> None:
    Profile.objects.update(state="failed", failure_code="bad_input", failure_text="row 3 has 4 fields, the header has 2")
    body = page.get(f"/new/{dataset.pk}/reading").content.decode()
    assert "row 3 has 4 fields" in body
    assert "Read again" in body
    response = page.post(f"/new/{dataset.pk}/reading", {"delimiter": ";", "encoding": "", "sheet": "", "empty": "on", "missing": "none\n-"})
    assert response.status_code == 302
    profile = Profile.objects.exclude(state="failed").get()
    assert profile.options == {"table": {"delimiter": ";", "encoding": None, "sheet": None}, "missing": ["", "none", "-"]}


def test_the_page_goes_on_by_itself_when_the_table_is_read(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    assert page.get(f"/new/{dataset.pk}/reading")["Location"] == f"/new/{dataset.pk}/columns"
    assert page.get(f"/new/{dataset.pk}/reading", headers={"HX-Request": "true"})["HX-Redirect"].endswith(f"/new/{dataset.pk}/columns")


def test_no_room_for_the_sample_is_said(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageFull("the storage is full")

    monkeypatch.setattr("auditapp.datasets.storage.put", full)
    response = page.post("/new/sample")
    assert response.status_code == 507
    assert "the storage is full" in response.content.decode()


def test_the_sample_comes_with_its_answers(page: Client) -> None:
    response = page.post("/new/sample")
    dataset = Dataset.objects.get()
    assert response["Location"] == f"/new/{dataset.pk}/reading"
    draft = page.session["drafts"][dataset.pk]
    assert draft["answers"]["target"]["target"] == SAMPLE_SPEC["target"]
    assert draft["answers"]["groups"]["bins"] == {"age": [24.0, 39.0, 59.0]}


def test_a_viewer_cannot_start_and_a_stranger_sees_nothing(page: Client, stranger: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    for path in ("columns", "reading", "check"):
        assert stranger.get(f"/new/{dataset.pk}/{path}").status_code == 404
    assert stranger.post(f"/new/{dataset.pk}/begin").status_code == 404
    Membership.objects.filter(workspace=dataset.workspace).update(role="viewer")
    refused = page.get("/new")
    assert refused.status_code == 403
    assert "yours in this workspace is viewer" in refused.content.decode()
    assert page.post("/new/sample").status_code == 403


def test_a_contradiction_that_only_the_whole_shows_links_to_its_step(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    session = page.session
    drafts = session["drafts"]
    drafts[dataset.pk]["answers"]["attributes"]["sensitive"] = ["income"]
    session["drafts"] = drafts
    session.save()
    body = page.get(f"/new/{dataset.pk}/check").content.decode()
    assert "cannot be both target and sensitive attribute" in body
    assert send(page, dataset, "check", {}).status_code == 422
    assert not Run.objects.exists()


def test_the_tables_that_are_here_are_listed_newest_first_and_to_the_last(page: Client, dataset: Dataset, analyst: Any, workspace: Any) -> None:
    for number in range(TABLES_A_PAGE):
        datasets.store_upload(io.BytesIO(b"age,sex\n39,Male\n"), name=f"Upload {number:02d}", filename="people.csv", workspace=workspace, user=analyst)
    listed = [re.findall(r"Upload \d\d|People &lt;b&gt;", re.sub(r"<form.*?</form>", "", page.get(f"/new{query}").content.decode(), flags=re.DOTALL)) for query in ("", "?page=2")]
    assert listed == [[f"Upload {number:02d}" for number in reversed(range(TABLES_A_PAGE))], ["People &lt;b&gt;"]]


def test_reading_again_warns_who_has_answers_to_lose(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    warning = "what was answered so far will be asked again"
    assert warning not in page.get(f"/new/{dataset.pk}/reading?change").content.decode()
    answer_all(page, dataset)
    assert warning in page.get(f"/new/{dataset.pk}/reading?change").content.decode()


def test_the_folded_questions_lead_to_pages_of_their_own_and_into_the_spec(page: Client, dataset: Dataset, profile: DatasetProfile) -> None:
    answer_all(page, dataset)
    more = {**ATTRIBUTES, "governing": "ask", "governing_reason": "A refusal weighs more.", "profile": "us_employment", "law": "on", "reasons": "on"}
    assert send(page, dataset, "attributes", more)["Location"].endswith("/governing")
    assert "Which error does more harm?" in page.get(f"/new/{dataset.pk}/governing").content.decode()
    answers = {"measured_by_rates": "no", "outcome_trusted": "yes", "used_as": "decision", "worse": "refused"}
    refused = send(page, dataset, "governing", {**answers, "worse": ""})
    assert refused.status_code == 422
    assert "Answer: Which error does more harm?" in refused.content.decode()
    assert send(page, dataset, "governing", answers)["Location"].endswith("/groups")
    assert send(page, dataset, "groups", GROUPS)["Location"].endswith("/law")
    assert "Values of sex in the rule" in page.get(f"/new/{dataset.pk}/law").content.decode()
    assert send(page, dataset, "law", {"sex": "1", "data_reason": "None is in use."})["Location"].endswith("/reasons")
    body = page.get(f"/new/{dataset.pk}/reasons").content.decode()
    assert "<script>alert" not in body
    assert send(page, dataset, "reasons", {"most": "2", "text-2": "What was said", "approved_by": "P. Erson"})["Location"].endswith("/budget")
    send(page, dataset, "budget", BUDGET)
    check = html.unescape(page.get(f"/new/{dataset.pk}/check").content.decode())
    assert "the difference of true positive rates (equal opportunity)." in check
    assert "employment in the United States" in check
    send(page, dataset, "check", {})
    spec = Run.objects.get().spec
    assert spec["governing"]["answers"] == answers
    assert (spec["profile"], spec["local_law_144"]["sex"], spec["reasons"]["most"]) == ("us_employment", "sex", 2)
    line = spec["reasons"]["table"][HOSTILE]
    assert (line["text"], line["approved_by"]) == ("What was said", "P. Erson")
