"""Statements and report versions over REST: read, said, conflicting, bounded; and no route signs off."""

from __future__ import annotations

from typing import Any

import pytest

from auditapp import access, report_versions
from auditapp.models import LedgerEntry, ReportRendering, StatementsVersion
from auditapp.statements.fields import FIELDS
from tests.auditapp.report_maker import make_waiting


@pytest.fixture
def path(succeeded_run: Any) -> str:
    return f"/runs/{succeeded_run().pk}"


def patch(rest: Any, path: str, fields: dict[str, Any], version: int | None = 0, method: str = "PATCH", **headers: str) -> Any:
    return rest.change(method, f"{path}/statements", {"fields": fields, **({} if version is None else {"version": version})}, **headers)


def test_read_say_and_read_again(people: Any, path: str) -> None:
    rest = people.rest("reviewer")
    before = rest.get(f"{path}/statements")
    assert (before.json()["version"], before.json()["fields"], before.json()["id"]) == (0, {}, path.removeprefix("/runs/"))
    answer = patch(rest, path, {"purpose": "To rank loan requests.", "use_class": "credit"})
    assert answer.status_code == 200
    said = answer.json()["fields"]["purpose"]
    assert (said["text"], said["author"], said["role"]) == ("To rank loan requests.", "reviewer", "reviewer")
    after = rest.get(f"{path}/statements")
    assert after.json() == answer.json()
    assert after["ETag"] == answer["ETag"] != before["ETag"]
    entry = LedgerEntry.objects.get(action="statements.changed")
    assert entry.actor.startswith("user:reviewer token:tok_")


def test_put_replaces_and_null_takes_back(people: Any, path: str) -> None:
    rest = people.rest("owner")
    patch(rest, path, {"purpose": "a", "deployer": "b"})
    assert set(patch(rest, path, {"deployer": "b", "provider": "c"}, 1, "PUT").json()["fields"]) == {"deployer", "provider"}
    assert set(patch(rest, path, {"provider": None}, 2).json()["fields"]) == {"deployer"}
    first = rest.get(f"{path}/statements/1").json()
    assert (set(first["fields"]), first["changed"], first["author"]) == ({"purpose", "deployer"}, ["deployer", "purpose"], "owner")
    assert rest.get(f"{path}/statements/4").status_code == 404


def test_who_is_second_gets_409_or_412_and_nothing_is_lost(people: Any, path: str) -> None:
    rest = people.rest("owner")
    etag = rest.get(f"{path}/statements")["ETag"]
    patch(rest, path, {"purpose": "first"})
    by_version = patch(rest, path, {"purpose": "second"})
    assert (by_version.status_code, by_version.json()["type"]) == (409, "/api/v1/problems#conflict")
    assert "at version 1 by now" in by_version.json()["detail"]
    by_etag = patch(rest, path, {"purpose": "second"}, None, **{"If-Match": etag})
    assert (by_etag.status_code, by_etag.json()["type"]) == (412, "/api/v1/problems#changed-meanwhile")
    weak = patch(rest, path, {"purpose": "second"}, None, **{"If-Match": "W/" + rest.get(f"{path}/statements")["ETag"]})
    assert weak.status_code == 412
    neither = patch(rest, path, {"purpose": "second"}, None)
    assert (neither.status_code, neither.json()["type"]) == (428, "/api/v1/problems#base-missing")
    assert rest.get(f"{path}/statements").json()["fields"]["purpose"]["text"] == "first"
    now = patch(rest, path, {"purpose": "second"}, None, **{"If-Match": rest.get(f"{path}/statements")["ETag"]})
    assert (now.status_code, now.json()["version"]) == (200, 2)
    assert StatementsVersion.objects.count() == 2


@pytest.mark.parametrize(("body", "status", "pointer"), [
    ({"version": 0, "fields": {"purpos": "a"}}, 422, "/fields/purpos"), ({"version": 0, "fields": {"purpose": "x" * 4001}}, 422, "/fields/purpose"), ({"version": 0, "fields": {"purpose": ""}}, 422, "/fields/purpose"),
    ({"version": 0, "fields": {"use_class": "harmless"}}, 422, "/fields/use_class"), ({"version": 0, "fields": {"purpose": 7}}, 422, "/fields/purpose"), ({"version": -1, "fields": {}}, 422, "/version"),
    ({"version": 0, "fields": {}, "author": "eve"}, 422, "/author"), ({"version": 0}, 422, "/fields"), ({"version": 0, "fields": {f"f{n}": "x" for n in range(len(FIELDS) + 1)}}, 422, "/fields"),
    ({"version": 0, "fields": {"purpose": "a\u202eb"}}, 422, "/fields/purpose"), ([], 422, ""),
])
def test_what_is_refused_points_at_the_place_and_writes_nothing(people: Any, path: str, body: Any, status: int, pointer: str) -> None:
    for method in ("PUT", "PATCH"):
        answer = people.rest("owner").change(method, f"{path}/statements", body)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
        assert answer.json()["errors"][0].get("pointer", "") == pointer
    assert not StatementsVersion.objects.exists()
    assert not ReportRendering.objects.exists()


def test_too_many_at_once_is_429(people: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_versions, "MOST_WAITING", 0)
    answer = patch(people.rest("owner"), path, {"purpose": "a"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


def test_a_run_without_results_has_no_statements(people: Any) -> None:
    rest = people.rest("owner")
    run = rest.post("/runs", {"dataset": rest.upload().json()["id"], "spec": {"target": "income"}}).json()["id"]
    for answer in (rest.get(f"/runs/{run}/statements"), patch(rest, f"/runs/{run}", {"purpose": "a"}), rest.get(f"/runs/{run}/reports")):
        assert (answer.status_code, answer.json()["type"]) == (409, "/api/v1/problems#conflict")


def test_saying_needs_its_own_scope_and_signing_off_is_for_nobodys_token(people: Any, path: str) -> None:
    answer = patch(people.rest("owner/run"), path, {"purpose": "a"})
    assert (answer.status_code, answer.json()["detail"]) == (403, "This needs the scope 'statements'; the token has run.")
    assert patch(people.rest("analyst"), path, {"purpose": "a"}).status_code == 403
    caller = access.caller_of_token(f"Bearer {people.tokens['owner']}")
    assert caller is not None
    assert access.refusal(caller, "sign_off") == "A token cannot be used for this (sign_off); log in with a browser."


def test_versions_of_the_report_stay_and_say_why(people: Any, path: str) -> None:
    rest = people.rest("owner")
    patch(rest, path, {"purpose": "a"})
    waiting = rest.get(f"{path}/reports").json()["items"]
    assert [(one["version"], one["state"], one["what"], one["fields"]) for one in waiting] == [(2, "queued", "statements", ["purpose"]), (1, "signed", "run", [])]
    conflict = rest.get(f"{path}/reports/2.pdf")
    assert (conflict.status_code, conflict.json()["detail"]) == (409, "Report version 2 is not signed yet.")
    make_waiting()
    made = rest.get(f"{path}/reports").json()["items"][0]
    assert (made["state"], made["author"], made["report"]["statements_version"], made["report"]["url"]) == ("signed", "owner", 1, f"/api/v1{path}/reports/2.pdf")
    bodies = {name: b"".join(rest.get(f"{path}/{name}").streaming_content) for name in ("reports/1.pdf", "reports/2.pdf", "report.pdf")}
    assert bodies == {"reports/1.pdf": b"%PDF-1.7 signed", "reports/2.pdf": b"%PDF-1.7 version 2", "report.pdf": b"%PDF-1.7 version 2"}
    assert rest.get(f"{path}/reports/3.pdf").status_code == 404
    assert rest.get(f"{path}/reports/two.pdf").status_code == 422
    assert rest.get(path).json()["report"]["version"] == 2


def test_the_zip_has_every_signed_version(people: Any, path: str) -> None:
    import io
    import zipfile

    rest = people.rest("owner")
    patch(rest, path, {"purpose": "a"})
    make_waiting()
    with zipfile.ZipFile(io.BytesIO(b"".join(rest.get(f"{path}/bundle.zip").streaming_content))) as archive:
        assert (archive.read("audit.pdf"), archive.read("reports/audit-v2.pdf")) == (b"%PDF-1.7 signed", b"%PDF-1.7 version 2")


def test_the_schema_is_the_catalogue(client: Any, db: None) -> None:
    schema = client.get("/api/v1/schemas/statements.json").json()
    assert list(schema["properties"]) == sorted(FIELDS)
    assert schema["properties"]["purpose"]["maxLength"] == 4000
    assert "sole" in schema["properties"]["output_role"]["enum"]
    assert schema["properties"]["deployer"]["description"].endswith("To be provided by the deployer.")
