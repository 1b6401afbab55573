"""One's own account: address, password, notices, sessions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from auditapp import mail
from auditapp.people import accounts, guessing, second_step, sessions
from auditapp.people.forms import EmailForm, NoticesForm, dressed
from auditapp.public_address import public_address
from auditapp.views.guard import own


@require_safe
@own
def account(request: Any) -> HttpResponse:
    rows = [(session, sessions.public_id(session), session.session_key == request.session.session_key) for session in sessions.of(request.user)]
    return render(request, "settings/account.html", {"sessions": rows, "second_step": second_step.is_on(request.user), "verified": accounts.mail_address(request.user), "notices": accounts.notices_of(request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@own
def email(request: Any) -> HttpResponse:
    form = EmailForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"]
        if address == accounts.mail_address(request.user) or not address or not settings.MAIL_SERVER:
            if address != request.user.email:
                accounts.set_email(request.user, address, verified=False)
            messages.success(request, _("Your address is kept."))
            return redirect("account")
        if _mail_proof(request, address):
            messages.success(request, _("A link is on its way to %(email)s. Open it to take the address over; until then everything stays as it was.") % {"email": address})
            return redirect("account")
        form.add_error("email", _("No link could be mailed there now: only one is in five minutes, and the mail server has to take it. Everything is as it was."))
    return render(request, "settings/email.html", {"form": form}, status=422 if form.errors else 200)


def _mail_proof(request: Any, address: str) -> bool:
    if not accounts.may_mail(request.user):
        return False
    link = public_address(request) + reverse("account-email-proved", args=[accounts.email_proof(request.user, address)])
    return mail.send(address, _("Your address for Plumbline"), "mail/prove_email.txt", {"name": request.user.get_username(), "link": link, "hours": accounts.LINK_HOURS})


@require_http_methods(["GET", "HEAD", "POST"])
@own
def email_proved(request: Any, proof: str) -> HttpResponse:
    """What the mailed link opens: looking at it changes nothing, since mail programs look too."""
    address, former = accounts.proved_email(request.user, proof), accounts.mail_address(request.user)
    if address is not None and request.method == "POST":
        accounts.set_email(request.user, address, verified=True)
        if former:
            mail.send(former, _("Your address for Plumbline"), "mail/email_changed.txt", {"name": request.user.get_username()})
        messages.success(request, _("Your address is kept."))
        return redirect("account")
    response = render(request, "settings/email_proved.html", {"address": address}, status=410 if address is None else 200)
    response["Cache-Control"], response["Referrer-Policy"] = "no-store", "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@own
def password(request: Any) -> HttpResponse:
    """Whoever came by a link so far has no password to be asked for."""
    make = PasswordChangeForm if request.user.has_usable_password() else SetPasswordForm
    form = dressed(make(request.user, request.POST or None))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            accounts.after_new_password(request.user, "by its person")
        update_session_auth_hash(request, request.user)
        messages.success(request, _("Your password is set. All your other sessions have ended."))
        return guessing.remember_browser(redirect("account"), request.user)
    return render(request, "settings/password.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def notices(request: Any) -> HttpResponse:
    form = NoticesForm(request.POST or None, initial={"notices": accounts.notices_of(request.user)})
    if request.method == "POST" and form.is_valid():
        accounts.set_notices(request.user, form.cleaned_data["notices"])
        accounts.remember_language(request.user, get_language() or "")
        messages.success(request, _("Your wish is kept."))
        return redirect("account")
    return render(request, "settings/notices.html", {"form": form, "mail_server": settings.MAIL_SERVER, "verified": accounts.mail_address(request.user)}, status=422 if form.errors else 200)


@require_POST
@own
def end_session(request: Any, session_id: str) -> HttpResponse:
    if not sessions.end(request.user, session_id):
        raise Http404
    messages.success(request, _("The session has ended."))
    return redirect("account")


@require_POST
@own
def end_other_sessions(request: Any) -> HttpResponse:
    ended = sessions.end_others(request.user, request.session.session_key)
    messages.success(request, ngettext("%(number)d other session has ended.", "%(number)d other sessions have ended.", ended) % {"number": ended})
    return redirect("account")
