"""Logging in: by password, or by a link that works once; and a new password for one that was forgotten."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, PasswordResetConfirmView, PasswordResetView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from auditapp.access import redeem_login_link
from auditapp.mail import later
from auditapp.people import guessing, second_step
from auditapp.people.accounts import after_new_password
from auditapp.people.forms import CodeForm, ForgottenPasswordForm, dressed
from auditapp.public_address import public_address

BACKEND = "django.contrib.auth.backends.ModelBackend"
HALF = "half_way"
HALF_SECONDS = 600


class LogIn(LoginView):
    template_name = "login.html"
    redirect_authenticated_user = True

    def get_form(self, form_class: Any = None) -> Any:
        return dressed(super().get_form(form_class))

    def form_valid(self, form: Any) -> HttpResponse:
        return _let_in(self.request, form.get_user(), self.get_success_url())


class LogOut(LogoutView):
    """By POST only, so that no picture on a foreign page can log anybody out."""


@require_safe
def login_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Logs in whom the link was made for. HEAD spends nothing: link checkers ask so."""
    if request.method == "HEAD":
        return HttpResponse()
    user = redeem_login_link(secret)
    if user is None:
        return render(request, "login_link_spent.html", status=410)
    return _let_in(request, user, reverse("home"))


def _let_in(request: HttpRequest, user: User, then: str) -> HttpResponse:
    """Logged in and on to ``then``; where the person has a second step, that comes first and the session knows only whose turn it is."""
    if second_step.is_on(user):
        # A key that somebody else may have planted must not take part
        request.session.cycle_key()
        request.session[HALF] = {"user": user.pk, "hash": user.get_session_auth_hash(), "at": timezone.now().timestamp(), "next": then}
        return redirect("login-second")
    return _logged_in(request, user, then)


def _logged_in(request: HttpRequest, user: User, then: str) -> HttpResponse:
    # axes counts failures of the password backend; a link proves itself
    login(request, user, backend=BACKEND)
    return guessing.remember_browser(redirect(then), user)


@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """The code of the second step, for whoever has taken the first one within the last minutes."""
    user = _half_way(request)
    if user is None:
        return redirect("login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if seconds := second_step.wait(user):
            form.add_error("code", _("After wrong codes there is a pause: try again in %(seconds)d seconds.") % {"seconds": seconds})
        elif second_step.check(user, form.cleaned_data["code"]):
            then = request.session.pop(HALF)["next"]
            return _logged_in(request, user, then)
        else:
            form.add_error("code", _("This code is wrong, or was used already."))
    return render(request, "login_second.html", {"form": form}, status=422 if form.errors else 200)


def _half_way(request: HttpRequest) -> User | None:
    half = request.session.get(HALF)
    if not half or timezone.now().timestamp() - half["at"] > HALF_SECONDS:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    # A password that was changed meanwhile closes this way too
    return user if user is not None and constant_time_compare(user.get_session_auth_hash(), half["hash"]) else None


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """What axes shows after too many wrong passwords: from here, or from many places at this user."""
    seconds = getattr(request, "guessing_pause", 0)
    answer = render(request, "locked_out.html", {"seconds": seconds}, status=429)
    if seconds:
        answer["Retry-After"] = str(seconds)
    return answer


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class ForgottenPassword(PasswordResetView):
    """The same answer in the same time, whether somebody has that address or nobody."""

    template_name = "password_forgotten.html"
    form_class = ForgottenPasswordForm
    extra_context = {"mail_server": settings.MAIL_SERVER}

    def form_valid(self, form: Any) -> HttpResponse:
        address = public_address(self.request)
        later(partial(form.save, domain_override=address, extra_email_context={"address": address}))
        return redirect("password-sent")


@require_safe
def forgotten_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "password_sent.html")


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class NewPassword(PasswordResetConfirmView):
    """Behind the mailed link. Nobody is logged in by it: where a second step is on, it comes with the next login."""

    template_name = "password_new.html"
    success_url = reverse_lazy("login")

    def get_form(self, form_class: Any = None) -> Any:
        return dressed(super().get_form(form_class))

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            after_new_password(form.user, "by mail")
        # This browser's session may be one of those that have just ended
        logout(self.request)
        messages.success(self.request, _("Your new password is set. Every session of yours has ended; log in with it."))
        # Others' guesses may be why somebody came this way: they must not slow the login that follows
        return guessing.remember_browser(response, form.user)
