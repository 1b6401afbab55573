"""Error slices under a name, to be measured in audits to come."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from auditapp import cohorts
from auditapp.access import find
from auditapp.api.bearer import JSON, BearerToken, caller
from auditapp.api.datasets import created
from auditapp.api.documents import V1, Removed
from auditapp.api.ids import RowId
from auditapp.api.paging import Page, PageParameters, page_of
from auditapp.idempotency import Answer, answer_once
from auditapp.models import Run, SavedCohort
from automl.spec import CohortName, RowCondition

router = Router(tags=["cohorts"])


class NewCohort(BaseModel):
    """The error slice `slice` of `run`, counted from 0 in the evidence's `/slices/rows`."""

    model_config = ConfigDict(extra="forbid")

    run: Annotated[str, StringConstraints(max_length=40)]
    slice: Annotated[int, Field(ge=0, le=1000)]
    name: CohortName


class CohortDocument(BaseModel):
    """`name`, `where` and, as `found_in`, `run` are what a spec's `cohorts` takes."""

    id: str
    name: str
    where: list[RowCondition]
    words: str
    run: str
    created_at: datetime
    created_by: str | None


class CohortPage(Page):
    items: list[CohortDocument]


@router.post("/cohorts", auth=BearerToken("run", JSON), response={201: CohortDocument}, summary="Name an error slice")
def create_cohort(request: HttpRequest, new: NewCohort) -> HttpResponse:
    """Nothing is measured by it: choose it in the spec of a later run. 422 where the run has no such slice or the name is taken."""
    who = caller(request)
    run = find(Run, who, new.run)
    return created(answer_once(
        request, who, "POST /cohorts", lambda: hashlib.sha256(request.body).hexdigest(), SavedCohort, make=lambda: cohorts.save(run, new.slice, new.name, who),
        answer=lambda cohort: Answer(201, _document(cohort).model_dump(mode="json"), f"{V1}/cohorts")))


@router.get("/cohorts", auth=BearerToken("read"), response=CohortPage, summary="List cohorts")
def list_cohorts(request: HttpRequest, page: PageParameters) -> HttpResponseBase:
    return page_of(request, SavedCohort.objects.filter(workspace=caller(request).workspace).select_related("created_by"), page, _document)


@router.delete("/cohorts/{cohort_id}", auth=BearerToken("run"), response=Removed, summary="Forget a cohort")
def delete_cohort(request: HttpRequest, cohort_id: RowId) -> object:
    """Runs that measured it keep it in their evidence."""
    who = caller(request)
    cohorts.remove(find(SavedCohort, who, cohort_id), who)
    return {"id": cohort_id, "removed": {"cohort": True}}


def _document(cohort: SavedCohort) -> CohortDocument:
    return CohortDocument(
        id=cohort.pk, name=cohort.name, where=[RowCondition.model_validate(one) for one in cohort.where], words=cohort.words, run=cohort.run_id, created_at=cohort.created_at,
        created_by=cohort.created_by.get_username() if cohort.created_by else None)
