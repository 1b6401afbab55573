"""Logging in: by password, or by a link that works once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from auditapp.access import redeem_login_link


class LogIn(LoginView):
    template_name = "login.html"
    redirect_authenticated_user = True

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.label_suffix = ""
        form.use_required_attribute = False
        for field in form.fields.values():
            field.widget.attrs["class"] = "form-control"
        return form


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
    # axes counts failures of the password backend; a link proves itself
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")


def locked_out(request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """What axes shows after too many wrong passwords."""
    return render(request, "locked_out.html", status=429)
