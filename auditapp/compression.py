"""Pages, style sheets, scripts and pictures leave compressed, whoever serves them. REST answers do not: their ETags are strong, and other programs on the same network read them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from auditapp.problems import API_PREFIX

TEXTS = {"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"}


class CompressedPages(GZipMiddleware):
    """Django's own, which hides the length of a page from whoever guesses at what is in it, for texts that are worth it."""

    def process_response(self, request: HttpRequest, response: Any) -> HttpResponseBase:
        text = response.get("Content-Type", "").split(";")[0] in TEXTS
        if not text or response.status_code != 200 or request.method != "GET" or request.path_info.startswith(API_PREFIX):
            return response
        return super().process_response(request, response)
