"""Two runs beside each other."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auditapp import results
from auditapp.access import find
from auditapp.comparison import compare
from auditapp.models import Run
from auditapp.views.guard import PageRequest, page
from automl.evidence import FairnessSection

MOST_OFFERED = 200


@require_safe
@page("read")
def compare_runs(request: PageRequest) -> HttpResponse:
    """``a`` and ``b`` name the runs (or ``run`` twice, as ticked on the first page); without two of them the page asks for them."""
    ticked = [*request.GET.getlist("run"), "", ""]
    asked = [request.GET.get("a") or ticked[0], request.GET.get("b") or ticked[1]]
    runs = [find(Run.objects.filter(state="succeeded").select_related("dataset"), request.caller, one) if one else None for one in asked]
    first, second = runs
    if first and second and not request.GET.get("a") and first.created_at > second.created_at:
        # The list shows the newest first; what has changed since is read the other way round
        first, second = second, first
    offered = Run.objects.filter(workspace=request.caller.workspace, state="succeeded").only("pk", "title", "finished_at")[:MOST_OFFERED]
    context: dict[str, Any] = {"first": first, "second": second, "offered": offered, "too_many": len(request.GET.getlist("run")) > 2}
    if first and second and first.pk != second.pk:
        evidence = results.read_evidence(first), results.read_evidence(second)
        context |= {
            "found": compare(*evidence), "anyway": request.GET.get("anyway") == "1", "before": evidence[0], "after": evidence[1],
            "limits": [one.fairness.limit.ratio if isinstance(one.fairness, FairnessSection) else 0 for one in evidence],
        }
    return render(request, "compare.html", context)
