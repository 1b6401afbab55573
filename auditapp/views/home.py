"""The first page: what needs attention, what runs, what is done."""

from __future__ import annotations

from datetime import timedelta

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from auditapp.models import Dataset, Run
from auditapp.views.guard import PageRequest, page

RUNS_A_PAGE = 25


@require_safe
@page("read")
def home(request: PageRequest) -> HttpResponse:
    runs = Run.objects.filter(workspace=request.caller.workspace).select_related("dataset", "created_by")
    week_ago = timezone.now() - timedelta(days=7)
    return render(request, "home.html", {
        "attention": runs.filter(state="failed", finished_at__gte=week_ago).count(),
        "going": runs.filter(state__in=["queued", "running"]).count(),
        "finished": runs.filter(state="succeeded", finished_at__gte=week_ago).count(),
        "can_compare": runs.filter(state="succeeded")[:2].count() == 2,
        "page": Paginator(runs, RUNS_A_PAGE).get_page(request.GET.get("page")),
        "has_datasets": Dataset.objects.filter(workspace=request.caller.workspace, deleted_at=None).exists(),
    })
