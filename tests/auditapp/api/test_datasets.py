"""The first rows of a table, as its profile read them."""

from __future__ import annotations

from typing import Any

from auditapp.models import Profile
from tests.auditapp.conftest import make_ready


def test_so_many_rows_as_asked_for(people: Any) -> None:
    rest = people.rest("analyst")
    dataset = rest.upload().json()["id"]
    waiting = rest.get(f"/datasets/{dataset}/preview").json()
    assert waiting == {"id": dataset, "state": "queued", "failure": None, "columns": [], "rows": []}
    make_ready(dataset, ["age", "sex"])
    profile = Profile.objects.get(dataset=dataset)
    Profile.objects.update(document={**profile.document, "preview": [[str(row), "F"] for row in range(20)]})
    assert len(rest.get(f"/datasets/{dataset}/preview").json()["rows"]) == 20
    shown = people.rest("viewer").get(f"/datasets/{dataset}/preview?rows=2").json()
    assert (shown["columns"], shown["rows"]) == (["age", "sex"], [["0", "F"], ["1", "F"]])
    for bad in ("0", "21", "x", "-1", "9" * 400):
        assert rest.get(f"/datasets/{dataset}/preview?rows={bad}").status_code == 422
