"""The language of the pages, chosen in their footer and kept in a cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Back to the page where it was chosen. Open to everybody: it says nothing about anybody."""
    return set_language(request)
