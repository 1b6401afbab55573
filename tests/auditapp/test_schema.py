"""The OpenAPI document: what it promises, and that the service keeps it against hostile calls (T-43)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import product
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable

from auditapp.api import openapi
from auditapp.models import Delivery, SavedCohort, Webhook


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _unbounded(schema: dict[str, Any], where: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Places of texts and numbers that may be as long or as large as one likes."""
    if schema.get("$ref") in seen:
        return
    seen = (*seen, schema.get("$ref", ""))
    schema = _resolved(schema)
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        return
    if kind == "string" and "maxLength" not in schema and schema.get("format") != "binary":
        yield where
    if kind == "integer" and not ({"maximum", "exclusiveMaximum"} & set(schema) and {"minimum", "exclusiveMinimum"} & set(schema)):
        yield where
    if kind == "array" and "maxItems" not in schema:
        yield f"{where}[]"
    for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _unbounded(part, where, seen)
    if isinstance(schema.get("items"), dict):
        yield from _unbounded(schema["items"], f"{where}[]", seen)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _unbounded(schema["additionalProperties"], f"{where}{{}}", seen)
    for inner in schema.get("patternProperties", {}).values():
        yield from _unbounded(inner, f"{where}{{}}", seen)
    for name, inner in schema.get("properties", {}).items():
        yield from _unbounded(inner, f"{where}.{name}", seen)


def test_every_text_number_and_list_that_is_sent_is_bounded() -> None:
    found = []
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                found += _unbounded(parameter["schema"], f"{method} {path} {parameter['name']}")
            for said in operation.get("requestBody", {}).get("content", {}).values():
                found += _unbounded(said["schema"], f"{method} {path} ")
    assert found == []


CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance", "unsupported_method", "ignored_auth")
TIMES = int(os.environ.get("SCHEMA_TIMES", "1"))
"""More of them where somebody has the time."""
EXAMPLES = {"owner": 4 * TIMES, "analyst": TIMES, "reviewer": TIMES, "viewer": TIMES, "nobody": 1}
"""Calls of each operation, made up as the schema asks and, for the owner, against it."""


@pytest.mark.slow
@pytest.mark.parametrize("who", EXAMPLES)
def test_t43_made_up_calls_are_answered_as_the_schema_says(who: str, people: Any, succeeded_run: Any) -> None:
    """T-43, bounded: every operation, of things that are there and of things that are not. No 5xx, and no answer that the schema does not know."""
    import schemathesis
    from schemathesis import GenerationMode

    run = succeeded_run()
    webhook = Webhook.objects.create(workspace=people.workspace, url="https://93.184.215.14/", events=["run.failed"])
    delivery = Delivery.objects.create(webhook=webhook, type="run.failed", body={}, due_at=webhook.created_at)
    there = {"run_id": run.pk, "dataset_id": run.dataset_id, "model_id": run.model.pk, "name": "roc", "export": "annex-iv.md", "version": 1, "webhook_id": webhook.pk, "delivery_id": delivery.pk,
             "cohort_id": SavedCohort.objects.create(workspace=people.workspace, run=run, name="Young women", where=[{"column": "age", "what": "range", "high": 27}], words="age at most 27").pk}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", _closing(get_wsgi_application()))
    operations = sorted((found.ok() for found in schema.get_all_operations()), key=lambda operation: operation.method == "delete")
    assert len(operations) == sum(len(methods) for methods in openapi()["paths"].values())
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if who == "owner" else (GenerationMode.POSITIVE,)
    faults = [fault for operation, mode in product(operations, modes) for fault in _faults(operation, mode, there, people.rest(who).headers(), EXAMPLES[who])]
    assert not faults, "\n\n".join(faults)


@pytest.mark.slow
def test_t43_calls_that_follow_from_each_other(people: Any, succeeded_run: Any) -> None:
    """Stories of calls, each with what the ones before it answered: what was made is there, what was deleted is not, whatever came between."""
    import schemathesis
    from schemathesis.checks import CHECKS as KNOWN

    succeeded_run()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", _closing(get_wsgi_application()))
    headers = people.rest("owner").headers()
    checks = [KNOWN.get_one(name) for name in (*CHECKS, "use_after_free", "ensure_resource_availability") if name != "ignored_auth"]
    heard: dict[str, set[int]] = {}

    class Story(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, additional_checks: Any = None, **kwargs: Any) -> None:
            heard.setdefault(case.operation.label, set()).add(response.status_code)
            case.validate_response(response, checks=checks, headers=headers, transport_kwargs=kwargs, recorder=self.recorder)

    Story.run(settings=hypothesis_settings(
        max_examples=12 * TIMES, stateful_step_count=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]))
    assert len(heard) > 15, "or the stories go nowhere"
    assert any(200 in statuses for label, statuses in heard.items() if "{" in label), "nothing that a call made was found by another"


def _closing(application: Any) -> Any:
    """Closes each answer, and with it what was uploaded, as a server does and schemathesis does not."""
    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with closing(application(environ, start_response)) as response:
            return [b"".join(response)]

    return answer


def _faults(operation: Any, mode: Any, there: dict[str, Any], headers: dict[str, str], examples: int) -> list[str]:
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS as KNOWN
    from schemathesis.core.failures import FailureGroup

    reads = set(operation.definition.raw.get("requestBody", {}).get("content", ()))
    # Texts of a form have no types, and a query parameter that nobody knows is passed over: neither can be against the schema
    names = (*CHECKS, "negative_data_rejection") if reads == {"application/json"} else CHECKS
    known = {one.name: there[one.name] for one in operation.path_parameters} if reads or mode is GenerationMode.POSITIVE else {}
    found: list[str] = []

    @hypothesis_settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(case=operation.as_strategy(mode, path_parameters=known))
    def call(case: Any) -> None:
        try:
            case.validate_response(case.call(headers=headers), checks=[KNOWN.get_one(name) for name in names], headers=headers)
        except FailureGroup as fault:
            found.append(f"{operation.label}, {mode.name}: {fault}")

    with suppress(Unsatisfiable):  # nothing in this operation can be against its schema
        call()
    return found[:1]
