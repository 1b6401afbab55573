"""Tokens of a workspace."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from auditapp.access import find, issue_token, revoke_token
from auditapp.forms.answers import TokenForm
from auditapp.models import ApiToken
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
