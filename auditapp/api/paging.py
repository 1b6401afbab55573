"""Lists as cursor pages: newest first, stable while new rows come in, at most 200 a page, with the full addresses of the pages beside it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field

from auditapp.api.files import document_with_etag
from auditapp.problems import Problem

MOST_A_PAGE = 200

_Item = TypeVar("_Item")


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="ignore")

    limit: Annotated[int, Field(ge=1, le=MOST_A_PAGE, description="rows a page")] = 50
    cursor: Annotated[str | None, Field(max_length=300, description="from `next` or `prev` of another page")] = None


PageParameters = Annotated[PageQuery, Query()]


class Page(BaseModel):
    """What every list has beside its `items`: the full addresses of the pages after and before this one, null where there is none."""

    next: str | None
    prev: str | None


def page_of(request: HttpRequest, rows: QuerySet[Any], query: PageQuery, document: Callable[[Any], BaseModel], *, at: str = "created_at") -> HttpResponseBase:
    """A page of ``rows``, the newest by the field ``at`` first."""

    def take(beside: str | None, backwards: bool, most: int) -> list[Any]:
        found = rows.order_by(*((at, "id") if backwards else (f"-{at}", "-id")))
        if beside is not None:
            moment, row_id = _row_key(beside)
            side = "gt" if backwards else "lt"
            try:
                found = found.filter(Q(**{f"{at}__{side}": moment}) | Q(**{at: moment, f"id__{side}": row_id}))
            except ValueError as error:  # an id that should be a number
                raise _not_a_cursor() from error
        return list(found[:most])

    return _page(request, query, take, lambda row: f"{_value(row, at).isoformat()}|{row.pk}", document)


def page_of_numbered(request: HttpRequest, items: Sequence[_Item], query: PageQuery, document: Callable[[_Item], BaseModel], number: Callable[[_Item], int], **beside: str) -> HttpResponseBase:
    """A page of ``items`` that are in memory, the highest number first. ``beside``: what else the document says."""

    def take(key: str | None, backwards: bool, most: int) -> list[_Item]:
        if key is None:
            return list(items[:most])
        if not (key.isascii() and key.isdigit()):
            raise _not_a_cursor()
        if backwards:
            return [one for one in reversed(items) if number(one) > int(key)][:most]
        return [one for one in items if number(one) < int(key)][:most]

    return _page(request, query, take, lambda one: str(number(one)), document, **beside)


def _page(
    request: HttpRequest, query: PageQuery, take: Callable[[str | None, bool, int], list[_Item]], key: Callable[[_Item], str], document: Callable[[_Item], BaseModel], **beside: str,
) -> HttpResponseBase:
    backwards, start = _decode(query.cursor) if query.cursor is not None else (False, None)
    found = take(start, backwards, query.limit + 1)
    shown, more = found[: query.limit], len(found) > query.limit
    if backwards:
        shown.reverse()
    has_next, has_prev = (True, more) if backwards else (more, start is not None)

    def address(direction: str, item: _Item) -> str:
        parameters = request.GET.copy()
        parameters["cursor"] = base64.urlsafe_b64encode(f"{direction}{key(item)}".encode()).decode().rstrip("=")
        return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")

    return document_with_etag(request, {
        **beside, "items": [document(item).model_dump(mode="json") for item in shown],
        "next": address(_AFTER, shown[-1]) if shown and has_next else None, "prev": address(_BEFORE, shown[0]) if shown and has_prev else None})


_AFTER, _BEFORE = ">", "<"


def _value(row: Any, path: str) -> datetime:
    for name in path.split("__"):
        row = getattr(row, name)
    assert isinstance(row, datetime)
    return row


def _decode(cursor: str) -> tuple[bool, str]:
    """Whether it leads back to newer rows, and the key of the row that it starts beside."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _not_a_cursor() from error
    if text[:1] not in (_AFTER, _BEFORE) or not text.isprintable():
        raise _not_a_cursor()
    return text[0] == _BEFORE, text[1:]


def _row_key(key: str) -> tuple[datetime, str]:
    at, _, row_id = key.partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise _not_a_cursor() from error
    # Years at the ends of the calendar overflow in the database's conversions
    if moment.tzinfo is None or not 1970 < moment.year < 3000 or not row_id:
        raise _not_a_cursor()
    return moment, row_id


def _not_a_cursor() -> Problem:
    return Problem("invalid", "cursor: take it from `next` or `prev` of another page.", [
        {"parameter": "cursor", "detail": "not a cursor of this service", "code": "cursor"}])
