"""Who belongs to the workspace."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import BaseModel

from auditapp.api.bearer import BearerToken, caller
from auditapp.api.paging import Page, PageParameters, page_of
from auditapp.models import Membership

router = Router(tags=["members"])


class MemberDocument(BaseModel):
    id: str
    """The name that the person logs in with."""
    role: str
    is_active: bool
    known_since: datetime


class MemberPage(Page):
    items: list[MemberDocument]


@router.get("/members", auth=BearerToken("member_list"), response=MemberPage, summary="List members")
def list_members(request: HttpRequest, page: PageParameters) -> HttpResponseBase:
    """For owners. Who is added, or changes roles, is decided by a person in a session: no route does it."""
    rows = Membership.objects.filter(workspace=caller(request).workspace).select_related("user")
    return page_of(request, rows, page, _document, at="user__date_joined")


def _document(membership: Membership) -> MemberDocument:
    user = membership.user
    return MemberDocument(id=user.get_username(), role=membership.role, is_active=user.is_active, known_since=user.date_joined)
