"""Settings of a workspace: tokens and members."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp.access import choose_workspace, find, issue_token, revoke_token
from auditapp.forms import TokenForm
from auditapp.models import ApiToken, Membership
from auditapp.views.guard import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page("tokens")
def tokens(request: PageRequest) -> HttpResponse:
    """The workspace's tokens; a new one's text is in the answer to its own POST and nowhere else."""
    form = TokenForm(request.POST or None)
    secret = None
    if request.method == "POST" and form.is_valid():
        said, caller = form.cleaned_data, request.caller
        _token, secret = issue_token(user=caller.user, workspace=caller.workspace, name=said["name"], scopes=tuple(said["scopes"]), days=said["days"], actor=caller.actor)
        form = TokenForm()
    rows = ApiToken.objects.filter(workspace=request.caller.workspace).select_related("user").order_by("revoked_at", "-created_at")
    response = render(request, "settings/tokens.html", {"form": form, "tokens": rows, "secret": secret}, status=422 if form.errors else 200)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@page("tokens")
def revoke(request: PageRequest, token_id: str) -> HttpResponse:
    token = find(ApiToken, request.caller, token_id)
    if revoke_token(token, actor=request.caller.actor):
        messages.success(request, _("The token “%(name)s” is revoked and opens nothing any more.") % {"name": token.name})
    return redirect("tokens")


@require_safe
@page("read")
def members(request: PageRequest) -> HttpResponse:
    rows = Membership.objects.filter(workspace=request.caller.workspace).select_related("user").order_by("user__username")
    mine = Membership.objects.filter(user=request.caller.user).select_related("workspace")
    return render(request, "settings/members.html", {"members": rows, "memberships": mine})


@require_POST
@page("read")
def change_workspace(request: PageRequest) -> HttpResponse:
    choose_workspace(request, request.POST.get("workspace", "")[:40])
    return redirect("home")
