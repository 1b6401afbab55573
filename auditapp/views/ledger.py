"""The workspace's ledger: who did what and when, newest first, and whether the chain holds."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auditapp import ledger as chain
from auditapp.models import LedgerEntry
from auditapp.views.guard import PageRequest, page

ENTRIES_A_PAGE = 50


@require_safe
@page("read")
def ledger(request: PageRequest) -> HttpResponse:
    """``?check=1`` reads the whole chain: asked for, since it takes as long as the chain is."""
    workspace = request.caller.workspace
    number, digest = chain.head(workspace)
    return render(request, "settings/ledger.html", {
        "page": Paginator(LedgerEntry.objects.filter(workspace=workspace).order_by("-number"), ENTRIES_A_PAGE).get_page(request.GET.get("page")),
        "number": number, "head": digest, "checked": request.GET.get("check") == "1", "problems": chain.verify(workspace) if request.GET.get("check") == "1" else ()})
