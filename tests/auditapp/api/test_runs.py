"""Planning a run, and running it again with changes."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp.models import Profile, Run
from tests.auditapp.conftest import make_ready

SPEC = {"target": "income", "sensitive": ["sex"], "budget": {"seconds": 60}}


@pytest.fixture
def dataset(people: Any) -> str:
    dataset = people.rest("analyst").upload().json()["id"]
    make_ready(dataset, ["age", "sex", "income"])
    return str(dataset)


def test_a_plan_says_in_words_what_would_be_done_and_starts_nothing(people: Any, dataset: str) -> None:
    rest = people.rest("analyst")
    planned = rest.post("/runs:plan", {"dataset": dataset, "spec": SPEC})
    assert planned.status_code == 200
    assert planned.json()["plan"][0] == "Read 200 rows; all of them have a value of income."
    assert any("Compare sex" in sentence for sentence in planned.json()["plan"])
    assert Run.objects.count() == 0
    run = rest.post("/runs", {"dataset": dataset, "spec": SPEC}).json()
    assert run["spec"] == planned.json()["spec"], "the plan shows the spec as it is stored"


@pytest.mark.parametrize(("changes", "status"), [
    ({"spec": {"target": "salary"}}, 422), ({"spec": {"target": "income", "colour": "red"}}, 422), ({"spec": {**SPEC, "parent": "run_" + "0" * 26}}, 404), ({"dataset": "ds_" + "0" * 26}, 404),
    ({"test_dataset": "x"}, 404), ({"spec": {**SPEC, "parallel": 2}}, 422),
])
def test_a_plan_is_refused_as_the_run_would_be(changes: dict[str, Any], status: int, people: Any, dataset: str) -> None:
    rest = people.rest("analyst")
    asked = {"dataset": dataset, "spec": SPEC, **changes}
    planned, started = rest.post("/runs:plan", asked), rest.post("/runs", asked)
    assert (planned.status_code, started.status_code) == (status, status)
    assert {**planned.json(), "request_id": ""} == {**started.json(), "request_id": ""}


def test_a_plan_needs_a_table_that_has_been_read(people: Any, dataset: str) -> None:
    rest = people.rest("analyst")
    Profile.objects.update(state="queued", document=None)
    waiting = rest.post("/runs:plan", {"dataset": dataset, "spec": SPEC})
    assert (waiting.status_code, waiting["Retry-After"]) == (409, "2")
    Profile.objects.update(state="failed", failure_code="bad_input", failure_text="row 3 has 2 fields")
    assert "row 3 has 2 fields" in rest.post("/runs:plan", {"dataset": dataset, "spec": SPEC}).json()["detail"]


def test_a_run_again_with_changes_names_the_run_before(people: Any, dataset: str) -> None:
    rest = people.rest("analyst")
    first = rest.post("/runs", {"dataset": dataset, "spec": SPEC}).json()
    again = rest.post("/runs", {"dataset": dataset, "spec": {**first["spec"], "parent": first["id"], "seed": 7}})
    assert (again.status_code, again.json()["parent"]) == (202, first["id"])
    assert again.json()["spec"] == {**first["spec"], "parent": first["id"], "seed": 7}
