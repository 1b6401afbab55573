"""The workspace itself: made, renamed, how long it keeps tables, deleted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from auditapp import retention
from auditapp.access import choose_workspace
from auditapp.people import workspaces
from auditapp.people.forms import DeletionForm, RetentionForm, WorkspaceNameForm
from auditapp.people.members import Refused
from auditapp.views.guard import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page("members")
def workspace(request: PageRequest) -> HttpResponse:
    """Its name, how long it keeps tables and which ones go next."""
    form = WorkspaceNameForm(request.POST or None, initial={"name": request.caller.workspace.name})
    if request.method == "POST" and form.is_valid():
        workspaces.rename(request.caller, form.cleaned_data["name"])
        messages.success(request, _("The workspace is called %(name)s now.") % {"name": form.cleaned_data["name"]})
        return redirect("workspace")
    return _show(request, form, status=200 if request.method != "POST" else 422)


@require_POST
@page("members")
def keep_tables(request: PageRequest) -> HttpResponse:
    """How long tables are kept that no run uses."""
    form = RetentionForm(request.POST)
    if not form.is_valid():
        return _show(request, None, form, status=422)
    retention.set_days(request.caller, form.cleaned_data["days"])
    messages.success(request, _("Your choice is kept."))
    return redirect("workspace")


@require_http_methods(["GET", "HEAD", "POST"])
@page("members")
def delete_workspace(request: PageRequest) -> HttpResponse:
    """What it removes and what it keeps, and its name to be typed."""
    workspace = request.caller.workspace
    form = DeletionForm(request.POST or None, name=workspace.name)
    if request.method == "POST" and form.is_valid():
        removed = workspaces.ask_deletion(request.caller)
        return render(request, "settings/workspace_deleted.html", {"workspace": workspace, "content": removed})
    return render(request, "settings/delete_workspace.html", {"form": form, "content": workspaces.content(workspace)}, status=200 if request.method != "POST" else 422)


@require_http_methods(["GET", "HEAD", "POST"])
@page("members")
def new_workspace(request: PageRequest) -> HttpResponse:
    """One more workspace, which the person owns and works in from now on."""
    form = WorkspaceNameForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = workspaces.make(request.caller.user, form.cleaned_data["name"])
            except Refused as refused:
                form.add_error(None, str(refused))
                status = 409
            else:
                choose_workspace(request, made.pk)
                messages.success(request, _("You are the owner of %(name)s and work in it now.") % {"name": made.name})
                return redirect("members")
    return render(request, "settings/new_workspace.html", {"form": form}, status=status)


def _show(request: PageRequest, form: WorkspaceNameForm | None, retention_form: RetentionForm | None = None, *, status: int) -> HttpResponse:
    workspace = request.caller.workspace
    return render(request, "settings/workspace.html", {
        # The error summary reads `form`: the one that was sent
        "form": retention_form or form, "name_form": form or WorkspaceNameForm(initial={"name": workspace.name}),
        "retention_form": retention_form or RetentionForm(initial={"days": workspace.retention_days}),
        "due": retention.due(workspace), "grace": retention.GRACE_DAYS}, status=status)
