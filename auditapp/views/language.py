"""The language of the pages, chosen in their footer and kept in a cookie."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from auditapp.people import accounts


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Back to the page where it was chosen. Open to everybody; of somebody who is logged in it is kept, for their mails."""
    if isinstance(request.user, User):
        accounts.remember_language(request.user, request.POST.get("language", ""))
    return set_language(request)
