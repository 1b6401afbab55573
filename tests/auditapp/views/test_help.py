"""Help and the description of the REST interface: open to everybody, and of the interface that is really there."""

from __future__ import annotations

import html
import re
import shlex

import pytest
from django.test import Client

from auditapp.api import api
from auditapp.report.glossary import METRICS
from auditapp.views.help import operations_by_tag

pytestmark = pytest.mark.django_db


def test_every_operation_of_the_schema_is_there_with_a_line_of_curl_for_this_host(client: Client) -> None:
    body = html.unescape(client.get("/api/docs").content.decode())
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    operations = [(method.upper(), path) for path, methods in schema["paths"].items() for method in methods]
    assert len(operations) > 20
    assert all(f"<code>{method} {path}</code>" in body for method, path in operations)
    lines = re.findall(r"<pre tabindex=\"0\"><code>(.*?)</code></pre>", body, re.S)
    assert len(lines) == len(operations)
    assert all("http://testserver/api/v1/" in shlex.split(line)[-1] for line in lines)


def test_calls_that_need_a_token_or_a_body_say_so() -> None:
    by_call = {(one.method, one.path): one for operations in operations_by_tag().values() for one in operations}
    start, upload, problems = by_call["POST", "/api/v1/runs"], by_call["POST", "/api/v1/datasets"], by_call["GET", "/api/v1/problems"]
    assert "Bearer $TOKEN" in start.curl
    assert '"dataset": ...' in start.curl
    assert "-F file=@file" in upload.curl
    assert "Bearer" not in problems.curl
    assert "$RUN_ID" in by_call["GET", "/api/v1/runs/{run_id}"].curl


def test_help_names_every_measure(client: Client) -> None:
    body = html.unescape(client.get("/help").content.decode())
    assert all(formula in body for formula in METRICS.values())
    assert "Inconclusive" in body
