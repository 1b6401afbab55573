"""Deleting a run or a table: first what goes and what stays, then the button."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from auditapp import datasets, runs
from auditapp.access import find
from auditapp.models import Dataset, Run
from auditapp.people import share_links
from auditapp.views.guard import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page("delete")
def delete_run(request: PageRequest, run_id: str) -> HttpResponse:
    run = find(Run.objects.select_related("dataset"), request.caller, run_id)
    if run.state not in runs.ENDED:
        messages.info(request, _("A run that has not ended is cancelled first; then it can be deleted."))
        return redirect("run", run.pk)
    if request.method == "POST":
        removed = runs.delete_run(run, request.caller.user)
        messages.success(request, _("The run “%(title)s” is deleted, with %(files)d files.") % {"title": run.title, "files": removed.files})
        return redirect("home")
    return render(request, "delete_run.html", {
        "run": run, "files": run.artifacts.count(), "bytes": run.artifacts.aggregate(all=Sum("bytes"))["all"] or 0, "reports": run.reports.count(),
        "statements": run.statements.count(), "sign_offs": run.sign_offs.count(), "links": share_links.of_run(run).count(),
        "cohorts": run.saved_cohorts.count()})


@require_http_methods(["GET", "HEAD", "POST"])
@page("delete")
def delete_dataset(request: PageRequest, dataset_id: str) -> HttpResponse:
    dataset = find(Dataset, request.caller, dataset_id)
    if request.method == "POST":
        removed = datasets.delete_dataset(dataset, request.caller.user)
        messages.success(request, _("The table “%(name)s” is deleted; %(cancelled)d runs were cancelled, %(kept)d keep their evidence.") % {
            "name": dataset.name, "cancelled": len(removed.runs_cancelled), "kept": len(removed.runs_kept)})
        return redirect("new")
    of_it = Run.objects.filter(Q(dataset=dataset) | Q(test_dataset=dataset))
    return render(request, "delete_dataset.html", {
        "dataset": dataset, "active": of_it.exclude(state__in=runs.ENDED).count(), "ended": of_it.filter(state__in=runs.ENDED).count(),
        "twins": Dataset.objects.filter(workspace=request.caller.workspace, sha256=dataset.sha256, deleted_at=None).exclude(pk=dataset.pk).count()})
