"""Who belongs to a workspace, for its owners."""

from __future__ import annotations

from typing import Any


def test_owners_list_members_page_by_page(people: Any) -> None:
    rest = people.rest("owner")
    everybody = rest.get("/members").json()
    assert [(one["id"], one["role"]) for one in everybody["items"]] == [("viewer", "viewer"), ("reviewer", "reviewer"), ("analyst", "analyst"), ("owner", "owner")]
    first = rest.get("/members?limit=3").json()
    last = rest.client.get(first["next"], headers=rest.headers()).json()
    assert (first["items"] + last["items"], last["next"]) == (everybody["items"], None)
    assert rest.client.get(last["prev"], headers=rest.headers()).json()["items"] == first["items"]
