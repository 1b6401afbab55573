"""Lists as cursor pages: newest first, stable while new rows come in, at most 200 a page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field

from auditapp.problems import Problem

MOST_A_PAGE = 200


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    limit: Annotated[int, Field(ge=1, le=MOST_A_PAGE, description="rows a page")] = 50
    cursor: Annotated[str | None, Field(max_length=300, description="from `next` of the page before")] = None


PageParameters = Annotated[PageQuery, Query()]


def page_of(request: HttpRequest, rows: QuerySet[Any], query: PageQuery, document: Callable[[Any], Any]) -> dict[str, Any]:
    """``{items, next}``: ``next`` is the full address of the page after this one, null on the last."""
    rows = rows.order_by("-created_at", "-id")
    if query.cursor is not None:
        at, row_id = _decode(query.cursor)
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=row_id))
    found = list(rows[: query.limit + 1])
    shown = found[: query.limit]
    following = None
    if len(found) > query.limit:
        parameters = request.GET.copy()
        parameters["cursor"] = _encode(shown[-1].created_at, shown[-1].pk)
        following = request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
    return {"items": [document(row) for row in shown], "next": following}


def _encode(at: datetime, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        at, _, row_id = text.partition("|")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, ValueError) as error:
        raise _not_a_cursor() from error
    # Years at the ends of the calendar overflow in the database's conversions
    if moment.tzinfo is None or not 1970 < moment.year < 3000 or not row_id.isprintable() or not row_id:
        raise _not_a_cursor()
    return moment, row_id


def _not_a_cursor() -> Problem:
    return Problem("invalid", "cursor: take it from `next` of the page before.", [
        {"parameter": "cursor", "detail": "not a cursor of this service", "code": "cursor"}])
