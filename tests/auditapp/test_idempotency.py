"""The same key and body: the same answer, one row. Another body or route: 422. Still in flight: 409. And processes that die in between."""

from __future__ import annotations

import concurrent.futures
import json
import time
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from auditapp import idempotency
from auditapp.models import Dataset, IdempotencyKey, Run

SPEC = {"target": "income", "sensitive": ["sex"]}


def test_t44_the_same_key_and_body_get_the_same_answer_and_one_row(people: Any) -> None:
    rest = people.rest("owner")
    first, again = (rest.upload(**{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, first.content, first["Location"]) == (again.status_code, again.content, again["Location"])
    assert first.status_code == 201
    assert Dataset.objects.count() == 1


def test_a_run_is_submitted_once_and_answers_as_it_did_then(people: Any) -> None:
    rest = people.rest("owner")
    body = {"dataset": rest.upload().json()["id"], "spec": SPEC}
    first = rest.post("/runs", body, **{"Idempotency-Key": "k"})
    assert first.status_code == 202
    rest.post(f"/runs/{first.json()['id']}/cancel")
    assert rest.post("/runs", body, **{"Idempotency-Key": "k"}).content == first.content
    assert Run.objects.count() == 1


def test_without_a_key_twice_is_two(people: Any) -> None:
    rest = people.rest("owner")
    rest.upload(), rest.upload()
    assert Dataset.objects.count() == 2


def test_t44_another_body_is_422(people: Any) -> None:
    rest = people.rest("owner")
    rest.upload(**{"Idempotency-Key": "k"})
    for changed in (rest.upload(b"a\n1\n", **{"Idempotency-Key": "k"}), rest.upload(name="other.csv", **{"Idempotency-Key": "k"})):
        assert (changed.status_code, changed.json()["type"]) == (422, "/api/v1/problems#key-reused")
    assert Dataset.objects.count() == 1


def test_t44_another_route_is_422(people: Any) -> None:
    rest = people.rest("owner")
    dataset = rest.upload(**{"Idempotency-Key": "k"}).json()["id"]
    response = rest.post("/runs", {"dataset": dataset, "spec": SPEC}, **{"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["type"]) == (422, "/api/v1/problems#key-reused")
    assert Run.objects.count() == 0


def test_another_workspace_of_the_same_person_is_another_route(people: Any) -> None:
    from auditapp import access
    from auditapp.models import Membership

    Membership.objects.create(user=people.users["owner"], workspace=people.elsewhere, role="owner")
    text = access.issue_token(user=people.users["owner"], workspace=people.elsewhere, name="x", scopes=access.SCOPES, actor="test")[1]
    people.rest("owner").upload(**{"Idempotency-Key": "k"})
    people.tokens["owner elsewhere"] = text
    assert people.rest("owner elsewhere").upload(**{"Idempotency-Key": "k"}).status_code == 422


def test_keys_of_two_people_do_not_meet(people: Any) -> None:
    one, other = (people.rest(who).upload(**{"Idempotency-Key": "k"}) for who in ("owner", "analyst"))
    assert (one.status_code, other.status_code) == (201, 201)
    assert one.json()["id"] != other.json()["id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "é", "a\x7f"])
def test_malformed_keys(key: str, people: Any) -> None:
    response = people.rest("owner").upload(**{"Idempotency-Key": key})
    assert (response.status_code, response.json()["type"]) == (400, "/api/v1/problems#malformed")


def test_a_refused_call_gives_its_key_back(people: Any) -> None:
    rest = people.rest("owner")
    assert rest.upload(b"", **{"Idempotency-Key": "k"}).status_code == 422
    assert rest.upload(**{"Idempotency-Key": "k"}).status_code == 201


def test_after_a_day_the_key_is_free(people: Any) -> None:
    rest = people.rest("owner")
    rest.upload(**{"Idempotency-Key": "k"})
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert rest.upload(b"a\n1\n", **{"Idempotency-Key": "k"}).status_code == 201
    assert Dataset.objects.count() == 2


# --- a process dies, or is very slow: the reservation is in flight


def _in_flight(rest: Any, age: timedelta) -> None:
    """A reservation as the first call leaves it when it dies before creating anything."""
    rest.upload(**{"Idempotency-Key": "k"})
    Dataset.objects.all().delete()
    IdempotencyKey.objects.update(status=None, response=None, location="", created_at=timezone.now() - age)


def test_in_flight_is_409_with_a_time_to_come_back(people: Any) -> None:
    rest = people.rest("owner")
    _in_flight(rest, timedelta(seconds=1))
    response = rest.upload(**{"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["type"]) == (409, "/api/v1/problems#in-flight")
    assert int(response["Retry-After"]) > 0
    assert Dataset.objects.count() == 0


def test_an_abandoned_reservation_is_taken_over(people: Any) -> None:
    rest = people.rest("owner")
    _in_flight(rest, idempotency.ABANDONED + timedelta(seconds=1))
    assert rest.upload(**{"Idempotency-Key": "k"}).status_code == 201
    assert Dataset.objects.count() == 1


def test_who_died_after_creating_is_answered_for(people: Any) -> None:
    """Killed between the commit and the stored answer: the retry finds what was created and creates nothing."""
    rest = people.rest("owner")
    first = rest.upload(**{"Idempotency-Key": "k"})
    IdempotencyKey.objects.update(response={"id": first.json()["id"]}, location="")
    again = rest.upload(**{"Idempotency-Key": "k"})
    assert (again.status_code, again.json(), again["Location"]) == (201, first.json(), first["Location"])
    assert Dataset.objects.count() == 1


def test_a_slow_first_call_whose_key_was_taken_over_creates_nothing(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fence: the row that would be created is rolled back with the mark that did not take."""
    from auditapp import profiles

    request_profile = profiles.request_profile

    rest = people.rest("owner")
    before_create = Dataset.objects.create

    def slow(**columns: Any) -> Dataset:
        IdempotencyKey.objects.update(created_at=timezone.now() + timedelta(seconds=1))  # somebody took over meanwhile
        return before_create(**columns)

    monkeypatch.setattr(Dataset.objects, "create", slow)
    response = rest.upload(**{"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["type"]) == (409, "/api/v1/problems#in-flight")
    assert Dataset.objects.count() == 0
    assert profiles.request_profile is request_profile


def test_the_mark_and_the_row_are_one_transaction(people: Any) -> None:
    rest = people.rest("owner")
    with transaction.atomic():
        rest.upload(**{"Idempotency-Key": "k"})
        transaction.set_rollback(True)
    assert (Dataset.objects.count(), IdempotencyKey.objects.count()) == (0, 0)


@pytest.mark.slow
def test_t44_twenty_at_once_make_one_row(web_server: Any) -> None:
    """Over real sockets against two processes and a database file; whoever hears 409 asks again, as its Retry-After says."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\na,b\n1,2\n\r\n'
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nTwenty\r\n--x--\r\n')

    def ask() -> tuple[int, bytes]:
        for _ in range(60):
            request = urllib.request.Request(f"{web_server.url}/datasets", data=body, headers={
                "Authorization": f"Bearer {web_server.token}", "Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "twenty"})
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return response.status, response.read()
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 409:
                    raise
                time.sleep(0.2)
        raise AssertionError("never answered")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(lambda _: ask(), range(20)))
    assert len(answers) == 1
    ((status, content),) = answers
    assert status == 201
    assert json.loads(content)["name"] == "Twenty"
    assert web_server.script("from auditapp.models import Dataset; print(Dataset.objects.filter(name='Twenty').count())").strip() == "1"
