"""A run once more, and whether the repetition came to the same evidence."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from auditapp import repeats, runs
from auditapp.access import Caller, find
from auditapp.api.bearer import BearerToken, caller
from auditapp.api.datasets import created
from auditapp.api.documents import V1, RunDocument, run_document
from auditapp.api.files import document_with_etag
from auditapp.api.ids import RowId
from auditapp.api.results import succeeded
from auditapp.idempotency import Answer, answer_once
from auditapp.models import Run
from auditapp.problems import Problem

router = Router(tags=["runs"])


class DifferenceDocument(BaseModel):
    """A place of the evidence (JSON pointer) and both values as JSON, cut where they are long; null where it is not there."""

    pointer: str
    before: str | None
    after: str | None


class PartDocument(BaseModel):
    name: str
    count: int
    first: list[DifferenceDocument]


class ComparisonDocument(BaseModel):
    """How a repetition compares with the run that it repeats. `same_but_number`: only the number of the audit differs, which counts each look at the audit part; the digest of what was measured is the same."""

    id: str
    parent: str
    verdict: Literal["same_digest", "same_but_number", "different"]
    before: str
    """Digest of the parent's evidence."""
    after: str
    measured_before: str
    """Digest of what was measured: the evidence without the number of the audit, by which no two runs of one table share a digest."""
    measured_after: str
    by_time: bool
    """The search had a budget in seconds, which may end it by the clock and cannot be repeated exactly."""
    parts: list[PartDocument]


@router.post("/runs/{run_id}/repeat", auth=BearerToken("run"), response={202: RunDocument}, summary="Run it once more from its recorded configuration")
def repeat_run(request: HttpRequest, run_id: RowId) -> HttpResponse:
    """A new run whose parent is this one. When both have results, `/runs/{id}/comparison` of the new one says what differs."""
    who = caller(request)
    run = find(Run.objects.select_related("dataset", "test_dataset", "workspace"), who, run_id)
    return created(answer_once(
        request, who, f"POST /runs/{run.pk}/repeat", lambda: hashlib.sha256(request.body).hexdigest(), Run, make=lambda: _repeat(run, who),
        answer=lambda made: Answer(202, run_document(made).model_dump(mode="json"), f"{V1}/runs/{made.pk}")))


def _repeat(run: Run, who: Caller) -> Run:
    try:
        return repeats.repeat(run, who.user)
    except runs.QueueFull as error:
        raise Problem("queue-full", f"{error.sentence}.", headers={"Retry-After": "30"}) from error


@router.get("/runs/{run_id}/comparison", auth=BearerToken("read"), response=ComparisonDocument, summary="The repetition beside the run that it repeats")
def get_comparison(request: HttpRequest, run_id: RowId) -> object:
    """409 where the run repeats no other, or that one's results are gone."""
    run = succeeded(request, run_id)
    found = repeats.compared_with_parent(run)
    if found is None:
        raise Problem("conflict", "The run repeats no other whose results are there.")
    return document_with_etag(request, ComparisonDocument(id=run.pk, parent=run.parent_id, **asdict(found)).model_dump(mode="json"))
