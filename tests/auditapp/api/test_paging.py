"""Cursor pages: there and back again, with full addresses."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from auditapp.models import Dataset


def _pages(rest: Any, address: str, beside: str) -> list[Any]:
    found = []
    while address:
        page = rest.client.get(address, headers=rest.headers()).json()
        found.append(page)
        address = page[beside]
    return found


@pytest.mark.parametrize("many", [5, 6])
def test_whoever_goes_to_the_end_and_back_sees_the_same(many: int, people: Any) -> None:
    rest = people.rest("owner")
    for number in range(many):
        rest.upload(b"a\n%d\n" % number)
    there = _pages(rest, "/api/v1/datasets?limit=2", "next")
    assert [len(page["items"]) for page in there] == [2, 2, many - 4]
    back = _pages(rest, there[-1]["prev"], "prev")
    assert [page["items"] for page in back] == [page["items"] for page in reversed(there[:-1])]
    assert (there[0]["prev"], there[-1]["next"], back[-1]["prev"]) == (None, None, None)
    assert there[1]["prev"].startswith("http://testserver/api/v1/datasets?limit=2&cursor=")
    Dataset.objects.all().update(deleted_at=Dataset.objects.first().created_at)
    assert rest.client.get(there[0]["next"], headers=rest.headers()).json() == {"items": [], "next": None, "prev": None}


def test_versions_of_a_report_are_pages_too(people: Any, succeeded_run: Any) -> None:
    rest, run = people.rest("owner"), succeeded_run()
    for number, text in enumerate(("one", "two")):
        assert rest.change("PATCH", f"/runs/{run.pk}/statements", {"version": number, "fields": {"purpose": text}}).status_code == 200
    there = _pages(rest, f"/api/v1/runs/{run.pk}/reports?limit=1", "next")
    assert [page["items"][0]["version"] for page in there] == [3, 2, 1]
    assert [page["items"][0]["version"] for page in _pages(rest, there[-1]["prev"], "prev")] == [2, 3]
    assert {page["id"] for page in there} == {run.pk}


@pytest.mark.parametrize(("path", "key"), [
    ("/members", ">2026-01-01T00:00:00+00:00|x"), ("/members", ">2026-01-01T00:00:00+00:00|"), ("/members", ">2026-01-01|1"), ("/datasets", ">"), ("/datasets", "2026-01-01T00:00:00+00:00|x"),
    ("/runs/{run}/reports", ">x"), ("/runs/{run}/reports", ">-1"), ("/runs/{run}/reports", "<\n1"),
])
def test_a_cursor_of_ones_own_making_is_422(path: str, key: str, people: Any, succeeded_run: Any) -> None:
    address = path.format(run=succeeded_run().pk) if "{" in path else path
    cursor = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    assert people.rest("owner").get(f"{address}?cursor={cursor}").status_code == 422


def test_a_number_beyond_every_id_is_a_page_of_nothing(people: Any) -> None:
    cursor = base64.urlsafe_b64encode(f"<2026-01-01T00:00:00+00:00|{10**40}".encode()).decode().rstrip("=")
    assert people.rest("owner").get(f"/members?cursor={cursor}").status_code in (200, 422)
