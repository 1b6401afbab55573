"""What went wrong, in words, with the id under which the log has it; never a trace. None of these needs the database."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.utils.translation import gettext as _

from auditapp.problems import API_PREFIX
from auditapp.request_ids import request_id

logger = logging.getLogger(__name__)


def error_page(status: int, heading: str, text: str) -> HttpResponse:
    # Without the request: its context processors would ask the database who is logged in
    body = loader.get_template("error.html").render({"heading": heading, "text": text, "request_id": request_id(), "status": status})
    return HttpResponse(body, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(400, _("This request could not be read"), _("Something in it was malformed or too large. Nothing was changed."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(403, _("You may not do this"), getattr(exception, "sentence", "") or _("Your role in this workspace does not allow it. An owner can change that."))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(403, _("This form has expired"), _("For safety a form works only in the browser session that opened it. Go back, reload the page and send it again. Nothing was changed."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(404, _("There is no such page"), _("The address is wrong, what it named was deleted, or it belongs to a workspace that you are not a member of."))


def broken(request: HttpRequest) -> HttpResponse:
    return error_page(500, _("Something went wrong on our side"), _("What you had sent or started before is kept. Try again; if it happens again, give this id to whoever runs this Plumbline."))


class DatabaseAnswers:
    """Middleware: a database that is gone or too busy is no fault of the page's, and over soon. REST has the same in `auditapp.problems`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError) or request.path_info.startswith(API_PREFIX):
            return None
        logger.error("%s %s: %s", request.method, request.path, error, exc_info=error)
        answer = error_page(503, _("Not available for the moment"), _("Nothing was changed. Try again in a few seconds."))
        answer["Retry-After"] = "5"
        return answer
