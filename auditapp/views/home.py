"""The first page: what needs attention, what runs, what is done."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from auditapp.models import Dataset, Run, Workspace
from auditapp.views.guard import PageRequest, page
from automl.evidence import Bar

RUNS_A_PAGE = 25
WEEKS = 12


@require_safe
@page("read")
def home(request: PageRequest) -> HttpResponse:
    runs = Run.objects.filter(workspace=request.caller.workspace).select_related("dataset", "created_by")
    lately = Q(finished_at__gte=timezone.now() - timedelta(days=7))
    # One question for all numbers: everybody's day begins on this page
    counts = runs.order_by().aggregate(
        all=Count("pk"), attention=Count("pk", filter=Q(state="failed") & lately), going=Count("pk", filter=Q(state__in=["queued", "running"])),
        finished=Count("pk", filter=Q(state="succeeded") & lately), with_results=Count("pk", filter=Q(state="succeeded")))
    pages = Paginator(runs, RUNS_A_PAGE)
    pages.count = counts["all"]
    return render(request, "home.html", {
        **counts, "can_compare": counts["with_results"] >= 2, "page": pages.get_page(request.GET.get("page")),
        "weeks": finished_by_week(request.caller.workspace),
        "has_datasets": Dataset.objects.filter(workspace=request.caller.workspace, deleted_at=None).exists(),
    })


def finished_by_week(workspace: Workspace) -> list[Bar]:
    """Finished audits of the last weeks, each bar a week by its Monday; nothing before there are two weeks to compare."""
    monday = (timezone.now() - timedelta(days=timezone.now().weekday())).date()
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    ends = Run.objects.filter(workspace=workspace, state="succeeded", finished_at__date__gte=weeks[0]).values_list("finished_at", flat=True)
    counts = Counter(end.date() - timedelta(days=end.weekday()) for end in ends if end is not None)
    return [Bar(label=week.isoformat(), n=counts[week]) for week in weeks] if len(counts) > 1 else []
