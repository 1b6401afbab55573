"""Members of a workspace: who is in it, invitations, roles, leaving; and what is behind an invitation's link."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp import mail
from auditapp.access import choose_workspace, find, may
from auditapp.models import Invitation, Membership
from auditapp.people import members as verbs
from auditapp.people.forms import ROLE_CHOICES, InvitationForm, NewPersonForm, RoleForm
from auditapp.people.members import Refused
from auditapp.public_address import public_address
from auditapp.views.guard import PageRequest, page, public
from auditapp.views.sign_in import BACKEND


@require_safe
@page("read")
def members(request: PageRequest) -> HttpResponse:
    return _show(request)


@require_POST
@page("members")
def invite(request: PageRequest) -> HttpResponse:
    """By mail; where no mail server takes it, the link is in the answer to this POST and nowhere else."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    said, workspace = form.cleaned_data, request.caller.workspace
    try:
        invitation, secret = verbs.invite(request.caller, said["email"], said["role"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return _show(request, form, status=409)
    link = public_address(request) + reverse("invitation", args=[secret])
    context = {"invitation": invitation, "link": link, "inviter": request.caller.user.get_username()}
    if mail.send(invitation.email, _("Invitation to %(workspace)s on Plumbline") % {"workspace": workspace.name}, "mail/invitation.txt", context):
        verbs.note_mailed(invitation)
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": invitation.email})
        return redirect("members")
    response = _show(request, link=link, invited=invitation)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@page("members")
def withdraw(request: PageRequest, invitation_id: str) -> HttpResponse:
    invitation = find(Invitation, request.caller, invitation_id)
    if verbs.withdraw(request.caller, invitation):
        messages.success(request, _("The invitation to %(email)s is withdrawn; its link opens nothing any more.") % {"email": invitation.email})
    return redirect("members")


@require_POST
@page("members")
def change_role(request: PageRequest, member_id: int) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("user"), workspace=request.caller.workspace, pk=member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _show(request, problem=_("Choose one of the roles."), status=422)
    try:
        verbs.change_role(request.caller, member, form.cleaned_data["role"])
    except Refused as refused:
        return _show(request, problem=str(refused), status=409)
    messages.success(request, _("%(name)s has the role %(role)s now.") % {"name": member.user.get_username(), "role": form.cleaned_data["role"]})
    return redirect("members")


@require_POST
@page("members")
def remove(request: PageRequest, member_id: int) -> HttpResponse:
    member = get_object_or_404(Membership.objects.select_related("user"), workspace=request.caller.workspace, pk=member_id)
    try:
        verbs.remove(request.caller, member)
    except Refused as refused:
        return _show(request, problem=str(refused), status=409)
    messages.success(request, _("%(name)s is no member any more.") % {"name": member.user.get_username()})
    return redirect("members")


@require_POST
@page("read")
def leave(request: PageRequest) -> HttpResponse:
    member = get_object_or_404(Membership, workspace=request.caller.workspace, user=request.caller.user)
    try:
        verbs.remove(request.caller, member)
    except Refused as refused:
        return _show(request, problem=str(refused), status=409)
    messages.success(request, _("You have left %(workspace)s.") % {"workspace": request.caller.workspace.name})
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@public
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Opening the link spends nothing; taking the place does. Who has no account here chooses a name and a password."""
    found = verbs.invitation_of(secret)
    if found is None:
        return render(request, "invitation_spent.html", status=410)
    user = request.user
    form = None if isinstance(user, User) else NewPersonForm(request.POST or None)
    status, problem = 200, None
    if request.method == "POST":
        try:
            if isinstance(user, User):
                verbs.accept(found, user)
            elif form is not None and form.is_valid():
                user = form.save(commit=False)
                verbs.join_as_new(found, user)
                login(request, user, backend=BACKEND)
            else:
                status = 422
        except Refused as refused:
            status, problem = 409, str(refused)
        if status == 200:
            choose_workspace(request, found.workspace_id)
            messages.success(request, _("You are a member of %(workspace)s now.") % {"workspace": found.workspace.name})
            return redirect("home")
    response = render(request, "invitation.html", {"invitation": found, "form": form, "problem": problem, "role_words": dict(ROLE_CHOICES)[found.role]}, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@page("read")
def change_workspace(request: PageRequest) -> HttpResponse:
    choose_workspace(request, request.POST.get("workspace", "")[:40])
    return redirect("home")


def _show(request: PageRequest, form: InvitationForm | None = None, *, problem: str | None = None, link: str | None = None, invited: Invitation | None = None, status: int = 200) -> HttpResponse:
    workspace = request.caller.workspace
    owner = may(request.caller, "members")
    return render(request, "settings/members.html", {
        "members": Membership.objects.filter(workspace=workspace).select_related("user").order_by("user__username"), "roles": Membership.Role.choices,
        "memberships": Membership.objects.filter(user=request.caller.user).select_related("workspace").order_by("workspace__name", "pk"),
        "form": (form or InvitationForm()) if owner else None, "invitations": verbs.open_invitations(workspace) if owner else (),
        "problem": problem, "link": link, "invited": invited, "mail_server": settings.MAIL_SERVER}, status=status)
