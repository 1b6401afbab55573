"""Switching the second step of one's login on and off, and its recovery codes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from auditapp import ledger
from auditapp.people import second_step as verbs
from auditapp.people.forms import CodeForm
from auditapp.views.guard import own


@require_http_methods(["GET", "HEAD", "POST"])
@own
def second_step(request: Any) -> HttpResponse:
    """Off: what it is, and the secret once it was begun; a POST confirms that the app has it. On: renewing the recovery codes and switching it off."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = verbs.confirm(request.user, form.cleaned_data["code"])
        if codes is not None:
            return _show_codes(request, codes)
        form.add_error("code", _("This code is wrong: look whether the clock of your phone is right, and type the next one."))
    return _show(request, form)


@require_POST
@own
def begin(request: Any) -> HttpResponse:
    verbs.begin(request.user)
    return redirect("second-step")


@require_POST
@own
def codes(request: Any) -> HttpResponse:
    form = _proved(request)
    return _show(request, form) if form.errors else _show_codes(request, verbs.renew_codes(request.user))


@require_POST
@own
def off(request: Any) -> HttpResponse:
    form = _proved(request)
    if form.errors:
        return _show(request, form)
    verbs.switch_off(request.user, ledger.actor_of(request.user))
    messages.success(request, _("The second step of your login is off."))
    return redirect("account")


def _proved(request: Any) -> CodeForm:
    """A form without errors only where it holds a right code: a session that was left open must not be enough."""
    form = CodeForm(request.POST)
    if form.is_valid() and (verbs.wait(request.user) or not verbs.check(request.user, form.cleaned_data["code"])):
        form.add_error("code", _("This code is wrong or was used already, or the pause after wrong ones is not over."))
    return form


def _show(request: Any, form: CodeForm) -> HttpResponse:
    response = render(request, "settings/second_step.html", {
        "form": form, "on": verbs.is_on(request.user), "setup": verbs.setup(request.user), "left": request.user.recovery_codes.count()}, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


def _show_codes(request: Any, codes: list[str]) -> HttpResponse:
    response = render(request, "settings/recovery_codes.html", {"codes": codes})
    response["Cache-Control"] = "no-store"
    return response
