"""What leaves compressed: pages and their files, never REST, and only whole answers."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from auditapp.compression import CompressedPages

ZIPPED = {"accept-encoding": "gzip"}


def answered(path: str = "/x", *, method: str = "GET", kind: str = "text/html", status: int = 200) -> HttpResponse:
    request = RequestFactory().generic(method, path, headers=ZIPPED)
    return CompressedPages(lambda _: HttpResponse("page " * 200, content_type=kind, status=status, headers={"ETag": '"1"'}))(request)  # type: ignore[return-value]


def test_a_page_is_compressed_and_its_etag_is_weak() -> None:
    response = answered()
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == b"page " * 200
    assert response["ETag"] == 'W/"1"'


@pytest.mark.parametrize("what", [
    {"path": "/api/v1/runs", "kind": "application/json"}, {"method": "HEAD"}, {"kind": "application/pdf"}, {"status": 206}, {"status": 404},
])
def test_anything_else_leaves_as_it_is(what: dict[str, Any]) -> None:
    response = answered(**what)
    assert "Content-Encoding" not in response
    assert response["ETag"] == '"1"'


@pytest.mark.django_db
def test_style_sheets_and_pages_come_compressed_to_whoever_understands_it(client: Client) -> None:
    for path in ("/static/plumbline/bootstrap-used.css", "/static/vendor/htmx/htmx.min.js", "/login"):
        zipped, plain = client.get(path, headers=ZIPPED), client.get(path)
        assert zipped["Content-Encoding"] == "gzip", path
        assert "Content-Encoding" not in plain, path
        zipped.close()
        plain.close()
